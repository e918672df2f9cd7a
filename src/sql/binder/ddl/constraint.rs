//! Constraints, each bound when its turn comes.

use std::rc::Rc;

use crate::sql::binder::{Binder, names_of};
use crate::sql::catalog::{Check, Table, missing_column};
use crate::sql::error::{Result, Stop, fail, refuse};
use crate::sql::expr::Expr;
use crate::sql::parser::ast::{self, TableConstraintKind};

use super::foreign_key::ForeignKeyDefinition;

pub struct UnboundConstraint {
    /// Where it stands with a column.
    pub of_column: Option<Rc<str>>,
    pub constraint: ast::TableConstraint,
}

impl UnboundConstraint {
    pub fn of_table(constraint: ast::TableConstraint) -> UnboundConstraint {
        UnboundConstraint { of_column: None, constraint }
    }
}

pub enum ConstraintDefinition {
    Key(KeyDefinition),
    Check(Check),
    ForeignKey(ForeignKeyDefinition),
}

/// PRIMARY KEY or UNIQUE.
pub struct KeyDefinition {
    pub name: Rc<str>,
    pub columns: Vec<usize>,
    pub primary: bool,
}

/// A column of PRIMARY KEY or UNIQUE.
fn key_column(table: &Table, name: &str) -> Result<usize> {
    table.column(name).ok_or_else(|| match missing_column(name) {
        Stop::Failed(mut error) => {
            error.message = format!("column \"{name}\" named in key does not exist");
            Stop::Failed(error)
        }
        other => other,
    })
}

impl Binder<'_> {
    pub fn constraint(&mut self, table: &Rc<Table>, unbound: &UnboundConstraint) -> Result<ConstraintDefinition> {
        let constraint = &unbound.constraint;
        if constraint.deferrable {
            return refuse("a DEFERRABLE constraint");
        }
        let name = constraint.name.as_ref().map(|name| name.name.clone());
        match &constraint.kind {
            TableConstraintKind::PrimaryKey(columns) => {
                if table.primary().is_some() {
                    let message = format!("multiple primary keys for table \"{}\" are not allowed", table.name);
                    return fail("42P16", message);
                }
                Ok(ConstraintDefinition::Key(self.key(table, name, columns, true)?))
            }
            TableConstraintKind::Unique(columns) => {
                Ok(ConstraintDefinition::Key(self.key(table, name, columns, false)?))
            }
            TableConstraintKind::Check(condition) => {
                let of_column = unbound.of_column.as_deref();
                Ok(ConstraintDefinition::Check(self.check(table, name, of_column, condition)?))
            }
            TableConstraintKind::ForeignKey { columns, references } => {
                Ok(ConstraintDefinition::ForeignKey(self.foreign_key(table, name, columns, references)?))
            }
        }
    }

    fn key(
        &self,
        table: &Table,
        name: Option<Rc<str>>,
        columns: &[ast::Ident],
        primary: bool,
    ) -> Result<KeyDefinition> {
        let columns = names_of(columns);
        let mut numbers = Vec::new();
        for column in &columns {
            let number = key_column(table, column)?;
            if numbers.contains(&number) {
                let kind = if primary { "primary key" } else { "unique" };
                return fail("42701", format!("column \"{column}\" appears twice in {kind} constraint"));
            }
            numbers.push(number);
        }
        let name = name.unwrap_or_else(|| {
            let wanted = if primary {
                format!("{}_pkey", table.name)
            } else {
                format!("{}_{}_key", table.name, columns.join("_"))
            };
            self.catalog.free_key_name(&wanted, table.temporary.map(|it| it.session))
        });
        Ok(KeyDefinition { name, columns: numbers, primary })
    }

    fn check(
        &mut self,
        table: &Rc<Table>,
        name: Option<Rc<str>>,
        of_column: Option<&str>,
        condition: &ast::Expr,
    ) -> Result<Check> {
        self.open_kept_scope("check constraint", "check constraints");
        self.add_table(table, table.name.clone())?;
        let condition = self.condition(condition, "CHECK")?;
        self.close_scope();
        let name = name.unwrap_or_else(|| {
            let wanted = match of_column.or_else(|| only_column(table, &condition)) {
                Some(column) => format!("{}_{column}_check", table.name),
                None => format!("{}_check", table.name),
            };
            self.catalog.free_constraint_name(&wanted, table.temporary.map(|it| it.session))
        });
        check_name_is_free(table, &name)?;
        Ok(Check { name, condition })
    }
}

pub fn check_name_is_free(table: &Table, name: &str) -> Result<()> {
    if !table.has_constraint(name) {
        return Ok(());
    }
    fail("42710", format!("constraint \"{name}\" for relation \"{}\" already exists", table.name))
}

/// The one column a condition reads, by which PostgreSQL names a table's CHECK.
fn only_column<'t>(table: &'t Table, condition: &Expr) -> Option<&'t str> {
    fn columns(expr: &Expr, into: &mut Vec<u16>) {
        if let Expr::Column { column, .. } = expr
            && !into.contains(column)
        {
            into.push(*column);
        }
        expr.children().into_iter().for_each(|child| columns(child, into));
    }
    let mut found = Vec::new();
    columns(condition, &mut found);
    match found.as_slice() {
        [only] => Some(&table.columns[usize::from(*only)].name),
        _ => None,
    }
}
