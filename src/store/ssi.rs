//! Serializable snapshot isolation, by PostgreSQL's rules.
//!
//! A transaction that reads a row another one overwrites, or searches where another one adds a row, must come before it in
//! any serial order: reader -> writer. Two such arrows in a row, `first -> pivot -> last`, can be part of a cycle only if
//! `last` commits first. When that shows, one of them fails: the pivot where it can be, so that a retry succeeds.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::trace::{SessionId, Xid};

use super::{Bounds, Key, RowId, TableId};

/// What a search read besides the rows it found: whoever adds a row there conflicts with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    Table,
    Range { index: usize, bounds: Bounds, columns: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerializationFailure;

type TransactionNumber = u32;

/// What is known of a READ ONLY DEFERRABLE transaction's snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    Safe,
    Unsafe,
    /// It depends on transactions that are not over, this session's among them.
    Open(SessionId),
}

struct Deferred {
    /// The last commit its snapshot includes.
    began: u64,
    /// Transactions that wrote beside it, or may, and are not over.
    depends_on: BTreeSet<TransactionNumber>,
    is_unsafe: bool,
}

#[derive(Default)]
pub struct Conflicts {
    transactions: BTreeMap<TransactionNumber, SsiTransaction>,
    sessions: FxHashMap<SessionId, TransactionNumber>,
    writers: FxHashMap<Xid, TransactionNumber>,
    /// Readers of a row's version, which is named by its writer.
    rows: FxHashMap<(TableId, RowId, Xid), BTreeSet<TransactionNumber>>,
    tables: FxHashMap<TableId, BTreeSet<TransactionNumber>>,
    ranges: FxHashMap<(TableId, usize), Vec<ReadRange>>,
    /// Readers of one key of an index: most searches are for one.
    points: FxHashMap<(TableId, usize, Key), BTreeSet<TransactionNumber>>,
    /// Those not committed by the last commit their snapshot includes, and the committed ones by their commit.
    open: BTreeSet<(u64, TransactionNumber)>,
    ended: BTreeSet<(u64, TransactionNumber)>,
    deferred: BTreeMap<SessionId, Deferred>,
    last_number: TransactionNumber,
    /// Counts commits and their preparations.
    sequence: u64,
}

struct ReadRange {
    bounds: Bounds,
    columns: usize,
    reader: TransactionNumber,
}

#[derive(Default)]
struct SsiTransaction {
    xid: Option<Xid>,
    read_only: bool,
    wrote: bool,
    doomed: bool,
    /// The last commit its snapshot includes.
    began: u64,
    prepared: Option<u64>,
    committed: Option<u64>,
    /// Transactions that must come before it, and after it.
    before: BTreeSet<TransactionNumber>,
    after: BTreeSet<TransactionNumber>,
    /// The first commit among those after it, known once it has committed itself.
    first_after: Option<u64>,
    read_rows: Vec<(TableId, RowId, Xid)>,
    read_tables: BTreeSet<TableId>,
    read_ranges: BTreeSet<(TableId, usize)>,
    read_points: Vec<(TableId, usize, Key)>,
}

impl Conflicts {
    pub fn begin(&mut self, session: SessionId, read_only: bool) {
        self.last_number += 1;
        let transaction = SsiTransaction { read_only, began: self.sequence, ..SsiTransaction::default() };
        self.open.insert((transaction.began, self.last_number));
        self.transactions.insert(self.last_number, transaction);
        self.sessions.insert(session, self.last_number);
    }

    /// Takes a snapshot that may turn out unsafe. Gives a session it depends on, if there is one.
    pub fn defer(&mut self, session: SessionId) -> Option<SessionId> {
        let may_write = |number: &TransactionNumber| {
            let other = &self.transactions[number];
            !other.read_only && !other.doomed
        };
        let depends_on = self.open.iter().map(|(_, number)| *number).filter(may_write).collect();
        self.deferred.insert(session, Deferred { began: self.sequence, depends_on, is_unsafe: false });
        match self.safety(session) {
            Some(Safety::Open(first)) => Some(first),
            _ => None,
        }
    }

    pub fn safety(&self, session: SessionId) -> Option<Safety> {
        let deferred = self.deferred.get(&session)?;
        if deferred.is_unsafe {
            return Some(Safety::Unsafe);
        }
        let first = deferred.depends_on.first();
        let owner = first.and_then(|first| self.sessions.iter().find(|(_, number)| *number == first));
        Some(owner.map_or(Safety::Safe, |(session, _)| Safety::Open(*session)))
    }

    pub fn end_deferring(&mut self, session: SessionId) {
        self.deferred.remove(&session);
    }

    /// Sessions that wait for a safe snapshot no longer.
    pub fn settled(&self) -> Vec<SessionId> {
        let is_settled = |session: &SessionId| !matches!(self.safety(*session), Some(Safety::Open(_)));
        self.deferred.keys().copied().filter(is_settled).collect()
    }

    /// A transaction is over; `first_after` if it wrote, committed, and had to come before one that committed then.
    fn settle(&mut self, over: TransactionNumber, first_after: Option<u64>) {
        for deferred in self.deferred.values_mut() {
            if deferred.depends_on.remove(&over) {
                deferred.is_unsafe |= first_after.is_some_and(|first| first <= deferred.began);
            }
        }
    }

    pub fn assign(&mut self, session: SessionId, xid: Xid) {
        if let Some(&me) = self.sessions.get(&session) {
            self.writers.insert(xid, me);
            self.get_mut(me).xid = Some(xid);
        }
    }

    pub fn tracks(&self, session: SessionId) -> bool {
        !self.sessions.is_empty() && self.sessions.contains_key(&session)
    }

    pub fn check(&self, session: SessionId) -> Result<(), SerializationFailure> {
        match self.sessions.get(&session) {
            Some(me) if self.transactions[me].doomed => Err(SerializationFailure),
            _ => Ok(()),
        }
    }

    pub fn read_row(&mut self, session: SessionId, table: TableId, row: RowId, version: Xid) {
        let Some(&me) = self.sessions.get(&session) else { return };
        if self.transactions[&me].read_tables.contains(&table) {
            return;
        }
        if self.rows.entry((table, row, version)).or_default().insert(me) {
            self.get_mut(me).read_rows.push((table, row, version));
        }
    }

    pub fn read_predicate(&mut self, session: SessionId, table: TableId, predicate: Predicate) {
        let Some(&me) = self.sessions.get(&session) else { return };
        if self.transactions[&me].read_tables.contains(&table) {
            return;
        }
        match predicate {
            Predicate::Table => {
                self.tables.entry(table).or_default().insert(me);
                self.get_mut(me).read_tables.insert(table);
            }
            Predicate::Range { index, bounds, columns } if bounds.is_point(columns) => {
                let point = (table, index, Key(bounds.equal));
                if self.points.entry(point.clone()).or_default().insert(me) {
                    self.get_mut(me).read_points.push(point);
                }
            }
            Predicate::Range { index, bounds, columns } => {
                let ranges = self.ranges.entry((table, index)).or_default();
                if !ranges.iter().any(|range| range.reader == me && range.bounds == bounds) {
                    ranges.push(ReadRange { bounds, columns, reader: me });
                    self.get_mut(me).read_ranges.insert((table, index));
                }
            }
        }
    }

    /// The session's snapshot does not include what `writer` wrote where it looked.
    pub fn read_around(&mut self, session: SessionId, writer: Xid) -> Result<(), SerializationFailure> {
        self.check(session)?;
        let Some(&me) = self.sessions.get(&session) else { return Ok(()) };
        let Some(&writer) = self.writers.get(&writer) else { return Ok(()) };
        let (reader, other) = (&self.transactions[&me], &self.transactions[&writer]);
        if me == writer || other.doomed || reader.after.contains(&writer) {
            return Ok(());
        }
        let harmless =
            reader.read_only && other.committed.is_some() && other.first_after.is_none_or(|first| reader.began < first);
        if harmless {
            return Ok(());
        }
        self.order(me, writer, me)
    }

    /// The session wrote a row over a version (none for a new row) and made these index entries.
    pub fn wrote(
        &mut self,
        session: SessionId,
        table: TableId,
        row: RowId,
        over: Option<Xid>,
        new: &[(usize, Key)],
    ) -> Result<(), SerializationFailure> {
        let Some(&me) = self.sessions.get(&session) else { return Ok(()) };
        self.check(session)?;
        self.get_mut(me).wrote = true;
        let mut readers: BTreeSet<TransactionNumber> = self.tables.get(&table).cloned().unwrap_or_default();
        if let Some(version) = over
            && let Some(of_row) = self.rows.get(&(table, row, version))
        {
            readers.extend(of_row);
        }
        for (index, key) in new {
            readers.extend(self.points.get(&(table, *index, key.clone())).into_iter().flatten());
            for range in self.ranges.get(&(table, *index)).into_iter().flatten() {
                if range.bounds.contains(key, range.columns) {
                    readers.insert(range.reader);
                }
            }
        }
        let began = self.transactions[&me].began;
        for reader in readers {
            let other = &self.transactions[&reader];
            let concurrent = other.committed.is_none_or(|committed| committed > began);
            if reader != me && !other.doomed && concurrent && !other.after.contains(&me) {
                self.order(reader, me, me)?;
            }
        }
        Ok(())
    }

    /// Notes that `reader` must come before `writer`, unless that makes somebody fail.
    fn order(
        &mut self,
        reader: TransactionNumber,
        writer: TransactionNumber,
        me: TransactionNumber,
    ) -> Result<(), SerializationFailure> {
        if self.is_dangerous(reader, writer) {
            if me == writer || self.transactions[&writer].prepared.is_some() {
                return Err(SerializationFailure);
            }
            self.get_mut(writer).doomed = true;
        }
        self.get_mut(reader).after.insert(writer);
        self.get_mut(writer).before.insert(reader);
        Ok(())
    }

    fn is_dangerous(&self, reader_number: TransactionNumber, writer_number: TransactionNumber) -> bool {
        let (reader, writer) = (&self.transactions[&reader_number], &self.transactions[&writer_number]);
        if writer.committed.is_some() && writer.first_after.is_some() {
            return true;
        }
        let not_after = |time: u64, other: Option<u64>| other.is_none_or(|other| time <= other);
        let pivot_is_writer = writer.after.iter().map(|last| &self.transactions[last]).any(|last| {
            last.prepared.is_some_and(|prepared| {
                not_after(prepared, reader.committed)
                    && not_after(prepared, writer.committed)
                    && (!reader.read_only || prepared <= reader.began)
            })
        });
        if pivot_is_writer {
            return true;
        }
        let Some(prepared) = writer.prepared else { return false };
        !reader.read_only
            && reader.before.iter().map(|first| &self.transactions[first]).any(|first| {
                !first.doomed
                    && first.committed.is_none_or(|committed| committed >= prepared)
                    && (!first.read_only || first.began >= prepared)
            })
    }

    pub fn before_commit(&mut self, session: SessionId) -> Result<(), SerializationFailure> {
        self.check(session)?;
        let Some(&me) = self.sessions.get(&session) else { return Ok(()) };
        let mut doomed = Vec::new();
        for near in &self.transactions[&me].before {
            let pivot = &self.transactions[near];
            if pivot.committed.is_some() || pivot.doomed {
                continue;
            }
            let closes = pivot.before.iter().any(|far| {
                let first = &self.transactions[far];
                *far == me || (first.committed.is_none() && !first.read_only && !first.doomed)
            });
            if closes {
                doomed.push(*near);
            }
        }
        for pivot in doomed {
            self.get_mut(pivot).doomed = true;
        }
        self.sequence += 1;
        let prepared = self.sequence;
        self.get_mut(me).prepared = Some(prepared);
        Ok(())
    }

    pub fn committed(&mut self, session: SessionId) {
        self.deferred.remove(&session);
        let Some(me) = self.sessions.remove(&session) else { return };
        self.sequence += 1;
        let committed = self.sequence;
        let first_after = self.transactions[&me].after.iter().filter_map(|last| {
            let last = &self.transactions[last];
            last.committed.and(last.prepared)
        });
        let first_after = first_after.min();
        let transaction = self.get_mut(me);
        transaction.committed = Some(committed);
        let began = transaction.began;
        transaction.first_after = first_after;
        transaction.read_only |= !transaction.wrote;
        let decides = first_after.filter(|_| transaction.wrote);
        self.open.remove(&(began, me));
        self.ended.insert((committed, me));
        self.settle(me, decides);
        // Who has committed already, or only reads, cannot become a part of a cycle through this one any more.
        let settled: Vec<TransactionNumber> = self.transactions[&me]
            .before
            .iter()
            .copied()
            .filter(|first| self.transactions[first].committed.is_some() || self.transactions[first].read_only)
            .collect();
        for first in settled {
            self.get_mut(me).before.remove(&first);
            self.get_mut(first).after.remove(&me);
        }
        self.forget_outdated();
    }

    pub fn abort(&mut self, session: SessionId) {
        self.deferred.remove(&session);
        if let Some(me) = self.sessions.remove(&session) {
            self.settle(me, None);
            self.forget(me);
            self.forget_outdated();
        }
    }

    /// Committed transactions matter while one that began before their commit is open.
    fn forget_outdated(&mut self) {
        let oldest = self.open.first().map_or(u64::MAX, |(began, _)| *began);
        while let Some((committed, number)) = self.ended.first().copied()
            && committed <= oldest
        {
            self.forget(number);
        }
    }

    fn forget(&mut self, number: TransactionNumber) {
        let Some(gone) = self.transactions.remove(&number) else { return };
        self.open.remove(&(gone.began, number));
        if let Some(committed) = gone.committed {
            self.ended.remove(&(committed, number));
        }
        if let Some(xid) = gone.xid {
            self.writers.remove(&xid);
        }
        for other in gone.before {
            if let Some(other) = self.transactions.get_mut(&other) {
                other.after.remove(&number);
            }
        }
        for other in gone.after {
            if let Some(other) = self.transactions.get_mut(&other) {
                other.before.remove(&number);
            }
        }
        for row in gone.read_rows {
            if let Some(readers) = self.rows.get_mut(&row) {
                readers.remove(&number);
                if readers.is_empty() {
                    self.rows.remove(&row);
                }
            }
        }
        for table in gone.read_tables {
            if let Some(readers) = self.tables.get_mut(&table) {
                readers.remove(&number);
            }
        }
        for point in gone.read_points {
            if let Some(readers) = self.points.get_mut(&point) {
                readers.remove(&number);
                if readers.is_empty() {
                    self.points.remove(&point);
                }
            }
        }
        for place in gone.read_ranges {
            if let Some(ranges) = self.ranges.get_mut(&place) {
                ranges.retain(|range| range.reader != number);
            }
        }
    }

    fn get_mut(&mut self, number: TransactionNumber) -> &mut SsiTransaction {
        self.transactions.get_mut(&number).expect("a tracked transaction")
    }
}
