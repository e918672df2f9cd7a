//! Everything that reached the database, in the order in which it took effect: with it a run's SQL can be stepped through again without
//! its clients, handlers and services. It tells nothing of what came of it; that is the trace's.

use std::rc::Rc;

use crate::trace::{Micros, RequestId, SessionId, Value};

#[derive(Debug, Clone)]
pub struct Sent {
    pub at: Micros,
    pub session: SessionId,
    pub by: Sender,
    /// With `$1` for the first parameter.
    pub sql: Rc<str>,
    pub parameters: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// Tables, indexes, a variant's migration: before the first request.
    Schema,
    /// The scenario's rows.
    Rows,
    Handler(RequestId),
    /// A service that a request called, into its own books.
    Service(RequestId),
}
