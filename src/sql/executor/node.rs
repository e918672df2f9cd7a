//! Runs a node of a plan: its rows come to stand in the frame, one after the other.

use std::rc::Rc;

use crate::sql::error::Result;
use crate::sql::plan::Node;
use crate::store::elements;
use crate::trace::Value;

use super::{Context, Flow, Sink};

impl Context<'_> {
    pub fn run_node(&mut self, node: &Node, sink: Sink) -> Result<Flow> {
        if self.run.counts.is_none() {
            return self.run_node_plain(node, sink);
        }
        // EXPLAIN ANALYZE counts what each node gives.
        let number = std::ptr::from_ref(node) as usize;
        let mut given = 0;
        let flow = self.run_node_plain(node, &mut |context| {
            given += 1;
            sink(context)
        });
        if let Some(counts) = &mut self.run.counts {
            let count = counts.entry(number).or_default();
            count.0 += given;
            count.1 += 1;
        }
        flow
    }

    pub(super) fn run_node_plain(&mut self, node: &Node, sink: Sink) -> Result<Flow> {
        match node {
            Node::Once => sink(self),
            Node::Scan(scan) => self.run_scan(scan, sink),
            Node::Filter { input, condition } => self.run_node(input, &mut |context| {
                if context.holds(condition)? { sink(context) } else { Ok(Flow::More) }
            }),
            Node::Gate { input, condition } => {
                if self.holds(condition)? {
                    self.run_node(input, sink)
                } else {
                    Ok(Flow::More)
                }
            }
            Node::Series { slot, start, stop, step } => self.run_series(*slot, start, stop, step.as_ref(), sink),
            Node::Unnest { slot, array } => {
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
            Node::Derived { slot, query, .. } => self.run_query(query, &mut |context, row| {
                context.put(*slot, row.into());
                sink(context)
            }),
            Node::Common { slot, number, .. } => {
                let rows = self.common_rows(*number)?;
                for row in rows.iter() {
                    self.put(*slot, row.clone());
                    if sink(self)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
                Ok(Flow::More)
            }
            Node::Join(join) => self.run_join(join, sink),
            Node::Group(group) => self.run_group(group, sink),
            Node::Window(window) => self.run_window(window, sink),
        }
    }
}
