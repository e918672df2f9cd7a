//! Columns: their types, and the expressions their values come from.

use std::rc::Rc;

use crate::sql::binder::Binder;
use crate::sql::binder::scope::DEFAULT_EXPRESSION;
use crate::sql::binder::target::assigned_from;
use crate::sql::catalog::system_names::is_system_column;
use crate::sql::catalog::{Column, Identity, Table};
use crate::sql::error::{Result, error, fail};
use crate::sql::expr::Expr;
use crate::sql::optimizer::const_fold::is_immutable;
use crate::sql::parser::ast::{self, ColumnConstraintKind, TableConstraintKind};
use crate::sql::types::Type;
use crate::trace::SqlError;

use super::constraint::UnboundConstraint;
use super::declarations::check_declarations;
use super::sequence::{SequenceDefinition, sequence_default};
use super::table::TableDefinition;

impl TableDefinition {
    pub(super) fn add_column(&mut self, binder: &Binder, definition: &ast::ColumnDef) -> Result<()> {
        let name = definition.name.name.clone();
        if self.table.column(&name).is_some() {
            return fail("42701", format!("column \"{name}\" specified more than once"));
        }
        if is_system_column(&name) {
            return fail("42701", format!("column name \"{name}\" conflicts with a system column name"));
        }
        let serial = serial_type(&definition.data_type)?;
        let is_serial = serial.is_some();
        let ty = serial.map_or_else(|| binder.type_of(&definition.data_type), Ok)?;
        let mut column =
            Column { name, ty, not_null: is_serial, default: None, identity: None, generated: None, dropped: false };
        if is_serial {
            self.add_sequence(&column.ty, &[])?;
        }
        for constraint in &definition.constraints {
            match &constraint.kind {
                ColumnConstraintKind::NotNull | ColumnConstraintKind::PrimaryKey => column.not_null = true,
                ColumnConstraintKind::Identity { always, options } => {
                    if !matches!(column.ty, Type::Int2 | Type::Int4 | Type::Int8) {
                        return fail("22023", "identity column type must be smallint, integer, or bigint");
                    }
                    column.not_null = true;
                    column.identity = Some(if *always { Identity::Always } else { Identity::ByDefault });
                    self.add_sequence(&column.ty, options)?;
                }
                _ => {}
            }
            if let Some(kind) = as_table_constraint(&constraint.kind, &definition.name) {
                let (own_name, deferrable) = (constraint.name.clone(), constraint.deferrable);
                self.constraints.push(UnboundConstraint {
                    of_column: Some(column.name.clone()),
                    constraint: ast::TableConstraint { name: own_name, kind, deferrable },
                });
            }
        }
        self.table.columns.push(column);
        Ok(())
    }

    /// What can be told of each column by itself comes before what is wrong with several.
    pub(super) fn check_columns(&self, binder: &Binder, definitions: &[ast::ColumnDef]) -> Result<()> {
        definitions.iter().try_for_each(|definition| {
            let is_serial = serial_type(&definition.data_type)?.is_some();
            if !is_serial {
                binder.type_of(&definition.data_type)?;
            }
            check_declarations(&self.table.name, definition, is_serial)
        })
    }

    /// For the column that is about to be added.
    fn add_sequence(&mut self, ty: &Type, options: &[ast::SequenceOption]) -> Result<()> {
        let mut sequence = SequenceDefinition::with(ty, options)?;
        sequence.owner = Some(self.table.id);
        // It has no name yet: the question is only whether the column takes its numbers.
        sequence_default("", ty)?;
        self.sequences.push((self.table.columns.len(), sequence));
        Ok(())
    }
}

/// A column's constraint is one of the table over this one column.
fn as_table_constraint(kind: &ColumnConstraintKind, column: &ast::Ident) -> Option<TableConstraintKind> {
    let own = || vec![column.clone()];
    match kind {
        ColumnConstraintKind::PrimaryKey => Some(TableConstraintKind::PrimaryKey(own())),
        ColumnConstraintKind::Unique => Some(TableConstraintKind::Unique(own())),
        ColumnConstraintKind::Check(condition) => Some(TableConstraintKind::Check(condition.clone())),
        ColumnConstraintKind::References(references) => {
            Some(TableConstraintKind::ForeignKey { columns: own(), references: references.clone() })
        }
        ColumnConstraintKind::Null
        | ColumnConstraintKind::NotNull
        | ColumnConstraintKind::Default(_)
        | ColumnConstraintKind::Generated(_)
        | ColumnConstraintKind::Identity { .. } => None,
    }
}

/// `serial` and its sizes are no types: an integer with a sequence of its own.
fn serial_type(data_type: &ast::DataType) -> Result<Option<Type>> {
    let [name] = data_type.name.0.as_slice() else { return Ok(None) };
    let ty = match &*name.name {
        "serial" | "serial4" => Type::Int4,
        "bigserial" | "serial8" => Type::Int8,
        "smallserial" | "serial2" => Type::Int2,
        _ => return Ok(None),
    };
    if data_type.dimensions > 0 {
        return Err(error("0A000", "array of serial is not implemented").at(name.at.0));
    }
    Ok(Some(ty))
}

impl<'a> Binder<'a> {
    /// For an expression that is kept: it is computed by itself, over a row in slot 0.
    fn afresh(&self) -> Binder<'a> {
        Binder::new(self.catalog, self.store, self.parameters)
    }

    /// A default sees no row.
    pub fn column_default(&self, column: &Column, expr: &ast::Expr) -> Result<Expr> {
        let mut binder = self.afresh();
        binder.open_kept_scope(DEFAULT_EXPRESSION, "DEFAULT expressions");
        let bound = binder.expr(expr)?;
        assigned_from(column, bound, "default expression")
    }

    /// A generated column's expression; it sees the row's other columns.
    pub(super) fn generated(
        &self,
        table: &Table,
        column: usize,
        expr: &ast::Expr,
        generated: &[usize],
    ) -> Result<Expr> {
        let mut binder = self.afresh();
        binder.open_kept_scope("column generation expression", "column generation expressions");
        binder.add_table(&Rc::new(table.clone()), table.name.clone())?;
        let bound = binder.expr(expr)?;
        let bound = assigned_from(&table.columns[column], bound, "default expression")?;
        check_generated(table, &bound, generated)?;
        Ok(bound)
    }
}

/// What a row's other columns alone decide, always alike.
fn check_generated(table: &Table, expr: &Expr, generated: &[usize]) -> Result<()> {
    for number in generated {
        if expr.any(&|part| matches!(part, Expr::Column { column, .. } if usize::from(*column) == *number)) {
            let name = &table.columns[*number].name;
            let message = format!("cannot use generated column \"{name}\" in column generation expression");
            let mut error = SqlError::new("42P17", message);
            error.detail = Some("A generated column cannot reference another generated column.".to_owned());
            return Err(error.into());
        }
    }
    if expr.any(&|part| !is_immutable(part)) {
        return fail("42P17", "generation expression is not immutable");
    }
    Ok(())
}
