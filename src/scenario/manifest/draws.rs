//! How values of parameters and columns are drawn.

use std::collections::BTreeMap;

use serde_json::Value;

use super::section::{Section, json};
use super::*;

impl<'a> Reader<'a> {
    pub(super) fn draws(&self, section: &Section<'_, 'a>) -> BTreeMap<String, Draw> {
        section.table.keys().map(|key| (key.get_ref().to_string(), self.draw(section, key.get_ref()))).collect()
    }

    pub(super) fn draw(&self, section: &Section<'_, 'a>, key: &str) -> Draw {
        let value = section.get(key).expect("the caller names a key of this section");
        let Some(table) = value.get_ref().as_table() else {
            return match json(value.get_ref()) {
                Value::String(pattern) => Draw::Text { pattern },
                value => Draw::Value { value },
            };
        };
        let section = Section::new(section.reader, table, value.span().start, section.path(key));
        if let Some(bounds) = section.list("uniform") {
            if let [from, to] = bounds {
                return Draw::Uniform {
                    from: section.amount_of(from, "uniform"),
                    to: section.amount_of(to, "uniform"),
                };
            }
            section.mistake("uniform", "it is not a pair", "write `{ uniform = [1, 10] }`");
        } else if let Some(values) = section.list("one_of") {
            if !values.is_empty() {
                return Draw::OneOf { values: values.iter().map(|value| json(value.get_ref())).collect() };
            }
            section.mistake("one_of", "the list is empty", "give at least one value");
        } else if section.has("sequence") {
            return Draw::Sequence { from: section.number("sequence") };
        } else if section.has("rolling") {
            return Draw::Rolling { from: section.number("rolling"), every_s: section.amount("every_s") };
        } else if let Some(knob) = section.optional_text("knob") {
            section.expect_knob("knob", &knob);
            return Draw::Knob { knob };
        } else {
            section.mistake_here(
                "it says nothing of how to draw the value",
                "write a value, a text, or one of `uniform`, `one_of`, `sequence`, `rolling`, `knob`",
            );
        }
        Draw::Value { value: Value::Null }
    }
}
