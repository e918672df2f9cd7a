//! EXPLAIN in PostgreSQL's shape. Costs are PostgreSQL's constants over our row counts: they compare ways to read, nothing more.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::sql::executor::dml::{InsertRows, Write, WriteKind};
use crate::sql::functions::aggregate::AggregateFunction;
use crate::sql::plan::{
    Access, Aggregate, Body, Distinct, Expr, Join, JoinKind, JoinMethod, KeyList, Node, PlanParts, Query, Scan, Select,
    SetOperation, SortBy, SortKey, Subquery, SubqueryKind,
};
use crate::sql::session::prepared::{Plan, PlanKind};
use crate::sql::types::{self, Type};
use crate::store::Store;
use crate::trace::{LockStrength, Value};

pub struct Explained<'a> {
    pub store: &'a Store,
    pub parts: &'a PlanParts,
    pub costs: bool,
    /// For EXPLAIN ANALYZE: rows and loops of each node, by its address; rows of the whole.
    pub counts: Option<&'a FxHashMap<usize, (u64, u64)>>,
    pub given: u64,
}

struct Page {
    lines: Vec<String>,
    names: BTreeMap<u16, (Rc<str>, Vec<Rc<str>>)>,
    qualified: bool,
    /// How many lines of the plan have been printed with an arrow.
    depth: usize,
    arrows: bool,
}

#[derive(Clone, Copy)]
struct Estimate {
    rows: f64,
    cost: f64,
}

impl Explained<'_> {
    pub fn lines(&self, plan: &Plan) -> Vec<String> {
        let mut page = Page { lines: Vec::new(), names: BTreeMap::new(), qualified: false, depth: 0, arrows: false };
        match &plan.kind {
            PlanKind::Query(query) => {
                self.name_query(query, &mut page);
                page.qualified = page.names.len() > 1;
                self.query(query, &mut page, Some(self.given));
            }
            PlanKind::Write(write) => self.write(write, &mut page),
        }
        page.lines
    }

    fn write(&self, write: &Write, page: &mut Page) {
        let (verb, node) = match &write.kind {
            WriteKind::Insert { .. } => ("Insert", None),
            WriteKind::Update { found, .. } => ("Update", Some(&found.node)),
            WriteKind::Delete { found } => ("Delete", Some(&found.node)),
        };
        if let Some(node) = node {
            self.name_node(node, page);
        }
        page.qualified = page.names.len() > 1;
        let inner = node.map(|node| self.estimate(node));
        let estimate = Estimate { rows: 0.0, cost: inner.map_or(0.01, |inner| inner.cost) };
        page.open(&format!("{verb} on {}", write.table.name), &self.figures(estimate, None, None));
        page.depth += 1;
        match (&write.kind, node) {
            (_, Some(node)) => self.node(node, page),
            (WriteKind::Insert { rows: InsertRows::Queried { query, .. }, .. }, _) => {
                self.name_query(query, page);
                self.query(query, page, None);
            }
            _ => page.open("Result", &self.figures(Estimate { rows: 1.0, cost: 0.01 }, None, None)),
        }
        page.depth -= 1;
    }

    fn figures(&self, estimate: Estimate, node: Option<&Node>, given: Option<u64>) -> String {
        let mut text = String::new();
        if self.costs {
            text = format!("  (cost=0.00..{:.2} rows={} width=8)", estimate.cost, estimate.rows.round().max(1.0));
        }
        if let Some(counts) = self.counts {
            let (rows, loops) = match (node, given) {
                (Some(node), _) => counts.get(&(std::ptr::from_ref(node) as usize)).copied().unwrap_or((0, 0)),
                (None, Some(given)) => (given, 1),
                (None, None) => return text,
            };
            if loops == 0 {
                text.push_str(" (never executed)");
            } else {
                text.push_str(&format!(" (actual rows={} loops={loops})", (rows as f64 / loops as f64).round()));
            }
        }
        text
    }

    fn query(&self, query: &Query, page: &mut Page, given: Option<u64>) {
        let depth = page.depth;
        let inner = self.query_estimate(query);
        if query.limit.is_some() || query.offset.is_some() {
            let rows = match &query.limit {
                Some(Expr::Const(Value::Int(limit))) => inner.rows.min(*limit as f64),
                _ => inner.rows,
            };
            let cost = if query.presorted || query.order.is_empty() {
                inner.cost * rows / inner.rows.max(1.0)
            } else {
                inner.cost
            };
            page.open("Limit", &self.figures(Estimate { rows, cost }, None, given));
            page.depth += 1;
        }
        if !query.locks.is_empty() {
            page.open("LockRows", &self.figures(inner, None, given));
            page.depth += 1;
        }
        if !query.order.is_empty() && !query.presorted {
            page.open("Sort", &self.figures(inner, None, given));
            let keys: Vec<String> = query.order.iter().map(|key| self.sort_key(key, query, page)).collect();
            page.detail(&format!("Sort Key: {}", keys.join(", ")));
            page.depth += 1;
        }
        match &query.body {
            Body::Values(rows) => {
                let estimate = Estimate { rows: rows.len() as f64, cost: 0.01 * rows.len() as f64 };
                page.open("Values Scan on \"*VALUES*\"", &self.figures(estimate, None, given));
            }
            Body::SetOperation { operation, all, inputs } => {
                let name = match (operation, all) {
                    (SetOperation::Union, true) => "Append",
                    (SetOperation::Union, false) => "HashAggregate",
                    (SetOperation::Intersect, _) => "HashSetOp Intersect",
                    (SetOperation::Except, _) => "HashSetOp Except",
                };
                page.open(name, &self.figures(inner, None, given));
                page.depth += 1;
                for input in inputs {
                    self.query(input, page, None);
                }
            }
            Body::Select(select) => {
                match &select.distinct {
                    Some(Distinct::Rows) => {
                        page.open("HashAggregate", &self.figures(inner, None, given));
                        let keys: Vec<String> = select.output.iter().map(|expr| page.expr(expr)).collect();
                        page.detail(&format!("Group Key: {}", keys.join(", ")));
                        page.depth += 1;
                    }
                    Some(Distinct::On(_)) => {
                        page.open("Unique", &self.figures(inner, None, given));
                        page.depth += 1;
                    }
                    None => {}
                }
                self.node(&select.from, page);
                self.subplans(select, page);
            }
        }
        page.depth = depth;
    }

    fn subplans(&self, select: &Select, page: &mut Page) {
        let mut found: Vec<Rc<Subquery>> = Vec::new();
        for expr in &select.output {
            collect_subqueries(expr, &mut found);
        }
        collect_from_node(&select.from, &mut found);
        for subquery in found {
            let query = &self.parts.subqueries[subquery.number].query;
            self.name_query(query, page);
            let qualified = std::mem::replace(&mut page.qualified, true);
            let title =
                if subquery.outer.is_empty() && !matches!(subquery.kind, SubqueryKind::Any(_) | SubqueryKind::All(_)) {
                    format!("InitPlan {}", subquery.number + 1)
                } else {
                    format!("SubPlan {}", subquery.number + 1)
                };
            page.depth += 1;
            page.title(&title);
            page.depth += 1;
            self.query(query, page, None);
            page.depth -= 2;
            page.qualified = qualified;
        }
    }

    fn sort_key(&self, key: &SortKey, query: &Query, page: &Page) -> String {
        let mut text = match &key.by {
            SortBy::Expr(expr) => page.expr(expr),
            SortBy::Output(column) => query.columns[*column].name.to_string(),
        };
        if key.descending {
            text.push_str(" DESC");
        }
        if key.nulls_first != key.descending {
            text.push_str(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
        text
    }

    fn node(&self, node: &Node, page: &mut Page) {
        let figures = self.figures(self.estimate(node), Some(node), None);
        match node {
            Node::Once => page.open("Result", &figures),
            Node::Scan(scan) => self.scan(scan, &figures, page),
            Node::Series { slot, .. } => page
                .open(&format!("Function Scan on generate_series{}", page.alias(*slot, "generate_series")), &figures),
            Node::Unnest { slot, .. } => {
                page.open(&format!("Function Scan on unnest{}", page.alias(*slot, "unnest")), &figures)
            }
            Node::Derived { query, name, .. } => {
                page.open(&format!("Subquery Scan on {name}"), &figures);
                page.depth += 1;
                self.query(query, page, None);
                page.depth -= 1;
            }
            Node::Common { number, name, .. } => {
                page.open(&format!("CTE Scan on {name}"), &figures);
                if let Some(query) = self.parts.ctes.get(*number) {
                    page.depth += 1;
                    self.name_query(query, page);
                    self.query(query, page, None);
                    page.depth -= 1;
                }
            }
            Node::Filter { input, condition } => {
                let at = page.lines.len();
                self.node(input, page);
                let filter = page.expr(condition);
                page.detail_after(at, &format!("Filter: {filter}"));
            }
            Node::Gate { input, condition } => {
                page.open("Result", &figures);
                if matches!(condition, Expr::Const(Value::Bool(false) | Value::Null)) {
                    page.detail("One-Time Filter: false");
                    return;
                }
                let filter = page.expr(condition);
                page.detail(&format!("One-Time Filter: {filter}"));
                page.depth += 1;
                self.node(input, page);
                page.depth -= 1;
            }
            Node::Join(join) => self.join(join, &figures, page),
            Node::Group(group) => {
                page.open(if group.keys.is_empty() { "Aggregate" } else { "HashAggregate" }, &figures);
                if !group.keys.is_empty() {
                    let keys: Vec<String> = group.keys.iter().map(|key| page.expr(key)).collect();
                    page.detail(&format!("Group Key: {}", keys.join(", ")));
                }
                let names = group.aggregates.iter().map(|call| Rc::from(page.aggregate(call))).collect();
                page.names.insert(group.slot, (Rc::from(""), names));
                if let Some(having) = &group.having {
                    let filter = page.expr(having);
                    page.detail(&format!("Filter: {filter}"));
                }
                page.depth += 1;
                self.node(&group.input, page);
                page.depth -= 1;
            }
            Node::Window(window) => {
                page.open("WindowAgg", &figures);
                page.depth += 1;
                self.node(&window.input, page);
                page.depth -= 1;
            }
        }
    }

    fn scan(&self, scan: &Scan, figures: &str, page: &mut Page) {
        let shown = if scan.alias == scan.table.name {
            scan.table.name.to_string()
        } else {
            format!("{} {}", scan.table.name, scan.alias)
        };
        let index_name = |number: usize| {
            scan.table.indexes.iter().find(|index| index.number == number).map_or("", |index| &*index.name).to_owned()
        };
        match &scan.access {
            Access::Whole => page.open(&format!("Seq Scan on {shown}"), figures),
            Access::Index { number, backward, .. } => {
                let direction = if *backward { " Backward" } else { "" };
                page.open(&format!("Index Scan{direction} using {} on {shown}", index_name(*number)), figures);
            }
            Access::Keys { number, .. } => {
                page.open(&format!("Index Scan using {} on {shown}", index_name(*number)), figures)
            }
        }
        if !scan.index_condition.is_empty() {
            let conditions: Vec<String> = scan.index_condition.iter().map(|condition| page.expr(condition)).collect();
            let joined =
                if conditions.len() == 1 { conditions[0].clone() } else { format!("({})", conditions.join(" AND ")) };
            page.detail(&format!("Index Cond: {joined}"));
        }
        if let Some(filter) = &scan.filter {
            let filter = page.expr(filter);
            page.detail(&format!("Filter: {filter}"));
        }
    }

    fn join(&self, join: &Join, figures: &str, page: &mut Page) {
        match &join.method {
            JoinMethod::Nested => {
                page.open(if join.kind == JoinKind::Left { "Nested Loop Left Join" } else { "Nested Loop" }, figures);
                if let Some(condition) = &join.condition {
                    let filter = page.expr(condition);
                    page.detail(&format!("Join Filter: {filter}"));
                }
                page.depth += 1;
                self.node(&join.left, page);
                self.node(&join.right, page);
                page.depth -= 1;
            }
            JoinMethod::Hash { left, right } => {
                let name = match (left.is_empty(), join.kind) {
                    (true, JoinKind::Inner) => "Nested Loop",
                    (true, JoinKind::Left) => "Nested Loop Left Join",
                    (true, JoinKind::Full) => "Nested Loop Full Join",
                    (false, JoinKind::Inner) => "Hash Join",
                    (false, JoinKind::Left) => "Hash Left Join",
                    (false, JoinKind::Full) => "Hash Full Join",
                };
                page.open(name, figures);
                if !left.is_empty() {
                    let pairs: Vec<String> =
                        left.iter().zip(right).map(|(a, b)| format!("({} = {})", page.expr(a), page.expr(b))).collect();
                    let joined = if pairs.len() == 1 { pairs[0].clone() } else { format!("({})", pairs.join(" AND ")) };
                    page.detail(&format!("Hash Cond: {joined}"));
                }
                if let Some(condition) = &join.condition {
                    let filter = page.expr(condition);
                    page.detail(&format!("Join Filter: {filter}"));
                }
                page.depth += 1;
                self.node(&join.left, page);
                let inner = self.figures(self.estimate(&join.right), Some(&join.right), None);
                page.open(if left.is_empty() { "Materialize" } else { "Hash" }, &inner);
                page.depth += 1;
                self.node(&join.right, page);
                page.depth -= 2;
            }
        }
    }

    // Estimates

    fn query_estimate(&self, query: &Query) -> Estimate {
        match &query.body {
            Body::Select(select) => self.estimate(&select.from),
            Body::Values(rows) => Estimate { rows: rows.len() as f64, cost: 0.01 * rows.len() as f64 },
            Body::SetOperation { inputs, .. } => {
                let estimates = inputs.iter().map(|input| self.query_estimate(input));
                estimates.fold(Estimate { rows: 0.0, cost: 0.0 }, |sum, input| Estimate {
                    rows: sum.rows + input.rows,
                    cost: sum.cost + input.cost,
                })
            }
        }
    }

    fn estimate(&self, node: &Node) -> Estimate {
        match node {
            Node::Once => Estimate { rows: 1.0, cost: 0.01 },
            Node::Scan(scan) => {
                let all = self.store.table(scan.table.id).row_count() as f64;
                let kept = if scan.filter.is_some() { 0.33 } else { 1.0 };
                match &scan.access {
                    Access::Whole => {
                        Estimate { rows: (all * kept).max(1.0), cost: (all / 100.0).ceil() + all * 0.0125 }
                    }
                    Access::Index { number, equal, low, high, .. } => {
                        let unique =
                            scan.table.indexes.iter().any(|index| {
                                index.number == *number && index.unique && index.keys.len() == equal.len()
                            });
                        let mut rows = if unique { 1.0 } else { all / 20f64.powi(equal.len() as i32) };
                        if low.is_some() || high.is_some() {
                            rows /= 3.0;
                        }
                        Estimate { rows: (rows * kept).max(1.0), cost: 8.15 + rows * 0.02 }
                    }
                    Access::Keys { keys, .. } => {
                        let rows = if let KeyList::Listed(values) = keys { values.len() as f64 } else { 10.0 };
                        Estimate { rows: (rows * kept).max(1.0), cost: 4.15 * rows + 4.0 }
                    }
                }
            }
            Node::Series { .. } => Estimate { rows: 1000.0, cost: 10.0 },
            Node::Unnest { .. } => Estimate { rows: 10.0, cost: 0.1 },
            Node::Derived { query, .. } => self.query_estimate(query),
            Node::Common { number, .. } => self
                .parts
                .ctes
                .get(*number)
                .map_or(Estimate { rows: 1.0, cost: 0.0 }, |query| self.query_estimate(query)),
            Node::Filter { input, .. } | Node::Gate { input, .. } => {
                let input = self.estimate(input);
                Estimate { rows: (input.rows * 0.33).max(1.0), cost: input.cost + input.rows * 0.0025 }
            }
            Node::Join(join) => {
                let (left, right) = (self.estimate(&join.left), self.estimate(&join.right));
                match &join.method {
                    JoinMethod::Nested => Estimate {
                        rows: left.rows * right.rows,
                        cost: left.cost + left.rows * right.cost.min(0.5) + right.cost,
                    },
                    JoinMethod::Hash { left: keys, .. } => {
                        let rows = if keys.is_empty() { left.rows * right.rows } else { left.rows.max(right.rows) };
                        Estimate { rows, cost: left.cost + right.cost + (left.rows + right.rows) * 0.015 + rows * 0.01 }
                    }
                }
            }
            Node::Group(group) => {
                let input = self.estimate(&group.input);
                let rows = if group.keys.is_empty() { 1.0 } else { (input.rows / 10.0).max(1.0) };
                Estimate { rows, cost: input.cost + input.rows * 0.01 }
            }
            Node::Window(window) => {
                let input = self.estimate(&window.input);
                Estimate { rows: input.rows, cost: input.cost + input.rows * 0.03 }
            }
        }
    }

    // Names

    fn name_query(&self, query: &Query, page: &mut Page) {
        match &query.body {
            Body::Select(select) => self.name_node(&select.from, page),
            Body::Values(_) => {}
            Body::SetOperation { inputs, .. } => inputs.iter().for_each(|input| self.name_query(input, page)),
        }
    }

    fn name_node(&self, node: &Node, page: &mut Page) {
        match node {
            Node::Scan(scan) => {
                let columns = scan.table.columns.iter().map(|column| column.name.clone()).collect();
                page.names.insert(scan.slot, (scan.alias.clone(), columns));
            }
            Node::Derived { slot, query, name } => {
                let columns = query.columns.iter().map(|column| column.name.clone()).collect();
                page.names.insert(*slot, (name.clone(), columns));
                self.name_query(query, page);
            }
            Node::Common { slot, number, name } => {
                let columns = self
                    .parts
                    .ctes
                    .get(*number)
                    .map_or(Vec::new(), |query| query.columns.iter().map(|c| c.name.clone()).collect());
                page.names.insert(*slot, (name.clone(), columns));
            }
            Node::Series { slot, .. } => {
                page.names.insert(*slot, (Rc::from("generate_series"), vec![Rc::from("generate_series")]));
            }
            Node::Unnest { slot, .. } => {
                page.names.insert(*slot, (Rc::from("unnest"), vec![Rc::from("unnest")]));
            }
            Node::Join(join) => {
                self.name_node(&join.left, page);
                self.name_node(&join.right, page);
            }
            Node::Filter { input, .. } | Node::Gate { input, .. } => self.name_node(input, page),
            Node::Group(group) => self.name_node(&group.input, page),
            Node::Window(window) => self.name_node(&window.input, page),
            Node::Once => {}
        }
    }
}

fn collect_subqueries(expr: &Expr, into: &mut Vec<Rc<Subquery>>) {
    if let Expr::Subquery(subquery) = expr
        && !into.contains(subquery)
    {
        into.push(subquery.clone());
    }
    expr.children().into_iter().for_each(|child| collect_subqueries(child, into));
}

fn collect_from_node(node: &Node, into: &mut Vec<Rc<Subquery>>) {
    match node {
        Node::Scan(scan) => {
            scan.filter.iter().chain(&scan.index_condition).for_each(|expr| collect_subqueries(expr, into))
        }
        Node::Filter { input, condition } | Node::Gate { input, condition } => {
            collect_from_node(input, into);
            collect_subqueries(condition, into);
        }
        Node::Join(join) => {
            collect_from_node(&join.left, into);
            collect_from_node(&join.right, into);
            join.condition.iter().for_each(|expr| collect_subqueries(expr, into));
        }
        Node::Group(group) => {
            collect_from_node(&group.input, into);
            group.having.iter().for_each(|expr| collect_subqueries(expr, into));
        }
        Node::Window(window) => collect_from_node(&window.input, into),
        _ => {}
    }
}

impl Page {
    /// A node's line: an arrow before all but the first.
    fn open(&mut self, name: &str, figures: &str) {
        let line = if self.arrows {
            format!("{}->  {name}{figures}", " ".repeat(self.depth * 6 - 4))
        } else {
            format!("{name}{figures}")
        };
        self.arrows = true;
        self.lines.push(line);
    }

    fn title(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", " ".repeat(self.depth * 6 - 4)));
    }

    fn detail(&mut self, text: &str) {
        self.lines.push(self.indented(text));
    }

    fn detail_after(&mut self, line: usize, text: &str) {
        let text = self.indented(text);
        self.lines.insert((line + 1).min(self.lines.len()), text);
    }

    fn indented(&self, text: &str) -> String {
        format!("{}{text}", " ".repeat(self.depth * 6 + 2))
    }

    fn alias(&self, slot: u16, function: &str) -> String {
        match self.names.get(&slot) {
            Some((alias, _)) if &**alias != function => format!(" {alias}"),
            _ => String::new(),
        }
    }

    fn aggregate(&self, call: &Aggregate) -> String {
        use AggregateFunction as F;
        let name = match call.function {
            F::CountRows => return "count(*)".to_owned(),
            F::Count => "count",
            F::SumInt | F::SumBig | F::SumNumeric | F::SumFloat | F::SumInterval => "sum",
            F::AvgInt | F::AvgNumeric | F::AvgFloat | F::AvgInterval => "avg",
            F::Min => "min",
            F::Max => "max",
            F::BoolAnd => "bool_and",
            F::BoolOr => "bool_or",
            F::StringAgg => "string_agg",
            F::ArrayAgg => "array_agg",
            F::JsonAgg => "json_agg",
            F::JsonbAgg => "jsonb_agg",
        };
        let arguments: Vec<String> = call.arguments.iter().map(|argument| self.expr(argument)).collect();
        format!("{name}({}{})", if call.distinct { "DISTINCT " } else { "" }, arguments.join(", "))
    }

    fn list(&self, exprs: &[Expr], separator: &str) -> String {
        exprs.iter().map(|expr| self.expr(expr)).collect::<Vec<_>>().join(separator)
    }

    fn expr(&self, expr: &Expr) -> String {
        match expr {
            Expr::Const(value) => constant(value),
            Expr::Parameter(number) => format!("${}", number + 1),
            Expr::Column { slot, column } => match self.names.get(slot) {
                Some((alias, columns)) => {
                    let name = columns.get(usize::from(*column)).map_or("?column?", |name| name);
                    if self.qualified && !alias.is_empty() { format!("{alias}.{name}") } else { name.to_owned() }
                }
                None => "?column?".to_owned(),
            },
            Expr::Arithmetic { op, left, right, .. } => {
                format!("({} {} {})", self.expr(left), op.symbol(), self.expr(right))
            }
            Expr::Negate { of, .. } => format!("(- {})", self.expr(of)),
            Expr::Compare { op, left, right } => format!("({} {} {})", self.expr(left), op.symbol(), self.expr(right)),
            Expr::And(parts) => format!("({})", self.list(parts, " AND ")),
            Expr::Or(parts) => format!("({})", self.list(parts, " OR ")),
            Expr::Not(of) => format!("(NOT {})", self.expr(of)),
            Expr::IsNull { of, negated } => {
                format!("({} IS {}NULL)", self.expr(of), if *negated { "NOT " } else { "" })
            }
            Expr::IsTruth { of, truth, negated } => {
                format!(
                    "({} IS {}{})",
                    self.expr(of),
                    if *negated { "NOT " } else { "" },
                    if *truth { "TRUE" } else { "FALSE" }
                )
            }
            Expr::Distinct { left, right, negated } => {
                format!(
                    "({} IS {}DISTINCT FROM {})",
                    self.expr(left),
                    if *negated { "NOT " } else { "" },
                    self.expr(right)
                )
            }
            Expr::InList { of, list, negated } => {
                let (op, word) = if *negated { ("<>", "ALL") } else { ("=", "ANY") };
                let plain: Vec<String> = list
                    .iter()
                    .map(|value| if let Expr::Const(value) = value { value.to_text() } else { self.expr(value) })
                    .collect();
                format!("({} {op} {word} ('{{{}}}'))", self.expr(of), plain.join(","))
            }
            Expr::Quantified { op, all, left, array } => {
                format!(
                    "({} {} {} ({}))",
                    self.expr(left),
                    op.symbol(),
                    if *all { "ALL" } else { "ANY" },
                    self.expr(array)
                )
            }
            Expr::Case { arms, otherwise } => {
                let mut text = "CASE".to_owned();
                for (when, then) in arms {
                    text.push_str(&format!(" WHEN {} THEN {}", self.expr(when), self.expr(then)));
                }
                if let Some(otherwise) = otherwise {
                    text.push_str(&format!(" ELSE {}", self.expr(otherwise)));
                }
                text + " END"
            }
            Expr::Coalesce(parts) => format!("COALESCE({})", self.list(parts, ", ")),
            Expr::Cast { of, from: Type::Unknown, .. } => self.expr(of),
            Expr::Cast { of, to, .. } => format!("({})::{}", self.expr(of), to.name()),
            Expr::Like { of, pattern, fold, negated, .. } => {
                let op = match (fold, negated) {
                    (false, false) => "~~",
                    (false, true) => "!~~",
                    (true, false) => "~~*",
                    (true, true) => "!~~*",
                };
                format!("({} {op} {})", self.expr(of), self.expr(pattern))
            }
            Expr::Call { function, arguments } if !function.name.starts_with(char::is_alphabetic) => {
                let (first, rest) = arguments.split_first().expect("an operator has operands");
                rest.iter()
                    .fold(self.expr(first), |left, right| format!("({left} {} {})", function.name, self.expr(right)))
            }
            Expr::Call { function, arguments } => format!("{}({})", function.name, self.list(arguments, ", ")),
            Expr::Array(parts) => format!("ARRAY[{}]", self.list(parts, ", ")),
            Expr::Subquery(subquery) => match subquery.kind {
                SubqueryKind::Any(_) | SubqueryKind::All(_) => format!("(hashed SubPlan {})", subquery.number + 1),
                _ if subquery.outer.is_empty() => format!("${}", subquery.number),
                _ => format!("(SubPlan {})", subquery.number + 1),
            },
        }
    }
}

fn constant(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(_) => types::print(value),
        Value::Numeric(_) | Value::Float(_) => format!(
            "'{}'::{}",
            types::print(value),
            if matches!(value, Value::Float(_)) { "double precision" } else { "numeric" }
        ),
        Value::Text(_) => format!("'{}'::text", types::print(value).replace('\'', "''")),
        Value::TimestampTz(_) => format!("'{}'::timestamp with time zone", types::print(value)),
        Value::Timestamp(_) => format!("'{}'::timestamp without time zone", types::print(value)),
        Value::Date(_) => format!("'{}'::date", types::print(value)),
        other => format!("'{}'", types::print(other)),
    }
}

/// What a locking clause is called in messages.
pub fn lock_words(strength: LockStrength) -> &'static str {
    match strength {
        LockStrength::Update => "FOR UPDATE",
        LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
        LockStrength::Share => "FOR SHARE",
        LockStrength::KeyShare => "FOR KEY SHARE",
    }
}
