//! What keeps a scenario's own SQL and code from working, found without a run: every statement, every query, every file.

use std::collections::BTreeSet;

use super::EPOCH_US;
use super::RunError;
use super::cost;
use crate::python::{Python, Raised, SourceFile};
use crate::scenario::{Amount, Clients, InsertStatement, InvariantRule, Part, RowSet, ScenarioDocument};
use crate::sql::{self, Database, DeadlockCheck, Progress, Settings};
use crate::trace::{ProcessId, SessionId, SqlError, Value};
use crate::workload::{RngStreams, ServiceHost};

/// Something that does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    pub part: Part,
    /// Of the part's own text, from 1.
    pub line: Option<u32>,
    pub text: String,
}

/// Enough rows to see that a table takes them.
const ROWS_TRIED: f64 = 100.0;

/// All of a scenario's parts. Where the schema does not work nothing is said of the SQL that needs it.
pub fn examine(document: &ScenarioDocument) -> Vec<Objection> {
    let ledgers = ServiceHost::ledgers(document);
    let mut bench = Bench::new();
    bench.make_tables(&document.schema, &ledgers);
    if bench.found.is_empty() {
        bench.add_rows(document);
        bench.ask(document);
        for variant in &document.variants {
            let Some(sql) = &variant.migration else { continue };
            let mut beside = Bench::new();
            beside.make_tables(&document.schema, &ledgers);
            beside.add_rows(document);
            beside.text(&Part::Migration(variant.id.clone()), sql);
            bench.found.extend(beside.found.into_iter().filter(|found| matches!(found.part, Part::Migration(_))));
        }
    }
    bench.found.extend(examine_code(document));
    bench.found
}

/// What a run says whose schema is refused.
pub fn schema_refused(schema: &str, file: &str) -> Option<RunError> {
    let mut bench = Bench::new();
    bench.text(&Part::Schema, schema);
    refused(bench.found, file)
}

/// What a run says whose variant's migration is refused.
pub fn migration_refused(schema: &str, ledgers: &[&str], migration: &str, file: &str) -> Option<RunError> {
    let mut bench = Bench::new();
    bench.make_tables(schema, ledgers);
    bench.found.clear();
    bench.text(&Part::Schema, migration);
    refused(bench.found, file)
}

fn refused(found: Vec<Objection>, file: &str) -> Option<RunError> {
    let error = |it: Objection| RunError { file: Some(file.to_owned()), line: it.line, ..RunError::new(it.text) };
    RunError::all(found.into_iter().map(error).collect())
}

/// A database to try SQL in.
struct Bench {
    database: Database,
    session: SessionId,
    /// What refused statements would have made: what needs it is no objection of its own.
    lacking: BTreeSet<String>,
    found: Vec<Objection>,
}

impl Bench {
    fn new() -> Bench {
        let deadlocks = DeadlockCheck::After(cost::DEADLOCK_TIMEOUT_US);
        let mut database = Database::new(Settings { deadlocks, seed: 1, epoch_us: EPOCH_US });
        let session = database.connect();
        Bench { database, session, lacking: BTreeSet::new(), found: vec![] }
    }

    fn make_tables(&mut self, schema: &str, ledgers: &[&str]) {
        self.text(&Part::Schema, schema);
        for ledger in ledgers {
            // The services' books are the project's own, and tested.
            let _ = self.run(ledger, &[]);
        }
    }

    /// Statement by statement, so that one that is refused does not hide those behind it.
    fn text(&mut self, part: &Part, sql: &str) {
        let statements = match sql::statements(sql) {
            Ok(statements) => statements,
            Err(error) => return self.object(part, Some(line_at(sql, error.position.unwrap_or(1))), &error),
        };
        for (at, statement) in statements {
            let Err(error) = self.run(statement, &[]) else { continue };
            let follows = self.lacking.iter().any(|name| names(&error, name));
            self.lacking.extend(made_by(statement));
            if !follows {
                let position = error.position.or_else(|| place_in(statement, &error)).unwrap_or(1);
                self.object(part, Some(line_at(sql, at + position - 1)), &error);
            }
        }
    }

    fn add_rows(&mut self, document: &ScenarioDocument) {
        let Some(environment) = document.environments.first() else { return };
        let mut rng = RngStreams::new(1);
        for (place, rows) in document.simulation.rows.iter().enumerate() {
            let count = Amount::Number(rows.count.at(&environment.knobs).min(ROWS_TRIED));
            let few = RowSet { count, ..rows.clone() };
            for InsertStatement { sql, parameters } in few.inserts(&mut rng.rows, &environment.knobs) {
                if let Err(error) = self.run(&sql, &parameters) {
                    self.object(&Part::Rows(place), None, &error);
                }
            }
        }
    }

    /// Invariants and metrics.
    fn ask(&mut self, document: &ScenarioDocument) {
        let rules = document.invariants.iter().filter_map(|invariant| match &invariant.rule {
            InvariantRule::Sql { sql } => Some((Part::Invariant(invariant.id.clone()), sql)),
            InvariantRule::SlowerThan { .. } | InvariantRule::Failed { .. } => None,
        });
        let gauges = document.simulation.gauges.iter().map(|gauge| (Part::Metric(gauge.metric.clone()), &gauge.sql));
        for (part, sql) in rules.chain(gauges) {
            if let Err(error) = self.run(sql, &[]) {
                let position = error.position.or_else(|| place_in(sql, &error));
                self.object(&part, position.map(|position| line_at(sql, position)), &error);
            }
        }
    }

    fn run(&mut self, sql: &str, parameters: &[Value]) -> Result<(), SqlError> {
        match self.database.execute(self.session, 0, sql, parameters).progress {
            Progress::Failed(error) => Err(error),
            // Nobody else is there to wait for.
            Progress::Done(_) | Progress::Wait(_) => Ok(()),
        }
    }

    fn object(&mut self, part: &Part, line: Option<u32>, error: &SqlError) {
        let text = format!("{} ({})", error.message, error.sqlstate);
        self.found.push(Objection { part: part.clone(), line, text });
    }
}

/// Every variant, and the code of scripted clients.
fn examine_code(document: &ScenarioDocument) -> Vec<Objection> {
    let kinds = document.simulation.requests.iter().map(|kind| kind.entry.as_str()).collect::<Vec<_>>();
    let variants = document.variants.iter().map(|variant| {
        let workers = variant.workers.iter().map(|worker| worker.entry.as_str());
        (&variant.file, &variant.source, kinds.iter().copied().chain(workers).collect::<Vec<_>>())
    });
    let scripts = match &document.simulation.clients {
        Clients::Scripted { file, source, scripts } => {
            Some((file, source, scripts.iter().map(|script| script.entry.as_str()).collect()))
        }
        Clients::Closed { .. } | Clients::Open { .. } => None,
    };
    let mut python = Python::new(1, EPOCH_US);
    let mut found = Vec::new();
    for (place, (file, text, entries)) in variants.chain(scripts).enumerate() {
        if let Err(raised) = python.load(ProcessId(place as u32), SourceFile { file, text }, &entries) {
            let line = raised.position.as_ref().map(|position| position.line);
            found.push(Objection { part: Part::Code(file.clone()), line, text: said(&raised) });
        }
    }
    found
}

/// What an exception says, in a line.
pub fn said(raised: &Raised) -> String {
    format!("{}: {}", raised.class, raised.message)
}

/// The line of a character, both from 1.
pub fn line_at(text: &str, position: u32) -> u32 {
    let before = text.chars().take(position.saturating_sub(1) as usize);
    before.filter(|character| *character == '\n').count() as u32 + 1
}

/// Where a statement has the name that its error tells, for errors without a position.
fn place_in(statement: &str, error: &SqlError) -> Option<u32> {
    let message = error.message.as_str();
    let bare = message.strip_prefix("column ").and_then(|rest| rest.split(' ').next());
    let mut names = message.split('"').skip(1).step_by(2).chain(bare).filter(|name| !name.is_empty());
    let lower = statement.to_ascii_lowercase();
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let place = names.find_map(|name| {
        let name = name.to_ascii_lowercase();
        let mut places = lower.match_indices(&*name);
        let alone = |at: usize, found: &str| {
            !lower[..at].ends_with(of_a_word) && !lower[at + found.len()..].starts_with(of_a_word)
        };
        places.find(|(at, found)| alone(*at, found)).map(|(at, _)| at)
    });
    Some(statement[..place?].chars().count() as u32 + 1)
}

/// Something that does not exist is missing, and it is `name`.
fn names(error: &SqlError, name: &str) -> bool {
    const DOES_NOT_EXIST: [&str; 3] = ["42P01", "42704", "42883"];
    DOES_NOT_EXIST.contains(&error.sqlstate.as_str()) && words(&error.message).any(|word| word == name)
}

/// The name of what a statement creates.
fn made_by(statement: &str) -> Option<String> {
    const KINDS: [&str; 8] = ["table", "type", "domain", "view", "sequence", "function", "procedure", "extension"];
    let mut words = words(statement).map(str::to_lowercase);
    if words.next()? != "create" {
        return None;
    }
    words.by_ref().take(4).find(|word| KINDS.contains(&word.as_str()))?;
    words.find(|word| !["if", "not", "exists"].contains(&word.as_str()))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
