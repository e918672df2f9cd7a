//! The one index of a run. It takes each event once, as it comes, and resolves it: whose call it is, who holds the session, which
//! transaction ends, which row a case is about. All views are folds over its records, so they cannot disagree about who holds what or
//! who waits. Every record is an interval: a moment of the past is a filter.
//!
//! It forgets as the trace does, and keeps nothing but what is going on for whoever asks for totals only.

mod history;
mod records;
mod rows;
mod take;
mod wrongs;

pub use history::{History, Interval};
pub use records::*;
use std::collections::{BTreeMap, VecDeque};

use super::failures::Failures;
use super::lost_updates::{LostUpdate, LostUpdates};
use crate::trace::{CallId, ClientId, Micros, Position, RequestId, RowRef, SessionId, Symbol, Trace, Xid};

/// More of what has no end of its own (lost updates, deadlocks, cases of requests) than this is not kept one by one.
const KEPT: usize = 100_000;

pub struct TraceIndex {
    /// What is over is kept, too.
    keeps: bool,

    requests: BTreeMap<RequestId, RequestRecord>,
    calls: BTreeMap<CallId, CallRecord>,
    /// Sleeps by the moment at which they end, and the number of their event.
    sleeps: BTreeMap<(Micros, u32), CallRecord>,
    waits: BTreeMap<CallId, WaitRecord>,
    /// Who has which connection.
    sessions: BTreeMap<SessionId, Doer>,
    transactions: BTreeMap<Xid, Hands>,
    /// How many requests each client has sent.
    turns: BTreeMap<ClientId, u32>,
    /// By invariant, the tables that its query reads, and the one whose rows its cases are.
    reads: BTreeMap<Symbol, Box<[Symbol]>>,
    about: BTreeMap<Symbol, Symbol>,
    /// Of each table, in the order of its rows' values.
    columns: BTreeMap<Symbol, Box<[Symbol]>>,
    /// Of those tables' rows, who wrote them last: the latest few, oldest first.
    writers: BTreeMap<RowRef, Vec<(RequestId, Option<Position>)>>,
    /// Cases that stand, by invariant and name: the number of the event that told of them.
    standing: BTreeMap<(usize, Symbol), u32>,
    lost_updates: LostUpdates,
    failures: Failures,

    past: Ended,
    lost: VecDeque<(u32, LostUpdate)>,
    deadlocks: VecDeque<Deadlock>,
    cases: VecDeque<CaseRecord>,
    lines: VecDeque<Line>,
}

#[derive(Default)]
struct Ended {
    requests: History<RequestRecord>,
    calls: History<CallRecord>,
    waits: History<WaitRecord>,
    transactions: History<TransactionRecord>,
    versions: History<VersionRecord>,
    locks: History<LockRecord>,
}

/// What a running transaction has done, in order: a savepoint takes the last of it back.
struct Hands {
    transaction: TransactionRecord,
    effects: Vec<RowEffect>,
    /// The lock that counts on each row: its place among the effects.
    held: BTreeMap<RowRef, usize>,
}

enum RowEffect {
    Written(VersionRecord),
    /// With the place of the lock that it made stronger.
    Locked(LockRecord, Option<usize>),
}

/// What an event was found to be.
#[derive(Default)]
pub struct Taken {
    /// The request that it ends.
    pub finished: Option<RequestRecord>,
    /// Lost updates that it makes final.
    pub lost_updates: u32,
    /// Who wrote the row last that it says breaks an invariant.
    pub writer: Option<RequestId>,
}

impl TraceIndex {
    pub fn new() -> TraceIndex {
        TraceIndex {
            keeps: true,
            requests: BTreeMap::new(),
            calls: BTreeMap::new(),
            sleeps: BTreeMap::new(),
            waits: BTreeMap::new(),
            sessions: BTreeMap::new(),
            transactions: BTreeMap::new(),
            turns: BTreeMap::new(),
            reads: BTreeMap::new(),
            about: BTreeMap::new(),
            columns: BTreeMap::new(),
            writers: BTreeMap::new(),
            standing: BTreeMap::new(),
            lost_updates: LostUpdates::default(),
            failures: Failures::default(),
            past: Ended::default(),
            lost: VecDeque::new(),
            deadlocks: VecDeque::new(),
            cases: VecDeque::new(),
            lines: VecDeque::new(),
        }
    }

    /// For whoever asks for totals only.
    pub fn of_totals() -> TraceIndex {
        TraceIndex { keeps: false, ..TraceIndex::new() }
    }

    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// Lets go of what ended before the oldest event that the trace still has.
    pub fn forget(&mut self, trace: &Trace) {
        let Some(before) = trace.events().next().map(|oldest| oldest.at).filter(|_| trace.forgotten() > 0) else {
            return;
        };
        self.past.requests.forget(before);
        self.past.calls.forget(before);
        self.past.waits.forget(before);
        self.past.transactions.forget(before);
        self.past.versions.forget(before);
        self.past.locks.forget(before);
        self.lines.drain(..self.lines.partition_point(|line| line.at < before));
    }

    /// Those on their way at a moment, workers included.
    pub fn requests_at(&self, at: Micros) -> impl Iterator<Item = &RequestRecord> {
        self.requests_in(at, at).filter(move |request| request.is_at(at))
    }

    /// By their end, then those that have none.
    pub fn requests_in(&self, from: Micros, to: Micros) -> impl Iterator<Item = &RequestRecord> {
        let all = self.past.requests.ended_from(from).chain(self.requests.values());
        all.filter(move |request| request.began <= to)
    }

    pub fn request(&self, id: RequestId) -> Option<&RequestRecord> {
        self.requests.get(&id).or_else(|| self.past.requests.all().find(|request| request.doer.request == id))
    }

    pub fn calls_in(&self, from: Micros, to: Micros) -> impl Iterator<Item = &CallRecord> {
        let open = self.calls.values().chain(self.sleeps.values());
        self.past.calls.ended_from(from).chain(open).filter(move |call| call.began <= to)
    }

    pub fn waits_in(&self, from: Micros, to: Micros) -> impl Iterator<Item = &WaitRecord> {
        self.past.waits.ended_from(from).chain(self.waits.values()).filter(move |wait| wait.began <= to)
    }

    pub fn waits_at(&self, at: Micros) -> impl Iterator<Item = &WaitRecord> {
        self.waits_in(at, at).filter(move |wait| wait.is_at(at))
    }

    pub fn locks_in(&self, from: Micros, to: Micros) -> impl Iterator<Item = &LockRecord> {
        let open = self.transactions.values().flat_map(Hands::locks);
        self.past.locks.ended_from(from).chain(open).filter(move |lock| lock.began <= to)
    }

    pub fn locks_at(&self, at: Micros) -> impl Iterator<Item = &LockRecord> {
        self.locks_in(at, at).filter(move |lock| lock.is_at(at))
    }

    pub fn transactions_at(&self, at: Micros) -> impl Iterator<Item = &TransactionRecord> {
        let open = self.transactions.values().map(|hands| &hands.transaction);
        self.past.transactions.ended_from(at).chain(open).filter(move |transaction| transaction.is_at(at))
    }

    /// All that was ever written, even if it was taken back.
    pub fn versions_ever(&self) -> impl Iterator<Item = &VersionRecord> {
        self.past.versions.all().chain(self.transactions.values().flat_map(Hands::versions))
    }

    /// All that had been written by then and was not gone.
    pub fn versions_at(&self, at: Micros) -> impl Iterator<Item = &VersionRecord> {
        let gone_by_then = move |version: &VersionRecord| matches!(version.fate, Fate::Gone(gone) if gone <= at);
        self.versions_ever().filter(move |version| version.at <= at && !gone_by_then(version))
    }

    /// The columns of a table; none of one that nobody told of.
    pub fn columns(&self, table: Symbol) -> &[Symbol] {
        self.columns.get(&table).map_or(&[], |columns| columns)
    }

    pub fn tables_read(&self, invariant: Symbol) -> &[Symbol] {
        self.reads.get(&invariant).map_or(&[], |tables| tables)
    }

    /// The row that a case of this invariant is, where it is one.
    pub fn row_of(&self, invariant: Symbol, case: Symbol) -> Option<RowRef> {
        self.about.get(&invariant).map(|table| RowRef { table: *table, key: case })
    }

    pub fn cases(&self) -> impl DoubleEndedIterator<Item = &CaseRecord> {
        self.cases.iter()
    }

    pub fn lost_updates(&self) -> impl DoubleEndedIterator<Item = &LostUpdate> {
        self.lost.iter().map(|(_, lost)| lost)
    }

    pub fn deadlocks(&self) -> impl DoubleEndedIterator<Item = &Deadlock> {
        self.deadlocks.iter()
    }

    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.lines.iter()
    }

    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// What `take` said of an event that is still kept.
    pub fn taken(&self, number: u32, at: Micros, finished: Option<RequestId>) -> Taken {
        let first = self.lost.partition_point(|(of, _)| *of < number);
        let lost_updates = self.lost.range(first..).take_while(|(of, _)| *of == number).count() as u32;
        let over = finished.and_then(|id| {
            let mut ended = self.past.requests.ended_from(at).take_while(|request| request.ended() == Some(at));
            ended.find(|request| request.doer.request == id).cloned()
        });
        let case = self.cases.get(self.cases.partition_point(|case| case.number < number));
        let case = case.filter(|case| case.number == number);
        let writer = case.and_then(|case| case.writers.last()).map(|(request, _)| *request);
        Taken { finished: over, lost_updates, writer }
    }
}

impl RowEffect {
    /// Of a lock, the place of the weaker one it took the place of.
    fn stronger_than(&self) -> Option<usize> {
        match self {
            RowEffect::Locked(_, before) => *before,
            RowEffect::Written(_) => None,
        }
    }
}

impl Hands {
    fn locks(&self) -> impl Iterator<Item = &LockRecord> {
        self.held.values().filter_map(|place| match &self.effects[*place] {
            RowEffect::Locked(lock, _) => Some(lock),
            RowEffect::Written(_) => None,
        })
    }

    fn versions(&self) -> impl Iterator<Item = &VersionRecord> {
        self.effects.iter().filter_map(|effect| match effect {
            RowEffect::Written(version) => Some(version),
            RowEffect::Locked(..) => None,
        })
    }
}
