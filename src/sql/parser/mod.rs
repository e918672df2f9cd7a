//! SQL text to the statements of `ast`. The grammar is PostgreSQL's, by the crate `squawk-syntax`, and this room alone knows that
//! crate. It knows no tables, no types and no functions: what a name means is the binder's business.
//!
//! 1. `tokens` splits the text into tokens. `limits` looks at them and stops what would need a deeper stack than there is.
//! 2. `squawk-syntax` makes a tree of the text, and says what is wrong with it. `errors` makes of that the error PostgreSQL gives.
//! 3. `lower` makes the AST of the tree. The tree is exact about words, names, parentheses and clauses, but groups operators and
//!    joins in its own way: `lower/operators.rs` and `lower/from.rs` take these as a sequence and group them by PostgreSQL's rules.
//!
//! What PostgreSQL takes and this engine does not is no error of the text: it becomes `Statement::Refused`, and fails when its turn
//! comes, as any other statement that cannot be run.

pub mod ast;
mod errors;
mod limits;
mod lower;
mod missed;
#[cfg(test)]
mod tests;
mod tokens;
mod walk;

use std::rc::Rc;

pub use walk::Visited;

use super::error::{Result, fail};
use lower::Lowering;
use squawk_syntax::SourceFile;
use tokens::SourceText;

const TEXT_MOST: usize = 1 << 20;

pub struct Parsed {
    pub statement: ast::Statement,
    /// As it stands in the text.
    pub text: Rc<str>,
}

/// `%s` to `$1`, `%%` to `%`, as psycopg does where parameters are given.
pub fn number_placeholders(sql: &str) -> String {
    let mut numbered = String::with_capacity(sql.len() + 8);
    let mut number = 0;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('%', Some('s' | 'b' | 't')) => {
                chars.next();
                number += 1;
                numbered.push_str(&format!("${number}"));
            }
            ('%', Some('%')) => {
                chars.next();
                numbered.push('%');
            }
            _ => numbered.push(c),
        }
    }
    numbered
}

/// The statements of a text as they stand in it, each with the 1-based character it begins at.
pub fn statements(sql: &str) -> Result<Vec<(u32, &str)>> {
    let source = source(sql)?;
    let pieces = source.statements().into_iter();
    Ok(pieces.map(|piece| (source.position(piece.start), &sql[piece])).collect())
}

/// An error anywhere in the text fails all of it, before any of it runs.
pub fn parse(sql: &str) -> Result<Vec<Parsed>> {
    let source = source(sql)?;
    limits::check(&source)?;
    let tree = SourceFile::parse(sql);
    errors::check(&source, &tree)?;
    Lowering::new(&source).text(&tree.syntax_node())
}

fn source(sql: &str) -> Result<SourceText<'_>> {
    if sql.len() > TEXT_MOST {
        return fail("54000", "a statement of more than 1 MB is not offered by this database engine");
    }
    Ok(SourceText::new(sql))
}
