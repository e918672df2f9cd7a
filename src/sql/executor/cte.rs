//! Common table expressions that are computed once.

use std::rc::Rc;

use crate::sql::budget::row_bytes;
use crate::sql::error::Result;
use crate::store::Row;

use super::{Context, Flow};

impl Context<'_> {
    pub(super) fn cte_rows(&mut self, number: usize) -> Result<Rc<Vec<Row>>> {
        if let Some(Some(rows)) = self.run.ctes.get(number) {
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
        if self.run.ctes.len() <= number {
            self.run.ctes.resize(number + 1, None);
        }
        self.run.ctes[number] = Some(rows.clone());
        Ok(rows)
    }
}
