//! Versioned rows, transactions and locks. It knows no SQL, no clock and no trace.
//!
//! A row is a chain of versions, newest first:
//!
//! ```text
//!   row 7 of accounts     [xid 31, running ] -> [xid 20, stamp 9] -> [xid 12, stamp 4]
//!   snapshot at stamp 9   reads the version of xid 20, whoever holds the row
//!   snapshot at stamp 6   reads the version of xid 12
//!   xid 31 itself         reads its own version, from its next command on
//! ```
//!
//! A commit gives all versions of its transaction the next stamp; a rollback takes them away, so a chain never holds
//! a version of an aborted transaction, and at most its newest versions are running. Isolation levels differ only in when
//! a snapshot is taken: READ COMMITTED for each statement, the others once for a transaction; SERIALIZABLE adds the
//! dependencies of `ssi`.
//!
//! Each picture below is played by a script of `tests/scripts/store`.
//!
//! # Two writers
//!
//! Who wants to write or lock a row marks it. A mark that conflicts makes the newcomer wait as PostgreSQL does: first it
//! takes its *turn* at the row (a queue), then it waits for the transactions that hold the row, one after the other. The first
//! updater wins: woken, the newcomer asks for the row anew, and finds it as the holder has left it.
//!
//! ```text
//!   xid 31 holds the row      [xid 31, running ] -> [xid 20, stamp 9]    xid 32, with a snapshot at stamp 9, waits
//!   it rolls back             [xid 20, stamp 9]                          32 has the row as it knew it
//!   or it commits             [xid 31, stamp 10] -> [xid 20, stamp 9]    32 has a row that is newer than its snapshot:
//!     READ COMMITTED          reads the version of 31, tests it once more and writes on top of it
//!     REPEATABLE READ and up  fails: 40001
//! ```
//!
//! The mark is given at every level: what to do with a newer version is the statement's to say, by comparing stamps. One that knows
//! it must fail asks with the `outdated` version's stamp, and only waits. For a statement that waits its snapshot is pinned, so that
//! what it sees is still there when it goes on.
//!
//! # Commands
//!
//! A statement does not see what it writes itself, or `INSERT INTO t SELECT … FROM t` would read its own rows and never end. So a
//! transaction counts its commands, a version knows which one wrote it, and a snapshot sees those of earlier ones:
//!
//! ```text
//!   command 4 of xid 31       snapshot: stamp 9, own xid 31, command 4
//!     row 7                   [xid 20, stamp 9]               seen
//!     row 8                   [xid 31, running, command 3]    seen: an earlier statement inserted it
//!     row 9                   [xid 31, running, command 4]    not seen: this one does
//! ```
//!
//! Checks at the end of a statement need what it wrote: they read by the same snapshot, one command later.
//!
//! # Pruning
//!
//! Pinned are the snapshots of transactions above READ COMMITTED, those of waiting statements and where a replica is. The oldest
//! is the horizon; where nothing is pinned it is the newest commit. Of each row the version that is seen there stays with all
//! newer ones, be they seen by anybody or not; older ones go, with the index entries that lead to them alone. A commit notes the
//! rows it has outdated something of, and whenever a transaction ends or a pin is taken out, those up to the horizon are cleaned.
//!
//! ```text
//!   snapshots at 9 and 11     [xid 40, stamp 12] -> [xid 31, stamp 10] -> [xid 20, stamp 9]
//!   the one at 9 ends         [xid 40, stamp 12] -> [xid 31, stamp 10]
//!   the one at 11 ends        [xid 40, stamp 12]
//!   xid 41 deletes the row    [deleted by xid 41, stamp 13] -> [xid 40, stamp 12]    as long as somebody sees it
//!   then                      nothing is left, and the next row inserted takes its number
//! ```
//!
//! # A replica
//!
//! A replica has no rows of its own. Its sessions read these chains with the stamp it has come to, which is pinned for them:
//!
//! ```text
//!   newest commit 10, replayed up to 9     [xid 31, stamp 10] -> [xid 20, stamp 9]
//!   a new snapshot of the primary          at stamp 10, reads the version of xid 31
//!   a new snapshot of the replica          at stamp 9, reads the version of xid 20
//!   10 is replayed                         [xid 31, stamp 10]    what the replica reads from now on
//! ```

mod deadlock;
mod index;
mod key;
mod locking;
mod locks;
mod snapshot;
mod ssi;
mod versions;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smallvec::SmallVec;

use crate::trace::{Isolation, LockStrength, SessionId, Value, Xid};

pub use index::{Bounds, Entry, Index, KeySource};
pub use key::{Key, compare, dimensions, elements};
pub use locking::RowLock;
use locks::Locks;
pub use locks::{AdvisoryKey, Mode, Tag, Waiting};
pub use snapshot::{Snapshot, Stamp};
use ssi::Safety;
pub use ssi::{Predicate, SerializationFailure};
pub use versions::{Chain, Row, Version};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub u32);

#[derive(Default)]
pub struct Table {
    chains: Vec<Chain>,
    free: Vec<RowId>,
    pub indexes: Vec<Option<Index>>,
}

impl Table {
    /// One past the highest row id in use.
    pub fn row_end(&self) -> u32 {
        self.chains.len() as u32
    }

    /// Rows there are, for estimates: deleted ones count until they are pruned.
    pub fn row_count(&self) -> usize {
        self.chains.len() - self.free.len()
    }

    pub fn chain(&self, row: RowId) -> &Chain {
        &self.chains[row.0 as usize]
    }
}

pub struct Store {
    tables: Vec<Table>,
    /// Of all versions.
    bytes: usize,
    open: Vec<Option<Transaction>>,
    last_stamp: Stamp,
    last_xid: u32,
    /// Sessions of a replica, and the stamp it has come to.
    followers: BTreeSet<SessionId>,
    replayed: Stamp,
    /// Stamps that open snapshots need, with how many need each.
    pinned: BTreeMap<Stamp, u32>,
    /// Rows that have versions to prune, in order of the stamp that outdated them.
    garbage: VecDeque<(Stamp, TableId, RowId)>,
    locks: Locks,
    ssi: ssi::Conflicts,
}

struct Transaction {
    xid: Option<Xid>,
    isolation: Isolation,
    read_only: bool,
    deferrable: bool,
    snapshot: Option<Stamp>,
    /// The snapshot of a READ ONLY DEFERRABLE transaction while it is not known to be safe.
    unsettled: Option<Stamp>,
    command: u32,
    undo: Vec<Undo>,
}

#[derive(Debug)]
enum Undo {
    Written { table: TableId, row: RowId },
    Marked { table: TableId, row: RowId, before: Option<LockStrength> },
    Locked { tag: Tag, mode: Mode },
    Created { table: TableId },
    Indexed { table: TableId, index: usize },
}

/// A place in a transaction to roll back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Savepoint(usize);

impl Savepoint {
    pub const START: Savepoint = Savepoint(0);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProbe {
    Free,
    Taken(RowId),
    /// A running transaction decides whether the key is taken.
    Undecided(RowId, Xid),
}

/// A version beside its values, with its place in an index.
const VERSION: usize = 128;

fn version_bytes(row: Option<&Row>) -> usize {
    let long = |value: &Value| match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(elements) => size_of_val(&**elements),
        _ => 0,
    };
    row.map_or(0, |row| VERSION + size_of_val(&**row) + row.iter().map(long).sum::<usize>())
}

impl Default for Store {
    fn default() -> Store {
        Store {
            tables: Vec::new(),
            bytes: 0,
            open: Vec::new(),
            last_stamp: Stamp::FIRST,
            last_xid: 0,
            followers: BTreeSet::new(),
            replayed: Stamp::FIRST,
            pinned: BTreeMap::new(),
            garbage: VecDeque::new(),
            locks: Locks::default(),
            ssi: ssi::Conflicts::default(),
        }
    }
}

impl Store {
    /// What all versions of all rows take, about: a text that several share counts for each.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn begin(&mut self, session: SessionId, isolation: Isolation, read_only: bool) {
        let slot = session.0 as usize;
        if self.open.len() <= slot {
            self.open.resize_with(slot + 1, || None);
        }
        assert!(self.open[slot].is_none(), "one transaction for each session");
        self.open[slot] = Some(Transaction {
            xid: None,
            isolation,
            read_only,
            deferrable: false,
            snapshot: None,
            unsettled: None,
            command: 1,
            undo: Vec::new(),
        });
    }

    pub fn is_open(&self, session: SessionId) -> bool {
        self.open.get(session.0 as usize).is_some_and(Option::is_some)
    }

    /// The level may change until the first snapshot is taken.
    pub fn set_isolation(&mut self, session: SessionId, isolation: Isolation, read_only: bool) {
        let transaction = self.transaction_mut(session);
        transaction.isolation = isolation;
        transaction.read_only = read_only;
    }

    /// A READ ONLY transaction above all others' conflicts would rather wait for its snapshot than fail.
    pub fn set_deferrable(&mut self, session: SessionId, deferrable: bool) {
        self.transaction_mut(session).deferrable = deferrable;
    }

    pub fn has_snapshot(&self, session: SessionId) -> bool {
        self.transaction(session).snapshot.is_some()
    }

    /// The snapshot a new statement reads by. The commands before it become visible to their own transaction.
    pub fn statement_snapshot(&mut self, session: SessionId) -> Snapshot {
        self.fix_snapshot(session);
        let last = self.newest_for(session);
        let transaction = self.transaction_mut(session);
        transaction.command += 1;
        let stamp = transaction.snapshot.unwrap_or(last);
        Snapshot { stamp, own: transaction.xid, command: transaction.command }
    }

    /// Above READ COMMITTED a transaction has one snapshot from its first statement on. False: the session waits for a safe one.
    pub fn fix_snapshot(&mut self, session: SessionId) -> bool {
        let transaction = self.transaction(session);
        let (isolation, read_only, deferrable) = (transaction.isolation, transaction.read_only, transaction.deferrable);
        if transaction.snapshot.is_some() || isolation == Isolation::ReadCommitted {
            return true;
        }
        if isolation == Isolation::Serializable && read_only && deferrable {
            return self.fix_safe_snapshot(session);
        }
        let last = self.newest_for(session);
        self.transaction_mut(session).snapshot = Some(last);
        self.pin(last);
        if isolation == Isolation::Serializable {
            self.ssi.begin(session, read_only);
        }
        true
    }

    /// A snapshot is safe when none of the transactions that wrote beside it can have it fail: it takes no part in their conflicts.
    fn fix_safe_snapshot(&mut self, session: SessionId) -> bool {
        let first = match self.ssi.safety(session) {
            Some(Safety::Safe) => {
                let transaction = self.transaction_mut(session);
                transaction.snapshot = transaction.unsettled.take();
                self.ssi.end_deferring(session);
                return true;
            }
            Some(Safety::Open(first)) => first,
            Some(Safety::Unsafe) | None => {
                let last = self.newest_for(session);
                self.pin(last);
                if let Some(before) = self.transaction_mut(session).unsettled.replace(last) {
                    self.unpin(before);
                }
                match self.ssi.defer(session) {
                    Some(first) => first,
                    None => return self.fix_safe_snapshot(session),
                }
            }
        };
        self.locks.wait_for_safe_snapshot(session, first);
        false
    }

    fn wake_deferred(&mut self) {
        for session in self.ssi.settled() {
            self.locks.end_wait_for_safe_snapshot(session);
        }
    }

    /// As `statement_snapshot`, but what this command wrote is seen too: for checks at a statement's end.
    pub fn after_snapshot(&mut self, session: SessionId) -> Snapshot {
        let last = self.last_stamp;
        let transaction = self.transaction_mut(session);
        let stamp = transaction.snapshot.unwrap_or(last);
        Snapshot { stamp, own: transaction.xid, command: transaction.command + 1 }
    }

    /// Sees all that is committed now, whatever the level.
    pub fn latest_snapshot(&mut self, session: SessionId) -> Snapshot {
        let stamp = self.last_stamp;
        let transaction = self.transaction(session);
        Snapshot { stamp, own: transaction.xid, command: transaction.command + 1 }
    }

    /// The session sees commits only once they are replayed.
    pub fn follow(&mut self, session: SessionId) {
        if self.followers.is_empty() {
            self.replayed = self.last_stamp;
            self.pin(self.replayed);
        }
        self.followers.insert(session);
    }

    pub fn follows(&self, session: SessionId) -> bool {
        self.followers.contains(&session)
    }

    /// The stamp of the newest commit.
    pub fn newest(&self) -> Stamp {
        self.last_stamp
    }

    pub fn replayed(&self) -> Stamp {
        self.replayed
    }

    /// Followers see all commits up to `stamp` from now on.
    pub fn replay(&mut self, stamp: Stamp) {
        if !self.followers.is_empty() && stamp > self.replayed {
            self.pin(stamp);
            let before = std::mem::replace(&mut self.replayed, stamp);
            self.unpin(before);
        }
    }

    fn newest_for(&self, session: SessionId) -> Stamp {
        if self.follows(session) { self.replayed } else { self.last_stamp }
    }

    /// Keeps the versions a snapshot needs while its statement waits.
    pub fn pin(&mut self, stamp: Stamp) {
        *self.pinned.entry(stamp).or_insert(0) += 1;
    }

    pub fn unpin(&mut self, stamp: Stamp) {
        let count = self.pinned.get_mut(&stamp).expect("a pinned stamp");
        *count -= 1;
        if *count == 0 {
            self.pinned.remove(&stamp);
        }
        self.prune();
    }

    pub fn xid(&self, session: SessionId) -> Option<Xid> {
        self.open.get(session.0 as usize)?.as_ref()?.xid
    }

    /// Gives the transaction its number if it has none: from then on others can wait for it.
    pub fn assign_xid(&mut self, session: SessionId) -> Xid {
        if let Some(xid) = self.transaction(session).xid {
            return xid;
        }
        self.last_xid += 1;
        let xid = Xid(self.last_xid);
        self.transaction_mut(session).xid = Some(xid);
        self.locks.enter(session, xid);
        self.ssi.assign(session, xid);
        xid
    }

    pub fn last_xid(&self) -> Xid {
        Xid(self.last_xid)
    }

    pub fn isolation(&self, session: SessionId) -> Isolation {
        self.transaction(session).isolation
    }

    pub fn savepoint(&self, session: SessionId) -> Savepoint {
        Savepoint(self.transaction(session).undo.len())
    }

    /// Takes back all writes and locks since the savepoint.
    pub fn rollback_to(&mut self, session: SessionId, savepoint: Savepoint) {
        let mut undo = std::mem::take(&mut self.transaction_mut(session).undo);
        let xid = self.transaction(session).xid;
        let taken_back = undo.len() > savepoint.0;
        for entry in undo.drain(savepoint.0..).rev() {
            self.take_back(session, xid, entry);
        }
        self.transaction_mut(session).undo = undo;
        self.locks.release_turn(session);
        if let (Some(xid), true) = (xid, taken_back) {
            self.locks.wake_waiters_of(xid);
        }
    }

    pub fn rollback(&mut self, session: SessionId) -> Option<Xid> {
        let mut transaction = self.open[session.0 as usize].take().expect("an open transaction");
        let undo = std::mem::take(&mut transaction.undo);
        for entry in undo.into_iter().rev() {
            self.take_back(session, transaction.xid, entry);
        }
        self.ssi.abort(session);
        self.wake_deferred();
        self.close(session, &transaction);
        transaction.xid
    }

    /// Makes the transaction's writes visible. On a serialization failure the transaction stays open, to be rolled back.
    pub fn commit(&mut self, session: SessionId) -> Result<Option<Xid>, SerializationFailure> {
        self.ssi.before_commit(session)?;
        let mut transaction = self.open[session.0 as usize].take().expect("an open transaction");
        let undo = std::mem::take(&mut transaction.undo);
        if let Some(xid) = transaction.xid {
            let stamp = self.last_stamp.next();
            let mut wrote = false;
            for entry in undo {
                match entry {
                    Undo::Written { table, row } => {
                        wrote = true;
                        let chain = &mut self.tables[table.0 as usize].chains[row.0 as usize];
                        if chain.stamp_versions_of(xid, stamp) {
                            self.garbage.push_back((stamp, table, row));
                        }
                    }
                    Undo::Marked { table, row, .. } => {
                        self.tables[table.0 as usize].chains[row.0 as usize].unmark(xid);
                    }
                    Undo::Locked { tag, mode } => {
                        self.locks.release(session, tag, mode);
                    }
                    Undo::Created { .. } | Undo::Indexed { .. } => {}
                }
            }
            if wrote {
                self.last_stamp = stamp;
            }
        } else {
            for entry in undo {
                if let Undo::Locked { tag, mode } = entry {
                    self.locks.release(session, tag, mode);
                }
            }
        }
        self.ssi.committed(session);
        self.wake_deferred();
        self.close(session, &transaction);
        Ok(transaction.xid)
    }

    fn close(&mut self, session: SessionId, transaction: &Transaction) {
        self.locks.leave(session, transaction.xid);
        match transaction.snapshot.or(transaction.unsettled) {
            Some(stamp) => self.unpin(stamp),
            None => self.prune(),
        }
    }

    fn take_back(&mut self, session: SessionId, xid: Option<Xid>, entry: Undo) {
        match entry {
            Undo::Written { table, row } => {
                let table = &mut self.tables[table.0 as usize];
                let Some(gone) = table.chains[row.0 as usize].pop_newest() else {
                    return;
                };
                self.bytes = self.bytes.saturating_sub(version_bytes(Some(&gone)));
                unindex(&table.chains, &mut table.indexes, row, &gone);
                if table.chains[row.0 as usize].is_vacant() {
                    table.free.push(row);
                }
            }
            Undo::Marked { table, row, before } => {
                let chain = &mut self.tables[table.0 as usize].chains[row.0 as usize];
                let xid = xid.expect("who marked a row has a number");
                match before {
                    Some(strength) => chain.mark(xid, strength),
                    None => chain.unmark(xid),
                }
            }
            Undo::Locked { tag, mode } => {
                self.locks.release(session, tag, mode);
            }
            Undo::Created { table } => self.tables[table.0 as usize] = Table::default(),
            Undo::Indexed { table, index } => self.tables[table.0 as usize].indexes[index] = None,
        }
    }

    /// Removes versions no snapshot can see any more, and the index entries that lead to them.
    fn prune(&mut self) {
        let horizon = self.pinned.keys().next().copied().unwrap_or(self.last_stamp);
        while let Some(&(stamp, table, row)) = self.garbage.front() {
            if stamp > horizon {
                break;
            }
            self.garbage.pop_front();
            let table = &mut self.tables[table.0 as usize];
            if row.0 as usize >= table.chains.len() {
                continue;
            }
            for gone in table.chains[row.0 as usize].prune(horizon) {
                self.bytes = self.bytes.saturating_sub(version_bytes(Some(&gone)));
                unindex(&table.chains, &mut table.indexes, row, &gone);
            }
            if table.chains[row.0 as usize].bury(horizon) {
                table.free.push(row);
            }
        }
    }

    // Tables and indexes

    pub fn create_table(&mut self, session: SessionId) -> TableId {
        self.assign_xid(session);
        let table = TableId(self.tables.len() as u32);
        self.tables.push(Table::default());
        self.locks.add_table();
        self.transaction_mut(session).undo.push(Undo::Created { table });
        table
    }

    /// For a table whose dropping is committed.
    pub fn discard_table(&mut self, table: TableId) {
        self.tables[table.0 as usize] = Table::default();
    }

    pub fn table(&self, table: TableId) -> &Table {
        &self.tables[table.0 as usize]
    }

    /// Adds an index over the rows there are. The caller sees to it that keys of a unique index differ.
    pub fn create_index(&mut self, session: SessionId, table: TableId, mut index: Index) -> usize {
        self.assign_xid(session);
        let target = &mut self.tables[table.0 as usize];
        for (row, chain) in target.chains.iter().enumerate() {
            for version in chain.versions() {
                if let Some(key) = version.row.as_ref().and_then(|row| index.key(row)) {
                    index.insert(key, RowId(row as u32));
                }
            }
        }
        let number = target.indexes.len();
        target.indexes.push(Some(index));
        self.transaction_mut(session).undo.push(Undo::Indexed { table, index: number });
        number
    }

    pub fn drop_index(&mut self, table: TableId, index: usize) {
        self.tables[table.0 as usize].indexes[index] = None;
    }

    pub fn index(&self, table: TableId, index: usize) -> &Index {
        self.tables[table.0 as usize].indexes[index].as_ref().expect("an index of this table")
    }

    /// Rewrites every version of every row, for a table whose columns change while nobody else can use it.
    pub fn rewrite(&mut self, table: TableId, mut change: impl FnMut(&Row) -> Row) {
        for chain in &mut self.tables[table.0 as usize].chains {
            chain.rewrite(&mut change);
        }
    }

    // Rows

    pub fn insert(&mut self, session: SessionId, table: TableId, row: Row) -> RowId {
        let xid = self.assign_xid(session);
        let command = self.transaction(session).command;
        self.bytes += version_bytes(Some(&row));
        let version = Version { row: Some(row), xid, command, stamp: Stamp::RUNNING, exclusive: false };
        let target = &mut self.tables[table.0 as usize];
        let id = match target.free.pop() {
            Some(id) => {
                target.chains[id.0 as usize] = Chain::new(version);
                id
            }
            None => {
                target.chains.push(Chain::new(version));
                RowId(target.chains.len() as u32 - 1)
            }
        };
        self.transaction_mut(session).undo.push(Undo::Written { table, row: id });
        id
    }

    /// Puts a new version on top of a row the transaction has locked; `None` deletes it.
    pub fn write(&mut self, session: SessionId, table: TableId, row: RowId, new: Option<Row>) {
        let xid = self.assign_xid(session);
        let command = self.transaction(session).command;
        self.bytes += version_bytes(new.as_ref());
        let chain = &mut self.tables[table.0 as usize].chains[row.0 as usize];
        let exclusive = chain.mark_of(xid) == Some(LockStrength::Update);
        chain.push(Version { row: new, xid, command, stamp: Stamp::RUNNING, exclusive });
        self.transaction_mut(session).undo.push(Undo::Written { table, row });
    }

    pub fn insert_key(&mut self, table: TableId, index: usize, key: Key, row: RowId) {
        self.tables[table.0 as usize].indexes[index].as_mut().expect("an index of this table").insert(key, row);
    }

    /// The command number of the running statement.
    pub fn command(&self, session: SessionId) -> u32 {
        self.transaction(session).command
    }

    /// Whether another row than `own` has this key of a unique index, now or perhaps.
    pub fn probe_key(
        &self,
        session: SessionId,
        table: TableId,
        index: usize,
        key: &Key,
        own: Option<RowId>,
    ) -> KeyProbe {
        let me = self.xid(session);
        let target = &self.tables[table.0 as usize];
        let index = target.indexes[index].as_ref().expect("an index of this table");
        let mut rows: SmallVec<[RowId; 4]> = SmallVec::new();
        index.rows_with(key, &mut rows);
        for row in rows {
            if Some(row) == own {
                continue;
            }
            let chain = &target.chains[row.0 as usize];
            let newest = chain.newest();
            let has_key =
                |version: &Version| version.row.as_ref().is_some_and(|row| index.key(row).as_ref() == Some(key));
            if newest.stamp == Stamp::RUNNING && Some(newest.xid) != me {
                let before = chain.newest_committed();
                if chain.versions().take_while(|version| version.stamp == Stamp::RUNNING).any(has_key)
                    || before.is_some_and(has_key)
                {
                    return KeyProbe::Undecided(row, newest.xid);
                }
            } else if has_key(newest) {
                return KeyProbe::Taken(row);
            }
        }
        KeyProbe::Free
    }

    // Reads and writes as SERIALIZABLE must know them

    pub fn is_serializable(&self, session: SessionId) -> bool {
        self.ssi.tracks(session)
    }

    /// The session looked at a row: it read the version its snapshot shows, and read around newer ones.
    pub fn note_read(
        &mut self,
        session: SessionId,
        table: TableId,
        row: RowId,
        snapshot: &Snapshot,
    ) -> Result<(), SerializationFailure> {
        let mut writers: SmallVec<[Xid; 4]> = SmallVec::new();
        let chain = &self.tables[table.0 as usize].chains[row.0 as usize];
        for version in chain.versions() {
            if snapshot.sees(version) {
                if version.row.is_some() && Some(version.xid) != snapshot.own {
                    self.ssi.read_row(session, table, row, version.xid);
                }
                break;
            }
            if Some(version.xid) != snapshot.own {
                writers.push(version.xid);
            }
        }
        for writer in writers {
            self.ssi.read_around(session, writer)?;
        }
        Ok(())
    }

    pub fn note_search(&mut self, session: SessionId, table: TableId, predicate: Predicate) {
        self.ssi.read_predicate(session, table, predicate);
    }

    /// The session wrote a row over another's version (none for a new row) and made these index entries.
    pub fn note_write(
        &mut self,
        session: SessionId,
        table: TableId,
        row: RowId,
        over: Option<Xid>,
        new: &[(usize, Key)],
    ) -> Result<(), SerializationFailure> {
        self.ssi.wrote(session, table, row, over, new)
    }

    pub fn check_doomed(&self, session: SessionId) -> Result<(), SerializationFailure> {
        self.ssi.check(session)
    }

    fn transaction(&self, session: SessionId) -> &Transaction {
        self.open[session.0 as usize].as_ref().expect("an open transaction")
    }

    fn transaction_mut(&mut self, session: SessionId) -> &mut Transaction {
        self.open[session.0 as usize].as_mut().expect("an open transaction")
    }
}

/// Takes out the index entries of a version that is gone, unless another version of the row has the same key.
fn unindex(chains: &[Chain], indexes: &mut [Option<Index>], row: RowId, gone: &Row) {
    let chain = &chains[row.0 as usize];
    for index in indexes.iter_mut().flatten() {
        let Some(key) = index.key(gone) else { continue };
        let kept = chain
            .versions()
            .filter_map(|version| version.row.as_ref())
            .any(|kept| index.key(kept).as_ref() == Some(&key));
        if !kept {
            index.remove(key, row);
        }
    }
}
