//! What must be kept: the stamps that snapshots need, the replica's among them, and the versions that nobody sees any more.

use crate::trace::SessionId;

use super::tables::{unindex, version_bytes};
use super::{Stamp, Store};

impl Store {
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

    pub(super) fn newest_for(&self, session: SessionId) -> Stamp {
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

    /// Removes versions no snapshot can see any more, and the index entries that lead to them.
    pub(super) fn prune(&mut self) {
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
}
