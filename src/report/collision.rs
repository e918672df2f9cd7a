//! The first two requests of a run that get into each other's way, step by step: what each read, what it wrote, where it waited.
//! Where nobody else has a part in it, the one request with what it asked of services.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::cases::cases;
use super::index::{self, Body, Call, Fate, Index, Request, Statement, Version};
use super::locks::Blockers;
use crate::scenario::ScenarioDocument;
use crate::trace::{EventKind, Micros, RequestId, RowRef, Symbol, Trace, Value};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Collision {
    /// The metric or invariant it belongs to, and the case in words.
    pub of: String,
    pub sentence: String,
    /// When it was there: the rule was broken, the change was lost, the ring of waits was closed.
    #[ts(type = "number")]
    pub at_us: Micros,
    /// One or two, in the order in which they began.
    pub requests: Vec<CollisionRequest>,
    /// What they did, in order of time.
    pub steps: Vec<CollisionStep>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CollisionRequest {
    pub request: u32,
    /// Who sent it: `client 12`.
    pub label: String,
    pub arguments: String,
    #[ts(type = "number")]
    pub from_us: Micros,
    #[ts(type = "number | null")]
    pub to_us: Option<Micros>,
    pub status: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CollisionStep {
    /// Index into `requests`.
    pub request: u32,
    #[ts(type = "number")]
    pub from_us: Micros,
    /// `None`: it has not ended.
    #[ts(type = "number | null")]
    pub to_us: Option<Micros>,
    pub kind: StepKind,
    /// The statement, the service's method, the status.
    pub label: String,
    /// It ended in an error, which `label` says.
    pub failed: bool,
    /// The row it is about, where it is about one.
    pub table: Option<String>,
    pub key: Option<String>,
    /// What was read or written of that row, as far as it is known: the columns that one of the requests changes come first.
    pub cells: Vec<Cell>,
    pub file: Option<String>,
    pub line: Option<u32>,
    /// How often the line did the same in a row.
    pub times: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    Read,
    Write,
    Wait,
    Commit,
    Rollback,
    /// Of a service.
    Call,
    Answer,
}

/// NULL as `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Cell {
    pub column: String,
    pub value: Option<String>,
}

/// More steps of one request than this are no story: the first and the last ones are told.
const STEPS_MOST: usize = 16;

const CELLS_MOST: usize = 3;

/// What went wrong first, and who had a part in it.
struct Clash {
    of: String,
    at: Micros,
    /// When its case was told.
    told: Micros,
    requests: Vec<RequestId>,
}

/// The first up to a moment.
pub fn collision(index: &Index, trace: &Trace, document: &ScenarioDocument, to: Micros) -> Option<Collision> {
    let clash = first_clash(index, trace, document, to)?;
    let sentence = cases(index, trace, document, clash.told, clash.told);
    let is_it = |case: &super::Case| case.of == clash.of && (case.since_us == clash.at || case.at_us == clash.at);
    let sentence = sentence.into_iter().find(is_it).map(|case| case.sentence)?;
    let mut requests = clash.requests.iter().filter_map(|id| index.request(*id)).collect::<Vec<_>>();
    requests.sort_by_key(|request| request.number);
    let teller = Teller::new(index, trace, to, &requests);
    let mut steps =
        requests.iter().zip(0..).flat_map(|(request, place)| teller.steps(request, place)).collect::<Vec<_>>();
    steps.sort_by_key(|step| (step.from_us, step.kind == StepKind::Answer));
    let shown = |request: &&Request| {
        let answer = request.answer.filter(|answer| answer.at <= to);
        CollisionRequest {
            request: request.doer.request.0,
            label: request.doer.label(),
            arguments: trace.strings.text(request.arguments).to_owned(),
            from_us: request.began,
            to_us: answer.map(|answer| answer.at),
            status: answer.map(|answer| answer.status),
        }
    };
    let requests = requests.iter().map(shown).collect();
    Some(Collision { of: clash.of, sentence, at_us: clash.at, requests, steps })
}

fn first_clash(index: &Index, trace: &Trace, document: &ScenarioDocument, to: Micros) -> Option<Clash> {
    let lost = index.lost_updates().find(|lost| lost.committed <= to).map(|lost| Clash {
        of: "lost-updates".to_owned(),
        at: lost.committed,
        told: lost.committed,
        requests: lost.lost_by.into_iter().chain([lost.request]).collect(),
    });
    let deadlock = index.deadlocks().find(|deadlock| deadlock.at <= to).map(|deadlock| Clash {
        of: "deadlocks".to_owned(),
        at: deadlock.closed,
        told: deadlock.at,
        requests: deadlock.cycle.iter().map(|(request, _)| *request).take(2).collect(),
    });
    let broken = index.cases().filter(|case| case.told <= to).min_by_key(|case| (case.since, case.number));
    let broken = broken.map(|case| Clash {
        of: document.invariants[case.invariant].id.clone(),
        at: case.since,
        told: case.told,
        requests: match case.request {
            Some(request) => with_blocker(index, request),
            None => writers(index, trace, case),
        },
    });
    let clashes = [lost, deadlock, broken].into_iter().flatten().filter(|clash| !clash.requests.is_empty());
    clashes.min_by_key(|clash| clash.at)
}

/// A request, and the one it waited for, if it waited.
fn with_blocker(index: &Index, id: RequestId) -> Vec<RequestId> {
    let Some(request) = index.request(id) else { return vec![] };
    let ended = request.answer.map_or(request.began, |answer| answer.at);
    let wait =
        index.waits_in(request.began, ended).filter(|wait| wait.doer.request == id).min_by_key(|wait| wait.number);
    let blocker = wait.and_then(|wait| Blockers::new(index, wait.began, wait.began).of(wait, wait.began).all().next());
    blocker.map(|blocker| blocker.request).into_iter().chain([id]).collect()
}

/// The last two requests that wrote what the broken row is made of: the row itself, or else those rows that have most of its values in
/// columns of the same names. Where there are none, the last that wrote a table the rule reads, and the one whose row is most like it.
fn writers(index: &Index, trace: &Trace, case: &index::Case) -> Vec<RequestId> {
    let writes = Writes::before(index, trace, case);
    let about = index.row_of(case.id, case.case);
    let of_row = writes.all.iter().filter(|write| Some(write.version.row) == about).collect::<Vec<_>>();
    if !of_row.is_empty() {
        return last_two(of_row.into_iter());
    }
    let most = writes.all.iter().map(|write| write.alike).max().unwrap_or(0);
    if most > 0 {
        return last_two(writes.all.iter().filter(|write| write.alike == most));
    }
    let Some(last) = writes.all.last() else { return vec![] };
    let others = writes.all.iter().filter(|other| other.request != last.request);
    let likest =
        others.map(|other| (likeness(last.version, other.version), other.request)).max_by_key(|(like, _)| *like);
    let other = likest.filter(|(like, _)| *like > 0).map(|(_, request)| request);
    other.into_iter().chain([last.request]).collect()
}

/// What requests had committed when the case was first seen, into tables that its rule reads, oldest first.
struct Writes<'a> {
    all: Vec<Write<'a>>,
}

struct Write<'a> {
    at: Micros,
    request: RequestId,
    version: &'a Version,
    /// How many of the case's values it has in columns of the same names.
    alike: usize,
}

impl<'a> Writes<'a> {
    fn before(index: &'a Index, trace: &Trace, case: &index::Case) -> Writes<'a> {
        let read = index.tables_read(case.id);
        let row = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(trace.strings.text(case.row));
        let row = row.unwrap_or_default();
        let alike = |version: &Version| {
            let columns = index.columns(version.row.table).iter().zip(version.values.iter().flat_map(|it| it.iter()));
            let same = |(column, value): &(&Symbol, &Value)| {
                // Every table has an id of its own.
                let name = trace.strings.text(**column);
                let of_case = row.get(name).filter(|_| name != "id");
                of_case.is_some_and(|of_case| match of_case {
                    serde_json::Value::String(text) => *text == value.to_text(),
                    other => *other == value.to_text(),
                })
            };
            columns.filter(same).count()
        };
        let write = |version: &'a Version| match version.fate {
            Fate::Committed(at) if at <= case.since && read.contains(&version.row.table) => {
                Some(Write { at, request: version.request?, version, alike: alike(version) })
            }
            _ => None,
        };
        let mut all = index.versions_at(case.since).filter_map(write).collect::<Vec<_>>();
        all.sort_by_key(|write| (write.at, write.version.number));
        Writes { all }
    }
}

fn last_two<'a>(writes: impl DoubleEndedIterator<Item = &'a Write<'a>>) -> Vec<RequestId> {
    let mut last = vec![];
    for write in writes.rev() {
        if !last.contains(&write.request) && last.len() < 2 {
            last.push(write.request);
        }
    }
    last
}

/// How many values two rows of a table share. What is true or false says little of a row.
fn likeness(one: &Version, other: &Version) -> usize {
    if one.row.table != other.row.table || one.row.key == other.row.key {
        return 0;
    }
    let (Some(one), Some(other)) = (&one.values, &other.values) else { return 0 };
    let same = |(one, other): &(&Value, &Value)| one == other && !matches!(one, Value::Bool(_) | Value::Null);
    one.iter().zip(other.iter()).filter(same).count()
}

struct Teller<'a> {
    index: &'a Index,
    trace: &'a Trace,
    to: Micros,
    /// Versions of the rows that the requests touched, oldest first.
    versions: BTreeMap<RowRef, Vec<&'a Version>>,
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
    values: Option<std::rc::Rc<[Value]>>,
}

impl<'a> Teller<'a> {
    fn new(index: &'a Index, trace: &'a Trace, to: Micros, requests: &[&'a Request]) -> Teller<'a> {
        let mut teller =
            Teller { index, trace, to, versions: BTreeMap::new(), shared: BTreeSet::new(), changed: BTreeMap::new() };
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

    fn statements(&self, request: &Request) -> impl Iterator<Item = (&'a Call, &'a Statement)> {
        let id = request.doer.request;
        self.index.calls_in(request.began, self.to).filter(move |call| call.doer.request == id).filter_map(|call| {
            match &call.body {
                Body::Statement(statement) => Some((call, &**statement)),
                _ => None,
            }
        })
    }

    fn touches(&self, statement: &Statement) -> Vec<Touch> {
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
    fn first_seen(&self, row: RowRef) -> Option<std::rc::Rc<[Value]>> {
        self.trace.events().find_map(|event| match &event.kind {
            EventKind::VersionsRead { rows, .. } => {
                rows.iter().find(|seen| seen.row == row && seen.values.is_some())?.values.clone()
            }
            _ => None,
        })
    }

    fn steps(&self, request: &Request, place: u32) -> Vec<CollisionStep> {
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
                    step.failed = answer.is_some_and(|(outcome, _)| outcome != crate::trace::ServiceOutcome::Ok);
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

    fn statement(&self, mut step: CollisionStep, statement: &Statement) -> Option<CollisionStep> {
        step.label = self.text(statement.text).split_whitespace().collect::<Vec<_>>().join(" ");
        let word = step.label.split([' ', ';']).next().unwrap_or_default().to_ascii_lowercase();
        step.kind = match word.as_str() {
            "begin" | "start" | "set" | "savepoint" | "release" => return None,
            "commit" | "end" => StepKind::Commit,
            "rollback" => StepKind::Rollback,
            _ => StepKind::Read,
        };
        if let (Some(crate::trace::StatementOutcome::Failed { sqlstate, message }), Some(_)) =
            (statement.outcome, step.to_us)
        {
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
