//! UPDATE.

use crate::sql::catalog::Table;
use crate::sql::error::Result;
use crate::sql::executor::write::{RowWrite, WriteProgress};
use crate::sql::executor::{Context, FrameRows, LockedRow};
use crate::sql::plan::{Assignment, LockPolicy, TARGET, TargetRows, WritePlan};
use crate::store::{Row, compare};
use crate::trace::LockStrength;

impl Context<'_> {
    pub fn run_update(
        &mut self,
        write: &WritePlan,
        found: &TargetRows,
        set: &[Assignment],
        progress: &mut WriteProgress,
    ) -> Result<()> {
        let slots: Vec<u16> = found.slots.iter().collect();
        self.find_rows(found, &slots, progress)?;
        while let Some(kept) = progress.found.as_ref().and_then(|rows| rows.get(progress.next)).cloned() {
            self.put_back(&slots, &kept);
            if progress.writing.is_none() {
                progress.writing = self.row_to_update(write, found, set, &kept)?;
            }
            if let Some(new) = progress.writing.as_ref().and_then(|writing| writing.new.clone()) {
                let id = self.write_row(progress)?;
                self.written(write, new, id, progress)?;
            }
            progress.next += 1;
        }
        Ok(())
    }

    /// Locks the row and computes what becomes of it; `None` if it is not to be updated any more.
    fn row_to_update(
        &mut self,
        write: &WritePlan,
        found: &TargetRows,
        set: &[Assignment],
        kept: &FrameRows,
    ) -> Result<Option<RowWrite>> {
        let table = &write.table;
        let id = self.run.frame[TARGET as usize].id;
        let old = self.run.frame[TARGET as usize].row.clone();
        let new = self.changed_row(table, &old, set)?;
        let strength = key_strength(table, &old, &new);
        match self.lock_found(table, found, kept, strength)? {
            LockedRow::Same => {
                let old = self.run.frame[TARGET as usize].row.clone();
                Ok(Some(RowWrite::update(table, id, old, new)))
            }
            LockedRow::Changed => {
                let current = self.run.frame[TARGET as usize].row.clone();
                let new = self.changed_row(table, &current, set)?;
                if key_strength(table, &current, &new) > strength {
                    self.lock_row(table, TARGET, LockStrength::Update, LockPolicy::Wait)?;
                }
                let current = self.run.frame[TARGET as usize].row.clone();
                Ok(Some(RowWrite::update(table, id, current, new)))
            }
            LockedRow::Gone | LockedRow::Skipped | LockedRow::Own => Ok(None),
        }
    }

    /// What is locked where the new values are not known yet: the key's lock only where a key column is set.
    pub fn strength_of(&self, table: &Table, mut columns: impl Iterator<Item = usize>) -> LockStrength {
        if columns.any(|column| table.is_key_column(column)) { LockStrength::Update } else { LockStrength::NoKeyUpdate }
    }
}

/// UPDATE takes the key's lock only where a key changes its value.
fn key_strength(table: &Table, old: &Row, new: &Row) -> LockStrength {
    let changes_key = (0..table.columns.len())
        .any(|column| table.is_key_column(column) && compare(&old[column], &new[column]).is_ne());
    if changes_key { LockStrength::Update } else { LockStrength::NoKeyUpdate }
}
