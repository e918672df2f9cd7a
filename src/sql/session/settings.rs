//! SET, RESET, SHOW and DISCARD ALL.

use std::rc::Rc;

use crate::sql::error::{Result, fail};
use crate::sql::executor::sequences::KnownSequences;
use crate::sql::parser::ast::TransactionModes;
use crate::sql::settings::{SessionSettings, level_name, own_spelling};
use crate::sql::types::text;
use crate::trace::{QueryResult, ResultColumn, SqlType};

use super::statement::QueryInProgress;
use super::{RunningSession, done, warning};

impl RunningSession<'_> {
    pub fn set(
        &mut self,
        query: &QueryInProgress,
        name: &str,
        value: Option<&str>,
        local: bool,
    ) -> Result<QueryResult> {
        if local && !self.is_in_some_block(query) {
            self.output.notices.push(warning("25P01", "SET LOCAL can only be used in transaction blocks"));
            return Ok(done("SET"));
        }
        self.session.settings.set(name, value)?;
        if !local {
            self.session.lasting.set(name, value)?;
        }
        Ok(done("SET"))
    }

    /// SET SESSION CHARACTERISTICS AS TRANSACTION: for the transactions to come.
    pub fn set_session_transaction(&mut self, modes: TransactionModes) -> QueryResult {
        for settings in [&mut self.session.settings, &mut self.session.lasting] {
            settings.isolation = modes.isolation.unwrap_or(settings.isolation);
            settings.read_only = modes.read_only.unwrap_or(settings.read_only);
        }
        done("SET")
    }

    pub fn show(&self, name: &str) -> Result<QueryResult> {
        let (transaction, settings) = (self.session.transaction.as_ref(), &self.session.settings);
        let value = match name {
            "transaction_isolation" => {
                level_name(transaction.map_or(settings.isolation, |transaction| transaction.isolation)).to_owned()
            }
            "transaction_read_only" => {
                let read_only = transaction.map_or(settings.read_only, |transaction| transaction.read_only);
                if read_only { "on" } else { "off" }.to_owned()
            }
            name => settings.show(name)?,
        };
        let column = ResultColumn { name: Rc::from(own_spelling(name)), sql_type: SqlType::Text };
        Ok(QueryResult {
            tag: "SHOW".to_owned(),
            columns: Some(Rc::from([column])),
            rows: vec![vec![text(&value)]],
            row_count: Some(1),
        })
    }

    pub fn discard_all(&mut self) -> Result<QueryResult> {
        if self.session.in_block() {
            return fail("25001", "DISCARD ALL cannot run inside a transaction block");
        }
        self.forget_belongings();
        self.session.lasting = SessionSettings::default();
        self.session.settings.go_back(SessionSettings::default());
        Ok(done("DISCARD ALL"))
    }

    pub fn discard_sequences(&mut self) -> QueryResult {
        *self.engine.sequences_of(self.id) = KnownSequences::default();
        done("DISCARD SEQUENCES")
    }
}
