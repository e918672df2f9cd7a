//! One table of the manifest.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ManifestReader;
use crate::scenario::Amount;
/// One table of the manifest. When it goes, it reports the keys that nothing asked for.
pub(super) struct Section<'r, 'a> {
    pub(super) reader: &'r ManifestReader<'a>,
    pub(super) table: &'r DeTable<'a>,
    pub(super) at: usize,
    name: String,
    known: RefCell<BTreeSet<String>>,
}

impl<'r, 'a> Section<'r, 'a> {
    pub(super) fn new(
        reader: &'r ManifestReader<'a>,
        table: &'r DeTable<'a>,
        at: usize,
        name: String,
    ) -> Section<'r, 'a> {
        Section { reader, table, at, name, known: RefCell::default() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'r Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key.to_string());
        self.table.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_string() } else { format!("{}.{key}", self.name) }
    }

    pub(super) fn mistake(&self, key: &str, what: impl fmt::Display, remedy: impl Into<String>) {
        let at = self.table.get(key).map_or(self.at, |value| value.span().start);
        self.reader.mistake(at, format!("`{}`: {what}", self.path(key)), remedy);
    }

    pub(super) fn mistake_here(&self, what: &str, remedy: &str) {
        self.reader.mistake(self.at, format!("`{}`: {what}", self.name), remedy);
    }

    /// What `key` holds as a `wanted`; a missing key or another type is a mistake.
    pub(super) fn required<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'r DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = self.get(key) else {
            self.mistake(key, "it is missing", format!("add it; it is {wanted}"));
            return None;
        };
        let read = read(value.get_ref());
        if read.is_none() {
            let found = value.get_ref().type_str();
            self.mistake(key, format!("it is of type {found}"), format!("write {wanted}"));
        }
        read
    }

    /// A text that a reader sees. A draft may lack it and shows `stand_in`; `form` is how it is written.
    pub(super) fn shown(&self, key: &str, stand_in: &str, form: &str) -> String {
        match self.has(key) {
            true => self.text(key),
            false => {
                self.missing(key, form);
                stand_in.to_string()
            }
        }
    }

    /// Something a draft may lack.
    pub(super) fn missing(&self, key: &str, form: &str) {
        let at = self.in_comment(key).unwrap_or(self.at);
        self.reader.missing(at, format!("`{}`: it is missing", self.path(key)), format!("add {form}"));
    }

    /// Where the template has the key in a comment, for its author to write.
    fn in_comment(&self, key: &str) -> Option<usize> {
        let own = self.reader.text[self.at..].split_inclusive('\n').scan(self.at, |end, line| {
            let at = *end;
            *end += line.len();
            Some((at, line))
        });
        let mut in_section = true;
        own.skip(usize::from(!self.name.is_empty())).find_map(|(at, line)| {
            in_section &= !line.starts_with('[');
            let rest = line.strip_prefix("# ")?;
            let table = self.name.is_empty() && rest.trim_start_matches('[').starts_with(&format!("{key}]"));
            let value = in_section && rest.starts_with(&format!("{key} = "));
            (table || value).then_some(at)
        })
    }

    pub(super) fn text(&self, key: &str) -> String {
        let text = self.required(key, "a text", |value| value.as_str()).unwrap_or("-").trim();
        if text.is_empty() {
            self.mistake(key, "it is empty", "write it");
        }
        text.to_string()
    }

    pub(super) fn optional_text(&self, key: &str) -> Option<String> {
        self.has(key).then(|| self.text(key))
    }

    pub(super) fn id(&self) -> String {
        let id = self.text("id");
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !id.chars().all(right) {
            self.mistake("id", format!("`{id}` cannot be an id"), "use lower-case letters, digits and hyphens");
        }
        id
    }

    /// One of `words`.
    pub(super) fn word(&self, key: &str, words: &[&str]) -> String {
        let word = self.text(key);
        if self.has(key) {
            self.expect_word(key, &word, words);
        }
        word
    }

    pub(super) fn words(&self, key: &str, words: &[&str]) -> Vec<String> {
        let found = self.texts(key, 0);
        for word in &found {
            self.expect_word(key, word, words);
        }
        found
    }

    pub(super) fn expect_word(&self, key: &str, word: &str, words: &[&str]) {
        if !words.contains(&word) {
            self.mistake(key, format!("`{word}` is not known"), format!("use one of {}", listed(words)));
        }
    }

    pub(super) fn texts(&self, key: &str, at_least: usize) -> Vec<String> {
        let texts = self.required(key, "a list of texts", |value| {
            value.as_array()?.iter().map(|text| text.get_ref().as_str().map(str::to_string)).collect::<Option<Vec<_>>>()
        });
        if texts.as_ref().is_some_and(|texts| texts.len() < at_least || texts.iter().any(|t| t.trim().is_empty())) {
            self.mistake(key, format!("fewer than {at_least}, or an empty one"), "write what is missing");
        }
        texts.unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.has(key) && self.required(key, "true or false", |value| value.as_bool()).unwrap_or(false)
    }

    pub(super) fn number(&self, key: &str) -> f64 {
        self.required(key, "a number", number_of).unwrap_or(0.0)
    }

    pub(super) fn optional_number(&self, key: &str) -> Option<f64> {
        self.has(key).then(|| self.number(key))
    }

    pub(super) fn number_in(&self, key: &str, min: f64, max: f64) -> f64 {
        let Some(number) = self.required(key, "a number", number_of) else { return min };
        // A range that is none is told where it stands.
        if min <= max && !(min..=max).contains(&number) {
            self.mistake(key, format!("{number} is out of range"), format!("write a number from {min} to {max}"));
        }
        number
    }

    pub(super) fn amount(&self, key: &str) -> Amount {
        match self.get(key) {
            Some(value) => {
                let amount = self.amount_of(value, key);
                if let Amount::Number(number) = amount
                    && number < 0.0
                {
                    self.mistake(key, format!("{number} is below 0"), "write a number from 0 up, or a knob's id");
                }
                amount
            }
            None => {
                self.mistake(key, "it is missing", "add it; it is a number or a knob's id");
                Amount::Number(0.0)
            }
        }
    }

    /// Beyond `max` nothing is shown that is not shown below it, and a run would never end.
    pub(super) fn amount_in(&self, key: &str, min: f64, max: f64) -> Amount {
        let amount = self.amount(key);
        let (from, to) = match &amount {
            Amount::Number(number) => (*number, *number),
            Amount::Knob(knob) => self.reader.knobs.borrow().get(knob).copied().unwrap_or((min, min)),
        };
        // What is below 0 was told.
        if self.has(key) && (to > max || from < min && from >= 0.0) {
            let what = match &amount {
                Amount::Number(number) => format!("{number} is out of range"),
                Amount::Knob(knob) => format!("knob `{knob}` goes from {from} to {to}, which is out of range"),
            };
            self.mistake(key, what, format!("stay between {min} and {max}"));
        }
        amount
    }

    pub(super) fn optional_amount(&self, key: &str) -> Option<Amount> {
        self.has(key).then(|| self.amount(key))
    }

    pub(super) fn amount_of(&self, value: &Spanned<DeValue<'a>>, key: &str) -> Amount {
        if let Some(number) = number_of(value.get_ref()) {
            return Amount::Number(number);
        }
        if let Some(knob) = value.get_ref().as_str() {
            self.expect_knob(key, knob);
            return Amount::Knob(knob.to_string());
        }
        self.mistake(key, format!("it is of type {}", value.get_ref().type_str()), "write a number or a knob's id");
        Amount::Number(0.0)
    }

    pub(super) fn expect_knob(&self, key: &str, knob: &str) {
        let knobs = self.reader.knobs.borrow();
        if !knobs.contains_key(knob) {
            let names = knobs.keys().map(String::as_str).collect::<Vec<_>>();
            self.mistake(
                key,
                format!("there is no knob `{knob}`"),
                format!("use a number or one of {}", listed(&names)),
            );
        }
    }

    pub(super) fn list(&self, key: &str) -> Option<&'r [Spanned<DeValue<'a>>]> {
        self.get(key)?.get_ref().as_array().map(|array| array.as_ref())
    }

    pub(super) fn section(&self, key: &str) -> Option<Section<'r, 'a>> {
        let table = self.required(key, "a table", |value| value.as_table())?;
        Some(Section::new(self.reader, table, self.table[key].span().start, self.path(key)))
    }

    pub(super) fn optional_section(&self, key: &str) -> Option<Section<'r, 'a>> {
        self.has(key).then(|| self.section(key)).flatten()
    }

    pub(super) fn sections(&self, key: &str) -> Vec<Section<'r, 'a>> {
        if !self.has(key) {
            self.mistake(key, "there is none", format!("add [[{}]]", self.path(key)));
        }
        self.optional_sections(key)
    }

    pub(super) fn optional_sections(&self, key: &str) -> Vec<Section<'r, 'a>> {
        if !self.has(key) {
            return Vec::new();
        }
        let items = self.required(key, "a list of tables", |value| {
            value.as_array()?.iter().map(|item| Some((item.get_ref().as_table()?, item.span().start))).collect()
        });
        let items: Vec<(&DeTable<'a>, usize)> = items.unwrap_or_default();
        items.into_iter().map(|(table, at)| Section::new(self.reader, table, at, self.path(key))).collect()
    }

    /// A table of any values; none is an empty one.
    pub(super) fn object(&self, key: &str) -> serde_json::Map<String, Value> {
        if !self.has(key) {
            return Default::default();
        }
        let read = |value: &DeValue<'a>| value.as_table().map(|_| json(value));
        match self.required(key, "a table, such as { id = 1 }", read) {
            Some(Value::Object(object)) => object,
            _ => Default::default(),
        }
    }

    /// The text of the folder's file `name`, which `key` asks for.
    pub(super) fn file(&self, key: &str, name: &str) -> String {
        if self.has(key) && !self.reader.folder.files.contains_key(name) {
            self.mistake(key, format!("there is no file `{name}`"), "write it or name another");
        }
        self.reader.folder.files.get(name).inspect(|_| _ = self.reader.used.borrow_mut().insert(name.into()));
        self.reader.folder.files.get(name).cloned().unwrap_or_default()
    }
}

impl Drop for Section<'_, '_> {
    fn drop(&mut self) {
        let known = self.known.borrow();
        for key in self.table.keys().filter(|key| !known.contains(key.get_ref().as_ref())) {
            let found = key.get_ref();
            let near = known.iter().map(|name| (strsim::damerau_levenshtein(name, found), name)).min();
            let remedy = match near {
                Some((distance, name)) if distance <= 2 => format!("did you mean `{name}`?"),
                _ => "remove it".into(),
            };
            self.reader.mistake(key.span().start, format!("`{}`: unknown key", self.path(found)), remedy);
        }
    }
}

pub(super) fn number_of(value: &DeValue<'_>) -> Option<f64> {
    let number: Option<f64> = match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|integer| integer as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// Numbers that are none, and those that are too large, become null, which TOML does not have.
pub(super) fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(float) => float.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Datetime(datetime) => datetime.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect()
        }
    }
}

pub(super) fn listed(words: &[&str]) -> String {
    match words {
        [] => "none: there are none".into(),
        words => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
    }
}
