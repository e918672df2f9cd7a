//! TRUNCATE.

use std::rc::Rc;

use crate::sql::binder::defined_name;
use crate::sql::catalog::{Sequence, Table};
use crate::sql::error::Result;
use crate::sql::executor::Context;
use crate::sql::parser::ast;
use crate::store::Mode;
use crate::trace::SqlError;

impl Context<'_> {
    pub(super) fn truncate(&mut self, truncate: &ast::Truncate) -> Result<()> {
        let names = truncate.tables.iter().map(defined_name).collect::<Result<Vec<Rc<str>>>>()?;
        for name in &names {
            let table = self.engine.catalog.existing(name)?.clone();
            self.lock_table(&table, Mode::AccessExclusive, true)?;
            self.check_not_referenced(&table, &names)?;
            self.engine.delete_all(self.session, table.id);
            if truncate.restart_identity {
                let sequences: Vec<Rc<Sequence>> = self.engine.catalog.sequences_of(table.id).cloned().collect();
                for sequence in sequences {
                    self.engine.catalog.put_sequence(sequence.restarted());
                }
            }
        }
        Ok(())
    }

    /// By none but those that are emptied with it.
    fn check_not_referenced(&self, table: &Table, together: &[Rc<str>]) -> Result<()> {
        let children = table.referenced_by.iter().filter_map(|key| self.engine.catalog.table_by_id(key.child));
        let Some(child) = children.into_iter().find(|child| !together.contains(&child.name)) else { return Ok(()) };
        let mut error = SqlError::new("0A000", "cannot truncate a table referenced in a foreign key constraint");
        error.detail = Some(format!("Table \"{}\" references \"{}\".", child.name, table.name));
        Err(error.into())
    }
}
