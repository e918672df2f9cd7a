//! What a statement is once its names and types are resolved, and the plan made of it: data only.

mod aggregate;
mod recheck;

pub use crate::sql::expr::{Arithmetic, Comparison, Expr, SlotSet, Subquery, SubqueryKind};
pub use aggregate::{Aggregate, WindowCall};
pub use recheck::{Recheck, joinable};

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::types::Type;
use crate::trace::{LockStrength, Value};

pub struct Query {
    pub body: Body,
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
}

#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    pub name: Rc<str>,
    pub ty: Type,
}

pub enum Body {
    Select(Select),
    Values(Vec<Vec<Expr>>),
    /// Of two queries or more, from the left.
    SetOperation {
        operation: SetOperation,
        all: bool,
        inputs: Vec<Query>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperation {
    Union,
    Intersect,
    Except,
}

pub struct Select {
    pub from: Node,
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

pub enum Node {
    /// One row without columns.
    Once,
    Scan(Scan),
    Series {
        slot: u16,
        start: Expr,
        stop: Expr,
        step: Option<Expr>,
    },
    Unnest {
        slot: u16,
        array: Expr,
    },
    Derived {
        slot: u16,
        query: Box<Query>,
        name: Rc<str>,
    },
    /// A common table expression that is computed once.
    Common {
        slot: u16,
        number: usize,
        name: Rc<str>,
    },
    Join(Box<Join>),
    Filter {
        input: Box<Node>,
        condition: Expr,
    },
    /// The input is not even begun unless the condition holds.
    Gate {
        input: Box<Node>,
        condition: Expr,
    },
    Group(Box<Group>),
    Window(Box<Window>),
}

pub struct Scan {
    pub table: Rc<Table>,
    pub alias: Rc<str>,
    pub slot: u16,
    pub access: Access,
    /// Conditions the access itself sees to, for EXPLAIN.
    pub index_condition: Vec<Expr>,
    pub filter: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    Whole,
    Index {
        number: usize,
        equal: Vec<Expr>,
        low: Option<(Expr, bool)>,
        high: Option<(Expr, bool)>,
        backward: bool,
    },
    /// One column has any of several values.
    Keys {
        number: usize,
        equal: Vec<Expr>,
        keys: KeyList,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum KeyList {
    Listed(Vec<Expr>),
    Array(Expr),
    /// IN over a subquery that reads nothing from outside.
    Rows(Rc<Subquery>),
}

pub struct Join {
    pub kind: JoinKind,
    pub left: Node,
    pub right: Node,
    pub method: JoinMethod,
    pub condition: Option<Expr>,
    pub left_slots: SlotSet,
    pub right_slots: SlotSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Full,
}

pub enum JoinMethod {
    /// The right side is read for each row of the left one, by an index.
    Nested,
    /// The right side is read once. Without keys it is a plain loop over the kept rows.
    Hash { left: Vec<Expr>, right: Vec<Expr> },
}

pub struct Group {
    pub input: Node,
    pub keys: Vec<Expr>,
    pub aggregates: Vec<Aggregate>,
    /// Where the results of the aggregates stand; the other slots show a row of the group.
    pub slot: u16,
    pub input_slots: SlotSet,
    pub having: Option<Expr>,
}

pub struct Window {
    pub input: Node,
    pub calls: Vec<WindowCall>,
    pub slot: u16,
    pub input_slots: SlotSet,
}

/// What the parts of a plan refer to by number.
#[derive(Default)]
pub struct PlanParts {
    /// How many columns the row of each slot has.
    pub widths: Vec<usize>,
    /// Common table expressions that are computed once.
    pub ctes: Vec<Query>,
    pub subqueries: Vec<SubqueryPlan>,
}

/// What answers the subquery of the same place.
pub struct SubqueryPlan {
    pub query: Query,
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

/// What stands in FROM, before a way to read it is chosen.
pub enum Source {
    Table { table: Rc<Table>, alias: Rc<str>, slot: u16 },
    Other { node: Node, slot: u16, reads: SlotSet, rows: f64 },
    Join { kind: JoinKind, left: Box<Source>, right: Box<Source>, on: Vec<Expr> },
}

impl Source {
    pub fn slots(&self) -> SlotSet {
        match self {
            Source::Table { slot, .. } | Source::Other { slot, .. } => SlotSet::one(*slot),
            Source::Join { left, right, .. } => left.slots().union(right.slots()),
        }
    }

    /// What it reads of rows beside it, as LATERAL does: those must stand in their slots before it is begun.
    pub fn reads(&self) -> SlotSet {
        match self {
            Source::Table { .. } => SlotSet::NONE,
            Source::Other { reads, .. } => *reads,
            Source::Join { left, right, .. } => left.reads().union(right.reads()).without(self.slots()),
        }
    }
}

pub fn null_row(width: usize) -> Rc<[Value]> {
    std::iter::repeat_n(Value::Null, width).collect()
}
