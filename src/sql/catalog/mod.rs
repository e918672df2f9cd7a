//! What tables, indexes and sequences there are. It knows no rows.

pub mod search_path;
pub mod sequence_name;
pub mod system_names;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use indexmap::IndexMap;

use crate::sql::error::{Result, Stop, error, fail, refused};
use crate::sql::expr::Expr;
use crate::sql::parser::ast::OnCommit;
use crate::sql::types::Type;
use crate::store::TableId;
use crate::trace::{SessionId, SqlError};

#[derive(Default)]
pub struct Catalog {
    permanent: Rc<Namespace>,
    /// Temporary tables and sequences of the sessions that have any: nobody else knows of them.
    temporary: BTreeMap<SessionId, Rc<Namespace>>,
    /// Whose temporary tables hide permanent ones of the same name.
    pub view: Option<SessionId>,
    /// Grows with every change of what is permanent: plans made before are made anew.
    pub version: u64,
    temporary_changes: u64,
}

#[derive(Clone, Default)]
struct Namespace {
    tables: IndexMap<Rc<str>, Rc<Table>>,
    sequences: IndexMap<Rc<str>, Rc<Sequence>>,
    /// Of temporary ones: no two states of any session have the same.
    version: u64,
}

/// What a session's statement finds before or leaves after it.
#[derive(Clone)]
pub struct CatalogState {
    permanent: Rc<Namespace>,
    temporary: Option<Rc<Namespace>>,
}

#[derive(Clone)]
pub struct Table {
    pub id: TableId,
    pub name: Rc<str>,
    pub columns: Vec<Column>,
    pub indexes: Vec<Index>,
    pub checks: Vec<Check>,
    pub foreign_keys: Vec<Rc<ForeignKey>>,
    /// Foreign keys of other tables that point here.
    pub referenced_by: Vec<Rc<ForeignKey>>,
    pub temporary: Option<Temporary>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporary {
    pub session: SessionId,
    pub on_commit: OnCommit,
}

#[derive(Clone)]
pub struct Column {
    pub name: Rc<str>,
    pub ty: Type,
    pub not_null: bool,
    pub default: Option<Expr>,
    pub identity: Option<Identity>,
    /// GENERATED ALWAYS AS (…) STORED.
    pub generated: Option<Expr>,
    /// Dropped columns keep their place in rows.
    pub dropped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    Always,
    ByDefault,
}

#[derive(Clone)]
pub struct Index {
    pub name: Rc<str>,
    /// Its place among the store's indexes of the table.
    pub number: usize,
    /// The expressions it is over; each reads the row as slot 0.
    pub keys: Vec<Expr>,
    /// As the keys are written, for messages and EXPLAIN.
    pub texts: Vec<String>,
    pub unique: bool,
    pub primary: bool,
    /// Made by a constraint, not by CREATE INDEX.
    pub constraint: bool,
    /// Only rows for which this holds are in the index.
    pub predicate: Option<Expr>,
}

impl Index {
    /// The table's columns it is over, if it is over nothing else and over all rows.
    pub fn plain_columns(&self) -> Option<Vec<usize>> {
        if self.predicate.is_some() {
            return None;
        }
        self.key_columns()
    }

    /// It is over something else than plain columns of all rows.
    pub fn is_computed(&self) -> bool {
        self.predicate.is_some() || self.keys.iter().any(|key| !matches!(key, Expr::Column { .. }))
    }

    pub fn key_columns(&self) -> Option<Vec<usize>> {
        self.keys
            .iter()
            .map(|key| if let Expr::Column { column, .. } = key { Some(usize::from(*column)) } else { None })
            .collect()
    }
}

#[derive(Clone)]
pub struct Check {
    pub name: Rc<str>,
    pub condition: Expr,
}

#[derive(Debug)]
pub struct ForeignKey {
    pub name: Rc<str>,
    pub child: TableId,
    pub child_columns: Vec<usize>,
    pub parent: TableId,
    pub parent_columns: Vec<usize>,
    pub on_delete: Action,
    pub on_update: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

/// Numbers given out are never taken back: what is in the cells is no part of any transaction.
#[derive(Clone)]
pub struct Sequence {
    pub name: Rc<str>,
    pub last: Cell<i64>,
    pub called: Cell<bool>,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cycle: bool,
    /// The table of the SERIAL or IDENTITY column it belongs to.
    pub owner: Option<TableId>,
    pub temporary: Option<SessionId>,
}

impl Sequence {
    pub fn next(&self) -> Result<i64> {
        let value = if self.called.get() {
            let next = self.last.get().checked_add(self.increment).filter(|next| (self.min..=self.max).contains(next));
            match next {
                Some(next) => next,
                None if self.cycle => {
                    if self.increment > 0 {
                        self.min
                    } else {
                        self.max
                    }
                }
                None if self.increment > 0 => {
                    return fail(
                        "2200H",
                        format!("nextval: reached maximum value of sequence \"{}\" ({})", self.name, self.max),
                    );
                }
                None => {
                    return fail(
                        "2200H",
                        format!("nextval: reached minimum value of sequence \"{}\" ({})", self.name, self.min),
                    );
                }
            }
        } else {
            self.last.get()
        };
        self.last.set(value);
        self.called.set(true);
        Ok(value)
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| !column.dropped && &*column.name == name)
    }

    pub fn primary(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.primary)
    }

    /// Of any kind: a table has no two constraints of one name.
    pub fn has_constraint(&self, name: &str) -> bool {
        self.constraint_names().any(|taken| taken == name)
    }

    fn constraint_names(&self) -> impl Iterator<Item = &str> {
        let keys = self.indexes.iter().filter(|index| index.constraint).map(|index| &*index.name);
        let checks = self.checks.iter().map(|check| &*check.name);
        keys.chain(checks).chain(self.foreign_keys.iter().map(|key| &*key.name))
    }

    /// Whether a change of this column changes a key others may point to.
    pub fn is_key_column(&self, column: usize) -> bool {
        self.indexes
            .iter()
            .any(|index| index.unique && index.plain_columns().is_some_and(|columns| columns.contains(&column)))
    }

    pub fn live_columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, column)| !column.dropped)
    }
}

impl Catalog {
    /// The session's own temporary names first.
    fn seen(&self) -> impl Iterator<Item = &Rc<Namespace>> {
        let own = self.view.and_then(|session| self.temporary.get(&session));
        own.into_iter().chain([&self.permanent])
    }

    fn all(&self) -> impl Iterator<Item = &Rc<Namespace>> {
        std::iter::once(&self.permanent).chain(self.temporary.values())
    }

    /// Of the permanent names and of the session's temporary ones.
    pub fn versions(&self) -> (u64, u64) {
        let own = self.view.and_then(|session| self.temporary.get(&session));
        (self.version, own.map_or(0, |own| own.version))
    }

    /// For a change of what is permanent or of what a session has for itself.
    fn namespace(&mut self, temporary: Option<SessionId>) -> &mut Namespace {
        let Some(session) = temporary else {
            self.version += 1;
            return Rc::make_mut(&mut self.permanent);
        };
        self.temporary_changes += 1;
        let own = Rc::make_mut(self.temporary.entry(session).or_default());
        own.version = self.temporary_changes;
        own
    }

    pub fn table(&self, name: &str) -> Option<&Rc<Table>> {
        self.seen().find_map(|names| names.tables.get(name))
    }

    /// The permanent ones.
    pub fn tables(&self) -> impl Iterator<Item = &Rc<Table>> {
        self.permanent.tables.values()
    }

    pub fn temporary_tables(&self, session: SessionId) -> impl Iterator<Item = &Rc<Table>> {
        self.temporary.get(&session).into_iter().flat_map(|own| own.tables.values())
    }

    pub fn table_by_id(&self, id: TableId) -> Option<&Rc<Table>> {
        self.all().flat_map(|names| names.tables.values()).find(|table| table.id == id)
    }

    pub fn existing(&self, name: &str) -> Result<&Rc<Table>> {
        self.table(name).ok_or_else(|| missing_relation(name))
    }

    pub fn put(&mut self, table: Table) {
        let names = self.namespace(table.temporary.map(|temporary| temporary.session));
        names.tables.insert(table.name.clone(), Rc::new(table));
    }

    pub fn change(&mut self, id: TableId, change: impl FnOnce(&mut Table)) {
        if let Some(table) = self.table_by_id(id) {
            let mut changed = Table::clone(table);
            change(&mut changed);
            self.put(changed);
        }
    }

    pub fn remove(&mut self, table: &Table) {
        let names = self.namespace(table.temporary.map(|temporary| temporary.session));
        names.tables.shift_remove(&table.name);
        names.sequences.retain(|_, sequence| sequence.owner != Some(table.id));
        // Who has nothing of his own left shares the plans of all others.
        self.temporary.retain(|_, own| !own.tables.is_empty() || !own.sequences.is_empty());
    }

    pub fn rename(&mut self, table: &Table, new: &str) {
        let names = self.namespace(table.temporary.map(|temporary| temporary.session));
        names.tables.shift_remove(&table.name);
        let mut changed = Table::clone(table);
        changed.name = Rc::from(new);
        names.tables.insert(changed.name.clone(), Rc::new(changed));
    }

    pub fn sequence(&self, name: &str) -> Option<&Rc<Sequence>> {
        self.seen().find_map(|names| names.sequences.get(name))
    }

    /// The sequences of a table's SERIAL and IDENTITY columns.
    pub fn sequences_of(&self, table: TableId) -> impl Iterator<Item = &Rc<Sequence>> {
        self.all().flat_map(|names| names.sequences.values()).filter(move |sequence| sequence.owner == Some(table))
    }

    /// Among the permanent names, or among those a session has for itself.
    pub fn has_relation(&self, name: &str, temporary: Option<SessionId>) -> bool {
        self.of(temporary).is_some_and(|names| {
            names.tables.contains_key(name) || names.sequences.contains_key(name) || names.index(name).is_some()
        })
    }

    fn of(&self, temporary: Option<SessionId>) -> Option<&Rc<Namespace>> {
        match temporary {
            None => Some(&self.permanent),
            Some(session) => self.temporary.get(&session),
        }
    }

    /// A name for a constraint that has none of its own: no other of any table has it.
    pub fn free_constraint_name(&self, wanted: &str, temporary: Option<SessionId>) -> Rc<str> {
        let tables = self.of(temporary).into_iter().flat_map(|names| names.tables.values());
        let taken: BTreeSet<&str> = tables.flat_map(|table| table.constraint_names()).collect();
        numbered(wanted, |name| taken.contains(name))
    }

    /// The same for one that has an index.
    pub fn free_key_name(&self, wanted: &str, temporary: Option<SessionId>) -> Rc<str> {
        let tables = self.of(temporary).into_iter().flat_map(|names| names.tables.values());
        let taken: BTreeSet<&str> = tables.flat_map(|table| table.constraint_names()).collect();
        numbered(wanted, |name| taken.contains(name) || self.has_relation(name, temporary))
    }

    /// A name for what has none of its own: the wanted one, or with a number after it.
    pub fn free_name(&self, wanted: &str, temporary: Option<SessionId>) -> Rc<str> {
        numbered(wanted, |name| self.has_relation(name, temporary))
    }

    pub fn index(&self, name: &str) -> Option<(&Rc<Table>, &Index)> {
        self.seen().find_map(|names| names.index(name))
    }

    pub fn put_sequence(&mut self, sequence: Sequence) {
        self.namespace(sequence.temporary).sequences.insert(sequence.name.clone(), Rc::new(sequence));
    }

    pub fn remove_sequence(&mut self, sequence: &Sequence) {
        self.namespace(sequence.temporary).sequences.shift_remove(&sequence.name);
    }

    /// All a session has for itself is gone.
    pub fn forget(&mut self, session: SessionId) {
        self.temporary.remove(&session);
    }

    // Changes that are taken back

    pub fn state(&self, session: SessionId) -> CatalogState {
        CatalogState { permanent: self.permanent.clone(), temporary: self.temporary.get(&session).cloned() }
    }

    /// Takes back what a session's statement changed, and nothing that others have changed since.
    pub fn take_back(&mut self, session: SessionId, before: CatalogState, after: &CatalogState) {
        if !Rc::ptr_eq(&before.permanent, &after.permanent) {
            self.version += 1;
            if Rc::ptr_eq(&self.permanent, &after.permanent) {
                self.permanent = before.permanent;
            } else {
                let now = Rc::make_mut(&mut self.permanent);
                take_back(&mut now.tables, &before.permanent.tables, &after.permanent.tables);
                take_back(&mut now.sequences, &before.permanent.sequences, &after.permanent.sequences);
            }
        }
        match before.temporary {
            None => self.forget(session),
            Some(own) => {
                self.temporary.insert(session, own);
            }
        }
    }
}

fn take_back<T>(
    now: &mut IndexMap<Rc<str>, Rc<T>>,
    before: &IndexMap<Rc<str>, Rc<T>>,
    after: &IndexMap<Rc<str>, Rc<T>>,
) {
    for (name, made) in after {
        match before.get(name) {
            None => {
                now.shift_remove(name);
            }
            Some(old) if !Rc::ptr_eq(old, made) => {
                now.insert(name.clone(), old.clone());
            }
            Some(_) => {}
        }
    }
    for (name, old) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        now.insert(name.clone(), old.clone());
    }
}

impl Namespace {
    fn index(&self, name: &str) -> Option<(&Rc<Table>, &Index)> {
        let indexes = self.tables.values().flat_map(|table| table.indexes.iter().map(move |index| (table, index)));
        indexes.into_iter().find(|(_, index)| &*index.name == name)
    }
}

fn numbered(wanted: &str, taken: impl Fn(&str) -> bool) -> Rc<str> {
    if !taken(wanted) {
        return Rc::from(wanted);
    }
    let free = (1..).map(|number| format!("{wanted}{number}")).find(|name| !taken(name));
    Rc::from(free.expect("numbers do not end"))
}

fn missing_relation(name: &str) -> Stop {
    if system_names::is_system_relation(name) {
        return refused(format!("the system's table {name}"));
    }
    error("42P01", format!("relation \"{name}\" does not exist"))
}

pub fn missing_column(name: &str) -> Stop {
    SqlError::new("42703", format!("column \"{name}\" does not exist")).into()
}
