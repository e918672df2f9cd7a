//! Subqueries of expressions, below the query they stand in.

use std::rc::Rc;

use crate::sql::expr::{Expr, Subquery, SubqueryKind};
use crate::sql::plan::{Operator, PlanNode, SelectPlan};

use super::Explain;

impl Explain<'_> {
    pub fn subplans(&mut self, select: &SelectPlan) {
        let mut found: Vec<Rc<Subquery>> = Vec::new();
        select.output.iter().for_each(|expr| collect(expr, &mut found));
        collect_from_node(&select.from, &mut found);
        for subquery in found {
            let query = &self.parts.subqueries[subquery.number].query;
            self.name_query(query);
            let qualified = std::mem::replace(&mut self.names.qualified, true);
            let is_compared = matches!(subquery.kind, SubqueryKind::Any(_) | SubqueryKind::All(_));
            let what = if subquery.outer.is_empty() && !is_compared { "InitPlan" } else { "SubPlan" };
            self.page.depth += 1;
            self.page.title(&format!("{what} {}", subquery.number + 1));
            self.page.depth += 1;
            self.query(query);
            self.page.depth -= 2;
            self.names.qualified = qualified;
        }
    }
}

fn collect(expr: &Expr, into: &mut Vec<Rc<Subquery>>) {
    if let Expr::Subquery(subquery) = expr
        && !into.contains(subquery)
    {
        into.push(subquery.clone());
    }
    expr.children().into_iter().for_each(|child| collect(child, into));
}

fn collect_from_node(node: &PlanNode, into: &mut Vec<Rc<Subquery>>) {
    match &node.operator {
        Operator::Scan(scan) => {
            scan.filter.iter().chain(&scan.index_condition).for_each(|expr| collect(expr, into));
        }
        Operator::Filter { input, condition } | Operator::OneTimeFilter { input, condition } => {
            collect_from_node(input, into);
            collect(condition, into);
        }
        Operator::Join(join) => {
            collect_from_node(&join.left, into);
            collect_from_node(&join.right, into);
            join.condition.iter().for_each(|expr| collect(expr, into));
        }
        Operator::HashAggregate(group) => {
            collect_from_node(&group.input, into);
            group.having.iter().for_each(|expr| collect(expr, into));
        }
        Operator::Window(window) => collect_from_node(&window.input, into),
        _ => {}
    }
}
