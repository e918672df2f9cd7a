//! SELECT: its output, grouping and order.

use std::rc::Rc;

use crate::sql::error::{Result, error, fail, refuse};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::parser::ast;
use crate::sql::plan::{
    BoundBody, BoundQuery, BoundSelect, Distinct, Grouping, LockTarget, OutputColumn, SortBy, SortKey, Source,
    Windowing, slots_of,
};
use crate::sql::types::Type;

use super::coerce::coerce;
use super::names::column_name;
use super::query::Tail;
use super::scope::Scope;
use super::{Binder, Typed, relation_name};

/// The clauses of a SELECT, while its scope is open.
struct SelectClauses {
    sources: Vec<Source>,
    /// Of its sources.
    slots: SlotSet,
    conditions: Vec<Expr>,
    output: Vec<Typed>,
    columns: Vec<OutputColumn>,
    keys: Vec<Expr>,
    having: Option<Expr>,
    distinct: Option<Distinct>,
    order: Vec<SortKey>,
}

/// An unqualified name and nothing else.
pub(super) fn bare_column(expr: &ast::Expr) -> Option<&Rc<str>> {
    match &expr.kind {
        ast::ExprKind::Column(name) => match name.0.as_slice() {
            [only] => Some(&only.name),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn item_name(expr: &ast::Expr, alias: Option<&ast::Ident>) -> Rc<str> {
    alias.map_or_else(|| column_name(expr), |alias| alias.name.clone())
}

pub(super) fn sort_key(by: SortBy, key: &ast::OrderByExpr) -> SortKey {
    let descending = key.descending;
    SortKey { by, descending, nulls_first: key.nulls_first.unwrap_or(descending) }
}

pub(super) fn position(number: &str, count: usize, clause: &str) -> Result<usize> {
    match number.parse::<i32>() {
        Ok(place) if place > 0 && place as usize <= count => Ok(place as usize - 1),
        Ok(place) if place != i32::MIN => fail("42P10", format!("{clause} position {place} is not in select list")),
        _ => fail("42601", format!("non-integer constant in {clause}")),
    }
}

/// An integer or other constant where ORDER BY and GROUP BY take a position.
pub(super) fn constant_position(expr: &ast::Expr, count: usize, clause: &str) -> Option<Result<usize>> {
    use ast::ExprKind::{Literal, Unary};
    use ast::Literal::Number;
    match &expr.kind {
        Literal(Number(digits)) => Some(position(digits, count, clause)),
        Literal(_) => Some(fail("42601", format!("non-integer constant in {clause}"))),
        Unary { op: ast::UnaryOperator::Minus, expr } => match &expr.kind {
            Literal(Number(digits)) => Some(position(&format!("-{digits}"), count, clause)),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Binder<'a> {
    pub(super) fn select(&mut self, select: &ast::Select, tail: Tail) -> Result<BoundQuery> {
        let keeps_unknown = std::mem::take(&mut self.keeps_unknown);
        let in_from = std::mem::take(&mut self.columns_later);
        self.scopes.push(Scope { clause: "FROM", ..Scope::default() });
        let bound = self.clauses(select, tail, keeps_unknown)?;
        let (grouped, windowed) = (self.is_grouped(&bound), self.is_windowed());
        if grouped {
            let dependent = self.dependent_slots(&bound.keys);
            if let Err(stop) = self.check_grouping(&bound, dependent) {
                let at = self.ungrouped_position(select, tail.order_by, &bound, dependent);
                return Err(stop.at(at.unwrap_or_default().0));
            }
        }
        let locks = self.lock_targets(tail.locks, grouped, windowed, bound.distinct.is_some())?;
        let may_join = self.scopes.len() > 1 && !grouped && !windowed && !tail.follows_with;
        self.closed_select(bound, locks, in_from, may_join)
    }

    fn clauses(&mut self, select: &ast::Select, tail: Tail, keeps_unknown: bool) -> Result<SelectClauses> {
        let sources = self.more_sources(&select.from)?;
        let slots = slots_of(&sources);
        let mut conditions = Vec::new();
        if let Some(selection) = &select.selection {
            self.scope().clause = "WHERE";
            self.condition(selection, "WHERE")?.conjuncts(&mut conditions);
        }

        // Output first: ORDER BY and GROUP BY may name it.
        self.scope().may_aggregate = true;
        self.scope().may_window = true;
        self.scope().clause = "SELECT";
        let (mut output, mut columns) = (Vec::new(), Vec::new());
        for item in &select.projection {
            self.select_item(item, !select.from.is_empty(), &mut output, &mut columns)?;
        }
        if !keeps_unknown {
            known_types(&mut output, &mut columns)?;
        }

        self.scope().may_window = false;
        let mut keys: Vec<Expr> = Vec::new();
        for expr in &select.group_by {
            let key = self.group_key(expr, &output, &columns).and_then(Typed::with_equality);
            let key = key.map_err(|stop| stop.at(expr.at.0))?;
            self.check_group_key(&key)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let having = match &select.having {
            Some(having) => {
                self.scope().clause = "HAVING";
                Some(self.condition(having, "HAVING")?)
            }
            None => None,
        };
        self.scope().may_window = true;
        self.scope().clause = "ORDER BY";
        let distinct = match &select.distinct {
            None => None,
            Some(ast::Distinct::Rows) => {
                output.iter().try_for_each(|typed| typed.ty.check_equality())?;
                Some(Distinct::Rows)
            }
            Some(ast::Distinct::On(exprs)) => {
                let on = exprs.iter().map(|expr| self.order_expr(expr, &output, &columns, "DISTINCT ON"));
                Some(Distinct::On(on.collect::<Result<_>>()?))
            }
        };
        let order = self.order_keys(tail.order_by, &output, &columns, distinct.as_ref())?;
        Ok(SelectClauses { sources, slots, conditions, output, columns, keys, having, distinct, order })
    }

    fn order_keys(
        &mut self,
        written: &[ast::OrderByExpr],
        output: &[Typed],
        columns: &[OutputColumn],
        distinct: Option<&Distinct>,
    ) -> Result<Vec<SortKey>> {
        let mut order = Vec::new();
        for key in written {
            let by = self.order_expr(&key.expr, output, columns, "ORDER BY")?;
            let by = match (distinct, output.iter().position(|typed| typed.expr == by)) {
                (Some(Distinct::Rows), Some(column)) => SortBy::Output(column),
                // It is computed once: what is shown is what was sorted by.
                (None, Some(column)) if by.is_volatile() => SortBy::Output(column),
                (Some(Distinct::Rows), None) => {
                    let wrong = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
                    return Err(error("42P10", wrong).at(key.expr.begin().0));
                }
                _ => SortBy::Expr(by),
            };
            // What is in an order already is the same where it counts again.
            if !order.iter().any(|known: &SortKey| known.by == by) {
                order.push(sort_key(by, key));
            }
        }
        if let Some(Distinct::On(on)) = distinct {
            let leading = order.iter().take(on.len());
            if leading.into_iter().any(|key| !matches!(&key.by, SortBy::Expr(by) if on.contains(by))) {
                return fail("42P10", "SELECT DISTINCT ON expressions must match initial ORDER BY expressions");
            }
        }
        Ok(order)
    }

    fn is_grouped(&self, bound: &SelectClauses) -> bool {
        let scope = self.scopes.last().expect("the scope of this select");
        !bound.keys.is_empty() || bound.having.is_some() || !scope.aggregates.is_empty()
    }

    fn is_windowed(&self) -> bool {
        !self.scopes.last().expect("the scope of this select").windows.is_empty()
    }

    /// Outside of aggregates only what is grouped by may be read.
    fn check_grouping(&self, bound: &SelectClauses, dependent: SlotSet) -> Result<()> {
        let calls = &self.scopes.last().expect("the scope of this select").windows;
        let order = bound.order.iter().chain(calls.iter().flat_map(|call| &call.order));
        let sorted_by = order.filter_map(SortKey::expr);
        let in_calls = calls.iter().flat_map(|call| call.arguments.iter().chain(&call.partition));
        let mut read =
            bound.output.iter().map(|typed| &typed.expr).chain(&bound.having).chain(sorted_by).chain(in_calls);
        read.try_for_each(|expr| self.check_grouped(expr, &bound.keys, bound.slots, dependent))
    }

    /// Where a column stands that may not be read there.
    fn ungrouped_position(
        &mut self,
        select: &ast::Select,
        order_by: &[ast::OrderByExpr],
        bound: &SelectClauses,
        dependent: SlotSet,
    ) -> Option<ast::CursorPosition> {
        let items = select.projection.iter().map_while(|item| match item {
            ast::SelectItem::Expr { expr, .. } => Some(expr),
            ast::SelectItem::Wildcard | ast::SelectItem::QualifiedWildcard(_) => None,
        });
        let items: Vec<&ast::Expr> = items.collect();
        let after = select.having.iter().chain(order_by.iter().map(|key| &key.expr));
        let after = after.take(if items.len() == select.projection.len() { usize::MAX } else { 0 });
        items.into_iter().chain(after).find_map(|expr| self.ungrouped_in(expr, bound, dependent))
    }

    fn ungrouped_in(
        &mut self,
        expr: &ast::Expr,
        bound: &SelectClauses,
        dependent: SlotSet,
    ) -> Option<ast::CursorPosition> {
        let typed = self.expr(expr).ok()?;
        self.check_grouped(&typed.expr, &bound.keys, bound.slots, dependent).err()?;
        let inner = expr.operands().into_iter().find_map(|operand| self.ungrouped_in(operand, bound, dependent));
        inner.or(Some(expr.begin()))
    }

    /// Closes the scope: what it has gathered of aggregates and windows belongs to the SELECT.
    fn closed_select(
        &mut self,
        bound: SelectClauses,
        locks: Vec<LockTarget>,
        in_from: bool,
        may_join: bool,
    ) -> Result<BoundQuery> {
        let (grouped, mut sources) = (self.is_grouped(&bound), bound.sources);
        self.note_nullable(&mut sources);
        let mut scope = self.scopes.pop().expect("the scope of this select");
        let mut grouping = None;
        if grouped {
            let slot = match scope.aggregate_slot {
                Some(slot) => slot,
                None => self.slot(0)?,
            };
            self.widths[usize::from(slot)] = scope.aggregates.len();
            let (keys, having, aggregates) = (bound.keys, bound.having, std::mem::take(&mut scope.aggregates));
            grouping = Some(Grouping { keys, aggregates, having, slot });
        }
        let mut windowing = None;
        if let Some(slot) = scope.window_slot {
            self.widths[usize::from(slot)] = scope.windows.len();
            windowing = Some(Windowing { calls: std::mem::take(&mut scope.windows), slot });
        }
        self.pass_free(Some(scope));
        let select = BoundSelect {
            sources,
            slots: bound.slots,
            conditions: bound.conditions,
            grouping,
            windowing,
            output: bound.output.into_iter().map(|typed| typed.expr).collect(),
            distinct: bound.distinct,
            in_from,
            may_join,
        };
        let query = BoundQuery::new(BoundBody::Select(Box::new(select)), bound.columns);
        Ok(BoundQuery { order: bound.order, locks, ..query })
    }

    pub(super) fn select_item(
        &mut self,
        item: &ast::SelectItem,
        has_from: bool,
        output: &mut Vec<Typed>,
        columns: &mut Vec<OutputColumn>,
    ) -> Result<()> {
        let mut push = |typed: Typed, name: Rc<str>| {
            columns.push(OutputColumn { name, ty: typed.ty.clone() });
            output.push(typed);
        };
        match item {
            ast::SelectItem::Expr { expr, alias } => {
                let typed = self.expr(expr)?;
                push(typed, item_name(expr, alias.as_ref()));
            }
            ast::SelectItem::Wildcard => {
                if !has_from {
                    return fail("42601", "SELECT * with no tables specified is not valid");
                }
                for (name, typed) in self.all_columns() {
                    push(typed, name);
                }
            }
            ast::SelectItem::QualifiedWildcard(name) => {
                let columns = relation_name(name).and_then(|name| self.columns_of(&name));
                for (name, typed) in columns.map_err(|stop| stop.at(name.begin().0))? {
                    push(typed, name);
                }
            }
        }
        Ok(())
    }

    pub(super) fn group_key(&mut self, expr: &ast::Expr, output: &[Typed], columns: &[OutputColumn]) -> Result<Typed> {
        if let Some(place) = constant_position(expr, output.len(), "GROUP BY") {
            return Ok(output[place?].clone());
        }
        if let ast::ExprKind::Row(_) = &expr.kind {
            return refuse("GROUPING SETS, CUBE and ROLLUP");
        }
        if let Some(name) = bare_column(expr) {
            // A column of the input comes before a name of the output.
            return match self.column(name) {
                Ok(typed) => Ok(typed),
                Err(missing) => output_named(name, output, columns, "GROUP BY")?.ok_or(missing),
            };
        }
        self.scope().may_aggregate = false;
        self.scope().clause = "GROUP BY";
        let bound = self.expr(expr);
        self.scope().may_aggregate = true;
        bound
    }

    /// By its position or its name a key may mean a column of the output that is not there before the groups are.
    fn check_group_key(&mut self, key: &Expr) -> Result<()> {
        let scope = self.scope();
        let reads = |made: Option<u16>| made.is_some_and(|made| key.slots().meets(SlotSet::one(made)));
        let in_window = key.any(&|part| match part {
            Expr::Column { slot, column } if Some(*slot) == scope.window_slot => {
                let call = &scope.windows[usize::from(*column)];
                let order = call.order.iter().filter_map(SortKey::expr);
                let mut parts = call.arguments.iter().chain(&call.partition).chain(order);
                parts.any(|part| scope.aggregate_slot.is_some_and(|made| part.slots().meets(SlotSet::one(made))))
            }
            _ => false,
        });
        if in_window || reads(scope.aggregate_slot) {
            return fail("42803", "aggregate functions are not allowed in GROUP BY");
        }
        if reads(scope.window_slot) {
            return fail("42P20", "window functions are not allowed in GROUP BY");
        }
        Ok(())
    }

    fn order_expr(
        &mut self,
        expr: &ast::Expr,
        output: &[Typed],
        columns: &[OutputColumn],
        clause: &str,
    ) -> Result<Expr> {
        let target = self.order_target(expr, output, columns, clause).and_then(Typed::with_order);
        target.map_err(|stop| stop.at(expr.begin().0))
    }

    fn order_target(
        &mut self,
        expr: &ast::Expr,
        output: &[Typed],
        columns: &[OutputColumn],
        clause: &str,
    ) -> Result<Typed> {
        if let Some(place) = constant_position(expr, output.len(), clause) {
            return Ok(output[place?].clone());
        }
        if let Some(name) = bare_column(expr) {
            return match output_named(name, output, columns, clause)? {
                Some(typed) => Ok(typed),
                None => self.column(name),
            };
        }
        let typed = self.expr(expr)?;
        if typed.ty != Type::Unknown {
            return Ok(typed);
        }
        Ok(Typed::new(coerce(typed, &Type::Text)?, Type::Text))
    }

    /// Tables whose primary key is among the group keys: their other columns depend on it.
    pub(super) fn dependent_slots(&self, keys: &[Expr]) -> SlotSet {
        let scope = self.scopes.last().expect("a scope");
        scope
            .relations
            .iter()
            .filter(|relation| {
                let Some(columns) = relation.table.as_ref().and_then(|table| table.primary()?.plain_columns()) else {
                    return false;
                };
                columns
                    .iter()
                    .all(|column| keys.contains(&Expr::Column { slot: relation.slot, column: *column as u16 }))
            })
            .fold(SlotSet::NONE, |slots, relation| slots.union(SlotSet::one(relation.slot)))
    }

    pub(super) fn check_grouped(&self, expr: &Expr, keys: &[Expr], own: SlotSet, dependent: SlotSet) -> Result<()> {
        if keys.contains(expr) {
            return Ok(());
        }
        match expr {
            Expr::Column { slot, column }
                if SlotSet::one(*slot).within(own) && !SlotSet::one(*slot).within(dependent) =>
            {
                let scope = self.scopes.last().expect("a scope");
                let relation = scope.relations.iter().find(|relation| relation.slot == *slot);
                let name = relation.map_or(String::new(), |relation| {
                    format!("{}.{}", relation.alias, relation.columns[usize::from(*column)].0)
                });
                fail(
                    "42803",
                    format!("column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function"),
                )
            }
            Expr::Subquery(subquery) => {
                let free = subquery.outer.without(dependent);
                let keyed = keys.iter().fold(SlotSet::NONE, |slots, key| slots.union(key.slots()));
                for slot in free.iter().filter(|slot| SlotSet::one(*slot).within(own)) {
                    if !SlotSet::one(slot).within(keyed) {
                        return fail("42803", "subquery uses ungrouped column from outer query");
                    }
                }
                for child in expr.children() {
                    self.check_grouped(child, keys, own, dependent)?;
                }
                Ok(())
            }
            other => {
                for child in other.children() {
                    self.check_grouped(child, keys, own, dependent)?;
                }
                Ok(())
            }
        }
    }
}

/// The column of the output that has the name.
fn output_named(name: &Rc<str>, output: &[Typed], columns: &[OutputColumn], clause: &str) -> Result<Option<Typed>> {
    let mut named = columns.iter().zip(output).filter(|(column, _)| column.name == *name).map(|(_, typed)| typed);
    match (named.next(), named.next()) {
        (Some(first), Some(second)) if first.expr != second.expr => {
            fail("42702", format!("{clause} \"{name}\" is ambiguous"))
        }
        (first, _) => Ok(first.cloned()),
    }
}

/// What nobody has given a type is text.
pub(super) fn known_types(output: &mut [Typed], columns: &mut [OutputColumn]) -> Result<()> {
    for (typed, column) in output.iter_mut().zip(columns) {
        if typed.ty == Type::Unknown {
            typed.expr = coerce(typed.clone(), &Type::Text)?;
            typed.ty = Type::Text;
            column.ty = Type::Text;
        }
    }
    Ok(())
}
