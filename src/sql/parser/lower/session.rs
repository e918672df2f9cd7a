//! Transactions and settings. They are made of words, and are read as such.

use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxKind::*, SyntaxNode, SyntaxToken};

use super::super::ast::{Statement, TransactionModes};
use super::literals::string_value;
use super::tree::Tree;
use super::{Lowering, Result, refuse, spelled};
use crate::store::Mode;
use crate::trace::Isolation;

/// The words of a statement.
struct Words {
    tokens: Vec<SyntaxToken>,
    next: usize,
}

impl Words {
    fn peek(&self, word: &str) -> bool {
        self.tokens.get(self.next).is_some_and(|token| token.text().eq_ignore_ascii_case(word))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek(word);
        self.next += usize::from(found);
        found
    }

    fn take_all(&mut self, words: &str) -> bool {
        let start = self.next;
        let found = words.split(' ').all(|word| self.take(word));
        if !found {
            self.next = start;
        }
        found
    }

    fn token(&mut self) -> Option<SyntaxToken> {
        self.next += 1;
        self.tokens.get(self.next - 1).cloned()
    }

    /// The next of some phrases, if it is one of them.
    fn one_of<T: Copy>(&mut self, phrases: &[(&str, T)]) -> Option<T> {
        phrases.iter().find(|(phrase, _)| self.take_all(phrase)).map(|(_, meant)| *meant)
    }
}

impl Lowering<'_> {
    pub fn session_statement(&self, node: &SyntaxNode) -> Result<Statement> {
        let mut words = Words { tokens: node.tokens(), next: 1 };
        Ok(match node.kind() {
            BEGIN => {
                let tag =
                    if words.tokens[0].text().eq_ignore_ascii_case("begin") { "BEGIN" } else { "START TRANSACTION" };
                let _ = words.take("WORK") || words.take("TRANSACTION");
                Statement::Begin { tag, modes: self.modes(&mut words)? }
            }
            COMMIT_TRANSACTION => Statement::Commit { chain: chain(&mut words) },
            ROLLBACK_TRANSACTION => Statement::Rollback { chain: chain(&mut words) },
            SAVEPOINT_CREATE | RELEASE_SAVEPOINT | ROLLBACK_TO_SAVEPOINT => self.savepoint(node)?,
            SET_TRANSACTION | SET => return self.set(node, words),
            SHOW => Statement::Show(self.setting_name(&mut words)?),
            RESET => Statement::Reset(self.setting_name(&mut words)?),
            LOCK => self.lock_table(node, words)?,
            DISCARD if node.has(DISCARD_ALL) => Statement::Discard,
            DISCARD if words.take("SEQUENCES") => Statement::DiscardSequences,
            ANALYZE => Statement::Analyze,
            EXPLAIN => self.explain(node)?,
            _ => return refuse(statement_name(node)),
        })
    }

    fn modes(&self, words: &mut Words) -> Result<TransactionModes> {
        let mut modes = TransactionModes::default();
        while words.next < words.tokens.len() {
            if words.take_all("ISOLATION LEVEL") {
                modes.isolation = words.one_of(&[
                    ("SERIALIZABLE", Isolation::Serializable),
                    ("REPEATABLE READ", Isolation::RepeatableRead),
                    ("READ COMMITTED", Isolation::ReadCommitted),
                    ("READ UNCOMMITTED", Isolation::ReadCommitted),
                ]);
            } else if words.take_all("READ ONLY") {
                modes.read_only = Some(true);
            } else if words.take_all("READ WRITE") {
                modes.read_only = Some(false);
            } else if words.take_all("NOT DEFERRABLE") {
                modes.deferrable = Some(false);
            } else if words.take("DEFERRABLE") {
                modes.deferrable = Some(true);
            } else if !words.take(",") {
                return refuse("SET TRANSACTION SNAPSHOT");
            }
        }
        Ok(modes)
    }

    fn savepoint(&self, node: &SyntaxNode) -> Result<Statement> {
        let name = node.children().find(|child| matches!(child.kind(), SAVEPOINT | SAVEPOINT_REF));
        let Some(name) = name else { return self.unexpected(node.start()) };
        let name = self.ident(&name).name;
        Ok(match node.kind() {
            RELEASE_SAVEPOINT => Statement::Release(name),
            ROLLBACK_TO_SAVEPOINT => Statement::RollbackTo(name),
            _ => Statement::Savepoint(name),
        })
    }

    fn setting_name(&self, words: &mut Words) -> Result<String> {
        if words.take_all("TRANSACTION ISOLATION LEVEL") {
            return Ok("transaction_isolation".to_owned());
        }
        if words.take_all("TIME ZONE") {
            return Ok("timezone".to_owned());
        }
        if words.take_all("SESSION AUTHORIZATION") {
            return Ok("session_authorization".to_owned());
        }
        let mut name = self.folded(words)?;
        while words.take(".") {
            name = format!("{name}.{}", self.folded(words)?);
        }
        Ok(name)
    }

    fn folded(&self, words: &mut Words) -> Result<String> {
        let node = words.token().and_then(|token| token.parent());
        Ok(node.map_or_else(String::new, |node| self.ident(&node).name.to_string()))
    }

    fn set(&self, node: &SyntaxNode, mut words: Words) -> Result<Statement> {
        if words.take_all("SESSION CHARACTERISTICS AS TRANSACTION") {
            return Ok(Statement::SetSessionTransaction(self.modes(&mut words)?));
        }
        let local = words.take("LOCAL");
        if !local {
            words.take("SESSION");
        }
        if words.take("TRANSACTION") {
            return Ok(Statement::SetTransaction(self.modes(&mut words)?));
        }
        let name = if words.take("NAMES") {
            "client_encoding".to_owned()
        } else if words.take("SCHEMA") {
            "search_path".to_owned()
        } else if words.peek("XML") {
            return refuse("SET XML OPTION");
        } else {
            self.setting_name(&mut words)?
        };
        let _ = words.take("TO") || words.take("=");
        let rest = &words.tokens[words.next.min(words.tokens.len())..];
        let is_default = rest.first().is_none_or(|token| matches!(token.kind(), DEFAULT_KW | LOCAL_KW));
        let value = if is_default { None } else { Some(self.setting_value(rest)) };
        if node.has(SET_TIME_ZONE) && rest.len() > 2 {
            return refuse("SET TIME ZONE INTERVAL");
        }
        Ok(Statement::Set { name, value, local })
    }

    fn setting_value(&self, tokens: &[SyntaxToken]) -> String {
        let mut value = String::new();
        for token in tokens {
            match (token.kind(), token.parent()) {
                (COMMA, _) => value.push_str(", "),
                (_, Some(parent)) if parent.kind() == LITERAL => match string_value(&parent) {
                    Some(text) if !text.is_empty() || is_string(token.kind()) => value.push_str(&text),
                    _ => value.push_str(token.text()),
                },
                (_, Some(parent)) if token.kind() == IDENT => value.push_str(&self.ident(&parent).name),
                _ => value.push_str(&token.text().to_ascii_lowercase()),
            }
        }
        value
    }

    fn lock_table(&self, node: &SyntaxNode, mut words: Words) -> Result<Statement> {
        let mut tables: Vec<Rc<str>> = Vec::new();
        for table in node.parts(RELATION_LIST).flat_map(|list| list.children().collect::<Vec<_>>()) {
            match self.object_name(&table).0.last() {
                Some(name) => tables.push(name.name.clone()),
                None => return self.unexpected(table.start()),
            }
        }
        while words.next < words.tokens.len() && !words.peek("IN") {
            words.next += 1;
        }
        words.take("IN");
        let mode = words.one_of(&[
            ("ACCESS SHARE", Mode::AccessShare),
            ("ROW SHARE", Mode::RowShare),
            ("ROW EXCLUSIVE", Mode::RowExclusive),
            ("SHARE UPDATE EXCLUSIVE", Mode::ShareUpdateExclusive),
            ("SHARE ROW EXCLUSIVE", Mode::ShareRowExclusive),
            ("SHARE", Mode::Share),
            ("EXCLUSIVE", Mode::Exclusive),
        ]);
        Ok(Statement::Lock { tables, mode: mode.unwrap_or(Mode::AccessExclusive), nowait: node.has(NOWAIT) })
    }

    fn explain(&self, node: &SyntaxNode) -> Result<Statement> {
        let (mut analyze, mut costs) = (node.has(EXPLAIN_ANALYZE), true);
        for option in node.parts(EXPLAIN_OPTION_LIST).flat_map(|list| list.parts(EXPLAIN_OPTION).collect::<Vec<_>>()) {
            let words: Vec<String> = option.tokens().iter().map(|token| token.text().to_ascii_lowercase()).collect();
            let value = words.get(1).map(|value| value.trim_matches(['\'', '"']));
            let on = !matches!(value, Some("off" | "false" | "0"));
            match (words.first().map_or("", String::as_str), value) {
                ("analyze", _) => analyze = on,
                ("costs", _) => costs = on,
                ("timing" | "summary" | "verbose" | "buffers" | "settings" | "wal", _) | ("format", Some("text")) => {}
                (other, _) => return refuse(format!("the EXPLAIN option {other}")),
            }
        }
        let explained = node.children().filter(|child| !is_explain_part(child.kind())).last();
        let Some(explained) = explained else { return self.unexpected(node.start()) };
        let statement = match self.lowered(&explained) {
            Err(super::Unlowered::Refused(what)) => Statement::Refused(what),
            lowered => lowered?,
        };
        Ok(Statement::Explain { analyze, costs, statement: Box::new(statement) })
    }
}

fn is_explain_part(kind: SyntaxKind) -> bool {
    matches!(kind, EXPLAIN_OPTION_LIST | EXPLAIN_ANALYZE | EXPLAIN_VERBOSE)
}

fn is_string(kind: SyntaxKind) -> bool {
    matches!(kind, STRING | ESC_STRING | NATIONAL_STRING | UNICODE_ESC_STRING | DOLLAR_QUOTED_STRING)
}

fn chain(words: &mut Words) -> bool {
    let _ = words.take("WORK") || words.take("TRANSACTION");
    words.take_all("AND CHAIN")
}

/// As its node is called: "CREATE VIEW".
fn statement_name(node: &SyntaxNode) -> String {
    match node.kind() {
        DISCARD => node.written().trim_end_matches(';').to_uppercase(),
        kind => spelled(kind),
    }
}
