//! Keys of indexes and the order of values, which is PostgreSQL's with collation "C" and NULL last.

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::trace::{Value, json};

#[derive(Debug, Clone)]
pub struct Key(pub SmallVec<[Value; 1]>);

impl Key {
    pub fn has_null(&self) -> bool {
        self.0.iter().any(|value| matches!(value, Value::Null))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        for (left, right) in self.0.iter().zip(&other.0) {
            match compare(left, right) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        self.0.len().cmp(&other.0.len())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// A total order: NULL after all else, NaN after all numbers, values of different kinds by kind.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Numeric(a), Value::Numeric(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => match (a.is_nan(), b.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        },
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b))
        | (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::TimestampTz(a), Value::TimestampTz(b)) => a.cmp(b),
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        (Value::Interval { .. }, Value::Interval { .. }) => interval_micros(left).cmp(&interval_micros(right)),
        (Value::Json(a), Value::Json(b)) => json::compare(a, b),
        (Value::Array(a), Value::Array(b)) => compare_arrays(a, b),
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

/// By the elements in turn, then by how many there are, then by the dimensions.
fn compare_arrays(left: &[Value], right: &[Value]) -> Ordering {
    let is_nested = |it: &[Value]| matches!(it.first(), Some(Value::Array(_)));
    if !is_nested(left) && !is_nested(right) {
        let unequal = left.iter().zip(right).map(|(a, b)| compare(a, b)).find(|it| it.is_ne());
        return unequal.unwrap_or_else(|| left.len().cmp(&right.len()));
    }
    let (a, b) = (elements(left), elements(right));
    let unequal = a.iter().zip(&b).map(|(a, b)| compare(a, b)).find(|it| it.is_ne());
    let (dimensions, others) = (dimensions(left), dimensions(right));
    unequal.unwrap_or_else(|| {
        a.len().cmp(&b.len()).then_with(|| dimensions.len().cmp(&others.len())).then_with(|| dimensions.cmp(&others))
    })
}

/// How long an array is in each of its dimensions; an empty one has none.
pub fn dimensions(array: &[Value]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut inner = array;
    while !inner.is_empty() {
        lengths.push(inner.len());
        inner = match &inner[0] {
            Value::Array(deeper) => deeper,
            _ => break,
        };
    }
    lengths
}

/// The elements of an array of any number of dimensions, row by row.
pub fn elements(array: &[Value]) -> Vec<&Value> {
    let mut all = Vec::with_capacity(array.len());
    for value in array {
        match value {
            Value::Array(inner) => all.extend(elements(inner)),
            other => all.push(other),
        }
    }
    all
}

/// An interval's length with months of 30 days and days of 24 hours, as PostgreSQL compares them.
fn interval_micros(value: &Value) -> i128 {
    match value {
        Value::Interval { months, days, micros } => {
            (i128::from(*months) * 30 + i128::from(*days)) * 86_400_000_000 + i128::from(*micros)
        }
        _ => 0,
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => 0,
        Value::Int(_) => 1,
        Value::Numeric(_) => 2,
        Value::Float(_) => 3,
        Value::Text(_) => 4,
        Value::Bytes(_) => 5,
        Value::Date(_) => 6,
        Value::Time(_) => 7,
        Value::Timestamp(_) => 8,
        Value::TimestampTz(_) => 9,
        Value::Interval { .. } => 10,
        Value::Uuid(_) => 11,
        Value::Json(_) => 12,
        Value::Array(_) => 13,
        Value::Null => 14,
    }
}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for value in &self.0 {
            hash_value(value, state);
        }
    }
}

/// Equal values by `compare` hash alike.
fn hash_value<H: std::hash::Hasher>(value: &Value, state: &mut H) {
    use std::hash::Hash;
    match value {
        Value::Null => 0u8.hash(state),
        Value::Bool(value) => value.hash(state),
        Value::Int(value) => value.hash(state),
        Value::Float(value) if value.is_nan() => 1u8.hash(state),
        Value::Float(value) => (value + 0.0).to_bits().hash(state),
        Value::Numeric(value) => {
            let value = value.normalize();
            value.mantissa().hash(state);
            value.scale().hash(state);
        }
        Value::Text(value) => value.hash(state),
        Value::Json(value) => json::hash(value, state),
        Value::Bytes(value) => value.hash(state),
        Value::Date(value) => value.hash(state),
        Value::Time(value) | Value::Timestamp(value) | Value::TimestampTz(value) => value.hash(state),
        Value::Interval { .. } => interval_micros(value).hash(state),
        Value::Uuid(value) => value.hash(state),
        Value::Array(values) => values.iter().for_each(|value| hash_value(value, state)),
    }
}
