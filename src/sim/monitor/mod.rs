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
use super::database::DatabaseServer;
use super::kernel::Kernel;
use super::message::{AppMessage, Change, MonitorMessage};
use crate::scenario::{Invariant, InvariantRule, ScenarioDocument};
use crate::sql::Reads;
use crate::trace::{EventKind, Micros, QueryResult, RequestId, SessionId, SqlError, Value};

/// How often memory is weighed, queries are asked that go by a clock, and those that could not be paid for.
const INTERVAL_US: Micros = 1_000_000;

/// The interval doubles for each time the queries of one look read this many rows: big tables are looked at less often.
const ROWS_READ_CHEAPLY: u32 = 20_000;

/// Rows that looks may read: at the start, and for each statement of the load, which costs the host about as much as a hundred rows.
const ROWS_AT_START: i64 = 20_000;
const ROWS_EARNED: i64 = 10;

/// No more rows of one invariant than this are told apart.
const CASES_MAX: usize = 1_000;

pub struct Monitor {
    document: Rc<ScenarioDocument>,
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
    /// Requests of clients that are on their way.
    in_flight: BTreeSet<RequestId>,
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

impl Monitor {
    pub fn new(document: Rc<ScenarioDocument>) -> Monitor {
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
        Monitor {
            queries,
            readers: BTreeMap::new(),
            written: BTreeMap::new(),
            columns: BTreeMap::new(),
            catalog: 0,
            due: None,
            credit: ROWS_AT_START,
            outdated: false,
            unsettled_before: 0,
            in_flight: BTreeSet::new(),
            failed: false,
            document,
        }
    }

    /// It looks into the database, which nobody else does.
    pub fn handle(&mut self, message: MonitorMessage, database: &mut DatabaseServer, kernel: &mut Kernel) {
        match message {
            MonitorMessage::Started(request) => _ = self.in_flight.insert(request),
            MonitorMessage::Finished { request, kind, status, took } => {
                self.request_finished(request, kind, status, took, kernel);
            }
            MonitorMessage::Changed { session, changes, executed } => {
                self.note_changes(session, changes);
                if executed {
                    self.earn_look(kernel);
                }
            }
            MonitorMessage::Look => self.look(database, kernel),
            MonitorMessage::Check => self.check(database, kernel),
            MonitorMessage::NextCheck { rows_read } => {
                let doublings = (rows_read / ROWS_READ_CHEAPLY).min(10);
                let at = kernel.now() + INTERVAL_US * Micros::from(1 + doublings);
                kernel.schedule(at, MonitorMessage::Check);
            }
        }
    }

    fn note_unsettled(&mut self) {
        let sightings = self.queries.iter().flat_map(|query| query.standing.values());
        let unsettled = sightings.filter(|sighting| sighting.settling_since.is_none());
        self.unsettled_before = unsettled.map(|sighting| sighting.requests_before).max().unwrap_or(0);
    }

    /// The first look also finds queries that cannot work at all.
    pub fn start(&mut self, database: &mut DatabaseServer, kernel: &mut Kernel) -> Result<(), RunError> {
        let document = self.document.clone();
        let mut errors = Vec::new();
        for place in 0..self.queries.len() {
            let Query { of, sql, .. } = &self.queries[place];
            let (what, id) = match of {
                Of::Invariant(place) => ("invariant", document.invariants[*place].id.clone()),
                Of::Gauge(place) => ("metric", document.world.gauges[*place].metric.clone()),
            };
            let sql = sql.clone();
            let answered = database.audit(&sql, &[], kernel.now());
            if let Err(error) = answered.and_then(|_| self.learn_reads(place, database, kernel)) {
                errors.push(unreadable(what, &id, &error));
            }
        }
        if let Some(error) = RunError::all(errors) {
            return Err(error);
        }
        self.note_tables(database, kernel);
        self.look_at_all(database, kernel);
        self.check(database, kernel);
        Ok(())
    }

    /// Takes note of what a session wrote; once that is committed, the queries that read it are asked again.
    fn note_changes(&mut self, session: SessionId, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Wrote(table) if self.readers.contains_key(&table) => {
                    self.written.entry(session).or_default().insert(table);
                }
                Change::Wrote(_) => {}
                Change::RolledBack => _ = self.written.remove(&session),
                Change::Committed => {
                    let Some(tables) = self.written.remove(&session) else { continue };
                    for reader in tables.iter().filter_map(|table| self.readers.get(table)).flatten() {
                        self.queries[*reader].outdated = true;
                    }
                    self.outdated = true;
                }
            }
        }
    }

    /// A statement of the load was executed.
    fn earn_look(&mut self, kernel: &mut Kernel) {
        self.credit = (self.credit + ROWS_EARNED).min(ROWS_AT_START);
        if self.outdated && self.credit > 0 {
            self.schedule_look(kernel.now(), kernel);
        }
    }

    fn schedule_look(&mut self, at: Micros, kernel: &mut Kernel) {
        if self.due.is_none_or(|due| at < due) {
            self.due = Some(at);
            kernel.schedule(at, MonitorMessage::Look);
        }
    }

    /// One that was scheduled; another may have come before it.
    fn look(&mut self, database: &mut DatabaseServer, kernel: &mut Kernel) {
        if self.due.is_some_and(|due| due <= kernel.now()) {
            self.due = None;
            if self.credit > 0 {
                self.ask(|query| query.outdated, database, kernel);
            }
            self.tell_settled(kernel);
        }
    }

    /// At the run's start and end.
    pub fn look_at_all(&mut self, database: &mut DatabaseServer, kernel: &mut Kernel) {
        self.ask(|query| query.outdated || query.reads.restless, database, kernel);
        self.tell_settled(kernel);
    }

    /// At intervals: whatever goes by a clock, and memory.
    fn check(&mut self, database: &mut DatabaseServer, kernel: &mut Kernel) {
        self.follow_catalog(database, kernel);
        let rows_read = self.ask(|query| query.outdated || query.reads.restless, database, kernel);
        self.tell_settled(kernel);
        kernel.post(AppMessage::WeighMemory);
        kernel.post(MonitorMessage::NextCheck { rows_read });
    }

    /// Returns how many rows that read.
    fn ask(&mut self, wanted: impl Fn(&Query) -> bool, database: &mut DatabaseServer, kernel: &mut Kernel) -> u32 {
        let document = self.document.clone();
        let mut rows_read = 0;
        for place in 0..self.queries.len() {
            if !wanted(&self.queries[place]) {
                continue;
            }
            let sql = self.queries[place].sql.clone();
            let (found, outcome) = database.audit_outcome(&sql, &[], kernel.now());
            rows_read += outcome.rows_read;
            self.queries[place].outdated = false;
            match (self.queries[place].of, found) {
                (Of::Invariant(of), Ok(results)) => {
                    let invariant = &document.invariants[of];
                    if kernel.now() >= from(invariant) {
                        self.compare(place, &invariant.id, &results, kernel);
                    }
                }
                (Of::Gauge(of), Ok(results)) => {
                    self.read_gauge(place, &document.world.gauges[of].metric, &results, kernel)
                }
                (Of::Invariant(of), Err(error)) => {
                    self.query_failed(&document.invariants[of].id, &error.message, kernel)
                }
                (Of::Gauge(of), Err(error)) => {
                    self.query_failed(&document.world.gauges[of].metric, &error.message, kernel)
                }
            }
        }
        self.credit -= i64::from(rows_read);
        self.outdated = self.queries.iter().any(|query| query.outdated);
        self.note_unsettled();
        rows_read
    }

    /// For the invariants about requests themselves, and for those that waited for this request to end.
    fn request_finished(
        &mut self,
        request: RequestId,
        kind: Option<usize>,
        status: u16,
        took: Micros,
        kernel: &mut Kernel,
    ) {
        self.in_flight.remove(&request);
        let document = self.document.clone();
        let entry = kind.map(|kind| &document.world.requests[kind].entry);
        let meant = |only: &Option<String>| only.is_none() || only.as_ref() == entry;
        let now = kernel.now();
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
                    (kernel.symbol(&invariant.id), kernel.symbol(&request.to_string()), kernel.symbol(&row));
                let kind = EventKind::InvariantBroken { invariant: id, case, row, since };
                kernel.record(kind, Some(request), None, None);
            }
        }
        self.settle_after(request, kernel);
    }

    fn oldest_in_flight(&self) -> Option<u32> {
        self.in_flight.first().map(|request| request.0)
    }

    /// Rows that nobody but requests up to this one could still mend begin to settle.
    fn settle_after(&mut self, request: RequestId, kernel: &mut Kernel) {
        if request.0 >= self.unsettled_before {
            return;
        }
        let (oldest, now) = (self.oldest_in_flight(), kernel.now());
        for sighting in self.queries.iter_mut().flat_map(|query| query.standing.values_mut()) {
            let may_be_mended = oldest.is_some_and(|oldest| oldest < sighting.requests_before);
            if sighting.settling_since.is_none() && !may_be_mended {
                sighting.settling_since = Some(now);
            }
        }
        self.note_unsettled();
        self.tell_settled(kernel);
    }

    fn compare(&mut self, place: usize, id: &str, results: &[QueryResult], kernel: &mut Kernel) {
        let Some(result) = results.last() else { return };
        let names = result.columns.iter().flat_map(|columns| columns.iter()).map(|column| column.name.clone());
        let names = names.collect::<Vec<_>>();
        let (oldest, next, now) = (self.oldest_in_flight(), kernel.requests(), kernel.now());
        let mut before = std::mem::take(&mut self.queries[place].standing);
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
        self.queries[place].standing = standing;
        let invariant = kernel.symbol(id);
        for (case, _) in before.into_iter().filter(|(_, sighting)| sighting.is_told()) {
            let case = kernel.symbol(&case);
            kernel.record(EventKind::InvariantMended { invariant, case }, None, None, None);
        }
    }

    /// Tells of the rows that have stood long enough. Those of a query that is to be asked again are told, or gone, after that.
    fn tell_settled(&mut self, kernel: &mut Kernel) {
        let document = self.document.clone();
        let mut queries = std::mem::take(&mut self.queries);
        let mut next = None;
        for query in &mut queries {
            let Of::Invariant(of) = query.of else { continue };
            let invariant = &document.invariants[of];
            let settle = (invariant.settle_ms * 1e3) as Micros;
            for (case, sighting) in &mut query.standing {
                let (Some(since), false) = (sighting.settling_since, sighting.is_told()) else { continue };
                if kernel.now() < since + settle {
                    next = Some(next.map_or(since + settle, |next: Micros| next.min(since + settle)));
                    continue;
                }
                if query.outdated {
                    continue;
                }
                let row = sighting.row.take().unwrap_or_default();
                let (id, case, row) = (kernel.symbol(&invariant.id), kernel.symbol(case), kernel.symbol(&row));
                let kind = EventKind::InvariantBroken { invariant: id, case, row, since: sighting.since };
                kernel.record(kind, None, None, None);
            }
        }
        self.queries = queries;
        if let Some(at) = next {
            self.schedule_look(at, kernel);
        }
    }

    fn read_gauge(&mut self, place: usize, metric: &str, results: &[QueryResult], kernel: &mut Kernel) {
        let value = match results.last().and_then(|result| result.rows.first()).and_then(|row| row.first()) {
            Some(Value::Int(value)) => *value as f64,
            Some(Value::Float(value)) => *value,
            Some(Value::Numeric(value)) => value.to_string().parse().unwrap_or(0.0),
            _ => 0.0,
        };
        if self.queries[place].value != Some(value) {
            self.queries[place].value = Some(value);
            let gauge = kernel.symbol(metric);
            kernel.record(EventKind::GaugeRead { gauge, value }, None, None, None);
        }
    }

    fn query_failed(&mut self, what: &str, message: &str, kernel: &mut Kernel) {
        if !self.failed {
            self.failed = true;
            kernel.limit_reached(&format!("{what} could not be read: {message}"));
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
