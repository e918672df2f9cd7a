//! Exceptions as the trace and the page show them. It never knows why they were raised.

use rustpython_vm::{
    AsObject, PyObjectRef, PyResult, TryFromObject, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyStr, PyTuple},
};

use super::bridge::state;
use super::values;
use super::{Raised, SourcePosition};

pub fn describe(exception: &PyBaseExceptionRef, vm: &VirtualMachine) -> Raised {
    let object: PyObjectRef = exception.clone().into();
    let message = match object.str(vm) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => String::from("<its own __str__ raised>"),
    };
    let sqlstate = object
        .get_attr("sqlstate", vm)
        .ok()
        .and_then(|state| state.downcast_ref::<PyStr>().map(|state| state.to_string_lossy().into_owned()));
    let class = class_name(&object, vm).unwrap_or_else(|_| object.class().name().to_string());
    match printed(&object, vm) {
        Ok((traceback, position)) => Raised { class, message, traceback, position, sqlstate },
        Err(_) => Raised { traceback: format!("{class}: {message}"), class, message, position: None, sqlstate },
    }
}

fn class_name(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    let class = object.class();
    let name = String::try_from_object(vm, class.as_object().get_attr("__qualname__", vm)?)?;
    let module = class.as_object().get_attr("__module__", vm)?;
    Ok(match module.downcast_ref::<PyStr>().and_then(|module| module.to_str()) {
        None | Some("builtins") => name,
        Some(module) => format!("{module}.{name}"),
    })
}

fn printed(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<(String, Option<SourcePosition>)> {
    let told = values::module("traceback", vm)?.get_attr("_told", vm)?.call((object.clone(),), vm)?;
    let Some([text, file, line]) = told.downcast_ref::<PyTuple>().map(|parts| parts.as_slice()) else {
        return Err(vm.new_type_error("traceback._told gives three values"));
    };
    let text = String::try_from_object(vm, text.clone())?;
    let file: Option<String> = Option::try_from_object(vm, file.clone())?;
    let line: Option<u32> = Option::try_from_object(vm, line.clone())?;
    let known = file.and_then(|file| state().sources.borrow().get_key_value(&*file).map(|(file, _)| file.clone()));
    Ok((text, known.zip(line).map(|(file, line)| SourcePosition { file, line })))
}
