//! What PostgreSQL calls EvalPlanQual: a row that changed while a READ COMMITTED statement waited for it is tested once more, by
//! its newest version. All other rows stay as the statement's snapshot shows them, and what was joined to the row stays joined:
//!
//! ```text
//!   FROM t JOIN u ON …         the same row of u
//!   FROM t LEFT JOIN u ON …    the same row of u, or none where the new t does not fit it any more
//!   v IN (SELECT x FROM u)     a join, too: v must still fit the x it was found with, another x does not help
//!   EXISTS (… u.x = t.v)       a join to the first row of u that was found
//!   NOT EXISTS (… u.x = t.v)   there was no such row, and none is looked for
//!   any other subquery         computed anew for the new t
//! ```

use std::rc::Rc;

use smallvec::SmallVec;

use crate::store::compare;
use crate::trace::Value;

use super::error::Result;
use super::exec::{Context, Flow, Standing};
use super::expr::{Comparison, Expr};
use super::plan::{Body, JoinKind, Query, SlotSet, Source, Subquery, SubqueryKind};

/// How a row found before is tested once more.
pub struct Recheck {
    /// Subqueries that PostgreSQL joins, outer ones before those within them.
    joined: Vec<Rc<Subquery>>,
    /// Outer joins from the inside out: what joins, and what stands there else.
    outer_joins: Vec<(Vec<Expr>, SlotSet)>,
    condition: Option<Expr>,
}

/// Rows of some slots, as they were found.
pub type FoundRows = SmallVec<[(u16, Standing); 1]>;

impl Recheck {
    pub fn new(conditions: &[Expr], sources: &[Source]) -> Recheck {
        let own = sources.iter().fold(SlotSet::NONE, |slots, source| slots.union(source.slots()));
        let mut all = conditions.to_vec();
        let mut outer_joins = Vec::new();
        for source in sources {
            join_conditions(source, &mut all, &mut outer_joins);
        }
        let mut recheck = Recheck { joined: Vec::new(), outer_joins, condition: None };
        let mut rest = Vec::new();
        for condition in all {
            recheck.take_in(condition, &[own], &mut rest);
        }
        recheck.condition = Expr::and(rest);
        recheck
    }

    /// Sorts a condition among the joined subqueries or the rest. `levels`: slots of the query, then those of the queries joined to it.
    fn take_in(&mut self, condition: Expr, levels: &[SlotSet], rest: &mut Vec<Expr>) {
        let joins = |slots: SlotSet| levels.iter().any(|level| !slots.is_empty() && slots.within(*level));
        match &condition {
            Expr::Subquery(subquery) => match (subquery.kind, &subquery.left) {
                (SubqueryKind::Any(_), Some(left))
                    if subquery.outer.is_empty() && !left.is_volatile() && joins(left.slots()) =>
                {
                    self.joined.push(subquery.clone());
                }
                (SubqueryKind::Exists, _) if joins(subquery.outer) && exists_joins(subquery) => {
                    self.joined.push(subquery.clone());
                    let Body::Select(select) = &subquery.query.body else { return };
                    let levels: Vec<SlotSet> = levels.iter().copied().chain([select.slots]).collect();
                    for inner in subquery.query.joinable.iter().flatten() {
                        self.take_in(inner.clone(), &levels, rest);
                    }
                }
                _ => rest.push(condition),
            },
            Expr::Not(of) => match &**of {
                Expr::Subquery(subquery)
                    if subquery.kind == SubqueryKind::Exists && joins(subquery.outer) && exists_joins(subquery) => {}
                _ => rest.push(condition),
            },
            _ => rest.push(condition),
        }
    }
}

fn exists_joins(subquery: &Subquery) -> bool {
    let query = &subquery.query;
    let limited = !matches!(query.limit, None | Some(Expr::Const(Value::Null)))
        && !matches!(query.limit, Some(Expr::Const(Value::Int(limit))) if limit > 0);
    query.joinable.is_some() && !subquery.volatile && !limited && query.offset.is_none() && query.locks.is_empty()
}

/// The WHERE clause of a query that EXISTS can join: one that reads the query around it there and nowhere else.
pub fn joinable(conditions: &[Expr], sources: &[Source]) -> Option<Vec<Expr>> {
    fn reads(source: &Source) -> SlotSet {
        match source {
            Source::Table { .. } => SlotSet::NONE,
            Source::Other { reads, .. } => *reads,
            Source::Join { left, right, on, .. } => {
                on.iter().fold(reads(left).union(reads(right)), |slots, on| slots.union(on.slots()))
            }
        }
    }
    let own = sources.iter().fold(SlotSet::NONE, |slots, source| slots.union(source.slots()));
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

impl Context<'_> {
    /// Whether the rows in the frame still fit, where those of `found` have been replaced by newer versions.
    pub fn epq_recheck(&mut self, recheck: &Recheck, found: &FoundRows) -> Result<bool> {
        let Some(matched) = self.joined_before(recheck, found)? else { return Ok(false) };
        for (on, slots) in &recheck.outer_joins {
            let mut fits = true;
            for condition in on {
                fits = fits && self.holds(condition)?;
            }
            if !fits {
                self.put_nulls(*slots);
            }
        }
        if let Some(condition) = &recheck.condition
            && !self.holds(condition)?
        {
            return Ok(false);
        }
        let compared = recheck.joined.iter().filter_map(|subquery| match subquery.kind {
            SubqueryKind::Any(op) => Some((op, subquery.left.as_ref()?)),
            _ => None,
        });
        for ((op, left), matched) in compared.zip(matched) {
            let left = self.evaluate(left)?;
            if left == Value::Null || !op.holds(compare(&left, &matched)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds again what the subqueries had joined to the rows as they were: rows stay in the frame, values of IN are given back.
    fn joined_before(&mut self, recheck: &Recheck, found: &FoundRows) -> Result<Option<Vec<Value>>> {
        let mut matched = Vec::new();
        if recheck.joined.is_empty() {
            return Ok(Some(matched));
        }
        let newest: FoundRows = found.iter().map(|(slot, _)| (*slot, self.run.frame[*slot as usize].clone())).collect();
        self.put_found(found);
        let mut all = true;
        for subquery in &recheck.joined {
            all = all
                && match subquery.kind {
                    SubqueryKind::Any(op) => {
                        let value = self.first_match(op, subquery)?;
                        let is_some = value.is_some();
                        matched.extend(value);
                        is_some
                    }
                    _ => self.find_first_row(&subquery.query)?,
                };
        }
        self.put_found(&newest);
        Ok(all.then_some(matched))
    }

    fn put_found(&mut self, found: &FoundRows) {
        for (slot, standing) in found {
            self.run.frame[*slot as usize] = standing.clone();
        }
    }

    /// The value that `left op ANY (…)` was true for.
    fn first_match(&mut self, op: Comparison, subquery: &Subquery) -> Result<Option<Value>> {
        let Some(left) = &subquery.left else { return Ok(None) };
        let left = self.evaluate(left)?;
        if op == Comparison::Equal {
            return Ok(Some(left));
        }
        let mut first = None;
        self.run_query(&subquery.query, &mut |_, row| {
            let value = row.into_iter().next().unwrap_or(Value::Null);
            if value == Value::Null || !op.holds(compare(&left, &value)) {
                return Ok(Flow::More);
            }
            first = Some(value);
            Ok(Flow::Enough)
        })?;
        Ok(first)
    }

    fn find_first_row(&mut self, query: &Query) -> Result<bool> {
        let (Body::Select(select), Some(conditions)) = (&query.body, &query.joinable) else { return Ok(false) };
        let mut is_found = false;
        self.run_node(&select.from, &mut |context| {
            // Of a hashed EXISTS the plan lacks the conditions it is hashed by.
            for condition in conditions {
                if !context.holds(condition)? {
                    return Ok(Flow::More);
                }
            }
            is_found = true;
            Ok(Flow::Enough)
        })?;
        Ok(is_found)
    }
}
