//! Dates, times and intervals as PostgreSQL reads, computes and prints them (DateStyle ISO, IntervalStyle postgres).

use crate::trace::Value;

use super::error::{Result, fail, refused};

pub const DAY_US: i64 = 86_400_000_000;
const HOUR_US: i64 = 3_600_000_000;
const MINUTE_US: i64 = 60_000_000;
const SECOND_US: i64 = 1_000_000;

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn month_length(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1)
}

fn invalid<T>(kind: &str, text: &str) -> Result<T> {
    fail("22007", format!("invalid input syntax for type {kind}: \"{text}\""))
}

fn out_of_range<T>(text: &str) -> Result<T> {
    fail("22008", format!("date/time field value out of range: \"{text}\""))
}

fn number(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `YYYY-MM-DD`, the one form that means the same everywhere.
fn read_date(text: &str, whole: &str, kind: &str) -> Result<i64> {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return invalid(kind, whole);
    };
    if year.len() < 4 {
        return Err(refused(format!("the date form of \"{whole}\" (write YYYY-MM-DD)")));
    }
    let (Some(year), Some(month), Some(day)) = (number(year), number(month), number(day)) else {
        return invalid(kind, whole);
    };
    if !(1..=12).contains(&month) || day < 1 || day > month_length(year, month) || year == 0 {
        return out_of_range(whole);
    }
    if year > 200_000 {
        return out_of_range(whole);
    }
    Ok(days_from_civil(year, month, day))
}

fn read_time(text: &str, whole: &str, kind: &str) -> Result<i64> {
    let mut parts = text.split(':');
    let (Some(hours), Some(minutes)) = (parts.next(), parts.next()) else { return invalid(kind, whole) };
    let seconds = parts.next().unwrap_or("0");
    if parts.next().is_some() {
        return invalid(kind, whole);
    }
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let (Some(hours), Some(minutes), Some(seconds)) = (number(hours), number(minutes), number(seconds)) else {
        return invalid(kind, whole);
    };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return invalid(kind, whole);
    }
    let mut digits: String = fraction.chars().take(7).collect();
    while digits.len() < 7 {
        digits.push('0');
    }
    let tenths: i64 = digits.parse().unwrap_or(0);
    if hours > 24 || minutes > 59 || seconds > 60 || (hours == 24 && (minutes > 0 || seconds > 0)) {
        return out_of_range(whole);
    }
    Ok(hours * HOUR_US + minutes * MINUTE_US + seconds * SECOND_US + (tenths + 5) / 10)
}

/// Splits a zone off a time: `+02`, `-05:30`, `Z`, `UTC`. `None` where there is none.
fn split_zone(text: &str) -> Option<(&str, &str)> {
    for name in ["Z", "z", "UTC", "utc", " UTC", "GMT"] {
        if let Some(rest) = text.strip_suffix(name) {
            return Some((rest.trim_end(), "+0"));
        }
    }
    let at = text.rfind(['+', '-'])?;
    Some((text[..at].trim_end(), &text[at..]))
}

/// Microseconds a zone of fixed offset is ahead of UTC.
pub fn zone_offset(zone: &str) -> Option<i64> {
    if ["utc", "gmt", "z", "zulu", "etc/utc", "universal"].contains(&zone.to_ascii_lowercase().as_str()) {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (number(hours)?, number(minutes)?),
        None if digits.len() == 4 => (number(&digits[..2])?, number(&digits[2..])?),
        None => (number(digits)?, 0),
    };
    (hours < 16 && minutes < 60).then_some(sign * (hours * HOUR_US + minutes * MINUTE_US))
}

pub fn parse_date(text: &str) -> Result<i64> {
    let trimmed = text.trim();
    let date = trimmed.split([' ', 'T']).next().unwrap_or("");
    if trimmed.len() > date.len() {
        parse_timestamp(text)?;
    }
    read_date(date, text, "date")
}

pub fn parse_time(text: &str) -> Result<i64> {
    read_time(text.trim(), text, "time")
}

pub fn parse_timestamp(text: &str) -> Result<i64> {
    let (local, _) = read_timestamp(text, "timestamp")?;
    Ok(local)
}

pub fn parse_timestamptz(text: &str) -> Result<i64> {
    let (local, offset) = read_timestamp(text, "timestamp with time zone")?;
    Ok(local - offset.unwrap_or(0))
}

fn read_timestamp(text: &str, kind: &str) -> Result<(i64, Option<i64>)> {
    let trimmed = text.trim();
    if ["now", "today", "tomorrow", "yesterday", "epoch", "infinity", "-infinity"].contains(&trimmed) {
        return Err(refused(format!("the special date/time value \"{trimmed}\"")));
    }
    let at = trimmed.find([' ', 'T']);
    let (date, time) = at.map_or((trimmed, ""), |at| (&trimmed[..at], trimmed[at + 1..].trim()));
    let days = read_date(date, text, kind)?;
    if time.is_empty() {
        return Ok((days * DAY_US, None));
    }
    match split_zone(time) {
        Some((time, zone)) => match zone_offset(zone) {
            Some(offset) => Ok((days * DAY_US + read_time(time, text, kind)?, Some(offset))),
            None => invalid(kind, text),
        },
        None if time.bytes().any(|b| b.is_ascii_alphabetic()) => {
            Err(refused(format!("the time zone in \"{text}\" (write an offset such as +02)")))
        }
        None => Ok((days * DAY_US + read_time(time, text, kind)?, None)),
    }
}

/// `1 day 02:30:00`, `3 hours`, `-5 minutes`, `1 year 2 mons`; ISO 8601 durations are refused.
pub fn parse_interval(text: &str) -> Result<Value> {
    let (mut months, mut days, mut micros) = (0f64, 0f64, 0i64);
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let lower = word.to_ascii_lowercase();
        // `5days` is `5 days`.
        let cut = lower.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(lower.len());
        if cut > 0 && cut < lower.len() {
            words.push(lower[..cut].to_owned());
            words.push(lower[cut..].to_owned());
        } else {
            words.push(lower);
        }
    }
    let ago = words.last().is_some_and(|word| word == "ago");
    if ago {
        words.pop();
    }
    if words.is_empty() {
        return invalid("interval", text);
    }
    let mut at = 0;
    while at < words.len() {
        let word = &words[at];
        if word.contains(':') {
            let (negative, body) = match word.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, word.strip_prefix('+').unwrap_or(word)),
            };
            let (hours, rest) = body.split_once(':').unwrap_or((body, "0"));
            let Some(hours) = number(hours) else { return invalid("interval", text) };
            let part = read_time(&format!("0:{rest}{}", if rest.contains(':') { "" } else { ":0" }), text, "interval")?;
            let whole = hours * HOUR_US + part;
            micros += if negative { -whole } else { whole };
            at += 1;
            continue;
        }
        let Ok(amount) = word.parse::<f64>() else { return invalid("interval", text) };
        let unit = words.get(at + 1).map_or("second", String::as_str);
        at += 2;
        let in_micros = |unit_us: i64| (amount * unit_us as f64).round() as i64;
        match if unit == "ms" { unit } else { unit.trim_end_matches('s') } {
            "year" | "yr" | "y" => months += amount * 12.0,
            "month" | "mon" => months += amount,
            "week" | "w" => days += amount * 7.0,
            "day" | "d" => days += amount,
            "hour" | "hr" | "h" => micros += in_micros(HOUR_US),
            "minute" | "min" | "m" => micros += in_micros(MINUTE_US),
            "second" | "sec" | "" => micros += in_micros(SECOND_US),
            "millisecond" | "msec" | "ms" => micros += in_micros(1000),
            "microsecond" | "usec" | "u" => micros += in_micros(1),
            "decade" => months += amount * 120.0,
            _ => return invalid("interval", text),
        }
    }
    days += months.fract() * 30.0;
    micros += (days.fract() * DAY_US as f64).round() as i64;
    let sign = if ago { -1 } else { 1 };
    Ok(Value::Interval {
        months: sign * months.trunc() as i32,
        days: sign * days.trunc() as i32,
        micros: i64::from(sign) * micros,
    })
}

/// A timestamp some interval later: months first, then days, then time.
pub fn add_interval(timestamp: i64, months: i32, days: i32, micros: i64) -> Result<i64> {
    let mut day = timestamp.div_euclid(DAY_US);
    let time = timestamp.rem_euclid(DAY_US);
    if months != 0 {
        let (year, month, of_month) = civil_from_days(day);
        let index = year * 12 + month - 1 + i64::from(months);
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
        day = days_from_civil(year, month, of_month.min(month_length(year, month)));
    }
    (day + i64::from(days))
        .checked_mul(DAY_US)
        .and_then(|start| start.checked_add(time)?.checked_add(micros))
        .filter(|result| (-210_866_803_200_000_000..9_223_371_331_200_000_000).contains(result))
        .map_or_else(|| fail("22008", "timestamp out of range"), Ok)
}

/// `date_trunc` on microseconds of local time.
pub fn truncate(unit: &str, micros: i64) -> Result<i64> {
    let day = micros.div_euclid(DAY_US);
    let (year, month, _) = civil_from_days(day);
    let first = |year, month| days_from_civil(year, month, 1) * DAY_US;
    Ok(match unit.to_ascii_lowercase().as_str() {
        "microseconds" => micros,
        "milliseconds" => micros - micros.rem_euclid(1000),
        "second" => micros - micros.rem_euclid(SECOND_US),
        "minute" => micros - micros.rem_euclid(MINUTE_US),
        "hour" => micros - micros.rem_euclid(HOUR_US),
        "day" => day * DAY_US,
        "week" => (day - (day + 3).rem_euclid(7)) * DAY_US,
        "month" => first(year, month),
        "quarter" => first(year, (month - 1) / 3 * 3 + 1),
        "year" => first(year, 1),
        _ => return fail("22023", format!("unit \"{unit}\" not recognized for type timestamp without time zone")),
    })
}

/// `extract`, as the numerator of a fraction with the given scale.
pub fn extract(unit: &str, micros: i64) -> Option<(i128, u32)> {
    let day = micros.div_euclid(DAY_US);
    let time = micros.rem_euclid(DAY_US);
    let (year, month, of_month) = civil_from_days(day);
    let whole = |value: i64| Some((i128::from(value), 0));
    match unit {
        "year" => whole(if year > 0 { year } else { year - 1 }),
        "month" => whole(month),
        "day" => whole(of_month),
        "quarter" => whole((month - 1) / 3 + 1),
        "hour" => whole(time / HOUR_US),
        "minute" => whole(time / MINUTE_US % 60),
        "second" => Some((i128::from(time % MINUTE_US), 6)),
        "milliseconds" => Some((i128::from(time % MINUTE_US), 3)),
        "microseconds" => whole(time % MINUTE_US),
        "dow" => whole((day + 4).rem_euclid(7)),
        "isodow" => whole((day + 3).rem_euclid(7) + 1),
        "doy" => whole(day - days_from_civil(year, 1, 1) + 1),
        "epoch" => Some((i128::from(micros), 6)),
        "week" => {
            let thursday = day - (day + 3).rem_euclid(7) + 3;
            let (iso_year, _, _) = civil_from_days(thursday);
            whole((thursday - days_from_civil(iso_year, 1, 1)) / 7 + 1)
        }
        "isoyear" => whole(civil_from_days(day - (day + 3).rem_euclid(7) + 3).0),
        _ => None,
    }
}

/// The difference of two timestamps as PostgreSQL gives it: days and time.
pub fn difference(later: i64, earlier: i64) -> Value {
    let micros = later - earlier;
    Value::Interval { months: 0, days: (micros / DAY_US) as i32, micros: micros % DAY_US }
}

/// `age(later, earlier)`: years, months, days and time.
pub fn age(later: i64, earlier: i64) -> Value {
    let (sign, from, to) = if later >= earlier { (1, earlier, later) } else { (-1, later, earlier) };
    let split = |at: i64| (civil_from_days(at.div_euclid(DAY_US)), at.rem_euclid(DAY_US));
    let ((from_year, from_month, from_day), from_time) = split(from);
    let ((to_year, to_month, to_day), to_time) = split(to);
    let mut months = (to_year - from_year) * 12 + to_month - from_month;
    let mut days = to_day - from_day;
    let mut micros = to_time - from_time;
    if micros < 0 {
        micros += DAY_US;
        days -= 1;
    }
    if days < 0 {
        // Days are borrowed from the month of the earlier date (of the later one's previous month when counting back).
        days += if sign > 0 {
            month_length(from_year, from_month)
        } else {
            let (year, month) = (to_year, to_month);
            if month == 1 { month_length(year - 1, 12) } else { month_length(year, month - 1) }
        };
        months -= 1;
    }
    Value::Interval { months: (sign * months) as i32, days: (sign * days) as i32, micros: sign * micros }
}
