//! Locks as a session asks for them: on rows, on tables and advisory keys, and its wait where it does not get one.

use crate::trace::{LockStrength, SessionId, Xid};

use super::locks::{Acquired, Mode, Tag, Waiting};
use super::transactions::Undo;
use super::{CommitSeq, RowId, Store, TableId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockOutcome {
    /// `new` is false where the transaction held the row that strongly already.
    Locked { new: bool },
    /// The session waits; try again when it is woken.
    Waits,
    /// Somebody holds it and the session did not want to wait.
    Unavailable,
}

impl Store {
    /// RowLockMarks a row, or makes the session wait for those whose marks conflict. An `outdated` version is only waited for.
    pub fn lock_row(
        &mut self,
        session: SessionId,
        table: TableId,
        row: RowId,
        strength: LockStrength,
        may_wait: bool,
        outdated: Option<CommitSeq>,
    ) -> LockOutcome {
        let xid = self.assign_xid(session);
        let chain = &mut self.tables[table.0 as usize].chains[row.0 as usize];
        let tag = Tag::Row(table, row);
        if let Some(holder) = chain.conflicting_mark(xid, strength, outdated.unwrap_or(CommitSeq::RUNNING)) {
            let waits_anyway = strength == LockStrength::KeyShare && chain.shares_what_was();
            if !may_wait && !waits_anyway {
                self.locks.release_tuple_lock(session);
                return LockOutcome::Unavailable;
            }
            // Who shares the row already does not queue behind those who wait for it: that would be a deadlock.
            let shares = chain.mark_of(xid).is_some();
            if shares || self.locks.take_tuple_lock(session, tag, Mode::of_row(strength)) == Acquired::Granted {
                self.locks.wait_for(session, holder);
            }
            return LockOutcome::Waits;
        }
        // There is nothing to hold of a row that is gone.
        let newest = chain.newest();
        if outdated.is_some() || newest.row.is_none() && newest.commit_seq != CommitSeq::RUNNING {
            self.locks.release_tuple_lock(session);
            return LockOutcome::Locked { new: false };
        }
        let before = chain.mark_of(xid);
        let new = before.is_none_or(|held| held < strength);
        if new {
            chain.mark(xid, strength);
            self.transaction_mut(session).undo.push(Undo::Marked { table, row, before });
        }
        self.locks.release_tuple_lock(session);
        LockOutcome::Locked { new }
    }

    /// A heavyweight lock held to the transaction's end (or rolled back with its savepoint).
    pub fn lock(&mut self, session: SessionId, tag: Tag, mode: Mode, may_wait: bool) -> LockOutcome {
        let lock = self.lock_for_session(session, tag, mode, may_wait);
        if lock == (LockOutcome::Locked { new: true }) {
            self.transaction_mut(session).undo.push(Undo::Locked { tag, mode });
        }
        lock
    }

    /// The lock a waiting session was given while it slept counts for its transaction from now on.
    pub fn lock_granted(&mut self, session: SessionId, tag: Tag, mode: Mode) {
        self.transaction_mut(session).undo.push(Undo::Locked { tag, mode });
    }

    /// A heavyweight lock that no transaction's end gives back.
    pub fn lock_for_session(&mut self, session: SessionId, tag: Tag, mode: Mode, may_wait: bool) -> LockOutcome {
        match self.locks.acquire(session, tag, mode, may_wait) {
            Acquired::Granted => LockOutcome::Locked { new: true },
            Acquired::Held => LockOutcome::Locked { new: false },
            Acquired::Waits => LockOutcome::Waits,
            Acquired::Unavailable => LockOutcome::Unavailable,
        }
    }

    /// Gives back one hold of `lock_for_session`. False where the session has none.
    pub fn unlock_for_session(&mut self, session: SessionId, tag: Tag, mode: Mode) -> bool {
        self.locks.release(session, tag, mode)
    }

    /// How many different locks a session holds, weak ones of tables left out.
    pub fn locks_held(&self, session: SessionId) -> usize {
        self.locks.held_by(session)
    }

    /// The session waits until this transaction has ended.
    pub fn wait_for_transaction(&mut self, session: SessionId, xid: Xid) {
        self.locks.wait_for(session, xid);
    }

    pub fn waiting(&self, session: SessionId) -> Option<Waiting> {
        self.locks.waiting(session)
    }

    /// The first of those a waiting session waits for.
    pub fn blocker(&self, session: SessionId) -> Option<SessionId> {
        self.locks.blocker(session)
    }

    /// The cycle that this session's wait closes, unless a line can be changed so that there is none: then it is, and whoever may
    /// go on by that is woken.
    pub fn check_deadlock(&mut self, session: SessionId) -> Option<Vec<SessionId>> {
        self.locks.check_deadlock(session)
    }

    /// Takes a session out of the line it stands in. It is not woken.
    pub fn stop_waiting(&mut self, session: SessionId) {
        self.locks.stop_waiting(session);
    }

    /// As `stop_waiting`, for a session that goes on though it was granted nothing.
    pub fn interrupt_wait(&mut self, session: SessionId) {
        self.locks.stop_waiting(session);
        self.locks.wake(session);
    }

    /// Sessions whose wait is over since the last call, in that order.
    pub fn take_woken(&mut self) -> Vec<SessionId> {
        self.locks.take_woken()
    }

    /// The statement is over: it does not stand before a row any more.
    pub fn release_tuple_lock(&mut self, session: SessionId) {
        self.locks.release_tuple_lock(session);
    }
}
