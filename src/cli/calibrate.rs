//! `twoam calibrate`: constants of the cost model, fitted to what statements cost on a real server of this machine.
//!
//! The engine runs the same statements and says how many rows each read and wrote; the constants are those that come closest to the
//! processor time measured, counting errors in proportion. The result is a source file: a run costs the same on every machine.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use serde_json::json;
use twoam::sql::{Database, DeadlockCheck, Progress, Settings};
use twoam::trace::{SessionId, Value};

use super::postgres::{PRIVATE, Server, measure};
use super::{Failure, machine, reality, terminal};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Writes the constants as the source file that the cost model is made with
    #[arg(long, value_name = "FILE.rs")]
    write: Option<PathBuf>,
}

const SETUP: [&str; 8] = [
    "CREATE TABLE items (id INTEGER PRIMARY KEY, shelf INTEGER NOT NULL, room INTEGER NOT NULL, title TEXT NOT NULL)",
    "INSERT INTO items SELECT n, n / 10, n / 100, 'Item ' || n FROM generate_series(1, 20000) AS n",
    "CREATE INDEX items_shelf ON items (shelf)",
    "CREATE INDEX items_room ON items (room)",
    "CREATE TABLE stocks (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL)",
    "INSERT INTO stocks SELECT n, 1000000 FROM generate_series(1, 2000) AS n",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL, note TEXT NOT NULL)",
    "CREATE INDEX orders_item_id ON orders (item_id)",
];
/// Outside the engine's SQL, and without meaning for it.
const SETUP_OF_SERVER: [&str; 3] = ["CREATE SEQUENCE new_orders", "ANALYZE items", "ANALYZE stocks"];

struct Probe {
    name: &'static str,
    /// As a handler writes it.
    sql: &'static str,
    /// Its parameter goes from 1 to this.
    keys: u32,
    count: u32,
}

const PROBES: [Probe; 8] = [
    Probe { name: "a statement without a table", sql: "SELECT 1", keys: 0, count: 2_000 },
    Probe { name: "a row by its key", sql: "SELECT title, room FROM items WHERE id = %s", keys: 20_000, count: 2_000 },
    Probe {
        name: "10 rows by an index",
        sql: "SELECT id, title FROM items WHERE shelf = %s",
        keys: 1_999,
        count: 1_000,
    },
    Probe { name: "100 rows by an index", sql: "SELECT id, title FROM items WHERE room = %s", keys: 199, count: 400 },
    Probe { name: "2,000 rows passed over", sql: "SELECT count(*) FROM stocks WHERE stock = -%s", keys: 9, count: 200 },
    Probe {
        name: "20,000 rows passed over",
        sql: "SELECT count(*) FROM items WHERE title = %s::text",
        keys: 9,
        count: 40,
    },
    Probe { name: "a row changed", sql: COMMIT, keys: 2_000, count: 1_000 },
    Probe { name: "a row added", sql: ADD_ROW, keys: 20_000, count: 1_000 },
];
const ADD_ROW: &str = "INSERT INTO orders (id, item_id, note) VALUES (nextval('new_orders'), %s, 'new')";
const COMMIT: &str = "UPDATE stocks SET stock = stock - 1 WHERE id = %s";
const COMMITS: u32 = 150;
const SERIES: u32 = 5;

/// How often each constant counts for a statement: statement, row by index, row by scan, row written.
type Counts = [f64; 4];

struct Fit {
    constants: Counts,
    commit_us: f64,
    flush_us: f64,
    turn_us: f64,
    residuals: Vec<Residual>,
    server: String,
}

struct Residual {
    name: &'static str,
    measured_us: f64,
    fitted_us: f64,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(path) = &arguments.write {
        terminal::expect_writable(path)?;
    }
    let fit = fit()?;
    let mut table = terminal::table(["processor time of", "measured", "by the constants", "apart"]);
    for it in &fit.residuals {
        let apart = (it.fitted_us / it.measured_us - 1.0) * 100.0;
        let cells = [format!("{:.1} us", it.measured_us), format!("{:.1} us", it.fitted_us), format!("{apart:+.0} %")];
        table.add_row(std::iter::once(comfy_table::Cell::new(it.name)).chain(cells.into_iter().map(terminal::number)));
    }
    println!("{table}\n");
    for (name, _, value) in constants(&fit) {
        println!("{name:16} {value}");
    }
    if let Some(path) = &arguments.write {
        fs::write(path, source(&fit)).map_err(|error| Failure::file(path, &error))?;
    }
    Ok(())
}

fn fit() -> Result<Fit, Failure> {
    let counts = PROBES.iter().map(counts).collect::<Result<Vec<_>, _>>()?;
    let server = Server::open(PRIVATE)?;
    let probes = PROBES.iter().map(|it| json!({ "sql": it.sql, "keys": it.keys, "count": it.count, "series": SERIES }));
    let measured = measure(
        &server,
        json!({
            "setup": SETUP.iter().chain(&SETUP_OF_SERVER).collect::<Vec<_>>(),
            "probes": probes.collect::<Vec<_>>(),
            "commit": { "sql": COMMIT, "keys": 2_000, "count": COMMITS },
        }),
    )?;
    let us = |place: usize, of: &str| measured["probes"][place][of].as_f64().unwrap_or(0.0);
    let times = (0..PROBES.len()).map(|place| us(place, "server_us")).collect::<Vec<_>>();
    let constants = closest(&counts, &times);
    let residuals = PROBES.iter().zip(&counts).zip(&times);
    let residuals = residuals.map(|((probe, counts), time)| Residual {
        name: probe.name,
        measured_us: *time,
        fitted_us: total(counts, &constants),
    });
    // BEGIN and the write are statements like others.
    let changed =
        PROBES.iter().position(|probe| probe.sql == COMMIT).expect("the write of a commit is also measured alone");
    let commit_us = measured["commit"]["server_us"].as_f64().unwrap_or(0.0) - times[changed] - constants[0];
    let (commit_us, commit_took) = (commit_us.max(1.0), measured["commit"]["commit_us"].as_f64().unwrap_or(0.0));
    let version = measured["version"].as_str().unwrap_or_default();
    Ok(Fit {
        constants,
        commit_us,
        flush_us: (commit_took - commit_us - us(0, "client_us")).max(1.0),
        turn_us: us(1, "client_us"),
        residuals: residuals.collect(),
        server: version.split(" (").next().unwrap_or(version).to_string(),
    })
}

/// What the engine says that a statement reads and writes.
fn counts(probe: &Probe) -> Result<Counts, Failure> {
    let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 1, epoch_us: 0 });
    let session = database.connect();
    let parameters = if probe.keys == 0 { vec![] } else { vec![Value::Int(7)] };
    let sequence = ["CREATE SEQUENCE new_orders"];
    for sql in SETUP.iter().chain(&sequence) {
        done(&mut database, session, sql, &[])?;
    }
    let outcome = done(&mut database, session, &probe.sql.replace("%s", "$1"), &parameters)?;
    let by_index = f64::from(outcome.rows_read - outcome.rows_scanned);
    Ok([1.0, by_index, f64::from(outcome.rows_scanned), f64::from(outcome.rows_written)])
}

fn done(
    database: &mut Database,
    session: SessionId,
    sql: &str,
    parameters: &[Value],
) -> Result<twoam::sql::Outcome, Failure> {
    let outcome = database.execute(session, 0, sql, parameters);
    match &outcome.progress {
        Progress::Failed(error) => Err(Failure::Result(format!("error: {sql}: {}", error.message))),
        Progress::Done(_) | Progress::Wait(_) => Ok(outcome),
    }
}

/// Least squares of the relative errors; a constant that would be negative is zero.
fn closest(counts: &[Counts], times: &[f64]) -> Counts {
    let mut free = [true; 4];
    loop {
        let mut matrix = [[0.0; 5]; 4];
        for (counts, time) in counts.iter().zip(times) {
            let row = counts.map(|count| count / time);
            for (i, line) in matrix.iter_mut().enumerate() {
                for (cell, count) in line.iter_mut().zip(&row) {
                    *cell += row[i] * count;
                }
                line[4] += row[i];
            }
        }
        for place in (0..4).filter(|place| !free[*place]) {
            matrix[place] = [0.0; 5];
            matrix[place][place] = 1.0;
        }
        let found = solved(matrix);
        match (0..4).find(|place| found[*place] < 0.0) {
            Some(negative) => free[negative] = false,
            None => return found,
        }
    }
}

/// Gauss and Jordan: the matrix is positive definite, so no pivot is zero.
fn solved(mut matrix: [[f64; 5]; 4]) -> Counts {
    for place in 0..4 {
        let pivot = matrix[place].map(|cell| cell / matrix[place][place]);
        for (other, line) in matrix.iter_mut().enumerate() {
            let factor = line[place];
            *line = if other == place { pivot } else { std::array::from_fn(|at| line[at] - factor * pivot[at]) };
        }
    }
    matrix.map(|line| line[4])
}

fn total(counts: &Counts, constants: &Counts) -> f64 {
    counts.iter().zip(constants).map(|(count, constant)| count * constant).sum()
}

/// Name, meaning, value with its type.
fn constants(fit: &Fit) -> [(&'static str, &'static str, String); 7] {
    let [statement, by_index, by_scan, written] = fit.constants;
    let (exact, whole) = (|us: f64| format!("f64 = {us:.3}"), |us: f64| format!("Micros = {us:.0}"));
    [
        ("STATEMENT_US", "Taking in, starting and ending a short statement.", exact(statement)),
        ("ROW_BY_INDEX_US", "One row found by an index.", exact(by_index)),
        ("ROW_BY_SCAN_US", "One row passed over by reading a whole table.", exact(by_scan)),
        ("ROW_WRITTEN_US", "One row version written, with its index entries and log record.", exact(written)),
        ("COMMIT_US", "A commit's own work before the log is flushed.", whole(fit.commit_us)),
        (
            "FLUSH_US",
            "Until the log is on disk. No core is held meanwhile, and commits that wait together are flushed together.",
            whole(fit.flush_us),
        ),
        (
            "TURN_CPU_US",
            "One turn of the handler's event loop: psycopg sends a statement and parses its result under CPython.",
            whole(fit.turn_us),
        ),
    ]
}

fn source(fit: &Fit) -> String {
    let mut text = format!(
        "//! Constants of the cost model that are fitted to measurements. Written by `twoam calibrate --write`, not by hand.\n//!\n//! {}, {}, {}.\n//!\n//! | processor time of | measured | by the constants |\n//! | --- | ---: | ---: |\n",
        fit.server,
        machine::class(),
        reality::today(),
    );
    for it in &fit.residuals {
        let _ = writeln!(text, "//! | {} | {:.1} us | {:.1} us |", it.name, it.measured_us, it.fitted_us);
    }
    text.push_str("\nuse crate::trace::Micros;\n");
    for (name, meaning, value) in constants(fit) {
        let _ = write!(text, "\n/// {meaning}\npub const {name}: {value};\n");
    }
    text
}
