//! The one boundary at which a panic of the engine ends. It becomes an error of the statement it happened in, whose transaction is
//! rolled back by its own record of what it wrote; a session for which that fails too has ended. A build that aborts on a panic,
//! as the page's, never comes here: its worker is started anew.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sql::outcome::Progress;
use crate::trace::{SqlError, Sqlstate};

use super::RunningSession;
use super::running::StatementOutput;
use super::statement::QueryInProgress;

const INTERNAL: &str = "XX000";

impl RunningSession<'_> {
    pub fn guarded(
        &mut self,
        query: &mut QueryInProgress,
        run: impl FnOnce(&mut Self, &mut QueryInProgress) -> Progress,
    ) -> Progress {
        // What was being changed is looked at again only by `abort`, which undoes it.
        match catch_unwind(AssertUnwindSafe(|| run(self, query))) {
            Ok(progress) => progress,
            Err(panic) => self.after_panic(query, &*panic),
        }
    }

    fn after_panic(&mut self, query: &mut QueryInProgress, panic: &(dyn Any + Send)) -> Progress {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let mut error = SqlError::new(INTERNAL, format!("internal error: {}", said.unwrap_or("a panic")));
        self.output = StatementOutput::default();
        let undone = catch_unwind(AssertUnwindSafe(|| self.abort(query, Sqlstate::new(INTERNAL))));
        error.hint = Some(match undone {
            Ok(()) => "The transaction is rolled back. This is a fault of the database engine, not of the statement."
                .to_owned(),
            Err(_) => {
                let ended = "the connection has ended by an internal error of the database engine";
                self.end_for_good(SqlError::new("57P02", ended));
                self.output = StatementOutput::default();
                "What the transaction wrote could not be taken back: start again with a new database.".to_owned()
            }
        });
        Progress::Failed(error)
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::database::{Database, Settings};
    use crate::sql::outcome::{DeadlockCheck, Progress};
    use crate::sql::session::statement::QueryInProgress;
    use crate::trace::{SessionId, Value};

    fn database() -> (Database, SessionId) {
        let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 0, epoch_us: 0 });
        let session = database.connect();
        (database, session)
    }

    fn done(database: &mut Database, session: SessionId, sql: &str) -> Vec<Vec<Value>> {
        match database.execute(session, 0, sql, &[]).progress {
            Progress::Done(mut results) => results.pop().expect("one result").rows,
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn after_a_panic_the_transaction_is_undone_and_the_session_goes_on() {
        let (mut database, session) = database();
        done(&mut database, session, "CREATE TABLE t (a int)");
        done(&mut database, session, "BEGIN");
        done(&mut database, session, "INSERT INTO t VALUES (1)");
        let mut query = QueryInProgress::begin(0);
        let failed = database.running(session, 0).guarded(&mut query, |_, _| panic!("of the test"));
        let Progress::Failed(error) = failed else { panic!("{failed:?}") };
        assert_eq!((error.sqlstate.as_str(), error.message.as_str()), ("XX000", "internal error: of the test"));
        let again = database.execute(session, 0, "SELECT 1", &[]);
        assert!(matches!(again.progress, Progress::Failed(error) if error.sqlstate.as_str() == "25P02"));
        done(&mut database, session, "ROLLBACK");
        assert_eq!(done(&mut database, session, "SELECT count(*) FROM t"), [[Value::Int(0)]]);
    }
}
