//! Time zones of fixed offset: abbreviations, POSIX's form, numbers. Zones that change twice a year are not offered.

use crate::sql::types::datetime::{HOUR_US, MINUTE_US, SECOND_US};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Microseconds ahead of UTC.
    Fixed(i64),
    /// PostgreSQL knows it, this engine does not.
    NotOffered,
    Unknown,
}

/// Minutes ahead of UTC.
const ABBREVIATIONS: &[(&str, i64)] = &[
    ("utc", 0),
    ("uct", 0),
    ("ut", 0),
    ("gmt", 0),
    ("z", 0),
    ("zulu", 0),
    ("wet", 0),
    ("bst", 60),
    ("cet", 60),
    ("met", 60),
    ("mez", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("sast", 120),
    ("eest", 180),
    ("eat", 180),
    ("idt", 180),
    ("jst", 540),
    ("hkt", 480),
    ("awst", 480),
    ("acst", 570),
    ("acdt", 630),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("ast", -240),
    ("adt", -180),
    ("nst", -210),
    ("ndt", -150),
    ("pkt", 300),
    ("kst", 540),
];

const OTHER_ABBREVIATIONS: &str = " acsst act acwst aesst aft almst almt amst amt anast anat arst art awsst azost azot azst \
    azt bdst bdt bnt bort bot bra brst brt btt cadt cast cct cetdst chadt chast chut ckt clst clt cot cxt davt ddut easst east \
    eetdst egst egt fet fjst fjt fkst fkt fnst fnt galt gamt gest get gft gilt gyt ict iot irkst irkt irt ist jayt kdt kgst \
    kgt kost krast krat lhdt lhst ligt lint lkt magst magt mart mawt metdst mht mmt mpt msd msk must mut mvt myt nft novst \
    novt npt nut nzt omsst omst pet petst pett pgt pht pkst pmdt pmst pont pwt pyst pyt ret sadt sct sgt taht tft tjt tkt tmt \
    tot trut tvt ulast ulat uyst uyt uzst uzt vet vlast vlat volt vut wadt wakt wast wat wdt wetdst wft wgst wgt xjt yakst \
    yakt yapt yekst yekt ";

const OTHER_NAMES: &str = " est5edt cst6cdt mst7mdt pst8pdt cuba hongkong gb gb-eire nz nz-chat prc roc rok w-su turkey iran \
    eire egypt navajo israel japan jamaica portugal kwajalein libya iceland poland singapore factory ";

const UTC_NAMES: &str =
    " universal greenwich gmt0 gmt+0 gmt-0 etc/utc etc/gmt etc/uct etc/universal etc/zulu etc/greenwich ";

const REGIONS: &[&str] = &[
    "africa/",
    "america/",
    "antarctica/",
    "arctic/",
    "asia/",
    "atlantic/",
    "australia/",
    "brazil/",
    "canada/",
    "chile/",
    "etc/",
    "europe/",
    "indian/",
    "mexico/",
    "pacific/",
    "us/",
    "posix/",
];

fn is_listed(list: &str, name: &str) -> bool {
    !name.is_empty() && list.contains(&format!(" {name} "))
}

/// An abbreviation such as `est`, in lower case.
pub fn abbreviation(word: &str) -> Zone {
    match ABBREVIATIONS.iter().find(|(name, _)| *name == word) {
        Some((_, minutes)) => Zone::Fixed(minutes * MINUTE_US),
        None if is_listed(OTHER_ABBREVIATIONS, word) => Zone::NotOffered,
        None => Zone::Unknown,
    }
}

/// The zone of a name, as AT TIME ZONE and SET take it. A sign is that of POSIX there: `+02` lies west of Greenwich.
pub fn named(name: &str) -> Zone {
    let name = name.to_ascii_lowercase();
    match abbreviation(&name) {
        Zone::Unknown => full_name(&name),
        known => known,
    }
}

/// The zone of a name that is no abbreviation, in lower case.
pub fn full_name(name: &str) -> Zone {
    if is_listed(UTC_NAMES, name) {
        return Zone::Fixed(0);
    }
    if is_listed(OTHER_NAMES, name) || REGIONS.iter().any(|region| name.starts_with(region)) {
        return Zone::NotOffered;
    }
    posix(name)
}

/// `utc+3`, `<+03>-3`, `-05:30`: hours west of Greenwich behind a name that may be empty.
fn posix(name: &str) -> Zone {
    let rest = match name.strip_prefix('<') {
        Some(quoted) => match quoted.split_once('>') {
            Some((_, rest)) => rest,
            None => return Zone::Unknown,
        },
        None => name.trim_start_matches(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '-' | '+')),
    };
    let (sign, digits) = match rest.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (-1, rest.strip_prefix('+').unwrap_or(rest)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(digits.len());
    let (clock, daylight) = digits.split_at(end);
    match clock_offset(clock, 167) {
        Some(offset) if daylight.is_empty() => Zone::Fixed(sign * offset),
        Some(_) if daylight.starts_with(|c: char| c.is_ascii_alphabetic()) => Zone::NotOffered,
        _ => Zone::Unknown,
    }
}

fn clock_offset(clock: &str, hours_most: i64) -> Option<i64> {
    let mut parts = clock.split(':');
    let mut next = |most: i64, missing: Option<i64>| match parts.next() {
        None => missing,
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok().filter(|value| *value <= most),
        Some(_) => None,
    };
    let offset = next(hours_most, None)? * HOUR_US + next(59, Some(0))? * MINUTE_US + next(59, Some(0))? * SECOND_US;
    parts.next().is_none().then_some(offset)
}

pub enum OffsetFault {
    Format,
    Range,
}

/// `+02`, `-05:30`, `+0530` behind a time: ahead of UTC.
pub fn numeric(text: &str) -> Result<i64, OffsetFault> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = &text[1..];
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(digits.len());
    let (clock, rest) = digits.split_at(end);
    let run_together = !clock.contains(':') && clock.len() > 2 && rest.is_empty();
    let clock = if run_together {
        let (hours, minutes) = clock.split_at(clock.len() - 2);
        format!("{hours}:{minutes}")
    } else {
        clock.to_owned()
    };
    if clock.split(':').count() > 3 || clock.split(':').any(str::is_empty) {
        return Err(OffsetFault::Format);
    }
    let offset = clock_offset(&clock, 15).ok_or(OffsetFault::Range)?;
    if rest.is_empty() { Ok(sign * offset) } else { Err(OffsetFault::Format) }
}
