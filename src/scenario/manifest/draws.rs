//! How values of parameters and columns are drawn, and that each finds what it uses.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::section::{Section, json, listed};
use super::*;
use crate::scenario::draw::{GIVEN, LIST_MOST};

/// Keys of which a table that draws has one. The others belong to it.
const KINDS: [&str; 9] = ["one_of", "uniform", "sequence", "rolling", "knob", "uuid", "same_as", "list", "fields"];
const FORMS: &str = "write a value, a text, or a table with one of `text`, `one_of`, `uniform`, `sequence`, `rolling`, `knob`, `uuid`, \
                     `same_as`, `list`, `fields`";

impl<'a> ManifestReader<'a> {
    /// Draws that may use each other.
    pub(super) fn draws(&self, section: &Section<'_, 'a>) -> BTreeMap<String, Draw> {
        let draws = self.each_draw(section);
        for (key, draw) in &draws {
            for odd in draw.odd_holes() {
                section.mistake(key, format!("`{odd}` is not filled in"), "write `{name}` or, with zeros, `{name:05}`");
            }
            for name in draw.uses().into_iter().filter(|name| !draws.contains_key(*name)) {
                let beside = draws.keys().filter(|other| *other != key).map(String::as_str);
                let known = GIVEN.into_iter().chain(beside).collect::<Vec<_>>();
                let mut remedy = format!("use one of {}", listed(&known));
                if !matches!(draw, Draw::SameAs { .. }) {
                    remedy += &format!("; `{{{{{name}}}}}` stands for the text itself");
                }
                section.mistake(key, format!("there is no `{name}` beside it"), remedy);
            }
        }
        if let Some(names) = ring(&draws) {
            let what = match names[..] {
                [name] => format!("`{name}` uses itself"),
                _ => format!("{} use each other", listed(&names)),
            };
            section.mistake_here(&what, "let one of them use none of the others");
        }
        draws
    }

    fn each_draw(&self, section: &Section<'_, 'a>) -> BTreeMap<String, Draw> {
        let keys = section.table.keys().map(|key| key.get_ref().to_string());
        keys.map(|key| (key.clone(), self.draw(section, &key))).collect()
    }

    fn draw(&self, section: &Section<'_, 'a>, key: &str) -> Draw {
        match section.get(key) {
            Some(value) => self.draw_of(section, key, value),
            None => {
                section.mistake(key, "it is missing", FORMS);
                Draw::Value { value: Value::Null }
            }
        }
    }

    fn draw_of<'r>(&self, section: &Section<'r, 'a>, key: &str, value: &'r Spanned<DeValue<'a>>) -> Draw {
        let Some(table) = value.get_ref().as_table() else {
            return match json(value.get_ref()) {
                Value::String(pattern) => Draw::Text { pattern, parts: BTreeMap::new() },
                value => {
                    if holds(&value, &Value::is_null) {
                        section.mistake(key, "it is no number, or too large a one", "write a number of 64 bits");
                    }
                    if holds(&value, &is_draw) {
                        let remedy = "write `{ list = …, count = 2 }`, or `{ one_of = [ … ] }` for one of them";
                        section.mistake(key, "nothing is drawn in a plain list", remedy);
                    }
                    Draw::Value { value }
                }
            };
        };
        let section = Section::new(section.reader, table, value.span().start, section.path(key));
        self.drawn_by(&section)
    }

    fn drawn_by(&self, section: &Section<'_, 'a>) -> Draw {
        if section.has("text") {
            let mut parts = self.each_draw(section);
            parts.remove("text");
            return Draw::Text { pattern: section.text("text"), parts };
        }
        let kinds = KINDS.into_iter().filter(|kind| section.has(kind)).collect::<Vec<_>>();
        match kinds[..] {
            ["uniform"] => self.uniform(section),
            ["one_of"] => self.one_of(section),
            ["sequence"] => Draw::Sequence { from: section.number("sequence") },
            ["rolling"] => Draw::Rolling {
                from: section.number("rolling"),
                every_s: section.amount_in("every_s", SHORTEST_S, LONGEST_S),
            },
            ["knob"] => {
                let knob = section.text("knob");
                section.expect_knob("knob", &knob);
                Draw::Knob { knob }
            }
            ["uuid"] => {
                if !section.flag("uuid") {
                    section.mistake("uuid", "it is not true", "write `{ uuid = true }`");
                }
                Draw::Uuid
            }
            ["same_as"] => Draw::SameAs { name: section.text("same_as") },
            ["list"] => Draw::List { of: Box::new(self.draw(section, "list")), count: Box::new(self.count(section)) },
            ["fields"] => {
                let fields = section.section("fields").map_or_else(BTreeMap::new, |fields| self.each_draw(&fields));
                Draw::Fields { fields }
            }
            [] => {
                section.mistake_here("it says nothing of how to draw the value", FORMS);
                Draw::Value { value: Value::Null }
            }
            _ => {
                let found = listed(&kinds);
                section.mistake_here(&format!("it says in several ways how to draw the value: {found}"), "keep one");
                Draw::Value { value: Value::Null }
            }
        }
    }

    fn uniform(&self, section: &Section<'_, 'a>) -> Draw {
        if let Some([from, to]) = section.list("uniform") {
            let (from, to) = (section.amount_of(from, "uniform"), section.amount_of(to, "uniform"));
            if let (Amount::Number(from), Amount::Number(to)) = (&from, &to)
                && (from > to || from.fract() != 0.0 || to.fract() != 0.0)
            {
                section.mistake("uniform", format!("{from} to {to} are no whole numbers in order"), "write `[1, 10]`");
            }
            return Draw::Uniform { from, to };
        }
        section.mistake("uniform", "it is not a pair", "write `{ uniform = [1, 10] }`");
        Draw::Value { value: Value::Null }
    }

    fn one_of(&self, section: &Section<'_, 'a>) -> Draw {
        match section.list("one_of") {
            Some([]) => section.mistake("one_of", "the list is empty", "give at least one value"),
            None => section.mistake("one_of", "it is not a list", "write `{ one_of = [1, 2] }`"),
            Some(values) => {
                let draws = values.iter().map(|value| self.draw_of(section, "one_of", value)).collect();
                return Draw::OneOf { draws };
            }
        }
        Draw::Value { value: Value::Null }
    }

    /// A number, a knob, or a draw that gives a number.
    fn count(&self, section: &Section<'_, 'a>) -> Draw {
        match section.get("count") {
            Some(value) if value.get_ref().as_table().is_some() => self.draw_of(section, "count", value),
            _ => match section.amount("count") {
                Amount::Knob(knob) => Draw::Knob { knob },
                Amount::Number(number) => {
                    if number > LIST_MOST as f64 || number.fract() != 0.0 {
                        let remedy = format!("write a whole number from 0 to {LIST_MOST}");
                        section.mistake("count", format!("{number} is no length of a list"), remedy);
                    }
                    Draw::Value { value: (number as i64).into() }
                }
            },
        }
    }
}

fn holds(value: &Value, odd: &dyn Fn(&Value) -> bool) -> bool {
    let within = match value {
        Value::Array(items) => items.iter().any(|item| holds(item, odd)),
        Value::Object(fields) => fields.values().any(|field| holds(field, odd)),
        _ => false,
    };
    within || odd(value)
}

/// Whether a table would be a draw, elsewhere.
fn is_draw(value: &Value) -> bool {
    let is_its_key = |key: &String| KINDS.contains(&key.as_str()) || key == "count" || key == "every_s";
    value.as_object().is_some_and(|fields| !fields.is_empty() && fields.keys().all(is_its_key))
}

/// Draws that use each other: the names on the way round.
fn ring(draws: &BTreeMap<String, Draw>) -> Option<Vec<&str>> {
    let here = draws.keys().find_map(|start| ring_through(start, draws));
    here.or_else(|| draws.values().flat_map(Draw::scopes).find_map(ring))
}

fn ring_through<'d>(start: &'d str, draws: &'d BTreeMap<String, Draw>) -> Option<Vec<&'d str>> {
    // Each with the place of what uses it.
    let mut reached = vec![(start, 0)];
    let mut at = 0;
    while at < reached.len() {
        for name in draws[reached[at].0].uses().into_iter().filter(|name| draws.contains_key(*name)) {
            if name == start {
                let mut way = vec![reached[at].0];
                while at > 0 {
                    at = reached[at].1;
                    way.push(reached[at].0);
                }
                way.reverse();
                return Some(way);
            }
            if !reached.iter().any(|(known, _)| *known == name) {
                reached.push((name, at));
            }
        }
        at += 1;
    }
    None
}
