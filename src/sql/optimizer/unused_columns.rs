//! Columns of a subquery in FROM that nothing in the statement reads, and aggregates that nothing reads any more.

use std::collections::BTreeSet;

use crate::sql::expr::Expr;
use crate::sql::functions::aggregate::AggregateFunction;
use crate::sql::plan::{Aggregate, BoundBody, BoundStatement, Derived, Grouping, SortKey};
use crate::trace::Value;

/// They are not computed: an expression among them that would fail does not.
pub fn drop_unused_columns(statement: &mut BoundStatement) {
    let read = columns_read(statement);
    for (root, _) in statement.roots_mut() {
        root.for_each_mut(&mut |query| {
            if let BoundBody::Select(select) = &mut query.body {
                let sources = select.sources.iter_mut();
                sources.for_each(|source| source.for_each_derived_mut(&mut |derived| drop_from(derived, &read)));
            }
        });
    }
    let read = columns_read(statement);
    for (root, _) in statement.roots_mut() {
        root.for_each_mut(&mut |query| {
            if let BoundBody::Select(select) = &mut query.body
                && let Some(grouping) = &mut select.grouping
            {
                drop_aggregates(grouping, &read);
            }
        });
    }
}

fn columns_read(statement: &BoundStatement) -> BTreeSet<(u16, u16)> {
    let mut read = BTreeSet::new();
    statement.for_each_expr(&mut |expr| note_columns(expr, &mut read));
    read
}

fn note_columns(expr: &Expr, read: &mut BTreeSet<(u16, u16)>) {
    if let Expr::Column { slot, column } = expr {
        read.insert((*slot, *column));
    }
    expr.children().into_iter().for_each(|child| note_columns(child, read));
}

/// The row keeps its width. Where rows are compared or locked, and where a column has an effect, all are computed.
fn drop_from(derived: &mut Derived, read: &BTreeSet<(u16, u16)>) {
    let Derived { query, slot, .. } = derived;
    let BoundBody::Select(select) = &mut query.body else { return };
    if select.distinct.is_some() || !query.locks.is_empty() {
        return;
    }
    for (number, expr) in select.output.iter_mut().enumerate() {
        if !read.contains(&(*slot, number as u16)) && !expr.is_volatile() {
            *expr = Expr::Const(Value::Null);
        }
    }
}

/// The row of a group keeps its width: what is not read only counts.
fn drop_aggregates(grouping: &mut Grouping, read: &BTreeSet<(u16, u16)>) {
    let Grouping { aggregates, slot, .. } = grouping;
    for (number, call) in aggregates.iter_mut().enumerate() {
        let mut parts = call.arguments.iter().chain(&call.filter).chain(call.order.iter().filter_map(SortKey::expr));
        if !read.contains(&(*slot, number as u16)) && !parts.any(Expr::is_volatile) {
            let function = AggregateFunction::CountRows;
            *call = Aggregate { function, arguments: Vec::new(), distinct: false, filter: None, order: Vec::new() };
        }
    }
}
