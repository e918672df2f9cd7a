//! Which type an operation has, and how its sides come to it.

use crate::sql::error::{Result, Stop, error, fail, refuse};
use crate::sql::expr::{Arithmetic, Comparison, Expr};
use crate::sql::functions::{AMONG_INSTANTS, AMONG_TIMESTAMPS};
use crate::sql::types::{self, CastContext, Type, castable};
use crate::trace::{SqlError, Value};

use super::Typed;

pub(super) fn boolean(expr: Expr) -> Typed {
    Typed::new(expr, Type::Bool)
}

pub(super) fn number_literal(digits: &str) -> Result<Typed> {
    if digits.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        && let Ok(number) = digits.parse::<i64>()
    {
        let ty = if i32::try_from(number).is_ok() { Type::Int4 } else { Type::Int8 };
        return Ok(Typed::new(Expr::Const(Value::Int(number)), ty));
    }
    match crate::sql::types::numeric::parse(digits) {
        Some(number) => Ok(Typed::new(Expr::Const(Value::Numeric(number?)), Type::Numeric(None))),
        None => fail("42601", format!("syntax error at or near \"{digits}\"")),
    }
}

pub(super) fn no_operator(symbol: &str, left: &Type, right: &Type) -> Stop {
    let mut error =
        SqlError::new("42883", format!("operator does not exist: {} {symbol} {}", left.name(), right.name()));
    error.hint = Some(
        "No operator matches the given name and argument types. You might need to add explicit type casts.".to_owned(),
    );
    error.into()
}

pub(super) fn compare_exprs(op: Comparison, left: Typed, right: Typed) -> Result<Typed> {
    let (left, right) = compared(op, left, right)?;
    Ok(boolean(Expr::Compare { op, left: Box::new(left), right: Box::new(right) }))
}

/// Brings both sides of a comparison to one type that has the operator.
pub(super) fn compared(op: Comparison, left: Typed, right: Typed) -> Result<(Expr, Expr)> {
    for ty in [&left.ty, &right.ty] {
        if *ty == Type::Json {
            return Err(no_operator(op.symbol(), &left.ty, &right.ty));
        }
    }
    let names = (left.ty.clone(), right.ty.clone());
    alike(op.symbol(), left, right).map_err(|stop| match stop {
        Stop::Failed(error) if matches!(error.sqlstate.as_str(), "42804" | "42846") => {
            no_operator(op.symbol(), &names.0, &names.1)
        }
        other => other,
    })
}

fn alike(construct: &str, left: Typed, right: Typed) -> Result<(Expr, Expr)> {
    let ty = compared_type(construct, &left.ty, &right.ty)?;
    // Integers of different width are kept and compared alike: without a cast an index can be used.
    let keep = |typed: &Typed| typed.ty.same_kind(&ty);
    let left = if keep(&left) { left.expr } else { compared_as(left, &ty)? };
    let right = if keep(&right) { right.expr } else { compared_as(right, &ty)? };
    Ok((left, right))
}

/// A side of a comparison, brought to the type that both have there. A date need not be a timestamp for that.
pub(super) fn compared_as(side: Typed, ty: &Type) -> Result<Expr> {
    let function = match (&side.ty, ty) {
        (Type::Date, Type::Timestamp) => &AMONG_TIMESTAMPS,
        (Type::Date, Type::TimestampTz) => &AMONG_INSTANTS,
        _ => return coerce(side, ty),
    };
    Ok(Expr::Call { function, arguments: vec![side.expr] })
}

pub(super) fn compared_type(construct: &str, left: &Type, right: &Type) -> Result<Type> {
    let ty = match (left, right) {
        (Type::Time, Type::Interval) | (Type::Interval, Type::Time) => Type::Interval,
        (left, right) => common_type(construct, [left, right].into_iter())?,
    };
    Ok(if ty == Type::Unknown { Type::Text } else { ty })
}

pub(super) fn common_type_of(construct: &str, parts: &[Typed]) -> Result<Type> {
    common_type(construct, parts.iter().map(|part| &part.ty)).map_err(|stop| {
        let fits = |count: &usize| common_type(construct, parts[..*count].iter().map(|part| &part.ty)).is_ok();
        let wrong = (1..parts.len()).take_while(fits).count();
        stop.at(parts[wrong].at.0)
    })
}

pub fn common_type<'t>(construct: &str, types: impl Iterator<Item = &'t Type>) -> Result<Type> {
    let mut common: Option<Type> = None;
    let mut any = false;
    let mut exact = true;
    for ty in types {
        any = true;
        if *ty == Type::Unknown {
            exact = false;
            continue;
        }
        common = Some(match common {
            None => ty.clone(),
            Some(so_far) if so_far == *ty => so_far,
            Some(so_far) => {
                exact = false;
                let (a, b) = (so_far.unmodified(), ty.unmodified());
                if a == b {
                    a
                } else if a.category() != b.category() {
                    return fail("42804", format!("{construct} types {} and {} cannot be matched", a.name(), b.name()));
                } else if castable(&b, &a, CastContext::Implicit) {
                    if a.is_text() { Type::Text } else { a }
                } else if castable(&a, &b, CastContext::Implicit) {
                    b
                } else if construct == "CASE" {
                    return fail("42846", format!("CASE/WHEN could not convert type {} to {}", a.name(), b.name()));
                } else {
                    return fail("42846", format!("{construct} could not convert type {} to {}", b.name(), a.name()));
                }
            }
        });
    }
    match common {
        Some(ty) if exact => Ok(ty),
        Some(ty) => Ok(ty.unmodified()),
        None if any => {
            Ok(if construct.chars().all(|c| c.is_ascii_uppercase()) && construct != "IN" && construct != "ANY" {
                Type::Text
            } else {
                Type::Unknown
            })
        }
        None => Ok(Type::Text),
    }
}

/// The type all arguments of a construct take.
pub(super) fn unify(construct: &str, parts: Vec<Typed>) -> Result<(Vec<Expr>, Type)> {
    let ty = common_type_of(construct, &parts)?;
    let exprs: Result<Vec<Expr>> = parts.into_iter().map(|part| coerce(part, &ty)).collect();
    Ok((exprs?, ty))
}

/// Converts where PostgreSQL would do so by itself.
pub fn coerce(typed: Typed, to: &Type) -> Result<Expr> {
    convert(typed, to, CastContext::Implicit)
}

/// Converts to the type of a column that is written.
pub fn assign(typed: Typed, to: &Type) -> Result<Expr> {
    convert(typed, to, CastContext::Assignment)
}

pub(super) fn convert(typed: Typed, to: &Type, context: CastContext) -> Result<Expr> {
    if typed.ty == *to || *to == Type::Unknown {
        return Ok(typed.expr);
    }
    if typed.ty == Type::Unknown {
        return match typed.expr {
            Expr::Const(Value::Null) => Ok(Expr::Const(Value::Null)),
            Expr::Const(Value::Text(content)) => {
                Ok(Expr::Const(types::parse(to, &content).map_err(|stop| stop.at(typed.at.0))?))
            }
            // A text is a text.
            expr if *to == Type::Text => Ok(expr),
            expr => Ok(Expr::Cast { of: Box::new(expr), from: Type::Unknown, to: to.clone(), explicit: false }),
        };
    }
    if !castable(&typed.ty, to, context) {
        return fail("42804", format!("type {} cannot be converted to {}", typed.ty.name(), to.name()));
    }
    let unmodified = to.unmodified() == *to;
    if typed.ty.unmodified() == *to || (unmodified && typed.ty.is_text() && to.is_text()) {
        return Ok(typed.expr);
    }
    // What cannot be converted fails where constants are folded, if it is computed at all.
    if let Expr::Const(value) = &typed.expr
        && let Ok(value) = types::cast(value.clone(), &typed.ty, to, false)
    {
        return Ok(Expr::Const(value));
    }
    Ok(Expr::Cast { of: Box::new(typed.expr), from: typed.ty, to: to.clone(), explicit: false })
}

pub(super) fn explicit_cast(of: Typed, to: &Type) -> Result<Typed> {
    if !castable(&of.ty, to, CastContext::Explicit) {
        return fail("42846", format!("cannot cast type {} to {}", of.ty.name(), to.name()));
    }
    let expr = match of.expr {
        Expr::Const(Value::Null) => Expr::Const(Value::Null),
        Expr::Const(Value::Text(content)) if of.ty == Type::Unknown => {
            let value = types::parse(&to.unmodified(), &content).and_then(|value| types::fit(to, value, true));
            Expr::Const(value.map_err(|stop| stop.at(of.at.0))?)
        }
        expr if of.ty == *to => expr,
        expr => Expr::Cast { of: Box::new(expr), from: of.ty, to: to.clone(), explicit: true },
    };
    Ok(Typed::new(expr, to.clone()))
}

pub(super) fn like_exprs(of: Typed, pattern: Typed, escape: Option<char>, fold: bool, negated: bool) -> Result<Typed> {
    if !fold
        && [&of.ty, &pattern.ty].iter().all(|ty| matches!(ty, Type::Bytea | Type::Unknown))
        && [&of.ty, &pattern.ty].contains(&&Type::Bytea)
    {
        return refuse("LIKE of bytea");
    }
    for ty in [&of.ty, &pattern.ty] {
        if !ty.is_text() && *ty != Type::Unknown {
            return Err(no_operator(if fold { "~~*" } else { "~~" }, &of.ty, &pattern.ty));
        }
    }
    let of = Box::new(coerce(of, &Type::Text)?);
    let pattern = Box::new(coerce(pattern, &Type::Text)?);
    Ok(boolean(Expr::Like { of, pattern, escape, fold, negated }))
}

pub(super) fn arithmetic(op: Arithmetic, left: Typed, right: Typed) -> Result<Typed> {
    use Type::{Date, Float8, Int4, Interval, Time, Timestamp, TimestampTz, Unknown};
    let missing = no_operator(op.symbol(), &left.ty, &right.ty);
    let additive = matches!(op, Arithmetic::Add | Arithmetic::Subtract);
    let subtract = op == Arithmetic::Subtract;
    let add = op == Arithmetic::Add;
    let pair = |left: Typed, lt: &Type, right: Typed, rt: &Type, ty: Type| -> Result<Typed> {
        let left = Box::new(coerce(left, lt)?);
        let right = Box::new(coerce(right, rt)?);
        Ok(Typed::new(Expr::Arithmetic { op, kind: ty.clone(), left, right }, ty))
    };
    match (left.ty.unmodified(), right.ty.unmodified()) {
        (a, b) if a.is_number() && b.is_number() => {
            let ty = common_type("arithmetic", [&a, &b].into_iter())?;
            if ty == Float8 && op == Arithmetic::Remainder {
                return Err(missing);
            }
            pair(left, &ty, right, &ty, ty.clone())
        }
        (Unknown, Unknown) => Err(error("42725", format!("operator is not unique: unknown {} unknown", op.symbol()))),
        (Float8, Unknown) | (Unknown, Float8) if op == Arithmetic::Remainder => Err(missing),
        (a, Unknown) if a.is_number() => {
            let ty = a;
            pair(left, &ty, right, &ty, ty.clone())
        }
        (Unknown, b) if b.is_number() => {
            let ty = b;
            pair(left, &ty, right, &ty, ty.clone())
        }
        (Date, Date) if subtract => pair(left, &Date, right, &Date, Int4),
        (Date, Unknown) | (Unknown, Date) if subtract => pair(left, &Date, right, &Date, Int4),
        (Date, Unknown) | (Unknown, Date) if add => {
            let (left, right) = (left.ty.name(), right.ty.name());
            Err(error("42725", format!("operator is not unique: {left} + {right}")))
        }
        (Date, b) if additive && (b == Int4 || b == Type::Int2) => pair(left, &Date, right, &Int4, Date),
        (a, Date) if add && (a == Int4 || a == Type::Int2) => pair(left, &Int4, right, &Date, Date),
        (Date, Interval) if additive => pair(left, &Date, right, &Interval, Timestamp),
        (Timestamp, Interval) if additive => pair(left, &Timestamp, right, &Interval, Timestamp),
        (TimestampTz, Interval) if additive => pair(left, &TimestampTz, right, &Interval, TimestampTz),
        (Interval, Date) if add => pair(left, &Interval, right, &Date, Timestamp),
        (Interval, Timestamp) if add => pair(left, &Interval, right, &Timestamp, Timestamp),
        (Interval, TimestampTz) if add => pair(left, &Interval, right, &TimestampTz, TimestampTz),
        (Timestamp | TimestampTz, Unknown) if add => {
            let ty = left.ty.clone();
            pair(left, &ty, right, &Interval, ty.clone())
        }
        (Time, Interval) if additive => pair(left, &Time, right, &Interval, Time),
        (Time, Unknown) if add => pair(left, &Time, right, &Interval, Time),
        (Interval, Time) if add => pair(left, &Interval, right, &Time, Time),
        (Time, Time) | (Time, Unknown) | (Unknown, Time) if subtract => pair(left, &Time, right, &Time, Interval),
        (Time, Time) if add => Err(error("42725", format!("operator is not unique: {} + {0}", Time.name()))),
        (Unknown, Time) if add => pair(left, &Interval, right, &Time, Time),
        (Date, Time) if add => pair(left, &Date, right, &Interval, Timestamp),
        (Timestamp, Time) if add => pair(left, &Timestamp, right, &Interval, Timestamp),
        (TimestampTz, Time) if add => pair(left, &TimestampTz, right, &Interval, TimestampTz),
        (Time, Date) if add => pair(left, &Interval, right, &Date, Timestamp),
        (Time, Timestamp) if add => pair(left, &Interval, right, &Timestamp, Timestamp),
        (Time, TimestampTz) if add => pair(left, &Interval, right, &TimestampTz, TimestampTz),
        (Interval, Interval) if additive => pair(left, &Interval, right, &Interval, Interval),
        (Interval, Unknown) if additive => pair(left, &Interval, right, &Interval, Interval),
        (Interval, b) if b.is_number() && matches!(op, Arithmetic::Multiply | Arithmetic::Divide) => {
            let right = explicit_cast(right, &Float8)?;
            pair(left, &Interval, right, &Float8, Interval)
        }
        (a, Interval) if a.is_number() && op == Arithmetic::Multiply => {
            let left = explicit_cast(left, &Float8)?;
            pair(left, &Float8, right, &Interval, Interval)
        }
        (a, b)
            if subtract && (a.is_time() || a == Unknown) && b.is_time()
                || (a.is_time() && b == Unknown && subtract) =>
        {
            let ty = if a == TimestampTz || b == TimestampTz { TimestampTz } else { Timestamp };
            pair(left, &ty, right, &ty, Interval)
        }
        // A time stands for an interval where only that is computed with.
        (Time, _) if !add => arithmetic(op, Typed::new(coerce(left, &Interval)?, Interval), right),
        (_, Time) => arithmetic(op, left, Typed::new(coerce(right, &Interval)?, Interval)),
        (Unknown, Interval) if op == Arithmetic::Multiply => pair(left, &Float8, right, &Interval, Interval),
        (Interval, Unknown) if matches!(op, Arithmetic::Multiply | Arithmetic::Divide) => {
            pair(left, &Interval, right, &Float8, Interval)
        }
        (Type::Jsonb, _) | (Unknown, Type::Text | Type::Varchar(_) | Type::Array(_)) if subtract => {
            refuse(format!("the operator {} - {}", left.ty.name(), right.ty.name()))
        }
        _ => Err(missing),
    }
}
