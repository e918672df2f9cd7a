//! The way of a statement: over the network, into the queue for a core, through the engine, perhaps into a wait for a lock, to the disk
//! when it commits, and back. A wait for a lock holds no core; neither does the disk.
//!
//! A statement reads and writes when it gets its core, and then holds the core for what that costs. A COMMIT takes effect only once
//! the log is on disk, so its locks are held that long; a statement outside a transaction shows its effect before it is flushed,
//! which is half a millisecond early.

use std::collections::VecDeque;
use std::rc::Rc;

use super::cost;
use super::dice::normal_us;
use super::tape::{Sender, Sent};
use super::world::{Step, World};
use crate::sql::{EngineEvent, LogPosition, Outcome, Progress};
use crate::trace::{
    Answer, CallId, EventKind, Micros, QueryResult, RequestId, RowRef, Server, SessionId, SqlError, StatementKind,
    StatementOutcome, Value, VersionSeen, Xid,
};

/// Of a statement that saw more rows than this their values are not told: they would be most of the trace.
const VALUES_TOLD: usize = 4;

#[derive(Default)]
pub struct Cores {
    count: usize,
    busy: usize,
    queue: VecDeque<SessionId>,
}

/// The log's way to the replica.
#[derive(Default)]
pub struct Shipping {
    /// How much of the log is on its way or there.
    shipped: Option<LogPosition>,
    /// When the last of it is replayed: commits keep their order.
    arrives: Micros,
}

/// One connection, as the simulation sees it.
pub struct Session {
    pub process: usize,
    pub server: Server,
    /// Who holds it.
    pub request: Option<RequestId>,
    /// Its holder has given it back; it goes to the pool once it is clean.
    pub returning: bool,
    running: Option<Statement>,
    queue: VecDeque<Statement>,
    /// The open transaction has written something, so its commit must be flushed.
    wrote: bool,
}

pub struct Statement {
    sql: Rc<str>,
    kind: StatementKind,
    parameters: Vec<Value>,
    purpose: Purpose,
    stage: Stage,
    rows_read: u32,
    database_us: Micros,
    /// The lock it waits for became free while it still held its core.
    woken: bool,
    waiting_since: Option<Micros>,
    cancelled: bool,
}

pub enum Purpose {
    /// A handler awaits it.
    Call(CallId),
    /// The pool rolls back what was left open.
    Cleanup,
    /// Before `variant` is deployed.
    Migration { variant: String },
}

enum Stage {
    /// Waits for a core, to begin or to be taken up again.
    Ready,
    /// On a core; the engine has answered.
    Costing(Progress),
    LockWait,
    /// A commit on a core, not yet executed.
    Committing,
    /// The log is being written; a commit has yet to be executed.
    Flushing(Option<Progress>),
    Over,
}

impl Session {
    pub fn new(process: usize, server: Server) -> Session {
        Session {
            process,
            server,
            request: None,
            returning: false,
            running: None,
            queue: VecDeque::new(),
            wrote: false,
        }
    }

    pub fn is_quiet(&self) -> bool {
        self.running.is_none() && self.queue.is_empty()
    }
}

impl Statement {
    pub fn new(sql: Rc<str>, kind: StatementKind, parameters: Vec<Value>, purpose: Purpose) -> Statement {
        Statement {
            sql,
            kind,
            parameters,
            purpose,
            stage: Stage::Ready,
            rows_read: 0,
            database_us: 0,
            woken: false,
            waiting_since: None,
            cancelled: false,
        }
    }

    fn call(&self) -> Option<CallId> {
        match self.purpose {
            Purpose::Call(call) => Some(call),
            Purpose::Cleanup | Purpose::Migration { .. } => None,
        }
    }
}

impl World {
    pub fn adjust_cores(&mut self) {
        let count = self.amount(&self.document.world.machine.database_cores).max(1.0) as usize;
        for server in [Server::Primary, Server::Replica] {
            self.cores_of(server).count = count;
            self.fill_cores(server);
        }
    }

    fn cores_of(&mut self, server: Server) -> &mut Cores {
        match server {
            Server::Primary => &mut self.cores,
            Server::Replica => &mut self.replica_cores,
        }
    }

    /// What was committed since the last look sets out for the replica.
    fn ship_log(&mut self) {
        let Some(lag) = &self.document.world.machine.replica_lag_ms else { return };
        let end = self.database.log_end();
        if self.shipping.shipped.is_none_or(|shipped| shipped < end) {
            let lag_us = self.amount_us(lag);
            let taken = normal_us(&mut self.dice.replication, lag_us, lag_us / 4.0);
            self.shipping.shipped = Some(end);
            self.shipping.arrives = self.shipping.arrives.max(self.now + taken);
            self.schedule(self.shipping.arrives, Step::Replayed(end));
        }
    }

    /// One way between a process and the database.
    pub fn hop_us(&mut self) -> Micros {
        let machine = &self.document.world.machine;
        let (mean, sd) = (self.amount_us(&machine.network_ms), self.amount_us(&machine.network_sd_ms));
        normal_us(&mut self.dice.network, mean / 2.0, sd / 2.0)
    }

    pub fn send_statement(&mut self, session: SessionId, statement: Statement) {
        let arrives = self.now + self.hop_us();
        self.schedule(arrives, Step::StatementArrives(session, statement));
    }

    pub fn statement_arrives(&mut self, session: SessionId, statement: Statement) {
        // A connection of a killed process: nobody is there to hear an answer.
        let Some(state) = self.sessions.get_mut(&session) else { return };
        state.queue.push_back(statement);
        if state.running.is_none() {
            self.next_statement(session);
        }
    }

    pub fn send_cancel(&mut self, session: SessionId, call: CallId) {
        let arrives = self.now + self.hop_us();
        self.schedule(arrives, Step::CancelArrives(session, call));
    }

    pub fn cancel_arrives(&mut self, session: SessionId, call: CallId) {
        let Some(state) = self.sessions.get_mut(&session) else { return };
        state.queue.retain(|statement| statement.call() != Some(call));
        let Some(running) = state.running.as_mut().filter(|statement| statement.call() == Some(call)) else { return };
        running.cancelled = true;
        if matches!(running.stage, Stage::LockWait) {
            self.database.cancel(session);
            self.after_engine();
        }
    }

    pub fn core_done(&mut self, session: SessionId, server: Server) {
        self.cores_of(server).busy -= 1;
        if let Some(state) = self.sessions.get_mut(&session)
            && let Some(statement) = state.running.as_mut()
        {
            match std::mem::replace(&mut statement.stage, Stage::Over) {
                Stage::Costing(Progress::Wait(_)) if statement.woken => {
                    statement.woken = false;
                    self.lock_granted(session);
                }
                Stage::Costing(Progress::Wait(_)) => statement.stage = Stage::LockWait,
                Stage::Costing(progress) => {
                    if state.wrote && !self.database.in_transaction(session) {
                        state.wrote = false;
                        statement.stage = Stage::Flushing(Some(progress));
                        self.schedule(self.now + cost::FLUSH_US, Step::Flushed(session));
                    } else {
                        self.reply(session, progress);
                    }
                }
                Stage::Committing => {
                    statement.stage = Stage::Flushing(None);
                    self.schedule(self.now + cost::FLUSH_US, Step::Flushed(session));
                }
                other => statement.stage = other,
            }
        }
        self.fill_cores(server);
    }

    pub fn flushed(&mut self, session: SessionId) {
        let Some(statement) = self.sessions.get_mut(&session).and_then(|state| state.running.as_mut()) else { return };
        match std::mem::replace(&mut statement.stage, Stage::Over) {
            Stage::Flushing(Some(progress)) => self.reply(session, progress),
            Stage::Flushing(None) => {
                let progress = self.execute(session, false);
                self.sessions.get_mut(&session).expect("a committing session is open").wrote = false;
                self.reply(session, progress);
                self.after_engine();
            }
            other => statement.stage = other,
        }
    }

    pub fn database_timer_fired(&mut self) {
        if self.database_timer.is_some_and(|at| at <= self.now) {
            self.database_timer = None;
            self.database.fire_timers(self.now);
            self.after_engine();
        }
    }

    /// After everything that may have ended somebody's wait.
    pub fn after_engine(&mut self) {
        self.ship_log();
        for session in self.database.take_woken() {
            let Some(statement) = self.sessions.get_mut(&session).and_then(|state| state.running.as_mut()) else {
                continue;
            };
            match statement.stage {
                Stage::LockWait => self.lock_granted(session),
                Stage::Costing(Progress::Wait(_)) => statement.woken = true,
                // It is about to be taken up again anyway.
                _ => {}
            }
        }
        let next = self.database.next_timer();
        if let Some(at) = next
            && self.database_timer.is_none_or(|set| at < set)
        {
            self.database_timer = Some(at);
            self.schedule(at, Step::DatabaseTimer);
        }
    }

    pub fn disconnect(&mut self, session: SessionId) {
        let Some(state) = self.sessions.remove(&session) else { return };
        self.cores_of(state.server).queue.retain(|waiting| *waiting != session);
        let events = self.database.disconnect(session, self.now);
        self.record_engine_events(&events, state.request, session, None);
        self.after_engine();
    }

    /// Runs a text on the auditor's session: at once, at no cost, with nothing recorded.
    pub fn audit(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<QueryResult>, SqlError> {
        self.audit_outcome(sql, parameters).0
    }

    /// The same, with what the engine tells of it.
    pub fn audit_outcome(&mut self, sql: &str, parameters: &[Value]) -> (Result<Vec<QueryResult>, SqlError>, Outcome) {
        let mut outcome = self.database.execute(self.auditor, self.now, sql, parameters);
        let progress = std::mem::replace(&mut outcome.progress, Progress::Done(vec![]));
        let result = match progress {
            Progress::Done(results) => Ok(results),
            Progress::Failed(error) => Err(error),
            Progress::Wait(wait) => {
                self.database.cancel(self.auditor);
                self.database.resume(self.auditor, self.now);
                Err(SqlError::new("55P03", format!("would have to wait for {}", wait.on)))
            }
        };
        (result, outcome)
    }

    fn next_statement(&mut self, session: SessionId) {
        let state = self.sessions.get_mut(&session).expect("an open session");
        match state.queue.pop_front() {
            Some(statement) => {
                state.running = Some(statement);
                let server = state.server;
                self.cores_of(server).queue.push_back(session);
                self.fill_cores(server);
            }
            None if state.returning => self.return_when_clean(session),
            None => {}
        }
    }

    fn fill_cores(&mut self, server: Server) {
        loop {
            let cores = self.cores_of(server);
            if cores.busy >= cores.count {
                return;
            }
            let Some(session) = cores.queue.pop_front() else { return };
            cores.busy += 1;
            self.run_on_core(session);
        }
    }

    fn run_on_core(&mut self, session: SessionId) {
        let state = self.sessions.get_mut(&session).expect("a queued session is open");
        let (wrote, server) = (state.wrote, state.server);
        let statement = state.running.as_mut().expect("a queued session has a statement");
        if statement.kind == StatementKind::Commit && wrote && !statement.cancelled {
            statement.stage = Stage::Committing;
            statement.database_us += cost::COMMIT_US;
            self.schedule(self.now + cost::COMMIT_US, Step::CoreDone(session, server));
            return;
        }
        let resumed = statement.waiting_since.take().is_some();
        let before = statement.database_us;
        let progress = self.execute(session, resumed);
        let state = self.sessions.get_mut(&session).expect("a running session is open");
        let statement = state.running.as_mut().expect("its statement runs");
        let held = statement.database_us - before;
        if matches!(progress, Progress::Wait(_)) {
            statement.waiting_since = Some(self.now);
        }
        statement.stage = Stage::Costing(progress);
        self.schedule(self.now + held, Step::CoreDone(session, server));
        self.after_engine();
    }

    /// Lets the engine run the session's statement and records what it did.
    fn execute(&mut self, session: SessionId, resumed: bool) -> Progress {
        let state = self.sessions.get_mut(&session).expect("a running session is open");
        let request = state.request;
        let statement = state.running.as_mut().expect("its statement runs");
        if let (Some(tape), Some(request), false) = (&mut self.tape, request, resumed) {
            let (sql, parameters) = (statement.sql.clone(), statement.parameters.clone());
            tape.push(Sent { at: self.now, session, by: Sender::Handler(request), sql, parameters });
        }
        let call = statement.call();
        let outcome = if resumed {
            self.database.resume(session, self.now)
        } else {
            self.database.execute(session, self.now, &statement.sql, &statement.parameters)
        };
        statement.rows_read = statement.rows_read.saturating_add(outcome.rows_read);
        statement.database_us += cost::core_us(&outcome);
        state.wrote |= outcome.rows_written > 0;
        if outcome.events.iter().any(|event| matches!(event, EngineEvent::RolledBack { .. })) {
            state.wrote = false;
        }
        self.record_engine_events(&outcome.events, request, session, call);
        self.earn_look();
        if let (Progress::Wait(wait), Some(call)) = (&outcome.progress, call) {
            let on = self.symbol(&wait.on);
            let row = wait.row.as_ref().map(|(table, key, strength)| (self.row(table, key), *strength));
            let kind = EventKind::LockWaitBegan { call, on, row, holder: wait.holder };
            self.record(kind, request, Some(session), None);
        }
        outcome.progress
    }

    /// The wait is over: the statement queues for a core to be taken up again.
    fn lock_granted(&mut self, session: SessionId) {
        let state = self.sessions.get_mut(&session).expect("a waiting session is open");
        let (request, server) = (state.request, state.server);
        let statement = state.running.as_mut().expect("a waiting session has a statement");
        statement.stage = Stage::Ready;
        let waited_us = self.now - statement.waiting_since.unwrap_or(self.now);
        if let Some(call) = statement.call() {
            self.record(EventKind::LockGranted { call, waited_us }, request, Some(session), None);
        }
        self.cores_of(server).queue.push_back(session);
        self.fill_cores(server);
    }

    fn reply(&mut self, session: SessionId, progress: Progress) {
        let state = self.sessions.get_mut(&session).expect("a running session is open");
        let statement = state.running.take().expect("its statement runs");
        let (mut outcome, rows, answer) = match progress {
            Progress::Done(results) => {
                let rows = results.iter().map(|result| result.rows.len() as u64).sum::<u64>();
                let changed = results.iter().filter_map(|result| result.row_count).sum::<u64>();
                (StatementOutcome::Ok, rows.max(changed) as u32, Answer::Rows(results))
            }
            Progress::Failed(error) => {
                let message = self.symbol(&error.message);
                (StatementOutcome::Failed { sqlstate: error.sqlstate, message }, 0, Answer::SqlError(error))
            }
            Progress::Wait(_) => unreachable!("a wait is no reply"),
        };
        if statement.cancelled {
            outcome = StatementOutcome::Cancelled;
        }
        let arrives = self.now + self.hop_us();
        self.schedule(arrives, Step::Replied { session, statement, outcome, rows, answer });
        self.next_statement(session);
    }

    pub fn replied(
        &mut self,
        session: SessionId,
        statement: Statement,
        outcome: StatementOutcome,
        rows: u32,
        answer: Answer,
    ) {
        match statement.purpose {
            Purpose::Call(call) => {
                let Statement { rows_read, database_us, .. } = statement;
                let request = self.calls.get(&call).map(|open| open.request);
                let kind = EventKind::StatementFinished { call, outcome, rows_read, rows, database_us };
                self.record(kind, request, Some(session), None);
                self.answer(call, answer);
            }
            Purpose::Migration { variant } => {
                let error = if let Answer::SqlError(error) = answer { Some(error) } else { None };
                self.migration_ended(&variant, error);
            }
            Purpose::Cleanup => {}
        }
    }

    pub fn record_engine_events(
        &mut self,
        events: &[EngineEvent],
        request: Option<RequestId>,
        session: SessionId,
        call: Option<CallId>,
    ) {
        self.watch_engine_events(session, events);
        let mut seen: Vec<VersionSeen> = vec![];
        for event in events {
            let (kind, xid) = match event {
                EngineEvent::TransactionBegan { isolation } => {
                    (EventKind::TransactionBegan { isolation: *isolation }, None)
                }
                EngineEvent::Committed { xid } => (EventKind::Committed, *xid),
                EngineEvent::RolledBack { xid, sqlstate } => (EventKind::RolledBack { sqlstate: *sqlstate }, *xid),
                EngineEvent::TakenBack { xid, kept } => (EventKind::TakenBack { kept: *kept }, Some(*xid)),
                EngineEvent::Read { table, key, writer, values } => {
                    let row = self.row(table, key);
                    let values = writer.is_none().then(|| values.clone());
                    seen.push(VersionSeen { row, writer: *writer, values });
                    continue;
                }
                EngineEvent::Written { xid, table, key, values, replaced } => {
                    let row = self.row(table, key);
                    let kind = EventKind::VersionWritten { call, row, values: values.clone(), replaced: *replaced };
                    (kind, Some(*xid))
                }
                EngineEvent::Locked { xid, table, key, strength } => {
                    let row = self.row(table, key);
                    (EventKind::RowLocked { row, strength: *strength }, Some(*xid))
                }
                EngineEvent::Deadlock { cycle } => {
                    (EventKind::DeadlockFound { cycle: cycle.clone().into_boxed_slice() }, None)
                }
            };
            self.record_seen(&mut seen, call, request, session, xid);
            self.record(kind, request, Some(session), xid);
        }
        self.record_seen(&mut seen, call, request, session, None);
    }

    /// Reads are told together, before what the statement did with them.
    fn record_seen(
        &mut self,
        seen: &mut Vec<VersionSeen>,
        call: Option<CallId>,
        request: Option<RequestId>,
        session: SessionId,
        xid: Option<Xid>,
    ) {
        let mut rows = std::mem::take(seen).into_boxed_slice();
        if rows.len() > VALUES_TOLD {
            rows.iter_mut().for_each(|seen| seen.values = None);
        }
        if let Some(call) = call.filter(|_| !rows.is_empty()) {
            self.record(EventKind::VersionsRead { call, rows }, request, Some(session), xid);
        }
    }

    pub fn row(&mut self, table: &str, key: &str) -> RowRef {
        RowRef { table: self.trace.strings.intern(table), key: self.symbol(key) }
    }
}
