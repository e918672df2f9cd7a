//! Sessions: SQL text in, rows or an error or a wait out. It never waits itself and has no clock: the caller says what time it is.

use std::rc::Rc;

use crate::trace::{Isolation, LockStrength, Micros, Notice, QueryResult, SessionId, SqlError, Value, Xid};

/// One database with its sessions.
pub struct Database {}

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

/// How far a statement came.
#[derive(Debug)]
pub enum Progress {
    /// One result for each statement of the text.
    Done(Vec<QueryResult>),
    /// Waits for a lock. Its own writes are undone; it is taken up again by `resume` when the session is in `take_woken`.
    Wait(Wait),
    Failed(SqlError),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What for, in words: `row 7 of products`, `key (email)=(a@b.c) of users`, `advisory lock 42`.
    pub on: String,
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
    pub facts: Vec<Fact>,
    /// Rows the statement looked at to find its answer, index entries that led nowhere included.
    pub rows_read: u32,
    /// Of these, rows reached by reading a whole table. The rest came by an index.
    pub rows_scanned: u32,
    /// Row versions written.
    pub rows_written: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
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
    /// At most `READS_TOLD` of these for one statement: enough to name a race, never a table scan.
    Read {
        table: Rc<str>,
        key: Rc<str>,
        writer: Option<Xid>,
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

/// How many reads of one statement are told as facts.
pub const READS_TOLD: usize = 32;

impl Database {
    pub fn new(_settings: Settings) -> Database {
        unimplemented!("sql")
    }

    pub fn connect(&mut self) -> SessionId {
        unimplemented!("sql")
    }

    /// Ends a session; its open transaction is rolled back.
    pub fn disconnect(&mut self, _session: SessionId, _now: Micros) -> Vec<Fact> {
        unimplemented!("sql")
    }

    /// Runs one query text. Placeholders are `%s` or `$1`; with parameters there may be one statement only.
    pub fn execute(&mut self, _session: SessionId, _now: Micros, _sql: &str, _parameters: &[Value]) -> Outcome {
        unimplemented!("sql")
    }

    /// Takes a waiting statement up again. Only for sessions that `take_woken` named.
    pub fn resume(&mut self, _session: SessionId, _now: Micros) -> Outcome {
        unimplemented!("sql")
    }

    /// Sessions whose wait is over since the last call (granted, timed out, chosen as deadlock victim), in that order.
    pub fn take_woken(&mut self) -> Vec<SessionId> {
        unimplemented!("sql")
    }

    /// When the next lock_timeout, statement_timeout, idle timeout or deadlock check is due.
    pub fn next_timer(&self) -> Option<Micros> {
        unimplemented!("sql")
    }

    /// Fires what is due at `now`; sessions that fail by it are in `take_woken`.
    pub fn fire_timers(&mut self, _now: Micros) {
        unimplemented!("sql")
    }

    /// Whether the session is in a transaction block, open or failed.
    pub fn in_transaction(&self, _session: SessionId) -> bool {
        unimplemented!("sql")
    }

    /// Ends the session's running statement with 57014, as a cancel request does. It is in `take_woken` if it was waiting.
    pub fn cancel(&mut self, _session: SessionId) {
        unimplemented!("sql")
    }
}
