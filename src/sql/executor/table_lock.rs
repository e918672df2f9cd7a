//! Locks on whole tables.

use crate::sql::catalog::Table;
use crate::sql::error::{Result, Stop, fail};
use crate::sql::executor::{Context, WaitTarget};
use crate::store::{LockOutcome, Mode, Tag};

impl Context<'_> {
    pub fn lock_table(&mut self, table: &Table, mode: Mode, may_wait: bool) -> Result<()> {
        match self.engine.store.lock(self.session, Tag::Table(table.id), mode, may_wait) {
            LockOutcome::Locked { .. } => Ok(()),
            LockOutcome::Waits => {
                self.run.waits_on = WaitTarget::Other(format!("table {}", table.name));
                Err(Stop::Waits)
            }
            LockOutcome::Unavailable => fail("55P03", format!("could not obtain lock on relation \"{}\"", table.name)),
        }
    }
}
