//! What must be kept: the stamps that snapshots need, the replica's among them, and the versions that nobody sees any more.

use crate::trace::SessionId;

use super::tables::{unindex, version_bytes};
use super::{CommitSeq, Store};

impl Store {
    /// The session sees commits only once they are replayed.
    pub fn attach_replica(&mut self, session: SessionId) {
        if self.replica_sessions.is_empty() {
            self.replayed = self.last_commit;
            self.pin(self.replayed);
        }
        self.replica_sessions.insert(session);
    }

    pub fn is_on_replica(&self, session: SessionId) -> bool {
        self.replica_sessions.contains(&session)
    }

    /// The stamp of the newest commit.
    pub fn newest(&self) -> CommitSeq {
        self.last_commit
    }

    pub fn replayed(&self) -> CommitSeq {
        self.replayed
    }

    /// Followers see all commits up to `stamp` from now on.
    pub fn replay(&mut self, commit_seq: CommitSeq) {
        if !self.replica_sessions.is_empty() && commit_seq > self.replayed {
            self.pin(commit_seq);
            let before = std::mem::replace(&mut self.replayed, commit_seq);
            self.unpin(before);
        }
    }

    pub(super) fn newest_for(&self, session: SessionId) -> CommitSeq {
        if self.is_on_replica(session) { self.replayed } else { self.last_commit }
    }

    /// Keeps the versions a snapshot needs while its statement waits.
    pub fn pin(&mut self, commit_seq: CommitSeq) {
        *self.pinned.entry(commit_seq).or_insert(0) += 1;
    }

    pub fn unpin(&mut self, commit_seq: CommitSeq) {
        let count = self.pinned.get_mut(&commit_seq).expect("a pinned commit_seq");
        *count -= 1;
        if *count == 0 {
            self.pinned.remove(&commit_seq);
        }
        self.prune();
    }

    /// Removes versions no snapshot can see any more, and the index entries that lead to them.
    pub(super) fn prune(&mut self) {
        let horizon = self.pinned.keys().next().copied().unwrap_or(self.last_commit);
        while let Some(&(commit_seq, table, row)) = self.garbage.front() {
            if commit_seq > horizon {
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
}
