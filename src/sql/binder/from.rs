//! FROM: tables, joins, subqueries and functions that give rows.

use std::rc::Rc;

use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::{Comparison, Expr, SlotSet};
use crate::sql::functions::Routine;
use crate::sql::functions::set_returning::SetFunction;
use crate::sql::parser::ast;
use crate::sql::plan::{BoundQuery, Derived, JoinKind, Source, TableFunction};
use crate::sql::types::Type;
use crate::store::Mode;
use crate::trace::SqlError;

use super::coerce::{coerce, common_type, compare_exprs};
use super::overload::{bind_arguments, choose, kinds};
use super::query::{BoundCte, renamed};
use super::scope::{Relation, column_of, shown_name};
use super::{Binder, Typed, names_of, relation_name};

/// The table stands in FROM, but not where it can be read from here.
pub fn invalid_reference(alias: &str) -> SqlError {
    SqlError::new("42P10", format!("invalid reference to FROM-clause entry for table \"{alias}\""))
}

impl<'a> Binder<'a> {
    /// Once all joins are bound: which subqueries among the sources an outer join may put NULLs for.
    pub(super) fn note_nullable(&self, sources: &mut [Source]) {
        let relations = self.scopes.last().map_or(&[][..], |scope| &scope.relations);
        for source in sources {
            source.for_each_derived_mut(&mut |derived| {
                if let Some(relation) = relations.iter().find(|relation| relation.slot == derived.slot) {
                    derived.nullable = relation.nullable;
                }
            });
        }
    }

    pub(super) fn bind_joined(&mut self, item: &ast::TableWithJoins) -> Result<Source> {
        let first = self.scope().relations.len();
        let mut source = self.bind_factor(&item.relation)?;
        for join in &item.joins {
            let left_end = self.scope().relations.len();
            let right = self.bind_factor(&join.relation)?;
            let (kind, swapped) = match join.kind {
                ast::JoinType::Inner => (JoinKind::Inner, false),
                ast::JoinType::Left => (JoinKind::Left, false),
                ast::JoinType::Right => (JoinKind::Left, true),
                ast::JoinType::Full => (JoinKind::Full, false),
            };
            let mut on = Vec::new();
            match &join.constraint {
                ast::JoinConstraint::None => {}
                ast::JoinConstraint::On(condition) => {
                    let hidden = self.hide_before(first);
                    self.scope().clause = "JOIN conditions";
                    let bound = self.condition(condition, "JOIN/ON");
                    self.scope().clause = "FROM";
                    self.unhide(hidden);
                    bound?.conjuncts(&mut on);
                }
                ast::JoinConstraint::Using(names) => {
                    self.merge(&names_of(names), first, left_end, kind, swapped, &mut on)?;
                }
                ast::JoinConstraint::Natural => {
                    let scope = self.scope();
                    let right_names: Vec<Rc<str>> = scope.relations[left_end..]
                        .iter()
                        .flat_map(|r| r.columns.iter().map(|(name, _)| name.clone()))
                        .collect();
                    let mut names: Vec<Rc<str>> = Vec::new();
                    for relation in &scope.relations[first..left_end] {
                        for (number, (name, _)) in relation.columns.iter().enumerate() {
                            // What an earlier join has merged is one column of the left side, too.
                            let shown = !relation.hidden[number] || scope.merged.iter().any(|(it, _)| it == name);
                            if right_names.contains(name) && !names.contains(name) && shown {
                                names.push(name.clone());
                            }
                        }
                    }
                    self.merge(&names, first, left_end, kind, swapped, &mut on)?;
                }
            }
            let (nullable_from, nullable_to) = match (kind, swapped) {
                (JoinKind::Inner, _) => (0, 0),
                (JoinKind::Left, false) => (left_end, self.scope().relations.len()),
                (JoinKind::Left, true) => (first, left_end),
                (JoinKind::Full, _) => (first, self.scope().relations.len()),
            };
            for relation in &mut self.scope().relations[nullable_from..nullable_to] {
                relation.nullable = true;
            }
            if swapped || kind == JoinKind::Full {
                self.refuse_lateral(&source, &right)?;
            }
            let (left, right) = if swapped { (right, source) } else { (source, right) };
            source = Source::Join { kind, left: Box::new(left), right: Box::new(right), on };
        }
        Ok(source)
    }

    /// A row that is to be kept though nothing on the left matches cannot be computed from the left.
    fn refuse_lateral(&mut self, left: &Source, right: &Source) -> Result<()> {
        let read = right.reads();
        let Some(slot) = left.slots().iter().find(|slot| read.meets(SlotSet::one(*slot))) else { return Ok(()) };
        let alias = self.scope().relations.iter().find(|relation| relation.slot == slot).map(|it| it.alias.clone());
        let mut wrong = invalid_reference(&alias.unwrap_or_default());
        wrong.detail = Some("The combining JOIN type must be INNER or LEFT for a LATERAL reference.".to_owned());
        Err(wrong.into())
    }

    pub(super) fn merge(
        &mut self,
        names: &[Rc<str>],
        first: usize,
        left_end: usize,
        kind: JoinKind,
        swapped: bool,
        on: &mut Vec<Expr>,
    ) -> Result<()> {
        let mut merged = Vec::new();
        for name in names {
            let scope = self.scope();
            let find = |relations: &[Relation]| -> Option<(usize, usize)> {
                relations.iter().enumerate().find_map(|(at, relation)| {
                    let number = relation.columns.iter().position(|(column, _)| column == name)?;
                    (!relation.hidden[number]).then_some((at, number))
                })
            };
            let earlier = scope.merged.iter().position(|(merged, _)| merged == name);
            let left = match earlier {
                Some(place) => scope.merged.remove(place).1,
                None => {
                    let Some((at, number)) = find(&scope.relations[first..left_end]) else {
                        return fail(
                            "42703",
                            format!("column \"{name}\" specified in USING clause does not exist in left table"),
                        );
                    };
                    let relation = &mut scope.relations[first + at];
                    relation.hidden[number] = true;
                    column_of(relation, number, &relation.columns[number].1)
                }
            };
            let Some((at, number)) = find(&scope.relations[left_end..]) else {
                return fail(
                    "42703",
                    format!("column \"{name}\" specified in USING clause does not exist in right table"),
                );
            };
            let relation = &mut scope.relations[left_end + at];
            relation.hidden[number] = true;
            let right = column_of(relation, number, &relation.columns[number].1);
            let ty = common_type("JOIN/USING", [&left.ty, &right.ty].into_iter())?;
            on.push(compare_exprs(Comparison::Equal, left.clone(), right.clone())?.expr);
            let shown = match (kind, swapped) {
                (JoinKind::Full, _) => Typed::new(Expr::Coalesce(vec![coerce(left, &ty)?, coerce(right, &ty)?]), ty),
                (_, true) => right,
                _ => left,
            };
            merged.push((name.clone(), shown));
        }
        let scope = self.scope();
        merged.append(&mut scope.merged);
        scope.merged = merged;
        Ok(())
    }

    pub(super) fn bind_factor(&mut self, factor: &ast::TableFactor) -> Result<Source> {
        match factor {
            ast::TableFactor::Table { name, alias } => {
                let at = name.begin().0;
                let table_name = relation_name(name).map_err(|stop| stop.at(at))?;
                let shown = shown_name(alias.as_ref(), &table_name);
                if let Some(place) = self.visible_ctes.iter().rposition(|(cte, _)| *cte == table_name) {
                    return self.bind_cte(place, shown, alias.as_ref());
                }
                let table = self.catalog.existing(&table_name).map_err(|stop| stop.at(at))?.clone();
                self.use_table(&table, Mode::AccessShare);
                let slot = self.add_table(&table, shown.clone())?;
                self.rename_columns(alias.as_ref())?;
                Ok(Source::Table { table, alias: shown, slot })
            }
            ast::TableFactor::Function { name, arguments, alias } => {
                self.bind_table_function(name, arguments, alias.as_ref())
            }
            ast::TableFactor::Derived { lateral, query, alias } => {
                let Some(alias) = alias else { return fail("42601", "subquery in FROM must have an alias") };
                let hidden = if *lateral { Vec::new() } else { std::mem::take(&mut self.scope().relations) };
                let own = self.scope().own;
                let merged = std::mem::take(&mut self.scope().merged);
                let free_before = std::mem::take(&mut self.scope().free);
                if !*lateral {
                    self.scope().own = SlotSet::NONE;
                }
                self.columns_later = true;
                let bound = self.subquery_scope(|binder| binder.query(query));
                let scope = self.scope();
                if !*lateral {
                    scope.relations = hidden;
                    scope.own = own;
                }
                scope.merged = merged;
                scope.free = free_before.union(scope.free);
                let (query, free) = bound?;
                let free = if free.meets(own) { free } else { SlotSet::default() };
                self.add_derived(query, alias.name.name.clone(), Some(alias), free)
            }
            ast::TableFactor::Nested(joined) => self.bind_joined(joined),
        }
    }

    pub(super) fn bind_cte(&mut self, place: usize, shown: Rc<str>, alias: Option<&ast::TableAlias>) -> Result<Source> {
        match &self.visible_ctes[place].1 {
            BoundCte::Inline(query, aliases, depth, scopes) => {
                let (query, aliases, depth, scopes) = (query.clone(), aliases.clone(), *depth, *scopes);
                let later: Vec<_> = self.visible_ctes.drain(depth..).collect();
                self.columns_later = true;
                let bound = self.query_within(scopes, &query);
                self.visible_ctes.extend(later);
                let (mut bound, _) = bound?;
                let columns = renamed(&bound.columns, &aliases, &shown)?;
                for (column, (name, _)) in bound.columns.iter_mut().zip(columns) {
                    column.name = name;
                }
                self.add_derived(bound, shown, alias, SlotSet::NONE)
            }
            BoundCte::Kept { number, columns } => {
                let (number, columns) = (*number, columns.clone());
                let name = shown.clone();
                let shown_columns = columns.iter().map(|(name, _)| name.clone()).collect();
                let slot = self.add_made(shown, columns, alias)?;
                Ok(Source::Cte { number, slot, name, columns: shown_columns })
            }
        }
    }

    /// A relation whose rows a query makes.
    pub(super) fn add_made(
        &mut self,
        shown: Rc<str>,
        columns: Vec<(Rc<str>, Type)>,
        alias: Option<&ast::TableAlias>,
    ) -> Result<u16> {
        let slot = self.slot(columns.len())?;
        let hidden = vec![false; columns.len()];
        self.add_relation(Relation { alias: shown, slot, columns, hidden, table: None, nullable: false })?;
        self.rename_columns(alias)?;
        Ok(slot)
    }

    pub(super) fn add_derived(
        &mut self,
        query: BoundQuery,
        shown: Rc<str>,
        alias: Option<&ast::TableAlias>,
        reads: SlotSet,
    ) -> Result<Source> {
        let columns = query.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
        let slot = self.add_made(shown.clone(), columns, alias)?;
        let query = Box::new(query);
        Ok(Source::Derived(Derived { query, slot, name: shown, reads, nullable: false }))
    }

    pub(super) fn bind_table_function(
        &mut self,
        name: &ast::ObjectName,
        arguments: &[ast::Expr],
        alias: Option<&ast::TableAlias>,
    ) -> Result<Source> {
        let at = name.begin().0;
        let name = relation_name(name)?;
        let arguments = arguments.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<Typed>>>()?;
        let Routine::SetReturning(spec) = choose(&name, &kinds(&arguments)).map_err(|stop| stop.at(at))? else {
            return refuse(format!("the function {name}() in FROM"));
        };
        let (arguments, ty) = bind_arguments(&spec.signature, arguments)?;
        let reads = arguments.iter().fold(SlotSet::NONE, |slots, argument| slots.union(argument.slots()));
        let slot = self.add_function_relation(spec.name, ty, alias)?;
        let mut arguments = arguments.into_iter();
        let mut argument = || arguments.next().expect("as many as the signature has");
        Ok(match spec.function {
            SetFunction::Unnest => {
                Source::Function { function: TableFunction::Unnest { array: argument() }, slot, reads }
            }
            SetFunction::Series => {
                let (start, stop) = (argument(), argument());
                let function = TableFunction::Series { start, stop, step: arguments.next() };
                let reads = if reads.meets(self.scope().own) { reads } else { SlotSet::NONE };
                Source::Function { function, slot, reads }
            }
        })
    }

    /// A function's one column is named as its alias, unless columns are named too.
    pub(super) fn add_function_relation(
        &mut self,
        name: &str,
        ty: Type,
        alias: Option<&ast::TableAlias>,
    ) -> Result<u16> {
        let shown = shown_name(alias, &Rc::from(name));
        self.add_made(shown.clone(), vec![(shown, ty)], alias)
    }
}
