//! Foreign keys, once all rows of a statement are written: a referencing row must have its parent, and what becomes of the rows that
//! reference a key that is gone is its constraint's action.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::sql::catalog::{Action, ForeignKey, Table};
use crate::sql::error::{Result, Stop};
use crate::sql::executor::constraints::key_shown;
use crate::sql::executor::write::{RowWrite, WriteProgress};
use crate::sql::executor::{Context, FrameRow, LockedRow};
use crate::sql::plan::{LockPolicy, TARGET};
use crate::store::{Bounds, Key, Mode, Predicate, Row, RowId, Snapshot, compare};
use crate::trace::{Isolation, LockStrength, SqlError, Value};

/// What is checked or done when all rows of the statement are written.
#[derive(Clone)]
pub enum ForeignKeyTask {
    /// A referencing row must have its parent, unless it was changed once more since.
    ReferencingRowWritten { key: Rc<ForeignKey>, child: RowId, row: Row, values: Vec<Value> },
    /// A referenced key is gone, or has become `new`.
    ReferencedKeyRemoved(KeyChange),
    /// Rows that referenced the key have their defaults: these may be the key itself, and then nothing has changed in them.
    DefaultsSet(KeyChange),
    /// A referencing row is deleted or changed with its parent.
    Cascade { change: KeyChange, child: RowId, row: Row },
}

#[derive(Clone)]
pub struct KeyChange {
    key: Rc<ForeignKey>,
    old: Vec<Value>,
    /// `None`: the parent is deleted.
    new: Option<Vec<Value>>,
}

impl KeyChange {
    fn action(&self) -> Action {
        if self.new.is_some() { self.key.on_update } else { self.key.on_delete }
    }
}

impl Context<'_> {
    /// PostgreSQL's order: by what follows from a key of its own a row may change once more before its parents are looked for.
    pub fn queue_foreign_key_tasks(&mut self, done: &RowWrite, id: RowId, tasks: &mut VecDeque<ForeignKeyTask>) {
        let table = &done.table;
        if let Some(old) = &done.old {
            for key in &table.referenced_by {
                let before = key_values(old, &key.parent_columns);
                let after = done.new.as_ref().map(|new| key_values(new, &key.parent_columns));
                let unchanged = after.as_ref().is_some_and(|after| is_same_key(&before, after));
                if !unchanged && !before.contains(&Value::Null) {
                    let change = KeyChange { key: key.clone(), old: before, new: after };
                    tasks.push_back(ForeignKeyTask::ReferencedKeyRemoved(change));
                }
            }
        }
        let Some(new) = &done.new else { return };
        for key in &table.foreign_keys {
            let values = key_values(new, &key.child_columns);
            let unchanged = done.old.as_ref().is_some_and(|old| has_key(old, &key.child_columns, &values));
            // PostgreSQL does not know whether the parent of a row of its own transaction was ever looked for.
            if (done.own || !unchanged) && !values.contains(&Value::Null) {
                let (key, row) = (key.clone(), new.clone());
                tasks.push_back(ForeignKeyTask::ReferencingRowWritten { key, child: id, row, values });
            }
        }
    }

    pub fn run_foreign_key_tasks(&mut self, progress: &mut WriteProgress) -> Result<()> {
        loop {
            if progress.writing.is_some() {
                self.write_row(progress)?;
                progress.tasks.pop_front();
                continue;
            }
            let Some(task) = progress.tasks.front().cloned() else { return Ok(()) };
            match task {
                ForeignKeyTask::ReferencingRowWritten { key, child, row, values } => {
                    let newest = self.engine.store.table(key.child).chain(child).newest();
                    if newest.row.as_ref().is_some_and(|newest| Rc::ptr_eq(newest, &row)) {
                        self.require_parent(&key, &values)?;
                    }
                    progress.tasks.pop_front();
                }
                ForeignKeyTask::ReferencedKeyRemoved(change) => {
                    let cascades = self.referenced_key_removed(&change)?;
                    progress.tasks.pop_front();
                    for task in cascades.into_iter().rev() {
                        progress.tasks.push_front(task);
                    }
                }
                ForeignKeyTask::DefaultsSet(KeyChange { key, old, .. }) => {
                    self.require_unreferenced(&key, &old, Action::NoAction)?;
                    progress.tasks.pop_front();
                }
                ForeignKeyTask::Cascade { change, child, row } => match self.cascade(&change, child, row)? {
                    // The task stays in front until its row is written: a wait comes back to it.
                    Some(writing) => progress.writing = Some(writing),
                    None => {
                        progress.tasks.pop_front();
                    }
                },
            }
        }
    }

    fn require_parent(&mut self, key: &ForeignKey, values: &[Value]) -> Result<()> {
        let Some((parent, child)) = self.tables_of(key) else { return Ok(()) };
        self.lock_table(&parent, Mode::RowShare, true)?;
        loop {
            self.run.snapshot = self.check_snapshot();
            let found = self.rows_with(&parent, &key.parent_columns, values)?;
            let Some(row) = found.into_iter().next() else { return Err(missing_parent(key, &parent, &child, values)) };
            if self.lock_with_key(&parent, row, (&key.parent_columns, values), LockStrength::KeyShare)? {
                return Ok(());
            }
        }
    }

    /// Checks that nobody references the key, or gives what is to be done with those who do.
    fn referenced_key_removed(&mut self, change: &KeyChange) -> Result<Vec<ForeignKeyTask>> {
        let KeyChange { key, old, .. } = change;
        let action = change.action();
        if matches!(action, Action::NoAction | Action::Restrict) {
            self.require_unreferenced(key, old, action)?;
            return Ok(Vec::new());
        }
        let Some((_, child)) = self.tables_of(key) else { return Ok(Vec::new()) };
        self.lock_table(&child, Mode::RowExclusive, true)?;
        self.run.snapshot = self.engine.store.latest_snapshot(self.session);
        let children = self.rows_with(&child, &key.child_columns, old)?;
        let cascade = |(child, row)| ForeignKeyTask::Cascade { change: change.clone(), child, row };
        let mut tasks: Vec<ForeignKeyTask> = children.into_iter().map(cascade).collect();
        if action == Action::SetDefault {
            tasks.push(ForeignKeyTask::DefaultsSet(change.clone()));
        }
        Ok(tasks)
    }

    fn require_unreferenced(&mut self, key: &ForeignKey, old: &[Value], action: Action) -> Result<()> {
        let Some((parent, child)) = self.tables_of(key) else { return Ok(()) };
        self.lock_table(&child, Mode::RowShare, true)?;
        self.run.snapshot = self.engine.store.latest_snapshot(self.session);
        if action == Action::NoAction && !self.rows_with(&parent, &key.parent_columns, old)?.is_empty() {
            // Another row has taken the key over.
            return Ok(());
        }
        for row in self.rows_with(&child, &key.child_columns, old)? {
            if self.lock_with_key(&child, row, (&key.child_columns, old), LockStrength::KeyShare)? {
                return Err(still_referenced(key, &parent, &child, old));
            }
        }
        Ok(())
    }

    /// What is to be written of a referencing row; nothing if it does not reference the key any more.
    fn cascade(&mut self, change: &KeyChange, id: RowId, row: Row) -> Result<Option<RowWrite>> {
        let KeyChange { key, old, new } = change;
        let Some(child) = self.engine.catalog.table_by_id(key.child).cloned() else { return Ok(None) };
        self.run.snapshot = self.check_snapshot();
        let action = change.action();
        let deletes = action == Action::Cascade && new.is_none();
        let strength =
            if deletes { LockStrength::Update } else { self.strength_of(&child, key.child_columns.iter().copied()) };
        if !self.lock_with_key(&child, (id, row), (&key.child_columns, old), strength)? {
            return Ok(None);
        }
        let current = self.run.frame[TARGET as usize].row.clone();
        if deletes {
            return Ok(Some(RowWrite::delete(&child, id, current)));
        }
        let mut values = current.to_vec();
        for (place, column) in key.child_columns.iter().enumerate() {
            values[*column] = match (action, new) {
                (Action::Cascade, Some(new)) => new[place].clone(),
                (Action::SetDefault, _) => match &child.columns[*column].default {
                    Some(default) => self.evaluate(default)?,
                    None => Value::Null,
                },
                _ => Value::Null,
            };
        }
        let changed = self.checked(&child, values)?;
        Ok(Some(RowWrite::update(&child, id, current, changed)))
    }

    /// Parent and child.
    fn tables_of(&self, key: &ForeignKey) -> Option<(Rc<Table>, Rc<Table>)> {
        let catalog = &self.engine.catalog;
        Some((catalog.table_by_id(key.parent)?.clone(), catalog.table_by_id(key.child)?.clone()))
    }

    /// What this statement has written is seen, and at READ COMMITTED what others have committed since.
    fn check_snapshot(&mut self) -> Snapshot {
        if self.engine.store.isolation(self.session) == Isolation::ReadCommitted {
            self.engine.store.latest_snapshot(self.session)
        } else {
            self.engine.store.after_snapshot(self.session)
        }
    }

    /// Locks a row, and tells whether its newest version has the key still.
    fn lock_with_key(
        &mut self,
        table: &Table,
        (id, row): (RowId, Row),
        (columns, values): (&[usize], &[Value]),
        strength: LockStrength,
    ) -> Result<bool> {
        self.run.frame[TARGET as usize] = FrameRow { row, id };
        Ok(match self.lock_row(table, TARGET, strength, LockPolicy::Wait)? {
            LockedRow::Same | LockedRow::Own => true,
            LockedRow::Changed => has_key(&self.run.frame[TARGET as usize].row, columns, values),
            LockedRow::Gone | LockedRow::Skipped => false,
        })
    }

    /// Rows the current snapshot sees with these values, by an index where there is one.
    fn rows_with(&mut self, table: &Table, columns: &[usize], values: &[Value]) -> Result<Vec<(RowId, Row)>> {
        let index = table.indexes.iter().find_map(|index| {
            let plain = index.plain_columns()?;
            let leading = plain.get(..columns.len())?;
            let place = |column| columns.iter().position(|wanted| wanted == column);
            let key: Option<_> = leading.iter().map(|column| Some(values[place(column)?].clone())).collect();
            Some((index.number, Key(key?)))
        });
        let fits = |row: &Row| has_key(row, columns, values);
        match index {
            Some((number, key)) => self.rows_by_index(table, number, &Bounds::equal_to(&key), fits),
            None => self.rows_by_scan(table, fits),
        }
    }

    fn rows_by_index(
        &mut self,
        table: &Table,
        index: usize,
        bounds: &Bounds,
        fits: impl Fn(&Row) -> bool,
    ) -> Result<Vec<(RowId, Row)>> {
        let columns = self.engine.store.index(table.id, index).columns();
        self.note_search(table.id, || Predicate::Range { index, bounds: bounds.clone(), columns });
        let mut entries = Vec::new();
        self.engine.store.index(table.id, index).read(bounds, false, None, usize::MAX, &mut entries);
        let mut found = Vec::new();
        for entry in entries {
            self.run.rows_read += 1;
            let row = self.visible_row(table, entry.row)?.filter(|row| fits(row));
            found.extend(row.map(|row| (entry.row, row)));
        }
        Ok(found)
    }

    fn rows_by_scan(&mut self, table: &Table, fits: impl Fn(&Row) -> bool) -> Result<Vec<(RowId, Row)>> {
        self.note_search(table.id, || Predicate::Table);
        let mut found = Vec::new();
        for id in (0..self.engine.store.table(table.id).row_end()).map(RowId) {
            let Some(row) = self.visible_row(table, id)? else { continue };
            self.run.rows_read += 1;
            self.run.rows_scanned += 1;
            if fits(&row) {
                found.push((id, row));
            }
        }
        Ok(found)
    }

    fn visible_row(&mut self, table: &Table, id: RowId) -> Result<Option<Row>> {
        self.note_read(table.id, id)?;
        let version = self.engine.store.table(table.id).chain(id).visible(&self.run.snapshot);
        Ok(version.and_then(|version| version.row.clone()))
    }
}

fn key_values(row: &Row, columns: &[usize]) -> Vec<Value> {
    columns.iter().map(|column| row[*column].clone()).collect()
}

fn is_same_key(left: &[Value], right: &[Value]) -> bool {
    left.iter().zip(right).all(|(left, right)| compare(left, right).is_eq())
}

fn has_key(row: &Row, columns: &[usize], values: &[Value]) -> bool {
    columns.iter().zip(values).all(|(column, value)| compare(&row[*column], value).is_eq())
}

fn missing_parent(key: &ForeignKey, parent: &Table, child: &Table, values: &[Value]) -> Stop {
    let message =
        format!("insert or update on table \"{}\" violates foreign key constraint \"{}\"", child.name, key.name);
    let shown = key_detail(child, &key.child_columns, values);
    let detail = format!("Key {shown} is not present in table \"{}\".", parent.name);
    foreign_key_violation(message, detail, child, key)
}

fn still_referenced(key: &ForeignKey, parent: &Table, child: &Table, values: &[Value]) -> Stop {
    let message = format!(
        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
        parent.name, key.name, child.name
    );
    let shown = key_detail(parent, &key.parent_columns, values);
    let detail = format!("Key {shown} is still referenced from table \"{}\".", child.name);
    foreign_key_violation(message, detail, child, key)
}

fn foreign_key_violation(message: String, detail: String, child: &Table, key: &ForeignKey) -> Stop {
    let mut error = SqlError::new("23503", message);
    error.detail = Some(detail);
    error.table = Some(child.name.to_string());
    error.constraint = Some(key.name.to_string());
    error.into()
}

fn key_detail(table: &Table, columns: &[usize], values: &[Value]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| &*table.columns[*column].name).collect();
    key_shown(&names, values)
}
