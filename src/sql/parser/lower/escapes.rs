//! Escapes in `E'…'` and `U&'…'`. The library leaves out those that mean nothing; PostgreSQL fails.

use std::rc::Rc;

use squawk_syntax::unescape::{UnicodeEscError, escape_unicode_esc_str};
use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::tree::Tree;
use super::{Lowering, Result, Unlowered};
use crate::trace::SqlError;

/// What is wrong with an escape, and how many bytes into its text.
struct BadEscape {
    sqlstate: &'static str,
    message: String,
    hint: Option<&'static str>,
    at: Option<usize>,
}

impl BadEscape {
    fn new(message: &str, at: usize) -> BadEscape {
        BadEscape { sqlstate: "42601", message: message.to_owned(), hint: None, at: Some(at) }
    }
}

impl Lowering<'_> {
    /// Of a constant that begins with E, all its pieces.
    pub fn escaped_string(&self, node: &SyntaxNode) -> Result<Rc<str>> {
        let mut bytes = Vec::new();
        for token in node.tokens().iter().filter(|token| matches!(token.kind(), ESC_STRING | STRING)) {
            let start = u32::from(token.text_range().start()) as usize;
            let quote = token.text().find('\'').unwrap_or(0);
            let inner = &token.text()[quote + 1..token.text().len() - 1];
            decode(inner, &mut bytes).map_err(|bad| self.bad_escape(bad, start + quote + 1))?;
        }
        if bytes.contains(&0) {
            return Err(self.bad_escape(invalid_bytes(&[0]), 0));
        }
        String::from_utf8(bytes).map(Rc::from).map_err(|error| {
            let rest = &error.as_bytes()[error.utf8_error().valid_up_to()..];
            self.bad_escape(invalid_bytes(rest), 0)
        })
    }

    /// What PostgreSQL says of the escapes of a constant that begins with `U&`.
    pub fn check_unicode(&self, node: &SyntaxNode, escape: char) -> Result<()> {
        let Some(token) = node.first_token() else { return Ok(()) };
        let start = u32::from(token.text_range().start()) as usize + 3;
        let text = token.text();
        let inner = text.get(3..text.len() - 1).unwrap_or("");
        let mut bad = None;
        escape_unicode_esc_str(inner, escape, |range, decoded| {
            let message = match decoded {
                Ok('\0') | Err(UnicodeEscError::OutOfRange) => "invalid Unicode escape value",
                Ok(_) => return,
                Err(UnicodeEscError::InvalidSurrogatePair) => "invalid Unicode surrogate pair",
                Err(_) => "invalid Unicode escape",
            };
            let pair = usize::from(message.ends_with("pair")) * (range.end - range.start);
            bad.get_or_insert(BadEscape::new(message, range.start + pair));
        });
        bad.map_or(Ok(()), |bad| Err(self.bad_escape(bad, start)))
    }

    fn bad_escape(&self, bad: BadEscape, start: usize) -> Unlowered {
        let mut error = SqlError::new(bad.sqlstate, bad.message);
        error.hint = bad.hint.map(str::to_owned);
        error.position = bad.at.map(|at| self.at(start + at).0);
        Unlowered::Failed(error)
    }
}

fn invalid_bytes(bytes: &[u8]) -> BadEscape {
    let length = match bytes.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let shown: Vec<String> = bytes.iter().take(length).map(|byte| format!("0x{byte:02x}")).collect();
    let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
    BadEscape { sqlstate: "22021", message, hint: None, at: None }
}

fn decode(inner: &str, into: &mut Vec<u8>) -> Result<(), BadEscape> {
    let mut high = None;
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let rest = &inner[at..];
        let escaped = rest.strip_prefix('\\').and_then(|escaped| escaped.chars().next());
        if high.is_some() && !matches!(escaped, Some('u' | 'U')) {
            return Err(near_pair(inner, at));
        }
        at += match (c, escaped) {
            ('\'', _) => {
                into.push(b'\'');
                2
            }
            (_, Some('u' | 'U')) => unicode(rest, at, &mut high, into)?,
            (_, Some(escaped)) => 1 + single(&rest[1..], escaped, into),
            (c, None) => {
                into.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                c.len_utf8()
            }
        };
    }
    if high.is_some() { Err(near_pair(inner, inner.len())) } else { Ok(()) }
}

/// What stands where the second half of a pair is missing.
fn near_pair(inner: &str, at: usize) -> BadEscape {
    let found = inner[at..].chars().next().unwrap_or('\'');
    BadEscape::new(&format!("invalid Unicode surrogate pair at or near \"{found}\""), at)
}

/// `\uXXXX` or `\UXXXXXXXX`; gives its length.
fn unicode(rest: &str, at: usize, high: &mut Option<u32>, into: &mut Vec<u8>) -> Result<usize, BadEscape> {
    let length = if rest.starts_with("\\u") { 6 } else { 10 };
    let digits = rest.get(2..length).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let Some(mut code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
        let hint = Some("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.");
        return Err(BadEscape { sqlstate: "22025", hint, ..BadEscape::new("invalid Unicode escape", at) });
    };
    match (high.take(), code) {
        (Some(first), 0xdc00..=0xdfff) => code = 0x10000 + ((first - 0xd800) << 10) + (code - 0xdc00),
        (None, 0xd800..=0xdbff) => {
            *high = Some(code);
            return Ok(length);
        }
        (Some(_), _) | (None, 0xdc00..=0xdfff) => {
            let message = format!("invalid Unicode surrogate pair at or near \"{}\"", &rest[..length]);
            return Err(BadEscape::new(&message, at));
        }
        _ => {}
    }
    match char::from_u32(code).filter(|c| *c != '\0') {
        Some(c) => into.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => {
            let message = format!("invalid Unicode escape value at or near \"{}\"", &rest[..length]);
            return Err(BadEscape::new(&message, at));
        }
    }
    Ok(length)
}

/// What stands behind a backslash; gives its length.
fn single(rest: &str, escaped: char, into: &mut Vec<u8>) -> usize {
    let digits = |from: usize, most: usize, radix: u32| {
        rest[from..].chars().take(most).take_while(|c| c.is_digit(radix)).count()
    };
    let byte = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).unwrap_or(0) as u8;
    match escaped {
        '0'..='7' => {
            let length = digits(0, 3, 8);
            into.push(byte(&rest[..length], 8));
            length
        }
        'x' if digits(1, 2, 16) > 0 => {
            let length = 1 + digits(1, 2, 16);
            into.push(byte(&rest[1..length], 16));
            length
        }
        _ => {
            let meant = match escaped {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                other => other,
            };
            into.extend(meant.encode_utf8(&mut [0; 4]).as_bytes());
            escaped.len_utf8()
        }
    }
}
