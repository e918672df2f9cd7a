//! How expressions are computed. What is not in the expression itself is asked of an `EvalEnv`.

use smallvec::SmallVec;

use crate::sql::budget::{Budget, STEPS_A_ROW, passing_bytes};
use crate::sql::error::{Result, fail, refuse};
use crate::sql::functions::{FunctionSpec, Implementation, SystemEnv};
use crate::sql::types::interval::PgInterval;
use crate::sql::types::{self, Type, datetime, numeric};
use crate::store::compare;
use crate::trace::Value;

use super::{Arithmetic, Comparison, Expr, Subquery};

/// What an expression asks of the one who wants its value.
pub trait EvalEnv {
    /// The row that stands in a slot.
    fn row(&self, slot: u16) -> &[Value];
    fn parameter(&self, number: usize) -> &Value;
    fn budget(&mut self) -> &mut Budget;
    fn subquery(&mut self, subquery: &Subquery) -> Result<Value>;
    /// `None` where there is no session: an expression that is computed once for all has none.
    fn system(&mut self) -> Option<&mut dyn SystemEnv>;
}

/// One row and nothing else, of a table or none: keys of indexes and constants are computed with it.
#[derive(Default)]
pub struct OneRow<'a> {
    pub row: &'a [Value],
    budget: Budget,
}

impl<'a> OneRow<'a> {
    pub fn new(row: &'a [Value]) -> OneRow<'a> {
        OneRow { row, budget: Budget::default() }
    }
}

impl EvalEnv for OneRow<'_> {
    fn row(&self, _: u16) -> &[Value] {
        self.row
    }

    fn parameter(&self, _: usize) -> &Value {
        &Value::Null
    }

    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    fn subquery(&mut self, _: &Subquery) -> Result<Value> {
        refuse("a subquery here")
    }

    fn system(&mut self) -> Option<&mut dyn SystemEnv> {
        None
    }
}

pub fn eval<E: EvalEnv + ?Sized>(expr: &Expr, env: &mut E) -> Result<Value> {
    Ok(match expr {
        Expr::Const(value) => value.clone(),
        Expr::Parameter(number) => env.parameter(*number).clone(),
        Expr::Column { slot, column } => env.row(*slot)[*column as usize].clone(),
        Expr::Compare { op, left, right } => {
            let left = eval(left, env)?;
            let right = eval(right, env)?;
            if is_null(&left) || is_null(&right) { Value::Null } else { Value::Bool(op.holds(compare(&left, &right))) }
        }
        Expr::And(parts) => connected(parts, false, env)?,
        Expr::Or(parts) => {
            env.budget().work_on_list(parts.len())?;
            connected(parts, true, env)?
        }
        Expr::Not(of) => match eval(of, env)? {
            Value::Bool(value) => Value::Bool(!value),
            _ => Value::Null,
        },
        Expr::Arithmetic { op, kind, left, right } => {
            let left = match &**left {
                before @ Expr::Arithmetic { .. } => arithmetic(before, env)?,
                left => eval(left, env)?,
            };
            let right = eval(right, env)?;
            compute(*op, kind, left, right)?
        }
        Expr::Negate { kind, of } => negate(kind, eval(of, env)?)?,
        Expr::IsNull { of, negated } => Value::Bool(is_null(&eval(of, env)?) != *negated),
        Expr::IsTruth { of, truth, negated } => Value::Bool((eval(of, env)? == Value::Bool(*truth)) != *negated),
        Expr::Distinct { left, right, negated } => {
            let left = eval(left, env)?;
            let right = eval(right, env)?;
            Value::Bool(compare(&left, &right).is_ne() != *negated)
        }
        Expr::InList { of, list, negated } => in_list(of, list, *negated, env)?,
        Expr::Quantified { op, all, left, array } => quantified(*op, *all, left, array, env)?,
        Expr::Case { arms, otherwise } => return case(arms, otherwise.as_deref(), env),
        Expr::Coalesce(parts) => coalesce(parts, env)?,
        Expr::Cast { of, from, to, explicit } => types::cast(eval(of, env)?, from, to, *explicit)?,
        Expr::Like { of, pattern, escape, fold, negated } => {
            let value = eval(of, env)?;
            let pattern = eval(pattern, env)?;
            match (value, pattern) {
                (Value::Text(value), Value::Text(pattern)) => {
                    Value::Bool(matches(&value, &pattern, *escape, *fold, env.budget())? != *negated)
                }
                _ => Value::Null,
            }
        }
        Expr::Call { function, arguments } => call(function, arguments, env)?,
        Expr::Array(parts) => Value::Array(eval_all(parts, env)?.into()),
        Expr::Subquery(subquery) => env.subquery(subquery)?,
    })
}

pub fn eval_all<E: EvalEnv + ?Sized>(exprs: &[Expr], env: &mut E) -> Result<Vec<Value>> {
    env.budget().work_on_values(exprs.len())?;
    let mut values = Vec::with_capacity(exprs.len());
    let mut held = 0;
    for expr in exprs {
        let value = match at_hand(expr, env) {
            Some(value) => value.clone(),
            None => eval(expr, env)?,
        };
        let bytes = passing_bytes(&value);
        if bytes > 0 {
            env.budget().hold(bytes, &mut held)?;
        }
        values.push(value);
    }
    env.budget().release(held);
    Ok(values)
}

/// A condition: NULL counts as false.
pub fn holds<E: EvalEnv + ?Sized>(condition: &Expr, env: &mut E) -> Result<bool> {
    match condition {
        Expr::Compare { op, left, right } => {
            if let (Some(left), Some(right)) = (at_hand(left, env), at_hand(right, env)) {
                return Ok(!is_null(left) && !is_null(right) && op.holds(compare(left, right)));
            }
            Ok(eval(condition, env)? == Value::Bool(true))
        }
        Expr::And(parts) => {
            for part in parts {
                if !holds(part, env)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(eval(condition, env)? == Value::Bool(true)),
    }
}

/// The value of what is not computed, without a copy.
fn at_hand<'v, E: EvalEnv + ?Sized>(expr: &'v Expr, env: &'v E) -> Option<&'v Value> {
    match expr {
        Expr::Column { slot, column } => Some(&env.row(*slot)[*column as usize]),
        Expr::Const(value) => Some(value),
        Expr::Parameter(number) => Some(env.parameter(*number)),
        _ => None,
    }
}

/// AND, or OR: the first part with the value that decides ends it.
fn connected<E: EvalEnv + ?Sized>(parts: &[Expr], decides: bool, env: &mut E) -> Result<Value> {
    let mut unknown = false;
    for part in parts {
        match eval(part, env)? {
            Value::Bool(value) if value == decides => return Ok(Value::Bool(decides)),
            Value::Bool(_) => {}
            _ => unknown = true,
        }
    }
    Ok(if unknown { Value::Null } else { Value::Bool(!decides) })
}

/// Operators in a row are a tree that goes down to the left: it is computed from its end.
fn arithmetic<E: EvalEnv + ?Sized>(expr: &Expr, env: &mut E) -> Result<Value> {
    let mut steps = SmallVec::<[_; 4]>::new();
    let mut first = expr;
    while let Expr::Arithmetic { op, kind, left, right } = first {
        steps.push((op, kind, right));
        first = left;
    }
    let mut so_far = eval(first, env)?;
    while let Some((op, kind, right)) = steps.pop() {
        let right = eval(right, env)?;
        so_far = compute(*op, kind, so_far, right)?;
    }
    Ok(so_far)
}

fn negate(kind: &Type, value: Value) -> Result<Value> {
    Ok(match value {
        Value::Int(value) => whole(kind, value.checked_neg())?,
        Value::Numeric(value) => Value::Numeric(numeric::build(-value.mantissa(), value.scale())?),
        Value::Float(value) => Value::Float(-value),
        Value::Interval { months, days, micros } => PgInterval { months, days, micros }.negate()?.into(),
        _ => Value::Null,
    })
}

fn in_list<E: EvalEnv + ?Sized>(of: &Expr, list: &[Expr], negated: bool, env: &mut E) -> Result<Value> {
    let value = eval(of, env)?;
    if is_null(&value) {
        return Ok(Value::Null);
    }
    env.budget().work_on_list(list.len())?;
    let mut unknown = false;
    for element in list {
        let element = eval(element, env)?;
        if is_null(&element) {
            unknown = true;
        } else if compare(&value, &element).is_eq() {
            return Ok(Value::Bool(!negated));
        }
    }
    Ok(if unknown { Value::Null } else { Value::Bool(negated) })
}

fn quantified<E: EvalEnv + ?Sized>(op: Comparison, all: bool, left: &Expr, array: &Expr, env: &mut E) -> Result<Value> {
    let value = eval(left, env)?;
    let Value::Array(elements) = eval(array, env)? else { return Ok(Value::Null) };
    if elements.is_empty() {
        return Ok(Value::Bool(all));
    }
    if is_null(&value) {
        return Ok(Value::Null);
    }
    env.budget().work_on_list(elements.len())?;
    Ok(quantify(op, all, &value, &elements))
}

fn case<E: EvalEnv + ?Sized>(arms: &[(Expr, Expr)], otherwise: Option<&Expr>, env: &mut E) -> Result<Value> {
    env.budget().work_on_list(arms.len())?;
    for (when, then) in arms {
        if eval(when, env)? == Value::Bool(true) {
            return eval(then, env);
        }
    }
    otherwise.map_or(Ok(Value::Null), |otherwise| eval(otherwise, env))
}

fn coalesce<E: EvalEnv + ?Sized>(parts: &[Expr], env: &mut E) -> Result<Value> {
    for part in parts {
        let value = eval(part, env)?;
        if !is_null(&value) {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}

fn call<E: EvalEnv + ?Sized>(function: &'static FunctionSpec, arguments: &[Expr], env: &mut E) -> Result<Value> {
    let mut values = SmallVec::<[Value; 4]>::new();
    let mut held = 0;
    for argument in arguments {
        let value = eval(argument, env)?;
        let bytes = passing_bytes(&value);
        if bytes > 0 {
            env.budget().hold(bytes, &mut held)?;
        }
        values.push(value);
    }
    if held > 0 {
        env.budget().work_on_text(held)?;
        env.budget().release(held);
    }
    if function.strict && values.iter().any(is_null) {
        return Ok(Value::Null);
    }
    match function.call {
        Implementation::Pure(call) => call(&values),
        Implementation::Contextual(call) => match env.system() {
            Some(system) => call(system, &values),
            None => refuse(format!("{}() here", function.name)),
        },
    }
}

fn matches(value: &str, pattern: &str, escape: Option<char>, fold: bool, budget: &mut Budget) -> Result<bool> {
    budget.work_on_text(value.len() + pattern.len())?;
    if fold {
        like(&value.to_ascii_lowercase(), &pattern.to_ascii_lowercase(), escape, budget)
    } else {
        like(value, pattern, escape, budget)
    }
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null)
}

/// `value op ANY (elements)`, ALL with `all`; elements of more than one dimension count each.
fn quantify(op: Comparison, all: bool, value: &Value, elements: &[Value]) -> Value {
    let mut unknown = false;
    for element in elements {
        let holds = match element {
            Value::Null => Value::Null,
            Value::Array(inner) => quantify(op, all, value, inner),
            element => Value::Bool(op.holds(compare(value, element))),
        };
        match holds {
            Value::Bool(holds) if holds != all => return Value::Bool(!all),
            Value::Bool(_) => {}
            _ => unknown = true,
        }
    }
    if unknown { Value::Null } else { Value::Bool(all) }
}

fn whole(kind: &Type, value: Option<i64>) -> Result<Value> {
    match value {
        Some(value) if types::in_range(kind, value) => Ok(Value::Int(value)),
        _ => fail("22003", format!("{} out of range", kind.name())),
    }
}

fn compute(op: Arithmetic, kind: &Type, left: Value, right: Value) -> Result<Value> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Int(a), Value::Int(b)) => match op {
            Add => whole(kind, a.checked_add(b)),
            Subtract => whole(kind, a.checked_sub(b)),
            Multiply => whole(kind, a.checked_mul(b)),
            Divide | Remainder if b == 0 => fail("22012", "division by zero"),
            Divide => whole(kind, a.checked_div(b)),
            Remainder => whole(kind, Some(a.checked_rem(b).unwrap_or(0))),
        },
        (Value::Numeric(a), Value::Numeric(b)) => Ok(Value::Numeric(match op {
            Add => numeric::add(&a, &b)?,
            Subtract => numeric::subtract(&a, &b)?,
            Multiply => numeric::multiply(&a, &b)?,
            Divide => numeric::divide(&a, &b)?,
            Remainder => numeric::remainder(&a, &b)?,
        })),
        (Value::Float(a), Value::Float(b)) => {
            let result = match op {
                Add => a + b,
                Subtract => a - b,
                Multiply => a * b,
                Divide if b == 0.0 && !a.is_nan() => return fail("22012", "division by zero"),
                Divide => a / b,
                Remainder => return fail("42883", "operator does not exist: double precision % double precision"),
            };
            if result.is_infinite() && a.is_finite() && b.is_finite() {
                return fail("22003", "value out of range: overflow");
            }
            if result == 0.0 && a != 0.0 && b.is_finite() && (matches!(op, Divide) || (op == Multiply && b != 0.0)) {
                return fail("22003", "value out of range: underflow");
            }
            Ok(Value::Float(result))
        }
        (left, right) => compute_time(op, kind, left, right),
    }
}

/// Dates, times and intervals.
fn compute_time(op: Arithmetic, kind: &Type, left: Value, right: Value) -> Result<Value> {
    use Arithmetic::{Add, Divide, Subtract};
    match (left, right) {
        (Value::Date(a), Value::Int(b)) => Ok(Value::Date(datetime::add_days(a, if op == Subtract { -b } else { b })?)),
        (Value::Int(a), Value::Date(b)) => Ok(Value::Date(datetime::add_days(b, a)?)),
        // A date becomes a timestamp only here: with NULL for an interval it may be beyond them.
        (Value::Date(a), interval @ Value::Interval { .. }) | (interval @ Value::Interval { .. }, Value::Date(a)) => {
            Ok(Value::Timestamp(shift(datetime::date_to_timestamp(a)?, &interval, op)?))
        }
        (Value::Date(a), Value::Date(b)) => whole(kind, Some(datetime::days_between(a, b)?)),
        (Value::Timestamp(a), Value::Timestamp(b)) | (Value::TimestampTz(a), Value::TimestampTz(b)) => {
            datetime::difference(a, b)
        }
        (Value::Timestamp(a), interval @ Value::Interval { .. }) => Ok(Value::Timestamp(shift(a, &interval, op)?)),
        (Value::TimestampTz(a), interval @ Value::Interval { .. }) => Ok(Value::TimestampTz(shift(a, &interval, op)?)),
        (interval @ Value::Interval { .. }, Value::Timestamp(a)) => Ok(Value::Timestamp(shift(a, &interval, op)?)),
        (interval @ Value::Interval { .. }, Value::TimestampTz(a)) => Ok(Value::TimestampTz(shift(a, &interval, op)?)),
        (
            Value::Interval { months, days, micros },
            Value::Interval { months: other_months, days: other_days, micros: other_micros },
        ) => {
            let left = PgInterval { months, days, micros };
            let right = PgInterval { months: other_months, days: other_days, micros: other_micros };
            Ok(if op == Add { left.add(right)? } else { left.subtract(right)? }.into())
        }
        (Value::Interval { months, days, micros }, Value::Float(factor))
        | (Value::Float(factor), Value::Interval { months, days, micros }) => {
            let span = PgInterval { months, days, micros };
            Ok(if op == Divide { span.divide(factor)? } else { span.multiply(factor)? }.into())
        }
        (Value::Time(a), Value::Time(b)) => Ok(PgInterval { months: 0, days: 0, micros: a - b }.into()),
        (Value::Interval { micros, .. }, Value::Time(a)) | (Value::Time(a), Value::Interval { micros, .. }) => {
            let micros = micros.rem_euclid(datetime::DAY_US);
            let shifted = if op == Add { a + micros } else { a - micros };
            Ok(Value::Time(shifted.rem_euclid(datetime::DAY_US)))
        }
        (left, right) => fail(
            "0A000",
            format!(
                "{} {} {} is not offered by this database engine",
                types::print(&left),
                op.symbol(),
                types::print(&right)
            ),
        ),
    }
}

fn shift(timestamp: i64, interval: &Value, op: Arithmetic) -> Result<i64> {
    let Value::Interval { months, days, micros } = interval else { return Ok(timestamp) };
    let span = PgInterval { months: *months, days: *days, micros: *micros };
    datetime::add_interval(timestamp, if op == Arithmetic::Subtract { span.negate()? } else { span })
}

/// LIKE without recursion: on a mismatch after `%` that `%` takes one character more.
fn like(value: &str, pattern: &str, escape: Option<char>, budget: &mut Budget) -> Result<bool> {
    enum LikePart {
        Any,
        One,
        Literal(char),
    }
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            c if Some(c) == escape => match chars.next() {
                Some(literal) => LikePart::Literal(literal),
                None => return fail("22025", "LIKE pattern must not end with escape character"),
            },
            '%' => LikePart::Any,
            '_' => LikePart::One,
            literal => LikePart::Literal(literal),
        });
    }
    let value: Vec<char> = value.chars().collect();
    let (mut at, mut part) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    let mut steps = 0;
    while at < value.len() {
        steps += 1;
        if steps % (STEPS_A_ROW * STEPS_A_ROW) == 0 {
            budget.work(STEPS_A_ROW)?;
        }
        match parts.get(part) {
            Some(LikePart::Any) => {
                retry = Some((at, part));
                part += 1;
            }
            Some(LikePart::One) => {
                at += 1;
                part += 1;
            }
            Some(LikePart::Literal(c)) if *c == value[at] => {
                at += 1;
                part += 1;
            }
            _ => match &mut retry {
                Some((taken, any)) => {
                    *taken += 1;
                    at = *taken;
                    part = *any + 1;
                }
                None => return Ok(false),
            },
        }
    }
    Ok(parts[part..].iter().all(|part| matches!(part, LikePart::Any)))
}
