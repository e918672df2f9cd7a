//! `EXISTS (… WHERE inner = outer)` over a whole table: its rows are read once and found again by keys.
//!
//! No pass of the optimizer, for where the planner has found an index to search for each outer row, that is left as it is.

use crate::sql::expr::{Comparison, Expr, SlotSet, Subquery, SubqueryKind};
use crate::sql::plan::{Access, HashedKeys, Operator, QueryBody, QueryPlan};

pub const NAME: &str = "hash_exists";

/// Takes the conditions out of the plan that are looked up in its stead.
pub fn hash(query: &mut QueryPlan, subquery: &Subquery) -> Option<HashedKeys> {
    let outer = subquery.outer;
    let is_hashed = subquery.kind == SubqueryKind::Exists && !subquery.volatile && !outer.is_empty();
    if !is_hashed || query.limit.is_some() || query.offset.is_some() {
        return None;
    }
    let QueryBody::Select(select) = &mut query.body else { return None };
    let own = select.slots;
    let Operator::Scan(scan) = &mut select.from.operator else { return None };
    if scan.access != Access::Whole {
        return None;
    }
    let mut conditions = Vec::new();
    scan.filter.clone()?.conjuncts(&mut conditions);
    let mut keys = HashedKeys { inner: Vec::new(), outer: Vec::new() };
    let mut rest = Vec::new();
    for condition in conditions {
        match pair(condition, own, outer) {
            Ok((inner, outer)) => {
                keys.inner.push(inner);
                keys.outer.push(outer);
            }
            Err(other) => rest.push(other),
        }
    }
    if keys.inner.is_empty() || rest.iter().any(|condition| condition.slots().meets(outer)) {
        return None;
    }
    scan.filter = Expr::and(rest);
    Some(keys)
}

/// The sides of an equality, if one reads the subquery's row alone and the other only what is around.
fn pair(condition: Expr, own: SlotSet, outer: SlotSet) -> Result<(Expr, Expr), Expr> {
    let Expr::Compare { op: Comparison::Equal, left, right } = condition else { return Err(condition) };
    let fits = |inner: SlotSet, around: SlotSet| {
        inner.within(own) && !inner.is_empty() && !around.meets(own) && around.meets(outer)
    };
    if fits(left.slots(), right.slots()) {
        Ok((*left, *right))
    } else if fits(right.slots(), left.slots()) {
        Ok((*right, *left))
    } else {
        Err(Expr::Compare { op: Comparison::Equal, left, right })
    }
}
