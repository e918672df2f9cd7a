//! Makes a plan of a bound statement: the way to each table's rows, in which order and how they are joined, and what stands above.
//! It prefers an index to a scan, and never compares all rows of two tables where a column must be equal. Every choice between two
//! ways, and every number EXPLAIN shows, comes from `cost`.

mod access;
mod assumed;
mod conditions;
mod cost;
mod from;
mod hash_exists;
mod join;
mod min_max;
mod order;
mod query;
mod write;

pub use assumed::Assumed;

use crate::sql::expr::{SlotSet, Subquery};
use crate::sql::optimizer::Skipped;
use crate::sql::plan::{
    BoundKind, BoundStatement, Estimate, NodeId, Operator, PartRole, PlanKind, PlanNode, PlanParts, PlanStage,
    QueryPlan, SubqueryPlan,
};
use crate::store::Store;

/// Rewrites that need what the planner knows, and so are no passes of the optimizer.
pub const REWRITES: &[&str] = &[min_max::NAME, hash_exists::NAME];

pub fn plan(statement: BoundStatement, store: &Store, skipped: &Skipped) -> (PlanKind, PlanParts) {
    let parts = PlanParts { widths: statement.widths, ..PlanParts::default() };
    let mut planner = Planner { store, skipped, parts, numbered: 0 };
    for part in statement.parts {
        let query = planner.query(part.query);
        match part.role {
            PartRole::Cte => planner.parts.ctes.push(query),
            PartRole::Subquery(subquery) => {
                let plan = planner.subquery_plan(query, &subquery);
                planner.parts.subqueries.push(plan);
            }
        }
    }
    let kind = match statement.kind {
        BoundKind::Query(query) => PlanKind::Query(planner.query(query)),
        BoundKind::Write(write) => PlanKind::Write(planner.write(write)),
    };
    (kind, planner.parts)
}

struct Planner<'a> {
    store: &'a Store,
    skipped: &'a Skipped,
    /// As far as they are planned: a query refers only to parts before it.
    parts: PlanParts,
    /// How many parts of the plan have a number.
    numbered: u32,
}

impl Planner<'_> {
    fn stage(&mut self, estimate: Estimate) -> PlanStage {
        self.numbered += 1;
        PlanStage { id: NodeId(self.numbered - 1), estimate }
    }

    fn node(&mut self, operator: Operator, estimate: Estimate) -> PlanNode {
        let PlanStage { id, estimate } = self.stage(estimate);
        PlanNode { id, estimate, operator }
    }

    /// None where a statement has as many as it may.
    fn slot(&mut self, width: usize) -> Option<u16> {
        let slot = self.parts.widths.len() as u16;
        (slot < SlotSet::MOST).then(|| {
            self.parts.widths.push(width);
            slot
        })
    }

    fn subquery_plan(&self, mut query: QueryPlan, subquery: &Subquery) -> SubqueryPlan {
        let hashed = if self.skipped.has(hash_exists::NAME) { None } else { hash_exists::hash(&mut query, subquery) };
        SubqueryPlan { query, hashed }
    }
}
