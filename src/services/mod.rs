//! Simulated services that handlers call. Each keeps its own books and shows them as SQL tables, so that an invariant can compare
//! them with the scenario's. A service knows no clock and no dice: when it is called and what goes wrong is told to it.

mod cache;
mod events;
pub mod fault;
mod gateway;
mod http;
mod logs;
mod queue;
mod vault;

use serde_json::Value as Json;

use crate::trace::{Micros, Value};
pub use fault::Verdict;

/// Every kind of service there is.
pub const SERVICES: &[ServiceKind] =
    &[gateway::KIND, queue::KIND, cache::KIND, events::KIND, http::KIND, vault::KIND, logs::KIND];

pub struct ServiceKind {
    /// The name handlers and manifests know it by.
    pub name: &'static str,
    pub methods: &'static [&'static str],
    /// CREATE TABLE statements of its books.
    pub ledger: &'static str,
    /// Classes its Python module raises for what never reached it or never came back.
    pub errors: TransportErrors,
    /// The service of this kind that the manifest gives this name.
    pub create: fn(name: &str) -> Box<dyn Service>,
}

impl ServiceKind {
    fn unknown_method(&self, method: &str) -> Refusal {
        let message = format!("{} has no method {method}; there are {}", self.name, self.methods.join(", "));
        Refusal { class: self.errors.failed, message, body: Json::Null }
    }
}

pub struct TransportErrors {
    /// The service answered with a fault of its own.
    pub failed: &'static str,
    /// There was no connection.
    pub refused: &'static str,
    /// No answer came in time.
    pub timed_out: &'static str,
}

pub fn kind(name: &str) -> Option<&'static ServiceKind> {
    SERVICES.iter().find(|kind| kind.name == name)
}

pub trait Service {
    fn call(&mut self, call: &ServiceCall) -> Handled;

    /// Whether a call that waited so long for the service's attention is dropped unworked: its caller has gone.
    fn abandons(&self, _arguments: &Json, _waited: Micros) -> bool {
        false
    }

    /// A process of the service has written a line: what to write into the ledger's tables.
    fn logged(&mut self, _line: &LogLine) -> Vec<LedgerEntry> {
        vec![]
    }
}

/// One line of a process's output.
pub struct LogLine<'a> {
    pub at: Micros,
    pub process: u32,
    /// `debug`, `info`, `warning` or `error`.
    pub level: &'static str,
    pub text: &'a str,
}

/// One call as it reaches the service.
pub struct ServiceCall<'a> {
    pub method: &'a str,
    pub arguments: &'a Json,
    pub at: Micros,
    /// When the service will have finished with it.
    pub answered_at: Micros,
    pub declined: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Handled {
    pub answer: Result<Json, Refusal>,
    /// What to write into the ledger's tables.
    pub entries: Vec<LedgerEntry>,
}

/// An error the service answers with.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// As the service's Python module exports it.
    pub class: &'static str,
    pub message: String,
    pub body: Json,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LedgerEntry {
    pub sql: &'static str,
    pub parameters: Vec<Value>,
}

/// The arguments of a call as its method needs them; `class` is raised when they are not so.
fn read_arguments<T: serde::de::DeserializeOwned>(call: &ServiceCall, class: &'static str) -> Result<T, Refusal> {
    serde_json::from_value(call.arguments.clone()).map_err(|error| Refusal {
        class,
        message: format!("{}: {error}", call.method),
        body: Json::Null,
    })
}
