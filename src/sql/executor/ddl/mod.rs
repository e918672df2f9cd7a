//! CREATE, ALTER, DROP, TRUNCATE and COMMENT ON. Each takes the table for itself, so no other session sees a change half done. What is defined
//! the binder says, part by part: a part is bound against the catalog as those before it have left it, under the table's lock.

mod alter_table;
mod comment;
mod constraints;
mod create_table;
mod drop;
mod index;
mod sequence;
mod truncate;

use crate::sql::binder::Binder;
use crate::sql::catalog::Table;
use crate::sql::error::{Result, Stop, fail, refuse};
use crate::sql::executor::Context;
use crate::sql::parser::ast::{self, ObjectKind};
use crate::store::{Row, RowId};

/// The words PostgreSQL names a statement by in a message.
fn verb_of(statement: &ast::Statement) -> &'static str {
    match statement {
        ast::Statement::CreateTable(_) => "CREATE TABLE",
        ast::Statement::CreateIndex(_) => "CREATE INDEX",
        ast::Statement::CreateSequence(_) => "CREATE SEQUENCE",
        ast::Statement::AlterTable(_) => "ALTER TABLE",
        ast::Statement::Drop(drop) => verb_of_drop(drop.kind),
        ast::Statement::Truncate(_) => "TRUNCATE TABLE",
        ast::Statement::CommentOn(_) => "COMMENT",
        _ => "ANALYZE",
    }
}

fn verb_of_drop(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Table => "DROP TABLE",
        ObjectKind::Index => "DROP INDEX",
        ObjectKind::Sequence => "DROP SEQUENCE",
    }
}

/// IF EXISTS asks for the schema too.
fn is_missing_schema(stop: &Stop) -> bool {
    matches!(stop, Stop::Failed(error) if error.sqlstate.as_str() == "3F000")
}

impl Context<'_> {
    /// Runs a statement that changes the catalog; gives its command tag.
    pub fn run_ddl(&mut self, statement: &ast::Statement) -> Result<String> {
        if self.read_only {
            return fail("25006", format!("cannot execute {} in a read-only transaction", verb_of(statement)));
        }
        match statement {
            ast::Statement::CreateTable(create) => self.create_table(create)?,
            ast::Statement::CreateIndex(create) => self.create_index(create)?,
            ast::Statement::CreateSequence(create) => self.create_sequence(create)?,
            ast::Statement::AlterTable(alter) => self.alter_table(alter)?,
            ast::Statement::Drop(drop) => self.drop_relations(drop)?,
            ast::Statement::Truncate(truncate) => self.truncate(truncate)?,
            ast::Statement::CommentOn(commented) => self.comment_on(commented)?,
            ast::Statement::Analyze => {}
            _ => return refuse("this statement"),
        }
        Ok(verb_of(statement).to_owned())
    }

    /// Binds the next part of a statement, against the catalog of this moment.
    fn binder(&self) -> Binder<'_> {
        Binder::new(&self.engine.catalog, &self.engine.store, &[])
    }

    fn already_there(&mut self, name: &str, accepted: bool) -> Result<()> {
        if !accepted {
            return fail("42P07", format!("relation \"{name}\" already exists"));
        }
        self.notice("NOTICE", "42P07", format!("relation \"{name}\" already exists, skipping"));
        Ok(())
    }

    fn all_rows(&mut self, table: &Table) -> Vec<Row> {
        let snapshot = self.engine.store.latest_snapshot(self.session);
        let store = self.engine.store.table(table.id);
        (0..store.row_end()).filter_map(|row| store.chain(RowId(row)).visible(&snapshot)?.row.clone()).collect()
    }
}
