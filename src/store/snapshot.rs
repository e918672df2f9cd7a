//! Who sees which version: the only rule for reading there is.

use crate::trace::Xid;

use super::Version;

/// A commit's place in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u32);

impl Stamp {
    /// Of versions whose transaction has not committed.
    pub const RUNNING: Stamp = Stamp(u32::MAX);
    pub const FIRST: Stamp = Stamp(0);

    pub fn next(self) -> Stamp {
        Stamp(self.0 + 1)
    }

    pub fn number(self) -> u32 {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    pub stamp: Stamp,
    /// The reading transaction's own number, if it has one.
    pub own: Option<Xid>,
    /// Of its own writes, those of earlier commands are seen.
    pub command: u32,
}

impl Snapshot {
    pub fn sees(&self, version: &Version) -> bool {
        if version.stamp == Stamp::RUNNING {
            Some(version.xid) == self.own && version.command < self.command
        } else {
            version.stamp <= self.stamp
        }
    }
}
