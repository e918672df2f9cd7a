//! A statement with its names and types; nobody has said yet how its rows are found. The binder makes it, the optimizer rewrites
//! it, the planner makes a plan of it.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::expr::{Expr, SlotSet, Subquery};

use super::{
    Aggregate, Assignment, Distinct, JoinKind, LockTarget, OnConflict, OutputColumn, Returning, SetOperation, SortKey,
    WindowCall,
};

pub struct BoundStatement {
    pub kind: BoundKind,
    /// Queries that are not part of another's tree, each after those it refers to.
    pub parts: Vec<BoundPart>,
    /// How many columns the row of each slot has.
    pub widths: Vec<usize>,
}

pub enum BoundKind {
    Query(BoundQuery),
    Write(BoundWrite),
}

pub struct BoundPart {
    pub query: BoundQuery,
    pub role: PartRole,
    /// It stands within EXISTS: PostgreSQL does not compute what is constant in it, so that nothing there fails.
    pub within_exists: bool,
}

pub enum PartRole {
    /// Computed once, and read by its number.
    Cte,
    Subquery(Rc<Subquery>),
}

pub struct BoundQuery {
    pub body: BoundBody,
    pub columns: Vec<OutputColumn>,
    pub order: Vec<SortKey>,
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
    pub locks: Vec<LockTarget>,
}

pub enum BoundBody {
    Select(Box<BoundSelect>),
    Values(Vec<Vec<Expr>>),
    /// Of two queries or more, from the left.
    SetOperation {
        operation: SetOperation,
        all: bool,
        inputs: Vec<BoundQuery>,
    },
}

#[derive(Default)]
pub struct BoundSelect {
    pub sources: Vec<Source>,
    /// Of its sources.
    pub slots: SlotSet,
    pub conditions: Vec<Expr>,
    pub grouping: Option<Grouping>,
    pub windowing: Option<Windowing>,
    pub output: Vec<Expr>,
    pub distinct: Option<Distinct>,
    /// It stands in FROM: what it puts out, and in which order, is looked at by the query around it, which may not read all of it.
    pub in_from: bool,
    /// It stands within another query and is no more than rows of tables that fulfil conditions: EXISTS over it can be a join.
    pub may_join: bool,
}

pub struct Grouping {
    pub keys: Vec<Expr>,
    pub aggregates: Vec<Aggregate>,
    pub having: Option<Expr>,
    /// Where the results of the aggregates stand.
    pub slot: u16,
}

pub struct Windowing {
    pub calls: Vec<WindowCall>,
    pub slot: u16,
}

/// What stands in FROM.
pub enum Source {
    Table { table: Rc<Table>, alias: Rc<str>, slot: u16 },
    Function { function: TableFunction, slot: u16, reads: SlotSet },
    Derived(Derived),
    Cte { number: usize, slot: u16, name: Rc<str>, columns: Vec<Rc<str>> },
    Join { kind: JoinKind, left: Box<Source>, right: Box<Source>, on: Vec<Expr> },
}

pub enum TableFunction {
    Series { start: Expr, stop: Expr, step: Option<Expr> },
    Unnest { array: Expr },
}

pub struct Derived {
    pub query: Box<BoundQuery>,
    pub slot: u16,
    pub name: Rc<str>,
    /// See `Source::reads`.
    pub reads: SlotSet,
    /// An outer join may put NULLs in place of its row.
    pub nullable: bool,
}

pub struct BoundWrite {
    pub table: Rc<Table>,
    pub kind: BoundWriteKind,
    pub returning: Option<Returning>,
}

pub enum BoundWriteKind {
    Insert {
        rows: BoundRows,
        conflict: Option<OnConflict>,
    },
    /// `found` is a SELECT that puts nothing out.
    Update {
        found: BoundQuery,
        set: Vec<Assignment>,
    },
    Delete {
        found: BoundQuery,
    },
}

pub enum BoundRows {
    Listed(Vec<Vec<Expr>>),
    Queried { query: BoundQuery, slot: u16, columns: Vec<Expr> },
}

impl BoundStatement {
    /// Every query that is the root of a tree: the parts in their order, then the statement's own.
    pub fn roots_mut(&mut self) -> impl Iterator<Item = (&mut BoundQuery, bool)> {
        let own = match &mut self.kind {
            BoundKind::Query(query) => Some(query),
            BoundKind::Write(write) => match &mut write.kind {
                BoundWriteKind::Update { found, .. } | BoundWriteKind::Delete { found } => Some(found),
                BoundWriteKind::Insert { rows: BoundRows::Queried { query, .. }, .. } => Some(query),
                BoundWriteKind::Insert { .. } => None,
            },
        };
        let parts = self.parts.iter_mut().map(|part| (&mut part.query, part.within_exists));
        parts.chain(own.map(|query| (query, false)))
    }
}

impl BoundStatement {
    /// Every expression that stands anywhere in it.
    pub fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr)) {
        self.parts.iter().for_each(|part| part.query.for_each_expr(visit));
        match &self.kind {
            BoundKind::Query(query) => query.for_each_expr(visit),
            BoundKind::Write(write) => write.for_each_expr(visit),
        }
    }
}

impl BoundWrite {
    fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr)) {
        let values = |set: &[Assignment], visit: &mut dyn FnMut(&Expr)| set.iter().for_each(|it| visit(&it.value));
        match &self.kind {
            BoundWriteKind::Insert { rows, conflict } => {
                match rows {
                    BoundRows::Listed(rows) => rows.iter().flatten().for_each(&mut *visit),
                    BoundRows::Queried { query, columns, .. } => {
                        query.for_each_expr(visit);
                        columns.iter().for_each(&mut *visit);
                    }
                }
                for update in conflict.iter().filter_map(|conflict| conflict.update.as_ref()) {
                    values(&update.set, visit);
                    update.condition.iter().for_each(&mut *visit);
                }
            }
            BoundWriteKind::Update { found, set } => {
                found.for_each_expr(visit);
                values(set, visit);
            }
            BoundWriteKind::Delete { found } => found.for_each_expr(visit),
        }
        self.returning.iter().flat_map(|returning| &returning.output).for_each(visit);
    }
}

impl BoundQuery {
    fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr)) {
        match &self.body {
            BoundBody::Select(select) => select.for_each_expr(visit),
            BoundBody::Values(rows) => rows.iter().flatten().for_each(&mut *visit),
            BoundBody::SetOperation { inputs, .. } => inputs.iter().for_each(|input| input.for_each_expr(visit)),
        }
        self.order.iter().filter_map(SortKey::expr).chain(&self.limit).chain(&self.offset).for_each(visit);
    }

    pub fn new(body: BoundBody, columns: Vec<OutputColumn>) -> BoundQuery {
        BoundQuery { body, columns, order: Vec::new(), limit: None, offset: None, locks: Vec::new() }
    }

    /// The query and all queries of its tree, inner ones first.
    pub fn for_each_mut(&mut self, visit: &mut dyn FnMut(&mut BoundQuery)) {
        match &mut self.body {
            BoundBody::Select(select) => {
                for source in &mut select.sources {
                    source.for_each_derived_mut(&mut |derived| derived.query.for_each_mut(visit));
                }
            }
            BoundBody::Values(_) => {}
            BoundBody::SetOperation { inputs, .. } => inputs.iter_mut().for_each(|input| input.for_each_mut(visit)),
        }
        visit(self);
    }

    /// Its rows as they come: no order, no limit.
    pub fn is_plain(&self) -> bool {
        self.order.is_empty() && self.limit.is_none() && self.offset.is_none()
    }
}

impl BoundSelect {
    fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr)) {
        self.sources.iter().for_each(|source| source.for_each_expr(visit));
        self.conditions.iter().chain(&self.output).for_each(&mut *visit);
        if let Some(Grouping { keys, aggregates, having, .. }) = &self.grouping {
            keys.iter().chain(having).for_each(&mut *visit);
            for call in aggregates {
                let sorted_by = call.order.iter().filter_map(SortKey::expr);
                call.arguments.iter().chain(&call.filter).chain(sorted_by).for_each(&mut *visit);
            }
        }
        for call in self.windowing.iter().flat_map(|windowing| &windowing.calls) {
            let sorted_by = call.order.iter().filter_map(SortKey::expr);
            call.arguments.iter().chain(&call.partition).chain(sorted_by).for_each(&mut *visit);
        }
        if let Some(Distinct::On(exprs)) = &self.distinct {
            exprs.iter().for_each(visit);
        }
    }
}

impl Source {
    fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr)) {
        match self {
            Source::Table { .. } | Source::Cte { .. } => {}
            Source::Function { function: TableFunction::Series { start, stop, step }, .. } => {
                [start, stop].into_iter().chain(step).for_each(visit);
            }
            Source::Function { function: TableFunction::Unnest { array }, .. } => visit(array),
            Source::Derived(derived) => derived.query.for_each_expr(visit),
            Source::Join { left, right, on, .. } => {
                left.for_each_expr(visit);
                right.for_each_expr(visit);
                on.iter().for_each(visit);
            }
        }
    }

    pub fn slots(&self) -> SlotSet {
        match self {
            Source::Table { slot, .. } | Source::Function { slot, .. } | Source::Cte { slot, .. } => {
                SlotSet::one(*slot)
            }
            Source::Derived(derived) => SlotSet::one(derived.slot),
            Source::Join { left, right, .. } => left.slots().union(right.slots()),
        }
    }

    /// What it reads of rows beside it, as LATERAL does: those must stand in their slots before it is begun.
    pub fn reads(&self) -> SlotSet {
        match self {
            Source::Table { .. } | Source::Cte { .. } => SlotSet::NONE,
            Source::Function { reads, .. } => *reads,
            Source::Derived(derived) => derived.reads,
            Source::Join { left, right, .. } => left.reads().union(right.reads()).without(self.slots()),
        }
    }

    /// Subqueries that stand in this FROM clause itself, from the left.
    pub fn for_each_derived_mut(&mut self, visit: &mut dyn FnMut(&mut Derived)) {
        match self {
            Source::Derived(derived) => visit(derived),
            Source::Join { left, right, .. } => {
                left.for_each_derived_mut(visit);
                right.for_each_derived_mut(visit);
            }
            Source::Table { .. } | Source::Function { .. } | Source::Cte { .. } => {}
        }
    }
}

pub fn slots_of(sources: &[Source]) -> SlotSet {
    sources.iter().fold(SlotSet::NONE, |slots, source| slots.union(source.slots()))
}
