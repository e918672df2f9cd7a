//! Members and elements of JSON documents, and values as documents.

use std::rc::Rc;

use crate::sql::error::{Result, fail};
use crate::sql::types::input::{document, json_error};
use crate::sql::types::{self, Type, numeric, text};
use crate::trace::Value;
use crate::trace::json::{self, Json};

fn content(value: &Value) -> &str {
    match value {
        Value::Text(value) | Value::Json(value) => value,
        _ => "",
    }
}

fn found<'d>(document: &'d Json, key: &Value) -> Option<&'d Json> {
    match key {
        // A scalar is kept as an array of one element.
        Value::Int(0 | -1) if !matches!(document, Json::Array(_) | Json::Object(_)) => Some(document),
        Value::Int(place) => document.element(*place),
        key => document.member(content(key)),
    }
}

fn written<'d>(document: &'d Value, key: &Value) -> Result<Option<&'d str>> {
    match key {
        Value::Int(place) => json::written_element(content(document), *place),
        key => json::written_member(content(document), content(key)),
    }
    .map_err(json_error)
}

pub fn jsonb_member(a: &[Value]) -> Result<Value> {
    let document = document(content(&a[0]))?;
    Ok(found(&document, &a[1]).map_or(Value::Null, |value| Value::Json(Rc::from(value.to_string()))))
}

pub fn jsonb_text(a: &[Value]) -> Result<Value> {
    let document = document(content(&a[0]))?;
    Ok(found(&document, &a[1]).map_or(Value::Null, as_text))
}

pub fn json_member(a: &[Value]) -> Result<Value> {
    Ok(written(&a[0], &a[1])?.map_or(Value::Null, |value| Value::Json(Rc::from(value))))
}

pub fn json_text(a: &[Value]) -> Result<Value> {
    let Some(value) = written(&a[0], &a[1])? else { return Ok(Value::Null) };
    match document(value)? {
        Json::Null => Ok(Value::Null),
        Json::Text(content) => Ok(text(&content)),
        _ => Ok(text(value)),
    }
}

fn as_text(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Text(content) => text(content),
        other => text(&other.to_string()),
    }
}

/// A jsonb number or boolean as a value of the type.
pub fn to_scalar(of: &str, to: &Type, explicit: bool) -> Result<Value> {
    match (document(of)?, to) {
        (Json::Number(number), to) if to.is_number() => {
            let exact = numeric::parse(&number.to_string())
                .unwrap_or_else(|| fail("22003", "value overflows numeric format"))?;
            types::cast(Value::Numeric(exact), &Type::Numeric(None), to, explicit)
        }
        (Json::Bool(value), Type::Bool) => Ok(Value::Bool(value)),
        (other, _) => fail("22023", format!("cannot cast jsonb {} to type {}", other.kind(), to.name())),
    }
}

/// A value as a jsonb document.
fn to_document(value: &Value) -> Result<Json> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Float(number) if !number.is_finite() => Json::Text(value.to_text()),
        Value::Int(_) | Value::Numeric(_) | Value::Float(_) => document(&value.to_text())?,
        Value::Json(content) => document(content)?,
        Value::Array(values) => Json::Array(values.iter().map(to_document).collect::<Result<_>>()?),
        Value::Timestamp(_) => Json::Text(value.to_text().replacen(' ', "T", 1)),
        Value::TimestampTz(_) => Json::Text(value.to_text().replacen(' ', "T", 1).replacen("+00", "+00:00", 1)),
        other => Json::Text(other.to_text()),
    })
}

/// `jsonb_agg`.
pub fn array(values: &[Value]) -> Result<Value> {
    let elements: Result<Vec<Json>> = values.iter().map(to_document).collect();
    Ok(Value::Json(Rc::from(Json::Array(elements?).to_string())))
}

/// `json_agg`: what is JSON already stays as it is written.
pub fn written_array(values: &[Value]) -> Result<Value> {
    fn written(value: &Value) -> Result<String> {
        Ok(match value {
            Value::Json(content) => content.to_string(),
            Value::Array(values) => format!("[{}]", values.iter().map(written).collect::<Result<Vec<_>>>()?.join(",")),
            other => to_document(other)?.to_string(),
        })
    }
    let mut text = String::from("[");
    for (at, value) in values.iter().enumerate() {
        text.push_str(match (at, value) {
            (0, _) => "",
            (_, Value::Array(_)) => ", \n ",
            _ => ", ",
        });
        text.push_str(&written(value)?);
    }
    Ok(Value::Json(Rc::from(text + "]")))
}
