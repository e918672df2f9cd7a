//! All that a run depends on, as data and as one line of text that can be pasted into a command, a link or a test.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::scenario::{Change, TimedChange};
use crate::trace::Micros;

/// Everything a run depends on. Equal requests give equal traces, byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    pub scenario: String,
    pub variant: String,
    /// `my-machine` or `production`.
    pub environment: String,
    pub seed: u32,
    /// When the run ends, if not after the environment's own length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub until_us: Option<Micros>,
    /// Only those that differ from the environment's defaults.
    #[serde(default)]
    pub knobs: BTreeMap<String, f64>,
    /// Edited files by name (`naive.py`, `schema.sql`); the others are the scenario's own.
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
    #[serde(default)]
    pub changes: Vec<TimedChange>,
}

const VERSION: &str = "v1";

impl RunRequest {
    /// `v1 oversell naive production seed=7 knob:clients=80 @12500000:variant=row_lock`: words separated by single spaces.
    pub fn schedule(&self) -> String {
        let mut text = format!(
            "{VERSION} {} {} {} seed={}",
            escaped(&self.scenario),
            escaped(&self.variant),
            escaped(&self.environment),
            self.seed
        );
        if let Some(until_us) = self.until_us {
            let _ = write!(text, " until={until_us}");
        }
        for (knob, value) in &self.knobs {
            let _ = write!(text, " knob:{}={value}", escaped(knob));
        }
        for (file, source) in &self.sources {
            let _ = write!(text, " source:{}={}", escaped(file), escaped(source));
        }
        for TimedChange { at_us, change } in &self.changes {
            let _ = write!(text, " @{at_us}:");
            let _ = match change {
                Change::Variant { variant } => write!(text, "variant={}", escaped(variant)),
                Change::Knob { knob, value } => write!(text, "knob:{}={value}", escaped(knob)),
                Change::Fault { fault, on } => {
                    write!(text, "fault:{}={}", escaped(fault), if *on { "on" } else { "off" })
                }
                Change::Source { file, text: source } => write!(text, "source:{}={}", escaped(file), escaped(source)),
            };
        }
        text
    }

    pub fn from_schedule(text: &str) -> Result<RunRequest, ScheduleError> {
        let mut words = text.split_whitespace();
        let version = words.next().unwrap_or_default();
        if version != VERSION {
            return Err(ScheduleError(format!("a schedule begins with {VERSION}, not {version:?}")));
        }
        let mut named = |what: &str| {
            let word = words.next().ok_or_else(|| ScheduleError(format!("the schedule ends before its {what}")))?;
            unescaped(word)
        };
        let mut request = RunRequest {
            scenario: named("scenario")?,
            variant: named("variant")?,
            environment: named("environment")?,
            seed: 0,
            until_us: None,
            knobs: BTreeMap::new(),
            sources: BTreeMap::new(),
            changes: vec![],
        };
        for word in words {
            request.take(word)?;
        }
        Ok(request)
    }

    fn take(&mut self, word: &str) -> Result<(), ScheduleError> {
        if let Some(timed) = word.strip_prefix('@') {
            let (at, change) = split(timed, ':')?;
            let at_us = at.parse().map_err(|_| ScheduleError(format!("{at:?} is not a number of microseconds")))?;
            self.changes.push(TimedChange { at_us, change: change_of(change)? });
            return Ok(());
        }
        let (name, value) = split(word, '=')?;
        match name.split_once(':') {
            Some(("knob", knob)) => {
                self.knobs.insert(unescaped(knob)?, number(value)?);
            }
            Some(("source", file)) => {
                self.sources.insert(unescaped(file)?, unescaped(value)?);
            }
            None if name == "seed" => {
                self.seed = value.parse().map_err(|_| ScheduleError(format!("seed {value:?} is not below 2^32")))?;
            }
            None if name == "until" => {
                let until_us = value.parse().map_err(|_| ScheduleError(format!("{value:?} is not microseconds")))?;
                self.until_us = Some(until_us);
            }
            _ => {
                let words = "seed=NUMBER, until=MICROSECONDS, knob:NAME=NUMBER, source:FILE=TEXT, @MICROSECONDS:CHANGE";
                return Err(ScheduleError(format!("{word:?} is not a word of a schedule: {words}")));
            }
        }
        Ok(())
    }
}

/// What is wrong with a schedule's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError(pub String);

impl std::fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScheduleError {}

fn change_of(text: &str) -> Result<Change, ScheduleError> {
    let (name, value) = split(text, '=')?;
    if name == "variant" {
        return Ok(Change::Variant { variant: unescaped(value)? });
    }
    match split(name, ':')? {
        ("knob", knob) => Ok(Change::Knob { knob: unescaped(knob)?, value: number(value)? }),
        ("fault", fault) if value == "on" || value == "off" => {
            Ok(Change::Fault { fault: unescaped(fault)?, on: value == "on" })
        }
        ("source", file) => Ok(Change::Source { file: unescaped(file)?, text: unescaped(value)? }),
        _ => Err(ScheduleError(format!(
            "{text:?} is not a change: variant=NAME, knob:NAME=NUMBER, fault:NAME=on or off, source:FILE=TEXT"
        ))),
    }
}

fn split(text: &str, at: char) -> Result<(&str, &str), ScheduleError> {
    text.split_once(at).ok_or_else(|| ScheduleError(format!("{text:?} has no {at:?}")))
}

fn number(text: &str) -> Result<f64, ScheduleError> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| ScheduleError(format!("{text:?} is not a number")))
}

/// Percent-encoded, so that a word holds no space, `=`, `:` or `@`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn unescaped(text: &str) -> Result<String, ScheduleError> {
    let wrong = || ScheduleError(format!("{text:?} is not percent-encoded text"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(wrong);
        bytes.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}
