//! Aggregates and window functions: their states, without tables or plans.

use rust_decimal::Decimal;
use rustc_hash::FxHashSet;

use crate::store::{Key, compare};
use crate::trace::Value;

use super::error::{Result, fail};
use super::expr::Expr;
use super::numeric;
use super::plan::SortKey;
use super::types;

#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub function: AggregateFunction,
    pub arguments: Vec<Expr>,
    pub distinct: bool,
    pub filter: Option<Expr>,
    pub order: Vec<SortKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateFunction {
    CountRows,
    Count,
    /// Of int2 and int4, in int8.
    SumInt,
    /// Of int8, in numeric.
    SumBig,
    SumNumeric,
    SumFloat,
    SumInterval,
    AvgInt,
    AvgNumeric,
    AvgFloat,
    Min,
    Max,
    BoolAnd,
    BoolOr,
    StringAgg,
    ArrayAgg,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WindowCall {
    pub function: WindowFunction,
    pub arguments: Vec<Expr>,
    pub partition: Vec<Expr>,
    pub order: Vec<SortKey>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum WindowFunction {
    RowNumber,
    Rank,
    DenseRank,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    /// An aggregate over the rows up to the current one's peers, or over the partition where there is no order.
    Running(AggregateFunction),
}

pub struct State {
    function: AggregateFunction,
    seen: Option<FxHashSet<Key>>,
    count: i64,
    number: i128,
    exact: Decimal,
    float: f64,
    value: Value,
    text: String,
    values: Vec<Value>,
}

impl State {
    pub fn new(function: AggregateFunction, distinct: bool) -> State {
        State {
            function,
            seen: distinct.then(FxHashSet::default),
            count: 0,
            number: 0,
            exact: Decimal::ZERO,
            float: 0.0,
            value: Value::Null,
            text: String::new(),
            values: Vec::new(),
        }
    }

    pub fn add(&mut self, arguments: &[Value]) -> Result<()> {
        use AggregateFunction as F;
        if self.function == F::CountRows {
            self.count += 1;
            return Ok(());
        }
        let value = &arguments[0];
        if *value == Value::Null && self.function != F::ArrayAgg {
            return Ok(());
        }
        if let Some(seen) = &mut self.seen
            && !seen.insert(Key(std::iter::once(value.clone()).collect()))
        {
            return Ok(());
        }
        self.count += 1;
        match (self.function, value) {
            (F::Count | F::CountRows, _) => {}
            (F::SumInt | F::SumBig | F::AvgInt, Value::Int(value)) => self.number += i128::from(*value),
            (F::SumNumeric | F::AvgNumeric, Value::Numeric(value)) => self.exact = numeric::add(&self.exact, value)?,
            (F::SumFloat | F::AvgFloat, Value::Float(value)) => self.float += value,
            (F::SumInterval, Value::Interval { months, days, micros }) => {
                let (m, d, u) = match self.value {
                    Value::Interval { months, days, micros } => (months, days, micros),
                    _ => (0, 0, 0),
                };
                self.value = Value::Interval { months: m + months, days: d + days, micros: u + micros };
            }
            (F::Min, value) => {
                if self.value == Value::Null || compare(value, &self.value).is_lt() {
                    self.value = value.clone();
                }
            }
            (F::Max, value) => {
                if self.value == Value::Null || compare(value, &self.value).is_gt() {
                    self.value = value.clone();
                }
            }
            (F::BoolAnd, Value::Bool(value)) => {
                self.value = Value::Bool(*value && self.value != Value::Bool(false));
            }
            (F::BoolOr, Value::Bool(value)) => {
                self.value = Value::Bool(*value || self.value == Value::Bool(true));
            }
            (F::StringAgg, Value::Text(value)) => {
                if self.count > 1
                    && let Some(Value::Text(separator)) = arguments.get(1)
                {
                    self.text.push_str(separator);
                }
                self.text.push_str(value);
            }
            (F::ArrayAgg, value) => self.values.push(value.clone()),
            (function, value) => unreachable!("{function:?} is not given {value:?}"),
        }
        Ok(())
    }

    pub fn result(&self) -> Result<Value> {
        use AggregateFunction as F;
        if self.count == 0 && !matches!(self.function, F::Count | F::CountRows) {
            return Ok(Value::Null);
        }
        Ok(match self.function {
            F::Count | F::CountRows => Value::Int(self.count),
            F::SumInt => match i64::try_from(self.number) {
                Ok(sum) => Value::Int(sum),
                Err(_) => return fail("22003", "bigint out of range"),
            },
            F::SumBig => Value::Numeric(numeric::build(self.number, 0)?),
            F::SumNumeric => Value::Numeric(self.exact),
            F::SumFloat => Value::Float(self.float),
            F::AvgInt => Value::Numeric(numeric::divide(&numeric::build(self.number, 0)?, &Decimal::from(self.count))?),
            F::AvgNumeric => Value::Numeric(numeric::divide(&self.exact, &Decimal::from(self.count))?),
            F::AvgFloat => Value::Float(self.float / self.count as f64),
            F::SumInterval | F::Min | F::Max | F::BoolAnd | F::BoolOr => self.value.clone(),
            F::StringAgg => types::text(&self.text),
            F::ArrayAgg => Value::Array(self.values.clone().into()),
        })
    }
}
