//! Goes through statements of several sessions on a database of its own, one after the other. A session that waits for a lock goes on
//! when it is granted; if the next statement is its own, time passes until it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Actor, Cell};
use crate::sim::Sent;
use crate::sql::{Database, DeadlockCheck, Outcome, Progress, Settings};
use crate::trace::{Micros, QueryResult, SessionId, Sqlstate, Value};

/// As PostgreSQL's own setting.
const DEADLOCK_TIMEOUT_US: Micros = 1_000_000;

/// What a step gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The rows of its last statement, or none where it returns none, and how many were returned or changed.
    Done {
        rows: Option<Vec<Vec<Cell>>>,
        count: Option<u64>,
    },
    Failed(Sqlstate),
    /// It waits to the end.
    Pending,
}

impl Answer {
    /// The same to whoever sent it. What an INSERT returns is new each time, as a serial number is.
    pub fn is_like(&self, other: &Answer, sql: &str) -> bool {
        let verb = sql.trim_start().get(..6).unwrap_or_default();
        match (self, other) {
            (Answer::Done { rows, count }, Answer::Done { rows: others, count: of }) => {
                count == of && (verb.eq_ignore_ascii_case("insert") || rows == others)
            }
            _ => self == other,
        }
    }
}

pub struct Stepper {
    database: Database,
    /// For what the steps are not to see: setup, invariants.
    own: SessionId,
    sessions: BTreeMap<Actor, SessionId>,
    /// The step each waiting session is at.
    waiting: BTreeMap<SessionId, usize>,
    waited: BTreeSet<usize>,
    answers: BTreeMap<usize, Answer>,
    now: Micros,
}

impl Stepper {
    pub fn new<'a>(setup: impl Iterator<Item = &'a Sent>) -> Stepper {
        let settings =
            Settings { deadlocks: DeadlockCheck::After(DEADLOCK_TIMEOUT_US), seed: 1, epoch_us: crate::sim::EPOCH_US };
        let mut database = Database::new(settings);
        let own = database.connect();
        let (sessions, waiting) = (BTreeMap::new(), BTreeMap::new());
        let (waited, answers) = (BTreeSet::new(), BTreeMap::new());
        let mut stepper = Stepper { database, own, sessions, waiting, waited, answers, now: 0 };
        for Sent { sql, parameters, .. } in setup {
            stepper.beside(sql, parameters);
        }
        stepper
    }

    pub fn settle(&mut self) {
        self.database.settle();
    }

    /// A statement beside the steps. One that fails changes nothing, and what it was for is not needed.
    pub fn run(&mut self, sql: &str, parameters: &[Value]) {
        self.beside(sql, parameters);
    }

    /// The rows of a query beside the steps.
    pub fn look(&mut self, sql: &str) -> Option<QueryResult> {
        self.beside(sql, &[])
    }

    fn beside(&mut self, sql: &str, parameters: &[Value]) -> Option<QueryResult> {
        match self.database.execute(self.own, self.now, sql, parameters).progress {
            Progress::Done(mut results) => results.pop(),
            Progress::Failed(_) => None,
            Progress::Wait(_) => {
                self.database.cancel(self.own);
                self.database.resume(self.own, self.now);
                None
            }
        }
    }

    pub fn launch(&mut self, step: usize, actor: Actor, at: Micros, sql: &str, parameters: &[Value]) {
        self.now = self.now.max(at);
        let known = self.sessions.get(&actor).copied();
        let session = known.unwrap_or_else(|| self.database.connect());
        self.sessions.insert(actor, session);
        while self.waiting.contains_key(&session) && self.pass_time() {}
        if self.waiting.contains_key(&session) {
            return;
        }
        let outcome = self.database.execute(session, self.now, sql, parameters);
        self.take(session, step, outcome);
        self.wake();
    }

    /// Steps that had to wait.
    pub fn waited(&self) -> &BTreeSet<usize> {
        &self.waited
    }

    pub fn finish(&mut self, steps: usize) -> Vec<Answer> {
        while !self.waiting.is_empty() && self.pass_time() {}
        (0..steps).map(|step| self.answers.remove(&step).unwrap_or(Answer::Pending)).collect()
    }

    fn take(&mut self, session: SessionId, step: usize, outcome: Outcome) {
        let answer = match outcome.progress {
            Progress::Done(results) => {
                let last = results.last();
                Answer::Done {
                    rows: last.filter(|last| last.columns.is_some()).map(cells),
                    count: last.and_then(|last| last.row_count),
                }
            }
            Progress::Failed(error) => Answer::Failed(error.sqlstate),
            Progress::Wait(_) => {
                self.waited.insert(step);
                self.waiting.insert(session, step);
                return;
            }
        };
        self.answers.insert(step, answer);
    }

    fn wake(&mut self) {
        loop {
            let woken = self.database.take_woken();
            if woken.is_empty() {
                return;
            }
            for session in woken {
                if let Some(step) = self.waiting.remove(&session) {
                    let outcome = self.database.resume(session, self.now);
                    self.take(session, step, outcome);
                }
            }
        }
    }

    /// Until the next timer of a session that waits. False where there is none.
    fn pass_time(&mut self) -> bool {
        let Some(at) = self.database.next_timer() else { return false };
        self.now = self.now.max(at);
        self.database.fire_timers(self.now);
        self.wake();
        true
    }
}

pub fn cells(result: &QueryResult) -> Vec<Vec<Cell>> {
    result.rows.iter().map(|row| row.iter().map(cell).collect()).collect()
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Time(_) | Value::Timestamp(_) | Value::TimestampTz(_) | Value::Uuid(_) => Cell::Any,
        value => Cell::Text(value.to_text()),
    }
}
