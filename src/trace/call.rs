//! What a handler asks of the world at an await, and what it gets.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{Micros, QueryResult, SessionId, SqlError, Value};

/// One thing a handler awaits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// A connection from the pool; waits while none is free. Answered by `Answer::Session`.
    Acquire {
        server: Server,
        timeout_us: Option<Micros>,
    },
    /// Gives a connection back. The pool rolls back a transaction left open.
    Release {
        session: SessionId,
    },
    /// One round trip to the database. Without parameters several statements may stand in it.
    Sql {
        session: SessionId,
        /// With `$1` for the first parameter.
        sql: Rc<str>,
        /// As the handler wrote it, with its `%s`.
        text: Rc<str>,
        params: Vec<Value>,
    },
    Sleep {
        us: Micros,
    },
    /// A clock that runs beside what the task awaits: `asyncio.timeout`.
    Timer {
        us: Micros,
    },
    /// A request to another service, e.g. `payments`, `charge`, `{"amount_cents": 1200}`.
    Service {
        service: String,
        method: String,
        arguments: serde_json::Value,
    },
}

/// Which server a connection leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Server {
    Primary,
    /// Follows the primary's commits at a distance, and only answers questions.
    Replica,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// Slept, rung, released.
    Done,
    Session(SessionId),
    /// One result for each statement of the text.
    Rows(Vec<QueryResult>),
    Service(serde_json::Value),
    /// Raised at the await as the psycopg exception of its SQLSTATE.
    SqlError(SqlError),
    /// Raised at the await: `class` as the Python module of this kind of service exports it, e.g. `PaymentDeclined`.
    ServiceError {
        service: String,
        class: String,
        message: String,
        body: serde_json::Value,
    },
    /// The call named a service that is not there: `LookupError`.
    NoService {
        message: String,
    },
    /// No connection came free in time: `psycopg_pool.PoolTimeout`.
    PoolTimeout,
}
