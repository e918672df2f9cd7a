//! A session at work for the length of one call: a query text begins, goes on after a wait, waits, fails or is finished.

use crate::sql::error::{Result, Stop};
use crate::sql::executor::WaitTarget;
use crate::sql::executor::engine::Engine;
use crate::sql::executor::sequences::KnownSequences;
use crate::sql::outcome::{DeadlockCheck, EngineEvent, Outcome, Progress, Wait};
use crate::store::{Tag, Waiting};
use crate::trace::{Micros, Notice, QueryResult, SessionId, SqlError, Sqlstate, Value};

use super::in_work::InWork;
use super::prepared::Statements;
use super::statement::QueryInProgress;
use super::timers::{Timer, deadlock_error};
use super::{Session, Timers};

pub struct RunningSession<'a> {
    pub id: SessionId,
    pub session: &'a mut Session,
    pub engine: &'a mut Engine,
    pub timers: &'a mut Timers,
    pub now: Micros,
    pub output: StatementOutput,
}

/// What the statements of one call gave and did besides their results.
#[derive(Default)]
pub struct StatementOutput {
    /// Results of the statements before one that failed.
    pub completed: Vec<QueryResult>,
    pub notices: Vec<Notice>,
    pub events: Vec<EngineEvent>,
    pub rows_read: u32,
    pub rows_scanned: u32,
    pub rows_written: u32,
}

impl StatementOutput {
    fn outcome(self, progress: Progress) -> Outcome {
        Outcome {
            progress,
            completed: self.completed,
            notices: self.notices,
            events: self.events,
            rows_read: self.rows_read,
            rows_scanned: self.rows_scanned,
            rows_written: self.rows_written,
        }
    }
}

impl<'a> RunningSession<'a> {
    pub fn new(
        id: SessionId,
        session: &'a mut Session,
        engine: &'a mut Engine,
        timers: &'a mut Timers,
        now: Micros,
    ) -> RunningSession<'a> {
        RunningSession { id, session, engine, timers, now, output: StatementOutput::default() }
    }

    pub fn execute(mut self, known: &mut Statements, sql: &str, parameters: &[Value]) -> Outcome {
        assert!(self.session.query.is_none(), "one query text at a time");
        // What happened to it while it was idle, as when it was ended for that.
        self.output.events.append(&mut self.session.events);
        if let Some(error) = self.session.ended.clone() {
            return self.output.outcome(Progress::Failed(error));
        }
        let mut query = QueryInProgress::begin(self.now);
        let progress = self.guarded(&mut query, |running, query| {
            running.drop_timers();
            match query.read(known, sql, parameters) {
                Ok(()) => running.go_on(query),
                Err(stop) => running.stop(query, stop),
            }
        });
        self.leave(query, progress)
    }

    pub fn resume(mut self) -> Outcome {
        let mut query = self.session.query.take().expect("a statement that waited");
        let progress = self.guarded(&mut query, RunningSession::take_up);
        self.leave(query, progress)
    }

    fn take_up(&mut self, query: &mut QueryInProgress) -> Progress {
        self.drop_timers();
        self.output.events.append(&mut self.session.events);
        if let Some(run) = &mut query.current.run {
            run.restart();
        }
        if let Some(error) = self.session.interrupt.take() {
            return self.fail(query, error);
        }
        assert!(self.engine.store.waiting(self.id).is_none(), "only a woken session is resumed");
        if let Some((tag @ Tag::Table(_), mode)) = query.current.waiting {
            self.engine.store.lock_granted(self.id, tag, mode);
        }
        self.go_on(query)
    }

    fn leave(self, query: QueryInProgress, progress: Progress) -> Outcome {
        if let Progress::Wait(_) = progress {
            self.session.query = Some(query);
        }
        self.output.outcome(progress)
    }

    /// Runs the rest of the text, with the session's temporary tables in sight.
    fn go_on(&mut self, query: &mut QueryInProgress) -> Progress {
        self.engine.catalog.view = Some(self.id);
        let progress = match self.run_statements(query) {
            Ok(()) => self.finish(query),
            Err(stop) => self.stop(query, stop),
        };
        self.engine.catalog.view = None;
        progress
    }

    fn run_statements(&mut self, query: &mut QueryInProgress) -> Result<()> {
        let statements = query.statements.clone();
        while let Some(prepared) = statements.get(query.at) {
            let _in_work = InWork::on(prepared.text.clone());
            let result = self.run_statement(query, prepared)?;
            self.end_statement(query);
            query.results.push(result);
            query.at += 1;
        }
        if self.session.transaction.as_ref().is_some_and(|transaction| transaction.implicit) {
            self.commit()?;
        }
        Ok(())
    }

    fn finish(&mut self, query: &mut QueryInProgress) -> Progress {
        let idle = self.session.settings.idle_timeout_us;
        if self.session.transaction.is_some() && idle > 0 {
            self.set_timer(self.now + idle, Timer::Idle);
        }
        Progress::Done(std::mem::take(&mut query.results))
    }

    fn stop(&mut self, query: &mut QueryInProgress, stop: Stop) -> Progress {
        match stop {
            Stop::Waits => self.wait(query),
            Stop::Failed(error) => self.fail(query, *error),
        }
    }

    /// The statement stands in a line.
    fn wait(&mut self, query: &mut QueryInProgress) -> Progress {
        query.current.waiting = match self.engine.store.waiting(self.id).expect("who waits stands in a line") {
            Waiting::Lock(tag, mode) => Some((tag, mode)),
            Waiting::Transaction(_) | Waiting::SafeSnapshot(_) => None,
        };
        let run = query.current.run.as_ref().expect("who waits has run");
        let on = run.waits_on.to_string();
        let row = match &run.waits_on {
            WaitTarget::Row { table, key, strength } => Some((table.clone(), key.clone(), *strength)),
            WaitTarget::Nothing | WaitTarget::Other(_) => None,
        };
        if query.current.pinned.is_none() {
            let commit_seq = run.snapshot.commit_seq;
            query.current.pinned = Some(commit_seq);
            self.engine.store.pin(commit_seq);
        }
        let holder = self.engine.store.blocker(self.id).unwrap_or(self.id);
        match self.timers.deadlocks {
            DeadlockCheck::AtOnce => {
                if let Some(cycle) = self.engine.store.check_deadlock(self.id) {
                    self.engine.store.stop_waiting(self.id);
                    let error = deadlock_error(&cycle);
                    self.output.events.push(EngineEvent::Deadlock { cycle });
                    return self.fail(query, error);
                }
            }
            DeadlockCheck::After(delay) => self.set_timer(self.now + delay, Timer::Deadlock),
        }
        self.set_timeouts(query.began);
        Progress::Wait(Wait { on, row, holder })
    }

    fn fail(&mut self, query: &mut QueryInProgress, error: SqlError) -> Progress {
        self.undo(query, error.sqlstate);
        Progress::Failed(error)
    }

    fn undo(&mut self, query: &mut QueryInProgress, sqlstate: Sqlstate) {
        self.end_statement(query);
        self.output.completed = std::mem::take(&mut query.results);
        self.fail_transaction(sqlstate);
    }

    /// Lets go of what the statement needed only while it ran.
    fn end_statement(&mut self, query: &mut QueryInProgress) {
        self.engine.store.release_tuple_lock(self.id);
        let ended = std::mem::take(&mut query.current);
        if let Some(commit_seq) = ended.pinned {
            self.engine.store.unpin(commit_seq);
        }
    }

    /// Undoes the statement in work wherever it stands.
    pub fn abort(&mut self, query: &mut QueryInProgress, sqlstate: Sqlstate) {
        self.drop_timers();
        self.engine.store.stop_waiting(self.id);
        if let Some(before) = query.current.catalog_before.take() {
            let after = self.engine.catalog.state(self.id);
            self.engine.catalog.take_back(self.id, before, &after);
        }
        self.undo(query, sqlstate);
    }

    /// Nothing is undone: there is no telling what state it is in.
    pub fn end_for_good(&mut self, why: SqlError) {
        *self.session = Session { ended: Some(why), ..Session::default() };
    }

    /// The session is in `take_woken`, and its statement fails when it is resumed.
    pub fn interrupt(&mut self, error: SqlError) {
        if self.session.interrupt.is_none() {
            self.session.interrupt = Some(error);
            self.engine.store.interrupt_wait(self.id);
        }
    }

    pub fn cancel(mut self) {
        if self.session.waits() {
            self.interrupt(SqlError::new("57014", "canceling statement due to user request"));
        }
    }

    /// Before the session's end; its open transaction is rolled back.
    pub fn disconnect(mut self) -> Vec<EngineEvent> {
        self.drop_timers();
        self.output.events.append(&mut self.session.events);
        self.engine.store.stop_waiting(self.id);
        if let Some(mut query) = self.session.query.take() {
            self.end_statement(&mut query);
        }
        self.roll_back(None);
        self.forget_belongings();
        self.output.events
    }

    /// Of advisory locks and temporary tables nothing outlives its session.
    pub fn forget_belongings(&mut self) {
        self.engine.unlock_advisory(self.id);
        self.engine.forget_temporary_tables(self.id);
        *self.engine.sequences_of(self.id) = KnownSequences::default();
    }
}
