//! Dates, times and timestamps from text, as PostgreSQL reads them (DateStyle ISO, MDY).
//!
//! A text is cut into fields; each field says which parts of a moment it gives, by its form and by what was given before. A part
//! given twice is a mistake.

use crate::sql::error::{Result, Stop, error, refused};
use crate::sql::types::datetime::{self, DAY_US, HOUR_US, MINUTE_US, SECOND_US};
use crate::sql::types::datetime_fields::{
    Field, FieldKind, decode_clock, fraction_micros, is_weekday, month_of, split,
};
use crate::sql::types::timezone::{self, OffsetFault, Zone};
use crate::trace::days_from_civil;

/// Parts of a moment, as bits.
type PartMask = u16;
const YEAR: PartMask = 1;
const MONTH: PartMask = 2;
const DAY: PartMask = 4;
const DATE: PartMask = YEAR | MONTH | DAY;
const DAY_OF_YEAR: PartMask = 8;
const CLOCK: PartMask = 16;
const ZONE: PartMask = 32;
const HALF_DAY: PartMask = 64;
const ERA: PartMask = 128;
const WEEKDAY: PartMask = 256;
const SPECIAL: PartMask = 512;

enum DatetimeFault {
    Format,
    Range,
    Zone,
    UnknownZone(String),
    /// PostgreSQL reads it, this engine does not.
    NotOffered(String),
}

type Decoded<T> = std::result::Result<T, DatetimeFault>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    Epoch,
    Infinity,
    MinusInfinity,
}

#[derive(Default)]
struct BrokenDownTime {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    /// Of the day.
    micros: i64,
    zone: Option<i64>,
    half: Option<Half>,
    before_christ: bool,
    two_digit_year: bool,
    text_month: bool,
    julian: Option<i64>,
    special: Option<Special>,
}

struct Decoder<'f> {
    fields: &'f [Field],
    moment: BrokenDownTime,
    given: PartMask,
    /// Of the next field.
    prefix: Option<Prefix>,
    /// For type time.
    time_only: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    /// `T`: the next field is a time.
    Time,
    /// `J`: the next field is a day number.
    Julian,
}

fn number(text: &str) -> Decoded<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DatetimeFault::Format);
    }
    text.parse::<i32>().map(i64::from).map_err(|_| DatetimeFault::Range)
}

impl Decoder<'_> {
    fn decode(mut self) -> Decoded<(BrokenDownTime, PartMask)> {
        for at in 0..self.fields.len() {
            let field = &self.fields[at];
            let parts = match field.kind {
                FieldKind::Date => self.date_field(&field.text, at)?,
                FieldKind::Time => {
                    self.expect_time()?;
                    self.clock(&field.text)?
                }
                FieldKind::Zone => self.zone_field(&field.text)?,
                FieldKind::Number => self.number_field(&field.text)?,
                FieldKind::Word | FieldKind::Special => self.word(&field.text, at)?,
            };
            if self.given & parts != 0 {
                return Err(DatetimeFault::Format);
            }
            self.given |= parts;
        }
        Ok((self.moment, self.given))
    }

    fn date_known(&self) -> PartMask {
        if self.time_only { DATE } else { self.given & DATE }
    }

    fn expect_time(&mut self) -> Decoded<()> {
        match self.prefix.take() {
            None | Some(Prefix::Time) => Ok(()),
            Some(Prefix::Julian) => Err(DatetimeFault::Format),
        }
    }

    fn date_field(&mut self, text: &str, at: usize) -> Decoded<PartMask> {
        if self.prefix == Some(Prefix::Julian) {
            return self.julian_with_zone(text);
        }
        if self.time_only {
            let leads = at == 0 && self.fields.len() >= 2;
            let behind = leads
                && (self.fields[self.fields.len() - 1].kind == FieldKind::Date
                    || self.fields[1].kind == FieldKind::Time);
            if behind {
                return self.date(text);
            }
        }
        let has_date = self.given & (MONTH | DAY) == MONTH | DAY || self.time_only;
        if !has_date && self.prefix.is_none() {
            return self.date(text);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) || self.prefix.is_some() {
            // A time with its zone, as 101112-08.
            self.expect_time()?;
            let at = text.find('-').ok_or(DatetimeFault::Format)?;
            let zone = self.zone_field(&text[at..])?;
            return Ok(self.run_together(&text[..at])? | zone);
        }
        self.zone_name(text)
    }

    fn zone_name(&mut self, text: &str) -> Decoded<PartMask> {
        match timezone::full_name(text) {
            Zone::Fixed(offset) => {
                self.moment.zone = Some(offset);
                Ok(ZONE)
            }
            Zone::NotOffered => Err(DatetimeFault::NotOffered(format!("the time zone \"{text}\""))),
            Zone::Unknown => Err(DatetimeFault::UnknownZone(text.to_owned())),
        }
    }

    fn zone_field(&mut self, text: &str) -> Decoded<PartMask> {
        match timezone::numeric(text) {
            Ok(offset) => {
                self.moment.zone = Some(offset);
                Ok(ZONE)
            }
            Err(OffsetFault::Format) => Err(DatetimeFault::Format),
            Err(OffsetFault::Range) => Err(DatetimeFault::Zone),
        }
    }

    fn clock(&mut self, text: &str) -> Decoded<PartMask> {
        self.moment.micros = decode_clock(text).ok_or(DatetimeFault::Format)?.ok_or(DatetimeFault::Range)?;
        if !self.time_only && self.moment.micros > DAY_US { Err(DatetimeFault::Range) } else { Ok(CLOCK) }
    }

    fn number_field(&mut self, text: &str) -> Decoded<PartMask> {
        match self.prefix.take() {
            Some(Prefix::Time) => return self.run_together(text),
            Some(Prefix::Julian) => return self.julian(text),
            None => {}
        }
        let point = text.find('.');
        match point {
            Some(_) if self.date_known() == 0 => self.date(text),
            Some(at) if at > 2 => self.run_together(text),
            None if self.time_only && text.len() > 4 => self.run_together(text),
            // With a month, a day and a time before it, it is a year.
            None if !self.time_only && text.len() >= 6 && (self.date_known() == 0 || self.given & CLOCK == 0) => {
                self.run_together(text)
            }
            _ => self.plain_number(text),
        }
    }

    fn julian(&mut self, text: &str) -> Decoded<PartMask> {
        let (day, fraction) = text.split_once('.').unwrap_or((text, ""));
        self.moment.julian = Some(number(day)?);
        if fraction.is_empty() {
            return Ok(DATE);
        }
        let fraction: f64 = format!("0.{fraction}").parse().map_err(|_| DatetimeFault::Format)?;
        self.moment.micros = (fraction * DAY_US as f64).round_ties_even() as i64;
        Ok(DATE | CLOCK)
    }

    /// A day number with its zone, as J2452271-08.
    fn julian_with_zone(&mut self, text: &str) -> Decoded<PartMask> {
        self.prefix = None;
        let (day, zone) = text.split_at(text.find('-').ok_or(DatetimeFault::Format)?);
        self.moment.julian = Some(number(day)?);
        Ok(DATE | CLOCK | self.zone_field(zone)?)
    }

    /// A date in one field: words in it are months, the numbers come in an order that their lengths tell.
    fn date(&mut self, text: &str) -> Decoded<PartMask> {
        let mut parts = cut_date(text)?;
        let before = self.given;
        let mut found: PartMask = 0;
        let mut text_month = false;
        for part in &parts {
            if part.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_weekday(part) {
                self.moment.month = month_of(part).ok_or(DatetimeFault::Format)?;
                if (before | found) & MONTH != 0 {
                    return Err(DatetimeFault::Format);
                }
                text_month = true;
                found |= MONTH;
            }
        }
        parts.retain(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        for part in parts {
            let given = self.date_part(&part, (before | found) & (DATE | DAY_OF_YEAR), text_month)?;
            if (before | found) & given != 0 {
                return Err(DatetimeFault::Format);
            }
            found |= given;
        }
        // Nothing but a zone may come before a date of this form.
        if (before | found) & !(DAY_OF_YEAR | ZONE) == DATE { Ok(found) } else { Err(DatetimeFault::Format) }
    }

    fn plain_number(&mut self, text: &str) -> Decoded<PartMask> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.len() > 2 && text.contains('.') {
            return self.run_together(text);
        }
        if !fraction.is_empty() && fraction_micros(fraction).is_none() {
            return Err(DatetimeFault::Format);
        }
        let known = self.date_known() | (self.given & DAY_OF_YEAR);
        self.date_part(whole, known, self.moment.text_month)
    }

    fn date_part(&mut self, text: &str, known: PartMask, text_month: bool) -> Decoded<PartMask> {
        let value = number(text)?;
        let long = text.len() >= 3;
        if text.len() == 3 && known & DATE == YEAR && (1..=366).contains(&value) {
            self.moment.day_of_year = value;
            return Ok(DAY_OF_YEAR | MONTH | DAY);
        }
        let part = match known & DATE {
            0 if long => YEAR,
            0 | YEAR | DAY => MONTH,
            MONTH if text_month && long => YEAR,
            MONTH => DAY,
            part if part == YEAR | MONTH => {
                if text_month && long && self.moment.two_digit_year {
                    // What was taken for the year was the day.
                    self.moment.day = std::mem::replace(&mut self.moment.year, value);
                    self.moment.two_digit_year = false;
                    return Ok(DAY);
                }
                DAY
            }
            part if part == MONTH | DAY => YEAR,
            DATE => return self.run_together(text),
            _ => return Err(DatetimeFault::Format),
        };
        match part {
            YEAR => {
                self.moment.year = value;
                self.moment.two_digit_year = text.len() <= 2;
            }
            MONTH => self.moment.month = value,
            _ => self.moment.day = value,
        }
        Ok(part)
    }

    /// `20240105`, `101112`, `101112.5`, `1011`.
    fn run_together(&mut self, text: &str) -> Decoded<PartMask> {
        let (digits, fraction) = match text.split_once('.') {
            Some((digits, fraction)) => (digits, Some(fraction_micros(fraction).ok_or(DatetimeFault::Format)?)),
            None => (text, None),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(DatetimeFault::Format);
        }
        if fraction.is_none() && self.date_known() != DATE && digits.len() >= 6 {
            let (year, rest) = digits.split_at(digits.len() - 4);
            self.moment.year = number(year)?;
            self.moment.two_digit_year = year.len() == 2;
            self.moment.month = number(&rest[..2])?;
            self.moment.day = number(&rest[2..])?;
            return Ok(DATE);
        }
        if self.given & CLOCK != 0 || !matches!(digits.len(), 4 | 6) {
            return Err(DatetimeFault::Format);
        }
        let (hours, minutes) = (number(&digits[..2])?, number(&digits[2..4])?);
        let seconds = if digits.len() == 6 { number(&digits[4..])? } else { 0 };
        let micros = hours * HOUR_US + minutes * MINUTE_US + seconds * SECOND_US + fraction.unwrap_or(0);
        if minutes > 59 || seconds > 60 || micros > DAY_US {
            return Err(DatetimeFault::Range);
        }
        self.moment.micros = micros;
        Ok(CLOCK)
    }

    fn word(&mut self, word: &str, at: usize) -> Decoded<PartMask> {
        match timezone::abbreviation(word) {
            Zone::Fixed(offset) => {
                self.moment.zone = Some(offset);
                return Ok(ZONE);
            }
            Zone::NotOffered => return Err(DatetimeFault::NotOffered(format!("the time zone \"{word}\""))),
            Zone::Unknown => {}
        }
        if let Some(month) = month_of(word) {
            return self.month_name(month);
        }
        match word {
            "am" | "pm" => {
                self.moment.half = Some(if word == "am" { Half::Am } else { Half::Pm });
                Ok(HALF_DAY)
            }
            "ad" | "bc" => {
                self.moment.before_christ = word == "bc";
                Ok(ERA)
            }
            "t" => {
                let follows = self.fields.get(at + 1).map(|it| it.kind);
                let fits = matches!(follows, Some(FieldKind::Number | FieldKind::Time | FieldKind::Date));
                if !fits || (!self.time_only && self.given & DATE != DATE) {
                    return Err(DatetimeFault::Format);
                }
                self.prefix = Some(Prefix::Time);
                Ok(0)
            }
            "j" | "jd" | "julian" => {
                self.prefix = Some(Prefix::Julian);
                Ok(0)
            }
            "at" | "on" => Ok(0),
            "allballs" => {
                self.moment.zone = Some(0);
                Ok(CLOCK | ZONE)
            }
            "epoch" | "infinity" | "-infinity" if !self.time_only => {
                self.moment.special = Some(match word {
                    "epoch" => Special::Epoch,
                    "-infinity" => Special::MinusInfinity,
                    _ => Special::Infinity,
                });
                Ok(SPECIAL)
            }
            "now" | "today" | "tomorrow" | "yesterday" | "dst" | "y" | "m" | "d" | "h" | "mm" | "s" => {
                Err(DatetimeFault::NotOffered(format!("\"{word}\" in a date or time")))
            }
            word if is_weekday(word) => Ok(WEEKDAY),
            word => match timezone::full_name(word) {
                Zone::Unknown => Err(DatetimeFault::Format),
                _ => self.zone_name(word),
            },
        }
    }

    /// A number that was taken for the month before is the day.
    fn month_name(&mut self, month: i64) -> Decoded<PartMask> {
        let was_day = self.given & MONTH != 0
            && !self.moment.text_month
            && self.given & DAY == 0
            && (1..=31).contains(&self.moment.month);
        self.moment.text_month = true;
        let numeric = std::mem::replace(&mut self.moment.month, month);
        if was_day {
            self.moment.day = numeric;
            return Ok(DAY);
        }
        Ok(MONTH)
    }
}

fn cut_date(text: &str) -> Decoded<Vec<String>> {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let Some(first) = rest.chars().next() else { return Err(DatetimeFault::Format) };
        let alike = |c: char| if first.is_ascii_digit() { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let end = rest.find(|c| !alike(c)).unwrap_or(rest.len());
        parts.push(rest[..end].to_owned());
        // One separator goes with the part before it.
        rest = &rest[end..];
        rest = rest.get(1..).unwrap_or(rest);
    }
    Ok(parts)
}

impl BrokenDownTime {
    fn civil_year(&self) -> i64 {
        match self.year {
            year if self.before_christ => 1 - year,
            year @ 0..70 if self.two_digit_year => 2000 + year,
            year @ 70..100 if self.two_digit_year => 1900 + year,
            year => year,
        }
    }

    /// The parts that were given, even of a date that is not whole.
    fn check(&self, given: PartMask) -> Decoded<()> {
        let no_year = self.year == 0 && (self.before_christ || !self.two_digit_year);
        let counted = self.julian.is_some() || self.day_of_year > 0;
        let wrong = (given & YEAR != 0 && self.julian.is_none() && no_year)
            || (given & MONTH != 0 && !counted && !(1..=12).contains(&self.month))
            || (given & DAY != 0 && !counted && !(1..=31).contains(&self.day));
        if wrong {
            return Err(DatetimeFault::Range);
        }
        let whole = given & DATE == DATE && !counted;
        if whole && self.day > datetime::month_length(self.civil_year(), self.month) {
            return Err(DatetimeFault::Range);
        }
        Ok(())
    }

    /// Days since 1970-01-01.
    fn days(&self) -> i64 {
        let year = self.civil_year();
        match self.julian {
            Some(julian) => julian - datetime::JULIAN_EPOCH,
            None if self.day_of_year > 0 => days_from_civil(year, 1, 1) + self.day_of_year - 1,
            None => days_from_civil(year, self.month, self.day),
        }
    }

    /// Microseconds of the day, with AM and PM taken into account.
    fn clock(&self) -> Decoded<i64> {
        let hour = self.micros / HOUR_US;
        match self.half {
            Some(_) if hour > 12 => Err(DatetimeFault::Range),
            Some(Half::Am) if hour == 12 => Ok(self.micros - 12 * HOUR_US),
            Some(Half::Pm) if hour != 12 => Ok(self.micros + 12 * HOUR_US),
            _ => Ok(self.micros),
        }
    }
}

fn failure(fault: DatetimeFault, kind: &str, text: &str) -> Stop {
    match fault {
        DatetimeFault::Format => error("22007", format!("invalid input syntax for type {kind}: \"{text}\"")),
        DatetimeFault::Range => error("22008", format!("date/time field value out of range: \"{text}\"")),
        DatetimeFault::Zone => error("22009", format!("time zone displacement out of range: \"{text}\"")),
        DatetimeFault::UnknownZone(zone) => error("22023", format!("time zone \"{zone}\" not recognized")),
        DatetimeFault::NotOffered(what) => refused(what),
    }
}

enum Read {
    Special(Special),
    /// Days since 1970-01-01, microseconds of the day, the zone that was given.
    Moment(i64, i64, Option<i64>),
}

fn read(text: &str) -> Decoded<Read> {
    let fields = split(text).ok_or(DatetimeFault::Format)?;
    let decoder =
        Decoder { fields: &fields, moment: BrokenDownTime::default(), given: 0, prefix: None, time_only: false };
    let (moment, given) = decoder.decode()?;
    moment.check(given)?;
    let clock = moment.clock()?;
    if let Some(special) = moment.special {
        return Ok(Read::Special(special));
    }
    if given & DATE != DATE {
        return Err(DatetimeFault::Format);
    }
    Ok(Read::Moment(moment.days(), clock, moment.zone))
}

pub fn parse_date(text: &str) -> Result<i32> {
    match read(text).map_err(|fault| failure(fault, "date", text))? {
        Read::Special(Special::Epoch) => Ok(0),
        Read::Special(Special::Infinity) => Ok(i32::MAX),
        Read::Special(Special::MinusInfinity) => Ok(i32::MIN),
        Read::Moment(days, ..) => {
            datetime::checked_date(days).ok_or_else(|| error("22008", format!("date out of range: \"{text}\"")))
        }
    }
}

fn instant(text: &str, kind: &str, with_zone: bool) -> Result<i64> {
    match read(text).map_err(|fault| failure(fault, kind, text))? {
        Read::Special(Special::Epoch) => Ok(0),
        Read::Special(Special::Infinity) => Ok(i64::MAX),
        Read::Special(Special::MinusInfinity) => Ok(i64::MIN),
        Read::Moment(days, micros, zone) => {
            let zone = if with_zone { zone.unwrap_or(0) } else { 0 };
            let at = i128::from(days) * i128::from(DAY_US) + i128::from(micros) - i128::from(zone);
            datetime::checked_timestamp(at)?
                .ok_or_else(|| error("22008", format!("timestamp out of range: \"{text}\"")))
        }
    }
}

pub fn parse_timestamp(text: &str) -> Result<i64> {
    instant(text, "timestamp", false)
}

pub fn parse_timestamptz(text: &str) -> Result<i64> {
    instant(text, "timestamp with time zone", true)
}

pub fn parse_time(text: &str) -> Result<i64> {
    let decoded = || -> Decoded<i64> {
        let fields = split(text).ok_or(DatetimeFault::Format)?;
        let decoder =
            Decoder { fields: &fields, moment: BrokenDownTime::default(), given: 0, prefix: None, time_only: true };
        let (moment, given) = decoder.decode()?;
        moment.check(given)?;
        let micros = moment.clock()?;
        if micros > DAY_US {
            return Err(DatetimeFault::Range);
        }
        if given & CLOCK == 0 { Err(DatetimeFault::Format) } else { Ok(micros) }
    };
    decoded().map_err(|fault| failure(fault, "time", text))
}
