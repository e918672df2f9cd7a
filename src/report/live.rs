//! Follows a trace while it grows: the numbers now, the chart's newest buckets, the lines where clients stand.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::failures::{ErrorGroup, Failure};
use super::index::TraceIndex;
use super::lit::lit;
use super::stretches::Stretch;
use super::totals::Totals;
use crate::scenario::ScenarioDocument;
use crate::trace::{ChangeFamily, Event, EventKind, LogLevel, Micros, Position, Trace};

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

/// What Python itself warns of begins so: above all a forgotten `await`, after which nothing happens and nothing fails.
const INTERPRETERS_OWN: &str = "RuntimeWarning: ";

/// What is known of a run up to the last event taken in.
pub struct Live {
    document: Rc<ScenarioDocument>,
    index: TraceIndex,
    totals: Totals,
    /// Copies of the totals, oldest first, each with the moment up to which it counts.
    checkpoints: VecDeque<(Micros, Totals)>,
    samples: Vec<Sample>,
    marks: Vec<Mark>,
    notices: Vec<PageNotice>,
    /// Places whose warning was told.
    warned: BTreeSet<Position>,
}

/// So many events lie between two checkpoints: few enough that any moment's counts are had again in a few milliseconds.
const CHECKPOINT_EVENTS: u32 = 4_096;

impl Live {
    pub fn new(document: Rc<ScenarioDocument>) -> Live {
        Live {
            index: TraceIndex::new(),
            totals: Totals::new(document.clone()),
            checkpoints: VecDeque::new(),
            samples: vec![],
            marks: vec![],
            notices: vec![],
            warned: BTreeSet::new(),
            document,
        }
    }

    /// For whoever asks for nothing of the past.
    pub fn of_totals(document: Rc<ScenarioDocument>) -> Live {
        Live { index: TraceIndex::of_totals(), ..Live::new(document) }
    }

    /// Takes in what is new in `trace`, whose run has come to `now`.
    pub fn follow(&mut self, trace: &Trace, now: Micros) {
        // Whoever looks too seldom for what the trace keeps has missed something.
        self.totals.next = self.totals.next.max(trace.forgotten());
        for event in trace.since(self.totals.next) {
            self.totals.close_buckets(event.at, &mut self.samples);
            let last = self.checkpoints.back().map_or(0, |(_, totals)| totals.next);
            if self.index.keeps() && (self.checkpoints.is_empty() || self.totals.next - last >= CHECKPOINT_EVENTS) {
                self.checkpoints.push_back((event.at, self.totals.clone()));
            }
            self.take(trace, event);
        }
        self.totals.close_buckets(now, &mut self.samples);
        self.index.forget(trace);
        // Of what the trace has let go nothing can be counted again.
        while self.checkpoints.len() > 1
            && self.checkpoints.front().is_some_and(|(_, old)| old.next < trace.forgotten())
        {
            self.checkpoints.pop_front();
        }
    }

    /// The screen as it is now. Samples, marks and notices are handed out once.
    pub fn frame(&mut self, trace: &Trace, now: Micros, ended: bool) -> Frame {
        Frame {
            samples: std::mem::take(&mut self.samples),
            marks: std::mem::take(&mut self.marks),
            notices: std::mem::take(&mut self.notices),
            ..self.shown(trace, &self.totals, now, ended)
        }
    }

    /// The screen as it was at a moment, or at the oldest one that is still kept; without samples, marks and notices, which each frame
    /// hands out but once.
    pub fn moment(&self, trace: &Trace, at: Micros) -> Frame {
        let before = self.checkpoints.partition_point(|(from, _)| *from <= at);
        let Some((from, totals)) = self.checkpoints.get(before.saturating_sub(1)) else {
            return self.shown(trace, &self.totals, at, false);
        };
        let mut totals = totals.clone();
        let at = at.max(*from);
        for event in trace.since(totals.next).take_while(|event| event.at <= at) {
            totals.close_buckets(event.at, &mut vec![]);
            totals.recount(trace, &self.index, event);
        }
        totals.close_buckets(at, &mut vec![]);
        self.shown(trace, &totals, at, false)
    }

    fn shown(&self, trace: &Trace, totals: &Totals, at: Micros, ended: bool) -> Frame {
        Frame {
            now_us: at,
            ended,
            requests: totals.requests(),
            metrics: totals.metrics(),
            invariants: totals.invariants(),
            stretches: totals.stretches(trace),
            failure: self.index.failures().latest(trace, at),
            samples: vec![],
            lit: lit(&self.index, trace, at),
            marks: vec![],
            notices: vec![],
        }
    }

    pub fn index(&self) -> &TraceIndex {
        &self.index
    }

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    pub fn errors(&self, to: Micros) -> Vec<ErrorGroup> {
        self.index.failures().groups(to)
    }

    fn take(&mut self, trace: &Trace, event: &Event) {
        let number = self.totals.next;
        let taken = self.index.take(trace, number, event);
        let told = self.totals.take(trace, event, &taken);
        match &event.kind {
            EventKind::InvariantBroken { .. } => {
                let Some(told) = told else { return };
                self.index.broke(number, event, told.invariant, told.stretch);
                if told.first {
                    let sentence = self.document.invariants[told.invariant].sentence.clone();
                    self.mark(event.at, MarkFamily::Broken, &sentence);
                }
            }
            EventKind::InvariantMended { case, .. } => {
                if let Some(told) = told {
                    self.index.mended(told.invariant, *case, event.at)
                }
            }
            _ => self.announce(trace, event),
        }
    }

    fn announce(&mut self, trace: &Trace, event: &Event) {
        match &event.kind {
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
            EventKind::Logged { level: LogLevel::Warning, text, position } => {
                let text = trace.strings.text(*text);
                if text.starts_with(INTERPRETERS_OWN) && self.warned.insert(*position) {
                    self.notices.push(PageNotice {
                        severity: Severity::Note,
                        text: text.to_owned(),
                        file: Some(trace.strings.text(position.file).to_owned()),
                        line: Some(position.line),
                    });
                }
            }
            _ => {}
        }
    }

    fn mark(&mut self, at_us: Micros, family: MarkFamily, label: &str) {
        self.marks.push(Mark { at_us, family, label: label.to_owned() });
    }
}
