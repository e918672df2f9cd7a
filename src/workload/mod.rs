//! What a run's surroundings do: who sends what and when, what goes wrong, how simulated services work, and which rows count as broken.
//!
//! State machines without a clock of their own: they are told the time and say what is due later. The simulation drives them in virtual
//! time, the run on a real server in real time, so that both meet the same load, the same faults and the same judgement.

mod circumstances;
mod faults;
mod invariants;
mod load;
mod rng;
mod service_host;

pub use circumstances::{Circumstances, Conditions};
pub use faults::FaultRules;
pub use invariants::{InFlight, InvariantFinding, Invariants};
pub use load::{Due, Load};
pub use rng::{RngStreams, normal_us};
pub use service_host::{Answered, ServiceHost, ServiceJob, Taken, Worked};
