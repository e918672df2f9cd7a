//! Who waits for whom at a moment.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::index::{Doer, Interval, LockRecord, TraceIndex, WaitRecord};
use crate::trace::{Micros, RequestId, RowRef, Symbol, Trace};

/// A request that waits for a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LockWait {
    pub request: u32,
    /// Who sent it: `client 12`, `worker`.
    pub label: String,
    /// What it waits for: `row 13 of accounts`, `key (email)=(a@b.c) of users`.
    pub on: String,
    /// Of a row.
    pub table: Option<String>,
    pub key: Option<String>,
    #[ts(type = "number")]
    pub since_us: Micros,
    /// The line that waits.
    pub file: Option<String>,
    pub line: Option<u32>,
    /// Those who hold it, or if nobody does those who stand before it in the queue. Empty for the moment in which it was given free
    /// and the waiting statement has not gone on yet.
    pub holders: Vec<LockHolder>,
    /// It waits, through others, for itself. The database finds that out only after `deadlock_timeout`.
    pub deadlocked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LockHolder {
    pub request: u32,
    pub label: String,
    /// It has the row; else it only stands before the waiting one.
    pub holds: bool,
}

/// In the order in which they began to wait.
pub fn locks(index: &TraceIndex, trace: &Trace, at: Micros) -> Vec<LockWait> {
    let blockers = Blockers::new(index, at, at);
    let mut waits = index.waits_at(at).collect::<Vec<_>>();
    waits.sort_by_key(|wait| wait.number);
    let edges = waits.iter().map(|wait| (wait.doer.request, blockers.of(wait, at)));
    let mut edges_of: BTreeMap<RequestId, Vec<RequestId>> = BTreeMap::new();
    for (request, of) in edges {
        edges_of.entry(request).or_default().extend(of.all().map(|doer| doer.request));
    }
    let now = |wait: &&WaitRecord| {
        let of = blockers.of(wait, at);
        let holds = !of.holders.is_empty();
        let shown = if holds { &of.holders } else { &of.ahead };
        let holder = |doer: &Doer| LockHolder { request: doer.request.0, label: doer.label(), holds };
        let text = |symbol: Symbol| trace.strings.text(symbol).to_owned();
        LockWait {
            request: wait.doer.request.0,
            label: wait.doer.label(),
            on: text(wait.on),
            table: wait.row.map(|(row, _)| text(row.table)),
            key: wait.row.map(|(row, _)| text(row.key)),
            since_us: wait.began,
            file: wait.position.map(|position| text(position.file)),
            line: wait.position.map(|position| position.line),
            holders: shown.iter().map(holder).collect(),
            deadlocked: reaches(&edges_of, wait.doer.request),
        }
    };
    waits.iter().map(now).collect()
}

/// Whether one who waits waits, through others, for itself.
fn reaches(edges: &BTreeMap<RequestId, Vec<RequestId>>, start: RequestId) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = edges.get(&start).cloned().unwrap_or_default();
    while let Some(request) = next.pop() {
        if request == start {
            return true;
        }
        if seen.insert(request) {
            next.extend(edges.get(&request).into_iter().flatten());
        }
    }
    false
}

/// Who is in the way of those who wait, in a window.
pub struct Blockers<'a> {
    locks: BTreeMap<RowRef, Vec<&'a LockRecord>>,
    waits: BTreeMap<Symbol, Vec<&'a WaitRecord>>,
}

#[derive(Default)]
pub struct InTheWay {
    /// They have it.
    pub holders: Vec<Doer>,
    /// They stand before it in the queue.
    pub ahead: Vec<Doer>,
}

impl InTheWay {
    pub fn all(&self) -> impl Iterator<Item = Doer> {
        self.holders.iter().chain(&self.ahead).copied()
    }

    fn has(list: &mut Vec<Doer>, doer: Doer) {
        if !list.contains(&doer) {
            list.push(doer);
        }
    }
}

impl<'a> Blockers<'a> {
    pub fn new(index: &'a TraceIndex, from: Micros, to: Micros) -> Blockers<'a> {
        let mut blockers = Blockers { locks: BTreeMap::new(), waits: BTreeMap::new() };
        for lock in index.locks_in(from, to) {
            blockers.locks.entry(lock.row).or_default().push(lock);
        }
        for wait in index.waits_in(from, to) {
            blockers.waits.entry(wait.on).or_default().push(wait);
        }
        blockers
    }

    pub fn of(&self, wait: &WaitRecord, at: Micros) -> InTheWay {
        let mut way = InTheWay::default();
        let others = self.waits.get(&wait.on).into_iter().flatten();
        match wait.row {
            Some((row, wanted)) => {
                let locks = self.locks.get(&row).into_iter().flatten();
                let locks = locks.filter(|lock| lock.is_at(at) && lock.strength.conflicts(wanted));
                for doer in locks.filter_map(|lock| lock.doer).filter(|doer| *doer != wait.doer) {
                    InTheWay::has(&mut way.holders, doer);
                }
                let before = others.filter(|other| {
                    let strong = other.row.is_some_and(|(_, strength)| strength.conflicts(wanted));
                    other.number < wait.number && other.is_at(at) && other.doer != wait.doer && strong
                });
                before.for_each(|other| InTheWay::has(&mut way.ahead, other.doer));
            }
            // Of a lock that is on no row only the queue is told: whoever was given it last has it.
            None => {
                let given = others.filter(|other| {
                    let later = other.ended.is_some_and(|ended| ended > wait.began && ended <= at);
                    later && other.doer != wait.doer
                });
                let last = given.max_by_key(|other| other.ended).map(|other| other.doer);
                way.holders.extend(last.or(wait.holder).filter(|doer| *doer != wait.doer));
            }
        }
        way
    }
}
