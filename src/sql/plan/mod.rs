//! What a statement is once its names and types are resolved, and the plan made of it: data only.

mod aggregate;
mod bound;
mod node;
mod query;
mod recheck;
mod write;

pub use aggregate::{Aggregate, WindowCall};
pub use bound::{
    BoundBody, BoundKind, BoundPart, BoundQuery, BoundRows, BoundSelect, BoundStatement, BoundWrite, BoundWriteKind,
    Derived, Grouping, PartRole, Source, TableFunction, Windowing, slots_of,
};
pub use node::{
    Access, Estimate, HashAggregate, Join, JoinKind, JoinMethod, KeyList, NodeCounts, NodeId, Operator, PlanNode,
    PlanStage, Scan, Window,
};
pub use query::{
    Distinct, LockPolicy, LockTarget, OutputColumn, QueryBody, QueryPlan, SelectPlan, SetOperation, SortBy, SortKey,
    Stages, lock_words,
};
pub use recheck::{Recheck, joinable};
pub use write::{
    Assignment, ConflictUpdate, InsertRows, OnConflict, Returning, TARGET, TargetRows, WriteKind, WritePlan,
};

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::expr::Expr;
use crate::trace::Value;

pub enum PlanKind {
    Query(QueryPlan),
    Write(WritePlan),
}

/// What the parts of a plan refer to by number.
#[derive(Default)]
pub struct PlanParts {
    /// How many columns the row of each slot has.
    pub widths: Vec<usize>,
    /// Common table expressions that are computed once.
    pub ctes: Vec<QueryPlan>,
    pub subqueries: Vec<SubqueryPlan>,
}

/// What answers the subquery of the same place.
pub struct SubqueryPlan {
    pub query: QueryPlan,
    /// EXISTS over equal columns: inner rows are read once and found again by these keys.
    pub hashed: Option<HashedKeys>,
}

pub struct HashedKeys {
    pub inner: Vec<Expr>,
    pub outer: Vec<Expr>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

pub fn null_row(width: usize) -> Rc<[Value]> {
    std::iter::repeat_n(Value::Null, width).collect()
}
