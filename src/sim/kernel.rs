//! What all parts of the simulation stand on: the time, the messages on their way, chance, what is set at the moment, and the trace,
//! which nobody else can write to.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::message::Message;
use super::scheduler::Scheduler;
use crate::python::SourcePosition;
use crate::scenario::{Amount, ScenarioDocument};
use crate::sql::Footprint;
use crate::trace::{
    Event, EventKind, Keep, Micros, Position, RequestId, RowRef, SessionId, Strings, Symbol, Trace, Xid,
};
use crate::workload::{Circumstances, Conditions, RngStreams};

/// Longer texts are cut in the trace: a body of many rows says nothing more by being whole.
const TEXT_CHARS: usize = 300;

pub struct Kernel {
    now: Micros,
    scheduler: Box<dyn Scheduler>,
    /// What the message being handled gave rise to, in order.
    posted: Vec<Message>,
    /// What is to follow at once, the next one last.
    following: Vec<Message>,
    trace: Trace,
    pub rng: RngStreams,
    pub conditions: Conditions,
    requests: u32,
}

impl Kernel {
    pub fn new(scheduler: Box<dyn Scheduler>, keep: Keep, seed: u32, conditions: Conditions) -> Kernel {
        Kernel {
            now: 0,
            scheduler,
            posted: vec![],
            following: vec![],
            trace: Trace::new(keep),
            rng: RngStreams::new(seed),
            conditions,
            requests: 0,
        }
    }

    pub fn now(&self) -> Micros {
        self.now
    }

    /// Time goes on, unless it is later already.
    pub fn wait_until(&mut self, at: Micros) {
        self.now = self.now.max(at);
    }

    /// The message comes then, not before.
    pub fn schedule(&mut self, at: Micros, message: impl Into<Message>) {
        self.scheduler.add(at.max(self.now), message.into());
    }

    /// The message is handled as soon as the one at hand has been, with all that follows from it: it stands for a call of another part,
    /// so whoever has more to do after it posts that too.
    pub fn post(&mut self, message: impl Into<Message>) {
        self.posted.push(message.into());
    }

    pub fn has_posted(&self) -> bool {
        !self.posted.is_empty()
    }

    /// The next of what follows at once.
    pub fn take_posted(&mut self) -> Option<Message> {
        self.following.extend(self.posted.drain(..).rev());
        self.following.pop()
    }

    pub fn next_at(&self) -> Option<Micros> {
        self.scheduler.next_at()
    }

    /// Goes to the next message.
    pub fn take_next(&mut self) -> Option<Message> {
        let (at, message) = self.scheduler.next()?;
        self.wait_until(at);
        Some(message)
    }

    pub fn new_request(&mut self) -> RequestId {
        let request = RequestId(self.requests);
        self.requests += 1;
        request
    }

    /// How many requests there have been.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    pub fn circumstances(&mut self) -> Circumstances<'_> {
        Circumstances { now: self.now, conditions: &self.conditions, rng: &mut self.rng }
    }

    pub fn amount(&self, amount: &Amount) -> f64 {
        self.conditions.amount(amount)
    }

    /// The same in microseconds, for an amount in milliseconds.
    pub fn amount_us(&self, amount: &Amount) -> f64 {
        self.conditions.amount_us(amount)
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Everybody has looked at the trace as it is now.
    pub fn seen(&mut self) {
        self.trace.seen();
    }

    pub fn record(
        &mut self,
        kind: EventKind,
        request: Option<RequestId>,
        session: Option<SessionId>,
        xid: Option<Xid>,
    ) {
        self.trace.record(Event { at: self.now, request, session, xid, kind });
    }

    pub fn symbol(&mut self, text: &str) -> Symbol {
        match text.char_indices().nth(TEXT_CHARS) {
            Some((cut, _)) => self.trace.strings.intern(&format!("{}…", &text[..cut])),
            None => self.trace.strings.intern(text),
        }
    }

    /// For texts that must stay whole: code and statements.
    pub fn whole_symbol(&mut self, text: &str) -> Symbol {
        self.trace.strings.intern(text)
    }

    pub fn position(&mut self, position: &SourcePosition) -> Position {
        Position { file: self.trace.strings.intern(&position.file), line: position.line }
    }

    pub fn row(&mut self, table: &str, key: &str) -> RowRef {
        RowRef { table: self.trace.strings.intern(table), key: self.symbol(key) }
    }

    /// What a statement does by its text.
    pub fn record_described(&mut self, text: Symbol, footprint: &Footprint) {
        let kind = statement_described(&mut self.trace.strings, text, footprint);
        self.record(kind, None, None, None);
    }

    pub fn limit_reached(&mut self, text: &str) {
        let limit = self.symbol(text);
        self.record(EventKind::LimitReached { limit }, None, None, None);
    }

    pub fn record_machines(&mut self, document: &ScenarioDocument) {
        let machine = &document.simulation.machine;
        let cores = self.amount(&machine.database_cores).max(1.0) as u32;
        let kind = EventKind::MachinesSet {
            processes: self.amount(&machine.processes).max(1.0) as u32,
            pool: self.amount(&machine.pool).max(1.0) as u32,
            database_cores: cores * if machine.replica_lag_ms.is_some() { 2 } else { 1 },
        };
        self.record(kind, None, None, None);
    }
}

pub fn statement_described(strings: &mut Strings, text: Symbol, of: &Footprint) -> EventKind {
    let mut symbols = |names: &BTreeSet<Rc<str>>| names.iter().map(|name| strings.intern(name)).collect();
    EventKind::StatementDescribed {
        text,
        reads: symbols(&of.reads),
        writes: symbols(&of.writes),
        sets: symbols(&of.sets),
        built_on: symbols(&of.built_on),
        asks: symbols(&of.asks),
    }
}
