//! How each event changes what is known.

use super::wrongs::kept;
use super::*;
use crate::trace::{Event, EventKind, LockStrength, LogLevel, StatementOutcome};

impl TraceIndex {
    /// `number`: the event's in the whole run.
    pub fn take(&mut self, trace: &Trace, number: u32, event: &Event) -> Taken {
        let lost = self.lost_updates.take(event);
        let lost_updates = lost.len() as u32;
        if self.keeps {
            self.end_sleeps(event.at);
            for lost in lost {
                kept(&mut self.lost, (number, lost));
            }
            self.keep(number, event);
        }
        self.note_writers(event);
        let finished = self.take_request(trace, number, event);
        let writer = match &event.kind {
            EventKind::InvariantBroken { invariant, case, .. } => self.writers_of(*invariant, *case).last(),
            _ => None,
        };
        Taken { finished, lost_updates, writer: writer.map(|(request, _)| *request) }
    }

    /// What totals need as well: requests and what they have spent.
    fn take_request(&mut self, trace: &Trace, number: u32, event: &Event) -> Option<RequestRecord> {
        let id = event.request?;
        match &event.kind {
            EventKind::RequestStarted { client, variant, arguments, .. } => {
                let turn = client.map_or(0, |client| {
                    let turn = self.turns.entry(client).or_default();
                    *turn += 1;
                    *turn
                });
                let doer = Doer { request: id, client: *client };
                let request = RequestRecord::new(doer, turn, *variant, *arguments, event.at, number);
                self.requests.insert(id, request);
                return None;
            }
            EventKind::RequestFinished { status, body, error } => {
                let mut request = self.requests.remove(&id)?;
                request.answer = Some(AnswerRecord { at: event.at, status: *status, body: *body, error: *error });
                if *status >= 500 {
                    self.failures.take(trace, event.at, id, *body, *error, request.called_at);
                }
                if self.keeps {
                    self.end_request(&request, event.at);
                }
                return Some(request);
            }
            _ => {}
        }
        let request = self.requests.get_mut(&id)?;
        match &event.kind {
            EventKind::StatementStarted { kind, .. } => {
                request.statements += u32::from(!kind.frames_a_transaction());
            }
            EventKind::StatementFinished { rows_read, .. } => request.rows_read += rows_read,
            EventKind::ConnectionAcquired { waited_us, .. } | EventKind::ConnectionRefused { waited_us, .. } => {
                request.pool_wait_us += waited_us;
            }
            EventKind::LockGranted { waited_us, .. } => request.lock_wait_us += waited_us,
            _ => {}
        }
        match &event.kind {
            EventKind::StatementStarted { position, .. } | EventKind::ServiceCalled { position, .. } => {
                request.called_at = Some(*position);
                request.stands(self.keeps, event.at, *position);
            }
            EventKind::ConnectionWaitBegan { position, .. }
            | EventKind::ConnectionAcquired { position, .. }
            | EventKind::Slept { position, .. }
            | EventKind::Blocked { position, .. } => request.stands(self.keeps, event.at, *position),
            _ => {}
        }
        None
    }

    /// Everything that views show.
    fn keep(&mut self, number: u32, event: &Event) {
        match &event.kind {
            EventKind::ConnectionAcquired { .. } => self.acquired(number, event),
            EventKind::ConnectionReleased => {
                event.session.map(|session| self.sessions.remove(&session));
            }
            EventKind::ConnectionWaitBegan { .. }
            | EventKind::ConnectionRefused { .. }
            | EventKind::StatementStarted { .. }
            | EventKind::StatementFinished { .. }
            | EventKind::VersionsRead { .. }
            | EventKind::Slept { .. }
            | EventKind::Blocked { .. }
            | EventKind::CallAbandoned { .. }
            | EventKind::ServiceCalled { .. }
            | EventKind::ServiceAnswered { .. }
            | EventKind::FaultApplied { .. } => self.keep_call(number, event),
            EventKind::LockWaitBegan { call, on, row, holder } => {
                self.begin_wait(number, event, *call, *on, *row, *holder)
            }
            EventKind::LockGranted { call, waited_us } => {
                self.end_wait(*call, event.at);
                if let Some(CallRecord { body: Body::Statement(statement), .. }) = self.calls.get_mut(call) {
                    statement.waits.push((event.at, *waited_us));
                }
            }
            EventKind::VersionWritten { call, row, values, .. } => {
                self.wrote(number, event, *call, *row, values.clone())
            }
            EventKind::RowLocked { row, strength } => self.locked(number, event, *row, *strength),
            EventKind::TakenBack { kept } => self.take_back(event, *kept as usize),
            EventKind::Committed => self.end_transaction(event, true),
            EventKind::RolledBack { .. } => self.end_transaction(event, false),
            EventKind::DeadlockFound { cycle } => self.deadlock(number, event, cycle),
            EventKind::TableColumns { table, columns } => {
                self.columns.insert(*table, columns.clone());
            }
            EventKind::InvariantReads { invariant, tables, .. } => {
                self.reads.insert(*invariant, tables.clone());
            }
            EventKind::Logged { level, text, .. } => {
                self.lines.push_back(Line { at: event.at, level: *level, request: event.request, text: *text });
            }
            EventKind::RequestFinished { error: Some(text), .. } => {
                let (level, request) = (LogLevel::Error, event.request);
                self.lines.push_back(Line { at: event.at, level, request, text: *text });
            }
            EventKind::MachinesSet { .. }
            | EventKind::Deployed { .. }
            | EventKind::ChangeApplied { .. }
            | EventKind::ChangeRefused { .. }
            | EventKind::ProcessKilled { .. }
            | EventKind::MemoryMeasured { .. }
            | EventKind::RequestStarted { .. }
            | EventKind::RequestFinished { error: None, .. }
            | EventKind::StatementDescribed { .. }
            | EventKind::TransactionBegan { .. }
            | EventKind::InvariantBroken { .. }
            | EventKind::InvariantMended { .. }
            | EventKind::GaugeRead { .. }
            | EventKind::LimitReached { .. } => {}
        }
    }

    pub(super) fn doer(&self, request: Option<RequestId>) -> Option<Doer> {
        request.and_then(|request| self.requests.get(&request)).map(|request| request.doer)
    }

    /// What a session still does for a request that has its answer already.
    pub(super) fn doer_of(&self, event: &Event) -> Option<Doer> {
        let has = event.session.and_then(|session| self.sessions.get(&session)).copied();
        self.doer(event.request).or(has.filter(|doer| Some(doer.request) == event.request))
    }

    fn keep_call(&mut self, number: u32, event: &Event) {
        match &event.kind {
            EventKind::ConnectionWaitBegan { call, position } => {
                let body = Body::Connection { waited: true, refused: false };
                self.begin_call(number, event, *call, *position, body);
            }
            EventKind::ConnectionRefused { call, .. } => self.end_call(*call, event.at, |call| {
                call.body = Body::Connection { waited: true, refused: true };
            }),
            EventKind::StatementStarted { call, position, text, parameters, .. } => {
                let Some(session) = event.session else { return };
                let body = Body::Statement(Box::new(StatementRecord::new(session, *text, *parameters)));
                self.begin_call(number, event, *call, *position, body);
            }
            EventKind::StatementFinished { call, outcome, rows_read, rows, database_us } => {
                self.end_wait(*call, event.at);
                self.end_call(*call, event.at, |call| {
                    if let Body::Statement(statement) = &mut call.body {
                        statement.outcome = Some(*outcome);
                        (statement.rows_read, statement.rows) = (*rows_read, *rows);
                        statement.database_us = *database_us;
                    }
                });
            }
            EventKind::VersionsRead { call, .. } => self.tell(*call, number),
            EventKind::Slept { position, us, .. } => self.begin_sleep(number, event, *position, *us, Body::Sleep),
            EventKind::Blocked { position, us } => self.begin_sleep(number, event, *position, *us, Body::Block),
            EventKind::CallAbandoned { call } => {
                if let Some(mut over) = self.calls.remove(call) {
                    (over.ended, over.abandoned) = (Some(event.at), true);
                    self.past.calls.push(over);
                }
            }
            EventKind::ServiceCalled { call, position, service, method, arguments } => {
                let (service, method, arguments) = (*service, *method, *arguments);
                let body = Body::Service { service, method, arguments, fault: None, answer: None };
                self.begin_call(number, event, *call, *position, body);
            }
            EventKind::ServiceAnswered { call, outcome, body } => self.end_call(*call, event.at, |call| {
                if let Body::Service { answer, .. } = &mut call.body {
                    *answer = Some((*outcome, *body));
                }
            }),
            EventKind::FaultApplied { call: Some(call), fault: met, .. } => {
                if let Some(CallRecord { body: Body::Service { fault, .. }, .. }) = self.calls.get_mut(call) {
                    *fault = Some(*met);
                }
            }
            _ => {}
        }
    }

    fn acquired(&mut self, number: u32, event: &Event) {
        let EventKind::ConnectionAcquired { call, position, .. } = &event.kind else { return };
        let Some(doer) = self.doer(event.request) else { return };
        event.session.map(|session| self.sessions.insert(session, doer));
        if self.calls.contains_key(call) {
            return self.end_call(*call, event.at, |_| {});
        }
        self.past.calls.push(CallRecord {
            doer,
            position: *position,
            began: event.at,
            number,
            ended: Some(event.at),
            abandoned: false,
            body: Body::Connection { waited: false, refused: false },
        });
    }

    fn begin_call(&mut self, number: u32, event: &Event, call: CallId, position: Position, body: Body) {
        let Some(request) = event.request.and_then(|request| self.requests.get_mut(&request)) else { return };
        request.open.push(call);
        let (doer, began) = (request.doer, event.at);
        self.calls.insert(call, CallRecord { doer, position, began, number, ended: None, abandoned: false, body });
    }

    fn begin_sleep(&mut self, number: u32, event: &Event, position: Position, us: Micros, body: Body) {
        let Some(doer) = self.doer(event.request) else { return };
        let (began, ends) = (event.at, event.at + us);
        let sleep = CallRecord { doer, position, began, number, ended: Some(ends), abandoned: false, body };
        self.sleeps.insert((ends, number), sleep);
    }

    fn end_sleeps(&mut self, now: Micros) {
        while let Some(first) = self.sleeps.first_entry().filter(|first| first.key().0 <= now) {
            self.past.calls.push(first.remove());
        }
    }

    fn end_call(&mut self, call: CallId, at: Micros, end: impl FnOnce(&mut CallRecord)) {
        let Some(mut over) = self.calls.remove(&call) else { return };
        over.ended = Some(at);
        end(&mut over);
        if let Some(request) = self.requests.get_mut(&over.doer.request) {
            request.open.retain(|open| *open != call);
        }
        self.past.calls.push(over);
    }

    /// Who has an answer awaits nothing any more.
    fn end_request(&mut self, request: &RequestRecord, at: Micros) {
        for call in &request.open {
            self.end_wait(*call, at);
            if let Some(mut over) = self.calls.remove(call) {
                (over.ended, over.abandoned) = (Some(at), true);
                self.past.calls.push(over);
            }
        }
        let sleeping = self.sleeps.iter().filter(|(_, sleep)| sleep.doer == request.doer).map(|(key, _)| *key);
        for key in sleeping.collect::<Vec<_>>() {
            if let Some(mut over) = self.sleeps.remove(&key) {
                (over.ended, over.abandoned) = (Some(at), true);
                self.past.calls.push(over);
            }
        }
        self.past.requests.push(request.clone());
    }

    pub(super) fn tell(&mut self, call: CallId, number: u32) {
        if let Some(CallRecord { body: Body::Statement(statement), .. }) = self.calls.get_mut(&call) {
            statement.told.push(number);
        }
    }

    fn begin_wait(
        &mut self,
        number: u32,
        event: &Event,
        call: CallId,
        on: Symbol,
        row: Option<(RowRef, LockStrength)>,
        holder: SessionId,
    ) {
        let Some(doer) = self.doer(event.request) else { return };
        let position = self.calls.get(&call).map(|call| call.position);
        let holder = self.sessions.get(&holder).copied();
        self.waits.insert(call, WaitRecord { doer, position, on, row, holder, began: event.at, number, ended: None });
    }

    fn end_wait(&mut self, call: CallId, at: Micros) {
        if let Some(mut over) = self.waits.remove(&call) {
            over.ended = Some(at);
            self.past.waits.push(over);
        }
    }
}

impl RequestRecord {
    fn new(doer: Doer, turn: u32, variant: Symbol, arguments: Symbol, began: Micros, number: u32) -> RequestRecord {
        RequestRecord {
            doer,
            turn,
            variant,
            arguments,
            began,
            number,
            answer: None,
            statements: 0,
            rows_read: 0,
            lock_wait_us: 0,
            pool_wait_us: 0,
            called_at: None,
            places: vec![],
            open: Default::default(),
        }
    }

    fn stands(&mut self, kept: bool, at: Micros, place: Position) {
        if kept && !self.is_worker() && self.places.last().is_none_or(|(_, last)| *last != place) {
            self.places.push((at, place));
        }
    }
}

impl StatementRecord {
    fn new(session: SessionId, text: Symbol, parameters: Symbol) -> StatementRecord {
        StatementRecord {
            session,
            text,
            parameters,
            outcome: None,
            rows_read: 0,
            rows: 0,
            database_us: 0,
            waits: Default::default(),
            told: Default::default(),
        }
    }

    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(StatementOutcome::Failed { .. }))
    }
}
