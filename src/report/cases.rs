//! What went wrong, case by case, in sentences that name requests and lines.

use std::collections::{BTreeMap, VecDeque};

use super::Case;
use super::lost_updates::{LostUpdate, LostUpdates};
use crate::scenario::ScenarioDocument;
use crate::trace::{CallId, Event, EventKind, Micros, Position, RequestId, SessionId, StatementOutcome, Symbol, Trace};

/// The latest of each kind; the numbers tell how many there were.
const CASES_SHOWN: usize = 200;

/// Of the requests that wrote a row, the latest.
const WRITERS_NAMED: usize = 4;

pub fn cases(trace: &Trace, document: &ScenarioDocument, from: Micros, to: Micros) -> Vec<Case> {
    let mut teller = Teller {
        trace,
        document,
        from,
        lost_updates: LostUpdates::default(),
        positions: BTreeMap::new(),
        last_line: BTreeMap::new(),
        holders: BTreeMap::new(),
        writers: BTreeMap::new(),
        cases: BTreeMap::new(),
    };
    for event in trace.events().take_while(|event| event.at <= to) {
        teller.take(event);
    }
    let mut cases = teller.cases.into_values().flatten().collect::<Vec<_>>();
    cases.sort_by_key(|case| case.at_us);
    cases
}

struct Teller<'a> {
    trace: &'a Trace,
    document: &'a ScenarioDocument,
    from: Micros,
    lost_updates: LostUpdates,
    positions: BTreeMap<CallId, Position>,
    /// Where each request stood last.
    last_line: BTreeMap<RequestId, Position>,
    holders: BTreeMap<SessionId, RequestId>,
    /// The last to write a row with this key, in any table.
    writers: BTreeMap<Symbol, VecDeque<(RequestId, Option<Position>)>>,
    cases: BTreeMap<String, VecDeque<Case>>,
}

impl Teller<'_> {
    fn take(&mut self, event: &Event) {
        for lost in self.lost_updates.take(self.trace, event) {
            self.lost_update(&lost);
        }
        match &event.kind {
            EventKind::StatementStarted { call, position, .. } | EventKind::ServiceCalled { call, position, .. } => {
                self.positions.insert(*call, *position);
                event.request.map(|request| self.last_line.insert(request, *position));
            }
            EventKind::StatementFinished { call, outcome, .. } => {
                let position = self.positions.remove(call);
                if let (StatementOutcome::Failed { sqlstate, .. }, Some(request)) = (outcome, event.request)
                    && sqlstate.as_str() == "40001"
                {
                    let line = self.line(position);
                    let sentence = format!(
                        "Request {request} could not go on{line}: others had changed what it had read (40001)."
                    );
                    self.tell("serialization-failures", event.at, sentence, vec![request]);
                }
            }
            EventKind::ConnectionAcquired { .. } => {
                if let (Some(session), Some(request)) = (event.session, event.request) {
                    self.holders.insert(session, request);
                }
            }
            EventKind::VersionWritten { call, row, .. } => {
                if let Some(request) = event.request {
                    let position = call.and_then(|call| self.positions.get(&call).copied());
                    let position = position.or_else(|| self.last_line.get(&request).copied());
                    let writers = self.writers.entry(row.key).or_default();
                    writers.push_back((request, position));
                    if writers.len() > WRITERS_NAMED {
                        writers.pop_front();
                    }
                }
            }
            EventKind::DeadlockFound { cycle } => self.deadlock(event, cycle),
            EventKind::RequestFinished { status, body, .. } if *status >= 500 => {
                if let Some(request) = event.request {
                    let line = self.line(self.last_line.get(&request).copied());
                    let body = self.trace.strings.text(*body);
                    let sentence = format!("Request {request} was answered with {status}{line}: {body}");
                    self.tell("failed", event.at, sentence, vec![request]);
                }
            }
            EventKind::InvariantBroken { invariant, case, row, .. } => self.broken(event, *invariant, *case, *row),
            _ => {}
        }
        if let (EventKind::RequestFinished { .. }, Some(request)) = (&event.kind, event.request) {
            self.last_line.remove(&request);
        }
    }

    fn lost_update(&mut self, lost: &LostUpdate) {
        let strings = &self.trace.strings;
        let row = format!("{} {}", strings.text(lost.row.table), strings.text(lost.row.key));
        let (read, written) = (self.line(Some(lost.read_at)), self.line(Some(lost.written_at)));
        let request = lost.request;
        let (lost_by, requests) = match lost.lost_by {
            Some(other) => (format!("request {other} changed it"), vec![request, other]),
            None => ("it was changed".to_owned(), vec![request]),
        };
        let sentence = format!(
            "Request {request} read {row}{read}; then {lost_by}; then request {request} wrote over that change{written}."
        );
        self.tell("lost-updates", lost.at, sentence, requests);
    }

    fn deadlock(&mut self, event: &Event, cycle: &[SessionId]) {
        let requests = cycle.iter().filter_map(|session| self.holders.get(session).copied()).collect::<Vec<_>>();
        let each = requests
            .iter()
            .map(|request| format!("request {request}{}", self.line(self.last_line.get(request).copied())));
        let each = each.collect::<Vec<_>>().join(", ");
        let victim = event.session.and_then(|session| self.holders.get(&session));
        let victim = victim.map_or(String::new(), |victim| format!(" Request {victim} was chosen to fail."));
        let sentence = format!("Each waited for a row that the next had locked: {each}.{victim}");
        self.tell("deadlocks", event.at, sentence, requests);
    }

    fn broken(&mut self, event: &Event, invariant: Symbol, case: Symbol, row: Symbol) {
        let strings = &self.trace.strings;
        let id = strings.text(invariant);
        let Some(invariant) = self.document.invariants.iter().find(|of| of.id == id) else { return };
        let mut sentence = format!("{}: {}.", capitalised(&invariant.sentence), in_words(strings.text(row)));
        let mut requests = event.request.into_iter().collect::<Vec<_>>();
        if let Some(writers) = self.writers.get(&case).filter(|_| requests.is_empty()) {
            requests = writers.iter().map(|(request, _)| *request).collect();
            let each = writers.iter().map(|(request, position)| format!("request {request}{}", self.line(*position)));
            sentence += &format!(" Last written by {}.", each.collect::<Vec<_>>().join(", "));
        }
        let of = invariant.id.clone();
        self.tell(&of, event.at, sentence, requests);
    }

    fn tell(&mut self, of: &str, at_us: Micros, sentence: String, requests: Vec<RequestId>) {
        if at_us < self.from {
            return;
        }
        let mut requests = requests.into_iter().map(|request| request.0).collect::<Vec<_>>();
        requests.dedup();
        let cases = self.cases.entry(of.to_owned()).or_default();
        cases.push_back(Case { of: of.to_owned(), at_us, sentence, requests });
        if cases.len() > CASES_SHOWN {
            cases.pop_front();
        }
    }

    fn line(&self, position: Option<Position>) -> String {
        position.map_or(String::new(), |position| {
            format!(" at {}:{}", self.trace.strings.text(position.file), position.line)
        })
    }
}

/// `{"id":7,"stock":-2}` as `id 7, stock -2`.
fn in_words(row: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(row) {
        Ok(serde_json::Value::Object(fields)) => {
            let word = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.iter().map(|(name, value)| format!("{name} {}", word(value))).collect::<Vec<_>>().join(", ")
        }
        _ => row.to_owned(),
    }
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.trim_end_matches('.').chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}
