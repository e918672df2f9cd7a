//! The statement's frame: the rows in work, one in each slot.

use crate::sql::error::Result;
use crate::sql::expr::SlotSet;
use crate::sql::plan::null_row;
use crate::store::{Row, RowId};

use super::run::frame_row_bytes;
use super::{Context, FrameRow, FrameRows};

impl Context<'_> {
    pub fn keep(&self, slots: &[u16]) -> FrameRows {
        slots.iter().map(|slot| self.run.frame[*slot as usize].clone()).collect()
    }

    /// As `keep`, of what is kept for many rows.
    pub fn keep_held(&mut self, slots: &[u16], held: &mut usize) -> Result<FrameRows> {
        let kept = self.keep(slots);
        self.run.budget.hold(kept.iter().map(frame_row_bytes).sum(), held)?;
        Ok(kept)
    }

    pub fn put_back(&mut self, slots: &[u16], kept: &[FrameRow]) {
        for (slot, standing) in slots.iter().zip(kept) {
            self.run.frame[*slot as usize] = standing.clone();
        }
    }

    pub(super) fn put(&mut self, slot: u16, row: Row) {
        self.run.frame[slot as usize] = FrameRow { row, id: RowId(u32::MAX) };
    }

    pub fn put_nulls(&mut self, slots: SlotSet) {
        for slot in slots.iter() {
            let row = null_row(self.run.parts.widths[slot as usize]);
            self.put(slot, row);
        }
    }
}
