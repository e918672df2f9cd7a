//! Calls of aggregates.

use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::functions::Routine;
use crate::sql::functions::aggregate::AggregateSpec;
use crate::sql::parser::ast;
use crate::sql::plan::{Aggregate, SortBy, SortKey};
use crate::sql::types::Type;

use super::overload::{bind_arguments, choose, kinds};
use super::scope::Within;
use super::select::sort_key;
use super::{Binder, Typed};

/// What stands in the parentheses of a call, and behind them.
struct Parts {
    arguments: Vec<Typed>,
    filter: Option<Expr>,
    order: Vec<SortKey>,
}

impl<'a> Binder<'a> {
    pub(super) fn aggregate(&mut self, name: &str, function: &ast::Function) -> Result<Typed> {
        let windowed = function.over.is_some();
        let around = self.scope().within;
        self.scope().within = if windowed { Within::Window } else { Within::Aggregate };
        let bound = self.parts(function);
        self.scope().within = around;
        let parts = bound?;
        self.check_place(windowed)?;
        if let Some(over) = &function.over {
            if function.distinct || parts.filter.is_some() || !parts.order.is_empty() {
                return refuse("DISTINCT, FILTER or ORDER BY within a window function");
            }
            return self.window(name, over, parts.arguments, function.star);
        }
        self.check_level(&parts)?;
        let Routine::Aggregate(AggregateSpec { signature, function: Some(kind), .. }) =
            choose(name, &kinds(&parts.arguments))?
        else {
            return fail("42809", format!("{name} is not an aggregate function"));
        };
        check_star(name, function.star, &parts.arguments)?;
        if function.distinct {
            parts.arguments.iter().try_for_each(|argument| argument.ty.check_equality())?;
        }
        let Parts { arguments, filter, order } = parts;
        let (arguments, ty) = bind_arguments(signature, arguments)?;
        self.aggregate_column(Aggregate { function: *kind, arguments, distinct: function.distinct, filter, order }, ty)
    }

    /// The column that will hold what the call gives: calls that are alike have one.
    fn aggregate_column(&mut self, call: Aggregate, ty: Type) -> Result<Typed> {
        if self.scope().aggregate_slot.is_none() {
            let slot = self.slot(0)?;
            self.scope().aggregate_slot = Some(slot);
        }
        let scope = self.scope();
        let slot = scope.aggregate_slot.expect("just made");
        let number = place_of(&mut scope.aggregates, call);
        Ok(Typed { expr: Expr::Column { slot, column: number as u16 }, ty })
    }

    /// An aggregate that reads only an outer query is one of that query, which cannot be in the midst of its FROM.
    fn check_level(&mut self, parts: &Parts) -> Result<()> {
        let filtered = parts.filter.as_ref().map_or(SlotSet::NONE, Expr::slots);
        let read = parts.arguments.iter().fold(filtered, |slots, argument| slots.union(argument.expr.slots()));
        let level = self.scopes.iter().rposition(|scope| scope.own.meets(read));
        match level {
            Some(level) if level + 1 < self.scopes.len() && self.scopes[level].clause == "FROM" => {
                fail("42803", "aggregate functions are not allowed in FROM clause of their own query level")
            }
            _ => Ok(()),
        }
    }

    /// Whether an aggregate, or a window function, may stand here. What stands in its arguments has been asked before.
    fn check_place(&mut self, windowed: bool) -> Result<()> {
        let scope = self.scope();
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

    fn parts(&mut self, function: &ast::Function) -> Result<Parts> {
        let arguments: Result<Vec<Typed>> = function.arguments.iter().map(|expr| self.expr(expr)).collect();
        let filter = match &function.filter {
            Some(filter) => Some(self.in_clause("FILTER", false, |binder| binder.condition(filter, "FILTER"))?),
            None => None,
        };
        let order = self.sort_keys_of_call(&function.order_by)?;
        Ok(Parts { arguments: arguments?, filter, order })
    }
    pub(super) fn sort_keys_of_call(&mut self, order_by: &[ast::OrderByExpr]) -> Result<Vec<SortKey>> {
        let bind = |key: &ast::OrderByExpr| Ok(sort_key(SortBy::Expr(self.expr(&key.expr)?.expr), key));
        order_by.iter().map(bind).collect()
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
