//! How long a plan is kept.

use crate::store::{Store, TableId};

/// Tables a plan reads, with their row counts when it was made: a plan made for an empty table is not kept for a full one.
#[derive(Debug, Clone)]
pub struct Assumed {
    pub table: TableId,
    pub rows: usize,
}

impl Assumed {
    pub fn still_holds(&self, store: &Store) -> bool {
        let now = store.table(self.table).row_count();
        now <= self.rows * 4 + 64 && self.rows <= now * 4 + 64
    }
}
