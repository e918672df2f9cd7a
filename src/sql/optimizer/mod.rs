//! Rewrites of a bound statement before a plan is made of it: `PASSES`, one after the other over all its queries.
//!
//! Two rewrites are not passes, for they go by what the planner finds out: see `planner::REWRITES`.

pub mod const_fold;
mod outer_joins;
mod unused_columns;

use std::collections::BTreeSet;

pub use const_fold::ConstFolder;

use crate::sql::plan::{BoundQuery, BoundStatement};

use const_fold::fold_constants;
use outer_joins::reduce_outer_joins;
use unused_columns::drop_unused_columns;

pub struct Pass {
    pub name: &'static str,
    rewrite: Rewrite,
}

enum Rewrite {
    Statement(fn(&mut BoundStatement)),
    /// One query; those within it have been rewritten before, those around it have not.
    Query(fn(&mut BoundQuery, &mut ConstFolder)),
}

/// In the order they are done in: a constant that nobody reads is not computed, one that is may leave columns unread,
/// and a condition that turns out to hold always lets NULLs through.
pub const PASSES: &[Pass] = &[
    Pass { name: "unused_columns", rewrite: Rewrite::Statement(drop_unused_columns) },
    Pass { name: CONSTANTS, rewrite: Rewrite::Query(fold_constants) },
    Pass { name: "unread_columns", rewrite: Rewrite::Statement(drop_unused_columns) },
    Pass { name: "outer_joins", rewrite: Rewrite::Query(reduce_outer_joins) },
];

/// The pass that also computes, while they are bound, values and assignments, which stand in no query.
pub const CONSTANTS: &str = "constants";

/// Names of rewrites, passes or the planner's, that are left out. Nothing but a test leaves any out.
#[derive(Debug, Clone, Default)]
pub struct Skipped(BTreeSet<String>);

impl Skipped {
    pub fn add(&mut self, name: &str) {
        self.0.insert(name.to_owned());
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Does all passes. `seen` is shown the statement after each.
pub fn optimize(
    statement: &mut BoundStatement,
    folder: &mut ConstFolder,
    skipped: &Skipped,
    seen: &mut dyn FnMut(&Pass, &BoundStatement),
) {
    for pass in PASSES.iter().filter(|pass| !skipped.has(pass.name)) {
        match pass.rewrite {
            Rewrite::Statement(rewrite) => rewrite(statement),
            Rewrite::Query(rewrite) => rewrite_queries(statement, folder, rewrite),
        }
        seen(pass, statement);
    }
}

fn rewrite_queries(
    statement: &mut BoundStatement,
    folder: &mut ConstFolder,
    rewrite: fn(&mut BoundQuery, &mut ConstFolder),
) {
    for (root, within_exists) in statement.roots_mut() {
        let failure = folder.failure.take();
        root.for_each_mut(&mut |query| rewrite(query, folder));
        if failure.is_some() || within_exists {
            folder.failure = failure;
        }
    }
}
