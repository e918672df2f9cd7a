//! Calls of aggregates.

use std::borrow::Cow;

use crate::sql::error::{Result, error, fail, refuse};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::functions::Routine;
use crate::sql::functions::aggregate::AggregateSpec;
use crate::sql::functions::signature::Signature;
use crate::sql::parser::ast;
use crate::sql::plan::{Aggregate, SortBy, SortKey};
use crate::sql::types::Type;

use super::overload::{bind_arguments, choose, kinds};
use super::scope::Within;
use super::select::sort_key;
use super::{Binder, Typed};

/// What stands in the parentheses of a call, and behind them.
struct CallParts<'q> {
    arguments: Vec<Typed>,
    filter: Option<Expr>,
    order: Vec<(Typed, &'q ast::OrderByExpr)>,
}

impl<'a> Binder<'a> {
    pub(super) fn aggregate(&mut self, name: &str, function: &ast::Function) -> Result<Typed> {
        let windowed = function.over.is_some();
        let around = self.scope().within;
        let read_before: Vec<SlotSet> = self.scopes.iter().map(|scope| scope.free).collect();
        self.scope().within = if windowed { Within::Window } else { Within::Aggregate };
        let bound = self.parts(function);
        self.scope().within = around;
        let parts = bound?;
        let level = if windowed { self.scopes.len() - 1 } else { self.level_of(&parts)? };
        self.check_place(level, windowed)?;
        if let Some(over) = &function.over {
            if function.distinct || parts.filter.is_some() || !parts.order.is_empty() {
                return refuse("DISTINCT, FILTER or ORDER BY within a window function");
            }
            return self.window(name, over, parts.arguments, function.star);
        }
        let Routine::Aggregate(AggregateSpec { signature, function: Some(kind), .. }) =
            choose(name, &kinds(&parts.arguments))?
        else {
            return fail("42809", format!("{name} is not an aggregate function"));
        };
        check_star(name, function.star, &parts.arguments)?;
        if function.distinct {
            parts.arguments.iter().try_for_each(|argument| argument.ty.check_equality())?;
        }
        let CallParts { arguments, filter, order } = parts;
        if function.distinct {
            check_sorted(signature, &arguments, &order)?;
        }
        let order = order.into_iter().map(|(by, key)| sort_key(SortBy::Expr(by.expr), key)).collect();
        let (arguments, ty) = bind_arguments(signature, arguments)?;
        let call = Aggregate { function: *kind, arguments, distinct: function.distinct, filter, order };
        // The queries within read what it gives, and not what it reads.
        for (scope, before) in self.scopes.iter_mut().zip(read_before).skip(level + 1) {
            scope.free = before;
        }
        self.aggregate_column(level, call, ty)
    }

    /// The column that will hold what the call gives: calls that are alike have one.
    fn aggregate_column(&mut self, level: usize, call: Aggregate, ty: Type) -> Result<Typed> {
        let slot = match self.scopes[level].aggregate_slot {
            Some(slot) => slot,
            None => self.slot(0)?,
        };
        let scope = &mut self.scopes[level];
        scope.aggregate_slot = Some(slot);
        scope.own = scope.own.union(SlotSet::one(slot));
        let number = place_of(&mut scope.aggregates, call);
        self.read_from(level, SlotSet::one(slot));
        Ok(Typed::new(Expr::Column { slot, column: number as u16 }, ty))
    }

    /// The query an aggregate belongs to: the innermost of those it reads, and its own where it reads none.
    fn level_of(&self, parts: &CallParts) -> Result<usize> {
        let arguments = parts.arguments.iter().map(|argument| &argument.expr);
        let sorted_by = parts.order.iter().map(|(by, _)| &by.expr);
        let all = || arguments.clone().chain(&parts.filter).chain(sorted_by.clone());
        let read = all().fold(SlotSet::NONE, |slots, expr| slots.union(expr.slots()));
        let innermost = self.scopes.len() - 1;
        let level = self.scopes.iter().rposition(|scope| scope.own.meets(read)).unwrap_or(innermost);
        if level == innermost {
            return Ok(level);
        }
        let scope = &self.scopes[level];
        if scope.clause == "FROM" {
            return fail("42803", "aggregate functions are not allowed in FROM clause of their own query level");
        }
        if scope.aggregate_slot.is_some_and(|made| read.meets(SlotSet::one(made))) {
            return fail("42803", "aggregate function calls cannot be nested");
        }
        if all().any(|expr| expr.any(&|part| matches!(part, Expr::Subquery(_)))) {
            return refuse("an aggregate of an outer query that contains a subquery");
        }
        Ok(level)
    }

    /// Whether an aggregate, or a window function, may stand here. What stands in its arguments has been asked before.
    fn check_place(&self, level: usize, windowed: bool) -> Result<()> {
        let scope = &self.scopes[level];
        let clause = scope.clause;
        match (windowed, scope.within) {
            (true, _) if !scope.may_window => fail("42P20", format!("window functions are not allowed in {clause}")),
            (false, _) if !scope.may_aggregate => {
                fail("42803", format!("aggregate functions are not allowed in {clause}"))
            }
            (true, Within::Aggregate) => fail("42803", "aggregate function calls cannot contain window function calls"),
            (false, Within::Aggregate) => fail("42803", "aggregate function calls cannot be nested"),
            (true, Within::Window) => fail("42P20", "window function calls cannot be nested"),
            _ => Ok(()),
        }
    }

    /// Binds a part of a call to which other rules apply than to its arguments.
    pub(super) fn in_clause<T>(
        &mut self,
        clause: &'static str,
        aggregates: bool,
        bind: impl FnOnce(&mut Binder<'a>) -> Result<T>,
    ) -> Result<T> {
        let scope = self.scope();
        let before = (scope.clause, scope.may_aggregate, scope.may_window, scope.within);
        (scope.clause, scope.may_aggregate, scope.may_window, scope.within) =
            (clause, aggregates, false, Within::NoCall);
        let bound = bind(self);
        let scope = self.scope();
        (scope.clause, scope.may_aggregate, scope.may_window, scope.within) = before;
        bound
    }

    fn parts<'q>(&mut self, function: &'q ast::Function) -> Result<CallParts<'q>> {
        let arguments: Result<Vec<Typed>> = function.arguments.iter().map(|expr| self.expr(expr)).collect();
        let filter = match &function.filter {
            Some(filter) => Some(self.in_clause("FILTER", false, |binder| binder.condition(filter, "FILTER"))?),
            None => None,
        };
        let order = function.order_by.iter().map(|key| Ok((self.expr(&key.expr)?, key))).collect::<Result<_>>()?;
        Ok(CallParts { arguments: arguments?, filter, order })
    }

    pub(super) fn sort_keys_of_call(&mut self, order_by: &[ast::OrderByExpr]) -> Result<Vec<SortKey>> {
        let bind = |key: &ast::OrderByExpr| Ok(sort_key(SortBy::Expr(self.expr(&key.expr)?.expr), key));
        order_by.iter().map(bind).collect()
    }
}

/// Where equal arguments count once, they are sorted by themselves.
fn check_sorted(signature: &Signature, arguments: &[Typed], order: &[(Typed, &ast::OrderByExpr)]) -> Result<()> {
    let is_argument = |by: &Typed| {
        arguments.iter().enumerate().any(|(place, argument)| {
            let taken = signature.parameter(place).fixed().unwrap_or(Cow::Borrowed(&argument.ty));
            argument.expr == by.expr && taken.unmodified() == by.ty.unmodified()
        })
    };
    match order.iter().find(|(by, _)| !is_argument(by)) {
        None => Ok(()),
        Some((by, _)) => {
            let wrong =
                error("42P10", "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list");
            Err(wrong.at(by.at.0))
        }
    }
}

/// `count(*)`, not `count()`.
pub(super) fn check_star(name: &str, star: bool, arguments: &[Typed]) -> Result<()> {
    if arguments.is_empty() && !star {
        return fail("42809", format!("{name}(*) must be used to call a parameterless aggregate function"));
    }
    Ok(())
}

/// Where the call stands among those there are, itself included.
pub(super) fn place_of<T: PartialEq>(calls: &mut Vec<T>, call: T) -> usize {
    calls.iter().position(|other| *other == call).unwrap_or_else(|| {
        calls.push(call);
        calls.len() - 1
    })
}
