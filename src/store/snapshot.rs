//! Who sees which version: the only rule for reading there is, and when a transaction takes the snapshot it reads by.

use crate::trace::{Isolation, SessionId, Xid};

use super::ssi::Safety;
use super::{Store, Version};

/// A commit's place in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitSeq(u32);

impl CommitSeq {
    /// Of versions whose transaction has not committed.
    pub const RUNNING: CommitSeq = CommitSeq(u32::MAX);
    pub const FIRST: CommitSeq = CommitSeq(0);

    pub fn next(self) -> CommitSeq {
        CommitSeq(self.0 + 1)
    }

    pub fn number(self) -> u32 {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    pub commit_seq: CommitSeq,
    /// The reading transaction's own number, if it has one.
    pub own: Option<Xid>,
    /// Of its own writes, those of earlier commands are seen.
    pub command: u32,
}

impl Snapshot {
    pub fn sees(&self, version: &Version) -> bool {
        if version.commit_seq == CommitSeq::RUNNING {
            Some(version.xid) == self.own && version.command < self.command
        } else {
            version.commit_seq <= self.commit_seq
        }
    }
}

impl Store {
    /// The snapshot a new statement reads by. The commands before it become visible to their own transaction.
    pub fn statement_snapshot(&mut self, session: SessionId) -> Snapshot {
        self.fix_snapshot(session);
        let last = self.newest_for(session);
        let transaction = self.transaction_mut(session);
        transaction.command += 1;
        let commit_seq = transaction.snapshot.unwrap_or(last);
        Snapshot { commit_seq, own: transaction.xid, command: transaction.command }
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

    pub(super) fn wake_deferred(&mut self) {
        for session in self.ssi.settled() {
            self.locks.end_wait_for_safe_snapshot(session);
        }
    }

    /// As `statement_snapshot`, but what this command wrote is seen too: for checks at a statement's end.
    pub fn after_snapshot(&mut self, session: SessionId) -> Snapshot {
        let last = self.last_commit;
        let transaction = self.transaction_mut(session);
        let commit_seq = transaction.snapshot.unwrap_or(last);
        Snapshot { commit_seq, own: transaction.xid, command: transaction.command + 1 }
    }

    /// Sees all that is committed now, whatever the level.
    pub fn latest_snapshot(&mut self, session: SessionId) -> Snapshot {
        let commit_seq = self.last_commit;
        let transaction = self.transaction(session);
        Snapshot { commit_seq, own: transaction.xid, command: transaction.command + 1 }
    }
}
