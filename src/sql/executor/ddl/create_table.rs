//! CREATE TABLE.

use crate::sql::binder::ddl::{SequenceDefinition, TableDefinition, lifetime, sequence_default};
use crate::sql::binder::defined_name;
use crate::sql::catalog::Table;
use crate::sql::error::Result;
use crate::sql::executor::Context;
use crate::sql::parser::ast;
use crate::store::{Mode, Tag};

impl Context<'_> {
    pub(super) fn create_table(&mut self, create: &ast::CreateTable) -> Result<()> {
        let name = defined_name(&create.name).map_err(|stop| stop.at(create.name.begin().0))?;
        let temporary = lifetime(create, self.session)?;
        if self.engine.catalog.has_relation(&name, temporary.map(|it| it.session)) {
            return self.already_there(&name, create.if_not_exists);
        }
        let id = self.engine.store.create_table(self.session);
        self.engine.store.lock(self.session, Tag::Table(id), Mode::AccessExclusive, true);
        let table = Table {
            id,
            name: name.clone(),
            columns: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            referenced_by: Vec::new(),
            temporary,
        };
        let TableDefinition { mut table, sequences, constraints } = self.binder().table_definition(table, create)?;
        self.make_sequences(&mut table, sequences)?;
        self.engine.catalog.put(table);
        for constraint in &constraints {
            self.add_constraint(&name, constraint)?;
        }
        Ok(())
    }

    /// Their columns take their defaults from them.
    pub(super) fn make_sequences(
        &mut self,
        table: &mut Table,
        sequences: Vec<(usize, SequenceDefinition)>,
    ) -> Result<()> {
        let temporary = table.temporary.map(|it| it.session);
        for (number, sequence) in sequences {
            let column = &mut table.columns[number];
            let name = self.engine.catalog.free_name(&format!("{}_{}_seq", table.name, column.name), temporary);
            column.default = Some(sequence_default(&name, &column.ty)?);
            self.engine.catalog.put_sequence(sequence.named(name, temporary));
        }
        Ok(())
    }
}
