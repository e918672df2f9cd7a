//! Which rows that break an invariant count: those that are still there after every request that was on its way at their first sighting
//! has ended, and the invariant's `settle_ms` is over. Work in progress is no alarm.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::scenario::{Invariant, InvariantRule, ScenarioDocument};
use crate::trace::{EventKind, Micros, RequestId, Symbol};

/// No more rows of one invariant than this are told apart.
const CASES_MAX: usize = 1_000;

pub struct Invariants {
    document: Rc<ScenarioDocument>,
    /// By invariant: rows there now, by their first column.
    standing: Vec<BTreeMap<String, Sighting>>,
    /// Requests from this number on have nothing to do with any row that is there.
    unsettled_before: u32,
}

struct Sighting {
    since: Micros,
    /// Requests below this number may still mend it.
    requests_before: u32,
    /// Since when none of them is on its way.
    settling_since: Option<Micros>,
    /// The whole row, until it is told.
    row: Option<String>,
}

/// Of the clients' requests: the oldest on its way, and the number of the next.
#[derive(Clone, Copy)]
pub struct InFlight {
    pub oldest: Option<RequestId>,
    pub next: u32,
}

pub enum InvariantFinding {
    Broken {
        invariant: usize,
        case: String,
        row: String,
        since: Micros,
    },
    /// A row that was told is gone.
    Mended {
        invariant: usize,
        case: String,
    },
}

impl InvariantFinding {
    pub fn event(self, document: &ScenarioDocument, mut symbol: impl FnMut(&str) -> Symbol) -> EventKind {
        match self {
            InvariantFinding::Broken { invariant, case, row, since } => EventKind::InvariantBroken {
                invariant: symbol(&document.invariants[invariant].id),
                case: symbol(&case),
                row: symbol(&row),
                since,
            },
            InvariantFinding::Mended { invariant, case } => EventKind::InvariantMended {
                invariant: symbol(&document.invariants[invariant].id),
                case: symbol(&case),
            },
        }
    }
}

impl Invariants {
    pub fn new(document: Rc<ScenarioDocument>) -> Invariants {
        let standing = document.invariants.iter().map(|_| BTreeMap::new()).collect();
        Invariants { document, standing, unsettled_before: 0 }
    }

    /// Whether its query is asked at this time.
    pub fn is_due(&self, invariant: usize, now: Micros) -> bool {
        now >= from(&self.document.invariants[invariant])
    }

    /// The rows that an invariant's query gives now: how each is told apart, and what is told of it.
    pub fn compare<R>(
        &mut self,
        invariant: usize,
        rows: impl Iterator<Item = R>,
        case: impl Fn(&R) -> String,
        text: impl Fn(&R) -> String,
        in_flight: InFlight,
        now: Micros,
    ) -> Vec<InvariantFinding> {
        let mut before = std::mem::take(&mut self.standing[invariant]);
        for row in rows.take(CASES_MAX) {
            let case = case(&row);
            let mut sighting = before.remove(&case).unwrap_or_else(|| Sighting {
                since: now,
                requests_before: in_flight.next,
                settling_since: None,
                row: Some(String::new()),
            });
            let may_be_mended = in_flight.oldest.is_some_and(|oldest| oldest.0 < sighting.requests_before);
            if sighting.settling_since.is_none() && !may_be_mended {
                sighting.settling_since = Some(now);
            }
            if sighting.row.is_some() {
                sighting.row = Some(text(&row));
            }
            self.standing[invariant].insert(case, sighting);
        }
        let told = before.into_iter().filter(|(_, sighting)| sighting.row.is_none());
        told.map(|(case, _)| InvariantFinding::Mended { invariant, case }).collect()
    }

    /// After all rows of a moment have been compared.
    pub fn note_unsettled(&mut self) {
        let sightings = self.standing.iter().flat_map(BTreeMap::values);
        let unsettled = sightings.filter(|sighting| sighting.settling_since.is_none());
        self.unsettled_before = unsettled.map(|sighting| sighting.requests_before).max().unwrap_or(0);
    }

    /// A client's request has ended: rows that none but requests up to this one could still mend begin to settle. Whether there are any.
    pub fn request_ended(&mut self, request: RequestId, in_flight: InFlight, now: Micros) -> bool {
        if request.0 >= self.unsettled_before {
            return false;
        }
        for sighting in self.standing.iter_mut().flat_map(BTreeMap::values_mut) {
            let may_be_mended = in_flight.oldest.is_some_and(|oldest| oldest.0 < sighting.requests_before);
            if sighting.settling_since.is_none() && !may_be_mended {
                sighting.settling_since = Some(now);
            }
        }
        self.note_unsettled();
        true
    }

    /// The rows that have stood long enough, and when the next one will have. Those of an invariant that is to be asked again wait for
    /// that.
    pub fn settled(
        &mut self,
        now: Micros,
        to_be_asked: impl Fn(usize) -> bool,
    ) -> (Vec<InvariantFinding>, Option<Micros>) {
        let (mut findings, mut next) = (vec![], None);
        for (invariant, standing) in self.standing.iter_mut().enumerate() {
            let settle = (self.document.invariants[invariant].settle_ms * 1e3) as Micros;
            for (case, sighting) in standing.iter_mut().filter(|(_, sighting)| sighting.row.is_some()) {
                let Some(since) = sighting.settling_since else { continue };
                if now < since + settle {
                    next = Some(next.map_or(since + settle, |next: Micros| next.min(since + settle)));
                } else if !to_be_asked(invariant) {
                    let row = sighting.row.take().unwrap_or_default();
                    findings.push(InvariantFinding::Broken {
                        invariant,
                        case: case.clone(),
                        row,
                        since: sighting.since,
                    });
                }
            }
        }
        (findings, next)
    }

    /// There is a row of which nobody knows yet whether it counts.
    pub fn has_unsettled(&self) -> bool {
        self.standing.iter().flat_map(BTreeMap::values).any(|sighting| sighting.row.is_some())
    }

    /// The invariants about requests themselves that one breaks which has ended after so long.
    pub fn judge(
        &self,
        request: RequestId,
        entry: Option<&str>,
        status: u16,
        took: Micros,
        now: Micros,
    ) -> Vec<InvariantFinding> {
        let meant = |only: &Option<String>| only.is_none() || only.as_deref() == entry;
        let mut findings = vec![];
        for (place, invariant) in self.document.invariants.iter().enumerate() {
            if now < from(invariant) + took {
                continue;
            }
            let (broken, since, row) = match &invariant.rule {
                InvariantRule::Sql { .. } => continue,
                InvariantRule::SlowerThan { ms, entry } => {
                    let most = (ms * 1e3) as Micros;
                    let row = format!(r#"{{"request":{request},"ms":{}}}"#, took / 1_000);
                    (meant(entry) && took as f64 > ms * 1e3, (now + most).saturating_sub(took).min(now), row)
                }
                InvariantRule::Failed { entry } => {
                    let row = format!(r#"{{"request":{request},"status":{status}}}"#);
                    (meant(entry) && status >= 500, now, row)
                }
            };
            if broken {
                findings.push(InvariantFinding::Broken { invariant: place, case: request.to_string(), row, since });
            }
        }
        findings
    }
}

fn from(invariant: &Invariant) -> Micros {
    (invariant.from_s * 1e6) as Micros
}
