//! ALTER TABLE: its operations are done one after the other, each on the table as those before it have left it.

use crate::sql::binder::ddl::{TableDefinition, UnboundConstraint};
use crate::sql::binder::defined_name;
use crate::sql::catalog::system_names::is_system_column;
use crate::sql::catalog::{Index, Table, missing_column};
use crate::sql::error::{Result, error, fail, refuse};
use crate::sql::executor::Context;
use crate::sql::expr::Expr;
use crate::sql::parser::ast::{self, AlterTableOperation as Operation};
use crate::store::Mode;
use crate::trace::{SqlError, Value};

use super::constraints::contains_null;
use super::is_missing_schema;

impl Context<'_> {
    pub(super) fn alter_table(&mut self, alter: &ast::AlterTable) -> Result<()> {
        let name = match defined_name(&alter.name) {
            Err(stop) if alter.if_exists && is_missing_schema(&stop) => alter.name.0[1].name.clone(),
            name => name?,
        };
        if alter.if_exists && self.engine.catalog.table(&name).is_none() {
            self.notice("NOTICE", "00000", format!("relation \"{name}\" does not exist, skipping"));
            return Ok(());
        }
        let catalog = &self.engine.catalog;
        if catalog.table(&name).is_none() && (catalog.sequence(&name).is_some() || catalog.index(&name).is_some()) {
            return refuse("ALTER TABLE of a sequence or an index");
        }
        let table = catalog.existing(&name)?.clone();
        self.lock_table(&table, Mode::AccessExclusive, true)?;
        for operation in &alter.operations {
            self.alter_operation(&name, operation)?;
        }
        Ok(())
    }

    fn alter_operation(&mut self, name: &str, operation: &Operation) -> Result<()> {
        let table = self.engine.catalog.existing(name)?.clone();
        match operation {
            Operation::AddConstraint(constraint) => {
                if let ast::TableConstraintKind::PrimaryKey(columns) = &constraint.kind {
                    // As SET NOT NULL would ask for them.
                    columns.iter().try_for_each(|column| existing_column(&table, column).map(drop))?;
                }
                self.add_constraint(name, &UnboundConstraint::of_table(constraint.clone()))
            }
            Operation::AddColumn { if_not_exists, column } => self.add_column(&table, column, *if_not_exists),
            Operation::DropColumn { column, if_exists, .. } => self.drop_column(&table, column, *if_exists),
            Operation::RenameColumn { from, to } => {
                let new = to.name.clone();
                let number = renamed_column(&table, from, &new)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].name = new);
                Ok(())
            }
            Operation::RenameTable(to) => self.rename_table(&table, &to.name),
            Operation::DropConstraint { constraint, if_exists, .. } => {
                self.drop_constraint(&table, &constraint.name, *if_exists)
            }
            Operation::SetNotNull(column) => {
                let number = existing_column(&table, column)?;
                self.require_not_null(&table, number)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].not_null = true);
                Ok(())
            }
            Operation::DropNotNull(column) => {
                let number = existing_column(&table, column)?;
                check_may_be_null(&table, number)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].not_null = false);
                Ok(())
            }
            Operation::SetDefault { column, default } => {
                let number = existing_column(&table, column)?;
                check_may_have_default(&table, number, false)?;
                let default = self.binder().column_default(&table.columns[number], default)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].default = Some(default));
                Ok(())
            }
            Operation::DropDefault(column) => {
                let number = existing_column(&table, column)?;
                check_may_have_default(&table, number, true)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].default = None);
                Ok(())
            }
        }
    }

    fn add_column(&mut self, table: &Table, column: &ast::ColumnDef, if_not_exists: bool) -> Result<()> {
        let (name, of_table) = (&column.name.name, &table.name);
        if table.column(name).is_some() {
            let message = format!("column \"{name}\" of relation \"{of_table}\" already exists");
            if !if_not_exists {
                return fail("42701", message);
            }
            self.notice("NOTICE", "42701", format!("{message}, skipping"));
            return Ok(());
        }
        let definition = self.binder().added_column(table.clone(), column)?;
        let TableDefinition { table: mut changed, sequences, constraints } = definition;
        self.make_sequences(&mut changed, sequences)?;
        let added = changed.columns.last().expect("just added");
        let default = added.default.clone();
        let is_empty = self.all_rows(table).is_empty();
        if default.is_none() && added.not_null && !is_empty {
            return contains_null(table, name);
        }
        self.engine.catalog.put(changed);
        let value = self.value_of_old_rows(default.as_ref(), is_empty)?;
        self.engine.store.rewrite(table.id, |row| row.iter().cloned().chain([value.clone()]).collect());
        for constraint in &constraints {
            self.add_constraint(of_table, constraint)?;
        }
        Ok(())
    }

    /// What the rows that are there already have in a new column.
    fn value_of_old_rows(&mut self, default: Option<&Expr>, is_empty: bool) -> Result<Value> {
        match default {
            Some(default) if !default.is_volatile() => self.evaluate(default),
            Some(_) if !is_empty => refuse("adding a column whose default differs from row to row"),
            _ => Ok(Value::Null),
        }
    }

    fn drop_column(&mut self, table: &Table, column: &ast::Ident, if_exists: bool) -> Result<()> {
        let number = match existing_column(table, column) {
            Ok(number) => number,
            Err(_) if is_system_column(&column.name) => {
                return fail("0A000", format!("cannot drop system column \"{}\"", column.name));
            }
            Err(_) if if_exists => return Ok(()),
            Err(missing) => return Err(missing),
        };
        let reads = |part: &Expr| matches!(part, Expr::Column { column, .. } if usize::from(*column) == number);
        let of_index = table.indexes.iter().any(|index| index.keys.iter().any(|key| key.any(&reads)));
        if of_index || table.foreign_keys.iter().any(|key| key.child_columns.contains(&number)) {
            return refuse("dropping a column that an index or constraint uses");
        }
        self.engine.catalog.change(table.id, |table| {
            let column = &mut table.columns[number];
            column.dropped = true;
            column.not_null = false;
            column.default = None;
        });
        Ok(())
    }

    fn rename_table(&mut self, table: &Table, new: &str) -> Result<()> {
        if self.engine.catalog.has_relation(new, table.temporary.map(|it| it.session)) {
            return fail("42P07", format!("relation \"{new}\" already exists"));
        }
        self.engine.catalog.rename(table, new);
        Ok(())
    }
}

fn existing_column(table: &Table, column: &ast::Ident) -> Result<usize> {
    let name = &column.name;
    if is_system_column(name) {
        return fail("0A000", format!("cannot alter system column \"{name}\""));
    }
    let missing = || error("42703", format!("column \"{name}\" of relation \"{}\" does not exist", table.name));
    table.column(name).ok_or_else(missing)
}

fn renamed_column(table: &Table, from: &ast::Ident, new: &str) -> Result<usize> {
    if is_system_column(&from.name) {
        return fail("0A000", format!("cannot rename system column \"{}\"", from.name));
    }
    let Some(number) = table.column(&from.name) else { return Err(missing_column(&from.name)) };
    if is_system_column(new) {
        return fail("42701", format!("column name \"{new}\" conflicts with a system column name"));
    }
    if table.column(new).is_some() {
        return fail("42701", format!("column \"{new}\" of relation \"{}\" already exists", table.name));
    }
    Ok(number)
}

fn check_may_have_default(table: &Table, number: usize, drops: bool) -> Result<()> {
    let column = &table.columns[number];
    let (kind, clause) = match (column.identity, &column.generated) {
        (Some(_), _) => ("an identity", "IDENTITY"),
        (_, Some(_)) => ("a generated", "EXPRESSION"),
        _ => return Ok(()),
    };
    let message = format!("column \"{}\" of relation \"{}\" is {kind} column", column.name, table.name);
    let mut error = SqlError::new("42601", message);
    error.hint = drops.then(|| format!("Use ALTER TABLE ... ALTER COLUMN ... DROP {clause} instead."));
    Err(error.into())
}

fn check_may_be_null(table: &Table, number: usize) -> Result<()> {
    let name = &table.columns[number].name;
    if table.columns[number].identity.is_some() {
        return fail("42601", format!("column \"{name}\" of relation \"{}\" is an identity column", table.name));
    }
    let of_key = table.primary().and_then(Index::key_columns).is_some_and(|columns| columns.contains(&number));
    if of_key { fail("42P16", format!("column \"{name}\" is in a primary key")) } else { Ok(()) }
}
