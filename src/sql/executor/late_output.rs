//! Volatile output of a sorted query. PostgreSQL computes it after the sort, and only for the rows that are asked for: `SELECT n,
//! nextval('s') FROM t ORDER BY n LIMIT 1` takes one number. What is sorted by is computed before.

use crate::sql::error::Result;
use crate::sql::executor::sort::sort_by_keys;
use crate::sql::executor::{Context, Flow, RowSink};
use crate::sql::plan::{QueryPlan, SelectPlan, SortBy, SortKey};
use crate::trace::Value;

fn is_postponed(order: &[SortKey], select: &SelectPlan, column: usize) -> bool {
    select.output[column].is_volatile() && !order.iter().any(|key| key.by == SortBy::Output(column))
}

pub fn is_late(query: &QueryPlan, select: &SelectPlan) -> bool {
    query.locks.is_empty()
        && select.distinct.is_none()
        && (0..select.output.len()).any(|column| is_postponed(&query.order, select, column))
}

impl Context<'_> {
    pub fn run_sorted_then_output(&mut self, query: &QueryPlan, select: &SelectPlan, sink: RowSink) -> Result<Flow> {
        let slots: Vec<u16> = select.slots.iter().collect();
        let postponed: Vec<bool> =
            (0..select.output.len()).map(|column| is_postponed(&query.order, select, column)).collect();
        let mut keyed = Vec::new();
        self.run_node(&select.from, &mut |context| {
            let mut row = Vec::with_capacity(select.output.len());
            for (expr, postponed) in select.output.iter().zip(&postponed) {
                row.push(if *postponed { Value::Null } else { context.evaluate(expr)? });
            }
            let keys = context.sort_keys(&query.order, &row)?;
            keyed.push((keys, (context.keep(&slots), row)));
            Ok(Flow::More)
        })?;
        sort_by_keys(&mut keyed, &query.order);
        for (_, (kept, mut row)) in keyed {
            self.put_back(&slots, &kept);
            for (column, expr) in select.output.iter().enumerate().filter(|(column, _)| postponed[*column]) {
                row[column] = self.evaluate(expr)?;
            }
            self.count_rows(query.stages.sort.id, 1);
            if sink(self, row)? == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }
}
