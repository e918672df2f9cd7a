//! What the parts of the simulation say to each other. None of them calls another, but for the monitor, which looks into the database.

use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::statement::Statement;
use crate::python::{Effect, HandlerId};
use crate::services::LedgerEntry;
use crate::sql::LogPosition;
use crate::trace::{
    Answer, CallId, ClientId, LogLevel, Micros, Position, RequestId, Server, ServiceOutcome, SessionId, SqlError,
    StatementOutcome, Value,
};
use crate::workload::{Due, ServiceJob};

pub enum Message {
    Load(LoadMessage),
    App(AppMessage),
    Database(DatabaseMessage),
    Service(ServiceMessage),
    Monitor(MonitorMessage),
    /// A migration that ran beside the load has ended.
    Migrated {
        variant: String,
        error: Option<SqlError>,
    },
}

/// To the load generator.
pub enum LoadMessage {
    Due(Due),
    /// The answer has reached the client.
    Answered(ClientId),
    /// A scripted client's code sends a request; `call` gets the answer.
    ScriptSends {
        call: CallId,
        client: Option<ClientId>,
        entry: String,
        arguments: Json,
    },
}

/// To the processes of the service.
pub enum AppMessage {
    Request(Arrival),
    /// A client looks whether it has an answer to what it sent.
    Resend(Unanswered),
    /// A process has come to it and paid for it.
    Turn {
        process: usize,
        life: u32,
        request: RequestId,
        turn: Turn,
    },
    /// What Python did, as far as it has not happened yet.
    Effects {
        process: usize,
        life: u32,
        effects: std::vec::IntoIter<Effect>,
    },
    /// A timer.
    Rung(CallId),
    Answer(CallId, Answer),
    StatementAnswered {
        session: SessionId,
        call: CallId,
        outcome: StatementOutcome,
        rows_read: u32,
        rows: u32,
        database_us: Micros,
        answer: Answer,
    },
    ServiceAnswered {
        call: CallId,
        outcome: ServiceOutcome,
        answer: Answer,
    },
    PoolTimeout(CallId),
    Connected {
        process: usize,
        server: Server,
        session: SessionId,
    },
    /// A connection that was released has nothing left to run and no transaction open.
    ConnectionReturned(SessionId),
    WorkerDue(usize),
    /// A request ends without its handler.
    Fail {
        request: RequestId,
        status: u16,
        body: &'static str,
    },
    Kill(usize),
    /// A fault kills a process; they take turns.
    KillNext,
    /// A process that died gets a successor.
    Replace(usize),
    Restarted(usize),
    /// What the kernel does with a container that is over its limit.
    WeighMemory,
}

/// To the database.
pub enum DatabaseMessage {
    /// A process opens a connection.
    Connect {
        process: usize,
        server: Server,
    },
    /// Who holds a connection now.
    Lend {
        session: SessionId,
        holder: RequestId,
    },
    /// The holder is done with it: what it left running is ended, a transaction left open is rolled back.
    Release(SessionId),
    Disconnect(SessionId),
    /// A handler sends a statement.
    Submit(Submission),
    Arrives(SessionId, Statement),
    /// Nobody waits for the call's statement any more.
    Cancel {
        session: SessionId,
        call: CallId,
    },
    CancelArrives(SessionId, CallId),
    CoreDone(SessionId, Server),
    FillCores(Server),
    Flushed(SessionId),
    /// Waits may have ended.
    Wake,
    Timer,
    Replayed(LogPosition),
    /// A service writes into its books.
    WriteBooks {
        request: RequestId,
        entries: Vec<LedgerEntry>,
    },
}

/// To the services.
pub enum ServiceMessage {
    Call {
        call: CallId,
        request: RequestId,
        position: Position,
        service: String,
        method: String,
        arguments: Json,
    },
    Reached(ServiceJob<ServiceCaller>),
    /// A process has written a line.
    Line {
        request: RequestId,
        process: usize,
        level: LogLevel,
        text: String,
    },
    KillDue(usize),
    NextKill(usize),
}

/// To the monitor.
pub enum MonitorMessage {
    /// A client's request is on its way.
    Started(RequestId),
    Finished {
        request: RequestId,
        kind: Option<usize>,
        status: u16,
        took: Micros,
    },
    /// What a session did to tables; `executed` where that was a statement of the load.
    Changed {
        session: SessionId,
        changes: Vec<TableChange>,
        executed: bool,
    },
    /// A look that was scheduled.
    Look,
    /// At intervals: whatever goes by a clock, and memory.
    Check,
    NextCheck {
        rows_read: u32,
    },
}

pub enum TableChange {
    Wrote(Rc<str>),
    Committed,
    RolledBack,
}

/// A client's request, as it comes to the service.
pub struct Arrival {
    pub request: RequestId,
    pub client: ClientId,
    /// Its place among the scenario's kinds of request.
    pub kind: usize,
    pub arguments: Map<String, Json>,
    /// The client sent it before and goes on with its life when the first one is answered.
    pub again: bool,
    /// The script's call that waits for the answer.
    pub caller: Option<CallId>,
}

/// A request that may be sent again.
pub struct Unanswered {
    pub request: RequestId,
    pub client: ClientId,
    pub kind: usize,
    pub arguments: Map<String, Json>,
}

/// What a process's core is taken for.
pub enum Turn {
    Start { handler: HandlerId, arguments: Json },
    Answer(CallId, Answer),
}

pub struct Submission {
    pub session: SessionId,
    pub request: RequestId,
    pub call: CallId,
    pub position: Position,
    pub sql: Rc<str>,
    /// As the handler wrote it.
    pub text: Rc<str>,
    pub parameters: Vec<Value>,
}

/// Who waits for a service's answer.
#[derive(Clone, Copy)]
pub struct ServiceCaller {
    pub call: CallId,
    pub request: RequestId,
}

impl From<LoadMessage> for Message {
    fn from(message: LoadMessage) -> Message {
        Message::Load(message)
    }
}

impl From<AppMessage> for Message {
    fn from(message: AppMessage) -> Message {
        Message::App(message)
    }
}

impl From<DatabaseMessage> for Message {
    fn from(message: DatabaseMessage) -> Message {
        Message::Database(message)
    }
}

impl From<ServiceMessage> for Message {
    fn from(message: ServiceMessage) -> Message {
        Message::Service(message)
    }
}

impl From<MonitorMessage> for Message {
    fn from(message: MonitorMessage) -> Message {
        Message::Monitor(message)
    }
}
