//! Finds lost updates: a request read a row, another changed it, and the first wrote over that change what it had computed before.
//!
//! Only writes that cannot have seen the change count: an UPDATE whose new values come from the caller alone and whose WHERE does not
//! ask about what it sets. `SET stock = stock - 1` builds on the newest version; `WHERE version = 3` finds no row any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{CallId, Event, EventKind, Micros, Position, RequestId, RowRef, StatementKind, Symbol, Xid};

#[derive(Debug, Clone)]
pub struct LostUpdate {
    pub row: RowRef,
    pub read_at: Position,
    pub written_at: Position,
    /// Whose change was lost, if it was made by a request that is known.
    pub lost_by: Option<RequestId>,
    pub request: RequestId,
    /// When it wrote over the change, and when that became final.
    pub at: Micros,
    pub committed: Micros,
}

#[derive(Default)]
pub struct LostUpdates {
    requests: BTreeMap<RequestId, RequestReads>,
    /// By transaction, what it did: it counts when it commits.
    pending: BTreeMap<Xid, Vec<PendingEffect>>,
    texts: BTreeMap<Symbol, Manner>,
    /// Who wrote the newest version of a row.
    writers: BTreeMap<RowRef, (Xid, RequestId)>,
}

#[derive(Default)]
struct RequestReads {
    calls: BTreeMap<CallId, (Symbol, Position)>,
    seen: BTreeMap<RowRef, (Option<Xid>, Position)>,
    /// Rows a SELECT of the open transaction has locked: what it saw of them stays true.
    locked: BTreeSet<RowRef>,
    own: Vec<Xid>,
}

enum PendingEffect {
    Written(Option<Box<LostUpdate>>),
    Locked(RowRef),
}

impl PendingEffect {
    fn lock(&self) -> Option<RowRef> {
        match self {
            PendingEffect::Written(_) => None,
            PendingEffect::Locked(row) => Some(*row),
        }
    }
}

/// What a statement's text says about how it writes.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Reads,
    /// An UPDATE that overwrites whatever is there.
    Overwrites,
    Other,
}

impl LostUpdates {
    /// Lost updates that this event makes final.
    pub fn take(&mut self, event: &Event) -> Vec<LostUpdate> {
        if let EventKind::Committed | EventKind::RolledBack { .. } = event.kind {
            if let Some(reader) = event.request.and_then(|request| self.requests.get_mut(&request)) {
                reader.locked.clear();
            }
            let done = event.xid.and_then(|xid| self.pending.remove(&xid)).unwrap_or_default();
            let made = done.into_iter().filter_map(|effect| match effect {
                PendingEffect::Written(lost) => lost.map(|lost| LostUpdate { committed: event.at, ..*lost }),
                PendingEffect::Locked(_) => None,
            });
            return if event.kind == EventKind::Committed { made.collect() } else { vec![] };
        }
        if let EventKind::StatementDescribed { text, sets, built_on, asks, .. } = &event.kind
            && !sets.is_empty()
        {
            let overwrites = built_on.is_empty() && !sets.iter().any(|column| asks.contains(column));
            self.texts.insert(*text, if overwrites { Manner::Overwrites } else { Manner::Other });
        }
        let Some(request) = event.request else { return vec![] };
        match &event.kind {
            EventKind::RequestFinished { .. } => {
                self.requests.remove(&request);
            }
            EventKind::StatementStarted { call, position, text, kind, .. } => {
                let manner = if *kind == StatementKind::Select { Manner::Reads } else { Manner::Other };
                self.texts.entry(*text).or_insert(manner);
                self.requests.entry(request).or_default().calls.insert(*call, (*text, *position));
            }
            EventKind::StatementFinished { call, .. } => {
                self.requests.entry(request).or_default().calls.remove(call);
            }
            EventKind::VersionsRead { call, rows } => {
                let reader = self.requests.entry(request).or_default();
                if let Some((text, position)) = reader.calls.get(call)
                    && self.texts.get(text) == Some(&Manner::Reads)
                {
                    reader.seen.extend(rows.iter().map(|seen| (seen.row, (seen.writer, *position))));
                }
            }
            EventKind::TakenBack { kept } => {
                let done = event.xid.and_then(|xid| self.pending.get_mut(&xid));
                let Some(done) = done else { return vec![] };
                let gone = done.split_off((*kept as usize).min(done.len()));
                let reader = self.requests.entry(request).or_default();
                for row in gone.iter().filter_map(PendingEffect::lock) {
                    if !done.iter().filter_map(PendingEffect::lock).any(|held| held == row) {
                        reader.locked.remove(&row);
                    }
                }
            }
            EventKind::RowLocked { row, .. } => {
                if let Some(xid) = event.xid {
                    self.pending.entry(xid).or_default().push(PendingEffect::Locked(*row));
                }
                let reader = self.requests.entry(request).or_default();
                if reader.calls.values().any(|(text, _)| self.texts.get(text) == Some(&Manner::Reads)) {
                    reader.locked.insert(*row);
                }
            }
            EventKind::VersionWritten { call, row, replaced, .. } => {
                let Some(xid) = event.xid else { return vec![] };
                let lost_by = self.writers.insert(*row, (xid, request));
                let reader = self.requests.entry(request).or_default();
                if !reader.own.contains(&xid) {
                    reader.own.push(xid);
                }
                let written_by = call.and_then(|call| reader.calls.get(&call));
                let lost = match (written_by, replaced, reader.seen.get(row)) {
                    (Some((text, written_at)), Some(replaced), Some((writer, read_at)))
                        if self.texts.get(text) == Some(&Manner::Overwrites)
                            && *writer != Some(*replaced)
                            && !reader.own.contains(replaced)
                            && !reader.locked.contains(row) =>
                    {
                        let lost_by = lost_by.filter(|(xid, _)| xid == replaced).map(|(_, request)| request);
                        let (read_at, written_at) = (*read_at, *written_at);
                        let (row, at) = (*row, event.at);
                        Some(Box::new(LostUpdate { row, read_at, written_at, lost_by, request, at, committed: at }))
                    }
                    _ => None,
                };
                self.pending.entry(xid).or_default().push(PendingEffect::Written(lost));
            }
            _ => {}
        }
        vec![]
    }
}
