//! Everything that stands in a statement, from outside inwards and from left to right.

use super::ast::{
    Assignment, ConflictUpdate, Distinct, Expr, ExprKind, Ident, JoinConstraint, ObjectName, OrderByExpr, Query,
    Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins,
};

pub enum Visited<'a> {
    /// A name in FROM, and the table that is written.
    Relation(&'a ObjectName),
    /// What WITH calls one of its queries.
    Cte(&'a Ident),
    Expr(&'a Expr),
}

type Visit<'a, 'v> = &'v mut dyn FnMut(Visited<'a>);

impl Query {
    /// Every name in a FROM clause, in subqueries too.
    pub fn relations<'a>(&'a self, found: &mut dyn FnMut(&'a ObjectName)) {
        query(self, &mut |part| {
            if let Visited::Relation(name) = part {
                found(name);
            }
        });
    }
}

impl Expr {
    /// The expression and all in it, subqueries included.
    pub fn parts<'a>(&'a self, found: &mut dyn FnMut(Visited<'a>)) {
        expr(self, found);
    }

    /// What it is made of, without what stands in subqueries.
    pub fn operands(&self) -> Vec<&Expr> {
        use ExprKind as K;
        match &self.kind {
            K::Column(_) | K::Literal(_) | K::Parameter(_) | K::Default | K::TypedString { .. } => Vec::new(),
            K::Exists(_) | K::Subquery(_) | K::ArraySubquery(_) => Vec::new(),
            K::Logical { terms: parts, .. } | K::Array(parts) | K::Row(parts) => parts.iter().collect(),
            K::Binary { left, right, .. }
            | K::IsDistinctFrom { left, right, .. }
            | K::Quantified { left, array: right, .. }
            | K::AtTimeZone { timestamp: left, zone: right }
            | K::Like { expr: left, pattern: right, .. } => vec![left, right],
            K::Unary { expr: of, .. }
            | K::Is { expr: of, .. }
            | K::Cast { expr: of, .. }
            | K::InSubquery { expr: of, .. }
            | K::QuantifiedSubquery { left: of, .. } => vec![of],
            K::InList { expr: of, list, .. } => std::iter::once(&**of).chain(list).collect(),
            K::Between { expr: of, low, high, .. } => vec![of, low, high],
            K::Case { operand, arms, otherwise } => {
                let arms = arms.iter().flat_map(|(condition, result)| [condition, result]);
                operand.as_deref().into_iter().chain(arms).chain(otherwise.as_deref()).collect()
            }
            K::Function(call) => {
                let sorted_by = call.order_by.iter().map(|key| &key.expr);
                let over = call.over.iter();
                let over =
                    over.flat_map(|over| over.partition_by.iter().chain(over.order_by.iter().map(|key| &key.expr)));
                call.arguments.iter().chain(&call.filter).chain(sorted_by).chain(over).collect()
            }
        }
    }
}

impl Statement {
    pub fn parts<'a>(&'a self, found: &mut dyn FnMut(Visited<'a>)) {
        match self {
            Statement::Query(of) => query(of, found),
            Statement::Insert(insert) => {
                found(Visited::Relation(&insert.table));
                insert.source.iter().for_each(|of| query(of, found));
                let update = insert.on_conflict.iter().filter_map(|on| on.update.as_ref());
                for ConflictUpdate { assignments: set, selection } in update {
                    assignments(set, found);
                    selection.iter().for_each(|of| expr(of, found));
                }
                items(insert.returning.as_deref().unwrap_or(&[]), found);
            }
            Statement::Update(update) => {
                found(Visited::Relation(&update.table));
                assignments(&update.assignments, found);
                update.from.iter().for_each(|of| joined(of, found));
                update.selection.iter().for_each(|of| expr(of, found));
                items(update.returning.as_deref().unwrap_or(&[]), found);
            }
            Statement::Delete(delete) => {
                found(Visited::Relation(&delete.table));
                delete.using.iter().for_each(|of| joined(of, found));
                delete.selection.iter().for_each(|of| expr(of, found));
                items(delete.returning.as_deref().unwrap_or(&[]), found);
            }
            Statement::Explain { statement, .. } => statement.parts(found),
            _ => {}
        }
    }
}

fn query<'a>(of: &'a Query, found: Visit<'a, '_>) {
    for cte in of.with.iter().flat_map(|with| &with.ctes) {
        found(Visited::Cte(&cte.alias.name));
        query(&cte.query, found);
    }
    set_expr(&of.body, found);
    order(&of.order_by, found);
    of.limit.iter().chain(&of.offset).for_each(|of| expr(of, found));
}

fn set_expr<'a>(body: &'a SetExpr, found: Visit<'a, '_>) {
    match body {
        SetExpr::Select(of) => select(of, found),
        SetExpr::Query(of) => query(of, found),
        SetExpr::Values(rows) => rows.iter().flatten().for_each(|of| expr(of, found)),
        SetExpr::SetOperation { left, right, .. } => {
            set_expr(left, found);
            set_expr(right, found);
        }
    }
}

fn select<'a>(of: &'a Select, found: Visit<'a, '_>) {
    if let Some(Distinct::On(keys)) = &of.distinct {
        keys.iter().for_each(|of| expr(of, found));
    }
    items(&of.projection, found);
    of.from.iter().for_each(|of| joined(of, found));
    of.selection.iter().chain(&of.group_by).chain(&of.having).for_each(|of| expr(of, found));
}

fn items<'a>(of: &'a [SelectItem], found: Visit<'a, '_>) {
    for item in of {
        if let SelectItem::Expr { expr: of, .. } = item {
            expr(of, found);
        }
    }
}

fn order<'a>(keys: &'a [OrderByExpr], found: Visit<'a, '_>) {
    keys.iter().for_each(|key| expr(&key.expr, found));
}

fn assignments<'a>(of: &'a [Assignment], found: Visit<'a, '_>) {
    for assignment in of {
        match assignment {
            Assignment::Column { value, .. } => expr(value, found),
            Assignment::Row { values, .. } => values.iter().for_each(|of| expr(of, found)),
        }
    }
}

fn joined<'a>(of: &'a TableWithJoins, found: Visit<'a, '_>) {
    factor(&of.relation, found);
    for join in &of.joins {
        factor(&join.relation, found);
        if let JoinConstraint::On(condition) = &join.constraint {
            expr(condition, found);
        }
    }
}

fn factor<'a>(of: &'a TableFactor, found: Visit<'a, '_>) {
    match of {
        TableFactor::Table { name, .. } => found(Visited::Relation(name)),
        TableFactor::Function { arguments, .. } => arguments.iter().for_each(|of| expr(of, found)),
        TableFactor::Derived { query: of, .. } => query(of, found),
        TableFactor::Nested(of) => joined(of, found),
    }
}

fn expr<'a>(of: &'a Expr, found: Visit<'a, '_>) {
    use ExprKind as K;
    found(Visited::Expr(of));
    of.operands().into_iter().for_each(|part| expr(part, found));
    match &of.kind {
        K::InSubquery { subquery, .. }
        | K::QuantifiedSubquery { subquery, .. }
        | K::Exists(subquery)
        | K::Subquery(subquery)
        | K::ArraySubquery(subquery) => query(subquery, found),
        _ => {}
    }
}
