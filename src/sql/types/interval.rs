//! Intervals as PostgreSQL computes them.

use crate::sql::error::{Result, Stop, error, fail};
use crate::sql::types::datetime::{DAY_US, HOUR_US, MINUTE_US};
use crate::trace::Value;

pub const DAYS_PER_MONTH: i64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PgInterval {
    pub months: i32,
    pub days: i32,
    pub micros: i64,
}

impl From<PgInterval> for Value {
    fn from(span: PgInterval) -> Value {
        Value::Interval { months: span.months, days: span.days, micros: span.micros }
    }
}

pub fn out_of_range() -> Stop {
    error("22008", "interval out of range")
}

/// A whole number that a double may stand for.
fn whole<T: TryFrom<i64>>(value: f64) -> Result<T> {
    let fits = value >= -(2f64.powi(63)) && value < 2f64.powi(63);
    fits.then(|| T::try_from(value as i64).ok()).flatten().ok_or_else(out_of_range)
}

/// To microseconds of a number of seconds, as PostgreSQL rounds what is left of days.
fn to_micros(value: f64) -> f64 {
    (value * 1e6).round_ties_even() / 1e6
}

impl PgInterval {
    pub fn add(self, other: PgInterval) -> Result<PgInterval> {
        Ok(PgInterval {
            months: self.months.checked_add(other.months).ok_or_else(out_of_range)?,
            days: self.days.checked_add(other.days).ok_or_else(out_of_range)?,
            micros: self.micros.checked_add(other.micros).ok_or_else(out_of_range)?,
        })
    }

    pub fn subtract(self, other: PgInterval) -> Result<PgInterval> {
        Ok(PgInterval {
            months: self.months.checked_sub(other.months).ok_or_else(out_of_range)?,
            days: self.days.checked_sub(other.days).ok_or_else(out_of_range)?,
            micros: self.micros.checked_sub(other.micros).ok_or_else(out_of_range)?,
        })
    }

    pub fn negate(self) -> Result<PgInterval> {
        PgInterval::default().subtract(self)
    }

    pub fn multiply(self, factor: f64) -> Result<PgInterval> {
        self.scale(|part| part * factor)
    }

    pub fn divide(self, divisor: f64) -> Result<PgInterval> {
        if divisor == 0.0 {
            return fail("22012", "division by zero");
        }
        self.scale(|part| part / divisor)
    }

    /// What is left of months goes into days, what is left of days into time; nothing goes up.
    fn scale(self, by: impl Fn(f64) -> f64) -> Result<PgInterval> {
        let (months_exact, days_exact) = (by(f64::from(self.months)), by(f64::from(self.days)));
        let months: i32 = whole(months_exact)?;
        let mut days: i32 = whole(days_exact)?;
        let month_days = to_micros((months_exact - f64::from(months)) * DAYS_PER_MONTH as f64);
        let day_rest = days_exact - f64::from(days) + month_days - month_days.trunc();
        let mut seconds = to_micros(day_rest * 86_400.0);
        if seconds.abs() >= 86_400.0 {
            let more = (seconds / 86_400.0).trunc();
            days = days.checked_add(more as i32).ok_or_else(out_of_range)?;
            seconds -= more * 86_400.0;
        }
        let days = days.checked_add(month_days as i32).ok_or_else(out_of_range)?;
        let micros: i64 = whole((by(self.micros as f64) + seconds * 1e6).round_ties_even())?;
        Ok(PgInterval { months, days, micros })
    }

    /// `extract`, as the numerator of a fraction with the given scale.
    pub fn extract(self, unit: &str) -> Option<(i128, u32)> {
        let (years, months) = (self.months / 12, self.months % 12);
        let whole = |value: i64| Some((i128::from(value), 0));
        match unit {
            "millennium" => whole(i64::from(years / 1000)),
            "century" => whole(i64::from(years / 100)),
            "decade" => whole(i64::from(years / 10)),
            "year" => whole(i64::from(years)),
            "quarter" => whole(i64::from(months / 3 + 1)),
            "month" => whole(i64::from(months)),
            "day" => whole(i64::from(self.days)),
            "hour" => whole(self.micros / HOUR_US),
            "minute" => whole(self.micros / MINUTE_US % 60),
            "second" => Some((i128::from(self.micros % MINUTE_US), 6)),
            "milliseconds" => Some((i128::from(self.micros % MINUTE_US), 3)),
            "microseconds" => whole(self.micros % MINUTE_US),
            "epoch" => {
                // A year counts 365.25 days, a month 30.
                let day = i128::from(DAY_US);
                let rest = (i128::from(months) * i128::from(DAYS_PER_MONTH) + i128::from(self.days)) * day;
                Some((i128::from(years) * day * 1461 / 4 + rest + i128::from(self.micros), 6))
            }
            _ => None,
        }
    }

    /// Whole days of the time become days.
    pub fn justify_hours(self) -> Result<PgInterval> {
        let (days, micros) = carried(self.days, self.micros, DAY_US)?;
        Ok(PgInterval { days, micros, ..self })
    }

    /// Each 30 days become a month.
    pub fn justify_days(self) -> Result<PgInterval> {
        let (months, days) = carried(self.months, i64::from(self.days), DAYS_PER_MONTH)?;
        Ok(PgInterval { months, days: days as i32, ..self })
    }

    /// All parts get one sign, and none is as long as the next larger one.
    pub fn justify(self) -> Result<PgInterval> {
        let total_days = i64::from(self.days) + self.micros / DAY_US;
        let months = i64::from(self.months) + total_days / DAYS_PER_MONTH;
        let (mut months, mut days, micros) = (months, total_days % DAYS_PER_MONTH, self.micros % DAY_US);
        if months > 0 && (days < 0 || (days == 0 && micros < 0)) {
            days += DAYS_PER_MONTH;
            months -= 1;
        } else if months < 0 && (days > 0 || (days == 0 && micros > 0)) {
            days -= DAYS_PER_MONTH;
            months += 1;
        }
        let narrow = |value: i64| i32::try_from(value).map_err(|_| out_of_range());
        let (days, micros) = carried(narrow(days)?, micros, DAY_US)?;
        Ok(PgInterval { months: narrow(months)?, days, micros })
    }
}

/// `smaller` without its whole `unit`s, which `larger` counts, and with the sign of `larger`.
fn carried(larger: i32, smaller: i64, unit: i64) -> Result<(i32, i64)> {
    let whole = i32::try_from(smaller / unit).map_err(|_| out_of_range())?;
    let larger = larger.checked_add(whole).ok_or_else(out_of_range)?;
    Ok(match smaller % unit {
        rest if larger > 0 && rest < 0 => (larger - 1, rest + unit),
        rest if larger < 0 && rest > 0 => (larger + 1, rest - unit),
        rest => (larger, rest),
    })
}
