//! Follows a trace while it grows: the numbers now, the chart's newest buckets, the lines where clients stand.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::failures::{ErrorGroup, Failure, Failures};
use super::lost_updates::LostUpdates;
use super::metrics::{Fold, Moment};
use super::stretches::{Stretch, Stretches};
use crate::scenario::ScenarioDocument;
use crate::trace::{ChangeFamily, Event, EventKind, Micros, Position, RequestId, RowRef, Symbol, Trace};

/// One step of the screen: what is new since the last one, and the totals now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Frame {
    #[ts(type = "number")]
    pub now_us: Micros,
    /// The run reached its end or a limit; nothing more will happen.
    pub ended: bool,
    pub requests: RequestCounts,
    /// In the order of `ScenarioDocument::metrics`.
    pub metrics: Vec<MetricNow>,
    /// In the order of `ScenarioDocument::invariants`.
    pub invariants: Vec<InvariantNow>,
    /// The run cut where code was deployed, oldest first; the last one is what runs now.
    pub stretches: Vec<Stretch>,
    /// The latest request that failed, however long ago.
    pub failure: Option<Failure>,
    /// Buckets of the chart that were completed since the last frame.
    pub samples: Vec<Sample>,
    /// Where clients stand in the code at this moment.
    pub lit: Vec<LitLine>,
    pub marks: Vec<Mark>,
    /// Things to tell the user now: edited code that does not compile, a limit that was met.
    pub notices: Vec<PageNotice>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RequestCounts {
    pub started: u32,
    pub ok: u32,
    /// Status 500 and above: exceptions, deadlock victims, timeouts. A 4xx such as "sold out" is an answer, so `ok`.
    pub failed: u32,
    pub in_flight: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MetricNow {
    /// Over the whole run: a count, or the latest value of a gauge, or the quantile of all requests.
    pub total: f64,
    /// The same over the last virtual second, as a rate a second for counts. `None`: nothing to measure yet.
    pub recent: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InvariantNow {
    /// Rows that break it now.
    pub broken: u32,
    /// Rows that ever broke it in this run.
    pub broken_ever: u32,
}

/// One bucket of the chart, `SAMPLE_US` wide, in the order of the scenario's metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Sample {
    #[ts(type = "number")]
    pub at_us: Micros,
    pub values: Vec<Option<f64>>,
}

/// Width of the chart's buckets.
pub const SAMPLE_US: Micros = 250_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LitLine {
    pub file: String,
    pub line: u32,
    pub clients: u32,
    /// Of these, how many wait for a lock, and how many for a connection.
    pub lock_waits: u32,
    pub pool_waits: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Mark {
    #[ts(type = "number")]
    pub at_us: Micros,
    pub family: MarkFamily,
    pub label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum MarkFamily {
    Deploy,
    Knob,
    Fault,
    Broken,
    Limit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PageNotice {
    pub severity: Severity,
    pub text: String,
    /// Where in the user's code, if there.
    pub file: Option<String>,
    pub line: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Note,
    Error,
}

/// What is known of a run up to the last event taken in.
pub struct Live {
    document: Rc<ScenarioDocument>,
    /// Number of the next event to take in.
    next: u32,
    bucket: Micros,
    folds: Vec<Fold>,
    lost_updates: LostUpdates,
    stretches: Stretches,
    failures: Failures,
    /// By row, the stretch of the request that wrote it last.
    writers: BTreeMap<RowRef, u32>,
    /// By invariant, the table whose rows its cases are.
    about: BTreeMap<Symbol, Symbol>,
    counts: RequestCounts,
    requests: BTreeMap<RequestId, OpenRequest>,
    broken: Vec<Broken>,
    samples: Vec<Sample>,
    marks: Vec<Mark>,
    notices: Vec<PageNotice>,
}

/// A request on its way.
#[derive(Default)]
pub struct OpenRequest {
    pub started_at: Micros,
    /// A background worker's turn: no client waits for it.
    pub worker: bool,
    /// Which stretch's code it runs.
    stretch: u32,
    /// Statements that read or write, without those that only frame a transaction.
    pub statements: u32,
    pub rows_read: u32,
    pub lock_wait_us: Micros,
    pub pool_wait_us: Micros,
    place: Option<Position>,
    waits_for: Option<WaitsFor>,
}

#[derive(Clone, Copy, PartialEq)]
enum WaitsFor {
    Lock,
    Connection,
}

/// How one invariant stands.
#[derive(Default)]
struct Broken {
    now: BTreeMap<Symbol, ()>,
    ever: BTreeMap<Symbol, ()>,
}

impl Live {
    pub fn new(document: Rc<ScenarioDocument>) -> Live {
        Live {
            next: 0,
            bucket: 0,
            folds: document.metrics.iter().map(Fold::new).collect(),
            lost_updates: LostUpdates::default(),
            stretches: Stretches::new(document.clone()),
            failures: Failures::default(),
            writers: BTreeMap::new(),
            about: BTreeMap::new(),
            counts: RequestCounts::default(),
            requests: BTreeMap::new(),
            broken: document.invariants.iter().map(|_| Broken::default()).collect(),
            samples: vec![],
            marks: vec![],
            notices: vec![],
            document,
        }
    }

    /// Takes in what is new in `trace`, whose run has come to `now`.
    pub fn follow(&mut self, trace: &Trace, now: Micros) {
        for event in trace.since(self.next) {
            self.close_buckets(event.at);
            self.take(trace, event);
        }
        self.next = trace.len();
        self.close_buckets(now);
    }

    /// The same, only up to a moment.
    pub fn follow_until(&mut self, trace: &Trace, at: Micros) {
        for event in trace.since(self.next).take_while(|event| event.at <= at) {
            self.close_buckets(event.at);
            self.take(trace, event);
            self.next += 1;
        }
        self.close_buckets(at);
    }

    /// The screen as it is now. Samples, marks and notices are handed out once.
    pub fn frame(&mut self, trace: &Trace, now: Micros, ended: bool) -> Frame {
        Frame {
            now_us: now,
            ended,
            requests: RequestCounts { in_flight: self.in_flight(), ..self.counts },
            metrics: self.metrics(),
            invariants: self.invariants(),
            stretches: self.stretches(trace),
            failure: self.failures.latest(trace, now),
            samples: std::mem::take(&mut self.samples),
            lit: self.lit(trace),
            marks: std::mem::take(&mut self.marks),
            notices: std::mem::take(&mut self.notices),
        }
    }

    pub fn requests(&self) -> RequestCounts {
        RequestCounts { in_flight: self.in_flight(), ..self.counts }
    }

    pub fn metrics(&self) -> Vec<MetricNow> {
        self.folds.iter().map(Fold::now).collect()
    }

    pub fn invariants(&self) -> Vec<InvariantNow> {
        let now =
            |broken: &Broken| InvariantNow { broken: broken.now.len() as u32, broken_ever: broken.ever.len() as u32 };
        self.broken.iter().map(now).collect()
    }

    pub fn stretches(&self, trace: &Trace) -> Vec<Stretch> {
        self.stretches.now(trace, |place| self.folds.iter().map(|fold| fold.of_stretch(place)).collect())
    }

    pub fn errors(&self, to: Micros) -> Vec<ErrorGroup> {
        self.failures.groups(to)
    }

    fn in_flight(&self) -> u32 {
        self.requests.values().filter(|request| !request.worker).count() as u32
    }

    fn close_buckets(&mut self, now: Micros) {
        while now >= self.bucket + SAMPLE_US {
            let values = self.folds.iter_mut().map(Fold::close_bucket).collect();
            self.samples.push(Sample { at_us: self.bucket, values });
            self.bucket += SAMPLE_US;
        }
    }

    fn take(&mut self, trace: &Trace, event: &Event) {
        self.before(trace, event);
        let lost_update = self.lost_updates.take(trace, event).len() as u32;
        let request = event.request.and_then(|request| self.requests.get(&request));
        let blamed = self.stretches.blamed(event.at);
        let moment = Moment { trace, event, request, lost_updates: lost_update, blamed };
        for fold in &mut self.folds {
            fold.take(&moment);
        }
        self.after(trace, event);
    }

    /// What the metrics must know of the request when they see the event.
    fn before(&mut self, trace: &Trace, event: &Event) {
        if let EventKind::Deployed { variant, edited, .. } = &event.kind {
            self.deployed(trace, event.at, *variant, *edited);
        }
        if let (EventKind::RequestStarted { client, variant, .. }, Some(id)) = (&event.kind, event.request) {
            let worker = client.is_none();
            if self.stretches.count() == 0 {
                // A run on a real server: nobody tells what is deployed.
                self.deployed(trace, 0, *variant, false);
            }
            let stretch = self.stretches.count() as u32 - 1;
            self.requests.insert(id, OpenRequest { started_at: event.at, worker, stretch, ..OpenRequest::default() });
            self.counts.started += u32::from(!worker);
        }
        let Some(request) = event.request.and_then(|request| self.requests.get_mut(&request)) else { return };
        match &event.kind {
            EventKind::StatementStarted { position, text, .. } => {
                self.stretches.called(request.stretch);
                request.place = Some(*position);
                request.statements += u32::from(!frames_a_transaction(trace.strings.text(*text)));
            }
            EventKind::StatementFinished { rows_read, .. } => {
                request.waits_for = None;
                request.rows_read += rows_read;
            }
            EventKind::ConnectionWaitBegan { position, .. } => {
                request.place = Some(*position);
                request.waits_for = Some(WaitsFor::Connection);
            }
            EventKind::ConnectionAcquired { position, waited_us, .. } => {
                request.place = Some(*position);
                request.waits_for = None;
                request.pool_wait_us += waited_us;
            }
            EventKind::ConnectionRefused { waited_us, .. } => {
                request.waits_for = None;
                request.pool_wait_us += waited_us;
            }
            EventKind::LockWaitBegan { .. } => request.waits_for = Some(WaitsFor::Lock),
            EventKind::LockGranted { waited_us, .. } => {
                request.waits_for = None;
                request.lock_wait_us += waited_us;
            }
            EventKind::ServiceCalled { position, .. } => {
                self.stretches.called(request.stretch);
                request.place = Some(*position);
            }
            EventKind::Slept { position, .. } | EventKind::Blocked { position, .. } => {
                request.place = Some(*position);
            }
            EventKind::VersionWritten { row, .. } => {
                self.stretches.wrote(request.stretch, row.table);
                self.writers.insert(*row, request.stretch);
            }
            _ => {}
        }
    }

    fn after(&mut self, trace: &Trace, event: &Event) {
        match &event.kind {
            EventKind::RequestFinished { status, body, error } => {
                let Some(request) = event.request else { return };
                let Some(ended) = self.requests.remove(&request) else { return };
                if *status >= 500 {
                    self.failures.take(trace, event.at, request, *body, *error, ended.place);
                }
                if !ended.worker {
                    self.counts.ok += u32::from(*status < 500);
                    self.counts.failed += u32::from(*status >= 500);
                    self.stretches.answered(ended.stretch, *status);
                }
            }
            EventKind::InvariantReads { invariant, tables, about } => {
                self.stretches.reads(tables);
                about.map(|about| self.about.insert(*invariant, about));
            }
            EventKind::ChangeApplied { change, text } => {
                let family = match change {
                    ChangeFamily::Deploy => MarkFamily::Deploy,
                    ChangeFamily::Knob => MarkFamily::Knob,
                    ChangeFamily::Fault => MarkFamily::Fault,
                };
                self.mark(event.at, family, trace.strings.text(*text));
            }
            EventKind::ChangeRefused { reason, position, .. } => {
                let file = position.map(|position| trace.strings.text(position.file).to_owned());
                self.notices.push(PageNotice {
                    severity: Severity::Error,
                    text: trace.strings.text(*reason).to_owned(),
                    file,
                    line: position.map(|position| position.line),
                });
            }
            EventKind::ProcessKilled { process } => {
                self.mark(event.at, MarkFamily::Fault, &format!("process {} died", process.0 + 1));
            }
            EventKind::LimitReached { limit } => {
                let text = trace.strings.text(*limit);
                self.mark(event.at, MarkFamily::Limit, text);
                let (severity, text) = (Severity::Note, text.to_owned());
                self.notices.push(PageNotice { severity, text, file: None, line: None });
            }
            EventKind::InvariantBroken { invariant, case, since, .. } => {
                if let Some(place) = self.invariant(trace, *invariant) {
                    let row = self.about.get(invariant).map(|table| RowRef { table: *table, key: *case });
                    let writer = row.and_then(|row| self.writers.get(&row).copied());
                    self.stretches.broke(place, *case, *since, writer);
                    let broken = &mut self.broken[place];
                    let first = broken.ever.is_empty();
                    broken.now.insert(*case, ());
                    broken.ever.insert(*case, ());
                    if first {
                        let sentence = self.document.invariants[place].sentence.clone();
                        self.mark(event.at, MarkFamily::Broken, &sentence);
                    }
                }
            }
            EventKind::InvariantMended { invariant, case } => {
                if let Some(place) = self.invariant(trace, *invariant) {
                    self.broken[place].now.remove(case);
                }
            }
            _ => {}
        }
    }

    fn deployed(&mut self, trace: &Trace, at: Micros, variant: Symbol, edited: bool) {
        self.stretches.deployed(trace, at, variant, edited);
        self.folds.iter_mut().for_each(Fold::begin_stretch);
    }

    fn invariant(&self, trace: &Trace, id: Symbol) -> Option<usize> {
        let id = trace.strings.text(id);
        self.document.invariants.iter().position(|invariant| invariant.id == id)
    }

    fn mark(&mut self, at_us: Micros, family: MarkFamily, label: &str) {
        self.marks.push(Mark { at_us, family, label: label.to_owned() });
    }

    fn lit(&self, trace: &Trace) -> Vec<LitLine> {
        let mut lines: BTreeMap<Position, LitLine> = BTreeMap::new();
        for request in self.requests.values().filter(|request| !request.worker) {
            let Some(place) = request.place else { continue };
            let line = lines.entry(place).or_insert_with(|| LitLine {
                file: trace.strings.text(place.file).to_owned(),
                line: place.line,
                clients: 0,
                lock_waits: 0,
                pool_waits: 0,
            });
            line.clients += 1;
            line.lock_waits += u32::from(request.waits_for == Some(WaitsFor::Lock));
            line.pool_waits += u32::from(request.waits_for == Some(WaitsFor::Connection));
        }
        lines.into_values().collect()
    }
}

/// BEGIN and its like: round trips, but no questions.
fn frames_a_transaction(text: &str) -> bool {
    let word = text.trim_start().split([' ', ';', '\n']).next().unwrap_or_default();
    const FRAMES: [&str; 8] = ["begin", "start", "commit", "end", "rollback", "savepoint", "release", "set"];
    FRAMES.iter().any(|frame| word.eq_ignore_ascii_case(frame))
}
