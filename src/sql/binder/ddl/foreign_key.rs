//! FOREIGN KEY and REFERENCES.

use std::rc::Rc;

use crate::sql::binder::{Binder, defined_name, names_of};
use crate::sql::catalog::{Action, ForeignKey, Index, Table};
use crate::sql::error::{Result, error, fail, refuse};
use crate::sql::parser::ast::{self, OnCommit};

use super::constraint::check_name_is_free;

pub struct ForeignKeyDefinition {
    pub key: Rc<ForeignKey>,
    pub parent: Rc<Table>,
}

impl Binder<'_> {
    pub(super) fn foreign_key(
        &mut self,
        table: &Table,
        name: Option<Rc<str>>,
        columns: &[ast::Ident],
        references: &ast::References,
    ) -> Result<ForeignKeyDefinition> {
        if let Some(name) = &name {
            check_name_is_free(table, name)?;
        }
        let parent_name = defined_name(&references.table)?;
        let parent = self.catalog.existing(&parent_name)?.clone();
        check_lifetimes(table, &parent)?;
        let columns = names_of(columns);
        let child_columns = columns_named(table, &columns)?;
        let parent_columns = referenced_columns(&parent, &references.columns)?;
        if parent_columns.iter().enumerate().any(|(place, column)| parent_columns[..place].contains(column)) {
            return fail("42830", "foreign key referenced-columns list must not contain duplicates");
        }
        if child_columns.len() != parent_columns.len() {
            return fail("42830", "number of referencing and referenced columns for foreign key disagree");
        }
        check_unique(&parent, &parent_columns)?;
        for (child, parent_column) in child_columns.iter().zip(&parent_columns) {
            let (a, b) = (&table.columns[*child], &parent.columns[*parent_column]);
            if !a.ty.same_kind(&b.ty) {
                return refuse(format!("a foreign key from {} to {}", a.ty.name(), b.ty.name()));
            }
        }
        let name = name.unwrap_or_else(|| {
            let wanted = format!("{}_{}_fkey", table.name, columns.join("_"));
            self.catalog.free_constraint_name(&wanted, table.temporary.map(|it| it.session))
        });
        let key = Rc::new(ForeignKey {
            name,
            child: table.id,
            child_columns,
            parent: parent.id,
            parent_columns,
            on_delete: action(references.on_delete),
            on_update: action(references.on_update),
        });
        Ok(ForeignKeyDefinition { key, parent })
    }
}

/// A foreign key joins what lives equally long.
fn check_lifetimes(child: &Table, parent: &Table) -> Result<()> {
    match (child.temporary, parent.temporary) {
        (None, None) => Ok(()),
        (None, Some(_)) => fail("42P16", "constraints on permanent tables may reference only permanent tables"),
        (Some(_), None) => fail("42P16", "constraints on temporary tables may reference only temporary tables"),
        (Some(child), Some(parent))
            if parent.on_commit == OnCommit::DeleteRows && child.on_commit != parent.on_commit =>
        {
            refuse("a foreign key to a table with ON COMMIT DELETE ROWS")
        }
        (Some(_), Some(_)) => Ok(()),
    }
}

fn columns_named(table: &Table, names: &[Rc<str>]) -> Result<Vec<usize>> {
    let column = |name: &Rc<str>| {
        let message = || format!("column \"{name}\" referenced in foreign key constraint does not exist");
        table.column(name).ok_or_else(|| error("42703", message()))
    };
    names.iter().map(column).collect()
}

/// Those that are named, else the primary key.
fn referenced_columns(parent: &Table, named: &[ast::Ident]) -> Result<Vec<usize>> {
    if !named.is_empty() {
        return columns_named(parent, &names_of(named));
    }
    match parent.primary().and_then(Index::plain_columns) {
        Some(columns) => Ok(columns),
        None => fail("42704", format!("there is no primary key for referenced table \"{}\"", parent.name)),
    }
}

fn check_unique(parent: &Table, columns: &[usize]) -> Result<()> {
    let mut wanted = columns.to_vec();
    wanted.sort_unstable();
    let is_unique = parent.indexes.iter().any(|index| {
        let mut of_index = index.plain_columns().unwrap_or_default();
        of_index.sort_unstable();
        index.unique && of_index == wanted
    });
    if is_unique {
        return Ok(());
    }
    let message = "there is no unique constraint matching given keys for referenced table";
    fail("42830", format!("{message} \"{}\"", parent.name))
}

fn action(action: ast::ReferentialAction) -> Action {
    match action {
        ast::ReferentialAction::NoAction => Action::NoAction,
        ast::ReferentialAction::Restrict => Action::Restrict,
        ast::ReferentialAction::Cascade => Action::Cascade,
        ast::ReferentialAction::SetNull => Action::SetNull,
        ast::ReferentialAction::SetDefault => Action::SetDefault,
    }
}
