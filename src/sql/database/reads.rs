//! What a query reads, from its plan: whoever watches its answer need not ask again before one of these tables has changed.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::database::Database;
use crate::sql::error::Stop;
use crate::sql::expr::Expr;
use crate::sql::parser::ast;
use crate::sql::plan::{Operator, PlanKind, PlanNode, QueryBody, QueryPlan};
use crate::trace::SqlError;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    pub tables: BTreeSet<Rc<str>>,
    /// The table whose primary key is the first column of the answer: each row of the answer is about that row.
    pub about: Option<Rc<str>>,
    /// The answer may change though no table does: it goes by a clock.
    pub restless: bool,
}

impl Database {
    /// Of all statements of a text; `about` is of the last one.
    pub fn reads(&mut self, sql: &str) -> Result<Reads, SqlError> {
        let mut reads = Reads::default();
        for prepared in self.statements.get(sql, false).map_err(Stop::failure)?.iter() {
            reads.about = None;
            let statement @ ast::Statement::Query(_) = &prepared.statement else { continue };
            if prepared.asks_system {
                reads.restless = true;
                continue;
            }
            let plan =
                prepared.plan(statement, &self.engine.catalog, &self.engine.store, &[]).map_err(Stop::failure)?;
            reads.restless |= plan.restless;
            reads.tables.extend(plan.tables.iter().map(|(table, _)| table.name.clone()));
            if let PlanKind::Query(query) = &plan.kind {
                reads.about = about(query).map(|table| table.name.clone());
            }
        }
        Ok(reads)
    }

    /// Every table with its columns, in the order of a row's values; a dropped one keeps its place and has no name.
    pub fn tables(&self) -> impl Iterator<Item = (&Rc<str>, Vec<&str>)> {
        self.engine.catalog.tables().map(|table| {
            let columns = table.columns.iter();
            (&table.name, columns.map(|column| if column.dropped { "" } else { &*column.name }).collect())
        })
    }

    /// Pairs of tables, of which the first has a foreign key to the second.
    pub fn references(&self) -> impl Iterator<Item = (&Rc<str>, &Rc<str>)> {
        let catalog = &self.engine.catalog;
        let keys = catalog.tables().flat_map(|child| child.foreign_keys.iter().map(move |key| (child, key)));
        keys.filter_map(|(child, key)| Some((&child.name, &catalog.table_by_id(key.parent)?.name)))
    }

    /// Grows whenever tables are made, changed or dropped: what a text reads may then be something else.
    pub fn catalog_version(&self) -> u64 {
        self.engine.catalog.version
    }
}

fn about(query: &QueryPlan) -> Option<&Rc<Table>> {
    let QueryBody::Select(select) = &query.body else { return None };
    let Some(Expr::Column { slot, column }) = select.output.first() else { return None };
    let table = scanned(&select.from, *slot)?;
    let key = table.primary()?.plain_columns()?;
    (key == [usize::from(*column)]).then_some(table)
}

/// The table whose rows stand in a slot.
fn scanned(node: &PlanNode, wanted: u16) -> Option<&Rc<Table>> {
    match &node.operator {
        Operator::Scan(scan) => (scan.slot == wanted).then_some(&scan.table),
        Operator::Join(join) => scanned(&join.left, wanted).or_else(|| scanned(&join.right, wanted)),
        Operator::Filter { input, .. } | Operator::OneTimeFilter { input, .. } => scanned(input, wanted),
        Operator::HashAggregate(group) => scanned(&group.input, wanted),
        Operator::Window(window) => scanned(&window.input, wanted),
        Operator::OneRow
        | Operator::Series { .. }
        | Operator::Unnest { .. }
        | Operator::Derived { .. }
        | Operator::Cte { .. } => None,
    }
}
