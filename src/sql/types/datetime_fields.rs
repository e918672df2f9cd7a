//! The fields of a date, time or interval text, cut as PostgreSQL cuts them, before anybody knows what they mean.

use crate::sql::types::datetime::{HOUR_US, MINUTE_US, SECOND_US};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Digits, with a point perhaps.
    Number,
    /// Digits or letters with separators, as `2024-01-05`, `05-Jan-2024`, `America/New_York`.
    Date,
    /// Digits with colons.
    Time,
    /// A sign and digits.
    Zone,
    Word,
    /// A sign and letters, as `-infinity`.
    Special,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub kind: FieldKind,
    /// In lower case.
    pub text: String,
}

/// Words that letters before a digit may be without making a date of both.
const WORDS_BEFORE_DIGITS: &[&str] = &[
    "t",
    "y",
    "m",
    "d",
    "h",
    "mm",
    "s",
    "j",
    "jd",
    "julian",
    "mon",
    "am",
    "pm",
    "ad",
    "bc",
    "now",
    "today",
    "tomorrow",
    "yesterday",
    "epoch",
    "infinity",
    "allballs",
    "dow",
    "doy",
    "isodow",
    "isoyear",
    "dst",
];

pub const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

pub const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The number of a month by its name or its first three letters.
pub fn month_of(word: &str) -> Option<i64> {
    let at = MONTHS.iter().position(|name| *name == word || (word.len() == 3 && name.starts_with(word)));
    at.or_else(|| (word == "sept").then_some(8)).map(|at| at as i64 + 1)
}

pub fn is_weekday(word: &str) -> bool {
    const SHORT: [&str; 5] = ["tues", "wedn", "weds", "thur", "thurs"];
    WEEKDAYS.iter().any(|name| *name == word || (word.len() == 3 && name.starts_with(word))) || SHORT.contains(&word)
}

struct Cutter {
    chars: Vec<char>,
    at: usize,
    text: String,
}

impl Cutter {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next_is(&self, test: impl Fn(char) -> bool) -> bool {
        self.peek().is_some_and(test)
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) {
        while let Some(c) = self.peek().filter(|c| test(*c)) {
            self.text.push(c.to_ascii_lowercase());
            self.at += 1;
        }
    }

    fn digits_first(&mut self) -> FieldKind {
        let digit = |c: char| c.is_ascii_digit();
        self.take_while(digit);
        match self.peek() {
            Some(':') => {
                self.take_while(|c| digit(c) || c == ':' || c == '.');
                FieldKind::Time
            }
            Some(separator @ ('-' | '/' | '.')) => {
                self.take_one();
                if !self.next_is(digit) {
                    self.take_while(|c| c.is_ascii_alphanumeric() || c == separator);
                    return FieldKind::Date;
                }
                self.take_while(digit);
                if self.peek() == Some(separator) {
                    self.take_while(|c| digit(c) || c == separator);
                    return FieldKind::Date;
                }
                if separator == '.' { FieldKind::Number } else { FieldKind::Date }
            }
            _ => FieldKind::Number,
        }
    }

    fn take_one(&mut self) {
        if let Some(c) = self.peek() {
            self.text.push(c.to_ascii_lowercase());
            self.at += 1;
        }
    }

    fn letters_first(&mut self) -> FieldKind {
        self.take_while(|c| c.is_ascii_alphabetic());
        let is_date = match self.peek() {
            Some('-' | '/' | '.') => true,
            Some(c) if c == '+' || c.is_ascii_digit() => {
                let word = self.text.as_str();
                month_of(word).is_none() && !is_weekday(word) && !WORDS_BEFORE_DIGITS.contains(&word)
            }
            _ => false,
        };
        if !is_date {
            return FieldKind::Word;
        }
        self.take_while(|c| matches!(c, '+' | '-' | '/' | '_' | '.' | ':') || c.is_ascii_alphanumeric());
        FieldKind::Date
    }

    fn sign_first(&mut self) -> Option<FieldKind> {
        self.take_one();
        while self.next_is(|c| c.is_ascii_whitespace()) {
            self.at += 1;
        }
        if self.next_is(|c| c.is_ascii_digit()) {
            self.take_while(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '-'));
            return Some(FieldKind::Zone);
        }
        if self.next_is(|c| c.is_ascii_alphabetic()) {
            self.take_while(|c| c.is_ascii_alphabetic());
            return Some(FieldKind::Special);
        }
        None
    }
}

/// `None` where a character stands that no such text has.
pub fn split(text: &str) -> Option<Vec<Field>> {
    const FIELDS_MOST: usize = 25;
    let mut cutter = Cutter { chars: text.chars().collect(), at: 0, text: String::new() };
    let mut fields = Vec::new();
    while let Some(c) = cutter.peek() {
        let kind = match c {
            c if c.is_ascii_whitespace() => {
                cutter.at += 1;
                continue;
            }
            c if c.is_ascii_digit() => cutter.digits_first(),
            '.' => {
                cutter.take_one();
                cutter.take_while(|c| c.is_ascii_digit());
                FieldKind::Number
            }
            c if c.is_ascii_alphabetic() => cutter.letters_first(),
            '+' | '-' => cutter.sign_first()?,
            c if c.is_ascii_punctuation() => {
                cutter.at += 1;
                continue;
            }
            _ => return None,
        };
        fields.push(Field { kind, text: std::mem::take(&mut cutter.text) });
        if fields.len() > FIELDS_MOST {
            return None;
        }
    }
    Some(fields)
}

/// Microseconds of `hours:minutes[:seconds[.fraction]]`, and of `minutes:seconds.fraction`. The outer `None`: not of this form;
/// the inner one: minutes or seconds out of range.
pub fn decode_clock(text: &str) -> Option<Option<i64>> {
    let mut parts = text.split(':');
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    // Digits that are missing count as 0.
    let whole = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| format!("0{text}").parse::<i64>());
    let (hours, minutes, seconds) = match third {
        Some(seconds) => (first, second, seconds),
        None if second.contains('.') => ("0", first, second),
        None => (first, second, "0"),
    };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let parts = (whole(hours)?, whole(minutes)?, whole(seconds)?);
    let fraction = fraction_micros(fraction)?;
    let (Ok(hours), Ok(minutes), Ok(seconds)) = parts else { return Some(None) };
    if minutes > 59 || seconds > 60 {
        return Some(None);
    }
    let rest = minutes * MINUTE_US + seconds * SECOND_US + fraction;
    Some(hours.checked_mul(HOUR_US).and_then(|hours| hours.checked_add(rest)))
}

/// Digits after a point, rounded to microseconds.
pub fn fraction_micros(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: f64 = format!("0.{digits}0").parse().ok()?;
    Some((fraction * 1e6).round_ties_even() as i64)
}
