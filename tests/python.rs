//! Handlers through the interpreter's one door: a small world answers their calls in virtual time.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value as Json, json};
use twoam::python::{Effect, HandlerId, Python, Raised, SourceFile};
use twoam::trace::{
    Answer, Call, CallId, Micros, ProcessId, QueryResult, RequestId, ResultColumn, SessionId, SqlError, SqlType, Value,
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
        let source = SourceFile { file: "shop.py", text };
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

fn column(name: &str, sql_type: SqlType) -> ResultColumn {
    ResultColumn { name: Rc::from(name), sql_type }
}

fn selected(columns: &[ResultColumn], rows: Vec<Vec<Value>>) -> Vec<QueryResult> {
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

#[test]
fn a_transaction_block_holds_savepoints() {
    let (told, outcome) = run(
        r#"
import psycopg

async def handle(conn):
    async with conn.transaction():
        await conn.execute("UPDATE a")
        try:
            async with conn.transaction():
                await conn.execute("INSERT INTO orders VALUES (1)")
        except psycopg.errors.UniqueViolation as error:
            told = [error.sqlstate, error.diag.constraint_name, str(error), isinstance(error, psycopg.IntegrityError)]
        async with conn.transaction(savepoint_name="mine") as inner:
            raise psycopg.Rollback(inner)
        await conn.execute("UPDATE b")
    return told + [conn.info.transaction_status.name]
"#,
        json!({}),
    );
    assert_eq!(
        outcome.unwrap(),
        json!([
            "23505",
            "orders_pkey",
            "duplicate key value violates unique constraint \"orders_pkey\"\nDETAIL:  Key (id)=(1) already exists.",
            true,
            "IDLE"
        ])
    );
    let statements: Vec<&str> = told.iter().filter_map(|line| line.split(" sql ").nth(1)).collect();
    assert_eq!(
        statements,
        [
            "BEGIN []",
            "UPDATE a []",
            "SAVEPOINT \"_pg3_2\" []",
            "INSERT INTO orders VALUES (1) []",
            "ROLLBACK TO \"_pg3_2\" []",
            "RELEASE \"_pg3_2\" []",
            "SAVEPOINT \"mine\" []",
            "ROLLBACK TO \"mine\" []",
            "RELEASE \"mine\" []",
            "UPDATE b []",
            "COMMIT []",
        ]
    );
}

#[test]
fn cursors_hand_out_rows_in_every_shape() {
    let (_, outcome) = run(
        r#"
from dataclasses import dataclass
from psycopg.rows import class_row, dict_row, namedtuple_row, scalar_row

@dataclass
class Product:
    stock: int
    price_cents: int

async def handle(conn):
    told = []
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute("SELECT 1")
        told.append([cur.rowcount, [column.name for column in cur.description], await cur.fetchone(), await cur.fetchone()])
    cur = conn.cursor(row_factory=class_row(Product))
    await cur.execute("SELECT 1")
    told.append((await cur.fetchall())[0].price_cents)
    cur = conn.cursor(row_factory=scalar_row)
    told.append(await (await cur.execute("SELECT 1")).fetchone())
    cur = conn.cursor(row_factory=namedtuple_row)
    await cur.execute("SELECT 1")
    told.append([row.stock async for row in cur])
    cur = await conn.execute("UPDATE a SET b = 1")
    told.append([cur.rowcount, cur.statusmessage, cur.description])
    try:
        await cur.fetchone()
    except Exception as error:
        told.append([type(error).__name__, str(error)])
    await cur.executemany("UPDATE a SET b = %s", [(1,), (2,), (3,)])
    told.append(cur.rowcount)
    return told
"#,
        json!({}),
    );
    assert_eq!(
        outcome.unwrap(),
        json!([
            [1, ["stock", "price_cents"], {"stock": 3, "price_cents": 250}, null],
            250,
            3,
            [3],
            [1, "UPDATE 1", null],
            ["ProgrammingError", "the last operation didn't produce records (command status: UPDATE 1)"],
            3,
        ])
    );
}

#[test]
fn values_travel_both_ways() {
    let mut world = World::new(Box::new(|sql, params| {
        Ok(if sql.starts_with("SELECT") {
            let columns: Vec<ResultColumn> = params.iter().map(|_| column("value", SqlType::Unknown)).collect();
            selected(&columns, vec![params.to_vec()])
        } else {
            done(sql.split(' ').next().unwrap_or_default(), None)
        })
    }));
    let handler = world
        .load(
            0,
            r#"
import datetime, decimal, uuid
from psycopg.types.json import Jsonb

async def handle(conn):
    utc = datetime.timezone.utc
    given = [
        None, True, -5, 2.5, "text", b"\x00\xff", decimal.Decimal("12.50"), datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 5), datetime.datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=utc),
        datetime.timedelta(days=2, seconds=3), uuid.UUID(int=2**127 + 5), [1, 2, None], 2**70,
    ]
    cur = await conn.execute("SELECT " + ", ".join(["%s"] * len(given)), given)
    taken = list(await cur.fetchone())
    cur = await conn.execute("SELECT %(a)s, %(b)s, '100%%'", {"a": Jsonb({"x": [1, "y"]}), "b": 1})
    document, _ = await cur.fetchone()
    return [taken[:-1] == given[:-1], str(taken[-1]), document, [type(value).__name__ for value in taken]]
"#,
        )
        .unwrap();
    let request = world.start(handler, json!({}));
    world.settle();
    let outcome = world.finished.remove(&request).unwrap().unwrap_or_else(|raised| panic!("{}", raised.traceback));
    assert_eq!(
        outcome,
        json!([
            true,
            "1180591620717411303424",
            {"x": [1, "y"]},
            [
                "NoneType", "bool", "int", "float", "str", "bytes", "Decimal", "date", "time", "datetime", "datetime",
                "timedelta", "UUID", "list", "Decimal"
            ]
        ])
    );
    assert!(world.told.iter().any(|line| line.contains("SELECT $1, $2, '100%'")), "{:?}", world.told);
}

#[test]
fn wrong_parameters_are_refused_before_anything_is_sent() {
    let (told, outcome) = run(
        r#"
async def handle(conn):
    told = []
    for query, params in [("SELECT %s, %s", (1,)), ("SELECT %(a)s", {}), ("SELECT %x", (1,)), ("SELECT 5 % 2", ()), ("SELECT %s", 5),
                          ("SELECT %s", {"a": 1}), ("SELECT %s", ({"a": 1},)), ("SELECT %(a)s, %s", (1,))]:
        try:
            await conn.execute(query, params)
        except Exception as error:
            told.append(f"{type(error).__name__}: {error}")
    return told
"#,
        json!({}),
    );
    assert_eq!(
        outcome.unwrap(),
        json!([
            "ProgrammingError: the query has 2 placeholders but 1 parameters were passed",
            "ProgrammingError: query parameter missing: a",
            "ProgrammingError: only '%s', '%b', '%t' are allowed as placeholders, got '%x'",
            "ProgrammingError: incomplete placeholder: '%'; if you want to use '%' as an operator you can double it up, i.e. use '%%'",
            "TypeError: query parameters should be a sequence or a mapping, got int",
            "TypeError: positional placeholders (%s) require a sequence of parameters",
            "ProgrammingError: cannot adapt type 'dict' using placeholder '%s' (format: AUTO)",
            "ProgrammingError: positional and named placeholders cannot be mixed",
        ])
    );
    assert!(!told.iter().any(|line| line.contains(" sql ")), "{told:?}");
}

#[test]
fn a_failed_request_rolls_back_and_tells_where_it_failed() {
    let (told, outcome) = run(
        r#"
import psycopg

class OutOfStock(Exception):
    pass

async def reserve(conn):
    try:
        await conn.execute("INSERT INTO orders VALUES (1)")
    except psycopg.errors.UniqueViolation as error:
        raise OutOfStock("nothing left") from error

async def handle(conn):
    await reserve(conn)
"#,
        json!({}),
    );
    let raised = outcome.unwrap_err();
    assert_eq!(raised.class, "shop.OutOfStock");
    assert_eq!(raised.message, "nothing left");
    assert_eq!(raised.position.as_ref().map(|position| position.line), Some(11));
    assert_eq!(
        raised.traceback,
        r#"Traceback (most recent call last):
  File "shop.py", line 9, in reserve
    await conn.execute("INSERT INTO orders VALUES (1)")
psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "orders_pkey"
DETAIL:  Key (id)=(1) already exists.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "shop.py", line 14, in handle
    await reserve(conn)
  File "shop.py", line 11, in reserve
    raise OutOfStock("nothing left") from error
shop.OutOfStock: nothing left
"#
    );
    assert_eq!(
        told[told.len() - 2..],
        ["r1 shop.py:13 sql ROLLBACK []".to_owned(), "r1 shop.py:13 release".to_owned()]
    );
}

#[test]
fn settings_of_a_connection_shape_its_transactions() {
    let (told, outcome) = run(
        r#"
import psycopg

async def handle(pool):
    async with pool.connection() as conn:
        await conn.set_isolation_level(psycopg.IsolationLevel.SERIALIZABLE)
        await conn.set_read_only(True)
        await conn.execute("UPDATE a")
        try:
            await conn.set_autocommit(True)
        except psycopg.ProgrammingError as error:
            told = str(error)
        await conn.rollback()
        await conn.set_autocommit(True)
        await conn.execute("UPDATE b")
        async with conn.transaction():
            await conn.execute("UPDATE c")
    try:
        await conn.execute("UPDATE d")
    except psycopg.OperationalError as error:
        return [told, str(error)]
"#,
        json!({}),
    );
    assert_eq!(
        outcome.unwrap(),
        json!(["can't change 'autocommit' now: connection in transaction status INTRANS", "the connection is closed"])
    );
    let statements: Vec<&str> = told.iter().filter_map(|line| line.split(" sql ").nth(1)).collect();
    assert_eq!(
        statements,
        [
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY []",
            "UPDATE a []",
            "ROLLBACK []",
            "UPDATE b []",
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY []",
            "UPDATE c []",
            "COMMIT []",
        ]
    );
}

#[test]
fn several_calls_of_a_request_are_under_way_at_once() {
    let (told, outcome) = run(
        r#"
import asyncio, time

async def handle(conn, payments):
    began = time.monotonic()
    first, second, third = await asyncio.gather(
        payments.charge(amount_cents=1, card="a"),
        payments.charge(amount_cents=2, card="declined"),
        conn.execute("UPDATE a"),
        return_exceptions=True,
    )
    try:
        async with asyncio.timeout(0.01):
            await payments.charge(amount_cents=3, card="b")
    except TimeoutError:
        pass
    return [first["id"], repr(second), second.body, third.rowcount, round(time.monotonic() - began, 3)]
"#,
        json!({}),
    );
    assert_eq!(
        outcome.unwrap(),
        json!(["ch_1", "PaymentDeclined('the bank said no')", {"status": "declined"}, 1, 0.06])
    );
    let charges = |line: &&String| line.contains("payments.charge");
    assert_eq!(told.iter().filter(charges).count(), 3);
    assert!(told.iter().any(|line| line == "r1 cancelled"), "{told:?}");
}

#[test]
fn statements_of_one_connection_wait_for_each_other() {
    let (told, outcome) = run(
        r#"
import asyncio

async def handle(conn):
    await asyncio.gather(*(conn.execute("UPDATE a SET b = %s", (number,)) for number in range(3)))
"#,
        json!({}),
    );
    assert_eq!(outcome, Ok(Json::Null));
    let statements: Vec<&str> = told.iter().filter_map(|line| line.split(" sql ").nth(1)).collect();
    assert_eq!(
        statements,
        [
            "BEGIN []",
            "UPDATE a SET b = $1 [Int(0)]",
            "UPDATE a SET b = $1 [Int(1)]",
            "UPDATE a SET b = $1 [Int(2)]",
            "COMMIT []"
        ]
    );
}

#[test]
fn module_globals_belong_to_a_process() {
    let source = r#"
import asyncio

lock = asyncio.Lock()
served = 0

async def handle():
    global served
    async with lock:
        await asyncio.sleep(1)
        served += 1
        return served
"#;
    let mut world = World::new(Box::new(shop));
    let first = world.load(0, source).unwrap();
    let second = world.load(1, source).unwrap();
    let requests = [world.start(first, json!({})), world.start(first, json!({})), world.start(second, json!({}))];
    world.settle();
    let served: Vec<Json> = requests.iter().map(|request| world.finished.remove(request).unwrap().unwrap()).collect();
    assert_eq!(served, [json!(1), json!(2), json!(1)]);
    assert_eq!(world.now, 2_000_000, "the two of one process took turns, the other process did not wait");
}

#[test]
fn a_killed_process_runs_no_further_line() {
    let source = r#"
import asyncio

async def handle():
    try:
        await asyncio.sleep(1)
    finally:
        print("cleaned up")
"#;
    let mut world = World::new(Box::new(shop));
    let doomed = world.load(0, source).unwrap();
    let survivor = world.load(1, source).unwrap();
    world.start(doomed, json!({}));
    let other = world.start(survivor, json!({}));
    world.python.abandon(ProcessId(0));
    world.settle();
    assert_eq!(world.finished.keys().copied().collect::<Vec<u32>>(), [other]);
    assert_eq!(world.told.iter().filter(|line| line.contains("cleaned up")).count(), 1);
    assert!(world.load(0, source).is_ok());
}

#[test]
fn prints_and_log_records_tell_their_line() {
    let (told, _) = run(
        r#"
import logging, time, asyncio

logger = logging.getLogger(__name__)
logging.basicConfig(level=logging.INFO)

async def fails():
    raise KeyError("lost")

async def handle():
    print("a", 1)
    logger.info("bought %d of %s", 2, "books")
    logger.debug("unseen")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("broken")
    time.sleep(0.5)
    asyncio.create_task(fails())
    await asyncio.sleep(0)
    return time.time()
"#,
        json!({}),
    );
    assert_eq!(
        told,
        [
            "r1 shop.py:11 Info a 1",
            "r1 shop.py:12 Info bought 2 of books",
            "r1 shop.py:17 Error broken\nTraceback (most recent call last):\n  File \"shop.py\", line 15, in handle\n    1 / 0\nZeroDivisionError: division by zero",
            "r1 shop.py:18 blocked 500000",
            "r1 shop.py:10 Error Task exception was never retrieved\nTraceback (most recent call last):\n  File \"shop.py\", line 8, in fails\n    raise KeyError(\"lost\")\nKeyError: 'lost'",
        ]
    );
}

#[test]
fn a_forgotten_await_is_told() {
    let (told, outcome) = run(
        r#"
async def handle(payments):
    payments.charge(amount_cents=1, card="a")
    return "done"
"#,
        json!({}),
    );
    assert_eq!(outcome, Ok(json!("done")));
    assert_eq!(told, ["r1 shop.py:3 Warning RuntimeWarning: coroutine 'charge' was never awaited"]);
}

#[test]
fn the_clock_and_chance_are_the_runs() {
    let source = r#"
import asyncio, datetime, random, secrets, time, uuid

async def handle():
    before = time.perf_counter()
    await asyncio.sleep(1.5)
    return [time.time(), time.perf_counter() - before, datetime.datetime.now(datetime.timezone.utc).isoformat(),
            random.random(), str(uuid.uuid4()), secrets.token_hex(4)]
"#;
    let first = run(source, json!({})).1.unwrap();
    assert_eq!(first, run(source, json!({})).1.unwrap());
    assert_eq!(first[0], json!(1_767_323_046.5));
    assert_eq!(first[1], json!(1.5));
    assert_eq!(first[2], json!("2026-01-02T03:04:06.500000+00:00"));
}

/// What keeps a file from loading, or its handler from answering.
fn refused(source: &str) -> Raised {
    let mut world = World::new(Box::new(shop));
    match world.load(0, source) {
        Err(raised) => raised,
        Ok(handler) => {
            let request = world.start(handler, json!({}));
            world.settle();
            world.finished.remove(&request).expect("it ends").expect_err("it fails")
        }
    }
}

#[test]
fn mistakes_in_a_file_name_their_line() {
    let raised = refused("async def handle():\n    return (1 +\n");
    assert_eq!((raised.class.as_str(), raised.position.map(|position| position.line)), ("SyntaxError", Some(2)));

    let raised = refused("import asyncio\nimport requests\n");
    assert_eq!(raised.position.map(|position| position.line), Some(2));
    assert_eq!(raised.class, "ModuleNotFoundError");

    let raised = refused("from decimal import Dezimal\n");
    assert!(raised.message.starts_with("cannot import name 'Dezimal' from 'decimal'"), "{}", raised.message);

    let raised = refused("def handle():\n    pass\n");
    assert_eq!(raised.message, "`handle` in shop.py, line 1, must be an `async def`: handlers here are asynchronous");

    let raised = refused("async def hendle():\n    pass\n");
    assert_eq!(raised.message, "shop.py has no handler `handle`: add `async def handle(conn, request)`");

    let raised = refused("async def handle(conn, database):\n    pass\n");
    assert!(
        raised.message.starts_with("`handle` in shop.py has a parameter `database` nobody can fill in. There are: request, conn, pool, replica, payments"),
        "{}",
        raised.message
    );

    let raised = refused("async def handle():\n    return {'at': object()}\n");
    assert_eq!(raised.message, "Object of type object is not JSON serializable");
}

#[test]
fn a_module_that_is_not_here_names_the_one_to_use() {
    for (import, instead) in [
        ("import requests", "'requests' here. Use httpx"),
        ("import urllib.request", "'urllib.request' here. Use httpx"),
        ("import asyncpg", "Use psycopg (version 3): a handler's parameter `conn`"),
        ("from psycopg2 import pool", "Use psycopg (version 3): a handler's parameter `conn`"),
        ("from sqlalchemy.orm import Session", "'sqlalchemy.orm' here. There is no ORM. Write SQL with psycopg"),
        ("from django.db import transaction", "There is no Django"),
        ("from flask import Flask", "There is no web framework. A handler is a function"),
        ("import redis", "Use cache"),
        ("import boto3", "Use message_queue"),
        ("import stripe", "Use payments"),
        ("import threading", "Use asyncio"),
        ("from pydantic import BaseModel", "Use dataclasses"),
        ("import asynco", "Did you mean asyncio?"),
        ("import psycopg3", "Did you mean psycopg?"),
        ("from psycopg import sql", "cannot import name 'sql' from 'psycopg' here. Write the statement's text"),
        ("import psycopg.sql", "No module named 'psycopg.sql' here. Write the statement's text"),
        ("from psycopg_pool import ConnectionPool", "from 'psycopg_pool' here. Handlers are asynchronous"),
        ("from decimal import Decimel", "from 'decimal' here. Did you mean Decimal?"),
        ("from uuid import uuid6, uuid4", "cannot import name 'uuid6' from 'uuid' here. Did you mean uuid"),
        ("import collections.abcd", "No module named 'collections.abcd' here. It is left out of collections"),
        ("import turtle", "and nothing in its place. There are: __future__, abc, app, asyncio"),
    ] {
        let raised = refused(&format!("\n{import}\n"));
        assert!(raised.message.contains(instead), "{import}: {}", raised.message);
        assert_eq!(raised.position.map(|position| position.line), Some(2), "{import}");
    }
}

#[test]
fn every_way_to_import_what_is_there_works() {
    let (_, outcome) = run(
        "import collections.abc\nimport psycopg.errors\nfrom collections import abc, OrderedDict\nfrom psycopg import rows\n\
         from psycopg.types.json import Jsonb\nfrom datetime import datetime as when\nfrom math import *\n\n\
         async def handle():\n    import json\n    from uuid import uuid4\n    \
         return [abc.Mapping.__name__, rows.dict_row.__name__, floor(2.5), json.dumps(psycopg.errors.Error.__name__), when.__name__]\n",
        json!({}),
    );
    assert_eq!(outcome.unwrap(), json!(["Mapping", "dict_row", 2, "\"Error\"", "datetime"]));
}

#[test]
fn a_handler_that_never_ends_is_stopped() {
    let raised = refused("async def handle():\n    n = 0\n    while True:\n        n += 1\n");
    assert_eq!((raised.class.as_str(), raised.position.map(|position| position.line)), ("EndlessLoop", Some(3)));

    let raised = refused("while True:\n    try:\n        pass\n    except BaseException:\n        pass\n");
    assert_eq!((raised.class.as_str(), raised.position.map(|position| position.line)), ("EndlessLoop", Some(1)));

    let raised = refused("import asyncio\nasync def handle():\n    while True:\n        await asyncio.sleep(0)\n");
    assert_eq!(raised.class, "EndlessLoop");

    let raised = refused("def deeper(n):\n    return deeper(n + 1)\nasync def handle():\n    return deeper(0)\n");
    assert_eq!((raised.class.as_str(), raised.position.map(|position| position.line)), ("RecursionError", Some(2)));
}

#[test]
fn a_handler_reaches_nothing_of_the_host() {
    for (source, message) in [
        ("async def handle():\n    open('/etc/passwd')\n", "open() is not available in a handler here"),
        ("async def handle():\n    eval('1')\n", "eval() is not available in a handler here"),
        (
            "import sys\n",
            "No module named 'sys' here, and nothing in its place. There are: __future__, abc, app, asyncio, base64,",
        ),
        (
            "import _twoam\n",
            "No module named '_twoam' here, and nothing in its place. There are: __future__, abc, app, asyncio, base64,",
        ),
        (
            "import socket\n",
            "No module named 'socket' here, and nothing in its place. There are: __future__, abc, app, asyncio, base64,",
        ),
        (
            "async def handle():\n    __import__('marshal')\n",
            "No module named 'marshal' here, and nothing in its place. There are: __future__, abc, app, asyncio, base64,",
        ),
    ] {
        let raised = refused(source);
        assert!(raised.message.starts_with(message), "{}", raised.message);
    }
}
