//! How many rows a part of a plan gives, and what it costs. There are no statistics: what is known is how many rows a table has, how
//! large an index is, and which keys are unique. The rest is a rule of thumb, the same for all tables.
//!
//! The planner chooses by rows. Costs follow from them by PostgreSQL's constants (a page read 1, a row 0.01, an operator 0.0025), so
//! that EXPLAIN shows what a choice saves.
//!
//! A filter is taken to let every row through: a plan that is good for many rows is good enough for few, not the other way round.

use crate::sql::plan::{Access, Estimate, KeyList, Source, TableFunction};

/// Of generate_series, a subquery or a common table expression.
const MADE_ROWS: f64 = 100.0;

/// Elements of an array, rows of IN (SELECT …).
const ARRAY_ROWS: f64 = 10.0;

/// An outer join in FROM is begun with only where nothing else is.
const OUTER_JOIN_ROWS: f64 = 1e5;

/// Of a query that wants its first rows only so many are thought to be asked for.
const FIRST_ROWS: f64 = 10.0;

/// One of so many rows has a given value in a column, lies on one side of a value, between two.
const EQUAL: f64 = 20.0;
const BOUNDED: f64 = 3.0;
const BETWEEN: f64 = 8.0;

/// A unique key may be there or not.
const UNIQUE_ROWS: f64 = 0.5;

const ROW: f64 = 0.01;
const OPERATOR: f64 = 0.0025;
const ROWS_OF_A_PAGE: f64 = 100.0;

pub const NOTHING_READ: Estimate = Estimate { rows: 1.0, cost: ROW };

/// Of an access by the first columns of an index; a search by all columns of a unique one finds a row or none.
pub fn equal_rows(all: f64, columns: usize, is_unique_key: bool) -> f64 {
    if is_unique_key { UNIQUE_ROWS } else { all / EQUAL.powi(columns as i32) }
}

/// `prefix`: rows with the columns before the one that is looked for by several values.
pub fn key_list_rows(keys: &KeyList, prefix: f64, is_unique_key: bool) -> f64 {
    let each = if is_unique_key { 1.0 } else { prefix / EQUAL };
    (keys_in(keys) * each).min(prefix / 2.0)
}

pub fn range_rows(prefix: f64, low: bool, high: bool) -> f64 {
    match (low, high) {
        (true, true) => prefix / BETWEEN,
        (false, false) => prefix,
        _ => prefix / BOUNDED,
    }
}

fn keys_in(keys: &KeyList) -> f64 {
    if let KeyList::Listed(values) = keys { values.len() as f64 } else { ARRAY_ROWS }
}

/// What stands for the rows of an access where a query wants its first rows, in an order: one that gives it is not read to its end.
pub fn rank_in_order(rows: f64) -> f64 {
    rows * 0.5
}

/// An index read for its order alone is to be better than the whole table, if not by much.
pub fn rank_for_order(all: f64) -> f64 {
    all * 0.9
}

pub fn asked_for(rows: f64) -> f64 {
    rows.min(FIRST_ROWS)
}

pub fn scan(access: &Access, all: f64, rows: f64, has_filter: bool) -> Estimate {
    let cost = match access {
        Access::Whole => (all / ROWS_OF_A_PAGE).ceil() + all * (ROW + OPERATOR),
        Access::Index { .. } => 8.15 + rows * 2.0 * ROW,
        Access::Keys { keys, .. } => 4.15 * keys_in(keys) + 4.0,
    };
    let estimate = Estimate { rows, cost };
    if has_filter && *access != Access::Whole { filter(estimate) } else { estimate }
}

pub fn function(function: &TableFunction) -> Estimate {
    let rows = function_rows(function);
    Estimate { rows, cost: rows * ROW }
}

/// Rows of a query, as one source among others.
pub fn made(query: Estimate) -> Estimate {
    Estimate { rows: MADE_ROWS, cost: query.cost }
}

fn function_rows(function: &TableFunction) -> f64 {
    match function {
        TableFunction::Series { .. } => MADE_ROWS,
        TableFunction::Unnest { .. } => ARRAY_ROWS,
    }
}

/// Rows of a source that is no table, before it is planned.
pub fn source_rows(source: &Source) -> f64 {
    match source {
        Source::Function { function, .. } => function_rows(function),
        Source::Join { .. } => OUTER_JOIN_ROWS,
        Source::Table { .. } | Source::Derived(_) | Source::Cte { .. } => MADE_ROWS,
    }
}

/// Where nothing ties a table to those before it, any other comes first.
pub fn untied(rows: f64) -> f64 {
    rows * 1e6 + 1e6
}

pub fn filter(input: Estimate) -> Estimate {
    Estimate { rows: input.rows, cost: input.cost + input.rows * OPERATOR }
}

/// Whether so many searches of an index are cheaper than to read the table once.
pub fn prefers_index(searches: f64, rows_of_each: f64, all: f64) -> bool {
    searches * (rows_of_each + 1.0) <= all.max(20.0) * 1.5
}

pub fn joined_rows(left: f64, right: f64, has_keys: bool) -> f64 {
    if has_keys { left.max(right) } else { left * right }
}

/// A row that is kept though nothing is joined to it is there once.
pub fn outer_joined_rows(left: f64, right: f64) -> f64 {
    left * right.max(1.0)
}

pub fn nested_loop(left: Estimate, right: Estimate, rows: f64) -> Estimate {
    Estimate { rows, cost: left.cost + left.rows * right.cost.min(0.5) + right.cost }
}

pub fn hash_join(left: Estimate, right: Estimate, rows: f64) -> Estimate {
    Estimate { rows, cost: left.cost + right.cost + (left.rows + right.rows) * 0.015 + rows * ROW }
}

pub fn group(input: Estimate, has_keys: bool) -> Estimate {
    let rows = if has_keys { (input.rows / 10.0).max(1.0) } else { 1.0 };
    Estimate { rows, cost: input.cost + input.rows * ROW }
}

pub fn window(input: Estimate) -> Estimate {
    Estimate { rows: input.rows, cost: input.cost + input.rows * 3.0 * ROW }
}

pub fn values(rows: usize) -> Estimate {
    Estimate { rows: rows as f64, cost: rows as f64 * ROW }
}

pub fn set_operation(inputs: impl Iterator<Item = Estimate>) -> Estimate {
    inputs.fold(Estimate { rows: 0.0, cost: 0.0 }, |sum, input| Estimate {
        rows: sum.rows + input.rows,
        cost: sum.cost + input.cost,
    })
}

/// Rows are compared with each other as often as a sort needs to.
pub fn sort(input: Estimate) -> Estimate {
    Estimate { rows: input.rows, cost: input.cost + 2.0 * OPERATOR * input.rows * input.rows.max(2.0).log2() }
}

/// `streams`: the input is not read further than the rows that are given.
pub fn limit(input: Estimate, limit: f64, streams: bool) -> Estimate {
    let rows = input.rows.min(limit);
    let part = if streams { rows / input.rows.max(1.0) } else { 1.0 };
    Estimate { rows, cost: input.cost * part }
}

pub fn write(input: Estimate) -> Estimate {
    Estimate { rows: 0.0, cost: input.cost }
}
