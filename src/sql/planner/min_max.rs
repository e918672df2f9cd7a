//! `min(column)` over a table without groups, where an index gives the first row at once.
//!
//! No pass of the optimizer, for it is done where the planner finds a way to the rows in the column's order, and nowhere else: a
//! sort of the whole table would cost more than to look at each row.

use std::rc::Rc;

use crate::sql::expr::{Expr, SlotSet};
use crate::sql::functions::aggregate::AggregateFunction;
use crate::sql::plan::{Aggregate, BoundSelect, Grouping, Operator, PlanNode, SelectPlan, SortBy, SortKey, Source};
use crate::trace::Value;

use super::Planner;
use super::order::WantedOrder;
use super::query::QueryModifiers;

pub const NAME: &str = "min_max_by_index";

impl Planner<'_> {
    /// The aggregate over one row, which a subquery with ORDER BY and LIMIT 1 gives; or the SELECT as it was.
    pub fn min_max_by_index(&mut self, bound: BoundSelect) -> Result<SelectPlan, BoundSelect> {
        let Some((source, order)) = extreme(&bound).filter(|_| !self.skipped.has(NAME)) else { return Err(bound) };
        let SortBy::Expr(value) = order.by.clone() else { return Err(bound) };
        let mut conditions = bound.conditions.clone();
        conditions.push(Expr::IsNull { of: Box::new(value.clone()), negated: true });
        let order = vec![order];
        let planned = self.from(vec![source], conditions, WantedOrder { order: &order, first_rows: true });
        if !planned.ordered {
            return Err(bound);
        }
        let Some(slot) = self.slot(1) else { return Err(bound) };
        let BoundSelect { slots, grouping: Some(Grouping { aggregates, slot: made, .. }), output, distinct, .. } =
            bound
        else {
            return Err(bound);
        };
        let first = SelectPlan { from: planned.node, output: vec![value], distinct: None, slots };
        let derived = self.first_of(first, order, slot);
        let aggregates =
            aggregates.into_iter().map(|call| Aggregate { arguments: vec![Expr::Column { slot, column: 0 }], ..call });
        let grouping = Grouping { keys: Vec::new(), aggregates: aggregates.collect(), having: None, slot: made };
        let (from, _) = self.made_of(derived, SlotSet::one(slot), Some(grouping), None);
        Ok(SelectPlan { from, output, distinct, slots: SlotSet::one(made) })
    }

    fn first_of(&mut self, select: SelectPlan, order: Vec<SortKey>, slot: u16) -> PlanNode {
        let limit = Some(Expr::Const(Value::Int(1)));
        let modifiers =
            QueryModifiers { columns: Vec::new(), order, presorted: true, limit, offset: None, locks: Vec::new() };
        let query = Box::new(self.selected(select, modifiers));
        let estimate = query.estimate();
        self.node(Operator::Derived { slot, query, name: Rc::from("extreme") }, estimate)
    }
}

/// The table of a SELECT of one minimum or maximum, and the order in which its row comes first.
fn extreme(bound: &BoundSelect) -> Option<(Source, SortKey)> {
    let ([Source::Table { table, alias, slot }], Some(grouping), None) =
        (bound.sources.as_slice(), &bound.grouping, &bound.windowing)
    else {
        return None;
    };
    let [call] = grouping.aggregates.as_slice() else { return None };
    if !grouping.keys.is_empty() || grouping.having.is_some() || call.filter.is_some() {
        return None;
    }
    let descending = match call.function {
        AggregateFunction::Min => false,
        AggregateFunction::Max => true,
        _ => return None,
    };
    let value = call.arguments.first().filter(|value| matches!(value, Expr::Column { .. }))?.clone();
    let source = Source::Table { table: table.clone(), alias: alias.clone(), slot: *slot };
    Some((source, SortKey { by: SortBy::Expr(value), descending, nulls_first: descending }))
}
