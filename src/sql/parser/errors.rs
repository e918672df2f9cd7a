//! What is wrong with a text, in PostgreSQL's words. The library says what it misses; PostgreSQL names the first token its grammar
//! has no place for. What its scanner takes offence at comes first where it stands first.

use squawk_lexer::{LiteralKind, TokenKind};
use squawk_syntax::quote::is_reserved_word;
use squawk_syntax::syntax_error::SyntaxError;
use squawk_syntax::{Parse, SourceFile};

use crate::trace::SqlError;

use super::super::error::Result;
use super::missed;
use super::tokens::{SourceText, Token};

/// PostgreSQL's NAMEDATALEN without the byte that ends it: its longest operator.
const OPERATOR_MOST: usize = 63;

pub fn check(source: &SourceText, tree: &Parse<SourceFile>) -> Result<()> {
    let errors = tree.errors();
    let only = errors.len() == 1;
    let found = errors
        .iter()
        .filter(|error| counts(error, only) && !is_in_string(source, error))
        .map(|error| offending(source, error));
    let grammar = found.chain(missed::all(source, &tree.syntax_node())).min();
    let scanner = source.tokens.iter().find_map(|token| Some((token.start, scanner_error(source, *token)?)));
    match (grammar, scanner) {
        (None, None) => Ok(()),
        (Some(byte), Some((start, error))) if start <= byte => Err(error.into()),
        (None, Some((_, error))) => Err(error.into()),
        (Some(byte), _) => Err(special(source, byte, &errors).unwrap_or_else(|| syntax_error(source, byte)).into()),
    }
}

/// What the library says of operators follows from its own way to group them: `lower` judges these. Of a whole clause it speaks
/// where something within is wrong already.
fn counts(error: &SyntaxError, only: bool) -> bool {
    let message = error.message();
    let of_operators = message.starts_with("Expected a parenthesized value list")
        || message.ends_with("must follow an operator")
        || message.starts_with("OVERLAPS operand");
    !of_operators && (only || !message.starts_with("Expected a target after"))
}

/// What functions are made of PostgreSQL reads when it makes them. Escapes are judged where they are resolved.
fn is_in_string(source: &SourceText, error: &SyntaxError) -> bool {
    let start = u32::from(error.range().start()) as usize;
    let is_string = |kind| !matches!(kind, LiteralKind::Int { .. } | LiteralKind::Numeric { .. });
    let token = source.token_from(start);
    token.is_some_and(|token| match token.kind {
        TokenKind::Literal { kind } => {
            let escapes = matches!(kind, LiteralKind::EscStr { .. } | LiteralKind::UnicodeEscStr { .. });
            let bits = matches!(kind, LiteralKind::BitStr { .. } | LiteralKind::ByteStr { .. });
            let within = error.range().start() < error.range().end() && (escapes || bits);
            is_string(kind) && (token.start < start || within)
        }
        _ => false,
    })
}

/// The byte of the token PostgreSQL stumbles over. The library often says it at the token before.
fn offending(source: &SourceText, error: &SyntaxError) -> usize {
    let message = error.message();
    let start = u32::from(error.range().start()) as usize;
    let end = u32::from(error.range().end()) as usize;
    let number = source.number_from(start);
    let byte = |number: usize| source.tokens.get(number).map_or(source.text.len(), |token| token.start);
    if message.starts_with("expected command") {
        return byte(command_error(source, number));
    }
    if message.contains("comma") && source.is(number, ",") {
        let before = number.checked_sub(1).map_or("", |before| source.text_of(source.tokens[before]));
        return byte(number + usize::from(ends_an_item(before)));
    }
    if message == "expected expression in tuple_expr" {
        return byte(number.saturating_sub(1));
    }
    if message.starts_with("Parentheses are not allowed") {
        return end.saturating_sub(1);
    }
    if message.starts_with("Subqueries in tuple") && source.is(number.wrapping_sub(1), "(") {
        return byte(source.number_from(end));
    }
    if message.starts_with("Expected a target after") || message.starts_with("Expected DEFAULT, string") {
        return byte(source.number_from(end));
    }
    if source.is(number.wrapping_sub(1), "FROM") && source.begins_statement(number - 1) {
        return byte(number - 1);
    }
    let is_name = message.ends_with("is a reserved keyword") && !source.is(number.wrapping_sub(1), "TABLE")
        || message.ends_with("is not a valid function name");
    let begins =
        ["expected an expression", "expected from", "expected table"].iter().any(|what| message.starts_with(what));
    let is_quantifier = ["ANY", "ALL", "SOME"].iter().any(|word| source.is(number, word));
    let is_called = begins && is_function_keyword(source, number);
    byte(number + usize::from(is_name || is_called || is_quantifier && message == "expected expression in atom_expr"))
}

/// Whether a list may go on behind this word.
fn ends_an_item(word: &str) -> bool {
    let is_value = ["true", "false", "null", "default", "end"].iter().any(|value| word.eq_ignore_ascii_case(value));
    let is_clause = matches!(word, "" | "," | "(") || word.eq_ignore_ascii_case("set") || is_reserved_word(word);
    is_value || !is_clause
}

/// No statement begins so: but with CREATE, ALTER, DROP and a parenthesis some do.
fn command_error(source: &SourceText, mut number: usize) -> usize {
    if !source.begins_statement(number) {
        return number;
    }
    if source.is(number, "(") {
        while source.is(number, "(") {
            number += 1;
        }
    } else if source.is(number, "ALTER") || source.is(number, "DROP") {
        number += 1;
    } else if source.is(number, "CREATE") {
        number += 1;
        if source.is(number, "OR") && source.is(number + 1, "REPLACE") {
            number += 2;
        }
        for modifier in ["LOCAL", "GLOBAL", "TEMP", "TEMPORARY", "UNLOGGED", "UNIQUE", "RECURSIVE", "CONSTRAINT"] {
            number += usize::from(source.is(number, modifier));
        }
    }
    number
}

/// `type_func_name_keyword` of gram.y: a function may be called so, and what stands behind is no parenthesis.
fn is_function_keyword(source: &SourceText, number: usize) -> bool {
    const WORDS: [&str; 23] = [
        "AUTHORIZATION",
        "BINARY",
        "COLLATION",
        "CONCURRENTLY",
        "CROSS",
        "CURRENT_SCHEMA",
        "FREEZE",
        "FULL",
        "ILIKE",
        "INNER",
        "IS",
        "ISNULL",
        "JOIN",
        "LEFT",
        "LIKE",
        "NATURAL",
        "NOTNULL",
        "OUTER",
        "OVERLAPS",
        "RIGHT",
        "SIMILAR",
        "TABLESAMPLE",
        "VERBOSE",
    ];
    WORDS.iter().any(|word| source.is(number, word))
}

/// What PostgreSQL has more to say about than where it stands.
fn special(source: &SourceText, byte: usize, errors: &[SyntaxError]) -> Option<SqlError> {
    let default = "DEFAULT is not allowed in this context";
    let at_byte = |error: &SyntaxError| u32::from(error.range().start()) as usize == byte;
    if errors.iter().any(|error| at_byte(error) && error.message() == default) {
        let mut error = SqlError::new("42601", default);
        error.position = Some(source.position(byte));
        return Some(error);
    }
    limit_with_comma(source, byte)
}

/// `LIMIT 10, 20` is MySQL's.
fn limit_with_comma(source: &SourceText, byte: usize) -> Option<SqlError> {
    let comma = source.number_from(byte);
    let limit = comma.checked_sub(2).filter(|limit| source.is(*limit, "LIMIT") && source.is(comma, ","))?;
    let mut error = SqlError::new("42601", "LIMIT #,# syntax is not supported");
    error.hint = Some("Use separate LIMIT and OFFSET clauses.".to_owned());
    error.position = Some(source.position(source.tokens[limit].start));
    Some(error)
}

/// At the token that stands at or after a byte.
pub fn syntax_error(source: &SourceText, byte: usize) -> SqlError {
    match source.token_from(byte) {
        Some(token) => near(source, "syntax error", token.start, token.end),
        None => {
            let mut error = SqlError::new("42601", "syntax error at end of input");
            error.position = Some(source.position(source.text.len()));
            error
        }
    }
}

fn near(source: &SourceText, what: &str, start: usize, end: usize) -> SqlError {
    let mut error = SqlError::new("42601", format!("{what} at or near \"{}\"", &source.text[start..end]));
    error.position = Some(source.position(start));
    error
}

fn scanner_error(source: &SourceText, token: Token) -> Option<SqlError> {
    use LiteralKind as L;
    let Token { start, end, .. } = token;
    let all = source.text.len();
    let text = source.text_of(token);
    let wrong = |what: &str| Some(near(source, what, start, all));
    match token.kind {
        TokenKind::Unknown => Some(near(source, "syntax error", start, end)),
        TokenKind::BlockComment { .. } => wrong("unterminated /* comment"),
        TokenKind::QuotedIdent { terminated: false, .. } => wrong("unterminated quoted identifier"),
        TokenKind::QuotedIdent { .. }
            if text.ends_with("\"\"") && text.trim_start_matches(['u', 'U', '&']).len() == 2 =>
        {
            Some(near(source, "zero-length delimited identifier", start, end))
        }
        TokenKind::PositionalParam { .. } => parameter_error(source, token),
        TokenKind::Literal { kind } => match kind {
            L::Int { .. } | L::Numeric { .. } => number_error(source, token),
            L::Str { terminated: false } | L::EscStr { terminated: false } | L::UnicodeEscStr { terminated: false } => {
                wrong("unterminated quoted string")
            }
            L::NationalStr { terminated: false } => Some(near(source, "unterminated quoted string", start + 1, all)),
            L::BitStr { terminated: false } => wrong("unterminated bit string literal"),
            L::ByteStr { terminated: false } => wrong("unterminated hexadecimal string literal"),
            L::DollarQuotedString { terminated: false } => wrong("unterminated dollar-quoted string"),
            _ => None,
        },
        _ if text.len() > OPERATOR_MOST && !text.contains(char::is_alphanumeric) => {
            Some(near(source, "operator too long", start, end))
        }
        _ => None,
    }
}

fn parameter_error(source: &SourceText, token: Token) -> Option<SqlError> {
    let text = source.text_of(token);
    let digits = text[1..].chars().take_while(char::is_ascii_digit).count();
    if digits == 0 {
        return Some(near(source, "syntax error", token.start, token.start + 1));
    }
    let junk = name_length(&text[1 + digits..]);
    (junk > 0).then(|| near(source, "trailing junk after parameter", token.start, token.start + 1 + digits + junk))
}

/// PostgreSQL 15 takes no name right after a number: no `1_000`, no `0x1F`.
fn number_error(source: &SourceText, token: Token) -> Option<SqlError> {
    let text = &source.text[token.start..];
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    if text[length..].starts_with('.') && !text[length..].starts_with("..") {
        length += 1;
        length += digits(length);
    }
    if text[length..].starts_with(['e', 'E']) {
        let signed = length + 1 + usize::from(text[length + 1..].starts_with(['+', '-']));
        if digits(signed) > 0 {
            length = signed + digits(signed);
        } else if signed > length + 1 {
            return Some(near(source, "trailing junk after numeric literal", token.start, token.start + signed));
        }
    }
    let junk = name_length(&text[length..]);
    (junk > 0).then(|| near(source, "trailing junk after numeric literal", token.start, token.start + length + junk))
}

/// How long a name is that begins here; 0: none does.
fn name_length(text: &str) -> usize {
    let begins = |c: char| c == '_' || c.is_ascii_alphabetic() || !c.is_ascii();
    if !text.starts_with(begins) {
        return 0;
    }
    text.find(|c: char| !begins(c) && !c.is_ascii_digit() && c != '$').unwrap_or(text.len())
}
