//! 2 AM: why backend code that works on your machine breaks in production.

// The command line names the library as its other users do.
#[cfg(feature = "command-line")]
extern crate self as twoam;

pub mod api;
#[cfg(feature = "command-line")]
pub mod cli;
pub mod console;
pub mod explore;
pub mod isolation;
pub mod python;
pub mod report;
pub mod reproduce;
pub mod scenario;
pub mod services;
pub mod sim;
pub mod sql;
pub mod store;
pub mod talk;
pub mod trace;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub mod workload;
