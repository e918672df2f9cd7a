//! Statements a second on one core, by kind. The caller brings the clock, so that the page can measure too.

use crate::trace::{SessionId, Value};

use super::{Database, DeadlockCheck, Progress, Settings};

/// One kind of statement and how many of them were done in a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Speed {
    pub name: &'static str,
    pub per_second: f64,
}

const ROWS: i64 = 10_000;

/// Runs each kind of statement for about `seconds`. `clock` tells seconds since any fixed time.
pub fn speeds(seconds: f64, clock: &mut dyn FnMut() -> f64) -> Vec<Speed> {
    let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 1, epoch_us: 0 });
    let session = database.connect();
    let setup = "CREATE TABLE accounts (id INT PRIMARY KEY, owner TEXT NOT NULL, balance INT NOT NULL);
         CREATE TABLE a (id INT PRIMARY KEY, v INT); CREATE TABLE b (id INT PRIMARY KEY, a_id INT);
         CREATE TABLE log (id BIGINT PRIMARY KEY, note TEXT);
         INSERT INTO a SELECT g, g FROM generate_series(1, 100) g;
         INSERT INTO b SELECT g, g FROM generate_series(1, 100) g;";
    run(&mut database, session, setup, &[]);
    let fill = "INSERT INTO accounts SELECT g, 'owner ' || g, 100 FROM generate_series(1, $1) g";
    run(&mut database, session, fill, &[Value::Int(ROWS)]);
    type Parameters = fn(i64) -> Vec<Value>;
    let key: Parameters = |turn| vec![Value::Int(turn * 7919 % ROWS + 1)];
    let kinds: [(&'static str, &str, Parameters); 6] = [
        ("point select", "SELECT id, owner, balance FROM accounts WHERE id = %s", key),
        ("update by key", "UPDATE accounts SET balance = balance - 1 WHERE id = %s", key),
        ("insert", "INSERT INTO log VALUES (%s, 'x')", |turn| vec![Value::Int(turn)]),
        ("range of 100 rows", "SELECT id, balance FROM accounts WHERE id >= %s AND id < %s", |turn| {
            let low = turn * 7919 % (ROWS - 100) + 1;
            vec![Value::Int(low), Value::Int(low + 100)]
        }),
        ("join of 100 by 100", "SELECT a.v, b.id FROM b JOIN a ON a.id = b.a_id", |_| Vec::new()),
        ("count of 10,000 rows", "SELECT count(*) FROM accounts WHERE balance > 1000", |_| Vec::new()),
    ];
    let mut speeds = Vec::new();
    for (name, sql, parameters) in kinds {
        let began = clock();
        let mut turn = 0;
        let per_second = loop {
            for _ in 0..100 {
                turn += 1;
                run(&mut database, session, sql, &parameters(turn));
            }
            let passed = clock() - began;
            if passed >= seconds {
                break turn as f64 / passed;
            }
        };
        speeds.push(Speed { name, per_second });
    }
    speeds
}

fn run(database: &mut Database, session: SessionId, sql: &str, parameters: &[Value]) {
    let outcome = database.execute(session, 0, sql, parameters);
    assert!(matches!(outcome.progress, Progress::Done(_)), "{sql}: {:?}", outcome.progress);
}
