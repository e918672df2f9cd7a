//! What the index keeps of a run. Every record has its interval and names everybody it needs, so that no view has to look further.

use smallvec::SmallVec;

use super::history::Interval;
use crate::trace::{
    CallId, ClientId, LockStrength, LogLevel, Micros, Position, RequestId, RowRef, ServiceOutcome, SessionId,
    StatementOutcome, Symbol, Value, Xid,
};

/// Who does something: a client's request, or a worker's turn (which has no client).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doer {
    pub request: RequestId,
    pub client: Option<ClientId>,
}

impl Doer {
    pub fn label(self) -> String {
        self.client.map_or_else(|| "worker".to_owned(), |client| format!("client {}", client.0 + 1))
    }
}

#[derive(Debug, Clone)]
pub struct RequestRecord {
    pub doer: Doer,
    /// The client's first request is 1.
    pub turn: u32,
    pub variant: Symbol,
    pub arguments: Symbol,
    pub began: Micros,
    pub number: u32,
    pub answer: Option<AnswerRecord>,
    /// Statements that read or write, without those that only frame a transaction.
    pub statements: u32,
    pub rows_read: u32,
    pub lock_wait_us: Micros,
    pub pool_wait_us: Micros,
    /// Where it stood last in a statement or a service's call.
    pub called_at: Option<Position>,
    /// Every place at which it awaited something, and since when it stood there. Not of workers: nobody sees where they stand.
    pub places: Vec<(Micros, Position)>,
    /// Calls it awaits, and those it gave up that the database still works on.
    pub(super) open: SmallVec<[CallId; 4]>,
}

#[derive(Debug, Clone, Copy)]
pub struct AnswerRecord {
    pub at: Micros,
    pub status: u16,
    pub body: Symbol,
    pub error: Option<Symbol>,
}

/// One thing a request awaited.
#[derive(Debug, Clone)]
pub struct CallRecord {
    pub doer: Doer,
    pub position: Position,
    pub began: Micros,
    /// The event's, for what began in the same microsecond.
    pub number: u32,
    pub ended: Option<Micros>,
    pub abandoned: bool,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub enum Body {
    /// `waited`: none was free.
    Connection {
        waited: bool,
        refused: bool,
    },
    Statement(Box<StatementRecord>),
    Service {
        service: Symbol,
        method: Symbol,
        arguments: Symbol,
        fault: Option<Symbol>,
        answer: Option<(ServiceOutcome, Symbol)>,
    },
    Sleep,
    /// `time.sleep`: its whole process stands still.
    Block,
}

#[derive(Debug, Clone)]
pub struct StatementRecord {
    pub session: SessionId,
    pub text: Symbol,
    pub parameters: Symbol,
    pub outcome: Option<StatementOutcome>,
    pub rows_read: u32,
    pub rows: u32,
    pub database_us: Micros,
    /// What it waited for, each with the moment at which that ended.
    pub waits: SmallVec<[(Micros, Micros); 1]>,
    /// Numbers of the events that tell what it read and wrote.
    pub told: SmallVec<[u32; 2]>,
}

#[derive(Debug, Clone)]
pub struct WaitRecord {
    pub doer: Doer,
    pub position: Option<Position>,
    pub on: Symbol,
    pub row: Option<(RowRef, LockStrength)>,
    /// Whom the database named when the wait began.
    pub holder: Option<Doer>,
    pub began: Micros,
    pub number: u32,
    pub ended: Option<Micros>,
}

/// From the first row a transaction wrote or locked.
#[derive(Debug, Clone)]
pub struct TransactionRecord {
    pub xid: Xid,
    pub doer: Option<Doer>,
    pub began: Micros,
    pub ended: Option<Micros>,
    pub committed: bool,
}

/// A row's version while only its own transaction sees it; once that has committed it goes on to be what everybody sees.
#[derive(Debug, Clone)]
pub struct VersionRecord {
    pub row: RowRef,
    pub xid: Option<Xid>,
    pub request: Option<RequestId>,
    pub position: Option<Position>,
    pub at: Micros,
    pub number: u32,
    /// `None`: the row was deleted.
    pub values: Option<std::rc::Rc<[Value]>>,
    pub fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Pending,
    Committed(Micros),
    /// Rolled back, or taken back to a savepoint.
    Gone(Micros),
}

#[derive(Debug, Clone)]
pub struct LockRecord {
    pub row: RowRef,
    pub xid: Xid,
    pub doer: Option<Doer>,
    pub strength: LockStrength,
    pub began: Micros,
    pub number: u32,
    pub ended: Option<Micros>,
}

/// A row that breaks an invariant, or a request that does.
#[derive(Debug, Clone)]
pub struct CaseRecord {
    /// The invariant's, and its place among the scenario's.
    pub id: Symbol,
    pub invariant: usize,
    pub case: Symbol,
    pub row: Symbol,
    pub since: Micros,
    pub told: Micros,
    pub number: u32,
    pub mended: Option<Micros>,
    pub request: Option<RequestId>,
    /// Who wrote the row last, the latest of them; none where it is not known which row it is.
    pub writers: Vec<(RequestId, Option<Position>)>,
    pub stretch: u32,
}

#[derive(Debug, Clone)]
pub struct Deadlock {
    pub at: Micros,
    /// When the last of them began to wait.
    pub closed: Micros,
    pub number: u32,
    pub victim: Option<RequestId>,
    /// In wait order, with the line where each stands.
    pub cycle: Vec<(RequestId, Option<Position>)>,
}

/// A line of the log, or the traceback of a request that failed.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub at: Micros,
    pub level: LogLevel,
    pub request: Option<RequestId>,
    pub text: Symbol,
}

impl RequestRecord {
    pub fn is_worker(&self) -> bool {
        self.doer.client.is_none()
    }

    /// Where it stood at a moment.
    pub fn place_at(&self, at: Micros) -> Option<Position> {
        let after = self.places.partition_point(|(since, _)| *since <= at);
        Some(self.places.get(after.checked_sub(1)?)?.1)
    }
}

impl Interval for RequestRecord {
    fn began(&self) -> Micros {
        self.began
    }

    fn ended(&self) -> Option<Micros> {
        self.answer.map(|answer| answer.at)
    }
}

impl Interval for CallRecord {
    fn began(&self) -> Micros {
        self.began
    }

    fn ended(&self) -> Option<Micros> {
        self.ended
    }
}

impl Interval for WaitRecord {
    fn began(&self) -> Micros {
        self.began
    }

    fn ended(&self) -> Option<Micros> {
        self.ended
    }
}

impl Interval for TransactionRecord {
    fn began(&self) -> Micros {
        self.began
    }

    fn ended(&self) -> Option<Micros> {
        self.ended
    }
}

impl Interval for LockRecord {
    fn began(&self) -> Micros {
        self.began
    }

    fn ended(&self) -> Option<Micros> {
        self.ended
    }
}

/// Its interval is that in which its fate was open.
impl Interval for VersionRecord {
    fn began(&self) -> Micros {
        self.at
    }

    fn ended(&self) -> Option<Micros> {
        match self.fate {
            Fate::Pending => None,
            Fate::Committed(at) | Fate::Gone(at) => Some(at),
        }
    }
}
