//! What went wrong, case by case, in sentences that name requests and lines.

use std::collections::BTreeMap;

use super::index::{Body, TraceIndex};
use super::lost_updates::LostUpdate;
use super::{Case, index};
use crate::scenario::ScenarioDocument;
use crate::trace::{Micros, Position, RequestId, StatementOutcome, Trace};

/// The latest of each kind; the numbers tell how many there were.
const CASES_SHOWN: usize = 200;

pub fn cases(index: &TraceIndex, trace: &Trace, document: &ScenarioDocument, from: Micros, to: Micros) -> Vec<Case> {
    let mut teller = CaseTeller { trace, document, from, to, cases: BTreeMap::new() };
    // Latest first: of each kind only so many are put into words.
    index.cases().rev().for_each(|case| teller.broken(case));
    index.lost_updates().rev().for_each(|lost| teller.lost_update(lost));
    index.deadlocks().rev().for_each(|deadlock| teller.deadlock(deadlock));
    let requests = index.requests_in(from, to).collect::<Vec<_>>();
    requests.into_iter().rev().for_each(|request| teller.failed(request));
    let calls = index.calls_in(from, to).collect::<Vec<_>>();
    calls.into_iter().rev().for_each(|call| teller.serialization(call));
    let mut cases = teller.cases.into_values().flatten().collect::<Vec<_>>();
    cases.sort_by_key(|(number, case)| (case.at_us, *number));
    cases.into_iter().map(|(_, case)| case).collect()
}

struct CaseTeller<'a> {
    trace: &'a Trace,
    document: &'a ScenarioDocument,
    from: Micros,
    to: Micros,
    /// By what they belong to, with the order in which they came.
    cases: BTreeMap<String, Vec<(u32, Case)>>,
}

impl CaseTeller<'_> {
    /// Whether a case of that kind and moment is still to be told.
    fn wants(&self, of: &str, at: Micros) -> bool {
        (self.from..=self.to).contains(&at) && self.cases.get(of).is_none_or(|cases| cases.len() < CASES_SHOWN)
    }

    fn tell(
        &mut self,
        of: &str,
        number: u32,
        since_us: Micros,
        at_us: Micros,
        sentence: String,
        requests: Vec<RequestId>,
    ) {
        let mut requests = requests.into_iter().map(|request| request.0).collect::<Vec<_>>();
        requests.dedup();
        let case = Case { of: of.to_owned(), since_us, at_us, sentence, requests };
        self.cases.entry(of.to_owned()).or_default().push((number, case));
    }

    fn lost_update(&mut self, lost: &LostUpdate) {
        const OF: &str = "lost-updates";
        if !self.wants(OF, lost.committed) {
            return;
        }
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
        self.tell(OF, request.0, lost.at, lost.committed, sentence, requests);
    }

    fn deadlock(&mut self, deadlock: &index::Deadlock) {
        const OF: &str = "deadlocks";
        if !self.wants(OF, deadlock.at) {
            return;
        }
        let each = deadlock.cycle.iter().map(|(request, at)| format!("request {request}{}", self.line(*at)));
        let each = each.collect::<Vec<_>>().join(", ");
        let victim = deadlock.victim;
        let victim = victim.map_or(String::new(), |victim| format!(" Request {victim} was chosen to fail."));
        let sentence = format!("Each waited for a row that the next had locked: {each}.{victim}");
        let requests = deadlock.cycle.iter().map(|(request, _)| *request).collect();
        self.tell(OF, deadlock.number, deadlock.closed, deadlock.at, sentence, requests);
    }

    fn failed(&mut self, request: &index::RequestRecord) {
        const OF: &str = "failed";
        let Some(answer) = request.answer.filter(|answer| answer.status >= 500 && self.wants(OF, answer.at)) else {
            return;
        };
        let id = request.doer.request;
        let line = self.line(request.called_at);
        let body = self.trace.strings.text(answer.body);
        let sentence = format!("Request {id} was answered with {}{line}: {body}", answer.status);
        self.tell(OF, id.0, answer.at, answer.at, sentence, vec![id]);
    }

    fn serialization(&mut self, call: &index::CallRecord) {
        const OF: &str = "serialization-failures";
        let (Body::Statement(statement), Some(at)) = (&call.body, call.ended) else { return };
        let Some(StatementOutcome::Failed { sqlstate, .. }) = statement.outcome else { return };
        if sqlstate.as_str() != "40001" || !self.wants(OF, at) {
            return;
        }
        let request = call.doer.request;
        let line = self.line(Some(call.position));
        let sentence = format!("Request {request} could not go on{line}: others had changed what it had read (40001).");
        self.tell(OF, request.0, at, at, sentence, vec![request]);
    }

    fn broken(&mut self, case: &index::CaseRecord) {
        let invariant = &self.document.invariants[case.invariant];
        if !self.wants(&invariant.id, case.told) {
            return;
        }
        let row = self.trace.strings.text(case.row);
        let mut sentence = format!("{}: {}.", capitalised(&invariant.sentence), in_words(row));
        let mut requests = case.request.into_iter().collect::<Vec<_>>();
        if requests.is_empty() && !case.writers.is_empty() {
            requests = case.writers.iter().map(|(request, _)| *request).collect();
            let each = case.writers.iter().map(|(request, at)| format!("request {request}{}", self.line(*at)));
            sentence += &format!(" Last written by {}.", each.collect::<Vec<_>>().join(", "));
        }
        self.tell(&invariant.id, case.number, case.since, case.told, sentence, requests);
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
