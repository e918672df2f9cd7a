//! What the system's terminal can do.

use std::fmt::Arguments;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::process;
use std::time::Duration;

use comfy_table::{Attribute, Cell, Color, Table};
use indicatif::{ProgressBar, ProgressStyle};

/// To stdout. Whoever has stopped reading has seen enough; a full disk ends the program.
pub fn print(text: Arguments<'_>) {
    let mut out = stdout().lock();
    let written = out.write_fmt(text).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        complain(format_args!("error: the result cannot be written: {error}\n"));
        process::exit(2);
    }
}

/// To stderr. Where nobody can be told of a failure there is nothing left to do about it.
pub fn complain(text: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(text);
}

/// Real time, for how long something may take.
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

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
