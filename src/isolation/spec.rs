//! The text of a .spec file -> `Spec`. It runs nothing.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spec {
    pub setups: Vec<String>,
    pub teardown: Option<String>,
    pub sessions: Vec<SpecSession>,
    /// Of all sessions, in the file's order.
    pub steps: Vec<SpecStep>,
    /// Empty when the file names none: then `interleavings` are meant.
    pub permutations: Vec<Permutation>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecSession {
    pub name: String,
    pub setup: Option<String>,
    pub teardown: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecStep {
    pub name: String,
    /// Index in `Spec::sessions`.
    pub session: usize,
    pub sql: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permutation {
    pub steps: Vec<PermutationStep>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermutationStep {
    /// Index in `Spec::steps`.
    pub step: usize,
    pub markers: Vec<Marker>,
}

/// What delays the report of a step that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// `*`: reported as waiting when launched, completed in a later batch.
    Later,
    /// Not reported while this step is active.
    WhileActive(usize),
    /// Not reported before the step's session has sent so many more notices.
    Notices { step: usize, count: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// 1-based.
    pub line: usize,
    pub reason: String,
}

impl std::fmt::Display for SpecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for SpecError {}

pub fn parse(text: &str) -> Result<Spec, SpecError> {
    Parser::new(text)?.spec()
}

impl Spec {
    /// The permutations to run: those the file names, else every interleaving that keeps each session's order.
    pub fn each_permutation(&self) -> Box<dyn Iterator<Item = Permutation> + '_> {
        if self.permutations.is_empty() {
            Box::new(Interleavings::new(self))
        } else {
            Box::new(self.permutations.iter().cloned())
        }
    }

    /// Names of steps no permutation uses.
    pub fn unused_steps(&self) -> Vec<&str> {
        if self.permutations.is_empty() {
            return Vec::new();
        }
        let used = |index| self.permutations.iter().flat_map(|it| &it.steps).any(|it| it.step == index);
        self.steps.iter().enumerate().filter(|(index, _)| !used(*index)).map(|(_, step)| step.name.as_str()).collect()
    }

    /// The file this spec would be read from.
    pub fn to_source(&self) -> String {
        let mut text = String::new();
        for setup in &self.setups {
            text += &format!("setup {{ {setup} }}\n");
        }
        if let Some(teardown) = &self.teardown {
            text += &format!("teardown {{ {teardown} }}\n");
        }
        for (index, session) in self.sessions.iter().enumerate() {
            text += &format!("\nsession {}\n", quoted(&session.name));
            if let Some(setup) = &session.setup {
                text += &format!("setup {{ {setup} }}\n");
            }
            for step in self.steps.iter().filter(|it| it.session == index) {
                text += &format!("step {} {{ {} }}\n", quoted(&step.name), step.sql);
            }
            if let Some(teardown) = &session.teardown {
                text += &format!("teardown {{ {teardown} }}\n");
            }
        }
        for permutation in &self.permutations {
            text += "\npermutation";
            for step in &permutation.steps {
                text += &format!(" {}{}", quoted(&self.steps[step.step].name), self.marker_list(&step.markers));
            }
        }
        text + "\n"
    }

    fn marker_list(&self, markers: &[Marker]) -> String {
        if markers.is_empty() {
            return String::new();
        }
        let name = |step: usize| quoted(&self.steps[step].name);
        let markers: Vec<_> = markers
            .iter()
            .map(|marker| match *marker {
                Marker::Later => "*".to_owned(),
                Marker::WhileActive(step) => name(step),
                Marker::Notices { step, count } => format!("{} notices {count}", name(step)),
            })
            .collect();
        format!("({})", markers.join(", "))
    }
}

fn quoted(name: &str) -> String {
    let mut characters = name.bytes();
    let plain = characters.next().is_some_and(starts_name) && characters.all(continues_name);
    if plain && keyword(name).is_none() { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Depth first, taking the sessions in the file's order at each position.
struct Interleavings {
    by_session: Vec<Vec<usize>>,
    /// Session taken at each position of the permutation to give next; `None` when all were given.
    choices: Option<Vec<usize>>,
}

impl Interleavings {
    fn new(spec: &Spec) -> Interleavings {
        let mut by_session = vec![Vec::new(); spec.sessions.len()];
        for (index, step) in spec.steps.iter().enumerate() {
            by_session[step.session].push(index);
        }
        let first = by_session.iter().enumerate().flat_map(|(session, steps)| vec![session; steps.len()]).collect();
        Interleavings { by_session, choices: Some(first) }
    }

    /// The next permutation of a multiset in lexical order.
    fn advance(choices: &mut [usize]) -> bool {
        let Some(pivot) = (1..choices.len()).rev().find(|&at| choices[at - 1] < choices[at]).map(|at| at - 1) else {
            return false;
        };
        let successor =
            (pivot + 1..choices.len()).rev().find(|&at| choices[at] > choices[pivot]).expect("the one after the pivot");
        choices.swap(pivot, successor);
        choices[pivot + 1..].reverse();
        true
    }
}

impl Iterator for Interleavings {
    type Item = Permutation;

    fn next(&mut self) -> Option<Permutation> {
        let choices = self.choices.as_mut()?;
        let mut taken = vec![0; self.by_session.len()];
        let steps = choices
            .iter()
            .map(|&session| {
                let step = self.by_session[session][taken[session]];
                taken[session] += 1;
                PermutationStep { step, markers: Vec::new() }
            })
            .collect();
        if !Interleavings::advance(choices) {
            self.choices = None;
        }
        Some(Permutation { steps })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SpecToken {
    Keyword(Keyword),
    Name(String),
    Block(String),
    Number(u64),
    Sign(char),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Setup,
    Teardown,
    Session,
    Step,
    Permutation,
    Notices,
}

const KEYWORDS: [(&str, Keyword); 6] = [
    ("setup", Keyword::Setup),
    ("teardown", Keyword::Teardown),
    ("session", Keyword::Session),
    ("step", Keyword::Step),
    ("permutation", Keyword::Permutation),
    ("notices", Keyword::Notices),
];

fn keyword(word: &str) -> Option<Keyword> {
    KEYWORDS.iter().find(|(text, _)| *text == word).map(|(_, keyword)| *keyword)
}

impl std::fmt::Display for SpecToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SpecToken::Keyword(keyword) => {
                let word = KEYWORDS.iter().find(|(_, it)| it == keyword).map_or("", |(text, _)| text);
                write!(f, "the keyword {word}")
            }
            SpecToken::Name(name) => write!(f, "the name {name:?}"),
            SpecToken::Block(_) => f.write_str("a block in braces"),
            SpecToken::Number(number) => write!(f, "the number {number}"),
            SpecToken::Sign(sign) => write!(f, "{sign:?}"),
            SpecToken::End => f.write_str("the end of the file"),
        }
    }
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn continues_name(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\x0c')
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&accept) {
            self.at += 1;
        }
        self.text[start..self.at].to_owned()
    }

    /// The next token and the line it begins on.
    fn token(&mut self) -> Result<(SpecToken, usize), SpecError> {
        self.skip_blanks();
        let line = self.line;
        let token = match self.peek() {
            None => SpecToken::End,
            Some(b'{') => self.block()?,
            Some(b'"') => self.quoted_name()?,
            Some(byte) if starts_name(byte) => {
                let word = self.take_while(continues_name);
                keyword(&word).map_or(SpecToken::Name(word), SpecToken::Keyword)
            }
            Some(byte) if byte.is_ascii_digit() => {
                let digits = self.take_while(|it| it.is_ascii_digit());
                SpecToken::Number(digits.parse().map_err(|_| self.error(format!("the number {digits} is too large")))?)
            }
            Some(byte @ (b',' | b'(' | b')' | b'*')) => {
                self.at += 1;
                SpecToken::Sign(char::from(byte))
            }
            Some(byte) => return Err(self.error(format!("unexpected character {:?}", char::from(byte)))),
        };
        Ok((token, line))
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => self.line += 1,
                b'#' => {
                    self.take_while(|it| it != b'\n' && it != b'\r');
                    continue;
                }
                _ if is_blank(byte) => {}
                _ => break,
            }
            self.at += 1;
        }
    }

    /// Ends at the first `}`: there is no escape. Blanks next to a brace are dropped, newlines are kept.
    fn block(&mut self) -> Result<SpecToken, SpecError> {
        let rest = &self.text[self.at + 1..];
        let Some(length) = rest.find('}') else {
            return Err(self.error("this block has no closing }".to_owned()));
        };
        let sql = rest[..length].trim_matches(|it: char| it.is_ascii() && is_blank(it as u8)).to_owned();
        self.line += rest[..length].matches('\n').count();
        self.at += length + 2;
        Ok(SpecToken::Block(sql))
    }

    fn quoted_name(&mut self) -> Result<SpecToken, SpecError> {
        let mut name = String::new();
        self.at += 1;
        loop {
            name += &self.take_while(|it| it != b'"' && it != b'\n');
            match self.peek() {
                None => return Err(self.error("this quoted name has no closing quote".to_owned())),
                Some(b'\n') => return Err(self.error("a quoted name cannot contain a newline".to_owned())),
                Some(_) => self.at += 1,
            }
            if self.peek() != Some(b'"') {
                return Ok(SpecToken::Name(name));
            }
            name.push('"');
            self.at += 1;
        }
    }

    fn error(&self, reason: String) -> SpecError {
        SpecError { line: self.line, reason }
    }
}

/// A permutation as written: its steps are looked up when all sessions are known.
struct NamedStep {
    name: String,
    line: usize,
    markers: Vec<NamedMarker>,
}

enum NamedMarker {
    Later,
    WhileActive(String),
    Notices(String, u64),
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token not yet taken, and its line.
    next: SpecToken,
    line: usize,
    spec: Spec,
    step_by_name: BTreeMap<String, usize>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Parser<'a>, SpecError> {
        let mut lexer = Lexer { text, at: 0, line: 1 };
        let (next, line) = lexer.token()?;
        Ok(Parser { lexer, next, line, spec: Spec::default(), step_by_name: BTreeMap::new() })
    }

    fn spec(mut self) -> Result<Spec, SpecError> {
        while self.accept(Keyword::Setup)? {
            let sql = self.block("setup")?;
            self.spec.setups.push(sql);
        }
        self.spec.teardown = self.optional_block(Keyword::Teardown)?;
        while self.accept(Keyword::Session)? {
            self.session()?;
        }
        if self.spec.sessions.is_empty() {
            return self.unexpected("a setup, a teardown or a session");
        }
        let mut permutations = Vec::new();
        while self.accept(Keyword::Permutation)? {
            permutations.push(self.permutation()?);
        }
        if self.next != SpecToken::End {
            return self.unexpected("a session, a permutation or the end of the file");
        }
        for named in permutations {
            let permutation = self.link(&named)?;
            self.spec.permutations.push(permutation);
        }
        Ok(self.spec)
    }

    fn session(&mut self) -> Result<(), SpecError> {
        let name = self.name("the session's name")?;
        let setup = self.optional_block(Keyword::Setup)?;
        let session = self.spec.sessions.len();
        let before = self.spec.steps.len();
        loop {
            let line = self.line;
            if !self.accept(Keyword::Step)? {
                break;
            }
            let step = self.name("the step's name")?;
            let sql = self.block("step")?;
            if self.step_by_name.insert(step.clone(), self.spec.steps.len()).is_some() {
                return Err(SpecError { line, reason: format!("there are two steps named {step:?}") });
            }
            self.spec.steps.push(SpecStep { name: step, session, sql });
        }
        if self.spec.steps.len() == before {
            return self.unexpected(&format!("a step of session {name:?}"));
        }
        let teardown = self.optional_block(Keyword::Teardown)?;
        self.spec.sessions.push(SpecSession { name, setup, teardown });
        Ok(())
    }

    fn permutation(&mut self) -> Result<Vec<NamedStep>, SpecError> {
        let mut steps = Vec::new();
        while matches!(self.next, SpecToken::Name(_)) {
            let line = self.line;
            let name = self.name("a step's name")?;
            let mut markers = Vec::new();
            if self.accept_sign('(')? {
                markers.push(self.marker()?);
                while self.accept_sign(',')? {
                    markers.push(self.marker()?);
                }
                if !self.accept_sign(')')? {
                    return self.unexpected("',' or ')' after a marker");
                }
            }
            steps.push(NamedStep { name, line, markers });
        }
        if steps.is_empty() { self.unexpected("the name of a step") } else { Ok(steps) }
    }

    fn marker(&mut self) -> Result<NamedMarker, SpecError> {
        if self.accept_sign('*')? {
            return Ok(NamedMarker::Later);
        }
        let step = self.name("a marker: * or the name of a step")?;
        if !self.accept(Keyword::Notices)? {
            return Ok(NamedMarker::WhileActive(step));
        }
        let SpecToken::Number(count) = self.next else { return self.unexpected("a number of notices") };
        self.advance()?;
        Ok(NamedMarker::Notices(step, count))
    }

    fn link(&self, named: &[NamedStep]) -> Result<Permutation, SpecError> {
        let mut steps = Vec::new();
        for step in named {
            let Some(&index) = self.step_by_name.get(&step.name) else {
                return Err(SpecError { line: step.line, reason: format!("there is no step named {:?}", step.name) });
            };
            let mut markers = Vec::new();
            for marker in &step.markers {
                markers.push(match marker {
                    NamedMarker::Later => Marker::Later,
                    NamedMarker::WhileActive(other) => Marker::WhileActive(self.other_step(named, step, other)?),
                    NamedMarker::Notices(other, count) => {
                        Marker::Notices { step: self.other_step(named, step, other)?, count: *count }
                    }
                });
            }
            steps.push(PermutationStep { step: index, markers });
        }
        Ok(Permutation { steps })
    }

    /// The step a marker names: one of the same permutation, of another session.
    fn other_step(&self, permutation: &[NamedStep], step: &NamedStep, other: &str) -> Result<usize, SpecError> {
        let error = |reason| Err(SpecError { line: step.line, reason });
        if !permutation.iter().any(|it| it.name == other) {
            return error(format!("the marker of step {:?} names {other:?}, no step of this permutation", step.name));
        }
        let Some(&index) = self.step_by_name.get(other) else {
            return error(format!("there is no step named {other:?}"));
        };
        if self.spec.steps[index].session == self.spec.steps[self.step_by_name[&step.name]].session {
            return error(format!("step {:?} cannot wait for {other:?}, a step of its own session", step.name));
        }
        Ok(index)
    }

    fn advance(&mut self) -> Result<SpecToken, SpecError> {
        let (next, line) = self.lexer.token()?;
        self.line = line;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn accept(&mut self, keyword: Keyword) -> Result<bool, SpecError> {
        let found = self.next == SpecToken::Keyword(keyword);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn accept_sign(&mut self, sign: char) -> Result<bool, SpecError> {
        let found = self.next == SpecToken::Sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn optional_block(&mut self, keyword: Keyword) -> Result<Option<String>, SpecError> {
        if self.accept(keyword)? { self.block("it").map(Some) } else { Ok(None) }
    }

    fn block(&mut self, of: &str) -> Result<String, SpecError> {
        if !matches!(self.next, SpecToken::Block(_)) {
            return self.unexpected(&format!("the SQL of {of} in braces"));
        }
        let SpecToken::Block(sql) = self.advance()? else { unreachable!("just seen") };
        Ok(sql)
    }

    fn name(&mut self, what: &str) -> Result<String, SpecError> {
        if !matches!(self.next, SpecToken::Name(_)) {
            return self.unexpected(what);
        }
        let SpecToken::Name(name) = self.advance()? else { unreachable!("just seen") };
        Ok(name)
    }

    fn unexpected<T>(&self, wanted: &str) -> Result<T, SpecError> {
        let remedy = match self.next {
            SpecToken::Keyword(_) => " (quote it to use it as a name)",
            _ => "",
        };
        Err(SpecError { line: self.line, reason: format!("expected {wanted}, found {}{remedy}", self.next) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "session a step a1 { SELECT 1; } step a2 {}\nsession b step b1 { }\n";

    #[test]
    fn names_blocks_and_markers() {
        let text = "# first\nsetup {\n CREATE; \t}\nsetup{x}teardown{}\nsession \"step\"\"s\" setup { S } step é$1 { #\n } teardown {T}\n\
                    session A\nstep \"notices\" {}\nstep b {}\npermutation é$1(*, \"notices\" notices 2) \"notices\"\n b(é$1)";
        let spec = parse(text).unwrap();
        assert_eq!(spec.setups, ["\n CREATE;", "x"]);
        assert_eq!(spec.teardown.as_deref(), Some(""));
        assert_eq!(spec.sessions[0].name, "step\"s");
        assert_eq!(spec.steps[0].sql, "#\n");
        let steps = &spec.permutations[0].steps;
        assert_eq!(steps[0].markers, [Marker::Later, Marker::Notices { step: 1, count: 2 }]);
        assert_eq!(steps[2].markers, [Marker::WhileActive(0)]);
        assert_eq!(parse(&spec.to_source()).unwrap(), spec);
    }

    #[test]
    fn interleavings_come_depth_first_in_session_order() {
        let spec = parse(TWO).unwrap();
        let orders: Vec<Vec<usize>> =
            spec.each_permutation().map(|it| it.steps.iter().map(|it| it.step).collect()).collect();
        assert_eq!(orders, [[0, 1, 2], [0, 2, 1], [2, 0, 1]]);
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let cases = [
            ("", 1, "found the end of the file"),
            ("setup { }\nsession a\n", 3, "a step of session"),
            ("session a step a1 { x", 1, "no closing }"),
            ("session a step \"a\n", 1, "newline"),
            ("session a\nstep a {}\nstep a {}", 3, "two steps"),
            ("session a step a {}\npermutation\n  b", 3, "no step named \"b\""),
            ("session a step a {}\npermutation a(b)", 2, "no step of this permutation"),
            ("session a step a {} step b {}\npermutation a(b) b", 2, "own session"),
            ("session session step a {}", 1, "quote it"),
            ("session a step a {} ; ", 1, "unexpected character ';'"),
            ("session a step a {} teardown {} teardown {}", 1, "found the keyword teardown"),
        ];
        for (text, line, reason) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.reason.contains(reason), "{text:?}: {error}");
        }
    }
}
