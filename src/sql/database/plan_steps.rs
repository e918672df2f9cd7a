//! How a statement becomes its plan, for whoever wants to look on.

use crate::sql::database::Database;
use crate::sql::error::{Result, Stop};
use crate::sql::explain;
use crate::sql::session::prepared;
use crate::trace::SqlError;

/// The statement as it stood once something had been done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// `bound`, the name of a pass, `plan`.
    pub name: String,
    pub lines: Vec<String>,
}

impl Database {
    /// Of a query or a statement that writes: as it was bound, as each pass has left it that changed it, and its plan.
    pub fn plan_steps(&mut self, sql: &str) -> std::result::Result<Vec<PlanStep>, SqlError> {
        self.steps(sql).map_err(Stop::failure)
    }

    fn steps(&mut self, sql: &str) -> Result<Vec<PlanStep>> {
        let mut steps: Vec<PlanStep> = Vec::new();
        for prepared in self.statements.get(sql, false)?.iter() {
            let (catalog, store) = (&self.engine.catalog, &self.engine.store);
            let mut see = |name: &str, lines: Vec<String>| steps.push(PlanStep { name: name.to_owned(), lines });
            let mut before = Vec::new();
            let plan =
                prepared::make(&prepared.statement, catalog, store, &[], &prepared.skipped, &mut |name, bound| {
                    let lines = explain::bound_lines(bound);
                    if lines != before {
                        before.clone_from(&lines);
                        see(name, lines);
                    }
                })?;
            see("plan", explain::lines(&plan.kind, &plan.parts, true, None));
        }
        Ok(steps)
    }
}
