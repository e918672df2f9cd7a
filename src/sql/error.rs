//! Why a statement stops, and the errors PostgreSQL has names for.

use crate::trace::SqlError;

/// A statement goes no further for now, or for good.
#[derive(Debug)]
pub enum Stop {
    Failed(Box<SqlError>),
    /// The session is in a line; the statement goes on when it is woken.
    Waits,
}

pub type Result<T, E = Stop> = std::result::Result<T, E>;

impl Stop {
    /// Of what takes no locks: it fails, if anything.
    pub fn failure(self) -> SqlError {
        match self {
            Stop::Failed(error) => *error,
            Stop::Waits => unreachable!("what takes no locks does not wait"),
        }
    }

    /// Points to a 1-based character of the text, unless a part of what stands there is pointed to already. What is not written
    /// anywhere has the position 0.
    pub fn at(self, position: u32) -> Stop {
        match self {
            Stop::Failed(mut error) if error.position.is_none() && position > 0 => {
                error.position = Some(position);
                Stop::Failed(error)
            }
            other => other,
        }
    }
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Stop {
        Stop::Failed(Box::new(error))
    }
}

impl From<crate::store::SerializationFailure> for Stop {
    fn from(_: crate::store::SerializationFailure) -> Stop {
        let mut error =
            SqlError::new("40001", "could not serialize access due to read/write dependencies among transactions");
        error.hint = Some("The transaction might succeed if retried.".to_owned());
        error.into()
    }
}

pub fn fail<T>(sqlstate: &str, message: impl Into<String>) -> Result<T> {
    Err(SqlError::new(sqlstate, message).into())
}

pub fn error(sqlstate: &str, message: impl Into<String>) -> Stop {
    SqlError::new(sqlstate, message).into()
}

/// What this engine does not offer. `what` completes "… is not offered here".
pub fn refuse<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(refused(what))
}

pub fn refused(what: impl std::fmt::Display) -> Stop {
    SqlError::new("0A000", format!("{what} is not offered by this database engine")).into()
}
