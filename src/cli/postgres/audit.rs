//! What this run writes into and reads from the database itself: schema, rows, the services' books, invariants and gauges.

use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use twoam::scenario::{InvariantRule, ScenarioDocument};
use twoam::services::LedgerEntry;
use twoam::trace::{EventKind, Micros, RequestId, Value};
use twoam::workload::{InFlight, InvariantFinding, Invariants, ServiceHost};

use super::{AUDITOR, LOOK_EVERY, Plan, Real, START, Told, audit_settings};
use crate::cli::Failure;

/// Only the run's own tables: the database may be somebody's.
const ANALYZE: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
        EXECUTE 'ANALYZE ' || quote_ident(name);
    END LOOP;
END $$";

/// Looks take no more than one part in so many of the time.
const LOOK_SHARE: u32 = 5;

pub struct Monitor {
    invariants: Invariants,
    /// The last value of each: only changes are told.
    gauges: Vec<Option<f64>>,
    asked: Option<Asked>,
}

/// A look that has not been answered yet.
struct Asked {
    audit: u64,
    at: Instant,
    /// Of the clients' requests then.
    oldest: Option<RequestId>,
    /// Another one follows.
    repeats: bool,
}

impl Monitor {
    pub fn new(document: Rc<ScenarioDocument>) -> Monitor {
        Monitor {
            gauges: vec![None; document.simulation.gauges.len()],
            invariants: Invariants::new(document),
            asked: None,
        }
    }

    /// There is a row of which nobody knows yet whether it counts.
    pub fn waits(&self) -> bool {
        self.invariants.has_unsettled()
    }
}

impl Real<'_> {
    pub fn fill_database(&mut self) -> Result<(), Failure> {
        let document = self.document.clone();
        self.audit(vec![plain(&format!("CREATE SCHEMA {}", self.schema))]).map_err(|failure| {
            Failure::Result(format!("{failure}; the run needs a user that may create a schema in this database"))
        })?;
        self.filled = true;
        let mut statements = vec![plain(&document.schema)];
        statements.extend(ServiceHost::ledgers(&document).into_iter().map(plain));
        for rows in &document.simulation.rows {
            let at = self.surroundings.circumstances();
            let inserts = rows.inserts(&mut at.rng.rows, at.conditions.knobs());
            statements.extend(inserts.iter().map(|insert| for_psycopg(&insert.sql, &insert.parameters)));
        }
        statements.extend(self.variant.migration.as_deref().map(plain));
        statements.push(plain(ANALYZE));
        self.audit(statements).map(|_| ())
    }

    /// Nothing of the run stays behind, even if the connection was lost meanwhile.
    pub fn clean(&mut self) -> Result<(), Failure> {
        self.requests.host_of.clear();
        self.hosts.clear();
        self.scripts = None;
        if !self.filled {
            return Ok(());
        }
        let drop = plain(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema));
        let dropped = self.audit(vec![drop.clone()]).or_else(|_| {
            // What the old connections' hosts still say is of no interest.
            (self.sender, self.told) = channel();
            let settings = audit_settings(self.server, &self.schema);
            self.auditor = self.python.start(AUDITOR, None, settings, self.sender.clone())?;
            self.await_ready(1)?;
            self.audit(vec![drop])
        });
        dropped.map(|_| ()).map_err(|_| {
            let schema = &self.schema;
            Failure::Result(format!(
                "error: schema {schema} is left behind; remove it with DROP SCHEMA {schema} CASCADE"
            ))
        })
    }

    pub fn write_ledger(&mut self, entries: Vec<LedgerEntry>) {
        if entries.is_empty() {
            return;
        }
        self.ask(entries.into_iter().map(|entry| for_psycopg(entry.sql, &entry.parameters)).collect());
    }

    /// Reads invariants and gauges; what they say comes as a message.
    pub fn ask_look(&mut self, repeats: bool) {
        if self.monitor.asked.is_some() {
            return;
        }
        let document = self.document.clone();
        let rules = document.invariants.iter().filter_map(|invariant| match &invariant.rule {
            InvariantRule::Sql { sql } => Some(sql),
            InvariantRule::SlowerThan { .. } | InvariantRule::Failed { .. } => None,
        });
        let gauges = document.simulation.gauges.iter().map(|gauge| &gauge.sql);
        let oldest = self.requests.in_flight().oldest;
        let audit = self.ask(rules.chain(gauges).map(|sql| plain(sql)).collect());
        self.monitor.asked = Some(Asked { audit, at: Instant::now(), oldest, repeats });
    }

    /// The same, and waits for it.
    pub fn look(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + START;
        while self.monitor.asked.is_some() && Instant::now() < end {
            self.turn(end)?;
        }
        self.ask_look(false);
        while self.monitor.asked.is_some() {
            if Instant::now() >= end {
                return Err(silent());
            }
            self.turn(end)?;
        }
        Ok(())
    }

    /// The auditor's answer to what nobody stands waiting for.
    pub fn audited(&mut self, message: &Json) -> Result<(), Failure> {
        let results = results(message)?;
        if self.monitor.asked.as_ref().is_none_or(|asked| message["audit"].as_u64() != Some(asked.audit)) {
            return Ok(());
        }
        let asked = self.monitor.asked.take().expect("it was just there");
        let mut results = results.iter();
        let document = self.document.clone();
        let in_flight = InFlight { oldest: asked.oldest, ..self.requests.in_flight() };
        for (place, invariant) in document.invariants.iter().enumerate() {
            if let InvariantRule::Sql { .. } = &invariant.rule {
                let result = results.next().unwrap_or(&Json::Null);
                if self.monitor.invariants.is_due(place, self.now()) {
                    self.compare(place, result, in_flight);
                }
            }
        }
        let (findings, _) = self.monitor.invariants.settled(self.now(), |_| false);
        self.tell_findings(findings, None);
        for (place, gauge) in document.simulation.gauges.iter().enumerate() {
            let value = results.next().and_then(|result| number(&result["rows"][0][0])).unwrap_or(0.0);
            if self.monitor.gauges[place].replace(value) != Some(value) {
                let gauge = self.trace.strings.intern(&gauge.metric);
                self.record(EventKind::GaugeRead { gauge, value }, None);
            }
        }
        self.weigh();
        if asked.repeats {
            let pause = LOOK_EVERY.max(asked.at.elapsed() * LOOK_SHARE);
            self.plan(pause, Plan::Look);
        }
        Ok(())
    }

    /// The invariants about requests themselves.
    pub fn judge(&mut self, request: RequestId, kind: Option<usize>, status: u16, took: Micros) {
        let entry = kind.map(|kind| self.document.simulation.requests[kind].entry.as_str());
        let findings = self.monitor.invariants.judge(request, entry, status, took, self.now());
        self.tell_findings(findings, Some(request));
    }

    fn compare(&mut self, invariant: usize, result: &Json, in_flight: InFlight) {
        let now = self.now();
        let columns = result["columns"].as_array().into_iter().flatten().filter_map(Json::as_str).collect::<Vec<_>>();
        let rows = result["rows"].as_array().into_iter().flatten();
        let case = |row: &&Json| match &row[0] {
            Json::String(text) => text.clone(),
            value => value.to_string(),
        };
        let text = |row: &&Json| {
            let values = row.as_array().into_iter().flatten().cloned();
            Json::Object(columns.iter().map(|column| column.to_string()).zip(values).collect()).to_string()
        };
        let mended = self.monitor.invariants.compare(invariant, rows, case, text, in_flight, now);
        self.tell_findings(mended, None);
    }

    fn tell_findings(&mut self, findings: Vec<InvariantFinding>, request: Option<RequestId>) {
        for finding in findings {
            let event = finding.event(&self.document, |text| self.trace.strings.intern(text));
            self.record(event, request);
        }
    }

    /// Runs statements and waits for their results. What hosts tell meanwhile is taken in.
    fn audit(&mut self, statements: Vec<Json>) -> Result<Vec<Json>, Failure> {
        let number = self.ask(statements);
        let end = Instant::now() + START;
        loop {
            let wait: Duration = end.saturating_duration_since(Instant::now());
            let Told { host, message } = self.told.recv_timeout(wait).map_err(|_| silent())?;
            let Some(message) = message else { continue };
            if message["audit"].as_u64() == Some(number) {
                return results(&message);
            }
            self.hear(Told { host, message: Some(message) })?;
        }
    }

    fn ask(&mut self, statements: Vec<Json>) -> u64 {
        self.audits += 1;
        self.auditor.tell(&json!({ "audit": self.audits, "statements": statements }));
        self.audits
    }
}

fn silent() -> Failure {
    Failure::Result(format!("error: the server did not answer within {} s", START.as_secs()))
}

/// One for each statement, with `columns` and `rows`.
fn results(message: &Json) -> Result<Vec<Json>, Failure> {
    match message["error"].as_str() {
        None => Ok(message["results"].as_array().cloned().unwrap_or_default()),
        Some(error) if message["lost"] == json!(true) => {
            let error = error.lines().next().unwrap_or_default();
            Err(Failure::Result(format!("error: the connection to the server was lost: {error}")))
        }
        Some(error) => Err(Failure::Result(format!("error: the server refused a statement of the run: {error}"))),
    }
}

/// A statement without parameters, as the auditor takes it.
fn plain(sql: &str) -> Json {
    json!([sql, []])
}

/// `$1` may stand twice in a text; psycopg wants one `%s` for each place.
fn for_psycopg(sql: &str, parameters: &[Value]) -> Json {
    let (mut text, mut values) = (String::new(), Vec::new());
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at].replace('%', "%%"));
        let digits = rest[at + 1..].chars().take_while(char::is_ascii_digit).count();
        let number = rest[at + 1..at + 1 + digits]
            .parse::<usize>()
            .expect("the project's own statements number their parameters");
        text.push_str("%s");
        values.push(json_of(&parameters[number - 1]));
        rest = &rest[at + 1 + digits..];
    }
    text.push_str(&rest.replace('%', "%%"));
    json!([text, values])
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        value => json!(value.to_text()),
    }
}

fn number(value: &Json) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
