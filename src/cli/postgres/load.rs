//! Clients, requests, workers and the death of processes, in real time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::Rng;
use serde_json::{Value as Json, json};
use twoam::python::PROCESS_BYTES;
use twoam::scenario::{Clients, FaultVerdict, InvariantRule, Place, draw_all};
use twoam::trace::{ClientId, EventKind, Micros, ProcessId, RequestId};

use super::{AUDITOR, CLIENTS, Plan as AnyPlan, Real};
use crate::cli::Failure;

#[derive(Default)]
pub struct Load {
    /// No new requests come.
    pub closed: bool,
    /// Requests so far, without workers' turns.
    pub of_clients: u32,
    /// By process: the life that it has now.
    pub host_of: BTreeMap<u32, u32>,
    open: BTreeMap<RequestId, Open>,
    requests: u32,
    sent: u64,
    kills: u32,
    /// Processes that have been started anew and take no requests yet.
    starting: BTreeSet<u32>,
    /// By process: its memory when it was last measured, where it has a limit.
    memory: BTreeMap<u32, u64>,
}

/// A request on its way.
struct Open {
    process: u32,
    entry: String,
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
    /// Of a closed loop's client.
    Send(ClientId),
    Arrival,
    /// The same request once more, if it has no answer yet.
    Resend(RequestId),
    /// Of the variant's worker of this number.
    Turn(usize),
    /// By the fault rule of this number.
    Kill(usize),
}

impl Load {
    pub fn processes(&self) -> u32 {
        self.host_of.len() as u32
    }

    pub fn clients_in_flight(&self) -> bool {
        self.oldest().is_some()
    }

    /// Of the clients' requests on their way.
    pub fn oldest(&self) -> Option<RequestId> {
        self.open.iter().find(|(_, open)| !matches!(open.origin, Origin::Worker(_))).map(|(id, _)| *id)
    }

    /// The next request's number.
    pub fn next(&self) -> RequestId {
        RequestId(self.requests)
    }
}

impl Real<'_> {
    pub fn start_load(&mut self) {
        match self.document.world.clients.clone() {
            Clients::Closed { count, think_ms } => {
                let think_us = self.amount(&think_ms) * 1e3;
                for client in 0..self.amount(&count) as u32 {
                    let after = self.dice.random::<f64>() * think_us;
                    self.plan_load(after, Plan::Send(ClientId(client)));
                }
            }
            Clients::Open { .. } => self.plan_arrival(),
            Clients::Scripted { scripts, .. } => {
                let mut clients = 0;
                for script in &scripts {
                    for _ in 0..self.amount(&script.count) as u32 {
                        clients += 1;
                        let message = json!({ "do": "play", "entry": script.entry, "arguments": { "id": clients } });
                        self.tell_scripts(&message);
                    }
                }
            }
        }
        for worker in 0..self.variant.workers.len() {
            self.plan_load(self.variant.workers[worker].every_ms * 1e3, Plan::Turn(worker));
        }
        for (place, rule) in self.document.clone().world.faults.iter().enumerate() {
            if rule.verdict == FaultVerdict::Kill && self.faults.contains(&rule.id) {
                self.plan_kill(place);
            }
        }
    }

    pub fn start_scripts(&mut self) -> Result<(), Failure> {
        if let Clients::Scripted { file, .. } = &self.document.clone().world.clients {
            let settings = json!({ "role": "play" });
            self.scripts = Some(self.python.start(CLIENTS, Some(file), settings, self.sender.clone())?);
        }
        Ok(())
    }

    /// A script sends a request. After the end of the load nobody answers.
    pub fn script_sends(&mut self, message: &Json) {
        if self.load.closed {
            return;
        }
        let entry = message["method"].as_str().unwrap_or_default().to_string();
        let number = message["call"].as_u64().unwrap_or(0);
        if !self.document.world.requests.iter().any(|kind| kind.entry == entry) {
            let error = format!("there is no {entry}");
            return self.tell_scripts(&answer_to(number, &json!({ "status": 404, "error": error })));
        }
        let client = ClientId(message["request"].as_u64().unwrap_or(1) as u32 - 1);
        let arguments = message["arguments"].clone();
        let origin = Origin::Script(client, number);
        let request = self.start_request(self.next_process(), entry.clone(), arguments, origin);
        self.roll_resends(request, &entry);
    }

    pub fn tell_scripts(&mut self, message: &Json) {
        if let Some(host) = self.scripts.as_mut() {
            host.tell(message);
        }
    }

    pub fn take_load(&mut self, plan: Plan) -> Result<(), Failure> {
        match plan {
            Plan::Send(client) => self.send(client),
            Plan::Arrival => {
                self.send(ClientId(self.load.sent as u32));
                self.plan_arrival();
            }
            Plan::Resend(request) => {
                if let Some(open) = self.load.open.get(&request) {
                    let (Origin::Client(client) | Origin::Script(client, _)) = open.origin else { return Ok(()) };
                    let (entry, arguments) = (open.entry.clone(), open.arguments.clone());
                    self.start_request(self.next_process(), entry, arguments, Origin::Again(client));
                }
            }
            Plan::Turn(worker) => {
                let entry = self.variant.workers[worker].entry.clone();
                self.start_request(Some(0), entry, Json::Null, Origin::Worker(worker));
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
        self.load.host_of.iter().find(|(_, life)| **life == host).map(|(process, _)| *process)
    }

    /// It is expected to: nobody has ended it.
    pub fn lives_on(&self, host: u32) -> bool {
        host == AUDITOR || host == CLIENTS && self.scripts.is_some() || self.process_of(host).is_some()
    }

    fn plan_load(&mut self, after_us: f64, plan: Plan) {
        self.plan(Duration::from_micros(after_us.max(0.0) as u64), AnyPlan::Load(plan));
    }

    fn plan_arrival(&mut self) {
        let document = self.document.clone();
        let Clients::Open { rate_per_s } = &document.world.clients else { return };
        let rate = self.amount(rate_per_s);
        if rate > 0.0 {
            let after = self.exponential_us(1e6 / rate);
            self.plan_load(after, Plan::Arrival);
        }
    }

    fn plan_kill(&mut self, place: usize) {
        let every_s = self.document.world.faults[place].every_s.clone();
        let every_s = every_s.map_or(0.0, |every_s| self.amount(&every_s));
        if every_s > 0.0 {
            self.plan_load(every_s * 1e6, Plan::Kill(place));
        }
    }

    fn send(&mut self, client: ClientId) {
        if self.load.closed {
            return;
        }
        self.load.sent += 1;
        let document = self.document.clone();
        let kinds = &document.world.requests;
        let total = kinds.iter().map(|kind| self.amount(&kind.weight)).sum::<f64>();
        let mut left = self.dice.random::<f64>() * total;
        let chosen = kinds.iter().find(|kind| {
            left -= kind.weight.at(&self.knobs);
            left < 0.0
        });
        let kind = chosen.unwrap_or(&kinds[kinds.len() - 1]);
        let place = Place { n: self.load.sent, client: client.0 + 1, now: self.now() };
        let drawn = draw_all(&kind.parameters, &mut self.dice, place, &self.knobs);
        let arguments = drawn.map(|(name, value)| (name.clone(), value)).collect();
        let request = self.start_request(
            self.next_process(),
            kind.entry.clone(),
            Json::Object(arguments),
            Origin::Client(client),
        );
        self.roll_resends(request, &kind.entry);
    }

    fn roll_resends(&mut self, request: RequestId, entry: &str) {
        for rule in &self.document.clone().world.faults {
            let FaultVerdict::Resend { after_ms } = &rule.verdict else { continue };
            let meets = rule.methods.is_empty() || rule.methods.iter().any(|of| of == entry);
            let is_on = meets && self.faults.contains(&rule.id) && self.acts_now(rule);
            if is_on && self.dice.random::<f64>() < self.amount(&rule.share) {
                self.plan_load(self.amount(after_ms) * 1e3, Plan::Resend(request));
            }
        }
    }

    /// One request after the other to each process that is up.
    fn next_process(&self) -> Option<u32> {
        let count = self.load.processes();
        (0..count).map(|step| (self.load.requests + step) % count).find(|process| !self.load.starting.contains(process))
    }

    /// If `to` is nobody, no process is up.
    fn start_request(&mut self, to: Option<u32>, entry: String, arguments: Json, origin: Origin) -> RequestId {
        let process = to.unwrap_or(0);
        let request = RequestId(self.load.requests);
        self.load.requests += 1;
        self.load.of_clients += u32::from(!matches!(origin, Origin::Worker(_)));
        let client = match origin {
            Origin::Client(client) | Origin::Again(client) | Origin::Script(client, _) => Some(client),
            Origin::Worker(_) => None,
        };
        let variant = self.trace.strings.intern(&self.variant.id);
        let text = self.symbol(&arguments);
        let started = EventKind::RequestStarted { client, process: ProcessId(process), variant, arguments: text };
        self.record(started, Some(request));
        let message = json!({ "do": "request", "request": request.0, "entry": entry, "arguments": arguments });
        self.load.open.insert(request, Open { process, entry, arguments, since: self.now(), origin });
        match to {
            Some(process) => self.hosts[process as usize].tell(&message),
            None => self.end_request(request, 502, &Json::Null, None),
        }
        request
    }

    fn end_request(&mut self, request: RequestId, status: u16, body: &Json, error: Option<twoam::trace::Symbol>) {
        let Some(open) = self.load.open.remove(&request) else { return };
        let text = self.symbol(body);
        self.record(EventKind::RequestFinished { status, body: text, error }, Some(request));
        match open.origin {
            Origin::Client(client) => {
                self.judge(request, &open, status);
                if let Clients::Closed { think_ms, .. } = self.document.world.clients.clone() {
                    let after = self.exponential_us(self.amount(&think_ms) * 1e3);
                    self.plan_load(after, Plan::Send(client));
                }
            }
            Origin::Again(_) => self.judge(request, &open, status),
            Origin::Script(_, number) => {
                self.judge(request, &open, status);
                self.tell_scripts(&answer_to(number, &json!({ "status": status, "body": body })));
            }
            Origin::Worker(worker) => self.plan_load(self.variant.workers[worker].every_ms * 1e3, Plan::Turn(worker)),
        }
    }

    /// Rules about requests themselves; those in SQL come at the end.
    fn judge(&mut self, request: RequestId, open: &Open, status: u16) {
        let latency_ms = (self.now() - open.since) as f64 / 1e3;
        let sent_s = open.since as f64 / 1e6;
        for invariant in self.document.clone().invariants.iter().filter(|invariant| sent_s >= invariant.from_s) {
            let (broken, of) = match &invariant.rule {
                InvariantRule::SlowerThan { ms, entry } => (latency_ms > *ms, entry),
                InvariantRule::Failed { entry } => (status >= 500, entry),
                InvariantRule::Sql { .. } => continue,
            };
            if broken && of.as_ref().is_none_or(|of| *of == open.entry) {
                self.record_break(&invariant.id, &request.to_string(), &Json::Null, self.now());
            }
        }
    }

    /// One process after the other dies, as a deploy has it.
    fn kill_next(&mut self, place: usize) -> Result<(), Failure> {
        self.plan_kill(place);
        let process = self.load.kills % self.load.processes();
        self.load.kills += 1;
        self.kill(process)
    }

    /// It is started anew at once.
    fn kill(&mut self, process: u32) -> Result<(), Failure> {
        self.record(EventKind::ProcessKilled { process: ProcessId(process) }, None);
        self.hosts[process as usize].kill();
        self.hosts[process as usize] = self.start_host(process)?;
        self.load.starting.insert(process);
        let died = self.load.open.iter().filter(|(_, open)| open.process == process).map(|(id, _)| *id);
        for request in died.collect::<Vec<_>>() {
            self.end_request(request, 502, &Json::Null, None);
        }
        Ok(())
    }

    pub fn host_ready(&mut self, host: u32) {
        if let Some(process) = self.process_of(host) {
            self.load.starting.remove(&process);
        }
    }

    /// Asks every process what its handlers' variables hold, if memory has a limit.
    pub fn weigh(&mut self) {
        if self.document.world.machine.memory_mb.is_some() {
            for host in &mut self.hosts {
                host.tell(&json!({ "do": "weigh" }));
            }
        }
    }

    /// A process's answer, in the simulation's terms: beside an interpreter and a framework. What the kernel does with a container that
    /// is over its limit is done to it.
    pub fn weighed(&mut self, host: u32, message: &Json) -> Result<(), Failure> {
        let limit_mb = self.document.world.machine.memory_mb.as_ref().map(|limit_mb| self.amount(limit_mb));
        let (Some(process), Some(limit_mb)) = (self.process_of(host), limit_mb) else { return Ok(()) };
        let bytes = PROCESS_BYTES + message["bytes"].as_u64().unwrap_or(0);
        self.load.memory.insert(process, bytes);
        if self.load.memory.values().all(|others| *others <= bytes) {
            self.record(EventKind::MemoryMeasured { process: ProcessId(process), bytes }, None);
        }
        if bytes as f64 > limit_mb * f64::from(1 << 20) {
            self.load.memory.remove(&process);
            self.kill(process)?;
        }
        Ok(())
    }

    fn exponential_us(&mut self, mean_us: f64) -> f64 {
        -(1.0 - self.dice.random::<f64>()).ln() * mean_us
    }
}

fn answer_to(number: u64, result: &Json) -> Json {
    json!({ "do": "answer", "call": number, "result": result })
}
