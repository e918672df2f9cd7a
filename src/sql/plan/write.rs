//! The plan of INSERT, UPDATE and DELETE.

use std::rc::Rc;

use crate::sql::catalog::Table;

use super::{Expr, OutputColumn, PlanNode, Query, Recheck, SlotSet, Stage};

/// The slot of the row that is written, in every writing statement.
pub const TARGET: u16 = 0;

pub struct Write {
    pub table: Rc<Table>,
    pub kind: WriteKind,
    pub returning: Option<Returning>,
    pub stage: Stage,
}

/// What is given back of each written row.
pub type Returning = (Vec<Expr>, Vec<OutputColumn>);

pub enum WriteKind {
    Insert { rows: InsertRows, conflict: Option<Conflict> },
    Update { found: Found, set: Vec<(usize, Expr)> },
    Delete { found: Found },
}

pub enum InsertRows {
    /// For each row an expression for each column of the table.
    Listed { rows: Vec<Vec<Expr>>, stage: Stage },
    /// Rows of a query, which stand in `slot` when the columns are computed from them.
    Queried { query: Query, slot: u16, columns: Vec<Expr> },
}

/// How the rows to be written are found.
pub struct Found {
    pub node: PlanNode,
    pub slots: SlotSet,
    /// All conditions, for a row whose newest version is another than the one found.
    pub recheck: Recheck,
}

pub struct Conflict {
    /// Unique indexes (by their place in the table) that count; empty: all.
    pub arbiters: Vec<usize>,
    pub excluded: u16,
    /// `None`: do nothing.
    pub update: Option<ConflictUpdate>,
}

/// What DO UPDATE sets, and its WHERE clause.
pub type ConflictUpdate = (Vec<(usize, Expr)>, Option<Expr>);
