//! Who waits for whom at a moment.


use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::trace::Micros;

/// A request that waits for a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LockWait {
    pub request: u32,
    /// Who sent it: `client 12`, `worker`.
    pub label: String,
    /// What it waits for: `row 13 of accounts`, `key (email)=(a@b.c) of users`.
    pub on: String,
    /// Of a row.
    pub table: Option<String>,
    pub key: Option<String>,
    #[ts(type = "number")]
    pub since_us: Micros,
    /// The line that waits.
    pub file: Option<String>,
    pub line: Option<u32>,
    /// Those who hold it, or if nobody does those who stand before it in the queue. Empty for the moment in which it was given free
    /// and the waiting statement has not gone on yet.
    pub holders: Vec<LockHolder>,
    /// It waits, through others, for itself. The database finds that out only after `deadlock_timeout`.
    pub deadlocked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LockHolder {
    pub request: u32,
    pub label: String,
    /// It has the row; else it only stands before the waiting one.
    pub holds: bool,
}
