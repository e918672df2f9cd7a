//! The text of a regress file -> what psql would send, statement by statement. It runs nothing.

use std::collections::BTreeSet;

/// One piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// 1-based, where it begins.
    pub line: usize,
    pub is: PieceKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PieceKind {
    Statement(String),
    /// `COPY table FROM` with the lines that follow it, or those of the file it names.
    Copy {
        target: String,
        lines: Vec<String>,
    },
    /// What only psql understands: a command with a backslash, a statement with a variable of psql's.
    Psql,
}

/// `data` is the folder of the files that `COPY` reads.
pub fn pieces(text: &str, data: &std::path::Path) -> Vec<Piece> {
    let mut splitter = Splitter {
        text,
        at: 0,
        data,
        pieces: Vec::new(),
        variables: BTreeSet::new(),
        filename: None,
        buffer: Buffer::default(),
    };
    splitter.split();
    splitter.pieces
}

/// Words of a text outside quotes and comments, in small letters, each with how many parentheses are open around it.
pub fn words(sql: &str) -> Vec<(String, usize)> {
    let mut words = Vec::new();
    let (mut at, mut depth) = (0, 0usize);
    while let Some(first) = sql[at..].chars().next() {
        let end = at + quoted_length(&sql[at..]).unwrap_or(0);
        if end > at {
            at = end;
            continue;
        }
        match first {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if is_name(first) => {
                let length = sql[at..].find(|it| !is_name(it)).unwrap_or(sql.len() - at);
                words.push((sql[at..at + length].to_lowercase(), depth));
                at += length;
                continue;
            }
            _ => {}
        }
        at += first.len_utf8();
    }
    words
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// The length of the quote or comment that begins here. One that is not ended goes to the end of the text.
fn quoted_length(text: &str) -> Option<usize> {
    let to = |end: Option<usize>, mark: usize| end.map_or(text.len(), |it| it + mark);
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'-' if text.starts_with("--") => Some(to(text.find('\n'), 0)),
        b'/' if text.starts_with("/*") => Some(comment_length(text)),
        b'\'' => Some(to(text[1..].find('\''), 2)),
        b'e' | b'E' if bytes.get(1) == Some(&b'\'') => Some(escaped_length(text)),
        b'"' => Some(to(text[1..].find('"'), 2)),
        b'$' => {
            let tag = text[1..].find('$').map(|it| &text[..it + 2])?;
            let inner = &tag[1..tag.len() - 1];
            let is_tag = inner.chars().all(|it| it.is_alphanumeric() || it == '_')
                && !inner.starts_with(|it: char| it.is_ascii_digit());
            is_tag.then(|| to(text[tag.len()..].find(tag), 2 * tag.len()))
        }
        _ => None,
    }
}

fn comment_length(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < text.len() {
        if text.as_bytes()[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if text.as_bytes()[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn escaped_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 2;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\'' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

struct Splitter<'a> {
    text: &'a str,
    at: usize,
    data: &'a std::path::Path,
    pieces: Vec<Piece>,
    /// What `\set` and its like have named.
    variables: BTreeSet<String>,
    /// What the variable `filename` is: the tests name by it the file that COPY reads.
    filename: Option<String>,
    buffer: Buffer,
}

/// What psql has gathered of a statement.
#[derive(Default)]
struct Buffer {
    text: String,
    line: usize,
    parentheses: usize,
    /// Of `BEGIN ATOMIC` in the body of a function: semicolons in it end nothing.
    blocks: usize,
    words: Vec<String>,
    has_variable: bool,
}

impl Splitter<'_> {
    fn split(&mut self) {
        while let Some(first) = self.text[self.at..].chars().next() {
            let rest = &self.text[self.at..];
            if let Some(length) = self.quote_here() {
                let is_comment = rest.starts_with("--") || rest.starts_with("/*");
                if is_comment && self.buffer.text.is_empty() {
                    self.at += length;
                } else {
                    self.take(length);
                }
                continue;
            }
            match first {
                '\\' => self.backslash(),
                ';' if self.buffer.parentheses == 0 && self.buffer.blocks == 0 => {
                    self.at += 1;
                    self.end_statement();
                }
                ':' => self.colon(),
                _ if first.is_whitespace() && self.buffer.text.is_empty() => self.at += first.len_utf8(),
                _ if is_name(first) => self.word(),
                _ => {
                    match first {
                        '(' => self.buffer.parentheses += 1,
                        ')' => self.buffer.parentheses = self.buffer.parentheses.saturating_sub(1),
                        _ => {}
                    }
                    self.take(first.len_utf8());
                }
            }
        }
    }

    /// A quote or comment begins here, and not in the middle of a name.
    fn quote_here(&self) -> Option<usize> {
        quoted_length(&self.text[self.at..])
    }

    fn line_here(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    fn take(&mut self, length: usize) {
        if self.buffer.text.is_empty() {
            self.buffer.line = self.line_here();
        }
        self.buffer.text += &self.text[self.at..self.at + length];
        self.at += length;
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest.find(|it| !is_name(it)).unwrap_or(rest.len());
        let word = rest[..length].to_lowercase();
        self.take(length);
        let buffer = &mut self.buffer;
        let makes_routine = buffer.words.first().is_some_and(|it| it == "create")
            && buffer.words.iter().take(4).any(|it| it == "function" || it == "procedure");
        match word.as_str() {
            "begin" if makes_routine => buffer.blocks += 1,
            "case" if buffer.blocks > 0 => buffer.blocks += 1,
            "end" => buffer.blocks = buffer.blocks.saturating_sub(1),
            _ => {}
        }
        buffer.words.push(word);
    }

    /// A cast, the bounds of a slice, or a variable that psql puts in.
    fn colon(&mut self) {
        let rest = &self.text[self.at..];
        if rest.starts_with("::") {
            return self.take(2);
        }
        let name = rest[1..].trim_start_matches(['\'', '"']);
        let name = &name[..name.find(|it| !is_name(it)).unwrap_or(name.len())];
        self.buffer.has_variable |= self.variables.contains(name);
        self.take(1);
    }

    fn backslash(&mut self) {
        let rest = &self.text[self.at..];
        if rest.starts_with("\\;") {
            self.at += 1;
            return self.take(1);
        }
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let mut words = line[1..].split_whitespace();
        let command = words.next().unwrap_or("");
        let argument = words.next().unwrap_or("");
        let number = self.line_here();
        self.at += line.len();
        match command {
            "g" | "gx" if argument.is_empty() => return self.end_statement(),
            "g" | "gx" | "gexec" | "gdesc" | "crosstabview" | "watch" | "r" => self.buffer = Buffer::default(),
            "gset" => {
                let aliases = aliases(&self.buffer.text);
                self.variables.extend(aliases.into_iter().map(|it| format!("{argument}{it}")));
                self.buffer = Buffer::default();
            }
            "set" | "getenv" => {
                self.variables.insert(argument.to_owned());
                if argument == "filename" {
                    self.filename = line.rsplit('/').next().map(|it| it.trim_matches(['\'', ' ']).to_owned());
                }
            }
            "if" => self.skip_past("\\endif"),
            "copy" if line.to_lowercase().contains("from stdin") => {
                self.copied_lines();
            }
            _ => {}
        }
        self.pieces.push(Piece { line: number, is: PieceKind::Psql });
    }

    fn skip_past(&mut self, mark: &str) {
        self.at += self.text[self.at..].find(mark).map_or(self.text.len() - self.at, |it| it + mark.len());
    }

    fn end_statement(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.text.trim().is_empty() {
            return;
        }
        let is = if buffer.words.first().is_some_and(|it| it == "copy") {
            self.copy(&buffer)
        } else if buffer.has_variable {
            PieceKind::Psql
        } else {
            PieceKind::Statement(buffer.text.trim().to_owned())
        };
        self.pieces.push(Piece { line: buffer.line, is });
    }

    fn copy(&mut self, buffer: &Buffer) -> PieceKind {
        let sql = buffer.text.trim();
        let Some((target, source)) = sql[4..].split_once_word("from") else {
            return if buffer.has_variable { PieceKind::Psql } else { PieceKind::Statement(sql.to_owned()) };
        };
        let source = source.trim();
        let lines = match source.to_lowercase().as_str() {
            it if it.starts_with("stdin") => self.copied_lines(),
            ":'filename'" => self.file_lines(),
            _ => return PieceKind::Psql,
        };
        let is_plain = source.eq_ignore_ascii_case("stdin") || source == ":'filename'";
        if is_plain { PieceKind::Copy { target: target.trim().to_owned(), lines } } else { PieceKind::Psql }
    }

    /// The lines up to `\.`.
    fn copied_lines(&mut self) -> Vec<String> {
        self.skip_past("\n");
        let mut lines = Vec::new();
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
            self.at += (line.len() + 1).min(rest.len());
            if line == "\\." {
                break;
            }
            lines.push(line.to_owned());
        }
        lines
    }

    fn file_lines(&self) -> Vec<String> {
        let Some(name) = &self.filename else { return Vec::new() };
        let text = std::fs::read_to_string(self.data.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The names a query gives its columns by AS.
fn aliases(sql: &str) -> Vec<String> {
    let words = words(sql);
    words.windows(2).filter(|it| it[0].0 == "as").map(|it| it[1].0.clone()).collect()
}

trait SplitOnceWord {
    fn split_once_word(&self, word: &str) -> Option<(&str, &str)>;
}

impl SplitOnceWord for str {
    fn split_once_word(&self, word: &str) -> Option<(&str, &str)> {
        let at = self.to_lowercase().find(&format!(" {word} "))?;
        Some((&self[..at], &self[at + word.len() + 2..]))
    }
}

/// What COPY would put into its table, as INSERT statements of many rows.
pub fn inserts(target: &str, lines: &[String]) -> Vec<String> {
    const ROWS: usize = 200;
    let row = |line: &String| {
        let values: Vec<_> = line.split('\t').map(copied_value).collect();
        format!("({})", values.join(", "))
    };
    let insert = |lines: &[String]| {
        let rows: Vec<_> = lines.iter().map(row).collect();
        format!("INSERT INTO {target} VALUES {}", rows.join(", "))
    };
    lines.chunks(ROWS).map(insert).collect()
}

fn copied_value(field: &str) -> String {
    if field == "\\N" {
        return "NULL".to_owned();
    }
    let mut value = String::new();
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        value.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<String> {
        let pieces = pieces(text, std::path::Path::new(""));
        pieces
            .into_iter()
            .filter_map(|it| match it.is {
                PieceKind::Statement(sql) => Some(sql),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_file_is_split_as_psql_does() {
        let text = "-- first;\nSELECT ';' /* ; */, $a$;$a$, E'\\';';\n\\d t\nSELECT 1\\; SELECT 2;\nSELECT 3 \\gset\nSELECT 4 \\g\n";
        assert_eq!(statements(text), ["SELECT ';' /* ; */, $a$;$a$, E'\\';'", "SELECT 1; SELECT 2", "SELECT 4"]);
    }

    #[test]
    fn what_a_copy_reads_becomes_rows() {
        let pieces = pieces("COPY t (a, b) FROM stdin;\n1\t\\N\n2\tit's\n\\.\nSELECT 1;", std::path::Path::new(""));
        let PieceKind::Copy { target, lines } = &pieces[0].is else { panic!("{pieces:?}") };
        assert_eq!(inserts(target, lines), ["INSERT INTO t (a, b) VALUES ('1', NULL), ('2', 'it''s')"]);
        assert_eq!(pieces[1].line, 5);
    }
}
