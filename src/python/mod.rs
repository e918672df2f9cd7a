//! Runs handlers: starts one, hands it the answer to what it awaits, tells what it awaits next.
//!
//! It knows which interpreter there is, and is alone in that. It never knows a database, a service or the host's clock.

mod bridge;
#[cfg(target_arch = "wasm32")]
mod entropy;
pub mod library;
mod limits;
mod memory;
mod native;
mod placeholders;
mod raised;
mod values;

use std::rc::Rc;

use rustpython_vm::{
    Interpreter, PyObjectRef, PyPayload, PyResult, Settings, TryFromObject, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyCode, PyDict, PyDictRef, PyFunction, PyStrRef},
    convert::ToPyObject,
    scope::Scope,
};

use crate::trace::{Answer, Call, CallId, LogLevel, Micros, ProcessId, QueryResult, RequestId, ResultColumn, SqlError};
use bridge::{BridgeState, CachedStatement, CoroutineStepper, Ready, TaskOrigin};
pub use memory::PROCESS_BYTES;

/// One interpreter with one event loop for every process of the run.
pub struct Python {
    interpreter: Interpreter,
    state: Rc<BridgeState>,
    handlers: Vec<Handler>,
    library: Library,
}

/// A function of a loaded module and what it is called with.
struct Handler {
    process: ProcessId,
    function: PyObjectRef,
    definition: SourcePosition,
    takes_request: bool,
    /// A client's script: its parameter `client` says which one it is.
    takes_client: bool,
    takes_connection: bool,
    services: Vec<(String, PyObjectRef)>,
}

/// What this side calls of the modules in `lib/`.
struct Library {
    builtins: PyObjectRef,
    start_task: PyObjectRef,
    with_connection: PyObjectRef,
    pool: PyObjectRef,
    /// The pool of connections to the replica.
    replica: PyObjectRef,
}

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
pub struct SourceFile<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

/// What a loaded handler is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HandlerId(pub u32);

impl Python {
    /// Starts an interpreter whose `random`, `uuid` and `secrets` follow `seed` and whose wall clock reads
    /// `epoch_us` (microseconds since 1970) at virtual time 0.
    pub fn new(seed: u64, epoch_us: i64) -> Python {
        let mut settings = Settings::default();
        settings.hash_seed = Some(0);
        settings.install_signal_handlers = false;
        let builder = Interpreter::builder(settings);
        let bridge = bridge::module_def(&builder.ctx);
        let native = native::modules(&builder.ctx);
        let interpreter = builder.add_native_module(bridge).add_native_modules(&native).build();
        let state = Rc::new(BridgeState::new(seed, epoch_us));
        let library = state.current_during(|| {
            interpreter.enter(|vm| {
                Library::load(vm)
                    .unwrap_or_else(|error| panic!("the library starts: {:?}", raised::describe(&error, vm)))
            })
        });
        Python { interpreter, state, handlers: Vec::new(), library }
    }

    /// Runs the module once for `process`, so that its globals are that process's own, and finds `entries` in it.
    /// Handlers loaded before stay as they are.
    pub fn load(
        &mut self,
        process: ProcessId,
        source: SourceFile<'_>,
        entries: &[&str],
    ) -> Result<Vec<HandlerId>, Raised> {
        let file: Rc<str> = Rc::from(source.file);
        self.state.sources.borrow_mut().insert(file.clone(), Rc::from(source.text));
        let first = self.handlers.len() as u32;
        let loaded = self.enter(0, |python, vm| {
            let globals = run_module(&source, &python.library, vm)?;
            entries.iter().map(|entry| find_handler(process, &file, entry, &globals, &python.library, vm)).collect()
        });
        let loaded: Vec<Handler> = loaded?;
        self.state.effects.borrow_mut().clear();
        let last = first + loaded.len() as u32;
        self.handlers.extend(loaded);
        Ok((first..last).map(HandlerId).collect())
    }

    /// Says what keeps a file from compiling, without running it.
    pub fn check(&mut self, source: SourceFile<'_>) -> Result<(), Raised> {
        self.state.sources.borrow_mut().insert(Rc::from(source.file), Rc::from(source.text));
        self.enter(0, |_, vm| limits::compile(source.file, source.text, vm).map(|_| ()))
    }

    /// Begins one request. `arguments` is the handler's `request`; its other parameters are injected by name.
    pub fn start(
        &mut self,
        now: Micros,
        handler: HandlerId,
        request: RequestId,
        arguments: &serde_json::Value,
    ) -> Vec<Effect> {
        let ran = self.enter(now, |python, vm| {
            let handler = &python.handlers[handler.0 as usize];
            let origin = TaskOrigin { request, process: handler.process, definition: handler.definition.clone() };
            let given = vm.ctx.new_dict();
            if handler.takes_request {
                given.set_item("request", values::from_json(arguments, vm), vm)?;
            }
            if handler.takes_client {
                given.set_item("client", values::from_json(arguments, vm), vm)?;
            }
            for (name, service) in &handler.services {
                given.set_item(name.as_str(), service.clone(), vm)?;
            }
            let (function, given) = if handler.takes_connection {
                let wrapped = vm.ctx.new_dict();
                wrapped.set_item("handler", handler.function.clone(), vm)?;
                wrapped.set_item("arguments", given.into(), vm)?;
                (python.library.with_connection.clone(), wrapped)
            } else {
                (handler.function.clone(), given)
            };
            python.library.start_task.call((origin.into_ref(&vm.ctx), function, given), vm)?;
            python.state.run_ready(vm)
        });
        if let Err(raised) = ran {
            self.state.emit(Effect::Finished { request, outcome: Err(raised) });
        }
        self.state.effects.take()
    }

    /// Hands over the answer to one call; ignored when the call was cancelled.
    pub fn answer(&mut self, now: Micros, call: CallId, answer: Answer) -> Vec<Effect> {
        let Some(wait) = self.state.pending.borrow_mut().remove(&call) else {
            return Vec::new();
        };
        let request = wait.origin.borrow().as_ref().map(|origin| origin.request);
        let ran = self.enter(now, |python, vm| {
            let Some(waiter) = wait.waiter.take() else {
                return Ok(());
            };
            *wait.answer.borrow_mut() = Some(taken(answer, wait.statement.as_deref(), &python.state, vm));
            drop(wait);
            match waiter.downcast::<CoroutineStepper>() {
                Ok(stepper) => python.state.ready.borrow_mut().push_back(Ready::Step(stepper, None)),
                Err(handle) => vm.call_method(&handle, "_ring", ()).map(|_| ())?,
            }
            python.state.run_ready(vm)
        });
        if let (Err(raised), Some(request)) = (ran, request) {
            self.state.emit(Effect::Finished { request, outcome: Err(raised) });
        }
        self.state.effects.take()
    }

    /// Forgets all code and whatever runs, and begins its chance again: what comes is as in a new interpreter.
    pub fn start_over(&mut self, seed: u64) {
        // Dropping a coroutine would run its `finally` blocks, as nothing that has been given up does.
        for (_, wait) in self.state.pending.take() {
            std::mem::forget(wait);
        }
        let handlers = std::mem::take(&mut self.handlers);
        let _ = self.enter(0, |_, _| {
            drop(handlers);
            Ok(())
        });
        self.state.start_over(seed);
    }

    /// What the process's memory holds: the interpreter and its libraries, and the globals of the code that runs in it.
    pub fn memory(&self, process: ProcessId) -> u64 {
        // Of code that was loaded several times the newest is what runs.
        let newest = self.handlers.iter().rev().find(|handler| handler.process == process);
        let held = newest.and_then(|handler| {
            self.enter(0, |_, vm| {
                let globals = handler.function.get_attr("__globals__", vm)?;
                Ok(globals.downcast::<PyDict>().map_or(0, |globals| memory::held_by(&globals)))
            })
            .ok()
        });
        memory::PROCESS_BYTES + held.unwrap_or(0)
    }

    /// Forgets every request of a process that was killed; none of its code runs again.
    pub fn abandon(&mut self, process: ProcessId) {
        let mut pending = self.state.pending.borrow_mut();
        let dead: Vec<CallId> = pending
            .iter()
            .filter(|(_, wait)| wait.origin.borrow().as_ref().is_some_and(|origin| origin.process == process))
            .map(|(call, _)| *call)
            .collect();
        for call in dead {
            // Dropping a coroutine would run its `finally` blocks, which a killed process does not.
            std::mem::forget(pending.remove(&call));
        }
        drop(pending);
        // Its memory goes back to the machine.
        let _ = self.enter(0, |python, vm| {
            for handler in python.handlers.iter().filter(|handler| handler.process == process) {
                if let Ok(globals) = handler.function.get_attr("__globals__", vm)?.downcast::<PyDict>() {
                    globals.clear();
                }
            }
            Ok(())
        });
    }

    fn enter<R>(&self, now: Micros, f: impl FnOnce(&Python, &VirtualMachine) -> PyResult<R>) -> Result<R, Raised> {
        self.state.now.set(now);
        limits::refill();
        self.state.current_during(|| {
            self.interpreter.enter(|vm| {
                let result = f(self, vm).map_err(|error| raised::describe(&error, vm));
                drop(self.state.leave_step());
                result
            })
        })
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Python objects may run code when they go, so they go while the interpreter is still there.
        let state = self.state.clone();
        limits::refill();
        state.current_during(|| {
            self.interpreter.enter(|_| {
                state.forget_objects();
                self.handlers.clear();
            });
        });
    }
}

impl Library {
    fn load(vm: &VirtualMachine) -> PyResult<Library> {
        let (code, _) = library::code("_start", vm)?.ok_or_else(|| vm.new_runtime_error("_start is missing"))?;
        let globals = vm.ctx.new_dict();
        globals.set_item("__name__", vm.ctx.new_str("_start").into(), vm)?;
        vm.run_code_obj(code, Scope::with_builtins(None, globals.clone(), vm))?;
        let asyncio = values::module("asyncio", vm)?;
        Ok(Library {
            builtins: globals.get_item("HANDLER_BUILTINS", vm)?,
            start_task: asyncio.get_attr("_start", vm)?,
            with_connection: globals.get_item("with_connection", vm)?,
            pool: globals.get_item("pool", vm)?,
            replica: globals.get_item("replica", vm)?,
        })
    }
}

fn run_module(source: &SourceFile<'_>, library: &Library, vm: &VirtualMachine) -> PyResult<PyDictRef> {
    let code = limits::compile(source.file, source.text, vm)?;
    let name = source.file.rsplit('/').next().unwrap_or(source.file).trim_end_matches(".py");
    let globals = vm.ctx.new_dict();
    globals.set_item("__name__", vm.ctx.new_str(name).into(), vm)?;
    globals.set_item("__file__", vm.ctx.new_str(source.file).into(), vm)?;
    globals.set_item("__builtins__", library.builtins.clone(), vm)?;
    // `dataclasses` and `typing` look a class's module up by its name.
    if !library::public().contains(&name) {
        let module = vm.new_module(name, globals.clone(), None);
        vm.sys_module.get_attr("modules", vm)?.set_item(name, module.into(), vm)?;
    }
    vm.run_code_obj(code, Scope::new(None, globals.clone()))?;
    Ok(globals)
}

fn find_handler(
    process: ProcessId,
    file: &Rc<str>,
    entry: &str,
    globals: &PyDictRef,
    library: &Library,
    vm: &VirtualMachine,
) -> PyResult<Handler> {
    let Some(function) = globals.get_item_opt(entry, vm)? else {
        return Err(
            vm.new_attribute_error(format!("{file} has no handler `{entry}`: add `async def {entry}(conn, request)`"))
        );
    };
    let code = function.get_attr("__code__", vm).ok().and_then(|code| code.downcast::<PyCode>().ok());
    let Some(code) = code.filter(|_| function.downcast_ref::<PyFunction>().is_some()) else {
        return Err(vm.new_type_error(format!("`{entry}` in {file} is not a function")));
    };
    let definition =
        SourcePosition { file: file.clone(), line: code.first_line_number.map_or(1, |line| line.get() as u32) };
    const COROUTINE: u32 = 0x80;
    if code.flags.bits() & COROUTINE == 0 {
        return Err(vm.new_type_error(format!(
            "`{entry}` in {file}, line {}, must be an `async def`: handlers here are asynchronous",
            definition.line
        )));
    }
    let mut handler = Handler {
        process,
        function: function.clone(),
        definition,
        takes_request: false,
        takes_client: false,
        takes_connection: false,
        services: Vec::new(),
    };
    for name in parameters(&function, &code, vm)? {
        match name.as_str() {
            "request" => handler.takes_request = true,
            "client" => handler.takes_client = true,
            "conn" => handler.takes_connection = true,
            "pool" => handler.services.push((name, library.pool.clone())),
            "replica" => handler.services.push((name, library.replica.clone())),
            unknown => {
                if let Some(client) = library::CLIENTS.iter().find(|client| client.parameter == unknown) {
                    handler.services.push((name, client.injected(vm)?));
                    continue;
                }
                return Err(vm.new_type_error(format!(
                    "`{entry}` in {file} has a parameter `{unknown}` nobody can fill in. There are: request, conn, pool, replica, {}",
                    library::Client::parameters()
                )));
            }
        }
    }
    Ok(handler)
}

/// The parameters that have no default value.
fn parameters(function: &PyObjectRef, code: &PyCode, vm: &VirtualMachine) -> PyResult<Vec<String>> {
    let positional = code.arg_count as usize;
    let keyword_only = code.kwonlyarg_count as usize;
    let defaults = function.get_attr("__defaults__", vm)?;
    let defaulted = if vm.is_none(&defaults) { 0 } else { defaults.length(vm)? };
    let keyword_defaults: Option<PyDictRef> = Option::try_from_object(vm, function.get_attr("__kwdefaults__", vm)?)?;
    let mut names = Vec::new();
    for (index, name) in code.varnames.iter().take(positional + keyword_only).enumerate() {
        let name = name.as_str();
        let has_default = if index < positional {
            index >= positional - defaulted
        } else {
            match &keyword_defaults {
                Some(defaults) => defaults.get_item_opt(name, vm)?.is_some(),
                None => false,
            }
        };
        if !has_default {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// What an await gives or raises.
fn taken(answer: Answer, statement: Option<&CachedStatement>, state: &BridgeState, vm: &VirtualMachine) -> PyResult {
    match answer {
        Answer::Done => Ok(vm.ctx.none()),
        Answer::Session(session) => Ok(vm.ctx.new_int(session.0).into()),
        Answer::Rows(results) => {
            let results =
                results.into_iter().map(|result| rows(result, statement, vm)).collect::<PyResult<Vec<_>>>()?;
            Ok(vm.ctx.new_list(results).into())
        }
        Answer::Service(value) => Ok(values::from_json(&value, vm)),
        Answer::SqlError(error) => Err(as_exception(sql_error(error, state, vm)?, vm)?),
        // Nobody answers there, so no client's module has a class for it.
        Answer::NoService { message } => Err(vm.new_lookup_error(message)),
        Answer::ServiceError { service, class, message, body } => {
            let module = library::Client::of_kind(&service).map_or(service.as_str(), |client| client.module);
            let class = values::module(module, vm)?.get_attr(&vm.ctx.new_str(class), vm)?;
            Err(as_exception(class.call((message, values::from_json(&body, vm)), vm)?, vm)?)
        }
        Answer::PoolTimeout => Err(as_exception(state.pool_timeout(vm)?, vm)?),
    }
}

fn as_exception(object: PyObjectRef, vm: &VirtualMachine) -> PyResult<PyBaseExceptionRef> {
    PyBaseExceptionRef::try_from_object(vm, object)
}

fn sql_error(error: SqlError, state: &BridgeState, vm: &VirtualMachine) -> PyResult {
    let fields: Vec<PyObjectRef> = vec![
        error.sqlstate.as_str().to_pyobject(vm),
        error.message.to_pyobject(vm),
        error.detail.to_pyobject(vm),
        error.hint.to_pyobject(vm),
        error.table.to_pyobject(vm),
        error.column.to_pyobject(vm),
        error.constraint.to_pyobject(vm),
        error.position.to_pyobject(vm),
    ];
    state.sql_error_class(vm)?.call(fields, vm)
}

/// (rows, columns, tag, count) of one statement.
fn rows(result: QueryResult, statement: Option<&CachedStatement>, vm: &VirtualMachine) -> PyResult {
    let count = result.row_count.map_or(-1, |count| count as i64);
    let (rows, columns) = match result.columns {
        None => (vm.ctx.none(), vm.ctx.none()),
        Some(columns) => {
            let mut rows = Vec::with_capacity(result.rows.len());
            for row in &result.rows {
                let row = row.iter().map(|value| values::from_sql(value, vm)).collect::<PyResult<Vec<_>>>()?;
                rows.push(vm.ctx.new_tuple(row).into());
            }
            (vm.ctx.new_list(rows).into(), described(columns, statement, vm))
        }
    };
    let tag: PyStrRef = vm.ctx.new_str(result.tag);
    Ok(vm.ctx.new_tuple(vec![rows, columns, tag.into(), vm.ctx.new_int(count).into()]).into())
}

/// (name, type) of each column. A statement gives the same ones each time it runs.
fn described(columns: Rc<[ResultColumn]>, statement: Option<&CachedStatement>, vm: &VirtualMachine) -> PyObjectRef {
    if let Some(statement) = statement
        && let Some((known, described)) = &*statement.columns.borrow()
        && (Rc::ptr_eq(known, &columns) || **known == *columns)
    {
        return described.clone();
    }
    let pairs = columns.iter().map(|column| {
        let name = vm.ctx.new_str(&*column.name).into();
        let sql_type = vm.ctx.new_str(format!("{:?}", column.sql_type).to_lowercase()).into();
        vm.ctx.new_tuple(vec![name, sql_type]).into()
    });
    let described: PyObjectRef = vm.ctx.new_tuple(pairs.collect()).into();
    if let Some(statement) = statement {
        *statement.columns.borrow_mut() = Some((columns, described.clone()));
    }
    described
}
