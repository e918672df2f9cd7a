//! Where clients stand in the code at a moment, and for how many of them that is a wait.

use std::collections::BTreeMap;

use super::LitLine;
use super::index::{Body, Interval, TraceIndex};
use crate::trace::{Micros, Position, RequestId, Trace};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WaitKind {
    ForConnection,
    ForLock,
}

pub fn lit(index: &TraceIndex, trace: &Trace, at: Micros) -> Vec<LitLine> {
    // A client that awaits several things at once stands where it waits, else at what it came to last.
    let mut waits: BTreeMap<RequestId, (WaitKind, u32, Position)> = BTreeMap::new();
    let mut waits_at = |request: RequestId, wait: (WaitKind, u32, Position)| {
        let known = waits.entry(request).or_insert(wait);
        *known = (*known).max(wait);
    };
    let connections = index.calls_in(at, at).filter(|call| matches!(call.body, Body::Connection { .. }));
    for call in connections.filter(|call| call.is_at(at)) {
        waits_at(call.doer.request, (WaitKind::ForConnection, call.number, call.position));
    }
    for wait in index.waits_at(at) {
        if let Some(position) = wait.position {
            waits_at(wait.doer.request, (WaitKind::ForLock, wait.number, position));
        }
    }
    let mut lines: BTreeMap<Position, LitLine> = BTreeMap::new();
    for request in index.requests_at(at).filter(|request| !request.is_worker()) {
        let wait = waits.get(&request.doer.request);
        let place = wait.map(|(_, _, position)| *position).or_else(|| request.place_at(at));
        let Some(place) = place else { continue };
        let line = lines.entry(place).or_insert_with(|| LitLine {
            file: trace.strings.text(place.file).to_owned(),
            line: place.line,
            clients: 0,
            lock_waits: 0,
            pool_waits: 0,
        });
        line.clients += 1;
        line.lock_waits += u32::from(wait.is_some_and(|(how, ..)| *how == WaitKind::ForLock));
        line.pool_waits += u32::from(wait.is_some_and(|(how, ..)| *how == WaitKind::ForConnection));
    }
    lines.into_values().collect()
}
