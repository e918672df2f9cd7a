//! Constructs that PostgreSQL's grammar knows by name and that are calls once their arguments are of one type.

use crate::sql::error::Result;
use crate::store::compare;
use crate::trace::Value;

use super::signature::Kind::AnyCompatible;
use super::{FunctionSpec, pure};

pub static GREATEST: FunctionSpec =
    pure("greatest", &[AnyCompatible], AnyCompatible, greatest).variadic().takes_nulls();

pub static LEAST: FunctionSpec = pure("least", &[AnyCompatible], AnyCompatible, least).variadic().takes_nulls();

pub static NULLIF: FunctionSpec =
    pure("nullif", &[AnyCompatible, AnyCompatible], AnyCompatible, nullif).takes_nulls().null_by_first();

/// Of equal ones the first.
fn greatest(a: &[Value]) -> Result<Value> {
    let greatest = a.iter().filter(|v| **v != Value::Null).rev().max_by(|x, y| compare(x, y));
    Ok(greatest.cloned().unwrap_or(Value::Null))
}

fn least(a: &[Value]) -> Result<Value> {
    let least = a.iter().filter(|v| **v != Value::Null).min_by(|x, y| compare(x, y));
    Ok(least.cloned().unwrap_or(Value::Null))
}

fn nullif(a: &[Value]) -> Result<Value> {
    let equal = a[0] != Value::Null && a[1] != Value::Null && compare(&a[0], &a[1]).is_eq();
    Ok(if equal { Value::Null } else { a[0].clone() })
}
