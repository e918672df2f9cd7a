//! Statements a second on one core, by kind. The caller brings the clock, so that the page can measure too.

use crate::sql::database::{Database, Settings};
use crate::sql::outcome::{DeadlockCheck, Progress};
use crate::trace::{SessionId, Value};

/// One kind of statement and how many of them were done in a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Speed {
    pub name: &'static str,
    pub per_second: f64,
}

const ROWS: i64 = 10_000;
const PART: usize = 100_000;
const POINT: &str = "SELECT id, owner, balance FROM accounts WHERE id = %s";
const UPDATE: &str = "UPDATE accounts SET balance = balance - 1 WHERE id = %s";

/// Runs each kind of statement for about `seconds`. `clock` tells seconds since any fixed time.
pub fn speeds(seconds: f64, clock: &mut dyn FnMut() -> f64) -> Vec<Speed> {
    let (mut database, session) = with_accounts(ROWS);
    let setup = "CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE b (id INT PRIMARY KEY, a_id INT);
         CREATE TABLE log (id BIGINT PRIMARY KEY, note TEXT);
         INSERT INTO a SELECT g, g FROM generate_series(1, 100) g;
         INSERT INTO b SELECT g, g FROM generate_series(1, 100) g;";
    run(&mut database, session, setup, &[]);
    type Parameters = fn(i64) -> Vec<Value>;
    let key: Parameters = |turn| vec![key_of(turn, ROWS)];
    let kinds: [(&'static str, &str, Parameters); 6] = [
        ("point select", POINT, key),
        ("update by key", UPDATE, key),
        ("insert", "INSERT INTO log VALUES (%s, 'x')", |turn| vec![Value::Int(turn)]),
        ("range of 100 rows", "SELECT id, balance FROM accounts WHERE id >= %s AND id < %s", |turn| {
            let low = turn * 7919 % (ROWS - 100) + 1;
            vec![Value::Int(low), Value::Int(low + 100)]
        }),
        ("join of 100 by 100", "SELECT a.v, b.id FROM b JOIN a ON a.id = b.a_id", |_| Vec::new()),
        ("count of 10,000 rows", "SELECT count(*) FROM accounts WHERE balance > 1000", |_| Vec::new()),
    ];
    let mut speeds: Vec<Speed> = kinds
        .into_iter()
        .map(|(name, sql, parameters)| Speed {
            name,
            per_second: per_second(seconds, clock, |turn| run(&mut database, session, sql, &parameters(turn))),
        })
        .collect();
    for (name, rows) in [("point select, 1,000 rows", 1_000), ("point select, 1,000,000 rows", 1_000_000)] {
        let (mut database, session) = with_accounts(rows);
        let select = |turn| run(&mut database, session, POINT, &[key_of(turn, rows)]);
        speeds.push(Speed { name, per_second: per_second(seconds, clock, select) });
    }
    for (name, open) in [("transaction, 1,000 open", 1_000), ("transaction, 10,000 open", 10_000)] {
        speeds.push(Speed { name, per_second: transactions(open, clock) });
    }
    speeds
}

fn with_accounts(rows: i64) -> (Database, SessionId) {
    let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 1, epoch_us: 0 });
    let session = database.connect();
    let table = "CREATE TABLE accounts (id INT PRIMARY KEY, owner TEXT NOT NULL, balance INT NOT NULL)";
    run(&mut database, session, table, &[]);
    // In parts: one statement may not hold a million rows.
    let fill = "INSERT INTO accounts SELECT g, 'owner ' || g, 100 FROM generate_series($1, $2) g";
    for first in (1..=rows).step_by(PART) {
        run(&mut database, session, fill, &[Value::Int(first), Value::Int(rows.min(first + PART as i64 - 1))]);
    }
    (database, session)
}

/// A row's key, another one at each turn.
fn key_of(turn: i64, rows: i64) -> Value {
    Value::Int(turn * 7919 % rows + 1)
}

fn per_second(seconds: f64, clock: &mut dyn FnMut() -> f64, mut once: impl FnMut(i64)) -> f64 {
    let began = clock();
    let mut turn = 0;
    loop {
        for _ in 0..100 {
            turn += 1;
            once(turn);
        }
        let passed = clock() - began;
        if passed >= seconds {
            return turn as f64 / passed;
        }
    }
}

/// Each changes a row of its own while all the others are open.
fn transactions(open: i64, clock: &mut dyn FnMut() -> f64) -> f64 {
    let (mut database, _) = with_accounts(open);
    let sessions: Vec<SessionId> = (0..open).map(|_| database.connect()).collect();
    let began = clock();
    for session in &sessions {
        run(&mut database, *session, "BEGIN", &[]);
    }
    for (key, session) in (1..).zip(&sessions) {
        run(&mut database, *session, UPDATE, &[Value::Int(key)]);
    }
    for session in &sessions {
        run(&mut database, *session, "COMMIT", &[]);
    }
    open as f64 / (clock() - began)
}

fn run(database: &mut Database, session: SessionId, sql: &str, parameters: &[Value]) {
    let outcome = database.execute(session, 0, sql, parameters);
    assert!(matches!(outcome.progress, Progress::Done(_)), "{sql}: {:?}", outcome.progress);
}
