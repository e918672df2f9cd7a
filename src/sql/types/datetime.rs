//! Dates, times and intervals as PostgreSQL computes them. The first and the last value of each type are its infinities.

use crate::sql::error::{Result, Stop, error, fail, refused};
use crate::sql::types::interval::PgInterval;
use crate::trace::{Value, civil_from_days, days_from_civil};

pub const DAY_US: i64 = 86_400_000_000;
pub const HOUR_US: i64 = 3_600_000_000;
pub const MINUTE_US: i64 = 60_000_000;
pub const SECOND_US: i64 = 1_000_000;

/// 1970-01-01 as a Julian day. Day 0, 4714-11-24 BC, is the first one there is.
pub const JULIAN_EPOCH: i64 = 2_440_588;

/// The day after 5874897-12-31.
const DATE_END: i64 = 2_145_042_906;
/// The first moment after 294276-12-31. More than counts of microseconds since 1970 reach.
const TIMESTAMP_END: i128 = 9_224_318_016_000_000_000;
const TIMESTAMP_START: i128 = -210_866_803_200_000_000;

/// In comparisons with timestamps it stands for the dates that are later than all of them, but not infinite.
const BEYOND_TIMESTAMPS: i64 = i64::MAX - 1;

pub fn month_length(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1)
}

/// Days since 1970-01-01 where PostgreSQL has that date.
pub fn checked_date(days: i64) -> Option<i32> {
    (-JULIAN_EPOCH..DATE_END).contains(&days).then(|| i32::try_from(days).ok()).flatten()
}

/// Microseconds since 1970-01-01 where PostgreSQL has that moment.
pub fn checked_timestamp(micros: i128) -> Result<Option<i64>> {
    if !(TIMESTAMP_START..TIMESTAMP_END).contains(&micros) {
        return Ok(None);
    }
    match i64::try_from(micros) {
        Ok(micros) if micros < BEYOND_TIMESTAMPS => Ok(Some(micros)),
        _ => Err(refused("a timestamp after the year 294246")),
    }
}

pub fn is_infinite(at: i64) -> bool {
    at == i64::MAX || at == i64::MIN
}

pub fn is_infinite_date(days: i32) -> bool {
    days == i32::MAX || days == i32::MIN
}

fn date_out_of_range() -> Stop {
    error("22008", "date out of range")
}

/// A date some days later.
pub fn add_days(days: i32, more: i64) -> Result<i32> {
    if is_infinite_date(days) {
        return Ok(days);
    }
    checked_date(i64::from(days) + more).ok_or_else(date_out_of_range)
}

pub fn days_between(later: i32, earlier: i32) -> Result<i64> {
    if is_infinite_date(later) || is_infinite_date(earlier) {
        return fail("22008", "cannot subtract infinite dates");
    }
    Ok(i64::from(later) - i64::from(earlier))
}

pub fn date_to_timestamp(days: i32) -> Result<i64> {
    match days {
        i32::MAX => Ok(i64::MAX),
        i32::MIN => Ok(i64::MIN),
        days => checked_timestamp(i128::from(days) * i128::from(DAY_US))?
            .ok_or_else(|| error("22008", "date out of range for timestamp")),
    }
}

/// Where a date stands among timestamps: there are dates behind the last timestamp, and none before the first one.
pub fn date_among_timestamps(days: i32) -> i64 {
    date_to_timestamp(days).unwrap_or(BEYOND_TIMESTAMPS)
}

pub fn timestamp_to_date(micros: i64) -> i32 {
    match micros {
        i64::MAX => i32::MAX,
        i64::MIN => i32::MIN,
        micros => micros.div_euclid(DAY_US) as i32,
    }
}

/// A timestamp some interval later: months first, then days, then time.
pub fn add_interval(timestamp: i64, span: PgInterval) -> Result<i64> {
    if is_infinite(timestamp) {
        return Ok(timestamp);
    }
    let mut day = timestamp.div_euclid(DAY_US);
    let time = timestamp.rem_euclid(DAY_US);
    if span.months != 0 {
        let (year, month, of_month) = civil_from_days(day);
        let index = year * 12 + month - 1 + i64::from(span.months);
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
        day = days_from_civil(year, month, of_month.min(month_length(year, month)));
    }
    let start = i128::from(day + i64::from(span.days)) * i128::from(DAY_US) + i128::from(time);
    let in_range = |at: i128| checked_timestamp(at)?.ok_or_else(|| error("22008", "timestamp out of range"));
    if span.months != 0 || span.days != 0 {
        in_range(start)?;
    }
    in_range(start + i128::from(span.micros))
}

/// The names that `extract` and `date_trunc` know a unit by; of longer ones the first ten letters count.
const UNITS: &[(&str, &[&str])] = &[
    ("microseconds", &["microsecon", "us", "usec", "usecs", "useconds"]),
    ("milliseconds", &["millisecon", "ms", "msec", "msecs", "mseconds"]),
    ("second", &["second", "seconds", "s", "sec", "secs"]),
    ("minute", &["minute", "minutes", "m", "min", "mins"]),
    ("hour", &["hour", "hours", "h", "hr", "hrs"]),
    ("day", &["day", "days", "d"]),
    ("week", &["week", "weeks", "w"]),
    ("month", &["month", "months", "mon", "mons"]),
    ("quarter", &["quarter", "qtr"]),
    ("year", &["year", "years", "y", "yr", "yrs"]),
    ("decade", &["decade", "decades", "dec", "decs"]),
    ("century", &["century", "centuries", "c", "cent"]),
    ("millennium", &["millennium", "millennia", "mil", "mils"]),
    ("dow", &["dow"]),
    ("isodow", &["isodow"]),
    ("doy", &["doy"]),
    ("isoyear", &["isoyear"]),
    ("julian", &["julian", "jd", "j"]),
    ("epoch", &["epoch"]),
    ("timezone", &["timezone"]),
    ("timezone_hour", &["timezone_h"]),
    ("timezone_minute", &["timezone_m"]),
];

pub fn unit_of(written: &str) -> Option<&'static str> {
    let lower = written.to_ascii_lowercase();
    let key = lower.get(..10).unwrap_or(&lower);
    UNITS.iter().find(|(_, names)| names.contains(&key)).map(|(unit, _)| *unit)
}

pub fn unknown_unit(written: &str, kind: &str) -> Stop {
    error("22023", format!("unit \"{}\" not recognized for type {kind}", written.to_ascii_lowercase()))
}

pub fn unit_not_supported(written: &str, kind: &str) -> Stop {
    error("0A000", format!("unit \"{}\" not supported for type {kind}", written.to_ascii_lowercase()))
}

/// The number of a stretch of years and the year it begins with. There is no century 0, but a decade 0.
fn stretch(year: i64, length: i64) -> (i64, i64) {
    match (length, year) {
        (10, year) => (year.div_euclid(10), year.div_euclid(10) * 10),
        (_, 1..) => ((year + length - 1) / length, (year + length - 1) / length * length - length + 1),
        _ => {
            let number = -((length - year) / length);
            (number, number * length + 1)
        }
    }
}

/// `date_trunc` on microseconds of local time.
pub fn truncate(written: &str, micros: i64, kind: &str) -> Result<i64> {
    if is_infinite(micros) {
        return Ok(micros);
    }
    let Some(unit) = unit_of(written) else { return Err(unknown_unit(written, kind)) };
    let day = micros.div_euclid(DAY_US);
    let (year, month, _) = civil_from_days(day);
    let down = |length: i64| i128::from(micros - micros.rem_euclid(length));
    let first = |year, month| i128::from(days_from_civil(year, month, 1)) * i128::from(DAY_US);
    let start = match unit {
        "microseconds" => i128::from(micros),
        "milliseconds" => down(1000),
        "second" => down(SECOND_US),
        "minute" => down(MINUTE_US),
        "hour" => down(HOUR_US),
        "day" => i128::from(day) * i128::from(DAY_US),
        "week" => i128::from(day - (day + 3).rem_euclid(7)) * i128::from(DAY_US),
        "month" => first(year, month),
        "quarter" => first(year, (month - 1) / 3 * 3 + 1),
        "year" => first(year, 1),
        "decade" => first(stretch(year, 10).1, 1),
        "century" => first(stretch(year, 100).1, 1),
        "millennium" => first(stretch(year, 1000).1, 1),
        _ => return Err(unit_not_supported(written, kind)),
    };
    checked_timestamp(start)?.ok_or_else(|| error("22008", "timestamp out of range"))
}

/// `extract`, as the numerator of a fraction with the given scale.
pub fn extract(unit: &str, micros: i64) -> Option<(i128, u32)> {
    let day = micros.div_euclid(DAY_US);
    let time = micros.rem_euclid(DAY_US);
    let (year, month, of_month) = civil_from_days(day);
    let whole = |value: i64| Some((i128::from(value), 0));
    let no_zero = |year: i64| if year > 0 { year } else { year - 1 };
    match unit {
        "year" => whole(no_zero(year)),
        "month" => whole(month),
        "day" => whole(of_month),
        "quarter" => whole((month - 1) / 3 + 1),
        "decade" => whole(stretch(year, 10).0),
        "century" => whole(stretch(year, 100).0),
        "millennium" => whole(stretch(year, 1000).0),
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
        "isoyear" => whole(no_zero(civil_from_days(day - (day + 3).rem_euclid(7) + 3).0)),
        _ => None,
    }
}

/// `extract` of a whole day. The last dates there are lie behind the last timestamp.
pub fn extract_day(unit: &str, day: i64) -> Option<(i128, u32)> {
    // The calendar repeats after 400 years, weekdays too.
    let cycles = day.div_euclid(146_097);
    let (value, scale) = extract(unit, day.rem_euclid(146_097) * DAY_US)?;
    let (year, month, _) = civil_from_days(day);
    let years = |year: i64| i128::from(if year > 0 { year } else { year - 1 });
    Some(match unit {
        "year" => (years(year), 0),
        "decade" => (i128::from(stretch(year, 10).0), 0),
        "century" => (i128::from(stretch(year, 100).0), 0),
        "millennium" => (i128::from(stretch(year, 1000).0), 0),
        "isoyear" => (years(value as i64 + cycles * 400), 0),
        "month" => (i128::from(month), 0),
        _ => (value, scale),
    })
}

/// The units of an infinite moment that have a value: they are infinite too. The others are NULL.
pub fn grows_for_ever(unit: &str) -> bool {
    ["year", "decade", "century", "millennium", "julian", "isoyear", "epoch"].contains(&unit)
}

/// The difference of two timestamps as PostgreSQL gives it: days and time.
pub fn difference(later: i64, earlier: i64) -> Result<Value> {
    if is_infinite(later) || is_infinite(earlier) {
        return fail("22008", "cannot subtract infinite timestamps");
    }
    let micros =
        later.checked_sub(earlier).ok_or_else(|| refused("a difference of timestamps of more than 292471 years"))?;
    Ok(PgInterval { months: 0, days: 0, micros }.justify_hours()?.into())
}

/// `age(later, earlier)`: years, months, days and time.
pub fn age(later: i64, earlier: i64) -> Result<Value> {
    if is_infinite(later) || is_infinite(earlier) {
        return Err(refused("age() of an infinite timestamp"));
    }
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
        // Days are borrowed from the month of the earlier date.
        days += month_length(from_year, from_month);
        months -= 1;
    }
    Ok(PgInterval { months: (sign * months) as i32, days: (sign * days) as i32, micros: sign * micros }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_days_are_postgresqls() {
        assert_eq!(DATE_END, days_from_civil(5_874_898, 1, 1));
        assert_eq!(TIMESTAMP_END, i128::from(days_from_civil(294_277, 1, 1)) * i128::from(DAY_US));
        assert_eq!(TIMESTAMP_START, i128::from(-JULIAN_EPOCH) * i128::from(DAY_US));
        assert_eq!(days_from_civil(-4713, 11, 24), -JULIAN_EPOCH);
    }
}
