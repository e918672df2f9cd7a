//! Queries: WITH, set operations, VALUES, LIMIT.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::sql::catalog::missing_column;
use crate::sql::error::{Result, Stop, error, fail, refuse};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::parser::ast;
use crate::sql::plan::{BoundBody, BoundPart, BoundQuery, OutputColumn, PartRole, SetOperation, SortBy, SortKey};
use crate::sql::types::Type;
use crate::trace::Value;

use super::coerce::{assign, coerce, common_type, unify};
use super::scope::Scope;
use super::select::{bare_column, constant_position, sort_key};
use super::{ARMS_MOST, Binder, DEPTH_MOST, Typed, names_of};

pub(super) enum BoundCte {
    /// Stands where it is used, and sees what can be seen where it is written: so many expressions of WITH, so many scopes.
    Inline(Box<ast::Query>, Vec<Rc<str>>, usize, usize),
    Kept {
        number: usize,
        columns: Vec<(Rc<str>, Type)>,
    },
}

/// What stands after a SELECT.
#[derive(Clone, Copy, Default)]
pub(super) struct Tail<'q> {
    pub(super) order_by: &'q [ast::OrderByExpr],
    pub(super) locks: &'q [ast::LockClause],
    pub(super) follows_with: bool,
}

impl Tail<'_> {
    fn of(query: &ast::Query) -> Tail<'_> {
        Tail { order_by: &query.order_by, locks: &query.locks, follows_with: query.with.is_some() }
    }
}

/// The inputs of a left side that can be taken together with its right one; otherwise that side itself.
fn inputs_of(left: BoundQuery, operation: SetOperation, all: bool) -> (Vec<BoundQuery>, Option<BoundQuery>) {
    let is_plain = left.is_plain();
    match left.body {
        // Of rows that are to be different in the end, it does not matter whether they are before.
        BoundBody::SetOperation { operation: before, all: all_before, inputs }
            if is_plain && before == operation && (all_before == all || (operation == SetOperation::Union && !all)) =>
        {
            (inputs, None)
        }
        body => (Vec::new(), Some(BoundQuery { body, ..left })),
    }
}

/// How deep set operations stand in each other's first inputs.
fn alternations(query: &BoundQuery) -> usize {
    let mut depth = 0;
    let mut query = query;
    while let BoundBody::SetOperation { inputs, .. } = &query.body {
        depth += 1;
        query = &inputs[0];
    }
    depth
}

pub(super) fn renamed(columns: &[OutputColumn], aliases: &[Rc<str>], name: &str) -> Result<Vec<(Rc<str>, Type)>> {
    if aliases.len() > columns.len() {
        return fail(
            "42P10",
            format!(
                "WITH query \"{name}\" has {} columns available but {} columns specified",
                columns.len(),
                aliases.len()
            ),
        );
    }
    Ok(columns
        .iter()
        .enumerate()
        .map(|(number, column)| (aliases.get(number).unwrap_or(&column.name).clone(), column.ty.clone()))
        .collect())
}

/// How often each name stands where a relation does.
fn references(query: &ast::Query) -> FxHashMap<Rc<str>, usize> {
    let mut counts = FxHashMap::default();
    query.relations(&mut |relation| {
        if let [only] = relation.0.as_slice() {
            *counts.entry(only.name.clone()).or_default() += 1;
        }
    });
    counts
}

pub(super) fn has_locks_or_volatile(query: &BoundQuery) -> bool {
    if !query.locks.is_empty() {
        return true;
    }
    match &query.body {
        BoundBody::Select(select) => select.output.iter().any(Expr::is_volatile),
        BoundBody::Values(rows) => rows.iter().flatten().any(Expr::is_volatile),
        BoundBody::SetOperation { inputs, .. } => inputs.iter().any(has_locks_or_volatile),
    }
}

/// Where a column of the output is written, if it is by itself.
pub(super) fn output_position(body: &ast::SetExpr, number: usize) -> ast::CursorPosition {
    let found = match body {
        ast::SetExpr::Select(select) => {
            let mut before = select.projection.iter().take(number + 1);
            match select.projection.get(number) {
                Some(ast::SelectItem::Expr { expr, .. })
                    if before.all(|item| matches!(item, ast::SelectItem::Expr { .. })) =>
                {
                    Some(expr.begin())
                }
                _ => None,
            }
        }
        ast::SetExpr::Values(rows) => rows.first().and_then(|row| row.get(number)).map(ast::Expr::begin),
        ast::SetExpr::Query(query) => Some(output_position(&query.body, number)),
        ast::SetExpr::SetOperation { left, .. } => Some(output_position(left, number)),
    };
    found.unwrap_or_default()
}

pub(super) fn check_rows_are_alike(rows: &[Vec<ast::Expr>]) -> Result<()> {
    match rows.iter().find(|row| row.len() != rows[0].len()) {
        Some(other) => {
            let wrong = error("42601", "VALUES lists must all be the same length");
            Err(wrong.at(other.first().map_or(0, |expr| expr.begin().0)))
        }
        None => Ok(()),
    }
}

pub(super) fn convert_column(
    query: &mut BoundQuery,
    number: usize,
    from: &Type,
    to: &Type,
    conversion: fn(Typed, &Type) -> Result<Expr>,
) -> Result<()> {
    if from == to {
        return Ok(());
    }
    let convert = |expr: &mut Expr| -> Result<()> {
        let typed = Typed::new(std::mem::replace(expr, Expr::Const(Value::Null)), from.clone());
        *expr = conversion(typed, to)?;
        Ok(())
    };
    match &mut query.body {
        BoundBody::Select(select) => convert(&mut select.output[number])?,
        BoundBody::Values(rows) => {
            for row in rows {
                convert(&mut row[number])?;
            }
        }
        BoundBody::SetOperation { inputs, .. } => {
            for input in inputs {
                convert_column(input, number, from, to, conversion)?;
            }
        }
    }
    query.columns[number].ty = to.clone();
    Ok(())
}

impl<'a> Binder<'a> {
    /// A query whose columns may stay of unknown type.
    pub fn query_for_columns(&mut self, query: &ast::Query) -> Result<BoundQuery> {
        self.keeps_unknown = true;
        let bound = self.query(query);
        self.keeps_unknown = false;
        bound
    }

    pub fn query(&mut self, query: &ast::Query) -> Result<BoundQuery> {
        self.depth += 1;
        if self.depth > DEPTH_MOST {
            return fail("54001", "stack depth limit exceeded");
        }
        let visible_ctes = self.visible_ctes.len();
        let asked = (std::mem::take(&mut self.keeps_unknown), std::mem::take(&mut self.columns_later));
        if let Some(with) = &query.with {
            self.bind_with(with, query)?;
        }
        (self.keeps_unknown, self.columns_later) = asked;
        let mut bound = match &query.body {
            ast::SetExpr::Select(select) => self.select(select, Tail::of(query))?,
            body => {
                if !query.locks.is_empty() {
                    return refuse("FOR UPDATE with UNION, INTERSECT, EXCEPT or VALUES");
                }
                let mut bound = self.set_expr(body)?;
                if !query.order_by.is_empty() {
                    bound.order = self.output_order(&query.order_by, &bound.columns)?;
                }
                bound
            }
        };
        self.scopes.push(Scope { clause: "LIMIT", ..Scope::default() });
        bound.limit = query.limit.as_ref().map(|limit| self.row_count(limit, "LIMIT")).transpose()?;
        bound.offset = query.offset.as_ref().map(|offset| self.row_count(offset, "OFFSET")).transpose()?;
        self.scopes.pop();
        self.visible_ctes.truncate(visible_ctes);
        self.depth -= 1;
        Ok(bound)
    }

    /// A query that is not part of the tree of the one around it. All it refers to has been bound, and added, before.
    pub(super) fn add_part(&mut self, query: BoundQuery, role: PartRole) {
        self.parts.push(BoundPart { query, role, within_exists: self.within_exists > 0 });
    }

    fn row_count(&mut self, expr: &ast::Expr, clause: &str) -> Result<Expr> {
        let bound = self.expr(expr)?;
        let (ty, at) = (bound.ty.clone(), bound.at.0);
        assign(bound, &Type::Int8).map_err(|stop| match stop {
            Stop::Failed(failure) if failure.sqlstate.as_str() == "42804" => {
                error("42804", format!("argument of {clause} must be type bigint, not type {}", ty.name())).at(at)
            }
            other => other,
        })
    }

    pub(super) fn bind_with(&mut self, with: &ast::With, query: &ast::Query) -> Result<()> {
        if with.recursive {
            return refuse("WITH RECURSIVE");
        }
        let mut names = FxHashSet::default();
        if let Some(again) = with.ctes.iter().map(|cte| &cte.alias.name).find(|name| !names.insert(&name.name)) {
            let wrong = error("42712", format!("WITH query name \"{}\" specified more than once", again.name));
            return Err(wrong.at(again.at.0));
        }
        let references = references(query);
        for cte in &with.ctes {
            let name = cte.alias.name.name.clone();
            let aliases: Vec<Rc<str>> = names_of(&cte.alias.columns);
            let uses = references.get(&name).copied().unwrap_or(0);
            if uses == 0 {
                self.check_unread(&cte.query, &aliases, &name)?;
            }
            let materialized = cte.materialized == Some(true);
            let kept = if uses <= 1 && !materialized && cte.query.locks.is_empty() {
                None
            } else {
                let (bound, outer) = self.query_within(self.scopes.len(), &cte.query)?;
                // What reads the query around has other rows for each row of it.
                if !outer.is_empty() && (materialized || has_locks_or_volatile(&bound)) {
                    return refuse("a WITH query that is computed once and reads the query around it");
                }
                outer.is_empty().then_some(bound)
            };
            let cte = match kept {
                Some(bound) => {
                    let columns = renamed(&bound.columns, &aliases, &name)?;
                    self.add_part(bound, PartRole::Cte);
                    self.ctes += 1;
                    BoundCte::Kept { number: self.ctes - 1, columns }
                }
                None => {
                    BoundCte::Inline(Box::new(cte.query.clone()), aliases, self.visible_ctes.len(), self.scopes.len())
                }
            };
            self.visible_ctes.push((name, cte));
        }
        Ok(())
    }

    /// A WITH query that nobody reads has to make sense all the same. What it computes is not computed.
    fn check_unread(&mut self, query: &ast::Query, aliases: &[Rc<str>], name: &Rc<str>) -> Result<()> {
        let (widths, parts, numbers) = (self.widths.len(), self.parts.len(), (self.ctes, self.subqueries));
        let (bound, _) = self.query_within(self.scopes.len(), query)?;
        renamed(&bound.columns, aliases, name)?;
        self.widths.truncate(widths);
        self.parts.truncate(parts);
        (self.ctes, self.subqueries) = numbers;
        Ok(())
    }

    /// A query that sees the outermost scopes only, and what it reads of them.
    pub(super) fn query_within(&mut self, scopes: usize, query: &ast::Query) -> Result<(BoundQuery, SlotSet)> {
        let mut nearer = self.scopes.split_off(scopes);
        self.scopes.push(Scope { clause: "WITH", ..Scope::default() });
        let bound = self.query(query);
        let outer = self.scopes.pop().map_or(SlotSet::NONE, |scope| scope.free);
        for scope in &mut nearer {
            scope.free = scope.free.union(outer);
        }
        self.scopes.append(&mut nearer);
        Ok((bound?, outer))
    }

    pub(super) fn set_expr(&mut self, body: &ast::SetExpr) -> Result<BoundQuery> {
        match body {
            ast::SetExpr::Select(select) => self.select(select, Tail::default()),
            ast::SetExpr::Query(query) => self.query(query),
            ast::SetExpr::Values(values) => self.values(values),
            ast::SetExpr::SetOperation { .. } => self.set_operations(body),
        }
    }

    /// What is written as a long row of queries is a tree of the parser that goes down to the left: it is taken from its end.
    fn set_operations(&mut self, body: &ast::SetExpr) -> Result<BoundQuery> {
        let mut steps = Vec::new();
        let mut first = body;
        while let ast::SetExpr::SetOperation { op, all, left, right } = first {
            steps.push((op, *all, right));
            first = left;
        }
        self.columns_later = false;
        self.keeps_unknown = true;
        let first = self.set_expr(first);
        self.keeps_unknown = false;
        let mut so_far = first?;
        for (op, all, body) in steps.into_iter().rev() {
            self.keeps_unknown = true;
            let right = self.set_expr(body);
            self.keeps_unknown = false;
            let operation = match op {
                ast::SetOperator::Union => SetOperation::Union,
                ast::SetOperator::Intersect => SetOperation::Intersect,
                ast::SetOperator::Except => SetOperation::Except,
            };
            let position = |number: usize| output_position(body, number);
            so_far = self.combine((operation, all), so_far, right?, &position)?;
        }
        Ok(so_far)
    }

    pub(super) fn combine(
        &mut self,
        (operation, all): (SetOperation, bool),
        mut left: BoundQuery,
        mut right: BoundQuery,
        position: &dyn Fn(usize) -> ast::CursorPosition,
    ) -> Result<BoundQuery> {
        let name = match operation {
            SetOperation::Union => "UNION",
            SetOperation::Intersect => "INTERSECT",
            SetOperation::Except => "EXCEPT",
        };
        if left.columns.len() != right.columns.len() {
            let wrong = error("42601", format!("each {name} query must have the same number of columns"));
            return Err(wrong.at(position(0).0));
        }
        let mut columns = Vec::new();
        for (number, (a, b)) in left.columns.clone().iter().zip(right.columns.clone()).enumerate() {
            let ty = common_type(name, [&a.ty, &b.ty].into_iter()).map_err(|stop| stop.at(position(number).0))?;
            if !(all && operation == SetOperation::Union) {
                ty.check_equality()?;
            }
            convert_column(&mut left, number, &a.ty, &ty, coerce)?;
            let right = convert_column(&mut right, number, &b.ty, &ty, coerce);
            right.map_err(|stop| stop.at(position(number).0))?;
            columns.push(OutputColumn { name: a.name.clone(), ty });
        }
        let (mut inputs, left) = inputs_of(left, operation, all);
        if inputs.len() >= ARMS_MOST {
            return fail("54001", "stack depth limit exceeded");
        }
        let alternates = left.as_ref().map_or(0, |left| alternations(left) + 1);
        if alternates > DEPTH_MOST {
            return fail("54001", "stack depth limit exceeded");
        }
        inputs.extend(left);
        inputs.push(right);
        Ok(BoundQuery::new(BoundBody::SetOperation { operation, all, inputs }, columns))
    }

    pub(super) fn values(&mut self, values: &[Vec<ast::Expr>]) -> Result<BoundQuery> {
        self.keeps_unknown = false;
        self.columns_later = false;
        check_rows_are_alike(values)?;
        self.scopes.push(Scope { clause: "VALUES", ..Scope::default() });
        let mut rows: Vec<Vec<Typed>> = Vec::new();
        for row in values {
            let bound: Result<Vec<Typed>> = row.iter().map(|expr| self.expr(expr)).collect();
            rows.push(bound?);
        }
        let scope = self.scopes.pop();
        self.pass_free(scope);
        let width = rows.first().map_or(0, Vec::len);
        let mut columns = Vec::new();
        let mut bound: Vec<Vec<Expr>> = rows.iter().map(|_| Vec::with_capacity(width)).collect();
        for column in 0..width {
            let parts: Vec<Typed> = rows.iter().map(|row| row[column].clone()).collect();
            let (exprs, ty) = unify("VALUES", parts)?;
            bound.iter_mut().zip(exprs).for_each(|(row, expr)| row.push(expr));
            columns.push(OutputColumn { name: Rc::from(format!("column{}", column + 1)), ty });
        }
        Ok(BoundQuery::new(BoundBody::Values(bound), columns))
    }

    pub(super) fn output_order(
        &mut self,
        order: &[ast::OrderByExpr],
        columns: &[OutputColumn],
    ) -> Result<Vec<SortKey>> {
        order
            .iter()
            .map(|key| {
                let by = match bare_column(&key.expr) {
                    Some(name) => match columns.iter().position(|column| column.name == *name) {
                        Some(column) => column,
                        None => return Err(missing_column(name).at(key.expr.at.0)),
                    },
                    None => match constant_position(&key.expr, columns.len(), "ORDER BY") {
                        Some(place) => place.map_err(|stop| stop.at(key.expr.at.0))?,
                        None => {
                            let wrong = error("0A000", "invalid UNION/INTERSECT/EXCEPT ORDER BY clause");
                            return Err(wrong.at(key.expr.begin().0));
                        }
                    },
                };
                Ok(sort_key(SortBy::Output(by), key))
            })
            .collect()
    }
}
