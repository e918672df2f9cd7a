//! Runs handlers: starts one, hands it the answer to what it awaits, tells what it awaits next.
//!
//! It knows which interpreter there is, and is alone in that. It never knows a database, a service or the host's clock.

use crate::trace::{Answer, Call, CallId, LogLevel, Micros, ProcessId, RequestId};

/// One interpreter with one event loop for every process of the run.
pub struct Python {}

/// What came out of letting Python run until everything in it waits.
#[derive(Debug)]
pub enum Effect {
    /// A task of `request` awaits `call`. Several may be outstanding for one request (`asyncio.gather`).
    Called {
        request: RequestId,
        call: CallId,
        position: SourcePosition,
        body: Call,
    },
    /// A task stopped waiting for `call` (timeout, cancellation): its answer is no longer wanted.
    Cancelled {
        request: RequestId,
        call: CallId,
    },
    Logged {
        request: RequestId,
        level: LogLevel,
        text: String,
        position: SourcePosition,
    },
    /// The handler called `time.sleep`: its process did nothing else for so long, and what follows happens that much later.
    Blocked {
        request: RequestId,
        us: Micros,
        position: SourcePosition,
    },
    /// The handler returned or raised. Tasks it left running go on.
    Finished {
        request: RequestId,
        outcome: Result<serde_json::Value, Raised>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePosition {
    pub file: std::rc::Rc<str>,
    pub line: u32,
}

/// An exception that left a handler, or kept a module from loading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The exception's class, e.g. `psycopg.errors.SerializationFailure`.
    pub class: String,
    pub message: String,
    /// As Python prints it, with only the handler's own files in it.
    pub traceback: String,
    /// Where in the handler's own files it was raised.
    pub position: Option<SourcePosition>,
    pub sqlstate: Option<String>,
}

/// One file of a handler.
pub struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

/// What a loaded handler is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HandlerId(pub u32);

impl Python {
    /// Starts an interpreter whose `random`, `uuid` and `secrets` follow `seed` and whose wall clock reads
    /// `epoch_us` (microseconds since 1970) at virtual time 0.
    pub fn new(_seed: u64, _epoch_us: i64) -> Python {
        unimplemented!("python")
    }

    /// Runs the module once for `process`, so that its globals are that process's own, and finds `entries` in it, in that order.
    pub fn load(
        &mut self,
        _process: ProcessId,
        _source: Source<'_>,
        _entries: &[&str],
    ) -> Result<Vec<HandlerId>, Raised> {
        unimplemented!("python")
    }

    /// Begins one request. `arguments` is the handler's `request`; its other parameters are injected by name.
    pub fn start(
        &mut self,
        _now: Micros,
        _handler: HandlerId,
        _request: RequestId,
        _arguments: &serde_json::Value,
    ) -> Vec<Effect> {
        unimplemented!("python")
    }

    /// Hands over the answer to one call; ignored when the call was cancelled.
    pub fn answer(&mut self, _now: Micros, _call: CallId, _answer: Answer) -> Vec<Effect> {
        unimplemented!("python")
    }

    /// Forgets every request of a process that was killed; none of its code runs again.
    pub fn abandon(&mut self, _process: ProcessId) {
        unimplemented!("python")
    }
}
