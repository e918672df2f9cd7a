//! A bound statement as text, for whoever wants to see what the optimizer's passes make of it.

use std::rc::Rc;

use crate::sql::expr::Expr;
use crate::sql::plan::{
    BoundBody, BoundKind, BoundQuery, BoundRows, BoundSelect, BoundStatement, BoundWriteKind, Distinct, JoinKind,
    PartRole, SetOperation, SortBy, Source, TableFunction, WindowCall, lock_words,
};

use super::expr::RelationNames;
use super::query::direction;

pub fn bound_lines(statement: &BoundStatement) -> Vec<String> {
    let mut names = RelationNames::default();
    names.qualified = true;
    let mut roots: Vec<(String, &BoundQuery)> = Vec::new();
    let mut ctes = 0;
    for part in &statement.parts {
        let title = match &part.role {
            PartRole::Cte => {
                ctes += 1;
                format!("CTE {ctes}")
            }
            PartRole::Subquery(subquery) => format!("SubPlan {}", subquery.number + 1),
        };
        roots.push((title, &part.query));
    }
    match &statement.kind {
        BoundKind::Query(query) => roots.push(("Query".to_owned(), query)),
        BoundKind::Write(write) => match &write.kind {
            BoundWriteKind::Insert { rows: BoundRows::Queried { query, .. }, .. } => {
                roots.push((format!("Insert on {}", write.table.name), query));
            }
            BoundWriteKind::Insert { .. } => {}
            BoundWriteKind::Update { found, .. } => roots.push((format!("Update on {}", write.table.name), found)),
            BoundWriteKind::Delete { found } => roots.push((format!("Delete on {}", write.table.name), found)),
        },
    }
    // A subquery reads rows of queries that come after it.
    roots.iter().for_each(|(_, query)| name_query(query, &mut names));
    let mut tree = BoundTree { lines: Vec::new(), depth: 0, names };
    for (title, query) in roots {
        tree.line(&title);
        tree.within(|tree| tree.query(query));
    }
    tree.lines
}

struct BoundTree {
    lines: Vec<String>,
    depth: usize,
    names: RelationNames,
}

impl BoundTree {
    fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", "  ".repeat(self.depth)));
    }

    fn within(&mut self, print: impl FnOnce(&mut BoundTree)) {
        self.depth += 1;
        print(self);
        self.depth -= 1;
    }

    fn list(&mut self, what: &str, exprs: &[Expr], separator: &str) {
        if !exprs.is_empty() {
            let text = self.names.list(exprs, separator);
            self.line(&format!("{what}: {text}"));
        }
    }

    fn query(&mut self, query: &BoundQuery) {
        match &query.body {
            BoundBody::Select(select) => self.select(select),
            BoundBody::Values(rows) => {
                self.line("Values");
                self.within(|tree| rows.iter().for_each(|row| tree.list("Row", row, ", ")));
            }
            BoundBody::SetOperation { operation, all, inputs } => {
                let word = match operation {
                    SetOperation::Union => "Union",
                    SetOperation::Intersect => "Intersect",
                    SetOperation::Except => "Except",
                };
                self.line(&format!("{word}{}", if *all { " All" } else { "" }));
                self.within(|tree| inputs.iter().for_each(|input| tree.query(input)));
            }
        }
        self.within(|tree| tree.outside(query));
    }

    fn outside(&mut self, query: &BoundQuery) {
        let by = |by: &SortBy| match by {
            SortBy::Expr(expr) => self.names.expr(expr),
            SortBy::Output(column) => query.columns[*column].name.to_string(),
        };
        let keys: Vec<String> = query.order.iter().map(|key| by(&key.by) + direction(key)).collect();
        if !keys.is_empty() {
            self.line(&format!("Sort Key: {}", keys.join(", ")));
        }
        self.list("Limit", query.limit.as_slice(), "");
        self.list("Offset", query.offset.as_slice(), "");
        for target in &query.locks {
            self.line(&format!("Lock: {} {}", lock_words(target.strength), target.table.name));
        }
    }

    fn select(&mut self, select: &BoundSelect) {
        self.line(match &select.distinct {
            None => "Select",
            Some(Distinct::Rows) => "Select Distinct",
            Some(Distinct::On(_)) => "Select Distinct On",
        });
        self.within(|tree| {
            if let Some(Distinct::On(exprs)) = &select.distinct {
                tree.list("Key", exprs, ", ");
            }
            tree.list("Output", &select.output, ", ");
            select.sources.iter().for_each(|source| tree.source(source));
            tree.list("Where", &select.conditions, " AND ");
            if let Some(grouping) = &select.grouping {
                tree.list("Group Key", &grouping.keys, ", ");
                tree.list("Having", grouping.having.as_slice(), "");
            }
        });
    }

    fn source(&mut self, source: &Source) {
        match source {
            Source::Table { table, alias, .. } if table.name == *alias => self.line(&format!("Table {alias}")),
            Source::Table { table, alias, .. } => self.line(&format!("Table {} {alias}", table.name)),
            Source::Cte { name, .. } => self.line(&format!("CTE {name}")),
            Source::Function { function: TableFunction::Series { start, stop, step }, .. } => {
                let arguments: Vec<&Expr> = [start, stop].into_iter().chain(step).collect();
                let arguments: Vec<String> = arguments.into_iter().map(|expr| self.names.expr(expr)).collect();
                self.line(&format!("Function generate_series({})", arguments.join(", ")));
            }
            Source::Function { function: TableFunction::Unnest { array }, .. } => {
                let array = self.names.expr(array);
                self.line(&format!("Function unnest({array})"));
            }
            Source::Derived(derived) => {
                self.line(&format!("Subquery {}", derived.name));
                self.within(|tree| tree.query(&derived.query));
            }
            Source::Join { kind, left, right, on } => {
                self.line(match kind {
                    JoinKind::Inner => "Join",
                    JoinKind::Left => "Left Join",
                    JoinKind::Full => "Full Join",
                });
                self.within(|tree| {
                    tree.list("On", on, " AND ");
                    tree.source(left);
                    tree.source(right);
                });
            }
        }
    }
}

fn name_query(query: &BoundQuery, names: &mut RelationNames) {
    match &query.body {
        BoundBody::Values(_) => {}
        BoundBody::SetOperation { inputs, .. } => inputs.iter().for_each(|input| name_query(input, names)),
        BoundBody::Select(select) => {
            select.sources.iter().for_each(|source| name_source(source, names));
            if let Some(grouping) = &select.grouping {
                let calls = grouping.aggregates.iter().map(|call| Rc::from(names.aggregate(call))).collect();
                names.add(grouping.slot, Rc::from(""), calls);
            }
            if let Some(windowing) = &select.windowing {
                let calls = windowing.calls.iter().map(|call| Rc::from(window_text(call, names))).collect();
                names.add(windowing.slot, Rc::from(""), calls);
            }
        }
    }
}

fn window_text(call: &WindowCall, names: &RelationNames) -> String {
    format!("{:?}({})", call.function, names.list(&call.arguments, ", "))
}

fn name_source(source: &Source, names: &mut RelationNames) {
    match source {
        Source::Table { table, alias, slot } => {
            names.add(*slot, alias.clone(), table.columns.iter().map(|column| column.name.clone()).collect());
        }
        Source::Function { function, slot, .. } => {
            let name = match function {
                TableFunction::Series { .. } => "generate_series",
                TableFunction::Unnest { .. } => "unnest",
            };
            names.add(*slot, Rc::from(name), vec![Rc::from(name)]);
        }
        Source::Cte { slot, name, columns, .. } => names.add(*slot, name.clone(), columns.clone()),
        Source::Derived(derived) => {
            let columns = derived.query.columns.iter().map(|column| column.name.clone()).collect();
            names.add(derived.slot, derived.name.clone(), columns);
            name_query(&derived.query, names);
        }
        Source::Join { left, right, .. } => {
            name_source(left, names);
            name_source(right, names);
        }
    }
}
