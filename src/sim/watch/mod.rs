//! Reads invariants and gauges outside the load: that costs nothing there and changes nothing. A query is asked again when something
//! that it reads was committed, at that very moment. Where tables are large that would be most of the host's work, so looks are paid
//! for: each statement of the load earns a few rows, and a look that cannot be paid waits for the next ones, a second at the most.
//!
//! A row that breaks an invariant counts only when it is still there after every request that was on its way at its first sighting
//! has ended, and the invariant's `settle_ms` is over: work in progress is no alarm.

mod reads;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::RunError;
use super::world::{Step, World};
use crate::scenario::{Invariant, InvariantRule, ScenarioDocument};
use crate::sql::{EngineEvent, Reads};
use crate::trace::{EventKind, Micros, ProcessId, QueryResult, RequestId, SessionId, SqlError, Value};

/// How often memory is weighed, queries are asked that go by a clock, and those that could not be paid for.
const INTERVAL_US: Micros = 1_000_000;

/// The interval doubles for each time the queries of one look read this many rows: big tables are looked at less often.
const ROWS_READ_CHEAPLY: u32 = 20_000;

/// Rows that looks may read: at the start, and for each statement of the load, which costs the host about as much as a hundred rows.
const ROWS_AT_START: i64 = 20_000;
const ROWS_EARNED: i64 = 10;

/// No more rows of one invariant than this are told apart.
const CASES_MAX: usize = 1_000;

#[derive(Default)]
pub struct Watch {
    queries: Vec<Query>,
    /// Places of the queries that read each table.
    readers: BTreeMap<Rc<str>, Vec<usize>>,
    /// Tables that each session's open transaction has written.
    written: BTreeMap<SessionId, BTreeSet<Rc<str>>>,
    /// What is known of each table.
    columns: BTreeMap<Rc<str>, Vec<Rc<str>>>,
    /// What the queries read is as of this version of the catalog.
    catalog: u64,
    /// When the next look is due.
    due: Option<Micros>,
    /// Rows that looks may still read.
    credit: i64,
    /// Some query is outdated.
    outdated: bool,
    /// Requests from this number on have nothing to do with any row that is there.
    unsettled_before: u32,
    /// A query that failed while the run was going is told once.
    failed: bool,
}

struct Query {
    of: Of,
    sql: Rc<str>,
    reads: Reads,
    /// Something it reads was committed since it was asked.
    outdated: bool,
    /// Rows there now, by their first column.
    standing: BTreeMap<String, Sighting>,
    /// A gauge's last value: only changes are told.
    value: Option<f64>,
}

/// Its place among the scenario's.
#[derive(Clone, Copy)]
enum Of {
    Invariant(usize),
    Gauge(usize),
}

struct Sighting {
    since: Micros,
    /// Requests below this number may still mend it.
    requests_before: u32,
    /// Since when none of them is on its way.
    settling_since: Option<Micros>,
    /// The whole row, until it is told.
    row: Option<String>,
}

impl Sighting {
    fn is_told(&self) -> bool {
        self.row.is_none()
    }
}

impl Watch {
    pub fn new(document: &ScenarioDocument) -> Watch {
        let invariants =
            document.invariants.iter().enumerate().filter_map(|(place, invariant)| match &invariant.rule {
                InvariantRule::Sql { sql } => Some((Of::Invariant(place), sql)),
                InvariantRule::SlowerThan { .. } | InvariantRule::Failed { .. } => None,
            });
        let gauges = document.world.gauges.iter().enumerate().map(|(place, gauge)| (Of::Gauge(place), &gauge.sql));
        let query = |(of, sql): (Of, &String)| Query {
            of,
            sql: sql.as_str().into(),
            reads: Reads::default(),
            outdated: true,
            standing: BTreeMap::new(),
            value: None,
        };
        let queries = invariants.chain(gauges).map(query).collect();
        Watch { queries, credit: ROWS_AT_START, ..Watch::default() }
    }
}

impl Watch {
    fn note_unsettled(&mut self) {
        let sightings = self.queries.iter().flat_map(|query| query.standing.values());
        let unsettled = sightings.filter(|sighting| sighting.settling_since.is_none());
        self.unsettled_before = unsettled.map(|sighting| sighting.requests_before).max().unwrap_or(0);
    }
}

impl World {
    /// The first look also finds queries that cannot work at all.
    pub fn start_watch(&mut self) -> Result<(), RunError> {
        let document = self.document.clone();
        let mut errors = Vec::new();
        for place in 0..self.watch.queries.len() {
            let Query { of, sql, .. } = &self.watch.queries[place];
            let (what, id) = match of {
                Of::Invariant(place) => ("invariant", document.invariants[*place].id.clone()),
                Of::Gauge(place) => ("metric", document.world.gauges[*place].metric.clone()),
            };
            let sql = sql.clone();
            if let Err(error) = self.audit(&sql, &[]).and_then(|_| self.learn_reads(place)) {
                errors.push(unreadable(what, &id, &error));
            }
        }
        if let Some(error) = RunError::all(errors) {
            return Err(error);
        }
        self.note_tables();
        self.look_at_all();
        self.check();
        Ok(())
    }

    /// Takes note of what a session wrote; once that is committed, the queries that read it are asked again.
    pub fn watch_engine_events(&mut self, session: SessionId, events: &[EngineEvent]) {
        for event in events {
            match event {
                EngineEvent::Written { table, .. } if self.watch.readers.contains_key(table) => {
                    self.watch.written.entry(session).or_default().insert(table.clone());
                }
                EngineEvent::RolledBack { .. } => _ = self.watch.written.remove(&session),
                EngineEvent::Committed { .. } => {
                    let Some(tables) = self.watch.written.remove(&session) else { continue };
                    for reader in tables.iter().filter_map(|table| self.watch.readers.get(table)).flatten() {
                        self.watch.queries[*reader].outdated = true;
                    }
                    self.watch.outdated = true;
                }
                _ => {}
            }
        }
    }

    /// A statement of the load was executed.
    pub fn earn_look(&mut self) {
        self.watch.credit = (self.watch.credit + ROWS_EARNED).min(ROWS_AT_START);
        if self.watch.outdated && self.watch.credit > 0 {
            self.schedule_look(self.now);
        }
    }

    fn schedule_look(&mut self, at: Micros) {
        if self.watch.due.is_none_or(|due| at < due) {
            self.watch.due = Some(at);
            self.schedule(at, Step::Look);
        }
    }

    /// One that was scheduled; another may have come before it.
    pub fn look(&mut self) {
        if self.watch.due.is_some_and(|due| due <= self.now) {
            self.watch.due = None;
            if self.watch.credit > 0 {
                self.ask(|query| query.outdated);
            }
            self.tell_settled();
        }
    }

    /// At the run's start and end.
    pub fn look_at_all(&mut self) {
        self.ask(|query| query.outdated || query.reads.restless);
        self.tell_settled();
    }

    /// At intervals: whatever goes by a clock, and memory.
    pub fn check(&mut self) {
        self.follow_catalog();
        let rows_read = self.ask(|query| query.outdated || query.reads.restless);
        self.tell_settled();
        self.look_at_memory();
        let doublings = (rows_read / ROWS_READ_CHEAPLY).min(10);
        self.schedule(self.now + INTERVAL_US * Micros::from(1 + doublings), Step::Check);
    }

    /// Returns how many rows that read.
    fn ask(&mut self, wanted: impl Fn(&Query) -> bool) -> u32 {
        let document = self.document.clone();
        let mut rows_read = 0;
        for place in 0..self.watch.queries.len() {
            if !wanted(&self.watch.queries[place]) {
                continue;
            }
            let sql = self.watch.queries[place].sql.clone();
            let (found, outcome) = self.audit_outcome(&sql, &[]);
            rows_read += outcome.rows_read;
            self.watch.queries[place].outdated = false;
            match (self.watch.queries[place].of, found) {
                (Of::Invariant(of), Ok(results)) => {
                    let invariant = &document.invariants[of];
                    if self.now >= from(invariant) {
                        self.compare(place, &invariant.id, &results);
                    }
                }
                (Of::Gauge(of), Ok(results)) => self.read_gauge(place, &document.world.gauges[of].metric, &results),
                (Of::Invariant(of), Err(error)) => self.watch_failed(&document.invariants[of].id, &error.message),
                (Of::Gauge(of), Err(error)) => self.watch_failed(&document.world.gauges[of].metric, &error.message),
            }
        }
        self.watch.credit -= i64::from(rows_read);
        self.watch.outdated = self.watch.queries.iter().any(|query| query.outdated);
        self.watch.note_unsettled();
        rows_read
    }

    /// What the kernel does with a container that is over its limit.
    pub fn look_at_memory(&mut self) {
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

    /// For the invariants about requests themselves, and for those that waited for this request to end.
    pub fn watch_finished(&mut self, request: RequestId, kind: Option<usize>, status: u16, took: Micros) {
        let document = self.document.clone();
        let entry = kind.map(|kind| &document.world.requests[kind].entry);
        let meant = |only: &Option<String>| only.is_none() || only.as_ref() == entry;
        let now = self.now;
        for invariant in document.invariants.iter().filter(|invariant| now >= from(invariant) + took) {
            let (broken, since, row) = match &invariant.rule {
                InvariantRule::Sql { .. } => continue,
                InvariantRule::SlowerThan { ms, entry } => {
                    let most = (ms * 1e3) as Micros;
                    let row = format!(r#"{{"request":{request},"ms":{}}}"#, took / 1_000);
                    (meant(entry) && took as f64 > ms * 1e3, (now + most).saturating_sub(took).min(now), row)
                }
                InvariantRule::Failed { entry } => {
                    let row = format!(r#"{{"request":{request},"status":{status}}}"#);
                    (meant(entry) && status >= 500, now, row)
                }
            };
            if broken {
                let (id, case, row) =
                    (self.symbol(&invariant.id), self.symbol(&request.to_string()), self.symbol(&row));
                let kind = EventKind::InvariantBroken { invariant: id, case, row, since };
                self.record(kind, Some(request), None, None);
            }
        }
        self.settle_after(request);
    }

    fn oldest_of_clients(&self) -> Option<u32> {
        self.requests.iter().find(|(_, request)| request.client.is_some()).map(|(id, _)| id.0)
    }

    /// Rows that nobody but requests up to this one could still mend begin to settle.
    fn settle_after(&mut self, request: RequestId) {
        if request.0 >= self.watch.unsettled_before {
            return;
        }
        let (oldest, now) = (self.oldest_of_clients(), self.now);
        for sighting in self.watch.queries.iter_mut().flat_map(|query| query.standing.values_mut()) {
            let may_be_mended = oldest.is_some_and(|oldest| oldest < sighting.requests_before);
            if sighting.settling_since.is_none() && !may_be_mended {
                sighting.settling_since = Some(now);
            }
        }
        self.watch.note_unsettled();
        self.tell_settled();
    }

    fn compare(&mut self, place: usize, id: &str, results: &[QueryResult]) {
        let Some(result) = results.last() else { return };
        let names = result.columns.iter().flat_map(|columns| columns.iter()).map(|column| column.name.clone());
        let names = names.collect::<Vec<_>>();
        let (oldest, next, now) = (self.oldest_of_clients(), self.next_request, self.now);
        let mut before = std::mem::take(&mut self.watch.queries[place].standing);
        let mut standing = BTreeMap::new();
        for row in result.rows.iter().take(CASES_MAX) {
            let case = row.first().map_or(String::new(), Value::to_text);
            let new = || Sighting { since: now, requests_before: next, settling_since: None, row: Some(String::new()) };
            let mut sighting = before.remove(&case).unwrap_or_else(new);
            if sighting.settling_since.is_none() && oldest.is_none_or(|oldest| oldest >= sighting.requests_before) {
                sighting.settling_since = Some(now);
            }
            if !sighting.is_told() {
                sighting.row = Some(row_text(&names, row));
            }
            standing.insert(case, sighting);
        }
        self.watch.queries[place].standing = standing;
        let invariant = self.symbol(id);
        for (case, _) in before.into_iter().filter(|(_, sighting)| sighting.is_told()) {
            let case = self.symbol(&case);
            self.record(EventKind::InvariantMended { invariant, case }, None, None, None);
        }
    }

    /// Tells of the rows that have stood long enough. Those of a query that is to be asked again are told, or gone, after that.
    fn tell_settled(&mut self) {
        let document = self.document.clone();
        let mut queries = std::mem::take(&mut self.watch.queries);
        let mut next = None;
        for query in &mut queries {
            let Of::Invariant(of) = query.of else { continue };
            let invariant = &document.invariants[of];
            let settle = (invariant.settle_ms * 1e3) as Micros;
            for (case, sighting) in &mut query.standing {
                let (Some(since), false) = (sighting.settling_since, sighting.is_told()) else { continue };
                if self.now < since + settle {
                    next = Some(next.map_or(since + settle, |next: Micros| next.min(since + settle)));
                    continue;
                }
                if query.outdated {
                    continue;
                }
                let row = sighting.row.take().unwrap_or_default();
                let (id, case, row) = (self.symbol(&invariant.id), self.symbol(case), self.symbol(&row));
                let kind = EventKind::InvariantBroken { invariant: id, case, row, since: sighting.since };
                self.record(kind, None, None, None);
            }
        }
        self.watch.queries = queries;
        if let Some(at) = next {
            self.schedule_look(at);
        }
    }

    fn read_gauge(&mut self, place: usize, metric: &str, results: &[QueryResult]) {
        let value = match results.last().and_then(|result| result.rows.first()).and_then(|row| row.first()) {
            Some(Value::Int(value)) => *value as f64,
            Some(Value::Float(value)) => *value,
            Some(Value::Numeric(value)) => value.to_string().parse().unwrap_or(0.0),
            _ => 0.0,
        };
        if self.watch.queries[place].value != Some(value) {
            self.watch.queries[place].value = Some(value);
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

fn unreadable(what: &str, id: &str, error: &SqlError) -> RunError {
    RunError::new(format!("{what} {id}: {} ({})", error.message, error.sqlstate))
}

fn from(invariant: &Invariant) -> Micros {
    (invariant.from_s * 1e6) as Micros
}

fn row_text(names: &[Rc<str>], row: &[Value]) -> String {
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
