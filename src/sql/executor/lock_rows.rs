//! FOR UPDATE and its like, and the locks that UPDATE and DELETE take.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::error::{Result, Stop, fail};
use crate::sql::outcome::EngineEvent;
use crate::sql::plan::{LockPolicy, LockTarget, QueryPlan};
use crate::store::{CommitSeq, LockOutcome, RowId};
use crate::trace::{Isolation, LockStrength};

use super::epq::FoundRows;
use super::run::row_key;
use super::{Context, WaitTarget};

/// What became of a row that a statement wanted to lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockedRow {
    Same,
    /// Its newest version stands in the slot now.
    Changed,
    Gone,
    Skipped,
    /// This very statement has written it already.
    Own,
}

impl Context<'_> {
    /// False: the row the frame stands for is skipped or no longer fits.
    pub(super) fn lock_rows(&mut self, query: &QueryPlan) -> Result<bool> {
        let mut changed = FoundRows::new();
        for target in &query.locks {
            let LockTarget { slot, table, strength, policy } = target;
            if self.run.frame[*slot as usize].id == RowId(u32::MAX) {
                continue;
            }
            let standing = &self.run.frame[*slot as usize];
            let place = (table.id, standing.id);
            let before = standing.clone();
            if let Some(row) = self.run.locked.get(&place) {
                if !Rc::ptr_eq(row, &before.row) {
                    self.run.frame[*slot as usize].row = row.clone();
                    changed.push((*slot, before));
                }
                continue;
            }
            match self.lock_row(table, *slot, *strength, *policy)? {
                LockedRow::Same => {}
                LockedRow::Changed => changed.push((*slot, before)),
                LockedRow::Gone | LockedRow::Skipped | LockedRow::Own => return Ok(false),
            }
            self.run.locked.insert(place, self.run.frame[*slot as usize].row.clone());
        }
        match &query.recheck {
            Some(recheck) if !changed.is_empty() => self.epq_recheck(recheck, &changed),
            _ => Ok(true),
        }
    }

    /// Locks the row in a slot and brings the slot up to date with its newest version.
    pub fn lock_row(
        &mut self,
        table: &Table,
        slot: u16,
        strength: LockStrength,
        policy: LockPolicy,
    ) -> Result<LockedRow> {
        let id = self.run.frame[slot as usize].id;
        let own = self.engine.store.xid(self.session);
        let chain = self.engine.store.table(table.id).chain(id);
        let newest = chain.newest();
        if newest.commit_seq == CommitSeq::RUNNING
            && Some(newest.xid) == own
            && newest.command >= self.run.snapshot.command
        {
            return Ok(LockedRow::Own);
        }
        let fixed = self.engine.store.isolation(self.session) != Isolation::ReadCommitted;
        let mut outdated = None;
        if fixed && self.fail_if_outdated(table, slot, strength).is_err() {
            // It fails once those are gone who hold the version it sees.
            let chain = self.engine.store.table(table.id).chain(id);
            let seen = chain.visible(&self.run.snapshot).map(|seen| seen.commit_seq);
            // Of newer versions PostgreSQL looks at the next one only.
            let committed = chain.versions().filter(|version| version.commit_seq != CommitSeq::RUNNING);
            let newer = committed.take_while(|version| version.commit_seq > self.run.snapshot.commit_seq).count();
            let follows = newer == 1 && self.run.followed == Some((table.id, id));
            outdated = if follows { Some(CommitSeq::RUNNING) } else { seen };
        }
        let may_wait = policy == LockPolicy::Wait;
        match self.engine.store.lock_row(self.session, table.id, id, strength, may_wait, outdated) {
            LockOutcome::Waits => {
                let newest = self.engine.store.table(table.id).chain(id).newest();
                if !self.run.writes && newest.commit_seq == CommitSeq::RUNNING {
                    self.run.followed = Some((table.id, id));
                }
                let key = row_key(table, &self.run.frame[slot as usize]);
                self.run.waits_on = WaitTarget::Row { table: table.name.clone(), key, strength };
                return Err(Stop::Waits);
            }
            LockOutcome::Unavailable if policy == LockPolicy::SkipLocked => return Ok(LockedRow::Skipped),
            LockOutcome::Unavailable => {
                return fail("55P03", format!("could not obtain lock on row in relation \"{}\"", table.name));
            }
            LockOutcome::Locked { new } => {
                if let (true, Some(xid)) = (new && table.temporary.is_none(), self.engine.store.xid(self.session)) {
                    let key = row_key(table, &self.run.frame[slot as usize]);
                    self.run.events.push(EngineEvent::Locked { xid, table: table.name.clone(), key, strength });
                }
            }
        }
        if fixed {
            self.fail_if_outdated(table, slot, strength)?;
        }
        if strength == LockStrength::KeyShare && self.has_new_values_only(table, id) {
            return Ok(LockedRow::Same);
        }
        let own = self.engine.store.xid(self.session);
        self.run.snapshot.own = own;
        let chain = self.engine.store.table(table.id).chain(id);
        let Some(current) = chain.versions().find(|v| v.commit_seq != CommitSeq::RUNNING || Some(v.xid) == own) else {
            return Ok(LockedRow::Gone);
        };
        match &current.row {
            None => Ok(LockedRow::Gone),
            Some(row) if Rc::ptr_eq(row, &self.run.frame[slot as usize].row) => Ok(LockedRow::Same),
            Some(row) => {
                let row = row.clone();
                let writer = current.xid;
                self.run.frame[slot as usize].row = row;
                if self.engine.tells_reads && table.temporary.is_none() {
                    // What the statement goes on with is this version, not the one its snapshot showed.
                    let key = row_key(table, &self.run.frame[slot as usize]);
                    let writer = (writer.0 > self.engine.settled_xid.0).then_some(writer);
                    let values = self.run.frame[slot as usize].row.clone();
                    self.run.events.push(EngineEvent::Read { table: table.name.clone(), key, writer, values });
                }
                Ok(LockedRow::Changed)
            }
        }
    }

    /// First updater wins: a row that changed after the transaction's snapshot cannot be locked by it, but a change beside its key
    /// leaves it to be shared.
    pub(super) fn fail_if_outdated(&self, table: &Table, slot: u16, strength: LockStrength) -> Result<()> {
        let standing = &self.run.frame[slot as usize];
        let chain = self.engine.store.table(table.id).chain(standing.id);
        let Some(committed) =
            chain.newest_committed().filter(|version| version.commit_seq > self.run.snapshot.commit_seq)
        else {
            return Ok(());
        };
        if committed.row.is_none() {
            // What counts is what became of the version that the snapshot sees. FOR UPDATE and its like say "update" for both.
            let before = chain.versions().filter(|version| version.commit_seq != CommitSeq::RUNNING).nth(1);
            let seen_is_deleted = before.is_none_or(|version| version.commit_seq <= self.run.snapshot.commit_seq);
            let tells = self.run.writes && strength != LockStrength::KeyShare;
            let what = if tells && seen_is_deleted { "delete" } else { "update" };
            return fail("40001", format!("could not serialize access due to concurrent {what}"));
        }
        if strength == LockStrength::KeyShare && self.has_new_values_only(table, standing.id) {
            return Ok(());
        }
        fail("40001", "could not serialize access due to concurrent update")
    }

    /// The row has changed since the snapshot, and nobody who did so held it for himself: who shares its key does not mind, and
    /// goes on with what the snapshot shows.
    pub(super) fn has_new_values_only(&self, table: &Table, id: RowId) -> bool {
        let chain = self.engine.store.table(table.id).chain(id);
        let committed = chain.versions().filter(|version| version.commit_seq != CommitSeq::RUNNING);
        let mut newer = committed.take_while(|version| version.commit_seq > self.run.snapshot.commit_seq).peekable();
        newer.peek().is_some_and(|newest| newest.row.is_some()) && newer.all(|version| !version.exclusive)
    }
}
