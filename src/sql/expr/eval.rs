//! How expressions are computed.

use super::{Arithmetic, Comparison, Expr};
use crate::sql::budget::{Budget, STEPS_A_ROW, passing_bytes};
use crate::sql::error::{Result, fail};
use crate::sql::executor::Context;
use crate::sql::types::interval::Span;
use crate::sql::types::{self, Type, datetime, numeric};
use crate::store::compare;
use crate::trace::Value;

impl Context<'_> {
    pub fn evaluate(&mut self, expr: &Expr) -> Result<Value> {
        Ok(match expr {
            Expr::Const(value) => value.clone(),
            Expr::Parameter(number) => self.parameters[*number].clone(),
            Expr::Column { slot, column } => self.run.frame[*slot as usize].row[*column as usize].clone(),
            Expr::Compare { op, left, right } => {
                let left = self.evaluate(left)?;
                let right = self.evaluate(right)?;
                if left == Value::Null || right == Value::Null {
                    Value::Null
                } else {
                    Value::Bool(op.holds(compare(&left, &right)))
                }
            }
            Expr::And(parts) => {
                let mut unknown = false;
                for part in parts {
                    match self.evaluate(part)? {
                        Value::Bool(true) => {}
                        Value::Bool(false) => return Ok(Value::Bool(false)),
                        _ => unknown = true,
                    }
                }
                if unknown { Value::Null } else { Value::Bool(true) }
            }
            Expr::Or(parts) => {
                self.run.budget.work_on_list(parts.len())?;
                let mut unknown = false;
                for part in parts {
                    match self.evaluate(part)? {
                        Value::Bool(false) => {}
                        Value::Bool(true) => return Ok(Value::Bool(true)),
                        _ => unknown = true,
                    }
                }
                if unknown { Value::Null } else { Value::Bool(false) }
            }
            Expr::Not(of) => match self.evaluate(of)? {
                Value::Bool(value) => Value::Bool(!value),
                _ => Value::Null,
            },
            Expr::Arithmetic { op, kind, left, right } => {
                let left = match &**left {
                    before @ Expr::Arithmetic { .. } => self.arithmetic(before)?,
                    left => self.evaluate(left)?,
                };
                let right = self.evaluate(right)?;
                compute(*op, kind, left, right)?
            }
            Expr::Negate { kind, of } => match self.evaluate(of)? {
                Value::Int(value) => whole(kind, value.checked_neg())?,
                Value::Numeric(value) => Value::Numeric(numeric::build(-value.mantissa(), value.scale())?),
                Value::Float(value) => Value::Float(-value),
                Value::Interval { months, days, micros } => Span { months, days, micros }.negate()?.into(),
                _ => Value::Null,
            },
            Expr::IsNull { of, negated } => {
                let value = self.evaluate(of)?;
                Value::Bool((value == Value::Null) != *negated)
            }
            Expr::IsTruth { of, truth, negated } => {
                let value = self.evaluate(of)?;
                Value::Bool((value == Value::Bool(*truth)) != *negated)
            }
            Expr::Distinct { left, right, negated } => {
                let left = self.evaluate(left)?;
                let right = self.evaluate(right)?;
                Value::Bool(compare(&left, &right).is_ne() != *negated)
            }
            Expr::InList { of, list, negated } => {
                let value = self.evaluate(of)?;
                if value == Value::Null {
                    return Ok(Value::Null);
                }
                self.run.budget.work_on_list(list.len())?;
                let mut unknown = false;
                for element in list {
                    let element = self.evaluate(element)?;
                    if element == Value::Null {
                        unknown = true;
                    } else if compare(&value, &element).is_eq() {
                        return Ok(Value::Bool(!negated));
                    }
                }
                if unknown { Value::Null } else { Value::Bool(*negated) }
            }
            Expr::Quantified { op, all, left, array } => {
                let value = self.evaluate(left)?;
                let Value::Array(elements) = self.evaluate(array)? else { return Ok(Value::Null) };
                if elements.is_empty() {
                    return Ok(Value::Bool(*all));
                }
                if value == Value::Null {
                    return Ok(Value::Null);
                }
                self.run.budget.work_on_list(elements.len())?;
                quantify(*op, *all, &value, &elements)
            }
            Expr::Case { arms, otherwise } => {
                self.run.budget.work_on_list(arms.len())?;
                for (when, then) in arms {
                    if self.evaluate(when)? == Value::Bool(true) {
                        return self.evaluate(then);
                    }
                }
                match otherwise {
                    Some(otherwise) => self.evaluate(otherwise)?,
                    None => Value::Null,
                }
            }
            Expr::Coalesce(parts) => {
                for part in parts {
                    let value = self.evaluate(part)?;
                    if value != Value::Null {
                        return Ok(value);
                    }
                }
                Value::Null
            }
            Expr::Cast { of, from, to, explicit } => {
                let value = self.evaluate(of)?;
                types::cast(value, from, to, *explicit)?
            }
            Expr::Like { of, pattern, escape, fold, negated } => {
                let value = self.evaluate(of)?;
                let pattern = self.evaluate(pattern)?;
                match (value, pattern) {
                    (Value::Text(value), Value::Text(pattern)) => {
                        let budget = &mut self.run.budget;
                        budget.work_on_text(value.len() + pattern.len())?;
                        let found = if *fold {
                            like(&value.to_ascii_lowercase(), &pattern.to_ascii_lowercase(), *escape, budget)?
                        } else {
                            like(&value, &pattern, *escape, budget)?
                        };
                        Value::Bool(found != *negated)
                    }
                    _ => Value::Null,
                }
            }
            Expr::Call { function, arguments } => {
                let mut values = smallvec::SmallVec::<[Value; 4]>::new();
                let mut held = 0;
                for argument in arguments {
                    let value = self.evaluate(argument)?;
                    let bytes = passing_bytes(&value);
                    if bytes > 0 {
                        self.run.budget.hold(bytes, &mut held)?;
                    }
                    values.push(value);
                }
                if held > 0 {
                    self.run.budget.work_on_text(held)?;
                    self.run.budget.release(held);
                }
                if function.strict && values.contains(&Value::Null) {
                    return Ok(Value::Null);
                }
                (function.call)(self, &values)?
            }
            Expr::Array(parts) => Value::Array(self.evaluate_all(parts)?.into()),
            Expr::Subquery(subquery) => self.evaluate_subquery(subquery)?,
        })
    }

    /// Operators in a row are a tree that goes down to the left: it is computed from its end.
    fn arithmetic(&mut self, expr: &Expr) -> Result<Value> {
        let mut steps = smallvec::SmallVec::<[_; 4]>::new();
        let mut first = expr;
        while let Expr::Arithmetic { op, kind, left, right } = first {
            steps.push((op, kind, right));
            first = left;
        }
        let mut so_far = self.evaluate(first)?;
        while let Some((op, kind, right)) = steps.pop() {
            let right = self.evaluate(right)?;
            so_far = compute(*op, kind, so_far, right)?;
        }
        Ok(so_far)
    }

    /// The value of what is not computed, without a copy.
    fn at_hand<'v>(&'v self, expr: &'v Expr) -> Option<&'v Value> {
        match expr {
            Expr::Column { slot, column } => Some(&self.run.frame[*slot as usize].row[*column as usize]),
            Expr::Const(value) => Some(value),
            Expr::Parameter(number) => Some(&self.parameters[*number]),
            _ => None,
        }
    }

    /// A condition: NULL counts as false.
    pub fn holds(&mut self, condition: &Expr) -> Result<bool> {
        match condition {
            Expr::Compare { op, left, right } => {
                if let (Some(left), Some(right)) = (self.at_hand(left), self.at_hand(right)) {
                    return Ok(!is_null(left) && !is_null(right) && op.holds(compare(left, right)));
                }
                Ok(self.evaluate(condition)? == Value::Bool(true))
            }
            Expr::And(parts) => {
                for part in parts {
                    if !self.holds(part)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(self.evaluate(condition)? == Value::Bool(true)),
        }
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
                Divide if b == 0.0 => return fail("22012", "division by zero"),
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
            let left = Span { months, days, micros };
            let right = Span { months: other_months, days: other_days, micros: other_micros };
            Ok(if op == Add { left.add(right)? } else { left.subtract(right)? }.into())
        }
        (Value::Interval { months, days, micros }, Value::Float(factor))
        | (Value::Float(factor), Value::Interval { months, days, micros }) => {
            let span = Span { months, days, micros };
            Ok(if op == Divide { span.divide(factor)? } else { span.multiply(factor)? }.into())
        }
        (Value::Time(a), Value::Time(b)) => Ok(Span { months: 0, days: 0, micros: a - b }.into()),
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
    let span = Span { months: *months, days: *days, micros: *micros };
    datetime::add_interval(timestamp, if op == Arithmetic::Subtract { span.negate()? } else { span })
}

/// LIKE without recursion: on a mismatch after `%` that `%` takes one character more.
fn like(value: &str, pattern: &str, escape: Option<char>, budget: &mut Budget) -> Result<bool> {
    enum Part {
        Any,
        One,
        Literal(char),
    }
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            c if Some(c) == escape => match chars.next() {
                Some(literal) => Part::Literal(literal),
                None => return fail("22025", "LIKE pattern must not end with escape character"),
            },
            '%' => Part::Any,
            '_' => Part::One,
            literal => Part::Literal(literal),
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
            Some(Part::Any) => {
                retry = Some((at, part));
                part += 1;
            }
            Some(Part::One) => {
                at += 1;
                part += 1;
            }
            Some(Part::Literal(c)) if *c == value[at] => {
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
    Ok(parts[part..].iter().all(|part| matches!(part, Part::Any)))
}
