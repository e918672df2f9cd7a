//! Calls of aggregates and window functions.

use crate::sql::expr::Expr;
use crate::sql::functions::aggregate::AggregateFunction;
use crate::sql::functions::window::WindowFunction;

use super::SortKey;

#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub function: AggregateFunction,
    pub arguments: Vec<Expr>,
    pub distinct: bool,
    pub filter: Option<Expr>,
    pub order: Vec<SortKey>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WindowCall {
    pub function: WindowFunction,
    pub arguments: Vec<Expr>,
    pub partition: Vec<Expr>,
    pub order: Vec<SortKey>,
}
