//! Sequences.

use crate::trace::Value;

use super::signature::{BOOL, INT8, TEXT};
use super::{FunctionSpec, int, string, volatile};

pub const NEXTVAL: &str = "nextval";

pub static FUNCTIONS: &[FunctionSpec] = &[
    volatile(NEXTVAL, &[TEXT], INT8, |env, a| env.next_value(string(&a[0]))),
    volatile("currval", &[TEXT], INT8, |env, a| env.current_value(string(&a[0]))),
    volatile("lastval", &[], INT8, |env, _| env.last_value()),
    volatile("setval", &[TEXT, INT8, BOOL], INT8, |env, a| {
        env.set_value(string(&a[0]), int(&a[1]), a.get(2) != Some(&Value::Bool(false)))
    })
    .optional(1),
];

/// For the default of a column.
pub fn nextval() -> &'static FunctionSpec {
    FUNCTIONS.iter().find(|function| function.name == NEXTVAL).expect("it has a row")
}
