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

use smallvec::SmallVec;

use crate::sql::error::Result;
use crate::sql::executor::{Context, Flow, FrameRow};
use crate::sql::expr::{Comparison, Subquery, SubqueryKind};
use crate::sql::plan::{QueryBody, QueryPlan, Recheck};
use crate::store::compare;
use crate::trace::Value;

/// Rows of some slots, as they were found.
pub type FoundRows = SmallVec<[(u16, FrameRow); 1]>;

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
        let parts = self.run.parts.clone();
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
                    _ => self.find_first_row(&parts.subqueries[subquery.number].query)?,
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
        let parts = self.run.parts.clone();
        let mut first = None;
        self.run_query(&parts.subqueries[subquery.number].query, &mut |_, row| {
            let value = row.into_iter().next().unwrap_or(Value::Null);
            if value == Value::Null || !op.holds(compare(&left, &value)) {
                return Ok(Flow::More);
            }
            first = Some(value);
            Ok(Flow::Enough)
        })?;
        Ok(first)
    }

    fn find_first_row(&mut self, query: &QueryPlan) -> Result<bool> {
        let (QueryBody::Select(select), Some(conditions)) = (&query.body, &query.joinable) else { return Ok(false) };
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
