//! Arrays.

use crate::sql::types::arrays;

use super::signature::{INT4, Kind, TEXT};
use super::{FunctionSpec, pure};

/// ARRAY[…] of arrays: it has one dimension more than they have.
pub static NESTING: FunctionSpec =
    pure("array", &[Kind::AnyArray], Kind::AnyArray, arrays::nest).variadic().takes_nulls();

pub static FUNCTIONS: &[FunctionSpec] = &[
    pure("array_length", &[Kind::AnyArray, INT4], INT4, arrays::array_length),
    pure("array_upper", &[Kind::AnyArray, INT4], INT4, arrays::array_length),
    pure("array_lower", &[Kind::AnyArray, INT4], INT4, arrays::array_lower),
    pure("array_ndims", &[Kind::AnyArray], INT4, arrays::array_ndims),
    pure("array_dims", &[Kind::AnyArray], TEXT, arrays::array_dims),
    pure("cardinality", &[Kind::AnyArray], INT4, arrays::cardinality),
];
