//! Subqueries of expressions. What one gives that reads nothing from outside is kept.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::sql::budget::row_bytes;
use crate::sql::error::{Result, fail};
use crate::sql::expr::{Subquery, SubqueryKind};
use crate::sql::plan::{HashedKeys, QueryBody, QueryPlan, SubqueryPlan};
use crate::store::{Key, compare};
use crate::trace::Value;

use super::run::SubqueryResult;
use super::{Context, Flow};

impl Context<'_> {
    pub fn evaluate_subquery(&mut self, subquery: &Subquery) -> Result<Value> {
        let constant = subquery.outer.is_empty();
        let parts = self.run.parts.clone();
        let SubqueryPlan { query, hashed } = &parts.subqueries[subquery.number];
        if let Some(hashed) = hashed {
            return self.exists_by_keys(subquery.number, query, hashed);
        }
        match subquery.kind {
            SubqueryKind::Scalar | SubqueryKind::Exists => {
                if constant && let Some(Some(SubqueryResult::Value(value))) = self.run.subqueries.get(subquery.number) {
                    return Ok(value.clone());
                }
                let value = if subquery.kind == SubqueryKind::Scalar {
                    self.scalar(query)?
                } else {
                    let mut found = false;
                    self.run_query(query, &mut |_, _| {
                        found = true;
                        Ok(Flow::Enough)
                    })?;
                    Value::Bool(found)
                };
                if constant {
                    self.keep_subquery(subquery.number, SubqueryResult::Value(value.clone()));
                }
                Ok(value)
            }
            SubqueryKind::Array => {
                let (values, held) = self.column(query)?;
                self.run.budget.release(held);
                Ok(Value::Array(values.into()))
            }
            SubqueryKind::Any(op) | SubqueryKind::All(op) => {
                let all = matches!(subquery.kind, SubqueryKind::All(_));
                let left = match &subquery.left {
                    Some(left) => self.evaluate(left)?,
                    None => Value::Null,
                };
                let equality = op == crate::sql::expr::Comparison::Equal && !all
                    || op == crate::sql::expr::Comparison::NotEqual && all;
                if constant && equality {
                    return self.in_kept_set(subquery.number, query, left, all);
                }
                let rows = match self.run.subqueries.get(subquery.number) {
                    Some(Some(SubqueryResult::Rows(rows))) if constant => rows.clone(),
                    _ => {
                        let (values, held) = self.column(query)?;
                        let rows = Rc::new(values);
                        if constant {
                            self.keep_subquery(subquery.number, SubqueryResult::Rows(rows.clone()));
                        } else {
                            self.run.budget.release(held);
                        }
                        rows
                    }
                };
                let mut unknown = false;
                for value in rows.iter() {
                    if *value == Value::Null || left == Value::Null {
                        unknown = true;
                    } else if op.holds(compare(&left, value)) != all {
                        return Ok(Value::Bool(!all));
                    }
                }
                Ok(if unknown { Value::Null } else { Value::Bool(all) })
            }
        }
    }

    pub(super) fn scalar(&mut self, query: &QueryPlan) -> Result<Value> {
        let mut found: Option<Value> = None;
        self.run_query(query, &mut |_, row| {
            if found.is_some() {
                return fail("21000", "more than one row returned by a subquery used as an expression");
            }
            found = row.into_iter().next();
            Ok(Flow::More)
        })?;
        Ok(found.unwrap_or(Value::Null))
    }

    pub(super) fn keep_subquery(&mut self, number: usize, kept: SubqueryResult) {
        if self.run.subqueries.len() <= number {
            self.run.subqueries.resize_with(number + 1, || None);
        }
        self.run.subqueries[number] = Some(kept);
    }

    pub(super) fn in_kept_set(
        &mut self,
        number: usize,
        query: &QueryPlan,
        left: Value,
        negated: bool,
    ) -> Result<Value> {
        if !matches!(self.run.subqueries.get(number), Some(Some(SubqueryResult::Set(..)))) {
            let mut set = FxHashSet::default();
            let (mut has_null, mut any) = (false, false);
            self.run_query(query, &mut |context, row| {
                any = true;
                context.run.budget.keep(row_bytes(&row))?;
                let key = Key(row.into());
                if key.has_null() {
                    has_null = true
                } else {
                    set.insert(key);
                }
                Ok(Flow::More)
            })?;
            self.keep_subquery(number, SubqueryResult::Set(set, has_null, any));
        }
        let Some(Some(SubqueryResult::Set(set, has_null, any))) = self.run.subqueries.get(number) else {
            unreachable!("kept just now");
        };
        if !any {
            return Ok(Value::Bool(negated));
        }
        if left == Value::Null {
            return Ok(Value::Null);
        }
        if set.contains(&Key(std::iter::once(left).collect())) {
            return Ok(Value::Bool(!negated));
        }
        Ok(if *has_null { Value::Null } else { Value::Bool(negated) })
    }

    pub(super) fn exists_by_keys(&mut self, number: usize, query: &QueryPlan, keys: &HashedKeys) -> Result<Value> {
        let key = self.evaluate_key(&keys.outer)?;
        if !matches!(self.run.subqueries.get(number), Some(Some(SubqueryResult::Keys(_)))) {
            let mut found = FxHashSet::default();
            let QueryBody::Select(select) = &query.body else { unreachable!("only selects are hashed") };
            self.run_node(&select.from, &mut |context| {
                let key = context.evaluate_key(&keys.inner)?;
                if !key.has_null() {
                    context.run.budget.keep(row_bytes(&key.0))?;
                    found.insert(key);
                }
                Ok(Flow::More)
            })?;
            self.keep_subquery(number, SubqueryResult::Keys(found));
        }
        let Some(Some(SubqueryResult::Keys(keys))) = self.run.subqueries.get(number) else {
            unreachable!("kept just now");
        };
        Ok(Value::Bool(!key.has_null() && keys.contains(&key)))
    }
}
