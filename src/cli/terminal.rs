//! What the system's terminal can do.

use std::io::{IsTerminal, stdout};

use comfy_table::{Attribute, Cell, Color, Table};
use indicatif::{ProgressBar, ProgressStyle};

pub fn is_there() -> bool {
    stdout().is_terminal()
}

/// comfy-table knows the width itself.
pub fn fit(_: &mut Table) {}

pub fn bold(cell: Cell) -> Cell {
    if plain() { cell } else { cell.add_attribute(Attribute::Bold) }
}

pub fn green(cell: Cell) -> Cell {
    coloured(cell, Color::Green)
}

pub fn red(cell: Cell) -> Cell {
    coloured(cell, Color::Red)
}

/// comfy-table writes escapes only to a terminal; NO_COLOR is ours to honour.
fn coloured(cell: Cell, color: Color) -> Cell {
    if plain() { cell } else { cell.fg(color) }
}

fn plain() -> bool {
    std::env::var_os("NO_COLOR").is_some()
}

/// A bar on a terminal, nothing in a pipe.
pub fn progress(steps: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:32} {pos}/{len} {elapsed}").expect("the template is right");
    ProgressBar::new(steps as u64).with_style(style).with_message(what.to_string())
}
