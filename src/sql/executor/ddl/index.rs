//! CREATE INDEX, and the indexes of PRIMARY KEY and UNIQUE.

use std::collections::BTreeSet;

use crate::sql::binder::ddl::{IndexDefinition, check_name_is_free};
use crate::sql::catalog::{Index, Table};
use crate::sql::error::{Result, Stop, fail};
use crate::sql::executor::Context;
use crate::sql::executor::constraints::key_shown;
use crate::sql::executor::index_keys::{computed_key, key_source};
use crate::sql::parser::ast;
use crate::store::{IndexData, Key, Mode};
use crate::trace::SqlError;

impl Context<'_> {
    pub(super) fn create_index(&mut self, create: &ast::CreateIndex) -> Result<()> {
        let (table, index) = self.binder().index(create)?;
        let temporary = table.temporary.map(|it| it.session);
        if create.if_not_exists && self.engine.catalog.has_relation(&index.name, temporary) {
            return self.already_there(&index.name, true);
        }
        self.lock_table(&table, Mode::Share, true)?;
        self.build_index(&table, index)
    }

    pub(super) fn build_index(&mut self, table: &Table, definition: IndexDefinition) -> Result<()> {
        let IndexDefinition { name, keys, texts, unique, primary, constraint, predicate } = definition;
        if self.engine.catalog.has_relation(&name, table.temporary.map(|it| it.session)) {
            return fail("42P07", format!("relation \"{name}\" already exists"));
        }
        if constraint {
            check_name_is_free(table, &name)?;
        }
        // All have to be computed before any is compared.
        let rows = self.all_rows(table);
        let computed = rows.iter().map(|row| computed_key(&keys, predicate.as_ref(), row));
        let existing = computed.collect::<Result<Vec<Option<Key>>>>()?;
        if unique {
            let mut seen = BTreeSet::new();
            for key in existing.into_iter().flatten().filter(|key| !key.has_null()) {
                if seen.contains(&key) {
                    return Err(duplicated(table, &name, &texts, &key));
                }
                seen.insert(key);
            }
        }
        let built = IndexData::new(key_source(&keys, predicate.as_ref()), unique);
        let number = self.engine.store.create_index(self.session, table.id, built);
        let index = Index { name, number, keys, texts, unique, primary, constraint, predicate };
        self.engine.catalog.change(table.id, |table| table.indexes.push(index));
        Ok(())
    }
}

fn duplicated(table: &Table, index: &str, texts: &[String], key: &Key) -> Stop {
    let mut error = SqlError::new("23505", format!("could not create unique index \"{index}\""));
    error.detail = Some(format!("Key {} is duplicated.", key_shown(texts, &key.0)));
    error.table = Some(table.name.to_string());
    error.constraint = Some(index.to_owned());
    error.into()
}
