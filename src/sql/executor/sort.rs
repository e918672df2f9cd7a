//! ORDER BY.

use crate::sql::error::Result;
use crate::sql::plan::{SortBy, SortKey};
use crate::store::compare;
use crate::trace::Value;

use super::Context;

impl Context<'_> {
    pub fn sort_keys(&mut self, order: &[SortKey], output: &[Value]) -> Result<Vec<Value>> {
        self.run.budget.work_on_values(order.len())?;
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            keys.push(match &key.by {
                SortBy::Output(column) => output[*column].clone(),
                SortBy::Expr(expr) => self.evaluate(expr)?,
            });
        }
        Ok(keys)
    }
}

pub fn sort_by_keys<T>(keyed: &mut [(Vec<Value>, T)], order: &[SortKey]) {
    keyed.sort_by(|(a, _), (b, _)| compare_keys(a, b, order));
}

pub(super) fn compare_keys(a: &[Value], b: &[Value], order: &[SortKey]) -> std::cmp::Ordering {
    for ((x, y), key) in a.iter().zip(b).zip(order) {
        let ordering = match (*x == Value::Null, *y == Value::Null) {
            (true, true) => std::cmp::Ordering::Equal,
            (true, false) => {
                if key.nulls_first {
                    std::cmp::Ordering::Less
                } else {
                    std::cmp::Ordering::Greater
                }
            }
            (false, true) => {
                if key.nulls_first {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Less
                }
            }
            (false, false) => {
                let ordering = compare(x, y);
                if key.descending { ordering.reverse() } else { ordering }
            }
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    std::cmp::Ordering::Equal
}
