//! What the rows of a plan are called.

use std::rc::Rc;

use crate::sql::plan::{Operator, PlanNode, QueryBody, QueryPlan};

use super::Explain;

impl Explain<'_> {
    pub fn name_query(&mut self, query: &QueryPlan) {
        match &query.body {
            QueryBody::Select(select) => self.name_node(&select.from),
            QueryBody::Values(_) => {}
            QueryBody::SetOperation { inputs, .. } => inputs.iter().for_each(|input| self.name_query(input)),
        }
    }

    pub fn name_node(&mut self, node: &PlanNode) {
        match &node.operator {
            Operator::Scan(scan) => {
                let columns = scan.table.columns.iter().map(|column| column.name.clone()).collect();
                self.names.add(scan.slot, scan.alias.clone(), columns);
            }
            Operator::Derived { slot, query, name } => {
                self.names.add(*slot, name.clone(), columns_of(query));
                self.name_query(query);
            }
            Operator::Cte { slot, number, name } => {
                self.names.add(*slot, name.clone(), columns_of(&self.parts.ctes[*number]));
            }
            Operator::Series { slot, .. } => self.name_function(*slot, "generate_series"),
            Operator::Unnest { slot, .. } => self.name_function(*slot, "unnest"),
            Operator::Join(join) => {
                self.name_node(&join.left);
                self.name_node(&join.right);
            }
            Operator::Filter { input, .. } | Operator::OneTimeFilter { input, .. } => self.name_node(input),
            Operator::HashAggregate(group) => self.name_node(&group.input),
            Operator::Window(window) => self.name_node(&window.input),
            Operator::OneRow => {}
        }
    }

    fn name_function(&mut self, slot: u16, name: &str) {
        self.names.add(slot, Rc::from(name), vec![Rc::from(name)]);
    }
}

fn columns_of(query: &QueryPlan) -> Vec<Rc<str>> {
    query.columns.iter().map(|column| column.name.clone()).collect()
}
