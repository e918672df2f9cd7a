//! How deep a text may go. The library's parser, its trees when they are dropped, and the lowering recurse as deep as a text is
//! nested, and a stack overflow cannot be caught: it is looked at before. What is counted is stack: the worst of the three, measured
//! without optimisation of size, in pieces of 64 bytes.

use squawk_lexer::{LiteralKind, TokenKind};

use super::super::error::{Result, fail};
use super::tokens::{SourceText, Token};

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

/// What is open between two brackets, or between CASE and END.
#[derive(Default)]
struct Region {
    is_case: bool,
    bracket: usize,
    /// Joins, set operations and statements within statements: one after the other, over commas.
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

struct Depth<'s> {
    source: &'s SourceText<'s>,
    regions: Vec<Region>,
    /// The sum of all regions but the last.
    outer: usize,
    /// Statements in the bodies of functions: their semicolons end nothing.
    atomic: usize,
}

pub fn check(source: &SourceText) -> Result<()> {
    check_within(source, 0)
}

fn check_within(source: &SourceText, bodies: usize) -> Result<()> {
    let has_bodies = ["FUNCTION", "PROCEDURE", "DO"].iter().any(|word| source.has(word));
    let mut depth = Depth { source, regions: vec![Region::default()], outer: 0, atomic: 0 };
    for (number, token) in source.tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Literal { kind } if has_bodies && is_plain_string(kind) => body(source, *token, bodies)?,
            _ => depth.count(number, *token),
        }
        if depth.stack() > STACK_MOST {
            return fail("54001", "stack depth limit exceeded");
        }
    }
    Ok(())
}

impl Depth<'_> {
    fn stack(&self) -> usize {
        self.outer + self.regions.last().map_or(0, Region::stack) + self.atomic
    }

    fn count(&mut self, number: usize, token: Token) {
        match token.kind {
            TokenKind::OpenParen | TokenKind::OpenBracket => {
                self.last().operators += LOGICAL;
                self.open(if begins_query(self.source, number + 1) { QUERY } else { BRACKET }, false);
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => self.close(false),
            TokenKind::Comma => self.last().begin_expression(),
            TokenKind::Semi => (self.regions, self.outer) = (vec![Region::default()], 0),
            // Behind a dot every word is a name.
            TokenKind::Ident if self.source.is(number.wrapping_sub(1), ".") => {}
            TokenKind::Ident => self.word(number, self.source.text_of(token)),
            TokenKind::Literal { .. } | TokenKind::QuotedIdent { .. } | TokenKind::PositionalParam { .. } => {}
            _ => self.last().operators += OPERATOR,
        }
    }

    fn last(&mut self) -> &mut Region {
        let last = self.regions.len() - 1;
        &mut self.regions[last]
    }

    fn open(&mut self, bracket: usize, is_case: bool) {
        self.outer += self.last().stack();
        self.regions.push(Region { is_case, bracket, ..Region::default() });
    }

    /// What closes nothing is left to the grammar.
    fn close(&mut self, is_case: bool) {
        if self.regions.len() > 1 && self.last().is_case == is_case {
            self.regions.pop();
            self.outer -= self.last().stack();
        }
    }

    /// Only words that are reserved may end an expression here: others may be names in it.
    fn word(&mut self, number: usize, text: &str) {
        if !(2..=9).contains(&text.len()) {
            return;
        }
        let before = |word: &str| self.source.is(number.wrapping_sub(1), word);
        match text.to_ascii_uppercase().as_str() {
            "CASE" => self.open(BRACKET, true),
            "END" => self.close(true),
            "AND" if self.last().betweens > 0 => {
                self.last().betweens -= 1;
                self.last().operators += OPERATOR;
            }
            "AND" | "OR" => {
                self.last().logical += LOGICAL;
                self.last().operators = 0;
            }
            "BETWEEN" => {
                self.last().betweens += 1;
                self.last().logical += BETWEEN;
            }
            "NOT" | "IS" | "IN" | "LIKE" | "ILIKE" | "SIMILAR" | "ESCAPE" | "ISNULL" | "NOTNULL" | "COLLATE" | "AT"
            | "OVERLAPS" | "OPERATOR" => self.last().operators += OPERATOR,
            "JOIN" | "EXPLAIN" | "CREATE" | "PREPARE" | "DECLARE" => self.last().clauses += JOIN,
            "WITH" if !self.source.is(number + 1, "TIME") => self.last().clauses += JOIN + LOGICAL,
            "ATOMIC" if before("BEGIN") => self.atomic += BRACKET,
            "UNION" | "INTERSECT" | "EXCEPT" => {
                self.last().begin_expression();
                self.last().clauses += OPERATOR;
            }
            "FROM" if before("DISTINCT") => {}
            "SELECT" | "FROM" | "WHERE" | "ON" | "USING" | "GROUP" | "HAVING" | "ORDER" | "LIMIT" | "OFFSET"
            | "WHEN" | "THEN" | "ELSE" | "RETURNING" => self.last().begin_expression(),
            _ => {}
        }
    }
}

fn begins_query(source: &SourceText, number: usize) -> bool {
    let words = ["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "ORDER", "PARTITION"];
    words.iter().any(|word| source.is(number, word))
}

fn is_plain_string(kind: LiteralKind) -> bool {
    matches!(kind, LiteralKind::Str { .. } | LiteralKind::DollarQuotedString { .. })
}

/// The library parses what a function is made of.
fn body(source: &SourceText, token: Token, bodies: usize) -> Result<()> {
    if bodies >= BODIES_MOST {
        return fail("54001", "stack depth limit exceeded");
    }
    let text = source.text_of(token);
    let inner = text.trim_start_matches('\'').trim_end_matches('\'');
    let tag = text.strip_prefix('$').and_then(|rest| Some(rest.find('$')? + 2)).unwrap_or(0);
    check_within(&SourceText::new(inner.get(tag..inner.len().saturating_sub(tag)).unwrap_or(inner)), bodies + 1)
}
