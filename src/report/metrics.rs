//! Every number a screen can show without the scenario's help: its name, its unit, and what of an event it counts.

use std::collections::VecDeque;
use std::rc::Rc;

use super::SAMPLE_US;
use super::index::Request;
use super::live::MetricNow;
use crate::scenario::{Better, Metric, MetricKind, Unit};
use crate::trace::{Event, EventKind, Micros, StatementOutcome, Trace};

/// An event, and what is known when it happens.
pub struct Moment<'a> {
    pub trace: &'a Trace,
    pub event: &'a Event,
    /// The request that it ends.
    pub finished: Option<&'a Request>,
    /// Lost updates that this event makes final.
    pub lost_updates: u32,
    /// Which stretch what should be zero counts for: after a deploy that may still be the one before.
    pub blamed: usize,
}

struct Measure {
    id: &'static str,
    label: &'static str,
    unit: Unit,
    better: Better,
    fold: FoldKind,
    /// What the event adds.
    observe: fn(&Moment) -> Option<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum FoldKind {
    Sum,
    /// In thousandths.
    Quantile(u32),
    Mean,
    /// Core time against the time there was.
    Busy,
    /// The last value that was read.
    Latest,
}

const METRICS: &[Measure] = &[
    Measure {
        id: "requests",
        label: "requests",
        unit: Unit::Count,
        better: Better::Neither,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::RequestStarted { client: Some(_), .. } => Some(1.0),
            _ => None,
        },
    },
    Measure {
        id: "ok",
        label: "answered",
        unit: Unit::Count,
        better: Better::Higher,
        fold: FoldKind::Sum,
        observe: |moment| finished(moment).filter(|(_, status)| *status < 500).map(|_| 1.0),
    },
    Measure {
        id: "failed",
        label: "failed",
        unit: Unit::Count,
        better: Better::Zero,
        fold: FoldKind::Sum,
        observe: |moment| finished(moment).filter(|(_, status)| *status >= 500).map(|_| 1.0),
    },
    Measure {
        id: "process-memory",
        label: "memory of the fullest process",
        unit: Unit::Bytes,
        better: Better::Lower,
        fold: FoldKind::Latest,
        observe: |moment| match moment.event.kind {
            EventKind::MemoryMeasured { bytes, .. } => Some(bytes as f64),
            _ => None,
        },
    },
    Measure {
        id: "processes-killed",
        label: "processes killed",
        unit: Unit::Count,
        better: Better::Zero,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::ProcessKilled { .. } => Some(1.0),
            _ => None,
        },
    },
    Measure {
        id: "latency-p50",
        label: "latency, median",
        unit: Unit::Ms,
        better: Better::Lower,
        fold: FoldKind::Quantile(500),
        observe: latency,
    },
    Measure {
        id: "latency-p95",
        label: "latency p95",
        unit: Unit::Ms,
        better: Better::Lower,
        fold: FoldKind::Quantile(950),
        observe: latency,
    },
    Measure {
        id: "latency-p99",
        label: "latency p99",
        unit: Unit::Ms,
        better: Better::Lower,
        fold: FoldKind::Quantile(990),
        observe: latency,
    },
    Measure {
        id: "statements-per-request",
        label: "statements per request",
        unit: Unit::Count,
        better: Better::Lower,
        fold: FoldKind::Mean,
        observe: |moment| finished(moment).map(|(request, _)| f64::from(request.statements)),
    },
    Measure {
        id: "statements",
        label: "statements",
        unit: Unit::Count,
        better: Better::Lower,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::StatementFinished { .. } => Some(1.0),
            _ => None,
        },
    },
    Measure {
        id: "rows-read",
        label: "rows read",
        unit: Unit::Count,
        better: Better::Lower,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::StatementFinished { rows_read, .. } => Some(f64::from(rows_read)),
            _ => None,
        },
    },
    Measure {
        id: "rows-read-per-request",
        label: "rows read per request",
        unit: Unit::Count,
        better: Better::Lower,
        fold: FoldKind::Mean,
        observe: |moment| finished(moment).map(|(request, _)| f64::from(request.rows_read)),
    },
    Measure {
        id: "database-busy",
        label: "database busy",
        unit: Unit::Ratio,
        better: Better::Lower,
        fold: FoldKind::Busy,
        observe: |moment| match moment.event.kind {
            EventKind::StatementFinished { database_us, .. } => Some(database_us as f64),
            _ => None,
        },
    },
    Measure {
        id: "lock-waits",
        label: "lock waits",
        unit: Unit::Count,
        better: Better::Lower,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::LockWaitBegan { .. } => Some(1.0),
            _ => None,
        },
    },
    Measure {
        id: "lock-wait-ms",
        label: "waiting for locks, p95",
        unit: Unit::Ms,
        better: Better::Lower,
        fold: FoldKind::Quantile(950),
        observe: |moment| finished(moment).map(|(request, _)| request.lock_wait_us as f64),
    },
    Measure {
        id: "pool-wait-ms",
        label: "waiting for a connection, p95",
        unit: Unit::Ms,
        better: Better::Lower,
        fold: FoldKind::Quantile(950),
        observe: |moment| finished(moment).map(|(request, _)| request.pool_wait_us as f64),
    },
    Measure {
        id: "deadlocks",
        label: "deadlocks",
        unit: Unit::Count,
        better: Better::Zero,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::DeadlockFound { .. } => Some(1.0),
            _ => None,
        },
    },
    Measure {
        id: "serialization-failures",
        label: "serialization failures",
        unit: Unit::Count,
        better: Better::Lower,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::StatementFinished { outcome: StatementOutcome::Failed { sqlstate, .. }, .. } => {
                (sqlstate.as_str() == "40001").then_some(1.0)
            }
            _ => None,
        },
    },
    Measure {
        id: "lost-updates",
        label: "lost updates",
        unit: Unit::Count,
        better: Better::Zero,
        fold: FoldKind::Sum,
        observe: |moment| (moment.lost_updates > 0).then_some(f64::from(moment.lost_updates)),
    },
    Measure {
        id: "faults",
        label: "faults met",
        unit: Unit::Count,
        better: Better::Neither,
        fold: FoldKind::Sum,
        observe: |moment| match moment.event.kind {
            EventKind::FaultApplied { .. } => Some(1.0),
            _ => None,
        },
    },
];

/// What a manifest may name as a metric without SQL of its own.
pub fn measured() -> Vec<Metric> {
    let metric = |measure: &Measure| Metric {
        id: measure.id.to_owned(),
        label: measure.label.to_owned(),
        unit: measure.unit,
        kind: match measure.fold {
            FoldKind::Sum => MetricKind::Counter,
            FoldKind::Quantile(_) | FoldKind::Mean => MetricKind::Distribution,
            FoldKind::Busy | FoldKind::Latest => MetricKind::Gauge,
        },
        headline: false,
        better: measure.better,
    };
    METRICS.iter().map(metric).collect()
}

/// The request that this event ends, workers left out, and its status.
fn finished<'a>(moment: &Moment<'a>) -> Option<(&'a Request, u16)> {
    let request = moment.finished.filter(|request| !request.is_worker())?;
    Some((request, request.answer?.status))
}

fn latency(moment: &Moment) -> Option<f64> {
    finished(moment).map(|(request, _)| (moment.event.at - request.began) as f64)
}

/// Buckets that make up `MetricNow::recent`: one second.
const RECENT_BUCKETS: usize = (1_000_000 / SAMPLE_US) as usize;

const SECONDS_PER_BUCKET: f64 = SAMPLE_US as f64 / 1e6;

/// One metric of a run, taken in event by event.
#[derive(Clone)]
pub struct Fold {
    id: Rc<str>,
    kind: FoldKind,
    counter: bool,
    /// Anything above zero is a fault.
    zero: bool,
    observe: fn(&Moment) -> Option<f64>,
    total: Part,
    /// By stretch of one deployed variant.
    stretches: Vec<Rc<OfStretch>>,
    bucket: Part,
    /// The last closed buckets, oldest first.
    closed: VecDeque<Part>,
    latest: Option<f64>,
    cores: f64,
    /// Core time there was, over the run.
    core_time: f64,
}

/// What one stretch adds.
#[derive(Clone, Default)]
struct OfStretch {
    part: Part,
    /// A gauge when the stretch began to answer for it.
    began_with: f64,
    /// Core time there had been by then.
    core_time: f64,
}

/// What fell into one stretch of time.
#[derive(Clone, Default)]
struct Part {
    sum: f64,
    count: u32,
    spread: Histogram,
    /// `Latest` when the stretch ended.
    latest: Option<f64>,
}

impl Fold {
    /// A metric that is not in the table is one the scenario reads from its tables.
    pub fn new(metric: &Metric) -> Fold {
        let measure = METRICS.iter().find(|measure| measure.id == metric.id);
        Fold {
            id: metric.id.as_str().into(),
            kind: measure.map_or(FoldKind::Latest, |measure| measure.fold),
            counter: metric.kind == MetricKind::Counter,
            zero: metric.better == Better::Zero,
            observe: measure.map_or(|_| None, |measure| measure.observe),
            total: Part::default(),
            stretches: vec![],
            bucket: Part::default(),
            closed: VecDeque::new(),
            latest: None,
            cores: 1.0,
            core_time: 0.0,
        }
    }

    pub fn take(&mut self, moment: &Moment) {
        match &moment.event.kind {
            EventKind::MachinesSet { database_cores, .. } => self.cores = f64::from(*database_cores),
            EventKind::GaugeRead { gauge, value }
                if self.kind == FoldKind::Latest && *moment.trace.strings.text(*gauge) == *self.id =>
            {
                self.read(moment, *value);
            }
            _ => {}
        }
        if let Some(value) = (self.observe)(moment) {
            self.read(moment, value);
            let spread = matches!(self.kind, FoldKind::Quantile(_));
            self.total.add(value, spread);
            self.bucket.add(value, spread);
            let stretch = if self.zero { Some(moment.blamed) } else { self.stretches.len().checked_sub(1) };
            if let Some(stretch) = stretch.and_then(|stretch| self.stretches.get_mut(stretch)) {
                Rc::make_mut(stretch).part.add(value, spread);
            }
        }
    }

    fn read(&mut self, moment: &Moment, value: f64) {
        self.latest = Some(value);
        if self.kind != FoldKind::Latest {
            return;
        }
        let answers = if self.zero { moment.blamed } else { self.stretches.len().saturating_sub(1) };
        for (place, stretch) in self.stretches.iter_mut().enumerate().skip(answers) {
            let stretch = Rc::make_mut(stretch);
            stretch.part.latest = Some(value);
            if place > answers {
                stretch.began_with = value;
            }
        }
    }

    /// Other code runs from now on.
    pub fn begin_stretch(&mut self) {
        let part = Part { latest: self.latest, ..Part::default() };
        let (began_with, core_time) = (self.latest.unwrap_or(0.0), self.core_time);
        self.stretches.push(Rc::new(OfStretch { part, began_with, core_time }));
    }

    /// What the stretch adds to the metric.
    pub fn of_stretch(&self, stretch: usize) -> f64 {
        let OfStretch { part, began_with, core_time } = &*self.stretches[stretch];
        match self.kind {
            FoldKind::Sum => part.sum,
            FoldKind::Quantile(thousandths) => part.spread.quantile_ms(thousandths).unwrap_or(0.0),
            FoldKind::Mean => part.mean().unwrap_or(0.0),
            FoldKind::Busy => {
                let until = self.stretches.get(stretch + 1).map_or(self.core_time, |next| next.core_time);
                (part.sum / (until - core_time + self.cores)).min(1.0)
            }
            FoldKind::Latest if self.zero => part.latest.unwrap_or(0.0) - began_with,
            FoldKind::Latest => part.latest.unwrap_or(0.0),
        }
    }

    /// Ends the chart's bucket and gives its value.
    pub fn close_bucket(&mut self) -> Option<f64> {
        self.core_time += self.cores * SAMPLE_US as f64;
        let mut bucket = std::mem::take(&mut self.bucket);
        bucket.latest = self.latest;
        let value = match self.kind {
            FoldKind::Sum => Some(bucket.sum / SECONDS_PER_BUCKET),
            FoldKind::Quantile(thousandths) => bucket.spread.quantile_ms(thousandths),
            FoldKind::Mean => bucket.mean(),
            FoldKind::Busy => Some((bucket.sum / (self.cores * SAMPLE_US as f64)).min(1.0)),
            FoldKind::Latest => self.latest,
        };
        self.closed.push_back(bucket);
        if self.closed.len() > RECENT_BUCKETS {
            self.closed.pop_front();
        }
        value
    }

    pub fn now(&self) -> MetricNow {
        let closed = || self.closed.iter();
        let seconds = self.closed.len() as f64 * SECONDS_PER_BUCKET;
        let some = |value: f64| (seconds > 0.0).then_some(value);
        let (total, recent) = match self.kind {
            FoldKind::Sum => (self.total.sum, some(closed().map(|part| part.sum).sum::<f64>() / seconds)),
            FoldKind::Quantile(thousandths) => {
                let mut recent = Histogram::default();
                closed().for_each(|part| recent.merge(&part.spread));
                (self.total.spread.quantile_ms(thousandths).unwrap_or(0.0), recent.quantile_ms(thousandths))
            }
            FoldKind::Mean => {
                let (sum, count) = closed().fold((0.0, 0), |(sum, count), part| (sum + part.sum, count + part.count));
                let recent = (count > 0).then(|| sum / f64::from(count));
                (self.total.mean().unwrap_or(0.0), recent)
            }
            FoldKind::Busy => {
                let recent = closed().map(|part| part.sum).sum::<f64>() / (self.cores * seconds * 1e6);
                let all = self.core_time + self.cores;
                ((self.total.sum / all).min(1.0), some(recent.min(1.0)))
            }
            FoldKind::Latest => {
                let before = self.closed.front().and_then(|part| part.latest);
                let recent = match (self.counter, self.latest, before) {
                    (true, Some(latest), Some(before)) => Some(latest - before),
                    (true, ..) => None,
                    (false, latest, _) => latest,
                };
                (self.latest.unwrap_or(0.0), recent)
            }
        };
        MetricNow { total, recent }
    }
}

impl Part {
    fn add(&mut self, value: f64, spread: bool) {
        self.sum += value;
        self.count += 1;
        if spread {
            self.spread.add(value as Micros);
        }
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// Microseconds in classes whose width is at most 1/32 of their value, so a quantile is right to about 3 %.
#[derive(Clone, Default)]
struct Histogram {
    classes: Vec<u32>,
    count: u32,
}

const CLASSES_PER_OCTAVE_BITS: u32 = 5;

impl Histogram {
    fn add(&mut self, value: Micros) {
        let class = class_of(value);
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] += 1;
        self.count += 1;
    }

    fn merge(&mut self, other: &Histogram) {
        if self.classes.len() < other.classes.len() {
            self.classes.resize(other.classes.len(), 0);
        }
        for (mine, theirs) in self.classes.iter_mut().zip(&other.classes) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    fn quantile_ms(&self, thousandths: u32) -> Option<f64> {
        // The smallest value that at least so many thousandths do not exceed.
        let rank = (u64::from(self.count) * u64::from(thousandths)).div_ceil(1_000).max(1);
        let mut below = 0;
        let class = self.classes.iter().position(|count| {
            below += u64::from(*count);
            below >= rank
        })?;
        Some(middle_of(class) / 1e3)
    }
}

fn class_of(value: Micros) -> usize {
    let octave = (value >> CLASSES_PER_OCTAVE_BITS).checked_ilog2().map_or(0, |log| log + 1);
    let shift = octave.saturating_sub(1);
    ((u64::from(octave.saturating_sub(1)) << CLASSES_PER_OCTAVE_BITS) + (value >> shift)) as usize
}

fn middle_of(class: usize) -> f64 {
    let per_octave = 1 << CLASSES_PER_OCTAVE_BITS;
    let shift = (class / per_octave).saturating_sub(1) as u32;
    let base = (class - shift as usize * per_octave) as u64;
    let width = (1u64 << shift) as f64;
    (base << shift) as f64 + (width - 1.0) / 2.0
}
