//! UNION, INTERSECT, EXCEPT.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::sql::budget::row_bytes;
use crate::sql::error::Result;
use crate::sql::plan::{QueryPlan, SetOperation};
use crate::store::Key;
use crate::trace::Value;

use super::Context;
use super::select::Seen;

impl Context<'_> {
    /// The rows, and how many bytes are held for them.
    pub(super) fn set_operation(
        &mut self,
        operation: SetOperation,
        all: bool,
        inputs: &[QueryPlan],
    ) -> Result<(Vec<Vec<Value>>, usize)> {
        let (first, rest) = inputs.split_first().expect("a set operation has inputs");
        let (mut rows, mut held) = self.rows(first, row_bytes)?;
        if operation == SetOperation::Union {
            for input in rest {
                let (mut more, bytes) = self.rows(input, row_bytes)?;
                held += bytes;
                rows.append(&mut more);
            }
            if !all {
                let mut seen = Seen::default();
                let mut new = Vec::new();
                for row in rows {
                    if seen.is_new(&mut self.run.budget, &row)? {
                        new.push(row);
                    }
                }
                self.run.budget.release(seen.held);
                rows = new;
            }
            return Ok((rows, held));
        }
        for input in rest {
            let (right, bytes) = self.rows(input, row_bytes)?;
            rows = intersected(operation, all, rows, &right);
            self.run.budget.release(bytes);
        }
        Ok((rows, held))
    }
}

/// The rows of the left side that the right one has, or has not.
pub(super) fn intersected(
    operation: SetOperation,
    all: bool,
    left: Vec<Vec<Value>>,
    right: &[Vec<Value>],
) -> Vec<Vec<Value>> {
    let key = |row: &[Value]| Key(row.iter().cloned().collect());
    let mut counts: FxHashMap<Key, usize> = FxHashMap::default();
    for row in right {
        *counts.entry(key(row)).or_default() += 1;
    }
    let mut rows = Vec::new();
    let mut seen = FxHashSet::default();
    for row in left {
        let found = key(&row);
        let count = counts.entry(found.clone()).or_default();
        let in_both = *count > 0;
        if all && in_both {
            *count -= 1;
        }
        if in_both == (operation == SetOperation::Intersect) && (all || seen.insert(found)) {
            rows.push(row);
        }
    }
    rows
}
