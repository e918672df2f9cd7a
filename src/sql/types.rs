//! PostgreSQL's types: names, text forms and casts. It knows no tables and no expressions.

use std::rc::Rc;

use rust_decimal::Decimal;

use crate::trace::{SqlType, Value};

use super::budget::{checked_length, text_length};
use super::datetime;
use super::error::{Result, error, fail, refuse, refused};
use super::numeric;

#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Bool,
    Int2,
    Int4,
    Int8,
    Float8,
    /// Precision and scale where the declaration has them.
    Numeric(Option<(u32, u32)>),
    Text,
    Varchar(Option<u32>),
    Bytea,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Uuid,
    Json,
    Jsonb,
    Array(Box<Type>),
    /// A quoted literal, NULL or a text parameter whose type the context decides.
    Unknown,
    Void,
}

impl Type {
    pub fn sql_type(&self) -> SqlType {
        match self {
            Type::Bool => SqlType::Bool,
            Type::Int2 => SqlType::Int2,
            Type::Int4 => SqlType::Int4,
            Type::Int8 => SqlType::Int8,
            Type::Float8 => SqlType::Float8,
            Type::Numeric(_) => SqlType::Numeric,
            Type::Text | Type::Varchar(_) | Type::Unknown | Type::Void => SqlType::Text,
            Type::Bytea => SqlType::Bytea,
            Type::Date => SqlType::Date,
            Type::Time => SqlType::Time,
            Type::Timestamp => SqlType::Timestamp,
            Type::TimestampTz => SqlType::TimestampTz,
            Type::Interval => SqlType::Interval,
            Type::Uuid => SqlType::Uuid,
            Type::Json | Type::Jsonb => SqlType::Json,
            Type::Array(_) => SqlType::Array,
        }
    }

    /// As PostgreSQL's messages name it.
    pub fn name(&self) -> String {
        match self {
            Type::Bool => "boolean".into(),
            Type::Int2 => "smallint".into(),
            Type::Int4 => "integer".into(),
            Type::Int8 => "bigint".into(),
            Type::Float8 => "double precision".into(),
            Type::Numeric(_) => "numeric".into(),
            Type::Text => "text".into(),
            Type::Varchar(_) => "character varying".into(),
            Type::Bytea => "bytea".into(),
            Type::Date => "date".into(),
            Type::Time => "time without time zone".into(),
            Type::Timestamp => "timestamp without time zone".into(),
            Type::TimestampTz => "timestamp with time zone".into(),
            Type::Interval => "interval".into(),
            Type::Uuid => "uuid".into(),
            Type::Json => "json".into(),
            Type::Jsonb => "jsonb".into(),
            Type::Array(element) => format!("{}[]", element.name()),
            Type::Unknown => "unknown".into(),
            Type::Void => "void".into(),
        }
    }

    pub fn is_integer(&self) -> bool {
        matches!(self, Type::Int2 | Type::Int4 | Type::Int8)
    }

    pub fn is_number(&self) -> bool {
        self.is_integer() || matches!(self, Type::Numeric(_) | Type::Float8)
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Type::Text | Type::Varchar(_))
    }

    pub fn is_time(&self) -> bool {
        matches!(self, Type::Date | Type::Timestamp | Type::TimestampTz)
    }

    /// Values of both are kept and compared alike.
    pub fn same_kind(&self, other: &Type) -> bool {
        match (self, other) {
            (a, b) if a.is_integer() && b.is_integer() => true,
            (a, b) if a.is_text() && b.is_text() => true,
            (Type::Numeric(_), Type::Numeric(_)) => true,
            (Type::Array(a), Type::Array(b)) => a.same_kind(b),
            (a, b) => a == b,
        }
    }

    /// Without length, precision and scale.
    pub fn unmodified(&self) -> Type {
        match self {
            Type::Numeric(_) => Type::Numeric(None),
            Type::Varchar(_) => Type::Varchar(None),
            other => other.clone(),
        }
    }
}

pub fn text(value: &str) -> Value {
    Value::Text(Rc::from(value))
}

/// A value as PostgreSQL prints it; NULL is the caller's matter.
pub fn print(value: &Value) -> String {
    value.to_text()
}

fn invalid<T>(target: &Type, input: &str) -> Result<T> {
    fail("22P02", format!("invalid input syntax for type {}: \"{input}\"", target.name()))
}

/// Reads a value from its text form, as for a quoted literal.
pub fn parse(target: &Type, input: &str) -> Result<Value> {
    let trimmed = input.trim();
    Ok(match target {
        Type::Text | Type::Unknown => text(input),
        Type::Varchar(_) => fit(target, text(input), false)?,
        Type::Bool => match trimmed.to_ascii_lowercase().as_str() {
            "t" | "tr" | "tru" | "true" | "y" | "ye" | "yes" | "on" | "1" => Value::Bool(true),
            "f" | "fa" | "fal" | "fals" | "false" | "n" | "no" | "of" | "off" | "0" => Value::Bool(false),
            _ => return invalid(target, input),
        },
        Type::Int2 | Type::Int4 | Type::Int8 => {
            let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return invalid(target, input);
            }
            let out_of_range =
                || error("22003", format!("value \"{input}\" is out of range for type {}", target.name()));
            let number: i64 = trimmed.strip_prefix('+').unwrap_or(trimmed).parse().map_err(|_| out_of_range())?;
            if !in_range(target, number) {
                return Err(out_of_range());
            }
            Value::Int(number)
        }
        Type::Float8 => match trimmed.to_ascii_lowercase().as_str() {
            "nan" => Value::Float(f64::NAN),
            "infinity" | "inf" => Value::Float(f64::INFINITY),
            "-infinity" | "-inf" => Value::Float(f64::NEG_INFINITY),
            other if other.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
                match other.parse::<f64>() {
                    Ok(number) if number.is_finite() => Value::Float(number),
                    Ok(_) => return fail("22003", format!("\"{input}\" is out of range for type double precision")),
                    Err(_) => return invalid(target, input),
                }
            }
            _ => return invalid(target, input),
        },
        Type::Numeric(_) => match numeric::parse(trimmed) {
            Some(number) => fit(target, Value::Numeric(number?), false)?,
            None if ["nan", "infinity", "-infinity"].contains(&trimmed.to_ascii_lowercase().as_str()) => {
                return refuse("a numeric NaN or infinity");
            }
            None => return invalid(target, input),
        },
        Type::Bytea => match trimmed.strip_prefix("\\x") {
            Some(digits) if digits.is_ascii() && digits.len() % 2 == 0 => {
                let bytes: std::result::Result<Vec<u8>, _> =
                    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16)).collect();
                match bytes {
                    Ok(bytes) => Value::Bytes(bytes.into()),
                    Err(_) => return fail("22023", format!("invalid hexadecimal digit in \"{input}\"")),
                }
            }
            Some(_) => return fail("22023", "invalid hexadecimal data: odd number of digits"),
            None if input.contains('\\') => return refuse("the escape format of bytea"),
            None => Value::Bytes(input.as_bytes().into()),
        },
        Type::Date => Value::Date(datetime::parse_date(input)? as i32),
        Type::Time => Value::Time(datetime::parse_time(input)?),
        Type::Timestamp => Value::Timestamp(datetime::parse_timestamp(input)?),
        Type::TimestampTz => Value::TimestampTz(datetime::parse_timestamptz(input)?),
        Type::Interval => datetime::parse_interval(input)?,
        Type::Uuid => {
            let digits: String = trimmed.chars().filter(|c| *c != '-').collect();
            let digits = digits.trim_start_matches('{').trim_end_matches('}');
            match (digits.len() == 32).then(|| u128::from_str_radix(digits, 16)) {
                Some(Ok(number)) => Value::Uuid(number),
                _ => return invalid(target, input),
            }
        }
        Type::Json | Type::Jsonb => match serde_json::from_str::<serde_json::Value>(input) {
            Ok(document) if *target == Type::Jsonb => Value::Json(Rc::from(print_json(&document))),
            Ok(_) => Value::Json(Rc::from(input)),
            Err(_) => return fail("22P02", "invalid input syntax for type json"),
        },
        Type::Array(element) => parse_array(element, input)?,
        Type::Void => Value::Null,
    })
}

/// JSONB prints with a blank after each colon and comma, shorter keys first.
pub fn print_json(document: &serde_json::Value) -> String {
    match document {
        serde_json::Value::Array(elements) => {
            let parts: Vec<String> = elements.iter().map(print_json).collect();
            format!("[{}]", parts.join(", "))
        }
        serde_json::Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then(a.cmp(b)));
            let parts: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}: {}", serde_json::json!(key), print_json(value)))
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        other => other.to_string(),
    }
}

fn parse_array(element: &Type, input: &str) -> Result<Value> {
    let malformed = || error("22P02", format!("malformed array literal: \"{input}\""));
    let body = input.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(malformed)?;
    if body.contains('{') {
        return refuse("an array of more than one dimension");
    }
    let mut elements = Vec::new();
    let mut rest = body.trim_start();
    while !rest.is_empty() {
        let (word, quoted, after) = match rest.strip_prefix('"') {
            Some(inner) => {
                let mut word = String::new();
                let mut chars = inner.char_indices();
                loop {
                    match chars.next() {
                        Some((_, '\\')) => word.push(chars.next().ok_or_else(malformed)?.1),
                        Some((at, '"')) => break (word, true, &inner[at + 1..]),
                        Some((_, c)) => word.push(c),
                        None => return Err(malformed()),
                    }
                }
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), false, &rest[end..])
            }
        };
        if word.is_empty() && !quoted {
            return Err(malformed());
        }
        let null = !quoted && word.eq_ignore_ascii_case("null");
        elements.push(if null { Value::Null } else { parse(element, &word)? });
        rest = match after.trim_start().strip_prefix(',') {
            Some(more) if more.trim().is_empty() => return Err(malformed()),
            Some(more) => more.trim_start(),
            None if after.trim().is_empty() => "",
            None => return Err(malformed()),
        };
    }
    Ok(Value::Array(elements.into()))
}

pub fn in_range(target: &Type, number: i64) -> bool {
    match target {
        Type::Int2 => i16::try_from(number).is_ok(),
        Type::Int4 => i32::try_from(number).is_ok(),
        _ => true,
    }
}

/// Applies length, precision and scale. A cast cuts a text that is too long, an assignment fails.
pub fn fit(target: &Type, value: Value, cast: bool) -> Result<Value> {
    match (target, value) {
        (Type::Varchar(Some(length)), Value::Text(content)) => {
            let length = *length as usize;
            if content.len() <= length || content.chars().count() <= length {
                return Ok(Value::Text(content));
            }
            let cut = content.char_indices().nth(length).map_or(content.len(), |(at, _)| at);
            if cast || content[cut..].bytes().all(|b| b == b' ') {
                return Ok(text(&content[..cut]));
            }
            fail("22001", format!("value too long for type character varying({length})"))
        }
        (Type::Numeric(Some((precision, scale))), Value::Numeric(number)) => {
            Ok(Value::Numeric(numeric::fit(&number, *precision, *scale)?))
        }
        (_, value) => Ok(value),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    Implicit,
    Assignment,
    Explicit,
}

/// Whether PostgreSQL has this cast, and from which context on it applies it.
pub fn castable(from: &Type, to: &Type, context: CastContext) -> bool {
    use CastContext::{Assignment, Explicit, Implicit};
    if from.unmodified() == to.unmodified() || *from == Type::Unknown {
        return true;
    }
    let rank = |t: &Type| match t {
        Type::Int2 => 1,
        Type::Int4 => 2,
        Type::Int8 => 3,
        Type::Numeric(_) => 4,
        Type::Float8 => 5,
        _ => 0,
    };
    let needed = match (from, to) {
        (a, b) if a.is_number() && b.is_number() => {
            if rank(a) < rank(b) {
                Implicit
            } else {
                Assignment
            }
        }
        (a, b) if a.is_text() && b.is_text() => Implicit,
        (Type::Date, Type::Timestamp | Type::TimestampTz) | (Type::Timestamp, Type::TimestampTz) => Implicit,
        (Type::Timestamp | Type::TimestampTz, Type::Date | Type::Timestamp | Type::Time) => Assignment,
        (Type::Time, Type::Interval) => Implicit,
        (Type::Interval, Type::Time) => Assignment,
        (Type::Int4, Type::Bool) | (Type::Bool, Type::Int4) => Explicit,
        (Type::Json, Type::Jsonb) | (Type::Jsonb, Type::Json) => Assignment,
        (Type::Jsonb, b) if b.is_number() || *b == Type::Bool => Explicit,
        (Type::Array(a), Type::Array(b)) => return castable(a, b, context),
        (_, b) if b.is_text() => Assignment,
        (a, _) if a.is_text() => Explicit,
        _ => return false,
    };
    context >= needed
}

/// Converts between types `castable` allows.
pub fn cast(value: Value, from: &Type, to: &Type, explicit: bool) -> Result<Value> {
    if value == Value::Null {
        return Ok(Value::Null);
    }
    if to.is_text() {
        checked_length(text_length(&value))?;
    }
    let converted = match (value, to) {
        (Value::Text(content), to) if !to.is_text() && *to != Type::Unknown => return parse(to, &content),
        (Value::Int(number), to) if to.is_integer() => {
            if !in_range(to, number) {
                return fail("22003", format!("{} out of range", to.name()));
            }
            Value::Int(number)
        }
        (Value::Int(number), Type::Numeric(_)) => Value::Numeric(Decimal::from(number)),
        (Value::Int(number), Type::Float8) => Value::Float(number as f64),
        (Value::Int(number), Type::Bool) => Value::Bool(number != 0),
        (Value::Bool(value), Type::Int4) => Value::Int(i64::from(value)),
        (Value::Numeric(number), to) if to.is_integer() => match numeric::to_int(&number) {
            Some(whole) if in_range(to, whole) => Value::Int(whole),
            _ => return fail("22003", format!("{} out of range", to.name())),
        },
        (Value::Numeric(number), Type::Float8) => Value::Float(numeric::to_float(&number)),
        (Value::Float(number), to) if to.is_integer() => {
            let whole = number.round_ties_even();
            let fits = whole >= -(2f64.powi(63)) && whole < 2f64.powi(63) && in_range(to, whole as i64);
            if !fits {
                return fail("22003", format!("{} out of range", to.name()));
            }
            Value::Int(whole as i64)
        }
        (Value::Float(number), Type::Numeric(_)) => Value::Numeric(numeric::from_float(number)?),
        (Value::Date(days), Type::Timestamp) => Value::Timestamp(i64::from(days) * datetime::DAY_US),
        (Value::Date(days), Type::TimestampTz) => Value::TimestampTz(i64::from(days) * datetime::DAY_US),
        (Value::Timestamp(micros), Type::TimestampTz) => Value::TimestampTz(micros),
        (Value::TimestampTz(micros), Type::Timestamp) => Value::Timestamp(micros),
        (Value::Timestamp(micros) | Value::TimestampTz(micros), Type::Date) => {
            Value::Date(micros.div_euclid(datetime::DAY_US) as i32)
        }
        (Value::Timestamp(micros) | Value::TimestampTz(micros), Type::Time) => {
            Value::Time(micros.rem_euclid(datetime::DAY_US))
        }
        (Value::Time(micros), Type::Interval) => Value::Interval { months: 0, days: 0, micros },
        (Value::Interval { micros, .. }, Type::Time) => Value::Time(micros.rem_euclid(datetime::DAY_US)),
        (Value::Bool(value), to) if to.is_text() => text(if value { "true" } else { "false" }),
        (Value::Json(content), Type::Jsonb) => parse(to, &content)?,
        (Value::Json(content), to) if to.is_number() || *to == Type::Bool => {
            let document: serde_json::Value = serde_json::from_str(&content).unwrap_or(serde_json::Value::Null);
            match (document, to) {
                (serde_json::Value::Number(number), to) if to.is_number() => {
                    let exact = numeric::parse(&number.to_string()).unwrap_or_else(|| Err(refused("this number")))?;
                    cast(Value::Numeric(exact), &Type::Numeric(None), to, explicit)?
                }
                (serde_json::Value::Bool(value), Type::Bool) => Value::Bool(value),
                (other, _) => {
                    let kind = match other {
                        serde_json::Value::String(_) => "string",
                        serde_json::Value::Number(_) => "numeric",
                        serde_json::Value::Bool(_) => "boolean",
                        serde_json::Value::Null => "null",
                        serde_json::Value::Array(_) => "array",
                        serde_json::Value::Object(_) => "object",
                    };
                    return fail("22023", format!("cannot cast jsonb {kind} to type {}", to.name()));
                }
            }
        }
        (Value::Array(elements), Type::Array(element)) => {
            let from = if let Type::Array(from) = from { from } else { element };
            let cast_elements: Result<Vec<Value>> =
                elements.iter().map(|value| cast(value.clone(), from, element, explicit)).collect();
            Value::Array(cast_elements?.into())
        }
        (value, to) if to.is_text() && !matches!(value, Value::Text(_)) => text(&print(&value)),
        (value, _) => value,
    };
    fit(to, converted, explicit)
}
