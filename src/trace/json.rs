//! JSON documents as PostgreSQL keeps them: numbers are exact, an object has each key once and shorter keys first, and documents
//! have an order. A `json` value is its text; a `jsonb` value is the text that a document prints as.

mod reader;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use reader::JsonReader;

/// PostgreSQL's numeric has so many digits before and after the point.
const WHOLE_DIGITS_MOST: i64 = 131_072;
const SCALE_MOST: i64 = 16_383;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Json>),
    /// By length of the key, then by its bytes.
    Object(Vec<(String, Json)>),
}

/// A number with all its digits, those after the last significant one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    /// Without leading zeros; none for zero.
    digits: String,
    scale: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonError {
    /// The text is no JSON. What PostgreSQL tells as the detail.
    Syntax(String),
    /// `\u0000`, which no text of PostgreSQL holds.
    NullCharacter,
    Overflow,
    TooDeep,
}

type Result<T, E = JsonError> = std::result::Result<T, E>;

impl Json {
    /// Reads a document, with escapes resolved.
    pub fn parse(text: &str) -> Result<Json> {
        JsonReader::new(text, true).document()
    }

    /// Whether the text is JSON. What escapes stand for is not looked at.
    pub fn check(text: &str) -> Result<()> {
        JsonReader::new(text, false).document().map(|_| ())
    }

    pub fn member(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// An element of an array; a negative place counts from the end.
    pub fn element(&self, place: i64) -> Option<&Json> {
        match self {
            Json::Array(elements) => elements.get(from_either_end(place, elements.len())?),
            _ => None,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "numeric",
            Json::Text(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Json::Null => 0,
            Json::Text(_) => 1,
            Json::Number(_) => 2,
            Json::Bool(_) => 3,
            Json::Array(_) => 4,
            Json::Object(_) => 5,
        }
    }

    /// The order of jsonb.
    pub fn compare(&self, other: &Json) -> Ordering {
        match (self, other) {
            // PostgreSQL keeps a scalar as an array of one element, and counts elements first.
            (Json::Array(elements), scalar) if elements.is_empty() && scalar.rank() < 4 => Ordering::Less,
            (scalar, Json::Array(elements)) if elements.is_empty() && scalar.rank() < 4 => Ordering::Greater,
            _ => self.compare_inside(other),
        }
    }

    fn compare_inside(&self, other: &Json) -> Ordering {
        match (self, other) {
            (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
            (Json::Number(a), Json::Number(b)) => a.compare(b),
            (Json::Text(a), Json::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Json::Array(a), Json::Array(b)) => {
                let elements = || a.iter().zip(b).map(|(a, b)| a.compare_inside(b)).find(|it| it.is_ne());
                a.len().cmp(&b.len()).then_with(|| elements().unwrap_or(Ordering::Equal))
            }
            (Json::Object(a), Json::Object(b)) => {
                let member = |((key, value), (other_key, other)): (&(String, Json), &(String, Json))| {
                    key.as_bytes().cmp(other_key.as_bytes()).then_with(|| value.compare_inside(other))
                };
                let members = || a.iter().zip(b).map(member).find(|it| it.is_ne());
                a.len().cmp(&b.len()).then_with(|| members().unwrap_or(Ordering::Equal))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn print_into(&self, text: &mut String) {
        match self {
            Json::Null => text.push_str("null"),
            Json::Bool(true) => text.push_str("true"),
            Json::Bool(false) => text.push_str("false"),
            Json::Number(number) => text.push_str(&number.to_string()),
            Json::Text(content) => quote_into(content, text),
            Json::Array(elements) => {
                text.push('[');
                for (at, element) in elements.iter().enumerate() {
                    text.push_str(if at == 0 { "" } else { ", " });
                    element.print_into(text);
                }
                text.push(']');
            }
            Json::Object(members) => {
                text.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    text.push_str(if at == 0 { "" } else { ", " });
                    quote_into(key, text);
                    text.push_str(": ");
                    value.print_into(text);
                }
                text.push('}');
            }
        }
    }
}

/// As jsonb prints.
impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        self.print_into(&mut text);
        f.write_str(&text)
    }
}

/// Equal documents hash alike: of a number, its value.
impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Json::Null => {}
            Json::Bool(value) => value.hash(state),
            Json::Number(number) => {
                let significant = number.digits.trim_end_matches('0');
                (number.negative, significant).hash(state);
                (number.digits.len() as i64 - number.scale as i64).hash(state);
            }
            Json::Text(content) => content.hash(state),
            Json::Array(elements) => elements.iter().for_each(|element| element.hash(state)),
            Json::Object(members) => members.iter().for_each(|member| member.hash(state)),
        }
    }
}

/// The order of two jsonb texts.
pub fn compare(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (Json::parse(left), Json::parse(right)) {
        (Ok(left), Ok(right)) => left.compare(&right),
        _ => left.cmp(right),
    }
}

pub fn hash<H: Hasher>(text: &str, state: &mut H) {
    match Json::parse(text) {
        Ok(document) => document.hash(state),
        Err(_) => text.hash(state),
    }
}

/// A member of a `json` text as it is written there: of equal keys the last.
pub fn written_member<'t>(text: &'t str, key: &str) -> Result<Option<&'t str>> {
    let mut found = None;
    JsonReader::new(text, true).each_member(&mut |name, value| {
        if name == key {
            found = Some(value);
        }
    })?;
    Ok(found)
}

/// An element of a `json` text as it is written there.
pub fn written_element(text: &str, place: i64) -> Result<Option<&str>> {
    let mut elements = Vec::new();
    JsonReader::new(text, true).each_element(&mut |value| elements.push(value))?;
    Ok(from_either_end(place, elements.len()).and_then(|at| elements.get(at).copied()))
}

fn from_either_end(place: i64, length: usize) -> Option<usize> {
    usize::try_from(if place < 0 { length as i64 + place } else { place }).ok()
}

/// The escapes that JSON has a letter for.
pub fn short_escape(c: char) -> Option<&'static str> {
    Some(match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        _ => return None,
    })
}

fn quote_into(content: &str, text: &mut String) {
    text.push('"');
    for c in content.chars() {
        match short_escape(c) {
            Some(escape) => text.push_str(escape),
            None if c < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            None => text.push(c),
        }
    }
    text.push('"');
}

impl Number {
    /// The parts of a number that is written as JSON has it.
    fn read(written: &str) -> Result<Number> {
        let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
        let exponent: i64 = exponent.parse().map_err(|_| JsonError::Overflow)?;
        let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}").trim_start_matches('0').to_owned();
        let mut scale = (fraction.len() as i64).checked_sub(exponent).ok_or(JsonError::Overflow)?;
        if scale > SCALE_MOST || (!digits.is_empty() && digits.len() as i64 - scale > WHOLE_DIGITS_MOST) {
            return Err(JsonError::Overflow);
        }
        if scale < 0 {
            if !digits.is_empty() {
                digits.push_str(&"0".repeat(scale.unsigned_abs() as usize));
            }
            scale = 0;
        }
        Ok(Number { negative: negative && !digits.is_empty(), digits, scale: scale as usize })
    }

    fn compare(&self, other: &Number) -> Ordering {
        let magnitude = |a: &Number, b: &Number| {
            let before_point = |it: &Number| it.digits.len() as i64 - it.scale as i64;
            match (a.digits.is_empty(), b.digits.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                // Digits from the first significant one on: a shorter one that is a prefix differs by zeros, or is less.
                _ => before_point(a)
                    .cmp(&before_point(b))
                    .then_with(|| a.digits.trim_end_matches('0').cmp(b.digits.trim_end_matches('0'))),
            }
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(self, other),
            (true, true) => magnitude(other, self),
        }
    }
}

/// As numeric prints.
impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0>width$}", self.digits, width = self.scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        let sign = if self.negative { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        Json::parse(text).map_or_else(|error| format!("{error:?}"), |document| document.to_string())
    }

    #[test]
    fn documents_print_as_jsonb() {
        for (text, expected) in [
            ("2.50", "2.50"),
            ("-0", "0"),
            ("1E+2", "100"),
            ("1.5e-3", "0.0015"),
            ("12345678901234567890.123456789", "12345678901234567890.123456789"),
            (r#"{"aa":1,"b":2,"b":3}"#, r#"{"b": 3, "aa": 1}"#),
            (r#"["\u00e9\u0001",[ ]]"#, "[\"é\\u0001\", []]"),
            (r#""\u0000""#, "NullCharacter"),
            ("1e200000", "Overflow"),
        ] {
            assert_eq!(printed(text), expected, "{text}");
        }
        for text in ["", "01", "1.", "+1", "[1,]", "{\"a\"}", "tru", "\"a", "[1] 2", "\"\\ud800\"", "nullx", "{1:2}"] {
            assert!(matches!(Json::parse(text), Err(JsonError::Syntax(_))), "{text}");
        }
        assert_eq!(Json::parse(&"[".repeat(100_000)), Err(JsonError::TooDeep));
    }

    #[test]
    fn documents_are_ordered_as_jsonb() {
        let ordered =
            ["[]", "null", "\"a\"", "-2", "-1.5", "0", "1", "10", "false", "true", "[1]", "[0, 0]", "{}", r#"{"a":1}"#];
        for pair in ordered.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare(r#"{"a":1}"#, r#"{"a":1.0}"#), Ordering::Equal);
    }
}
