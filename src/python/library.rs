//! The modules a handler can import, and the code of those that are written in Python.

use rustpython_vm::{PyRef, PyResult, VirtualMachine, builtins::PyCode, compiler::Mode};

/// The client of one kind of service, injected where a handler has a parameter of that name.
pub struct Client {
    pub parameter: &'static str,
    /// The kind of service whose errors `module` has the classes of.
    pub kind: &'static str,
    pub module: &'static str,
    /// What of the module is injected; `None`: the module itself.
    pub attribute: Option<&'static str>,
}

pub const CLIENTS: &[Client] = &[
    Client { parameter: "payments", kind: "payments", module: "payments", attribute: None },
    Client { parameter: "queue", kind: "queue", module: "message_queue", attribute: None },
    Client { parameter: "cache", kind: "cache", module: "cache", attribute: None },
    Client { parameter: "events", kind: "events", module: "events", attribute: None },
    Client { parameter: "http", kind: "http", module: "httpx", attribute: Some("client") },
    Client { parameter: "vault", kind: "vault", module: "vault", attribute: None },
];

impl Client {
    pub fn parameters() -> String {
        CLIENTS.iter().map(|client| client.parameter).collect::<Vec<_>>().join(", ")
    }

    pub fn of_kind(kind: &str) -> Option<&'static Client> {
        CLIENTS.iter().find(|client| client.kind == kind)
    }

    pub fn injected(&self, vm: &VirtualMachine) -> PyResult {
        let module = super::values::module(self.module, vm)?;
        match self.attribute {
            Some(attribute) => module.get_attr(attribute, vm),
            None => Ok(module),
        }
    }
}

const SOURCES: &[(&str, bool, &str)] = &[
    ("_jsonable", false, include_str!("lib/_jsonable.py")),
    ("_start", false, include_str!("lib/_start.py")),
    ("asyncio", false, include_str!("lib/asyncio.py")),
    ("cache", false, include_str!("lib/cache.py")),
    ("events", false, include_str!("lib/events.py")),
    ("httpx", false, include_str!("lib/httpx.py")),
    ("logging", false, include_str!("lib/logging.py")),
    ("message_queue", false, include_str!("lib/message_queue.py")),
    ("payments", false, include_str!("lib/payments.py")),
    ("psycopg", true, include_str!("lib/psycopg/__init__.py")),
    ("psycopg._values", false, include_str!("lib/psycopg/_values.py")),
    ("psycopg.errors", false, include_str!("lib/psycopg/errors.py")),
    ("psycopg.rows", false, include_str!("lib/psycopg/rows.py")),
    ("psycopg.types", true, include_str!("lib/psycopg/types/__init__.py")),
    ("psycopg.types.json", false, include_str!("lib/psycopg/types/json.py")),
    ("psycopg_pool", false, include_str!("lib/psycopg_pool.py")),
    ("vault", false, include_str!("lib/vault.py")),
    ("traceback", false, include_str!("lib/traceback.py")),
];

pub fn code(name: &str, vm: &VirtualMachine) -> PyResult<Option<(PyRef<PyCode>, bool)>> {
    let Some((_, package, source)) = SOURCES.iter().find(|(known, ..)| *known == name) else {
        return Ok(None);
    };
    let code = vm
        .compile(source, Mode::Exec, format!("<{name}>"))
        .map_err(|error| error.into_pyexception(vm, Some(source)))?;
    Ok(Some((code, *package)))
}

pub fn is_public(name: &str) -> bool {
    SOURCES.iter().any(|(known, ..)| *known == name && !known.starts_with('_'))
}
