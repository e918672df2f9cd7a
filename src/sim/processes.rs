//! Processes of the service: each runs one event loop on one core, has its own copy of the deployed modules and its own pool.
//! Here Python's effects become calls on their way, and answers become turns of the loop.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::cost;
use super::database::{Purpose, Statement};
use super::pool::Pool;
use super::world::{InFlight, OpenCall, OpenCallKind, Step, World};
use crate::python::{Effect, HandlerId, Raised, Source};
use crate::scenario::FaultVerdict;
use crate::sql::Footprint;
use crate::trace::{
    Answer, Call, CallId, EventKind, Micros, Position, ProcessId, RequestId, StatementKind, Strings, Symbol,
};

pub struct Process {
    pub pool: Pool,
    pub replica_pool: Pool,
    /// Counts restarts: what was meant for an earlier life is dropped.
    pub life: u32,
    pub up: bool,
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

/// What scripted clients know the scenario's own service by.
const APP: &str = "app";

/// What a process's core is taken for.
pub enum Turn {
    Start { request: RequestId, handler: HandlerId, arguments: Json },
    Answer(CallId, Answer),
}

/// A variant that has been deployed: what to call in each process.
pub struct Deployment {
    file: String,
    source: Rc<str>,
    /// The scenario's request kinds in order, then the variant's workers.
    entries: Vec<String>,
    handlers: Vec<Vec<HandlerId>>,
}

/// A function that runs again and again beside the requests, in the first process.
pub struct WorkerState {
    variant: String,
    /// Its place among the deployment's entries.
    entry: usize,
    name: String,
    every_us: Micros,
    /// A later deployment has a worker of the same name: that one has taken over.
    retired: bool,
}

impl World {
    pub fn start_processes(&mut self) {
        self.record_machines();
        self.adjust_cores();
        let count = self.amount(&self.document.world.machine.processes).max(1.0) as usize;
        for process in 0..count {
            self.processes.push(Process::default());
            self.adjust_pools(process);
        }
        self.servers = count;
    }

    pub fn record_machines(&mut self) {
        let machine = &self.document.world.machine;
        let cores = self.amount(&machine.database_cores).max(1.0) as u32;
        let kind = EventKind::MachinesSet {
            processes: self.amount(&machine.processes).max(1.0) as u32,
            pool: self.amount(&machine.pool).max(1.0) as u32,
            database_cores: cores * if machine.replica_lag_ms.is_some() { 2 } else { 1 },
        };
        self.record(kind, None, None, None);
    }

    /// Loads the variant's code into every process. Requests on their way go on with what they were started with.
    pub fn load(&mut self, variant: &str) -> Result<(), Raised> {
        let document = self.document.clone();
        let of = document.variant(variant).expect("the variant was looked up before");
        let source: Rc<str> = self.sources.get(&of.file).unwrap_or(&of.source).as_str().into();
        let kinds = document.world.requests.iter().map(|kind| kind.entry.clone());
        let entries: Vec<String> = kinds.chain(of.workers.iter().map(|worker| worker.entry.clone())).collect();
        let mut deployment = Deployment { file: of.file.clone(), source, entries, handlers: vec![] };
        for process in 0..self.servers {
            let handlers = self.load_into(process, &deployment)?;
            deployment.handlers.push(handlers);
        }
        self.deployments.insert(variant.to_owned(), deployment);
        Ok(())
    }

    fn load_into(&mut self, process: usize, deployment: &Deployment) -> Result<Vec<HandlerId>, Raised> {
        let entries = deployment.entries.iter().map(String::as_str).collect::<Vec<_>>();
        let source = Source { file: &deployment.file, text: &deployment.source };
        self.python.load(ProcessId(process as u32), source, &entries)
    }

    /// Workers of a variant go on once they have been deployed: what the old code has begun has to be brought to its end.
    /// Only where the new code has a worker of the same name that one takes the place of the old.
    pub fn start_workers(&mut self, variant: &str) {
        let document = self.document.clone();
        let named = |name: &str| {
            document.variant(variant).is_some_and(|of| of.workers.iter().any(|worker| worker.entry == name))
        };
        for worker in self.workers.iter_mut().filter(|worker| worker.variant != variant) {
            worker.retired |= named(&worker.name);
        }
        if self.workers.iter().any(|worker| worker.variant == variant && !worker.retired) {
            return;
        }
        let kinds = document.world.requests.len();
        let of = document.variant(variant).expect("the variant was looked up before");
        for (place, worker) in of.workers.iter().enumerate() {
            let every_us = (worker.every_ms * 1e3).max(1_000.0) as Micros;
            self.schedule(self.now + every_us, Step::WorkerDue(self.workers.len()));
            let name = worker.entry.clone();
            self.workers.push(WorkerState {
                variant: variant.to_owned(),
                entry: kinds + place,
                name,
                every_us,
                retired: false,
            });
        }
    }

    pub fn worker_due(&mut self, worker: usize) {
        let state = &self.workers[worker];
        if state.retired {
            return;
        }
        if !self.processes[0].up {
            let again = self.now + state.every_us;
            return self.schedule(again, Step::WorkerDue(worker));
        }
        let handler = self.deployments[&state.variant].handlers[0][state.entry];
        let (variant, name) = (state.variant.clone(), state.name.clone());
        let (variant, arguments) = (self.symbol(&variant), self.symbol(&name));
        let request = self.new_request_id();
        let kind = EventKind::RequestStarted { client: None, process: ProcessId(0), variant, arguments };
        self.record(kind, Some(request), None, None);
        self.requests.insert(request, InFlight { worker: Some(worker), ..InFlight::new(0, self.now) });
        let turn = Turn::Start { request, handler, arguments: Json::Object(Default::default()) };
        self.take_turn(0, cost::TURN_CPU_US, turn);
    }

    /// Requests go to the processes in turn, past those that are down.
    pub fn process_for(&self, request: RequestId) -> Option<usize> {
        let count = self.servers;
        let first = request.0 as usize % count;
        (0..count).map(|step| (first + step) % count).find(|process| self.processes[*process].up)
    }

    pub fn start_handler(&mut self, request: RequestId, process: usize, kind: usize, arguments: Json) {
        let handler = self.deployments[&self.variant].handlers[process][kind];
        self.take_turn(process, cost::REQUEST_CPU_US, Turn::Start { request, handler, arguments });
    }

    /// The answer waits for the process's core.
    pub fn answer(&mut self, call: CallId, answer: Answer) {
        let Some(open) = self.calls.get(&call) else { return };
        // Clients have a machine each.
        let cost_us = if open.process < self.servers { cost::TURN_CPU_US } else { 0 };
        self.take_turn(open.process, cost_us, Turn::Answer(call, answer));
    }

    pub fn take_turn(&mut self, process: usize, cost_us: Micros, turn: Turn) {
        let state = &mut self.processes[process];
        let done = state.busy_until.max(self.now) + cost_us;
        state.busy_until = done;
        let life = state.life;
        self.schedule(done, Step::Turn { process, life, turn });
    }

    pub fn turn(&mut self, process: usize, life: u32, turn: Turn) {
        let state = &self.processes[process];
        if state.life != life {
            return;
        }
        if self.now < state.blocked_until {
            return self.schedule(state.blocked_until, Step::Turn { process, life, turn });
        }
        let effects = match turn {
            Turn::Start { request, handler, arguments } => self.python.start(self.now, handler, request, &arguments),
            Turn::Answer(call, answer) => {
                if self.calls.remove(&call).is_none() {
                    return;
                }
                self.python.answer(self.now, call, answer)
            }
        };
        self.effects(process, life, effects);
    }

    pub fn effects(&mut self, process: usize, life: u32, effects: Vec<Effect>) {
        if self.processes[process].life != life {
            return;
        }
        let mut effects = effects.into_iter();
        while let Some(effect) = effects.next() {
            match effect {
                Effect::Called { request, call, position, body } => {
                    let position = self.position(&position);
                    self.called(process, request, call, position, body);
                }
                Effect::Cancelled { call, .. } => self.cancelled(call),
                Effect::Logged { request, level, text, position } => {
                    self.collect_line(request, process, level, &text);
                    let (text, position) = (self.symbol(&text), self.position(&position));
                    self.record(EventKind::Logged { level, text, position }, Some(request), None, None);
                }
                Effect::Blocked { request, us, position } => {
                    let position = self.position(&position);
                    self.record(EventKind::Blocked { position, us }, Some(request), None, None);
                    let state = &mut self.processes[process];
                    state.blocked_until = self.now + us;
                    state.busy_until = state.busy_until.max(state.blocked_until);
                    let until = state.blocked_until;
                    return self.schedule(until, Step::Effects { process, life, effects: effects.collect() });
                }
                Effect::Finished { request, outcome } => self.finished(request, outcome),
            }
        }
    }

    /// The client gets its answer.
    pub fn finish(&mut self, request: RequestId, status: u16, body: &str, error: Option<&str>) {
        let Some(ended) = self.requests.remove(&request) else { return };
        if let Some(caller) = ended.caller {
            let body = serde_json::from_str(body).unwrap_or_else(|_| Json::String(body.to_owned()));
            self.answer(caller, Answer::Service(json!({ "status": status, "body": body })));
        }
        let body = self.symbol(body);
        // A traceback's last lines say most, so it stays whole.
        let error = error.map(|error| self.whole_symbol(error));
        self.record(EventKind::RequestFinished { status, body, error }, Some(request), None, None);
        if let Some(worker) = ended.worker {
            let again = self.now + self.workers[worker].every_us;
            self.schedule(again, Step::WorkerDue(worker));
        }
        if let Some(client) = ended.client {
            self.watch_finished(request, ended.kind, status, self.now - ended.since);
            if !ended.again {
                self.client_answered(client);
            }
        }
    }

    fn finished(&mut self, request: RequestId, outcome: Result<Json, Raised>) {
        match outcome {
            Ok(body) => {
                let status = body.get("status").and_then(Json::as_u64).filter(|status| (100..600).contains(status));
                let text = body.to_string();
                self.finish(request, status.unwrap_or(200) as u16, &text, None);
            }
            Err(raised) => {
                let body = format!("{}: {}", raised.class, raised.message);
                self.finish(request, 500, &body, Some(&raised.traceback));
            }
        }
    }

    fn called(&mut self, process: usize, request: RequestId, call: CallId, position: Position, body: Call) {
        let kind = match &body {
            Call::Acquire { .. } => OpenCallKind::Connection,
            Call::Sql { session, .. } => OpenCallKind::Statement(*session),
            Call::Sleep { .. } | Call::Timer { .. } => OpenCallKind::Clock,
            Call::Service { .. } => OpenCallKind::Service,
            Call::Release { .. } => OpenCallKind::Other,
        };
        self.calls.insert(call, OpenCall { request, process, position, at: self.now, kind });
        match body {
            Call::Acquire { server, timeout_us } => self.acquire(call, process, server, timeout_us),
            Call::Release { session } => {
                self.release(session);
                self.answer(call, Answer::Done);
            }
            Call::Sql { session, sql, text, params } => {
                let kind = self.database.kind_of(&sql, !params.is_empty());
                let text = self.whole_symbol(&text);
                if names_tables(kind) {
                    self.describe_statement(text, &sql, !params.is_empty());
                }
                let parameters = self.parameters_text(&params);
                let started = EventKind::StatementStarted { call, position, text, parameters, kind };
                self.record(started, Some(request), Some(session), None);
                self.send_statement(session, Statement::new(sql, kind, params, Purpose::Call(call)));
            }
            Call::Sleep { us } => {
                self.record(EventKind::Slept { call, position, us }, Some(request), None, None);
                self.schedule(self.now + us, Step::Rung(call));
            }
            Call::Timer { us } => self.schedule(self.now + us, Step::Rung(call)),
            Call::Service { service, method, arguments } if service == APP => {
                self.script_sends(call, request, &method, arguments);
            }
            Call::Service { service, method, arguments } => {
                self.call_service(call, request, position, &service, &method, arguments);
            }
        }
    }

    /// What a statement does by its text, told where it is news.
    fn describe_statement(&mut self, text: Symbol, sql: &str, with_parameters: bool) {
        if self.described.insert(text) {
            let footprint = self.database.footprint(sql, with_parameters);
            let described = statement_described(&mut self.trace.strings, text, &footprint);
            self.record(described, None, None, None);
        }
    }

    fn cancelled(&mut self, call: CallId) {
        let Some(open) = self.calls.remove(&call) else { return };
        match open.kind {
            OpenCallKind::Connection => _ = self.leave_pool_queue(open.process, call),
            OpenCallKind::Statement(session) => {
                self.record(EventKind::CallAbandoned { call }, Some(open.request), Some(session), None);
                self.send_cancel(session, call);
            }
            OpenCallKind::Service => self.record(EventKind::CallAbandoned { call }, Some(open.request), None, None),
            OpenCallKind::Clock | OpenCallKind::Other => {}
        }
    }

    pub fn start_faults(&mut self) {
        for rule in 0..self.document.world.faults.len() {
            self.schedule_kill(rule);
        }
    }

    fn schedule_kill(&mut self, rule: usize) {
        let fault = &self.document.world.faults[rule];
        if fault.verdict == FaultVerdict::Kill
            && let Some(every_s) = &fault.every_s
        {
            let after = (self.amount(every_s) * 1e6).max(100_000.0) as Micros;
            self.schedule(self.now + after, Step::KillDue(rule));
        }
    }

    pub fn kill_due(&mut self, rule: usize) {
        let fault = self.document.world.faults[rule].clone();
        if self.faults.contains(&fault.id) && self.acts_now(&fault) {
            let victim = self.outside.kills as usize % self.servers;
            self.outside.kills += 1;
            let (service, fault) = (self.symbol("processes"), self.symbol(&fault.id));
            self.record(EventKind::FaultApplied { call: None, service, fault }, None, None, None);
            self.kill(victim);
        }
        self.schedule_kill(rule);
    }

    /// The process is gone in an instant: the database rolls back what it left open, its clients get no answer.
    pub fn kill(&mut self, process: usize) {
        if !self.processes[process].up {
            return;
        }
        self.record(EventKind::ProcessKilled { process: ProcessId(process as u32) }, None, None, None);
        let state = &mut self.processes[process];
        state.up = false;
        state.life += 1;
        state.pool = Pool::default();
        state.replica_pool = Pool::default();
        self.python.abandon(ProcessId(process as u32));
        self.calls.retain(|_, open| open.process != process);
        let requests = self.requests.iter().filter(|(_, request)| request.process == process).map(|(id, _)| *id);
        for request in requests.collect::<Vec<_>>() {
            self.finish(request, 502, "the process died", None);
        }
        let migrator = self.migrator;
        let sessions = self.sessions.iter().filter(|(id, state)| state.process == process && **id != migrator);
        for session in sessions.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.disconnect(session);
        }
        self.schedule(self.now + cost::RESTART_US, Step::Restarted(process));
    }

    pub fn restarted(&mut self, process: usize) {
        let variants = self.deployments.keys().cloned().collect::<Vec<_>>();
        for variant in variants {
            let deployment = self.deployments.remove(&variant).expect("it is one of the keys");
            let loaded = self.load_into(process, &deployment);
            let mut deployment = deployment;
            match loaded {
                Ok(handlers) => deployment.handlers[process] = handlers,
                Err(raised) => {
                    self.limit_reached(&format!("process {process} does not start again: {}", raised.message))
                }
            }
            self.deployments.insert(variant, deployment);
        }
        let state = &mut self.processes[process];
        state.up = true;
        state.busy_until = self.now;
        state.blocked_until = self.now;
        self.adjust_pools(process);
    }

    fn parameters_text(&mut self, parameters: &[crate::trace::Value]) -> crate::trace::Symbol {
        let shown = parameters.iter().map(crate::trace::Value::to_text).collect::<Vec<_>>().join(", ");
        self.symbol(&shown)
    }
}

/// Whether the text of such a statement says which tables it reads or writes.
pub fn names_tables(kind: StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Select, Update};
    matches!(kind, Select | Insert | Update | Delete)
}

pub fn statement_described(strings: &mut Strings, text: Symbol, of: &Footprint) -> EventKind {
    let mut symbols = |names: &BTreeSet<Rc<str>>| names.iter().map(|name| strings.intern(name)).collect();
    EventKind::StatementDescribed {
        text,
        reads: symbols(&of.reads),
        writes: symbols(&of.writes),
        sets: symbols(&of.sets),
        built_on: symbols(&of.built_on),
        asks: symbols(&of.asks),
    }
}
