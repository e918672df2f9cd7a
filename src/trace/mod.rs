//! The words every other module shares: ids, SQL values, calls and answers, and the events of a run.
//!
//! Plain data. It knows no engine, no interpreter and no clock; it imports nothing of this crate.

mod calendar;
mod call;
mod event;
mod fingerprint;
mod ids;
pub mod json;
mod text;
mod value;

pub use calendar::*;
pub use call::*;
pub use event::*;
pub use fingerprint::*;
pub use ids::*;
pub use value::*;
