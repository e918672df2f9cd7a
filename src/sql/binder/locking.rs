//! FOR UPDATE and its weaker sisters.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::error::{Result, error, fail, refuse};
use crate::sql::parser::ast;
use crate::sql::plan::{LockPolicy, LockTarget, lock_words};
use crate::store::Mode;

use super::Binder;

impl<'a> Binder<'a> {
    pub(super) fn lock_targets(
        &mut self,
        locks: &[ast::LockClause],
        grouped: bool,
        windowed: bool,
        distinct: bool,
    ) -> Result<Vec<LockTarget>> {
        let mut targets: Vec<LockTarget> = Vec::new();
        for clause in locks {
            let (strength, names) = (clause.strength, &clause.of);
            let words = lock_words(strength);
            for (wrong, what) in [
                (grouped, "aggregate functions or GROUP BY"),
                (windowed, "window functions"),
                (distinct, "DISTINCT clause"),
            ] {
                if wrong {
                    let what = if grouped && self.scopes.last().is_some_and(|s| s.aggregates.is_empty()) {
                        "GROUP BY clause"
                    } else if grouped {
                        "aggregate functions"
                    } else {
                        what
                    };
                    return fail("0A000", format!("{words} is not allowed with {what}"));
                }
            }
            let policy = match clause.wait {
                ast::LockWaitPolicy::Block => LockPolicy::Wait,
                ast::LockWaitPolicy::NoWait => LockPolicy::NoWait,
                ast::LockWaitPolicy::SkipLocked => LockPolicy::SkipLocked,
            };
            let scope = self.scopes.last().expect("a scope");
            let mut found: Vec<(u16, Rc<Table>)> = Vec::new();
            if names.is_empty() {
                for relation in &scope.relations {
                    match &relation.table {
                        Some(table) => {
                            if relation.nullable {
                                return fail(
                                    "0A000",
                                    format!("{words} cannot be applied to the nullable side of an outer join"),
                                );
                            }
                            found.push((relation.slot, table.clone()));
                        }
                        None => return refuse(format!("{words} over a subquery in FROM")),
                    }
                }
            } else {
                for ast::Ident { name, at } in names {
                    let relation = scope.relations.iter().find(|relation| relation.alias == *name);
                    let Some(relation) = relation else {
                        let message = format!("relation \"{name}\" in {words} clause not found in FROM clause");
                        return Err(error("42P01", message).at(at.0));
                    };
                    let Some(table) = &relation.table else {
                        return refuse(format!("{words} over a subquery in FROM"));
                    };
                    if relation.nullable {
                        return fail(
                            "0A000",
                            format!("{words} cannot be applied to the nullable side of an outer join"),
                        );
                    }
                    found.push((relation.slot, table.clone()));
                }
            }
            for (slot, table) in found {
                self.use_table(&table, Mode::RowShare);
                match targets.iter_mut().find(|target| target.slot == slot) {
                    Some(target) => {
                        target.strength = target.strength.max(strength);
                        if policy != LockPolicy::Wait && target.policy != LockPolicy::NoWait {
                            target.policy = policy;
                        }
                    }
                    None => targets.push(LockTarget { slot, table, strength, policy }),
                }
            }
        }
        Ok(targets)
    }
}
