//! What goes wrong: rows that break a rule and who wrote them, deadlocks.

use super::*;
use crate::trace::{Event, EventKind};

/// Of the requests that wrote a row, the latest.
const WRITERS_NAMED: usize = 4;

impl TraceIndex {
    /// Who wrote the rows that cases may be about.
    pub(super) fn note_writers(&mut self, event: &Event) {
        match &event.kind {
            EventKind::InvariantReads { invariant, about: Some(about), .. } => {
                self.about.insert(*invariant, *about);
            }
            EventKind::VersionWritten { row, .. } if self.about.values().any(|table| *table == row.table) => {
                let Some(request) = event.request else { return };
                let position = self.requests.get(&request).and_then(|request| request.called_at);
                let writers = self.writers.entry(*row).or_default();
                writers.push((request, position));
                if writers.len() > WRITERS_NAMED {
                    writers.remove(0);
                }
            }
            _ => {}
        }
    }

    /// Who wrote the row last that a case of this invariant is, latest last.
    pub fn writers_of(&self, invariant: Symbol, case: Symbol) -> &[(RequestId, Option<Position>)] {
        self.row_of(invariant, case).and_then(|row| self.writers.get(&row)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn deadlock(&mut self, number: u32, event: &Event, cycle: &[SessionId]) {
        let stands = |session: &SessionId| {
            let doer = self.sessions.get(session)?;
            Some((doer.request, self.requests.get(&doer.request).and_then(|request| request.called_at)))
        };
        let victim = event.session.and_then(|session| self.sessions.get(&session)).map(|doer| doer.request);
        let cycle = cycle.iter().filter_map(stands).collect::<Vec<_>>();
        let waits = self.waits.values().filter(|wait| cycle.iter().any(|(request, _)| wait.doer.request == *request));
        let closed = waits.map(|wait| wait.began).max().unwrap_or(event.at);
        let deadlock = Deadlock { at: event.at, closed, number, victim, cycle };
        kept(&mut self.deadlocks, deadlock);
    }

    /// `place`: the invariant's among the scenario's; `stretch`: the one that answers for it.
    pub fn broke(&mut self, number: u32, event: &Event, place: usize, stretch: u32) {
        let EventKind::InvariantBroken { invariant, case, row, since } = &event.kind else { return };
        if !self.keeps {
            return;
        }
        let writers = self.writers_of(*invariant, *case).to_vec();
        self.standing.insert((place, *case), number);
        let (id, invariant, case, row, since) = (*invariant, place, *case, *row, *since);
        let (told, request) = (event.at, event.request);
        kept(
            &mut self.cases,
            CaseRecord { id, invariant, case, row, since, told, number, mended: None, request, writers, stretch },
        );
    }

    pub fn mended(&mut self, place: usize, case: Symbol, at: Micros) {
        let Some(number) = self.standing.remove(&(place, case)) else { return };
        let told = self.cases.partition_point(|case| case.number < number);
        if let Some(case) = self.cases.get_mut(told).filter(|case| case.number == number) {
            case.mended = Some(at);
        }
    }
}

/// What has no end of its own is let go when there is too much of it.
pub(super) fn kept<T>(list: &mut VecDeque<T>, next: T) {
    if list.len() >= KEPT {
        list.pop_front();
    }
    list.push_back(next);
}
