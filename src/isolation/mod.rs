//! PostgreSQL's isolation specs: sessions whose steps are interleaved, each blocking where a lock makes it wait.
//!
//! A spec is run here against our own database in virtual time, and by the differential test against a real PostgreSQL:
//! both are a `ServerUnderTest`, stepped by the same code, so that their reports can be compared. It never knows what a statement means.

mod output;
mod run;
mod spec;

pub use output::*;
pub use run::{Arrival, ServerUnderTest, run, run_last_woken_first, run_on};
pub use spec::{Marker, Permutation, PermutationStep, Spec, SpecError, SpecSession, SpecStep, parse};
