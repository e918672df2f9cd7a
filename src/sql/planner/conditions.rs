//! Conditions of a query, handed down to where all they read is there.

use crate::sql::expr::{Comparison, Expr, SlotSet, SubqueryKind};

pub fn take(conditions: &mut Vec<Expr>, test: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    let (taken, left) = std::mem::take(conditions).into_iter().partition(test);
    *conditions = left;
    taken
}

/// Those that read of `placed`, and of the query's own slots nothing else.
pub fn take_placed(conditions: &mut Vec<Expr>, placed: SlotSet, own: SlotSet) -> Option<Expr> {
    let unplaced = own.without(placed);
    all_of(take(conditions, |condition| {
        let slots = condition.slots();
        slots.meets(placed) && !slots.meets(unplaced)
    }))
}

/// Takes out equalities between an expression of the left side and one of the right.
pub fn take_keys(conditions: &mut Vec<Expr>, left: SlotSet, right: SlotSet) -> (Vec<Expr>, Vec<Expr>) {
    let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
    conditions.retain(|condition| {
        let Expr::Compare { op: Comparison::Equal, left: a, right: b } = condition else { return true };
        let of_left = |slots: SlotSet| slots.meets(left) && !slots.meets(right);
        let of_right = |slots: SlotSet| slots.meets(right) && !slots.meets(left);
        let (a, b) = if of_left(a.slots()) && of_right(b.slots()) {
            (a, b)
        } else if of_left(b.slots()) && of_right(a.slots()) {
            (b, a)
        } else {
            return true;
        };
        left_keys.push((**a).clone());
        right_keys.push((**b).clone());
        false
    });
    (left_keys, right_keys)
}

/// The cheaper a condition, the earlier PostgreSQL tests it: it decides which of two that cannot be computed is met.
pub fn all_of(mut conditions: Vec<Expr>) -> Option<Expr> {
    conditions.sort_by_key(halves);
    Expr::and(conditions)
}

/// Operators and functions of an expression, in halves.
fn halves(expr: &Expr) -> usize {
    let own = match expr {
        Expr::Arithmetic { .. }
        | Expr::Negate { .. }
        | Expr::Compare { .. }
        | Expr::Distinct { .. }
        | Expr::Quantified { .. }
        | Expr::Cast { .. }
        | Expr::Like { .. }
        | Expr::Call { .. } => 2,
        Expr::InList { list, .. } => list.len().max(2),
        Expr::Subquery(subquery) if subquery.outer.is_empty() => match subquery.kind {
            SubqueryKind::Scalar | SubqueryKind::Exists | SubqueryKind::Array => 0,
            // Its rows are read once, and found by a key.
            SubqueryKind::Any(Comparison::Equal) | SubqueryKind::All(Comparison::NotEqual) => 2,
            SubqueryKind::Any(_) | SubqueryKind::All(_) => 10_000,
        },
        Expr::Subquery(_) => 10_000,
        _ => 0,
    };
    own + expr.children().into_iter().map(halves).sum::<usize>()
}
