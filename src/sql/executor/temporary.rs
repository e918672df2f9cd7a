//! Temporary tables: one session's own, to its end or to the end of a transaction. Facts do not tell of them, for nobody else can
//! meet their rows, and their names may be those of other tables.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::executor::engine::Engine;
use crate::sql::parser::ast::OnCommit;
use crate::store::{RowId, TableId};
use crate::trace::SessionId;

impl Engine {
    /// Deletes all rows a table has now, those of this transaction included.
    pub fn delete_all(&mut self, session: SessionId, table: TableId) {
        let snapshot = self.store.latest_snapshot(session);
        for row in (0..self.store.table(table).row_end()).map(RowId) {
            if self.store.table(table).chain(row).visible(&snapshot).is_some() {
                self.store.write(session, table, row, None);
            }
        }
    }

    /// ON COMMIT DELETE ROWS, as the last work of a transaction.
    pub fn empty_temporary_tables(&mut self, session: SessionId) {
        let emptied = |table: &&Rc<Table>| table.temporary.is_some_and(|it| it.on_commit == OnCommit::DeleteRows);
        let tables: Vec<TableId> =
            self.catalog.temporary_tables(session).filter(emptied).map(|table| table.id).collect();
        for table in tables {
            self.delete_all(session, table);
        }
    }

    /// ON COMMIT DROP, once the transaction is committed.
    pub fn drop_temporary_tables(&mut self, session: SessionId) {
        let dropped = |table: &&Rc<Table>| table.temporary.is_some_and(|it| it.on_commit == OnCommit::Drop);
        let tables: Vec<Rc<Table>> = self.catalog.temporary_tables(session).filter(dropped).cloned().collect();
        for table in tables {
            let near: BTreeSet<TableId> = table
                .referenced_by
                .iter()
                .map(|key| key.child)
                .chain(table.foreign_keys.iter().map(|key| key.parent))
                .collect();
            for other in near.into_iter().filter(|other| *other != table.id) {
                self.catalog.change(other, |other| {
                    other.foreign_keys.retain(|key| key.parent != table.id);
                    other.referenced_by.retain(|key| key.child != table.id);
                });
            }
            self.catalog.remove(&table);
            self.store.discard_table(table.id);
        }
    }

    /// The session is over, or as if it had just begun.
    pub fn forget_temporary_tables(&mut self, session: SessionId) {
        let tables: Vec<TableId> = self.catalog.temporary_tables(session).map(|table| table.id).collect();
        for table in tables {
            self.store.discard_table(table);
        }
        self.catalog.forget(session);
    }
}
