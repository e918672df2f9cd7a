//! What functions ask of the session that calls them, and of the database it is a session of.

use crate::sql::error::Result;
use crate::store::{AdvisoryKey, CommitSeq, Mode};
use crate::trace::Value;

/// Moments are microseconds since 1970.
pub trait SystemEnv {
    fn clock(&self) -> i64;
    fn statement_began(&self) -> i64;
    fn transaction_began(&self) -> i64;

    fn random(&mut self) -> f64;
    fn random_uuid(&mut self) -> u128;

    fn next_value(&mut self, sequence: &str) -> Result<Value>;
    fn current_value(&mut self, sequence: &str) -> Result<Value>;
    /// Of the sequence that was asked last.
    fn last_value(&mut self) -> Result<Value>;
    fn set_value(&mut self, sequence: &str, value: i64, called: bool) -> Result<Value>;

    /// Whether the lock is held now. Where it is not and `may_wait`, the statement stops.
    fn advisory_lock(&mut self, key: AdvisoryKey, mode: Mode, transaction: bool, may_wait: bool) -> Result<bool>;
    /// Whether it was held.
    fn advisory_unlock(&mut self, key: AdvisoryKey, mode: Mode) -> bool;
    fn advisory_unlock_all(&mut self);

    fn assign_xid(&mut self) -> i64;
    fn is_in_recovery(&self) -> bool;
    fn log_end(&self) -> CommitSeq;
    /// How far a replica has come.
    fn log_replayed(&self) -> CommitSeq;

    /// A setting as SHOW gives it.
    fn current_setting(&self, name: &str, missing_ok: bool) -> Result<Value>;
    /// The first schema of the search path that there is.
    fn current_schema(&self) -> Option<&'static str>;
    fn session_number(&self) -> i64;
    fn notice(&mut self, severity: &str, sqlstate: &str, message: String);
}
