//! Values as PostgreSQL prints them: what psql shows and what a cast to text gives.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate};

use super::Value;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

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
            Value::Date(days) => date(i64::from(*days), ""),
            Value::Time(micros) => time(*micros),
            Value::Timestamp(micros) => timestamp(*micros, ""),
            Value::TimestampTz(micros) => timestamp(*micros, "+00"),
            Value::Interval { months, days, micros } => interval(*months, *days, *micros),
            Value::Uuid(value) => uuid(*value),
            Value::Array(items) => array(items),
        }
    }
}

/// The shortest digits that read back as the same number; an exponent below 1e-4 and from 1e15 on.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    if value == 0.0 || (-4..15).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// `rest` comes before the era, as in `0044-03-15 00:00:00+00 BC`.
fn date(days_since_epoch: i64, rest: &str) -> String {
    const EPOCH_FROM_CE: i64 = 719_163;
    let day = i32::try_from(days_since_epoch + EPOCH_FROM_CE).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
    let Some(day) = day else { return format!("{days_since_epoch} days since 1970-01-01{rest}") };
    let (year, era) = if day.year() > 0 { (day.year(), "") } else { (1 - day.year(), " BC") };
    format!("{year:04}-{:02}-{:02}{rest}{era}", day.month(), day.day())
}

fn time(micros: i64) -> String {
    let seconds = micros / MICROS_PER_SECOND;
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    push_fraction(&mut text, micros % MICROS_PER_SECOND);
    text
}

fn push_fraction(text: &mut String, micros: i64) {
    if micros != 0 {
        let digits = format!(".{micros:06}");
        text.push_str(digits.trim_end_matches('0'));
    }
}

fn timestamp(micros: i64, zone: &str) -> String {
    let days = micros.div_euclid(MICROS_PER_DAY);
    date(days, &format!(" {}{zone}", time(micros.rem_euclid(MICROS_PER_DAY))))
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
        let size = micros.unsigned_abs().min(i64::MAX as u64) as i64;
        let _ = write!(text, "{space}{sign}{}", time(size));
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
            (Value::Float(123_456_789_012_345.0), "123456789012345"),
            (Value::Float(0.00001), "1e-05"),
            (Value::Float(-0.0), "-0"),
            (Value::Date(0), "1970-01-01"),
            (Value::Date(-719_163), "0001-12-31 BC"),
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
