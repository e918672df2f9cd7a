//! Everything that is counted, taken in event by event. A copy of it is a place in the run from which the counts of any later moment can
//! be had again.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::SAMPLE_US;
use super::fold::Fold;
use super::index::{Taken, TraceIndex};
use super::live::{InvariantNow, MetricNow, RequestCounts, Sample};
use super::metrics::Observation;
use super::stretches::{Stretch, Stretches};
use crate::scenario::ScenarioDocument;
use crate::trace::{Event, EventKind, Micros, Symbol, Trace};

#[derive(Clone)]
pub struct Totals {
    document: Rc<ScenarioDocument>,
    /// Number of the next event to take in.
    pub next: u32,
    /// Where the chart's open bucket begins.
    bucket: Micros,
    folds: Vec<Fold>,
    stretches: Stretches,
    /// On their way are those that are started and neither.
    started: u32,
    ok: u32,
    failed: u32,
    broken: Vec<Broken>,
}

/// How one invariant stands. The sets are shared with copies until they change.
#[derive(Clone, Default)]
struct Broken {
    now: Rc<BTreeSet<Symbol>>,
    ever: Rc<BTreeSet<Symbol>>,
}

/// What an event told of an invariant, for whoever marks and lists it.
pub struct InvariantChange {
    pub invariant: usize,
    pub first: bool,
    pub stretch: u32,
}

impl Totals {
    pub fn new(document: Rc<ScenarioDocument>) -> Totals {
        Totals {
            next: 0,
            bucket: 0,
            folds: document.metrics.iter().map(Fold::new).collect(),
            stretches: Stretches::new(document.clone()),
            started: 0,
            ok: 0,
            failed: 0,
            broken: document.invariants.iter().map(|_| Broken::default()).collect(),
            document,
        }
    }

    /// Ends the chart's buckets that are over.
    pub fn close_buckets(&mut self, now: Micros, samples: &mut Vec<Sample>) {
        while now >= self.bucket + SAMPLE_US {
            let values = self.folds.iter_mut().map(Fold::close_bucket).collect();
            samples.push(Sample { at_us: self.bucket, values });
            self.bucket += SAMPLE_US;
        }
    }

    pub fn take(&mut self, trace: &Trace, event: &Event, taken: &Taken) -> Option<InvariantChange> {
        self.next += 1;
        match &event.kind {
            EventKind::Deployed { variant, edited, .. } => self.deployed(trace, event.at, *variant, *edited),
            // A run on a real server: nobody tells what is deployed.
            EventKind::RequestStarted { variant, .. } if self.stretches.count() == 0 => {
                self.deployed(trace, 0, *variant, false);
            }
            _ => {}
        }
        let blamed = self.stretches.blamed(event.at);
        let finished = taken.finished.as_ref();
        let observation = Observation { trace, event, finished, lost_updates: taken.lost_updates, blamed };
        for fold in &mut self.folds {
            fold.take(&observation);
        }
        self.count(trace, event, taken)
    }

    fn count(&mut self, trace: &Trace, event: &Event, taken: &Taken) -> Option<InvariantChange> {
        match &event.kind {
            EventKind::RequestStarted { client, .. } => {
                if let Some(request) = event.request {
                    self.stretches.started(request)
                }
                self.started += u32::from(client.is_some());
            }
            EventKind::RequestFinished { status, .. } => {
                let finished = taken.finished.as_ref().filter(|request| !request.is_worker())?;
                self.ok += u32::from(*status < 500);
                self.failed += u32::from(*status >= 500);
                self.stretches.answered(finished.doer.request, *status);
            }
            EventKind::StatementStarted { .. } | EventKind::ServiceCalled { .. } => {
                if let Some(request) = event.request {
                    self.stretches.called(request)
                }
            }
            EventKind::VersionWritten { row, .. } => {
                if let Some(request) = event.request {
                    self.stretches.wrote(request, row.table)
                }
            }
            EventKind::InvariantReads { tables, .. } => self.stretches.reads(trace, tables),
            EventKind::InvariantBroken { invariant, case, since, .. } => {
                let place = self.invariant(trace, *invariant)?;
                let broken = &mut self.broken[place];
                let first = broken.ever.is_empty();
                Rc::make_mut(&mut broken.now).insert(*case);
                Rc::make_mut(&mut broken.ever).insert(*case);
                let stretch = self.stretches.broke(place, *case, *since, event.request.or(taken.writer));
                return Some(InvariantChange { invariant: place, first, stretch });
            }
            EventKind::InvariantMended { invariant, case } => {
                let place = self.invariant(trace, *invariant)?;
                Rc::make_mut(&mut self.broken[place].now).remove(case);
                return Some(InvariantChange { invariant: place, first: false, stretch: 0 });
            }
            _ => {}
        }
        None
    }

    fn deployed(&mut self, trace: &Trace, at: Micros, variant: Symbol, edited: bool) {
        self.stretches.deployed(trace, at, variant, edited);
        self.folds.iter_mut().for_each(Fold::begin_stretch);
    }

    fn invariant(&self, trace: &Trace, id: Symbol) -> Option<usize> {
        let id = trace.strings.text(id);
        self.document.invariants.iter().position(|invariant| invariant.id == id)
    }

    pub fn requests(&self) -> RequestCounts {
        let (started, ok, failed) = (self.started, self.ok, self.failed);
        RequestCounts { started, ok, failed, in_flight: started - ok - failed }
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

    /// What the index said of an event, to count it once more.
    pub fn recount(&mut self, trace: &Trace, index: &TraceIndex, event: &Event) {
        let finished = event.request.filter(|_| matches!(event.kind, EventKind::RequestFinished { .. }));
        let taken = index.taken(self.next, event.at, finished);
        self.take(trace, event, &taken);
    }
}
