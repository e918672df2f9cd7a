//! One metric of a run, taken in event by event: over all, for the chart, and for each stretch of one deployed variant.

use std::collections::VecDeque;
use std::rc::Rc;

use super::SAMPLE_US;
use super::histogram::Histogram;
use super::live::MetricNow;
use super::metrics::{FoldKind, Observation, measure};
use crate::scenario::{Better, Metric, MetricKind};
use crate::trace::{EventKind, Micros};

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
    observe: fn(&Observation) -> Option<f64>,
    total: Tally,
    /// By stretch of one deployed variant.
    stretches: Vec<Rc<OfStretch>>,
    bucket: Tally,
    /// The last closed buckets, oldest first.
    closed: VecDeque<Tally>,
    latest: Option<f64>,
    cores: f64,
    /// Core time there was, over the run.
    core_time: f64,
}

/// What one stretch adds.
#[derive(Clone, Default)]
struct OfStretch {
    tally: Tally,
    /// A gauge when the stretch began to answer for it.
    began_with: f64,
    /// Core time there had been by then.
    core_time: f64,
}

/// What fell into one stretch of time.
#[derive(Clone, Default)]
struct Tally {
    sum: f64,
    count: u32,
    spread: Histogram,
    /// `Latest` when the stretch ended.
    latest: Option<f64>,
}

impl Fold {
    pub fn new(metric: &Metric) -> Fold {
        let measure = measure(&metric.id);
        Fold {
            id: metric.id.as_str().into(),
            kind: measure.map_or(FoldKind::Latest, |measure| measure.fold),
            counter: metric.kind == MetricKind::Counter,
            zero: metric.better == Better::Zero,
            observe: measure.map_or(|_| None, |measure| measure.observe),
            total: Tally::default(),
            stretches: vec![],
            bucket: Tally::default(),
            closed: VecDeque::new(),
            latest: None,
            cores: 1.0,
            core_time: 0.0,
        }
    }

    pub fn take(&mut self, observation: &Observation) {
        match &observation.event.kind {
            EventKind::MachinesSet { database_cores, .. } => self.cores = f64::from(*database_cores),
            EventKind::GaugeRead { gauge, value }
                if self.kind == FoldKind::Latest && *observation.trace.strings.text(*gauge) == *self.id =>
            {
                self.read(observation, *value);
            }
            _ => {}
        }
        if let Some(value) = (self.observe)(observation) {
            self.read(observation, value);
            let spread = matches!(self.kind, FoldKind::Quantile(_));
            self.total.add(value, spread);
            self.bucket.add(value, spread);
            let stretch = if self.zero { Some(observation.blamed) } else { self.stretches.len().checked_sub(1) };
            if let Some(stretch) = stretch.and_then(|stretch| self.stretches.get_mut(stretch)) {
                Rc::make_mut(stretch).tally.add(value, spread);
            }
        }
    }

    fn read(&mut self, observation: &Observation, value: f64) {
        self.latest = Some(value);
        if self.kind != FoldKind::Latest {
            return;
        }
        let answers = if self.zero { observation.blamed } else { self.stretches.len().saturating_sub(1) };
        for (place, stretch) in self.stretches.iter_mut().enumerate().skip(answers) {
            let stretch = Rc::make_mut(stretch);
            stretch.tally.latest = Some(value);
            if place > answers {
                stretch.began_with = value;
            }
        }
    }

    /// Other code runs from now on.
    pub fn begin_stretch(&mut self) {
        let tally = Tally { latest: self.latest, ..Tally::default() };
        let (began_with, core_time) = (self.latest.unwrap_or(0.0), self.core_time);
        self.stretches.push(Rc::new(OfStretch { tally, began_with, core_time }));
    }

    /// What the stretch adds to the metric.
    pub fn of_stretch(&self, stretch: usize) -> f64 {
        let OfStretch { tally, began_with, core_time } = &*self.stretches[stretch];
        match self.kind {
            FoldKind::Sum => tally.sum,
            FoldKind::Quantile(thousandths) => tally.spread.quantile_ms(thousandths).unwrap_or(0.0),
            FoldKind::Mean => tally.mean().unwrap_or(0.0),
            FoldKind::Busy => {
                let until = self.stretches.get(stretch + 1).map_or(self.core_time, |next| next.core_time);
                (tally.sum / (until - core_time + self.cores)).min(1.0)
            }
            FoldKind::Latest if self.zero => tally.latest.unwrap_or(0.0) - began_with,
            FoldKind::Latest => tally.latest.unwrap_or(0.0),
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
            FoldKind::Sum => (self.total.sum, some(closed().map(|tally| tally.sum).sum::<f64>() / seconds)),
            FoldKind::Quantile(thousandths) => {
                let mut recent = Histogram::default();
                closed().for_each(|tally| recent.merge(&tally.spread));
                (self.total.spread.quantile_ms(thousandths).unwrap_or(0.0), recent.quantile_ms(thousandths))
            }
            FoldKind::Mean => {
                let (sum, count) =
                    closed().fold((0.0, 0), |(sum, count), tally| (sum + tally.sum, count + tally.count));
                let recent = (count > 0).then(|| sum / f64::from(count));
                (self.total.mean().unwrap_or(0.0), recent)
            }
            FoldKind::Busy => {
                let recent = closed().map(|tally| tally.sum).sum::<f64>() / (self.cores * seconds * 1e6);
                let all = self.core_time + self.cores;
                ((self.total.sum / all).min(1.0), some(recent.min(1.0)))
            }
            FoldKind::Latest => {
                let before = self.closed.front().and_then(|tally| tally.latest);
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

impl Tally {
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
