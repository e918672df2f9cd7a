//! How the rules look at a node: its parts by kind, without spaces and comments.

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxKind::*, SyntaxNode, SyntaxToken};

pub trait Tree {
    /// The first child node of a kind.
    fn part(&self, kind: SyntaxKind) -> Option<SyntaxNode>;
    /// The child nodes of a kind.
    fn parts(&self, kind: SyntaxKind) -> impl Iterator<Item = SyntaxNode>;
    /// Whether a child, node or token, is of a kind.
    fn has(&self, kind: SyntaxKind) -> bool;
    /// The children, nodes and tokens.
    fn elements(&self) -> impl Iterator<Item = SyntaxElement>;
    /// All tokens in it but its last semicolon.
    fn tokens(&self) -> Vec<SyntaxToken>;
    fn start(&self) -> usize;
    /// As it was written, from its first token on.
    fn written(&self) -> String;
}

impl Tree for SyntaxNode {
    fn part(&self, kind: SyntaxKind) -> Option<SyntaxNode> {
        self.children().find(|child| child.kind() == kind)
    }

    fn parts(&self, kind: SyntaxKind) -> impl Iterator<Item = SyntaxNode> {
        self.children().filter(move |child| child.kind() == kind)
    }

    fn has(&self, kind: SyntaxKind) -> bool {
        self.children_with_tokens().any(|child| child.kind() == kind)
    }

    fn elements(&self) -> impl Iterator<Item = SyntaxElement> {
        self.children_with_tokens().filter(|child| !child.kind().is_trivia())
    }

    fn tokens(&self) -> Vec<SyntaxToken> {
        let all = self.descendants_with_tokens().filter_map(|element| element.into_token());
        all.filter(|token| !token.kind().is_trivia() && token.kind() != SEMICOLON).collect()
    }

    fn start(&self) -> usize {
        u32::from(self.text_range().start()) as usize
    }

    fn written(&self) -> String {
        self.text().to_string()
    }
}

pub fn start_of(element: &SyntaxElement) -> usize {
    u32::from(element.text_range().start()) as usize
}

pub fn is_expression(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        LITERAL
            | NAME_REF
            | FIELD_EXPR
            | CALL_EXPR
            | PAREN_EXPR
            | TUPLE_EXPR
            | ARRAY_EXPR
            | CASE_EXPR
            | CAST_EXPR
            | BIN_EXPR
            | PREFIX_EXPR
            | POSTFIX_EXPR
            | BETWEEN_EXPR
            | COLLATE
            | INDEX_EXPR
            | SLICE_EXPR
            | NON_STANDARD_PARAM
    )
}

pub fn is_query(kind: SyntaxKind) -> bool {
    matches!(kind, SELECT | SELECT_INTO | VALUES | TABLE | COMPOUND_SELECT | PAREN_SELECT)
}

pub fn is_type(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        PATH_TYPE
            | ARRAY_TYPE
            | BIT_TYPE
            | BIT_VARYING_TYPE
            | CHARACTER_TYPE
            | VARCHAR_TYPE
            | DOUBLE_TYPE
            | TIME_TYPE
            | TIMESTAMP_TYPE
            | INTERVAL_TYPE
            | PERCENT_TYPE
    )
}
