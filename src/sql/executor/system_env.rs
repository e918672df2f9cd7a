//! What functions ask of a statement's session and engine.

use crate::sql::error::{Result, error};
use crate::sql::executor::Context;
use crate::sql::functions::SystemEnv;
use crate::sql::settings::level_name;
use crate::sql::types;
use crate::store::{AdvisoryKey, CommitSeq, Mode};
use crate::trace::Value;

impl SystemEnv for Context<'_> {
    fn clock(&self) -> i64 {
        self.engine.wall(self.now)
    }

    fn statement_began(&self) -> i64 {
        self.engine.wall(self.run.began_at)
    }

    fn transaction_began(&self) -> i64 {
        self.engine.wall(self.transaction_began)
    }

    fn random(&mut self) -> f64 {
        self.engine.random()
    }

    fn random_uuid(&mut self) -> u128 {
        self.engine.random_uuid()
    }

    fn next_value(&mut self, sequence: &str) -> Result<Value> {
        Context::next_value(self, sequence)
    }

    fn current_value(&mut self, sequence: &str) -> Result<Value> {
        let name = self.engine.catalog.sequence_called(sequence)?.name.clone();
        let known = self.engine.sequences_of(self.session).current(&name);
        known
            .map(Value::Int)
            .ok_or_else(|| error("55000", format!("currval of sequence \"{name}\" is not yet defined in this session")))
    }

    fn last_value(&mut self) -> Result<Value> {
        let last = self.engine.sequences_of(self.session).last().map(Value::Int);
        last.ok_or_else(|| error("55000", "lastval is not yet defined in this session"))
    }

    fn set_value(&mut self, sequence: &str, value: i64, called: bool) -> Result<Value> {
        Context::set_value(self, sequence, value, called)
    }

    fn advisory_lock(&mut self, key: AdvisoryKey, mode: Mode, transaction: bool, may_wait: bool) -> Result<bool> {
        Context::advisory_lock(self, key, mode, transaction, may_wait)
    }

    fn advisory_unlock(&mut self, key: AdvisoryKey, mode: Mode) -> bool {
        self.engine.unlock_one_advisory(self.session, key, mode)
    }

    fn advisory_unlock_all(&mut self) {
        self.engine.unlock_advisory(self.session);
    }

    fn assign_xid(&mut self) -> i64 {
        i64::from(self.engine.store.assign_xid(self.session).0)
    }

    fn is_in_recovery(&self) -> bool {
        self.engine.store.is_on_replica(self.session)
    }

    fn log_end(&self) -> CommitSeq {
        self.engine.store.newest()
    }

    fn log_replayed(&self) -> CommitSeq {
        self.engine.store.replayed()
    }

    fn current_setting(&self, name: &str, missing_ok: bool) -> Result<Value> {
        let name = name.to_ascii_lowercase();
        let shown = match name.as_str() {
            "transaction_isolation" => level_name(self.engine.store.isolation(self.session)).to_owned(),
            "transaction_read_only" => if self.read_only { "on" } else { "off" }.to_owned(),
            name => match self.settings.show(name) {
                Err(_) if missing_ok => return Ok(Value::Null),
                shown => shown?,
            },
        };
        Ok(types::text(&shown))
    }

    fn current_schema(&self) -> Option<&'static str> {
        self.settings.current_schema()
    }

    fn session_number(&self) -> i64 {
        i64::from(self.session.0)
    }

    fn notice(&mut self, severity: &str, sqlstate: &str, message: String) {
        Context::notice(self, severity, sqlstate, message);
    }
}
