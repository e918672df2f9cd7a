//! How results look on a terminal, and in a pipe.

#[cfg_attr(not(target_arch = "wasm32"), path = "native.rs")]
#[cfg_attr(target_arch = "wasm32", path = "node.rs")]
mod device;

use std::path::Path;

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use twoam::api::ErrorGroup;
use twoam::scenario::{Metric, Unit};
use twoam::trace::Micros;

use super::{Failure, fs};
pub use device::{Stopwatch, complain, print, progress};

pub fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_preset(if device::is_there() { UTF8_HORIZONTAL_ONLY } else { NOTHING });
    table.set_content_arrangement(ContentArrangement::Dynamic);
    device::fit(&mut table);
    table.set_header(header.into_iter().map(|title| device::bold(Cell::new(title))));
    table
}

pub fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

pub fn good(text: impl Into<String>) -> Cell {
    device::green(Cell::new(text.into()))
}

pub fn bad(cell: Cell) -> Cell {
    device::red(device::bold(cell))
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

/// `naive.py:7: ValueError: …`
pub fn placed(error: &ErrorGroup) -> String {
    match (&error.file, error.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: {}", error.text),
        (Some(file), None) => format!("{file}: {}", error.text),
        _ => error.text.clone(),
    }
}

/// `1 case`, `3 cases`
pub fn counted(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    format!("{} {what}{}", grouped(count as f64), if count == 1 { "" } else { "s" })
}

/// `1.204 s`, `30 s`
pub fn seconds(us: Micros) -> String {
    format!("{} s", (us as f64 / 1e3).round() / 1e3)
}

/// So that nobody waits for a result that cannot be kept.
pub fn expect_writable(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let wrong = match folder {
        _ if fs::is_dir(path) => "it is a folder; name a file",
        Some(folder) if !fs::is_dir(folder) => "its folder is not there; make it first",
        _ => return Ok(()),
    };
    Err(Failure::Usage(format!("error: {}: {wrong}", path.display())))
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
