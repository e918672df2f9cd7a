//! Numbers.

use rust_decimal::Decimal;

use crate::sql::error::{Result, fail};
use crate::sql::types::{Type, in_range, numeric};
use crate::trace::Value;

use super::signature::{FLOAT8, INT2, INT4, INT8, NUMERIC, UUID};
use super::{FunctionSpec, float, int, pure, volatile};

pub static FUNCTIONS: &[FunctionSpec] = &[
    pure("abs", &[INT2], INT2, |a| absolute(&a[0], &Type::Int2)),
    pure("abs", &[INT4], INT4, |a| absolute(&a[0], &Type::Int4)),
    pure("abs", &[INT8], INT8, |a| absolute(&a[0], &Type::Int8)),
    pure("abs", &[NUMERIC], NUMERIC, |a| of_numeric(a, |value| Ok(value.abs()))),
    pure("abs", &[FLOAT8], FLOAT8, |a| Ok(Value::Float(float(&a[0]).abs()))),
    pure("sign", &[NUMERIC], NUMERIC, |a| of_numeric(a, |value| Ok(Decimal::from(value.mantissa().signum() as i64)))),
    pure("sign", &[FLOAT8], FLOAT8, |a| Ok(Value::Float(sign(float(&a[0]))))),
    pure("ceil", &[NUMERIC], NUMERIC, |a| of_numeric(a, numeric::ceil)),
    pure("ceil", &[FLOAT8], FLOAT8, |a| Ok(Value::Float(float(&a[0]).ceil()))),
    pure("ceiling", &[NUMERIC], NUMERIC, |a| of_numeric(a, numeric::ceil)),
    pure("ceiling", &[FLOAT8], FLOAT8, |a| Ok(Value::Float(float(&a[0]).ceil()))),
    pure("floor", &[NUMERIC], NUMERIC, |a| of_numeric(a, numeric::floor)),
    pure("floor", &[FLOAT8], FLOAT8, |a| Ok(Value::Float(float(&a[0]).floor()))),
    pure("round", &[NUMERIC, INT4], NUMERIC, |a| of_numeric(a, |value| numeric::round(value, scale(a)))).optional(1),
    pure("round", &[FLOAT8], FLOAT8, |a| Ok(Value::Float(float(&a[0]).round_ties_even()))),
    pure("trunc", &[NUMERIC, INT4], NUMERIC, |a| of_numeric(a, |value| numeric::truncate(value, scale(a)))).optional(1),
    pure("trunc", &[FLOAT8], FLOAT8, |a| Ok(Value::Float(float(&a[0]).trunc()))),
    pure("mod", &[INT2, INT2], INT2, remainder),
    pure("mod", &[INT4, INT4], INT4, remainder),
    pure("mod", &[INT8, INT8], INT8, remainder),
    pure("mod", &[NUMERIC, NUMERIC], NUMERIC, |a| match a {
        [Value::Numeric(a), Value::Numeric(b)] => Ok(Value::Numeric(numeric::remainder(a, b)?)),
        _ => Ok(Value::Null),
    }),
    pure("power", &[FLOAT8, FLOAT8], FLOAT8, power),
    pure("pow", &[FLOAT8, FLOAT8], FLOAT8, power),
    pure("sqrt", &[FLOAT8], FLOAT8, sqrt),
    pure("exp", &[FLOAT8], FLOAT8, exp),
    pure("ln", &[FLOAT8], FLOAT8, ln),
    volatile("random", &[], FLOAT8, |env, _| Ok(Value::Float(env.random()))),
    volatile("gen_random_uuid", &[], UUID, |env, _| Ok(Value::Uuid(env.random_uuid()))),
];

fn absolute(value: &Value, ty: &Type) -> Result<Value> {
    match int(value).checked_abs().filter(|value| in_range(ty, *value)) {
        Some(value) => Ok(Value::Int(value)),
        None => fail("22003", format!("{} out of range", ty.name())),
    }
}

fn of_numeric(a: &[Value], change: impl FnOnce(&Decimal) -> Result<Decimal>) -> Result<Value> {
    match &a[0] {
        Value::Numeric(value) => Ok(Value::Numeric(change(value)?)),
        other => Ok(other.clone()),
    }
}

/// The digits to keep, none where nothing is said. A scale beyond the digits there are only adds zeros, which PostgreSQL shows.
fn scale(a: &[Value]) -> i32 {
    a.get(1).map_or(0, |scale| int(scale).clamp(-2000, 2000) as i32)
}

fn sign(value: f64) -> f64 {
    f64::from(i8::from(value > 0.0) - i8::from(value < 0.0))
}

fn remainder(a: &[Value]) -> Result<Value> {
    match int(&a[1]) {
        0 => fail("22012", "division by zero"),
        by => Ok(Value::Int(int(&a[0]).checked_rem(by).unwrap_or(0))),
    }
}

fn power(a: &[Value]) -> Result<Value> {
    let (base, exponent) = (float(&a[0]), float(&a[1]));
    if base.is_nan() || exponent.is_nan() {
        return Ok(Value::Float(base.powf(exponent)));
    }
    if base == 0.0 && exponent < 0.0 {
        return fail("2201F", "zero raised to a negative power is undefined");
    }
    if base < 0.0 && exponent.floor() != exponent {
        return fail("2201F", "a negative number raised to a non-integer power yields a complex result");
    }
    let power = base.powf(exponent);
    if base.is_infinite() || exponent.is_infinite() {
        return Ok(Value::Float(power));
    }
    if power == 0.0 && base != 0.0 {
        return fail("22003", "value out of range: underflow");
    }
    finite(power)
}

fn sqrt(a: &[Value]) -> Result<Value> {
    if float(&a[0]) < 0.0 {
        return fail("2201F", "cannot take square root of a negative number");
    }
    Ok(Value::Float(float(&a[0]).sqrt()))
}

fn exp(a: &[Value]) -> Result<Value> {
    match (float(&a[0]), float(&a[0]).exp()) {
        (of, power) if of.is_infinite() => Ok(Value::Float(power)),
        (_, 0.0) => fail("22003", "value out of range: underflow"),
        (_, power) => finite(power),
    }
}

fn ln(a: &[Value]) -> Result<Value> {
    if float(&a[0]) == 0.0 {
        return fail("2201E", "cannot take logarithm of zero");
    }
    if float(&a[0]) < 0.0 {
        return fail("2201E", "cannot take logarithm of a negative number");
    }
    Ok(Value::Float(float(&a[0]).ln()))
}

fn finite(value: f64) -> Result<Value> {
    if value.is_infinite() { fail("22003", "value out of range: overflow") } else { Ok(Value::Float(value)) }
}
