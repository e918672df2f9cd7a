//! Subqueries within expressions.

use std::rc::Rc;

use crate::sql::error::{Result, fail, refuse};
use crate::sql::parser::ast;
use crate::sql::plan::{
    Body, Comparison, Expr, HashedKeys, Node, Query, SlotSet, Subquery, SubqueryKind, SubqueryPlan,
};
use crate::sql::types::Type;

use super::coerce::{coerce, common_type, no_operator};
use super::expr::row_parts;
use super::query::{convert_column, has_locks_or_volatile};
use super::{Binder, Typed};

impl<'a> Binder<'a> {
    pub(super) fn quantified_subquery(
        &mut self,
        left: &ast::Expr,
        query: &ast::Query,
        kind: SubqueryKind,
    ) -> Result<Typed> {
        if row_parts(left).is_some() {
            return refuse("a row compared with a subquery");
        }
        let left = self.expr(left)?;
        self.subquery(kind, Some(left), query)
    }

    pub(super) fn subquery(&mut self, kind: SubqueryKind, left: Option<Typed>, query: &ast::Query) -> Result<Typed> {
        let (mut bound, outer) = self.subquery_scope(|binder| binder.query(query))?;
        if !matches!(kind, SubqueryKind::Exists) && bound.columns.len() != 1 {
            return match kind {
                SubqueryKind::Any(_) | SubqueryKind::All(_) => fail("42601", "subquery has too many columns"),
                _ => fail("42601", "subquery must return only one column"),
            };
        }
        let mut ty = Type::Bool;
        let mut compared = None;
        match kind {
            SubqueryKind::Scalar => ty = bound.columns[0].ty.clone(),
            SubqueryKind::Array => ty = Type::Array(Box::new(bound.columns[0].ty.clone())),
            SubqueryKind::Exists => {}
            SubqueryKind::Any(op) | SubqueryKind::All(op) => {
                let left = left.expect("a quantified subquery has a left side");
                let column = bound.columns[0].ty.clone();
                let Ok(common) = common_type("IN", [&left.ty, &column].into_iter()) else {
                    return Err(no_operator(op.symbol(), &left.ty, &column));
                };
                convert_column(&mut bound, 0, &column, &common)?;
                compared = Some(coerce(left, &common)?);
            }
        }
        // The same text in the same place means the same: GROUP BY knows a selected expression by it.
        let repeatable = !has_locks_or_volatile(&bound);
        if repeatable
            && let Some((_, known)) =
                self.scopes.last().expect("names are bound within a scope").subqueries.iter().find(
                    |(written, known)| {
                        written == query
                            && known.kind == kind
                            && known.left == compared
                            && self.parts.subqueries[known.number].query.columns == bound.columns
                    },
                )
        {
            return Ok(Typed { expr: Expr::Subquery(known.clone()), ty });
        }
        // What reads nothing from outside is computed once, be it volatile or not.
        let volatile = !outer.is_empty() && has_locks_or_volatile(&bound);
        let hashed = if kind == SubqueryKind::Exists && !volatile { self.hash_exists(&mut bound, outer) } else { None };
        let number = self.parts.subqueries.len();
        self.parts.subqueries.push(SubqueryPlan { query: bound, hashed });
        let subquery = Rc::new(Subquery { number, kind, left: compared, outer, volatile });
        if repeatable {
            self.scope().subqueries.push((query.clone(), subquery.clone()));
        }
        Ok(Typed { expr: Expr::Subquery(subquery), ty })
    }

    /// Turns `EXISTS (… WHERE inner = outer)` over a whole table into keys to be looked up.
    pub(super) fn hash_exists(&self, query: &mut Query, outer: SlotSet) -> Option<HashedKeys> {
        if outer.is_empty() || query.limit.is_some() || query.offset.is_some() {
            return None;
        }
        let Body::Select(select) = &mut query.body else { return None };
        let own = select.slots;
        let filter = match &mut select.from {
            Node::Scan(scan) if scan.access == crate::sql::plan::Access::Whole => &mut scan.filter,
            _ => return None,
        };
        let mut conditions = Vec::new();
        filter.clone()?.conjuncts(&mut conditions);
        let mut keys = HashedKeys { inner: Vec::new(), outer: Vec::new() };
        let mut rest = Vec::new();
        for condition in conditions {
            match condition {
                Expr::Compare { op: Comparison::Equal, left, right }
                    if left.slots().within(own)
                        && !left.slots().is_empty()
                        && !right.slots().meets(own)
                        && right.slots().meets(outer) =>
                {
                    keys.inner.push(*left);
                    keys.outer.push(*right);
                }
                Expr::Compare { op: Comparison::Equal, left, right }
                    if right.slots().within(own)
                        && !right.slots().is_empty()
                        && !left.slots().meets(own)
                        && left.slots().meets(outer) =>
                {
                    keys.inner.push(*right);
                    keys.outer.push(*left);
                }
                other => rest.push(other),
            }
        }
        if keys.inner.is_empty() || rest.iter().any(|condition| condition.slots().meets(outer)) {
            return None;
        }
        *filter = Expr::and(rest);
        Some(keys)
    }
}
