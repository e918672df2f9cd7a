//! What tables, indexes and sequences there are. It knows no rows.

use std::cell::Cell;
use std::rc::Rc;

use indexmap::IndexMap;

use crate::store::TableId;
use crate::trace::SqlError;

use super::error::{Result, Stop, error, fail};
use super::expr::Expr;
use super::types::Type;

#[derive(Clone, Default)]
pub struct Catalog {
    tables: IndexMap<Rc<str>, Rc<Table>>,
    sequences: IndexMap<Rc<str>, Rc<Sequence>>,
    /// Grows with every change: plans made before are made anew.
    pub version: u64,
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

/// Numbers given out are never taken back, so a sequence is no part of any transaction.
pub struct Sequence {
    pub name: Rc<str>,
    pub last: Cell<i64>,
    pub called: Cell<bool>,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cycle: bool,
}

/// What a sequence was asked to be; the rest follows from its type.
#[derive(Default)]
pub struct SequenceOptions {
    pub increment: Option<i64>,
    pub start: Option<i64>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub cycle: bool,
}

impl Sequence {
    pub fn new(name: Rc<str>, ty: &Type, options: &SequenceOptions) -> Result<Sequence> {
        let most = match ty {
            Type::Int2 => i64::from(i16::MAX),
            Type::Int4 => i64::from(i32::MAX),
            Type::Int8 => i64::MAX,
            _ => return fail("22023", "sequence type must be smallint, integer, or bigint"),
        };
        let mistake = |message: String| fail("22023", message);
        let increment = options.increment.unwrap_or(1);
        if increment == 0 {
            return fail("22023", "INCREMENT must not be zero");
        }
        let ascending = increment > 0;
        let max = options.max.unwrap_or(if ascending { most } else { -1 });
        let min = options.min.unwrap_or(if ascending { 1 } else { -most - 1 });
        for (bound, value) in [("MAXVALUE", max), ("MINVALUE", min)] {
            if !(-most - 1..=most).contains(&value) {
                return mistake(format!("{bound} ({value}) is out of range for sequence data type {}", ty.name()));
            }
        }
        if min >= max {
            return mistake(format!("MINVALUE ({min}) must be less than MAXVALUE ({max})"));
        }
        let start = options.start.unwrap_or(if ascending { min } else { max });
        if start < min {
            return mistake(format!("START value ({start}) cannot be less than MINVALUE ({min})"));
        }
        if start > max {
            return mistake(format!("START value ({start}) cannot be greater than MAXVALUE ({max})"));
        }
        let (last, called, cycle) = (Cell::new(start), Cell::new(false), options.cycle);
        Ok(Sequence { name, last, called, increment, min, max, cycle })
    }

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
    pub fn table(&self, name: &str) -> Option<&Rc<Table>> {
        self.tables.get(name)
    }

    pub fn tables(&self) -> impl Iterator<Item = &Rc<Table>> {
        self.tables.values()
    }

    pub fn table_by_id(&self, id: TableId) -> Option<&Rc<Table>> {
        self.tables.values().find(|table| table.id == id)
    }

    pub fn existing(&self, name: &str) -> Result<&Rc<Table>> {
        self.tables.get(name).ok_or_else(|| missing_relation(name))
    }

    pub fn put(&mut self, table: Table) {
        self.version += 1;
        self.tables.insert(table.name.clone(), Rc::new(table));
    }

    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut Table)) {
        if let Some(table) = self.tables.get_mut(name) {
            let mut changed = Table::clone(table);
            change(&mut changed);
            *table = Rc::new(changed);
            self.version += 1;
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.version += 1;
        self.tables.shift_remove(name);
    }

    pub fn rename(&mut self, name: &str, new: &str) {
        if let Some(table) = self.tables.shift_remove(name) {
            let mut changed = Table::clone(&table);
            changed.name = Rc::from(new);
            self.put(changed);
        }
    }

    pub fn sequence(&self, name: &str) -> Result<&Rc<Sequence>> {
        let name = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
        self.sequences.get(name).ok_or_else(|| missing_relation(name))
    }

    pub fn has_relation(&self, name: &str) -> bool {
        self.tables.contains_key(name) || self.sequences.contains_key(name) || self.index(name).is_some()
    }

    pub fn index(&self, name: &str) -> Option<(&Rc<Table>, &Index)> {
        self.tables
            .values()
            .find_map(|table| table.indexes.iter().find(|index| &*index.name == name).map(|index| (table, index)))
    }

    pub fn put_sequence(&mut self, sequence: Sequence) {
        self.version += 1;
        self.sequences.insert(sequence.name.clone(), Rc::new(sequence));
    }

    pub fn remove_sequence(&mut self, name: &str) -> bool {
        self.version += 1;
        self.sequences.shift_remove(name).is_some()
    }
}

fn missing_relation(name: &str) -> Stop {
    error("42P01", format!("relation \"{name}\" does not exist"))
}

pub fn missing_column(name: &str) -> Stop {
    SqlError::new("42703", format!("column \"{name}\" does not exist")).into()
}
