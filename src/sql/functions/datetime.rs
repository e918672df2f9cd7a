//! Dates, times and intervals, and the clocks.

use crate::sql::error::{Result, fail, refuse};
use crate::sql::types::interval::PgInterval;
use crate::sql::types::timezone::{self, Zone};
use crate::sql::types::{self, Type, datetime, numeric};
use crate::trace::{Value, days_from_civil};

use super::signature::{BOOL, DATE, FLOAT8, INT4, INTERVAL, NUMERIC, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ};
use super::{FunctionSpec, SystemEnv, float, int, pure, stable, string, volatile};

/// What `timestamp AT TIME ZONE zone` calls, the zone first.
pub const AT_TIME_ZONE: &str = "timezone";

pub static FUNCTIONS: &[FunctionSpec] = &[
    stable("now", &[], TIMESTAMPTZ, transaction_timestamp).restless(),
    stable("transaction_timestamp", &[], TIMESTAMPTZ, transaction_timestamp).restless(),
    stable("current_timestamp", &[], TIMESTAMPTZ, transaction_timestamp).restless(),
    stable("statement_timestamp", &[], TIMESTAMPTZ, |env, _| Ok(Value::TimestampTz(env.statement_began()))).restless(),
    volatile("clock_timestamp", &[], TIMESTAMPTZ, |env, _| Ok(Value::TimestampTz(env.clock()))),
    stable("localtimestamp", &[], TIMESTAMP, |env, _| Ok(Value::Timestamp(env.transaction_began()))).restless(),
    stable("current_date", &[], DATE, |env, _| {
        Ok(Value::Date(env.transaction_began().div_euclid(datetime::DAY_US) as i32))
    })
    .restless(),
    stable("localtime", &[], TIME, |env, _| Ok(Value::Time(env.transaction_began().rem_euclid(datetime::DAY_US))))
        .restless(),
    pure("date_trunc", &[TEXT, TIMESTAMP], TIMESTAMP, date_trunc),
    pure("date_trunc", &[TEXT, TIMESTAMPTZ], TIMESTAMPTZ, date_trunc).by_settings(),
    pure("extract", &[TEXT, DATE], NUMERIC, extract),
    pure("extract", &[TEXT, TIME], NUMERIC, extract),
    pure("extract", &[TEXT, TIMESTAMP], NUMERIC, extract),
    pure("extract", &[TEXT, TIMESTAMPTZ], NUMERIC, extract).by_settings(),
    pure("extract", &[TEXT, INTERVAL], NUMERIC, extract),
    pure("date_part", &[TEXT, DATE], FLOAT8, |a| {
        date_part(&[a[0].clone(), types::cast(a[1].clone(), &Type::Date, &Type::Timestamp, false)?])
    }),
    pure("date_part", &[TEXT, TIME], FLOAT8, date_part),
    pure("date_part", &[TEXT, TIMESTAMP], FLOAT8, date_part),
    pure("date_part", &[TEXT, TIMESTAMPTZ], FLOAT8, date_part).by_settings(),
    pure("date_part", &[TEXT, INTERVAL], FLOAT8, date_part),
    pure("age", &[TIMESTAMP, TIMESTAMP], INTERVAL, |a| datetime::age(instant(&a[0]), instant(&a[1]))),
    pure("age", &[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, |a| datetime::age(instant(&a[0]), instant(&a[1]))),
    pure("to_timestamp", &[FLOAT8], TIMESTAMPTZ, to_timestamp),
    pure("make_date", &[INT4, INT4, INT4], DATE, make_date),
    pure("justify_hours", &[INTERVAL], INTERVAL, |a| Ok(span(&a[0]).justify_hours()?.into())),
    pure("justify_days", &[INTERVAL], INTERVAL, |a| Ok(span(&a[0]).justify_days()?.into())),
    pure("justify_interval", &[INTERVAL], INTERVAL, |a| Ok(span(&a[0]).justify()?.into())),
    pure("isfinite", &[DATE], BOOL, is_finite),
    pure("isfinite", &[TIMESTAMP], BOOL, is_finite),
    pure("isfinite", &[TIMESTAMPTZ], BOOL, is_finite),
    pure("isfinite", &[INTERVAL], BOOL, is_finite),
    pure(AT_TIME_ZONE, &[TEXT, TIMESTAMP], TIMESTAMPTZ, in_zone),
    pure(AT_TIME_ZONE, &[INTERVAL, TIMESTAMP], TIMESTAMPTZ, in_zone),
    pure(AT_TIME_ZONE, &[TEXT, TIMESTAMPTZ], TIMESTAMP, to_zone),
    pure(AT_TIME_ZONE, &[INTERVAL, TIMESTAMPTZ], TIMESTAMP, to_zone),
];

/// What a date is compared with a timestamp as. The name is no one's to call; PostgreSQL has operators for the two types in its place.
pub static AMONG_TIMESTAMPS: FunctionSpec =
    pure("", &[DATE], TIMESTAMP, |a| Ok(Value::Timestamp(among_timestamps(&a[0]))));

/// With a time zone it goes by the session's.
pub static AMONG_INSTANTS: FunctionSpec =
    pure("", &[DATE], TIMESTAMPTZ, |a| Ok(Value::TimestampTz(among_timestamps(&a[0])))).by_settings();

fn among_timestamps(date: &Value) -> i64 {
    if let Value::Date(days) = date { datetime::date_among_timestamps(*days) } else { 0 }
}

fn transaction_timestamp(env: &mut dyn SystemEnv, _: &[Value]) -> Result<Value> {
    Ok(Value::TimestampTz(env.transaction_began()))
}

fn date_trunc(a: &[Value]) -> Result<Value> {
    Ok(match &a[1] {
        Value::Timestamp(at) => Value::Timestamp(datetime::truncate(string(&a[0]), *at, kind_name(&a[1]))?),
        Value::TimestampTz(at) => Value::TimestampTz(datetime::truncate(string(&a[0]), *at, kind_name(&a[1]))?),
        other => other.clone(),
    })
}

fn date_part(a: &[Value]) -> Result<Value> {
    types::cast(extract(a)?, &Type::Numeric(None), &Type::Float8, true)
}

/// A moment of the clock on the wall of a zone.
fn in_zone(a: &[Value]) -> Result<Value> {
    Ok(Value::TimestampTz(moved(&a[1], &a[0], -1)?))
}

fn to_zone(a: &[Value]) -> Result<Value> {
    Ok(Value::Timestamp(moved(&a[1], &a[0], 1)?))
}

/// An infinite moment is the same in every zone, even in one that is none.
fn moved(at: &Value, zone: &Value, sign: i64) -> Result<i64> {
    let at = instant(at);
    if datetime::is_infinite(at) {
        return Ok(at);
    }
    datetime::add_interval(at, PgInterval { months: 0, days: 0, micros: sign * offset(zone)? })
}

/// Microseconds that the zone is ahead of UTC, for zones of fixed offset.
fn offset(zone: &Value) -> Result<i64> {
    match zone {
        Value::Interval { months: 0, days: 0, micros } => Ok(*micros),
        Value::Interval { .. } => {
            fail("22023", format!("interval time zone \"{}\" must not include months or days", types::print(zone)))
        }
        zone => match timezone::named(string(zone)) {
            Zone::Fixed(offset) => Ok(offset),
            Zone::NotOffered => refuse(format!("the time zone \"{}\" (only UTC and fixed offsets)", string(zone))),
            Zone::Unknown => fail("22023", format!("time zone \"{}\" not recognized", string(zone))),
        },
    }
}

fn extract(a: &[Value]) -> Result<Value> {
    let written = string(&a[0]);
    let kind = kind_name(&a[1]);
    let Some(unit) = datetime::unit_of(written) else { return Err(datetime::unknown_unit(written, kind)) };
    let unsupported = || Err(datetime::unit_not_supported(written, kind));
    let found = match &a[1] {
        Value::Timestamp(at) | Value::TimestampTz(at) if datetime::is_infinite(*at) => return of_infinity(unit),
        Value::Date(days) if datetime::is_infinite_date(*days) => return of_infinity(unit),
        Value::TimestampTz(_) if unit.starts_with("timezone") => Some((0, 0)),
        Value::Timestamp(at) | Value::TimestampTz(at) if unit == "julian" => return julian(*at),
        Value::Timestamp(at) | Value::TimestampTz(at) => datetime::extract(unit, *at),
        Value::Date(days) => match unit {
            "hour" | "minute" | "second" | "milliseconds" | "microseconds" => return unsupported(),
            "julian" => Some((i128::from(*days) + i128::from(datetime::JULIAN_EPOCH), 0)),
            "epoch" => Some((i128::from(*days) * 86_400, 0)),
            unit => datetime::extract_day(unit, i64::from(*days)),
        },
        Value::Time(micros) => match unit {
            "hour" if *micros == datetime::DAY_US => Some((24, 0)),
            "hour" | "minute" | "second" | "milliseconds" | "microseconds" | "epoch" => {
                datetime::extract(unit, *micros)
            }
            _ => return unsupported(),
        },
        value => span(value).extract(unit),
    };
    match found {
        Some((value, scale)) => Ok(Value::Numeric(numeric::build(value, scale)?)),
        None => unsupported(),
    }
}

/// What is asked of an infinite date or timestamp.
fn of_infinity(unit: &str) -> Result<Value> {
    if datetime::grows_for_ever(unit) { refuse("a numeric NaN or infinity") } else { Ok(Value::Null) }
}

/// The Julian day with the part of the day that has gone.
fn julian(at: i64) -> Result<Value> {
    let day = numeric::build(i128::from(at.div_euclid(datetime::DAY_US) + datetime::JULIAN_EPOCH), 0)?;
    let time = numeric::build(i128::from(at.rem_euclid(datetime::DAY_US)), 0)?;
    let part = numeric::divide(&time, &numeric::build(i128::from(datetime::DAY_US), 0)?)?;
    Ok(Value::Numeric(numeric::add(&day, &part)?))
}

/// A negative year is one before Christ.
fn make_date(a: &[Value]) -> Result<Value> {
    let (year, month, day) = (int(&a[0]), int(&a[1]), int(&a[2]));
    let civil_year = if year < 0 { year + 1 } else { year };
    let valid = year != 0
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && day <= datetime::month_length(civil_year, month);
    if !valid {
        return fail("22008", format!("date field value out of range: {year}-{month:02}-{day:02}"));
    }
    match datetime::checked_date(days_from_civil(civil_year, month, day)) {
        Some(days) => Ok(Value::Date(days)),
        None => fail("22008", format!("date out of range: {year}-{month:02}-{day:02}")),
    }
}

/// Seconds since 1970, counted from 2000 as PostgreSQL does: so it rounds.
fn to_timestamp(a: &[Value]) -> Result<Value> {
    const SECONDS_TO_2000: f64 = 946_684_800.0;
    let seconds = float(&a[0]);
    if seconds.is_nan() {
        return fail("22008", "timestamp cannot be NaN");
    }
    if seconds.is_infinite() {
        return Ok(Value::TimestampTz(if seconds > 0.0 { i64::MAX } else { i64::MIN }));
    }
    let micros = ((seconds - SECONDS_TO_2000) * 1e6).round_ties_even() as i128 + (SECONDS_TO_2000 * 1e6) as i128;
    match datetime::checked_timestamp(micros)? {
        Some(at) => Ok(Value::TimestampTz(at)),
        None => fail("22008", format!("timestamp out of range: \"{}\"", with_exponent(seconds))),
    }
}

/// C's `%g` of a number that has more than six digits before its point.
fn with_exponent(number: f64) -> String {
    let written = format!("{number:.5e}");
    match written.split_once('e') {
        Some((digits, exponent)) => format!("{}e+{exponent}", digits.trim_end_matches('0').trim_end_matches('.')),
        None => written,
    }
}

fn is_finite(a: &[Value]) -> Result<Value> {
    Ok(Value::Bool(match &a[0] {
        Value::Date(days) => !datetime::is_infinite_date(*days),
        Value::Timestamp(at) | Value::TimestampTz(at) => !datetime::is_infinite(*at),
        _ => true,
    }))
}

fn instant(value: &Value) -> i64 {
    match value {
        Value::Timestamp(at) | Value::TimestampTz(at) => *at,
        _ => 0,
    }
}

fn span(value: &Value) -> PgInterval {
    match value {
        Value::Interval { months, days, micros } => PgInterval { months: *months, days: *days, micros: *micros },
        _ => PgInterval::default(),
    }
}

fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Timestamp(_) => "timestamp without time zone",
        Value::TimestampTz(_) => "timestamp with time zone",
        Value::Date(_) => "date",
        Value::Time(_) => "time without time zone",
        _ => "interval",
    }
}
