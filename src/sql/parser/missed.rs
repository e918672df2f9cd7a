//! What the library takes and PostgreSQL 15 does not, wherever it stands. What only the statements that become an AST can have
//! wrong, `lower` finds.

use squawk_parser::{is_reserved_keyword, is_type_func_name_keyword};
use squawk_syntax::{SyntaxElement, SyntaxKind::*, SyntaxNode};

use super::lower::is_value_function;
use super::tokens::SourceText;

/// The bytes of the tokens PostgreSQL stumbles over.
pub fn all(source: &SourceText, file: &SyntaxNode) -> impl Iterator<Item = usize> {
    file.descendants().filter_map(|node| missed(source, &node))
}

fn missed(source: &SourceText, node: &SyntaxNode) -> Option<usize> {
    let has = |kind| node.children_with_tokens().any(|child| child.kind() == kind);
    let start = u32::from(node.text_range().start()) as usize;
    let missing = |found: bool| (!found).then(|| end(source, node));
    match node.kind() {
        PREFIX_EXPR => node.children().find(|child| child.kind() == CUSTOM_OP).and_then(|operator| {
            let written = operator.text().to_string();
            let at = u32::from(operator.text_range().start()) as usize;
            matches!(written.as_str(), "<=" | ">=" | "<>" | "!=" | "<" | ">" | "=" | "*" | "/" | "%" | "^" | "=>")
                .then_some(at)
        }),
        DROP_TABLE => missing(has(TABLE_NAME_REF)),
        DROP_INDEX => missing(has(INDEX_REF)),
        DROP_SEQUENCE => missing(has(SEQUENCE_REF)),
        CREATE_TABLE => missing(has(TABLE_ARG_LIST) || has(OF_TYPE) || has(PARTITION_OF)),
        ALTER_TABLE => missing(node.children().any(|child| !matches!(child.kind(), TABLE_RELATION_NAME | IF_EXISTS))),
        TRANSACTION_MODES => {
            missing(node.children().any(|child| child.kind() == TRANSACTION_MODE_LIST && child.first_child().is_some()))
        }
        PATH_TYPE if has_keyword_with_dot(node) => {
            let dot = node.descendants_with_tokens().find(|element| element.kind() == DOT)?;
            Some(u32::from(dot.text_range().start()) as usize)
        }
        COLUMN | ADD_COLUMN => {
            let name = node.children().find(|child| child.kind() == COLUMN_NAME)?.first_token()?;
            squawk_syntax::quote::is_reserved_word(name.text()).then(|| u32::from(name.text_range().start()) as usize)
        }
        INSERT if has(COLUMN_TARGET_LIST) && has(DEFAULT_VALUES) => {
            let values = node.children().find(|child| child.kind() == DEFAULT_VALUES)?;
            Some(u32::from(values.text_range().start()) as usize)
        }
        PARTITION_ITEM if node.ancestors().nth(2).is_some_and(|index| index.kind() == CREATE_INDEX) => index_item(node),
        RELATION_NAME_REF | TABLE_NAME_REF | TABLE_NAME | TABLE_ALIAS | CTE_NAME => {
            let first = node.first_token()?;
            let is_value = is_value_function(first.kind()) && node.kind() == RELATION_NAME_REF;
            let is_name = !is_reserved_keyword(first.kind()) && !is_type_func_name_keyword(first.kind());
            (!is_name && !is_value).then_some(start)
        }
        NON_STANDARD_PARAM => Some(start),
        _ => None,
    }
}

/// A column or a call stands alone, everything else in parentheses.
fn index_item(item: &SyntaxNode) -> Option<usize> {
    let mut expression = item.first_child()?;
    while expression.kind() == COLLATE {
        expression = expression.first_child()?;
    }
    let wrong: SyntaxElement = match expression.kind() {
        NAME_REF | CALL_EXPR | PAREN_EXPR => return None,
        LITERAL | PREFIX_EXPR | TUPLE_EXPR | ARRAY_EXPR | CASE_EXPR => expression.into(),
        _ => expression.children_with_tokens().filter(|child| !child.kind().is_trivia()).nth(1)?,
    };
    Some(u32::from(wrong.text_range().start()) as usize)
}

/// Types PostgreSQL has a word for have no schema.
fn has_keyword_with_dot(node: &SyntaxNode) -> bool {
    let first = node.first_token().map(|token| token.text().to_ascii_lowercase());
    let words = ["int", "integer", "smallint", "bigint", "real", "float", "decimal", "dec", "numeric", "boolean"];
    first.is_some_and(|first| words.contains(&first.as_str()))
        && node.descendants_with_tokens().any(|element| element.kind() == DOT)
}

/// Where the token after a node begins.
fn end(source: &SourceText, node: &SyntaxNode) -> usize {
    let last = node.descendants_with_tokens().filter_map(|element| element.into_token());
    let last = last.filter(|token| !token.kind().is_trivia() && token.kind() != SEMICOLON).last();
    let byte = last.map_or(0, |token| u32::from(token.text_range().end()) as usize);
    source.token_from(byte).map_or(source.text.len(), |token| token.start)
}
