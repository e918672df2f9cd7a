//! Reads invariants and gauges outside the load: that costs nothing there and changes nothing. A query is asked again when something
//! that it reads was committed, at that very moment. Where tables are large that would be most of the host's work, so looks are paid
//! for: each statement of the load earns a few rows, and a look that cannot be paid waits for the next ones, a second at the most.
//! Which rows count is the workload's to say.

mod reads;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::RunError;
use super::database::DatabaseServer;
use super::kernel::Kernel;
use super::message::{AppMessage, MonitorMessage, TableChange};
use crate::scenario::{InvariantRule, ScenarioDocument};
use crate::sql::Reads;
use crate::trace::{EventKind, Micros, QueryResult, RequestId, SessionId, SqlError, Value};
use crate::workload::{InFlight, InvariantFinding, Invariants};

/// How often memory is weighed, queries are asked that go by a clock, and those that could not be paid for.
const INTERVAL_US: Micros = 1_000_000;

/// The interval doubles for each time the queries of one look read this many rows: big tables are looked at less often.
const ROWS_READ_CHEAPLY: u32 = 20_000;

/// Rows that looks may read: at the start, and for each statement of the load, which costs the host about as much as a hundred rows.
const ROWS_AT_START: i64 = 20_000;
const ROWS_EARNED: i64 = 10;

pub struct Monitor {
    document: Rc<ScenarioDocument>,
    invariants: Invariants,
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
    /// A gauge's last value: only changes are told.
    value: Option<f64>,
}

/// Its place among the scenario's.
#[derive(Clone, Copy)]
enum Of {
    Invariant(usize),
    Gauge(usize),
}

impl Monitor {
    pub fn new(document: Rc<ScenarioDocument>) -> Monitor {
        let invariants =
            document.invariants.iter().enumerate().filter_map(|(place, invariant)| match &invariant.rule {
                InvariantRule::Sql { sql } => Some((Of::Invariant(place), sql)),
                InvariantRule::SlowerThan { .. } | InvariantRule::Failed { .. } => None,
            });
        let gauges = document.simulation.gauges.iter().enumerate().map(|(place, gauge)| (Of::Gauge(place), &gauge.sql));
        let query = |(of, sql): (Of, &String)| Query {
            of,
            sql: sql.as_str().into(),
            reads: Reads::default(),
            outdated: true,
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
            in_flight: BTreeSet::new(),
            failed: false,
            invariants: Invariants::new(document.clone()),
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

    /// The first look also finds queries that cannot work at all.
    pub fn start(&mut self, database: &mut DatabaseServer, kernel: &mut Kernel) -> Result<(), RunError> {
        let document = self.document.clone();
        let mut errors = Vec::new();
        for place in 0..self.queries.len() {
            let Query { of, sql, .. } = &self.queries[place];
            let (what, id) = match of {
                Of::Invariant(place) => ("invariant", document.invariants[*place].id.clone()),
                Of::Gauge(place) => ("metric", document.simulation.gauges[*place].metric.clone()),
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
    fn note_changes(&mut self, session: SessionId, changes: Vec<TableChange>) {
        for change in changes {
            match change {
                TableChange::Wrote(table) if self.readers.contains_key(&table) => {
                    self.written.entry(session).or_default().insert(table);
                }
                TableChange::Wrote(_) => {}
                TableChange::RolledBack => _ = self.written.remove(&session),
                TableChange::Committed => {
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
                    if self.invariants.is_due(of, kernel.now()) {
                        self.compare(of, &results, kernel);
                    }
                }
                (Of::Gauge(of), Ok(results)) => {
                    self.read_gauge(place, &document.simulation.gauges[of].metric, &results, kernel)
                }
                (Of::Invariant(of), Err(error)) => {
                    self.query_failed(&document.invariants[of].id, &error.message, kernel)
                }
                (Of::Gauge(of), Err(error)) => {
                    self.query_failed(&document.simulation.gauges[of].metric, &error.message, kernel)
                }
            }
        }
        self.credit -= i64::from(rows_read);
        self.outdated = self.queries.iter().any(|query| query.outdated);
        self.invariants.note_unsettled();
        rows_read
    }

    fn request_finished(
        &mut self,
        request: RequestId,
        kind: Option<usize>,
        status: u16,
        took: Micros,
        kernel: &mut Kernel,
    ) {
        self.in_flight.remove(&request);
        let entry = kind.map(|kind| self.document.simulation.requests[kind].entry.as_str());
        for finding in self.invariants.judge(request, entry, status, took, kernel.now()) {
            self.tell(finding, Some(request), kernel);
        }
        let in_flight = self.in_flight(kernel);
        if self.invariants.request_ended(request, in_flight, kernel.now()) {
            self.tell_settled(kernel);
        }
    }

    fn in_flight(&self, kernel: &Kernel) -> InFlight {
        InFlight { oldest: self.in_flight.first().copied(), next: kernel.requests() }
    }

    fn compare(&mut self, invariant: usize, results: &[QueryResult], kernel: &mut Kernel) {
        let Some(result) = results.last() else { return };
        let names = result.columns.iter().flat_map(|columns| columns.iter()).map(|column| column.name.clone());
        let names = names.collect::<Vec<_>>();
        let case = |row: &&Vec<Value>| row.first().map_or(String::new(), Value::to_text);
        let text = |row: &&Vec<Value>| row_text(&names, row);
        let in_flight = self.in_flight(kernel);
        for finding in self.invariants.compare(invariant, result.rows.iter(), case, text, in_flight, kernel.now()) {
            self.tell(finding, None, kernel);
        }
    }

    /// Tells of the rows that have stood long enough. Those of a query that is to be asked again are told, or gone, after that.
    fn tell_settled(&mut self, kernel: &mut Kernel) {
        let outdated = |query: &Query, place| query.outdated && matches!(query.of, Of::Invariant(of) if of == place);
        let to_be_asked = |place| self.queries.iter().any(|query| outdated(query, place));
        let (findings, next) = self.invariants.settled(kernel.now(), to_be_asked);
        for finding in findings {
            self.tell(finding, None, kernel);
        }
        if let Some(at) = next {
            self.schedule_look(at, kernel);
        }
    }

    fn tell(&self, finding: InvariantFinding, request: Option<RequestId>, kernel: &mut Kernel) {
        let kind = finding.event(&self.document, |text| kernel.symbol(text));
        kernel.record(kind, request, None, None);
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
