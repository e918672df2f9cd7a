//! Sequences by the text that nextval and its like are given: it is read as SQL reads a name.

use std::rc::Rc;

use crate::sql::error::{Result, error, fail, refuse};

use super::system_names::is_schema;
use super::{Catalog, Sequence, missing_relation};

impl Catalog {
    pub fn sequence_called(&self, text: &str) -> Result<&Rc<Sequence>> {
        let parts = parts_of(text)?;
        let name = match parts.as_slice() {
            [name] => name,
            [schema, name] if schema == "public" => name,
            [schema, _] if is_schema(schema) => return refuse(format!("the schema {schema}")),
            [schema, _] => return fail("3F000", format!("schema \"{schema}\" does not exist")),
            [_, _, _] => {
                let name = parts.join(".");
                return fail("0A000", format!("cross-database references are not implemented: \"{name}\""));
            }
            _ => return fail("42601", format!("improper relation name (too many dotted names): {}", parts.join("."))),
        };
        if let Some(sequence) = self.sequence(name) {
            return Ok(sequence);
        }
        if self.table(name).is_some() || self.index(name).is_some() {
            return fail("42809", format!("\"{name}\" is not a sequence"));
        }
        Err(missing_relation(&parts.join(".")))
    }
}

/// The name as it must stand in such a text.
pub fn quoted(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let begins = name.starts_with(|letter: char| !letter.is_ascii_digit());
    if begins && name.chars().all(is_plain) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn parts_of(text: &str) -> Result<Vec<String>> {
    let invalid = || error("42602", "invalid name syntax");
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => closed(quoted).ok_or_else(invalid)?,
            None => {
                let (part, after) =
                    rest.split_at(rest.find(|it: char| it == '.' || it.is_whitespace()).unwrap_or(rest.len()));
                if part.is_empty() {
                    return Err(invalid());
                }
                (part.to_ascii_lowercase(), after)
            }
        };
        parts.push(part);
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(parts);
        }
        rest = rest.strip_prefix('.').ok_or_else(invalid)?.trim_start();
    }
}

/// A part in quotes, and what stands after it.
fn closed(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        part.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                part.push('"');
                rest = more;
            }
            None => return Some((part, after)),
        }
    }
}
