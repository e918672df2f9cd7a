//! What a run of a spec gave, and its two forms: the expected-output text of PostgreSQL's tester and a JSON document.

use serde_json::{Value as Json, json};

use crate::trace::{Notice, QueryResult, SqlError, Sqlstate, Value};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecReport {
    pub sessions: Vec<String>,
    pub permutations: Vec<PermutationReport>,
    /// For stderr: unused steps, failed setups and teardowns, stuck permutations.
    pub complaints: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermutationReport {
    pub steps: Vec<String>,
    /// In the order in which they are shown.
    pub entries: Vec<ReportEntry>,
    pub ending: Ending,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportEntry {
    /// The last result of a setup or teardown block.
    Block(StatementResult),
    Notice {
        session: String,
        notice: Notice,
    },
    Waiting {
        step: String,
        sql: String,
    },
    Ended {
        step: String,
        sql: String,
        after_waiting: bool,
        answer: QueryResponse,
        notices: Vec<Notice>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Complete,
    /// These steps wait for each other, or for a lock nobody gives up.
    Stuck {
        waiting: Vec<String>,
    },
    SetupFailed(ErrorResponse),
}

/// What the server answered to one query text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryResponse {
    /// One for each statement that succeeded.
    pub results: Vec<StatementResult>,
    pub failure: Option<ErrorResponse>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementResult {
    pub tag: String,
    pub columns: Option<Vec<String>>,
    pub rows: Vec<Vec<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    pub severity: String,
    pub sqlstate: Sqlstate,
    pub message: String,
}

impl ErrorResponse {
    pub fn new(sqlstate: &str, message: &str) -> ErrorResponse {
        ErrorResponse { severity: "ERROR".to_owned(), sqlstate: Sqlstate::new(sqlstate), message: message.to_owned() }
    }
}

impl std::fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:  {}", self.severity, self.message)
    }
}

impl From<&SqlError> for ErrorResponse {
    fn from(error: &SqlError) -> ErrorResponse {
        // These end the connection, not only the statement.
        let ends_connection = matches!(error.sqlstate.as_str(), "25P03" | "57P01" | "57P05");
        let severity = if ends_connection { "FATAL" } else { "ERROR" };
        ErrorResponse { severity: severity.to_owned(), sqlstate: error.sqlstate, message: error.message.clone() }
    }
}

impl From<&QueryResult> for StatementResult {
    fn from(result: &QueryResult) -> StatementResult {
        let text = |value: &Value| (*value != Value::Null).then(|| value.to_text());
        StatementResult {
            tag: result.tag.clone(),
            columns: result.columns.as_ref().map(|it| it.iter().map(|column| column.name.to_string()).collect()),
            rows: result.rows.iter().map(|row| row.iter().map(text).collect()).collect(),
        }
    }
}

impl SpecReport {
    /// As the .out files of PostgreSQL's isolation tests.
    pub fn to_text(&self) -> String {
        let mut text = format!("Parsed test spec with {} sessions\n", self.sessions.len());
        for permutation in &self.permutations {
            text += &format!("\nstarting permutation: {}\n", permutation.steps.join(" "));
            for entry in &permutation.entries {
                push_entry(&mut text, entry);
            }
        }
        text
    }

    /// The document "pgdiff-1".
    pub fn to_json(&self) -> Json {
        let permutations: Vec<_> = self.permutations.iter().map(permutation_json).collect();
        json!({"format": "pgdiff-1", "sessions": self.sessions, "permutations": permutations})
    }
}

fn push_entry(text: &mut String, entry: &ReportEntry) {
    match entry {
        ReportEntry::Block(result) => push_table(text, result),
        ReportEntry::Notice { session, notice } => {
            *text += &format!("{session}: {}:  {}\n", notice.severity, notice.message);
        }
        ReportEntry::Waiting { step, sql } => *text += &format!("step {step}: {sql} <waiting ...>\n"),
        ReportEntry::Ended { step, sql, after_waiting, answer, .. } => {
            let rest = if *after_waiting { "<... completed>" } else { sql };
            *text += &format!("step {step}: {rest}\n");
            for result in &answer.results {
                push_table(text, result);
            }
            if let Some(failure) = &answer.failure {
                *text += &format!("{failure}\n");
            }
        }
    }
}

/// Widths count bytes, as the tester's do.
fn push_table(text: &mut String, result: &StatementResult) {
    let Some(names) = result.columns.as_ref().filter(|it| !it.is_empty()) else { return };
    let columns: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let values = || result.rows.iter().filter_map(move |row| row[index].as_deref()).filter(|it| !it.is_empty());
            let width = values().map(str::len).chain([name.len()]).max().unwrap_or(0);
            (width, values().all(looks_numeric))
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<_> = cells
            .zip(&columns)
            .map(|(cell, &(width, right))| {
                let blanks = " ".repeat(width - cell.len());
                if right { blanks + cell } else { cell.to_owned() + &blanks }
            })
            .collect();
        cells.join("|") + "\n"
    };
    let rule: Vec<_> = columns.iter().map(|(width, _)| "-".repeat(*width)).collect();
    *text += &line(&mut names.iter().map(String::as_str));
    *text += &(rule.join("+") + "\n");
    for row in &result.rows {
        *text += &line(&mut row.iter().map(|it| it.as_deref().unwrap_or_default()));
    }
    let plural = if result.rows.len() == 1 { "" } else { "s" };
    *text += &format!("({} row{plural})\n\n", result.rows.len());
}

fn looks_numeric(value: &str) -> bool {
    value.bytes().all(|it| it.is_ascii_digit() || matches!(it, b'.' | b'e' | b'E' | b' ' | b'-'))
        && !value.starts_with(['e', 'E'])
        && value.ends_with(|it: char| it.is_ascii_digit())
}

fn permutation_json(permutation: &PermutationReport) -> Json {
    let events: Vec<_> = permutation.entries.iter().filter_map(event_json).collect();
    let mut document = json!({"steps": permutation.steps, "outcome": "complete", "events": events});
    match &permutation.ending {
        Ending::Complete => {}
        Ending::Stuck { waiting } => {
            document["outcome"] = json!("stuck");
            document["waiting"] = json!(waiting);
        }
        Ending::SetupFailed(failure) => {
            document["outcome"] = json!("setup failed");
            document["sqlstate"] = json!(failure.sqlstate);
            document["message"] = json!(failure.message);
        }
    }
    document
}

fn event_json(entry: &ReportEntry) -> Option<Json> {
    match entry {
        ReportEntry::Block(_) | ReportEntry::Notice { .. } => None,
        ReportEntry::Waiting { step, .. } => Some(json!({"step": step, "event": "waiting"})),
        ReportEntry::Ended { step, after_waiting, answer, notices, .. } => {
            let event = if *after_waiting { "completed" } else { "done" };
            let mut document = json!({"step": step, "event": event});
            match &answer.failure {
                None => document["status"] = json!("ok"),
                Some(failure) => {
                    document["status"] = json!("error");
                    document["sqlstate"] = json!(failure.sqlstate);
                    document["message"] = json!(failure.message);
                }
            }
            document["results"] = answer.results.iter().map(result_json).collect();
            document["notices"] = json!(notices);
            Some(document)
        }
    }
}

fn result_json(result: &StatementResult) -> Json {
    let mut document = json!({"tag": result.tag});
    if let Some(columns) = &result.columns {
        document["columns"] = json!(columns);
        document["rows"] = json!(result.rows);
    }
    document
}
