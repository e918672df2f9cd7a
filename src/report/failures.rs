//! Requests that failed: the latest one, and all of them in groups of the same error at the same place.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::trace::{Micros, Position, RequestId, Symbol, Trace};

/// A request that was answered with 500 or above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Failure {
    pub request: u32,
    #[ts(type = "number")]
    pub at_us: Micros,
    /// The exception's own line; where none was raised the answer's body.
    pub text: String,
    /// Where in the handler.
    pub file: Option<String>,
    pub line: Option<u32>,
}

/// Failures that say the same but for numbers and quoted words, at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ErrorGroup {
    /// The first one's text.
    pub text: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub count: u32,
    #[ts(type = "number")]
    pub first_us: Micros,
    #[ts(type = "number")]
    pub last_us: Micros,
    pub first_request: u32,
    /// The first one's traceback; empty where no exception was raised.
    pub traceback: String,
}

/// How many failures are remembered one by one; older ones only in their groups.
const REMEMBERED: usize = 200_000;

#[derive(Clone, Default)]
pub struct Failures {
    places: BTreeMap<(String, Option<String>, Option<u32>), u32>,
    groups: Vec<Group>,
    /// Oldest first.
    latest: VecDeque<Failed>,
    /// By error text and place: the same traceback is read once.
    known: BTreeMap<(Symbol, Symbol, Option<Position>), u32>,
}

#[derive(Clone)]
struct Group {
    text: String,
    file: Option<String>,
    line: Option<u32>,
    traceback: String,
    first: Failed,
    /// Of those that are no longer remembered.
    forgotten: u32,
    forgotten_until: Micros,
}

#[derive(Clone, Copy)]
struct Failed {
    at: Micros,
    request: RequestId,
    group: u32,
    body: Symbol,
    error: Option<Symbol>,
}

impl Failures {
    /// `stood`: where the request was last seen in its handler, for a failure that has no traceback.
    pub fn take(
        &mut self,
        trace: &Trace,
        at: Micros,
        request: RequestId,
        body: Symbol,
        error: Option<Symbol>,
        stood: Option<Position>,
    ) {
        let key = (body, error.unwrap_or(body), stood);
        let group = match self.known.get(&key) {
            Some(group) => *group,
            None => {
                let group = self.group(trace, at, request, body, error, stood);
                self.known.insert(key, group);
                group
            }
        };
        if self.latest.len() >= REMEMBERED
            && let Some(oldest) = self.latest.pop_front()
        {
            let group = &mut self.groups[oldest.group as usize];
            group.forgotten += 1;
            group.forgotten_until = oldest.at;
        }
        self.latest.push_back(Failed { at, request, group, body, error });
    }

    fn group(
        &mut self,
        trace: &Trace,
        at: Micros,
        request: RequestId,
        body: Symbol,
        error: Option<Symbol>,
        stood: Option<Position>,
    ) -> u32 {
        let traceback = error.map_or("", |error| trace.strings.text(error));
        let text = said(traceback, trace.strings.text(body));
        let (file, line) = match place(traceback) {
            Some((file, line)) => (Some(file.to_owned()), Some(line)),
            None => (stood.map(|stood| trace.strings.text(stood.file).to_owned()), stood.map(|stood| stood.line)),
        };
        let place = (shape(text), file.clone(), line);
        if let Some(group) = self.places.get(&place) {
            return *group;
        }
        let group = self.groups.len() as u32;
        self.places.insert(place, group);
        self.groups.push(Group {
            text: text.to_owned(),
            file,
            line,
            traceback: traceback.trim_end().to_owned(),
            first: Failed { at, request, group, body, error },
            forgotten: 0,
            forgotten_until: 0,
        });
        group
    }

    /// The latest up to a moment.
    pub fn latest(&self, trace: &Trace, to: Micros) -> Option<Failure> {
        let after = self.latest.partition_point(|failed| failed.at <= to);
        let failed = self.latest.get(after.checked_sub(1)?)?;
        let group = &self.groups[failed.group as usize];
        let traceback = failed.error.map_or("", |error| trace.strings.text(error));
        Some(Failure {
            request: failed.request.0,
            at_us: failed.at,
            text: said(traceback, trace.strings.text(failed.body)).to_owned(),
            file: group.file.clone(),
            line: group.line,
        })
    }

    /// Up to a moment, those first that happened most often.
    pub fn groups(&self, to: Micros) -> Vec<ErrorGroup> {
        let told = |group: &Group| ErrorGroup {
            text: group.text.clone(),
            file: group.file.clone(),
            line: group.line,
            count: group.forgotten,
            first_us: group.first.at,
            last_us: group.forgotten_until,
            first_request: group.first.request.0,
            traceback: group.traceback.clone(),
        };
        let mut groups = self.groups.iter().map(told).collect::<Vec<_>>();
        for failed in self.latest.iter().take_while(|failed| failed.at <= to) {
            let group = &mut groups[failed.group as usize];
            group.count += 1;
            group.last_us = failed.at;
        }
        groups.retain(|group| group.count > 0);
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.first_us));
        groups
    }
}

/// The exception's own line of a traceback: the first that is not indented after the last list of calls. What the server adds to its
/// message (DETAIL, HINT, CONTEXT) comes after it.
fn said<'a>(traceback: &'a str, body: &'a str) -> &'a str {
    let last = traceback.rfind("Traceback (most recent call last):").map_or("", |at| &traceback[at..]);
    let own = last.lines().skip(1).find(|line| !line.is_empty() && !line.starts_with(char::is_whitespace));
    own.unwrap_or_else(|| body.lines().next().unwrap_or_default()).trim_end()
}

/// The innermost call in a file of the reader's own: `File "naive.py", line 12`.
fn place(traceback: &str) -> Option<(&str, u32)> {
    traceback.lines().rev().find_map(|line| {
        let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
        let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
        let own = !file.contains(['<', '>']);
        own.then_some((file.rsplit('/').next()?, digits.parse().ok()?))
    })
}

/// The text without what differs from one request to the next: words with a digit in them, and what is quoted or in brackets.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    let mut closes = None;
    let mut word = String::new();
    let end_word = |word: &mut String, shape: &mut String| {
        shape.push_str(if word.contains(|character: char| character.is_ascii_digit()) { "…" } else { word });
        word.clear();
    };
    for character in text.chars() {
        match closes {
            Some(close) if character == close => closes = None,
            Some(_) => {}
            None => {
                closes = match character {
                    '(' => Some(')'),
                    '[' => Some(']'),
                    '{' => Some('}'),
                    '"' => Some('"'),
                    '\'' if word.is_empty() => Some('\''),
                    _ => None,
                };
                if closes.is_some() {
                    end_word(&mut word, &mut shape);
                    shape.push('…');
                } else if character.is_alphanumeric() || "_-.@'".contains(character) {
                    word.push(character);
                } else {
                    end_word(&mut word, &mut shape);
                    shape.push(character);
                }
            }
        }
    }
    end_word(&mut word, &mut shape);
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLOCK: &str = "Traceback (most recent call last):\n  File \"naive.py\", line 6, in transfer\n    await conn.execute(\n\
        psycopg.errors.DeadlockDetected: deadlock detected\nDETAIL:  Process 3 waits.\nHINT:  See server log for query details.\n";

    #[test]
    fn an_exception_says_its_own_line() {
        assert_eq!(said(DEADLOCK, ""), "psycopg.errors.DeadlockDetected: deadlock detected");
        let chained = format!(
            "{DEADLOCK}\nDuring handling of the above exception, another exception occurred:\n\n\
            Traceback (most recent call last):\n  File \"naive.py\", line 9, in transfer\nValueError: no such account\n"
        );
        assert_eq!(said(&chained, ""), "ValueError: no such account");
        assert_eq!(place(&chained), Some(("naive.py", 9)));
        assert_eq!(said("", "the process died"), "the process died");
        let inside = "Traceback (most recent call last):\n  File \"/app/naive.py\", line 3, in buy\n  File \"<frozen asyncio>\", line 8, in wait\nTimeoutError\n";
        assert_eq!((said(inside, ""), place(inside)), ("TimeoutError", Some(("naive.py", 3))));
    }

    #[test]
    fn errors_that_differ_in_numbers_are_one() {
        let same = |one: &str, other: &str| shape(one) == shape(other);
        assert!(same("KeyError: 'a1'", "KeyError: 'b'"));
        assert!(same("no account 17 of ann@x.y9", "no account 4 of bob@x.y3"));
        assert!(same("Key (id)=(4) exists", "Key (id)=(511) exists"));
        assert!(!same("KeyError: 'a'", "ValueError: 'a'"));
        assert!(same("it doesn't hold 3", "it doesn't hold 4"));
    }
}
