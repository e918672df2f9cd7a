//! DROP, and with CASCADE what depends on the dropped.

use std::rc::Rc;

use crate::sql::binder::{defined_name, relation_name};
use crate::sql::catalog::{ForeignKey, Table};
use crate::sql::error::{Result, Stop, fail};
use crate::sql::executor::Context;
use crate::sql::parser::ast::{self, ObjectKind};
use crate::store::Mode;
use crate::trace::SqlError;

use super::is_missing_schema;

impl Context<'_> {
    pub(super) fn drop_relations(&mut self, drop: &ast::Drop) -> Result<()> {
        for name in &drop.names {
            let name = match defined_name(name) {
                Err(stop) if drop.if_exists && is_missing_schema(&stop) => {
                    let schema = &name.0[0].name;
                    self.notice("NOTICE", "00000", format!("schema \"{schema}\" does not exist, skipping"));
                    continue;
                }
                name => name?,
            };
            let catalog = &self.engine.catalog;
            let (is_there, word, sqlstate) = match drop.kind {
                ObjectKind::Table => (catalog.table(&name).is_some(), "table", "42P01"),
                ObjectKind::Index => (catalog.index(&name).is_some(), "index", "42704"),
                ObjectKind::Sequence => (catalog.sequence(&name).is_some(), "sequence", "42P01"),
            };
            if !is_there {
                if !drop.if_exists {
                    return fail(sqlstate, format!("{word} \"{name}\" does not exist"));
                }
                self.notice("NOTICE", "00000", format!("{word} \"{name}\" does not exist, skipping"));
                continue;
            }
            match drop.kind {
                ObjectKind::Table => self.drop_table(&name, drop.cascade, &drop.names)?,
                ObjectKind::Index => self.drop_index(&name)?,
                ObjectKind::Sequence => self.drop_sequence(&name, drop.cascade)?,
            }
        }
        Ok(())
    }

    fn drop_table(&mut self, name: &str, cascade: bool, together: &[ast::ObjectName]) -> Result<()> {
        let table = self.engine.catalog.existing(name)?.clone();
        self.lock_table(&table, Mode::AccessExclusive, true)?;
        for key in &table.referenced_by {
            let Some(child) = self.engine.catalog.table_by_id(key.child).cloned() else { continue };
            let goes_too = together.iter().any(|other| relation_name(other).is_ok_and(|other| other == child.name));
            if child.id == table.id || goes_too {
                continue;
            }
            if !cascade {
                return Err(is_referenced(&table, &child, key));
            }
            self.engine.catalog.change(child.id, |child| child.foreign_keys.retain(|other| other.name != key.name));
        }
        for key in &table.foreign_keys {
            self.engine.catalog.change(key.parent, |parent| {
                parent.referenced_by.retain(|other| other.name != key.name || other.child != table.id)
            });
        }
        self.engine.catalog.remove(&table);
        Ok(())
    }

    fn drop_index(&mut self, name: &Rc<str>) -> Result<()> {
        let (table, index) = self.engine.catalog.index(name).expect("seen before it is dropped");
        if index.constraint {
            let table = &table.name;
            return fail(
                "2BP01",
                format!("cannot drop index {name} because constraint {name} on table {table} requires it"),
            );
        }
        let table = table.clone();
        self.lock_table(&table, Mode::AccessExclusive, true)?;
        self.engine.catalog.change(table.id, |table| table.indexes.retain(|index| index.name != *name));
        Ok(())
    }
}

fn is_referenced(table: &Table, child: &Table, key: &ForeignKey) -> Stop {
    let (name, child) = (&table.name, &child.name);
    let mut error = SqlError::new("2BP01", format!("cannot drop table {name} because other objects depend on it"));
    error.detail = Some(format!("constraint {} on table {child} depends on table {name}", key.name));
    error.hint = Some("Use DROP ... CASCADE to drop the dependent objects too.".to_owned());
    error.into()
}
