//! Reads JSON from text, with PostgreSQL's mistakes.

use super::{Json, JsonError, Number, Result};

/// Deeper documents are refused, before the stack ends.
const DEPTH_MOST: usize = 1000;

pub struct JsonReader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// Whether escapes are resolved, and refused where they stand for no character.
    unescapes: bool,
}

impl<'t> JsonReader<'t> {
    pub fn new(text: &'t str, unescapes: bool) -> JsonReader<'t> {
        JsonReader { text, at: 0, depth: 0, unescapes }
    }

    pub fn document(mut self) -> Result<Json> {
        let document = self.value()?;
        self.end()?;
        Ok(document)
    }

    fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("end of input")),
        }
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn takes(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Letters, digits and signs from here on, as a message names them.
    fn token(&self) -> &'t str {
        let rest = &self.text[self.at..];
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '.') || !c.is_ascii();
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let one = rest.chars().next().map_or(0, char::len_utf8);
        &rest[..end.max(one)]
    }

    fn unexpected(&mut self, wanted: &str) -> JsonError {
        match self.peek() {
            None => JsonError::Syntax("The input string ended unexpectedly.".to_owned()),
            Some(b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                JsonError::Syntax(format!("Expected {wanted}, but found \"{}\".", self.token()))
            }
            Some(_) => self.invalid_token(),
        }
    }

    fn invalid_token(&self) -> JsonError {
        JsonError::Syntax(format!("Token \"{}\" is invalid.", self.token()))
    }

    fn value(&mut self) -> Result<Json> {
        match self.peek() {
            Some(b'{') => {
                let mut members: Vec<(String, Json)> = Vec::new();
                self.members(&mut |reader, key| {
                    members.push((key, reader.value()?));
                    Ok(())
                })?;
                Ok(Json::Object(each_key_once(members)))
            }
            Some(b'[') => {
                let mut elements = Vec::new();
                self.elements(&mut |reader| {
                    elements.push(reader.value()?);
                    Ok(())
                })?;
                Ok(Json::Array(elements))
            }
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                let token = self.token();
                self.at += token.len();
                match token {
                    "null" => Ok(Json::Null),
                    "true" => Ok(Json::Bool(true)),
                    "false" => Ok(Json::Bool(false)),
                    _ => Err(JsonError::Syntax(format!("Token \"{token}\" is invalid."))),
                }
            }
            _ => Err(self.unexpected("JSON value")),
        }
    }

    fn members(&mut self, each: &mut dyn FnMut(&mut Self, String) -> Result<()>) -> Result<()> {
        self.inside(|reader| {
            if reader.takes(b'}') {
                return Ok(());
            }
            loop {
                if reader.peek() != Some(b'"') {
                    return Err(reader.unexpected("string"));
                }
                let key = reader.string()?;
                if !reader.takes(b':') {
                    return Err(reader.unexpected("\":\""));
                }
                each(reader, key)?;
                if reader.takes(b'}') {
                    return Ok(());
                }
                if !reader.takes(b',') {
                    return Err(reader.unexpected("\",\" or \"}\""));
                }
            }
        })
    }

    fn elements(&mut self, each: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.inside(|reader| {
            if reader.takes(b']') {
                return Ok(());
            }
            loop {
                each(reader)?;
                if reader.takes(b']') {
                    return Ok(());
                }
                if !reader.takes(b',') {
                    return Err(reader.unexpected("\",\" or \"]\""));
                }
            }
        })
    }

    /// Behind the bracket that stands here.
    fn inside(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MOST {
            return Err(JsonError::TooDeep);
        }
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    /// The members of the document where it is an object, each with its value as it is written.
    pub fn each_member(mut self, each: &mut dyn FnMut(&str, &'t str)) -> Result<()> {
        if self.peek() != Some(b'{') {
            return self.document().map(|_| ());
        }
        self.members(&mut |reader, key| {
            let value = reader.written()?;
            each(&key, value);
            Ok(())
        })?;
        self.end()
    }

    pub fn each_element(mut self, each: &mut dyn FnMut(&'t str)) -> Result<()> {
        if self.peek() != Some(b'[') {
            return self.document().map(|_| ());
        }
        self.elements(&mut |reader| {
            let value = reader.written()?;
            each(value);
            Ok(())
        })?;
        self.end()
    }

    fn written(&mut self) -> Result<&'t str> {
        self.peek();
        let from = self.at;
        self.value()?;
        Ok(&self.text[from..self.at])
    }

    fn number(&mut self) -> Result<Number> {
        let token = self.token();
        if !is_number(token) {
            return Err(self.invalid_token());
        }
        self.at += token.len();
        // A `json` number is only text.
        if self.unescapes { Number::read(token) } else { Number::read("0") }
    }

    fn string(&mut self) -> Result<String> {
        let from = self.at;
        self.at += 1;
        let mut content = String::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else {
                return Err(JsonError::Syntax(format!("Token \"{}\" is invalid.", &self.text[from..])));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(content),
                '\\' => self.escape(&mut content)?,
                c if c < ' ' => {
                    let detail = format!("Character with value 0x{:02x} must be escaped.", u32::from(c));
                    return Err(JsonError::Syntax(detail));
                }
                c => content.push(c),
            }
        }
    }

    fn escape(&mut self, content: &mut String) -> Result<()> {
        let Some(c) = self.text[self.at..].chars().next() else {
            return Err(JsonError::Syntax(format!("Token \"{}\" is invalid.", self.text)));
        };
        self.at += c.len_utf8();
        content.push(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.code_point(content),
            c => return Err(JsonError::Syntax(format!("Escape sequence \"\\{c}\" is invalid."))),
        });
        Ok(())
    }

    /// The four digits after `\u`, and after a high surrogate the low one.
    fn code_point(&mut self, content: &mut String) -> Result<()> {
        let unit = self.unit()?;
        if !self.unescapes {
            return Ok(());
        }
        let low_wanted = || JsonError::Syntax("Unicode low surrogate must follow a high surrogate.".to_owned());
        let code = match unit {
            0 => return Err(JsonError::NullCharacter),
            0xD800..0xDC00 => {
                if !self.text[self.at..].starts_with("\\u") {
                    return Err(low_wanted());
                }
                self.at += 2;
                match self.unit()? {
                    low @ 0xDC00..0xE000 => 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00),
                    0xD800..0xDC00 => {
                        let detail = "Unicode high surrogate must not follow a high surrogate.";
                        return Err(JsonError::Syntax(detail.to_owned()));
                    }
                    _ => return Err(low_wanted()),
                }
            }
            unit => unit,
        };
        content.push(char::from_u32(code).ok_or_else(low_wanted)?);
        Ok(())
    }

    fn unit(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(unit) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Err(JsonError::Syntax("\"\\u\" must be followed by four hexadecimal digits.".to_owned()));
        };
        self.at += 4;
        Ok(unit)
    }
}

/// Of equal keys the last counts.
fn each_key_once(mut members: Vec<(String, Json)>) -> Vec<(String, Json)> {
    members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    let mut once: Vec<(String, Json)> = Vec::with_capacity(members.len());
    for member in members {
        match once.last_mut() {
            Some(last) if last.0 == member.0 => *last = member,
            _ => once.push(member),
        }
    }
    once
}

fn is_number(token: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (token, None),
    };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}
