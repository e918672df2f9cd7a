//! Values for parameters and rows, drawn from the run's own dice.

use std::collections::{BTreeMap, BTreeSet};

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
        draws: Vec<Draw>,
    },
    /// `from`, `from + 1`, … in the order of rows or requests.
    Sequence {
        from: f64,
    },
    /// `{n}` is the row's or request's number from 1, `{client}` the client's, `{name}` the draw of that name: one of `parts`, or one
    /// beside this one. `{n:05}` is filled with zeros to five places.
    Text {
        pattern: String,
        parts: BTreeMap<String, Draw>,
    },
    /// `from` at first, one more each `every_s` of virtual time: the deal of the moment.
    Rolling {
        from: f64,
        every_s: Amount,
    },
    /// Version 4, as text.
    Uuid,
    /// What the draw of this name gives.
    SameAs {
        name: String,
    },
    List {
        of: Box<Draw>,
        /// Drawn for each list: a whole number.
        count: Box<Draw>,
    },
    Fields {
        fields: BTreeMap<String, Draw>,
    },
}

impl Draw {
    /// The names it needs beside it.
    pub fn uses(&self) -> BTreeSet<&str> {
        let mut names = self.inner().flat_map(Draw::uses).collect::<BTreeSet<_>>();
        match self {
            Draw::SameAs { name } => _ = names.insert(name.as_str()),
            Draw::Text { pattern, .. } => names.extend(pieces(pattern).filter_map(|piece| match piece {
                Piece::Hole { name, .. } => Some(name),
                Piece::Text(_) | Piece::Odd(_) => None,
            })),
            _ => {}
        }
        names.retain(|name| !GIVEN.contains(name) && self.scope().is_none_or(|scope| !scope.contains_key(*name)));
        names
    }

    /// `{name:…}` in its texts that says nothing known behind the colon.
    pub fn odd_holes(&self) -> Vec<&str> {
        let own = match self {
            Draw::Text { pattern, .. } => pattern.as_str(),
            _ => "",
        };
        let own = pieces(own).filter_map(|piece| if let Piece::Odd(text) = piece { Some(text) } else { None });
        own.chain(self.inner().flat_map(Draw::odd_holes)).collect()
    }

    /// Draws inside it that may use each other, of each place.
    pub fn scopes(&self) -> Vec<&BTreeMap<String, Draw>> {
        self.scope().map_or_else(|| self.inner().flat_map(Draw::scopes).collect(), |scope| vec![scope])
    }

    fn scope(&self) -> Option<&BTreeMap<String, Draw>> {
        match self {
            Draw::Text { parts: scope, .. } | Draw::Fields { fields: scope } => Some(scope),
            _ => None,
        }
    }

    /// The draws it is made of.
    fn inner(&self) -> impl Iterator<Item = &Draw> {
        let inner: Vec<&Draw> = match self {
            Draw::OneOf { draws } => draws.iter().collect(),
            Draw::List { of, count } => vec![of, count],
            _ => self.scope().map_or_else(Vec::new, |scope| scope.values().collect()),
        };
        inner.into_iter()
    }
}

/// What every draw may use besides those beside it.
pub const GIVEN: [&str; 2] = ["n", "client"];

/// No list is longer, whatever its count says.
pub const LIST_MOST: u64 = 1_000;

/// What a value may depend on besides the dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub n: u64,
    pub client: u32,
    pub now: Micros,
}

/// One value for each of `draws`, in their order. One that another uses is drawn before it, and once.
pub fn draw_all<'d>(
    draws: &'d BTreeMap<String, Draw>,
    rng: &mut impl Rng,
    place: Place,
    knobs: &BTreeMap<String, f64>,
) -> impl Iterator<Item = (&'d String, Value)> {
    let mut dealer = Dealer { rng, place, knobs, scopes: Vec::new() };
    draws.keys().zip(dealer.all(draws))
}

/// Draws that are being made, each with its value as soon as it is known.
type DrawScope<'d> = Vec<(&'d str, &'d Draw, Option<Value>)>;

struct Dealer<'d, 'r, R> {
    rng: &'r mut R,
    place: Place,
    knobs: &'r BTreeMap<String, f64>,
    /// Innermost last.
    scopes: Vec<DrawScope<'d>>,
}

impl<'d, R: Rng> Dealer<'d, '_, R> {
    fn all(&mut self, draws: &'d BTreeMap<String, Draw>) -> Vec<Value> {
        self.scopes.push(draws.iter().map(|(name, draw)| (name.as_str(), draw, None)).collect());
        let level = self.scopes.len() - 1;
        let values = (0..draws.len()).map(|at| self.at(level, at)).collect();
        self.scopes.pop();
        values
    }

    fn at(&mut self, level: usize, at: usize) -> Value {
        let (_, draw, known) = &self.scopes[level][at];
        if let Some(known) = known {
            return known.clone();
        }
        let draw = *draw;
        // A manifest has no draws that use each other; a document made otherwise ends here.
        self.scopes[level][at].2 = Some(Value::Null);
        // It sees what stands beside it, not what uses it.
        let inner = self.scopes.split_off(level + 1);
        let value = self.draw(draw);
        self.scopes.extend(inner);
        self.scopes[level][at].2 = Some(value.clone());
        value
    }

    fn named(&mut self, name: &str) -> Value {
        match name {
            "n" => return self.place.n.into(),
            "client" => return self.place.client.into(),
            _ => {}
        }
        let place = |scope: &DrawScope<'_>| scope.iter().position(|(known, ..)| *known == name);
        let found = self.scopes.iter().enumerate().rev().find_map(|(level, scope)| Some((level, place(scope)?)));
        found.map_or(Value::Null, |(level, at)| self.at(level, at))
    }

    fn draw(&mut self, draw: &'d Draw) -> Value {
        match draw {
            Draw::Value { value } => value.clone(),
            Draw::Knob { knob } => number(self.knobs[knob]),
            Draw::Uniform { from, to } => {
                let from = from.at(self.knobs) as i64;
                let to = (to.at(self.knobs) as i64).max(from);
                self.rng.random_range(from..=to).into()
            }
            Draw::OneOf { draws } => {
                let chosen = self.rng.random_range(0..draws.len() as u32);
                self.draw(&draws[chosen as usize])
            }
            Draw::Sequence { from } => number(from + (self.place.n - 1) as f64),
            Draw::Text { pattern, parts } if parts.is_empty() => self.text(pattern),
            Draw::Text { pattern, parts } => {
                self.scopes.push(parts.iter().map(|(name, draw)| (name.as_str(), draw, None)).collect());
                let text = self.text(pattern);
                self.scopes.pop();
                text
            }
            Draw::Rolling { from, every_s } => {
                let seconds = self.place.now as f64 / 1e6;
                number(from + (seconds / every_s.at(self.knobs)).floor())
            }
            Draw::Uuid => random_uuid(self.rng).into(),
            Draw::SameAs { name } => self.named(name),
            Draw::List { of, count } => {
                let count = self.draw(count).as_u64().unwrap_or(0).min(LIST_MOST);
                (0..count).map(|_| self.draw(of)).collect()
            }
            Draw::Fields { fields } => fields.keys().cloned().zip(self.all(fields)).collect(),
        }
    }

    fn text(&mut self, pattern: &'d str) -> Value {
        let mut text = String::with_capacity(pattern.len());
        for piece in pieces(pattern) {
            match piece {
                Piece::Text(plain) | Piece::Odd(plain) => text.push_str(plain),
                Piece::Hole { name, places } => {
                    let value = self.named(name);
                    text.push_str(&filled(&value, places));
                }
            }
        }
        text.into()
    }
}

/// What a text is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'p> {
    Text(&'p str),
    /// `{name}`, or `{name:05}` for at least five places.
    Hole {
        name: &'p str,
        places: usize,
    },
    /// `{name:…}` with something else behind the colon. It stands as it is.
    Odd(&'p str),
}

/// No value is filled to more places.
const PLACES_MOST: usize = 40;

/// `{{name}}` is the text `{name}`. Braces around anything but a name are text as well: a column may hold JSON.
pub fn pieces(pattern: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        let (text, hole) = rest
            .match_indices('{')
            .find_map(|(at, _)| Some((&rest[..at], hole(&rest[at..])?)))
            .map_or((rest, None), |(text, hole)| (text, Some(hole)));
        let (piece, length) = match hole {
            Some(hole) if text.is_empty() => hole,
            _ if text.is_empty() => return None,
            _ => (Piece::Text(text), text.len()),
        };
        rest = &rest[length..];
        Some(piece)
    })
}

/// The name in braces that `text` begins with, and how long it is with them.
fn hole(text: &str) -> Option<(Piece<'_>, usize)> {
    let doubled = text.starts_with("{{");
    let inside = &text[if doubled { 2 } else { 1 }..];
    let end = inside.find('}')?;
    let (name, format) = inside[..end].split_once(':').map_or((&inside[..end], None), |(name, it)| (name, Some(it)));
    if !is_name(name) {
        return None;
    }
    if doubled {
        let length = end + 4;
        return inside[end..].starts_with("}}").then(|| (Piece::Text(&text[1..length - 1]), length));
    }
    let length = end + 2;
    let places = format.map_or(Some(0), |format| format.strip_prefix('0')?.parse().ok());
    match places.filter(|places| *places <= PLACES_MOST) {
        Some(places) => Some((Piece::Hole { name, places }, length)),
        None => Some((Piece::Odd(&text[..length]), length)),
    }
}

fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(letter) && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// A value inside a text, with zeros in front of it where it is too short.
fn filled(value: &Value, places: usize) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.strip_prefix('-') {
        Some(digits) if places > 0 => format!("-{digits:0>width$}", width = places - 1),
        _ => format!("{text:0>places$}"),
    }
}

/// Version 4, as RFC 4122 writes it.
fn random_uuid(rng: &mut impl Rng) -> String {
    let bits: u128 = rng.random();
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    trace::Value::Uuid(bits).to_text()
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
pub struct InsertStatement {
    /// With `$1` for the first of `parameters`.
    pub sql: String,
    pub parameters: Vec<trace::Value>,
}

impl RowSet {
    pub fn inserts(&self, rng: &mut impl Rng, knobs: &BTreeMap<String, f64>) -> Vec<InsertStatement> {
        let names = self.columns.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let count = self.count.at(knobs) as u64;
        (0..count.div_ceil(ROWS_PER_INSERT))
            .map(|batch| {
                let first = batch * ROWS_PER_INSERT + 1;
                let last = (first + ROWS_PER_INSERT - 1).min(count);
                let mut parameters = Vec::new();
                for n in first..=last {
                    let row = draw_all(&self.columns, rng, Place { n, client: 0, now: 0 }, knobs);
                    parameters.extend(row.map(|(_, value)| sql_value(value)));
                }
                let numbers = (1..=parameters.len()).map(|number| format!("${number}")).collect::<Vec<_>>();
                let rows = numbers.chunks(self.columns.len()).map(|row| format!("({})", row.join(", ")));
                let rows = rows.collect::<Vec<_>>().join(", ");
                InsertStatement { sql: format!("INSERT INTO {} ({names}) VALUES {rows}", self.table), parameters }
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
