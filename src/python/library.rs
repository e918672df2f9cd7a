//! The modules a handler can import, and the code of those that are written in Python.

use rustpython_vm::{PyRef, PyResult, VirtualMachine, builtins::PyCode, compiler::Mode};

/// Services with a client module of the same name, injected where a handler has a parameter of that name.
pub const SERVICES: &[&str] = &["payments"];

const SOURCES: &[(&str, bool, &str)] = &[
    ("_jsonable", false, include_str!("lib/_jsonable.py")),
    ("_start", false, include_str!("lib/_start.py")),
    ("asyncio", false, include_str!("lib/asyncio.py")),
    ("logging", false, include_str!("lib/logging.py")),
    ("payments", false, include_str!("lib/payments.py")),
    ("psycopg", true, include_str!("lib/psycopg/__init__.py")),
    ("psycopg._values", false, include_str!("lib/psycopg/_values.py")),
    ("psycopg.errors", false, include_str!("lib/psycopg/errors.py")),
    ("psycopg.rows", false, include_str!("lib/psycopg/rows.py")),
    ("psycopg.types", true, include_str!("lib/psycopg/types/__init__.py")),
    ("psycopg.types.json", false, include_str!("lib/psycopg/types/json.py")),
    ("psycopg_pool", false, include_str!("lib/psycopg_pool.py")),
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
