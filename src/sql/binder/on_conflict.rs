//! ON CONFLICT: which unique indexes count, and what is done with the row that is there already.

use std::rc::Rc;

use crate::sql::catalog::{Table, missing_column};
use crate::sql::error::{Result, fail};
use crate::sql::parser::ast;
use crate::sql::plan::{ConflictUpdate, OnConflict};

use super::Binder;

impl Binder<'_> {
    /// In a scope that has the written row.
    pub(super) fn on_conflict(&mut self, table: &Rc<Table>, on: &ast::OnConflict) -> Result<OnConflict> {
        let arbiters = match &on.target {
            None => Vec::new(),
            Some(ast::ConflictTarget::Columns(columns)) => arbiters_over(table, columns)?,
            Some(ast::ConflictTarget::Constraint(constraint)) => vec![arbiter_named(table, &constraint.name)?],
        };
        let excluded = self.slot(table.columns.len())?;
        let update = on.update.as_ref().map(|update| self.conflict_update(table, on, update, excluded)).transpose()?;
        // PostgreSQL's planner looks for the index, when all names have been looked up.
        if on.target.is_some() && arbiters.is_empty() {
            return fail("42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification");
        }
        Ok(OnConflict { arbiters, excluded, update })
    }

    fn conflict_update(
        &mut self,
        table: &Rc<Table>,
        on: &ast::OnConflict,
        update: &ast::ConflictUpdate,
        excluded: u16,
    ) -> Result<ConflictUpdate> {
        if on.target.is_none() {
            return fail("42601", "ON CONFLICT DO UPDATE requires inference specification or constraint name");
        }
        self.add_table_at(table, Rc::from("excluded"), excluded)?;
        let given = self.given_values(&update.assignments)?;
        let set = self.assignments(table, given)?;
        let condition = update.selection.as_ref().map(|selection| self.condition(selection, "WHERE")).transpose()?;
        Ok(ConflictUpdate { set, condition })
    }
}

fn arbiters_over(table: &Table, columns: &[ast::Ident]) -> Result<Vec<usize>> {
    let mut wanted = Vec::new();
    for ast::Ident { name, at } in columns {
        wanted.push(table.column(name).ok_or_else(|| missing_column(name).at(at.0))?);
    }
    wanted.sort_unstable();
    wanted.dedup();
    let mut arbiters = Vec::new();
    for (place, index) in table.indexes.iter().enumerate() {
        let mut columns = index.plain_columns().unwrap_or_default();
        columns.sort_unstable();
        columns.dedup();
        if index.unique && columns == wanted {
            arbiters.push(place);
        }
    }
    Ok(arbiters)
}

fn arbiter_named(table: &Table, name: &Rc<str>) -> Result<usize> {
    match table.indexes.iter().position(|index| index.constraint && index.name == *name) {
        Some(place) => Ok(place),
        None => fail("42704", format!("constraint \"{name}\" for table \"{}\" does not exist", table.name)),
    }
}
