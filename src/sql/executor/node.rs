//! Runs a node of a plan: its rows come to stand in the frame, one after the other.

use std::rc::Rc;

use crate::sql::error::Result;
use crate::sql::plan::{NodeId, Operator, PlanNode};
use crate::store::elements;
use crate::trace::Value;

use super::{Context, Flow, Sink};

impl Context<'_> {
    pub fn run_node(&mut self, node: &PlanNode, sink: Sink) -> Result<Flow> {
        if self.run.counts.is_none() {
            return self.run_operator(&node.operator, sink);
        }
        self.count_loop(node.id);
        self.run_operator(&node.operator, &mut |context| {
            context.count_rows(node.id, 1);
            sink(context)
        })
    }

    /// EXPLAIN ANALYZE counts how often each part of a plan is begun, and what it gives.
    pub(super) fn count_loop(&mut self, id: NodeId) {
        if let Some(counts) = &mut self.run.counts {
            counts.of_mut(id).loops += 1;
        }
    }

    pub(super) fn count_rows(&mut self, id: NodeId, rows: usize) {
        if let Some(counts) = &mut self.run.counts {
            counts.of_mut(id).rows += rows as u64;
        }
    }

    fn run_operator(&mut self, operator: &Operator, sink: Sink) -> Result<Flow> {
        match operator {
            Operator::OneRow => sink(self),
            Operator::Scan(scan) => self.run_scan(scan, sink),
            Operator::Filter { input, condition } => self.run_node(input, &mut |context| {
                if context.holds(condition)? { sink(context) } else { Ok(Flow::More) }
            }),
            Operator::OneTimeFilter { input, condition } => {
                if self.holds(condition)? {
                    self.run_node(input, sink)
                } else {
                    Ok(Flow::More)
                }
            }
            Operator::Series { slot, start, stop, step } => self.run_series(*slot, start, stop, step.as_ref(), sink),
            Operator::Unnest { slot, array } => {
                if let Value::Array(array) = self.evaluate(array)? {
                    for element in elements(&array) {
                        self.put(*slot, Rc::from([element.clone()]));
                        if sink(self)? == Flow::Enough {
                            return Ok(Flow::Enough);
                        }
                    }
                }
                Ok(Flow::More)
            }
            Operator::Derived { slot, query, .. } => self.run_query(query, &mut |context, row| {
                context.put(*slot, row.into());
                sink(context)
            }),
            Operator::Cte { slot, number, .. } => {
                let rows = self.cte_rows(*number)?;
                for row in rows.iter() {
                    self.put(*slot, row.clone());
                    if sink(self)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
                Ok(Flow::More)
            }
            Operator::Join(join) => self.run_join(join, sink),
            Operator::HashAggregate(group) => self.run_group(group, sink),
            Operator::Window(window) => self.run_window(window, sink),
        }
    }
}
