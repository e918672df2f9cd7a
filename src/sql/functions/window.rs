//! Window functions: what they are called, take and give. The executor computes them, for they read rows.

use super::aggregate::AggregateFunction;
use super::signature::Kind::{self, AnyCompatible, AnyElement};
use super::signature::{FLOAT8, INT4, INT8, Signature};

pub struct WindowSpec {
    pub name: &'static str,
    pub signature: Signature,
    /// None where it is not offered.
    pub function: Option<WindowFunction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowFunction {
    RowNumber,
    Rank,
    DenseRank,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    /// An aggregate over the rows up to the current one's peers, or over the partition where there is no order.
    Running(AggregateFunction),
}

pub static FUNCTIONS: &[WindowSpec] = &[
    offered("row_number", &[], INT8, WindowFunction::RowNumber),
    offered("rank", &[], INT8, WindowFunction::Rank),
    offered("dense_rank", &[], INT8, WindowFunction::DenseRank),
    refused("percent_rank", &[], FLOAT8),
    refused("cume_dist", &[], FLOAT8),
    refused("ntile", &[INT4], INT4),
    offered("lag", &[AnyElement], AnyElement, WindowFunction::Lag),
    offered("lag", &[AnyElement, INT4], AnyElement, WindowFunction::Lag),
    offered("lag", &[AnyCompatible, INT4, AnyCompatible], AnyCompatible, WindowFunction::Lag),
    offered("lead", &[AnyElement], AnyElement, WindowFunction::Lead),
    offered("lead", &[AnyElement, INT4], AnyElement, WindowFunction::Lead),
    offered("lead", &[AnyCompatible, INT4, AnyCompatible], AnyCompatible, WindowFunction::Lead),
    offered("first_value", &[AnyElement], AnyElement, WindowFunction::FirstValue),
    offered("last_value", &[AnyElement], AnyElement, WindowFunction::LastValue),
    refused("nth_value", &[AnyElement, INT4], AnyElement),
];

const fn offered(
    name: &'static str,
    parameters: &'static [Kind],
    returns: Kind,
    function: WindowFunction,
) -> WindowSpec {
    WindowSpec { name, signature: Signature::new(parameters, returns), function: Some(function) }
}

const fn refused(name: &'static str, parameters: &'static [Kind], returns: Kind) -> WindowSpec {
    WindowSpec { name, signature: Signature::new(parameters, returns), function: None }
}
