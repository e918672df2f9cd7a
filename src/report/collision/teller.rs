//! What a request did, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::index::{Body, CallRecord, Fate, RequestRecord, StatementRecord, TraceIndex, VersionRecord};
use super::{Cell, CollisionStep, StepKind};
use crate::trace::{EventKind, Micros, RequestId, RowRef, ServiceOutcome, StatementOutcome, Symbol, Trace, Value};

/// More steps of one request than this are no story: the first and the last ones are told.
const STEPS_MOST: usize = 16;

const CELLS_MOST: usize = 3;

pub struct CollisionTeller<'a> {
    index: &'a TraceIndex,
    trace: &'a Trace,
    to: Micros,
    /// Versions of the rows that the requests touched, oldest first.
    versions: BTreeMap<RowRef, Vec<&'a VersionRecord>>,
    /// Rows that more than one of them touched, and of each row the columns that they change.
    shared: BTreeSet<RowRef>,
    changed: BTreeMap<RowRef, BTreeSet<usize>>,
}

/// What a statement did to a row, and when.
struct Touch {
    at: Micros,
    number: u32,
    row: RowRef,
    wrote: bool,
    values: Option<Rc<[Value]>>,
}

impl<'a> CollisionTeller<'a> {
    pub fn new(
        index: &'a TraceIndex,
        trace: &'a Trace,
        to: Micros,
        requests: &[&'a RequestRecord],
    ) -> CollisionTeller<'a> {
        let mut teller = CollisionTeller {
            index,
            trace,
            to,
            versions: BTreeMap::new(),
            shared: BTreeSet::new(),
            changed: BTreeMap::new(),
        };
        for version in index.versions_ever() {
            teller.versions.entry(version.row).or_default().push(version);
        }
        teller.versions.values_mut().for_each(|versions| versions.sort_by_key(|version| version.number));
        let mut seen: BTreeMap<RowRef, RequestId> = BTreeMap::new();
        for request in requests {
            for touch in
                teller.statements(request).flat_map(|(_, statement)| teller.touches(statement)).collect::<Vec<_>>()
            {
                let id = request.doer.request;
                if *seen.entry(touch.row).or_insert(id) != id {
                    teller.shared.insert(touch.row);
                }
                if touch.wrote {
                    let columns = teller.changes(&touch);
                    teller.changed.entry(touch.row).or_default().extend(columns);
                }
            }
        }
        teller
    }

    fn statements(&self, request: &RequestRecord) -> impl Iterator<Item = (&'a CallRecord, &'a StatementRecord)> {
        let id = request.doer.request;
        self.index.calls_in(request.began, self.to).filter(move |call| call.doer.request == id).filter_map(|call| {
            match &call.body {
                Body::Statement(statement) => Some((call, &**statement)),
                _ => None,
            }
        })
    }

    fn touches(&self, statement: &StatementRecord) -> Vec<Touch> {
        let mut touches = vec![];
        for (number, event) in statement.told.iter().filter_map(|number| Some((*number, self.trace.event(*number)?))) {
            match &event.kind {
                EventKind::VersionsRead { rows, .. } => touches.extend(rows.iter().map(|seen| {
                    let versions = self.versions.get(&seen.row).into_iter().flatten();
                    let mut by = versions.filter(|version| version.number < number && version.xid == seen.writer);
                    let values = match seen.writer {
                        Some(_) => by.next_back().and_then(|version| version.values.clone()),
                        None => seen.values.clone(),
                    };
                    Touch { at: event.at, number, row: seen.row, wrote: false, values }
                })),
                EventKind::VersionWritten { row, values, .. } => {
                    touches.push(Touch { at: event.at, number, row: *row, wrote: true, values: values.clone() });
                }
                _ => {}
            }
        }
        touches
    }

    /// Columns whose values are others than in the version before; all of a new row.
    fn changes(&self, touch: &Touch) -> Vec<usize> {
        let Some(values) = &touch.values else { return vec![] };
        let versions = self.versions.get(&touch.row).into_iter().flatten();
        let mut before =
            versions.filter(|version| version.number < touch.number && !matches!(version.fate, Fate::Gone(_)));
        let before =
            before.next_back().and_then(|version| version.values.clone()).or_else(|| self.first_seen(touch.row));
        let changed = |place: &usize| before.as_ref().is_none_or(|before| before.get(*place) != values.get(*place));
        (0..values.len()).filter(changed).collect()
    }

    /// What a row held before the run, if somebody was told.
    fn first_seen(&self, row: RowRef) -> Option<Rc<[Value]>> {
        self.trace.events().find_map(|event| match &event.kind {
            EventKind::VersionsRead { rows, .. } => {
                rows.iter().find(|seen| seen.row == row && seen.values.is_some())?.values.clone()
            }
            _ => None,
        })
    }

    pub fn steps(&self, request: &RequestRecord, place: u32) -> Vec<CollisionStep> {
        let id = request.doer.request;
        let mut steps: Vec<(u32, CollisionStep)> = vec![];
        let waits = self.index.waits_at(self.to).any(|wait| wait.doer.request == id);
        for call in self.index.calls_in(request.began, self.to).filter(|call| call.doer.request == id) {
            let mut step = self.blank(place, call.began, StepKind::Call, String::new());
            step.to_us = call.ended.filter(|ended| *ended <= self.to);
            step.file = Some(self.text(call.position.file).to_owned());
            step.line = Some(call.position.line);
            match &call.body {
                // It has not come to its row yet.
                Body::Statement(_) if step.to_us.is_none() && waits => {}
                Body::Statement(statement) => {
                    steps.extend(self.statement(step, statement).map(|step| (call.number, step)))
                }
                Body::Service { service, method, arguments, answer, .. } => {
                    let answered =
                        answer.filter(|_| step.to_us.is_some()).map(|(_, body)| format!(" → {}", self.text(body)));
                    let asked = format!("{}.{} {}", self.text(*service), self.text(*method), self.text(*arguments));
                    step.failed = answer.is_some_and(|(outcome, _)| outcome != ServiceOutcome::Ok);
                    step.label = format!("{asked}{}", answered.unwrap_or_default());
                    steps.push((call.number, step));
                }
                Body::Connection { waited: true, .. } => {
                    (step.kind, step.label) = (StepKind::Wait, "waits for a connection".to_owned());
                    steps.push((call.number, step));
                }
                Body::Connection { .. } | Body::Sleep | Body::Block => {}
            }
        }
        for wait in self.index.waits_in(request.began, self.to).filter(|wait| wait.doer.request == id) {
            let mut step = self.blank(place, wait.began, StepKind::Wait, format!("waits for {}", self.text(wait.on)));
            step.to_us = wait.ended.filter(|ended| *ended <= self.to);
            step.file = wait.position.map(|position| self.text(position.file).to_owned());
            step.line = wait.position.map(|position| position.line);
            step.table = wait.row.map(|(row, _)| self.text(row.table).to_owned());
            step.key = wait.row.map(|(row, _)| self.text(row.key).to_owned());
            steps.push((wait.number, step));
        }
        steps.sort_by_key(|(number, step)| (step.from_us, *number));
        let mut steps = self.repeated(steps.into_iter().map(|(_, step)| step));
        if let Some(answer) = request.answer.filter(|answer| answer.at <= self.to) {
            let mut step = self.blank(place, answer.at, StepKind::Answer, answer.status.to_string());
            (step.to_us, step.failed) = (Some(answer.at), answer.status >= 500);
            steps.push(step);
        }
        if steps.len() > STEPS_MOST {
            steps.drain(STEPS_MOST / 2..steps.len() - STEPS_MOST / 2);
        }
        steps
    }

    fn statement(&self, mut step: CollisionStep, statement: &StatementRecord) -> Option<CollisionStep> {
        step.label = self.text(statement.text).split_whitespace().collect::<Vec<_>>().join(" ");
        let word = step.label.split([' ', ';']).next().unwrap_or_default().to_ascii_lowercase();
        step.kind = match word.as_str() {
            "begin" | "start" | "set" | "savepoint" | "release" => return None,
            "commit" | "end" => StepKind::Commit,
            "rollback" => StepKind::Rollback,
            _ => StepKind::Read,
        };
        if let (Some(StatementOutcome::Failed { sqlstate, message }), Some(_)) = (statement.outcome, step.to_us) {
            step.failed = true;
            step.from_us = step.to_us.unwrap_or(step.from_us);
            step.label = format!("{sqlstate}: {}", self.text(message));
        }
        if step.failed {
            return Some(step);
        }
        // It has seen nothing that counts before its last wait was over.
        let waited = statement.waits.iter().map(|(granted, _)| *granted).filter(|granted| *granted <= self.to).max();
        let mut touches = self.touches(statement);
        if touches.iter().any(|touch| touch.wrote) {
            step.kind = StepKind::Write;
            touches.retain(|touch| touch.wrote);
        }
        let row =
            touches.iter().find(|touch| self.shared.contains(&touch.row)).or(touches.first()).map(|touch| touch.row);
        // After a wait the statement has seen the row anew.
        if let Some(touch) = touches.iter().rev().find(|touch| Some(touch.row) == row) {
            step.from_us = touch.at.max(waited.unwrap_or(0));
            step.table = Some(self.text(touch.row.table).to_owned());
            step.key = Some(self.text(touch.row.key).to_owned());
            step.cells = self.cells(touch);
        }
        Some(step)
    }

    fn cells(&self, touch: &Touch) -> Vec<Cell> {
        let Some(values) = &touch.values else { return vec![] };
        let columns = self.index.columns(touch.row.table);
        let changed = self.changed.get(&touch.row);
        let mut places = (0..values.len().min(columns.len())).collect::<Vec<_>>();
        places.retain(|place| !self.text(columns[*place]).is_empty());
        places.sort_by_key(|place| !changed.is_some_and(|changed| changed.contains(place)));
        let cell = |place: usize| Cell {
            column: self.text(columns[place]).to_owned(),
            value: Some(&values[place]).filter(|value| **value != Value::Null).map(Value::to_text),
        };
        places.into_iter().take(CELLS_MOST).map(cell).collect()
    }

    fn blank(&self, request: u32, from_us: Micros, kind: StepKind, label: String) -> CollisionStep {
        CollisionStep {
            request,
            from_us,
            to_us: None,
            kind,
            label,
            failed: false,
            table: None,
            key: None,
            cells: vec![],
            file: None,
            line: None,
            times: 1,
        }
    }

    fn text(&self, symbol: Symbol) -> &'a str {
        self.trace.strings.text(symbol)
    }

    /// Puts together what one line does again and again, unless somebody else has a part in it.
    fn repeated(&self, steps: impl Iterator<Item = CollisionStep>) -> Vec<CollisionStep> {
        let shared = |step: &CollisionStep| {
            let is_it = |row: &&RowRef| {
                step.table.as_deref() == Some(self.text(row.table)) && step.key.as_deref() == Some(self.text(row.key))
            };
            self.shared.iter().any(|row| is_it(&row))
        };
        let mut told: Vec<CollisionStep> = vec![];
        for step in steps {
            match told.last_mut() {
                Some(last)
                    if last.line == step.line
                        && last.kind == step.kind
                        && last.label == step.label
                        && !shared(last)
                        && !shared(&step) =>
                {
                    (last.to_us, last.times) = (step.to_us, last.times + 1);
                }
                _ => told.push(step),
            }
        }
        told
    }
}
