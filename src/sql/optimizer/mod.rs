//! Rewrites of a bound query before a plan is made of it.

pub mod const_fold;
mod outer_joins;

pub use outer_joins::reduce_outer_joins;
