//! How results look on a terminal, and in a pipe.

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use twoam::scenario::{Metric, Unit};

use super::terminal;
pub use super::terminal::progress;

pub fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_preset(if terminal::is_there() { UTF8_HORIZONTAL_ONLY } else { NOTHING });
    table.set_content_arrangement(ContentArrangement::Dynamic);
    terminal::fit(&mut table);
    table.set_header(header.into_iter().map(|title| terminal::bold(Cell::new(title))));
    table
}

pub fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

pub fn good(text: impl Into<String>) -> Cell {
    terminal::green(Cell::new(text.into()))
}

pub fn bad(cell: Cell) -> Cell {
    terminal::red(terminal::bold(cell))
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
