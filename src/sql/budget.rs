//! What one statement may take. A browser tab has a few gigabytes and one thread: what asks for more ends with PostgreSQL's codes
//! for that, 53200 for memory and 54000 for the rest.

use std::rc::Rc;

use crate::sql::error::{Result, error, fail};
use crate::store::Row;
use crate::trace::Value;

/// Bytes that rows and texts in work may have at a time. The allocator takes up to half as much again, as when a list grows.
const MEMORY_MOST: usize = 300 << 20;

/// Rows made, read and matched, or as much else.
const WORK_MOST: usize = 30_000_000;

/// The longest text.
pub const TEXT_MOST: usize = 16 << 20;

/// So many bytes of text take as long as a row.
const BYTES_A_ROW: usize = 256;

/// Of rows of more values than this each value takes longer than a row does by itself.
const VALUES_MOST: usize = 16;

/// So many comparisons of a list or a pattern take as long as a row.
pub const STEPS_A_ROW: usize = 32;

/// An allocation's own share.
const ALLOCATION: usize = 16;

/// Below this a text is not worth counting while it only passes through.
const SMALL: usize = 1024;

#[derive(Debug, Default)]
pub struct Budget {
    work: usize,
    held: usize,
}

impl Budget {
    /// A join of a few tables can ask for more rows than there will ever be time for.
    pub fn work(&mut self, rows: usize) -> Result<()> {
        self.work += rows;
        if self.work > WORK_MOST {
            return fail(
                "54000",
                "a statement that goes through more than 30,000,000 rows, or does as much, is not offered by this database engine",
            );
        }
        Ok(())
    }

    /// As many values are computed for one row.
    pub fn work_on_values(&mut self, values: usize) -> Result<()> {
        if values < VALUES_MOST { Ok(()) } else { self.work(values * 2) }
    }

    /// As many values are compared with one.
    pub fn work_on_list(&mut self, length: usize) -> Result<()> {
        if length < STEPS_A_ROW { Ok(()) } else { self.work(length / STEPS_A_ROW) }
    }

    pub fn work_on_text(&mut self, bytes: usize) -> Result<()> {
        if bytes < BYTES_A_ROW { Ok(()) } else { self.work(bytes / BYTES_A_ROW) }
    }

    /// Adds to what is held, which `so_far` tells the one who will release it.
    pub fn hold(&mut self, bytes: usize, so_far: &mut usize) -> Result<()> {
        *so_far += bytes;
        self.keep(bytes)
    }

    /// Adds what is held to the statement's end.
    pub fn keep(&mut self, bytes: usize) -> Result<()> {
        self.held += bytes;
        if self.held > MEMORY_MOST { Err(out_of_memory()) } else { Ok(()) }
    }

    pub fn release(&mut self, bytes: usize) {
        self.held -= bytes;
    }
}

#[cold]
fn out_of_memory() -> crate::sql::error::Stop {
    let mut failure = match error("53200", "out of memory") {
        crate::sql::error::Stop::Failed(failure) => failure,
        waits => return waits,
    };
    failure.detail = Some(format!("A statement may hold {} MB here.", MEMORY_MOST >> 20));
    crate::sql::error::Stop::Failed(failure)
}

pub fn checked_length(length: usize) -> Result<()> {
    if length > TEXT_MOST {
        fail("54000", "a text of more than 16 MB is not offered by this database engine")
    } else {
        Ok(())
    }
}

/// What a value has of its own beside its place in a row. What others hold too costs nothing.
fn own_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) if Rc::strong_count(text) == 1 => text.len() + ALLOCATION,
        Value::Bytes(bytes) if Rc::strong_count(bytes) == 1 => bytes.len() + ALLOCATION,
        Value::Array(elements) if Rc::strong_count(elements) == 1 => row_bytes(elements),
        _ => 0,
    }
}

/// Of a row that is kept.
pub fn row_bytes(row: &[Value]) -> usize {
    ALLOCATION + size_of::<Vec<Value>>() + size_of_val(row) + row.iter().map(own_bytes).sum::<usize>()
}

/// A row of a table costs nothing: the table holds it too.
pub fn shared_row_bytes(row: &Row) -> usize {
    if Rc::strong_count(row) <= 2 { row_bytes(row) } else { 0 }
}

/// Of a row that is handed out: whoever gets it has every text for himself.
pub fn printed_bytes(row: &[Value]) -> usize {
    ALLOCATION + size_of::<Vec<Value>>() + size_of_val(row) + row.iter().map(text_length).sum::<usize>()
}

/// How long a value is as text, roughly: of texts exactly.
pub fn text_length(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len() * 2 + 2,
        Value::Array(elements) => elements.iter().map(|element| text_length(element) + 1).sum::<usize>() + 2,
        Value::Null => 0,
        _ => 8,
    }
}

/// What a value weighs while it is on its way from one expression to the next.
pub fn passing_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) if text.len() >= SMALL => text.len(),
        Value::Bytes(bytes) if bytes.len() >= SMALL => bytes.len(),
        Value::Array(elements) if elements.len() >= SMALL / size_of::<Value>() => size_of_val(&**elements),
        _ => 0,
    }
}
