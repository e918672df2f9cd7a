//! `%s` and `%(name)s` to `$1`, as psycopg does it before it sends a statement. It never knows what SQL means.

use std::rc::Rc;

/// A statement ready to send.
#[derive(Debug)]
pub struct PostgresQuery {
    pub text: Rc<str>,
    pub sql: Rc<str>,
    pub takes: Placeholders,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Placeholders {
    /// `%s`: as many as there are, in order.
    Places(usize),
    /// `%(name)s`: one for each name, in the order of `$1`, `$2` …
    Names(Vec<String>),
}

impl PostgresQuery {
    /// A statement sent without parameters is sent as it is: `%` means nothing in it.
    pub fn verbatim(text: &str) -> PostgresQuery {
        let text: Rc<str> = Rc::from(text);
        PostgresQuery { sql: text.clone(), text, takes: Placeholders::Places(0) }
    }

    pub fn parse(text: &str) -> Result<PostgresQuery, String> {
        let mut sql = String::with_capacity(text.len());
        let mut places = 0;
        let mut names: Vec<String> = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            sql.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            rest = match after.chars().next() {
                Some('%') => {
                    sql.push('%');
                    &after[1..]
                }
                Some('s' | 'b' | 't') => {
                    places += 1;
                    sql.push_str(&format!("${places}"));
                    &after[1..]
                }
                Some('(') => {
                    let end = after.find(')').ok_or_else(|| {
                        format!("incomplete placeholder: '%{}'", after.chars().take(20).collect::<String>())
                    })?;
                    let name = &after[1..end];
                    match after[end + 1..].chars().next() {
                        Some('s' | 'b' | 't') => {}
                        _ => {
                            return Err(format!(
                                "only '%s', '%b', '%t' are allowed as placeholders, got '%({name}){}'",
                                after[end + 1..].chars().take(1).collect::<String>()
                            ));
                        }
                    }
                    let number = match names.iter().position(|known| known == name) {
                        Some(index) => index + 1,
                        None => {
                            names.push(name.to_owned());
                            names.len()
                        }
                    };
                    sql.push_str(&format!("${number}"));
                    &after[end + 2..]
                }
                Some(' ') => {
                    return Err(
                        "incomplete placeholder: '%'; if you want to use '%' as an operator you can double it \
                                up, i.e. use '%%'"
                            .to_owned(),
                    );
                }
                Some(other) => {
                    return Err(format!("only '%s', '%b', '%t' are allowed as placeholders, got '%{other}'"));
                }
                None => return Err("incomplete placeholder: '%'".to_owned()),
            };
            if places > 0 && !names.is_empty() {
                return Err("positional and named placeholders cannot be mixed".to_owned());
            }
        }
        sql.push_str(rest);
        let takes = if names.is_empty() { Placeholders::Places(places) } else { Placeholders::Names(names) };
        Ok(PostgresQuery { text: Rc::from(text), sql: Rc::from(sql), takes })
    }
}
