//! RETURNING, and the count of rows a writing statement tells.

use crate::sql::budget::printed_bytes;
use crate::sql::error::Result;
use crate::sql::executor::write::WriteProgress;
use crate::sql::executor::{Context, FrameRow};
use crate::sql::plan::{TARGET, WritePlan};
use crate::store::{Row, RowId};

impl Context<'_> {
    /// The row is written: RETURNING reads it in the target's slot.
    pub fn written(&mut self, write: &WritePlan, row: Row, id: RowId, progress: &mut WriteProgress) -> Result<()> {
        self.run.frame[TARGET as usize] = FrameRow { row, id };
        progress.affected += 1;
        if let Some(returning) = &write.returning {
            let row = self.evaluate_all(&returning.output)?;
            self.run.budget.keep(printed_bytes(&row))?;
            progress.returned.push(row);
        }
        Ok(())
    }
}
