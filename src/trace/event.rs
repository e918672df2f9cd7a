//! What happened: the only truth of a run. Everything on the screen is folded from these events.
//!
//! Events are many (hundreds of thousands in a minute under load), so they hold numbers; texts are kept once, as symbols.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{
    CallId, ClientId, Isolation, Micros, Position, ProcessId, RequestId, SessionId, Sqlstate, Symbol, Value, Xid,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// 0-based place in the trace.
    pub seq: u32,
    pub at: Micros,
    pub client: Option<ClientId>,
    pub request: Option<RequestId>,
    pub session: Option<SessionId>,
    pub xid: Option<Xid>,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    /// Somebody deployed a variant, moved a knob or switched a fault: `text` says it in words.
    ChangeApplied {
        change: Symbol,
    },
    RequestStarted {
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
        waited_us: Micros,
    },
    ConnectionReleased,

    /// The handler awaits a statement; `text` is as the handler wrote it, with its placeholders.
    StatementStarted {
        call: CallId,
        position: Position,
        text: Symbol,
        parameters: Symbol,
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
    /// `writer` is the transaction whose version was seen; `None`: it was there before the run.
    VersionRead {
        row: RowRef,
        writer: Option<Xid>,
    },
    /// The new row, or `None` where it was deleted. It counts from its transaction's commit.
    VersionWritten {
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
    ServiceCalled {
        call: CallId,
        position: Position,
        service: Symbol,
        method: Symbol,
        arguments: Symbol,
    },
    ServiceAnswered {
        call: CallId,
        service: Symbol,
        outcome: ServiceOutcome,
        body: Symbol,
    },
    FaultApplied {
        call: CallId,
        service: Symbol,
        fault: Symbol,
    },

    Logged {
        level: LogLevel,
        text: Symbol,
        position: Position,
    },
    /// A row the invariant forbids was there and no request in flight can still mend it. `case` is the row as JSON.
    InvariantBroken {
        invariant: Symbol,
        case: Symbol,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
}

/// The events of a run and the strings they name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub strings: Strings,
    pub events: Vec<Event>,
}

/// Strings kept once, in order of first use: equal runs number them equally.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Rc<str>>", into = "Vec<Rc<str>>")]
pub struct Strings {
    texts: indexmap::IndexSet<Rc<str>>,
}

impl Strings {
    pub fn intern(&mut self, text: &str) -> Symbol {
        let index = match self.texts.get_index_of(text) {
            Some(index) => index,
            None => self.texts.insert_full(Rc::from(text)).0,
        };
        Symbol(u32::try_from(index).expect("fewer than 2^32 strings in a run"))
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
