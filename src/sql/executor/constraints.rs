//! What a row must fulfil before it is written (NOT NULL, CHECK) and while it is (unique keys). Foreign keys are looked at when all
//! rows of the statement are written: `foreign_keys`.

use crate::sql::catalog::{Index, Table};
use crate::sql::error::{Result, Stop};
use crate::sql::executor::index_keys::check_computed_keys;
use crate::sql::executor::write::RowWrite;
use crate::sql::executor::{Context, FrameRow, WaitTarget};
use crate::sql::plan::TARGET;
use crate::sql::types;
use crate::store::{Key, KeyProbe, Row, RowId};
use crate::trace::{SqlError, Value, Xid};

impl Context<'_> {
    /// Fills generated columns and applies NOT NULL and CHECK.
    pub fn checked(&mut self, table: &Table, mut values: Vec<Value>) -> Result<Row> {
        let before = self.run.frame[TARGET as usize].clone();
        self.fill_generated(table, &mut values)?;
        check_not_null(table, &values)?;
        let row: Row = values.into();
        self.check_conditions(table, &row)?;
        check_computed_keys(table, &row)?;
        self.run.frame[TARGET as usize] = before;
        Ok(row)
    }

    fn fill_generated(&mut self, table: &Table, values: &mut [Value]) -> Result<()> {
        if table.columns.iter().all(|column| column.generated.is_none()) {
            return Ok(());
        }
        self.run.frame[TARGET as usize] = FrameRow { row: Row::from(&*values), id: RowId(u32::MAX) };
        for (number, column) in table.columns.iter().enumerate() {
            if let Some(generated) = &column.generated {
                values[number] = self.evaluate(generated)?;
            }
        }
        Ok(())
    }

    fn check_conditions(&mut self, table: &Table, row: &Row) -> Result<()> {
        if table.checks.is_empty() {
            return Ok(());
        }
        self.run.frame[TARGET as usize] = FrameRow { row: row.clone(), id: RowId(u32::MAX) };
        for check in &table.checks {
            if self.evaluate(&check.condition)? == Value::Bool(false) {
                let mut error = SqlError::new(
                    "23514",
                    format!("new row for relation \"{}\" violates check constraint \"{}\"", table.name, check.name),
                );
                error.detail = Some(failing_row(table, row));
                error.table = Some(table.name.to_string());
                error.constraint = Some(check.name.to_string());
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Enters the new row into the indexes, after a wait from the one whose key was waited for.
    pub fn enter_keys(&mut self, writing: &mut RowWrite) -> Result<()> {
        let Some(new) = &writing.new else { return Ok(()) };
        let table = &writing.table;
        let id = writing.id.expect("its version is written");
        while let Some(index) = table.indexes.get(writing.next_index) {
            let of_index = self.engine.store.index(table.id, index.number);
            let key = of_index.key(new);
            let before = writing.old.as_ref().and_then(|old| of_index.key(old));
            if let Some(key) = key
                && Some(&key) != before.as_ref()
            {
                self.enter_key(table, index, key, id)?;
            }
            writing.next_index += 1;
        }
        Ok(())
    }

    fn enter_key(&mut self, table: &Table, index: &Index, key: Key, id: RowId) -> Result<()> {
        if index.unique && !key.has_null() {
            match self.probe(table, index.number, &key, Some(id)) {
                KeyProbe::Free => {}
                KeyProbe::Undecided(_, xid) => return Err(self.wait_for_key(table, index, &key, xid)),
                KeyProbe::Taken(_) => {
                    self.note_key(table, id, index.number, &key)?;
                    return Err(unique_violation(table, index, &key));
                }
            }
        }
        self.note_key(table, id, index.number, &key)?;
        self.engine.store.insert_key(table.id, index.number, key, id);
        Ok(())
    }

    /// Whoever searched where this key belongs comes before this transaction, whether the key can be entered or not.
    fn note_key(&mut self, table: &Table, id: RowId, index: usize, key: &Key) -> Result<()> {
        if self.engine.store.is_serializable(self.session) {
            self.engine.store.note_write(self.session, table.id, id, None, &[(index, key.clone())])?;
        }
        Ok(())
    }

    /// Stands in line for the transaction that has written the key.
    pub fn wait_for_key(&mut self, table: &Table, index: &Index, key: &Key, holder: Xid) -> Stop {
        self.run.waits_on = WaitTarget::Other(format!("key {} of {}", key_shown(&index.texts, &key.0), table.name));
        self.engine.store.wait_for_transaction(self.session, holder);
        Stop::Waits
    }
}

fn check_not_null(table: &Table, values: &[Value]) -> Result<()> {
    let null = table.live_columns().find(|(number, column)| column.not_null && values[*number] == Value::Null);
    let Some((_, column)) = null else { return Ok(()) };
    let message =
        format!("null value in column \"{}\" of relation \"{}\" violates not-null constraint", column.name, table.name);
    let mut error = SqlError::new("23502", message);
    error.detail = Some(failing_row(table, values));
    error.table = Some(table.name.to_string());
    error.column = Some(column.name.to_string());
    Err(error.into())
}

fn unique_violation(table: &Table, index: &Index, key: &Key) -> Stop {
    let mut error =
        SqlError::new("23505", format!("duplicate key value violates unique constraint \"{}\"", index.name));
    error.detail = Some(format!("Key {} already exists.", key_shown(&index.texts, &key.0)));
    error.table = Some(table.name.to_string());
    error.constraint = Some(index.name.to_string());
    error.into()
}

/// `(a, b)=(1, 2)`
pub fn key_shown(columns: &[impl AsRef<str>], values: &[Value]) -> String {
    let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    let values: Vec<String> = values.iter().map(types::print).collect();
    format!("({})=({})", columns.join(", "), values.join(", "))
}

fn failing_row(table: &Table, values: &[Value]) -> String {
    let shown = table.live_columns().map(|(number, _)| match &values[number] {
        Value::Null => "null".to_owned(),
        value => types::print(value),
    });
    format!("Failing row contains ({}).", shown.collect::<Vec<_>>().join(", "))
}
