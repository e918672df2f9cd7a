//! Locks on whole tables.

use crate::sql::catalog::Table;
use crate::sql::error::{Result, Stop, fail};
use crate::sql::executor::{Awaited, Context};
use crate::store::{Mode, RowLock, Tag};

impl Context<'_> {
    pub fn lock_table(&mut self, table: &Table, mode: Mode, may_wait: bool) -> Result<()> {
        match self.engine.store.lock(self.session, Tag::Table(table.id), mode, may_wait) {
            RowLock::Locked { .. } => Ok(()),
            RowLock::Waits => {
                self.run.waits_on = Awaited::Other(format!("table {}", table.name));
                Err(Stop::Waits)
            }
            RowLock::Unavailable => fail("55P03", format!("could not obtain lock on relation \"{}\"", table.name)),
        }
    }
}
