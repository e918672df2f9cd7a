//! How much a process's module globals hold, in bytes as CPython 3.11 on a 64-bit machine would spend them.
//!
//! The interpreter here is another one, with objects of other sizes, so each object found is charged what `sys.getsizeof` says there.

use rustc_hash::FxHashSet;
use rustpython_vm::{
    AsObject, PyObjectRef,
    builtins::{PyBytes, PyDict, PyDictRef, PyFloat, PyInt, PyList, PySet, PyStr, PyTuple},
};

/// The interpreter with a web framework, a database driver and their dependencies, before the first request: a FastAPI service with psycopg
/// shows some 60 MB of resident memory.
pub const PROCESS_BYTES: u64 = 60 << 20;

/// Deeper and wider than any cache of a scenario; what comes after is left out.
const OBJECTS_MAX: usize = 3_000_000;

pub fn held_by(globals: &PyDictRef) -> u64 {
    let mut seen = FxHashSet::default();
    let mut left: Vec<PyObjectRef> = values(globals);
    let mut bytes = 0;
    while let Some(object) = left.pop() {
        if seen.len() == OBJECTS_MAX {
            break;
        }
        if seen.insert(object.get_id()) {
            bytes += size_of(&object, &mut left);
        }
    }
    bytes
}

/// One object's own size; what it refers to is put into `left`.
fn size_of(object: &PyObjectRef, left: &mut Vec<PyObjectRef>) -> u64 {
    if let Some(text) = object.downcast_ref::<PyStr>() {
        return 49 + text.byte_len() as u64;
    }
    if object.downcast_ref::<PyInt>().is_some() {
        return 28;
    }
    if object.downcast_ref::<PyFloat>().is_some() {
        return 24;
    }
    if let Some(bytes) = object.downcast_ref::<PyBytes>() {
        return 33 + bytes.as_bytes().len() as u64;
    }
    let own = if let Some(list) = object.downcast_ref::<PyList>() {
        left.extend(list.borrow_vec().iter().cloned());
        56 + 8 * list.borrow_vec().len() as u64
    } else if let Some(tuple) = object.downcast_ref::<PyTuple>() {
        left.extend(tuple.as_slice().iter().cloned());
        40 + 8 * tuple.as_slice().len() as u64
    } else if let Some(set) = object.downcast_ref::<PySet>() {
        let elements = set.elements();
        let size = 216 + 32 * elements.len() as u64;
        left.extend(elements);
        size
    } else if object.downcast_ref::<PyDict>().is_some() {
        let dict = object.clone().downcast::<PyDict>().expect("it was just looked at");
        let entries = entries(&dict);
        let size = 64 + 100 * entries.len() as u64;
        left.extend(entries.into_iter().flat_map(|(key, value)| [key, value]));
        size
    } else {
        // Functions, classes and modules are code, not data; of other objects the attributes count.
        return match object.dict() {
            Some(attributes) if is_data(object) => {
                left.extend(values(&attributes));
                56 + 100 * attributes.__len__() as u64
            }
            _ => 0,
        };
    };
    if let Some(attributes) = object.dict() {
        left.extend(values(&attributes));
    }
    own
}

fn is_data(object: &PyObjectRef) -> bool {
    let class = object.class();
    let name = class.name();
    !["function", "type", "module", "builtin_function_or_method", "method"].contains(&&*name)
}

fn entries(dict: &PyDictRef) -> Vec<(PyObjectRef, PyObjectRef)> {
    dict.clone().into_iter().collect()
}

/// Of a module: what is bound to a name, without the names the language itself puts there.
fn values(dict: &PyDictRef) -> Vec<PyObjectRef> {
    let entries = dict.clone().into_iter();
    let own = entries.filter(|(key, _)| {
        let name = key.downcast_ref::<PyStr>().and_then(|name| name.to_str());
        !name.is_some_and(|name| name.starts_with("__") && name.ends_with("__"))
    });
    own.map(|(_, value)| value).collect()
}
