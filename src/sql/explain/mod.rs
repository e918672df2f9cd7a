//! EXPLAIN in PostgreSQL's shape: prints the plan that runs, with the planner's estimates and, for EXPLAIN ANALYZE, with what was
//! counted as it ran. It computes nothing.

mod bound;
mod expr;
mod names;
mod node;
mod page;
mod query;
mod subplans;

pub use bound::bound_lines;

use expr::RelationNames;
use page::Page;

use crate::sql::plan::{Estimate, NodeCounts, NodeId, PlanKind, PlanParts, PlanStage};

/// `counts` are there for EXPLAIN ANALYZE.
pub fn lines(plan: &PlanKind, parts: &PlanParts, costs: bool, counts: Option<&NodeCounts>) -> Vec<String> {
    let mut explain = Explain { parts, costs, counts, names: RelationNames::default(), page: Page::default() };
    match plan {
        PlanKind::Query(query) => {
            explain.name_query(query);
            explain.names.qualified = explain.names.are_several();
            explain.query(query);
        }
        PlanKind::Write(write) => explain.write(write),
    }
    explain.page.lines
}

struct Explain<'a> {
    parts: &'a PlanParts,
    costs: bool,
    counts: Option<&'a NodeCounts>,
    names: RelationNames,
    page: Page,
}

impl Explain<'_> {
    fn open_stage(&mut self, name: &str, stage: PlanStage) {
        self.open(name, stage.id, stage.estimate);
    }

    /// The line of a part of the plan.
    fn open(&mut self, name: &str, id: NodeId, estimate: Estimate) {
        let figures = self.figures(id, estimate);
        self.page.open(&format!("{name}{figures}"));
    }

    fn figures(&self, id: NodeId, estimate: Estimate) -> String {
        let mut text = String::new();
        if self.costs {
            text = format!("  (cost=0.00..{:.2} rows={} width=8)", estimate.cost, estimate.rows.round().max(1.0));
        }
        if let Some(counts) = self.counts {
            let count = counts.of(id);
            if count.loops == 0 {
                text.push_str(" (never executed)");
            } else {
                let rows = (count.rows as f64 / count.loops as f64).round();
                text.push_str(&format!(" (actual rows={rows} loops={})", count.loops));
            }
        }
        text
    }
}

/// `(a AND b)`, or the only one.
fn all(conditions: &[String]) -> String {
    match conditions {
        [only] => only.clone(),
        several => format!("({})", several.join(" AND ")),
    }
}
