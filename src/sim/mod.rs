//! A service under load in virtual time: clients, processes, connection pools, a database with few cores, other services.
//!
//! Everything happens in events taken from one queue in order of virtual time; nothing here waits or looks at a clock. Handlers decide
//! what is asked of the database and of services, the engine and the services decide what comes of it, this module only decides when.
//! It knows no scenario by name, and of a trace only how to write it.

mod changes;
mod clients;
mod cost;
mod database;
mod dice;
mod examine;
mod fitted;
mod outside;
mod pool;
mod processes;
mod schedule;
mod tape;
mod watch;
mod world;

use std::rc::Rc;

pub use examine::{Objection, examine};
pub use processes::{names_tables, statement_described};
pub use schedule::{RunRequest, ScheduleError};
pub use tape::{Sender, Sent};
pub use world::EPOCH_US;

use crate::scenario::ScenarioDocument;
pub use crate::scenario::{Change, TimedChange};
use crate::trace::{Keep, Micros, Trace};
use world::World;

/// One run: built from a request, advanced piece by piece.
pub struct Run {
    world: World,
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
        Ok(Run { world: World::new(document, request, keep)? })
    }

    /// Lets everything happen up to and including `until`, but at most `steps` steps of the queue. Returns how far it came.
    pub fn advance(&mut self, until: Micros, steps: usize) -> Micros {
        self.world.advance(until, steps)
    }

    /// Goes on until something is recorded, or the run has ended.
    pub fn step(&mut self) -> Micros {
        self.world.step()
    }

    /// Changes the run now. The change becomes part of its request, at this time.
    pub fn apply(&mut self, change: Change) {
        self.world.apply(change);
    }

    pub fn now(&self) -> Micros {
        self.world.now
    }

    /// When the run ends.
    pub fn end(&self) -> Micros {
        self.world.end
    }

    pub fn ended(&self) -> bool {
        self.world.ended
    }

    pub fn trace(&self) -> &Trace {
        &self.world.trace
    }

    /// Everybody has looked at the trace as it is now.
    pub fn seen(&mut self) {
        self.world.trace.seen();
    }

    /// All SQL so far; nothing unless the run keeps all of its past.
    pub fn tape(&self) -> &[Sent] {
        self.world.tape.as_deref().unwrap_or_default()
    }

    /// What to ask for to get this run again, with the changes made since it began.
    pub fn request(&self) -> &RunRequest {
        &self.world.request
    }
}
