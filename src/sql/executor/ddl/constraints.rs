//! Constraints of a table that may have rows already: all of them must fulfil a new one.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::sql::binder::ddl::{
    ConstraintDefinition, ForeignKeyDefinition, IndexDefinition, KeyDefinition, UnboundConstraint,
};
use crate::sql::catalog::{Check, ForeignKey, Table};
use crate::sql::error::{Result, fail};
use crate::sql::executor::{Context, FrameRow};
use crate::sql::expr::Expr;
use crate::store::{Key, Mode, Row, RowId};
use crate::trace::Value;

impl Context<'_> {
    pub(super) fn add_constraint(&mut self, table: &str, unbound: &UnboundConstraint) -> Result<()> {
        let table = self.engine.catalog.existing(table)?.clone();
        match self.binder().constraint(&table, unbound)? {
            ConstraintDefinition::Key(key) => self.add_key(&table, key),
            ConstraintDefinition::Check(check) => self.add_check(&table, check),
            ConstraintDefinition::ForeignKey(key) => self.add_foreign_key(&table, key),
        }
    }

    fn add_key(&mut self, table: &Table, key: KeyDefinition) -> Result<()> {
        if key.primary {
            for number in &key.columns {
                self.require_not_null(table, *number)?;
            }
            self.engine.catalog.change(table.id, |table| {
                for number in &key.columns {
                    table.columns[*number].not_null = true;
                }
            });
        }
        let index = IndexDefinition {
            name: key.name,
            texts: key.columns.iter().map(|number| table.columns[*number].name.to_string()).collect(),
            keys: key.columns.into_iter().map(|number| Expr::Column { slot: 0, column: number as u16 }).collect(),
            unique: true,
            primary: key.primary,
            constraint: true,
            predicate: None,
        };
        self.build_index(table, index)
    }

    fn add_check(&mut self, table: &Table, check: Check) -> Result<()> {
        for row in self.all_rows(table) {
            self.run.frame = vec![FrameRow { row, id: RowId(u32::MAX) }];
            if self.evaluate(&check.condition)? == Value::Bool(false) {
                let (name, table) = (&check.name, &table.name);
                return fail(
                    "23514",
                    format!("check constraint \"{name}\" of relation \"{table}\" is violated by some row"),
                );
            }
        }
        self.engine.catalog.change(table.id, |table| table.checks.push(check));
        Ok(())
    }

    fn add_foreign_key(&mut self, table: &Table, definition: ForeignKeyDefinition) -> Result<()> {
        let ForeignKeyDefinition { key, parent } = definition;
        self.lock_table(&parent, Mode::ShareRowExclusive, true)?;
        self.check_existing_children(table, &parent, &key)?;
        let for_parent = key.clone();
        self.engine.catalog.change(table.id, |table| table.foreign_keys.push(key));
        self.engine.catalog.change(parent.id, |table| table.referenced_by.push(for_parent));
        Ok(())
    }

    fn check_existing_children(&mut self, child: &Table, parent: &Table, key: &ForeignKey) -> Result<()> {
        let pick = |row: &Row, columns: &[usize]| Key(columns.iter().map(|column| row[*column].clone()).collect());
        let parents: BTreeSet<Key> = self.all_rows(parent).iter().map(|row| pick(row, &key.parent_columns)).collect();
        for row in self.all_rows(child) {
            let values = pick(&row, &key.child_columns);
            if !values.has_null() && !parents.contains(&values) {
                return fail(
                    "23503",
                    format!(
                        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                        child.name, key.name
                    ),
                );
            }
        }
        Ok(())
    }

    pub(super) fn require_not_null(&mut self, table: &Table, column: usize) -> Result<()> {
        if self.all_rows(table).iter().any(|row| row[column] == Value::Null) {
            return contains_null(table, &table.columns[column].name);
        }
        Ok(())
    }

    pub(super) fn drop_constraint(&mut self, table: &Table, name: &Rc<str>, if_exists: bool) -> Result<()> {
        if !table.has_constraint(name) {
            if if_exists {
                return Ok(());
            }
            return fail("42704", format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name));
        }
        if let Some(key) = table.foreign_keys.iter().find(|key| key.name == *name) {
            self.engine.catalog.change(key.parent, |parent| parent.referenced_by.retain(|key| key.name != *name));
        }
        self.engine.catalog.change(table.id, |table| {
            table.indexes.retain(|index| !(index.constraint && index.name == *name));
            table.checks.retain(|check| check.name != *name);
            table.foreign_keys.retain(|key| key.name != *name);
        });
        Ok(())
    }
}

/// A row there is has no value for a column that must have one.
pub(super) fn contains_null<T>(table: &Table, column: &str) -> Result<T> {
    fail("23502", format!("column \"{column}\" of relation \"{}\" contains null values", table.name))
}
