//! Values as PostgreSQL prints them: what psql shows and what a cast to text gives.

use std::fmt::Write;

use super::{Value, civil_from_days};

const MICROS_PER_SECOND: u64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Value {
    /// PostgreSQL's text output, times with a zone in UTC. NULL gives an empty text: who must tell it apart asks first.
    pub fn to_text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(true) => "t".to_owned(),
            Value::Bool(false) => "f".to_owned(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => float(*value),
            Value::Numeric(value) => value.to_string(),
            Value::Text(text) | Value::Json(text) => text.to_string(),
            Value::Bytes(bytes) => bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }),
            Value::Date(i32::MAX) | Value::Timestamp(i64::MAX) | Value::TimestampTz(i64::MAX) => "infinity".to_owned(),
            Value::Date(i32::MIN) | Value::Timestamp(i64::MIN) | Value::TimestampTz(i64::MIN) => "-infinity".to_owned(),
            Value::Date(days) => date(i64::from(*days), ""),
            Value::Time(micros) => time(micros.unsigned_abs()),
            Value::Timestamp(micros) => timestamp(*micros, ""),
            Value::TimestampTz(micros) => timestamp(*micros, "+00"),
            Value::Interval { months, days, micros } => interval(*months, *days, *micros),
            Value::Uuid(value) => uuid(*value),
            Value::Array(items) => array(items),
        }
    }
}

/// The shortest digits that read back as the same number; an exponent below 1e-4 and from 1e15 on. Of two that are as near it is
/// the even one, as Ryu has it, which PostgreSQL uses.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    if value == 0.0 {
        return format!("{sign}0");
    }
    let (digits, exponent) = shortest_digits(value.abs());
    let before_point = exponent + 1;
    let plain = match before_point {
        -3..=0 => format!("0.{}{digits}", "0".repeat(before_point.unsigned_abs() as usize)),
        1..=15 if digits.len() <= before_point as usize => format!("{digits:0<width$}", width = before_point as usize),
        1..=15 => format!("{}.{}", &digits[..before_point as usize], &digits[before_point as usize..]),
        _ => {
            let point = if digits.len() > 1 { "." } else { "" };
            let exponent_sign = if exponent < 0 { '-' } else { '+' };
            format!("{}{point}{}e{exponent_sign}{:02}", &digits[..1], &digits[1..], exponent.abs())
        }
    };
    format!("{sign}{plain}")
}

/// The significant digits, and the power of ten of the first of them.
fn shortest_digits(value: f64) -> (String, i32) {
    let mut buffer = ryu::Buffer::new();
    let written = buffer.format_finite(value);
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading_zeros = all.len() - digits.len();
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    (digits.trim_end_matches('0').to_owned(), exponent + whole.len() as i32 - 1 - leading_zeros as i32)
}

/// `rest` comes before the era, as in `0044-03-15 00:00:00+00 BC`.
fn date(days_since_epoch: i64, rest: &str) -> String {
    let (year, month, day) = civil_from_days(days_since_epoch);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    format!("{year:04}-{month:02}-{day:02}{rest}{era}")
}

fn time(micros: u64) -> String {
    let seconds = micros / MICROS_PER_SECOND;
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    push_fraction(&mut text, micros % MICROS_PER_SECOND);
    text
}

fn push_fraction(text: &mut String, micros: u64) {
    if micros != 0 {
        let digits = format!(".{micros:06}");
        text.push_str(digits.trim_end_matches('0'));
    }
}

fn timestamp(micros: i64, zone: &str) -> String {
    let days = micros.div_euclid(MICROS_PER_DAY);
    date(days, &format!(" {}{zone}", time(micros.rem_euclid(MICROS_PER_DAY) as u64)))
}

/// Each unit keeps its own sign; after a negative one a positive one says so.
fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut text = String::new();
    let mut after_negative = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count == 0 {
            continue;
        }
        let space = if text.is_empty() { "" } else { " " };
        let plus = if after_negative && count > 0 { "+" } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        let _ = write!(text, "{space}{plus}{count} {unit}{plural}");
        after_negative = count < 0;
    }
    if micros != 0 || text.is_empty() {
        let space = if text.is_empty() { "" } else { " " };
        let sign = match micros {
            ..0 => "-",
            _ if after_negative => "+",
            _ => "",
        };
        let _ = write!(text, "{space}{sign}{}", time(micros.unsigned_abs()));
    }
    text
}

fn uuid(value: u128) -> String {
    let hex = format!("{value:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn array(items: &[Value]) -> String {
    let items: Vec<_> = items
        .iter()
        .map(|item| match item {
            Value::Null => "NULL".to_owned(),
            Value::Array(_) => item.to_text(),
            _ => quoted_in_array(item.to_text()),
        })
        .collect();
    format!("{{{}}}", items.join(","))
}

fn quoted_in_array(text: String) -> String {
    let plain = |it: char| !matches!(it, '"' | '\\' | '{' | '}' | ',') && !it.is_ascii_whitespace() && it != '\x0b';
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && text.chars().all(plain) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_postgresql_prints_them() {
        let cases = [
            (Value::Float(0.1 + 0.2), "0.30000000000000004"),
            (Value::Float(1e15), "1e+15"),
            (Value::Float(1_000_000_000_000_001.2), "1.0000000000000012e+15"),
            (Value::Float(-120.5), "-120.5"),
            (Value::Float(100.0), "100"),
            (Value::Float(0.0001), "0.0001"),
            (Value::Float(123_456_789_012_345.0), "123456789012345"),
            (Value::Float(0.00001), "1e-05"),
            (Value::Float(-0.0), "-0"),
            (Value::Date(0), "1970-01-01"),
            (Value::Date(-719_163), "0001-12-31 BC"),
            (Value::Date(i32::MAX), "infinity"),
            (Value::Date(2_145_042_905), "5874897-12-31"),
            (Value::Timestamp(-1), "1969-12-31 23:59:59.999999"),
            (Value::TimestampTz(1_500_000), "1970-01-01 00:00:01.5+00"),
            (Value::Interval { months: -11, days: 3, micros: 0 }, "-11 mons +3 days"),
            (Value::Interval { months: 14, days: -1, micros: 3_600_000_000 }, "1 year 2 mons -1 days +01:00:00"),
            (Value::Interval { months: 0, days: 0, micros: -90_000_000 }, "-00:01:30"),
            (Value::Interval { months: 0, days: 0, micros: 0 }, "00:00:00"),
            (Value::Bytes([0u8, 255].as_slice().into()), "\\x00ff"),
            (Value::Uuid(1), "00000000-0000-0000-0000-000000000001"),
            (
                Value::Array([Value::Null, Value::Text("null".into()), Value::Text("a\"b".into())].as_slice().into()),
                "{NULL,\"null\",\"a\\\"b\"}",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(value.to_text(), expected, "{value:?}");
        }
    }
}
