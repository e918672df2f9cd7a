//! Columns of a subquery in FROM that the query around it does not read.

use crate::sql::expr::Expr;
use crate::sql::plan::{BoundBody, BoundQuery, Derived};
use crate::trace::Value;

use super::Folder;

/// They are not computed: an expression among them that would fail does not.
pub fn drop_unused_columns(query: &mut BoundQuery, _: &mut Folder) {
    if let BoundBody::Select(select) = &mut query.body {
        select.sources.iter_mut().for_each(|source| source.for_each_derived_mut(&mut drop_from));
    }
}

/// The row keeps its width. Where rows are compared or locked, and where a column has an effect, all are computed.
fn drop_from(derived: &mut Derived) {
    let Derived { query, used, .. } = derived;
    let BoundBody::Select(select) = &mut query.body else { return };
    if select.distinct.is_some() || !query.locks.is_empty() {
        return;
    }
    for (number, expr) in select.output.iter_mut().enumerate() {
        if !used.get(number).is_some_and(|used| *used) && !expr.is_volatile() {
            *expr = Expr::Const(Value::Null);
        }
    }
}
