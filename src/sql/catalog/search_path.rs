//! Which schema a name is looked up in. There are two: `public`, and what is a session's own. Names lose their schema before they are
//! looked up, so what must not be mixed up is told apart here, before a statement is bound.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::sql::catalog::Catalog;
use crate::sql::error::{Result, error, fail, refuse};
use crate::sql::parser::Visited;
use crate::sql::parser::ast::{self, ObjectName};

/// The names a statement uses.
pub fn check(statement: &ast::Statement, catalog: &Catalog, searches_public: bool) -> Result<()> {
    let own: BTreeSet<Rc<str>> = match catalog.view {
        Some(session) => catalog.temporary_tables(session).map(|table| table.name.clone()).collect(),
        None => BTreeSet::new(),
    };
    if own.is_empty() && searches_public {
        return Ok(());
    }
    if !searches_public && makes_unqualified(statement) {
        return fail("3F000", "no schema has been selected to create in");
    }
    // Common table expressions come before any table.
    let mut common: BTreeSet<Rc<str>> = BTreeSet::new();
    let mut names: Vec<&ObjectName> = definitions(statement);
    statement.parts(&mut |part| match part {
        Visited::Relation(name) => names.push(name),
        Visited::Cte(name) => _ = common.insert(name.name.clone()),
        Visited::Expr(_) => {}
    });
    if let ast::Statement::CreateTable(create) = statement {
        common.extend(create.name.0.last().map(|name| name.name.clone()));
    }
    names.into_iter().try_for_each(|name| match name.0.as_slice() {
        [schema, name] if &*schema.name == "public" && own.contains(&name.name) => {
            refuse(format!("public.{} while a temporary table has the same name", name.name))
        }
        [name] if !searches_public && !own.contains(&name.name) && !common.contains(&name.name) => {
            Err(error("42P01", format!("relation \"{}\" does not exist", name.name)))
        }
        _ => Ok(()),
    })
}

/// Tables that a statement about definitions names.
fn definitions(statement: &ast::Statement) -> Vec<&ObjectName> {
    match statement {
        ast::Statement::CreateIndex(create) => vec![&create.table],
        ast::Statement::AlterTable(alter) => vec![&alter.name],
        ast::Statement::Truncate(truncate) => truncate.tables.iter().collect(),
        ast::Statement::Drop(drop) => drop.names.iter().collect(),
        ast::Statement::CommentOn(
            ast::Commented::Relation { name, .. } | ast::Commented::Column { table: name, .. },
        ) => vec![name],
        _ => Vec::new(),
    }
}

/// Whether a setting of search_path finds what is in `public`.
pub fn has_public(setting: &str) -> bool {
    schemas(setting).any(|schema| schema.eq_ignore_ascii_case("public"))
}

/// The first schema of a setting of search_path that there is.
pub fn first(setting: &str) -> Option<&'static str> {
    let known = |schema: &str| {
        ["public", "pg_catalog", "information_schema"].into_iter().find(|known| schema.eq_ignore_ascii_case(known))
    };
    schemas(setting).find_map(known)
}

fn schemas(setting: &str) -> impl Iterator<Item = &str> {
    setting.split(',').map(|schema| schema.trim().trim_matches(['"', '\'']))
}

fn makes_unqualified(statement: &ast::Statement) -> bool {
    match statement {
        ast::Statement::CreateTable(create) => !create.temporary && create.name.0.len() == 1,
        ast::Statement::CreateSequence(create) => !create.temporary && create.name.0.len() == 1,
        _ => false,
    }
}
