//! What things cost in virtual time. Every constant is here, with where it comes from; none is measured on the machine that runs
//! the simulation, so a run is the same everywhere.

use crate::sql::Outcome;
use crate::trace::Micros;

/// Routing, validation and serialisation of one request in a Python web framework: a uvicorn worker answers about 2,000 trivial
/// FastAPI requests a second (TechEmpower round 22, fastapi-uvicorn, one worker), a good half of it around the handler.
pub const REQUEST_CPU_US: Micros = 250;

/// One turn of the event loop: psycopg parses a result of few rows and the handler runs to its next await, tens of microseconds
/// under CPython 3.11.
pub const TURN_CPU_US: Micros = 40;

/// Parsing, planning, starting and ending a short statement: `pgbench -S` gives 15,000 to 30,000 statements a second on one core.
const STATEMENT_US: f64 = 40.0;

/// One row found by an index: a descent of cached pages and a heap fetch.
const ROW_BY_INDEX_US: f64 = 1.5;

/// One row passed over by a sequential scan: 5 to 10 million a second on one core with a simple filter.
const ROW_BY_SCAN_US: f64 = 0.15;

/// One row version written, with its index entries and log record: `COPY` into a table with one index loads about 200,000 rows a
/// second, single statements cost more.
const ROW_WRITTEN_US: f64 = 12.0;

/// A commit's own work before the log is flushed.
pub const COMMIT_US: Micros = 15;

/// Until the log is on disk: pg_test_fsync reports 400 to 1,000 us for fdatasync on cloud block storage. No core is held meanwhile,
/// and commits that wait together are flushed together.
pub const FLUSH_US: Micros = 600;

/// How long a wait lasts before a deadlock is looked for: PostgreSQL's `deadlock_timeout`.
pub const DEADLOCK_TIMEOUT_US: Micros = 1_000_000;

/// A refused TCP connection in the same data centre.
pub const REFUSED_US: Micros = 1_000;

/// From a process's death until its successor has imported its modules and takes requests.
pub const RESTART_US: Micros = 2_000_000;

/// How much later a duplicated request reaches a service: a proxy's retry.
pub const DUPLICATE_AFTER_US: Micros = 20_000;

/// Time on a database core for what one call of the engine did.
pub fn core_us(outcome: &Outcome) -> Micros {
    let scanned = f64::from(outcome.rows_scanned);
    let by_index = f64::from(outcome.rows_read.saturating_sub(outcome.rows_scanned));
    let written = f64::from(outcome.rows_written);
    (STATEMENT_US + by_index * ROW_BY_INDEX_US + scanned * ROW_BY_SCAN_US + written * ROW_WRITTEN_US) as Micros
}
