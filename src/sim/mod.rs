//! A service under load in virtual time: clients, processes, connection pools, a database with few cores, other services.
//!
//! Everything happens in events taken from one queue in order of virtual time; nothing here waits or looks at a clock. Handlers decide
//! what is asked of the database and of services, the engine and the services decide what comes of it, this module only decides when.
//! It knows no scenario by name, and of a trace only how to write it.

mod app_server;
mod calibrated;
mod cost;
mod database;
mod deployment;
mod examine;
mod execution;
mod kernel;
mod load_generator;
mod message;
mod monitor;
mod run_request;
mod scheduler;
mod services;
mod simulation;
mod statement;
mod statement_log;

use std::rc::Rc;

pub use database::names_tables;
pub use examine::{Objection, examine};
pub use execution::{Examiner, Execution};
pub use kernel::statement_described;
pub use run_request::{RunRequest, ScheduleError};
pub use statement_log::{Sender, Sent};

use crate::scenario::ScenarioDocument;
pub use crate::scenario::{Change, TimedChange};
use crate::trace::{Keep, Micros, Trace};
use simulation::Simulation;

/// Every run begins at two o'clock in the morning, UTC, on Wednesday 14 January 2026.
pub const EPOCH_US: i64 = 1_768_356_000_000_000;

/// One run: built from a request, advanced piece by piece.
pub struct Run {
    simulation: Simulation,
}

/// Why a run cannot begin, for the author of the scenario or of the edited code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    pub text: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    /// What else is wrong.
    pub others: Vec<RunError>,
}

impl RunError {
    pub fn new(text: impl Into<String>) -> RunError {
        RunError { text: text.into(), file: None, line: None, others: vec![] }
    }

    /// One for all of `errors`.
    pub fn all(errors: Vec<RunError>) -> Option<RunError> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(RunError { others: errors.collect(), ..first })
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: {}", self.text),
            (Some(file), None) => write!(f, "{file}: {}", self.text),
            _ => f.write_str(&self.text),
        }?;
        self.others.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl std::error::Error for RunError {}

impl Run {
    pub fn new(document: Rc<ScenarioDocument>, request: RunRequest, keep: Keep) -> Result<Run, RunError> {
        Ok(Run { simulation: Simulation::new(document, request, keep)? })
    }

    /// Lets everything happen up to and including `until`, but at most `steps` steps of the queue. Returns how far it came.
    pub fn advance(&mut self, until: Micros, steps: usize) -> Micros {
        self.simulation.advance(until, steps)
    }

    /// Goes on until something is recorded, or the run has ended.
    pub fn step(&mut self) -> Micros {
        self.simulation.step()
    }

    /// Changes the run now. The change becomes part of its request, at this time.
    pub fn apply(&mut self, change: Change) {
        self.simulation.apply(change);
    }

    pub fn now(&self) -> Micros {
        self.simulation.now()
    }

    /// When the run ends.
    pub fn end(&self) -> Micros {
        self.simulation.end()
    }

    pub fn ended(&self) -> bool {
        self.simulation.ended()
    }

    pub fn trace(&self) -> &Trace {
        self.simulation.trace()
    }

    /// Everybody has looked at the trace as it is now.
    pub fn seen(&mut self) {
        self.simulation.seen();
    }

    /// All SQL so far; nothing unless the run keeps all of its past.
    pub fn statement_log(&self) -> &[Sent] {
        self.simulation.statement_log()
    }

    /// What to ask for to get this run again, with the changes made since it began.
    pub fn request(&self) -> &RunRequest {
        self.simulation.request()
    }
}
