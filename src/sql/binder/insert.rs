//! INSERT: an expression for each column of each new row.

use crate::sql::catalog::{Identity, Table};
use crate::sql::error::{Result, error};
use crate::sql::expr::Expr;
use crate::sql::parser::ast;
use crate::sql::plan::{BoundBody, BoundRows, BoundWrite, BoundWriteKind, TARGET};
use crate::sql::types::Type;
use crate::store::Mode;
use crate::trace::SqlError;

use super::query::{check_rows_are_alike, output_position};
use super::target::{assigned, is_default, own_default};
use super::{Binder, Typed, relation_name};

impl Binder<'_> {
    pub fn insert(&mut self, insert: &ast::Insert) -> Result<BoundWrite> {
        let at = insert.table.begin().0;
        let name = relation_name(&insert.table).map_err(|stop| stop.at(at))?;
        let table = self.catalog.existing(&name).map_err(|stop| stop.at(at))?.clone();
        self.use_table(&table, Mode::RowExclusive);
        let slot = self.slot(table.columns.len())?;
        assert_eq!(slot, TARGET, "the written row stands first");
        let targets = insert_targets(&table, &insert.columns)?;
        let rows = self.insert_rows(&table, &targets, insert)?;
        let alias = insert.alias.as_ref().map_or_else(|| table.name.clone(), |alias| alias.name.clone());
        self.open_scope("INSERT");
        self.add_table_at(&table, alias.clone(), TARGET)?;
        let conflict = insert.on_conflict.as_ref().map(|on| self.on_conflict(&table, on)).transpose()?;
        self.close_scope();
        self.open_scope("RETURNING");
        self.add_table_at(&table, alias, TARGET)?;
        let returning = insert.returning.as_ref().map(|items| self.returning(items)).transpose()?;
        self.close_scope();
        Ok(BoundWrite { table, kind: BoundWriteKind::Insert { rows, conflict }, returning })
    }

    fn insert_rows(&mut self, table: &Table, targets: &[usize], insert: &ast::Insert) -> Result<BoundRows> {
        let Some(query) = &insert.source else {
            return Ok(BoundRows::Listed(vec![full_row(table, &[], Vec::new())]));
        };
        match &query.body {
            ast::SetExpr::Values(values)
                if query.with.is_none() && query.order_by.is_empty() && query.limit.is_none() =>
            {
                check_rows_are_alike(values)?;
                let rows = values.iter().map(|row| self.listed_row(table, targets, row, &insert.columns));
                Ok(BoundRows::Listed(rows.collect::<Result<_>>()?))
            }
            _ => self.queried_rows(table, targets, query, &insert.columns),
        }
    }

    fn listed_row(
        &mut self,
        table: &Table,
        targets: &[usize],
        row: &[ast::Expr],
        named: &[ast::Ident],
    ) -> Result<Vec<Expr>> {
        check_width(row.len(), targets.len(), named, |place| row[place].begin())?;
        let mut given = Vec::new();
        for (expr, column) in row.iter().zip(targets) {
            given.push(if is_default(expr) { None } else { Some(self.given_value(table, *column, expr)?) });
        }
        Ok(full_row(table, targets, given))
    }

    fn given_value(&mut self, table: &Table, column: usize, expr: &ast::Expr) -> Result<Expr> {
        check_may_be_given(table, column)?;
        self.open_scope("VALUES");
        let bound = self.expr(expr);
        self.close_scope();
        let mut value = assigned(&table.columns[column], bound?)?;
        self.folder.fold(&mut value);
        Ok(value)
    }

    fn queried_rows(
        &mut self,
        table: &Table,
        targets: &[usize],
        query: &ast::Query,
        named: &[ast::Ident],
    ) -> Result<BoundRows> {
        let written = query;
        let query = self.query_for_columns(query)?;
        check_width(query.columns.len(), targets.len(), named, |place| output_position(&written.body, place))?;
        let slot = self.slot(query.columns.len())?;
        let mut given = Vec::new();
        for (number, (column, target)) in query.columns.iter().zip(targets).enumerate() {
            check_may_be_given(table, *target)?;
            // A literal is read as the column's type once and for all.
            let source = match &query.body {
                BoundBody::Select(select)
                    if column.ty == Type::Unknown && matches!(select.output[number], Expr::Const(_)) =>
                {
                    select.output[number].clone()
                }
                _ => Expr::Column { slot, column: number as u16 },
            };
            let source = Typed::new(source, column.ty.clone());
            let value = assigned(&table.columns[*target], source);
            given.push(Some(value.map_err(|stop| stop.at(output_position(&written.body, number).0))?));
        }
        Ok(BoundRows::Queried { columns: full_row(table, targets, given), query, slot })
    }
}

/// The columns a row gives values for, in the order of its values.
fn insert_targets(table: &Table, columns: &[ast::Ident]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Ok(table.live_columns().map(|(number, _)| number).collect());
    }
    let mut targets = Vec::new();
    for ast::Ident { name: column, at } in columns {
        let Some(number) = table.column(column) else {
            let message = format!("column \"{column}\" of relation \"{}\" does not exist", table.name);
            return Err(error("42703", message).at(at.0));
        };
        if targets.contains(&number) {
            return Err(error("42701", format!("column \"{column}\" specified more than once")).at(at.0));
        }
        targets.push(number);
    }
    Ok(targets)
}

/// Without a list of columns a row may be shorter than the table.
fn check_width(
    given: usize,
    wanted: usize,
    named: &[ast::Ident],
    position: impl FnOnce(usize) -> ast::CursorPosition,
) -> Result<()> {
    if given > wanted {
        return Err(error("42601", "INSERT has more expressions than target columns").at(position(wanted).0));
    }
    match named.get(given) {
        Some(missing) => Err(error("42601", "INSERT has more target columns than expressions").at(missing.at.0)),
        None => Ok(()),
    }
}

fn check_may_be_given(table: &Table, column: usize) -> Result<()> {
    let column = &table.columns[column];
    if column.identity != Some(Identity::Always) && column.generated.is_none() {
        return Ok(());
    }
    let message = format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name);
    let mut wrong = SqlError::new("428C9", message);
    wrong.detail = Some(if column.generated.is_some() {
        format!("Column \"{}\" is a generated column.", column.name)
    } else {
        format!("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name)
    });
    Err(wrong.into())
}

/// An expression for each column: what is given, else its default.
fn full_row(table: &Table, targets: &[usize], mut given: Vec<Option<Expr>>) -> Vec<Expr> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(number, column)| {
            let place = targets.iter().position(|target| *target == number).filter(|place| *place < given.len());
            place.and_then(|place| given[place].take()).unwrap_or_else(|| own_default(column))
        })
        .collect()
}
