//! What things cost in virtual time. Constants of statements and commits are in `calibrated.rs`, measured once on a real server; the others
//! are here, with where they come from. None is measured on the machine that runs the simulation, so a run is the same everywhere.

pub use super::calibrated::{COMMIT_US, FLUSH_US, TURN_CPU_US};

use super::calibrated::{ROW_BY_INDEX_US, ROW_BY_SCAN_US, ROW_WRITTEN_US, STATEMENT_US};
use crate::sql::Outcome;
use crate::trace::Micros;

/// Routing, validation and serialisation of one request in a Python web framework: a uvicorn worker answers about 2,000 trivial
/// FastAPI requests a second (TechEmpower round 22, fastapi-uvicorn, one worker), a good half of it around the handler.
pub const REQUEST_CPU_US: Micros = 250;

/// How long a wait lasts before a deadlock is looked for: PostgreSQL's `deadlock_timeout`.
pub const DEADLOCK_TIMEOUT_US: Micros = 1_000_000;

/// From a process's death until its successor has imported its modules and takes requests.
pub const RESTART_US: Micros = 2_000_000;

/// Time on a database core for what one call of the engine did.
pub fn core_us(outcome: &Outcome) -> Micros {
    let scanned = f64::from(outcome.rows_scanned);
    let by_index = f64::from(outcome.rows_read.saturating_sub(outcome.rows_scanned));
    let written = f64::from(outcome.rows_written);
    (STATEMENT_US + by_index * ROW_BY_INDEX_US + scanned * ROW_BY_SCAN_US + written * ROW_WRITTEN_US) as Micros
}
