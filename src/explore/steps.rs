//! What happened in an execution, as lines for a reader.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sim::names_tables;
use crate::trace::{CallId, EventKind, StatementKind, StatementOutcome, Trace};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// By place among the exam's requests; none of a worker.
    pub request: Option<usize>,
    pub text: String,
}

/// Statements with what came of them, calls to services, answers.
pub fn steps(trace: &Trace, requests: usize) -> Vec<Step> {
    let text = |symbol| trace.strings.text(symbol);
    let mut texts: BTreeMap<CallId, (String, StatementKind)> = BTreeMap::new();
    let mut steps = vec![];
    for event in trace.events() {
        let Some(request) = event.request.map(|request| request.0 as usize) else { continue };
        let request = Some(request).filter(|request| *request < requests);
        let line = match &event.kind {
            EventKind::StatementStarted { call, text: sql, parameters, kind, .. } => {
                let parameters = text(*parameters);
                let shown = one_line(text(*sql));
                let shown = if parameters.is_empty() { shown } else { format!("{shown}  [{parameters}]") };
                texts.insert(*call, (shown, *kind));
                continue;
            }
            EventKind::LockWaitBegan { call, on, .. } => {
                format!("{}: waits for {}", texts.get(call).map_or("", |(statement, _)| statement), text(*on))
            }
            EventKind::StatementFinished { call, outcome, rows, .. } => {
                let Some((statement, kind)) = texts.remove(call) else { continue };
                match outcome {
                    StatementOutcome::Ok if !names_tables(kind) => statement,
                    StatementOutcome::Ok => format!("{statement}: {rows} row{}", if *rows == 1 { "" } else { "s" }),
                    StatementOutcome::Failed { sqlstate, message } => {
                        format!("{statement}: {} {}", sqlstate.as_str(), text(*message))
                    }
                    StatementOutcome::Cancelled => format!("{statement}: cancelled"),
                }
            }
            EventKind::ServiceCalled { service, method, arguments, .. } => {
                format!("{}.{} {}", text(*service), text(*method), text(*arguments))
            }
            EventKind::ServiceAnswered { body, .. } => format!("hears {}", text(*body)),
            EventKind::RequestFinished { status, body, .. } => format!("answers {status} {}", text(*body)),
            _ => continue,
        };
        steps.push(Step { request, text: line });
    }
    steps
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
