//! Transactions: how they begin and end, what an error does to one, and the statements that say so.

use crate::sql::catalog::CatalogState;
use crate::sql::error::{Result, fail};
use crate::sql::outcome::EngineEvent;
use crate::sql::parser::ast::{self, TransactionModes};
use crate::sql::settings::SessionSettings;
use crate::trace::{Isolation, Micros, QueryResult, Sqlstate};

use super::savepoints::SavepointState;
use super::statement::QueryInProgress;
use super::{RunningSession, Session, done, warning};

pub struct TransactionState {
    /// Ends with the query text.
    pub implicit: bool,
    pub failed: bool,
    pub began: Micros,
    pub isolation: Isolation,
    pub read_only: bool,
    deferrable: bool,
    /// A statement has run: the level is fixed.
    pub used: bool,
    pub savepoints: Vec<SavepointState>,
    /// Versions written and rows locked so far, as told.
    pub effects: u32,
    /// The catalog before and after each change of this transaction.
    pub catalogs: Vec<(CatalogState, CatalogState)>,
    lasting_before: SessionSettings,
}

impl TransactionState {
    fn modes(&self) -> TransactionModes {
        TransactionModes {
            isolation: Some(self.isolation),
            read_only: Some(self.read_only),
            deferrable: Some(self.deferrable),
        }
    }

    fn check_modes(&self, modes: TransactionModes) -> Result<()> {
        if modes.isolation.is_some_and(|isolation| isolation != self.isolation) {
            if self.used {
                return fail("25001", "SET TRANSACTION ISOLATION LEVEL must be called before any query");
            }
            if !self.savepoints.is_empty() {
                return fail("25001", "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
            }
        }
        if modes.read_only == Some(false) && self.read_only && !self.savepoints.is_empty() {
            return fail("25001", "cannot set transaction read-write mode inside a read-only transaction");
        }
        if modes.read_only == Some(false) && self.read_only && self.used {
            return fail("25001", "transaction read-write mode must be set before any query");
        }
        if modes.deferrable.is_some() && self.used {
            return fail("25001", "SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
        }
        if modes.deferrable.is_some() && !self.savepoints.is_empty() {
            return fail("25001", "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction");
        }
        Ok(())
    }
}

impl Session {
    pub fn expect_block(&mut self, what: &str) -> Result<&mut TransactionState> {
        match &mut self.transaction {
            Some(transaction) if !transaction.implicit => Ok(transaction),
            _ => fail("25P01", format!("{what} can only be used in transaction blocks")),
        }
    }
}

impl RunningSession<'_> {
    /// The transaction around a statement: the block's, or one of its own.
    pub fn transaction(&mut self) -> &mut TransactionState {
        let open = self.session.transaction.take();
        let open = open.unwrap_or_else(|| self.begin(true, TransactionModes::default()));
        self.session.transaction.insert(open)
    }

    fn begin(&mut self, implicit: bool, modes: TransactionModes) -> TransactionState {
        let settings = &self.session.settings;
        let isolation = modes.isolation.unwrap_or(settings.isolation);
        let read_only = modes.read_only.unwrap_or(settings.read_only) || self.engine.store.is_on_replica(self.id);
        let deferrable = modes.deferrable.unwrap_or(false);
        self.engine.store.begin(self.id, isolation, read_only);
        self.engine.store.set_deferrable(self.id, deferrable);
        if !implicit {
            self.output.events.push(EngineEvent::TransactionBegan { isolation });
        }
        TransactionState {
            implicit,
            failed: false,
            began: self.now,
            isolation,
            read_only,
            deferrable,
            used: false,
            savepoints: Vec::new(),
            effects: 0,
            catalogs: Vec::new(),
            lasting_before: self.session.lasting.clone(),
        }
    }

    pub fn commit(&mut self) -> Result<()> {
        let implicit = self.session.transaction.as_ref().is_some_and(|transaction| transaction.implicit);
        self.engine.empty_temporary_tables(self.id);
        match self.engine.store.commit(self.id) {
            Ok(xid) => {
                self.engine.drop_temporary_tables(self.id);
                if !implicit || xid.is_some() {
                    self.output.events.push(EngineEvent::Committed { xid });
                }
                self.session.transaction = None;
                self.session.settings.go_back(self.session.lasting.clone());
                Ok(())
            }
            Err(failure) => {
                self.roll_back(Some(Sqlstate::new("40001")));
                Err(failure.into())
            }
        }
    }

    /// Ends the transaction without a trace. One that has failed is rolled back already, but for what it set.
    pub fn roll_back(&mut self, sqlstate: Option<Sqlstate>) {
        if self.engine.store.is_open(self.id) {
            self.restore_catalog(0);
            let xid = self.engine.store.rollback(self.id);
            let implicit = self.session.transaction.as_ref().is_some_and(|transaction| transaction.implicit);
            if !implicit || xid.is_some() {
                self.output.events.push(EngineEvent::RolledBack { xid, sqlstate });
            }
        }
        if let Some(transaction) = self.session.transaction.take() {
            self.session.lasting = transaction.lasting_before;
            self.session.settings.go_back(self.session.lasting.clone());
        }
    }

    /// What an error does to the transaction it happens in.
    pub fn fail_transaction(&mut self, sqlstate: Sqlstate) {
        let Some(transaction) = &mut self.session.transaction else { return };
        if transaction.implicit {
            self.roll_back(Some(sqlstate));
            return;
        }
        if transaction.failed {
            return;
        }
        transaction.failed = true;
        match transaction.savepoints.last().cloned() {
            Some(savepoint) => self.take_back(&savepoint),
            None => {
                self.restore_catalog(0);
                let xid = self.engine.store.rollback(self.id);
                self.output.events.push(EngineEvent::RolledBack { xid, sqlstate: Some(sqlstate) });
            }
        }
    }

    /// Takes back all changes of this transaction but the first `kept`.
    pub fn restore_catalog(&mut self, kept: usize) {
        let Some(transaction) = &mut self.session.transaction else { return };
        for (before, after) in transaction.catalogs.split_off(kept).into_iter().rev() {
            self.engine.catalog.take_back(self.id, before, &after);
        }
    }

    /// In a transaction that has failed only its end may run.
    pub fn expect_unfailed(&self, statement: &ast::Statement) -> Result<()> {
        let ends = matches!(
            statement,
            ast::Statement::Commit { .. } | ast::Statement::Rollback { .. } | ast::Statement::RollbackTo(_)
        );
        if self.session.has_failed() && !ends {
            return fail("25P02", "current transaction is aborted, commands ignored until end of transaction block");
        }
        Ok(())
    }

    /// A text of several statements is a block too, for what lasts to the end of a transaction.
    pub fn is_in_some_block(&mut self, query: &QueryInProgress) -> bool {
        if query.has_several() {
            self.transaction();
        }
        query.has_several() || self.session.in_block()
    }

    pub fn begin_block(&mut self, tag: &str, modes: TransactionModes) -> Result<QueryResult> {
        let Some(transaction) = &mut self.session.transaction else {
            self.session.transaction = Some(self.begin(false, modes));
            return Ok(done(tag));
        };
        if transaction.implicit {
            transaction.implicit = false;
            let isolation = transaction.isolation;
            self.output.events.push(EngineEvent::TransactionBegan { isolation });
        } else {
            self.output.notices.push(warning("25001", "there is already a transaction in progress"));
        }
        self.set_modes(modes)?;
        Ok(done(tag))
    }

    pub fn end_block(&mut self, commit: bool, chain: bool) -> Result<QueryResult> {
        let modes = self.session.transaction.as_ref().map_or_else(TransactionModes::default, TransactionState::modes);
        if !self.session.in_block() {
            if chain {
                let word = if commit { "COMMIT" } else { "ROLLBACK" };
                return fail("25P01", format!("{word} AND CHAIN can only be used in transaction blocks"));
            }
            self.output.notices.push(warning("25P01", "there is no transaction in progress"));
        }
        let commits = commit && !self.session.has_failed();
        if self.session.transaction.is_some() {
            if commits { self.commit()? } else { self.roll_back(None) }
        }
        if chain {
            self.session.transaction = Some(self.begin(false, modes));
        }
        Ok(done(if commits { "COMMIT" } else { "ROLLBACK" }))
    }

    pub fn set_transaction(&mut self, query: &QueryInProgress, modes: TransactionModes) -> Result<QueryResult> {
        if self.is_in_some_block(query) {
            self.set_modes(modes)?;
        } else {
            self.output.notices.push(warning("25P01", "SET TRANSACTION can only be used in transaction blocks"));
        }
        Ok(done("SET"))
    }

    fn set_modes(&mut self, modes: TransactionModes) -> Result<()> {
        if modes.read_only == Some(false) && self.engine.store.is_on_replica(self.id) {
            return fail("0A000", "cannot set transaction read-write mode during recovery");
        }
        let Some(transaction) = &mut self.session.transaction else { return Ok(()) };
        transaction.check_modes(modes)?;
        transaction.isolation = modes.isolation.unwrap_or(transaction.isolation);
        transaction.read_only = modes.read_only.unwrap_or(transaction.read_only);
        transaction.deferrable = modes.deferrable.unwrap_or(transaction.deferrable);
        self.engine.store.set_isolation(self.id, transaction.isolation, transaction.read_only);
        self.engine.store.set_deferrable(self.id, transaction.deferrable);
        Ok(())
    }
}
