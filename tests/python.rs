//! Handlers through the interpreter's one door: a small world answers their calls in virtual time.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value as Json, json};
use twoam::python::{Effect, HandlerId, Python, Raised, Source};
use twoam::trace::{
    Answer, Call, CallId, Column, Micros, ProcessId, QueryResult, RequestId, SessionId, SqlError, SqlType, Value,
};

/// Says what a statement gives; the world itself has no tables.
type Database = Box<dyn FnMut(&str, &[Value]) -> Result<Vec<QueryResult>, SqlError>>;

/// 2026-01-02 03:04:05 UTC.
const EPOCH_US: i64 = 1_767_323_045_000_000;
const ROUND_TRIP_US: Micros = 1_000;

struct World {
    python: Python,
    database: Database,
    now: Micros,
    /// By time, then in order of asking.
    due: BTreeMap<(Micros, u32), Answer>,
    requests: u32,
    sessions: u32,
    idle: Vec<u32>,
    /// What happened, one line each.
    told: Vec<String>,
    finished: BTreeMap<u32, Result<Json, Raised>>,
}

impl World {
    fn new(database: Database) -> World {
        World {
            python: Python::new(7, EPOCH_US),
            database,
            now: 0,
            due: BTreeMap::new(),
            requests: 0,
            sessions: 0,
            idle: Vec::new(),
            told: Vec::new(),
            finished: BTreeMap::new(),
        }
    }

    fn load(&mut self, process: u32, text: &str) -> Result<HandlerId, Raised> {
        let source = Source { file: "shop.py", text };
        self.python.load(ProcessId(process), source, &["handle"]).map(|handlers| handlers[0])
    }

    fn start(&mut self, handler: HandlerId, arguments: Json) -> u32 {
        self.requests += 1;
        let effects = self.python.start(self.now, handler, RequestId(self.requests), &arguments);
        self.take(effects);
        self.requests
    }

    fn take(&mut self, effects: Vec<Effect>) {
        let mut now = self.now;
        for effect in effects {
            match effect {
                Effect::Called { request, call, position, body } => {
                    let place = format!("r{request} {}:{}", position.file, position.line);
                    let (after, answer, words) = self.ask(body);
                    self.told.push(format!("{place} {words}"));
                    self.due.insert((now + after, call.0), answer);
                }
                Effect::Cancelled { request, call } => {
                    self.due.retain(|(_, known), _| *known != call.0);
                    self.told.push(format!("r{request} cancelled"));
                }
                Effect::Logged { request, level, text, position } => {
                    self.told.push(format!("r{request} {}:{} {level:?} {text}", position.file, position.line));
                }
                Effect::Blocked { request, us, position } => {
                    self.told.push(format!("r{request} {}:{} blocked {us}", position.file, position.line));
                    now += us;
                }
                Effect::Finished { request, outcome } => {
                    self.finished.insert(request.0, outcome);
                }
            }
        }
    }

    fn ask(&mut self, body: Call) -> (Micros, Answer, String) {
        match body {
            Call::Acquire { .. } => {
                let session = self.idle.pop().unwrap_or_else(|| {
                    self.sessions += 1;
                    self.sessions
                });
                (0, Answer::Session(SessionId(session)), String::from("acquire"))
            }
            Call::Release { session } => {
                self.idle.push(session.0);
                (0, Answer::Done, String::from("release"))
            }
            Call::Sql { sql, params, .. } => {
                let words = format!("sql {sql} {params:?}");
                let answer = match (self.database)(&sql, &params) {
                    Ok(results) => Answer::Rows(results),
                    Err(error) => Answer::SqlError(error),
                };
                (ROUND_TRIP_US, answer, words)
            }
            Call::Sleep { us } => (us, Answer::Done, format!("sleep {us}")),
            Call::Timer { us } => (us, Answer::Done, format!("timer {us}")),
            Call::Service { service, method, arguments } => {
                let words = format!("{service}.{method} {arguments}");
                let answer = match arguments.get("card").and_then(Json::as_str) {
                    Some("declined") => Answer::ServiceError {
                        service,
                        class: String::from("PaymentDeclined"),
                        message: String::from("the bank said no"),
                        body: json!({"status": "declined"}),
                    },
                    _ => Answer::Service(json!({"id": "ch_1", "status": "captured"})),
                };
                (50_000, answer, words)
            }
        }
    }

    /// Runs until nothing is due.
    fn settle(&mut self) {
        while let Some(((at, call), answer)) = self.due.pop_first() {
            self.now = self.now.max(at);
            let effects = self.python.answer(self.now, CallId(call), answer);
            self.take(effects);
        }
    }
}

fn column(name: &str, sql_type: SqlType) -> Column {
    Column { name: Rc::from(name), sql_type }
}

fn selected(columns: &[Column], rows: Vec<Vec<Value>>) -> Vec<QueryResult> {
    let count = rows.len() as u64;
    vec![QueryResult { tag: format!("SELECT {count}"), columns: Some(Rc::from(columns)), rows, row_count: Some(count) }]
}

fn done(tag: &str, row_count: Option<u64>) -> Vec<QueryResult> {
    vec![QueryResult { tag: tag.to_owned(), columns: None, rows: Vec::new(), row_count }]
}

/// Knows a product with stock 3 at 250 cents, and errors by the word in the statement.
fn shop(sql: &str, _params: &[Value]) -> Result<Vec<QueryResult>, SqlError> {
    let first = sql.split_whitespace().next().unwrap_or_default().to_uppercase();
    match first.as_str() {
        "SELECT" => Ok(selected(
            &[column("stock", SqlType::Int4), column("price_cents", SqlType::Int4)],
            vec![vec![Value::Int(3), Value::Int(250)]],
        )),
        "UPDATE" => Ok(done("UPDATE 1", Some(1))),
        "INSERT" => Err(SqlError {
            detail: Some(String::from("Key (id)=(1) already exists.")),
            constraint: Some(String::from("orders_pkey")),
            ..SqlError::new("23505", "duplicate key value violates unique constraint \"orders_pkey\"")
        }),
        word => Ok(done(word, None)),
    }
}

/// One request of a handler in the shop: what happened and how it ended.
fn run(source: &str, arguments: Json) -> (Vec<String>, Result<Json, Raised>) {
    let mut world = World::new(Box::new(shop));
    let handler = world.load(0, source).unwrap_or_else(|raised| panic!("{}", raised.traceback));
    let request = world.start(handler, arguments);
    world.settle();
    let outcome = world.finished.remove(&request).unwrap_or_else(|| panic!("unfinished: {:#?}", world.told));
    (world.told, outcome)
}

#[test]
fn a_handler_buys_in_one_transaction() {
    let (told, outcome) = run(
        r#"
from payments import PaymentDeclined

async def handle(conn, payments, request):
    cur = await conn.execute("SELECT stock, price_cents FROM products WHERE id = %s", (request["product"],))
    stock, price = await cur.fetchone()
    if stock < request["quantity"]:
        return {"status": 409}
    paid = await payments.charge(amount_cents=price * request["quantity"], card=request["card"])
    await conn.execute("UPDATE products SET stock = stock - %(by)s WHERE id = %(id)s",
                       {"id": request["product"], "by": request["quantity"]})
    return {"status": 200, "charge": paid["id"]}
"#,
        json!({"product": 7, "quantity": 2, "card": "card-1"}),
    );
    assert_eq!(outcome, Ok(json!({"status": 200, "charge": "ch_1"})));
    assert_eq!(
        told,
        [
            "r1 shop.py:4 acquire",
            "r1 shop.py:5 sql BEGIN []",
            "r1 shop.py:5 sql SELECT stock, price_cents FROM products WHERE id = $1 [Int(7)]",
            r#"r1 shop.py:9 payments.charge {"amount_cents":500,"card":"card-1","reference":null,"idempotency_key":null}"#,
            "r1 shop.py:10 sql UPDATE products SET stock = stock - $1 WHERE id = $2 [Int(2), Int(7)]",
            "r1 shop.py:4 sql COMMIT []",
            "r1 shop.py:4 release",
        ]
    );
}

/// Runs the snippets of a file in `tests/python` and compares with what CPython said.
fn same_as_cpython(source: &str, expected: &str) {
    let (_, outcome) = run(source, json!({}));
    let found = outcome.unwrap_or_else(|raised| panic!("{}", raised.traceback));
    let expected: Json = serde_json::from_str(expected).expect("the expectation is JSON");
    for (snippet, answer) in expected.as_object().expect("an object of snippets") {
        assert_eq!(found[snippet], *answer, "{snippet}");
    }
}

#[test]
fn the_standard_library_answers_as_cpython_does() {
    same_as_cpython(include_str!("python/library.py"), include_str!("python/library.json"));
}

#[test]
fn tasks_run_in_the_order_they_have_under_cpython() {
    same_as_cpython(include_str!("python/tasks.py"), include_str!("python/tasks.json"));
}
