//! A statement on its way: over the network, into the queue for a core, through the engine, and back.

use std::rc::Rc;

use crate::sql::Progress;
use crate::trace::{CallId, Micros, StatementKind, Value};

pub struct Statement {
    pub sql: Rc<str>,
    pub kind: StatementKind,
    pub parameters: Vec<Value>,
    pub purpose: Purpose,
    pub stage: Stage,
    pub rows_read: u32,
    pub database_us: Micros,
    /// The lock it waits for became free while it still held its core.
    pub woken: bool,
    pub waiting_since: Option<Micros>,
    pub cancelled: bool,
}

pub enum Purpose {
    /// A handler awaits it.
    Call(CallId),
    /// The pool rolls back what was left open.
    Cleanup,
    /// Before `variant` is deployed.
    Migration { variant: String },
}

pub enum Stage {
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

    pub fn call(&self) -> Option<CallId> {
        match self.purpose {
            Purpose::Call(call) => Some(call),
            Purpose::Cleanup | Purpose::Migration { .. } => None,
        }
    }
}
