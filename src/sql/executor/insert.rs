//! INSERT. With ON CONFLICT a row is written only if no unique key of it is there.

use crate::sql::budget::row_bytes;
use crate::sql::error::Result;
use crate::sql::executor::write::{RowWrite, WriteProgress, later};
use crate::sql::executor::{Context, FrameRow};
use crate::sql::plan::{InsertRows, OnConflict, WritePlan};
use crate::store::{Row, RowId};

impl Context<'_> {
    pub fn run_insert(
        &mut self,
        write: &WritePlan,
        rows: &InsertRows,
        conflict: Option<&OnConflict>,
        progress: &mut WriteProgress,
    ) -> Result<()> {
        if let (InsertRows::Queried { query, .. }, None) = (rows, &progress.queried) {
            let mut queried = Vec::new();
            let run = self.rows_into(query, row_bytes, &mut queried);
            progress.unfinished = later(run)?;
            progress.queried = Some(queried.into_iter().map(Row::from).collect());
        }
        while let Some(row) = self.row_to_insert(write, rows, progress)? {
            let is_settled = match conflict {
                Some(conflict) if progress.writing.is_none() => self.meets_conflict(write, conflict, &row, progress)?,
                _ => false,
            };
            if !is_settled {
                self.insert_row(write, row, progress)?;
            }
            progress.inserting = None;
            progress.next += 1;
        }
        Ok(())
    }

    /// The next row's values, after a wait those of the row that waited.
    fn row_to_insert(
        &mut self,
        write: &WritePlan,
        rows: &InsertRows,
        progress: &mut WriteProgress,
    ) -> Result<Option<Row>> {
        if let Some(row) = &progress.inserting {
            return Ok(Some(row.clone()));
        }
        let exprs = match rows {
            InsertRows::Listed { rows, .. } => match rows.get(progress.next) {
                Some(exprs) => exprs,
                None => return Ok(None),
            },
            InsertRows::Queried { slot, columns, .. } => {
                let Some(row) = progress.queried.as_ref().and_then(|rows| rows.get(progress.next)) else {
                    return Ok(None);
                };
                self.run.frame[*slot as usize] = FrameRow { row: row.clone(), id: RowId(u32::MAX) };
                columns
            }
        };
        let values = self.evaluate_all(exprs)?;
        let row = self.checked(&write.table, values)?;
        progress.inserting = Some(row.clone());
        Ok(Some(row))
    }

    fn insert_row(&mut self, write: &WritePlan, row: Row, progress: &mut WriteProgress) -> Result<()> {
        let writing = progress.writing.get_or_insert_with(|| RowWrite::insert(&write.table, row.clone()));
        // After a wait this may be the row that ON CONFLICT updates.
        let shown = writing.new.clone().unwrap_or(row);
        let id = self.write_row(progress)?;
        self.written(write, shown, id, progress)
    }
}
