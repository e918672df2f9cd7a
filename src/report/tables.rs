//! The tables at a moment, as far as the run has touched them: what each row holds and held, who has locked it, who waits for it.
//! Rows nobody wrote or locked are in no event and hence not here.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::index::{Fate, LockRecord, TraceIndex, VersionRecord};
use super::{RowLock, RowNow, RowVersion, TableNow};
use crate::trace::{LockStrength, Micros, RowRef, Symbol, Trace, Value};

/// Of one table: locked and unfinished rows first, then those written last.
const ROWS_SHOWN: usize = 60;

/// Of one row, the newest of those that are committed.
const VERSIONS_SHOWN: usize = 6;

pub fn tables(index: &TraceIndex, trace: &Trace, at: Micros) -> Vec<TableNow> {
    let mut rows: BTreeMap<RowRef, Touched> = BTreeMap::new();
    for version in index.versions_at(at) {
        rows.entry(version.row).or_default().versions.push(version);
    }
    for lock in index.locks_at(at) {
        rows.entry(lock.row).or_default().locks.push(lock);
    }
    // Who waits for a row that nobody has touched waits for what a transaction did that is just over.
    for wait in index.waits_at(at) {
        if let Some((row, _)) = wait.row {
            rows.entry(row).or_default().waiting.push((wait.number, wait.doer.request.0));
        }
    }
    let mut tables: BTreeMap<Symbol, Vec<(RowRef, Touched)>> = BTreeMap::new();
    for (row, mut touched) in rows {
        touched.settle(at);
        tables.entry(row.table).or_default().push((row, touched));
    }
    let tables = tables.into_iter().map(|(table, rows)| table_now(index, trace, table, rows, at));
    let mut tables = tables.collect::<Vec<_>>();
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    tables
}

#[derive(Default)]
struct Touched<'a> {
    /// Newest first.
    versions: Vec<&'a VersionRecord>,
    locks: Vec<&'a LockRecord>,
    /// In the order in which they began to wait.
    waiting: Vec<(u32, u32)>,
}

impl Touched<'_> {
    fn settle(&mut self, at: Micros) {
        self.versions.sort_by_key(|version| Reverse(version.number));
        let mut committed = 0;
        self.versions.retain(|version| {
            committed += usize::from(committed_at(version, at).is_some());
            committed <= VERSIONS_SHOWN
        });
        self.locks.sort_by_key(|lock| lock.number);
        self.waiting.sort_unstable();
    }

    /// A transaction that has not ended has its hands on it, or somebody wants it.
    fn is_held(&self, at: Micros) -> bool {
        !self.locks.is_empty()
            || !self.waiting.is_empty()
            || self.versions.first().is_some_and(|version| committed_at(version, at).is_none())
    }
}

fn committed_at(version: &VersionRecord, at: Micros) -> Option<Micros> {
    match version.fate {
        Fate::Committed(committed) if committed <= at => Some(committed),
        _ => None,
    }
}

fn table_now(
    index: &TraceIndex,
    trace: &Trace,
    table: Symbol,
    mut rows: Vec<(RowRef, Touched)>,
    at: Micros,
) -> TableNow {
    rows.sort_by_key(|(_, touched)| {
        (!touched.is_held(at), Reverse(touched.versions.first().map(|version| version.at)))
    });
    let rows_left_out = rows.len().saturating_sub(ROWS_SHOWN) as u32;
    let rows = rows.into_iter().take(ROWS_SHOWN);
    TableNow {
        name: trace.strings.text(table).to_owned(),
        columns: index.columns(table).iter().map(|column| trace.strings.text(*column).to_owned()).collect(),
        rows: rows.map(|(row, touched)| row_now(trace.strings.text(row.key), &touched, at)).collect(),
        rows_left_out,
    }
}

fn row_now(key: &str, touched: &Touched, at: Micros) -> RowNow {
    let text = |value: &Value| if *value == Value::Null { None } else { Some(value.to_text()) };
    let versions = touched.versions.iter().map(|version| RowVersion {
        at_us: version.at,
        committed_us: committed_at(version, at),
        request: version.request.map(|request| request.0),
        values: version.values.as_ref().map(|values| values.iter().map(text).collect()),
    });
    let locks = touched.locks.iter().map(|lock| RowLock {
        request: lock.doer.map(|doer| doer.request.0),
        strength: strength(lock.strength).to_owned(),
    });
    let waiting = touched.waiting.iter().map(|(_, request)| *request);
    RowNow { key: key.to_owned(), versions: versions.collect(), locks: locks.collect(), waiting: waiting.collect() }
}

/// As SQL writes it.
fn strength(strength: LockStrength) -> &'static str {
    match strength {
        LockStrength::KeyShare => "FOR KEY SHARE",
        LockStrength::Share => "FOR SHARE",
        LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
        LockStrength::Update => "FOR UPDATE",
    }
}
