//! Intervals from text: as PostgreSQL writes them, as SQL does, and ISO 8601 durations.

use crate::sql::error::{Result, fail};
use crate::sql::types::datetime::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};
use crate::sql::types::datetime_fields::{Field, FieldKind, decode_clock, split};
use crate::sql::types::interval::{DAYS_PER_MONTH, PgInterval, out_of_range};
use crate::trace::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IntervalUnit {
    Micro,
    Milli,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
    /// A number has none: the word says when, or is a unit of other types.
    None,
}

const UNITS: &[(IntervalUnit, &[&str])] = &[
    (IntervalUnit::Micro, &["us", "usec", "usecs", "useconds", "microsecon"]),
    (IntervalUnit::Milli, &["ms", "msec", "msecs", "mseconds", "millisecon"]),
    (IntervalUnit::Second, &["s", "sec", "secs", "second", "seconds"]),
    (IntervalUnit::Minute, &["m", "min", "mins", "minute", "minutes"]),
    (IntervalUnit::Hour, &["h", "hr", "hrs", "hour", "hours"]),
    (IntervalUnit::Day, &["d", "day", "days"]),
    (IntervalUnit::Week, &["w", "week", "weeks"]),
    (IntervalUnit::Month, &["mon", "mons", "month", "months"]),
    (IntervalUnit::Year, &["y", "yr", "yrs", "year", "years"]),
    (IntervalUnit::Decade, &["dec", "decs", "decade", "decades"]),
    (IntervalUnit::Century, &["c", "cent", "century", "centuries"]),
    (IntervalUnit::Millennium, &["mil", "mils", "millennia", "millennium"]),
    (IntervalUnit::None, &["ago", "qtr", "quarter", "timezone", "timezone_h", "timezone_m"]),
];

/// PostgreSQL looks at the first ten letters.
fn unit_of(word: &str) -> Option<IntervalUnit> {
    let word = &word[..word.len().min(10)];
    UNITS.iter().find(|(_, names)| names.contains(&word)).map(|(unit, _)| *unit)
}

/// Why a text is no interval.
pub enum IntervalFault {
    Format,
    Range,
}

/// Sums of what was read so far, before it is known to fit.
#[derive(Default)]
struct Sum {
    years: i32,
    months: i32,
    days: i32,
    micros: i64,
}

fn add32(to: &mut i32, value: i64, times: i64) -> Result<(), IntervalFault> {
    let value = value.checked_mul(times).and_then(|value| i32::try_from(value).ok());
    *to = value.and_then(|value| to.checked_add(value)).ok_or(IntervalFault::Range)?;
    Ok(())
}

impl Sum {
    fn time(&mut self, value: i64, fraction: f64, unit_us: i64) -> Result<(), IntervalFault> {
        let value = value.checked_mul(unit_us).ok_or(IntervalFault::Range)?;
        self.micros = self.micros.checked_add(value).ok_or(IntervalFault::Range)?;
        self.part_of(fraction, unit_us)
    }

    /// Rounded to the microsecond, the half towards zero.
    fn part_of(&mut self, fraction: f64, unit_us: i64) -> Result<(), IntervalFault> {
        let exact = fraction * unit_us as f64;
        let mut micros = exact.trunc();
        if exact - micros > 0.5 {
            micros += 1.0;
        } else if exact - micros < -0.5 {
            micros -= 1.0;
        }
        self.micros = self.micros.checked_add(micros as i64).ok_or(IntervalFault::Range)?;
        Ok(())
    }

    fn part_of_days(&mut self, fraction: f64, days: f64) -> Result<(), IntervalFault> {
        let exact = fraction * days;
        add32(&mut self.days, exact.trunc() as i64, 1)?;
        self.part_of(exact - exact.trunc(), DAY_US)
    }

    fn years(&mut self, value: i64, fraction: f64, times: i64) -> Result<(), IntervalFault> {
        add32(&mut self.years, value, times)?;
        add32(&mut self.months, (fraction * times as f64 * 12.0).round_ties_even() as i64, 1)
    }

    fn add(&mut self, unit: IntervalUnit, value: i64, fraction: f64) -> Result<(), IntervalFault> {
        match unit {
            IntervalUnit::Micro => self.time(value, fraction, 1),
            IntervalUnit::Milli => self.time(value, fraction, 1000),
            IntervalUnit::Second => self.time(value, fraction, SECOND_US),
            IntervalUnit::Minute => self.time(value, fraction, MINUTE_US),
            IntervalUnit::Hour => self.time(value, fraction, HOUR_US),
            IntervalUnit::Day => {
                add32(&mut self.days, value, 1)?;
                self.part_of(fraction, DAY_US)
            }
            IntervalUnit::Week => {
                add32(&mut self.days, value, 7)?;
                self.part_of_days(fraction, 7.0)
            }
            IntervalUnit::Month => {
                add32(&mut self.months, value, 1)?;
                self.part_of_days(fraction, DAYS_PER_MONTH as f64)
            }
            IntervalUnit::Year => self.years(value, fraction, 1),
            IntervalUnit::Decade => self.years(value, fraction, 10),
            IntervalUnit::Century => self.years(value, fraction, 100),
            IntervalUnit::Millennium => self.years(value, fraction, 1000),
            IntervalUnit::None => Err(IntervalFault::Format),
        }
    }

    fn negate(&mut self) -> Result<(), IntervalFault> {
        for part in [&mut self.years, &mut self.months, &mut self.days] {
            *part = part.checked_neg().ok_or(IntervalFault::Range)?;
        }
        self.micros = self.micros.checked_neg().ok_or(IntervalFault::Range)?;
        Ok(())
    }

    fn span(self) -> Result<PgInterval> {
        let months = i64::from(self.years) * 12 + i64::from(self.months);
        let months = i32::try_from(months).map_err(|_| out_of_range())?;
        Ok(PgInterval { months, days: self.days, micros: self.micros })
    }
}

/// Reads what PostgreSQL reads: `1 day 02:30:00`, `3 hours ago`, `1-2`, `P1DT2H`.
pub fn parse(text: &str) -> Result<Value> {
    let sum = match split(text).ok_or(IntervalFault::Format).and_then(|fields| traditional(&fields)) {
        Err(IntervalFault::Format) => iso(text),
        other => other,
    };
    match sum {
        Ok(sum) => sum.span().map(Value::from),
        Err(IntervalFault::Format) => fail("22007", format!("invalid input syntax for type interval: \"{text}\"")),
        Err(IntervalFault::Range) => fail("22015", format!("interval field value out of range: \"{text}\"")),
    }
}

/// Read from the right, so that a unit is known before its number.
fn traditional(fields: &[Field]) -> Result<Sum, IntervalFault> {
    let mut sum = Sum::default();
    let mut seen: Vec<IntervalUnit> = Vec::new();
    let mut unit: Option<IntervalUnit> = None;
    let mut ago = false;
    for field in fields.iter().rev() {
        let taken = match field.kind {
            FieldKind::Time => clock(&field.text, 1, &mut sum, &mut unit)?,
            FieldKind::Zone if field.text[1..].contains(':') => {
                let sign = if field.text.starts_with('-') { -1 } else { 1 };
                clock(&field.text[1..], sign, &mut sum, &mut unit)?
            }
            FieldKind::Zone | FieldKind::Date | FieldKind::Number => quantity(&field.text, &mut sum, &mut unit)?,
            FieldKind::Word => {
                ago |= field.text == "ago";
                unit = Some(unit_of(&field.text).ok_or(IntervalFault::Format)?);
                continue;
            }
            FieldKind::Special => return Err(IntervalFault::Format),
        };
        if taken.iter().any(|unit| seen.contains(unit)) {
            return Err(IntervalFault::Format);
        }
        seen.extend(taken);
    }
    if seen.is_empty() {
        return Err(IntervalFault::Format);
    }
    if ago {
        sum.negate()?;
    }
    Ok(sum)
}

/// `04:05:06`; a number before it without a unit counts days.
fn clock(
    text: &str,
    sign: i64,
    sum: &mut Sum,
    unit: &mut Option<IntervalUnit>,
) -> Result<Vec<IntervalUnit>, IntervalFault> {
    let micros = decode_clock(text).ok_or(IntervalFault::Format)?.ok_or(IntervalFault::Range)?;
    // What stood to the right of it, parts of days, is replaced, as in PostgreSQL.
    sum.micros = micros * sign;
    *unit = Some(IntervalUnit::Day);
    Ok(vec![IntervalUnit::Hour, IntervalUnit::Minute, IntervalUnit::Second, IntervalUnit::Milli, IntervalUnit::Micro])
}

fn quantity(text: &str, sum: &mut Sum, unit: &mut Option<IntervalUnit>) -> Result<Vec<IntervalUnit>, IntervalFault> {
    let mut kind = unit.unwrap_or(IntervalUnit::Second);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '+' && c != '-').unwrap_or(text.len());
    let end = text[1..].find(['-', '+']).map_or(end, |at| end.min(at + 1));
    let (number, rest) = text.split_at(end);
    let negative = text.starts_with('-');
    let value: i64 = match number {
        "+" | "-" | "" => 0,
        number => {
            number.parse().map_err(|_| if is_digits(number) { IntervalFault::Range } else { IntervalFault::Format })?
        }
    };
    let (value, fraction) = match rest.chars().next() {
        None if is_digits(number) => (value, 0.0),
        Some('-') => {
            let months: i64 = match &rest[1..] {
                "" => 0,
                months => months.parse().map_err(|_| IntervalFault::Format)?,
            };
            if !(0..12).contains(&months) {
                return Err(IntervalFault::Range);
            }
            kind = IntervalUnit::Month;
            let months = if negative { -months } else { months };
            (value.checked_mul(12).and_then(|it| it.checked_add(months)).ok_or(IntervalFault::Range)?, 0.0)
        }
        Some('.') if rest[1..].bytes().all(|b| b.is_ascii_digit()) => {
            let fraction: f64 = format!("0{rest}").parse().map_err(|_| IntervalFault::Format)?;
            (value, if negative { -fraction } else { fraction })
        }
        _ => return Err(IntervalFault::Format),
    };
    sum.add(kind, value, fraction)?;
    *unit = Some(if kind == IntervalUnit::Hour { IntervalUnit::Day } else { kind });
    Ok(match kind {
        IntervalUnit::Second if fraction != 0.0 => vec![IntervalUnit::Second, IntervalUnit::Milli, IntervalUnit::Micro],
        kind => vec![kind],
    })
}

fn is_digits(number: &str) -> bool {
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// `P1Y2M3DT4H5M6.5S`, `P0001-02-03T04:05:06`.
fn iso(text: &str) -> Result<Sum, IntervalFault> {
    let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or(IntervalFault::Format)?;
    let mut sum = Sum::default();
    let mut in_date = true;
    let mut any = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (in_date, any, rest) = (false, false, time);
            continue;
        }
        let before = rest;
        let (value, fraction) = iso_number(&mut rest)?;
        let letter = rest.chars().next();
        let unit = match (in_date, letter) {
            (true, Some('Y')) => IntervalUnit::Year,
            (true, Some('M')) => IntervalUnit::Month,
            (true, Some('W')) => IntervalUnit::Week,
            (true, Some('D')) => IntervalUnit::Day,
            (false, Some('H')) => IntervalUnit::Hour,
            (false, Some('M')) => IntervalUnit::Minute,
            (false, Some('S')) => IntervalUnit::Second,
            (true, None | Some('T' | '-')) if !any => {
                rest = iso_date(before, &mut sum)?;
                continue;
            }
            (false, None | Some(':')) if !any => {
                iso_time(before, &mut sum)?;
                return Ok(sum);
            }
            _ => return Err(IntervalFault::Format),
        };
        sum.add(unit, value, fraction)?;
        rest = &rest[1..];
        any = true;
    }
    Ok(sum)
}

/// The whole part and the fraction, of the number's sign.
fn iso_number(rest: &mut &str) -> Result<(i64, f64), IntervalFault> {
    let signed = rest.strip_prefix('-').unwrap_or(rest);
    let mut end = signed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(signed.len());
    end += exponent_length(&signed[end..]);
    let (number, after) = rest.split_at(rest.len() - signed.len() + end);
    let value: f64 = number.parse().map_err(|_| IntervalFault::Format)?;
    if value.abs() > 1e15 {
        return Err(IntervalFault::Range);
    }
    *rest = after;
    Ok((value.trunc() as i64, value.fract()))
}

/// Of `e4` or `E-4` behind a number.
fn exponent_length(text: &str) -> usize {
    let Some(power) = text.strip_prefix(['e', 'E']) else { return 0 };
    let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
    match digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()) {
        0 => 0,
        length => text.len() - digits.len() + length,
    }
}

/// How many digits the number has before its point.
fn width(text: &str) -> usize {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())
}

/// `00010203` or `0001-02-03`, without units. Gives what comes after it.
fn iso_date<'t>(text: &'t str, sum: &mut Sum) -> Result<&'t str, IntervalFault> {
    let mut rest = text;
    let (value, fraction) = iso_number(&mut rest)?;
    if width(text) == 8 && !rest.starts_with('-') {
        sum.add(IntervalUnit::Year, value / 10_000, 0.0)?;
        sum.add(IntervalUnit::Month, value / 100 % 100, 0.0)?;
        sum.add(IntervalUnit::Day, value % 100, fraction)?;
        return Ok(rest);
    }
    sum.add(IntervalUnit::Year, value, fraction)?;
    for unit in [IntervalUnit::Month, IntervalUnit::Day] {
        match rest.strip_prefix('-') {
            Some(more) => rest = more,
            None => break,
        }
        let (value, fraction) = iso_number(&mut rest)?;
        sum.add(unit, value, fraction)?;
    }
    if rest.is_empty() || rest.starts_with('T') { Ok(rest) } else { Err(IntervalFault::Format) }
}

/// `040506` or `04:05:06`, without units.
fn iso_time(text: &str, sum: &mut Sum) -> Result<(), IntervalFault> {
    let mut rest = text;
    let (value, fraction) = iso_number(&mut rest)?;
    if width(text) == 6 && rest.is_empty() {
        sum.add(IntervalUnit::Hour, value / 10_000, 0.0)?;
        sum.add(IntervalUnit::Minute, value / 100 % 100, 0.0)?;
        return sum.add(IntervalUnit::Second, value % 100, fraction);
    }
    sum.add(IntervalUnit::Hour, value, fraction)?;
    for unit in [IntervalUnit::Minute, IntervalUnit::Second] {
        match rest.strip_prefix(':') {
            Some(more) => rest = more,
            None => break,
        }
        let (value, fraction) = iso_number(&mut rest)?;
        sum.add(unit, value, fraction)?;
    }
    if rest.is_empty() { Ok(()) } else { Err(IntervalFault::Format) }
}
