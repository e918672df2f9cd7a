//! SQL values as they travel between a handler, the database and the trace.

use std::rc::Rc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One SQL value. Times are microseconds (dates: days) since 1970-01-01; the first and the last of them are the infinities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Numeric(Decimal),
    Text(Rc<str>),
    Bytes(Rc<[u8]>),
    Date(i32),
    Time(i64),
    Timestamp(i64),
    TimestampTz(i64),
    Interval {
        months: i32,
        days: i32,
        micros: i64,
    },
    Uuid(u128),
    /// JSON or JSONB, as its text.
    Json(Rc<str>),
    /// Of more than one dimension where the elements are arrays; those are of one length.
    Array(Rc<[Value]>),
}

/// The type of a result's column, as PostgreSQL names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlType {
    Bool,
    Int2,
    Int4,
    Int8,
    Float8,
    Numeric,
    Text,
    Bytea,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Uuid,
    Json,
    /// An array; psycopg makes a list of it.
    Array,
    /// A NULL literal or a parameter nobody gave a type.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultColumn {
    pub name: Rc<str>,
    pub sql_type: SqlType,
}

/// What one SQL statement gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryResult {
    /// PostgreSQL's command tag: `SELECT 2`, `UPDATE 1`, `BEGIN` …
    pub tag: String,
    /// `None` for a statement that returns no rows (an UPDATE without RETURNING, a COMMIT).
    pub columns: Option<Rc<[ResultColumn]>>,
    pub rows: Vec<Vec<Value>>,
    /// Rows returned or changed, as `cur.rowcount` tells it; `None` where PostgreSQL gives no count.
    pub row_count: Option<u64>,
}

/// Five characters that name an error, e.g. `40001`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct Sqlstate([u8; 5]);

impl Sqlstate {
    /// Panics on anything but five ASCII characters: codes are written in this crate, never read from a user.
    pub const fn new(code: &str) -> Sqlstate {
        let bytes = code.as_bytes();
        assert!(bytes.len() == 5 && code.is_ascii());
        Sqlstate([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]])
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }
}

impl std::fmt::Debug for Sqlstate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Sqlstate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Sqlstate> for String {
    fn from(code: Sqlstate) -> String {
        code.as_str().to_owned()
    }
}

impl TryFrom<String> for Sqlstate {
    type Error = String;

    fn try_from(code: String) -> Result<Sqlstate, String> {
        if code.len() == 5 && code.is_ascii() {
            Ok(Sqlstate::new(&code))
        } else {
            Err(format!("{code:?} is not a SQLSTATE: five ASCII characters"))
        }
    }
}

/// An error as PostgreSQL would send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlError {
    pub sqlstate: Sqlstate,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub constraint: Option<String>,
    /// 1-based character of the statement's text the error points at.
    pub position: Option<u32>,
}

impl SqlError {
    pub fn new(sqlstate: &str, message: impl Into<String>) -> SqlError {
        SqlError {
            sqlstate: Sqlstate::new(sqlstate),
            message: message.into(),
            detail: None,
            hint: None,
            table: None,
            column: None,
            constraint: None,
            position: None,
        }
    }
}

/// A warning or notice beside a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// `NOTICE`, `WARNING` …
    pub severity: String,
    pub sqlstate: Sqlstate,
    pub message: String,
}
