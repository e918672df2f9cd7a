//! How deep a text may go. The library's parser, its trees when they are dropped, and the lowering recurse as deep as a text is
//! nested, and a stack overflow cannot be caught: it is looked at before. What is counted is stack: the worst of the three, measured
//! without optimisation of size, in pieces of 64 bytes.

use squawk_lexer::{LiteralKind, TokenKind};

use super::super::error::{Result, fail};
use super::tokens::{Source, Token};

/// 660 KB of the 1 MB a worker of the page has: some hundred subqueries in each other, two hundred calls, 5,000 terms of AND.
const STACK_MOST: usize = 10_400;
const QUERY: usize = 96;
const BRACKET: usize = 48;
const BETWEEN: usize = 24;
const JOIN: usize = 12;
const OPERATOR: usize = 6;
const LOGICAL: usize = 2;
/// Bodies of functions within bodies of functions.
const BODIES_MOST: usize = 3;

/// What is open between two brackets.
#[derive(Default)]
struct Region {
    bracket: usize,
    /// Joins and set operations: one clause after the other, over commas.
    clauses: usize,
    /// AND and OR.
    logical: usize,
    /// Operators since the last AND or OR: these are weaker, and end what stands before them.
    operators: usize,
    /// BETWEEN whose AND is to come.
    betweens: usize,
}

impl Region {
    fn stack(&self) -> usize {
        self.bracket + self.clauses + self.logical + self.operators
    }

    fn begin_expression(&mut self) {
        (self.logical, self.operators, self.betweens) = (0, 0, 0);
    }
}

pub fn check(source: &Source) -> Result<()> {
    check_within(source, 0)
}

fn check_within(source: &Source, bodies: usize) -> Result<()> {
    let has_bodies = ["FUNCTION", "PROCEDURE", "DO"].iter().any(|word| source.has(word));
    // The sum of all regions but the last, and the last.
    let mut outer = 0;
    let mut regions = vec![Region::default()];
    for (number, token) in source.tokens.iter().enumerate() {
        let text = source.text_of(*token);
        let last = regions.len() - 1;
        let region = &mut regions[last];
        match token.kind {
            TokenKind::OpenParen | TokenKind::OpenBracket => {
                outer += region.stack();
                let bracket = if begins_query(source, number + 1) { QUERY } else { BRACKET };
                regions.push(Region { bracket, ..Region::default() });
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => close(&mut regions, &mut outer),
            TokenKind::Comma => region.begin_expression(),
            TokenKind::Semi => {
                (regions, outer) = (vec![Region::default()], 0);
            }
            TokenKind::Ident if text.eq_ignore_ascii_case("CASE") => {
                outer += region.stack();
                regions.push(Region { bracket: BRACKET, ..Region::default() });
            }
            TokenKind::Ident if text.eq_ignore_ascii_case("END") => close(&mut regions, &mut outer),
            TokenKind::Ident => word(region, text),
            TokenKind::Literal { kind } if has_bodies && is_plain_string(kind) => body(source, *token, bodies)?,
            TokenKind::Literal { .. } | TokenKind::QuotedIdent { .. } | TokenKind::PositionalParam { .. } => {}
            _ => region.operators += OPERATOR,
        }
        if outer + regions.last().map_or(0, Region::stack) > STACK_MOST {
            return fail("54001", "stack depth limit exceeded");
        }
    }
    Ok(())
}

fn close(regions: &mut Vec<Region>, outer: &mut usize) {
    if regions.len() > 1 {
        regions.pop();
        *outer -= regions.last().map_or(0, Region::stack);
    }
}

fn begins_query(source: &Source, number: usize) -> bool {
    let words = ["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "ORDER", "PARTITION"];
    words.iter().any(|word| source.is(number, word))
}

fn word(region: &mut Region, text: &str) {
    match text.len() {
        2..=12 => {}
        _ => return,
    }
    match text.to_ascii_uppercase().as_str() {
        "AND" if region.betweens > 0 => {
            region.betweens -= 1;
            region.operators += OPERATOR;
        }
        "AND" | "OR" => {
            region.logical += LOGICAL;
            region.operators = 0;
        }
        "BETWEEN" => {
            region.betweens += 1;
            region.logical += BETWEEN;
        }
        "NOT" | "IS" | "IN" | "LIKE" | "ILIKE" | "SIMILAR" | "ESCAPE" | "ISNULL" | "NOTNULL" | "COLLATE" | "AT"
        | "OVERLAPS" | "OPERATOR" => region.operators += OPERATOR,
        "JOIN" | "EXPLAIN" => {
            region.begin_expression();
            region.clauses += JOIN;
        }
        "UNION" | "INTERSECT" | "EXCEPT" => {
            region.begin_expression();
            region.clauses += OPERATOR;
        }
        "SELECT" | "FROM" | "WHERE" | "ON" | "USING" | "GROUP" | "HAVING" | "ORDER" | "LIMIT" | "OFFSET" | "WHEN"
        | "THEN" | "ELSE" | "VALUES" | "SET" | "RETURNING" => region.begin_expression(),
        _ => {}
    }
}

fn is_plain_string(kind: LiteralKind) -> bool {
    matches!(kind, LiteralKind::Str { .. } | LiteralKind::DollarQuotedString { .. })
}

/// The library parses what a function is made of.
fn body(source: &Source, token: Token, bodies: usize) -> Result<()> {
    if bodies >= BODIES_MOST {
        return fail("54001", "stack depth limit exceeded");
    }
    let text = source.text_of(token);
    let inner = text.trim_start_matches('\'').trim_end_matches('\'');
    let tag = text.strip_prefix('$').and_then(|rest| Some(rest.find('$')? + 2)).unwrap_or(0);
    check_within(&Source::new(inner.get(tag..inner.len().saturating_sub(tag)).unwrap_or(inner)), bodies + 1)
}
