//! Operators and what they do.

use std::rc::Rc;

use crate::sql::expr::Expr;
use crate::sql::plan::{Access, HashAggregate, Join, JoinKind, JoinMethod, Operator, PlanNode, Scan};
use crate::trace::Value;

use super::{Explain, all};

impl Explain<'_> {
    pub fn node(&mut self, node: &PlanNode) {
        self.giving(node, node);
    }

    /// `outer` is the node itself, or what filters its rows: the filter has no line of its own, and what is told is what it lets
    /// through.
    fn giving(&mut self, node: &PlanNode, outer: &PlanNode) {
        match &node.operator {
            Operator::Filter { input, condition } => {
                let at = self.page.lines.len();
                self.giving(input, outer);
                let filter = self.names.expr(condition);
                self.page.detail_after(at, &format!("Filter: {filter}"));
                return;
            }
            operator => self.open(&name_of(operator), outer.id, outer.estimate),
        }
        match &node.operator {
            Operator::OneTimeFilter { condition, .. } if is_never(condition) => {
                self.page.detail("One-Time Filter: false");
                return;
            }
            Operator::OneTimeFilter { condition, .. } => self.condition("One-Time Filter", Some(condition)),
            Operator::Scan(scan) => self.scan_conditions(scan),
            Operator::Join(join) => self.join_conditions(join),
            Operator::HashAggregate(group) => self.group_keys(group),
            _ => {}
        }
        self.page.depth += 1;
        self.inputs(node);
        self.page.depth -= 1;
    }

    fn inputs(&mut self, node: &PlanNode) {
        match &node.operator {
            Operator::Derived { query, .. } => self.query(query),
            Operator::Cte { number, .. } => {
                let query = &self.parts.ctes[*number];
                self.name_query(query);
                self.query(query);
            }
            Operator::Filter { input, .. } | Operator::OneTimeFilter { input, .. } => self.node(input),
            Operator::Join(join) => self.join_sides(join),
            Operator::HashAggregate(group) => self.node(&group.input),
            Operator::Window(window) => self.node(&window.input),
            Operator::OneRow | Operator::Scan(_) | Operator::Series { .. } | Operator::Unnest { .. } => {}
        }
    }

    fn scan_conditions(&mut self, scan: &Scan) {
        if !scan.index_condition.is_empty() {
            let conditions: Vec<String> = scan.index_condition.iter().map(|it| self.names.expr(it)).collect();
            self.page.detail(&format!("Index Cond: {}", all(&conditions)));
        }
        self.condition("Filter", scan.filter.as_ref());
    }

    fn condition(&mut self, what: &str, condition: Option<&Expr>) {
        if let Some(condition) = condition {
            let text = self.names.expr(condition);
            self.page.detail(&format!("{what}: {text}"));
        }
    }

    fn join_conditions(&mut self, join: &Join) {
        if let JoinMethod::Hash { left, right } = &join.method
            && !left.is_empty()
        {
            let pair = |(a, b)| format!("({} = {})", self.names.expr(a), self.names.expr(b));
            let pairs: Vec<String> = left.iter().zip(right).map(pair).collect();
            self.page.detail(&format!("Hash Cond: {}", all(&pairs)));
        }
        self.condition("Join Filter", join.condition.as_ref());
    }

    /// What is read once and kept stands below what keeps it.
    fn join_sides(&mut self, join: &Join) {
        self.node(&join.left);
        let right = &join.right;
        if let JoinMethod::Hash { left, .. } = &join.method {
            self.open(if left.is_empty() { "Materialize" } else { "Hash" }, right.id, right.estimate);
            self.page.depth += 1;
            self.node(right);
            self.page.depth -= 1;
        } else {
            self.node(right);
        }
    }

    fn group_keys(&mut self, group: &HashAggregate) {
        if !group.keys.is_empty() {
            let keys = self.names.list(&group.keys, ", ");
            self.page.detail(&format!("Group Key: {keys}"));
        }
        let names = group.aggregates.iter().map(|call| Rc::from(self.names.aggregate(call))).collect();
        self.names.add(group.slot, Rc::from(""), names);
        self.condition("Filter", group.having.as_ref());
    }
}

fn is_never(condition: &Expr) -> bool {
    matches!(condition, Expr::Const(Value::Bool(false) | Value::Null))
}

fn name_of(operator: &Operator) -> String {
    let name = match operator {
        Operator::Derived { name, .. } => return format!("Subquery Scan on {name}"),
        Operator::Cte { name, .. } => return format!("CTE Scan on {name}"),
        Operator::Scan(scan) => return scan_name(scan),
        Operator::Filter { .. } => unreachable!("a filter has no line of its own"),
        Operator::OneRow | Operator::OneTimeFilter { .. } => "Result",
        Operator::Series { .. } => "Function Scan on generate_series",
        Operator::Unnest { .. } => "Function Scan on unnest",
        Operator::HashAggregate(group) if group.keys.is_empty() => "Aggregate",
        Operator::HashAggregate(_) => "HashAggregate",
        Operator::Window(_) => "WindowAgg",
        Operator::Join(join) => join_name(join),
    };
    name.to_owned()
}

fn scan_name(scan: &Scan) -> String {
    let mut shown = scan.table.name.to_string();
    if scan.alias != scan.table.name {
        shown = format!("{shown} {}", scan.alias);
    }
    let index_name =
        |number: usize| scan.table.indexes.iter().find(|index| index.number == number).map_or("", |index| &*index.name);
    match &scan.access {
        Access::Whole => format!("Seq Scan on {shown}"),
        Access::Index { number, backward: true, .. } => {
            format!("Index Scan Backward using {} on {shown}", index_name(*number))
        }
        Access::Index { number, .. } | Access::Keys { number, .. } => {
            format!("Index Scan using {} on {shown}", index_name(*number))
        }
    }
}

fn join_name(join: &Join) -> &'static str {
    let has_keys = matches!(&join.method, JoinMethod::Hash { left, .. } if !left.is_empty());
    match (has_keys, join.kind) {
        (false, JoinKind::Inner) => "Nested Loop",
        (false, JoinKind::Left) => "Nested Loop Left Join",
        (false, JoinKind::Full) => "Nested Loop Full Join",
        (true, JoinKind::Inner) => "Hash Join",
        (true, JoinKind::Left) => "Hash Left Join",
        (true, JoinKind::Full) => "Hash Full Join",
    }
}
