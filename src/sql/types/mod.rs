//! PostgreSQL's types: names, text forms and casts. It knows no tables and no expressions.

pub mod arrays;
pub mod datetime;
pub mod datetime_fields;
pub mod datetime_input;
pub mod documents;
pub mod input;
pub mod interval;
pub mod interval_input;
pub mod numeric;
pub mod timezone;

use std::rc::Rc;

use rust_decimal::Decimal;

use crate::sql::budget::{checked_length, text_length};
use crate::sql::error::{Result, fail};
use crate::trace::{SqlType, Value};

pub use crate::sql::types::input::parse;

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

    fn check_operator(&self, operator: &str) -> Result<()> {
        let element = if let Type::Array(element) = self { element } else { self };
        if *element == Type::Json {
            return fail("42883", format!("could not identify an {operator} operator for type {}", self.name()));
        }
        Ok(())
    }

    /// Fails for a type whose values cannot be told apart.
    pub fn check_equality(&self) -> Result<()> {
        self.check_operator("equality")
    }

    /// Fails for a type whose values have no order.
    pub fn check_order(&self) -> Result<()> {
        self.check_operator("ordering")
    }

    /// Types of one category can be of one type in a CASE or a UNION, where there is a conversion.
    pub fn category(&self) -> u8 {
        match self {
            Type::Bool => b'B',
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Float8 | Type::Numeric(_) => b'N',
            Type::Text | Type::Varchar(_) => b'S',
            Type::Date | Type::Time | Type::Timestamp | Type::TimestampTz => b'D',
            Type::Interval => b'T',
            Type::Array(_) => b'A',
            Type::Bytea | Type::Uuid | Type::Json | Type::Jsonb => b'U',
            Type::Unknown | Type::Void => b'X',
        }
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

    /// The type of arrays of this one. An array of arrays has more dimensions, not another type.
    pub fn array(self) -> Type {
        match self {
            Type::Array(element) => Type::Array(element),
            element => Type::Array(Box::new(element)),
        }
    }

    /// Without length, precision and scale.
    pub fn unmodified(&self) -> Type {
        match self {
            Type::Numeric(_) => Type::Numeric(None),
            Type::Varchar(_) => Type::Varchar(None),
            Type::Array(element) => Type::Array(Box::new(element.unmodified())),
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
        (Value::Date(days), Type::Timestamp) => Value::Timestamp(datetime::date_to_timestamp(days)?),
        (Value::Date(days), Type::TimestampTz) => Value::TimestampTz(datetime::date_to_timestamp(days)?),
        (Value::Timestamp(micros), Type::TimestampTz) => Value::TimestampTz(micros),
        (Value::TimestampTz(micros), Type::Timestamp) => Value::Timestamp(micros),
        (Value::Timestamp(micros) | Value::TimestampTz(micros), Type::Date) => {
            Value::Date(datetime::timestamp_to_date(micros))
        }
        (Value::Timestamp(micros) | Value::TimestampTz(micros), Type::Time) if datetime::is_infinite(micros) => {
            Value::Null
        }
        (Value::Timestamp(micros) | Value::TimestampTz(micros), Type::Time) => {
            Value::Time(micros.rem_euclid(datetime::DAY_US))
        }
        (Value::Time(micros), Type::Interval) => Value::Interval { months: 0, days: 0, micros },
        (Value::Interval { micros, .. }, Type::Time) => Value::Time(micros.rem_euclid(datetime::DAY_US)),
        (Value::Bool(value), to) if to.is_text() => text(if value { "true" } else { "false" }),
        (Value::Json(content), Type::Jsonb) => parse(to, &content)?,
        (Value::Json(content), to) if to.is_number() || *to == Type::Bool => {
            return documents::to_scalar(&content, to, explicit);
        }
        (Value::Array(elements), Type::Array(element)) => {
            let from = if let Type::Array(from) = from { from } else { element };
            arrays::map(&elements, &mut |value| cast(value.clone(), from, element, explicit))?
        }
        (value, to) if to.is_text() && !matches!(value, Value::Text(_)) => text(&print(&value)),
        (value, _) => value,
    };
    fit(to, converted, explicit)
}
