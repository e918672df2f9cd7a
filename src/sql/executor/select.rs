//! A SELECT above its FROM: what it puts out, DISTINCT, ORDER BY.

use rustc_hash::FxHashSet;

use crate::sql::budget::{Budget, row_bytes};
use crate::sql::error::Result;
use crate::sql::plan::{Distinct, QueryPlan, SelectPlan, SortBy};
use crate::store::Key;
use crate::trace::Value;

use super::sort::sort_by_keys;
use super::{Context, Flow, RowSink, late_output};

/// Rows that were there already.
#[derive(Default)]
pub(super) struct Seen {
    keys: FxHashSet<Key>,
    /// Bytes; whoever made it gives them back.
    pub(super) held: usize,
}

impl Seen {
    pub(super) fn is_new(&mut self, budget: &mut Budget, row: &[Value]) -> Result<bool> {
        let bytes = row_bytes(row);
        let is_new = self.keys.insert(Key(row.iter().cloned().collect()));
        if is_new {
            budget.hold(bytes, &mut self.held)?;
        }
        Ok(is_new)
    }
}

impl Context<'_> {
    pub(super) fn run_select(&mut self, query: &QueryPlan, select: &SelectPlan, sink: RowSink) -> Result<Flow> {
        let mut seen = Seen::default();
        let stages = &query.stages;
        for stage in [&stages.body, &stages.sort, &stages.lock] {
            self.count_loop(stage.id);
        }
        let mut emit = |context: &mut Context| {
            if !context.lock_rows(query)? {
                return Ok(Flow::More);
            }
            context.count_rows(stages.lock.id, 1);
            let row = context.evaluate_all(&select.output)?;
            let is_new = match &select.distinct {
                None => true,
                Some(Distinct::Rows) => seen.is_new(&mut context.run.budget, &row)?,
                Some(Distinct::On(exprs)) => {
                    let key = context.evaluate_all(exprs)?;
                    seen.is_new(&mut context.run.budget, &key)?
                }
            };
            if !is_new {
                return Ok(Flow::More);
            }
            context.count_rows(stages.body.id, 1);
            sink(context, row)
        };
        if query.order.is_empty() || query.presorted {
            let flow = self.run_node(&select.from, &mut emit)?;
            self.run.budget.release(seen.held);
            return Ok(flow);
        }
        if late_output::is_late(query, select) {
            return self.run_sorted_then_output(query, select, sink);
        }
        // Sorted output needs no frame unless rows are still to be locked or compared.
        if query.locks.is_empty() && !matches!(select.distinct, Some(Distinct::On(_))) {
            let distinct = select.distinct.is_some();
            let mut keyed = Vec::new();
            let mut held = 0;
            self.run_node(&select.from, &mut |context| {
                let row = context.evaluate_all(&select.output)?;
                if distinct && !seen.is_new(&mut context.run.budget, &row)? {
                    return Ok(Flow::More);
                }
                context.count_rows(stages.body.id, 1);
                context.run.budget.hold(row_bytes(&row), &mut held)?;
                let keys = context.sort_keys(&query.order, &row)?;
                context.run.budget.hold(row_bytes(&keys), &mut held)?;
                keyed.push((keys, row));
                Ok(Flow::More)
            })?;
            sort_by_keys(&mut keyed, &query.order);
            let mut flow = Flow::More;
            for (_, row) in keyed {
                self.count_rows(stages.sort.id, 1);
                flow = sink(self, row)?;
                if flow == Flow::Enough {
                    break;
                }
            }
            self.run.budget.release(held + seen.held);
            return Ok(flow);
        }
        let slots: Vec<u16> = select.slots.iter().collect();
        let mut keyed = Vec::new();
        let mut held = 0;
        self.run_node(&select.from, &mut |context| {
            let needs_output = query.order.iter().any(|key| matches!(key.by, SortBy::Output(_)));
            let row = if needs_output { context.evaluate_all(&select.output)? } else { Vec::new() };
            let keys = context.sort_keys(&query.order, &row)?;
            context.run.budget.hold(row_bytes(&keys), &mut held)?;
            keyed.push((keys, context.keep_held(&slots, &mut held)?));
            Ok(Flow::More)
        })?;
        sort_by_keys(&mut keyed, &query.order);
        let mut flow = Flow::More;
        for (_, kept) in keyed {
            self.put_back(&slots, &kept);
            self.count_rows(stages.sort.id, 1);
            flow = emit(self)?;
            if flow == Flow::Enough {
                break;
            }
        }
        self.run.budget.release(held + seen.held);
        Ok(flow)
    }

    pub(super) fn emit_sorted_output(
        &mut self,
        rows: Vec<Vec<Value>>,
        query: &QueryPlan,
        sink: RowSink,
    ) -> Result<Flow> {
        let QueryPlan { order, stages, .. } = query;
        self.count_loop(stages.body.id);
        self.count_loop(stages.sort.id);
        self.count_rows(stages.body.id, rows.len());
        if order.is_empty() {
            for row in rows {
                if sink(self, row)? == Flow::Enough {
                    return Ok(Flow::Enough);
                }
            }
            return Ok(Flow::More);
        }
        let mut keyed = Vec::with_capacity(rows.len());
        let mut held = 0;
        for row in rows {
            let keys = self.sort_keys(order, &row)?;
            self.run.budget.hold(row_bytes(&keys), &mut held)?;
            keyed.push((keys, row));
        }
        sort_by_keys(&mut keyed, order);
        self.run.budget.release(held);
        for (_, row) in keyed {
            self.count_rows(stages.sort.id, 1);
            if sink(self, row)? == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }
}
