//! Python objects from SQL values and JSON, and back. It never knows what the values are for.

use std::rc::Rc;

use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyResult, TryFromObject, VirtualMachine,
    builtins::{PyBytes, PyDict, PyFloat, PyInt, PyList, PyStr, PyTuple},
};
use serde_json::{Map, Number, Value as Json};

use crate::trace::Value;

/// A value of a row as psycopg loads it.
pub fn from_sql(value: &Value, vm: &VirtualMachine) -> PyResult {
    let kind = match value {
        Value::Null => return Ok(vm.ctx.none()),
        Value::Bool(value) => return Ok(vm.ctx.new_bool(*value).into()),
        Value::Int(value) => return Ok(vm.ctx.new_int(*value).into()),
        Value::Float(value) => return Ok(vm.ctx.new_float(*value).into()),
        Value::Text(text) => return Ok(vm.ctx.new_str(&**text).into()),
        Value::Bytes(bytes) => return Ok(vm.ctx.new_bytes(bytes.to_vec()).into()),
        Value::Array(items) => {
            let items = items.iter().map(|item| from_sql(item, vm)).collect::<PyResult<Vec<_>>>()?;
            return Ok(vm.ctx.new_list(items).into());
        }
        Value::Json(text) => {
            let parsed = serde_json::from_str(text)
                .map_err(|error| vm.new_value_error(format!("the column holds broken JSON: {error}")))?;
            return Ok(from_json(&parsed, vm));
        }
        Value::Numeric(_) => "numeric",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Timestamp(_) => "timestamp",
        Value::TimestampTz(_) => "timestamptz",
        Value::Interval { .. } => "interval",
        Value::Uuid(_) => "uuid",
    };
    let plain: PyObjectRef = match value {
        Value::Numeric(number) => vm.ctx.new_str(number.to_string()).into(),
        Value::Date(days) => vm.ctx.new_int(*days).into(),
        Value::Time(micros) | Value::Timestamp(micros) | Value::TimestampTz(micros) => vm.ctx.new_int(*micros).into(),
        Value::Interval { months, days, micros } => vm
            .ctx
            .new_tuple(vec![
                vm.ctx.new_int(*months).into(),
                vm.ctx.new_int(*days).into(),
                vm.ctx.new_int(*micros).into(),
            ])
            .into(),
        Value::Uuid(number) => vm.ctx.new_int(*number).into(),
        _ => unreachable!("the plain kinds returned above"),
    };
    module("psycopg._values", vm)?.get_attr("load", vm)?.call((kind, plain), vm)
}

/// A parameter as psycopg sends it.
pub fn to_sql(object: &PyObject, vm: &VirtualMachine) -> PyResult<Value> {
    if vm.is_none(object) {
        return Ok(Value::Null);
    }
    if let Some(text) = object.downcast_ref_if_exact::<PyStr>(vm) {
        return match text.to_str() {
            Some(text) if !text.contains('\0') => Ok(Value::Text(Rc::from(text))),
            Some(_) => Err(vm.new_value_error("PostgreSQL text fields cannot contain NUL (0x00) bytes")),
            None => Err(vm.new_value_error("a surrogate in a string cannot be sent as UTF-8")),
        };
    }
    if object.class().is(vm.ctx.types.bool_type) {
        return Ok(Value::Bool(object.is(&vm.ctx.true_value)));
    }
    if let Some(number) = object.downcast_ref_if_exact::<PyInt>(vm) {
        return integer(number, vm);
    }
    if let Some(number) = object.downcast_ref_if_exact::<PyFloat>(vm) {
        return Ok(Value::Float(number.to_f64()));
    }
    if let Some(bytes) = object.downcast_ref_if_exact::<PyBytes>(vm) {
        return Ok(Value::Bytes(Rc::from(bytes.as_bytes())));
    }
    if let Some(list) = object.downcast_ref::<PyList>() {
        let items = list.borrow_vec().to_vec();
        return Ok(Value::Array(items.iter().map(|item| to_sql(item, vm)).collect::<PyResult<_>>()?));
    }
    let dumped = module("psycopg._values", vm)?.get_attr("dump", vm)?.call((object.to_owned(),), vm)?;
    let (kind, plain): (String, PyObjectRef) = match dumped.downcast_ref::<PyTuple>().map(|pair| pair.as_slice()) {
        Some([kind, plain]) => (String::try_from_object(vm, kind.clone())?, plain.clone()),
        _ => return Err(vm.new_type_error("psycopg._values.dump gives a pair")),
    };
    match kind.as_str() {
        "plain" => to_sql(&plain, vm),
        "numeric" => {
            let text = String::try_from_object(vm, plain)?;
            text.parse()
                .or_else(|_| rust_decimal::Decimal::from_scientific(&text))
                .map(Value::Numeric)
                .map_err(|_| vm.new_value_error(format!("the database here holds at most 28 digits; {text} has more")))
        }
        "json" => Ok(Value::Json(Rc::from(to_json(&plain, vm)?.to_string()))),
        "json-text" => Ok(Value::Json(Rc::from(String::try_from_object(vm, plain)?))),
        "date" => i32::try_from_object(vm, plain).map(Value::Date),
        "time" => i64::try_from_object(vm, plain).map(Value::Time),
        "timestamp" => i64::try_from_object(vm, plain).map(Value::Timestamp),
        "timestamptz" => i64::try_from_object(vm, plain).map(Value::TimestampTz),
        "interval" => {
            let (days, micros) = match plain.downcast_ref::<PyTuple>().map(|pair| pair.as_slice()) {
                Some([days, micros]) => (days.clone(), micros.clone()),
                _ => return Err(vm.new_type_error("an interval is dumped as days and microseconds")),
            };
            Ok(Value::Interval {
                months: 0,
                days: i32::try_from_object(vm, days)?,
                micros: i64::try_from_object(vm, micros)?,
            })
        }
        "uuid" => u128::try_from_object(vm, plain).map(Value::Uuid),
        other => Err(vm.new_type_error(format!("psycopg._values.dump gave an unknown kind, {other}"))),
    }
}

pub fn from_json(value: &Json, vm: &VirtualMachine) -> PyObjectRef {
    match value {
        Json::Null => vm.ctx.none(),
        Json::Bool(value) => vm.ctx.new_bool(*value).into(),
        Json::Number(number) => {
            if let Some(number) = number.as_i64() {
                vm.ctx.new_int(number).into()
            } else if let Some(number) = number.as_u64() {
                vm.ctx.new_int(number).into()
            } else {
                vm.ctx.new_float(number.as_f64().unwrap_or(f64::NAN)).into()
            }
        }
        Json::String(text) => vm.ctx.new_str(text.as_str()).into(),
        Json::Array(items) => vm.ctx.new_list(items.iter().map(|item| from_json(item, vm)).collect()).into(),
        Json::Object(fields) => {
            let dict = vm.ctx.new_dict();
            for (name, field) in fields {
                dict.set_item(name.as_str(), from_json(field, vm), vm).expect("a dict takes any string");
            }
            dict.into()
        }
    }
}

/// What FastAPI's encoder would send: a TypeError names what JSON cannot hold.
pub fn to_json(object: &PyObject, vm: &VirtualMachine) -> PyResult<Json> {
    nested_json(object, 0, vm)
}

fn nested_json(object: &PyObject, depth: usize, vm: &VirtualMachine) -> PyResult<Json> {
    if depth > 100 {
        return Err(vm.new_value_error("the answer is nested more than 100 levels deep, or holds itself"));
    }
    if vm.is_none(object) {
        return Ok(Json::Null);
    }
    if let Some(text) = object.downcast_ref::<PyStr>() {
        return Ok(Json::String(text.to_string_lossy().into_owned()));
    }
    if object.class().is(vm.ctx.types.bool_type) {
        return Ok(Json::Bool(object.is(&vm.ctx.true_value)));
    }
    if let Some(number) = object.downcast_ref::<PyInt>() {
        return Ok(match number.try_to_primitive::<i64>(vm) {
            Ok(number) => Json::from(number),
            Err(_) => Json::String(number.as_bigint().to_string()),
        });
    }
    if let Some(number) = object.downcast_ref::<PyFloat>() {
        return Number::from_f64(number.to_f64())
            .map(Json::Number)
            .ok_or_else(|| vm.new_value_error("Out of range float values are not JSON compliant"));
    }
    if let Some(list) = object.downcast_ref::<PyList>() {
        let items = list.borrow_vec().to_vec();
        return items.iter().map(|item| nested_json(item, depth + 1, vm)).collect::<PyResult<_>>().map(Json::Array);
    }
    if let Some(tuple) = object.downcast_ref::<PyTuple>() {
        let items = tuple.as_slice().iter();
        return items.map(|item| nested_json(item, depth + 1, vm)).collect::<PyResult<_>>().map(Json::Array);
    }
    if let Some(dict) = object.downcast_ref::<PyDict>() {
        let mut fields = Map::new();
        for (name, field) in dict {
            let name = match name.downcast_ref::<PyStr>() {
                Some(name) => name.to_string_lossy().into_owned(),
                None => name.str(vm)?.to_string_lossy().into_owned(),
            };
            fields.insert(name, nested_json(&field, depth + 1, vm)?);
        }
        return Ok(Json::Object(fields));
    }
    let plain = module("_jsonable", vm)?.get_attr("plain", vm)?.call((object.to_owned(),), vm)?;
    nested_json(&plain, depth + 1, vm)
}

/// Imports a module; for a dotted name the last one, where `vm.import` gives the package.
pub fn module(name: &str, vm: &VirtualMachine) -> PyResult {
    vm.import(&vm.ctx.new_str(name), 0)?;
    vm.sys_module.get_attr("modules", vm)?.get_item(name, vm)
}

fn integer(number: &Py<PyInt>, vm: &VirtualMachine) -> PyResult<Value> {
    if let Ok(small) = number.try_to_primitive::<i64>(vm) {
        return Ok(Value::Int(small));
    }
    number
        .as_bigint()
        .to_string()
        .parse()
        .map(Value::Numeric)
        .map_err(|_| vm.new_value_error("the database here holds numbers of at most 28 digits"))
}
