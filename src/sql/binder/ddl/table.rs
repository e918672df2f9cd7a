//! CREATE TABLE, and ALTER TABLE … ADD COLUMN.

use crate::sql::binder::Binder;
use crate::sql::catalog::{Table, Temporary};
use crate::sql::error::{Result, fail, refuse};
use crate::sql::parser::ast::{self, ColumnConstraintKind, OnCommit, TableConstraintKind};
use crate::trace::SessionId;

use super::constraint::UnboundConstraint;
use super::sequence::SequenceDefinition;

pub struct TableDefinition {
    /// Its constraints are still to be made; so are the defaults that come from sequences.
    pub table: Table,
    /// Of SERIAL and IDENTITY columns, each with its column's place.
    pub sequences: Vec<(usize, SequenceDefinition)>,
    pub constraints: Vec<UnboundConstraint>,
}

impl TableDefinition {
    fn of(table: Table) -> TableDefinition {
        TableDefinition { table, sequences: Vec::new(), constraints: Vec::new() }
    }
}

/// What CREATE TABLE says of where the table lives and how long.
pub fn lifetime(create: &ast::CreateTable, session: SessionId) -> Result<Option<Temporary>> {
    if !create.temporary {
        return match create.on_commit {
            None => Ok(None),
            Some(_) => fail("42P16", "ON COMMIT can only be used on temporary tables"),
        };
    }
    if matches!(create.name.0.as_slice(), [schema, _] if &*schema.name != "pg_temp") {
        return fail("42P16", "cannot create temporary relation in non-temporary schema");
    }
    Ok(Some(Temporary { session, on_commit: create.on_commit.unwrap_or(OnCommit::PreserveRows) }))
}

impl Binder<'_> {
    /// Gives a table that has nothing but its name what is written in the parentheses.
    pub fn table_definition(&self, table: Table, create: &ast::CreateTable) -> Result<TableDefinition> {
        let mut definition = TableDefinition::of(table);
        definition.check_columns(self, &create.columns)?;
        check_checks(create)?;
        for column in &create.columns {
            definition.add_column(self, column)?;
        }
        let of_table = create.constraints.iter();
        definition.constraints.extend(of_table.map(|constraint| UnboundConstraint::of_table(constraint.clone())));
        // The primary key first: other constraints may lean on it.
        definition.constraints.sort_by_key(|unbound| match unbound.constraint.kind {
            TableConstraintKind::PrimaryKey(_) => 0,
            TableConstraintKind::Unique(_) => 1,
            TableConstraintKind::Check(_) => 2,
            TableConstraintKind::ForeignKey { .. } => 3,
        });
        self.defaults_of(&mut definition.table, &create.columns)?;
        Ok(definition)
    }

    /// The table with one column more.
    pub fn added_column(&self, table: Table, column: &ast::ColumnDef) -> Result<TableDefinition> {
        let mut definition = TableDefinition::of(table);
        definition.check_columns(self, std::slice::from_ref(column))?;
        definition.add_column(self, column)?;
        let table = &mut definition.table;
        let number = table.columns.len() - 1;
        for constraint in &column.constraints {
            match &constraint.kind {
                ColumnConstraintKind::Default(expr) => {
                    table.columns[number].default = Some(self.column_default(&table.columns[number], expr)?);
                }
                ColumnConstraintKind::Generated(_) => return refuse("ALTER TABLE … ADD a generated column"),
                _ => {}
            }
        }
        Ok(definition)
    }

    /// Once all columns are known: a generated one may read those after it.
    fn defaults_of(&self, table: &mut Table, columns: &[ast::ColumnDef]) -> Result<()> {
        let is_generated = |column: &&ast::ColumnDef| {
            column.constraints.iter().any(|constraint| matches!(constraint.kind, ColumnConstraintKind::Generated(_)))
        };
        let generated: Vec<usize> =
            columns.iter().filter(is_generated).filter_map(|column| table.column(&column.name.name)).collect();
        for column in columns {
            let name = &column.name.name;
            let number = table.column(name).expect("just added");
            for constraint in &column.constraints {
                match &constraint.kind {
                    ColumnConstraintKind::Default(expr) => {
                        table.columns[number].default = Some(self.column_default(&table.columns[number], expr)?);
                    }
                    ColumnConstraintKind::Generated(expr) => {
                        table.columns[number].generated = Some(self.generated(table, number, expr, &generated)?);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// PostgreSQL makes the checks before all other constraints, and tells two of one name by a message of their own.
fn check_checks(create: &ast::CreateTable) -> Result<()> {
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    let of_columns = of_columns
        .filter(|constraint| matches!(constraint.kind, ColumnConstraintKind::Check(_)))
        .filter_map(|constraint| constraint.name.as_ref());
    let of_table = create.constraints.iter();
    let of_table = of_table
        .filter(|constraint| matches!(constraint.kind, TableConstraintKind::Check(_)))
        .filter_map(|constraint| constraint.name.as_ref());
    let names: Vec<&str> = of_columns.chain(of_table).map(|name| &*name.name).collect();
    let repeated = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
    repeated.map_or(Ok(()), |(_, name)| fail("42710", format!("check constraint \"{name}\" already exists")))
}
