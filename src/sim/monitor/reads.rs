//! Which tables the queries read, and which columns those have: told at the start and whenever it changes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Monitor, Of};
use crate::sim::database::DatabaseServer;
use crate::sim::kernel::Kernel;
use crate::trace::{EventKind, SqlError};

impl Monitor {
    /// Tables were made or changed: a migration, or DDL of a handler.
    pub fn follow_catalog(&mut self, database: &mut DatabaseServer, kernel: &mut Kernel) {
        if self.catalog == database.catalog_version() {
            return;
        }
        self.note_tables(database, kernel);
        for place in 0..self.queries.len() {
            // A query that cannot be planned any more fails when it is asked, and is told then.
            let _ = self.learn_reads(place, database, kernel);
        }
        self.schedule_look(kernel.now(), kernel);
    }

    /// The columns of each table, told where they are news.
    pub(super) fn note_tables(&mut self, database: &DatabaseServer, kernel: &mut Kernel) {
        self.catalog = database.catalog_version();
        for (table, columns) in database.tables() {
            if self.columns.get(&table) == Some(&columns) {
                continue;
            }
            let names = columns.iter().map(|column| kernel.symbol(column)).collect();
            let of = kernel.symbol(&table);
            kernel.record(EventKind::TableColumns { table: of, columns: names }, None, None, None);
            self.columns.insert(table, columns);
        }
    }

    /// Which tables a query reads, told where it is news.
    pub(super) fn learn_reads(
        &mut self,
        place: usize,
        database: &mut DatabaseServer,
        kernel: &mut Kernel,
    ) -> Result<(), SqlError> {
        let sql = self.queries[place].sql.clone();
        let reads = database.reads(&sql)?;
        let query = &mut self.queries[place];
        let same = query.reads == reads;
        query.reads = reads.clone();
        query.outdated = true;
        self.outdated = true;
        let readers = self.queries.iter().enumerate();
        let mut of_tables: BTreeMap<Rc<str>, Vec<usize>> = BTreeMap::new();
        for (reader, table) in readers.flat_map(|(reader, query)| query.reads.tables.iter().map(move |of| (reader, of)))
        {
            of_tables.entry(table.clone()).or_default().push(reader);
        }
        self.readers = of_tables;
        if let (Of::Invariant(of), false) = (self.queries[place].of, same) {
            let id = self.document.invariants[of].id.clone();
            let tables = reads.tables.iter().map(|table| kernel.symbol(table)).collect();
            let about = reads.about.map(|table| kernel.symbol(&table));
            let invariant = kernel.symbol(&id);
            kernel.record(EventKind::InvariantReads { invariant, tables, about }, None, None, None);
        }
        Ok(())
    }
}
