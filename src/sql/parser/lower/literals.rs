//! Constants.

use std::rc::Rc;

use squawk_syntax::ast::{AstNode, Literal as Written};
use squawk_syntax::unescape::uescape_char;
use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::super::ast::{ExprKind, Literal};
use super::tree::Tree;
use squawk_syntax::SyntaxToken;

use super::{Lowering, Result, Unlowered, refuse};
use crate::trace::SqlError;

/// What a string constant says, its pieces joined and its escapes resolved.
pub fn string_value(node: &SyntaxNode) -> Option<Rc<str>> {
    Some(Rc::from(Written::cast(node.clone())?.string_value()?))
}

impl Lowering<'_> {
    #[inline(never)]
    pub fn literal(&self, node: &SyntaxNode) -> Result<ExprKind> {
        let Some(first) = node.first_token() else { return self.unexpected(node.start()) };
        Ok(match first.kind() {
            POSITIONAL_PARAM => match first.text()[1..].parse::<usize>() {
                Ok(number) if number > 0 => ExprKind::Parameter(number),
                _ => return self.no_parameter(&first),
            },
            DEFAULT_KW => ExprKind::Default,
            NULL_KW => ExprKind::Literal(Literal::Null),
            TRUE_KW => ExprKind::Literal(Literal::Bool(true)),
            FALSE_KW => ExprKind::Literal(Literal::Bool(false)),
            INT_NUMBER | NUMERIC_NUMBER => ExprKind::Literal(Literal::Number(Rc::from(first.text()))),
            BIT_STRING | BYTE_STRING => return refuse("a bit string"),
            _ => match self.string(node)? {
                Some(value) => ExprKind::Literal(Literal::String(value)),
                None => return self.unexpected(node.start()),
            },
        })
    }
}

impl Lowering<'_> {
    /// A string constant of any form.
    pub fn string(&self, node: &SyntaxNode) -> Result<Option<Rc<str>>> {
        let Some(first) = node.first_token() else { return Ok(None) };
        if first.kind() == ESC_STRING {
            return self.escaped_string(node).map(Some);
        }
        if first.kind() == UNICODE_ESC_STRING {
            let escape = node.tokens().iter().skip_while(|token| token.kind() != UESCAPE_KW).nth(1).cloned();
            let escape = escape.and_then(|token| uescape_char(token.text()));
            self.check_unicode(node, escape.unwrap_or('\\'))?;
        }
        Ok(string_value(node))
    }

    fn no_parameter<T>(&self, written: &SyntaxToken) -> Result<T> {
        let mut error = SqlError::new("42P02", format!("there is no parameter {}", written.text()));
        error.position = Some(self.source.position(u32::from(written.text_range().start()) as usize));
        Err(Unlowered::Failed(error))
    }
}
