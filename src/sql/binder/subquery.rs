//! Subqueries within expressions.

use std::rc::Rc;

use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::{Expr, Subquery, SubqueryKind};
use crate::sql::parser::ast;
use crate::sql::plan::{OutputColumn, PartRole};
use crate::sql::types::Type;

use super::coerce::{common_type, compared_as, no_operator};
use super::expr::row_parts;
use super::query::{convert_column, has_locks_or_volatile};
use super::{Binder, Typed};

/// One that has been bound in a scope.
pub(super) struct KnownSubquery {
    written: ast::Query,
    columns: Vec<OutputColumn>,
    subquery: Rc<Subquery>,
}

impl<'a> Binder<'a> {
    pub(super) fn quantified_subquery(
        &mut self,
        left: &ast::Expr,
        query: &ast::Query,
        kind: SubqueryKind,
    ) -> Result<Typed> {
        self.check_may_query()?;
        if row_parts(left).is_some() {
            return refuse("a row compared with a subquery");
        }
        let left = self.expr(left)?;
        self.subquery(kind, Some(left), query)
    }

    fn check_may_query(&mut self) -> Result<()> {
        match self.scope().kept {
            Some(kept) => fail("0A000", format!("cannot use subquery in {kept}")),
            None => Ok(()),
        }
    }

    pub(super) fn subquery(&mut self, kind: SubqueryKind, left: Option<Typed>, query: &ast::Query) -> Result<Typed> {
        self.check_may_query()?;
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
                convert_column(&mut bound, 0, &column, &common, compared_as)?;
                compared = Some(compared_as(left, &common)?);
            }
        }
        // The same text in the same place means the same: GROUP BY knows a selected expression by it.
        let repeatable = !has_locks_or_volatile(&bound);
        let is_same = |known: &&KnownSubquery| {
            let KnownSubquery { written, columns, subquery } = known;
            written == query && subquery.kind == kind && subquery.left == compared && *columns == bound.columns
        };
        if repeatable && let Some(known) = self.scope().subqueries.iter().find(is_same) {
            return Ok(Typed::new(Expr::Subquery(known.subquery.clone()), ty));
        }
        // What reads nothing from outside is computed once, be it volatile or not.
        let volatile = !outer.is_empty() && has_locks_or_volatile(&bound);
        let subquery = Rc::new(Subquery { number: self.subqueries, kind, left: compared, outer, volatile });
        if repeatable {
            let (written, columns) = (query.clone(), bound.columns.clone());
            self.scope().subqueries.push(KnownSubquery { written, columns, subquery: subquery.clone() });
        }
        self.subqueries += 1;
        self.add_part(bound, PartRole::Subquery(subquery.clone()));
        Ok(Typed::new(Expr::Subquery(subquery), ty))
    }
}
