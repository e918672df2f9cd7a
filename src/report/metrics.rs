//! Every number a screen can show without the scenario's help: its name, its unit, and what of an event it counts.

use super::index::RequestRecord;
use crate::scenario::{Better, Metric, MetricKind, Unit};
use crate::trace::{Event, EventKind, StatementOutcome, Trace};

/// An event, and what is known when it happens.
pub struct Observation<'a> {
    pub trace: &'a Trace,
    pub event: &'a Event,
    /// The request that it ends.
    pub finished: Option<&'a RequestRecord>,
    /// Lost updates that this event makes final.
    pub lost_updates: u32,
    /// Which stretch what should be zero counts for: after a deploy that may still be the one before.
    pub blamed: usize,
}

pub struct Measure {
    id: &'static str,
    label: &'static str,
    unit: Unit,
    better: Better,
    pub fold: FoldKind,
    /// What the event adds.
    pub observe: fn(&Observation) -> Option<f64>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum FoldKind {
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
        observe: |observation| match observation.event.kind {
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
        observe: |observation| finished(observation).filter(|(_, status)| *status < 500).map(|_| 1.0),
    },
    Measure {
        id: "failed",
        label: "failed",
        unit: Unit::Count,
        better: Better::Zero,
        fold: FoldKind::Sum,
        observe: |observation| finished(observation).filter(|(_, status)| *status >= 500).map(|_| 1.0),
    },
    Measure {
        id: "process-memory",
        label: "memory of the fullest process",
        unit: Unit::Bytes,
        better: Better::Lower,
        fold: FoldKind::Latest,
        observe: |observation| match observation.event.kind {
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
        observe: |observation| match observation.event.kind {
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
        observe: |observation| finished(observation).map(|(request, _)| f64::from(request.statements)),
    },
    Measure {
        id: "statements",
        label: "statements",
        unit: Unit::Count,
        better: Better::Lower,
        fold: FoldKind::Sum,
        observe: |observation| match observation.event.kind {
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
        observe: |observation| match observation.event.kind {
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
        observe: |observation| finished(observation).map(|(request, _)| f64::from(request.rows_read)),
    },
    Measure {
        id: "database-busy",
        label: "database busy",
        unit: Unit::Ratio,
        better: Better::Lower,
        fold: FoldKind::Busy,
        observe: |observation| match observation.event.kind {
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
        observe: |observation| match observation.event.kind {
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
        observe: |observation| finished(observation).map(|(request, _)| request.lock_wait_us as f64),
    },
    Measure {
        id: "pool-wait-ms",
        label: "waiting for a connection, p95",
        unit: Unit::Ms,
        better: Better::Lower,
        fold: FoldKind::Quantile(950),
        observe: |observation| finished(observation).map(|(request, _)| request.pool_wait_us as f64),
    },
    Measure {
        id: "deadlocks",
        label: "deadlocks",
        unit: Unit::Count,
        better: Better::Zero,
        fold: FoldKind::Sum,
        observe: |observation| match observation.event.kind {
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
        observe: |observation| match observation.event.kind {
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
        observe: |observation| (observation.lost_updates > 0).then_some(f64::from(observation.lost_updates)),
    },
    Measure {
        id: "faults",
        label: "faults met",
        unit: Unit::Count,
        better: Better::Neither,
        fold: FoldKind::Sum,
        observe: |observation| match observation.event.kind {
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

/// How a metric of this id is counted; one that is not in the table the scenario reads from its tables.
pub fn measure(id: &str) -> Option<&'static Measure> {
    METRICS.iter().find(|measure| measure.id == id)
}

/// The request that this event ends, workers left out, and its status.
fn finished<'a>(observation: &Observation<'a>) -> Option<(&'a RequestRecord, u16)> {
    let request = observation.finished.filter(|request| !request.is_worker())?;
    Some((request, request.answer?.status))
}

fn latency(observation: &Observation) -> Option<f64> {
    finished(observation).map(|(request, _)| (observation.event.at - request.began) as f64)
}
