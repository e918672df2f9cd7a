//! Calls to simulated services: their time and their books. The service itself says what the answer is, `FaultInjector` what goes wrong.

use std::rc::Rc;

use serde_json::Value as Json;

use super::cost;
use super::fault_injector::FaultInjector;
use super::kernel::Kernel;
use super::message::{AppMessage, DatabaseMessage, ServiceJob, ServiceMessage};
use super::rng::normal_us;
use crate::scenario::ScenarioDocument;
use crate::services::{self, LedgerEntry, LogLine, Service, ServiceCall, ServiceKind, Verdict};
use crate::trace::{Answer, CallId, EventKind, LogLevel, Micros, Position, RequestId, ServiceOutcome};

pub struct Services {
    document: Rc<ScenarioDocument>,
    hosted: Vec<Hosted>,
    faults: FaultInjector,
}

struct Hosted {
    name: String,
    kind: &'static ServiceKind,
    service: Box<dyn Service>,
    /// Its place in the scenario's settings.
    settings: usize,
    /// Of a service with a capacity: until when each of its workers is busy with the calls it has.
    busy_until: Vec<Micros>,
}

impl Services {
    pub fn new(document: Rc<ScenarioDocument>) -> Services {
        let settings = document.world.services.iter().enumerate();
        let hosted = settings.filter_map(|(place, settings)| {
            let kind = services::kind(&settings.kind)?;
            let (name, service) = (settings.name.clone(), (kind.create)(&settings.name));
            Some(Hosted { name, kind, service, settings: place, busy_until: vec![] })
        });
        Services { hosted: hosted.collect(), faults: FaultInjector::new(document.clone()), document }
    }

    /// What makes the tables of their books, one for each kind: services of a kind write into the same.
    pub fn ledgers(document: &ScenarioDocument) -> Vec<&'static str> {
        let mut ledgers = vec![];
        for kind in document.world.services.iter().filter_map(|settings| services::kind(&settings.kind)) {
            if !kind.ledger.is_empty() && !ledgers.contains(&kind.ledger) {
                ledgers.push(kind.ledger);
            }
        }
        ledgers
    }

    pub fn start(&mut self, kernel: &mut Kernel) {
        self.faults.start(kernel);
    }

    pub fn handle(&mut self, message: ServiceMessage, kernel: &mut Kernel) {
        match message {
            ServiceMessage::Call { call, request, position, service, method, arguments } => {
                self.call(call, request, position, &service, method, arguments, kernel);
            }
            ServiceMessage::Reached(job) => self.reached(job, kernel),
            ServiceMessage::Line { request, process, level, text } => {
                self.collect_line(request, process, level, &text, kernel);
            }
            ServiceMessage::KillDue(rule) => self.faults.kill_due(rule, kernel),
            ServiceMessage::NextKill(rule) => self.faults.schedule_kill(rule, kernel),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a call, and the kernel")]
    fn call(
        &mut self,
        call: CallId,
        request: RequestId,
        position: Position,
        service: &str,
        method: String,
        arguments: Json,
        kernel: &mut Kernel,
    ) {
        let name = kernel.symbol(service);
        let kind = EventKind::ServiceCalled {
            call,
            position,
            service: name,
            method: kernel.symbol(&method),
            arguments: kernel.symbol(&arguments.to_string()),
        };
        kernel.record(kind, Some(request), None, None);
        let Some(place) = self.hosted.iter().position(|hosted| hosted.name == service) else {
            let known = self.hosted.iter().map(|hosted| hosted.name.as_str()).collect::<Vec<_>>();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!("this scenario has no service `{service}`; it has {known}");
            return answer(call, kernel.now(), ServiceOutcome::Refused, Answer::NoService { message }, kernel);
        };
        let verdict = self.faults.verdict(service, &method, call, request, kernel);
        let (kind, errors) = (self.hosted[place].kind.name, &self.hosted[place].kind.errors);
        let settings = &self.document.world.services[self.hosted[place].settings];
        let (mean, sd) = (kernel.amount_us(&settings.latency_ms), kernel.amount_us(&settings.latency_sd_ms));
        let gives_up_at = kernel.now() + kernel.amount_us(&settings.timeout_ms) as Micros;
        let mut latency = normal_us(&mut kernel.rng.services, mean, sd);
        match verdict {
            Verdict::Refuse => {
                let refused = refusal(kind, errors.refused, &format!("cannot connect to {service}"));
                let at = kernel.now() + cost::REFUSED_US;
                return answer(call, at, ServiceOutcome::Refused, refused, kernel);
            }
            Verdict::Fail => {
                let failed = refusal(kind, errors.failed, &format!("{service} answered with an internal error"));
                let at = kernel.now() + latency;
                return answer(call, at, ServiceOutcome::Refused, failed, kernel);
            }
            Verdict::Delay(extra) => latency += extra,
            Verdict::Pass | Verdict::Decline | Verdict::LoseAnswer | Verdict::Duplicate => {}
        }
        let begins_at = self.begins(place, latency, &arguments, kernel);
        let answered_at = begins_at.map(|at| at + latency);
        let heard = verdict != Verdict::LoseAnswer && answered_at.is_some_and(|at| at <= gives_up_at);
        if !heard {
            let message = format!("no answer from {service} within {} ms", (gives_up_at - kernel.now()) / 1_000);
            let lost = refusal(kind, errors.timed_out, &message);
            answer(call, gives_up_at, ServiceOutcome::Lost, lost, kernel);
        }
        let (Some(begins_at), Some(answered_at)) = (begins_at, answered_at) else { return };
        let job = ServiceJob { service: place, call, request, method, arguments, verdict, answered_at, heard };
        kernel.schedule(begins_at + latency / 2, ServiceMessage::Reached(job));
    }

    /// When the service comes to the call, or never. It works on calls in order of arrival, whether or not their callers still wait.
    fn begins(&mut self, place: usize, latency: Micros, arguments: &Json, kernel: &Kernel) -> Option<Micros> {
        let settings = &self.document.world.services[self.hosted[place].settings];
        let Some(capacity) = &settings.capacity else { return Some(kernel.now()) };
        let workers = kernel.amount(capacity).max(1.0) as usize;
        let hosted = &mut self.hosted[place];
        hosted.busy_until.resize(workers, 0);
        let first_free = hosted.busy_until.iter_mut().min().expect("there is at least one worker");
        let begins_at = kernel.now().max(*first_free);
        if hosted.service.abandons(arguments, begins_at - kernel.now()) {
            return None;
        }
        *first_free = begins_at + latency;
        Some(begins_at)
    }

    fn reached(&mut self, job: ServiceJob, kernel: &mut Kernel) {
        let ServiceJob { service: place, call, request, verdict, .. } = job;
        let hosted = &mut self.hosted[place];
        let kind = hosted.kind.name;
        let handled = hosted.service.call(&ServiceCall {
            method: &job.method,
            arguments: &job.arguments,
            at: kernel.now(),
            answered_at: job.answered_at,
            declined: verdict == Verdict::Decline,
        });
        write_books(handled.entries, request, kernel);
        if verdict == Verdict::Duplicate {
            let (method, arguments) = (job.method.clone(), job.arguments.clone());
            let again = ServiceJob { method, arguments, verdict: Verdict::Pass, heard: false, ..job };
            kernel.schedule(job.answered_at + cost::DUPLICATE_AFTER_US, ServiceMessage::Reached(again));
        }
        if !job.heard {
            return;
        }
        let (outcome, said) = match handled.answer {
            Ok(body) => (ServiceOutcome::Ok, Answer::Service(body)),
            Err(refused) => {
                let service = kind.to_owned();
                let (class, message, body) = (refused.class.to_owned(), refused.message, refused.body);
                (ServiceOutcome::Refused, Answer::ServiceError { service, class, message, body })
            }
        };
        answer(call, job.answered_at, outcome, said, kernel);
    }

    /// Lines of the service's own processes go to the log store, if there is one.
    fn collect_line(&mut self, request: RequestId, process: usize, level: LogLevel, text: &str, kernel: &mut Kernel) {
        let line = LogLine { at: kernel.now(), process: process as u32, level: level.word(), text };
        let entries = self.hosted.iter_mut().flat_map(|hosted| hosted.service.logged(&line)).collect();
        write_books(entries, request, kernel);
    }
}

fn write_books(entries: Vec<LedgerEntry>, request: RequestId, kernel: &mut Kernel) {
    if !entries.is_empty() {
        kernel.post(DatabaseMessage::WriteBooks { request, entries });
    }
}

fn answer(call: CallId, at: Micros, outcome: ServiceOutcome, answer: Answer, kernel: &mut Kernel) {
    kernel.schedule(at, AppMessage::ServiceAnswered { call, outcome, answer });
}

fn refusal(service: &str, class: &str, message: &str) -> Answer {
    Answer::ServiceError {
        service: service.to_owned(),
        class: class.to_owned(),
        message: message.to_owned(),
        body: Json::Null,
    }
}
