//! Calls of functions, aggregates and window functions.

use crate::sql::error::{Result, error, fail, refuse};
use crate::sql::functions;
use crate::sql::functions::aggregate::AggregateFunction;
use crate::sql::parser::ast;
use crate::sql::plan::{Aggregate, Expr, SlotSet, SortBy, SortKey, WindowCall, WindowFunction};
use crate::sql::types::Type;
use crate::trace::SqlError;

use super::coerce::{coerce, common_type};
use super::scope::Within;
use super::select::sort_key;
use super::{Binder, Typed};

fn is_window_function(name: &str) -> bool {
    matches!(
        name,
        "row_number"
            | "rank"
            | "dense_rank"
            | "percent_rank"
            | "cume_dist"
            | "ntile"
            | "lag"
            | "lead"
            | "first_value"
            | "last_value"
            | "nth_value"
    )
}

pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(
        name,
        "count"
            | "sum"
            | "avg"
            | "min"
            | "max"
            | "bool_and"
            | "bool_or"
            | "every"
            | "string_agg"
            | "array_agg"
            | "json_agg"
            | "jsonb_agg"
    )
}

pub(super) fn aggregate_of(
    name: &str,
    mut arguments: Vec<Typed>,
    star: bool,
) -> Result<(AggregateFunction, Vec<Expr>, Type)> {
    use AggregateFunction as F;
    if star {
        return if name == "count" {
            Ok((F::CountRows, Vec::new(), Type::Int8))
        } else {
            fail("42883", format!("function {name}() does not exist"))
        };
    }
    let wanted = if name == "string_agg" { 2 } else { 1 };
    let kinds: Vec<String> = arguments.iter().map(|argument| argument.ty.name()).collect();
    let missing = || error("42883", format!("function {name}({}) does not exist", kinds.join(", ")));
    if arguments.len() != wanted {
        return Err(missing());
    }
    functions::check_overload(name, &arguments.iter().map(|it| it.ty.unmodified()).collect::<Vec<_>>())?;
    let rest = arguments.split_off(1);
    let value = arguments.remove(0);
    let ty = value.ty.unmodified();
    let (function, result) = match (name, &ty) {
        ("count", _) => (F::Count, Type::Int8),
        ("sum", Type::Int2 | Type::Int4) => (F::SumInt, Type::Int8),
        ("sum", Type::Int8) => (F::SumBig, Type::Numeric(None)),
        ("sum", Type::Numeric(_)) => (F::SumNumeric, Type::Numeric(None)),
        ("sum", Type::Float8) => (F::SumFloat, Type::Float8),
        ("sum", Type::Interval) => (F::SumInterval, Type::Interval),
        ("avg", Type::Int2 | Type::Int4 | Type::Int8) => (F::AvgInt, Type::Numeric(None)),
        ("avg", Type::Numeric(_)) => (F::AvgNumeric, Type::Numeric(None)),
        ("avg", Type::Float8) => (F::AvgFloat, Type::Float8),
        ("avg", Type::Interval) => (F::AvgInterval, Type::Interval),
        ("json_agg", _) => (F::JsonAgg, Type::Json),
        ("jsonb_agg", _) => (F::JsonbAgg, Type::Jsonb),
        ("min" | "max", Type::Bool | Type::Uuid | Type::Json | Type::Jsonb | Type::Bytea) => return Err(missing()),
        ("min", _) => (F::Min, if ty == Type::Unknown || ty.is_text() { Type::Text } else { ty.clone() }),
        ("max", _) => (F::Max, if ty == Type::Unknown || ty.is_text() { Type::Text } else { ty.clone() }),
        ("bool_and" | "bool_or" | "every", Type::Unknown) => {
            let function = if name == "bool_or" { F::BoolOr } else { F::BoolAnd };
            return Ok((function, vec![coerce(value, &Type::Bool)?], Type::Bool));
        }
        ("bool_and" | "every", Type::Bool) => (F::BoolAnd, Type::Bool),
        ("bool_or", Type::Bool) => (F::BoolOr, Type::Bool),
        ("string_agg", Type::Text | Type::Varchar(_) | Type::Unknown) => (F::StringAgg, Type::Text),
        ("array_agg", Type::Array(_)) => return refuse("array_agg of arrays"),
        ("array_agg", _) => {
            (F::ArrayAgg, Type::Array(Box::new(if ty == Type::Unknown { Type::Text } else { ty.clone() })))
        }
        _ => return Err(missing()),
    };
    let mut exprs = vec![if ty == Type::Unknown { coerce(value, &Type::Text)? } else { value.expr }];
    for argument in rest {
        exprs.push(coerce(argument, &Type::Text).map_err(|_| missing())?);
    }
    Ok((function, exprs, result))
}

impl<'a> Binder<'a> {
    pub(super) fn call(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        let kinds: Vec<String> = arguments.iter().map(|argument| argument.ty.name()).collect();
        match functions::resolve(name, arguments)? {
            Some(typed) => {
                self.restless |= functions::is_restless(&typed.expr);
                Ok(typed)
            }
            None => {
                let mut missing =
                    SqlError::new("42883", format!("function {name}({}) does not exist", kinds.join(", ")));
                missing.hint = Some(
                    "No function matches the given name and argument types. You might need to add explicit type casts."
                        .to_owned(),
                );
                Err(missing.into())
            }
        }
    }

    pub(super) fn function(&mut self, function: &ast::Function) -> Result<Typed> {
        let name = match function.name.0.as_slice() {
            [name] => name.name.clone(),
            [schema, name] if &*schema.name == "pg_catalog" => name.name.clone(),
            _ => return refuse(format!("the function {}", function.name)),
        };
        if is_aggregate(&name) || function.over.is_some() {
            return self.aggregate(&name, function);
        }
        if is_window_function(&name) {
            return fail("42809", format!("window function {name} requires an OVER clause"));
        }
        if function.star || function.distinct || !function.order_by.is_empty() || function.filter.is_some() {
            functions::check_offered(&name)?;
            return fail("42809", format!("{name} is not an aggregate function"));
        }
        if &*name == "coalesce" {
            let parts: Result<Vec<Typed>> = function.arguments.iter().map(|expr| self.expr(expr)).collect();
            let (exprs, ty) = functions::unify("COALESCE", parts?)?;
            return Ok(Typed { expr: Expr::Coalesce(exprs), ty });
        }
        let arguments: Result<Vec<Typed>> = function.arguments.iter().map(|expr| self.expr(expr)).collect();
        if matches!(&*name, "generate_series" | "unnest") {
            return refuse(format!("{name}() outside FROM"));
        }
        self.call(&name, arguments?)
    }

    pub(super) fn aggregate(&mut self, name: &str, function: &ast::Function) -> Result<Typed> {
        let ast::Function { star, distinct, .. } = *function;
        let windowed = function.over.is_some();
        let around = self.scope().within;
        self.scope().within = if windowed { Within::Window } else { Within::Aggregate };
        let bound = self.aggregate_parts(function);
        self.scope().within = around;
        let (arguments, filter, order) = bound?;
        self.check_place(windowed)?;
        if !windowed {
            self.check_level(&arguments, filter.as_ref())?;
        }
        if let Some(over) = &function.over {
            return self.window(name, over, arguments, star, distinct || filter.is_some() || !order.is_empty());
        }
        if distinct {
            arguments.iter().try_for_each(|argument| argument.ty.check_equality())?;
        }
        let (kind, exprs, ty) = aggregate_of(name, arguments, star)?;
        let call = Aggregate { function: kind, arguments: exprs, distinct, filter, order };
        if self.scope().aggregate_slot.is_none() {
            let slot = self.slot(0)?;
            self.scope().aggregate_slot = Some(slot);
        }
        let scope = self.scope();
        let slot = scope.aggregate_slot.expect("just made");
        let number = match scope.aggregates.iter().position(|other| *other == call) {
            Some(number) => number,
            None => {
                scope.aggregates.push(call);
                scope.aggregates.len() - 1
            }
        };
        Ok(Typed { expr: Expr::Column { slot, column: number as u16 }, ty })
    }

    /// An aggregate that reads only an outer query is one of that query, which cannot be in the midst of its FROM.
    fn check_level(&mut self, arguments: &[Typed], filter: Option<&Expr>) -> Result<()> {
        let filtered = filter.map_or(SlotSet::NONE, Expr::slots);
        let read = arguments.iter().fold(filtered, |slots, argument| slots.union(argument.expr.slots()));
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
    fn in_clause<T>(
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

    #[allow(clippy::type_complexity)]
    pub(super) fn aggregate_parts(
        &mut self,
        function: &ast::Function,
    ) -> Result<(Vec<Typed>, Option<Expr>, Vec<SortKey>)> {
        let arguments: Result<Vec<Typed>> = function.arguments.iter().map(|expr| self.expr(expr)).collect();
        let filter = match &function.filter {
            Some(filter) => Some(self.in_clause("FILTER", false, |binder| binder.condition(filter, "FILTER"))?),
            None => None,
        };
        let mut keys = Vec::new();
        for key in &function.order_by {
            let by = self.expr(&key.expr)?;
            keys.push(sort_key(SortBy::Expr(by.expr), key));
        }
        Ok((arguments?, filter, keys))
    }

    fn window_definition(&mut self, spec: &ast::WindowSpec) -> Result<(Vec<Expr>, Vec<SortKey>)> {
        let mut partition = Vec::new();
        for expr in &spec.partition_by {
            partition.push(self.expr(expr)?.expr);
        }
        let mut order = Vec::new();
        for key in &spec.order_by {
            let by = self.expr(&key.expr)?;
            order.push(sort_key(SortBy::Expr(by.expr), key));
        }
        Ok((partition, order))
    }

    pub(super) fn window(
        &mut self,
        name: &str,
        spec: &ast::WindowSpec,
        arguments: Vec<Typed>,
        star: bool,
        special: bool,
    ) -> Result<Typed> {
        if special {
            return refuse("DISTINCT, FILTER or ORDER BY within a window function");
        }
        let (partition, order) = self.in_clause("window definitions", true, |binder| binder.window_definition(spec))?;
        let (function, exprs, ty) = match (name, arguments.len()) {
            ("row_number", 0) => (WindowFunction::RowNumber, Vec::new(), Type::Int8),
            ("rank", 0) => (WindowFunction::Rank, Vec::new(), Type::Int8),
            ("dense_rank", 0) => (WindowFunction::DenseRank, Vec::new(), Type::Int8),
            ("lag" | "lead", 1..=3) => {
                let mut arguments = arguments;
                let default = if arguments.len() == 3 { Some(arguments.remove(2)) } else { None };
                let offset = if arguments.len() == 2 { Some(arguments.remove(1)) } else { None };
                let value = arguments.remove(0);
                let ty = match &default {
                    Some(default) => common_type(name, [&value.ty, &default.ty].into_iter())?,
                    None => value.ty.clone(),
                };
                let mut exprs = vec![coerce(value, &ty)?];
                if let Some(offset) = offset {
                    exprs.push(coerce(offset, &Type::Int4)?);
                }
                if let Some(default) = default {
                    exprs.push(coerce(default, &ty)?);
                }
                (if name == "lag" { WindowFunction::Lag } else { WindowFunction::Lead }, exprs, ty)
            }
            ("first_value" | "last_value", 1) => {
                let value = arguments.into_iter().next().expect("one argument");
                let function =
                    if name == "first_value" { WindowFunction::FirstValue } else { WindowFunction::LastValue };
                (function, vec![value.expr], value.ty)
            }
            _ if is_aggregate(name) => {
                let (kind, exprs, ty) = aggregate_of(name, arguments, star)?;
                (WindowFunction::Running(kind), exprs, ty)
            }
            ("ntile" | "percent_rank" | "cume_dist" | "nth_value", _) => return refuse(format!("{name}()")),
            _ => {
                return fail(
                    "42809",
                    format!("OVER specified, but {name} is not a window function nor an aggregate function"),
                );
            }
        };
        let call = WindowCall { function, arguments: exprs, partition, order };
        if self.scope().window_slot.is_none() {
            let slot = self.slot(0)?;
            self.scope().window_slot = Some(slot);
        }
        let scope = self.scope();
        let slot = scope.window_slot.expect("just made");
        let number = match scope.windows.iter().position(|other| *other == call) {
            Some(number) => number,
            None => {
                scope.windows.push(call);
                scope.windows.len() - 1
            }
        };
        Ok(Typed { expr: Expr::Column { slot, column: number as u16 }, ty })
    }
}
