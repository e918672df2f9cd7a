//! Values from their text forms.

use std::rc::Rc;

use crate::sql::error::{Result, Stop, error, fail, refuse};
use crate::sql::types::{Type, arrays, datetime_input, fit, in_range, interval_input, numeric, text};
use crate::trace::json::{Json, JsonError};
use crate::trace::{SqlError, Value};

fn invalid<T>(target: &Type, input: &str) -> Result<T> {
    fail("22P02", format!("invalid input syntax for type {}: \"{input}\"", target.name()))
}

fn out_of_range<T>(target: &Type, input: &str) -> Result<T> {
    fail("22003", format!("value \"{input}\" is out of range for type {}", target.name()))
}

/// Reads a value from its text form, as for a quoted literal.
pub fn parse(target: &Type, input: &str) -> Result<Value> {
    Ok(match target {
        Type::Text | Type::Unknown => text(input),
        Type::Varchar(_) => fit(target, text(input), false)?,
        Type::Bool => match boolean(trimmed(input)) {
            Some(value) => Value::Bool(value),
            None => return invalid(target, input),
        },
        Type::Int2 | Type::Int4 | Type::Int8 => integer(target, input)?,
        Type::Float8 => Value::Float(float(target, input)?),
        Type::Numeric(_) => exact(target, input)?,
        Type::Bytea => Value::Bytes(bytes(input)?.into()),
        Type::Date => Value::Date(datetime_input::parse_date(input)?),
        Type::Time => Value::Time(datetime_input::parse_time(input)?),
        Type::Timestamp => Value::Timestamp(datetime_input::parse_timestamp(input)?),
        Type::TimestampTz => Value::TimestampTz(datetime_input::parse_timestamptz(input)?),
        Type::Interval => interval_input::parse(input)?,
        Type::Uuid => match uuid(input) {
            Some(number) => Value::Uuid(number),
            None => return invalid(target, input),
        },
        Type::Json => {
            Json::check(input).map_err(json_error)?;
            Value::Json(Rc::from(input))
        }
        Type::Jsonb => Value::Json(Rc::from(document(input)?.to_string())),
        Type::Array(element) => arrays::parse(element, input)?,
        Type::Void => Value::Null,
    })
}

/// Without the blanks that PostgreSQL takes no notice of.
fn trimmed(input: &str) -> &str {
    input.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}')
}

fn boolean(word: &str) -> Option<bool> {
    let word = word.to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1" {
        return Some(true);
    }
    (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0").then_some(false)
}

fn integer(target: &Type, input: &str) -> Result<Value> {
    let word = trimmed(input);
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return invalid(target, input);
    }
    match word.parse::<i64>() {
        Ok(number) if in_range(target, number) => Ok(Value::Int(number)),
        _ => out_of_range(target, input),
    }
}

fn float(target: &Type, input: &str) -> Result<f64> {
    let word = trimmed(input).to_ascii_lowercase();
    match word.strip_prefix(['+', '-']).unwrap_or(&word) {
        "nan" if word == "nan" => return Ok(f64::NAN),
        "infinity" | "inf" => return Ok(if word.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        digits if digits.starts_with("0x") => return refuse("a hexadecimal number"),
        digits if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {}
        _ => return invalid(target, input),
    }
    match word.parse::<f64>() {
        Ok(number) if number.is_infinite() || (number == 0.0 && has_digits(&word)) => {
            fail("22003", format!("\"{}\" is out of range for type double precision", trimmed(input)))
        }
        Ok(number) => Ok(number),
        Err(_) => invalid(target, input),
    }
}

/// Whether the number is written as one that is not zero.
fn has_digits(word: &str) -> bool {
    word.split('e').next().is_some_and(|mantissa| mantissa.bytes().any(|b| (b'1'..=b'9').contains(&b)))
}

fn exact(target: &Type, input: &str) -> Result<Value> {
    let word = trimmed(input);
    if let Some(number) = numeric::parse(word) {
        return fit(target, Value::Numeric(number?), false);
    }
    let lower = word.to_ascii_lowercase();
    match lower.strip_prefix(['+', '-']).unwrap_or(&lower) {
        "infinity" | "inf" => refuse("a numeric NaN or infinity"),
        "nan" if lower == "nan" => refuse("a numeric NaN or infinity"),
        _ => invalid(target, input),
    }
}

/// `\x` and pairs of digits, or characters with `\\` and `\ooo` among them.
fn bytes(input: &str) -> Result<Vec<u8>> {
    if let Some(digits) = input.strip_prefix("\\x") {
        return hexadecimal(digits);
    }
    let malformed = || error("22P02", "invalid input syntax for type bytea");
    let (source, mut at, mut bytes) = (input.as_bytes(), 0, Vec::new());
    while let Some(byte) = source.get(at) {
        let (value, length) = match (byte, source.get(at + 1..at + 4)) {
            (b'\\', _) if source.get(at + 1) == Some(&b'\\') => (b'\\', 2),
            (b'\\', Some([a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'])) => {
                (((a - b'0') << 6) + ((b - b'0') << 3) + (c - b'0'), 4)
            }
            (b'\\', _) => return Err(malformed()),
            (byte, _) => (*byte, 1),
        };
        bytes.push(value);
        at += length;
    }
    Ok(bytes)
}

fn hexadecimal(digits: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chars = digits.chars();
    let nibble = |c: char| match c.to_digit(16) {
        Some(value) => Ok(value as u8),
        None => fail("22023", format!("invalid hexadecimal digit: \"{c}\"")),
    };
    while let Some(c) = chars.next() {
        if matches!(c, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = nibble(c)?;
        let Some(low) = chars.next() else {
            return fail("22023", "invalid hexadecimal data: odd number of digits");
        };
        bytes.push(high << 4 | nibble(low)?);
    }
    Ok(bytes)
}

/// 32 digits, in braces perhaps, with a hyphen perhaps after each four of them.
fn uuid(input: &str) -> Option<u128> {
    let body = match input.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => input,
    };
    let (mut number, mut count) = (0u128, 0);
    let mut chars = body.chars().peekable();
    while count < 32 {
        number = number << 4 | u128::from(chars.next()?.to_digit(16)?);
        count += 1;
        if count % 4 == 0 && count < 32 {
            chars.next_if_eq(&'-');
        }
    }
    chars.next().is_none().then_some(number)
}

/// Reads a jsonb document.
pub fn document(input: &str) -> Result<Json> {
    Json::parse(input).map_err(json_error)
}

pub fn json_error(fault: JsonError) -> Stop {
    let with_detail = |sqlstate: &str, message: &str, detail: String| -> Stop {
        let mut error = SqlError::new(sqlstate, message);
        error.detail = Some(detail);
        error.into()
    };
    match fault {
        JsonError::Syntax(detail) => with_detail("22P02", "invalid input syntax for type json", detail),
        JsonError::NullCharacter => {
            let detail = "\\u0000 cannot be converted to text.".to_owned();
            with_detail("22P05", "unsupported Unicode escape sequence", detail)
        }
        JsonError::Overflow => error("22003", "value overflows numeric format"),
        JsonError::TooDeep => error("54001", "stack depth limit exceeded"),
    }
}
