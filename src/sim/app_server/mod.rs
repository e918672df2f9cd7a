//! The service under test. Each of its processes runs one event loop on one core, has its own copy of the deployed modules and its own
//! pools. Here Python's effects become calls on their way, and answers become turns of the loop.

mod calls;
mod deployments;
mod pool;
mod requests;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::cost;
use super::kernel::Kernel;
use super::message::{AppMessage, ServiceMessage, Turn};
use crate::python::{Effect, Python};
use crate::scenario::ScenarioDocument;
use crate::trace::{Answer, CallId, EventKind, Micros, ProcessId, RequestId, Server, SessionId};
use calls::OpenCall;
use deployments::{Deployment, Worker};
use pool::Pool;
use requests::InFlight;

pub struct AppServer {
    document: Rc<ScenarioDocument>,
    python: Python,
    processes: Vec<Process>,
    /// How many of them serve requests. One more is where scripted clients live.
    servers: usize,
    /// Whose process and pool each connection is.
    connections: BTreeMap<SessionId, (usize, Server)>,
    /// Serves the requests that come now.
    variant: String,
    deployments: BTreeMap<String, Deployment>,
    workers: Vec<Worker>,
    requests: BTreeMap<RequestId, InFlight>,
    calls: BTreeMap<CallId, OpenCall>,
    /// The trace has told that requests are turned away.
    turned_away: bool,
    /// How many processes faults have killed.
    kills: usize,
}

struct Process {
    pool: Pool,
    replica_pool: Pool,
    /// Counts restarts: what was meant for an earlier life is dropped.
    life: u32,
    up: bool,
    /// Its core is taken until then.
    busy_until: Micros,
    /// A `time.sleep` holds the whole loop until then.
    blocked_until: Micros,
}

impl Default for Process {
    fn default() -> Process {
        Process {
            pool: Pool::default(),
            replica_pool: Pool::default(),
            life: 0,
            up: true,
            busy_until: 0,
            blocked_until: 0,
        }
    }
}

impl AppServer {
    pub fn new(document: Rc<ScenarioDocument>, python: Python, kernel: &Kernel) -> AppServer {
        let servers = kernel.amount(&document.simulation.machine.processes).max(1.0) as usize;
        AppServer {
            document,
            python,
            processes: (0..servers).map(|_| Process::default()).collect(),
            servers,
            connections: BTreeMap::new(),
            variant: String::new(),
            deployments: BTreeMap::new(),
            workers: vec![],
            requests: BTreeMap::new(),
            calls: BTreeMap::new(),
            turned_away: false,
            kills: 0,
        }
    }

    /// For the next execution of the same code.
    pub fn into_python(self) -> Python {
        self.python
    }

    pub fn handle(&mut self, message: AppMessage, kernel: &mut Kernel) {
        match message {
            AppMessage::Request(arrival) => self.take_request(arrival, kernel),
            AppMessage::Resend(unanswered) => self.resend(unanswered, kernel),
            AppMessage::Turn { process, life, request, turn } => self.turn(process, life, request, turn, kernel),
            AppMessage::Effects { process, life, effects } => self.effects(process, life, effects, kernel),
            AppMessage::Rung(call) => self.answer(call, Answer::Done, kernel),
            AppMessage::Answer(call, answer) => self.answer(call, answer, kernel),
            AppMessage::StatementAnswered { session, call, outcome, rows_read, rows, database_us, answer } => {
                let request = self.calls.get(&call).map(|open| open.request);
                let kind = EventKind::StatementFinished { call, outcome, rows_read, rows, database_us };
                kernel.record(kind, request, Some(session), None);
                self.answer(call, answer, kernel);
            }
            AppMessage::ServiceAnswered { call, outcome, answer } => {
                self.service_answered(call, outcome, answer, kernel);
            }
            AppMessage::PoolTimeout(call) => self.pool_timeout(call, kernel),
            AppMessage::Connected { process, server, session } => self.connected(process, server, session, kernel),
            AppMessage::ConnectionReturned(session) => self.connection_returned(session, kernel),
            AppMessage::WorkerDue(worker) => self.worker_due(worker, kernel),
            AppMessage::Fail { request, status, body } => self.finish(request, status, body, None, kernel),
            AppMessage::Kill(process) => self.kill(process, kernel),
            AppMessage::KillNext => {
                let victim = self.kills % self.servers;
                self.kills += 1;
                self.kill(victim, kernel);
            }
            AppMessage::Replace(process) => {
                kernel.schedule(kernel.now() + cost::RESTART_US, AppMessage::Restarted(process));
            }
            AppMessage::Restarted(process) => self.restarted(process, kernel),
            AppMessage::WeighMemory => self.weigh_memory(kernel),
        }
    }

    fn take_turn(&mut self, process: usize, cost_us: Micros, request: RequestId, turn: Turn, kernel: &mut Kernel) {
        let state = &mut self.processes[process];
        let done = state.busy_until.max(kernel.now()) + cost_us;
        state.busy_until = done;
        kernel.schedule(done, AppMessage::Turn { process, life: state.life, request, turn });
    }

    fn turn(&mut self, process: usize, life: u32, request: RequestId, turn: Turn, kernel: &mut Kernel) {
        let state = &self.processes[process];
        if state.life != life {
            return;
        }
        if kernel.now() < state.blocked_until {
            return kernel.schedule(state.blocked_until, AppMessage::Turn { process, life, request, turn });
        }
        let effects = match turn {
            Turn::Start { handler, arguments } => self.python.start(kernel.now(), handler, request, &arguments),
            Turn::Answer(call, answer) => {
                if self.calls.remove(&call).is_none() {
                    return;
                }
                self.python.answer(kernel.now(), call, answer)
            }
        };
        self.effects(process, life, effects.into_iter(), kernel);
    }

    fn effects(&mut self, process: usize, life: u32, mut effects: std::vec::IntoIter<Effect>, kernel: &mut Kernel) {
        if self.processes[process].life != life {
            return;
        }
        while let Some(effect) = effects.next() {
            match effect {
                Effect::Called { request, call, position, body } => {
                    let position = kernel.position(&position);
                    self.called(process, request, call, position, body, kernel);
                }
                Effect::Cancelled { call, .. } => self.cancelled(call, kernel),
                Effect::Logged { request, level, text, position } => {
                    let (symbol, position) = (kernel.symbol(&text), kernel.position(&position));
                    kernel.record(EventKind::Logged { level, text: symbol, position }, Some(request), None, None);
                    if process < self.servers {
                        kernel.post(ServiceMessage::Line { request, process, level, text });
                    }
                }
                Effect::Blocked { request, us, position } => {
                    let position = kernel.position(&position);
                    kernel.record(EventKind::Blocked { position, us }, Some(request), None, None);
                    let state = &mut self.processes[process];
                    state.blocked_until = kernel.now() + us;
                    state.busy_until = state.busy_until.max(state.blocked_until);
                    return kernel.schedule(state.blocked_until, AppMessage::Effects { process, life, effects });
                }
                Effect::Finished { request, outcome } => self.finished(request, outcome, kernel),
            }
            if kernel.has_posted() && effects.len() > 0 {
                return kernel.post(AppMessage::Effects { process, life, effects });
            }
        }
    }

    /// The process is gone in an instant: the database rolls back what it left open, its clients get no answer.
    fn kill(&mut self, process: usize, kernel: &mut Kernel) {
        let state = &mut self.processes[process];
        if !state.up {
            return;
        }
        kernel.record(EventKind::ProcessKilled { process: ProcessId(process as u32) }, None, None, None);
        state.up = false;
        state.life += 1;
        state.pool = Pool::default();
        state.replica_pool = Pool::default();
        self.python.abandon(ProcessId(process as u32));
        self.calls.retain(|_, open| open.process != process);
        for (request, _) in self.requests.iter().filter(|(_, request)| request.process == process) {
            kernel.post(AppMessage::Fail { request: *request, status: 502, body: "the process died" });
        }
        self.drop_connections(process, kernel);
        kernel.post(AppMessage::Replace(process));
    }

    fn restarted(&mut self, process: usize, kernel: &mut Kernel) {
        self.load_again(process, kernel);
        let state = &mut self.processes[process];
        state.up = true;
        state.busy_until = kernel.now();
        state.blocked_until = kernel.now();
        self.adjust_pools_of(process, kernel);
    }

    fn weigh_memory(&mut self, kernel: &mut Kernel) {
        let Some(limit_mb) = &self.document.simulation.machine.memory_mb else { return };
        let limit = (kernel.amount(limit_mb) * f64::from(1 << 20)) as u64;
        let up = (0..self.servers).filter(|process| self.processes[*process].up);
        let held = up.map(|process| (self.python.memory(ProcessId(process as u32)), process)).collect::<Vec<_>>();
        if let Some((bytes, process)) = held.iter().max() {
            let (process, bytes) = (ProcessId(*process as u32), *bytes);
            kernel.record(EventKind::MemoryMeasured { process, bytes }, None, None, None);
        }
        for (_, process) in held.into_iter().filter(|(bytes, _)| *bytes > limit) {
            kernel.post(AppMessage::Kill(process));
        }
    }
}
