//! What names mean: the relations of a FROM clause, and the queries around it.

use std::rc::Rc;

use crate::sql::catalog::system_names::is_system_column;
use crate::sql::catalog::{Table, missing_column};
use crate::sql::error::{Result, Stop, error, fail, refuse};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::parser::ast;
use crate::sql::plan::{Aggregate, WindowCall};
use crate::sql::types::Type;

use super::subquery::KnownSubquery;
use super::{Binder, Typed};

#[derive(Clone)]
pub(super) struct Relation {
    pub(super) alias: Rc<str>,
    pub(super) slot: u16,
    pub(super) columns: Vec<(Rc<str>, Type)>,
    /// Columns that USING has merged into one: a bare name means the merged one.
    pub(super) hidden: Vec<bool>,
    pub(super) table: Option<Rc<Table>>,
    pub(super) nullable: bool,
}

#[derive(Default)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
    pub(super) merged: Vec<(Rc<str>, Typed)>,
    pub(super) own: SlotSet,
    /// What is read of outer scopes.
    pub(super) free: SlotSet,
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) aggregate_slot: Option<u16>,
    pub(super) windows: Vec<WindowCall>,
    pub(super) window_slot: Option<u16>,
    pub(super) subqueries: Vec<KnownSubquery>,
    pub(super) may_aggregate: bool,
    pub(super) may_window: bool,
    pub(super) within: Within,
    /// What to call it where an aggregate is not allowed.
    pub(super) clause: &'static str,
    /// What an expression that a definition keeps is called: no subquery may stand in it.
    pub(super) kept: Option<&'static str>,
}

pub(super) const DEFAULT_EXPRESSION: &str = "DEFAULT expression";

/// The call in whose arguments an expression stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Within {
    #[default]
    NoCall,
    Aggregate,
    Window,
}

pub(super) fn column_of(relation: &Relation, number: usize, ty: &Type) -> Typed {
    Typed::new(Expr::Column { slot: relation.slot, column: number as u16 }, ty.clone())
}

/// A table's name in its query.
pub(super) fn shown_name(alias: Option<&ast::TableAlias>, own: &Rc<str>) -> Rc<str> {
    alias.map_or_else(|| own.clone(), |alias| alias.name.name.clone())
}

impl<'a> Binder<'a> {
    pub(super) fn all_columns(&mut self) -> Vec<(Rc<str>, Typed)> {
        let scope = self.scopes.last().expect("a scope");
        let mut columns = scope.merged.clone();
        for relation in &scope.relations {
            for (number, (name, ty)) in relation.columns.iter().enumerate() {
                if !relation.hidden[number] {
                    columns.push((name.clone(), column_of(relation, number, ty)));
                }
            }
        }
        columns
    }

    pub(super) fn columns_of(&mut self, alias: &str) -> Result<Vec<(Rc<str>, Typed)>> {
        let has = |depth: &usize| self.scopes[*depth].relations.iter().any(|relation| &*relation.alias == alias);
        let Some(depth) = (0..self.scopes.len()).rev().find(has) else { return Err(self.missing_from(alias)) };
        let mut relations = self.scopes[depth].relations.iter();
        let relation = relations.find(|relation| &*relation.alias == alias).expect("it was just found");
        let dropped = |number: usize| relation.table.as_ref().is_some_and(|table| table.columns[number].dropped);
        let columns: Vec<(Rc<str>, Typed)> = relation
            .columns
            .iter()
            .enumerate()
            .filter(|(number, _)| !dropped(*number))
            .map(|(number, (name, ty))| (name.clone(), column_of(relation, number, ty)))
            .collect();
        let slots = columns.iter().fold(SlotSet::NONE, |slots, (_, typed)| slots.union(typed.expr.slots()));
        self.read_from(depth, slots);
        Ok(columns)
    }

    /// What an inner scope reads of outer ones the scope around it reads too.
    pub(super) fn pass_free(&mut self, scope: Option<Scope>) {
        if let (Some(inner), Some(outer)) = (scope, self.scopes.last_mut()) {
            outer.free = outer.free.union(inner.free.without(outer.own));
        }
    }

    /// Binds something in a scope of its own and tells what it reads of the scopes around.
    pub(super) fn subquery_scope<T>(
        &mut self,
        bind: impl FnOnce(&mut Binder<'a>) -> Result<T>,
    ) -> Result<(T, SlotSet)> {
        let before = std::mem::take(&mut self.scope().free);
        self.scopes.push(Scope { clause: "subquery", ..Scope::default() });
        let bound = bind(self);
        let inner = self.scopes.pop().expect("the scope just opened");
        let used = inner.free;
        let scope = self.scope();
        // What reached this scope's own tables is recorded on the inner scope; the rest goes on outward.
        scope.free = before.union(scope.free).union(used.without(scope.own));
        Ok((bound?, used))
    }

    /// A default sees no row, not even that of a table whose column it names.
    fn check_sees_columns(&self) -> Result<()> {
        match self.scopes.last().and_then(|scope| scope.kept) {
            Some(kept) if kept == DEFAULT_EXPRESSION => fail("0A000", format!("cannot use column reference in {kept}")),
            _ => Ok(()),
        }
    }

    pub(super) fn column(&mut self, name: &str) -> Result<Typed> {
        self.check_sees_columns()?;
        for depth in (0..self.scopes.len()).rev() {
            let scope = &self.scopes[depth];
            if let Some((_, typed)) = scope.merged.iter().find(|(merged, _)| &**merged == name) {
                let typed = typed.clone();
                self.read_from(depth, typed.expr.slots());
                return Ok(typed);
            }
            let mut found = None;
            for relation in &scope.relations {
                for (number, (column, ty)) in relation.columns.iter().enumerate() {
                    if &**column == name && !relation.hidden[number] {
                        if found.is_some() {
                            return fail("42702", format!("column reference \"{name}\" is ambiguous"));
                        }
                        found = Some(column_of(relation, number, ty));
                    }
                }
            }
            if let Some(typed) = found {
                self.read_from(depth, typed.expr.slots());
                return Ok(typed);
            }
        }
        let mut relations = self.scopes.iter().flat_map(|scope| &scope.relations);
        if is_system_column(name) && relations.any(|relation| relation.table.is_some()) {
            return refuse(format!("the system column {name}"));
        }
        if self.scopes.iter().flat_map(|scope| &scope.relations).any(|relation| &*relation.alias == name) {
            return refuse(format!("{name} as a whole row"));
        }
        Err(missing_column(name))
    }

    pub(super) fn qualified_column(&mut self, alias: &str, name: &str) -> Result<Typed> {
        self.check_sees_columns()?;
        for depth in (0..self.scopes.len()).rev() {
            let Some(relation) = self.scopes[depth].relations.iter().find(|relation| &*relation.alias == alias) else {
                continue;
            };
            let dropped = |number: usize| relation.table.as_ref().is_some_and(|table| table.columns[number].dropped);
            let found = relation
                .columns
                .iter()
                .enumerate()
                .find(|(number, (column, _))| &**column == name && !dropped(*number));
            let Some((number, (_, ty))) = found else {
                if is_system_column(name) && relation.table.is_some() {
                    return refuse(format!("the system column {name}"));
                }
                return fail("42703", format!("column {alias}.{name} does not exist"));
            };
            let typed = column_of(relation, number, ty);
            self.read_from(depth, typed.expr.slots());
            return Ok(typed);
        }
        Err(self.missing_from(alias))
    }

    /// A table that is there under an alias only is told apart from one that is not there at all.
    pub(super) fn missing_from(&self, name: &str) -> Stop {
        let mut relations = self.scopes.iter().flat_map(|scope| &scope.relations);
        let aliased = relations.any(|relation| relation.table.as_ref().is_some_and(|table| &*table.name == name));
        let mistake = if aliased { "invalid reference to" } else { "missing" };
        error("42P01", format!("{mistake} FROM-clause entry for table \"{name}\""))
    }

    pub(super) fn read_from(&mut self, depth: usize, slots: SlotSet) {
        for scope in &mut self.scopes[depth + 1..] {
            scope.free = scope.free.union(slots);
        }
    }

    /// ON sees the tables of its own join only.
    pub(super) fn hide_before(&mut self, first: usize) -> Vec<Relation> {
        self.scope().relations.drain(..first).collect()
    }

    pub(super) fn unhide(&mut self, hidden: Vec<Relation>) {
        self.scope().relations.splice(0..0, hidden);
    }

    pub(super) fn rename_columns(&mut self, alias: Option<&ast::TableAlias>) -> Result<()> {
        let Some(alias) = alias else { return Ok(()) };
        let relation = self.scope().relations.last_mut().expect("just added");
        if alias.columns.len() > relation.columns.len() {
            return fail(
                "42P10",
                format!(
                    "table \"{}\" has {} columns available but {} columns specified",
                    relation.alias,
                    relation.columns.len(),
                    alias.columns.len()
                ),
            );
        }
        for (column, name) in relation.columns.iter_mut().zip(&alias.columns) {
            column.0 = name.name.clone();
        }
        Ok(())
    }
}
