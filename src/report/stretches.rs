//! The run cut where code was deployed, each stretch judged by what its own code did.
//!
//! Requests belong to the stretch they were started in, whoever answers meanwhile. A row that breaks a rule belongs to the stretch in
//! which it was first seen, or to the earlier one whose request wrote it last: not to the one that runs when it is told. What a variant
//! leaves behind goes on breaking rules after it is gone, so for a while the stretch before answers for it.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::scenario::{InvariantRule, ScenarioDocument};
use crate::trace::{Micros, RequestId, Symbol, Trace};

/// Requests of the old variant are still ending this long after a deploy; what they break is not the new one's.
const DRAIN_US: Micros = 1_000_000;

/// Rows that naive code spoiled, and answers its clients still wait for, break a rule this long after it is gone.
const INHERITED_DAMAGE_US: Micros = 6_000_000;

/// From one deploy to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Stretch {
    #[ts(type = "number")]
    pub from_us: Micros,
    /// Until then what goes wrong may be the work of the stretch before.
    #[ts(type = "number")]
    pub settles_us: Micros,
    pub variant: String,
    /// Its file or the schema is not as the scenario has it.
    pub edited: bool,
    /// Requests that were started in it and have an answer by now, failed ones included.
    pub answered: u32,
    /// Of these, status 500 and above.
    pub failed: u32,
    /// Of these, status 200 to 399.
    pub useful: u32,
    /// Rows that broke each invariant, in the order of `ScenarioDocument::invariants`.
    pub broken: Vec<u32>,
    /// What it adds to each metric, in the order of `ScenarioDocument::metrics`: a count's share of the total, a quantile of its own
    /// requests; of a gauge that should be zero how much it rose, of another one its latest value.
    pub metrics: Vec<f64>,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was answered yet.
    Open,
    Broken,
    /// Requests were answered, none of them with 2xx or 3xx.
    NothingUseful,
    /// No rule reads what this code writes, so nothing can be said of it.
    NotMeasured,
    Holds,
}

impl Verdict {
    /// Of a run of several stretches. One in which nothing was answered says nothing of the others.
    pub fn of_all(stretches: &[Stretch]) -> Verdict {
        const WORST_FIRST: [Verdict; 4] =
            [Verdict::Broken, Verdict::NothingUseful, Verdict::NotMeasured, Verdict::Holds];
        let is_there = |verdict: &Verdict| stretches.iter().any(|stretch| stretch.verdict == *verdict);
        WORST_FIRST.into_iter().find(is_there).unwrap_or(Verdict::Open)
    }
}

/// What is known of all stretches so far.
#[derive(Clone)]
pub struct Stretches {
    document: Rc<ScenarioDocument>,
    /// Oldest first; those that are over are shared with the copies made of this.
    all: Vec<Rc<Known>>,
    /// Tables that the rules read; `None`: nobody has told.
    read: Option<BTreeSet<Symbol>>,
    /// A rule reads nothing but the books of services: whatever the code writes, it is judged by what others got of it.
    witnessed: bool,
}

#[derive(Clone)]
struct Known {
    from: Micros,
    /// Until then what goes wrong may be the work of the stretch before.
    inherits_until: Micros,
    /// The first request that was started in it; those after it are numbered in order.
    first: Option<RequestId>,
    variant: Symbol,
    naive: bool,
    edited: bool,
    answered: u32,
    failed: u32,
    useful: u32,
    /// Statements and calls of services.
    calls: u32,
    written: BTreeSet<Symbol>,
    broken: Vec<BTreeSet<Symbol>>,
}

impl Known {
    fn is_broken(&self) -> bool {
        self.broken.iter().any(|cases| !cases.is_empty())
    }

    /// Its code is the scenario's own hardened one and has broken nothing: it leaves nothing behind.
    fn leaves_nothing(&self) -> bool {
        !self.naive && !self.edited && !self.is_broken()
    }
}

impl Stretches {
    pub fn new(document: Rc<ScenarioDocument>) -> Stretches {
        Stretches { document, all: vec![], read: None, witnessed: false }
    }

    pub fn deployed(&mut self, trace: &Trace, at: Micros, variant: Symbol, edited: bool) {
        let naive = self.document.variants.first().is_some_and(|first| first.id == trace.strings.text(variant));
        let broken = self.document.invariants.iter().map(|_| BTreeSet::new()).collect();
        let settle_ms = self.document.invariants.iter().map(|invariant| invariant.settle_ms).fold(0.0, f64::max);
        let window = (if naive { DRAIN_US } else { INHERITED_DAMAGE_US }) + (settle_ms * 1e3) as Micros;
        let from = if self.all.is_empty() { 0 } else { at };
        self.all.push(Rc::new(Known {
            from,
            inherits_until: if self.all.is_empty() { 0 } else { from + window },
            first: None,
            variant,
            naive,
            edited,
            answered: 0,
            failed: 0,
            useful: 0,
            calls: 0,
            written: BTreeSet::new(),
            broken,
        }));
    }

    pub fn reads(&mut self, trace: &Trace, tables: &[Symbol]) {
        let services = &self.document.simulation.services;
        let is_book = |table: &Symbol| services.iter().any(|service| service.keeps(trace.strings.text(*table)));
        self.witnessed |= !tables.is_empty() && tables.iter().all(is_book);
        self.read.get_or_insert_default().extend(tables);
    }

    pub fn started(&mut self, request: RequestId) {
        if let Some(last) = self.all.last_mut().filter(|last| last.first.is_none()) {
            Rc::make_mut(last).first = Some(request);
        }
    }

    /// The stretch whose code the request runs.
    fn of(&self, request: RequestId) -> u32 {
        self.all.iter().rposition(|known| known.first.is_some_and(|first| first <= request)).unwrap_or(0) as u32
    }

    pub fn answered(&mut self, request: RequestId, status: u16) {
        let Some(known) = self.known(self.of(request)) else { return };
        known.answered += 1;
        known.failed += u32::from(status >= 500);
        known.useful += u32::from((200..400).contains(&status));
    }

    pub fn called(&mut self, request: RequestId) {
        if let Some(known) = self.known(self.of(request)) {
            known.calls += 1;
        }
    }

    pub fn wrote(&mut self, request: RequestId, table: Symbol) {
        let stretch = self.of(request);
        let there = self.all.get(stretch as usize).is_none_or(|known| known.written.contains(&table));
        if !there && let Some(known) = self.known(stretch) {
            known.written.insert(table);
        }
    }

    /// `since`: when it was first seen; `writer`: the request that wrote the row last, or that is the case itself. Returns the stretch
    /// that answers for it.
    pub fn broke(&mut self, invariant: usize, case: Symbol, since: Micros, writer: Option<RequestId>) -> u32 {
        let writer = writer.map(|request| self.of(request));
        let seen_in = self.all.iter().rposition(|known| known.from <= since).unwrap_or(0) as u32;
        let mut stretch = writer.map_or(seen_in, |writer| writer.min(seen_in));
        while self.is_left_behind(stretch, since) {
            // Naive code needs nobody's help to spoil a row that it wrote itself.
            if writer == Some(stretch) && self.all[stretch as usize].naive {
                break;
            }
            stretch -= 1;
        }
        if let Some(known) = self.known(stretch) {
            known.broken[invariant].insert(case);
        }
        stretch
    }

    /// Whether what goes wrong at this moment of the stretch may still be the work of the one before it.
    pub fn is_left_behind(&self, stretch: u32, at: Micros) -> bool {
        let stretch = stretch as usize;
        let (Some(before), Some(known)) =
            (stretch.checked_sub(1).map(|before| &self.all[before]), self.all.get(stretch))
        else {
            return false;
        };
        at < known.inherits_until && !before.leaves_nothing()
    }

    /// The stretch that answers for what goes wrong now.
    pub fn blamed(&self, at: Micros) -> usize {
        let mut stretch = self.all.len().saturating_sub(1) as u32;
        while self.is_left_behind(stretch, at) {
            stretch -= 1;
        }
        stretch as usize
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    pub fn now(&self, trace: &Trace, metrics: impl Fn(usize) -> Vec<f64>) -> Vec<Stretch> {
        let counted = self.document.damage_metric();
        let stretch = |(place, known): (usize, &Rc<Known>)| {
            let metrics = metrics(place);
            let damaged = counted.is_some_and(|metric| metrics[metric] > 0.0);
            Stretch {
                from_us: known.from,
                settles_us: known.inherits_until,
                variant: trace.strings.text(known.variant).to_owned(),
                edited: known.edited,
                answered: known.answered,
                failed: known.failed,
                useful: known.useful,
                broken: known.broken.iter().map(|cases| cases.len() as u32).collect(),
                metrics,
                verdict: if damaged { Verdict::Broken } else { self.verdict(known) },
            }
        };
        self.all.iter().enumerate().map(stretch).collect()
    }

    fn verdict(&self, known: &Known) -> Verdict {
        match known {
            _ if known.is_broken() => Verdict::Broken,
            Known { answered: 0, .. } => Verdict::Open,
            Known { useful: 0, .. } => Verdict::NothingUseful,
            _ if !self.is_measured(known) => Verdict::NotMeasured,
            _ => Verdict::Holds,
        }
    }

    /// Rules about rows say nothing of code that writes where none of them looks, nor of code that does nothing at all.
    fn is_measured(&self, known: &Known) -> bool {
        let rows = self.document.invariants.iter().any(|of| matches!(of.rule, InvariantRule::Sql { .. }));
        let Some(read) = self.read.as_ref().filter(|_| rows) else { return true };
        known.calls > 0
            && (self.witnessed || known.written.is_empty() || known.written.iter().any(|table| read.contains(table)))
    }

    fn known(&mut self, stretch: u32) -> Option<&mut Known> {
        self.all.get_mut(stretch as usize).map(Rc::make_mut)
    }
}
