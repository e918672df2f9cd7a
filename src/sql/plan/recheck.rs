//! What a row that changed while it was waited for must still fulfil; see `executor::epq`.

use std::rc::Rc;

use crate::sql::expr::{Expr, SlotSet, Subquery, SubqueryKind};
use crate::trace::Value;

use super::{JoinKind, QueryBody, Source, SubqueryPlan, slots_of};

/// How a row found before is tested once more.
pub struct Recheck {
    /// Subqueries that PostgreSQL joins, outer ones before those within them.
    pub joined: Vec<Rc<Subquery>>,
    /// Outer joins from the inside out: what joins, and what stands there else.
    pub outer_joins: Vec<(Vec<Expr>, SlotSet)>,
    pub condition: Option<Expr>,
}

impl Recheck {
    pub fn new(conditions: &[Expr], sources: &[Source], subqueries: &[SubqueryPlan]) -> Recheck {
        let own = slots_of(sources);
        let mut all = conditions.to_vec();
        let mut outer_joins = Vec::new();
        for source in sources {
            join_conditions(source, &mut all, &mut outer_joins);
        }
        let mut recheck = Recheck { joined: Vec::new(), outer_joins, condition: None };
        let mut rest = Vec::new();
        for condition in all {
            recheck.take_in(condition, &[own], subqueries, &mut rest);
        }
        recheck.condition = Expr::and(rest);
        recheck
    }

    /// Sorts a condition among the joined subqueries or the rest. `levels`: slots of the query, then those of the queries joined to it.
    fn take_in(&mut self, condition: Expr, levels: &[SlotSet], subqueries: &[SubqueryPlan], rest: &mut Vec<Expr>) {
        let joins = |slots: SlotSet| levels.iter().any(|level| !slots.is_empty() && slots.within(*level));
        match &condition {
            Expr::Subquery(subquery) => match (subquery.kind, &subquery.left) {
                (SubqueryKind::Any(_), Some(left))
                    if subquery.outer.is_empty() && !left.is_volatile() && joins(left.slots()) =>
                {
                    self.joined.push(subquery.clone());
                }
                (SubqueryKind::Exists, _) if joins(subquery.outer) && exists_joins(subquery, subqueries) => {
                    self.joined.push(subquery.clone());
                    let query = &subqueries[subquery.number].query;
                    let QueryBody::Select(select) = &query.body else { return };
                    let levels: Vec<SlotSet> = levels.iter().copied().chain([select.slots]).collect();
                    for inner in query.joinable.iter().flatten() {
                        self.take_in(inner.clone(), &levels, subqueries, rest);
                    }
                }
                _ => rest.push(condition),
            },
            Expr::Not(of) => match &**of {
                Expr::Subquery(subquery)
                    if subquery.kind == SubqueryKind::Exists
                        && joins(subquery.outer)
                        && exists_joins(subquery, subqueries) => {}
                _ => rest.push(condition),
            },
            _ => rest.push(condition),
        }
    }
}

fn exists_joins(subquery: &Subquery, subqueries: &[SubqueryPlan]) -> bool {
    let query = &subqueries[subquery.number].query;
    let limited = !matches!(query.limit, None | Some(Expr::Const(Value::Null)))
        && !matches!(query.limit, Some(Expr::Const(Value::Int(limit))) if limit > 0);
    query.joinable.is_some() && !subquery.volatile && !limited && query.offset.is_none() && query.locks.is_empty()
}

/// The WHERE clause of a query that EXISTS can join: one that reads the query around it there and nowhere else.
pub fn joinable(conditions: &[Expr], sources: &[Source]) -> Option<Vec<Expr>> {
    fn reads(source: &Source) -> SlotSet {
        match source {
            Source::Join { left, right, on, .. } => {
                on.iter().fold(reads(left).union(reads(right)), |slots, on| slots.union(on.slots()))
            }
            single => single.reads(),
        }
    }
    let own = slots_of(sources);
    let closed = !sources.is_empty() && sources.iter().all(|source| reads(source).within(own));
    closed.then(|| conditions.to_vec())
}

fn join_conditions(source: &Source, inner: &mut Vec<Expr>, outer: &mut Vec<(Vec<Expr>, SlotSet)>) {
    let Source::Join { kind, left, right, on } = source else { return };
    match kind {
        JoinKind::Inner => {
            inner.extend(on.iter().cloned());
            join_conditions(left, inner, outer);
            join_conditions(right, inner, outer);
        }
        JoinKind::Left => {
            join_conditions(left, inner, outer);
            outer.push((on.clone(), right.slots()));
        }
        // Neither side can be locked.
        JoinKind::Full => {}
    }
}
