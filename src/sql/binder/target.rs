//! The table that a statement writes: how its rows are found, and what its columns take.

use std::rc::Rc;

use crate::sql::catalog::{Column, Table};
use crate::sql::error::{Result, Stop, error};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::parser::ast;
use crate::sql::plan::{BoundQuery, Returning, Source, TARGET};
use crate::store::Mode;
use crate::trace::Value;

use super::coerce::assign;
use super::from::invalid_reference;
use super::{Binder, Typed, relation_name};

/// The table UPDATE or DELETE writes, by the name it has there.
pub(super) struct Target {
    pub(super) table: Rc<Table>,
    pub(super) alias: Rc<str>,
}

/// What says which rows are written and what is given back of them.
pub(super) struct TargetClauses<'q> {
    pub(super) selection: Option<&'q ast::Expr>,
    pub(super) returning: Option<&'q [ast::SelectItem]>,
}

impl Binder<'_> {
    /// Opens a scope that has the table in its first slot.
    pub(super) fn open_target(
        &mut self,
        clause: &'static str,
        name: &ast::ObjectName,
        alias: Option<&ast::Ident>,
    ) -> Result<Target> {
        let at = name.begin().0;
        let name = relation_name(name).map_err(|stop| stop.at(at))?;
        let table = self.catalog.existing(&name).map_err(|stop| stop.at(at))?.clone();
        self.use_table(&table, Mode::RowExclusive);
        let alias = alias.map_or_else(|| table.name.clone(), |alias| alias.name.clone());
        self.open_scope(clause);
        let slot = self.add_table(&table, alias.clone())?;
        assert_eq!(slot, TARGET, "the written row stands first");
        Ok(Target { table, alias })
    }

    /// How the target's rows are found, with those of FROM or USING beside them.
    pub(super) fn found(
        &mut self,
        target: &Target,
        others: Vec<Source>,
        clauses: TargetClauses,
    ) -> Result<(BoundQuery, Option<Returning>)> {
        let mut conditions = Vec::new();
        if let Some(selection) = clauses.selection {
            let bound = self.in_clause("WHERE", false, |binder| binder.condition(selection, "WHERE"))?;
            bound.conjuncts(&mut conditions);
        }
        if others.iter().any(|other| other.reads().meets(SlotSet::one(TARGET))) {
            let alias = &target.alias;
            let mut wrong = invalid_reference(alias);
            wrong.hint = Some(format!(
                "There is an entry for table \"{alias}\", but it cannot be referenced from this part of the query."
            ));
            return Err(wrong.into());
        }
        // Before the sources are settled: it may read them too.
        let returning = clauses
            .returning
            .map(|items| self.in_clause("RETURNING", false, |binder| binder.returning(items)))
            .transpose()?;
        let Target { table, alias } = target;
        let mut sources = vec![Source::Table { table: table.clone(), alias: alias.clone(), slot: TARGET }];
        sources.extend(others);
        Ok((self.found_by(sources, conditions), returning))
    }
}

pub(super) fn is_default(expr: &ast::Expr) -> bool {
    expr.kind == ast::ExprKind::Default
}

/// What DEFAULT stands for.
pub(super) fn own_default(column: &Column) -> Expr {
    column.default.clone().unwrap_or(Expr::Const(Value::Null))
}

pub(super) fn assigned(column: &Column, value: Typed) -> Result<Expr> {
    assigned_from(column, value, "expression")
}

/// A value as the column takes it; `what` the message calls it if it has another type.
pub(super) fn assigned_from(column: &Column, value: Typed, what: &str) -> Result<Expr> {
    let (from, at) = (value.ty.name(), value.at.0);
    assign(value, &column.ty).map_err(|stop| match stop {
        Stop::Failed(failure) if failure.sqlstate.as_str() == "42804" => error(
            "42804",
            format!("column \"{}\" is of type {} but {what} is of type {from}", column.name, column.ty.name()),
        )
        .at(at),
        other => other,
    })
}
