//! Which tables the queries read, and which columns those have: told at the start and whenever it changes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Of;
use crate::sim::world::World;
use crate::trace::{EventKind, SqlError};

impl World {
    /// Tables were made or changed: a migration, or DDL of a handler.
    pub fn follow_catalog(&mut self) {
        if self.watch.catalog == self.database.catalog_version() {
            return;
        }
        self.note_tables();
        for place in 0..self.watch.queries.len() {
            // A query that cannot be planned any more fails when it is asked, and is told then.
            let _ = self.learn_reads(place);
        }
        self.schedule_look(self.now);
    }

    /// The columns of each table, told where they are news.
    pub(super) fn note_tables(&mut self) {
        self.watch.catalog = self.database.catalog_version();
        let tables = self.database.tables().map(|(table, columns)| {
            let columns = columns.into_iter().map(Rc::from).collect::<Vec<Rc<str>>>();
            (table.clone(), columns)
        });
        for (table, columns) in tables.collect::<Vec<_>>() {
            if self.watch.columns.get(&table) == Some(&columns) {
                continue;
            }
            let names = columns.iter().map(|column| self.symbol(column)).collect();
            let of = self.symbol(&table);
            self.record(EventKind::TableColumns { table: of, columns: names }, None, None, None);
            self.watch.columns.insert(table, columns);
        }
    }

    /// Which tables a query reads, told where it is news.
    pub(super) fn learn_reads(&mut self, place: usize) -> Result<(), SqlError> {
        let sql = self.watch.queries[place].sql.clone();
        let reads = self.database.reads(&sql)?;
        let query = &mut self.watch.queries[place];
        let same = query.reads == reads;
        query.reads = reads.clone();
        query.outdated = true;
        self.watch.outdated = true;
        let readers = self.watch.queries.iter().enumerate();
        let mut of_tables: BTreeMap<Rc<str>, Vec<usize>> = BTreeMap::new();
        for (reader, table) in readers.flat_map(|(reader, query)| query.reads.tables.iter().map(move |of| (reader, of)))
        {
            of_tables.entry(table.clone()).or_default().push(reader);
        }
        self.watch.readers = of_tables;
        if let (Of::Invariant(of), false) = (self.watch.queries[place].of, same) {
            let id = self.document.invariants[of].id.clone();
            let tables = reads.tables.iter().map(|table| self.symbol(table)).collect();
            let about = reads.about.map(|table| self.symbol(&table));
            let invariant = self.symbol(&id);
            self.record(EventKind::InvariantReads { invariant, tables, about }, None, None, None);
        }
        Ok(())
    }
}
