//! The first two requests of a run that get into each other's way, step by step: what each read, what it wrote, where it waited.
//! Where nobody else has a part in it, the one request with what it asked of services.

mod clash;
mod teller;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::cases::cases;
use super::index::{RequestRecord, TraceIndex};
use crate::scenario::ScenarioDocument;
use crate::trace::{Micros, Trace};

use clash::first_clash;
use teller::CollisionTeller;

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

/// The first up to a moment.
pub fn collision(index: &TraceIndex, trace: &Trace, document: &ScenarioDocument, to: Micros) -> Option<Collision> {
    let clash = first_clash(index, trace, document, to)?;
    let sentence = cases(index, trace, document, clash.told, clash.told);
    let is_it = |case: &super::Case| case.of == clash.of && (case.since_us == clash.at || case.at_us == clash.at);
    let sentence = sentence.into_iter().find(is_it).map(|case| case.sentence)?;
    let mut requests = clash.requests.iter().filter_map(|id| index.request(*id)).collect::<Vec<_>>();
    requests.sort_by_key(|request| request.number);
    let teller = CollisionTeller::new(index, trace, to, &requests);
    let mut steps =
        requests.iter().zip(0..).flat_map(|(request, place)| teller.steps(request, place)).collect::<Vec<_>>();
    steps.sort_by_key(|step| (step.from_us, step.kind == StepKind::Answer));
    let shown = |request: &&RequestRecord| {
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
