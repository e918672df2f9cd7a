//! Functions that give rows: what they are called and take. They stand in FROM, and the executor makes their rows.

use super::signature::Kind::{self, AnyArray, AnyElement};
use super::signature::{INT4, INT8, INTERVAL, Signature, TIMESTAMP, TIMESTAMPTZ};

pub struct SetSpec {
    pub name: &'static str,
    pub signature: Signature,
    pub function: SetFunction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetFunction {
    /// From a start to a stop, by steps of one unless said otherwise.
    Series,
    Unnest,
}

pub static FUNCTIONS: &[SetSpec] = &[
    row("generate_series", &[INT4, INT4], INT4, SetFunction::Series),
    row("generate_series", &[INT4, INT4, INT4], INT4, SetFunction::Series),
    row("generate_series", &[INT8, INT8], INT8, SetFunction::Series),
    row("generate_series", &[INT8, INT8, INT8], INT8, SetFunction::Series),
    row("generate_series", &[TIMESTAMP, TIMESTAMP, INTERVAL], TIMESTAMP, SetFunction::Series),
    row("generate_series", &[TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, SetFunction::Series),
    row("unnest", &[AnyArray], AnyElement, SetFunction::Unnest),
];

const fn row(name: &'static str, parameters: &'static [Kind], returns: Kind, function: SetFunction) -> SetSpec {
    SetSpec { name, signature: Signature::new(parameters, returns), function }
}
