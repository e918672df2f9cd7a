//! CREATE INDEX.

use std::rc::Rc;

use crate::sql::binder::{Binder, Typed, defined_name};
use crate::sql::catalog::Table;
use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::Expr;
use crate::sql::optimizer::const_fold::is_immutable;
use crate::sql::parser::ast;
use crate::sql::types::Type;
use crate::trace::SqlError;

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
        let table = self.catalog.existing(&defined_name(&create.table)?)?.clone();
        if let Some(using) = &create.using
            && !["btree", "hash"].contains(&&*using.name)
        {
            return refuse(format!("an index of kind {}", using.name));
        }
        let slot = self.slot(table.columns.len())?;
        self.open_kept_scope("index predicate", "index predicates");
        self.add_table_at(&table, table.name.clone(), slot)?;
        let predicate = create.predicate.as_ref().map(|predicate| self.condition(predicate, "WHERE")).transpose()?;
        self.close_scope();
        self.open_kept_scope("index expression", "index expressions");
        self.add_table_at(&table, table.name.clone(), slot)?;
        let keys = create.columns.iter().map(|column| self.expr(&column.expr)).collect::<Result<Vec<Typed>>>()?;
        self.close_scope();
        if predicate.as_ref().is_some_and(|predicate| predicate.any(&|part| !is_immutable(part))) {
            return fail("42P17", "functions in index predicate must be marked IMMUTABLE");
        }
        for key in &keys {
            if key.expr.any(&|part| !is_immutable(part)) {
                return fail("42P17", "functions in index expression must be marked IMMUTABLE");
            }
            check_operator_class(&key.ty, create.using.as_ref().map_or("btree", |method| &*method.name))?;
        }
        let keys: Vec<Expr> = keys.into_iter().map(|key| key.expr).collect();
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
}

/// A tree is kept in the order of its keys; a hash needs no more than that some are equal.
fn check_operator_class(ty: &Type, method: &str) -> Result<()> {
    let is_offered = if method == "hash" { ty.check_equality() } else { ty.check_order() };
    if *ty != Type::Unknown && is_offered.is_ok() {
        return Ok(());
    }
    let (name, message) = (ty.name(), "has no default operator class for access method");
    let mut error = SqlError::new("42704", format!("data type {name} {message} \"{method}\""));
    let hint = "You must specify an operator class for the index or define a default operator class for the data type.";
    error.hint = Some(hint.to_owned());
    Err(error.into())
}

fn column_name<'t>(table: &'t Table, key: &Expr) -> Option<&'t str> {
    match key {
        Expr::Column { column, .. } => Some(&table.columns[usize::from(*column)].name),
        _ => None,
    }
}
