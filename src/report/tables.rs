//! The tables at a moment, as far as the run has touched them: what each row holds and held, who has locked it, who waits for it.
//! Folded from the trace, so any moment can be asked for; rows nobody wrote or locked are in no event and hence not here.

use std::collections::BTreeMap;

use super::{RowLock, RowNow, RowVersion, TableNow};
use crate::trace::{CallId, EventKind, LockStrength, Micros, RequestId, RowRef, SessionId, Symbol, Trace, Value, Xid};

/// Of one table: locked and unfinished rows first, then those written last.
const ROWS_SHOWN: usize = 60;

/// Of one row, the newest.
const VERSIONS_SHOWN: usize = 6;

pub fn tables(trace: &Trace, at: Micros) -> Vec<TableNow> {
    let mut rows: BTreeMap<RowRef, Touched> = BTreeMap::new();
    let mut of_transaction: BTreeMap<Xid, Vec<Effect>> = BTreeMap::new();
    let mut waiting: BTreeMap<SessionId, (CallId, Symbol, Option<RequestId>)> = BTreeMap::new();
    for event in trace.events().take_while(|event| event.at <= at) {
        match &event.kind {
            EventKind::VersionWritten { row, values, .. } => {
                let touched = rows.entry(*row).or_default();
                touched.at = event.at;
                // A service's ledger is written without a transaction: it counts at once.
                let committed = if event.xid.is_none() { Some(event.at) } else { None };
                touched.versions.push(Written {
                    xid: event.xid,
                    request: event.request,
                    at: event.at,
                    committed,
                    values: values.clone(),
                });
                if let Some(xid) = event.xid {
                    of_transaction.entry(xid).or_default().push(Effect::Written(*row));
                }
            }
            EventKind::RowLocked { row, strength } => {
                let Some(xid) = event.xid else { continue };
                let touched = rows.entry(*row).or_default();
                let before = touched.locks.iter().position(|lock| lock.xid == xid);
                let before = before.map(|place| touched.locks.remove(place));
                touched.locks.push(Held { xid, request: event.request, strength: *strength });
                of_transaction.entry(xid).or_default().push(Effect::Locked(*row, before));
            }
            EventKind::TakenBack { kept } => {
                let Some(xid) = event.xid else { continue };
                let effects = of_transaction.entry(xid).or_default();
                for effect in effects.drain((*kept as usize).min(effects.len())..).rev() {
                    let row = effect.row();
                    let Some(touched) = rows.get_mut(&row) else { continue };
                    touched.take_back(xid, effect);
                    if touched.is_empty() {
                        rows.remove(&row);
                    }
                }
            }
            EventKind::Committed | EventKind::RolledBack { .. } => {
                let Some(xid) = event.xid else { continue };
                let committed = event.kind == EventKind::Committed;
                for effect in of_transaction.remove(&xid).unwrap_or_default() {
                    let row = effect.row();
                    let Some(touched) = rows.get_mut(&row) else { continue };
                    touched.end(xid, committed.then_some(event.at));
                    if touched.is_empty() {
                        rows.remove(&row);
                    }
                }
            }
            EventKind::LockWaitBegan { call, on, .. } => {
                if let Some(session) = event.session {
                    waiting.insert(session, (*call, *on, event.request));
                }
            }
            EventKind::LockGranted { call, .. } | EventKind::StatementFinished { call, .. } => {
                if let Some(session) = event.session
                    && waiting.get(&session).is_some_and(|(waits, ..)| waits == call)
                {
                    waiting.remove(&session);
                }
            }
            _ => {}
        }
    }
    let mut waiters: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (_, on, request) in waiting.values() {
        let Some(request) = request else { continue };
        waiters.entry(trace.strings.text(*on)).or_default().push(request.0);
    }
    shown(trace, rows, &waiters)
}

#[derive(Default)]
struct Touched {
    /// Oldest first.
    versions: Vec<Written>,
    locks: Vec<Held>,
    at: Micros,
}

struct Written {
    xid: Option<Xid>,
    request: Option<RequestId>,
    at: Micros,
    committed: Option<Micros>,
    values: Option<std::rc::Rc<[Value]>>,
}

/// What a transaction did to a row.
enum Effect {
    Written(RowRef),
    /// With the lock that it made stronger.
    Locked(RowRef, Option<Held>),
}

impl Effect {
    fn row(&self) -> RowRef {
        match self {
            Effect::Written(row) | Effect::Locked(row, _) => *row,
        }
    }
}

struct Held {
    xid: Xid,
    request: Option<RequestId>,
    strength: LockStrength,
}

impl Touched {
    fn end(&mut self, xid: Xid, committed: Option<Micros>) {
        self.locks.retain(|lock| lock.xid != xid);
        match committed {
            Some(at) => {
                for version in self.versions.iter_mut().filter(|version| version.xid == Some(xid)) {
                    version.committed = Some(at);
                }
            }
            None => self.versions.retain(|version| version.xid != Some(xid)),
        }
        let spare = self.versions.len().saturating_sub(VERSIONS_SHOWN);
        self.versions.drain(..spare);
    }

    fn take_back(&mut self, xid: Xid, effect: Effect) {
        match effect {
            Effect::Written(_) => {
                if let Some(place) = self.versions.iter().rposition(|version| version.xid == Some(xid)) {
                    self.versions.remove(place);
                }
            }
            Effect::Locked(_, before) => {
                self.locks.retain(|lock| lock.xid != xid);
                self.locks.extend(before);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.locks.is_empty()
    }

    /// A transaction that has not ended has its hands on it.
    fn is_held(&self) -> bool {
        !self.locks.is_empty() || self.versions.last().is_some_and(|version| version.committed.is_none())
    }
}

fn shown(trace: &Trace, rows: BTreeMap<RowRef, Touched>, waiters: &BTreeMap<&str, Vec<u32>>) -> Vec<TableNow> {
    let mut tables: BTreeMap<Symbol, Vec<(RowRef, Touched)>> = BTreeMap::new();
    for (row, touched) in rows {
        tables.entry(row.table).or_default().push((row, touched));
    }
    let mut tables = tables.into_iter().collect::<Vec<_>>();
    tables.sort_by_key(|(table, _)| trace.strings.text(*table));
    tables
        .into_iter()
        .map(|(table, mut rows)| {
            let name = trace.strings.text(table);
            rows.sort_by_key(|(_, touched)| (!touched.is_held(), std::cmp::Reverse(touched.at)));
            let rows_left_out = rows.len().saturating_sub(ROWS_SHOWN) as u32;
            let rows = rows
                .into_iter()
                .take(ROWS_SHOWN)
                .map(|(row, touched)| {
                    let key = trace.strings.text(row.key);
                    let waiting = waiters.get(format!("row {key} of {name}").as_str()).cloned().unwrap_or_default();
                    row_now(key, touched, waiting)
                })
                .collect();
            TableNow { name: name.to_owned(), rows, rows_left_out }
        })
        .collect()
}

fn row_now(key: &str, touched: Touched, waiting: Vec<u32>) -> RowNow {
    let text = |value: &Value| if *value == Value::Null { None } else { Some(value.to_text()) };
    let versions = touched.versions.into_iter().rev().map(|version| RowVersion {
        at_us: version.at,
        committed_us: version.committed,
        request: version.request.map(|request| request.0),
        values: version.values.map(|values| values.iter().map(text).collect()),
    });
    let locks = touched.locks.into_iter().map(|lock| RowLock {
        request: lock.request.map(|request| request.0),
        strength: match lock.strength {
            LockStrength::KeyShare => "FOR KEY SHARE",
            LockStrength::Share => "FOR SHARE",
            LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
            LockStrength::Update => "FOR UPDATE",
        }
        .to_owned(),
    });
    RowNow { key: key.to_owned(), versions: versions.collect(), locks: locks.collect(), waiting }
}
