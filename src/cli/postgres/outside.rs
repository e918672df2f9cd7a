//! The simulated services, in real time: the same components and fault rules, behind the same client modules.

use std::time::Duration;

use rand::Rng;
use serde_json::{Value as Json, json};
use twoam::scenario::{FaultRule, FaultVerdict, ScenarioDocument};
use twoam::services::{self, LogLine, Service, ServiceCall, ServiceKind, Verdict};
use twoam::trace::{CallId, EventKind, LogLevel, Micros, RequestId, ServiceOutcome};

use super::{CLIENTS, Plan as AnyPlan, Real, call_of};

const REFUSED_US: Micros = 1_000;
const DUPLICATE_AFTER_US: Micros = 20_000;

pub struct Outside {
    services: Vec<Running>,
}

struct Running {
    name: String,
    kind: &'static ServiceKind,
    service: Box<dyn Service>,
    /// Its place in the scenario's settings.
    settings: usize,
    busy_until: Vec<Micros>,
}

pub enum Plan {
    Reached(Job),
    Answer(Caller, ServiceOutcome, Json),
}

/// Who waits for an answer.
#[derive(Clone, Copy)]
pub struct Caller {
    host: u32,
    /// As the host numbers its calls.
    number: u64,
    call: CallId,
    request: Option<RequestId>,
}

/// A call on its way to a service.
pub struct Job {
    service: usize,
    caller: Caller,
    method: String,
    arguments: Json,
    verdict: Verdict,
    answered_at: Micros,
    /// Somebody still waits for the answer when it comes.
    heard: bool,
}

impl Outside {
    pub fn new(document: &ScenarioDocument) -> Outside {
        let services = document.world.services.iter().enumerate().filter_map(|(place, settings)| {
            let kind = services::kind(&settings.kind)?;
            let (name, service) = (settings.name.clone(), (kind.create)(&settings.name));
            Some(Running { name, kind, service, settings: place, busy_until: Vec::new() })
        });
        Outside { services: services.collect() }
    }

    /// One for each kind: services of a kind write into the same books.
    pub fn ledgers(&self) -> Vec<&'static str> {
        let mut ledgers = self.services.iter().map(|running| running.kind.ledger).collect::<Vec<_>>();
        ledgers.sort_unstable();
        ledgers.dedup();
        ledgers.retain(|ledger| !ledger.is_empty());
        ledgers
    }
}

impl Real<'_> {
    pub fn call_service(&mut self, host: u32, message: &Json) {
        let request = message["request"].as_u64().filter(|_| host != CLIENTS).map(|id| RequestId(id as u32));
        let caller =
            Caller { host, number: message["call"].as_u64().unwrap_or(0), call: call_of(host, message), request };
        let (name, method) =
            (message["service"].as_str().unwrap_or_default(), message["method"].as_str().unwrap_or_default());
        let called = EventKind::ServiceCalled {
            call: caller.call,
            position: self.position(message),
            service: self.trace.strings.intern(name),
            method: self.trace.strings.intern(method),
            arguments: self.symbol(&message["arguments"]),
        };
        self.record(called, request);
        let Some(place) = self.outside.services.iter().position(|running| running.name == name) else {
            let text = format!("this scenario has no service {name}: add it to [[service]] in scenario.toml");
            return self.plan_answer(0, caller, ServiceOutcome::Refused, refusal(name, "ServiceError", &text));
        };
        let verdict = self.roll(name, method, caller);
        let running = &self.outside.services[place];
        let (kind, errors) = (running.kind.name, &running.kind.errors);
        let settings = self.document.world.services[running.settings].clone();
        let timeout_us = (self.amount(&settings.timeout_ms) * 1e3) as Micros;
        let (mean, sd) = (self.amount(&settings.latency_ms) * 1e3, self.amount(&settings.latency_sd_ms) * 1e3);
        let mut latency = self.normal_us(mean, sd);
        match verdict {
            Verdict::Refuse => {
                let answer = refusal(kind, errors.refused, &format!("cannot connect to {name}"));
                return self.plan_answer(REFUSED_US, caller, ServiceOutcome::Refused, answer);
            }
            Verdict::Fail => {
                let answer = refusal(kind, errors.failed, &format!("{name} answered with an internal error"));
                return self.plan_answer(latency, caller, ServiceOutcome::Refused, answer);
            }
            Verdict::Delay(extra) => latency += extra,
            Verdict::Pass | Verdict::Decline | Verdict::LoseAnswer | Verdict::Duplicate => {}
        }
        let now = self.now();
        let begins_at = self.service_begins(place, latency, &message["arguments"]);
        let answered_at = begins_at.map(|at| at + latency);
        let heard = verdict != Verdict::LoseAnswer && answered_at.is_some_and(|at| at <= now + timeout_us);
        if !heard {
            let answer =
                refusal(kind, errors.timed_out, &format!("no answer from {name} within {} ms", timeout_us / 1_000));
            self.plan_answer(timeout_us, caller, ServiceOutcome::Lost, answer);
        }
        let (Some(begins_at), Some(answered_at)) = (begins_at, answered_at) else { return };
        let (method, arguments) = (method.to_string(), message["arguments"].clone());
        let job = Job { service: place, caller, method, arguments, verdict, answered_at, heard };
        self.plan_outside(begins_at - now + latency / 2, Plan::Reached(job));
    }

    pub fn take_outside(&mut self, plan: Plan) {
        match plan {
            Plan::Reached(job) => self.service_reached(job),
            Plan::Answer(caller, outcome, answer) => self.service_answered(caller, outcome, &answer),
        }
    }

    /// What a process prints or logs is shown beside its request, and a log store gets it.
    pub fn collect_line(&mut self, host: u32, message: &Json, request: Option<RequestId>) {
        let Some(process) = self.process_of(host) else { return };
        let level = serde_json::from_value(message["level"].clone()).unwrap_or(LogLevel::Error);
        let (text, position) = (self.symbol(&message["text"]), self.position(message));
        self.record(EventKind::Logged { level, text, position }, request);
        let text = message["text"].as_str().unwrap_or_default();
        let line = LogLine { at: self.now(), process, level: level.word(), text };
        let entries = self.outside.services.iter_mut().flat_map(|running| running.service.logged(&line));
        let entries = entries.collect();
        self.write_ledger(entries);
    }

    /// When the service comes to the call, or never.
    fn service_begins(&mut self, place: usize, latency: Micros, arguments: &Json) -> Option<Micros> {
        let now = self.now();
        let settings = self.document.world.services[self.outside.services[place].settings].clone();
        let Some(capacity) = &settings.capacity else { return Some(now) };
        let workers = self.amount(capacity).max(1.0) as usize;
        let running = &mut self.outside.services[place];
        running.busy_until.resize(workers, 0);
        let first_free = running.busy_until.iter_mut().min().expect("there is at least one worker");
        let begins_at = now.max(*first_free);
        if running.service.abandons(arguments, begins_at - now) {
            return None;
        }
        *first_free = begins_at + latency;
        Some(begins_at)
    }

    fn service_reached(&mut self, job: Job) {
        let at = self.now();
        let running = &mut self.outside.services[job.service];
        let kind = running.kind.name;
        let handled = running.service.call(&ServiceCall {
            method: &job.method,
            arguments: &job.arguments,
            at,
            answered_at: job.answered_at,
            declined: job.verdict == Verdict::Decline,
        });
        self.write_ledger(handled.entries);
        let answer_after = job.answered_at.saturating_sub(at);
        if job.heard {
            let (outcome, answer) = match handled.answer {
                Ok(result) => (ServiceOutcome::Ok, json!({ "result": result })),
                Err(refused) => {
                    let mut answer = refusal(kind, refused.class, &refused.message);
                    answer["body"] = refused.body;
                    (ServiceOutcome::Refused, answer)
                }
            };
            self.plan_answer(answer_after, job.caller, outcome, answer);
        }
        if job.verdict == Verdict::Duplicate {
            let again = Job { verdict: Verdict::Pass, heard: false, ..job };
            self.plan_outside(answer_after + DUPLICATE_AFTER_US, Plan::Reached(again));
        }
    }

    fn service_answered(&mut self, caller: Caller, outcome: ServiceOutcome, answer: &Json) {
        let process = self.process_of(caller.host);
        if process.is_none() && caller.host != CLIENTS {
            // It has died meanwhile.
            return;
        }
        let body = self.symbol(answer);
        self.record(EventKind::ServiceAnswered { call: caller.call, outcome, body }, caller.request);
        let mut message = answer.clone();
        message["do"] = json!("answer");
        message["call"] = json!(caller.number);
        match process {
            Some(process) => self.hosts[process as usize].tell(&message),
            None => self.tell_scripts(&message),
        }
    }

    /// The first rule that is on and hits decides.
    fn roll(&mut self, service: &str, method: &str, caller: Caller) -> Verdict {
        let document = self.document.clone();
        for rule in document.world.faults.iter().filter(|rule| rule.on == service && self.faults.contains(&rule.id)) {
            let meets = rule.methods.is_empty() || rule.methods.iter().any(|of| of == method);
            if !meets || !self.acts_now(rule) || self.dice.random::<f64>() >= self.amount(&rule.share) {
                continue;
            }
            let verdict = match &rule.verdict {
                FaultVerdict::Decline => Verdict::Decline,
                FaultVerdict::Fail => Verdict::Fail,
                FaultVerdict::Refuse => Verdict::Refuse,
                FaultVerdict::Delay { ms } => Verdict::Delay((self.amount(ms) * 1e3) as Micros),
                FaultVerdict::LoseAnswer => Verdict::LoseAnswer,
                FaultVerdict::Duplicate => Verdict::Duplicate,
                FaultVerdict::Resend { .. } | FaultVerdict::Kill => continue,
            };
            let (service, fault) = (self.trace.strings.intern(service), self.trace.strings.intern(&rule.id));
            self.record(EventKind::FaultApplied { call: Some(caller.call), service, fault }, caller.request);
            return verdict;
        }
        Verdict::Pass
    }

    pub fn acts_now(&self, rule: &FaultRule) -> bool {
        let from_s = self.amount(&rule.from_s);
        let until_s = rule.for_s.as_ref().map_or(f64::INFINITY, |for_s| from_s + self.amount(for_s));
        (from_s..until_s).contains(&(self.now() as f64 / 1e6))
    }

    fn plan_answer(&mut self, after: Micros, caller: Caller, outcome: ServiceOutcome, answer: Json) {
        self.plan_outside(after, Plan::Answer(caller, outcome, answer));
    }

    fn plan_outside(&mut self, after: Micros, plan: Plan) {
        self.plan(Duration::from_micros(after), AnyPlan::Outside(plan));
    }

    fn normal_us(&mut self, mean_us: f64, sd_us: f64) -> Micros {
        let radius = (-2.0 * (1.0 - self.dice.random::<f64>()).ln()).sqrt();
        let angle = 2.0 * std::f64::consts::PI * self.dice.random::<f64>();
        (mean_us + sd_us * radius * angle.cos()).max(mean_us / 5.0) as Micros
    }
}

fn refusal(kind: &str, class: &str, message: &str) -> Json {
    let module = twoam::python::library::Client::of_kind(kind).map_or(kind, |client| client.module);
    json!({ "error": class, "module": module, "message": message, "body": null })
}
