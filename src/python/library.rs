//! The modules a handler can import, and the bytecode of those that are written in Python.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rustpython_vm::{PyRef, PyResult, TryFromObject, VirtualMachine, builtins::PyCode};

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
    Client { parameter: "app", kind: "app", module: "app", attribute: None },
    Client { parameter: "vault", kind: "vault", module: "vault", attribute: None },
    Client { parameter: "logs", kind: "logs", module: "logs", attribute: None },
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

/// What handlers may import of Python's own library; the rest is there for these.
const STANDARD: &[&str] = &[
    "__future__",
    "abc",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "io",
    "itertools",
    "json",
    "math",
    "numbers",
    "operator",
    "os",
    "random",
    "re",
    "secrets",
    "statistics",
    "string",
    "textwrap",
    "time",
    "traceback",
    "types",
    "typing",
    "uuid",
    "warnings",
    "weakref",
    "zoneinfo",
];

/// (name, is a package, is one of the project's own for handlers, bytecode)
static MODULES: &[(&str, bool, bool, &[u8])] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

static BY_NAME: LazyLock<BTreeMap<&str, (bool, &[u8])>> =
    LazyLock::new(|| MODULES.iter().map(|(name, package, _, bytecode)| (*name, (*package, *bytecode))).collect());

pub fn code(name: &str, vm: &VirtualMachine) -> PyResult<Option<(PyRef<PyCode>, bool)>> {
    let Some((package, bytecode)) = BY_NAME.get(name) else {
        return Ok(None);
    };
    let marshal = rustpython_vm::import::import_builtin(vm, "marshal")?;
    let code = marshal.get_attr("loads", vm)?.call((vm.ctx.new_bytes(bytecode.to_vec()),), vm)?;
    Ok(Some((PyRef::try_from_object(vm, code)?, *package)))
}

/// The names of the top-level modules a handler can import, in alphabetical order.
pub fn public() -> Vec<&'static str> {
    let own = MODULES.iter().filter(|(name, _, own, _)| *own && !name.contains('.')).map(|(name, ..)| *name);
    let mut names: Vec<&str> = own.chain(STANDARD.iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
