//! Operators that give rows, each with its number, and with what it is expected to give and to cost.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::expr::{Expr, SlotSet, Subquery};

use super::{Aggregate, QueryPlan, WindowCall};

/// A part of a plan: the tree below a FROM clause and, above it, grouping and windows.
pub struct PlanNode {
    pub id: NodeId,
    pub estimate: Estimate,
    pub operator: Operator,
}

/// What else of a plan gives rows: a sort, a limit and the like, whose settings stand in the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanStage {
    pub id: NodeId,
    pub estimate: Estimate,
}

/// Given out in the order in which the planner makes the parts of a statement's plan. One that it gives up again leaves a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(pub u32);

/// See `planner::cost`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub rows: f64,
    pub cost: f64,
}

/// What EXPLAIN ANALYZE counts.
#[derive(Debug, Clone, Default)]
pub struct NodeCounts(Vec<Count>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// In all loops together.
    pub rows: u64,
    pub loops: u64,
}

impl NodeCounts {
    pub fn of(&self, id: NodeId) -> Count {
        self.0.get(id.0 as usize).copied().unwrap_or_default()
    }

    pub fn of_mut(&mut self, id: NodeId) -> &mut Count {
        let place = id.0 as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, Count::default());
        }
        &mut self.0[place]
    }
}

pub enum Operator {
    /// One row without columns.
    OneRow,
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
        query: Box<QueryPlan>,
        name: Rc<str>,
    },
    /// A common table expression that is computed once.
    Cte {
        slot: u16,
        number: usize,
        name: Rc<str>,
    },
    Join(Box<Join>),
    Filter {
        input: Box<PlanNode>,
        condition: Expr,
    },
    /// The input is not even begun unless the condition holds.
    OneTimeFilter {
        input: Box<PlanNode>,
        condition: Expr,
    },
    HashAggregate(Box<HashAggregate>),
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
    pub left: PlanNode,
    pub right: PlanNode,
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

pub struct HashAggregate {
    pub input: PlanNode,
    pub keys: Vec<Expr>,
    pub aggregates: Vec<Aggregate>,
    /// Where the results of the aggregates stand; the other slots show a row of the group.
    pub slot: u16,
    pub input_slots: SlotSet,
    pub having: Option<Expr>,
}

pub struct Window {
    pub input: PlanNode,
    pub calls: Vec<WindowCall>,
    pub slot: u16,
    pub input_slots: SlotSet,
}
