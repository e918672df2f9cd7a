//! The text and its tokens: where a statement ends, and at which character something stands.

use std::ops::Range;

use squawk_lexer::{TokenKind, tokenize};

pub struct SourceText<'t> {
    pub text: &'t str,
    /// Those that mean something: neither space nor comment.
    pub tokens: Vec<Token>,
    /// The bytes that begin no character: none, where all is ASCII.
    continuations: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
pub struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

impl<'t> SourceText<'t> {
    pub fn new(text: &'t str) -> SourceText<'t> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut end = 0;
        for token in tokenize(text) {
            let start = end;
            end += token.len as usize;
            match token.kind {
                TokenKind::LineComment | TokenKind::BlockComment { terminated: true } | TokenKind::Eof => {}
                TokenKind::Whitespace => {
                    let strange = text[start..end].match_indices('\u{b}');
                    tokens.extend(strange.map(|(at, tab)| Token::new(TokenKind::Unknown, start + at, tab.len())));
                }
                TokenKind::Colon | TokenKind::Eq if tokens.last().is_some_and(|last| last.is_colon_before(start)) => {
                    if let Some(last) = tokens.last_mut() {
                        last.end = end;
                    }
                }
                _ => tokens.push(Token { kind: token.kind, start, end }),
            }
        }
        let tokens = with_whole_operators(text, &tokens);
        let continuations = (0..text.len()).filter(|byte| !text.is_char_boundary(*byte)).collect();
        SourceText { text, tokens, continuations }
    }

    pub fn text_of(&self, token: Token) -> &'t str {
        &self.text[token.start..token.end]
    }

    /// The 1-based character at a byte.
    pub fn position(&self, byte: usize) -> u32 {
        let before = self.continuations.partition_point(|continuation| *continuation < byte);
        (byte - before) as u32 + 1
    }

    /// The token a byte belongs to, or the first after it.
    pub fn token_from(&self, byte: usize) -> Option<Token> {
        self.tokens.get(self.number_from(byte)).copied()
    }

    pub fn number_from(&self, byte: usize) -> usize {
        self.tokens.partition_point(|token| token.end <= byte)
    }

    /// From the first token of each statement to its semicolon. Those within the body of a function, from BEGIN ATOMIC to its END,
    /// end none.
    pub fn statements(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut first = None;
        let mut bodies = 0_usize;
        for (number, token) in self.tokens.iter().enumerate() {
            if token.kind == TokenKind::Semi && bodies == 0 {
                found.extend(first.take().map(|first| first..token.start));
                continue;
            }
            first.get_or_insert(token.start);
            let begins = self.is(number, "BEGIN") && self.is(number + 1, "ATOMIC");
            if begins || bodies > 0 && self.is(number, "CASE") {
                bodies += 1;
            } else if bodies > 0 && self.is(number, "END") {
                bodies -= 1;
            }
        }
        found.extend(first.map(|first| first..self.text.len()));
        found
    }

    /// Whether the token is this keyword or sign. A quoted name is not.
    pub fn is(&self, number: usize, written: &str) -> bool {
        self.tokens.get(number).is_some_and(|token| self.text_of(*token).eq_ignore_ascii_case(written))
    }
}

impl SourceText<'_> {
    /// Whether the word stands anywhere in it.
    pub fn has(&self, word: &str) -> bool {
        (0..self.tokens.len()).any(|number| self.is(number, word))
    }

    pub fn begins_statement(&self, number: usize) -> bool {
        number == 0 || self.is(number - 1, ";")
    }
}

impl Token {
    fn new(kind: TokenKind, start: usize, length: usize) -> Token {
        Token { kind, start, end: start + length }
    }

    /// The second half of `::` and `:=` comes at this byte.
    fn is_colon_before(&self, byte: usize) -> bool {
        self.kind == TokenKind::Colon && self.end == byte && self.end - self.start == 1
    }
}

/// Characters an operator is made of.
const OPERATOR: &str = "~!@#^&|`?+-*/%<>=";
/// Only with one of these an operator of several characters may end in a sign: `a<-1` compares with minus one.
const SPECIAL: &str = "~!@#%^&|`?";

/// The library's tokens have one character of an operator each.
fn with_whole_operators(text: &str, tokens: &[Token]) -> Vec<Token> {
    let is_operator = |token: &Token| OPERATOR.contains(&text[token.start..token.end]);
    let mut whole = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        let mut length = 1;
        if is_operator(first) {
            while rest.get(length).is_some_and(|next| is_operator(next) && next.start == rest[length - 1].end) {
                length += 1;
            }
            let written = &text[first.start..rest[length - 1].end];
            if !written.contains(|c| SPECIAL.contains(c)) {
                length = written.trim_end_matches(['+', '-']).len().max(1);
            }
        }
        whole.push(Token { kind: first.kind, start: first.start, end: rest[length - 1].end });
        rest = &rest[length..];
    }
    whole
}
