//! What stands above FROM: groups and windows, set operations, and the order, locks and limit of a query.

use crate::sql::expr::{Expr, SlotSet};
use crate::sql::plan::{
    BoundBody, BoundQuery, BoundSelect, Distinct, Estimate, Grouping, HashAggregate, LockTarget, Operator,
    OutputColumn, PlanNode, QueryBody, QueryPlan, Recheck, SelectPlan, SetOperation, SortKey, Stages, Window,
    Windowing, joinable,
};
use crate::trace::Value;

use super::order::WantedOrder;
use super::{Planner, cost};

/// A query without its body.
pub struct QueryModifiers {
    pub columns: Vec<OutputColumn>,
    pub order: Vec<SortKey>,
    pub presorted: bool,
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
    pub locks: Vec<LockTarget>,
}

impl Planner<'_> {
    pub fn query(&mut self, bound: BoundQuery) -> QueryPlan {
        let BoundQuery { body, columns, order, limit, offset, locks } = bound;
        let modifiers = QueryModifiers { columns, order, presorted: false, limit, offset, locks };
        match body {
            BoundBody::Select(select) => self.select(*select, modifiers),
            BoundBody::Values(rows) => {
                let estimate = cost::values(rows.len());
                self.finished(QueryBody::Values(rows), estimate, modifiers)
            }
            BoundBody::SetOperation { operation, all, inputs } => self.set_operation(operation, all, inputs, modifiers),
        }
    }

    fn set_operation(
        &mut self,
        operation: SetOperation,
        all: bool,
        inputs: Vec<BoundQuery>,
        modifiers: QueryModifiers,
    ) -> QueryPlan {
        let inputs: Vec<QueryPlan> = inputs.into_iter().map(|input| self.query(input)).collect();
        let estimate = cost::set_operation(inputs.iter().map(QueryPlan::estimate));
        self.finished(QueryBody::SetOperation { operation, all, inputs }, estimate, modifiers)
    }

    fn select(&mut self, bound: BoundSelect, mut modifiers: QueryModifiers) -> QueryPlan {
        let bound = match self.min_max_by_index(bound) {
            Ok(from) => return self.selected(from, modifiers),
            Err(bound) => bound,
        };
        let BoundSelect { sources, slots, conditions, grouping, windowing, output, distinct, may_join, .. } = bound;
        let recheck =
            (!modifiers.locks.is_empty()).then(|| Recheck::new(&conditions, &sources, &self.parts.subqueries));
        let joinable = if may_join { joinable(&conditions, &sources) } else { None };
        let is_made = grouping.is_some() || windowing.is_some();
        let by_rows = !is_made && !matches!(distinct, Some(Distinct::Rows));
        let wanted = WantedOrder {
            order: if by_rows { &modifiers.order } else { &[] },
            first_rows: modifiers.limit.is_some() && !is_made,
        };
        let planned = self.from(sources, conditions, wanted);
        modifiers.presorted = planned.ordered && by_rows && !modifiers.order.is_empty();
        let (from, slots) = self.made_of(planned.node, slots, grouping, windowing);
        let query = self.selected(SelectPlan { from, output, distinct, slots }, modifiers);
        QueryPlan { recheck, joinable, ..query }
    }

    /// Groups and windows over rows.
    pub fn made_of(
        &mut self,
        mut node: PlanNode,
        mut slots: SlotSet,
        grouping: Option<Grouping>,
        windowing: Option<Windowing>,
    ) -> (PlanNode, SlotSet) {
        if let Some(Grouping { keys, aggregates, having, slot }) = grouping {
            let estimate = cost::group(node.estimate, !keys.is_empty());
            let group = HashAggregate { input: node, keys, aggregates, slot, input_slots: slots, having };
            node = self.node(Operator::HashAggregate(Box::new(group)), estimate);
            slots = slots.union(SlotSet::one(slot));
        }
        if let Some(Windowing { calls, slot }) = windowing {
            let estimate = cost::window(node.estimate);
            let window = Window { input: node, calls, slot, input_slots: slots };
            node = self.node(Operator::Window(Box::new(window)), estimate);
            slots = slots.union(SlotSet::one(slot));
        }
        (node, slots)
    }

    pub fn selected(&mut self, select: SelectPlan, modifiers: QueryModifiers) -> QueryPlan {
        let estimate = select.from.estimate;
        self.finished(QueryBody::Select(select), estimate, modifiers)
    }

    fn finished(&mut self, body: QueryBody, estimate: Estimate, modifiers: QueryModifiers) -> QueryPlan {
        let QueryModifiers { columns, order, presorted, limit, offset, locks } = modifiers;
        let is_sorted = !order.is_empty() && !presorted;
        let sorted = if is_sorted { cost::sort(estimate) } else { estimate };
        let limited = match &limit {
            Some(Expr::Const(Value::Int(limit))) => cost::limit(sorted, *limit as f64, !is_sorted),
            _ => sorted,
        };
        let stages = Stages {
            body: self.stage(estimate),
            sort: self.stage(sorted),
            lock: self.stage(sorted),
            limit: self.stage(limited),
        };
        QueryPlan { body, columns, order, presorted, limit, offset, locks, recheck: None, joinable: None, stages }
    }
}
