//! The plan of INSERT, UPDATE and DELETE.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::expr::{Expr, SlotSet};

use super::{OutputColumn, PlanNode, PlanStage, QueryPlan, Recheck};

/// The slot of the row that is written, in every writing statement.
pub const TARGET: u16 = 0;

pub struct WritePlan {
    pub table: Rc<Table>,
    pub kind: WriteKind,
    pub returning: Option<Returning>,
    pub stage: PlanStage,
}

pub enum WriteKind {
    Insert { rows: InsertRows, conflict: Option<OnConflict> },
    Update { found: TargetRows, set: Vec<Assignment> },
    Delete { found: TargetRows },
}

pub enum InsertRows {
    /// For each row an expression for each column of the table.
    Listed { rows: Vec<Vec<Expr>>, stage: PlanStage },
    /// Rows of a query, which stand in `slot` when the columns are computed from them.
    Queried { query: QueryPlan, slot: u16, columns: Vec<Expr> },
}

/// How the rows to be written are found.
pub struct TargetRows {
    pub node: PlanNode,
    pub slots: SlotSet,
    /// All conditions, for a row whose newest version is another than the one found.
    pub recheck: Recheck,
}

/// A column of SET, by its place in the table.
pub struct Assignment {
    pub column: usize,
    pub value: Expr,
}

pub struct OnConflict {
    /// Unique indexes (by their place in the table) that count; empty: all.
    pub arbiters: Vec<usize>,
    /// The slot of the row that was proposed for insertion.
    pub excluded: u16,
    /// `None`: do nothing.
    pub update: Option<ConflictUpdate>,
}

pub struct ConflictUpdate {
    pub set: Vec<Assignment>,
    pub condition: Option<Expr>,
}

/// What is given back of each written row.
pub struct Returning {
    pub output: Vec<Expr>,
    pub columns: Vec<OutputColumn>,
}
