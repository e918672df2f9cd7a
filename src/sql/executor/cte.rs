//! Common table expressions that are computed once.

use std::rc::Rc;

use crate::sql::budget::row_bytes;
use crate::sql::error::Result;
use crate::store::Row;

use super::{Context, Flow};

impl Context<'_> {
    pub(super) fn common_rows(&mut self, number: usize) -> Result<Rc<Vec<Row>>> {
        if let Some(Some(rows)) = self.run.common.get(number) {
            return Ok(rows.clone());
        }
        let parts = self.run.parts.clone();
        let mut rows: Vec<Row> = Vec::new();
        self.run_query(&parts.ctes[number], &mut |context, row| {
            context.run.budget.keep(row_bytes(&row))?;
            rows.push(row.into());
            Ok(Flow::More)
        })?;
        let rows = Rc::new(rows);
        if self.run.common.len() <= number {
            self.run.common.resize(number + 1, None);
        }
        self.run.common[number] = Some(rows.clone());
        Ok(rows)
    }
}
