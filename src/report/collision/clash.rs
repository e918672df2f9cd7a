//! What went wrong first, and which requests had a part in it.

use super::super::index::{self, Fate, TraceIndex, VersionRecord};
use super::super::locks::Blockers;
use crate::scenario::ScenarioDocument;
use crate::trace::{Micros, RequestId, Symbol, Trace, Value};

/// What went wrong first, and who had a part in it.
pub struct Clash {
    pub of: String,
    pub at: Micros,
    /// When its case was told.
    pub told: Micros,
    pub requests: Vec<RequestId>,
}

pub fn first_clash(index: &TraceIndex, trace: &Trace, document: &ScenarioDocument, to: Micros) -> Option<Clash> {
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
fn with_blocker(index: &TraceIndex, id: RequestId) -> Vec<RequestId> {
    let Some(request) = index.request(id) else { return vec![] };
    let ended = request.answer.map_or(request.began, |answer| answer.at);
    let wait =
        index.waits_in(request.began, ended).filter(|wait| wait.doer.request == id).min_by_key(|wait| wait.number);
    let blocker = wait.and_then(|wait| Blockers::new(index, wait.began, wait.began).of(wait, wait.began).all().next());
    blocker.map(|blocker| blocker.request).into_iter().chain([id]).collect()
}

/// The last two requests that wrote what the broken row is made of: the row itself, or else those rows that have most of its values in
/// columns of the same names. Where there are none, the last that wrote a table the rule reads, and the one whose row is most like it.
fn writers(index: &TraceIndex, trace: &Trace, case: &index::CaseRecord) -> Vec<RequestId> {
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
    version: &'a VersionRecord,
    /// How many of the case's values it has in columns of the same names.
    alike: usize,
}

impl<'a> Writes<'a> {
    fn before(index: &'a TraceIndex, trace: &Trace, case: &index::CaseRecord) -> Writes<'a> {
        let read = index.tables_read(case.id);
        let row = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(trace.strings.text(case.row));
        let row = row.unwrap_or_default();
        let alike = |version: &VersionRecord| {
            let columns = index.columns(version.row.table).iter().zip(version.values.iter().flat_map(|it| it.iter()));
            let same = |(column, value): &(&Symbol, &Value)| {
                // Every table has an id of its own.
                let name = trace.strings.text(**column);
                let of_case = row.get(name).filter(|_| name != "id");
                let text = of_case.map(|of_case| of_case.as_str().map_or_else(|| of_case.to_string(), str::to_owned));
                text == Some(value.to_text())
            };
            columns.filter(same).count()
        };
        let write = |version: &'a VersionRecord| match version.fate {
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
fn likeness(one: &VersionRecord, other: &VersionRecord) -> usize {
    if one.row.table != other.row.table || one.row.key == other.row.key {
        return 0;
    }
    let (Some(one), Some(other)) = (&one.values, &other.values) else { return 0 };
    let same = |(one, other): &(&Value, &Value)| one == other && !matches!(one, Value::Bool(_) | Value::Null);
    one.iter().zip(other.iter()).filter(same).count()
}
