//! What the library in `lib/` is built on: the module `_twoam`, and the state of the run behind it.
//!
//! It never knows what a task, a connection or a transaction is: those are Python.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use rustpython_vm::{PyObjectRef, PyRef, PyResult, VirtualMachine, frame};

use super::placeholders::PostgresQuery;
use super::{Effect, SourcePosition, raised};
use crate::trace::{CallId, LogLevel, Micros, ResultColumn};

pub(crate) use module::module_def;
pub use module::{AwaitableCall, CoroutineStepper, TaskOrigin};

/// The part of an interpreter that is not Python.
pub struct BridgeState {
    /// Virtual time of the batch that runs, and what `time.sleep` has added to it since.
    pub now: Cell<Micros>,
    pub epoch_us: i64,
    pub random: RefCell<ChaCha8Rng>,
    pub effects: RefCell<Vec<Effect>>,
    /// What tasks stand at, by call.
    pub pending: RefCell<BTreeMap<CallId, PyRef<AwaitableCall>>>,
    next_call: Cell<u32>,
    /// What runs before the batch is over, first in first out.
    pub ready: RefCell<VecDeque<Ready>>,
    /// The task whose step runs, and whom it acts for. The latter stays until the next step.
    running: RefCell<Option<PyObjectRef>>,
    origin: RefCell<Option<PyRef<TaskOrigin>>>,
    /// The handlers' own files and their latest text.
    pub sources: RefCell<BTreeMap<Rc<str>, Rc<str>>>,
    /// Statements by text: placeholders are looked for once.
    with_places: RefCell<FxHashMap<String, Rc<CachedStatement>>>,
    verbatim: RefCell<FxHashMap<String, Rc<CachedStatement>>>,
    classes: RefCell<Classes>,
}

/// What became ready.
pub enum Ready {
    Step(PyRef<CoroutineStepper>, Option<PyObjectRef>),
    Callback(PyObjectRef, PyObjectRef),
}

/// A statement, and the Python form of the columns it gave last.
#[derive(Debug)]
pub struct CachedStatement {
    pub query: PostgresQuery,
    pub columns: RefCell<Option<(Rc<[ResultColumn]>, PyObjectRef)>>,
}

/// Exceptions Python defines and this side raises.
#[derive(Default)]
struct Classes {
    sql_error: Option<PyObjectRef>,
    programming_error: Option<PyObjectRef>,
    pool_timeout: Option<PyObjectRef>,
    endless_loop: Option<PyObjectRef>,
    cancelled: Option<PyObjectRef>,
}

thread_local! {
    static CURRENT: RefCell<Vec<Rc<BridgeState>>> = const { RefCell::new(Vec::new()) };
}

impl BridgeState {
    pub fn new(seed: u64, epoch_us: i64) -> BridgeState {
        BridgeState {
            now: Cell::new(0),
            epoch_us,
            random: RefCell::new(ChaCha8Rng::seed_from_u64(seed)),
            effects: RefCell::default(),
            pending: RefCell::default(),
            next_call: Cell::new(0),
            ready: RefCell::default(),
            running: RefCell::default(),
            origin: RefCell::default(),
            sources: RefCell::default(),
            with_places: RefCell::default(),
            verbatim: RefCell::default(),
            classes: RefCell::default(),
        }
    }

    /// Makes this the state `_twoam` works on while `f` runs.
    pub fn current_during<R>(self: &Rc<BridgeState>, f: impl FnOnce() -> R) -> R {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(|states| states.pop());
            }
        }
        CURRENT.with_borrow_mut(|states| states.push(self.clone()));
        let _leave = Leave;
        f()
    }

    pub fn forget_objects(&self) {
        drop(self.pending.take());
        drop(self.ready.take());
        drop(self.origin.take());
        drop(self.with_places.take());
        drop(self.verbatim.take());
        drop(self.classes.take());
    }

    pub fn start_over(&self, seed: u64) {
        *self.random.borrow_mut() = ChaCha8Rng::seed_from_u64(seed);
        self.next_call.set(0);
        self.effects.borrow_mut().clear();
        self.ready.borrow_mut().clear();
    }

    pub fn emit(&self, effect: Effect) {
        self.effects.borrow_mut().push(effect);
    }

    /// Runs what is ready, and what becomes ready by it, in order.
    pub fn run_ready(&self, vm: &VirtualMachine) -> PyResult<()> {
        loop {
            let next = self.ready.borrow_mut().pop_front();
            match next {
                None => return Ok(()),
                Some(Ready::Step(stepper, exception)) => module::step(&stepper, exception, vm)?,
                Some(Ready::Callback(function, argument)) => {
                    if let Err(error) = function.call((argument,), vm) {
                        let told = raised::describe(&error, vm);
                        self.log(LogLevel::Error, format!("Exception in callback\n{}", told.traceback.trim_end()));
                    }
                }
            }
        }
    }

    /// A line beside the request that runs; nothing when none does.
    fn log(&self, level: LogLevel, text: String) {
        let origin = self.origin.borrow().clone();
        if let (Some(origin), Some(position)) = (origin, self.here()) {
            self.emit(Effect::Logged { request: origin.request, level, text, position });
        }
    }

    pub fn leave_step(&self) -> Option<PyRef<TaskOrigin>> {
        self.origin.take()
    }

    pub fn pool_timeout(&self, vm: &VirtualMachine) -> PyResult {
        let class = self.classes.borrow().pool_timeout.clone();
        class
            .ok_or_else(|| vm.new_runtime_error("psycopg_pool is not loaded"))?
            .call(("couldn't get a connection in time",), vm)
    }

    pub fn sql_error_class(&self, vm: &VirtualMachine) -> PyResult {
        let class = self.classes.borrow().sql_error.clone();
        class.ok_or_else(|| vm.new_runtime_error("psycopg is not loaded"))
    }

    /// The innermost line of a handler's own file that runs right now.
    pub fn handler_position(&self) -> Option<SourcePosition> {
        let mut frame = frame::current_thread_iframe();
        while !frame.is_null() {
            // SAFETY: the chain starts at the frame that calls us and each link is a frame that waits for the one
            // before it, so all of them are alive until this call returns. Nothing is kept.
            let (code, next, lasti) = unsafe { ((*frame).code(), (*frame).previous(), (*frame).get_lasti()) };
            let file = code.source_path().as_str();
            if !file.starts_with('<')
                && let Some((file, _)) = self.sources.borrow().get_key_value(file)
            {
                // `lasti` is one past the instruction that runs.
                let place = code.locations.get((lasti as usize).saturating_sub(1));
                return Some(SourcePosition {
                    file: file.clone(),
                    line: place.map_or(1, |(start, _)| start.line.get() as u32),
                });
            }
            frame = next;
        }
        None
    }

    fn here(&self) -> Option<SourcePosition> {
        self.handler_position().or_else(|| self.origin.borrow().as_ref().map(|origin| origin.definition.clone()))
    }
}

/// `#[pyclass]` asks for this flag in builds with debug assertions, and the interpreter has it only when it is built
/// with them too; dependencies are not.
#[cfg(debug_assertions)]
pub(super) trait DebugFlags {
    const _CREATED_WITH_FLAGS: u8 = 63;
}

#[cfg(debug_assertions)]
impl DebugFlags for rustpython_vm::types::PyTypeFlags {}

/// The state of the interpreter that is running.
pub fn state() -> Rc<BridgeState> {
    CURRENT.with_borrow(|states| states.last().cloned()).expect("Python runs only inside BridgeState::current_during")
}

#[rustpython_vm::pymodule(name = "_twoam")]
mod module {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use rand::RngCore;
    use rustpython_vm::{
        AsObject, Py, PyObjectRef, PyPayload, PyRef, PyResult, TryFromObject, VirtualMachine,
        builtins::{PyBaseExceptionRef, PyBytesRef, PyCode, PyCoroutine, PyDict, PyList, PyStr, PyStrRef, PyTuple},
        convert::ToPyObject,
        function::{ArgIntoFloat, OptionalArg},
        protocol::PyIterReturn,
        pyclass,
        types::{IterNext, Iterable, SelfIter},
    };

    use super::super::placeholders::{Placeholders, PostgresQuery};
    use super::super::{Effect, SourcePosition, library, limits, raised, values};
    #[cfg(debug_assertions)]
    use super::DebugFlags;
    use super::{CachedStatement, Ready, state};
    use crate::trace::{Call, CallId, LogLevel, Micros, ProcessId, RequestId, Server, SessionId};

    #[pyattr]
    const COUNTER: &str = limits::COUNTER;

    /// Whom a task acts for.
    #[pyattr]
    #[pyclass(name = "Origin", module = "_twoam")]
    #[derive(Debug, PyPayload)]
    pub struct TaskOrigin {
        pub request: RequestId,
        pub process: ProcessId,
        /// The handler's `def`, for what happens outside of its own lines.
        pub definition: SourcePosition,
    }

    #[pyclass]
    impl TaskOrigin {}

    /// One call to the world, awaited once. The task stands at it until the simulation answers.
    #[pyattr]
    #[pyclass(name = "Wait", module = "_twoam")]
    #[derive(Debug, PyPayload)]
    pub struct AwaitableCall {
        body: RefCell<Option<Call>>,
        pub statement: Option<Rc<CachedStatement>>,
        position: RefCell<Option<SourcePosition>>,
        stage: Cell<AwaitStage>,
        call: Cell<Option<CallId>>,
        pub origin: RefCell<Option<PyRef<TaskOrigin>>>,
        /// The task, or the handle of a timer, that the answer is for.
        pub waiter: RefCell<Option<PyObjectRef>>,
        pub answer: RefCell<Option<PyResult>>,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum AwaitStage {
        New,
        Awaited,
        Done,
    }

    #[pyclass(with(IterNext, Iterable))]
    impl AwaitableCall {
        fn to(body: Call, statement: Option<Rc<CachedStatement>>) -> AwaitableCall {
            AwaitableCall {
                body: RefCell::new(Some(body)),
                statement,
                position: RefCell::default(),
                stage: Cell::new(AwaitStage::New),
                call: Cell::new(None),
                origin: RefCell::default(),
                waiter: RefCell::default(),
                answer: RefCell::default(),
            }
        }

        #[pymethod]
        fn __await__(zelf: PyRef<Self>) -> PyRef<Self> {
            zelf
        }
    }

    impl SelfIter for AwaitableCall {}

    impl IterNext for AwaitableCall {
        fn next(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyIterReturn> {
            match zelf.stage.get() {
                AwaitStage::New => {
                    zelf.stage.set(AwaitStage::Awaited);
                    *zelf.position.borrow_mut() = state().here();
                    Ok(PyIterReturn::Return(zelf.to_owned().into()))
                }
                AwaitStage::Awaited => {
                    zelf.stage.set(AwaitStage::Done);
                    match zelf.answer.take() {
                        Some(Ok(value)) => Ok(PyIterReturn::StopIteration(Some(value))),
                        Some(Err(raised)) => Err(raised),
                        None => Err(vm.new_runtime_error("the call was resumed before it was answered")),
                    }
                }
                AwaitStage::Done => Err(vm.new_runtime_error("cannot reuse already awaited call")),
            }
        }
    }

    /// Sends the call: its answer is for `waiter`.
    fn send(
        wait: PyRef<AwaitableCall>,
        origin: PyRef<TaskOrigin>,
        waiter: PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let state = state();
        let Some(body) = wait.body.take() else {
            return Err(vm.new_runtime_error("cannot reuse already awaited call"));
        };
        let call = CallId(state.next_call.get());
        state.next_call.set(call.0 + 1);
        wait.call.set(Some(call));
        *wait.waiter.borrow_mut() = Some(waiter);
        let position =
            wait.position.take().or_else(|| state.handler_position()).unwrap_or_else(|| origin.definition.clone());
        state.emit(Effect::Called { request: origin.request, call, position, body });
        *wait.origin.borrow_mut() = Some(origin);
        state.pending.borrow_mut().insert(call, wait);
        Ok(())
    }

    /// A row as a dict. Python's `dict(zip(...))` costs several times as much here.
    #[pyfunction]
    fn named(names: PyRef<PyList>, values: PyRef<PyTuple>, vm: &VirtualMachine) -> PyResult<PyRef<PyDict>> {
        dict_of(&names.borrow_vec(), &values, vm)
    }

    /// All rows of a result as dicts, by its columns' descriptions.
    #[pyfunction]
    fn dicts(columns: PyRef<PyTuple>, rows: PyRef<PyList>, vm: &VirtualMachine) -> PyResult<PyRef<PyList>> {
        let name = |column: &PyObjectRef| Some(column.downcast_ref::<PyTuple>()?.as_slice().first()?.clone());
        let names: Vec<PyObjectRef> = columns.as_slice().iter().filter_map(name).collect();
        let rows = rows.borrow_vec();
        let values = rows.iter().filter_map(|row| row.downcast_ref::<PyTuple>());
        let dicts = values.map(|values| Ok(dict_of(&names, values, vm)?.into())).collect::<PyResult<Vec<_>>>()?;
        Ok(vm.ctx.new_list(dicts))
    }

    fn dict_of(names: &[PyObjectRef], values: &PyTuple, vm: &VirtualMachine) -> PyResult<PyRef<PyDict>> {
        let row = vm.ctx.new_dict();
        for (name, value) in names.iter().zip(values.as_slice()) {
            row.set_item(&**name, value.clone(), vm)?;
        }
        Ok(row)
    }

    /// A clock that rings `handle`.
    #[pyfunction]
    fn start_timer(wait: PyRef<AwaitableCall>, handle: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        match entered() {
            Some(origin) => send(wait, origin, handle, vm),
            None => Err(vm.new_runtime_error("no running event loop")),
        }
    }

    /// Steps one coroutine from await to await. What it stands at is here, where a step costs no Python.
    #[pyattr]
    #[pyclass(name = "Stepper", module = "_twoam")]
    #[derive(Debug, PyPayload)]
    pub struct CoroutineStepper {
        coroutine: RefCell<Option<PyObjectRef>>,
        pub origin: RefCell<Option<PyRef<TaskOrigin>>>,
        /// The task that is told how it ends; gone once it has.
        task: RefCell<Option<PyObjectRef>>,
        /// An `AwaitableCall` or a future.
        waits: RefCell<Option<PyObjectRef>>,
        must_cancel: Cell<bool>,
    }

    #[pyclass]
    impl CoroutineStepper {
        #[pygetset]
        fn coroutine(zelf: &Py<Self>) -> Option<PyObjectRef> {
            zelf.coroutine.borrow().clone()
        }

        #[pygetset]
        fn origin(zelf: &Py<Self>) -> Option<PyRef<TaskOrigin>> {
            zelf.origin.borrow().clone()
        }

        #[pygetset(setter)]
        fn set_origin(zelf: &Py<Self>, origin: PyRef<TaskOrigin>) {
            *zelf.origin.borrow_mut() = Some(origin);
        }

        #[pygetset]
        fn waits(zelf: &Py<Self>) -> Option<PyObjectRef> {
            zelf.waits.borrow().clone()
        }

        #[pygetset(setter)]
        fn set_waits(zelf: &Py<Self>, waits: Option<PyObjectRef>) {
            *zelf.waits.borrow_mut() = waits;
        }

        #[pygetset]
        fn must_cancel(zelf: &Py<Self>) -> bool {
            zelf.must_cancel.get()
        }

        #[pygetset(setter)]
        fn set_must_cancel(zelf: &Py<Self>, must: bool) {
            zelf.must_cancel.set(must);
        }
    }

    /// A stepper whose first step is ready.
    #[pyfunction]
    fn stepper(coroutine: PyObjectRef, task: PyObjectRef) -> PyRef<CoroutineStepper> {
        let state = state();
        let stepper = CoroutineStepper {
            coroutine: RefCell::new(Some(coroutine)),
            origin: RefCell::new(state.origin.borrow().clone()),
            task: RefCell::new(Some(task)),
            waits: RefCell::default(),
            must_cancel: Cell::new(false),
        };
        let stepper = stepper.into_ref(rustpython_vm::Context::genesis());
        state.ready.borrow_mut().push_back(Ready::Step(stepper.clone(), None));
        stepper
    }

    #[pyfunction]
    fn step_soon(stepper: PyRef<CoroutineStepper>, exception: Option<PyObjectRef>) {
        state().ready.borrow_mut().push_back(Ready::Step(stepper, exception));
    }

    #[pyfunction]
    fn step_now(stepper: PyRef<CoroutineStepper>, vm: &VirtualMachine) -> PyResult<()> {
        step(&stepper, None, vm)
    }

    #[pyfunction]
    fn soon(function: PyObjectRef, argument: PyObjectRef) {
        state().ready.borrow_mut().push_back(Ready::Callback(function, argument));
    }

    /// The task that runs.
    #[pyfunction]
    fn running() -> Option<PyObjectRef> {
        state().running.borrow().clone()
    }

    pub(super) fn step(
        stepper: &PyRef<CoroutineStepper>,
        exception: Option<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        // A task without an await must not run for ever by waiting for itself.
        const ROUNDS_A_STEP: u32 = 50;
        let (Some(task), Some(coroutine)) = (stepper.task.borrow().clone(), stepper.coroutine.borrow().clone()) else {
            return Ok(());
        };
        let state = state();
        let mut exception = exception;
        if stepper.must_cancel.replace(false) && !exception.as_ref().is_some_and(|given| is_cancelled(given, vm)) {
            exception = Some(vm.call_method(&task, "_cancelled_error", ())?);
        }
        if !limits::spend(ROUNDS_A_STEP) {
            exception = Some(endless(vm).into());
        }
        stepper.waits.take();
        *state.origin.borrow_mut() = stepper.origin.borrow().clone();
        let outer = state.running.replace(Some(task.clone()));
        let outcome = match (exception, coroutine.downcast_ref::<PyCoroutine>()) {
            (None, Some(known)) => known.as_coro().send(&coroutine, vm.ctx.none(), vm),
            (None, None) => PyIterReturn::from_pyresult(vm.call_method(&coroutine, "send", (vm.ctx.none(),)), vm),
            (Some(given), _) => PyIterReturn::from_pyresult(vm.call_method(&coroutine, "throw", (given,)), vm),
        };
        let told = match outcome {
            Ok(PyIterReturn::Return(awaited)) => stand_at(stepper, awaited, &task, vm),
            Ok(PyIterReturn::StopIteration(value)) => {
                ended(stepper);
                vm.call_method(&task, "_returned", (value.unwrap_or_else(|| vm.ctx.none()),)).map(|_| ())
            }
            Err(raised) => {
                ended(stepper);
                vm.call_method(&task, "_raised", (raised,)).map(|_| ())
            }
        };
        *state.running.borrow_mut() = outer;
        told
    }

    fn ended(stepper: &CoroutineStepper) {
        stepper.task.take();
        stepper.coroutine.take();
    }

    fn stand_at(
        stepper: &PyRef<CoroutineStepper>,
        awaited: PyObjectRef,
        task: &PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        match awaited.downcast::<AwaitableCall>() {
            Ok(wait) => {
                let Some(origin) = stepper.origin.borrow().clone() else {
                    return Err(vm.new_runtime_error("a task of no request cannot call anything"));
                };
                send(wait.clone(), origin, stepper.clone().into(), vm)?;
                *stepper.waits.borrow_mut() = Some(wait.clone().into());
                if stepper.must_cancel.replace(false) {
                    stepper.waits.take();
                    drop(wait);
                    let cancelled = vm.call_method(task, "_cancelled_error", ())?;
                    step_soon(stepper.clone(), Some(cancelled));
                }
                Ok(())
            }
            Err(nothing) if vm.is_none(&nothing) => {
                step_soon(stepper.clone(), None);
                Ok(())
            }
            Err(other) => vm.call_method(task, "_stand_at", (other,)).map(|_| ()),
        }
    }

    fn is_cancelled(exception: &PyObjectRef, vm: &VirtualMachine) -> bool {
        let class = state().classes.borrow().cancelled.clone();
        class.is_some_and(|class| exception.is_instance(&class, vm).unwrap_or(false))
    }

    /// Nobody wants the answer any more.
    #[pyfunction]
    fn drop(wait: PyRef<AwaitableCall>) {
        let state = state();
        if let Some(call) = wait.call.take()
            && state.pending.borrow_mut().remove(&call).is_some()
            && let Some(origin) = wait.origin.take()
        {
            state.emit(Effect::Cancelled { request: origin.request, call });
        }
        wait.waiter.take();
    }

    #[pyfunction]
    fn sql_wait(session: u32, query: PyObjectRef, params: PyObjectRef, vm: &VirtualMachine) -> PyResult<AwaitableCall> {
        let query = match query.downcast::<PyStr>() {
            Ok(text) => text,
            Err(other) => match other.downcast_ref::<rustpython_vm::builtins::PyBytes>() {
                Some(bytes) => vm.ctx.new_str(String::from_utf8_lossy(bytes.as_bytes()).into_owned()),
                None if vm.get_attribute_opt(&other, "as_string")?.is_some() => {
                    PyStrRef::try_from_object(vm, vm.call_method(&other, "as_string", ())?)?
                }
                None => {
                    return Err(vm.new_type_error(format!(
                        "the query should be a string, bytes or sql.Composable, got {}",
                        other.class().name()
                    )));
                }
            },
        };
        let Some(text) = query.to_str() else {
            return Err(vm.new_value_error("a surrogate in a statement cannot be sent as UTF-8"));
        };
        let state = state();
        let bare = vm.is_none(&params);
        let known = if bare { &state.verbatim } else { &state.with_places };
        let found = known.borrow().get(text).cloned();
        let statement = match found {
            Some(statement) => statement,
            None => {
                let query = if bare { Ok(PostgresQuery::verbatim(text)) } else { PostgresQuery::parse(text) };
                let query = query.map_err(|message| programming_error(&message, vm))?;
                let statement = Rc::new(CachedStatement { query, columns: RefCell::default() });
                let mut known = known.borrow_mut();
                // A handler that writes values into its texts makes a new one each time.
                if known.len() >= 4096 {
                    known.clear();
                }
                known.insert(text.to_owned(), statement.clone());
                statement
            }
        };
        let params = if bare { Vec::new() } else { bind(&statement.query, &params, vm)? };
        let body = Call::Sql {
            session: SessionId(session),
            sql: statement.query.sql.clone(),
            text: statement.query.text.clone(),
            params,
        };
        Ok(AwaitableCall::to(body, Some(statement)))
    }

    fn bind(query: &PostgresQuery, params: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<crate::trace::Value>> {
        let given = if let Some(tuple) = params.downcast_ref::<PyTuple>() {
            tuple.as_slice().to_vec()
        } else if let Some(list) = params.downcast_ref::<PyList>() {
            list.borrow_vec().to_vec()
        } else if let Some(dict) = params.downcast_ref::<PyDict>() {
            return match &query.takes {
                Placeholders::Places(0) => Ok(Vec::new()),
                Placeholders::Places(_) => {
                    Err(vm.new_type_error("positional placeholders (%s) require a sequence of parameters"))
                }
                Placeholders::Names(names) => names
                    .iter()
                    .map(|name| match dict.get_item_opt(name.as_str(), vm)? {
                        Some(value) => values::to_sql(&value, vm),
                        None => Err(programming_error(&format!("query parameter missing: {name}"), vm)),
                    })
                    .collect(),
            };
        } else {
            return Err(vm.new_type_error(format!(
                "query parameters should be a sequence or a mapping, got {}",
                params.class().name()
            )));
        };
        match &query.takes {
            Placeholders::Names(_) => Err(vm.new_type_error("named placeholders require a mapping of parameters")),
            Placeholders::Places(count) if *count != given.len() => Err(programming_error(
                &format!("the query has {count} placeholders but {} parameters were passed", given.len()),
                vm,
            )),
            Placeholders::Places(_) => given.iter().map(|value| values::to_sql(value, vm)).collect(),
        }
    }

    fn programming_error(message: &str, vm: &VirtualMachine) -> PyBaseExceptionRef {
        let class = state().classes.borrow().programming_error.clone();
        match class.map(|class| class.call((message.to_owned(),), vm)) {
            Some(Ok(error)) => PyBaseExceptionRef::try_from_object(vm, error)
                .unwrap_or_else(|_| vm.new_value_error(message.to_owned())),
            _ => vm.new_value_error(message.to_owned()),
        }
    }

    #[pyfunction]
    fn acquire_wait(timeout: Option<ArgIntoFloat>, replica: OptionalArg<bool>) -> AwaitableCall {
        let server = if replica.unwrap_or(false) { Server::Replica } else { Server::Primary };
        AwaitableCall::to(
            Call::Acquire { server, timeout_us: timeout.map(|seconds| micros(seconds.into_float())) },
            None,
        )
    }

    #[pyfunction]
    fn release_wait(session: u32) -> AwaitableCall {
        AwaitableCall::to(Call::Release { session: SessionId(session) }, None)
    }

    #[pyfunction]
    fn sleep_wait(seconds: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<AwaitableCall> {
        let seconds = seconds.into_float();
        if seconds.is_nan() {
            return Err(vm.new_value_error("Invalid delay: NaN (not a number)"));
        }
        Ok(AwaitableCall::to(Call::Sleep { us: micros(seconds) }, None))
    }

    #[pyfunction]
    fn timer_wait(seconds: ArgIntoFloat) -> AwaitableCall {
        AwaitableCall::to(Call::Timer { us: micros(seconds.into_float()) }, None)
    }

    #[pyfunction]
    fn service_wait(
        service: String,
        method: String,
        arguments: PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<AwaitableCall> {
        let arguments = values::to_json(&arguments, vm)?;
        Ok(AwaitableCall::to(Call::Service { service, method, arguments }, None))
    }

    fn micros(seconds: f64) -> Micros {
        (seconds.max(0.0) * 1e6).round() as Micros
    }

    /// What follows is for `origin`.
    #[pyfunction]
    fn enter(origin: Option<PyRef<TaskOrigin>>) {
        *state().origin.borrow_mut() = origin;
    }

    /// One round of a loop, or one call of a function, of a handler.
    #[pyfunction]
    fn round(vm: &VirtualMachine) -> PyResult<()> {
        if limits::spend(1) { Ok(()) } else { Err(endless(vm)) }
    }

    fn endless(vm: &VirtualMachine) -> PyBaseExceptionRef {
        let message = format!(
            "stopped after {} rounds of loops without waiting for anything: is there an endless loop?",
            limits::ROUNDS_MAX
        );
        let class = state().classes.borrow().endless_loop.clone();
        match class.map(|class| class.call((message.clone(),), vm)) {
            Some(Ok(error)) => {
                PyBaseExceptionRef::try_from_object(vm, error).unwrap_or_else(|_| vm.new_runtime_error(message))
            }
            _ => vm.new_runtime_error(message),
        }
    }

    #[pyfunction]
    fn loop_errors(endless_loop: PyObjectRef, cancelled: PyObjectRef) {
        let state = state();
        let mut classes = state.classes.borrow_mut();
        classes.endless_loop = Some(endless_loop);
        classes.cancelled = Some(cancelled);
    }

    #[pyfunction]
    fn entered() -> Option<PyRef<TaskOrigin>> {
        state().origin.borrow().clone()
    }

    #[pyfunction]
    fn finish(origin: PyRef<TaskOrigin>, result: PyObjectRef, vm: &VirtualMachine) {
        let outcome = values::to_json(&result, vm).map_err(|error| raised::describe(&error, vm));
        state().emit(Effect::Finished { request: origin.request, outcome });
    }

    #[pyfunction]
    fn failed(origin: PyRef<TaskOrigin>, exception: PyBaseExceptionRef, vm: &VirtualMachine) {
        let outcome = Err(raised::describe(&exception, vm));
        state().emit(Effect::Finished { request: origin.request, outcome });
    }

    #[pyfunction]
    fn log(level: i32, text: PyStrRef) {
        let level = match level {
            40.. => LogLevel::Error,
            30..40 => LogLevel::Warning,
            20..30 => LogLevel::Info,
            _ => LogLevel::Debug,
        };
        state().log(level, text.to_string_lossy().into_owned());
    }

    /// `time.sleep`: the process does nothing else for so long.
    #[pyfunction]
    fn block(seconds: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<()> {
        let seconds = seconds.into_float();
        if seconds.is_nan() || seconds < 0.0 {
            return Err(vm.new_value_error("sleep length must be non-negative"));
        }
        let state = state();
        let origin = state.origin.borrow().clone();
        let (Some(origin), Some(position)) = (origin, state.here()) else {
            return Err(vm.new_runtime_error("time.sleep() works inside a handler only, not while its module loads"));
        };
        let us = micros(seconds);
        state.emit(Effect::Blocked { request: origin.request, us, position });
        state.now.set(state.now.get() + us);
        Ok(())
    }

    /// Virtual seconds since the run began.
    #[pyfunction]
    fn monotonic() -> f64 {
        state().now.get() as f64 / 1e6
    }

    #[pyfunction]
    fn monotonic_ns() -> u64 {
        state().now.get() * 1000
    }

    /// Virtual microseconds since 1970.
    #[pyfunction]
    fn wall_us() -> i64 {
        let state = state();
        state.epoch_us + state.now.get() as i64
    }

    #[pyfunction]
    fn random_bytes(count: usize, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        if count > 1 << 20 {
            return Err(vm.new_value_error("at most a mebibyte of random bytes at once"));
        }
        let mut bytes = vec![0; count];
        state().random.borrow_mut().fill_bytes(&mut bytes);
        Ok(vm.ctx.new_bytes(bytes))
    }

    /// A library module's code and whether it is a package; None when there is no such module.
    #[pyfunction]
    fn library_code(name: PyStrRef, vm: &VirtualMachine) -> PyResult<Option<(PyRef<PyCode>, bool)>> {
        name.to_str().map_or(Ok(None), |name| library::code(name, vm))
    }

    #[pyfunction]
    fn source_line(file: PyStrRef, line: usize, vm: &VirtualMachine) -> PyObjectRef {
        let state = state();
        let sources = state.sources.borrow();
        let text = file.to_str().and_then(|file| sources.get(file));
        text.and_then(|text| text.lines().nth(line.saturating_sub(1)))
            .map(|line| line.trim().to_owned())
            .to_pyobject(vm)
    }

    #[pyfunction]
    fn connect_errors(sql_error: PyObjectRef, programming_error: PyObjectRef) {
        let state = state();
        let mut classes = state.classes.borrow_mut();
        classes.sql_error = Some(sql_error);
        classes.programming_error = Some(programming_error);
    }

    #[pyfunction]
    fn pool_errors(pool_timeout: PyObjectRef) {
        state().classes.borrow_mut().pool_timeout = Some(pool_timeout);
    }

    /// The names of the modules a handler can import.
    #[pyfunction]
    fn public_modules(vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.new_tuple(library::public().into_iter().map(|name| vm.ctx.new_str(name).into()).collect()).into()
    }
}
