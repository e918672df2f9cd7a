//! CREATE INDEX, and the indexes of PRIMARY KEY and UNIQUE.

use std::collections::BTreeSet;

use crate::sql::binder::ddl::{IndexDefinition, check_name_is_free};
use crate::sql::catalog::{Index, Table};
use crate::sql::error::{Result, Stop, fail};
use crate::sql::executor::Context;
use crate::sql::executor::index_keys::{computed_key, key_source};
use crate::sql::parser::ast;
use crate::sql::types;
use crate::store::{Index as StoreIndex, Key, Mode};
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
        for row in self.all_rows(table) {
            computed_key(&keys, predicate.as_ref(), &row)?;
        }
        let built = StoreIndex::new(key_source(&keys, predicate.as_ref()), unique);
        if unique {
            let mut seen = BTreeSet::new();
            for row in self.all_rows(table) {
                let Some(key) = built.key(&row).filter(|key| !key.has_null()) else { continue };
                if seen.contains(&key) {
                    return Err(duplicated(table, &name, &texts, &key));
                }
                seen.insert(key);
            }
        }
        let number = self.engine.store.create_index(self.session, table.id, built);
        let index = Index { name, number, keys, texts, unique, primary, constraint, predicate };
        self.engine.catalog.change(table.id, |table| table.indexes.push(index));
        Ok(())
    }
}

fn duplicated(table: &Table, index: &str, texts: &[String], key: &Key) -> Stop {
    let values: Vec<String> = key.0.iter().map(types::print).collect();
    let mut error = SqlError::new("23505", format!("could not create unique index \"{index}\""));
    error.detail = Some(format!("Key ({})=({}) is duplicated.", texts.join(", "), values.join(", ")));
    error.table = Some(table.name.to_string());
    error.constraint = Some(index.to_owned());
    error.into()
}
