//! Names: folded, unless quoted, and never longer than PostgreSQL keeps them.

use std::rc::Rc;

use squawk_syntax::ast::normalize_name_node;
use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::super::ast::{Ident, ObjectName};
use super::super::errors::syntax_error;
use super::tree::Tree;
use super::{Lowering, Result, Unlowered};

/// PostgreSQL's NAMEDATALEN without the byte that ends it.
const NAME_MOST: usize = 63;

impl Lowering<'_> {
    /// Of a node that holds one name.
    pub fn ident(&self, node: &SyntaxNode) -> Ident {
        let mut name = normalize_name_node(node);
        if name.len() > NAME_MOST {
            name.truncate(name.floor_char_boundary(NAME_MOST));
        }
        Ident { name: Rc::from(name), at: self.at(node.start()) }
    }

    /// The names that stand in a node, at any depth: `a.b.c` is nested from the left.
    pub fn object_name(&self, node: &SyntaxNode) -> ObjectName {
        let named = |part: &SyntaxNode| matches!(part.kind(), PATH_SEGMENT | PATH_SEGMENT_REF | NAME_REF);
        ObjectName(node.descendants().filter(named).map(|part| self.ident(&part)).collect())
    }

    /// The only part of a name that may have no other.
    pub fn plain_name(&self, node: &SyntaxNode) -> Result<Ident> {
        let mut parts = self.object_name(node).0;
        match parts.len() {
            0 => Ok(self.ident(node)),
            1 => Ok(parts.remove(0)),
            _ => {
                let dot = node.descendants_with_tokens().find(|element| element.kind() == DOT);
                let byte = dot.map_or(node.start(), |dot| super::tree::start_of(&dot));
                Err(Unlowered::Failed(syntax_error(self.source, byte)))
            }
        }
    }

    /// The names of a list in parentheses.
    pub fn idents(&self, list: &SyntaxNode) -> Vec<Ident> {
        let named = |part: &SyntaxNode| matches!(part.kind(), COLUMN_NAME | COLUMN_NAME_REF);
        list.children().filter(named).map(|part| self.ident(&part)).collect()
    }
}
