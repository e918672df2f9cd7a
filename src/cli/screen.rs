//! How results look on a terminal, and in a pipe.

use std::io::{IsTerminal, stdout};

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use twoam::scenario::{Metric, Unit};

pub fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_preset(if stdout().is_terminal() { UTF8_HORIZONTAL_ONLY } else { NOTHING });
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.into_iter().map(|title| emphasis(Cell::new(title), Attribute::Bold)));
    table
}

pub fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

pub fn good(text: impl Into<String>) -> Cell {
    coloured(Cell::new(text.into()), Color::Green)
}

pub fn bad(cell: Cell) -> Cell {
    coloured(emphasis(cell, Attribute::Bold), Color::Red)
}

/// A bar on a terminal, nothing in a pipe.
pub fn progress(steps: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:32} {pos}/{len} {elapsed}").expect("the template is right");
    ProgressBar::new(steps as u64).with_style(style).with_message(what.to_string())
}

pub fn value(metric: &Metric, value: Option<f64>) -> String {
    let Some(value) = value else { return "–".into() };
    match metric.unit {
        Unit::Count if value.fract() == 0.0 => grouped(value),
        Unit::Count => format!("{value:.1}"),
        Unit::Ms => ms(value),
        Unit::Cents => format!("{}.{:02}", grouped((value / 100.0).trunc()), (value % 100.0).abs()),
        Unit::Ratio => format!("{:.0} %", value * 100.0),
        Unit::Bytes => format!("{:.1} MB", value / 1e6),
    }
}

pub fn ms(value: f64) -> String {
    if value >= 100.0 { format!("{} ms", grouped(value.round())) } else { format!("{value:.1} ms") }
}

/// `12,345`
pub fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0.0 { format!("-{text}") } else { text }
}

/// comfy-table writes escapes only to a terminal; NO_COLOR is ours to honour.
fn coloured(cell: Cell, color: Color) -> Cell {
    if std::env::var_os("NO_COLOR").is_some() { cell } else { cell.fg(color) }
}

fn emphasis(cell: Cell, attribute: Attribute) -> Cell {
    if std::env::var_os("NO_COLOR").is_some() { cell } else { cell.add_attribute(attribute) }
}
