//! What Node tells of the terminal. Tables are without colours: comfy-table has them only where it can ask the system.

use std::cell::Cell as Counter;
use std::fmt::Arguments;
use std::time::Duration;

use comfy_table::{Cell, Table};

use crate::cli::node;

pub fn print(text: Arguments<'_>) {
    node::print(&text.to_string());
}

pub fn complain(text: Arguments<'_>) {
    node::complain(&text.to_string());
}

/// Real time, for how long something may take.
pub struct Stopwatch(f64);

impl Stopwatch {
    pub fn start() -> Stopwatch {
        Stopwatch(js_sys::Date::now())
    }

    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64((js_sys::Date::now() - self.0).max(0.0) / 1e3)
    }
}

pub fn is_there() -> bool {
    node::columns().is_some()
}

pub fn fit(table: &mut Table) {
    if let Some(columns) = node::columns() {
        table.set_width(columns);
    }
}

pub fn bold(cell: Cell) -> Cell {
    cell
}

pub fn green(cell: Cell) -> Cell {
    cell
}

pub fn red(cell: Cell) -> Cell {
    cell
}

/// Drawn by whoever has the terminal.
pub struct Progress {
    steps: u64,
    what: String,
    done: Counter<u64>,
}

pub fn progress(steps: usize, what: &str) -> Progress {
    Progress { steps: steps as u64, what: what.to_owned(), done: Counter::new(0) }
}

impl Progress {
    pub fn inc(&self, steps: u64) {
        self.set_position(self.done.get() + steps);
    }

    pub fn set_position(&self, done: u64) {
        self.done.set(done);
        node::progress(&self.what, done as f64, self.steps as f64);
    }

    pub fn finish_and_clear(&self) {
        node::progress("", 0.0, 0.0);
    }
}
