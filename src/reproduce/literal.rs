//! Statements with their parameters written into them.

use std::fmt::Write;

use crate::trace::Value;

/// `$1` replaced by the first parameter, and so on. Within quotes it stands for itself.
pub fn written(sql: &str, parameters: &[Value]) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut quote = None;
    let mut rest = sql.char_indices().peekable();
    while let Some((_, character)) = rest.next() {
        match (quote, character) {
            (None, '$') => {
                let mut number = 0;
                while let Some(digit) = rest.peek().and_then(|(_, digit)| digit.to_digit(10)) {
                    number = number * 10 + digit as usize;
                    rest.next();
                }
                match parameters.get(number.wrapping_sub(1)) {
                    Some(value) => text += &of(value),
                    None => {
                        text.push('$');
                        if number > 0 {
                            let _ = write!(text, "{number}");
                        }
                    }
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        text.push(character);
    }
    text
}

/// A value as SQL.
fn of(value: &Value) -> String {
    let quoted = || format!("'{}'", value.to_text().replace('\'', "''"));
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) if *number < 0 => format!("({number})"),
        Value::Numeric(number) if number.is_sign_negative() => format!("({number})"),
        Value::Int(_) | Value::Numeric(_) => value.to_text(),
        Value::Float(_) => format!("{}::float8", quoted()),
        Value::Bytes(_) => format!("{}::bytea", quoted()),
        Value::Date(_) => format!("{}::date", quoted()),
        Value::Time(_) => format!("{}::time", quoted()),
        Value::Timestamp(_) => format!("{}::timestamp", quoted()),
        Value::TimestampTz(_) => format!("{}::timestamptz", quoted()),
        Value::Interval { .. } => format!("{}::interval", quoted()),
        Value::Uuid(_) => format!("{}::uuid", quoted()),
        Value::Text(_) | Value::Json(_) | Value::Array(_) => quoted(),
    }
}
