//! Settings without effect here: of the planner, of memory, of vacuum, and what only a client goes by. They are kept and shown as
//! PostgreSQL does.

use Digits::{Real, Whole};
use SettingKind::{Choice, Number, Switch, Text};
use SettingUnit::{Blocks, Kilobytes, Milliseconds, Plain};

use crate::sql::error::{Result, fail, refuse};

use super::invalid;

/// What a setting takes.
enum SettingKind {
    Text,
    Switch,
    /// One of these words.
    Choice(&'static str),
    /// From and to, in its own unit.
    Number(SettingUnit, Digits, f64, f64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SettingUnit {
    Plain,
    Milliseconds,
    Kilobytes,
    /// Of 8 kB.
    Blocks,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    Whole,
    Real,
}

/// Names, defaults, and what each takes.
const SETTINGS: &[(&str, &str, SettingKind)] = &[
    ("application_name", "", Text),
    ("check_function_bodies", "on", Switch),
    ("client_encoding", "UTF8", Text),
    ("client_min_messages", "notice", Choice("debug5 debug4 debug3 debug2 debug1 log notice warning error")),
    ("constraint_exclusion", "partition", Choice("partition on off")),
    ("cpu_index_tuple_cost", "0.005", Number(Plain, Real, 0.0, f64::MAX)),
    ("cpu_operator_cost", "0.0025", Number(Plain, Real, 0.0, f64::MAX)),
    ("cpu_tuple_cost", "0.01", Number(Plain, Real, 0.0, f64::MAX)),
    ("cursor_tuple_fraction", "0.1", Number(Plain, Real, 0.0, 1.0)),
    ("deadlock_timeout", "1s", Number(Milliseconds, Whole, 1.0, 2147483647.0)),
    ("default_statistics_target", "100", Number(Plain, Whole, 1.0, 10000.0)),
    ("effective_cache_size", "4GB", Number(Blocks, Whole, 1.0, 2147483647.0)),
    ("enable_async_append", "on", Switch),
    ("enable_bitmapscan", "on", Switch),
    ("enable_gathermerge", "on", Switch),
    ("enable_hashagg", "on", Switch),
    ("enable_hashjoin", "on", Switch),
    ("enable_incremental_sort", "on", Switch),
    ("enable_indexonlyscan", "on", Switch),
    ("enable_indexscan", "on", Switch),
    ("enable_material", "on", Switch),
    ("enable_memoize", "on", Switch),
    ("enable_mergejoin", "on", Switch),
    ("enable_nestloop", "on", Switch),
    ("enable_parallel_append", "on", Switch),
    ("enable_parallel_hash", "on", Switch),
    ("enable_partition_pruning", "on", Switch),
    ("enable_partitionwise_aggregate", "off", Switch),
    ("enable_partitionwise_join", "off", Switch),
    ("enable_seqscan", "on", Switch),
    ("enable_sort", "on", Switch),
    ("enable_tidscan", "on", Switch),
    ("escape_string_warning", "on", Switch),
    ("extra_float_digits", "1", Number(Plain, Whole, -15.0, 3.0)),
    ("force_parallel_mode", "off", Choice("off on regress")),
    ("from_collapse_limit", "8", Number(Plain, Whole, 1.0, 2147483647.0)),
    ("geqo", "on", Switch),
    ("geqo_threshold", "12", Number(Plain, Whole, 2.0, 2147483647.0)),
    ("hash_mem_multiplier", "2", Number(Plain, Real, 1.0, 1000.0)),
    ("jit", "on", Switch),
    ("jit_above_cost", "100000", Number(Plain, Real, -1.0, f64::MAX)),
    ("jit_inline_above_cost", "500000", Number(Plain, Real, -1.0, f64::MAX)),
    ("jit_optimize_above_cost", "500000", Number(Plain, Real, -1.0, f64::MAX)),
    ("join_collapse_limit", "8", Number(Plain, Whole, 1.0, 2147483647.0)),
    ("maintenance_work_mem", "64MB", Number(Kilobytes, Whole, 1024.0, 2147483647.0)),
    ("max_parallel_workers", "8", Number(Plain, Whole, 0.0, 1024.0)),
    ("max_parallel_workers_per_gather", "2", Number(Plain, Whole, 0.0, 1024.0)),
    ("min_parallel_index_scan_size", "512kB", Number(Blocks, Whole, 0.0, 715827882.0)),
    ("min_parallel_table_scan_size", "8MB", Number(Blocks, Whole, 0.0, 715827882.0)),
    ("parallel_leader_participation", "on", Switch),
    ("parallel_setup_cost", "1000", Number(Plain, Real, 0.0, f64::MAX)),
    ("parallel_tuple_cost", "0.1", Number(Plain, Real, 0.0, f64::MAX)),
    ("plan_cache_mode", "auto", Choice("auto force_generic_plan force_custom_plan")),
    ("random_page_cost", "4", Number(Plain, Real, 0.0, f64::MAX)),
    ("row_security", "on", Switch),
    ("search_path", "\"$user\", public", Text),
    ("seq_page_cost", "1", Number(Plain, Real, 0.0, f64::MAX)),
    ("server_version", "15.0", Text),
    ("synchronous_commit", "on", Choice("local remote_write remote_apply on off")),
    ("temp_buffers", "8MB", Number(Blocks, Whole, 100.0, 1073741823.0)),
    ("vacuum_cost_delay", "0", Number(Milliseconds, Real, 0.0, 100.0)),
    ("vacuum_cost_limit", "200", Number(Plain, Whole, 1.0, 10000.0)),
    ("vacuum_cost_page_dirty", "20", Number(Plain, Whole, 0.0, 10000.0)),
    ("vacuum_cost_page_hit", "1", Number(Plain, Whole, 0.0, 10000.0)),
    ("vacuum_cost_page_miss", "2", Number(Plain, Whole, 0.0, 10000.0)),
    ("work_mem", "4MB", Number(Kilobytes, Whole, 64.0, 2147483647.0)),
];

pub fn default_of(name: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(known, ..)| *known == name).map(|(_, default, _)| *default)
}

/// A value as SHOW gives it.
pub fn as_shown(name: &str, value: &str) -> Result<String> {
    match name {
        "search_path" if value.split(',').any(|it| it.trim().trim_matches('"') == "pg_temp") => {
            return refuse("pg_temp in search_path");
        }
        "extra_float_digits" if value.trim().parse().is_ok_and(|digits: i32| (-15..1).contains(&digits)) => {
            return refuse("extra_float_digits under 1");
        }
        _ => {}
    }
    match SETTINGS.iter().find(|(known, ..)| *known == name) {
        Some((_, _, Switch)) => match switch(value) {
            Some(on) => Ok(if on { "on" } else { "off" }.to_owned()),
            None => fail("22023", format!("parameter \"{name}\" requires a Boolean value")),
        },
        Some((_, _, Choice(words))) => match words.split(' ').find(|word| word.eq_ignore_ascii_case(value)) {
            Some(word) => Ok(word.to_owned()),
            // Where a choice has on and off, other words for them do as well.
            None => match switch(value).map(|on| if on { "on" } else { "off" }) {
                Some(word) if words.split(' ').any(|it| it == word) => Ok(word.to_owned()),
                _ => invalid(name, value),
            },
        },
        Some((_, _, Number(unit, digits, least, most))) => number(name, value, *unit, *digits, (*least, *most)),
        Some((_, _, Text)) | None => Ok(value.to_owned()),
    }
}

/// A truth value, or as much of its beginning as tells it.
fn switch(value: &str) -> Option<bool> {
    let value = value.trim().to_ascii_lowercase();
    let begins = |word: &str, least: usize| value.len() >= least && word.starts_with(&value);
    match value.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if begins("true", 1) || begins("yes", 1) || begins("on", 2) => Some(true),
        _ if begins("false", 1) || begins("no", 1) || begins("off", 2) => Some(false),
        _ => None,
    }
}

fn number(name: &str, value: &str, unit: SettingUnit, digits: Digits, (least, most): (f64, f64)) -> Result<String> {
    let written = value.trim();
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let mut end = written.find(|c| !is_part(c)).unwrap_or(written.len());
    if written[end..].starts_with(['e', 'E']) {
        end += 1 + written[end + 1..].find(|c| !is_part(c)).unwrap_or(written.len() - end - 1);
    }
    let (Ok(amount), Some(size)) = (written[..end].parse::<f64>(), size_of(written[end..].trim(), unit)) else {
        return invalid(name, value);
    };
    let amount = amount * size;
    let amount = if digits == Whole { amount.round_ties_even() } else { amount };
    if !(least..=most).contains(&amount) {
        let shown = match unit {
            Milliseconds => format!("{amount} ms"),
            Kilobytes => format!("{amount} kB"),
            Blocks => format!("{amount} 8kB"),
            Plain => format!("{amount}"),
        };
        return fail(
            "22023",
            format!("{shown} is outside the valid range for parameter \"{name}\" ({least} .. {most})"),
        );
    }
    Ok(match unit {
        Plain => amount.to_string(),
        Milliseconds => in_largest(amount * 1000.0, &TIMES),
        Kilobytes => in_largest(amount, &SIZES),
        Blocks => in_largest(amount * 8.0, &SIZES),
    })
}

/// In microseconds.
const TIMES: [(&str, f64); 6] = [
    ("d", 86_400_000_000.0),
    ("h", 3_600_000_000.0),
    ("min", 60_000_000.0),
    ("s", 1_000_000.0),
    ("ms", 1000.0),
    ("us", 1.0),
];

/// In kilobytes.
const SIZES: [(&str, f64); 4] = [("TB", 1_073_741_824.0), ("GB", 1_048_576.0), ("MB", 1024.0), ("kB", 1.0)];

/// How much of the setting's own unit a written one is.
fn size_of(written: &str, unit: SettingUnit) -> Option<f64> {
    let among = |units: &[(&str, f64)]| units.iter().find(|(known, _)| *known == written).map(|(_, size)| *size);
    let bytes = || if written == "B" { Some(1.0 / 1024.0) } else { among(&SIZES) };
    match unit {
        _ if written.is_empty() => Some(1.0),
        Plain => None,
        Milliseconds => among(&TIMES).map(|micros| micros / 1000.0),
        Kilobytes => bytes(),
        Blocks => bytes().map(|kilobytes| kilobytes / 8.0),
    }
}

/// In the largest unit of which it is a whole number.
fn in_largest(amount: f64, units: &[(&str, f64)]) -> String {
    let is_whole = |(_, size): &&(&str, f64)| (amount / size).fract() == 0.0;
    match units.iter().find(is_whole) {
        Some(_) if amount == 0.0 => "0".to_owned(),
        Some((unit, size)) => format!("{}{unit}", amount / size),
        None => amount.to_string(),
    }
}
