//! What can be done to a run while it is going.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::trace::Micros;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TimedChange {
    #[ts(type = "number")]
    pub at_us: Micros,
    pub change: Change,
}

/// What can be done to a run while it is going. Each is a marker on the chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// New requests run this variant; those on their way finish with the old one.
    Variant {
        variant: String,
    },
    Knob {
        knob: String,
        value: f64,
    },
    /// Switches a fault rule of the scenario on or off.
    Fault {
        fault: String,
        on: bool,
    },
    /// Deploys edited code.
    Source {
        file: String,
        text: String,
    },
}
