//! A planned query: what stands above the tree of its FROM clause.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::types::Type;
use crate::trace::LockStrength;

use super::{Estimate, PlanNode, PlanStage, Recheck};

pub struct QueryPlan {
    pub body: QueryBody,
    pub columns: Vec<OutputColumn>,
    pub order: Vec<SortKey>,
    /// The rows come in this order already.
    pub presorted: bool,
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
    pub locks: Vec<LockTarget>,
    /// What a row must still fulfil once it is locked and has changed meanwhile.
    pub recheck: Option<Recheck>,
    /// Its WHERE clause, where EXISTS over it can be a join.
    pub joinable: Option<Vec<Expr>>,
    pub stages: Stages,
}

/// From the innermost to the outermost. A query has all of them; one that does nothing in it passes on what it is given, and is not
/// shown.
pub struct Stages {
    /// VALUES, the set operation, or DISTINCT.
    pub body: PlanStage,
    pub sort: PlanStage,
    pub lock: PlanStage,
    pub limit: PlanStage,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    pub name: Rc<str>,
    pub ty: Type,
}

pub enum QueryBody {
    Select(SelectPlan),
    Values(Vec<Vec<Expr>>),
    /// Of two queries or more, from the left.
    SetOperation {
        operation: SetOperation,
        all: bool,
        inputs: Vec<QueryPlan>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperation {
    Union,
    Intersect,
    Except,
}

pub struct SelectPlan {
    pub from: PlanNode,
    pub output: Vec<Expr>,
    pub distinct: Option<Distinct>,
    /// Slots whose rows belong to one row of the result.
    pub slots: SlotSet,
}

pub enum Distinct {
    Rows,
    On(Vec<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    pub by: SortBy,
    pub descending: bool,
    pub nulls_first: bool,
}

impl SortKey {
    /// What is computed for it; nothing where it is a column of the output.
    pub fn expr(&self) -> Option<&Expr> {
        if let SortBy::Expr(expr) = &self.by { Some(expr) } else { None }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum SortBy {
    Output(usize),
    Expr(Expr),
}

#[derive(Debug, Clone)]
pub struct LockTarget {
    pub slot: u16,
    pub table: Rc<Table>,
    pub strength: LockStrength,
    pub policy: LockPolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPolicy {
    Wait,
    NoWait,
    SkipLocked,
}

/// What a locking clause is called in messages.
pub fn lock_words(strength: LockStrength) -> &'static str {
    match strength {
        LockStrength::Update => "FOR UPDATE",
        LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
        LockStrength::Share => "FOR SHARE",
        LockStrength::KeyShare => "FOR KEY SHARE",
    }
}

impl QueryPlan {
    /// Of what it gives.
    pub fn estimate(&self) -> Estimate {
        self.stages.limit.estimate
    }
}
