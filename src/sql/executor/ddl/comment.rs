//! COMMENT ON: what it is about must be there. Nothing asks for a comment, so none is kept.

use std::rc::Rc;

use crate::sql::binder::defined_name;
use crate::sql::catalog::system_names::is_system_column;
use crate::sql::error::{Result, fail};
use crate::sql::executor::Context;
use crate::sql::parser::ast::{self, ObjectKind};
use crate::store::Mode;
use crate::trace::SqlError;

impl Context<'_> {
    pub(super) fn comment_on(&mut self, commented: &ast::Commented) -> Result<()> {
        match commented {
            ast::Commented::Relation { kind, name } => self.comment_on_relation(*kind, name),
            ast::Commented::Column { table, column } => self.comment_on_column(table, &column.name),
        }
    }

    fn comment_on_relation(&mut self, wanted: ObjectKind, name: &ast::ObjectName) -> Result<()> {
        let name = defined_name(name)?;
        let kind = self.kind_of_relation(&name)?;
        if kind != wanted {
            let wanted = match wanted {
                ObjectKind::Table => "a table",
                ObjectKind::Index => "an index",
                ObjectKind::Sequence => "a sequence",
            };
            return fail("42809", format!("\"{name}\" is not {wanted}"));
        }
        if kind == ObjectKind::Table { self.lock_commented(&name) } else { Ok(()) }
    }

    fn comment_on_column(&mut self, table: &ast::ObjectName, column: &str) -> Result<()> {
        let name = defined_name(table)?;
        let others = match self.kind_of_relation(&name)? {
            ObjectKind::Table => None,
            ObjectKind::Index => Some("indexes"),
            ObjectKind::Sequence => Some("sequences"),
        };
        if let Some(others) = others {
            let mut error = SqlError::new("42809", format!("cannot set comment on relation \"{name}\""));
            error.detail = Some(format!("This operation is not supported for {others}."));
            return Err(error.into());
        }
        self.lock_commented(&name)?;
        if self.engine.catalog.existing(&name)?.column(column).is_none() && !is_system_column(column) {
            return fail("42703", format!("column \"{column}\" of relation \"{name}\" does not exist"));
        }
        Ok(())
    }

    fn kind_of_relation(&self, name: &str) -> Result<ObjectKind> {
        let catalog = &self.engine.catalog;
        if catalog.index(name).is_some() {
            return Ok(ObjectKind::Index);
        }
        if catalog.sequence(name).is_some() {
            return Ok(ObjectKind::Sequence);
        }
        catalog.existing(name).map(|_| ObjectKind::Table)
    }

    fn lock_commented(&mut self, name: &Rc<str>) -> Result<()> {
        let table = self.engine.catalog.existing(name)?.clone();
        self.lock_table(&table, Mode::ShareUpdateExclusive, true)
    }
}
