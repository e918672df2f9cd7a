//! Small numbers that name things within one run. All fit JavaScript's safe integers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Virtual microseconds since the run began.
pub type Micros = u64;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// Who sends requests: one simulated user or caller.
    ClientId
);
id!(
    /// One execution of a handler.
    RequestId
);
id!(
    /// One connection to the database.
    SessionId
);
id!(
    /// One transaction that has written or locked something.
    Xid
);
id!(
    /// One call a handler awaits. Unique within a run.
    CallId
);
id!(
    /// One operating-system process of the service: it has its own copy of the handler's module.
    ProcessId
);
id!(
    /// A string the trace keeps once and names by number.
    Symbol
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// A place in a handler's source, 1-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
pub struct Position {
    /// The file's name, e.g. `naive.py`.
    pub file: Symbol,
    pub line: u32,
}
