//! Reads invariants and gauges at intervals of virtual time, outside the load: it costs nothing there and changes nothing.
//!
//! A row that breaks an invariant counts only when it is still there after every request that was on its way at its first sighting
//! has ended, and the invariant's `settle_ms` is over: work in progress is no alarm.

use std::collections::BTreeMap;

use super::RunError;
use super::world::{Step, World};
use crate::scenario::{Invariant, InvariantRule, ScenarioDocument};
use crate::trace::{EventKind, Micros, ProcessId, QueryResult, RequestId, Value};

const INTERVAL_US: Micros = 1_000_000;

/// The interval doubles for each time the queries of one look read this many rows: big tables are looked at less often.
const ROWS_READ_CHEAPLY: u32 = 20_000;

/// No more rows of one invariant than this are told apart.
const CASES_MAX: usize = 1_000;

pub struct Watch {
    /// By invariant: rows there now, by their first column.
    standing: Vec<BTreeMap<String, Sighting>>,
    /// Gauges' last values: only changes are told.
    gauges: Vec<Option<f64>>,
    /// A query that failed while the run was going is told once.
    failed: bool,
}

struct Sighting {
    since: Micros,
    /// Requests below this number may still mend it.
    requests_before: u32,
    /// Since when none of them is on its way.
    settling_since: Option<Micros>,
    told: bool,
}

impl Watch {
    pub fn new(document: &ScenarioDocument) -> Watch {
        Watch {
            standing: document.invariants.iter().map(|_| BTreeMap::new()).collect(),
            gauges: vec![None; document.world.gauges.len()],
            failed: false,
        }
    }
}

impl World {
    /// The first look also finds queries that cannot work at all.
    pub fn start_watch(&mut self) -> Result<(), RunError> {
        let document = self.document.clone();
        for invariant in &document.invariants {
            if let InvariantRule::Sql { sql } = &invariant.rule {
                let reads = self.audit(sql, &[]).and_then(|_| self.database.reads(sql)).map_err(|error| {
                    RunError::new(format!("invariant {}: {} ({})", invariant.id, error.message, error.sqlstate))
                })?;
                let tables = reads.tables.iter().map(|table| self.symbol(table)).collect();
                let about = reads.about.map(|table| self.symbol(&table));
                let invariant = self.symbol(&invariant.id);
                self.record(EventKind::InvariantReads { invariant, tables, about }, None, None, None);
            }
        }
        for gauge in &document.world.gauges {
            self.audit(&gauge.sql, &[]).map_err(|error| {
                RunError::new(format!("metric {}: {} ({})", gauge.metric, error.message, error.sqlstate))
            })?;
        }
        self.check();
        Ok(())
    }

    pub fn check(&mut self) {
        let document = self.document.clone();
        let mut rows_read = 0;
        for (place, invariant) in document.invariants.iter().enumerate() {
            if let InvariantRule::Sql { sql } = &invariant.rule {
                let (found, outcome) = self.audit_outcome(sql, &[]);
                rows_read += outcome.rows_read;
                match found {
                    Ok(_) if self.now < from(invariant) => {}
                    Ok(results) => self.compare(place, &invariant.id, (invariant.settle_ms * 1e3) as Micros, &results),
                    Err(error) => self.watch_failed(&invariant.id, &error.message),
                }
            }
        }
        for (place, gauge) in document.world.gauges.iter().enumerate() {
            let (found, outcome) = self.audit_outcome(&gauge.sql, &[]);
            rows_read += outcome.rows_read;
            match found {
                Ok(results) => self.read_gauge(place, &gauge.metric, &results),
                Err(error) => self.watch_failed(&gauge.metric, &error.message),
            }
        }
        self.look_at_memory();
        let doublings = (rows_read / ROWS_READ_CHEAPLY).min(10);
        self.schedule(self.now + INTERVAL_US * Micros::from(1 + doublings), Step::Check);
    }

    /// What the kernel does with a container that is over its limit.
    fn look_at_memory(&mut self) {
        let Some(limit_mb) = &self.document.world.machine.memory_mb else { return };
        let limit = (self.amount(limit_mb) * f64::from(1 << 20)) as u64;
        let up = (0..self.servers).filter(|process| self.processes[*process].up);
        let held = up.map(|process| (self.python.memory(ProcessId(process as u32)), process)).collect::<Vec<_>>();
        if let Some((bytes, process)) = held.iter().max() {
            let (process, bytes) = (ProcessId(*process as u32), *bytes);
            self.record(EventKind::MemoryMeasured { process, bytes }, None, None, None);
        }
        for (_, process) in held.into_iter().filter(|(bytes, _)| *bytes > limit) {
            self.kill(process);
        }
    }

    /// For the invariants about requests themselves.
    pub fn watch_finished(&mut self, request: RequestId, kind: Option<usize>, status: u16, took: Micros) {
        let document = self.document.clone();
        let entry = kind.map(|kind| &document.world.requests[kind].entry);
        let meant = |only: &Option<String>| only.is_none() || only.as_ref() == entry;
        let now = self.now;
        for invariant in document.invariants.iter().filter(|invariant| now >= from(invariant) + took) {
            let broken = match &invariant.rule {
                InvariantRule::Sql { .. } => false,
                InvariantRule::SlowerThan { ms, entry } => meant(entry) && took as f64 > ms * 1e3,
                InvariantRule::Failed { entry } => meant(entry) && status >= 500,
            };
            if broken {
                let row = match &invariant.rule {
                    InvariantRule::SlowerThan { .. } => {
                        format!(r#"{{"request":{request},"ms":{}}}"#, took / 1_000)
                    }
                    _ => format!(r#"{{"request":{request},"status":{status}}}"#),
                };
                let (id, case, row) =
                    (self.symbol(&invariant.id), self.symbol(&request.to_string()), self.symbol(&row));
                let kind = EventKind::InvariantBroken { invariant: id, case, row, since: now };
                self.record(kind, Some(request), None, None);
            }
        }
    }

    fn compare(&mut self, place: usize, id: &str, settle: Micros, results: &[QueryResult]) {
        let Some(result) = results.last() else { return };
        let names = result.columns.iter().flat_map(|columns| columns.iter()).map(|column| column.name.clone());
        let names = names.collect::<Vec<_>>();
        let oldest = self.requests.iter().find(|(_, request)| request.client.is_some()).map(|(id, _)| id.0);
        let next = self.next_request;
        let (now, id) = (self.now, self.symbol(id));
        let mut standing = std::mem::take(&mut self.watch.standing[place]);
        let mut before = std::mem::take(&mut standing);
        for row in result.rows.iter().take(CASES_MAX) {
            let case = row.first().map_or(String::new(), Value::to_text);
            let mut sighting =
                before.remove(&case).unwrap_or(Sighting { since: now, requests_before: next, settling_since: None, told: false });
            if sighting.settling_since.is_none() && oldest.is_none_or(|oldest| oldest >= sighting.requests_before) {
                sighting.settling_since = Some(now);
            }
            if !sighting.told && sighting.settling_since.is_some_and(|since| now - since >= settle) {
                sighting.told = true;
                let (case, row) = (self.symbol(&case), self.symbol(&row_text(&names, row)));
                let kind = EventKind::InvariantBroken { invariant: id, case, row, since: sighting.since };
                self.record(kind, None, None, None);
            }
            standing.insert(case, sighting);
        }
        for (case, _) in before.into_iter().filter(|(_, sighting)| sighting.told) {
            let case = self.symbol(&case);
            self.record(EventKind::InvariantMended { invariant: id, case }, None, None, None);
        }
        self.watch.standing[place] = standing;
    }

    fn read_gauge(&mut self, place: usize, metric: &str, results: &[QueryResult]) {
        let value = match results.last().and_then(|result| result.rows.first()).and_then(|row| row.first()) {
            Some(Value::Int(value)) => *value as f64,
            Some(Value::Float(value)) => *value,
            Some(Value::Numeric(value)) => value.to_string().parse().unwrap_or(0.0),
            _ => 0.0,
        };
        if self.watch.gauges[place] != Some(value) {
            self.watch.gauges[place] = Some(value);
            let gauge = self.symbol(metric);
            self.record(EventKind::GaugeRead { gauge, value }, None, None, None);
        }
    }

    fn watch_failed(&mut self, what: &str, message: &str) {
        if !self.watch.failed {
            self.watch.failed = true;
            self.limit_reached(&format!("{what} could not be read: {message}"));
        }
    }
}

fn from(invariant: &Invariant) -> Micros {
    (invariant.from_s * 1e6) as Micros
}

fn row_text(names: &[std::rc::Rc<str>], row: &[Value]) -> String {
    let fields = names.iter().zip(row).map(|(name, value)| {
        let value = match value {
            Value::Null => serde_json::Value::Null,
            Value::Int(value) => (*value).into(),
            Value::Bool(value) => (*value).into(),
            other => other.to_text().into(),
        };
        (name.to_string(), value)
    });
    serde_json::Value::Object(fields.collect()).to_string()
}
