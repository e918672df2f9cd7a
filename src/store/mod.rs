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
mod horizon;
mod index;
mod key;
mod locking;
mod locks;
mod snapshot;
mod ssi;
mod tables;
mod transactions;
mod versions;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::trace::SessionId;

pub use index::{Bounds, IndexData, IndexEntry, KeySource};
pub use key::{Key, compare, dimensions, elements};
pub use locking::LockOutcome;
use locks::Locks;
pub use locks::{AdvisoryKey, Mode, Tag, Waiting};
pub use snapshot::{CommitSeq, Snapshot};
pub use ssi::{Predicate, SerializationFailure};
pub use tables::{KeyProbe, TableData};
pub use transactions::Savepoint;
use transactions::Transaction;
pub use versions::{Chain, Row, Version};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub u32);

pub struct Store {
    tables: Vec<TableData>,
    /// Of all versions.
    bytes: usize,
    open: Vec<Option<Transaction>>,
    last_commit: CommitSeq,
    last_xid: u32,
    /// Sessions of a replica, and the stamp it has come to.
    replica_sessions: BTreeSet<SessionId>,
    replayed: CommitSeq,
    /// Stamps that open snapshots need, with how many need each.
    pinned: BTreeMap<CommitSeq, u32>,
    /// Rows that have versions to prune, in order of the stamp that outdated them.
    garbage: VecDeque<(CommitSeq, TableId, RowId)>,
    locks: Locks,
    ssi: ssi::Conflicts,
}

impl Default for Store {
    fn default() -> Store {
        Store {
            tables: Vec::new(),
            bytes: 0,
            open: Vec::new(),
            last_commit: CommitSeq::FIRST,
            last_xid: 0,
            replica_sessions: BTreeSet::new(),
            replayed: CommitSeq::FIRST,
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
}
