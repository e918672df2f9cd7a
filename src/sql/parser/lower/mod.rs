//! From the tree of `squawk-syntax` to the AST. The tree is without errors when it comes here, so what a rule of the grammar
//! promises is there.
//!
//! A subquery goes through a dozen of these functions, and texts nest: `inline(never)` keeps what one of them needs for a moment out
//! of the frame of the one that recurses. `limits` counts on it.

mod ddl;
mod dml;
mod escapes;
mod expr;
mod from;
mod functions;
mod literals;
mod names;
mod operators;
mod query;
mod session;
mod tables;
mod tree;
mod types;

use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxKind::*, SyntaxNode};

use super::super::error;
use super::ast::{CursorPosition, Statement};
use super::errors::syntax_error;
use super::tokens::SourceText;
use super::{Parsed, ast};
use crate::trace::SqlError;
pub use functions::is_value_function;
use tree::Tree;

/// Why a tree does not become a statement.
pub enum Unlowered {
    /// PostgreSQL takes it, this engine does not offer it.
    Refused(String),
    /// PostgreSQL does not take it either.
    Failed(SqlError),
}

pub type Result<T, E = Unlowered> = std::result::Result<T, E>;

pub fn refuse<T>(what: impl Into<String>) -> Result<T> {
    Err(Unlowered::Refused(what.into()))
}

pub struct Lowering<'t> {
    source: &'t SourceText<'t>,
}

impl<'t> Lowering<'t> {
    pub fn new(source: &'t SourceText<'t>) -> Lowering<'t> {
        Lowering { source }
    }

    /// All statements of a text.
    pub fn text(&self, file: &SyntaxNode) -> error::Result<Vec<Parsed>> {
        let mut pieces = self.source.statements().into_iter().peekable();
        let mut parsed = Vec::new();
        for node in file.children().filter(|node| node.kind() != EMPTY_STMT) {
            while pieces.next_if(|piece| piece.end <= node.start()).is_some() {}
            let text = pieces.peek().map_or("", |piece| &self.source.text[piece.clone()]);
            parsed.push(Parsed { statement: self.statement(&node)?, text: Rc::from(text) });
        }
        Ok(parsed)
    }

    fn statement(&self, node: &SyntaxNode) -> error::Result<Statement, SqlError> {
        match self.lowered(node) {
            Ok(statement) => Ok(statement),
            Err(Unlowered::Refused(what)) => Ok(Statement::Refused(what)),
            Err(Unlowered::Failed(error)) => Err(error),
        }
    }

    fn lowered(&self, node: &SyntaxNode) -> Result<Statement> {
        Ok(match node.kind() {
            SELECT | VALUES | TABLE | COMPOUND_SELECT | PAREN_SELECT => Statement::Query(self.query(node)?),
            INSERT => Statement::Insert(Box::new(self.insert(node)?)),
            UPDATE => Statement::Update(Box::new(self.update(node)?)),
            DELETE => Statement::Delete(Box::new(self.delete(node)?)),
            CREATE_TABLE => Statement::CreateTable(Box::new(self.create_table(node)?)),
            CREATE_TABLE_AS => return refuse("CREATE TABLE AS and LIKE"),
            SELECT_INTO => return refuse("SELECT INTO"),
            CREATE_INDEX => Statement::CreateIndex(Box::new(self.create_index(node)?)),
            CREATE_SEQUENCE => Statement::CreateSequence(self.create_sequence(node)?),
            ALTER_TABLE => Statement::AlterTable(self.alter_table(node)?),
            DROP_TABLE => self.drop(node, ast::ObjectKind::Table)?,
            DROP_INDEX => self.drop(node, ast::ObjectKind::Index)?,
            DROP_SEQUENCE => self.drop(node, ast::ObjectKind::Sequence)?,
            TRUNCATE => Statement::Truncate(self.truncate(node)?),
            COMMENT_ON => Statement::CommentOn(self.comment(node)?),
            _ => return self.session_statement(node),
        })
    }

    fn at(&self, byte: usize) -> CursorPosition {
        CursorPosition(self.source.position(byte))
    }

    /// PostgreSQL's grammar has no place for the token at this byte.
    fn unexpected<T>(&self, byte: usize) -> Result<T> {
        Err(Unlowered::Failed(syntax_error(self.source, byte)))
    }
}

/// `CREATE_VIEW`: "CREATE VIEW".
pub fn spelled(kind: SyntaxKind) -> String {
    format!("{kind:?}").replace('_', " ")
}
