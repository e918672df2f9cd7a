//! Independent runs on all cores. Results keep the order of what they came from.

#[cfg(not(target_arch = "wasm32"))]
mod processes;
#[cfg(target_arch = "wasm32")]
mod threads;

use twoam::api::RunRequest;
use twoam::scenario::ScenarioDocument;

#[cfg(not(target_arch = "wasm32"))]
pub use processes::run_all;
#[cfg(target_arch = "wasm32")]
pub use threads::run_all;

use super::worker::Wanted;

pub struct Job<'a> {
    pub document: &'a ScenarioDocument,
    pub request: RunRequest,
    pub wanted: Wanted,
}
