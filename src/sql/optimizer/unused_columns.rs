//! Columns of a subquery in FROM that the query around it does not read.

use std::collections::BTreeSet;

use crate::sql::expr::{Expr, SlotSet};
use crate::sql::plan::{BoundBody, BoundQuery, BoundSelect, Derived, Distinct, SortBy, SortKey, Source};
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

/// The same once constants are computed: of `c * NULL` nothing is left that reads `c`.
pub fn drop_unread_columns(query: &mut BoundQuery, _: &mut Folder) {
    let BoundBody::Select(select) = &mut query.body else { return };
    // What finds rows to be written puts nothing out: SET and RETURNING read it, which stand elsewhere.
    if select.output.is_empty() {
        return;
    }
    let mut read = Columns::default();
    expressions(select, &query.order, &mut |expr| read.note(expr));
    let within = select.sources.iter().fold(SlotSet::NONE, |slots, source| slots.union(source.reads()));
    let around = read.by_subqueries.union(within);
    for source in &mut select.sources {
        source.for_each_derived_mut(&mut |derived| {
            // What a subquery or a LATERAL neighbour reads stands in its own query.
            if SlotSet::one(derived.slot).meets(around) {
                return;
            }
            for (column, used) in derived.used.iter_mut().enumerate() {
                *used = *used && read.columns.contains(&(derived.slot, column as u16));
            }
            drop_from(derived);
        });
    }
}

#[derive(Default)]
struct Columns {
    columns: BTreeSet<(u16, u16)>,
    /// Slots of which a subquery of an expression reads something.
    by_subqueries: SlotSet,
}

impl Columns {
    fn note(&mut self, expr: &Expr) {
        match expr {
            Expr::Column { slot, column } => _ = self.columns.insert((*slot, *column)),
            Expr::Subquery(subquery) => self.by_subqueries = self.by_subqueries.union(subquery.outer),
            _ => {}
        }
        expr.children().into_iter().for_each(|child| self.note(child));
    }
}

/// All that stands in a SELECT itself.
fn expressions(select: &BoundSelect, order: &[SortKey], visit: &mut dyn FnMut(&Expr)) {
    let keys = |keys: &[SortKey], visit: &mut dyn FnMut(&Expr)| {
        for key in keys {
            if let SortBy::Expr(by) = &key.by {
                visit(by);
            }
        }
    };
    select.conditions.iter().chain(&select.output).for_each(&mut *visit);
    select.sources.iter().for_each(|source| join_conditions(source, visit));
    if let Some(grouping) = &select.grouping {
        grouping.keys.iter().chain(&grouping.having).for_each(&mut *visit);
        for call in &grouping.aggregates {
            call.arguments.iter().chain(&call.filter).for_each(&mut *visit);
            keys(&call.order, visit);
        }
    }
    for call in select.windowing.iter().flat_map(|windowing| &windowing.calls) {
        call.arguments.iter().chain(&call.partition).for_each(&mut *visit);
        keys(&call.order, visit);
    }
    if let Some(Distinct::On(exprs)) = &select.distinct {
        exprs.iter().for_each(&mut *visit);
    }
    keys(order, visit);
}

fn join_conditions(source: &Source, visit: &mut dyn FnMut(&Expr)) {
    if let Source::Join { left, right, on, .. } = source {
        on.iter().for_each(&mut *visit);
        join_conditions(left, visit);
        join_conditions(right, visit);
    }
}
