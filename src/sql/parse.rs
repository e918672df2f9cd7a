//! SQL text to statements. The grammar is sqlparser's PostgreSQL dialect, as GlueSQL reads it; what that cannot say (transaction
//! control in full, LOCK TABLE, the four row lock strengths) is taken from the tokens before.

use std::rc::Rc;

use gluesql::core::sqlparser::ast;
use gluesql::core::sqlparser::dialect::PostgreSqlDialect;
use gluesql::core::sqlparser::parser::{Parser, ParserError};
use gluesql::core::sqlparser::tokenizer::{Token, TokenWithLocation, Tokenizer, Word};

use crate::store::Mode;
use crate::trace::{Isolation, LockStrength, SqlError};

use super::error::{Result, fail, refuse, refused};
use super::precedence;

#[derive(Debug)]
pub enum Statement {
    Sql(ast::Statement),
    /// BEGIN, or START TRANSACTION: the command tag tells which was written.
    Begin {
        tag: &'static str,
        modes: TransactionModes,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(Rc<str>),
    Release(Rc<str>),
    RollbackTo(Rc<str>),
    SetTransaction(TransactionModes),
    SetSessionTransaction(TransactionModes),
    /// `None`: back to the default.
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    Show(String),
    Lock {
        tables: Vec<Rc<str>>,
        mode: Mode,
        nowait: bool,
    },
    Discard,
    Explain {
        analyze: bool,
        costs: bool,
        statement: Box<Statement>,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionModes {
    pub isolation: Option<Isolation>,
    pub read_only: Option<bool>,
    pub deferrable: Option<bool>,
}

const DIALECT: PostgreSqlDialect = PostgreSqlDialect {};
const TEXT_MOST: usize = 1 << 20;
/// Long chains of operators become deep trees.
const OPERATORS_MOST: usize = 2000;
/// The parser tries what stands in `position(` twice, and so on inwards.
const POSITIONS_MOST: usize = 12;

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

/// The tokens that mean something.
fn tokens(sql: &str) -> Result<Vec<TokenWithLocation>> {
    if sql.len() > TEXT_MOST {
        return fail("54000", "a statement of more than 1 MB is not offered by this database engine");
    }
    let tokens = Tokenizer::new(&DIALECT, sql).tokenize_with_location().map_err(|error| {
        let mut failure = SqlError::new("42601", format!("syntax error: {}", error.message));
        failure.position = Some(offset(sql, error.location.line, error.location.column));
        failure
    })?;
    let meant = |token: &TokenWithLocation| !matches!(token.token, Token::Whitespace(_) | Token::EOF);
    Ok(tokens.into_iter().filter(meant).collect())
}

/// The statements of a text as they stand in it, each with the 1-based character it begins at.
pub fn statements(sql: &str) -> Result<Vec<(u32, &str)>> {
    let tokens = tokens(sql)?;
    let places: Vec<usize> = sql.char_indices().map(|(place, _)| place).chain([sql.len()]).collect();
    let at = |token: &TokenWithLocation| offset(sql, token.location.line, token.location.column);
    let mut found = Vec::new();
    let mut rest = &tokens[..];
    while let Some(first) = rest.first() {
        let length = rest.iter().position(|token| token.token == Token::SemiColon);
        if length != Some(0) {
            let end = length.map_or(sql.len(), |length| places[at(&rest[length]) as usize - 1]);
            found.push((at(first), &sql[places[at(first) as usize - 1]..end]));
        }
        rest = length.map_or(&[][..], |length| &rest[length + 1..]);
    }
    Ok(found)
}

pub fn parse(sql: &str) -> Result<Vec<Statement>> {
    let tokens = tokens(sql)?;
    let operators = tokens.iter().filter(|token| is_operator(&token.token)).count();
    let positions = tokens.windows(2).filter(|pair| is_position(&pair[0].token) && pair[1].token == Token::LParen);
    if operators > OPERATORS_MOST || positions.count() > POSITIONS_MOST {
        return fail("54001", "stack depth limit exceeded");
    }
    tokens
        .split(|token| token.token == Token::SemiColon)
        .filter(|piece| !piece.is_empty())
        .map(|piece| statement(sql, piece))
        .collect()
}

fn is_position(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("position"))
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none() && ["AND", "OR", "NOT", "IS"].iter().any(|w| word.value.eq_ignore_ascii_case(w))
        }
        Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::DoubleColon
        | Token::LParen => true,
        _ => false,
    }
}

/// The words a statement of ours is made of.
struct Words<'t> {
    sql: &'t str,
    tokens: &'t [TokenWithLocation],
    at: usize,
}

impl Words<'_> {
    fn peek(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(TokenWithLocation { token: Token::Word(w), .. })
            if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek(word);
        self.at += usize::from(found);
        found
    }

    fn take_all(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        let found = words.iter().all(|word| self.take(word));
        if !found {
            self.at = start;
        }
        found
    }

    fn take_token(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|there| there.token == *token);
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Result<Rc<str>> {
        match self.tokens.get(self.at) {
            Some(TokenWithLocation { token: Token::Word(word), .. }) => {
                self.at += 1;
                Ok(folded(word))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn end(&self) -> Result<()> {
        if self.is_done() { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> super::error::Stop {
        syntax_error(self.sql, self.tokens.get(self.at)).into()
    }
}

fn folded(word: &Word) -> Rc<str> {
    if word.quote_style.is_some() { Rc::from(word.value.as_str()) } else { Rc::from(word.value.to_lowercase()) }
}

fn syntax_error(sql: &str, at: Option<&TokenWithLocation>) -> SqlError {
    match at {
        Some(token) => {
            let mut error = SqlError::new("42601", format!("syntax error at or near \"{}\"", token.token));
            error.position = Some(offset(sql, token.location.line, token.location.column));
            error
        }
        None => {
            let mut error = SqlError::new("42601", "syntax error at end of input");
            error.position = Some(sql.chars().count() as u32 + 1);
            error
        }
    }
}

/// 1-based character of a line and column.
fn offset(sql: &str, line: u64, column: u64) -> u32 {
    let before: usize =
        sql.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(|line| line.chars().count()).sum();
    before as u32 + column as u32
}

fn statement(sql: &str, tokens: &[TokenWithLocation]) -> Result<Statement> {
    let mut words = Words { sql, tokens, at: 0 };
    let parsed = if words.take("BEGIN") {
        let _ = words.take("WORK") || words.take("TRANSACTION");
        Statement::Begin { tag: "BEGIN", modes: transaction_modes(&mut words)? }
    } else if words.take_all(&["START", "TRANSACTION"]) {
        Statement::Begin { tag: "START TRANSACTION", modes: transaction_modes(&mut words)? }
    } else if words.take("COMMIT") || words.take("END") {
        let chain = end_of_transaction(&mut words)?;
        Statement::Commit { chain }
    } else if words.take("ABORT") {
        let chain = end_of_transaction(&mut words)?;
        Statement::Rollback { chain }
    } else if words.take("ROLLBACK") {
        let _ = words.take("WORK") || words.take("TRANSACTION");
        if words.take("TO") {
            words.take("SAVEPOINT");
            Statement::RollbackTo(words.name()?)
        } else {
            let chain = end_of_transaction(&mut words)?;
            Statement::Rollback { chain }
        }
    } else if words.take("SAVEPOINT") {
        Statement::Savepoint(words.name()?)
    } else if words.take("RELEASE") {
        words.take("SAVEPOINT");
        Statement::Release(words.name()?)
    } else if words.take("LOCK") {
        lock_table(&mut words)?
    } else if words.take("SHOW") {
        Statement::Show(setting_name(&mut words)?)
    } else if words.take("RESET") {
        let name = setting_name(&mut words)?;
        Statement::Set { name, value: None, local: false }
    } else if words.take_all(&["DISCARD", "ALL"]) {
        Statement::Discard
    } else if words.take("SET") {
        set(&mut words)?
    } else if words.take("EXPLAIN") {
        return explain(sql, words);
    } else {
        return Ok(Statement::Sql(sql_statement(sql, tokens)?));
    };
    words.end()?;
    Ok(parsed)
}

fn end_of_transaction(words: &mut Words) -> Result<bool> {
    let _ = words.take("WORK") || words.take("TRANSACTION");
    if words.take_all(&["AND", "NO", "CHAIN"]) {
        return Ok(false);
    }
    Ok(words.take_all(&["AND", "CHAIN"]))
}

fn transaction_modes(words: &mut Words) -> Result<TransactionModes> {
    let mut modes = TransactionModes::default();
    while !words.is_done() {
        if words.take_all(&["ISOLATION", "LEVEL"]) {
            modes.isolation = Some(if words.take("SERIALIZABLE") {
                Isolation::Serializable
            } else if words.take_all(&["REPEATABLE", "READ"]) {
                Isolation::RepeatableRead
            } else if words.take_all(&["READ", "COMMITTED"]) || words.take_all(&["READ", "UNCOMMITTED"]) {
                Isolation::ReadCommitted
            } else {
                return Err(words.unexpected());
            });
        } else if words.take_all(&["READ", "ONLY"]) {
            modes.read_only = Some(true);
        } else if words.take_all(&["READ", "WRITE"]) {
            modes.read_only = Some(false);
        } else if words.take_all(&["NOT", "DEFERRABLE"]) {
            modes.deferrable = Some(false);
        } else if words.take("DEFERRABLE") {
            modes.deferrable = Some(true);
        } else if !words.take_token(&Token::Comma) {
            return Err(words.unexpected());
        }
    }
    Ok(modes)
}

fn lock_table(words: &mut Words) -> Result<Statement> {
    words.take("TABLE");
    words.take("ONLY");
    let mut tables = vec![words.name()?];
    while words.take_token(&Token::Comma) {
        tables.push(words.name()?);
    }
    let mut mode = Mode::AccessExclusive;
    if words.take("IN") {
        mode = if words.take_all(&["ACCESS", "SHARE"]) {
            Mode::AccessShare
        } else if words.take_all(&["ROW", "SHARE"]) {
            Mode::RowShare
        } else if words.take_all(&["ROW", "EXCLUSIVE"]) {
            Mode::RowExclusive
        } else if words.take_all(&["SHARE", "UPDATE", "EXCLUSIVE"]) {
            Mode::ShareUpdateExclusive
        } else if words.take_all(&["SHARE", "ROW", "EXCLUSIVE"]) {
            Mode::ShareRowExclusive
        } else if words.take("SHARE") {
            Mode::Share
        } else if words.take_all(&["ACCESS", "EXCLUSIVE"]) {
            Mode::AccessExclusive
        } else if words.take("EXCLUSIVE") {
            Mode::Exclusive
        } else {
            return Err(words.unexpected());
        };
        if !words.take("MODE") {
            return Err(words.unexpected());
        }
    }
    Ok(Statement::Lock { tables, mode, nowait: words.take("NOWAIT") })
}

fn setting_name(words: &mut Words) -> Result<String> {
    if words.take_all(&["TRANSACTION", "ISOLATION", "LEVEL"]) {
        return Ok("transaction_isolation".to_owned());
    }
    if words.take_all(&["TIME", "ZONE"]) {
        return Ok("timezone".to_owned());
    }
    let mut name = words.name()?.to_string();
    while words.take_token(&Token::Period) {
        name = format!("{name}.{}", words.name()?);
    }
    Ok(name)
}

fn set(words: &mut Words) -> Result<Statement> {
    if words.take_all(&["SESSION", "CHARACTERISTICS", "AS", "TRANSACTION"]) {
        return Ok(Statement::SetSessionTransaction(transaction_modes(words)?));
    }
    let local = words.take("LOCAL");
    if !local {
        words.take("SESSION");
    }
    if words.take("TRANSACTION") {
        return Ok(Statement::SetTransaction(transaction_modes(words)?));
    }
    let zone = words.peek("TIME");
    let name = setting_name(words)?;
    if !zone && !words.take("TO") && !words.take_token(&Token::Eq) {
        return Err(words.unexpected());
    }
    if words.take("DEFAULT") {
        return Ok(Statement::Set { name, value: None, local });
    }
    let mut value = String::new();
    while let Some(token) = words.tokens.get(words.at) {
        match &token.token {
            Token::SingleQuotedString(content) => value.push_str(content),
            Token::Word(word) => value.push_str(&word.value),
            Token::Comma => value.push_str(", "),
            other => value.push_str(&other.to_string()),
        }
        words.at += 1;
    }
    if value.is_empty() {
        return Err(words.unexpected());
    }
    Ok(Statement::Set { name, value: Some(value), local })
}

fn explain(sql: &str, mut words: Words) -> Result<Statement> {
    let (mut analyze, mut costs) = (false, true);
    if words.take_token(&Token::LParen) {
        loop {
            let option = words.name()?;
            let on = if words.take("OFF") || words.take("FALSE") {
                false
            } else {
                let _ = words.take("ON") || words.take("TRUE");
                true
            };
            match &*option {
                "analyze" => analyze = on,
                "costs" => costs = on,
                "timing" | "summary" | "verbose" | "buffers" | "settings" | "wal" => {}
                "format" if words.take("TEXT") => {}
                other => return refuse(format!("the EXPLAIN option {other}")),
            }
            if words.take_token(&Token::RParen) {
                break;
            }
            if !words.take_token(&Token::Comma) {
                return Err(words.unexpected());
            }
        }
    } else {
        analyze = words.take("ANALYZE");
        words.take("VERBOSE");
    }
    let rest = &words.tokens[words.at..];
    if rest.is_empty() {
        return Err(words.unexpected());
    }
    Ok(Statement::Explain { analyze, costs, statement: Box::new(statement(sql, rest)?) })
}

fn sql_statement(sql: &str, tokens: &[TokenWithLocation]) -> Result<ast::Statement> {
    let (tokens, returning) = split_returning(tokens);
    let mut parsed = whole(sql, encode_row_locks(tokens), |parser| parser.parse_statement())?;
    if !returning.is_empty() {
        let items = whole(sql, returning.to_vec(), |parser| parser.parse_comma_separated(Parser::parse_select_item))?;
        match &mut parsed {
            ast::Statement::Insert(insert) => insert.returning = Some(items),
            ast::Statement::Delete(delete) => delete.returning = Some(items),
            ast::Statement::Update { returning, .. } => *returning = Some(items),
            _ => return Err(syntax_error(sql, tokens.last()).into()),
        }
    }
    precedence::mend(&mut parsed)?;
    Ok(parsed)
}

/// What the tokens mean, all of them.
fn whole<T>(
    sql: &str,
    tokens: Vec<TokenWithLocation>,
    rule: impl Fn(&mut Parser) -> std::result::Result<T, ParserError>,
) -> Result<T> {
    let mut parser = Parser::new(&DIALECT).with_tokens_with_locations(tokens.clone());
    let parsed = rule(&mut parser).map_err(|error| parse_failure(sql, &tokens, error))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        return Err(syntax_error(sql, Some(&next)).into());
    }
    Ok(parsed)
}

/// RETURNING ends INSERT, UPDATE and DELETE. The parser takes the word for the alias of a table that stands before it.
fn split_returning(tokens: &[TokenWithLocation]) -> (&[TokenWithLocation], &[TokenWithLocation]) {
    let writes = ["INSERT", "UPDATE", "DELETE"];
    let mut words = Words { sql: "", tokens, at: 0 };
    if writes.iter().any(|verb| words.peek(verb)) {
        let mut depth = 0;
        while let Some(token) = tokens.get(words.at) {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ if depth == 0 && words.peek("RETURNING") && words.at + 1 < tokens.len() => {
                    return (&tokens[..words.at], &tokens[words.at + 1..]);
                }
                _ => {}
            }
            words.at += 1;
        }
    }
    (tokens, &[])
}

fn parse_failure(sql: &str, tokens: &[TokenWithLocation], error: ParserError) -> super::error::Stop {
    match error {
        ParserError::RecursionLimitExceeded => SqlError::new("54001", "stack depth limit exceeded").into(),
        ParserError::TokenizerError(message) => SqlError::new("42601", format!("syntax error: {message}")).into(),
        ParserError::ParserError(message) => {
            let place = message.rsplit_once(" at Line: ").and_then(|(_, place)| {
                let (line, column) = place.split_once(", Column: ")?;
                Some((line.trim().parse::<u64>().ok()?, column.trim().parse::<u64>().ok()?))
            });
            let found = place.and_then(|(line, column)| {
                tokens.iter().find(|token| token.location.line == line && token.location.column == column)
            });
            if found.is_none() && !message.contains("found: EOF") {
                return SqlError::new("42601", format!("syntax error: {message}")).into();
            }
            syntax_error(sql, found).into()
        }
    }
}

const STRENGTHS: [(&str, LockStrength, &[&str]); 4] = [
    ("no key update", LockStrength::NoKeyUpdate, &["NO", "KEY", "UPDATE"]),
    ("key share", LockStrength::KeyShare, &["KEY", "SHARE"]),
    ("update", LockStrength::Update, &["UPDATE"]),
    ("share", LockStrength::Share, &["SHARE"]),
];

/// The parser knows FOR UPDATE and FOR SHARE, OF one name, after LIMIT. The strength and any number of names are put into that
/// name's parts, and the clause to the end of its query.
fn encode_row_locks(tokens: &[TokenWithLocation]) -> Vec<TokenWithLocation> {
    let mut encoded = Vec::with_capacity(tokens.len());
    let mut pending: Vec<Vec<TokenWithLocation>> = vec![Vec::new()];
    let mut words = Words { sql: "", tokens, at: 0 };
    while let Some(token) = tokens.get(words.at) {
        if words.peek("FOR") {
            words.at += 1;
            if let Some((label, _, _)) = STRENGTHS.iter().find(|(_, _, spelled)| words.take_all(spelled)) {
                let clause = lock_clause_tokens(label, token, &mut words);
                pending.last_mut().expect("the outermost query").extend(clause);
            } else {
                encoded.push(token.clone());
            }
            continue;
        }
        match token.token {
            Token::LParen => pending.push(Vec::new()),
            Token::RParen => {
                encoded.extend(pending.pop().unwrap_or_default());
                if pending.is_empty() {
                    pending.push(Vec::new());
                }
            }
            _ if words.peek("ON") => {
                encoded.append(pending.last_mut().expect("the outermost query"));
            }
            _ => {}
        }
        encoded.push(token.clone());
        words.at += 1;
    }
    encoded.extend(pending.into_iter().flatten());
    encoded
}

fn lock_clause_tokens(label: &str, at: &TokenWithLocation, words: &mut Words) -> Vec<TokenWithLocation> {
    let quoted = |value: &str| Token::make_word(value, Some('"'));
    let mut tokens =
        vec![Token::make_keyword("FOR"), Token::make_keyword("UPDATE"), Token::make_keyword("OF"), quoted(label)];
    if words.take("OF") {
        while let Ok(name) = words.name() {
            tokens.push(Token::Period);
            tokens.push(quoted(&name));
            if !words.take_token(&Token::Comma) {
                break;
            }
        }
    }
    if words.take("NOWAIT") {
        tokens.push(Token::make_keyword("NOWAIT"));
    } else if words.take_all(&["SKIP", "LOCKED"]) {
        tokens.push(Token::make_keyword("SKIP"));
        tokens.push(Token::make_keyword("LOCKED"));
    }
    tokens.into_iter().map(|token| TokenWithLocation { token, location: at.location }).collect()
}

/// The strength and the names of a clause that `encode_row_locks` has written.
pub fn lock_clause(clause: &ast::LockClause) -> Result<(LockStrength, Vec<Rc<str>>)> {
    let parts = clause.of.as_ref().map_or(&[][..], |name| name.0.as_slice());
    let Some((label, names)) = parts.split_first() else { return Err(refused("this locking clause")) };
    let strength = STRENGTHS.iter().find(|(known, _, _)| *known == label.value).map(|(_, strength, _)| *strength);
    match strength {
        Some(strength) => Ok((strength, names.iter().map(|name| Rc::from(name.value.as_str())).collect())),
        None => Err(refused("this locking clause")),
    }
}
