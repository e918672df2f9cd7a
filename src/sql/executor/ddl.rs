//! CREATE, ALTER, DROP and TRUNCATE. Each takes the table for itself, so no other session sees a change half done.

use std::rc::Rc;

use crate::sql::binder::{Binder, Typed, assign, names_of, relation_name, type_of};
use crate::sql::catalog::{Action, Check, Column, ForeignKey, Identity, Index, Table, missing_column};
use crate::sql::error::{Result, Stop, error, fail, refuse};
use crate::sql::executor::sequences::sequence_with;
use crate::sql::executor::temporary::{check_key, of_table};
use crate::sql::executor::{Context, Standing};
use crate::sql::expr::{OneRow, eval, holds};
use crate::sql::functions::sequence::nextval;
use crate::sql::optimizer::const_fold::is_immutable;
use crate::sql::parser::ast::{self, ColumnConstraintKind, TableConstraintKind};
use crate::sql::plan::Expr;
use crate::sql::types::{self, Type};
use crate::store::{Index as StoreIndex, Key, KeySource, Mode, Row, RowId, Tag};
use crate::trace::{SessionId, SqlError, Value};

/// The words PostgreSQL names a statement by in a message.
fn verb_of(statement: &ast::Statement) -> &'static str {
    use ast::Statement;
    match statement {
        Statement::CreateTable(_) => "CREATE TABLE",
        Statement::CreateIndex(_) => "CREATE INDEX",
        Statement::CreateSequence(_) => "CREATE SEQUENCE",
        Statement::AlterTable(_) => "ALTER TABLE",
        Statement::Drop(drop) => verb_of_drop(drop.kind),
        Statement::Truncate(_) => "TRUNCATE TABLE",
        _ => "ANALYZE",
    }
}

fn verb_of_drop(kind: ast::ObjectKind) -> &'static str {
    match kind {
        ast::ObjectKind::Table => "DROP TABLE",
        ast::ObjectKind::Index => "DROP INDEX",
        ast::ObjectKind::Sequence => "DROP SEQUENCE",
    }
}

impl Context<'_> {
    /// Runs a statement that changes the catalog; gives its command tag.
    pub fn run_ddl(&mut self, statement: &ast::Statement) -> Result<String> {
        if self.read_only {
            return fail("25006", format!("cannot execute {} in a read-only transaction", verb_of(statement)));
        }
        match statement {
            ast::Statement::CreateTable(create) => self.create_table(create),
            ast::Statement::CreateIndex(create) => self.create_index(create),
            ast::Statement::AlterTable(alter) => self.alter_table(alter),
            ast::Statement::Drop(drop) => self.drop_relations(drop),
            ast::Statement::Truncate(truncate) => {
                let names: Result<Vec<Rc<str>>> = truncate.tables.iter().map(relation_name).collect();
                self.truncate(&names?, truncate.restart_identity)
            }
            ast::Statement::CreateSequence(create) => self.create_sequence(create),
            ast::Statement::Analyze => Ok("ANALYZE".to_owned()),
            _ => refuse("this statement"),
        }
    }

    pub fn already_there(&mut self, name: &str, accepted: bool, tag: &str) -> Result<String> {
        if !accepted {
            return fail("42P07", format!("relation \"{name}\" already exists"));
        }
        self.notice("NOTICE", "42P07", format!("relation \"{name}\" already exists, skipping"));
        Ok(tag.to_owned())
    }

    fn create_table(&mut self, create: &ast::CreateTable) -> Result<String> {
        let temporary = of_table(create, self.session)?;
        let name = relation_name(&create.name)?;
        if self.engine.catalog.has_relation(&name, temporary.map(|it| it.session)) {
            return self.already_there(&name, create.if_not_exists, "CREATE TABLE");
        }
        let id = self.engine.store.create_table(self.session);
        let mut table = Table {
            id,
            name: name.clone(),
            columns: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            referenced_by: Vec::new(),
            temporary,
        };
        self.engine.store.lock(self.session, Tag::Table(id), Mode::AccessExclusive, true);
        let mut later: Vec<(Option<Rc<str>>, ast::TableConstraint)> = Vec::new();
        for definition in &create.columns {
            self.add_column(&mut table, definition, &mut later)?;
        }
        for constraint in &create.constraints {
            later.push((None, constraint.clone()));
        }
        // The primary key first: other constraints may lean on it.
        later.sort_by_key(|(_, constraint)| match constraint.kind {
            TableConstraintKind::PrimaryKey(_) => 0,
            TableConstraintKind::Unique(_) => 1,
            TableConstraintKind::Check(_) => 2,
            TableConstraintKind::ForeignKey { .. } => 3,
        });
        let mut defaults = Vec::new();
        for definition in &create.columns {
            for constraint in &definition.constraints {
                match &constraint.kind {
                    ColumnConstraintKind::Default(expr) => defaults.push((&definition.name.name, expr, false)),
                    ColumnConstraintKind::Generated(expr) => defaults.push((&definition.name.name, expr, true)),
                    _ => {}
                }
            }
        }
        let generated = defaults.iter().filter(|(_, _, generated)| *generated);
        let generated_columns: Vec<usize> = generated.filter_map(|(column, ..)| table.column(column)).collect();
        for (column, expr, generated) in defaults {
            let number = table.column(column).expect("just added");
            if !generated && generated_columns.contains(&number) {
                return fail(
                    "42601",
                    format!(
                        "both default and generation expression specified for column \"{column}\" of table \"{name}\""
                    ),
                );
            }
            let bound = self.bind_for(&table, number, expr, generated)?;
            if generated {
                check_generated(&table, &bound, &generated_columns)?;
                table.columns[number].generated = Some(bound)
            } else {
                table.columns[number].default = Some(bound)
            }
        }
        self.engine.catalog.put(table);
        for (column, constraint) in later {
            self.add_constraint(&name, column.as_deref(), &constraint)?;
        }
        Ok("CREATE TABLE".to_owned())
    }

    fn add_column(
        &mut self,
        table: &mut Table,
        definition: &ast::ColumnDef,
        later: &mut Vec<(Option<Rc<str>>, ast::TableConstraint)>,
    ) -> Result<()> {
        let name = definition.name.name.clone();
        if table.column(&name).is_some() {
            return fail("42701", format!("column \"{name}\" specified more than once"));
        }
        let serial = serial_type(&definition.data_type)?;
        let ty = match &serial {
            Some(ty) => ty.clone(),
            None => type_of(&definition.data_type)?,
        };
        let mut column = Column {
            name: name.clone(),
            ty: ty.clone(),
            not_null: false,
            default: None,
            identity: None,
            generated: None,
            dropped: false,
        };
        if serial.is_some() {
            column.not_null = true;
            column.default = Some(self.owned_sequence(table, &name, &ty, &[])?);
        }
        for constraint in &definition.constraints {
            let own = || vec![definition.name.clone()];
            let kind = match &constraint.kind {
                ColumnConstraintKind::Null | ColumnConstraintKind::Default(_) | ColumnConstraintKind::Generated(_) => {
                    continue;
                }
                ColumnConstraintKind::NotNull => {
                    column.not_null = true;
                    continue;
                }
                ColumnConstraintKind::Identity { always, options } => {
                    column.not_null = true;
                    column.identity = Some(if *always { Identity::Always } else { Identity::ByDefault });
                    column.default = Some(self.owned_sequence(table, &name, &ty, options)?);
                    continue;
                }
                ColumnConstraintKind::PrimaryKey => {
                    column.not_null = true;
                    TableConstraintKind::PrimaryKey(own())
                }
                ColumnConstraintKind::Unique => TableConstraintKind::Unique(own()),
                ColumnConstraintKind::Check(condition) => TableConstraintKind::Check(condition.clone()),
                ColumnConstraintKind::References(references) => {
                    TableConstraintKind::ForeignKey { columns: own(), references: references.clone() }
                }
            };
            let (own_name, deferrable) = (constraint.name.clone(), constraint.deferrable);
            later.push((Some(name.clone()), ast::TableConstraint { name: own_name, kind, deferrable }));
        }
        table.columns.push(column);
        Ok(())
    }

    fn owned_sequence(
        &mut self,
        table: &Table,
        column: &str,
        ty: &Type,
        options: &[ast::SequenceOption],
    ) -> Result<Expr> {
        let temporary = table.temporary.map(|it| it.session);
        let name = self.free_name(&format!("{}_{column}_seq", table.name), temporary);
        let mut sequence = sequence_with(name.clone(), ty, options)?;
        sequence.owner = Some(table.id);
        sequence.temporary = temporary;
        self.engine.catalog.put_sequence(sequence);
        sequence_default(&name, ty)
    }

    /// A default or generated column's expression; only the latter may look at the row.
    fn bind_for(&mut self, table: &Table, column: usize, expr: &ast::Expr, sees_row: bool) -> Result<Expr> {
        let shared = Rc::new(table.clone());
        let mut binder = Binder::new(&self.engine.catalog, &self.engine.store, &[]);
        binder.open_scope(if sees_row { "column generation expressions" } else { "DEFAULT expressions" });
        if sees_row {
            binder.add_table(&shared, table.name.clone())?;
        }
        let bound = binder.expr(expr)?;
        binder.close_scope();
        let from = bound.ty.name();
        let definition = &table.columns[column];
        assign(bound, &definition.ty).map_err(|stop| match stop {
            Stop::Failed(failure) if failure.sqlstate.as_str() == "42804" => error(
                "42804",
                format!(
                    "column \"{}\" is of type {} but default expression is of type {from}",
                    definition.name,
                    definition.ty.name()
                ),
            ),
            other => other,
        })
    }

    fn add_constraint(
        &mut self,
        table_name: &str,
        of_column: Option<&str>,
        constraint: &ast::TableConstraint,
    ) -> Result<()> {
        let table = self.engine.catalog.existing(table_name)?.clone();
        if constraint.deferrable {
            return refuse("a DEFERRABLE constraint");
        }
        let name = constraint.name.as_ref().map(|name| name.name.clone());
        match &constraint.kind {
            TableConstraintKind::PrimaryKey(columns) | TableConstraintKind::Unique(columns) => {
                let primary = matches!(constraint.kind, TableConstraintKind::PrimaryKey(_));
                if primary && table.primary().is_some() {
                    return fail("42P16", format!("multiple primary keys for table \"{table_name}\" are not allowed"));
                }
                let columns = names_of(columns);
                let default = if primary {
                    format!("{table_name}_pkey")
                } else {
                    format!("{table_name}_{}_key", columns.join("_"))
                };
                let name = name.unwrap_or_else(|| self.free_name(&default, table.temporary.map(|it| it.session)));
                if primary {
                    for column in &columns {
                        let number = table.column(column).ok_or_else(|| missing_key_column(column))?;
                        self.require_not_null(&table, number)?;
                    }
                    let names = columns.clone();
                    self.engine.catalog.change(table.id, |table| {
                        for column in &mut table.columns {
                            column.not_null |= !column.dropped && names.contains(&column.name);
                        }
                    });
                }
                let keys: Result<Vec<Expr>> = columns
                    .iter()
                    .map(|column| {
                        let number = table.column(column).ok_or_else(|| missing_key_column(column))?;
                        Ok(Expr::Column { slot: 0, column: number as u16 })
                    })
                    .collect();
                let texts = columns.iter().map(ToString::to_string).collect();
                self.build_index(table_name, name, keys?, texts, true, primary, true, None)
            }
            TableConstraintKind::Check(expr) => {
                let mut binder = Binder::new(&self.engine.catalog, &self.engine.store, &[]);
                binder.open_scope("check constraints");
                binder.add_table(&table, table.name.clone())?;
                let condition = binder.condition(expr, "CHECK")?;
                binder.close_scope();
                if condition.any(&|expr| matches!(expr, Expr::Subquery(_))) {
                    return fail("0A000", "cannot use subquery in check constraint");
                }
                let default = match of_column.map(str::to_owned).or_else(|| only_column(&table, &condition)) {
                    Some(column) => format!("{table_name}_{column}_check"),
                    None => format!("{table_name}_check"),
                };
                let name = match name {
                    Some(name) => name,
                    None => {
                        let taken = |name: &str| table.checks.iter().any(|check| &*check.name == name);
                        numbered(&default, taken)
                    }
                };
                for row in self.all_rows(&table) {
                    self.run.frame = vec![Standing { row, id: RowId(u32::MAX) }];
                    if self.evaluate(&condition)? == Value::Bool(false) {
                        return fail(
                            "23514",
                            format!("check constraint \"{name}\" of relation \"{table_name}\" is violated by some row"),
                        );
                    }
                }
                self.engine.catalog.change(table.id, |table| table.checks.push(Check { name, condition }));
                Ok(())
            }
            TableConstraintKind::ForeignKey { columns, references } => {
                let parent_name = relation_name(&references.table)?;
                let parent = self.engine.catalog.existing(&parent_name)?.clone();
                check_key(&table, &parent)?;
                let columns = names_of(columns);
                let child_columns: Result<Vec<usize>> = columns
                    .iter()
                    .map(|column| {
                        table.column(column).ok_or_else(|| {
                            error(
                                "42703",
                                format!("column \"{column}\" referenced in foreign key constraint does not exist"),
                            )
                        })
                    })
                    .collect();
                let child_columns = child_columns?;
                let parent_columns: Vec<usize> = if references.columns.is_empty() {
                    let Some(columns) = parent.primary().and_then(Index::plain_columns) else {
                        return fail(
                            "42704",
                            format!("there is no primary key for referenced table \"{parent_name}\""),
                        );
                    };
                    columns
                } else {
                    let numbers: Result<Vec<usize>> = names_of(&references.columns)
                        .iter()
                        .map(|column| {
                            parent.column(column).ok_or_else(|| {
                                error(
                                    "42703",
                                    format!("column \"{column}\" referenced in foreign key constraint does not exist"),
                                )
                            })
                        })
                        .collect();
                    numbers?
                };
                if child_columns.len() != parent_columns.len() {
                    return fail("42830", "number of referencing and referenced columns for foreign key disagree");
                }
                let unique = parent.indexes.iter().any(|index| {
                    let mut of_index = index.plain_columns().unwrap_or_default();
                    let mut wanted = parent_columns.clone();
                    of_index.sort_unstable();
                    wanted.sort_unstable();
                    index.unique && of_index == wanted
                });
                if !unique {
                    return fail(
                        "42830",
                        format!(
                            "there is no unique constraint matching given keys for referenced table \"{parent_name}\""
                        ),
                    );
                }
                for (child, parent_column) in child_columns.iter().zip(&parent_columns) {
                    let (a, b) = (&table.columns[*child], &parent.columns[*parent_column]);
                    if !a.ty.same_kind(&b.ty) {
                        return refuse(format!("a foreign key from {} to {}", a.ty.name(), b.ty.name()));
                    }
                }
                let default = format!("{table_name}_{}_fkey", columns.join("_"));
                let name = match name {
                    Some(name) => name,
                    None => numbered(&default, |name| table.foreign_keys.iter().any(|key| &*key.name == name)),
                };
                let key = Rc::new(ForeignKey {
                    name,
                    child: table.id,
                    child_columns,
                    parent: parent.id,
                    parent_columns,
                    on_delete: action(references.on_delete),
                    on_update: action(references.on_update),
                });
                self.lock_table(&parent, Mode::ShareRowExclusive, true)?;
                self.check_existing_children(&table, &parent, &key)?;
                let for_parent = key.clone();
                self.engine.catalog.change(table.id, |table| table.foreign_keys.push(key));
                self.engine.catalog.change(parent.id, |table| table.referenced_by.push(for_parent));
                Ok(())
            }
        }
    }

    fn check_existing_children(&mut self, child: &Rc<Table>, parent: &Rc<Table>, key: &ForeignKey) -> Result<()> {
        let pick = |row: &Row, columns: &[usize]| Key(columns.iter().map(|column| row[*column].clone()).collect());
        let parents: std::collections::BTreeSet<Key> =
            self.all_rows(parent).iter().map(|row| pick(row, &key.parent_columns)).collect();
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

    fn all_rows(&mut self, table: &Table) -> Vec<Row> {
        let snapshot = self.engine.store.latest_snapshot(self.session);
        let store = self.engine.store.table(table.id);
        (0..store.row_end()).filter_map(|row| store.chain(RowId(row)).visible(&snapshot)?.row.clone()).collect()
    }

    fn require_not_null(&mut self, table: &Table, column: usize) -> Result<()> {
        if self.all_rows(table).iter().any(|row| row[column] == Value::Null) {
            let name = &table.columns[column].name;
            return fail("23502", format!("column \"{name}\" of relation \"{}\" contains null values", table.name));
        }
        Ok(())
    }

    fn free_name(&self, wanted: &str, temporary: Option<SessionId>) -> Rc<str> {
        numbered(wanted, |name| self.engine.catalog.has_relation(name, temporary))
    }

    #[allow(clippy::too_many_arguments)]
    fn build_index(
        &mut self,
        table_name: &str,
        name: Rc<str>,
        keys: Vec<Expr>,
        texts: Vec<String>,
        unique: bool,
        primary: bool,
        constraint: bool,
        predicate: Option<Expr>,
    ) -> Result<()> {
        let table = self.engine.catalog.existing(table_name)?.clone();
        if self.engine.catalog.has_relation(&name, table.temporary.map(|it| it.session)) {
            return fail("42P07", format!("relation \"{name}\" already exists"));
        }
        for row in self.all_rows(&table) {
            computed_key(&keys, predicate.as_ref(), &row)?;
        }
        let source = key_source(&keys, predicate.as_ref());
        let index = StoreIndex::new(source, unique);
        if unique {
            let mut seen = std::collections::BTreeSet::new();
            for row in self.all_rows(&table) {
                if let Some(key) = index.key(&row).filter(|key| !key.has_null()) {
                    let values: Vec<String> = key.0.iter().map(types::print).collect();
                    if !seen.insert(key) {
                        let mut error = SqlError::new("23505", format!("could not create unique index \"{name}\""));
                        error.detail =
                            Some(format!("Key ({})=({}) is duplicated.", texts.join(", "), values.join(", ")));
                        error.table = Some(table_name.to_owned());
                        error.constraint = Some(name.to_string());
                        return Err(error.into());
                    }
                }
            }
        }
        let number = self.engine.store.create_index(self.session, table.id, index);
        self.engine.catalog.change(table.id, |table| {
            table.indexes.push(Index { name, number, keys, texts, unique, primary, constraint, predicate });
        });
        Ok(())
    }

    fn create_index(&mut self, create: &ast::CreateIndex) -> Result<String> {
        let table_name = relation_name(&create.table)?;
        let table = self.engine.catalog.existing(&table_name)?.clone();
        if let Some(using) = &create.using
            && !["btree", "hash"].contains(&&*using.name)
        {
            return refuse(format!("an index of kind {}", using.name));
        }
        let mut binder = Binder::new(&self.engine.catalog, &self.engine.store, &[]);
        binder.open_scope("index expressions");
        binder.add_table(&table, table.name.clone())?;
        let mut keys = Vec::new();
        let mut texts = Vec::new();
        for column in &create.columns {
            let bound: Typed = binder.expr(&column.expr)?;
            texts.push(match &bound.expr {
                Expr::Column { column, .. } => table.columns[usize::from(*column)].name.to_string(),
                _ => column.text.clone(),
            });
            if bound.expr.any(&|part| !is_immutable(part)) {
                return fail("42P17", "functions in index expression must be marked IMMUTABLE");
            }
            keys.push(bound.expr);
        }
        let predicate = create.predicate.as_ref().map(|predicate| binder.condition(predicate, "WHERE")).transpose()?;
        if predicate.as_ref().is_some_and(|predicate| predicate.any(&|part| !is_immutable(part))) {
            return fail("42P17", "functions in index predicate must be marked IMMUTABLE");
        }
        binder.close_scope();
        let default = {
            let parts: Vec<&str> = keys
                .iter()
                .map(|key| {
                    if let Expr::Column { column, .. } = key {
                        &*table.columns[usize::from(*column)].name
                    } else {
                        "expr"
                    }
                })
                .collect();
            format!("{table_name}_{}_idx", parts.join("_"))
        };
        let temporary = table.temporary.map(|it| it.session);
        let name = match &create.name {
            Some(name) => name.name.clone(),
            None => self.free_name(&default, temporary),
        };
        if create.if_not_exists && self.engine.catalog.has_relation(&name, temporary) {
            return self.already_there(&name, true, "CREATE INDEX");
        }
        self.lock_table(&table, Mode::Share, true)?;
        self.build_index(&table_name, name, keys, texts, create.unique, false, false, predicate)?;
        Ok("CREATE INDEX".to_owned())
    }

    fn alter_table(&mut self, alter: &ast::AlterTable) -> Result<String> {
        let name = relation_name(&alter.name)?;
        if alter.if_exists && self.engine.catalog.table(&name).is_none() {
            self.notice("NOTICE", "00000", format!("relation \"{name}\" does not exist, skipping"));
            return Ok("ALTER TABLE".to_owned());
        }
        let table = self.engine.catalog.existing(&name)?.clone();
        self.lock_table(&table, Mode::AccessExclusive, true)?;
        for operation in &alter.operations {
            self.alter_operation(&name, operation)?;
        }
        Ok("ALTER TABLE".to_owned())
    }

    fn alter_operation(&mut self, name: &str, operation: &ast::AlterTableOperation) -> Result<()> {
        use ast::AlterTableOperation as Op;
        let table = self.engine.catalog.existing(name)?.clone();
        let place = |column: &ast::Ident| {
            let column = &column.name;
            table
                .column(column)
                .ok_or_else(|| error("42703", format!("column \"{column}\" of relation \"{name}\" does not exist")))
        };
        match operation {
            Op::AddConstraint(constraint) => self.add_constraint(name, None, constraint),
            Op::AddColumn { if_not_exists, column: definition } => {
                let column = definition.name.name.clone();
                if table.column(&column).is_some() {
                    if *if_not_exists {
                        self.notice(
                            "NOTICE",
                            "42701",
                            format!("column \"{column}\" of relation \"{name}\" already exists, skipping"),
                        );
                        return Ok(());
                    }
                    return fail("42701", format!("column \"{column}\" of relation \"{name}\" already exists"));
                }
                let mut changed = Table::clone(&table);
                let mut later = Vec::new();
                self.add_column(&mut changed, definition, &mut later)?;
                let number = changed.columns.len() - 1;
                for constraint in &definition.constraints {
                    if let ColumnConstraintKind::Default(expr) = &constraint.kind {
                        changed.columns[number].default = Some(self.bind_for(&changed, number, expr, false)?);
                    }
                    if let ColumnConstraintKind::Generated(_) = &constraint.kind {
                        return refuse("ALTER TABLE … ADD a generated column");
                    }
                }
                let default = changed.columns[number].default.clone();
                let rows = self.all_rows(&table).len();
                if default.is_none() && changed.columns[number].not_null && rows > 0 {
                    return fail("23502", format!("column \"{column}\" of relation \"{name}\" contains null values"));
                }
                self.engine.catalog.put(changed);
                let fixed = match &default {
                    Some(default) if !default.is_volatile() => Some(self.evaluate(default)?),
                    Some(_) if rows > 0 => None,
                    _ => Some(Value::Null),
                };
                let Some(value) = fixed else { return refuse("adding a column whose default differs from row to row") };
                self.engine.store.rewrite(table.id, |row| row.iter().cloned().chain([value.clone()]).collect());
                for (column, constraint) in later {
                    self.add_constraint(name, column.as_deref(), &constraint)?;
                }
                Ok(())
            }
            Op::DropColumn { column, if_exists, .. } => {
                let Ok(number) = place(column) else {
                    return if *if_exists { Ok(()) } else { place(column).map(|_| ()) };
                };
                let used = table.indexes.iter().any(|index| {
                    index.keys.iter().any(|key| {
                        key.any(&|e| matches!(e, Expr::Column { column, .. } if usize::from(*column) == number))
                    })
                });
                if used || table.foreign_keys.iter().any(|key| key.child_columns.contains(&number)) {
                    return refuse("dropping a column that an index or constraint uses");
                }
                self.engine.catalog.change(table.id, |table| {
                    let column = &mut table.columns[number];
                    column.dropped = true;
                    column.not_null = false;
                    column.default = None;
                });
                Ok(())
            }
            Op::RenameColumn { from, to } => {
                let number = place(from)?;
                let new = to.name.clone();
                self.engine.catalog.change(table.id, |table| table.columns[number].name = new);
                Ok(())
            }
            Op::RenameTable(to) => {
                let new = to.name.clone();
                if self.engine.catalog.has_relation(&new, table.temporary.map(|it| it.session)) {
                    return fail("42P07", format!("relation \"{new}\" already exists"));
                }
                self.engine.catalog.rename(&table, &new);
                Ok(())
            }
            Op::DropConstraint { constraint, if_exists, .. } => {
                let constraint = constraint.name.clone();
                let index = table
                    .indexes
                    .iter()
                    .find(|index| index.constraint && index.name == constraint)
                    .map(|index| index.number);
                let there = index.is_some()
                    || table.checks.iter().any(|check| check.name == constraint)
                    || table.foreign_keys.iter().any(|key| key.name == constraint);
                if !there {
                    return if *if_exists {
                        Ok(())
                    } else {
                        fail("42704", format!("constraint \"{constraint}\" of relation \"{name}\" does not exist"))
                    };
                }
                if let Some(key) = table.foreign_keys.iter().find(|key| key.name == constraint)
                    && let Some(parent) = self.engine.catalog.table_by_id(key.parent).cloned()
                {
                    self.engine
                        .catalog
                        .change(parent.id, |parent| parent.referenced_by.retain(|key| key.name != constraint));
                }
                self.engine.catalog.change(table.id, |table| {
                    table.indexes.retain(|index| !(index.constraint && index.name == constraint));
                    table.checks.retain(|check| check.name != constraint);
                    table.foreign_keys.retain(|key| key.name != constraint);
                });
                Ok(())
            }
            Op::SetNotNull(column) => {
                let number = place(column)?;
                self.require_not_null(&table, number)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].not_null = true);
                Ok(())
            }
            Op::DropNotNull(column) => {
                let number = place(column)?;
                check_may_be_null(&table, number)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].not_null = false);
                Ok(())
            }
            Op::SetDefault { column, default } => {
                let number = place(column)?;
                let default = self.bind_for(&table, number, default, false)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].default = Some(default));
                Ok(())
            }
            Op::DropDefault(column) => {
                let number = place(column)?;
                self.engine.catalog.change(table.id, |table| table.columns[number].default = None);
                Ok(())
            }
        }
    }

    fn drop_relations(&mut self, drop: &ast::Drop) -> Result<String> {
        use ast::ObjectKind;
        for name in &drop.names {
            let name = relation_name(name)?;
            let (found, word) = match drop.kind {
                ObjectKind::Table => (self.engine.catalog.table(&name).is_some(), "table"),
                ObjectKind::Index => (self.engine.catalog.index(&name).is_some(), "index"),
                ObjectKind::Sequence => (self.engine.catalog.sequence(&name).is_ok(), "sequence"),
            };
            if !found {
                if drop.if_exists {
                    self.notice("NOTICE", "00000", format!("{word} \"{name}\" does not exist, skipping"));
                    continue;
                }
                return fail(
                    if word == "table" { "42P01" } else { "42704" },
                    format!("{word} \"{name}\" does not exist"),
                );
            }
            match drop.kind {
                ObjectKind::Table => self.drop_table(&name, drop.cascade, &drop.names)?,
                ObjectKind::Index => {
                    let (table, index) = self.engine.catalog.index(&name).expect("seen above");
                    if index.constraint {
                        return fail(
                            "2BP01",
                            format!(
                                "cannot drop index {name} because constraint {name} on table {} requires it",
                                table.name
                            ),
                        );
                    }
                    let table = table.clone();
                    self.lock_table(&table, Mode::AccessExclusive, true)?;
                    self.engine.catalog.change(table.id, |table| table.indexes.retain(|index| index.name != name));
                }
                ObjectKind::Sequence => self.drop_sequence(&name, drop.cascade)?,
            }
        }
        Ok(verb_of_drop(drop.kind).to_owned())
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
                let mut error =
                    SqlError::new("2BP01", format!("cannot drop table {name} because other objects depend on it"));
                error.detail = Some(format!("constraint {} on table {} depends on table {name}", key.name, child.name));
                error.hint = Some("Use DROP ... CASCADE to drop the dependent objects too.".to_owned());
                return Err(error.into());
            }
            let gone = key.name.clone();
            self.engine.catalog.change(child.id, |child| child.foreign_keys.retain(|key| key.name != gone));
        }
        for key in &table.foreign_keys {
            if let Some(parent) = self.engine.catalog.table_by_id(key.parent).cloned() {
                let gone = key.name.clone();
                self.engine.catalog.change(parent.id, |parent| {
                    parent.referenced_by.retain(|key| key.name != gone || key.child != table.id)
                });
            }
        }
        self.engine.catalog.remove(&table);
        Ok(())
    }

    fn truncate(&mut self, names: &[Rc<str>], restart: bool) -> Result<String> {
        for name in names {
            let table = self.engine.catalog.existing(name)?.clone();
            self.lock_table(&table, Mode::AccessExclusive, true)?;
            for key in &table.referenced_by {
                let child = self.engine.catalog.table_by_id(key.child).cloned();
                if let Some(child) = child
                    && !names.contains(&child.name)
                {
                    let mut error =
                        SqlError::new("0A000", "cannot truncate a table referenced in a foreign key constraint");
                    error.detail = Some(format!("Table \"{}\" references \"{name}\".", child.name));
                    return Err(error.into());
                }
            }
            self.engine.delete_all(self.session, table.id);
            if restart {
                let sequences: Vec<_> = self.engine.catalog.sequences_of(table.id).cloned().collect();
                for sequence in sequences {
                    self.engine.catalog.put_sequence(sequence.restarted());
                }
            }
        }
        Ok("TRUNCATE TABLE".to_owned())
    }
}

fn check_may_be_null(table: &Table, number: usize) -> Result<()> {
    let name = &table.columns[number].name;
    if table.columns[number].identity.is_some() {
        return fail("42601", format!("column \"{name}\" of relation \"{}\" is an identity column", table.name));
    }
    let of_key = table.primary().and_then(Index::key_columns).is_some_and(|columns| columns.contains(&number));
    if of_key { fail("42P16", format!("column \"{name}\" is in a primary key")) } else { Ok(()) }
}

/// What a row's other columns alone decide, always alike.
fn check_generated(table: &Table, expr: &Expr, generated: &[usize]) -> Result<()> {
    if expr.any(&|part| matches!(part, Expr::Subquery(_))) {
        return fail("0A000", "cannot use subquery in column generation expression");
    }
    for number in generated {
        if expr.any(&|part| matches!(part, Expr::Column { column, .. } if usize::from(*column) == *number)) {
            let name = &table.columns[*number].name;
            let message = format!("cannot use generated column \"{name}\" in column generation expression");
            let mut error = SqlError::new("42P17", message);
            error.detail = Some("A generated column cannot reference another generated column.".to_owned());
            return Err(error.into());
        }
    }
    if expr.any(&|part| !is_immutable(part)) {
        return fail("42P17", "generation expression is not immutable");
    }
    Ok(())
}

fn action(action: ast::ReferentialAction) -> Action {
    match action {
        ast::ReferentialAction::NoAction => Action::NoAction,
        ast::ReferentialAction::Restrict => Action::Restrict,
        ast::ReferentialAction::Cascade => Action::Cascade,
        ast::ReferentialAction::SetNull => Action::SetNull,
        ast::ReferentialAction::SetDefault => Action::SetDefault,
    }
}

/// `serial` and its sizes are no types: an integer with a sequence of its own.
fn serial_type(data_type: &ast::DataType) -> Result<Option<Type>> {
    let [name] = data_type.name.0.as_slice() else { return Ok(None) };
    let ty = match &*name.name {
        "serial" | "serial4" => Type::Int4,
        "bigserial" | "serial8" => Type::Int8,
        "smallserial" | "serial2" => Type::Int2,
        _ => return Ok(None),
    };
    if data_type.dimensions > 0 {
        return fail("0A000", "array of serial is not implemented");
    }
    Ok(Some(ty))
}

fn missing_key_column(name: &str) -> Stop {
    match missing_column(name) {
        Stop::Failed(mut error) => {
            error.message = format!("column \"{name}\" named in key does not exist");
            Stop::Failed(error)
        }
        other => other,
    }
}

fn numbered(wanted: &str, taken: impl Fn(&str) -> bool) -> Rc<str> {
    if !taken(wanted) {
        return Rc::from(wanted);
    }
    let free = (1..).map(|number| format!("{wanted}{number}")).find(|name| !taken(name));
    Rc::from(free.expect("numbers do not end"))
}

/// The one column a condition reads, by which PostgreSQL names a table's CHECK.
fn only_column(table: &Table, condition: &Expr) -> Option<String> {
    fn columns(expr: &Expr, into: &mut Vec<u16>) {
        if let Expr::Column { column, .. } = expr
            && !into.contains(column)
        {
            into.push(*column);
        }
        expr.children().into_iter().for_each(|child| columns(child, into));
    }
    let mut found = Vec::new();
    columns(condition, &mut found);
    match found.as_slice() {
        [only] => Some(table.columns[usize::from(*only)].name.to_string()),
        _ => None,
    }
}

/// Plain columns are read off the row; expressions and predicates are computed. What cannot be computed is never written: the
/// statement has failed before (`check_computed_keys`).
fn key_source(keys: &[Expr], predicate: Option<&Expr>) -> KeySource {
    let plain: Option<smallvec::SmallVec<[u16; 2]>> =
        keys.iter().map(|key| if let Expr::Column { column, .. } = key { Some(*column) } else { None }).collect();
    if let (Some(columns), None) = (plain, predicate) {
        return KeySource::Columns(columns);
    }
    let (columns, keys, predicate) = (keys.len(), keys.to_vec(), predicate.cloned());
    let key = Rc::new(move |row: &Row| computed_key(&keys, predicate.as_ref(), row).ok().flatten());
    KeySource::Computed { columns, key }
}

/// `None`: the row is not in the index.
fn computed_key(keys: &[Expr], predicate: Option<&Expr>, row: &Row) -> Result<Option<Key>> {
    let mut env = OneRow::new(row);
    if let Some(predicate) = predicate
        && !holds(predicate, &mut env)?
    {
        return Ok(None);
    }
    keys.iter().map(|key| eval(key, &mut env)).collect::<Result<_>>().map(|values| Some(Key(values)))
}

/// Fails where an index of the table is over something that cannot be computed for the row.
pub fn check_computed_keys(table: &Table, row: &Row) -> Result<()> {
    for index in &table.indexes {
        if index.plain_columns().is_none() {
            computed_key(&index.keys, index.predicate.as_ref(), row)?;
        }
    }
    Ok(())
}

/// The default of a SERIAL or IDENTITY column.
pub fn sequence_default(sequence: &str, ty: &Type) -> Result<Expr> {
    let expr = Expr::Call { function: nextval(), arguments: vec![Expr::Const(types::text(sequence))] };
    assign(Typed { expr, ty: Type::Int8 }, ty)
}
