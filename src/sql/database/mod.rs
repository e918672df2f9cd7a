//! One database: its sessions, and what is asked of it from outside.

mod plan_steps;
mod reads;

use std::collections::BTreeSet;

use crate::sql::error::Stop;
use crate::sql::executor::engine::Engine;
use crate::sql::outcome::{DeadlockCheck, EngineEvent, Outcome};
use crate::sql::session::prepared::Statements;
use crate::sql::session::{Footprint, RunningSession, Session, Timers};
use crate::sql::{optimizer, parser, planner};
use crate::store::CommitSeq;
use crate::trace::{Micros, SessionId, SqlError, StatementKind, Value};

pub use plan_steps::PlanStep;
pub use reads::Reads;

/// The statements of a text as they stand in it, each with the 1-based character it begins at.
pub fn statements(sql: &str) -> Result<Vec<(u32, &str)>, SqlError> {
    parser::statements(sql).map_err(Stop::failure)
}

/// What the optimizer and the planner make of a statement, each of which can be left out.
pub fn rewrites() -> impl Iterator<Item = &'static str> {
    optimizer::PASSES.iter().map(|pass| pass.name).chain(planner::REWRITES.iter().copied())
}

/// One database with its sessions.
pub struct Database {
    engine: Engine,
    sessions: Vec<Option<Session>>,
    statements: Statements,
    timers: Timers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub deadlocks: DeadlockCheck,
    /// Feeds random() and gen_random_uuid().
    pub seed: u64,
    /// Microseconds since 1970 at virtual time 0, for now().
    pub epoch_us: i64,
}

/// A place in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition(CommitSeq);

const CONNECTED: &str = "a connected session";

impl Database {
    pub fn new(settings: Settings) -> Database {
        Database {
            engine: Engine::new(settings.seed, settings.epoch_us),
            sessions: Vec::new(),
            statements: Statements::default(),
            timers: Timers::new(settings.deadlocks),
        }
    }

    pub fn connect(&mut self) -> SessionId {
        self.sessions.push(Some(Session::default()));
        SessionId(self.sessions.len() as u32 - 1)
    }

    /// A session of the replica: it sees commits only once they are replayed, and writes nothing.
    pub fn connect_to_replica(&mut self) -> SessionId {
        let session = self.connect();
        self.engine.store.attach_replica(session);
        session
    }

    /// How far the log goes: everything committed until now.
    pub fn log_end(&self) -> LogPosition {
        LogPosition(self.engine.store.newest())
    }

    /// The replica has come so far.
    pub fn replay(&mut self, position: LogPosition) {
        self.engine.store.replay(position.0);
    }

    /// From now on what is committed counts as there before the run: events name no writer for it.
    pub fn settle(&mut self) {
        self.engine.settled_xid = self.engine.store.last_xid();
    }

    /// For tests: plans are made without one of the rewrites that `rewrites` names.
    pub fn skip_rewrite(&mut self, name: &str) {
        self.statements.skip(name);
    }

    /// Of a text that is one statement; `Other` is everything else.
    pub fn kind_of(&mut self, sql: &str, with_parameters: bool) -> StatementKind {
        match self.statements.get(sql, with_parameters).as_deref() {
            Ok([only]) => only.kind,
            _ => StatementKind::Other,
        }
    }

    /// Of a text that is one statement; what others name is not told.
    pub fn footprint(&mut self, sql: &str, with_parameters: bool) -> Footprint {
        match self.statements.get(sql, with_parameters).as_deref() {
            Ok([only]) => Footprint::of(&only.statement),
            _ => Footprint::new(StatementKind::Other),
        }
    }

    /// Whether the session is in a transaction block, open or failed.
    pub fn in_transaction(&self, session: SessionId) -> bool {
        self.sessions[session.0 as usize].as_ref().expect(CONNECTED).in_block()
    }

    /// Runs one query text. Placeholders are `%s` or `$1`; with parameters there may be one statement only.
    pub fn execute(&mut self, session: SessionId, now: Micros, sql: &str, parameters: &[Value]) -> Outcome {
        let (running, statements) = self.running_with_statements(session, now);
        running.execute(statements, sql, parameters)
    }

    /// Takes a waiting statement up again. Only for sessions that `take_woken` named.
    pub fn resume(&mut self, session: SessionId, now: Micros) -> Outcome {
        self.running(session, now).resume()
    }

    /// Sessions whose wait is over since the last call (granted, timed out, chosen as deadlock victim), in that order.
    pub fn take_woken(&mut self) -> Vec<SessionId> {
        let mut woken = self.engine.store.take_woken();
        let mut seen = BTreeSet::new();
        woken.retain(|session| {
            seen.insert(*session) && self.sessions[session.0 as usize].as_ref().is_some_and(Session::waits)
        });
        woken
    }

    /// When the next lock_timeout, statement_timeout, idle timeout or deadlock check is due.
    pub fn next_timer(&self) -> Option<Micros> {
        self.timers.next()
    }

    /// Fires what is due at `now`; sessions that fail by it are in `take_woken`.
    pub fn fire_timers(&mut self, now: Micros) {
        while let Some((at, session, timer)) = self.timers.take_due(now) {
            self.running(session, now).fire(at, timer);
        }
    }

    /// Ends the session's running statement with 57014, as a cancel request does. It is in `take_woken` if it was waiting.
    pub fn cancel(&mut self, session: SessionId) {
        self.running(session, 0).cancel();
    }

    /// Ends a session; its open transaction is rolled back.
    pub fn disconnect(&mut self, session: SessionId, now: Micros) -> Vec<EngineEvent> {
        let events = self.running(session, now).disconnect();
        self.sessions[session.0 as usize] = None;
        events
    }

    pub(in crate::sql) fn running(&mut self, session: SessionId, now: Micros) -> RunningSession<'_> {
        self.running_with_statements(session, now).0
    }

    fn running_with_statements(&mut self, id: SessionId, now: Micros) -> (RunningSession<'_>, &mut Statements) {
        let session = self.sessions[id.0 as usize].as_mut().expect(CONNECTED);
        let running = RunningSession::new(id, session, &mut self.engine, &mut self.timers, now);
        (running, &mut self.statements)
    }
}
