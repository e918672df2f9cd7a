//! NUMERIC with PostgreSQL's scales. Values are exact; what does not fit 28 digits is refused, never rounded silently.

use rust_decimal::Decimal;

use crate::sql::error::{Result, fail, refused};

const SCALE_MAX: u32 = 28;

pub fn build(mantissa: i128, scale: u32) -> Result<Decimal> {
    if scale > SCALE_MAX {
        return Err(too_long());
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| too_long())
}

fn too_long() -> crate::sql::error::Stop {
    refused("a numeric value of more than 28 digits")
}

fn power_of_ten(exponent: u32) -> Result<i128> {
    10i128.checked_pow(exponent).ok_or_else(too_long)
}

/// Both mantissas at the larger of the two scales.
fn align(a: &Decimal, b: &Decimal) -> Result<(i128, i128, u32)> {
    let scale = a.scale().max(b.scale());
    let lift = |value: &Decimal| -> Result<i128> {
        value.mantissa().checked_mul(power_of_ten(scale - value.scale())?).ok_or_else(too_long)
    };
    Ok((lift(a)?, lift(b)?, scale))
}

pub fn add(a: &Decimal, b: &Decimal) -> Result<Decimal> {
    let (x, y, scale) = align(a, b)?;
    build(x.checked_add(y).ok_or_else(too_long)?, scale)
}

pub fn subtract(a: &Decimal, b: &Decimal) -> Result<Decimal> {
    let (x, y, scale) = align(a, b)?;
    build(x.checked_sub(y).ok_or_else(too_long)?, scale)
}

pub fn multiply(a: &Decimal, b: &Decimal) -> Result<Decimal> {
    build(a.mantissa().checked_mul(b.mantissa()).ok_or_else(too_long)?, a.scale() + b.scale())
}

pub fn divide(a: &Decimal, b: &Decimal) -> Result<Decimal> {
    if b.is_zero() {
        return fail("22012", "division by zero");
    }
    divide_to(a, b, quotient_scale(a, b))
}

pub fn remainder(a: &Decimal, b: &Decimal) -> Result<Decimal> {
    if b.is_zero() {
        return fail("22012", "division by zero");
    }
    let (x, y, scale) = align(a, b)?;
    build(x % y, scale)
}

/// How many digits PostgreSQL gives a quotient: at least 16 significant ones, counted in its groups of four.
fn quotient_scale(a: &Decimal, b: &Decimal) -> u32 {
    let (weight_a, first_a) = leading_group(a);
    let (weight_b, first_b) = leading_group(b);
    let mut weight = weight_a - weight_b;
    if first_a <= first_b {
        weight -= 1;
    }
    let scale = (16 - weight * 4).max(a.scale() as i32).max(b.scale() as i32).max(0);
    scale as u32
}

/// The weight (a power of 10,000) and value of the first non-zero group of four digits.
fn leading_group(value: &Decimal) -> (i32, i128) {
    let mantissa = value.mantissa().unsigned_abs() as i128;
    if mantissa == 0 {
        return (0, 0);
    }
    let digits = mantissa.ilog10() as i32 + 1;
    let before_point = digits - value.scale() as i32;
    let weight = (before_point + 3).div_euclid(4) - 1;
    // Digits the first group has: the point stands after a whole number of groups.
    let in_group = before_point - weight * 4;
    let first = if digits >= in_group {
        mantissa / 10i128.pow((digits - in_group) as u32)
    } else {
        mantissa * 10i128.pow((in_group - digits) as u32)
    };
    (weight, first)
}

/// Long division, rounded half away from zero at the last digit.
pub fn divide_to(a: &Decimal, b: &Decimal, scale: u32) -> Result<Decimal> {
    let negative = (a.mantissa() < 0) != (b.mantissa() < 0);
    let (mut dividend, divisor) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let mut shift = scale as i32 + b.scale() as i32 - a.scale() as i32;
    let mut drop = 0;
    while shift < 0 {
        drop += 1;
        shift += 1;
    }
    let mut divisor = divisor;
    if drop > 0 {
        match divisor.checked_mul(10u128.pow(drop)) {
            Some(larger) => divisor = larger,
            None => dividend = 0,
        }
    }
    let mut quotient = dividend / divisor;
    let mut rest = dividend % divisor;
    for _ in 0..shift {
        rest = rest.checked_mul(10).ok_or_else(too_long)?;
        quotient = quotient.checked_mul(10).and_then(|q| q.checked_add(rest / divisor)).ok_or_else(too_long)?;
        rest %= divisor;
    }
    if rest.checked_mul(2).is_none_or(|twice| twice >= divisor) && rest > 0 {
        quotient += 1;
    }
    let quotient = i128::try_from(quotient).map_err(|_| too_long())?;
    build(if negative { -quotient } else { quotient }, scale)
}

/// Half away from zero; a negative scale rounds before the point.
pub fn round(value: &Decimal, scale: i32) -> Result<Decimal> {
    at_scale(value, scale, |rest, unit| rest * 2 >= unit)
}

pub fn truncate(value: &Decimal, scale: i32) -> Result<Decimal> {
    at_scale(value, scale, |_, _| false)
}

fn at_scale(value: &Decimal, scale: i32, up: impl Fn(i128, i128) -> bool) -> Result<Decimal> {
    let have = value.scale() as i32;
    if scale >= have {
        let scale = scale.min(1000) as u32;
        let lifted = value.mantissa().checked_mul(power_of_ten(scale - value.scale())?).ok_or_else(too_long)?;
        return build(lifted, scale);
    }
    let drop = (have - scale) as u32;
    let Some(unit) = 10i128.checked_pow(drop) else { return build(0, scale.max(0) as u32) };
    let magnitude = value.mantissa().abs();
    let mut kept = magnitude / unit;
    if up(magnitude % unit, unit) {
        kept += 1;
    }
    let kept = if value.mantissa() < 0 { -kept } else { kept };
    if scale >= 0 { build(kept, scale as u32) } else { build(kept * power_of_ten((-scale) as u32)?, 0) }
}

pub fn floor(value: &Decimal) -> Result<Decimal> {
    let whole = truncate(value, 0)?;
    if whole > *value { subtract(&whole, &Decimal::ONE) } else { Ok(whole) }
}

pub fn ceil(value: &Decimal) -> Result<Decimal> {
    let whole = truncate(value, 0)?;
    if whole < *value { add(&whole, &Decimal::ONE) } else { Ok(whole) }
}

/// Fits a value into NUMERIC(precision, scale).
pub fn fit(value: &Decimal, precision: u32, scale: u32) -> Result<Decimal> {
    let rounded = round(value, scale as i32)?;
    let limit = 10i128.checked_pow(precision).unwrap_or(i128::MAX);
    if rounded.mantissa().abs() >= limit {
        let mut error = crate::trace::SqlError::new("22003", "numeric field overflow");
        error.detail = Some(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value less than {}.",
            if precision == scale { "1".to_owned() } else { format!("10^{}", precision - scale) }
        ));
        return Err(error.into());
    }
    Ok(rounded)
}

/// What comes after the `e`; beyond what a number may have, the most.
fn exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(if text.starts_with('-') { -i32::MAX } else { i32::MAX }))
}

pub fn parse(text: &str) -> Option<Result<Decimal>> {
    let text = text.trim();
    let (body, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (negative, body) = match body.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, body.strip_prefix('+').unwrap_or(body)),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    if (whole.is_empty() && fraction.is_empty()) || !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    // PostgreSQL keeps 131,072 digits before the point and 16,383 after it.
    let before_point = digits.len() as i64 - fraction.len() as i64 + i64::from(exponent);
    if before_point > 131_072 || exponent.abs() >= i32::MAX / 2 {
        return Some(fail("22003", "value overflows numeric format"));
    }
    let mantissa = if digits.is_empty() { Ok(0) } else { digits.parse::<i128>() };
    let Ok(mut mantissa) = mantissa else { return Some(Err(too_long())) };
    let mut scale = fraction.len() as i32 - exponent;
    if scale < 0 {
        match 10i128.checked_pow((-scale) as u32).and_then(|power| mantissa.checked_mul(power)) {
            Some(larger) => mantissa = larger,
            None => return Some(Err(too_long())),
        }
        scale = 0;
    }
    Some(build(if negative { -mantissa } else { mantissa }, scale as u32))
}

/// PostgreSQL takes 15 significant digits of a double.
pub fn from_float(value: f64) -> Result<Decimal> {
    if !value.is_finite() {
        return Err(refused("a numeric NaN or infinity"));
    }
    parse(&format!("{value:.14e}")).unwrap_or_else(|| Err(too_long())).map(|parsed| {
        // The digits after the last significant one are padding of the conversion, not of the value.
        let mut parsed = parsed;
        while parsed.scale() > 0 && parsed.mantissa() % 10 == 0 {
            parsed = Decimal::from_i128_with_scale(parsed.mantissa() / 10, parsed.scale() - 1);
        }
        parsed
    })
}

pub fn to_float(value: &Decimal) -> f64 {
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// Rounded half away from zero; `None` outside the range of a bigint.
pub fn to_int(value: &Decimal) -> Option<i64> {
    i64::try_from(round(value, 0).ok()?.mantissa()).ok()
}
