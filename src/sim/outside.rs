//! Calls to simulated services: their time, their faults, their books. The service itself says what the answer is.

use rand::Rng;
use serde_json::Value as Json;

use super::cost;
use super::dice::normal_us;
use super::tape::Sender;
use super::world::{Step, World};
use crate::scenario::{FaultRule, FaultVerdict, ScenarioDocument};
use crate::services::{self, LedgerEntry, LogLine, Service, ServiceCall, ServiceKind, Verdict};
use crate::sql::EngineEvent;
use crate::trace::{Answer, CallId, EventKind, LogLevel, Micros, Position, RequestId, ServiceOutcome, Symbol};

pub struct Outside {
    services: Vec<Running>,
    /// How many processes faults have killed.
    pub kills: u32,
}

struct Running {
    name: String,
    kind: &'static ServiceKind,
    service: Box<dyn Service>,
    /// Its place in the scenario's settings.
    settings: usize,
    /// Of a service with a capacity: until when each of its workers is busy with the calls it has.
    busy_until: Vec<Micros>,
}

/// A call on its way to a service.
pub struct ServiceJob {
    service: usize,
    call: CallId,
    request: RequestId,
    method: String,
    arguments: Json,
    verdict: Verdict,
    /// When the service will have an answer for the caller.
    answered_at: Micros,
    /// Somebody still waits for the answer when it comes.
    heard: bool,
}

impl Outside {
    pub fn new(document: &ScenarioDocument) -> Outside {
        let settings = document.world.services.iter().enumerate();
        let services = settings.filter_map(|(place, settings)| {
            let kind = services::kind(&settings.kind)?;
            let (name, service) = (settings.name.clone(), (kind.create)(&settings.name));
            Some(Running { name, kind, service, settings: place, busy_until: vec![] })
        });
        Outside { services: services.collect(), kills: 0 }
    }

    /// One for each kind: services of a kind write into the same books.
    pub fn ledgers(&self) -> Vec<&'static str> {
        let mut ledgers = vec![];
        for running in self.services.iter().filter(|running| !running.kind.ledger.is_empty()) {
            if !ledgers.contains(&running.kind.ledger) {
                ledgers.push(running.kind.ledger);
            }
        }
        ledgers
    }
}

impl World {
    pub fn call_service(
        &mut self,
        call: CallId,
        request: RequestId,
        position: Position,
        service: &str,
        method: &str,
        arguments: Json,
    ) {
        let name = self.symbol(service);
        let (method_symbol, arguments_symbol) = (self.symbol(method), self.symbol(&arguments.to_string()));
        let kind = EventKind::ServiceCalled {
            call,
            position,
            service: name,
            method: method_symbol,
            arguments: arguments_symbol,
        };
        self.record(kind, Some(request), None, None);
        let Some(place) = self.outside.services.iter().position(|running| running.name == service) else {
            let known = self.outside.services.iter().map(|running| running.name.as_str()).collect::<Vec<_>>();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!("this scenario has no service `{service}`; it has {known}");
            return self.answer_service(call, self.now, ServiceOutcome::Refused, Answer::NoService { message });
        };
        let verdict = self.roll(service, method, call, request, name);
        let (kind, errors) = (self.outside.services[place].kind.name, &self.outside.services[place].kind.errors);
        let settings = &self.document.world.services[self.outside.services[place].settings];
        let (mean, sd) = (self.amount_us(&settings.latency_ms), self.amount_us(&settings.latency_sd_ms));
        let gives_up_at = self.now + self.amount_us(&settings.timeout_ms) as Micros;
        let mut latency = normal_us(&mut self.dice.services, mean, sd);
        match verdict {
            Verdict::Refuse => {
                let answer = refusal(kind, errors.refused, &format!("cannot connect to {service}"));
                return self.answer_service(call, self.now + cost::REFUSED_US, ServiceOutcome::Refused, answer);
            }
            Verdict::Fail => {
                let answer = refusal(kind, errors.failed, &format!("{service} answered with an internal error"));
                return self.answer_service(call, self.now + latency, ServiceOutcome::Refused, answer);
            }
            Verdict::Delay(extra) => latency += extra,
            Verdict::Pass | Verdict::Decline | Verdict::LoseAnswer | Verdict::Duplicate => {}
        }
        let begins_at = self.service_begins(place, latency, &arguments);
        let answered_at = begins_at.map(|at| at + latency);
        let heard = verdict != Verdict::LoseAnswer && answered_at.is_some_and(|at| at <= gives_up_at);
        if !heard {
            let message = format!("no answer from {service} within {} ms", (gives_up_at - self.now) / 1_000);
            let answer = refusal(kind, errors.timed_out, &message);
            self.answer_service(call, gives_up_at, ServiceOutcome::Lost, answer);
        }
        let (Some(begins_at), Some(answered_at)) = (begins_at, answered_at) else { return };
        let method = method.to_owned();
        let job = ServiceJob { service: place, call, request, method, arguments, verdict, answered_at, heard };
        self.schedule(begins_at + latency / 2, Step::ServiceReached(job));
    }

    /// When the service comes to the call, or never. It works on calls in order of arrival, whether or not their callers still wait.
    fn service_begins(&mut self, place: usize, latency: Micros, arguments: &Json) -> Option<Micros> {
        let settings = &self.document.world.services[self.outside.services[place].settings];
        let Some(capacity) = &settings.capacity else { return Some(self.now) };
        let workers = self.amount(capacity).max(1.0) as usize;
        let now = self.now;
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

    pub fn service_reached(&mut self, job: ServiceJob) {
        let ServiceJob { service: place, call, request, verdict, .. } = job;
        let running = &mut self.outside.services[place];
        let kind = running.kind.name;
        let handled = running.service.call(&ServiceCall {
            method: &job.method,
            arguments: &job.arguments,
            at: self.now,
            answered_at: job.answered_at,
            declined: verdict == Verdict::Decline,
        });
        self.write_ledger(handled.entries, request);
        if verdict == Verdict::Duplicate {
            let (method, arguments) = (job.method.clone(), job.arguments.clone());
            let again = ServiceJob { method, arguments, verdict: Verdict::Pass, heard: false, ..job };
            self.schedule(job.answered_at + cost::DUPLICATE_AFTER_US, Step::ServiceReached(again));
        }
        if !job.heard {
            return;
        }
        let (outcome, answer) = match handled.answer {
            Ok(body) => (ServiceOutcome::Ok, Answer::Service(body)),
            Err(refused) => {
                let service = kind.to_owned();
                let (class, message, body) = (refused.class.to_owned(), refused.message, refused.body);
                (ServiceOutcome::Refused, Answer::ServiceError { service, class, message, body })
            }
        };
        self.answer_service(call, job.answered_at, outcome, answer);
    }

    pub fn service_answered(&mut self, call: CallId, outcome: ServiceOutcome, answer: Answer) {
        // The caller may have stopped waiting, or died.
        let Some(open) = self.calls.get(&call) else { return };
        let request = open.request;
        let text = match &answer {
            Answer::Service(body) => body.to_string(),
            Answer::ServiceError { class, message, .. } => format!("{class}: {message}"),
            Answer::NoService { message } => message.clone(),
            _ => String::new(),
        };
        let body = self.symbol(&text);
        self.record(EventKind::ServiceAnswered { call, outcome, body }, Some(request), None, None);
        self.answer(call, answer);
    }

    fn answer_service(&mut self, call: CallId, at: Micros, outcome: ServiceOutcome, answer: Answer) {
        self.schedule(at, Step::ServiceAnswered { call, outcome, answer });
    }

    /// The first rule that is on and hits decides. Every rule that could meet the call is rolled for.
    fn roll(&mut self, service: &str, method: &str, call: CallId, request: RequestId, name: Symbol) -> Verdict {
        let document = self.document.clone();
        for rule in document.world.faults.iter().filter(|rule| rule.on == service) {
            let meets = rule.methods.is_empty() || rule.methods.iter().any(|of| of == method);
            if !meets || !self.faults.contains(&rule.id) || !self.acts_now(rule) {
                continue;
            }
            if self.dice.faults.random::<f64>() >= self.amount(&rule.share) {
                continue;
            }
            let verdict = match &rule.verdict {
                FaultVerdict::Decline => Verdict::Decline,
                FaultVerdict::Fail => Verdict::Fail,
                FaultVerdict::Refuse => Verdict::Refuse,
                FaultVerdict::Delay { ms } => Verdict::Delay(self.amount_us(ms) as Micros),
                FaultVerdict::LoseAnswer => Verdict::LoseAnswer,
                FaultVerdict::Duplicate => Verdict::Duplicate,
                FaultVerdict::Resend { .. } | FaultVerdict::Kill => continue,
            };
            let fault = self.symbol(&rule.id);
            self.record(EventKind::FaultApplied { call: Some(call), service: name, fault }, Some(request), None, None);
            return verdict;
        }
        Verdict::Pass
    }

    pub fn acts_now(&self, rule: &FaultRule) -> bool {
        let from = self.amount(&rule.from_s) * 1e6;
        let until = rule.for_s.as_ref().map_or(f64::INFINITY, |for_s| from + self.amount(for_s) * 1e6);
        (from..until).contains(&(self.now as f64))
    }

    /// Lines of the service's own processes go to the log store, if there is one.
    pub fn collect_line(&mut self, request: RequestId, process: usize, level: LogLevel, text: &str) {
        if process >= self.servers {
            return;
        }
        let line = LogLine { at: self.now, process: process as u32, level: level.word(), text };
        let entries = self.outside.services.iter_mut().flat_map(|running| running.service.logged(&line));
        let entries = entries.collect();
        self.write_ledger(entries, request);
    }

    fn write_ledger(&mut self, entries: Vec<LedgerEntry>, request: RequestId) {
        for LedgerEntry { sql, parameters } in entries {
            self.tape(self.auditor, Sender::Service(request), &sql.into(), &parameters);
            let (written, outcome) = self.audit_outcome(sql, &parameters);
            if let Err(error) = written {
                self.limit_reached(&format!("a service's books could not be written: {}", error.message));
            }
            self.watch_engine_events(self.auditor, &outcome.events);
            self.earn_look();
            for event in outcome.events {
                // The service's own transaction is none of the run's: what it writes counts at once.
                if let EngineEvent::Written { table, key, values, .. } = event {
                    let row = self.row(&table, &key);
                    let kind = EventKind::VersionWritten { call: None, row, values, replaced: None };
                    self.record(kind, Some(request), Some(self.auditor), None);
                }
            }
        }
    }
}

fn refusal(service: &str, class: &str, message: &str) -> Answer {
    Answer::ServiceError {
        service: service.to_owned(),
        class: class.to_owned(),
        message: message.to_owned(),
        body: Json::Null,
    }
}
