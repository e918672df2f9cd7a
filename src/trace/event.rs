//! What happened: the only truth of a run. Everything on the screen is folded from these events.
//!
//! Events are many (hundreds of thousands in a minute under load), so they hold numbers; texts are kept once, as symbols.

use std::collections::VecDeque;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{
    CallId, ClientId, Fingerprint, Isolation, Micros, Position, ProcessId, RequestId, SessionId, Sqlstate, Symbol,
    Value, Xid,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: Micros,
    pub request: Option<RequestId>,
    pub session: Option<SessionId>,
    pub xid: Option<Xid>,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    /// What there is from now on: the run's start, or a knob that was moved.
    MachinesSet {
        processes: u32,
        pool: u32,
        /// Of all its servers together.
        database_cores: u32,
    },
    /// The code that requests run from now on: at the run's start and with every deploy. `edited`: the file or the schema is not as the
    /// scenario has it.
    Deployed {
        variant: Symbol,
        file: Symbol,
        edited: bool,
    },
    /// The tables whose rows decide what the invariant's SQL answers, and the one whose primary key names its cases. Told again where a
    /// migration changes that.
    InvariantReads {
        invariant: Symbol,
        tables: Box<[Symbol]>,
        about: Option<Symbol>,
    },
    /// Somebody deployed a variant, moved a knob or switched a fault: `text` says it in words.
    ChangeApplied {
        change: ChangeFamily,
        text: Symbol,
    },
    /// A deploy that did not come about: the code does not load, the migration fails. The old code goes on.
    ChangeRefused {
        change: ChangeFamily,
        reason: Symbol,
        position: Option<Position>,
    },
    /// A process died; its connections are closed and its requests get no answer.
    ProcessKilled {
        process: ProcessId,
    },
    /// The fullest of the processes.
    MemoryMeasured {
        process: ProcessId,
        bytes: u64,
    },
    /// `client` is `None` for a background worker's turn.
    RequestStarted {
        client: Option<ClientId>,
        process: ProcessId,
        variant: Symbol,
        arguments: Symbol,
    },
    /// `status` is the HTTP status the caller sees; an exception that leaves the handler is a 500 with its traceback.
    RequestFinished {
        status: u16,
        body: Symbol,
        error: Option<Symbol>,
    },

    ConnectionWaitBegan {
        call: CallId,
        position: Position,
    },
    ConnectionAcquired {
        call: CallId,
        position: Position,
        waited_us: Micros,
    },
    /// No connection came free in time.
    ConnectionRefused {
        call: CallId,
        waited_us: Micros,
    },
    ConnectionReleased,

    /// The handler awaits a statement; `text` is as the handler wrote it, with its placeholders.
    StatementStarted {
        call: CallId,
        position: Position,
        text: Symbol,
        parameters: Symbol,
        kind: StatementKind,
    },
    /// What the text of a query or a writing statement names, once before it is first started.
    StatementDescribed {
        text: Symbol,
        /// Tables it reads, those of subqueries too.
        reads: Box<[Symbol]>,
        /// Tables it writes.
        writes: Box<[Symbol]>,
        /// Columns an UPDATE sets.
        sets: Box<[Symbol]>,
        /// Columns its new values are made of.
        built_on: Box<[Symbol]>,
        /// Columns its condition asks about.
        asks: Box<[Symbol]>,
    },
    StatementFinished {
        call: CallId,
        outcome: StatementOutcome,
        rows_read: u32,
        rows: u32,
        database_us: Micros,
    },
    TransactionBegan {
        isolation: Isolation,
    },
    Committed,
    RolledBack {
        sqlstate: Option<Sqlstate>,
    },
    /// Back to a savepoint: of the transaction's versions written and rows locked only the first `kept` still count.
    TakenBack {
        kept: u32,
    },
    /// A table's columns from now on: the values of its versions stand in this order. The place of a dropped column stays, without a name.
    TableColumns {
        table: Symbol,
        columns: Box<[Symbol]>,
    },
    /// Row versions one statement saw, the first `READS_TOLD` of them.
    VersionsRead {
        call: CallId,
        rows: Box<[VersionSeen]>,
    },
    /// The new row, or `None` where it was deleted. It counts from its transaction's commit.
    VersionWritten {
        /// `None` where a service wrote its ledger.
        call: Option<CallId>,
        row: RowRef,
        values: Option<Rc<[Value]>>,
        replaced: Option<Xid>,
    },
    RowLocked {
        row: RowRef,
        strength: LockStrength,
    },
    LockWaitBegan {
        call: CallId,
        on: Symbol,
        /// `None`: it waits for something else than a row.
        row: Option<(RowRef, LockStrength)>,
        /// Who holds it, or stands before this session in its queue.
        holder: SessionId,
    },
    LockGranted {
        call: CallId,
        waited_us: Micros,
    },
    /// The sessions of the cycle in wait order; the event's own session is the victim.
    DeadlockFound {
        cycle: Box<[SessionId]>,
    },

    Slept {
        call: CallId,
        position: Position,
        us: Micros,
    },
    /// `time.sleep`: the whole process stood still.
    Blocked {
        position: Position,
        us: Micros,
    },
    /// The handler stopped waiting for it: a timeout, a cancelled task.
    CallAbandoned {
        call: CallId,
    },
    ServiceCalled {
        call: CallId,
        position: Position,
        service: Symbol,
        method: Symbol,
        arguments: Symbol,
    },
    ServiceAnswered {
        call: CallId,
        outcome: ServiceOutcome,
        body: Symbol,
    },
    FaultApplied {
        call: Option<CallId>,
        service: Symbol,
        fault: Symbol,
    },

    Logged {
        level: LogLevel,
        text: Symbol,
        position: Position,
    },
    /// A row the invariant forbids was there and no request in flight can still mend it. `case` names it (the row's first column),
    /// `row` is the whole of it as JSON, `since` when it was first seen.
    InvariantBroken {
        invariant: Symbol,
        case: Symbol,
        row: Symbol,
        since: Micros,
    },
    /// A row that had broken the invariant is gone.
    InvariantMended {
        invariant: Symbol,
        case: Symbol,
    },
    /// A number the scenario reads from its tables, e.g. units oversold.
    GaugeRead {
        gauge: Symbol,
        value: f64,
    },
    /// A cap of the playground was met; `limit` says which and what to do.
    LimitReached {
        limit: Symbol,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowRef {
    pub table: Symbol,
    /// The primary key as text, `7` or `7/3`; for a table without one the row's number.
    pub key: Symbol,
}

/// `writer` is the transaction whose version was seen; `None`: it was there before the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionSeen {
    pub row: RowRef,
    pub writer: Option<Xid>,
    /// What it held, where no event of the run tells that and the statement saw only few rows.
    pub values: Option<Rc<[Value]>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ChangeFamily {
    Deploy,
    Knob,
    Fault,
}

/// What a statement is by its syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatementKind {
    Select,
    Insert,
    Update,
    Delete,
    Begin,
    Commit,
    Rollback,
    /// SAVEPOINT, RELEASE, ROLLBACK TO.
    Savepoint,
    Set,
    Lock,
    /// CREATE, ALTER, DROP, TRUNCATE.
    Ddl,
    /// Several statements in one text, what the database refuses, and everything else.
    Other,
}

impl StatementKind {
    /// BEGIN and its like: round trips, but no questions.
    pub fn frames_a_transaction(self) -> bool {
        use StatementKind::{Begin, Commit, Rollback, Savepoint, Set};
        matches!(self, Begin | Commit | Rollback | Savepoint | Set)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatementOutcome {
    Ok,
    Failed {
        sqlstate: Sqlstate,
        message: Symbol,
    },
    /// The handler stopped waiting for it (a timeout, a cancelled task).
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceOutcome {
    Ok,
    /// The service answered with an error.
    Refused,
    /// No answer reached the caller, whatever the service did.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

impl LockStrength {
    /// PostgreSQL's table of row-level lock conflicts.
    pub fn conflicts(self, wanted: LockStrength) -> bool {
        use LockStrength::{KeyShare, NoKeyUpdate, Share, Update};
        match (self, wanted) {
            (KeyShare, Update) | (Update, KeyShare) => true,
            (KeyShare, _) | (_, KeyShare) => false,
            (Share, Share) => false,
            (Share, NoKeyUpdate | Update) | (NoKeyUpdate | Update, _) => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
}

impl LogLevel {
    pub fn word(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
        }
    }
}

/// The events of a run and the strings they name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trace {
    pub strings: Strings,
    events: VecDeque<Event>,
    /// How many older events were let go.
    forgotten: u32,
    #[serde(skip)]
    keep: Keep,
    #[serde(skip)]
    fingerprint: Fingerprint,
}

/// How much of a run's past stays in memory. The fingerprint covers all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    #[default]
    All,
    Latest(usize),
    /// Nothing of what has been looked at: for whoever asks for totals only.
    UntilSeen,
}

impl Trace {
    pub fn new(keep: Keep) -> Trace {
        Trace {
            strings: Strings::default(),
            events: VecDeque::new(),
            forgotten: 0,
            keep,
            fingerprint: Fingerprint::default(),
        }
    }

    pub fn record(&mut self, event: Event) {
        self.fingerprint.event(&event, &self.strings);
        if let Keep::Latest(most) = self.keep
            && self.events.len() >= most
        {
            self.events.pop_front();
            self.forgotten += 1;
        }
        self.events.push_back(event);
    }

    /// Everybody has looked at all events there are.
    pub fn seen(&mut self) {
        if self.keep == Keep::UntilSeen {
            self.forgotten += self.events.len() as u32;
            self.events.clear();
        }
    }

    /// One past the newest event's number. Numbers count from 0 over the whole run.
    pub fn len(&self) -> u32 {
        self.forgotten + self.events.len() as u32
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The event of that number, if it is still kept.
    pub fn event(&self, number: u32) -> Option<&Event> {
        self.events.get(number.checked_sub(self.forgotten)? as usize)
    }

    /// The events still kept, from number `first` on.
    pub fn since(&self, first: u32) -> impl Iterator<Item = &Event> {
        let skip = first.saturating_sub(self.forgotten) as usize;
        self.events.range(skip.min(self.events.len())..)
    }

    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
    }

    pub fn forgotten(&self) -> u32 {
        self.forgotten
    }

    /// SHA-256 of every event and string so far: equal for equal runs, natively and in a browser.
    pub fn hash(&self) -> String {
        self.fingerprint.hex()
    }
}

/// Strings kept once, in order of first use: equal runs number them equally.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Rc<str>>", into = "Vec<Rc<str>>")]
pub struct Strings {
    texts: indexmap::IndexSet<Rc<str>, rustc_hash::FxBuildHasher>,
}

impl Strings {
    pub fn intern(&mut self, text: &str) -> Symbol {
        let index = match self.texts.get_index_of(text) {
            Some(index) => index,
            None => self.texts.insert_full(Rc::from(text)).0,
        };
        Symbol(u32::try_from(index).expect("fewer than 2^32 strings in a run"))
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Panics for a symbol of another trace.
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }
}

impl From<Vec<Rc<str>>> for Strings {
    fn from(texts: Vec<Rc<str>>) -> Strings {
        Strings { texts: texts.into_iter().collect() }
    }
}

impl From<Strings> for Vec<Rc<str>> {
    fn from(strings: Strings) -> Vec<Rc<str>> {
        strings.texts.into_iter().collect()
    }
}
