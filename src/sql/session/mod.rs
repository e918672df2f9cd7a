//! Sessions: a query text's statements one after the other, the transaction around them, their waits and how those end.
//!
//! A `Session` is what lasts between two calls. For the length of a call it stands with the engine in a `RunningSession`, which does the
//! work; the text in work goes beside it as `QueryInProgress`, and is laid into the session only while it waits.

mod footprint;
mod guard;
pub mod in_work;
pub mod prepared;
mod running;
mod savepoints;
mod settings;
mod statement;
mod timers;
mod transaction;

use crate::sql::outcome::EngineEvent;
use crate::sql::settings::SessionSettings;
use crate::trace::{Micros, Notice, QueryResult, SqlError, Sqlstate};

pub use footprint::{Footprint, footprint};
pub use running::RunningSession;
use statement::QueryInProgress;
use timers::Timer;
pub use timers::Timers;
use transaction::TransactionState;

#[derive(Default)]
pub struct Session {
    transaction: Option<TransactionState>,
    /// In force now, SET LOCAL included.
    settings: SessionSettings,
    /// What a transaction's end goes back to.
    lasting: SessionSettings,
    /// A text whose statement waits.
    query: Option<QueryInProgress>,
    /// Why a wait ended otherwise than by its lock.
    interrupt: Option<SqlError>,
    /// Facts that came while the session slept.
    events: Vec<EngineEvent>,
    /// The server has ended the connection.
    ended: Option<SqlError>,
    /// What of the database's timers is this session's.
    timers: Vec<(Micros, Timer)>,
}

impl Session {
    /// In a transaction block, open or failed.
    pub fn in_block(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| !transaction.implicit)
    }

    pub fn waits(&self) -> bool {
        self.query.is_some()
    }

    fn has_failed(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.failed)
    }
}

/// The result of a statement that answers with its name alone.
fn done(tag: &str) -> QueryResult {
    QueryResult { tag: tag.to_owned(), columns: None, rows: Vec::new(), row_count: None }
}

fn warning(sqlstate: &str, message: &str) -> Notice {
    Notice { severity: "WARNING".to_owned(), sqlstate: Sqlstate::new(sqlstate), message: message.to_owned() }
}
