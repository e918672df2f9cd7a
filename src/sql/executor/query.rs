//! The rows of a query, up to its LIMIT.

use crate::sql::budget::{printed_bytes, row_bytes};
use crate::sql::error::{Result, fail};
use crate::sql::expr::Expr;
use crate::sql::plan::{QueryBody, QueryPlan};
use crate::trace::Value;

use super::{Context, Flow, ROWS_AT_MOST, RowSink};

impl Context<'_> {
    /// The rows that are the answer.
    pub fn query(&mut self, query: &QueryPlan) -> Result<Vec<Vec<Value>>> {
        self.rows(query, printed_bytes).map(|(rows, _)| rows)
    }

    /// All rows of a query, and how many bytes are held for them.
    pub fn rows(&mut self, query: &QueryPlan, bytes: fn(&[Value]) -> usize) -> Result<(Vec<Vec<Value>>, usize)> {
        let mut rows = Vec::new();
        let held = self.rows_into(query, bytes, &mut rows)?;
        Ok((rows, held))
    }

    /// Gives, with the rows, the bytes they are counted for; if the query fails, the rows before are there still.
    pub fn rows_into(
        &mut self,
        query: &QueryPlan,
        bytes: fn(&[Value]) -> usize,
        rows: &mut Vec<Vec<Value>>,
    ) -> Result<usize> {
        let mut held = 0;
        self.run_query(query, &mut |context, row| {
            if rows.len() >= ROWS_AT_MOST {
                return fail("54000", "a result of more than 5,000,000 rows is not offered by this database engine");
            }
            context.run.budget.hold(bytes(&row), &mut held)?;
            rows.push(row);
            Ok(Flow::More)
        })?;
        Ok(held)
    }

    /// The rows of a query of one column.
    pub(super) fn column(&mut self, query: &QueryPlan) -> Result<(Vec<Value>, usize)> {
        let (rows, held) = self.rows(query, row_bytes)?;
        Ok((rows.into_iter().filter_map(|row| row.into_iter().next()).collect(), held))
    }

    pub fn run_query(&mut self, query: &QueryPlan, sink: RowSink) -> Result<Flow> {
        let limit = self.row_limit(query.limit.as_ref(), "LIMIT")?;
        let mut skip = self.row_limit(query.offset.as_ref(), "OFFSET")?.unwrap_or(0);
        self.count_loop(query.stages.limit.id);
        if limit == Some(0) {
            return Ok(Flow::More);
        }
        let mut left = limit;
        let mut flow = Flow::More;
        let mut bounded = |context: &mut Context, row: Vec<Value>| {
            if skip > 0 {
                skip -= 1;
                return Ok(Flow::More);
            }
            context.count_rows(query.stages.limit.id, 1);
            flow = sink(context, row)?;
            if let Some(left) = &mut left {
                *left -= 1;
                if *left == 0 {
                    return Ok(Flow::Enough);
                }
            }
            Ok(flow)
        };
        match &query.body {
            QueryBody::Select(select) => self.run_select(query, select, &mut bounded)?,
            QueryBody::Values(rows) => {
                let mut made = Vec::new();
                let mut held = 0;
                for row in rows {
                    let row = self.evaluate_all(row)?;
                    self.run.budget.hold(row_bytes(&row), &mut held)?;
                    made.push(row);
                }
                let flow = self.emit_sorted_output(made, query, &mut bounded)?;
                self.run.budget.release(held);
                flow
            }
            QueryBody::SetOperation { operation, all, inputs } => {
                let (rows, held) = self.set_operation(*operation, *all, inputs)?;
                let flow = self.emit_sorted_output(rows, query, &mut bounded)?;
                self.run.budget.release(held);
                flow
            }
        };
        Ok(flow)
    }

    pub(super) fn row_limit(&mut self, expr: Option<&Expr>, what: &str) -> Result<Option<u64>> {
        let Some(expr) = expr else { return Ok(None) };
        match self.evaluate(expr)? {
            Value::Null => Ok(None),
            Value::Int(count) if count >= 0 => Ok(Some(count as u64)),
            Value::Int(_) => {
                fail(if what == "LIMIT" { "2201W" } else { "2201X" }, format!("{what} must not be negative"))
            }
            _ => fail("42804", format!("argument of {what} must be type bigint")),
        }
    }
}
