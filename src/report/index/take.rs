//! How each event changes what is known.

use std::rc::Rc;

use super::*;
use crate::trace::{Event, EventKind, LockStrength, LogLevel, StatementOutcome};

/// Of the requests that wrote a row, the latest.
const WRITERS_NAMED: usize = 4;

impl Index {
    /// `number`: the event's in the whole run.
    pub fn take(&mut self, trace: &Trace, number: u32, event: &Event) -> Taken {
        let lost = self.lost_updates.take(trace, event);
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
    fn take_request(&mut self, trace: &Trace, number: u32, event: &Event) -> Option<Request> {
        let id = event.request?;
        match &event.kind {
            EventKind::RequestStarted { client, variant, arguments, .. } => {
                let turn = client.map_or(0, |client| {
                    let turn = self.turns.entry(client).or_default();
                    *turn += 1;
                    *turn
                });
                let doer = Doer { request: id, client: *client };
                let request = Request::new(doer, turn, *variant, *arguments, event.at, number);
                self.requests.insert(id, request);
                return None;
            }
            EventKind::RequestFinished { status, body, error } => {
                let mut request = self.requests.remove(&id)?;
                request.answer = Some(Answer { at: event.at, status: *status, body: *body, error: *error });
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
            EventKind::StatementStarted { text, .. } => {
                request.statements += u32::from(!frames_a_transaction(trace.strings.text(*text)));
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

    /// Who wrote the rows that cases may be about.
    fn note_writers(&mut self, event: &Event) {
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
                if let Some(Call { body: Body::Statement(statement), .. }) = self.calls.get_mut(call) {
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
            | EventKind::TransactionBegan { .. }
            | EventKind::InvariantBroken { .. }
            | EventKind::InvariantMended { .. }
            | EventKind::GaugeRead { .. }
            | EventKind::LimitReached { .. } => {}
        }
    }

    fn doer(&self, request: Option<RequestId>) -> Option<Doer> {
        request.and_then(|request| self.requests.get(&request)).map(|request| request.doer)
    }

    /// What a session still does for a request that has its answer already.
    fn doer_of(&self, event: &Event) -> Option<Doer> {
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
            EventKind::StatementStarted { call, position, text, parameters } => {
                let Some(session) = event.session else { return };
                let body = Body::Statement(Box::new(Statement::new(session, *text, *parameters)));
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
                if let Some(Call { body: Body::Service { fault, .. }, .. }) = self.calls.get_mut(call) {
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
        self.past.calls.push(Call {
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
        self.calls.insert(call, Call { doer, position, began, number, ended: None, abandoned: false, body });
    }

    fn begin_sleep(&mut self, number: u32, event: &Event, position: Position, us: Micros, body: Body) {
        let Some(doer) = self.doer(event.request) else { return };
        let (began, ends) = (event.at, event.at + us);
        let sleep = Call { doer, position, began, number, ended: Some(ends), abandoned: false, body };
        self.sleeps.insert((ends, number), sleep);
    }

    fn end_sleeps(&mut self, now: Micros) {
        while let Some(first) = self.sleeps.first_entry().filter(|first| first.key().0 <= now) {
            self.past.calls.push(first.remove());
        }
    }

    fn end_call(&mut self, call: CallId, at: Micros, end: impl FnOnce(&mut Call)) {
        let Some(mut over) = self.calls.remove(&call) else { return };
        over.ended = Some(at);
        end(&mut over);
        if let Some(request) = self.requests.get_mut(&over.doer.request) {
            request.open.retain(|open| *open != call);
        }
        self.past.calls.push(over);
    }

    /// Who has an answer awaits nothing any more.
    fn end_request(&mut self, request: &Request, at: Micros) {
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

    fn tell(&mut self, call: CallId, number: u32) {
        if let Some(Call { body: Body::Statement(statement), .. }) = self.calls.get_mut(&call) {
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
        self.waits.insert(call, Wait { doer, position, on, row, holder, began: event.at, number, ended: None });
    }

    fn end_wait(&mut self, call: CallId, at: Micros) {
        if let Some(mut over) = self.waits.remove(&call) {
            over.ended = Some(at);
            self.past.waits.push(over);
        }
    }

    fn hands(&mut self, event: &Event, xid: Xid) -> &mut Hands {
        let doer = self.doer_of(event);
        self.transactions.entry(xid).or_insert_with(|| Hands {
            transaction: Transaction { xid, doer, began: event.at, ended: None, committed: false },
            effects: vec![],
            held: BTreeMap::new(),
        })
    }

    fn wrote(
        &mut self,
        number: u32,
        event: &Event,
        call: Option<CallId>,
        row: RowRef,
        values: Option<Rc<[crate::trace::Value]>>,
    ) {
        if let Some(call) = call {
            self.tell(call, number);
        }
        let stood = event.request.and_then(|request| self.requests.get(&request)).and_then(|request| request.called_at);
        let position = call.and_then(|call| self.calls.get(&call)).map(|call| call.position).or(stood);
        // What has no transaction, a service's books, counts at once.
        let fate = if event.xid.is_none() { Fate::Committed(event.at) } else { Fate::Pending };
        let (xid, request, at) = (event.xid, event.request, event.at);
        let version = Version { row, xid, request, position, at, number, values, fate };
        match xid {
            Some(xid) => self.hands(event, xid).effects.push(Effect::Written(version)),
            None => self.past.versions.push(version),
        }
    }

    fn locked(&mut self, number: u32, event: &Event, row: RowRef, strength: LockStrength) {
        let Some(xid) = event.xid else { return };
        let (doer, at) = (self.doer_of(event), event.at);
        let hands = self.hands(event, xid);
        let before = hands.held.insert(row, hands.effects.len());
        let lock = Lock { row, xid, doer, strength, began: at, number, ended: None };
        hands.effects.push(Effect::Locked(lock, before));
        let weaker = match before.map(|before| &hands.effects[before]) {
            Some(Effect::Locked(weaker, _)) => Some(Lock { ended: Some(at), ..weaker.clone() }),
            _ => None,
        };
        if let Some(weaker) = weaker {
            self.past.locks.push(weaker);
        }
    }

    fn take_back(&mut self, event: &Event, kept: usize) {
        let Some(hands) = event.xid.and_then(|xid| self.transactions.get_mut(&xid)) else { return };
        let at = event.at;
        let stronger = hands.held.iter().filter(|(_, place)| **place >= kept).map(|(row, place)| (*row, *place));
        for (row, place) in stronger.collect::<Vec<_>>() {
            let mut counts = Some(place);
            while let Some(place) = counts.filter(|place| *place >= kept) {
                counts = hands.effects[place].stronger_than();
            }
            if let Effect::Locked(lock, _) = &hands.effects[place] {
                self.past.locks.push(Lock { ended: Some(at), ..lock.clone() });
            }
            hands.held.remove(&row);
            if let Some(place) = counts {
                hands.held.insert(row, place);
                if let Effect::Locked(lock, _) = &mut hands.effects[place] {
                    lock.began = at;
                }
            }
        }
        for effect in hands.effects.drain(kept.min(hands.effects.len())..) {
            if let Effect::Written(version) = effect {
                self.past.versions.push(Version { fate: Fate::Gone(at), ..version });
            }
        }
    }

    fn end_transaction(&mut self, event: &Event, committed: bool) {
        let Some(hands) = event.xid.and_then(|xid| self.transactions.remove(&xid)) else { return };
        let at = event.at;
        for lock in hands.locks() {
            self.past.locks.push(Lock { ended: Some(at), ..lock.clone() });
        }
        let fate = if committed { Fate::Committed(at) } else { Fate::Gone(at) };
        for effect in hands.effects {
            if let Effect::Written(version) = effect {
                self.past.versions.push(Version { fate, ..version });
            }
        }
        self.past.transactions.push(Transaction { ended: Some(at), committed, ..hands.transaction });
    }

    fn deadlock(&mut self, number: u32, event: &Event, cycle: &[SessionId]) {
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
            Case { id, invariant, case, row, since, told, number, mended: None, request, writers, stretch },
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

impl Request {
    fn new(doer: Doer, turn: u32, variant: Symbol, arguments: Symbol, began: Micros, number: u32) -> Request {
        Request {
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

impl Statement {
    fn new(session: SessionId, text: Symbol, parameters: Symbol) -> Statement {
        Statement {
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

fn kept<T>(list: &mut VecDeque<T>, next: T) {
    if list.len() >= KEPT {
        list.pop_front();
    }
    list.push_back(next);
}

/// BEGIN and its like: round trips, but no questions.
fn frames_a_transaction(text: &str) -> bool {
    let word = text.trim_start().split([' ', ';', '\n']).next().unwrap_or_default();
    const FRAMES: [&str; 8] = ["begin", "start", "commit", "end", "rollback", "savepoint", "release", "set"];
    FRAMES.iter().any(|frame| word.eq_ignore_ascii_case(frame))
}
