//! Clients, requests, workers and the death of processes, in real time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value as Json, json};
use twoam::python::PROCESS_BYTES;
use twoam::scenario::Clients;
use twoam::trace::{ClientId, EventKind, Micros, ProcessId, RequestId};
use twoam::workload::{Due, InFlight};

use super::{AUDITOR, CLIENTS, Plan as AnyPlan, Real};
use crate::cli::Failure;

#[derive(Default)]
pub struct Requests {
    /// No new ones come.
    pub closed: bool,
    /// So far, without workers' turns.
    pub of_clients: u32,
    /// By process: the life that it has now.
    pub host_of: BTreeMap<u32, u32>,
    open: BTreeMap<RequestId, Open>,
    count: u32,
    kills: u32,
    /// Processes that have been started anew and take no requests yet.
    starting: BTreeSet<u32>,
    /// By process: its memory when it was last measured, where it has a limit.
    memory: BTreeMap<u32, u64>,
}

/// A request on its way.
struct Open {
    process: u32,
    /// Its place among the scenario's kinds; none of a worker's turn.
    kind: Option<usize>,
    arguments: Json,
    since: Micros,
    origin: Origin,
}

#[derive(Clone, Copy)]
enum Origin {
    Client(ClientId),
    /// A client that had waited too long; its next request follows the first one's answer.
    Again(ClientId),
    Worker(usize),
    /// Of a client's script: the answer is for its call of this number.
    Script(ClientId, u64),
}

pub enum Plan {
    Due(Due),
    /// The same request once more, if it has no answer yet.
    Resend(RequestId),
    /// Of the variant's worker of this number.
    Turn(usize),
    /// By the fault rule of this number.
    Kill(usize),
}

impl Requests {
    pub fn processes(&self) -> u32 {
        self.host_of.len() as u32
    }

    pub fn clients_in_flight(&self) -> bool {
        self.in_flight().oldest.is_some()
    }

    pub fn in_flight(&self) -> InFlight {
        let of_clients = |open: &Open| !matches!(open.origin, Origin::Worker(_));
        let oldest = self.open.iter().find(|(_, open)| of_clients(open)).map(|(id, _)| *id);
        InFlight { oldest, next: self.count }
    }
}

impl Real<'_> {
    pub fn start_load(&mut self) {
        let due = self.load.start(&mut self.surroundings.circumstances());
        self.plan_due(due);
        if let Clients::Scripted { scripts, .. } = self.document.simulation.clients.clone() {
            let mut clients = 0;
            for script in &scripts {
                for _ in 0..self.amount(&script.count) as u32 {
                    clients += 1;
                    let message = json!({ "do": "play", "entry": script.entry, "arguments": { "id": clients } });
                    self.tell_scripts(&message);
                }
            }
        }
        for worker in 0..self.variant.workers.len() {
            self.plan_turn(worker);
        }
        for (rule, after) in self.services.faults().kills(&self.surroundings.conditions) {
            self.plan_load(after, Plan::Kill(rule));
        }
    }

    pub fn start_scripts(&mut self) -> Result<(), Failure> {
        if let Clients::Scripted { file, .. } = &self.document.clone().simulation.clients {
            let settings = json!({ "role": "play" });
            self.scripts = Some(self.python.start(CLIENTS, Some(file), settings, self.sender.clone())?);
        }
        Ok(())
    }

    /// A script sends a request. After the end of the load nobody answers.
    pub fn script_sends(&mut self, message: &Json) {
        if self.requests.closed {
            return;
        }
        let number = message["call"].as_u64().unwrap_or(0);
        let kind = match self.load.kind(message["method"].as_str().unwrap_or_default()) {
            Ok(kind) => kind,
            Err(error) => {
                return self.tell_scripts(&answer_to(number, &json!({ "status": 404, "error": error })));
            }
        };
        let client = ClientId(message["request"].as_u64().unwrap_or(1) as u32 - 1);
        self.send(kind, message["arguments"].clone(), Origin::Script(client, number));
    }

    pub fn tell_scripts(&mut self, message: &Json) {
        if let Some(host) = self.scripts.as_mut() {
            host.tell(message);
        }
    }

    pub fn take_load(&mut self, plan: Plan) -> Result<(), Failure> {
        match plan {
            Plan::Due(due) => self.take_due(due),
            Plan::Resend(request) => {
                if let Some(open) = self.requests.open.get(&request) {
                    let (Origin::Client(client) | Origin::Script(client, _)) = open.origin else { return Ok(()) };
                    let (kind, arguments) = (open.kind, open.arguments.clone());
                    self.start_request(self.next_process(), kind, arguments, Origin::Again(client));
                }
            }
            Plan::Turn(worker) => {
                self.start_request(Some(0), None, Json::Null, Origin::Worker(worker));
            }
            Plan::Kill(place) => self.kill_next(place)?,
        }
        Ok(())
    }

    pub fn request_finished(&mut self, message: &Json) {
        let request = RequestId(message["request"].as_u64().unwrap_or(0) as u32);
        let status = message["status"].as_u64().unwrap_or(500) as u16;
        let error = message["error"].as_str().map(|text| self.trace.strings.intern(text));
        self.end_request(request, status, &message["body"], error);
    }

    pub fn process_of(&self, host: u32) -> Option<u32> {
        self.requests.host_of.iter().find(|(_, life)| **life == host).map(|(process, _)| *process)
    }

    /// It is expected to: nobody has ended it.
    pub fn lives_on(&self, host: u32) -> bool {
        host == AUDITOR || host == CLIENTS && self.scripts.is_some() || self.process_of(host).is_some()
    }

    fn take_due(&mut self, due: Due) {
        match due {
            Due::Send(client) if self.load.is_there(client) => self.draw(client),
            // A knob has taken this client away.
            Due::Send(_) => {}
            Due::Arrival => {
                let client = self.load.arrives();
                self.draw(client);
                self.plan_next_arrival();
            }
            Due::NextArrival => self.plan_next_arrival(),
        }
    }

    fn plan_next_arrival(&mut self) {
        let due = self.load.next_arrival(&mut self.surroundings.circumstances());
        self.plan_due(due);
    }

    fn plan_due(&mut self, due: impl IntoIterator<Item = (Micros, Due)>) {
        for (after, due) in due {
            self.plan_load(after, Plan::Due(due));
        }
    }

    fn plan_load(&mut self, after: Micros, plan: Plan) {
        self.plan(Duration::from_micros(after), AnyPlan::Load(plan));
    }

    fn plan_turn(&mut self, worker: usize) {
        let every_us = self.variant.workers[worker].every_ms * 1e3;
        self.plan_load(every_us as Micros, Plan::Turn(worker));
    }

    fn draw(&mut self, client: ClientId) {
        if !self.requests.closed {
            let (kind, arguments) = self.load.draw(client, &mut self.surroundings.circumstances());
            self.send(kind, Json::Object(arguments), Origin::Client(client));
        }
    }

    fn send(&mut self, kind: usize, arguments: Json, origin: Origin) {
        let request = self.start_request(self.next_process(), Some(kind), arguments, origin);
        for after in self.load.resends(kind, &mut self.surroundings.circumstances()) {
            self.plan_load(after, Plan::Resend(request));
        }
    }

    /// One request after the other to each process that is up.
    fn next_process(&self) -> Option<u32> {
        let (count, next) = (self.requests.processes(), self.requests.count);
        (0..count).map(|step| (next + step) % count).find(|process| !self.requests.starting.contains(process))
    }

    /// If `to` is nobody, no process is up.
    fn start_request(&mut self, to: Option<u32>, kind: Option<usize>, arguments: Json, origin: Origin) -> RequestId {
        let process = to.unwrap_or(0);
        let request = RequestId(self.requests.count);
        self.requests.count += 1;
        self.requests.of_clients += u32::from(!matches!(origin, Origin::Worker(_)));
        let client = match origin {
            Origin::Client(client) | Origin::Again(client) | Origin::Script(client, _) => Some(client),
            Origin::Worker(_) => None,
        };
        let variant = self.trace.strings.intern(&self.variant.id);
        let text = self.symbol(&arguments);
        let started = EventKind::RequestStarted { client, process: ProcessId(process), variant, arguments: text };
        self.record(started, Some(request));
        let entry = match origin {
            Origin::Worker(worker) => &self.variant.workers[worker].entry,
            _ => &self.document.simulation.requests[kind.expect("a client's request is of some kind")].entry,
        };
        let message = json!({ "do": "request", "request": request.0, "entry": entry, "arguments": arguments });
        self.requests.open.insert(request, Open { process, kind, arguments, since: self.now(), origin });
        match to {
            Some(process) => self.hosts[process as usize].tell(&message),
            None => self.end_request(request, 502, &Json::Null, None),
        }
        request
    }

    fn end_request(&mut self, request: RequestId, status: u16, body: &Json, error: Option<twoam::trace::Symbol>) {
        let Some(open) = self.requests.open.remove(&request) else { return };
        let text = self.symbol(body);
        self.record(EventKind::RequestFinished { status, body: text, error }, Some(request));
        if let Origin::Worker(worker) = open.origin {
            return self.plan_turn(worker);
        }
        let took = self.now() - open.since;
        self.judge(request, open.kind, status, took);
        match open.origin {
            Origin::Client(client) => {
                let due = self.load.answered(client, &mut self.surroundings.circumstances());
                self.plan_due(due);
            }
            Origin::Script(_, number) => {
                self.tell_scripts(&answer_to(number, &json!({ "status": status, "body": body })));
            }
            Origin::Again(_) | Origin::Worker(_) => {}
        }
    }

    /// One process after the other dies, as a deploy has it.
    fn kill_next(&mut self, rule: usize) -> Result<(), Failure> {
        if let Some(after) = self.services.faults().next_kill(rule, &self.surroundings.conditions) {
            self.plan_load(after, Plan::Kill(rule));
        }
        let now = self.now();
        let Some(fault) = self.services.faults().kills_now(rule, now, &self.surroundings.conditions) else {
            return Ok(());
        };
        let (service, fault) = (self.trace.strings.intern("processes"), self.trace.strings.intern(&fault.id));
        self.record(EventKind::FaultApplied { call: None, service, fault }, None);
        let process = self.requests.kills % self.requests.processes();
        self.requests.kills += 1;
        self.kill(process)
    }

    /// It is started anew at once.
    fn kill(&mut self, process: u32) -> Result<(), Failure> {
        self.record(EventKind::ProcessKilled { process: ProcessId(process) }, None);
        self.hosts[process as usize].kill();
        self.hosts[process as usize] = self.start_host(process)?;
        self.requests.starting.insert(process);
        let died = self.requests.open.iter().filter(|(_, open)| open.process == process).map(|(id, _)| *id);
        for request in died.collect::<Vec<_>>() {
            self.end_request(request, 502, &Json::Null, None);
        }
        Ok(())
    }

    pub fn host_ready(&mut self, host: u32) {
        if let Some(process) = self.process_of(host) {
            self.requests.starting.remove(&process);
        }
    }

    /// Asks every process what its handlers' variables hold, if memory has a limit.
    pub fn weigh(&mut self) {
        if self.document.simulation.machine.memory_mb.is_some() {
            for host in &mut self.hosts {
                host.tell(&json!({ "do": "weigh" }));
            }
        }
    }

    /// A process's answer, in the simulation's terms: beside an interpreter and a framework. What the kernel does with a container that
    /// is over its limit is done to it.
    pub fn weighed(&mut self, host: u32, message: &Json) -> Result<(), Failure> {
        let limit_mb = self.document.simulation.machine.memory_mb.as_ref().map(|limit_mb| self.amount(limit_mb));
        let (Some(process), Some(limit_mb)) = (self.process_of(host), limit_mb) else { return Ok(()) };
        let bytes = PROCESS_BYTES + message["bytes"].as_u64().unwrap_or(0);
        self.requests.memory.insert(process, bytes);
        if self.requests.memory.values().all(|others| *others <= bytes) {
            self.record(EventKind::MemoryMeasured { process: ProcessId(process), bytes }, None);
        }
        if bytes as f64 > limit_mb * f64::from(1 << 20) {
            self.requests.memory.remove(&process);
            self.kill(process)?;
        }
        Ok(())
    }
}

fn answer_to(number: u64, result: &Json) -> Json {
    json!({ "do": "answer", "call": number, "result": result })
}
