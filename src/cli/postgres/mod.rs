//! The same scenario on a real PostgreSQL: handlers in CPython with psycopg 3, load, services, faults and invariants from here,
//! in real time. The result has the shape of a simulated run's, made from a trace by the same report.

mod audit;
mod host;
mod load;
mod server;
mod services;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use twoam::api::{RunRequest, RunSummary, summary_of};
use twoam::scenario::{Amount, Clients, ScenarioDocument, VariantDocument};
use twoam::sim::{names_tables, statement_described};
use twoam::sql::footprint;
use twoam::trace::{
    CallId, Event, EventKind, Keep, Micros, Position, RequestId, Sqlstate, StatementKind, StatementOutcome, Symbol,
    Trace,
};
use twoam::workload::{Circumstances, Conditions, Load, RngStreams, ServiceHost};

use self::audit::Monitor;
use self::host::{Host, Python, Told};
use self::load::Requests;
pub use self::server::Server;
use super::{Failure, terminal};

/// The engine's name that stands for a server of our own.
pub const PRIVATE: &str = "postgres";
/// What a client of a real server cannot see.
const UNSEEN: [&str; 7] =
    ["database-busy", "deadlocks", "lock-wait-ms", "lock-waits", "lost-updates", "rows-read", "rows-read-per-request"];
/// How long the load may go on until enough requests have come.
const LONGEST: Duration = Duration::from_secs(600);
/// How long requests on their way may take when no new ones come.
const DRAIN: Duration = Duration::from_secs(20);
/// How long a host may take to start and to connect.
const START: Duration = Duration::from_secs(60);
/// The host that runs no handlers: schema, books, invariants.
const AUDITOR: u32 = u32::MAX;
/// The host of the clients' scripts.
const CLIENTS: u32 = u32::MAX - 1;
/// Older servers lack what the scenarios' schemas use.
const OLDEST: u64 = 11;
const MEASURE: &str = "measure.py";
/// How often invariants and gauges are read while requests flow.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Calls of one life of a host are numbered below this.
const CALLS_OF_A_HOST: u32 = 1 << 20;

/// What the run was made with, for whoever compares.
#[derive(Clone, serde::Serialize)]
pub struct Versions {
    /// With its name.
    pub server: String,
    pub python: String,
    pub psycopg: String,
}

impl Versions {
    /// Other servers speak its protocol too, and some call themselves so.
    pub fn of_postgresql(&self) -> bool {
        self.server.starts_with("PostgreSQL ") && !self.server.contains("-YB-")
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, CPython {}, psycopg {}", self.server, self.python, self.psycopg)
    }
}

pub struct Outcome {
    /// Its metrics are those of the moment when the load ended; its invariants had time to settle after that.
    pub summary: RunSummary,
    pub versions: Versions,
    trace: Trace,
}

impl Outcome {
    /// The trace as JSON.
    pub fn trace(&self) -> String {
        serde_json::to_string(&self.trace).expect("a trace is plain data")
    }
}

/// Runs `request` on `server`, in a schema that is gone afterwards. The load goes on after its time until `at_least` so many
/// requests of clients have come.
pub fn run(
    document: &ScenarioDocument,
    request: &RunRequest,
    server: &Server,
    at_least: u32,
) -> Result<Outcome, Failure> {
    if !request.changes.is_empty() {
        return Err(Failure::Usage(
            "error: --at works in the simulation only; on a real server give each variant a run of its own".into(),
        ));
    }
    let mut real = Real::new(document, request, server)?;
    let outcome = real.go(request, at_least);
    let cleaned = real.clean();
    let summary = match (outcome, cleaned) {
        (Ok(summary), Ok(())) => summary,
        (Err(failure), Ok(())) | (Ok(_), Err(failure)) => return Err(failure),
        (Err(failure), Err(left)) => return Err(Failure::Result(format!("{failure}\n{left}"))),
    };
    let versions = real.versions.take().expect("the auditor told them when it was ready");
    Ok(Outcome { summary, versions, trace: real.trace })
}

/// Lets `program`, which finds its server in the environment, go through its steps. What it says last, if all is as it says.
pub fn step(server: &Server, program: &str) -> Result<String, Failure> {
    const NAME: &str = "replay.py";
    let said = Python::prepare(&[(NAME, program)])?.output(NAME, server.address())?;
    said.map_err(|apart| Failure::Result(format!("error: the server does not do as the simulation says\n{apart}")))
}

/// What measure.py makes of `job` on `server`.
pub fn measure(server: &Server, mut job: Json) -> Result<Json, Failure> {
    let schema = server.new_schema();
    job["dsn"] = json!(server.dsn(&schema));
    job["setup"].as_array_mut().expect("a list of statements").insert(0, json!(format!("CREATE SCHEMA {schema}")));
    Python::prepare(&[(MEASURE, include_str!("measure.py"))])?.answer(MEASURE, &job)
}

/// One run on a real server.
struct Real<'a> {
    document: Rc<ScenarioDocument>,
    variant: VariantDocument,
    length: Duration,
    surroundings: Surroundings,
    /// Dropped before the server, which could not stop while somebody is connected.
    hosts: Vec<Host>,
    /// Lives so far; a killed process starts a new one.
    lives: u32,
    auditor: Host,
    audits: u64,
    monitor: Monitor,
    /// The clients' scripts, if they have some.
    scripts: Option<Host>,
    python: Python,
    server: &'a Server,
    /// Of this run alone.
    schema: String,
    replica_dsn: Option<String>,
    /// It is there and has to go.
    filled: bool,
    sender: Sender<Told>,
    told: Receiver<Told>,
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    plans: BTreeMap<u64, Plan>,
    planned: u64,
    trace: Trace,
    /// Of the texts that were started.
    kinds: BTreeMap<Symbol, StatementKind>,
    load: Load,
    requests: Requests,
    services: ServiceHost,
    versions: Option<Versions>,
}

/// When the run began, what is set, and its chance.
struct Surroundings {
    began: Instant,
    conditions: Conditions,
    rng: RngStreams,
}

impl Surroundings {
    fn now(&self) -> Micros {
        self.began.elapsed().as_micros() as Micros
    }

    fn circumstances(&mut self) -> Circumstances<'_> {
        Circumstances { now: self.now(), conditions: &self.conditions, rng: &mut self.rng }
    }
}

/// What is to happen at a moment.
enum Plan {
    Look,
    Load(load::Plan),
    Service(services::Plan),
}

impl Real<'_> {
    fn new<'a>(document: &ScenarioDocument, request: &RunRequest, server: &'a Server) -> Result<Real<'a>, Failure> {
        let environment = document.environment(&request.environment).expect("the environment was checked");
        let mut variant = document.variant(&request.variant).expect("the variant was checked").clone();
        if let Some(source) = request.sources.get(&variant.file) {
            variant.source.clone_from(source);
        }
        let mut knobs = environment.knobs.clone();
        knobs.extend(request.knobs.clone());
        let length_us = request.until_us.unwrap_or((environment.length_s * 1e6) as Micros);
        let mut files = vec![(variant.file.as_str(), variant.source.as_str())];
        if let Clients::Scripted { file, source, .. } = &document.simulation.clients {
            files.push((file, source));
        }
        let python = Python::prepare(&files)?;
        let document = Rc::new(document.clone());
        let (sender, told) = channel();
        let schema = server.new_schema();
        let lag_ms = document.simulation.machine.replica_lag_ms.as_ref().map(|lag| lag.at(&knobs));
        let replica_dsn = lag_ms.map(|lag_ms| server.replica_dsn(&schema, lag_ms)).transpose()?;
        let auditor = python.start(AUDITOR, None, audit_settings(server, &schema), sender.clone())?;
        Ok(Real {
            variant,
            length: Duration::from_micros(length_us),
            surroundings: Surroundings {
                began: Instant::now(),
                conditions: Conditions::new(knobs, environment.faults.iter().cloned().collect()),
                rng: RngStreams::new(request.seed),
            },
            hosts: Vec::new(),
            lives: 0,
            auditor,
            audits: 0,
            monitor: Monitor::new(document.clone()),
            scripts: None,
            python,
            server,
            schema,
            replica_dsn,
            filled: false,
            sender,
            told,
            due: BinaryHeap::new(),
            plans: BTreeMap::new(),
            planned: 0,
            trace: Trace::new(Keep::All),
            kinds: BTreeMap::new(),
            load: Load::new(document.clone()),
            requests: Requests::default(),
            services: ServiceHost::new(document.clone()),
            versions: None,
            document,
        })
    }

    fn go(&mut self, request: &RunRequest, at_least: u32) -> Result<RunSummary, Failure> {
        self.await_ready(1)?;
        self.fill_database()?;
        let processes = self.amount(&self.document.simulation.machine.processes.clone()) as u32;
        for process in 0..processes {
            let host = self.start_host(process)?;
            self.hosts.push(host);
        }
        self.start_scripts()?;
        self.await_ready(processes + u32::from(self.scripts.is_some()))?;
        self.surroundings.began = Instant::now();
        self.record(EventKind::MachinesSet { processes, pool: self.pool(), database_cores: 1 }, None);
        self.start_load();
        self.plan(LOOK_EVERY, Plan::Look);
        let progress = terminal::progress(self.length.as_secs() as usize, "seconds of real time");
        let began = self.surroundings.began;
        let end = began + self.length;
        let last = end.max(began + LONGEST);
        loop {
            let now = Instant::now();
            let goal = if self.requests.of_clients < at_least && now >= end { last } else { end };
            if now >= goal {
                break;
            }
            self.turn(goal)?;
            let elapsed = began.elapsed();
            progress.set_position(elapsed.as_secs());
            if elapsed > self.length {
                progress.set_length(elapsed.as_secs());
            }
        }
        self.requests.closed = true;
        self.look()?;
        let mut summary = summary_of(self.document.clone(), request, &self.trace, self.now());
        self.settle()?;
        progress.finish_and_clear();
        summary.invariants = summary_of(self.document.clone(), request, &self.trace, self.now()).invariants;
        summary.metrics.retain(|metric, _| !UNSEEN.contains(&metric.as_str()));
        Ok(summary)
    }

    /// Requests on their way end, workers go on, until every row that breaks an invariant is mended or had its time.
    fn settle(&mut self) -> Result<(), Failure> {
        let drained = Instant::now() + DRAIN;
        while Instant::now() < drained && self.requests.clients_in_flight() {
            self.turn(drained)?;
        }
        self.look()?;
        let settle_ms = self.document.invariants.iter().map(|invariant| invariant.settle_ms).fold(0.0, f64::max);
        let end = Instant::now() + Duration::from_micros((settle_ms * 1e3) as u64) + 2 * LOOK_EVERY;
        while Instant::now() < end && self.monitor.waits() {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Takes the next thing that is due or told, no later than `end`.
    fn turn(&mut self, end: Instant) -> Result<(), Failure> {
        let now = Instant::now();
        if let Some(Reverse((at, number))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            match self.plans.remove(&number).expect("a plan is taken once") {
                Plan::Look => self.ask_look(true),
                Plan::Load(plan) => self.take_load(plan)?,
                Plan::Service(plan) => self.take_service(plan),
            }
            return Ok(());
        }
        let next = self.due.peek().map_or(end, |Reverse((at, _))| (*at).min(end));
        match self.told.recv_timeout(next.saturating_duration_since(now)) {
            Ok(told) => self.hear(told),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.planned += 1;
        self.due.push(Reverse((Instant::now() + after, self.planned)));
        self.plans.insert(self.planned, plan);
    }

    fn hear(&mut self, Told { host, message }: Told) -> Result<(), Failure> {
        let Some(message) = message else { return Ok(()) };
        let request = message["request"].as_u64().map(|id| RequestId(id as u32));
        match message["did"].as_str().unwrap_or_default() {
            "ended" | "failed" if self.lives_on(host) => {
                let error = message["error"].as_str().unwrap_or_default();
                return Err(Failure::Result(format!("error: a Python process ended: {error}")));
            }
            "gave-up" => {
                let error = message["error"].as_str().unwrap_or_default().trim_end();
                return Err(Failure::Result(format!("error: a client's script failed:\n{error}")));
            }
            "audited" => self.audited(&message)?,
            "called" if host == CLIENTS && message["service"] == "app" => self.script_sends(&message),
            "statement" => {
                let (text, parameters) = (self.symbol(&message["text"]), self.symbol(&message["params"]));
                let (call, position) = (call_of(host, &message), self.position(&message));
                let kind = self.kind_of(text);
                self.record(EventKind::StatementStarted { call, position, text, parameters, kind }, request);
            }
            "answered" => {
                let outcome = match message["sqlstate"].as_str() {
                    None => StatementOutcome::Ok,
                    Some(code) if code.len() == 5 && code.is_ascii() => {
                        let message = self.symbol(&message["message"]);
                        StatementOutcome::Failed { sqlstate: Sqlstate::new(code), message }
                    }
                    Some(_) => StatementOutcome::Cancelled,
                };
                let finished = EventKind::StatementFinished {
                    call: call_of(host, &message),
                    outcome,
                    rows_read: 0,
                    rows: message["rows"].as_u64().unwrap_or(0) as u32,
                    database_us: 0,
                };
                self.record(finished, request);
            }
            "waits" => {
                let (call, position) = (call_of(host, &message), self.position(&message));
                self.record(EventKind::ConnectionWaitBegan { call, position }, request);
            }
            "connected" => {
                let (call, position) = (call_of(host, &message), self.position(&message));
                let waited_us = message["us"].as_u64().unwrap_or(0);
                self.record(EventKind::ConnectionAcquired { call, position, waited_us }, request);
            }
            "called" => self.call_service(host, &message),
            "logged" => self.collect_line(host, &message, request),
            "finished" => self.request_finished(&message),
            "ready" => self.host_ready(host),
            "weighed" => self.weighed(host, &message)?,
            _ => {}
        }
        Ok(())
    }

    fn start_host(&mut self, process: u32) -> Result<Host, Failure> {
        let machine = self.document.simulation.machine.clone();
        let host = self.lives;
        self.lives += 1;
        self.requests.host_of.insert(process, host);
        let settings = json!({
            "role": "serve",
            "dsn": self.server.dsn(&self.schema),
            "replica_dsn": self.replica_dsn,
            "pool": self.pool(),
            "pool_timeout_s": self.amount(&machine.pool_timeout_ms) / 1e3,
            "network_s": self.amount(&machine.network_ms) / 1e3,
        });
        self.python.start(host, Some(&self.variant.file), settings, self.sender.clone())
    }

    /// Waits until so many hosts have connected.
    fn await_ready(&mut self, mut count: u32) -> Result<(), Failure> {
        let end = Instant::now() + START;
        while count > 0 {
            let told = self.told.recv_timeout(end.saturating_duration_since(Instant::now()));
            let Told { host, message } = told.map_err(|_| {
                let limit = START.as_secs();
                Failure::Result(format!("error: the server took no connection within {limit} s; {}", self.server))
            })?;
            let Some(message) = message else { continue };
            match message["did"].as_str() {
                Some("ready") => {
                    count -= 1;
                    if host == AUDITOR {
                        self.versions = Some(versions(&message)?);
                    }
                }
                Some("failed") => {
                    let error = message["error"].as_str().unwrap_or_default();
                    return Err(Failure::Result(format!("error: {}; {error}", self.server)));
                }
                _ => self.hear(Told { host, message: Some(message) })?,
            }
        }
        Ok(())
    }

    fn pool(&self) -> u32 {
        self.amount(&self.document.simulation.machine.pool) as u32
    }

    fn amount(&self, amount: &Amount) -> f64 {
        self.surroundings.conditions.amount(amount)
    }

    fn now(&self) -> Micros {
        self.surroundings.now()
    }

    fn record(&mut self, kind: EventKind, request: Option<RequestId>) {
        self.trace.record(Event { at: self.now(), request, session: None, xid: None, kind });
    }

    /// A text is read when it is new; what it names is told then.
    fn kind_of(&mut self, text: Symbol) -> StatementKind {
        if let Some(kind) = self.kinds.get(&text) {
            return *kind;
        }
        let footprint = footprint(self.trace.strings.text(text), true);
        if names_tables(footprint.kind) {
            let described = statement_described(&mut self.trace.strings, text, &footprint);
            self.record(described, None);
        }
        self.kinds.insert(text, footprint.kind);
        footprint.kind
    }

    fn symbol(&mut self, value: &Json) -> Symbol {
        match value {
            Json::String(text) => self.trace.strings.intern(text),
            value => self.trace.strings.intern(&value.to_string()),
        }
    }

    fn position(&mut self, message: &Json) -> Position {
        let file = self.trace.strings.intern(&self.variant.file);
        Position { file, line: message["line"].as_u64().unwrap_or(0) as u32 }
    }
}

fn audit_settings(server: &Server, schema: &str) -> Json {
    let at_end = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    json!({ "role": "audit", "dsn": server.dsn(schema), "at_end": at_end })
}

fn versions(ready: &Json) -> Result<Versions, Failure> {
    let text = |key: &str| ready[key].as_str().unwrap_or_default().to_string();
    let full = text("name");
    let server = full.split(" (").next().and_then(|name| name.split(" on ").next()).unwrap_or(&full).to_string();
    if ready["server"].as_u64().unwrap_or(0) / 10_000 < OLDEST {
        return Err(Failure::Result(format!(
            "error: the server is {server}; the scenarios need PostgreSQL {OLDEST} or newer, and are compared with 15"
        )));
    }
    Ok(Versions { server, python: text("python"), psycopg: text("psycopg") })
}

/// Unique over all lives of all hosts.
fn call_of(host: u32, message: &Json) -> CallId {
    CallId(host.wrapping_mul(CALLS_OF_A_HOST) + message["call"].as_u64().unwrap_or(0) as u32)
}
