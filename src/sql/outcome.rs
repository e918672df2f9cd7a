//! What a call of the engine gives and tells.

use std::rc::Rc;

use crate::trace::{Isolation, LockStrength, Micros, Notice, QueryResult, SessionId, SqlError, Sqlstate, Value, Xid};

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
        sqlstate: Option<Sqlstate>,
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

/// When a wait is searched for a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadlockCheck {
    /// As soon as the wait begins: the victim is the session whose wait closes the cycle.
    AtOnce,
    /// Once, this long after the wait began, as PostgreSQL's `deadlock_timeout` does.
    After(Micros),
}
