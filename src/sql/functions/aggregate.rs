//! Aggregates: what they are called, take and give, and their states.

use AggregateFunction as F;
use rust_decimal::Decimal;
use rustc_hash::FxHashSet;

use crate::sql::budget::{checked_length, row_bytes};
use crate::sql::error::{Result, fail};
use crate::sql::types::interval::PgInterval;
use crate::sql::types::{self, documents, numeric};
use crate::store::{Key, compare};
use crate::trace::Value;

use super::signature::Kind::{self, AnyArray, AnyElement, AnyNonArray};
use super::signature::{
    BOOL, BYTEA, DATE, FLOAT8, INT2, INT4, INT8, INTERVAL, JSON, JSONB, NUMERIC, Signature, TEXT, TIME, TIMESTAMP,
    TIMESTAMPTZ,
};

pub struct AggregateSpec {
    pub name: &'static str,
    pub signature: Signature,
    /// None where it is not offered.
    pub function: Option<AggregateFunction>,
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
    AvgInterval,
    Min,
    Max,
    BoolAnd,
    BoolOr,
    StringAgg,
    ArrayAgg,
    JsonAgg,
    JsonbAgg,
}

impl AggregateFunction {
    /// What its first row in the table calls it.
    pub fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|spec| spec.function == Some(self)).map_or("", |spec| spec.name)
    }
}

pub static FUNCTIONS: &[AggregateSpec] = &[
    offered("count", &[], INT8, F::CountRows),
    offered("count", &[Kind::Any], INT8, F::Count),
    offered("sum", &[INT2], INT8, F::SumInt),
    offered("sum", &[INT4], INT8, F::SumInt),
    offered("sum", &[INT8], NUMERIC, F::SumBig),
    offered("sum", &[NUMERIC], NUMERIC, F::SumNumeric),
    offered("sum", &[FLOAT8], FLOAT8, F::SumFloat),
    offered("sum", &[INTERVAL], INTERVAL, F::SumInterval),
    offered("avg", &[INT2], NUMERIC, F::AvgInt),
    offered("avg", &[INT4], NUMERIC, F::AvgInt),
    offered("avg", &[INT8], NUMERIC, F::AvgInt),
    offered("avg", &[NUMERIC], NUMERIC, F::AvgNumeric),
    offered("avg", &[FLOAT8], FLOAT8, F::AvgFloat),
    offered("avg", &[INTERVAL], INTERVAL, F::AvgInterval),
    offered("min", &[INT2], INT2, F::Min),
    offered("min", &[INT4], INT4, F::Min),
    offered("min", &[INT8], INT8, F::Min),
    offered("min", &[NUMERIC], NUMERIC, F::Min),
    offered("min", &[FLOAT8], FLOAT8, F::Min),
    offered("min", &[TEXT], TEXT, F::Min),
    offered("min", &[DATE], DATE, F::Min),
    offered("min", &[TIME], TIME, F::Min),
    offered("min", &[TIMESTAMP], TIMESTAMP, F::Min),
    offered("min", &[TIMESTAMPTZ], TIMESTAMPTZ, F::Min),
    offered("min", &[INTERVAL], INTERVAL, F::Min),
    offered("min", &[AnyArray], AnyArray, F::Min),
    offered("max", &[INT2], INT2, F::Max),
    offered("max", &[INT4], INT4, F::Max),
    offered("max", &[INT8], INT8, F::Max),
    offered("max", &[NUMERIC], NUMERIC, F::Max),
    offered("max", &[FLOAT8], FLOAT8, F::Max),
    offered("max", &[TEXT], TEXT, F::Max),
    offered("max", &[DATE], DATE, F::Max),
    offered("max", &[TIME], TIME, F::Max),
    offered("max", &[TIMESTAMP], TIMESTAMP, F::Max),
    offered("max", &[TIMESTAMPTZ], TIMESTAMPTZ, F::Max),
    offered("max", &[INTERVAL], INTERVAL, F::Max),
    offered("max", &[AnyArray], AnyArray, F::Max),
    offered("bool_and", &[BOOL], BOOL, F::BoolAnd),
    offered("every", &[BOOL], BOOL, F::BoolAnd),
    offered("bool_or", &[BOOL], BOOL, F::BoolOr),
    offered("string_agg", &[TEXT, TEXT], TEXT, F::StringAgg),
    refused("string_agg", &[BYTEA, BYTEA]),
    offered("array_agg", &[AnyNonArray], AnyArray, F::ArrayAgg),
    refused("array_agg", &[AnyArray]),
    offered("json_agg", &[AnyElement], JSON, F::JsonAgg),
    offered("jsonb_agg", &[AnyElement], JSONB, F::JsonbAgg),
    refused("json_object_agg", &[Kind::Any, Kind::Any]),
    refused("jsonb_object_agg", &[Kind::Any, Kind::Any]),
    refused("stddev", &[NUMERIC]),
    refused("stddev", &[FLOAT8]),
    refused("stddev_pop", &[NUMERIC]),
    refused("stddev_pop", &[FLOAT8]),
    refused("stddev_samp", &[NUMERIC]),
    refused("stddev_samp", &[FLOAT8]),
    refused("variance", &[NUMERIC]),
    refused("variance", &[FLOAT8]),
    refused("var_pop", &[NUMERIC]),
    refused("var_pop", &[FLOAT8]),
    refused("var_samp", &[NUMERIC]),
    refused("var_samp", &[FLOAT8]),
    refused("bit_and", &[INT2]),
    refused("bit_and", &[INT4]),
    refused("bit_and", &[INT8]),
    refused("bit_or", &[INT2]),
    refused("bit_or", &[INT4]),
    refused("bit_or", &[INT8]),
    refused("corr", &[FLOAT8, FLOAT8]),
];

const fn offered(
    name: &'static str,
    parameters: &'static [Kind],
    returns: Kind,
    function: AggregateFunction,
) -> AggregateSpec {
    AggregateSpec { name, signature: Signature::new(parameters, returns), function: Some(function) }
}

const fn refused(name: &'static str, parameters: &'static [Kind]) -> AggregateSpec {
    AggregateSpec { name, signature: Signature::new(parameters, TEXT), function: None }
}

pub struct AggregateState {
    function: AggregateFunction,
    /// Of DISTINCT.
    seen: Option<Box<FxHashSet<Key>>>,
    /// What was seen is taken in at the end, in its order: PostgreSQL sorts to find what is distinct.
    sorts: bool,
    /// Rows taken in that count.
    count: i64,
    so_far: SoFar,
}

/// A query has a state a group, so it is no larger than what its function needs.
enum SoFar {
    Number(i128),
    Exact(Decimal),
    Float(f64),
    /// The sum, and the sum of squares of what each value is off the mean: PostgreSQL computes both, and fails with either.
    Moments(f64, f64),
    Value(Value),
    Text(String),
    Values(Vec<Value>),
}

/// One value more, the number of them given, by the method of Youngs and Cramer.
fn moments(count: f64, sum: f64, squares: f64, value: f64) -> Result<(f64, f64)> {
    let total = sum + value;
    if count == 1.0 {
        return Ok((total, if value.is_finite() { squares } else { f64::NAN }));
    }
    let off = value * count - total;
    let squares = squares + off * off / (count * (count - 1.0));
    if total.is_finite() && !squares.is_infinite() {
        return Ok((total, squares));
    }
    if sum.is_finite() && value.is_finite() {
        return fail("22003", "value out of range: overflow");
    }
    Ok((total, f64::NAN))
}

impl AggregateState {
    /// `unordered`: rows come in no order that was asked for.
    pub fn new(function: AggregateFunction, distinct: bool, unordered: bool) -> AggregateState {
        let by_order =
            matches!(function, F::StringAgg | F::ArrayAgg | F::JsonAgg | F::JsonbAgg | F::SumFloat | F::AvgFloat);
        let so_far = match function {
            F::CountRows | F::Count | F::SumInt | F::SumBig | F::AvgInt => SoFar::Number(0),
            F::SumNumeric | F::AvgNumeric => SoFar::Exact(Decimal::ZERO),
            // So that the sum of -0 is -0.
            F::SumFloat => SoFar::Float(-0.0),
            F::AvgFloat => SoFar::Moments(0.0, 0.0),
            F::SumInterval | F::AvgInterval | F::Min | F::Max | F::BoolAnd | F::BoolOr => SoFar::Value(Value::Null),
            F::StringAgg => SoFar::Text(String::new()),
            F::ArrayAgg | F::JsonAgg | F::JsonbAgg => SoFar::Values(Vec::new()),
        };
        AggregateState {
            function,
            seen: distinct.then(Box::default),
            sorts: distinct && unordered && by_order,
            count: 0,
            so_far,
        }
    }

    /// How many bytes more it will have, at most.
    pub fn growth(&self, arguments: &[Value]) -> usize {
        let seen = if self.seen.is_some() { row_bytes(&arguments[..1]) } else { 0 };
        seen + match &self.so_far {
            SoFar::Text(_) => arguments.iter().map(crate::sql::budget::text_length).sum(),
            SoFar::Values(_) => row_bytes(&arguments[..1]),
            _ => 0,
        }
    }

    pub fn add(&mut self, arguments: &[Value]) -> Result<()> {
        if self.function == F::CountRows {
            self.count += 1;
            return Ok(());
        }
        let value = &arguments[0];
        if *value == Value::Null && !matches!(self.function, F::ArrayAgg | F::JsonAgg | F::JsonbAgg) {
            return Ok(());
        }
        if let Some(seen) = &mut self.seen
            && (!seen.insert(Key(arguments.iter().cloned().collect())) || self.sorts)
        {
            return Ok(());
        }
        self.count += 1;
        self.accumulate(value, arguments.get(1))
    }

    /// Takes in a value that counts; `separator` is that of string_agg.
    fn accumulate(&mut self, value: &Value, separator: Option<&Value>) -> Result<()> {
        match (self.function, &mut self.so_far, value) {
            (F::Count, ..) => {}
            (_, SoFar::Number(number), Value::Int(value)) => *number += i128::from(*value),
            (_, SoFar::Exact(exact), Value::Numeric(value)) => *exact = numeric::add(exact, value)?,
            (_, SoFar::Float(float), Value::Float(value)) => {
                let sum = *float + value;
                if sum.is_infinite() && float.is_finite() && value.is_finite() {
                    return fail("22003", "value out of range: overflow");
                }
                *float = sum;
            }
            (_, SoFar::Moments(sum, squares), Value::Float(value)) => {
                (*sum, *squares) = moments(self.count as f64, *sum, *squares, *value)?;
            }
            (F::SumInterval | F::AvgInterval, SoFar::Value(sum), Value::Interval { months, days, micros }) => {
                let so_far = match sum {
                    Value::Interval { months, days, micros } => {
                        PgInterval { months: *months, days: *days, micros: *micros }
                    }
                    _ => PgInterval::default(),
                };
                *sum = so_far.add(PgInterval { months: *months, days: *days, micros: *micros })?.into();
            }
            (F::Min, SoFar::Value(least), value) => {
                if *least == Value::Null || compare(value, least).is_lt() {
                    *least = value.clone();
                }
            }
            (F::Max, SoFar::Value(most), value) => {
                if *most == Value::Null || compare(value, most).is_gt() {
                    *most = value.clone();
                }
            }
            (F::BoolAnd, SoFar::Value(all), Value::Bool(value)) => {
                *all = Value::Bool(*value && *all != Value::Bool(false));
            }
            (F::BoolOr, SoFar::Value(any), Value::Bool(value)) => {
                *any = Value::Bool(*value || *any == Value::Bool(true));
            }
            (_, SoFar::Text(text), Value::Text(value)) => {
                let added = value.len() + separator.map_or(0, crate::sql::budget::text_length);
                checked_length(text.len() + added)?;
                if self.count > 1
                    && let Some(Value::Text(separator)) = separator
                {
                    text.push_str(separator);
                }
                text.push_str(value);
            }
            (_, SoFar::Values(values), value) => values.push(value.clone()),
            (function, _, value) => unreachable!("{function:?} is not given {value:?}"),
        }
        Ok(())
    }

    pub fn result(&self) -> Result<Value> {
        if matches!(self.function, F::Count | F::CountRows) {
            return Ok(Value::Int(self.count));
        }
        if let Some(seen) = self.seen.as_ref().filter(|_| self.sorts) {
            let mut keys: Vec<&Key> = seen.iter().collect();
            keys.sort();
            let mut sorted = AggregateState::new(self.function, false, true);
            keys.into_iter().try_for_each(|key| sorted.add(&key.0))?;
            return sorted.result();
        }
        if self.count == 0 {
            return Ok(Value::Null);
        }
        Ok(match (&self.so_far, self.function) {
            (SoFar::Number(sum), F::SumBig) => Value::Numeric(numeric::build(*sum, 0)?),
            (SoFar::Number(sum), F::AvgInt) => {
                Value::Numeric(numeric::divide(&numeric::build(*sum, 0)?, &Decimal::from(self.count))?)
            }
            (SoFar::Number(sum), _) => match i64::try_from(*sum) {
                Ok(sum) => Value::Int(sum),
                Err(_) => return fail("22003", "bigint out of range"),
            },
            (SoFar::Exact(sum), F::AvgNumeric) => Value::Numeric(numeric::divide(sum, &Decimal::from(self.count))?),
            (SoFar::Exact(sum), _) => Value::Numeric(*sum),
            (SoFar::Moments(sum, _), _) => Value::Float(sum / self.count as f64),
            (SoFar::Float(sum), _) => Value::Float(*sum),
            (SoFar::Value(Value::Interval { months, days, micros }), F::AvgInterval) => {
                PgInterval { months: *months, days: *days, micros: *micros }.divide(self.count as f64)?.into()
            }
            (SoFar::Value(value), _) => value.clone(),
            (SoFar::Text(text), _) => types::text(text),
            (SoFar::Values(values), F::JsonbAgg) => documents::array(values)?,
            (SoFar::Values(values), F::JsonAgg) => documents::written_array(values)?,
            (SoFar::Values(values), _) => Value::Array(values.clone().into()),
        })
    }
}
