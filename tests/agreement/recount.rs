//! A run told from its raw events, as plainly as possible and each time from the first one: what all views must agree with.

use std::collections::{BTreeMap, BTreeSet};

use twoam::api::{Micros, ScenarioDocument};
use twoam::trace::{CallId, EventKind, LockStrength, RequestId, RowRef, StatementOutcome, Symbol, Trace, Xid};

/// Table and key.
pub type Row = (String, String);

#[derive(Default)]
pub struct Recount {
    pub started: u32,
    pub ok: u32,
    pub failed: u32,
    /// Requests on their way, and whether a client sent them.
    pub in_flight: BTreeMap<u32, bool>,
    /// Of clients on their way, those that have come to a line that awaits something.
    pub standing: BTreeSet<u32>,
    pub failures: Vec<(Micros, u32)>,
    pub statements_sent: u32,
    /// Of metrics that are sums, and of gauges the latest value.
    pub metrics: BTreeMap<String, f64>,
    /// In microseconds.
    pub latencies: Vec<Micros>,
    pub broken_now: Vec<BTreeSet<String>>,
    pub broken_ever: Vec<BTreeSet<String>>,
    /// How often each invariant was told to be broken.
    pub tellings: Vec<u32>,
    pub waits: BTreeSet<(u32, String)>,
    /// Who has locked a row how strongly; `None`: somebody whose request is over.
    pub locks: BTreeMap<Row, BTreeMap<u32, Option<u32>>>,
    pub strengths: BTreeMap<(Row, u32), LockStrength>,
    /// Versions that are committed, and those that are not, of each row.
    pub versions: BTreeMap<Row, (u32, u32)>,
    /// What each statement and service call is waiting for, by request.
    open_waits: BTreeMap<CallId, (RequestId, String)>,
    effects: BTreeMap<Xid, Vec<Effect>>,
    began: BTreeMap<u32, Micros>,
}

enum Effect {
    Written(RowRef),
    Locked(RowRef, LockStrength, Option<u32>),
}

const SUMS: [&str; 12] = [
    "requests",
    "ok",
    "failed",
    "processes-killed",
    "statements",
    "rows-read",
    "lock-waits",
    "deadlocks",
    "serialization-failures",
    "faults",
    "process-memory",
    "lost-updates",
];

/// Whether the recount knows of this metric what it is.
pub fn is_counted(id: &str) -> bool {
    SUMS.contains(&id) && id != "lost-updates"
}

/// Everything up to and including a moment.
pub fn recount(trace: &Trace, document: &ScenarioDocument, to: Micros) -> Recount {
    let empty = || document.invariants.iter().map(|_| BTreeSet::new()).collect::<Vec<_>>();
    let mut seen = Recount {
        broken_now: empty(),
        broken_ever: empty(),
        tellings: vec![0; document.invariants.len()],
        ..Recount::default()
    };
    for event in trace.events().filter(|event| event.at <= to) {
        seen.requests(event);
        seen.lines(event);
        seen.sums(trace, event);
        seen.rows(trace, event);
        seen.invariants(trace, document, event);
    }
    let effects = std::mem::take(&mut seen.effects);
    for (xid, effects) in &effects {
        for effect in effects {
            match effect {
                Effect::Written(row) => seen.versions.entry(named(trace, *row)).or_default().1 += 1,
                Effect::Locked(row, strength, request) => {
                    let row = named(trace, *row);
                    seen.locks.entry(row.clone()).or_default().insert(xid.0, *request);
                    let held = seen.strengths.entry((row, xid.0)).or_insert(*strength);
                    *held = (*held).max(*strength);
                }
            }
        }
    }
    seen.waits = seen.open_waits.values().map(|(request, on)| (request.0, on.clone())).collect();
    seen
}

fn named(trace: &Trace, row: RowRef) -> Row {
    (trace.strings.text(row.table).to_owned(), trace.strings.text(row.key).to_owned())
}

impl Recount {
    fn requests(&mut self, event: &twoam::trace::Event) {
        let Some(request) = event.request else { return };
        match &event.kind {
            EventKind::RequestStarted { client, .. } => {
                self.in_flight.insert(request.0, client.is_some());
                self.began.insert(request.0, event.at);
                self.started += u32::from(client.is_some());
            }
            EventKind::RequestFinished { status, .. } => {
                let client = self.in_flight.remove(&request.0).expect("what ends has begun");
                self.standing.remove(&request.0);
                self.open_waits.retain(|_, (waiter, _)| *waiter != request);
                let began = self.began.remove(&request.0).expect("it began");
                if client {
                    self.ok += u32::from(*status < 500);
                    self.failed += u32::from(*status >= 500);
                    self.latencies.push(event.at - began);
                }
                if *status >= 500 {
                    self.failures.push((event.at, request.0));
                }
            }
            _ => {}
        }
    }

    fn lines(&mut self, event: &twoam::trace::Event) {
        let Some(request) = event.request.filter(|request| self.in_flight.contains_key(&request.0)) else { return };
        match &event.kind {
            EventKind::ConnectionWaitBegan { .. }
            | EventKind::ConnectionAcquired { .. }
            | EventKind::StatementStarted { .. }
            | EventKind::ServiceCalled { .. }
            | EventKind::Slept { .. }
            | EventKind::Blocked { .. }
                if self.in_flight[&request.0] =>
            {
                self.standing.insert(request.0);
            }
            _ => {}
        }
    }

    fn sums(&mut self, trace: &Trace, event: &twoam::trace::Event) {
        let mut add = |id: &str, count: f64| *self.metrics.entry(id.to_owned()).or_default() += count;
        match &event.kind {
            EventKind::RequestStarted { client: Some(_), .. } => add("requests", 1.0),
            EventKind::ProcessKilled { .. } => add("processes-killed", 1.0),
            EventKind::StatementStarted { .. } => self.statements_sent += u32::from(event.request.is_some()),
            EventKind::StatementFinished { rows_read, outcome, .. } => {
                add("statements", 1.0);
                add("rows-read", f64::from(*rows_read));
                let unserializable = |sqlstate: &twoam::trace::Sqlstate| sqlstate.as_str() == "40001";
                let gave_up = matches!(outcome, StatementOutcome::Failed { sqlstate, .. } if unserializable(sqlstate));
                add("serialization-failures", f64::from(u32::from(gave_up)));
            }
            EventKind::LockWaitBegan { call, on, .. } => {
                add("lock-waits", 1.0);
                let waiter = event.request.filter(|request| self.in_flight.contains_key(&request.0));
                waiter.map(|request| self.open_waits.insert(*call, (request, trace.strings.text(*on).to_owned())));
            }
            EventKind::LockGranted { call, .. } => _ = self.open_waits.remove(call),
            EventKind::DeadlockFound { .. } => add("deadlocks", 1.0),
            EventKind::FaultApplied { .. } => add("faults", 1.0),
            EventKind::MemoryMeasured { bytes, .. } => {
                self.metrics.insert("process-memory".to_owned(), *bytes as f64);
            }
            EventKind::GaugeRead { gauge, value } => {
                self.metrics.insert(trace.strings.text(*gauge).to_owned(), *value);
            }
            _ => {}
        }
        if let EventKind::StatementFinished { call, .. } = &event.kind {
            self.open_waits.remove(call);
        }
        self.metrics.insert("ok".to_owned(), f64::from(self.ok));
        self.metrics.insert("failed".to_owned(), f64::from(self.failed));
    }

    fn rows(&mut self, trace: &Trace, event: &twoam::trace::Event) {
        let committed = |seen: &mut Recount, row: RowRef| seen.versions.entry(named(trace, row)).or_default().0 += 1;
        let Some(xid) = event.xid else {
            if let EventKind::VersionWritten { row, .. } = &event.kind {
                committed(self, *row);
            }
            return;
        };
        let effects = self.effects.entry(xid).or_default();
        match &event.kind {
            EventKind::VersionWritten { row, .. } => effects.push(Effect::Written(*row)),
            EventKind::RowLocked { row, strength } => {
                let request = event.request.map(|request| request.0);
                effects.push(Effect::Locked(*row, *strength, request));
            }
            EventKind::TakenBack { kept } => effects.truncate(*kept as usize),
            EventKind::Committed => {
                for effect in self.effects.remove(&xid).unwrap_or_default() {
                    if let Effect::Written(row) = effect {
                        committed(self, row);
                    }
                }
            }
            EventKind::RolledBack { .. } => _ = self.effects.remove(&xid),
            _ => {}
        }
    }

    fn invariants(&mut self, trace: &Trace, document: &ScenarioDocument, event: &twoam::trace::Event) {
        let text = |symbol: Symbol| trace.strings.text(symbol).to_owned();
        let place = |id: Symbol| document.invariants.iter().position(|of| of.id == text(id)).expect("it is known");
        match &event.kind {
            EventKind::InvariantBroken { invariant, case, .. } => {
                let place = place(*invariant);
                self.broken_now[place].insert(text(*case));
                self.broken_ever[place].insert(text(*case));
                self.tellings[place] += 1;
            }
            EventKind::InvariantMended { invariant, case } => {
                self.broken_now[place(*invariant)].remove(&text(*case));
            }
            _ => {}
        }
    }
}
