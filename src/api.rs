//! What the page and the command line ask and get: plain data, the same in both. TypeScript's types are generated from here.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use crate::console::{
    Console, ConsoleOutput, ConsoleReply, ConsoleSession, ConsoleState, ConsoleWait, SESSIONS_MAX, sql_speeds,
    statement_in_work,
};
pub use crate::report::{
    Answered, Arrow, Case, Cell, Collision, CollisionRequest, CollisionStep, ErrorGroup, Failure, Frame, InvariantNow,
    Lane, LaneFamily, LitLine, LockHolder, LockWait, LogLine, Mark, MarkFamily, MetricNow, PageNotice, QueryGroup,
    Report, RequestCounts, RowLock, RowNow, RowVersion, SAMPLE_US, SPANS_SHOWN, Sample, Severity, Span, SpanFamily,
    StepKind, Stretch, TableNow, Timeline, Verdict, measured,
};
use crate::report::{Live, answers, build, collision, locks, tables};
pub use crate::scenario::ScenarioDocument;
use crate::sim;
pub use crate::sim::{Change, Objection, RunError, RunRequest, ScheduleError, TimedChange, examine};
use crate::trace::Trace;
pub use crate::trace::{Keep, Micros};

/// A run made at build time, painted before the engine is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Recording {
    pub request: RunRequest,
    pub schedule: String,
    pub trace_hash: String,
    /// Every `FRAME_US` of virtual time of naive code in production, every second one of other runs.
    pub frames: Vec<Frame>,
    /// A short stretch for the timeline.
    pub report: Report,
    pub collision: Option<Collision>,
    /// Of naive code in production.
    pub recovery: Option<Recovery>,
}

/// The same run with hardened code deployed after it was seen to break.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Recovery {
    pub request: RunRequest,
    pub schedule: String,
    pub trace_hash: String,
    /// From the deploy on; before it the two runs are one.
    pub frames: Vec<Frame>,
}

/// Between two frames of a recording.
pub const FRAME_US: Micros = 250_000;

/// What came of a run: `twoam run --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    pub scenario: String,
    pub variant: String,
    pub environment: String,
    pub seed: u32,
    pub virtual_us: Micros,
    pub requests: RequestSummary,
    pub metrics: BTreeMap<String, f64>,
    pub invariants: Vec<InvariantSummary>,
    /// Of the whole run: what is worst of its stretches.
    pub verdict: Verdict,
    /// One for each deploy, the run's start included.
    pub stretches: Vec<Stretch>,
    pub errors: Vec<ErrorGroup>,
    pub schedule: String,
    pub trace_hash: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSummary {
    pub started: u32,
    pub ok: u32,
    pub failed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvariantSummary {
    pub id: String,
    pub sentence: String,
    /// How many cases there were; 0 when it held.
    pub broken: u32,
}

/// What simulation and a real server said of the same files under the same load: `twoam reality --json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Reality {
    pub scenarios: Vec<RealityScenario>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RealityScenario {
    pub id: String,
    pub title: String,
    /// In every variant each predicted break was observed and what was to hold held.
    pub agrees: bool,
    /// `PostgreSQL 15.18, CPython 3.11.7, psycopg 3.3.9`
    pub observed_on: String,
    /// `2026-11-21`
    pub date: String,
    /// Processor, cores, memory.
    pub machine: String,
    /// Every variant in production.
    pub runs: Vec<RealityRun>,
    pub curve: Option<RealityCurve>,
}

/// Every variant under more and more load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RealityCurve {
    /// The knob that says how much, and its unit.
    pub knob: String,
    pub unit: String,
    pub points: Vec<RealityPoint>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RealityPoint {
    pub variant: String,
    pub label: String,
    pub load: f64,
    pub predicted: RealitySpeed,
    pub observed: RealitySpeed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RealitySpeed {
    /// Requests answered a second.
    pub per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub statements_per_request: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RealityRun {
    pub variant: String,
    pub label: String,
    pub predicted_requests: u32,
    pub observed_requests: u32,
    pub agrees: bool,
    pub metrics: Vec<RealityMetric>,
    pub invariants: Vec<RealityInvariant>,
}

/// Values in words: `1,163 ms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RealityMetric {
    pub id: String,
    pub label: String,
    pub predicted: String,
    pub observed: String,
}

/// How many cases there were; 0 where it held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RealityInvariant {
    pub sentence: String,
    /// About how long something takes: shown, not judged.
    pub timed: bool,
    pub predicted: u32,
    pub observed: u32,
}

/// How many events a page keeps in memory. The totals and the trace's hash cover the whole run.
pub const EVENTS_KEPT: usize = 400_000;

/// Steps between two looks at the trace: few enough that no event is let go unseen.
const STEPS_AT_ONCE: usize = 2_000;

/// One run and what is known of it.
pub struct Run {
    document: Rc<ScenarioDocument>,
    sim: sim::Run,
    live: Live,
}

impl Run {
    pub fn new(document: Rc<ScenarioDocument>, request: RunRequest, keep: Keep) -> Result<Run, RunError> {
        let sim = sim::Run::new(document.clone(), request, keep)?;
        let live =
            if keep == Keep::UntilSeen { Live::of_totals(document.clone()) } else { Live::new(document.clone()) };
        let mut run = Run { live, document, sim };
        run.follow(0);
        Ok(run)
    }

    /// Lets everything happen up to and including `until`.
    pub fn advance(&mut self, until: Micros) -> Micros {
        self.advance_while(until, || true)
    }

    /// The same, as long as `go_on` says so; it is asked often. Returns how far the run came.
    pub fn advance_while(&mut self, until: Micros, mut go_on: impl FnMut() -> bool) -> Micros {
        while self.sim.now() < until && !self.sim.ended() && go_on() {
            let now = self.sim.advance(until, STEPS_AT_ONCE);
            self.follow(now);
        }
        self.sim.now()
    }

    /// To the next moment at which something happens.
    pub fn step(&mut self) -> Micros {
        let now = self.sim.step();
        self.follow(now);
        now
    }

    pub fn apply(&mut self, change: Change) {
        self.sim.apply(change);
        self.follow(self.sim.now());
    }

    fn follow(&mut self, now: Micros) {
        self.live.follow(self.sim.trace(), now);
        self.sim.seen();
    }

    pub fn now(&self) -> Micros {
        self.sim.now()
    }

    /// When the run ends.
    pub fn end(&self) -> Micros {
        self.sim.end()
    }

    pub fn ended(&self) -> bool {
        self.sim.ended()
    }

    pub fn frame(&mut self) -> Frame {
        self.live.frame(self.sim.trace(), self.sim.now(), self.sim.ended())
    }

    /// The screen as it was at a moment, or at the oldest one that is still kept; samples, marks and notices are only in `frame`.
    pub fn moment(&self, at: Micros) -> Frame {
        let at = at.min(self.sim.now());
        Frame { ended: self.sim.ended() && at == self.sim.now(), ..self.live.moment(self.sim.trace(), at) }
    }

    /// Failed requests up to a moment, the same errors together.
    pub fn errors(&self, to: Micros) -> Vec<ErrorGroup> {
        self.live.errors(to)
    }

    pub fn report(&self, from: Micros, to: Micros) -> Report {
        build(&self.live, self.sim.trace(), &self.document, from, to)
    }

    /// The tables as they were at a moment, as far as the run has touched them.
    pub fn tables(&self, at: Micros) -> Vec<TableNow> {
        tables(self.live.index(), self.sim.trace(), at)
    }

    /// Who waits for whom at a moment.
    pub fn locks(&self, at: Micros) -> Vec<LockWait> {
        locks(self.live.index(), self.sim.trace(), at)
    }

    /// The first two requests, up to a moment, that get into each other's way.
    pub fn collision(&self, to: Micros) -> Option<Collision> {
        collision(self.live.index(), self.sim.trace(), &self.document, to)
    }

    /// What clients were answered up to a moment.
    pub fn answers(&self, to: Micros) -> Vec<Answered> {
        answers(self.live.index(), self.sim.trace(), to)
    }

    pub fn trace(&self) -> &Trace {
        self.sim.trace()
    }

    pub fn schedule(&self) -> String {
        self.sim.request().schedule()
    }

    pub fn summary(&self) -> RunSummary {
        summarised(&self.document, self.sim.request(), &self.live, self.sim.trace(), self.sim.now())
    }
}

/// What came of a run whose trace was made elsewhere: on a real server.
pub fn summary_of(document: Rc<ScenarioDocument>, request: &RunRequest, trace: &Trace, now: Micros) -> RunSummary {
    let mut live = Live::of_totals(document.clone());
    live.follow(trace, now);
    summarised(&document, request, &live, trace, now)
}

fn summarised(
    document: &ScenarioDocument,
    request: &RunRequest,
    live: &Live,
    trace: &Trace,
    now: Micros,
) -> RunSummary {
    let RequestCounts { started, ok, failed, .. } = live.totals().requests();
    let ids = document.metrics.iter().map(|metric| metric.id.clone());
    let stretches = live.totals().stretches(trace);
    let invariants = document.invariants.iter().zip(live.totals().invariants());
    RunSummary {
        scenario: request.scenario.clone(),
        variant: request.variant.clone(),
        environment: request.environment.clone(),
        seed: request.seed,
        virtual_us: now,
        requests: RequestSummary { started, ok, failed },
        metrics: ids.zip(live.totals().metrics().iter().map(|metric| metric.total)).collect(),
        invariants: invariants
            .map(|(invariant, now)| InvariantSummary {
                id: invariant.id.clone(),
                sentence: invariant.sentence.clone(),
                broken: now.broken_ever,
            })
            .collect(),
        verdict: Verdict::of_all(&stretches),
        stretches,
        errors: live.errors(now),
        schedule: request.schedule(),
        trace_hash: trace.hash(),
    }
}

/// A recorded run goes on naively for so long after it broke, so that the damage is seen to grow.
const SEEN_BROKEN_US: Micros = 2_000_000;

/// And with hardened code for at least so long, so that it is seen not to.
const SEEN_HOLDING_US: Micros = 6_000_000;

/// Runs `request` up to `until`, or until it has broken if by the scenario's promise it does, and keeps what a page needs to show it
/// without the engine. The timeline of one that breaks shows `report_us` around the first thing that went wrong; others have none.
pub fn record(
    document: Rc<ScenarioDocument>,
    request: RunRequest,
    until: Micros,
    report_us: Micros,
) -> Result<Recording, RunError> {
    let mut run = Run::new(document.clone(), request, Keep::All)?;
    let must_break = promised_to_break(&document, run.sim.request());
    // A reader waits for all of it: what is looked at closely is the run that breaks.
    let step = if must_break { FRAME_US } else { 2 * FRAME_US };
    let mut frames = vec![run.frame()];
    let mut deploy_at = None;
    while !run.ended() && (run.now() < until || must_break && deploy_at.is_none_or(|at| run.now() < at)) {
        run.advance(run.now() + step);
        let frame = run.frame();
        let broken = frame.stretches.last().is_some_and(|stretch| stretch.verdict == Verdict::Broken);
        frames.push(frame);
        if broken {
            deploy_at.get_or_insert(run.now() + SEEN_BROKEN_US);
        }
    }
    let first_case = run.report(0, run.now()).cases.first().map(|case| case.at_us);
    let ends = first_case.map_or(run.now(), |at| (at + report_us / 2).clamp(report_us.min(run.now()), run.now()));
    let request = run.sim.request().clone();
    let recovery = match (deploy_at.filter(|at| must_break && *at < run.end()), document.variants.get(1)) {
        (Some(at), Some(hardened)) => {
            let change = Change::Variant { variant: hardened.id.clone() };
            Some(recovered(document.clone(), request.clone(), TimedChange { at_us: at, change })?)
        }
        _ => None,
    };
    let mut report = run.report(ends.saturating_sub(report_us), ends);
    if !must_break {
        report.timeline = Timeline::default();
    }
    Ok(Recording {
        request,
        schedule: run.schedule(),
        trace_hash: run.trace().hash(),
        frames,
        collision: run.collision(run.now()),
        report,
        recovery,
    })
}

/// Naive code in production, as it is.
fn promised_to_break(document: &ScenarioDocument, request: &RunRequest) -> bool {
    let naive = document.variants.first().is_some_and(|variant| variant.id == request.variant);
    let production = document.environments.last().is_some_and(|environment| environment.id == request.environment);
    naive && production && request.knobs.is_empty() && request.sources.is_empty() && request.changes.is_empty()
}

fn recovered(
    document: Rc<ScenarioDocument>,
    mut request: RunRequest,
    deploy: TimedChange,
) -> Result<Recovery, RunError> {
    let at = deploy.at_us;
    request.changes.push(deploy);
    let mut run = Run::new(document, request, Keep::All)?;
    run.advance(at.saturating_sub(1));
    run.frame();
    let mut frames = Vec::new();
    let mut next = at;
    let mut holds = false;
    while !run.ended() && !(holds && next > at + SEEN_HOLDING_US) {
        run.advance(next);
        let frame = run.frame();
        holds = frame.stretches.last().is_some_and(|stretch| stretch.verdict == Verdict::Holds);
        frames.push(frame);
        next += FRAME_US;
    }
    Ok(Recovery {
        request: run.sim.request().clone(),
        schedule: run.schedule(),
        trace_hash: run.trace().hash(),
        frames,
    })
}
