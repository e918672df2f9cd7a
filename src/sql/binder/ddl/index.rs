//! CREATE INDEX.

use std::rc::Rc;

use crate::sql::binder::{Binder, relation_name};
use crate::sql::catalog::Table;
use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::Expr;
use crate::sql::optimizer::const_fold::is_immutable;
use crate::sql::parser::ast;

pub struct IndexDefinition {
    pub name: Rc<str>,
    /// Each reads the row as slot 0.
    pub keys: Vec<Expr>,
    /// As the keys are written.
    pub texts: Vec<String>,
    pub unique: bool,
    pub primary: bool,
    /// Made by a constraint, not by CREATE INDEX.
    pub constraint: bool,
    pub predicate: Option<Expr>,
}

impl Binder<'_> {
    pub fn index(&mut self, create: &ast::CreateIndex) -> Result<(Rc<Table>, IndexDefinition)> {
        let table = self.catalog.existing(&relation_name(&create.table)?)?.clone();
        if let Some(using) = &create.using
            && !["btree", "hash"].contains(&&*using.name)
        {
            return refuse(format!("an index of kind {}", using.name));
        }
        self.open_scope("index expressions");
        self.add_table(&table, table.name.clone())?;
        let keys = create.columns.iter().map(|column| self.index_key(column)).collect::<Result<Vec<Expr>>>()?;
        let predicate = create.predicate.as_ref().map(|predicate| self.condition(predicate, "WHERE")).transpose()?;
        if predicate.as_ref().is_some_and(|predicate| predicate.any(&|part| !is_immutable(part))) {
            return fail("42P17", "functions in index predicate must be marked IMMUTABLE");
        }
        self.close_scope();
        let names: Vec<Option<&str>> = keys.iter().map(|key| column_name(&table, key)).collect();
        let texts = names.iter().zip(&create.columns);
        let texts = texts.map(|(name, column)| name.map_or_else(|| column.text.clone(), str::to_owned)).collect();
        let name = create.name.as_ref().map(|name| name.name.clone()).unwrap_or_else(|| {
            let parts: Vec<&str> = names.iter().map(|name| name.unwrap_or("expr")).collect();
            let wanted = format!("{}_{}_idx", table.name, parts.join("_"));
            self.catalog.free_name(&wanted, table.temporary.map(|it| it.session))
        });
        let definition =
            IndexDefinition { name, texts, unique: create.unique, primary: false, constraint: false, predicate, keys };
        Ok((table, definition))
    }

    fn index_key(&mut self, column: &ast::IndexColumn) -> Result<Expr> {
        let bound = self.expr(&column.expr)?.expr;
        if bound.any(&|part| !is_immutable(part)) {
            return fail("42P17", "functions in index expression must be marked IMMUTABLE");
        }
        Ok(bound)
    }
}

fn column_name<'t>(table: &'t Table, key: &Expr) -> Option<&'t str> {
    match key {
        Expr::Column { column, .. } => Some(&table.columns[usize::from(*column)].name),
        _ => None,
    }
}
