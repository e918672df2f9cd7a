//! ON CONFLICT: the row that has the key already is found by what is there, not by the snapshot, and left alone or updated.

use crate::sql::catalog::{Index, Table};
use crate::sql::error::{Result, fail};
use crate::sql::executor::write::{RowWrite, WriteProgress};
use crate::sql::executor::{Context, FrameRow, LockedRow};
use crate::sql::plan::{ConflictUpdate, LockPolicy, OnConflict, TARGET, WritePlan};
use crate::store::{CommitSeq, Key, KeyProbe, Row, RowId};
use crate::trace::{Isolation, SqlError};

/// What a unique index has to say to a row that is proposed for insertion.
enum Met {
    NoConflict,
    /// The row that was there already has been dealt with.
    Settled,
    /// It is another one now, or gone: all indexes are asked once more.
    Again,
}

impl Context<'_> {
    /// True if a conflicting row is there and has been dealt with.
    pub fn meets_conflict(
        &mut self,
        write: &WritePlan,
        conflict: &OnConflict,
        row: &Row,
        progress: &mut WriteProgress,
    ) -> Result<bool> {
        let arbiters = || {
            let indexes = write.table.indexes.iter().enumerate();
            indexes.filter(|(place, index)| {
                index.unique && (conflict.arbiters.is_empty() || conflict.arbiters.contains(place))
            })
        };
        'anew: loop {
            for (_, index) in arbiters() {
                match self.meets_in(index, write, conflict, row, progress)? {
                    Met::NoConflict => {}
                    Met::Settled => return Ok(true),
                    Met::Again => continue 'anew,
                }
            }
            return Ok(false);
        }
    }

    fn meets_in(
        &mut self,
        index: &Index,
        write: &WritePlan,
        conflict: &OnConflict,
        row: &Row,
        progress: &mut WriteProgress,
    ) -> Result<Met> {
        let table = &write.table;
        let Some((key, id)) = self.conflicting_row(table, index, row)? else { return Ok(Met::NoConflict) };
        let fixed = self.engine.store.isolation(self.session) != Isolation::ReadCommitted;
        let own = self.engine.store.xid(self.session);
        let newest = self.engine.store.table(table.id).chain(id).newest().clone();
        let is_own = newest.commit_seq == CommitSeq::RUNNING && Some(newest.xid) == own;
        if fixed && !is_own && newest.commit_seq > self.run.snapshot.commit_seq {
            return fail("40001", "could not serialize access due to concurrent update");
        }
        let Some(update) = &conflict.update else { return Ok(Met::Settled) };
        if is_own && newest.command >= self.engine.store.command(self.session) {
            let mut error = SqlError::new("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time");
            error.hint = Some(
                "Ensure that no rows proposed for insertion within the same command have duplicate constrained values."
                    .to_owned(),
            );
            return Err(error.into());
        }
        let Some(existing) = newest.row else { return Ok(Met::NoConflict) };
        self.run.frame[TARGET as usize] = FrameRow { row: existing, id };
        self.run.frame[conflict.excluded as usize] = FrameRow { row: row.clone(), id: RowId(u32::MAX) };
        self.update_conflicting(write, index, &key, update, progress)
    }

    /// Waits for a transaction that has the key and is not over yet.
    fn conflicting_row(&mut self, table: &Table, index: &Index, row: &Row) -> Result<Option<(Key, RowId)>> {
        let key = self.engine.store.index(table.id, index.number).key(row).filter(|key| !key.has_null());
        let Some(key) = key else { return Ok(None) };
        match self.probe(table, index.number, &key, None) {
            KeyProbe::Free => Ok(None),
            KeyProbe::Undecided(_, xid) => {
                self.engine.store.assign_xid(self.session);
                Err(self.wait_for_key(table, index, &key, xid))
            }
            KeyProbe::Taken(id) => Ok(Some((key, id))),
        }
    }

    /// DO UPDATE of the row in the target's slot.
    fn update_conflicting(
        &mut self,
        write: &WritePlan,
        index: &Index,
        key: &Key,
        update: &ConflictUpdate,
        progress: &mut WriteProgress,
    ) -> Result<Met> {
        let table = &write.table;
        let strength = self.strength_of(table, update.set.iter().map(|assignment| assignment.column));
        match self.lock_row(table, TARGET, strength, LockPolicy::Wait)? {
            LockedRow::Same | LockedRow::Changed => {}
            LockedRow::Gone | LockedRow::Skipped | LockedRow::Own => return Ok(Met::Again),
        }
        let FrameRow { row: current, id } = self.run.frame[TARGET as usize].clone();
        if self.engine.store.index(table.id, index.number).key(&current).as_ref() != Some(key) {
            return Ok(Met::Again);
        }
        if let Some(condition) = &update.condition
            && !self.holds(condition)?
        {
            return Ok(Met::Settled);
        }
        let new = self.changed_row(table, &current, &update.set)?;
        progress.writing = Some(RowWrite::update(table, id, current, new.clone()));
        // It is written to its end, over all waits, before anything is looked at anew.
        self.write_row(progress)?;
        self.written(write, new, id, progress)?;
        Ok(Met::Settled)
    }
}
