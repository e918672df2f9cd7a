//! Version chains and row marks. They know no isolation level: who may read or write is decided elsewhere.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::trace::{LockStrength, Value, Xid};

use super::{CommitSeq, Snapshot};

pub type Row = Rc<[Value]>;

#[derive(Debug, Clone)]
pub struct Version {
    /// `None`: the row is deleted.
    pub row: Option<Row>,
    pub xid: Xid,
    /// Which statement of its transaction wrote it.
    pub command: u32,
    pub commit_seq: CommitSeq,
    /// Its writer held the row FOR UPDATE, for a key it changed or by a statement before: who shares the key minds.
    pub exclusive: bool,
}

#[derive(Debug, Clone, Copy)]
struct RowLockMark {
    xid: Xid,
    strength: LockStrength,
    /// The version that was locked: the mark lies on it and on all that came after, on none from before.
    from: CommitSeq,
}

impl RowLockMark {
    fn stands_against(&self, xid: Xid, wanted: LockStrength, on: CommitSeq) -> bool {
        self.xid != xid && self.from <= on && self.strength.conflicts(wanted)
    }
}

/// One row: its versions and who has locked it. Most rows have one version and no mark, so only that lies inline.
#[derive(Debug)]
pub struct Chain {
    newest: Version,
    /// Oldest first.
    older: Option<Box<Vec<Version>>>,
    mark: Option<RowLockMark>,
    /// Further holders of a shared row.
    marks: Option<Box<RowLockMarks>>,
}

/// Holders by their number, and how many hold the row how strongly: thousands may share one parent row.
#[derive(Debug, Default)]
struct RowLockMarks {
    holders: BTreeMap<Xid, RowLockMark>,
    held: [u32; 4],
}

impl RowLockMarks {
    fn insert(&mut self, mark: RowLockMark) {
        self.remove(mark.xid);
        self.held[mark.strength as usize] += 1;
        self.holders.insert(mark.xid, mark);
    }

    fn remove(&mut self, xid: Xid) {
        if let Some(mark) = self.holders.remove(&xid) {
            self.held[mark.strength as usize] -= 1;
        }
    }

    /// The oldest that stands against this strength.
    fn conflicting(&self, xid: Xid, wanted: LockStrength, on: CommitSeq) -> Option<Xid> {
        if !STRENGTHS.iter().any(|held| self.held[*held as usize] > 0 && held.conflicts(wanted)) {
            return None;
        }
        self.holders.values().find(|mark| mark.stands_against(xid, wanted, on)).map(|mark| mark.xid)
    }
}

const STRENGTHS: [LockStrength; 4] =
    [LockStrength::KeyShare, LockStrength::Share, LockStrength::NoKeyUpdate, LockStrength::Update];

impl Chain {
    pub fn new(version: Version) -> Chain {
        Chain { newest: version, older: None, mark: None, marks: None }
    }

    pub fn newest(&self) -> &Version {
        &self.newest
    }

    /// Newest first.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.newest).chain(self.older.iter().flat_map(|older| older.iter().rev()))
    }

    pub fn visible(&self, snapshot: &Snapshot) -> Option<&Version> {
        if snapshot.sees(&self.newest) {
            return self.newest.row.is_some().then_some(&self.newest);
        }
        let version = self.older.as_ref()?.iter().rev().find(|version| snapshot.sees(version))?;
        version.row.is_some().then_some(version)
    }

    pub fn newest_committed(&self) -> Option<&Version> {
        self.versions().find(|version| version.commit_seq != CommitSeq::RUNNING)
    }

    pub(super) fn push(&mut self, version: Version) {
        let before = std::mem::replace(&mut self.newest, version);
        self.older.get_or_insert_default().push(before);
    }

    /// Takes the newest version away. What was in it comes back, for the indexes; nothing for a deletion.
    pub(super) fn pop_newest(&mut self) -> Option<Row> {
        match self.older.as_mut().and_then(|older| older.pop()) {
            Some(before) => {
                if self.older.as_ref().is_some_and(|older| older.is_empty()) {
                    self.older = None;
                }
                std::mem::replace(&mut self.newest, before).row
            }
            None => {
                self.newest.commit_seq = CommitSeq::FIRST;
                self.newest.row.take()
            }
        }
    }

    /// Nobody's row: all it held is rolled back or deleted for everyone.
    pub(super) fn is_vacant(&self) -> bool {
        self.newest.row.is_none() && self.newest.commit_seq == CommitSeq::FIRST && self.older.is_none()
    }

    /// True if something is left to prune once no snapshot needs it.
    pub(super) fn commit_versions_of(&mut self, xid: Xid, commit_seq: CommitSeq) -> bool {
        let set = |version: &mut Version| {
            if version.xid == xid && version.commit_seq == CommitSeq::RUNNING {
                version.commit_seq = commit_seq;
            }
        };
        set(&mut self.newest);
        for version in self.older.iter_mut().flat_map(|older| older.iter_mut()) {
            set(version);
        }
        self.older.is_some() || self.newest.row.is_none()
    }

    /// Versions that are older than the one a snapshot at the horizon sees.
    pub(super) fn prune(&mut self, horizon: CommitSeq) -> Vec<Row> {
        let Some(older) = self.older.as_mut() else {
            return Vec::new();
        };
        let seen = |version: &Version| version.commit_seq != CommitSeq::RUNNING && version.commit_seq <= horizon;
        let outdated = if seen(&self.newest) { older.len() } else { older.iter().rposition(seen).unwrap_or(0) };
        let gone = older.drain(..outdated).filter_map(|version| version.row).collect();
        if older.is_empty() {
            self.older = None;
        }
        gone
    }

    /// True when the row has just become free for another one: deleted, and no snapshot sees it.
    pub(super) fn bury(&mut self, horizon: CommitSeq) -> bool {
        let dead = self.newest.row.is_none()
            && self.older.is_none()
            && self.mark.is_none()
            && self.newest.commit_seq != CommitSeq::FIRST
            && self.newest.commit_seq <= horizon;
        if dead {
            self.newest.commit_seq = CommitSeq::FIRST;
        }
        dead
    }

    pub(super) fn rewrite(&mut self, change: &mut impl FnMut(&Row) -> Row) {
        for version in self.older.iter_mut().flat_map(|older| older.iter_mut()).chain([&mut self.newest]) {
            if let Some(row) = &version.row {
                version.row = Some(change(row));
            }
        }
    }

    pub(super) fn mark_of(&self, xid: Xid) -> Option<LockStrength> {
        match &self.mark {
            Some(mark) if mark.xid == xid => Some(mark.strength),
            _ => self.marks.as_ref()?.holders.get(&xid).map(|mark| mark.strength),
        }
    }

    pub(super) fn mark(&mut self, xid: Xid, strength: LockStrength) {
        let from = self.newest_committed().map_or(CommitSeq::RUNNING, |version| version.commit_seq);
        match &mut self.mark {
            None => self.mark = Some(RowLockMark { xid, strength, from }),
            Some(mark) if mark.xid == xid => mark.strength = strength,
            Some(_) => self.marks.get_or_insert_default().insert(RowLockMark { xid, strength, from }),
        }
    }

    pub(super) fn unmark(&mut self, xid: Xid) {
        let Some(marks) = &mut self.marks else {
            self.mark = self.mark.filter(|mark| mark.xid != xid);
            return;
        };
        marks.remove(xid);
        if self.mark.is_some_and(|mark| mark.xid == xid) {
            self.mark = marks.holders.first_key_value().map(|(_, mark)| *mark);
            if let Some(mark) = self.mark {
                marks.remove(mark.xid);
            }
        }
        if marks.holders.is_empty() {
            self.marks = None;
        }
    }

    /// Of the transactions that stand against this strength on this version the oldest: PostgreSQL waits for them in this order.
    pub(super) fn conflicting_mark(&self, xid: Xid, strength: LockStrength, on: CommitSeq) -> Option<Xid> {
        let first = self.mark.filter(|mark| mark.stands_against(xid, strength, on)).map(|mark| mark.xid);
        let other = self.marks.as_ref().and_then(|marks| marks.conflicting(xid, strength, on));
        first.into_iter().chain(other).min()
    }

    /// Somebody who has written the row held it less strongly than FOR UPDATE then, so what others see of it can be shared. PostgreSQL
    /// comes to the writer's own version only after that, and waits for it even where it was asked not to.
    pub(super) fn shares_what_was(&self) -> bool {
        let unfinished = self.versions().filter(|version| version.commit_seq == CommitSeq::RUNNING);
        unfinished.last().is_some_and(|first| !first.exclusive)
    }
}
