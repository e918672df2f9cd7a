//! SAVEPOINT, RELEASE and ROLLBACK TO, and going back to one after an error.

use std::rc::Rc;

use crate::sql::error::{Result, fail};
use crate::sql::outcome::EngineEvent;
use crate::sql::settings::SessionSettings;
use crate::store::Savepoint;
use crate::trace::QueryResult;

use super::transaction::TransactionState;
use super::{RunningSession, done};

/// How things stood when a savepoint was set.
#[derive(Clone)]
pub struct SavepointState {
    name: Rc<str>,
    at: Savepoint,
    /// Of its transaction, so far.
    effects: u32,
    catalogs: usize,
    settings: SessionSettings,
    lasting: SessionSettings,
    read_only: bool,
}

impl TransactionState {
    /// The place of the newest savepoint of this name.
    fn find_savepoint(&self, name: &str) -> Result<usize> {
        match self.savepoints.iter().rposition(|savepoint| &*savepoint.name == name) {
            Some(place) => Ok(place),
            None => fail("3B001", format!("savepoint \"{name}\" does not exist")),
        }
    }
}

impl RunningSession<'_> {
    pub fn set_savepoint(&mut self, name: &Rc<str>) -> Result<QueryResult> {
        let (settings, lasting) = (self.session.settings.clone(), self.session.lasting.clone());
        let transaction = self.session.expect_block("SAVEPOINT")?;
        transaction.savepoints.push(SavepointState {
            name: name.clone(),
            at: self.engine.store.savepoint(self.id),
            effects: transaction.effects,
            catalogs: transaction.catalogs.len(),
            settings,
            lasting,
            read_only: transaction.read_only,
        });
        Ok(done("SAVEPOINT"))
    }

    pub fn release_savepoint(&mut self, name: &str) -> Result<QueryResult> {
        let transaction = self.session.expect_block("RELEASE SAVEPOINT")?;
        let place = transaction.find_savepoint(name)?;
        let read_only = transaction.savepoints[place].read_only;
        transaction.savepoints.truncate(place);
        self.restore_read_only(read_only);
        Ok(done("RELEASE"))
    }

    pub fn roll_back_to_savepoint(&mut self, name: &str) -> Result<QueryResult> {
        let transaction = self.session.expect_block("ROLLBACK TO SAVEPOINT")?;
        let place = transaction.find_savepoint(name)?;
        transaction.savepoints.truncate(place + 1);
        transaction.failed = false;
        let savepoint = transaction.savepoints[place].clone();
        self.restore_read_only(savepoint.read_only);
        self.take_back(&savepoint);
        self.session.settings.go_back(savepoint.settings);
        self.session.lasting = savepoint.lasting;
        Ok(done("ROLLBACK"))
    }

    /// READ ONLY said after a savepoint ends with it, be it released or gone back to.
    fn restore_read_only(&mut self, read_only: bool) {
        let transaction = self.transaction();
        if transaction.read_only != read_only {
            transaction.read_only = read_only;
            let isolation = transaction.isolation;
            self.engine.store.set_isolation(self.id, isolation, read_only);
        }
    }

    /// Takes back what the transaction has done since the savepoint, but for settings.
    pub fn take_back(&mut self, to: &SavepointState) {
        self.restore_catalog(to.catalogs);
        self.engine.store.rollback_to(self.id, to.at);
        let before = std::mem::replace(&mut self.transaction().effects, to.effects);
        if let Some(xid) = self.engine.store.xid(self.id)
            && before > to.effects
        {
            self.output.events.push(EngineEvent::TakenBack { xid, kept: to.effects });
        }
    }
}
