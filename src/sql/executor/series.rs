//! generate_series.

use std::rc::Rc;

use crate::sql::error::{Result, fail};
use crate::sql::expr::Expr;
use crate::sql::types::interval::PgInterval;
use crate::store::compare;
use crate::trace::Value;

use super::{Context, Flow, ROWS_AT_MOST, Sink};

impl Context<'_> {
    pub(super) fn run_series(
        &mut self,
        slot: u16,
        start: &Expr,
        stop: &Expr,
        step: Option<&Expr>,
        sink: Sink,
    ) -> Result<Flow> {
        let start = self.evaluate(start)?;
        let stop = self.evaluate(stop)?;
        let step = match step {
            Some(step) => self.evaluate(step)?,
            None => Value::Int(1),
        };
        let mut at = start;
        if at == Value::Null || stop == Value::Null || step == Value::Null {
            return Ok(Flow::More);
        }
        let zero = matches!(step, Value::Int(0)) || matches!(step, Value::Interval { months: 0, days: 0, micros: 0 });
        if zero {
            return fail("22023", "step size cannot equal zero");
        }
        let backward = match &step {
            Value::Int(step) => *step < 0,
            Value::Interval { months, days, micros } => *months < 0 || *days < 0 || *micros < 0,
            _ => return fail("0A000", "this kind of generate_series is not offered by this database engine"),
        };
        let mut given = 0usize;
        loop {
            let order = compare(&at, &stop);
            if (order.is_gt() && !backward) || (order.is_lt() && backward) {
                return Ok(Flow::More);
            }
            given += 1;
            self.work()?;
            if given > ROWS_AT_MOST {
                return fail("54000", "a series of more than 5,000,000 rows is not offered by this database engine");
            }
            self.put(slot, Rc::from([at.clone()]));
            if sink(self)? == Flow::Enough {
                return Ok(Flow::Enough);
            }
            at = match (&at, &step) {
                (Value::Int(at), Value::Int(step)) => match at.checked_add(*step) {
                    Some(next) => Value::Int(next),
                    None => return Ok(Flow::More),
                },
                (Value::Timestamp(at), Value::Interval { months, days, micros }) => {
                    let span = PgInterval { months: *months, days: *days, micros: *micros };
                    Value::Timestamp(crate::sql::types::datetime::add_interval(*at, span)?)
                }
                (Value::TimestampTz(at), Value::Interval { months, days, micros }) => {
                    let span = PgInterval { months: *months, days: *days, micros: *micros };
                    Value::TimestampTz(crate::sql::types::datetime::add_interval(*at, span)?)
                }
                _ => return fail("0A000", "this kind of generate_series is not offered by this database engine"),
            };
        }
    }
}
