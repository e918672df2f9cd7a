//! DELETE.

use crate::sql::error::Result;
use crate::sql::executor::write::{RowWrite, WriteProgress};
use crate::sql::executor::{Context, LockedRow};
use crate::sql::plan::{TARGET, TargetRows, WritePlan};
use crate::trace::LockStrength;

impl Context<'_> {
    pub fn run_delete(&mut self, write: &WritePlan, found: &TargetRows, progress: &mut WriteProgress) -> Result<()> {
        let slots: Vec<u16> = found.slots.iter().collect();
        self.find_rows(found, &slots, progress)?;
        let table = &write.table;
        while let Some(kept) = progress.found.as_ref().and_then(|rows| rows.get(progress.next)).cloned() {
            self.put_back(&slots, &kept);
            if progress.writing.is_none() {
                let locked = self.lock_found(table, found, &kept, LockStrength::Update)?;
                if matches!(locked, LockedRow::Same | LockedRow::Changed) {
                    let target = self.run.frame[TARGET as usize].clone();
                    progress.writing = Some(RowWrite::delete(table, target.id, target.row));
                }
            }
            if let Some(old) = progress.writing.as_ref().and_then(|writing| writing.old.clone()) {
                let id = self.write_row(progress)?;
                self.written(write, old, id, progress)?;
            }
            progress.next += 1;
        }
        Ok(())
    }
}
