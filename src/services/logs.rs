//! A log store: what the processes print comes in without being asked for, and whoever is on call searches it by text and time.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::json;

use super::{Handled, LedgerEntry, LogLine, Service, ServiceCall, ServiceKind, TransportErrors, read_arguments};
use crate::trace::{Micros, Value};

pub const KIND: ServiceKind = ServiceKind {
    name: "logs",
    methods: &["search"],
    ledger: "CREATE TABLE log_lines (
        id INTEGER PRIMARY KEY, process INTEGER NOT NULL, level TEXT NOT NULL, text TEXT NOT NULL,
        at TIMESTAMPTZ NOT NULL DEFAULT now())",
    errors: TransportErrors { failed: "LogsError", refused: "LogsUnavailable", timed_out: "LogsTimeout" },
    create: |_| Box::new(Logs::default()),
};

/// Older lines are let go, as stores do that are paid for by size.
const LINES_KEPT: usize = 20_000;

/// The most one search gives.
const FOUND_MOST: usize = 500;

#[derive(Default)]
struct Logs {
    lines: VecDeque<Kept>,
    collected: i64,
}

struct Kept {
    at: Micros,
    process: u32,
    level: &'static str,
    text: String,
}

#[derive(Deserialize)]
struct Search {
    /// Lines that hold all of these.
    #[serde(default)]
    words: Vec<String>,
    level: Option<String>,
    /// How long ago, at most and at least.
    last_s: Option<f64>,
    #[serde(default)]
    before_s: f64,
}

impl Service for Logs {
    fn call(&mut self, call: &ServiceCall) -> Handled {
        let answer = match call.method {
            "search" => read_arguments(call, "LogsError").map(|search: Search| self.search(&search, call.at)),
            other => Err(KIND.unknown_method(other)),
        };
        Handled { answer, entries: vec![] }
    }

    fn logged(&mut self, line: &LogLine) -> Vec<LedgerEntry> {
        self.collected += 1;
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        let kept = Kept { at: line.at, process: line.process, level: line.level, text: line.text.to_owned() };
        let parameters = vec![
            Value::Int(self.collected),
            Value::Int(i64::from(kept.process)),
            Value::Text(kept.level.into()),
            Value::Text(kept.text.as_str().into()),
        ];
        self.lines.push_back(kept);
        let sql = "INSERT INTO log_lines (id, process, level, text) VALUES ($1, $2, $3, $4)";
        vec![LedgerEntry { sql, parameters }]
    }
}

impl Logs {
    /// Oldest first; of too many the newest.
    fn search(&self, search: &Search, now: Micros) -> serde_json::Value {
        let age = |line: &Kept| (now - line.at) as f64 / 1e6;
        let found = self.lines.iter().rev().filter(|line| {
            search.words.iter().all(|word| line.text.contains(word.as_str()))
                && search.level.as_ref().is_none_or(|level| level == line.level)
                && search.last_s.is_none_or(|last| age(line) <= last)
                && age(line) >= search.before_s
        });
        let mut lines = found.take(FOUND_MOST).collect::<Vec<_>>();
        lines.reverse();
        let told = lines
            .into_iter()
            .map(|line| json!({ "age_s": age(line), "process": line.process, "level": line.level, "text": line.text }));
        told.collect()
    }
}
