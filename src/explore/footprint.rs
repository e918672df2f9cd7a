//! What each step of an execution touched, as far as others could notice: two steps that have nothing of it in common can change places.
//!
//! It goes by tables, so it says too often that two steps depend on each other, never too seldom: a plain read sees what was committed; a
//! write, a lock and what foreign keys look up touch what others hold, too; the end of a transaction touches all it has written or locked.
//! Whoever works at a higher level than READ COMMITTED, or asks for what is no table, depends on everybody.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{CallId, Event, EventKind, Isolation, RequestId, SessionId, StatementKind, Symbol, Trace};

/// What dependence is made of. A test leaves each out and has to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependence {
    /// A read depends on what commits what it reads.
    Commits,
    /// Writes and locks depend on each other.
    Holds,
    /// The end of a transaction lets go of all it holds.
    Ends,
    ForeignKeys,
    Services,
    /// Which of several sleeps and waits for a lock is over first.
    Timers,
    /// Snapshots that last, and what is checked at the end.
    Isolation,
    /// What is neither table nor service: advisory locks, sequences, settings, definitions.
    Others,
}

impl Dependence {
    pub const ALL: [Dependence; 8] = [
        Dependence::Commits,
        Dependence::Holds,
        Dependence::Ends,
        Dependence::ForeignKeys,
        Dependence::Services,
        Dependence::Timers,
        Dependence::Isolation,
        Dependence::Others,
    ];
}

/// By names of tables and services.
#[derive(Debug, Clone, Default)]
pub struct Footprint {
    everything: bool,
    /// Of which it saw what was committed.
    reads: BTreeSet<String>,
    /// Where it changed what is committed.
    commits: BTreeSet<String>,
    /// Where it wrote, locked, waited for a lock, or let go of one.
    holds: BTreeSet<String>,
    /// Requests whose statements went on by it.
    pub wakes: Vec<RequestId>,
}

impl Footprint {
    pub fn depends_on(&self, other: &Footprint) -> bool {
        let sees = |one: &Footprint, other: &Footprint| !one.commits.is_disjoint(&other.reads);
        self.everything
            || other.everything
            || sees(self, other)
            || sees(other, self)
            || !self.holds.is_disjoint(&other.holds)
    }
}

/// Beside the names of tables.
const TIMERS: &str = "(timers)";

/// Reads a trace step by step.
pub struct Footprints {
    left_out: Option<Dependence>,
    /// By table: those that foreign keys tie to it.
    tied: BTreeMap<String, BTreeSet<String>>,
    described: BTreeMap<Symbol, (Vec<Symbol>, Vec<Symbol>)>,
    statements: BTreeMap<CallId, (Symbol, StatementKind)>,
    transactions: BTreeMap<SessionId, Transaction>,
}

/// What a session's open transaction has touched.
#[derive(Default)]
struct Transaction {
    strict: bool,
    wrote: BTreeSet<String>,
    held: BTreeSet<String>,
}

impl Footprints {
    /// `references` are pairs of tables, of which the first has a foreign key to the second.
    pub fn new(references: Vec<(String, String)>, left_out: Option<Dependence>) -> Footprints {
        let mut tied: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (child, parent) in references {
            tied.entry(child.clone()).or_default().insert(parent.clone());
            tied.entry(parent).or_default().insert(child);
        }
        Footprints {
            left_out,
            tied,
            described: BTreeMap::new(),
            statements: BTreeMap::new(),
            transactions: BTreeMap::new(),
        }
    }

    /// Of the events from number `from` on, before `to`.
    pub fn of(&mut self, trace: &Trace, from: u32, to: u32) -> Footprint {
        let mut footprint = Footprint::default();
        for number in from..to {
            let event = trace.event(number).expect("an execution keeps its whole trace");
            self.add(event, trace, &mut footprint);
        }
        footprint
    }

    fn add(&mut self, event: &Event, trace: &Trace, footprint: &mut Footprint) {
        let name = |symbol: Symbol| trace.strings.text(symbol).to_owned();
        match &event.kind {
            EventKind::StatementDescribed { text, reads, writes, .. } => {
                self.described.insert(*text, (reads.to_vec(), writes.to_vec()));
            }
            EventKind::StatementStarted { call, text, kind, .. } => {
                self.statements.insert(*call, (*text, *kind));
                self.add_statement(*text, *kind, event.session, trace, footprint);
            }
            // It goes on within somebody else's step.
            EventKind::LockGranted { call, .. } => {
                footprint.wakes.extend(event.request);
                if let Some((text, kind)) = self.statements.get(call).copied() {
                    self.add_statement(text, kind, event.session, trace, footprint);
                }
            }
            EventKind::TransactionBegan { isolation } => {
                if let Some(session) = event.session {
                    let strict = *isolation != Isolation::ReadCommitted && self.counts(Dependence::Isolation);
                    self.transactions.insert(session, Transaction { strict, ..Transaction::default() });
                    footprint.everything |= strict;
                }
            }
            EventKind::VersionsRead { rows, .. } => {
                footprint.reads.extend(rows.iter().map(|seen| name(seen.row.table)));
            }
            EventKind::VersionWritten { row, call, .. } => match event.session.filter(|_| call.is_some()) {
                Some(session) => {
                    self.hold(name(row.table), footprint);
                    self.transaction(session).wrote.insert(name(row.table));
                }
                // A service's own books: there at once.
                None if self.counts(Dependence::Services) => _ = footprint.commits.insert(name(row.table)),
                None => {}
            },
            EventKind::RowLocked { row, .. } => {
                self.hold(name(row.table), footprint);
                if let Some(session) = event.session {
                    self.transaction(session).held.insert(name(row.table));
                }
            }
            EventKind::Committed | EventKind::RolledBack { .. } => {
                let Some(ended) = event.session.and_then(|session| self.transactions.remove(&session)) else { return };
                footprint.everything |= ended.strict;
                self.let_go(&ended, footprint);
                if matches!(event.kind, EventKind::Committed) && self.counts(Dependence::Commits) {
                    footprint.commits.extend(ended.wrote);
                }
            }
            // Back to a savepoint: locks that were taken since are let go.
            EventKind::TakenBack { .. } => {
                if let Some(transaction) = event.session.and_then(|session| self.transactions.get(&session)) {
                    self.let_go(transaction, footprint);
                }
            }
            EventKind::ServiceCalled { service, .. } if self.counts(Dependence::Services) => {
                footprint.reads.insert(name(*service));
                footprint.commits.insert(name(*service));
            }
            // Which timer fires first goes by which was set first.
            EventKind::Slept { .. } | EventKind::LockWaitBegan { .. } if self.counts(Dependence::Timers) => {
                footprint.holds.insert(TIMERS.to_owned());
            }
            EventKind::DeadlockFound { .. } | EventKind::ProcessKilled { .. } => footprint.everything = true,
            _ => {}
        }
    }

    fn add_statement(
        &mut self,
        text: Symbol,
        kind: StatementKind,
        session: Option<SessionId>,
        trace: &Trace,
        footprint: &mut Footprint,
    ) {
        footprint.everything |= session.is_some_and(|session| self.transaction(session).strict);
        if matches!(kind, StatementKind::Begin | StatementKind::Commit | StatementKind::Rollback) {
            return;
        }
        let sql = trace.strings.text(text).split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let Some((reads, writes)) = self.described.get(&text) else {
            // It may set the transaction's level, or lock a table.
            if let (Some(session), true) = (session, self.counts(Dependence::Others)) {
                footprint.everything = true;
                self.transaction(session).strict = true;
            }
            return;
        };
        let asks_others = ["pg_", "nextval", "setval", "lastval", "currval"].iter().any(|of| sql.contains(of));
        footprint.everything |= asks_others && self.counts(Dependence::Others);
        let names =
            |symbols: &[Symbol]| symbols.iter().map(|of| trace.strings.text(*of).to_owned()).collect::<Vec<_>>();
        let (reads, writes) = (names(reads), names(writes));
        if sql.contains(" for ") {
            for table in &reads {
                self.hold(table.clone(), footprint);
            }
        }
        footprint.reads.extend(reads);
        for table in writes {
            if self.counts(Dependence::ForeignKeys) {
                for tied in self.tied.get(&table).into_iter().flatten() {
                    footprint.reads.insert(tied.clone());
                    self.hold(tied.clone(), footprint);
                }
            }
            footprint.reads.insert(table.clone());
            self.hold(table, footprint);
        }
    }

    fn hold(&self, table: String, footprint: &mut Footprint) {
        if self.counts(Dependence::Holds) {
            footprint.holds.insert(table);
        }
    }

    fn let_go(&self, transaction: &Transaction, footprint: &mut Footprint) {
        if self.counts(Dependence::Ends) {
            footprint.holds.extend(transaction.held.iter().chain(&transaction.wrote).cloned());
        }
    }

    fn counts(&self, part: Dependence) -> bool {
        self.left_out != Some(part)
    }

    fn transaction(&mut self, session: SessionId) -> &mut Transaction {
        self.transactions.entry(session).or_default()
    }
}
