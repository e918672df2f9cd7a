//! Outer joins whose NULLs no condition lets through.

use crate::sql::expr::{Expr, SlotSet, SubqueryKind};
use crate::sql::functions::Volatility;
use crate::sql::plan::{BoundBody, BoundQuery, JoinKind, Source};

use super::ConstFolder;

/// A condition that no row padded with NULLs fulfils makes an outer join one that pads less, or not at all.
pub fn reduce_outer_joins(query: &mut BoundQuery, _: &mut ConstFolder) {
    if let BoundBody::Select(select) = &mut query.body {
        reduce(&mut select.sources, &select.conditions);
    }
}

fn reduce(sources: &mut [Source], conditions: &[Expr]) {
    for source in sources {
        if let Source::Join { kind, left, right, .. } = source {
            let rejects = |slots| conditions.iter().any(|condition| rejects_nulls(condition, slots));
            match (*kind, rejects(left.slots()), rejects(right.slots())) {
                (JoinKind::Left, _, true) | (JoinKind::Full, true, true) => *kind = JoinKind::Inner,
                (JoinKind::Full, true, false) => *kind = JoinKind::Left,
                (JoinKind::Full, false, true) => {
                    *kind = JoinKind::Left;
                    std::mem::swap(left, right);
                }
                _ => {}
            }
            if *kind != JoinKind::Full {
                reduce(std::slice::from_mut(left), conditions);
            }
            if *kind == JoinKind::Inner {
                reduce(std::slice::from_mut(right), conditions);
            }
        }
    }
}

/// Whether the condition is not true where all columns of the slots are NULL.
fn rejects_nulls(condition: &Expr, slots: SlotSet) -> bool {
    match condition {
        Expr::And(parts) => parts.iter().any(|part| rejects_nulls(part, slots)),
        Expr::Or(parts) => parts.iter().all(|part| rejects_nulls(part, slots)),
        Expr::IsNull { of, negated: true } => is_null_with(of, slots),
        // Nothing is found for NULL.
        Expr::Subquery(subquery) if matches!(subquery.kind, SubqueryKind::Any(_)) => {
            subquery.left.as_ref().is_some_and(|left| is_null_with(left, slots))
        }
        other => is_null_with(other, slots),
    }
}

/// Whether the expression is NULL where all columns of the slots are.
fn is_null_with(expr: &Expr, slots: SlotSet) -> bool {
    let strict = match expr {
        Expr::Column { slot, .. } => return SlotSet::one(*slot).within(slots),
        Expr::InList { of, .. } => return is_null_with(of, slots),
        Expr::Call { function, .. } => function.strict && function.volatility != Volatility::Volatile,
        Expr::Arithmetic { .. }
        | Expr::Negate { .. }
        | Expr::Compare { .. }
        | Expr::Cast { .. }
        | Expr::Like { .. }
        | Expr::Not(_) => true,
        _ => false,
    };
    strict && expr.children().into_iter().any(|child| is_null_with(child, slots))
}
