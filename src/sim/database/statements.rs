//! Statements that have arrived: in turn, on a core, waiting for a lock, at the disk, answered.

use super::DatabaseServer;
use crate::sim::cost;
use crate::sim::kernel::Kernel;
use crate::sim::message::{AppMessage, DatabaseMessage, Message};
use crate::sim::statement::{Purpose, Stage, Statement};
use crate::sim::statement_log::{Sender, Sent};
use crate::sql::{EngineEvent, Progress};
use crate::trace::{Answer, CallId, EventKind, Server, SessionId, StatementKind, StatementOutcome};

impl DatabaseServer {
    pub(super) fn arrives(&mut self, session: SessionId, statement: Statement, kernel: &mut Kernel) {
        // A connection of a killed process: nobody is there to hear an answer.
        let Some(connection) = self.connections.get_mut(&session) else { return };
        connection.queue.push_back(statement);
        if connection.running.is_none() {
            self.next_statement(session, kernel);
        }
    }

    pub(super) fn cancel_arrives(&mut self, session: SessionId, call: CallId, kernel: &mut Kernel) {
        let Some(connection) = self.connections.get_mut(&session) else { return };
        connection.queue.retain(|statement| statement.call() != Some(call));
        let Some(running) = connection.running.as_mut().filter(|statement| statement.call() == Some(call)) else {
            return;
        };
        running.cancelled = true;
        if matches!(running.stage, Stage::LockWait) {
            self.engine.cancel(session);
            self.wake(kernel);
        }
    }

    pub(super) fn core_done(&mut self, session: SessionId, server: Server, kernel: &mut Kernel) {
        self.cores_of(server).busy -= 1;
        if let Some(connection) = self.connections.get_mut(&session)
            && let Some(statement) = connection.running.as_mut()
        {
            match std::mem::replace(&mut statement.stage, Stage::Over) {
                Stage::Costing(Progress::Wait(_)) if statement.woken => {
                    statement.woken = false;
                    self.lock_granted(session, kernel);
                }
                Stage::Costing(Progress::Wait(_)) => statement.stage = Stage::LockWait,
                Stage::Costing(progress) => {
                    if connection.wrote && !self.engine.in_transaction(session) {
                        connection.wrote = false;
                        statement.stage = Stage::Flushing(Some(progress));
                        kernel.schedule(kernel.now() + cost::FLUSH_US, DatabaseMessage::Flushed(session));
                    } else {
                        self.reply(session, progress, kernel);
                    }
                }
                Stage::Committing => {
                    statement.stage = Stage::Flushing(None);
                    kernel.schedule(kernel.now() + cost::FLUSH_US, DatabaseMessage::Flushed(session));
                }
                other => statement.stage = other,
            }
        }
        kernel.post(DatabaseMessage::FillCores(server));
    }

    pub(super) fn flushed(&mut self, session: SessionId, kernel: &mut Kernel) {
        let Some(statement) = self.connections.get_mut(&session).and_then(|connection| connection.running.as_mut())
        else {
            return;
        };
        match std::mem::replace(&mut statement.stage, Stage::Over) {
            Stage::Flushing(Some(progress)) => self.reply(session, progress, kernel),
            Stage::Flushing(None) => {
                let progress = self.execute(session, false, kernel);
                self.connections.get_mut(&session).expect("a committing session is open").wrote = false;
                self.reply(session, progress, kernel);
                kernel.post(DatabaseMessage::Wake);
            }
            other => statement.stage = other,
        }
    }

    pub(super) fn timer_fired(&mut self, kernel: &mut Kernel) {
        if self.timer.is_some_and(|at| at <= kernel.now()) {
            self.timer = None;
            self.engine.fire_timers(kernel.now());
            self.wake(kernel);
        }
    }

    /// After everything that may have ended somebody's wait.
    pub(super) fn wake(&mut self, kernel: &mut Kernel) {
        self.ship_log(kernel);
        for session in self.engine.take_woken() {
            let running = self.connections.get_mut(&session).and_then(|connection| connection.running.as_mut());
            let Some(statement) = running else { continue };
            match statement.stage {
                Stage::LockWait => self.lock_granted(session, kernel),
                Stage::Costing(Progress::Wait(_)) => statement.woken = true,
                // It is about to be taken up again anyway.
                _ => {}
            }
        }
        let next = self.engine.next_timer();
        if let Some(at) = next
            && self.timer.is_none_or(|set| at < set)
        {
            self.timer = Some(at);
            kernel.schedule(at, DatabaseMessage::Timer);
        }
    }

    pub(super) fn fill_cores(&mut self, server: Server, kernel: &mut Kernel) {
        loop {
            let cores = self.cores_of(server);
            if cores.busy >= cores.count {
                return;
            }
            let Some(session) = cores.queue.pop_front() else { return };
            cores.busy += 1;
            self.run_on_core(session, kernel);
        }
    }

    fn next_statement(&mut self, session: SessionId, kernel: &mut Kernel) {
        let connection = self.connections.get_mut(&session).expect("an open session");
        match connection.queue.pop_front() {
            Some(statement) => {
                connection.running = Some(statement);
                let server = connection.server;
                self.cores_of(server).queue.push_back(session);
                self.fill_cores(server, kernel);
            }
            None if connection.returning => self.return_when_clean(session, kernel),
            None => {}
        }
    }

    fn run_on_core(&mut self, session: SessionId, kernel: &mut Kernel) {
        let connection = self.connections.get_mut(&session).expect("a queued session is open");
        let (wrote, server) = (connection.wrote, connection.server);
        let statement = connection.running.as_mut().expect("a queued session has a statement");
        if statement.kind == StatementKind::Commit && wrote && !statement.cancelled {
            statement.stage = Stage::Committing;
            statement.database_us += cost::COMMIT_US;
            kernel.schedule(kernel.now() + cost::COMMIT_US, DatabaseMessage::CoreDone(session, server));
            return;
        }
        let resumed = statement.waiting_since.take().is_some();
        let before = statement.database_us;
        let progress = self.execute(session, resumed, kernel);
        let connection = self.connections.get_mut(&session).expect("a running session is open");
        let statement = connection.running.as_mut().expect("its statement runs");
        let held = statement.database_us - before;
        if matches!(progress, Progress::Wait(_)) {
            statement.waiting_since = Some(kernel.now());
        }
        statement.stage = Stage::Costing(progress);
        kernel.schedule(kernel.now() + held, DatabaseMessage::CoreDone(session, server));
        self.wake(kernel);
    }

    /// Lets the engine run the session's statement and records what it did.
    fn execute(&mut self, session: SessionId, resumed: bool, kernel: &mut Kernel) -> Progress {
        let connection = self.connections.get_mut(&session).expect("a running session is open");
        let holder = connection.holder;
        let statement = connection.running.as_mut().expect("its statement runs");
        if let (Some(log), Some(request), false) = (&mut self.statement_log, holder, resumed) {
            let (sql, parameters) = (statement.sql.clone(), statement.parameters.clone());
            log.push(Sent { at: kernel.now(), session, by: Sender::Handler(request), sql, parameters });
        }
        let call = statement.call();
        let outcome = if resumed {
            self.engine.resume(session, kernel.now())
        } else {
            self.engine.execute(session, kernel.now(), &statement.sql, &statement.parameters)
        };
        statement.rows_read = statement.rows_read.saturating_add(outcome.rows_read);
        statement.database_us += cost::core_us(&outcome);
        connection.wrote |= outcome.rows_written > 0;
        if outcome.events.iter().any(|event| matches!(event, EngineEvent::RolledBack { .. })) {
            connection.wrote = false;
        }
        self.record_engine_events(&outcome.events, holder, session, call, true, kernel);
        if let (Progress::Wait(wait), Some(call)) = (&outcome.progress, call) {
            let on = kernel.symbol(&wait.on);
            let row = wait.row.as_ref().map(|(table, key, strength)| (kernel.row(table, key), *strength));
            let kind = EventKind::LockWaitBegan { call, on, row, holder: wait.holder };
            kernel.record(kind, holder, Some(session), None);
        }
        outcome.progress
    }

    /// The wait is over: the statement queues for a core to be taken up again.
    fn lock_granted(&mut self, session: SessionId, kernel: &mut Kernel) {
        let connection = self.connections.get_mut(&session).expect("a waiting session is open");
        let (holder, server) = (connection.holder, connection.server);
        let statement = connection.running.as_mut().expect("a waiting session has a statement");
        statement.stage = Stage::Ready;
        let waited_us = kernel.now() - statement.waiting_since.unwrap_or(kernel.now());
        if let Some(call) = statement.call() {
            kernel.record(EventKind::LockGranted { call, waited_us }, holder, Some(session), None);
        }
        self.cores_of(server).queue.push_back(session);
        self.fill_cores(server, kernel);
    }

    fn reply(&mut self, session: SessionId, progress: Progress, kernel: &mut Kernel) {
        let connection = self.connections.get_mut(&session).expect("a running session is open");
        let statement = connection.running.take().expect("its statement runs");
        let (mut outcome, rows, answer) = match progress {
            Progress::Done(results) => {
                let rows = results.iter().map(|result| result.rows.len() as u64).sum::<u64>();
                let changed = results.iter().filter_map(|result| result.row_count).sum::<u64>();
                (StatementOutcome::Ok, rows.max(changed) as u32, Answer::Rows(results))
            }
            Progress::Failed(error) => {
                let message = kernel.symbol(&error.message);
                (StatementOutcome::Failed { sqlstate: error.sqlstate, message }, 0, Answer::SqlError(error))
            }
            Progress::Wait(_) => unreachable!("a wait is no reply"),
        };
        if statement.cancelled {
            outcome = StatementOutcome::Cancelled;
        }
        let arrives = kernel.now() + self.hop_us(kernel);
        let Statement { purpose, rows_read, database_us, .. } = statement;
        match purpose {
            Purpose::Call(call) => kernel.schedule(
                arrives,
                AppMessage::StatementAnswered { session, call, outcome, rows_read, rows, database_us, answer },
            ),
            Purpose::Migration { variant } => {
                let error = if let Answer::SqlError(error) = answer { Some(error) } else { None };
                kernel.schedule(arrives, Message::Migrated { variant, error });
            }
            Purpose::Cleanup => {}
        }
        self.next_statement(session, kernel);
    }
}
