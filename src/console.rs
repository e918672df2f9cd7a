//! A few psql-like sessions on one database, driven by hand: what each shows, who waits for whom. The caller says what time it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::sql::{self, Database, DeadlockCheck, Outcome, Progress, Settings};
use crate::trace::{Micros, Notice, QueryResult, SessionId, SqlError, Value};

pub use crate::sql::statement_in_work;

/// As many as fit beside each other.
pub const SESSIONS_MAX: usize = 4;

/// Rows of one result that are shown.
const ROWS_SHOWN: usize = 200;

const DEADLOCK_TIMEOUT_US: Micros = 1_000_000;

pub struct Console {
    database: Database,
    sessions: Vec<OpenSession>,
    /// The latest time the caller told.
    now: Micros,
}

struct OpenSession {
    id: SessionId,
    failed: bool,
    wait: Option<ConsoleWait>,
}

/// Something a session shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ConsoleReply {
    /// From 0.
    pub session: u32,
    pub output: ConsoleOutput,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ConsoleOutput {
    /// `columns` is empty for a statement without rows. `None` in a row is NULL.
    Result {
        tag: String,
        columns: Vec<String>,
        rows: Vec<Vec<Option<String>>>,
        rows_left_out: u32,
    },
    /// `position` is the 1-based character of the text the error points at.
    Error {
        sqlstate: String,
        message: String,
        detail: Option<String>,
        hint: Option<String>,
        position: Option<u32>,
    },
    Notice {
        severity: String,
        message: String,
    },
    Waiting {
        wait: ConsoleWait,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsoleWait {
    /// `row 7 of products`.
    pub on: String,
    /// Who has it, as a session of this console.
    pub holder: Option<u32>,
}

/// How a session stands: psql's prompt and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsoleSession {
    pub state: ConsoleState,
    pub wait: Option<ConsoleWait>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ConsoleState {
    Idle,
    InTransaction,
    /// In a transaction that can only be rolled back.
    Failed,
    Waiting,
}

impl Console {
    /// `setup` makes the tables; it may be empty.
    pub fn new(setup: &str, sessions: usize, epoch_us: i64) -> Result<Console, SqlError> {
        let deadlocks = DeadlockCheck::After(DEADLOCK_TIMEOUT_US);
        let mut database = Database::new(Settings { deadlocks, seed: 1, epoch_us });
        if !setup.trim().is_empty() {
            let session = database.connect();
            if let Progress::Failed(error) = database.execute(session, 0, setup, &[]).progress {
                return Err(error);
            }
            database.disconnect(session, 0);
        }
        let open = |_| OpenSession { id: database.connect(), failed: false, wait: None };
        let sessions = (0..sessions.clamp(1, SESSIONS_MAX)).map(open).collect();
        Ok(Console { database, sessions, now: 0 })
    }

    /// Runs a text in a session. A text for a session that waits is refused. Other sessions whose wait this ends answer too.
    pub fn execute(&mut self, session: usize, sql: &str, now: Micros) -> Vec<ConsoleReply> {
        let mut replies = self.tick(now);
        let Some(state) = self.sessions.get(session) else { return replies };
        if state.wait.is_some() {
            let error = SqlError::new("55000", "the session still waits; cancel its statement first");
            replies.push(reply(session, error_output(&error)));
            return replies;
        }
        let outcome = self.database.execute(state.id, self.now, sql, &[]);
        self.show(session, outcome, &mut replies);
        self.resume_woken(&mut replies);
        replies
    }

    /// Ends what a session waits for, as Ctrl-C does in psql.
    pub fn cancel(&mut self, session: usize, now: Micros) -> Vec<ConsoleReply> {
        let mut replies = self.tick(now);
        if let Some(state) = self.sessions.get(session).filter(|state| state.wait.is_some()) {
            self.database.cancel(state.id);
            self.resume_woken(&mut replies);
        }
        replies
    }

    /// Lets timeouts and the search for deadlocks happen that are due.
    pub fn tick(&mut self, now: Micros) -> Vec<ConsoleReply> {
        let mut replies = vec![];
        while let Some(due) = self.database.next_timer().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            self.database.fire_timers(self.now);
            self.resume_woken(&mut replies);
        }
        self.now = self.now.max(now);
        replies
    }

    pub fn sessions(&self) -> Vec<ConsoleSession> {
        let shown = |session: &OpenSession| {
            let state = match (&session.wait, self.database.in_transaction(session.id), session.failed) {
                (Some(_), ..) => ConsoleState::Waiting,
                (None, true, true) => ConsoleState::Failed,
                (None, true, false) => ConsoleState::InTransaction,
                (None, false, _) => ConsoleState::Idle,
            };
            ConsoleSession { state, wait: session.wait.clone() }
        };
        self.sessions.iter().map(shown).collect()
    }

    fn resume_woken(&mut self, replies: &mut Vec<ConsoleReply>) {
        // A statement that is taken up again may end others' waits in its turn.
        loop {
            let woken = self.database.take_woken();
            if woken.is_empty() {
                return;
            }
            for id in woken {
                let outcome = self.database.resume(id, self.now);
                if let Some(session) = self.place(id) {
                    self.show(session, outcome, replies);
                }
            }
        }
    }

    fn show(&mut self, session: usize, outcome: Outcome, replies: &mut Vec<ConsoleReply>) {
        let notices = outcome
            .notices
            .into_iter()
            .map(|Notice { severity, message, .. }| reply(session, ConsoleOutput::Notice { severity, message }));
        replies.extend(notices);
        replies.extend(outcome.completed.iter().map(|result| reply(session, result_output(result))));
        self.sessions[session].wait = None;
        match outcome.progress {
            Progress::Done(results) => {
                // A text without a statement in it leaves a failed transaction as it is.
                self.sessions[session].failed &= results.is_empty();
                replies.extend(results.iter().map(|result| reply(session, result_output(result))));
            }
            Progress::Failed(error) => {
                self.sessions[session].failed = true;
                replies.push(reply(session, error_output(&error)));
            }
            Progress::Wait(wait) => {
                let wait = ConsoleWait { on: wait.on, holder: self.place(wait.holder).map(|place| place as u32) };
                self.sessions[session].wait = Some(wait.clone());
                replies.push(reply(session, ConsoleOutput::Waiting { wait }));
            }
        }
    }

    fn place(&self, id: SessionId) -> Option<usize> {
        self.sessions.iter().position(|session| session.id == id)
    }
}

fn reply(session: usize, output: ConsoleOutput) -> ConsoleReply {
    ConsoleReply { session: session as u32, output }
}

fn result_output(result: &QueryResult) -> ConsoleOutput {
    let columns = result.columns.iter().flat_map(|columns| columns.iter()).map(|column| column.name.to_string());
    let cell = |value: &Value| (*value != Value::Null).then(|| value.to_text());
    let rows = result.rows.iter().take(ROWS_SHOWN).map(|row| row.iter().map(cell).collect());
    ConsoleOutput::Result {
        tag: result.tag.clone(),
        columns: columns.collect(),
        rows: rows.collect(),
        rows_left_out: result.rows.len().saturating_sub(ROWS_SHOWN) as u32,
    }
}

fn error_output(error: &SqlError) -> ConsoleOutput {
    ConsoleOutput::Error {
        sqlstate: error.sqlstate.to_string(),
        message: error.message.clone(),
        detail: error.detail.clone(),
        hint: error.hint.clone(),
        position: error.position,
    }
}

/// Statements a second on one core, by kind, each measured for about `seconds`. `clock` tells seconds since any fixed time.
pub fn sql_speeds(seconds: f64, clock: &mut dyn FnMut() -> f64) -> BTreeMap<String, f64> {
    let speeds = sql::bench::speeds(seconds, clock);
    speeds.into_iter().map(|speed| (speed.name.to_owned(), speed.per_second)).collect()
}
