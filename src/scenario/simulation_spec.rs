//! What a simulation builds from a scenario: who sends what, against which machines, with which faults.
//! It says how much and how often, never when: time and dice are the simulation's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Draw, RowSet};
use crate::services;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SimulationSpec {
    pub clients: Clients,
    pub requests: Vec<RequestKind>,
    /// The tables' contents before the first request, in order.
    pub rows: Vec<RowSet>,
    pub machine: Machine,
    pub services: Vec<ServiceSettings>,
    pub faults: Vec<FaultRule>,
    pub gauges: Vec<Gauge>,
}

/// A number, or the knob that gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum Amount {
    Number(f64),
    Knob(String),
}

impl Amount {
    /// Panics for a knob that `knobs` does not name: a manifest is only accepted when every environment sets every knob.
    pub fn at(&self, knobs: &BTreeMap<String, f64>) -> f64 {
        match self {
            Amount::Number(number) => *number,
            Amount::Knob(knob) => knobs[knob],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Clients {
    /// Each sends its next request after an answer and a think time of this mean (exponential).
    Closed { count: Amount, think_ms: Amount },
    /// Requests arrive whether or not the last ones were answered (Poisson), each from a client of its own.
    Open { rate_per_s: Amount },
    /// Each runs a function of the scenario's own file, from the start: it logs in, keeps what it gets, sends, waits, retries.
    Scripted { file: String, source: String, scripts: Vec<Script> },
}

/// So many clients that do what `entry` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Script {
    pub entry: String,
    pub count: Amount,
}

/// One kind of request: which function of the variant's file, how often, with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RequestKind {
    pub entry: String,
    /// Its share of all requests, against the weights of the other kinds.
    pub weight: Amount,
    pub parameters: BTreeMap<String, Draw>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Machine {
    /// Operating system processes of the service. Each has its own module globals and its own pool.
    pub processes: Amount,
    /// Connections in one process's pool.
    pub pool: Amount,
    pub pool_timeout_ms: Amount,
    pub database_cores: Amount,
    /// From a process to the database, one way and back.
    pub network_ms: Amount,
    pub network_sd_ms: Amount,
    /// A process that holds more is killed. `None`: nobody looks.
    pub memory_mb: Option<Amount>,
    /// How far a replica is behind, from a commit to its being seen there. `None`: there is no replica.
    pub replica_lag_ms: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ServiceSettings {
    pub name: String,
    /// What it is; several may be of one kind, each with its own name.
    pub kind: String,
    pub latency_ms: Amount,
    pub latency_sd_ms: Amount,
    /// When the caller's client gives up.
    pub timeout_ms: Amount,
    /// Calls it works on at once; further ones queue. `None`: as many as come.
    pub capacity: Option<Amount>,
}

impl ServiceSettings {
    /// Whether a table holds its books: what it was asked for and did.
    pub fn keeps(&self, table: &str) -> bool {
        let books = services::kind(&self.kind).map_or("", |kind| kind.ledger);
        books.split("CREATE TABLE ").skip(1).any(|rest| rest.split([' ', '(']).next() == Some(table))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FaultRule {
    pub id: String,
    /// A service's name, `database`, `processes` or `clients`.
    pub on: String,
    /// Of a service; none stands for all.
    pub methods: Vec<String>,
    pub verdict: FaultVerdict,
    /// Of the calls it could meet, from 0 to 1.
    pub share: Amount,
    /// For `Kill`: one process dies, in turn, this often.
    pub every_s: Option<Amount>,
    /// When it is on, it acts from this second of the run …
    pub from_s: Amount,
    /// … for so long; `None`: to the end.
    pub for_s: Option<Amount>,
}

impl FaultRule {
    /// Whether it is about a service's method, or a client's kind of request, of this name.
    pub fn meets(&self, name: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|method| method == name)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultVerdict {
    /// The service says no, as its contract allows (a declined card).
    Decline,
    /// The service answers with an error and did nothing.
    Fail,
    /// No connection: the caller knows at once that nothing happened.
    Refuse,
    Delay {
        ms: Amount,
    },
    /// The service did its work; the answer never comes.
    LoseAnswer,
    /// The service gets the call twice.
    Duplicate,
    /// The client sends the same request again when it has no answer by then: a second click, a retry.
    Resend {
        after_ms: Amount,
    },
    /// A process ends at once: open transactions are rolled back, its requests get no answer.
    Kill,
}

/// A number read from the tables, for a metric of the scenario's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Gauge {
    pub metric: String,
    /// Gives one row with one number.
    pub sql: String,
}
