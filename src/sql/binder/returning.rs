//! RETURNING: output over the row that is written and what stands beside it.

use crate::sql::error::Result;
use crate::sql::parser::ast;
use crate::sql::plan::{OutputColumn, Returning};

use super::select::known_types;
use super::{Binder, Typed};

impl Binder<'_> {
    pub(super) fn returning(&mut self, items: &[ast::SelectItem]) -> Result<Returning> {
        self.scope().clause = "RETURNING";
        let mut output: Vec<Typed> = Vec::new();
        let mut columns: Vec<OutputColumn> = Vec::new();
        for item in items {
            self.select_item(item, true, &mut output, &mut columns)?;
        }
        known_types(&mut output, &mut columns)?;
        output.iter_mut().for_each(|typed| self.folder.fold(&mut typed.expr));
        Ok(Returning { output: output.into_iter().map(|typed| typed.expr).collect(), columns })
    }
}
