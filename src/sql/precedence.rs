//! Where sqlparser groups operators otherwise than PostgreSQL: trees are regrouped, chains PostgreSQL does not take are refused.

use std::ops::ControlFlow;

use gluesql::core::sqlparser::ast::{BinaryOperator, Expr, Statement, UnaryOperator, Value, visit_expressions_mut};

use super::error::{Result, fail};

/// Comparisons do not associate, nor do BETWEEN and LIKE: `a = b < c` is a syntax error, and so is `a LIKE b IN (…)`. IN ends
/// with its parenthesis and may stand on the left. IS DISTINCT FROM binds tighter than AND, OR and NOT.
pub fn mend(statement: &mut Statement) -> Result<()> {
    let chained = visit_expressions_mut(statement, |expr| {
        regroup(expr);
        match chained_comparison(expr) {
            Some(operator) => ControlFlow::Break(operator),
            None => ControlFlow::Continue(()),
        }
    });
    match chained {
        ControlFlow::Break(operator) => fail("42601", format!("syntax error at or near \"{operator}\"")),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn chained_comparison(expr: &Expr) -> Option<String> {
    let compares = |expr: &Expr| matches!(expr, Expr::BinaryOp { op, .. } if is_comparison(op));
    let tests = |expr: &Expr| matches!(expr, Expr::Between { .. } | Expr::Like { .. } | Expr::ILike { .. });
    match expr {
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) if is_test(right) => Some("IS".to_owned()),
        Expr::InList { expr, .. } | Expr::InSubquery { expr, .. } if tests(expr) => Some("IN".to_owned()),
        Expr::Between { expr, .. } if tests(expr) => Some("BETWEEN".to_owned()),
        Expr::Like { expr, .. } if tests(expr) => Some("LIKE".to_owned()),
        Expr::ILike { expr, .. } if tests(expr) => Some("ILIKE".to_owned()),
        Expr::BinaryOp { left, op, right } if is_comparison(op) && (compares(left) || compares(right)) => {
            Some(op.to_string())
        }
        _ => None,
    }
}

fn is_test(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
    )
}

fn is_comparison(operator: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The parser takes all that follows IS DISTINCT FROM as its right side, and so lets AND and OR stand where they cannot.
fn regroup(expr: &mut Expr) {
    let placeholder = || Expr::Value(Value::Null);
    let right = match expr {
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => right,
        Expr::BinaryOp { op: BinaryOperator::And, right, .. } if is_or(right) => right,
        Expr::UnaryOp { op: UnaryOperator::Not, expr: right } => right,
        _ => return,
    };
    if !is_and(right) && !is_or(right) {
        return;
    }
    let mut taken = std::mem::replace(&mut **right, placeholder());
    let mut leftmost = &mut taken;
    while let Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, .. } = leftmost {
        leftmost = left;
    }
    std::mem::swap(&mut **right, leftmost);
    *leftmost = std::mem::replace(expr, placeholder());
    *expr = taken;
}

fn is_and(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op: BinaryOperator::And, .. })
}

fn is_or(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op: BinaryOperator::Or, .. })
}
