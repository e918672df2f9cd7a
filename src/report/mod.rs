//! What a trace says, for people: numbers, charts, a timeline, cases. It sees the trace and the scenario's words and nothing else, so
//! command line, tests and page cannot disagree.

mod answers;
mod cases;
mod collision;
mod failures;
mod fold;
mod histogram;
mod index;
mod lit;
mod live;
mod locks;
mod lost_updates;
mod metrics;
mod queries;
mod stretches;
mod tables;
mod timeline;
mod totals;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::scenario::ScenarioDocument;
use crate::trace::{LogLevel, Micros, Trace};

use index::TraceIndex;

pub use answers::answers;
pub use collision::{Cell, Collision, CollisionRequest, CollisionStep, StepKind, collision};
pub use failures::{ErrorGroup, Failure};
pub use live::{
    Frame, InvariantNow, LitLine, Live, Mark, MarkFamily, MetricNow, PageNotice, RequestCounts, SAMPLE_US, Sample,
    Severity,
};
pub use locks::{LockHolder, LockWait, locks};
pub use metrics::measured;
pub use stretches::{Stretch, Verdict};
pub use tables::tables;

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

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
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
    /// When the row was first seen that breaks the rule, the ring of waits was closed that is a deadlock, or the change was written over
    /// that the commit then lost; else the same as `at_us`.
    #[ts(type = "number")]
    pub since_us: Micros,
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

/// A table at a moment: the rows the run has written or locked, those in somebody's hands first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TableNow {
    pub name: String,
    /// In the order of its versions' values; a dropped one keeps its place, without a name.
    pub columns: Vec<String>,
    pub rows: Vec<RowNow>,
    pub rows_left_out: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowNow {
    pub key: String,
    /// Newest first.
    pub versions: Vec<RowVersion>,
    pub locks: Vec<RowLock>,
    /// Requests that wait for it.
    pub waiting: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowVersion {
    #[ts(type = "number")]
    pub at_us: Micros,
    /// `None`: its transaction has not ended, and nobody else sees it.
    #[ts(type = "number | null")]
    pub committed_us: Option<Micros>,
    pub request: Option<u32>,
    /// In the order of the table's columns, NULL as `None`; `None`: the row was deleted.
    pub values: Option<Vec<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowLock {
    pub request: Option<u32>,
    /// As SQL writes it: `FOR UPDATE`.
    pub strength: String,
}

/// A request of a client that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Answered {
    pub client: u32,
    /// The client's first request is 1.
    pub turn: u32,
    pub request: u32,
    pub arguments: String,
    #[ts(type = "number")]
    pub from_us: Micros,
    #[ts(type = "number")]
    pub at_us: Micros,
    pub status: u16,
}

/// How many lines of the log a report shows at the most, the latest ones.
const LINES_SHOWN: usize = 2_000;

/// What happened from `from` to `to`, as far as the trace still has it.
pub fn build(live: &Live, trace: &Trace, document: &ScenarioDocument, from: Micros, to: Micros) -> Report {
    let index = live.index();
    Report {
        from_us: from,
        to_us: to,
        timeline: timeline::timeline(index, trace, from, to),
        cases: cases::cases(index, trace, document, from, to),
        queries: queries::queries(index, trace, from, to),
        log: log(index, trace, from, to),
    }
}

fn log(index: &TraceIndex, trace: &Trace, from: Micros, to: Micros) -> Vec<LogLine> {
    let in_window = index.lines().rev().skip_while(|line| line.at > to).take_while(|line| line.at >= from);
    let line = |line: &index::Line| LogLine {
        at_us: line.at,
        level: line.level,
        request: line.request.map_or(0, |request| request.0),
        text: trace.strings.text(line.text).trim_end().to_owned(),
    };
    let mut lines = in_window.take(LINES_SHOWN).map(line).collect::<Vec<_>>();
    lines.reverse();
    lines
}
