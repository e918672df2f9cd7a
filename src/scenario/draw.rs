//! Values for parameters and rows, drawn from the run's own dice.

use std::collections::BTreeMap;

use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::Amount;
use crate::trace::{self, Micros};

/// How one value comes about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Draw {
    Value {
        value: Value,
    },
    Knob {
        knob: String,
    },
    /// A whole number, both ends included.
    Uniform {
        from: Amount,
        to: Amount,
    },
    OneOf {
        values: Vec<Value>,
    },
    /// `from`, `from + 1`, … in the order of rows or requests.
    Sequence {
        from: f64,
    },
    /// `{n}` is the row's or request's number from 1, `{client}` the client's.
    Text {
        pattern: String,
    },
    /// `from` at first, one more each `every_s` of virtual time: the deal of the moment.
    Rolling {
        from: f64,
        every_s: Amount,
    },
}

/// What a value may depend on besides the dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub n: u64,
    pub client: u32,
    pub now: Micros,
}

impl Draw {
    pub fn value(&self, rng: &mut impl Rng, place: Place, knobs: &BTreeMap<String, f64>) -> Value {
        match self {
            Draw::Value { value } => value.clone(),
            Draw::Knob { knob } => number(knobs[knob]),
            Draw::Uniform { from, to } => {
                let from = from.at(knobs) as i64;
                let to = (to.at(knobs) as i64).max(from);
                rng.random_range(from..=to).into()
            }
            Draw::OneOf { values } => values[rng.random_range(0..values.len() as u32) as usize].clone(),
            Draw::Sequence { from } => number(from + (place.n - 1) as f64),
            Draw::Text { pattern } => {
                pattern.replace("{n}", &place.n.to_string()).replace("{client}", &place.client.to_string()).into()
            }
            Draw::Rolling { from, every_s } => {
                let seconds = place.now as f64 / 1e6;
                number(from + (seconds / every_s.at(knobs)).floor())
            }
        }
    }
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RowSet {
    pub table: String,
    pub count: Amount,
    pub columns: BTreeMap<String, Draw>,
}

/// Rows in one INSERT: all but the last have the same text, so it is parsed once.
const ROWS_PER_INSERT: u64 = 100;

/// A statement that adds rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// With `$1` for the first of `parameters`.
    pub sql: String,
    pub parameters: Vec<trace::Value>,
}

impl RowSet {
    pub fn inserts(&self, rng: &mut impl Rng, knobs: &BTreeMap<String, f64>) -> Vec<Insert> {
        let names = self.columns.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let count = self.count.at(knobs) as u64;
        (0..count.div_ceil(ROWS_PER_INSERT))
            .map(|batch| {
                let first = batch * ROWS_PER_INSERT + 1;
                let last = (first + ROWS_PER_INSERT - 1).min(count);
                let places = (first..=last).map(|n| Place { n, client: 0, now: 0 });
                let row = |place| self.columns.values().map(move |draw| (place, draw));
                let drawn = places.flat_map(row).map(|(place, draw)| sql_value(draw.value(rng, place, knobs)));
                let parameters = drawn.collect::<Vec<_>>();
                let numbers = (1..=parameters.len()).map(|number| format!("${number}")).collect::<Vec<_>>();
                let rows = numbers.chunks(self.columns.len()).map(|row| format!("({})", row.join(", ")));
                let rows = rows.collect::<Vec<_>>().join(", ");
                Insert { sql: format!("INSERT INTO {} ({names}) VALUES {rows}", self.table), parameters }
            })
            .collect()
    }
}

/// Whole numbers stay whole: a handler compares them with integer columns.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { (value as i64).into() } else { value.into() }
}

fn sql_value(value: Value) -> trace::Value {
    match value {
        Value::Null => trace::Value::Null,
        Value::Bool(flag) => trace::Value::Bool(flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => trace::Value::Int(whole),
            None => trace::Value::Float(number.as_f64().expect("JSON's numbers are integers or floats")),
        },
        Value::String(text) => trace::Value::Text(text.into()),
        nested @ (Value::Array(_) | Value::Object(_)) => trace::Value::Text(nested.to_string().into()),
    }
}
