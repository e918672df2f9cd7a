//! What the page and the command line ask and get: plain data, the same in both. TypeScript's types are generated from here.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use crate::sim::{Change, RunError, RunRequest, ScheduleError, TimedChange};
use crate::trace::{LogLevel, Micros};

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

/// A stretch of the run in detail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Report {
    #[ts(type = "number")]
    pub from_us: Micros,
    #[ts(type = "number")]
    pub to_us: Micros,
    pub timeline: Timeline,
    pub cases: Vec<Case>,
    pub queries: Vec<QueryGroup>,
    pub log: Vec<LogLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Timeline {
    /// Top to bottom.
    pub lanes: Vec<Lane>,
    /// By start. At most `SPANS_SHOWN`, the latest of the window; `spans_left_out` counts the rest.
    pub spans: Vec<Span>,
    pub arrows: Vec<Arrow>,
    pub spans_left_out: u32,
}

/// How many spans a report draws at the most.
pub const SPANS_SHOWN: usize = 50_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Lane {
    pub family: LaneFamily,
    pub label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum LaneFamily {
    Client,
    Service,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Span {
    /// Index into `lanes`.
    pub lane: u32,
    #[ts(type = "number")]
    pub from_us: Micros,
    /// `None`: still going on at the window's end.
    #[ts(type = "number | null")]
    pub to_us: Option<Micros>,
    pub family: SpanFamily,
    /// A few words: the statement, the service's method, the request's outcome.
    pub label: String,
    pub request: u32,
    /// Line in the handler, if the span was caused by one.
    pub file: Option<String>,
    pub line: Option<u32>,
    /// What to show on a click, a line each: rows read and written, the error, who held the lock.
    pub details: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum SpanFamily {
    /// A whole request that answered below 500.
    Request,
    /// A whole request that failed.
    RequestFailed,
    /// Waiting for a connection of the pool.
    PoolWait,
    Statement,
    StatementFailed,
    LockWait,
    Service,
    ServiceFailed,
    Sleep,
}

/// From a waiting span to the lane of the session that holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Arrow {
    #[ts(type = "number")]
    pub at_us: Micros,
    pub from_lane: u32,
    pub to_lane: u32,
}

/// One thing that went wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Case {
    /// The metric or invariant it belongs to.
    pub of: String,
    #[ts(type = "number")]
    pub at_us: Micros,
    /// `Request 12 read stock = 1 at line 9, request 14 wrote it before line 14 …`
    pub sentence: String,
    pub requests: Vec<u32>,
}

/// Statements of one text from one line of code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct QueryGroup {
    pub text: String,
    pub file: String,
    pub line: u32,
    pub count: u32,
    /// Most of them in one request: more than one from one line is a loop.
    pub count_in_one_request_max: u32,
    pub rows_read: f64,
    pub rows: f64,
    pub database_us: f64,
    pub lock_wait_us: f64,
    pub failed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LogLine {
    #[ts(type = "number")]
    pub at_us: Micros,
    pub level: LogLevel,
    pub request: u32,
    pub text: String,
}

/// A run made at build time, painted before the engine is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Recording {
    pub request: RunRequest,
    pub schedule: String,
    pub trace_hash: String,
    /// Every `FRAME_US` of virtual time.
    pub frames: Vec<Frame>,
    /// A short stretch for the timeline.
    pub report: Report,
}
