//! Transactions: what each has done, so that it can be taken back or made visible.

use crate::trace::{Isolation, LockStrength, SessionId, Xid};

use super::locks::{Mode, Tag};
use super::tables::{unindex, version_bytes};
use super::{CommitSeq, RowId, SerializationFailure, Store, TableData, TableId};

pub struct Transaction {
    pub xid: Option<Xid>,
    pub isolation: Isolation,
    pub read_only: bool,
    pub deferrable: bool,
    pub snapshot: Option<CommitSeq>,
    /// The snapshot of a READ ONLY DEFERRABLE transaction while it is not known to be safe.
    pub unsettled: Option<CommitSeq>,
    pub command: u32,
    pub undo: Vec<Undo>,
}

#[derive(Debug)]
pub enum Undo {
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

impl Store {
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
        self.locks.release_tuple_lock(session);
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
            let commit_seq = self.last_commit.next();
            let mut wrote = false;
            for entry in undo {
                match entry {
                    Undo::Written { table, row } => {
                        wrote = true;
                        let chain = &mut self.tables[table.0 as usize].chains[row.0 as usize];
                        if chain.commit_versions_of(xid, commit_seq) {
                            self.garbage.push_back((commit_seq, table, row));
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
                self.last_commit = commit_seq;
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
            Some(commit_seq) => self.unpin(commit_seq),
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
            Undo::Created { table } => self.tables[table.0 as usize] = TableData::default(),
            Undo::Indexed { table, index } => self.tables[table.0 as usize].indexes[index] = None,
        }
    }

    pub(super) fn transaction(&self, session: SessionId) -> &Transaction {
        self.open[session.0 as usize].as_ref().expect("an open transaction")
    }

    pub(super) fn transaction_mut(&mut self, session: SessionId) -> &mut Transaction {
        self.open[session.0 as usize].as_mut().expect("an open transaction")
    }
}
