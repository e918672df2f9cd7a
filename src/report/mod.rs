//! What a trace says, for people: numbers, charts, a timeline, cases. It sees the trace and the scenario's words and nothing else, so
//! command line, tests and page cannot disagree.

mod answers;
mod cases;
mod failures;
mod live;
mod locks;
mod lost_updates;
mod metrics;
mod stretches;
mod tables;
mod timeline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::scenario::ScenarioDocument;
use crate::trace::{CallId, EventKind, LogLevel, Micros, Position, RequestId, StatementOutcome, Symbol, Trace};

pub use answers::answers;
pub use failures::{ErrorGroup, Failure};
pub use live::{
    Frame, InvariantNow, LitLine, Live, Mark, MarkFamily, MetricNow, PageNotice, RequestCounts, SAMPLE_US, Sample,
    Severity,
};
pub use locks::{LockHolder, LockWait};
pub use metrics::measured;
pub use stretches::{DRAIN_US, INHERITED_DAMAGE_US, Stretch, Verdict};
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

/// A table at a moment: the rows the run has written or locked, those in somebody's hands first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TableNow {
    pub name: String,
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

/// How many lines of the log and how many cases of one kind a report shows at the most, the latest ones.
const LINES_SHOWN: usize = 2_000;

/// What happened from `from` to `to`, as far as the trace still has it.
pub fn build(trace: &Trace, document: &ScenarioDocument, from: Micros, to: Micros) -> Report {
    Report {
        from_us: from,
        to_us: to,
        timeline: timeline::timeline(trace, from, to),
        cases: cases::cases(trace, document, from, to),
        queries: queries(trace, from, to),
        log: log(trace, from, to),
    }
}

fn queries(trace: &Trace, from: Micros, to: Micros) -> Vec<QueryGroup> {
    let mut groups: BTreeMap<(Symbol, Position), (QueryGroup, BTreeMap<RequestId, u32>)> = BTreeMap::new();
    let mut calls: BTreeMap<CallId, (Symbol, Position)> = BTreeMap::new();
    for event in trace.events().take_while(|event| event.at <= to) {
        let inside = event.at >= from;
        match &event.kind {
            EventKind::StatementStarted { call, position, text, .. } => {
                calls.insert(*call, (*text, *position));
                if let Some(request) = event.request.filter(|_| inside) {
                    let (group, requests) = groups.entry((*text, *position)).or_insert_with(|| {
                        let group = QueryGroup {
                            text: trace.strings.text(*text).to_owned(),
                            file: trace.strings.text(position.file).to_owned(),
                            line: position.line,
                            count: 0,
                            count_in_one_request_max: 0,
                            rows_read: 0.0,
                            rows: 0.0,
                            database_us: 0.0,
                            lock_wait_us: 0.0,
                            failed: 0,
                        };
                        (group, BTreeMap::new())
                    });
                    group.count += 1;
                    let in_request = requests.entry(request).or_default();
                    *in_request += 1;
                    group.count_in_one_request_max = group.count_in_one_request_max.max(*in_request);
                }
            }
            EventKind::StatementFinished { call, outcome, rows_read, rows, database_us } => {
                if let Some((group, _)) = calls.remove(call).and_then(|key| groups.get_mut(&key)).filter(|_| inside) {
                    group.rows_read += f64::from(*rows_read);
                    group.rows += f64::from(*rows);
                    group.database_us += *database_us as f64;
                    group.failed += u32::from(matches!(outcome, StatementOutcome::Failed { .. }));
                }
            }
            EventKind::LockGranted { call, waited_us } => {
                if let Some((group, _)) = calls.get(call).and_then(|key| groups.get_mut(key)).filter(|_| inside) {
                    group.lock_wait_us += *waited_us as f64;
                }
            }
            _ => {}
        }
    }
    let mut groups = groups.into_values().map(|(group, _)| group).collect::<Vec<_>>();
    groups.sort_by(|a, b| {
        b.database_us.total_cmp(&a.database_us).then_with(|| (a.line, &a.text).cmp(&(b.line, &b.text)))
    });
    groups
}

fn log(trace: &Trace, from: Micros, to: Micros) -> Vec<LogLine> {
    let in_window = trace.events().rev().skip_while(|event| event.at > to).take_while(|event| event.at >= from);
    let mut lines = in_window
        .filter_map(|event| match &event.kind {
            EventKind::Logged { level, text, .. } => Some(LogLine {
                at_us: event.at,
                level: *level,
                request: event.request.map_or(0, |request| request.0),
                text: trace.strings.text(*text).to_owned(),
            }),
            EventKind::RequestFinished { error: Some(error), .. } => Some(LogLine {
                at_us: event.at,
                level: LogLevel::Error,
                request: event.request.map_or(0, |request| request.0),
                text: trace.strings.text(*error).trim_end().to_owned(),
            }),
            _ => None,
        })
        .take(LINES_SHOWN)
        .collect::<Vec<_>>();
    lines.reverse();
    lines
}
