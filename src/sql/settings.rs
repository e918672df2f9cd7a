//! A session's settings: what SET, SHOW and RESET know.

use std::collections::BTreeMap;

use crate::sql::error::{Result, fail, refuse};
use crate::trace::{Isolation, Micros};

#[derive(Debug, Clone, PartialEq)]
pub struct SessionSettings {
    pub isolation: Isolation,
    pub read_only: bool,
    pub lock_timeout_us: Micros,
    pub statement_timeout_us: Micros,
    pub idle_timeout_us: Micros,
    /// Settings that are kept and shown but change nothing here.
    others: BTreeMap<String, String>,
}

impl Default for SessionSettings {
    fn default() -> SessionSettings {
        SessionSettings {
            isolation: Isolation::ReadCommitted,
            read_only: false,
            lock_timeout_us: 0,
            statement_timeout_us: 0,
            idle_timeout_us: 0,
            others: BTreeMap::new(),
        }
    }
}

/// Settings without effect here, with their defaults.
const INERT: &[(&str, &str)] = &[
    ("application_name", ""),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("deadlock_timeout", "1s"),
    ("enable_bitmapscan", "on"),
    ("enable_hashjoin", "on"),
    ("enable_indexscan", "on"),
    ("enable_mergejoin", "on"),
    ("enable_nestloop", "on"),
    ("enable_seqscan", "on"),
    ("extra_float_digits", "1"),
    ("row_security", "on"),
    ("search_path", "\"$user\", public"),
    ("server_version", "15.0"),
    ("synchronous_commit", "on"),
    ("work_mem", "4MB"),
];

impl SessionSettings {
    /// `None` goes back to the default.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let defaults = SessionSettings::default();
        match name {
            "default_transaction_isolation" => {
                self.isolation = match value.map(str::to_ascii_lowercase).as_deref() {
                    None => defaults.isolation,
                    Some("serializable") => Isolation::Serializable,
                    Some("repeatable read") => Isolation::RepeatableRead,
                    Some("read committed" | "read uncommitted") => Isolation::ReadCommitted,
                    Some(other) => return invalid(name, other),
                };
            }
            "default_transaction_read_only" => {
                self.read_only = match value.map(str::to_ascii_lowercase).as_deref() {
                    None | Some("off" | "false" | "0" | "no") => false,
                    Some("on" | "true" | "1" | "yes") => true,
                    Some(_) => return fail("22023", format!("parameter \"{name}\" requires a Boolean value")),
                };
            }
            "lock_timeout" => self.lock_timeout_us = duration(name, value)?,
            "statement_timeout" => self.statement_timeout_us = duration(name, value)?,
            "idle_in_transaction_session_timeout" => self.idle_timeout_us = duration(name, value)?,
            "timezone" => match value {
                None => {}
                Some(zone)
                    if crate::sql::types::timezone::named(zone) == crate::sql::types::timezone::Zone::Fixed(0) => {}
                Some(zone) => return refuse(format!("the session time zone \"{zone}\" (only UTC)")),
            },
            "datestyle" => match value.map(str::to_ascii_lowercase).as_deref() {
                None | Some("iso" | "iso, mdy") => {}
                Some(_) => return refuse("a DateStyle other than ISO, MDY"),
            },
            "transaction_isolation" => {
                return refuse("SET transaction_isolation (write SET TRANSACTION ISOLATION LEVEL …)");
            }
            "server_version" => return fail("55P02", "parameter \"server_version\" cannot be changed"),
            name if INERT.iter().any(|(known, _)| *known == name) || name.contains('.') => match value {
                Some(value) => {
                    self.others.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    self.others.remove(name);
                }
            },
            _ => return fail("42704", format!("unrecognized configuration parameter \"{name}\"")),
        }
        Ok(())
    }

    pub fn searches_public(&self) -> bool {
        self.others.get("search_path").is_none_or(|path| crate::sql::catalog::search_path::has_public(path))
    }

    pub fn show(&self, name: &str) -> Result<String> {
        Ok(match name {
            "default_transaction_isolation" => level_name(self.isolation).to_owned(),
            "default_transaction_read_only" => if self.read_only { "on" } else { "off" }.to_owned(),
            "lock_timeout" => shown_duration(self.lock_timeout_us),
            "statement_timeout" => shown_duration(self.statement_timeout_us),
            "idle_in_transaction_session_timeout" => shown_duration(self.idle_timeout_us),
            "timezone" => "UTC".to_owned(),
            "datestyle" => "ISO, MDY".to_owned(),
            "intervalstyle" => "postgres".to_owned(),
            "server_encoding" => "UTF8".to_owned(),
            "standard_conforming_strings" | "integer_datetimes" => "on".to_owned(),
            name => match (self.others.get(name), INERT.iter().find(|(known, _)| *known == name)) {
                (Some(value), _) => value.clone(),
                (None, Some((_, default))) => (*default).to_owned(),
                (None, None) => return fail("42704", format!("unrecognized configuration parameter \"{name}\"")),
            },
        })
    }
}

pub fn level_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    }
}

fn invalid<T>(name: &str, value: &str) -> Result<T> {
    fail("22023", format!("invalid value for parameter \"{name}\": \"{value}\""))
}

/// Milliseconds unless a unit is named.
fn duration(name: &str, value: Option<&str>) -> Result<Micros> {
    let Some(value) = value else { return Ok(0) };
    let value = value.trim();
    let digits = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let Ok(amount) = value[..digits].parse::<f64>() else { return invalid(name, value) };
    let unit = match value[digits..].trim() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return invalid(name, value),
    };
    let millis = (amount * unit).round();
    if millis > f64::from(i32::MAX) {
        return fail(
            "22023",
            format!("{millis} ms is outside the valid range for parameter \"{name}\" (0 .. 2147483647)"),
        );
    }
    Ok(millis as Micros * 1000)
}

fn shown_duration(micros: Micros) -> String {
    let millis = micros / 1000;
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)] {
        if millis > 0 && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    if millis == 0 { "0".to_owned() } else { format!("{millis}ms") }
}
