//! Sessions: SQL text in, rows or an error or a wait out. It never waits itself and has no clock: the caller says what time it is.
//!
//! # The life of a SELECT
//!
//! 1. `Database::execute` is given a text, its parameters and the time. `prepared` looks whether the text is known: then steps 2 to 6
//!    are those of the last time, as long as the types of the parameters, the catalog and what the plan assumed are the same.
//! 2. `parser` makes statements of it: PostgreSQL's grammar, an AST of our own. An error anywhere fails the whole text. What
//!    PostgreSQL takes and this engine does not is `Statement::Refused`, which fails when its turn comes.
//! 3. `session` takes the statements one after the other. It begins a transaction where none is open, and knows what may run in one
//!    that has failed.
//! 4. `binder` resolves names against the catalog and gives every expression its type (`BoundStatement`). A literal of unknown type
//!    becomes what stands beside it; a function is looked up with the types of its arguments.
//! 5. `optimizer` rewrites it by its `PASSES`: columns of a subquery that nobody reads are dropped, constants are computed, outer
//!    joins whose NULLs no condition lets through become inner ones.
//! 6. `planner` chooses an access path for each table and an order and method for each join (`PlanNode`), all by `planner::cost`;
//!    grouping, windows, sorting and row locks stand above. What it assumed of a table's size is kept: another size makes another
//!    plan.
//! 7. The statement's tables are locked, then its snapshot is taken: the transaction's own from REPEATABLE READ on.
//! 8. `exec` runs the plan: each node hands its rows to a sink, so that LIMIT stops the scan below it. What is read is told as events
//!    and, under SERIALIZABLE, to the store's read/write dependencies.
//! 9. FOR UPDATE locks the row in the store. Is another transaction on it, the statement stops with `Wait`; all it has written is
//!    undone. The session is taken up again by `resume` once the lock is granted.
//! 10. A row that changed meanwhile is read in its newest version and tested again (READ COMMITTED), or the statement fails with
//!     40001. Everything else it sees as of its snapshot.
//! 11. The rows go out as a `QueryResult`, with the events for the trace. Outside a transaction block the statement commits.
//!
//! INSERT, UPDATE and DELETE (`executor::write`) find their rows by such a plan, then lock, test, write, check constraints and
//! answer RETURNING; CREATE, ALTER and DROP (`executor::ddl`) take the table for themselves. EXPLAIN (`explain`) prints the plan
//! of step 6;
//! `Database::plan_steps` also what came before it.
//!
//! Questions to the system's own tables (`system`) are answered by GlueSQL, which reads them in its own grammar. Statements over the
//! user's tables are not, for GlueSQL 0.20 answers them otherwise than PostgreSQL: `decimal = 20` is never true, `NOT IN (…, NULL)`
//! is true, `7 / 2` is 3.5, an integer that overflows becomes a float, a join on a key and an UPDATE by key read the whole table,
//! and a row that somebody else has locked cannot be waited for.

pub mod bench;
mod binder;
mod budget;
mod catalog;
mod error;
mod executor;
mod explain;
mod expr;
mod functions;
mod optimizer;
mod parser;
mod plan;
mod plan_steps;
mod planner;
mod session;
mod settings;
mod system;
mod types;

use std::collections::BTreeSet;
use std::rc::Rc;

use executor::engine::Engine;

use crate::trace::{
    Isolation, LockStrength, Micros, Notice, QueryResult, SessionId, SqlError, StatementKind, Value, Xid,
};

pub use plan_steps::PlanStep;
pub use session::in_work::statement_in_work;
use session::prepared::Statements;
pub use session::{Footprint, Reads, footprint};
use session::{Running, Session, Timers};

/// The statements of a text as they stand in it, each with the 1-based character it begins at.
pub fn statements(sql: &str) -> Result<Vec<(u32, &str)>, SqlError> {
    parser::statements(sql).map_err(|stop| match stop {
        error::Stop::Failed(error) => *error,
        error::Stop::Waits => unreachable!("parsing does not wait"),
    })
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

/// When a wait is searched for a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadlockCheck {
    /// As soon as the wait begins: the victim is the session whose wait closes the cycle.
    AtOnce,
    /// Once, this long after the wait began, as PostgreSQL's `deadlock_timeout` does.
    After(Micros),
}

/// A place in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition(crate::store::CommitSeq);

/// How far a statement came.
#[derive(Debug)]
pub enum Progress {
    /// One result for each statement of the text.
    Done(Vec<QueryResult>),
    /// Waits for a lock, keeping what it has done; it is taken up again by `resume` when the session is in `take_woken`.
    Wait(Wait),
    Failed(SqlError),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What for, in words: `row 7 of products`, `key (email)=(a@b.c) of users`, `advisory lock 42`.
    pub on: String,
    /// Table and key, where it is a row, and how strongly it is wanted.
    pub row: Option<(Rc<str>, Rc<str>, LockStrength)>,
    /// Who holds it, or stands before this session in its queue.
    pub holder: SessionId,
}

/// What a call of `execute` or `resume` gave and did.
#[derive(Debug)]
pub struct Outcome {
    pub progress: Progress,
    /// Results of the statements before the one that failed, when a text of several statements failed.
    pub completed: Vec<QueryResult>,
    pub notices: Vec<Notice>,
    /// What happened in order, for the trace.
    pub events: Vec<EngineEvent>,
    /// Rows the statement looked at to find its answer, index entries that led nowhere included.
    pub rows_read: u32,
    /// Of these, rows reached by reading a whole table. The rest came by an index.
    pub rows_scanned: u32,
    /// Row versions written.
    pub rows_written: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum EngineEvent {
    TransactionBegan {
        isolation: Isolation,
    },
    Committed {
        xid: Option<Xid>,
    },
    RolledBack {
        xid: Option<Xid>,
        sqlstate: Option<crate::trace::Sqlstate>,
    },
    /// Back to a savepoint: of what the transaction has `Written` and `Locked` only the first `kept` still count.
    TakenBack {
        xid: Xid,
        kept: u32,
    },
    /// At most `READS_TOLD` of these for one statement: enough to name a race, never a table scan.
    Read {
        table: Rc<str>,
        key: Rc<str>,
        writer: Option<Xid>,
        values: Rc<[Value]>,
    },
    Written {
        xid: Xid,
        table: Rc<str>,
        key: Rc<str>,
        values: Option<Rc<[Value]>>,
        replaced: Option<Xid>,
    },
    Locked {
        xid: Xid,
        table: Rc<str>,
        key: Rc<str>,
        strength: LockStrength,
    },
    Deadlock {
        cycle: Vec<SessionId>,
    },
}

/// How many reads of one statement are told as events.
pub const READS_TOLD: usize = 32;

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

    fn running(&mut self, session: SessionId, now: Micros) -> Running<'_> {
        self.running_with_statements(session, now).0
    }

    fn running_with_statements(&mut self, id: SessionId, now: Micros) -> (Running<'_>, &mut Statements) {
        let session = self.sessions[id.0 as usize].as_mut().expect(CONNECTED);
        let running = Running::new(id, session, &mut self.engine, &mut self.timers, now);
        (running, &mut self.statements)
    }
}
