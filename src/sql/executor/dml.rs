//! INSERT, UPDATE and DELETE. Rows are found first, by the statement's snapshot; then each is locked, checked against its
//! newest version, and written. A wait leaves the work where it stands: what is done is not done again.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::sql::Fact;
use crate::sql::binder::{Binder, Typed, assign, names_of, relation_name};
use crate::sql::budget::{printed_bytes, row_bytes};
use crate::sql::catalog::{Action, ForeignKey, Identity, Index, Table, missing_column};
use crate::sql::error::{Result, Stop, error, fail};
use crate::sql::executor::ddl::check_computed_keys;
use crate::sql::executor::epq::FoundRows;
use crate::sql::executor::{Awaited, Context, Flow, LockedRow, Standing, Standings, row_key};
use crate::sql::functions::sequence::nextval;
use crate::sql::parser::ast::{self, Ident};
use crate::sql::plan::{
    BoundQuery, BoundRows, BoundWrite, BoundWriteKind, Conflict, Expr, Found, InsertRows, LockPolicy, Returning,
    SlotSet, Source, TARGET, Write, WriteKind,
};
use crate::sql::types::{self, Type};
use crate::store::{Key, KeyProbe, Mode, Row, RowId, Stamp};
use crate::trace::{Isolation, LockStrength, SqlError, Value};

/// How far a writing statement is.
#[derive(Default)]
pub struct WriteProgress {
    found: Option<Vec<Standings>>,
    queried: Option<Vec<Row>>,
    next: usize,
    /// The values of the row being inserted: computed once, though its writing may have to wait.
    inserting: Option<Row>,
    writing: Option<RowWrite>,
    /// The writing row comes from a foreign key's action.
    tasks: VecDeque<Task>,
    pub affected: u64,
    pub returned: Vec<Vec<Value>>,
}

/// One row on its way into the table and its indexes.
struct RowWrite {
    table: Rc<Table>,
    id: Option<RowId>,
    old: Option<Row>,
    new: Option<Row>,
    written: bool,
    next_index: usize,
    replaced: Option<crate::trace::Xid>,
    /// The transaction itself had written the old row.
    own: bool,
}

/// What is checked or done when all rows of the statement are written.
enum Task {
    /// A child row must have its parent, unless it was changed once more since.
    NeedsParent { key: Rc<ForeignKey>, child: RowId, row: Row, values: Vec<Value> },
    /// A parent's key is gone or changed.
    LeftChildren { key: Rc<ForeignKey>, old: Vec<Value>, new: Option<Vec<Value>> },
    /// A child row is deleted or changed with its parent.
    Follow { key: Rc<ForeignKey>, child: RowId, row: Row, old: Vec<Value>, new: Option<Vec<Value>> },
}

// Planning

pub fn plan_insert(binder: &mut Binder, insert: &ast::Insert) -> Result<BoundWrite> {
    let name = relation_name(&insert.table)?;
    let table = binder.catalog.existing(&name)?.clone();
    binder.use_table(&table, Mode::RowExclusive);
    let slot = binder.slot(table.columns.len())?;
    assert_eq!(slot, TARGET, "the written row stands first");
    let targets: Vec<usize> = if insert.columns.is_empty() {
        table.live_columns().map(|(number, _)| number).collect()
    } else {
        let mut targets = Vec::new();
        for column in names_of(&insert.columns) {
            let Some(number) = table.column(&column) else {
                return fail("42703", format!("column \"{column}\" of relation \"{name}\" does not exist"));
            };
            if targets.contains(&number) {
                return fail("42701", format!("column \"{column}\" specified more than once"));
            }
            targets.push(number);
        }
        targets
    };
    let rows = match &insert.source {
        None => BoundRows::Listed(vec![default_row(&table, &[], Vec::new())?]),
        Some(query) => match &query.body {
            ast::SetExpr::Values(values)
                if query.with.is_none() && query.order_by.is_empty() && query.limit.is_none() =>
            {
                let mut rows = Vec::new();
                for row in values {
                    check_width(row.len(), targets.len(), insert.columns.is_empty())?;
                    let mut given = Vec::new();
                    for (expr, number) in row.iter().zip(&targets) {
                        given.push(if is_default(expr) {
                            None
                        } else {
                            Some(given_value(binder, &table, *number, expr)?)
                        });
                    }
                    rows.push(default_row(&table, &targets, given)?);
                }
                BoundRows::Listed(rows)
            }
            _ => {
                let query = binder.query_for_columns(query)?;
                check_width(query.columns.len(), targets.len(), insert.columns.is_empty())?;
                let slot = binder.slot(query.columns.len())?;
                let mut given = Vec::new();
                for (number, (column, target)) in query.columns.iter().zip(&targets).enumerate() {
                    check_identity(&table, *target)?;
                    let source = Typed { expr: Expr::Column { slot, column: number as u16 }, ty: column.ty.clone() };
                    given.push(Some(to_column(&table, *target, source)?));
                }
                let columns = default_row(&table, &targets, given)?;
                BoundRows::Queried { query, slot, columns }
            }
        },
    };
    let alias = insert.alias.as_ref().map_or_else(|| table.name.clone(), |alias| alias.name.clone());
    binder.open_scope("INSERT");
    binder.add_table_at(&table, alias, TARGET)?;
    let conflict = insert.on_conflict.as_ref().map(|on| plan_conflict(binder, &table, on)).transpose()?;
    binder.close_scope();
    binder.open_scope("RETURNING");
    let alias = insert.alias.as_ref().map_or_else(|| table.name.clone(), |alias| alias.name.clone());
    binder.add_table_at(&table, alias, TARGET)?;
    let returning = insert.returning.as_ref().map(|items| binder.returning(items)).transpose()?;
    binder.close_scope();
    Ok(BoundWrite { table, kind: BoundWriteKind::Insert { rows, conflict }, returning })
}

fn check_width(given: usize, wanted: usize, implicit: bool) -> Result<()> {
    if given > wanted {
        return fail("42601", "INSERT has more expressions than target columns");
    }
    if given < wanted && !implicit {
        return fail("42601", "INSERT has more target columns than expressions");
    }
    Ok(())
}

fn is_default(expr: &ast::Expr) -> bool {
    expr.kind == ast::ExprKind::Default
}

fn given_value(binder: &mut Binder, table: &Table, number: usize, expr: &ast::Expr) -> Result<Expr> {
    check_identity(table, number)?;
    binder.open_scope("VALUES");
    let bound = binder.expr(expr);
    binder.close_scope();
    let mut value = to_column(table, number, bound?)?;
    binder.folder.fold(&mut value);
    Ok(value)
}

fn check_identity(table: &Table, number: usize) -> Result<()> {
    let column = &table.columns[number];
    if column.identity == Some(Identity::Always) || column.generated.is_some() {
        let mut error =
            SqlError::new("428C9", format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name));
        error.detail = Some(if column.generated.is_some() {
            format!("Column \"{}\" is a generated column.", column.name)
        } else {
            format!("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name)
        });
        return Err(error.into());
    }
    Ok(())
}

fn to_column(table: &Table, number: usize, value: Typed) -> Result<Expr> {
    let column = &table.columns[number];
    let from = value.ty.name();
    assign(value, &column.ty).map_err(|stop| match stop {
        Stop::Failed(failure) if failure.sqlstate.as_str() == "42804" => error(
            "42804",
            format!("column \"{}\" is of type {} but expression is of type {from}", column.name, column.ty.name()),
        ),
        other => other,
    })
}

/// An expression for each column: what is given, else its default.
fn default_row(table: &Table, targets: &[usize], mut given: Vec<Option<Expr>>) -> Result<Vec<Expr>> {
    let mut row = Vec::with_capacity(table.columns.len());
    for (number, column) in table.columns.iter().enumerate() {
        let place = targets.iter().position(|target| *target == number).filter(|place| *place < given.len());
        let value = place.and_then(|place| given[place].take());
        row.push(value.unwrap_or_else(|| column.default.clone().unwrap_or(Expr::Const(Value::Null))));
    }
    Ok(row)
}

fn plan_conflict(binder: &mut Binder, table: &Rc<Table>, on: &ast::OnConflict) -> Result<Conflict> {
    let mut arbiters = Vec::new();
    match &on.target {
        None => {}
        Some(ast::ConflictTarget::Columns(columns)) => {
            let mut wanted = Vec::new();
            for name in names_of(columns) {
                wanted.push(table.column(&name).ok_or_else(|| missing_column(&name))?);
            }
            wanted.sort_unstable();
            for (place, index) in table.indexes.iter().enumerate() {
                let mut columns = index.plain_columns().unwrap_or_default();
                columns.sort_unstable();
                if index.unique && columns == wanted {
                    arbiters.push(place);
                }
            }
            if arbiters.is_empty() {
                return fail(
                    "42P10",
                    "there is no unique or exclusion constraint matching the ON CONFLICT specification",
                );
            }
        }
        Some(ast::ConflictTarget::Constraint(Ident { name, .. })) => {
            match table.indexes.iter().position(|index| index.constraint && index.name == *name) {
                Some(place) => arbiters.push(place),
                None => {
                    return fail("42704", format!("constraint \"{name}\" for table \"{}\" does not exist", table.name));
                }
            }
        }
    }
    let excluded = binder.slot(table.columns.len())?;
    let update = match &on.update {
        None => None,
        Some(update) => {
            if on.target.is_none() {
                return fail("42601", "ON CONFLICT DO UPDATE requires inference specification or constraint name");
            }
            binder.add_table_at(table, Rc::from("excluded"), excluded)?;
            let set = plan_set(binder, table, &update.assignments)?;
            let condition =
                update.selection.as_ref().map(|selection| binder.condition(selection, "WHERE")).transpose()?;
            Some((set, condition))
        }
    };
    Ok(Conflict { arbiters, excluded, update })
}

fn plan_set(binder: &mut Binder, table: &Rc<Table>, assignments: &[ast::Assignment]) -> Result<Vec<(usize, Expr)>> {
    let mut set: Vec<(usize, Expr)> = Vec::new();
    let mut add = |binder: &mut Binder, name: &ast::ObjectName, value: &ast::Expr| -> Result<()> {
        let column = name.0.last().map(|last| last.name.clone()).unwrap_or_default();
        let Some(number) = table.column(&column).filter(|_| name.0.len() == 1) else {
            return fail("42703", format!("column \"{column}\" of relation \"{}\" does not exist", table.name));
        };
        if set.iter().any(|(other, _)| *other == number) {
            return fail("42601", format!("multiple assignments to same column \"{column}\""));
        }
        let expr = if is_default(value) {
            table.columns[number].default.clone().unwrap_or(Expr::Const(Value::Null))
        } else {
            if table.columns[number].generated.is_some() || table.columns[number].identity == Some(Identity::Always) {
                return fail("428C9", format!("column \"{column}\" can only be updated to DEFAULT"));
            }
            let bound = binder.expr(value)?;
            let mut value = to_column(table, number, bound)?;
            binder.folder.fold(&mut value);
            value
        };
        set.push((number, expr));
        Ok(())
    };
    for assignment in assignments {
        match assignment {
            ast::Assignment::Column { column, value } => add(binder, column, value)?,
            ast::Assignment::Row { columns, values } => {
                if columns.len() != values.len() {
                    return fail("42601", "number of columns does not match number of values");
                }
                for (column, value) in columns.iter().zip(values) {
                    add(binder, column, value)?;
                }
            }
        }
    }
    Ok(set)
}

pub fn plan_update(binder: &mut Binder, update: &ast::Update) -> Result<BoundWrite> {
    let (table, alias) = target_table(binder, &update.table, update.alias.as_ref())?;
    binder.open_scope("UPDATE");
    let slot = binder.add_table(&table, alias.clone())?;
    assert_eq!(slot, TARGET, "the written row stands first");
    let mut sources = binder.more_sources(&update.from)?;
    let set = plan_set(binder, &table, &update.assignments)?;
    let (selection, returning) = (update.selection.as_ref(), update.returning.as_deref());
    let (found, returning) = find(binder, &table, alias, &mut sources, selection, returning)?;
    binder.close_scope();
    Ok(BoundWrite { table, kind: BoundWriteKind::Update { found, set }, returning })
}

pub fn plan_delete(binder: &mut Binder, delete: &ast::Delete) -> Result<BoundWrite> {
    let (table, alias) = target_table(binder, &delete.table, delete.alias.as_ref())?;
    binder.open_scope("DELETE");
    let slot = binder.add_table(&table, alias.clone())?;
    assert_eq!(slot, TARGET, "the written row stands first");
    let mut sources = binder.more_sources(&delete.using)?;
    let returning = delete.returning.as_deref();
    let (found, returning) = find(binder, &table, alias, &mut sources, delete.selection.as_ref(), returning)?;
    binder.close_scope();
    Ok(BoundWrite { table, kind: BoundWriteKind::Delete { found }, returning })
}

fn target_table(binder: &mut Binder, name: &ast::ObjectName, alias: Option<&Ident>) -> Result<(Rc<Table>, Rc<str>)> {
    let name = relation_name(name)?;
    let table = binder.catalog.existing(&name)?.clone();
    binder.use_table(&table, Mode::RowExclusive);
    Ok((table.clone(), alias.map_or_else(|| table.name.clone(), |alias| alias.name.clone())))
}

fn find(
    binder: &mut Binder,
    table: &Rc<Table>,
    alias: Rc<str>,
    others: &mut Vec<Source>,
    selection: Option<&ast::Expr>,
    returning: Option<&[ast::SelectItem]>,
) -> Result<(BoundQuery, Option<Returning>)> {
    let mut conditions = Vec::new();
    if let Some(selection) = selection {
        binder.condition(selection, "WHERE")?.conjuncts(&mut conditions);
    }
    if others.iter().any(|other| other.reads().meets(SlotSet::one(TARGET))) {
        let mut wrong = crate::sql::binder::invalid_reference(&alias);
        let hint = "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.";
        wrong.hint = Some(hint.replace("{}", &alias));
        return Err(wrong.into());
    }
    // Before the sources are settled: it may read them too.
    let returning = returning.map(|items| binder.returning(items)).transpose()?;
    let mut sources = vec![Source::Table { table: table.clone(), alias, slot: TARGET }];
    sources.append(others);
    Ok((binder.found_by(sources, conditions), returning))
}

/// What a written row takes beside its values: the version, its undoing, its entries in indexes, and the fact that tells of it.
const WRITTEN: usize = 256;

/// Bytes of all versions of all rows: there is no other disk than memory.
const DISK_MOST: usize = 256 << 20;

// Running

impl Context<'_> {
    pub fn run_write(&mut self, write: &Write, progress: &mut WriteProgress) -> Result<()> {
        self.run.writes = true;
        match &write.kind {
            WriteKind::Insert { rows, conflict } => self.run_insert(write, rows, conflict.as_ref(), progress)?,
            WriteKind::Update { found, set } => self.run_changes(write, found, Some(set), progress)?,
            WriteKind::Delete { found } => self.run_changes(write, found, None, progress)?,
        }
        self.run_tasks(progress)?;
        self.count_loop(write.stage.id);
        self.count_rows(write.stage.id, progress.returned.len());
        if let WriteKind::Insert { rows: InsertRows::Listed { rows, stage }, .. } = &write.kind {
            self.count_loop(stage.id);
            self.count_rows(stage.id, rows.len());
        }
        Ok(())
    }

    fn returned(&mut self, write: &Write, progress: &mut WriteProgress) -> Result<()> {
        progress.affected += 1;
        if let Some((exprs, _)) = &write.returning {
            let row = self.evaluate_all(exprs)?;
            self.run.budget.keep(printed_bytes(&row))?;
            progress.returned.push(row);
        }
        Ok(())
    }

    fn run_insert(
        &mut self,
        write: &Write,
        rows: &InsertRows,
        conflict: Option<&Conflict>,
        progress: &mut WriteProgress,
    ) -> Result<()> {
        if let (InsertRows::Queried { query, .. }, None) = (rows, &progress.queried) {
            let (queried, _) = self.rows(query, row_bytes)?;
            progress.queried = Some(queried.into_iter().map(Row::from).collect());
        }
        loop {
            if progress.inserting.is_none() {
                let exprs = match rows {
                    InsertRows::Listed { rows, .. } => match rows.get(progress.next) {
                        Some(exprs) => exprs,
                        None => return Ok(()),
                    },
                    InsertRows::Queried { slot, columns, .. } => {
                        let Some(row) = progress.queried.as_ref().and_then(|rows| rows.get(progress.next)) else {
                            return Ok(());
                        };
                        self.run.frame[*slot as usize] = Standing { row: row.clone(), id: RowId(u32::MAX) };
                        columns
                    }
                };
                let values = self.evaluate_all(exprs)?;
                progress.inserting = Some(self.checked(&write.table, values)?);
            }
            let row = progress.inserting.clone().expect("computed above");
            let mut settled = true;
            if progress.writing.is_none()
                && let Some(conflict) = conflict
            {
                settled = !self.meets_conflict(write, conflict, &row, progress)?;
            }
            if settled {
                if progress.writing.is_none() {
                    progress.writing = Some(RowWrite::new(&write.table, None, None, Some(row.clone())));
                }
                // After a wait this may be the row that ON CONFLICT updates.
                let shown = progress.writing.as_ref().and_then(|writing| writing.new.clone()).unwrap_or(row);
                let id = self.advance(progress)?;
                self.run.frame[TARGET as usize] = Standing { row: shown, id };
                self.returned(write, progress)?;
            }
            progress.inserting = None;
            progress.next += 1;
        }
    }

    /// ON CONFLICT: true if a conflicting row is there and has been dealt with.
    fn meets_conflict(
        &mut self,
        write: &Write,
        conflict: &Conflict,
        row: &Row,
        progress: &mut WriteProgress,
    ) -> Result<bool> {
        // A row that follows from a conflict is written to its end before anything is looked at anew.
        let table = &write.table;
        for (place, index) in table.indexes.iter().enumerate() {
            if !index.unique || !(conflict.arbiters.is_empty() || conflict.arbiters.contains(&place)) {
                continue;
            }
            let Some(key) = self.engine.store.index(table.id, index.number).key(row).filter(|key| !key.has_null())
            else {
                continue;
            };
            let id = match self.probe(table, index.number, &key, None) {
                KeyProbe::Free => continue,
                KeyProbe::Undecided(_, xid) => {
                    self.engine.store.assign_xid(self.session);
                    return self.wait_for_key(table, index, &key, xid);
                }
                KeyProbe::Taken(id) => id,
            };
            let fixed = self.engine.store.isolation(self.session) != Isolation::ReadCommitted;
            let own = self.engine.store.xid(self.session);
            let newest = self.engine.store.table(table.id).chain(id).newest().clone();
            let is_own = newest.stamp == Stamp::RUNNING && Some(newest.xid) == own;
            if fixed && !is_own && newest.stamp > self.run.snapshot.stamp {
                return fail("40001", "could not serialize access due to concurrent update");
            }
            let Some((set, condition)) = &conflict.update else { return Ok(true) };
            if is_own && newest.command >= self.engine.store.command(self.session) {
                let mut error = SqlError::new("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time");
                error.hint = Some(
                    "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.".to_owned(),
                );
                return Err(error.into());
            }
            let Some(existing) = newest.row.clone() else { continue };
            self.run.frame[TARGET as usize] = Standing { row: existing, id };
            self.run.frame[conflict.excluded as usize] = Standing { row: row.clone(), id: RowId(u32::MAX) };
            let strength = self.strength_of(table, set.iter().map(|(column, _)| *column));
            match self.lock_row(table, TARGET, strength, LockPolicy::Wait)? {
                LockedRow::Same | LockedRow::Changed => {}
                LockedRow::Gone | LockedRow::Skipped | LockedRow::Own => {
                    return self.meets_conflict(write, conflict, row, progress);
                }
            }
            let current = self.run.frame[TARGET as usize].row.clone();
            if self.engine.store.index(table.id, index.number).key(&current).as_ref() != Some(&key) {
                return self.meets_conflict(write, conflict, row, progress);
            }
            if let Some(condition) = condition
                && !self.holds(condition)?
            {
                return Ok(true);
            }
            let new = self.changed_row(table, &current, set)?;
            progress.writing = Some(RowWrite::new(table, Some(id), Some(current), Some(new.clone())));
            self.advance(progress)?;
            self.run.frame[TARGET as usize] = Standing { row: new, id };
            self.returned(write, progress)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// What UPDATE locks: the key's lock only where a key column is set.
    fn strength_of(&self, table: &Table, mut columns: impl Iterator<Item = usize>) -> LockStrength {
        if columns.any(|column| table.is_key_column(column)) { LockStrength::Update } else { LockStrength::NoKeyUpdate }
    }

    fn run_changes(
        &mut self,
        write: &Write,
        found: &Found,
        set: Option<&Vec<(usize, Expr)>>,
        progress: &mut WriteProgress,
    ) -> Result<()> {
        let slots: Vec<u16> = found.slots.iter().collect();
        if progress.found.is_none() {
            let mut rows: Vec<Standings> = Vec::new();
            // Held until the statement ends.
            let mut held = 0;
            self.run_node(&found.node, &mut |context| {
                rows.push(context.keep_held(&slots, &mut held)?);
                Ok(Flow::More)
            })?;
            progress.found = Some(rows);
        }
        let table = &write.table;
        loop {
            let Some(kept) = progress.found.as_ref().and_then(|rows| rows.get(progress.next)).cloned() else {
                return Ok(());
            };
            self.put_back(&slots, &kept);
            let id = self.run.frame[TARGET as usize].id;
            if progress.writing.is_none() {
                let old = self.run.frame[TARGET as usize].row.clone();
                let mut new = match set {
                    Some(set) => Some(self.changed_row(table, &old, set)?),
                    None => None,
                };
                let strength = match &new {
                    Some(new) => key_strength(table, &old, new),
                    None => LockStrength::Update,
                };
                match self.lock_row(table, TARGET, strength, LockPolicy::Wait)? {
                    LockedRow::Same => {}
                    LockedRow::Changed => {
                        let before = FoundRows::from_iter([(TARGET, kept[0].clone())]);
                        if !self.epq_recheck(&found.recheck, &before)? {
                            progress.next += 1;
                            continue;
                        }
                        let current = self.run.frame[TARGET as usize].row.clone();
                        if let Some(set) = set {
                            let changed = self.changed_row(table, &current, set)?;
                            if key_strength(table, &current, &changed) > strength {
                                self.lock_row(table, TARGET, LockStrength::Update, LockPolicy::Wait)?;
                            }
                            new = Some(changed);
                        }
                    }
                    LockedRow::Gone | LockedRow::Skipped | LockedRow::Own => {
                        progress.next += 1;
                        continue;
                    }
                }
                let old = self.run.frame[TARGET as usize].row.clone();
                progress.writing = Some(RowWrite::new(table, Some(id), Some(old), new));
            }
            let (old, new) = {
                let writing = progress.writing.as_ref().expect("made above");
                (writing.old.clone(), writing.new.clone())
            };
            self.advance(progress)?;
            if let Some(shown) = new.or(old) {
                self.run.frame[TARGET as usize] = Standing { row: shown, id };
            }
            self.returned(write, progress)?;
            progress.next += 1;
        }
    }

    fn changed_row(&mut self, table: &Table, old: &Row, set: &[(usize, Expr)]) -> Result<Row> {
        let mut values: Vec<Value> = old.to_vec();
        for (column, expr) in set {
            values[*column] = self.evaluate(expr)?;
        }
        self.checked(table, values)
    }

    /// Fills generated columns and applies NOT NULL and CHECK.
    fn checked(&mut self, table: &Table, mut values: Vec<Value>) -> Result<Row> {
        let has_generated = table.columns.iter().any(|column| column.generated.is_some());
        let before = self.run.frame[TARGET as usize].clone();
        if has_generated {
            self.run.frame[TARGET as usize] = Standing { row: values.clone().into(), id: RowId(u32::MAX) };
            for (number, column) in table.columns.iter().enumerate() {
                if let Some(generated) = &column.generated {
                    values[number] = self.evaluate(generated)?;
                }
            }
        }
        for (number, column) in table.live_columns() {
            if column.not_null && values[number] == Value::Null {
                let mut error = SqlError::new(
                    "23502",
                    format!(
                        "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                        column.name, table.name
                    ),
                );
                error.detail = Some(failing_row(table, &values));
                error.table = Some(table.name.to_string());
                error.column = Some(column.name.to_string());
                return Err(error.into());
            }
        }
        let row: Row = values.into();
        if !table.checks.is_empty() {
            self.run.frame[TARGET as usize] = Standing { row: row.clone(), id: RowId(u32::MAX) };
            for check in &table.checks {
                if self.evaluate(&check.condition)? == Value::Bool(false) {
                    let mut error = SqlError::new(
                        "23514",
                        format!("new row for relation \"{}\" violates check constraint \"{}\"", table.name, check.name),
                    );
                    error.detail = Some(failing_row(table, &row));
                    error.table = Some(table.name.to_string());
                    error.constraint = Some(check.name.to_string());
                    return Err(error.into());
                }
            }
        }
        check_computed_keys(table, &row)?;
        self.run.frame[TARGET as usize] = before;
        Ok(row)
    }

    /// Writes the row in progress and enters it into the indexes.
    fn advance(&mut self, progress: &mut WriteProgress) -> Result<RowId> {
        let writing = progress.writing.as_mut().expect("a row is being written");
        let table = writing.table.clone();
        if !writing.written {
            if self.engine.store.bytes() > DISK_MOST {
                let mut full = SqlError::new(
                    "53100",
                    format!("could not extend relation \"{}\": No space left on device", table.name),
                );
                full.hint = Some(format!("A database may have {} MB here.", DISK_MOST >> 20));
                return Err(full.into());
            }
            let bytes = WRITTEN + writing.new.as_ref().map_or(0, |row| row_bytes(row));
            self.run.budget.keep(bytes)?;
            writing.written = true;
            match writing.id {
                None => {
                    let row = writing.new.clone().expect("an inserted row has values");
                    writing.id = Some(self.engine.store.insert(self.session, table.id, row));
                }
                Some(id) => {
                    let chain = self.engine.store.table(table.id).chain(id);
                    writing.replaced = chain.newest_committed().map(|version| version.xid);
                    writing.own = Some(chain.newest().xid) == self.engine.store.xid(self.session);
                    self.engine.store.write(self.session, table.id, id, writing.new.clone());
                }
            }
            self.run.snapshot.own = self.engine.store.xid(self.session);
            // Before its keys are looked at: a serialization failure comes before a unique violation.
            let (id, replaced) = (writing.id.expect("written above"), writing.replaced);
            self.engine.store.note_write(self.session, table.id, id, replaced, &[])?;
        }
        let id = writing.id.expect("written above");
        if let Some(new) = writing.new.clone() {
            while let Some(index) = table.indexes.get(writing.next_index) {
                let store = &self.engine.store;
                let key = store.index(table.id, index.number).key(&new);
                let before = writing.old.as_ref().and_then(|old| store.index(table.id, index.number).key(old));
                if let Some(key) = key
                    && Some(&key) != before.as_ref()
                {
                    if index.unique && !key.has_null() {
                        match self.engine.store.probe_key(self.session, table.id, index.number, &key, Some(id)) {
                            KeyProbe::Free => {}
                            KeyProbe::Undecided(_, xid) => {
                                return self.wait_for_key(&table, index, &key, xid);
                            }
                            KeyProbe::Taken(_) => {
                                self.note_key(&table, id, index.number, &key)?;
                                return Err(unique_violation(&table, index, &key));
                            }
                        }
                    }
                    self.note_key(&table, id, index.number, &key)?;
                    self.engine.store.insert_key(table.id, index.number, key, id);
                }
                writing.next_index += 1;
            }
        }
        let done = progress.writing.take().expect("a row is being written");
        self.run.rows_written += 1;
        let shown = Standing { row: done.new.clone().or_else(|| done.old.clone()).expect("one of both"), id };
        if let (None, Some(xid)) = (table.temporary, self.engine.store.xid(self.session)) {
            self.run.facts.push(Fact::Written {
                xid,
                table: table.name.clone(),
                key: row_key(&table, &shown),
                values: done.new.clone(),
                replaced: done.replaced.filter(|xid| xid.0 > self.engine.settled_xid.0),
            });
        }
        // PostgreSQL does not know whether the parent of a row of its own transaction was ever looked for.
        let new = done.new.as_ref().map(|new| (id, new));
        self.queue_tasks(&table, done.old.as_ref(), done.own, new, progress);
        Ok(id)
    }

    /// Whoever searched where this key belongs comes before this transaction, whether the key can be entered or not.
    fn note_key(&mut self, table: &Table, id: RowId, index: usize, key: &Key) -> Result<()> {
        if self.engine.store.is_serializable(self.session) {
            self.engine.store.note_write(self.session, table.id, id, None, &[(index, key.clone())])?;
        }
        Ok(())
    }

    fn wait_for_key<T>(&mut self, table: &Table, index: &Index, key: &Key, holder: crate::trace::Xid) -> Result<T> {
        let values: Vec<String> = key.0.iter().map(types::print).collect();
        let (columns, values) = (index.texts.join(", "), values.join(", "));
        self.run.waits_on = Awaited::Other(format!("key ({columns})=({values}) of {}", table.name));
        self.engine.store.wait_for_transaction(self.session, holder);
        Err(Stop::Waits)
    }

    // Foreign keys

    fn queue_tasks(
        &mut self,
        table: &Rc<Table>,
        old: Option<&Row>,
        own: bool,
        new: Option<(RowId, &Row)>,
        progress: &mut WriteProgress,
    ) {
        let pick = |row: &Row, columns: &[usize]| -> Vec<Value> {
            columns.iter().map(|column| row[*column].clone()).collect()
        };
        let same = |a: &[Value], b: &[Value]| a.iter().zip(b).all(|(x, y)| crate::store::compare(x, y).is_eq());
        // PostgreSQL's order: by what follows from a key of its own a row may change once more before its parents are looked for.
        if let Some(old) = old {
            for key in &table.referenced_by {
                let before = pick(old, &key.parent_columns);
                let after = new.map(|(_, new)| pick(new, &key.parent_columns));
                let unchanged = after.as_ref().is_some_and(|after| same(&before, after));
                if !unchanged && !before.contains(&Value::Null) {
                    progress.tasks.push_back(Task::LeftChildren { key: key.clone(), old: before, new: after });
                }
            }
        }
        if let Some((child, new)) = new {
            for key in &table.foreign_keys {
                let values = pick(new, &key.child_columns);
                let unchanged = old.is_some_and(|old| same(&pick(old, &key.child_columns), &values));
                if (own || !unchanged) && !values.contains(&Value::Null) {
                    progress.tasks.push_back(Task::NeedsParent { key: key.clone(), child, row: new.clone(), values });
                }
            }
        }
    }

    fn run_tasks(&mut self, progress: &mut WriteProgress) -> Result<()> {
        loop {
            if progress.writing.is_some() {
                self.advance(progress)?;
                progress.tasks.pop_front();
                continue;
            }
            let Some(task) = progress.tasks.front() else { return Ok(()) };
            match task {
                Task::NeedsParent { key, child, row, values } => {
                    let newest = self.engine.store.table(key.child).chain(*child).newest();
                    let (key, values) = (key.clone(), values.clone());
                    if newest.row.as_ref().is_some_and(|newest| Rc::ptr_eq(newest, row)) {
                        self.find_parent(&key, &values)?;
                    }
                    progress.tasks.pop_front();
                }
                Task::LeftChildren { key, old, new } => {
                    let (key, old, new) = (key.clone(), old.clone(), new.clone());
                    let follow = self.children_left(&key, &old, new.as_ref())?;
                    progress.tasks.pop_front();
                    for task in follow.into_iter().rev() {
                        progress.tasks.push_front(task);
                    }
                }
                Task::Follow { key, child, row, old, new } => {
                    let (key, child, row, old, new) = (key.clone(), *child, row.clone(), old.clone(), new.clone());
                    match self.follow_parent(&key, child, row, &old, new.as_ref())? {
                        // The task stays in front until its row is written: a wait comes back to it.
                        Some(writing) => progress.writing = Some(writing),
                        None => {
                            progress.tasks.pop_front();
                        }
                    }
                }
            }
        }
    }

    fn check_snapshot(&mut self) {
        self.run.snapshot = if self.engine.store.isolation(self.session) == Isolation::ReadCommitted {
            self.engine.store.latest_snapshot(self.session)
        } else {
            self.engine.store.after_snapshot(self.session)
        };
    }

    fn find_parent(&mut self, key: &ForeignKey, values: &[Value]) -> Result<()> {
        let catalog_tables =
            (self.engine.catalog.table_by_id(key.parent).cloned(), self.engine.catalog.table_by_id(key.child).cloned());
        let (Some(parent), Some(child)) = catalog_tables else { return Ok(()) };
        self.lock_table(&parent, Mode::RowShare, true)?;
        loop {
            self.check_snapshot();
            let found = self.rows_with(&parent, &key.parent_columns, values)?;
            let Some((id, row)) = found.into_iter().next() else {
                let mut error = SqlError::new(
                    "23503",
                    format!(
                        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                        child.name, key.name
                    ),
                );
                error.detail = Some(format!(
                    "Key {} is not present in table \"{}\".",
                    key_detail(&child, &key.child_columns, values),
                    parent.name
                ));
                error.table = Some(child.name.to_string());
                error.constraint = Some(key.name.to_string());
                return Err(error.into());
            };
            self.run.frame[TARGET as usize] = Standing { row, id };
            match self.lock_row(&parent, TARGET, LockStrength::KeyShare, LockPolicy::Wait)? {
                LockedRow::Same | LockedRow::Own => return Ok(()),
                LockedRow::Changed => {
                    let row = &self.run.frame[TARGET as usize].row;
                    let same = key
                        .parent_columns
                        .iter()
                        .zip(values)
                        .all(|(column, value)| crate::store::compare(&row[*column], value).is_eq());
                    if same {
                        return Ok(());
                    }
                }
                LockedRow::Gone | LockedRow::Skipped => {}
            }
        }
    }

    fn children_left(&mut self, key: &Rc<ForeignKey>, old: &[Value], new: Option<&Vec<Value>>) -> Result<Vec<Task>> {
        let catalog_tables =
            (self.engine.catalog.table_by_id(key.parent).cloned(), self.engine.catalog.table_by_id(key.child).cloned());
        let (Some(parent), Some(child)) = catalog_tables else { return Ok(Vec::new()) };
        let action = if new.is_some() { key.on_update } else { key.on_delete };
        let looks = matches!(action, Action::NoAction | Action::Restrict);
        self.lock_table(&child, if looks { Mode::RowShare } else { Mode::RowExclusive }, true)?;
        self.run.snapshot = self.engine.store.latest_snapshot(self.session);
        if action == Action::NoAction && !self.rows_with(&parent, &key.parent_columns, old)?.is_empty() {
            // Another row has taken the key over.
            return Ok(Vec::new());
        }
        let children = self.rows_with(&child, &key.child_columns, old)?;
        match action {
            Action::NoAction | Action::Restrict => {
                for (id, row) in children {
                    self.run.frame[TARGET as usize] = Standing { row, id };
                    match self.lock_row(&child, TARGET, LockStrength::KeyShare, LockPolicy::Wait)? {
                        LockedRow::Gone | LockedRow::Skipped => continue,
                        LockedRow::Changed => {
                            let row = &self.run.frame[TARGET as usize].row;
                            let same = key
                                .child_columns
                                .iter()
                                .zip(old)
                                .all(|(column, value)| crate::store::compare(&row[*column], value).is_eq());
                            if !same {
                                continue;
                            }
                        }
                        LockedRow::Same | LockedRow::Own => {}
                    }
                    let mut error = SqlError::new(
                        "23503",
                        format!(
                            "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                            parent.name, key.name, child.name
                        ),
                    );
                    error.detail = Some(format!(
                        "Key {} is still referenced from table \"{}\".",
                        key_detail(&parent, &key.parent_columns, old),
                        child.name
                    ));
                    error.table = Some(child.name.to_string());
                    error.constraint = Some(key.name.to_string());
                    return Err(error.into());
                }
                Ok(Vec::new())
            }
            Action::Cascade | Action::SetNull | Action::SetDefault => Ok(children
                .into_iter()
                .map(|(child, row)| Task::Follow { key: key.clone(), child, row, old: old.to_vec(), new: new.cloned() })
                .collect()),
        }
    }

    fn follow_parent(
        &mut self,
        key: &ForeignKey,
        id: RowId,
        row: Row,
        old: &[Value],
        new: Option<&Vec<Value>>,
    ) -> Result<Option<RowWrite>> {
        let Some(child) = self.engine.catalog.table_by_id(key.child).cloned() else { return Ok(None) };
        self.check_snapshot();
        self.run.frame[TARGET as usize] = Standing { row, id };
        let action = if new.is_some() { key.on_update } else { key.on_delete };
        let deletes = action == Action::Cascade && new.is_none();
        let strength =
            if deletes { LockStrength::Update } else { self.strength_of(&child, key.child_columns.iter().copied()) };
        match self.lock_row(&child, TARGET, strength, LockPolicy::Wait)? {
            LockedRow::Gone | LockedRow::Skipped => return Ok(None),
            LockedRow::Same | LockedRow::Changed | LockedRow::Own => {}
        }
        let current = self.run.frame[TARGET as usize].row.clone();
        let same = key
            .child_columns
            .iter()
            .zip(old)
            .all(|(column, value)| crate::store::compare(&current[*column], value).is_eq());
        if !same {
            return Ok(None);
        }
        let changed = if deletes {
            None
        } else {
            let mut values = current.to_vec();
            for (place, column) in key.child_columns.iter().enumerate() {
                values[*column] = match (action, new) {
                    (Action::Cascade, Some(new)) => new[place].clone(),
                    (Action::SetDefault, _) => match child.columns[*column].default.clone() {
                        Some(default) => self.evaluate(&default)?,
                        None => Value::Null,
                    },
                    _ => Value::Null,
                };
            }
            Some(self.checked(&child, values)?)
        };
        Ok(Some(RowWrite::new(&child, Some(id), Some(current), changed)))
    }

    /// Rows the current snapshot sees with these values, by an index where there is one.
    fn rows_with(&mut self, table: &Rc<Table>, columns: &[usize], values: &[Value]) -> Result<Vec<(RowId, Row)>> {
        let index = table.indexes.iter().find_map(|index| {
            let plain = index.plain_columns()?;
            let leading = plain.get(..columns.len())?;
            let order: Option<Vec<usize>> =
                leading.iter().map(|column| columns.iter().position(|wanted| wanted == column)).collect();
            Some((index.number, order?))
        });
        let fits = |row: &Row| {
            columns.iter().zip(values).all(|(column, value)| crate::store::compare(&row[*column], value).is_eq())
        };
        let mut found = Vec::new();
        match index {
            Some((number, order)) => {
                let key = Key(order.iter().map(|place| values[*place].clone()).collect());
                let bounds = crate::store::Bounds::equal_to(&key);
                if self.engine.store.is_serializable(self.session) {
                    let columns = self.engine.store.index(table.id, number).columns();
                    let predicate = crate::store::Predicate::Range { index: number, bounds: bounds.clone(), columns };
                    self.engine.store.note_search(self.session, table.id, predicate);
                }
                let mut entries = Vec::new();
                self.engine.store.index(table.id, number).read(&bounds, false, None, usize::MAX, &mut entries);
                for entry in entries {
                    self.run.rows_read += 1;
                    self.note_row(table, entry.row)?;
                    if let Some(version) =
                        self.engine.store.table(table.id).chain(entry.row).visible(&self.run.snapshot)
                        && let Some(row) = version.row.as_ref().filter(|row| fits(row))
                    {
                        found.push((entry.row, row.clone()));
                    }
                }
            }
            None => {
                if self.engine.store.is_serializable(self.session) {
                    self.engine.store.note_search(self.session, table.id, crate::store::Predicate::Table);
                }
                for number in 0..self.engine.store.table(table.id).row_end() {
                    let id = RowId(number);
                    self.note_row(table, id)?;
                    if let Some(version) = self.engine.store.table(table.id).chain(id).visible(&self.run.snapshot) {
                        self.run.rows_read += 1;
                        self.run.rows_scanned += 1;
                        if let Some(row) = version.row.as_ref().filter(|row| fits(row)) {
                            found.push((id, row.clone()));
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    fn note_row(&mut self, table: &Table, id: RowId) -> Result<()> {
        if self.engine.store.is_serializable(self.session) {
            let snapshot = self.run.snapshot;
            self.engine.store.note_read(self.session, table.id, id, &snapshot)?;
        }
        Ok(())
    }
}

impl RowWrite {
    fn new(table: &Rc<Table>, id: Option<RowId>, old: Option<Row>, new: Option<Row>) -> RowWrite {
        RowWrite { table: table.clone(), id, old, new, written: false, next_index: 0, replaced: None, own: false }
    }
}

/// UPDATE takes the key's lock only where a key changes its value.
fn key_strength(table: &Table, old: &Row, new: &Row) -> LockStrength {
    let changes_key = (0..table.columns.len())
        .any(|column| table.is_key_column(column) && crate::store::compare(&old[column], &new[column]).is_ne());
    if changes_key { LockStrength::Update } else { LockStrength::NoKeyUpdate }
}

pub fn unique_violation(table: &Table, index: &Index, key: &Key) -> Stop {
    let mut error =
        SqlError::new("23505", format!("duplicate key value violates unique constraint \"{}\"", index.name));
    let values: Vec<String> = key.0.iter().map(types::print).collect();
    error.detail = Some(format!("Key ({})=({}) already exists.", index.texts.join(", "), values.join(", ")));
    error.table = Some(table.name.to_string());
    error.constraint = Some(index.name.to_string());
    error.into()
}

fn key_detail(table: &Table, columns: &[usize], values: &[Value]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| &*table.columns[*column].name).collect();
    let values: Vec<String> = values.iter().map(types::print).collect();
    format!("({})=({})", names.join(", "), values.join(", "))
}

fn failing_row(table: &Table, values: &[Value]) -> String {
    let shown: Vec<String> = table
        .live_columns()
        .map(
            |(number, _)| if values[number] == Value::Null { "null".to_owned() } else { types::print(&values[number]) },
        )
        .collect();
    format!("Failing row contains ({}).", shown.join(", "))
}

/// The default of a SERIAL or IDENTITY column.
pub fn sequence_default(sequence: &str, ty: &Type) -> Result<Expr> {
    let expr = Expr::Call { function: nextval(), arguments: vec![Expr::Const(types::text(sequence))] };
    assign(Typed { expr, ty: Type::Int8 }, ty)
}
