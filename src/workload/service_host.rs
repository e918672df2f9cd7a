//! Calls to simulated services: when they are heard, what goes wrong, when they are answered. The service itself says what the answer is.

use std::rc::Rc;

use serde_json::Value as Json;

use super::{Circumstances, Conditions, FaultRules, normal_us};
use crate::scenario::ScenarioDocument;
use crate::services::{self, LedgerEntry, LogLine, Service, ServiceCall, ServiceKind, Verdict};
use crate::trace::{Answer, Micros, ServiceOutcome};

/// A refused TCP connection in the same data centre.
const REFUSED_US: Micros = 1_000;

/// How much later a duplicated request reaches a service: a proxy's retry.
const DUPLICATE_AFTER_US: Micros = 20_000;

pub struct ServiceHost {
    document: Rc<ScenarioDocument>,
    hosted: Vec<Hosted>,
    faults: FaultRules,
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

/// A call on its way to a service, from whoever `C` says.
pub struct ServiceJob<C> {
    pub caller: C,
    /// Its place among those hosted.
    service: usize,
    method: String,
    arguments: Json,
    verdict: Verdict,
    /// When the service will have an answer for the caller.
    answered_at: Micros,
    /// Somebody still waits for the answer when it comes.
    heard: bool,
}

/// What the caller hears, and when.
pub struct Answered {
    pub at: Micros,
    pub outcome: ServiceOutcome,
    pub answer: Answer,
}

/// What becomes of a call that has been taken.
pub struct Taken<C> {
    /// The fault it meets.
    pub fault: Option<String>,
    /// Known without the service.
    pub answer: Option<Answered>,
    /// When it reaches the service.
    pub job: Option<(Micros, ServiceJob<C>)>,
}

/// What a service did with a call that has reached it.
pub struct Worked<C> {
    /// To be written into its books.
    pub entries: Vec<LedgerEntry>,
    /// The same call reaches it once more.
    pub again: Option<(Micros, ServiceJob<C>)>,
    pub answer: Option<Answered>,
}

impl<C> Taken<C> {
    fn answered(fault: Option<String>, at: Micros, answer: Answer) -> Taken<C> {
        Taken { fault, answer: Some(Answered { at, outcome: ServiceOutcome::Refused, answer }), job: None }
    }
}

impl ServiceHost {
    pub fn new(document: Rc<ScenarioDocument>) -> ServiceHost {
        let settings = document.simulation.services.iter().enumerate();
        let hosted = settings.filter_map(|(place, settings)| {
            let kind = services::kind(&settings.kind)?;
            let (name, service) = (settings.name.clone(), (kind.create)(&settings.name));
            Some(Hosted { name, kind, service, settings: place, busy_until: vec![] })
        });
        ServiceHost { hosted: hosted.collect(), faults: FaultRules::new(document.clone()), document }
    }

    /// What makes the tables of a scenario's services' books, one for each kind: services of a kind write into the same.
    pub fn ledgers(document: &ScenarioDocument) -> Vec<&'static str> {
        let mut ledgers = vec![];
        for kind in document.simulation.services.iter().filter_map(|settings| services::kind(&settings.kind)) {
            if !kind.ledger.is_empty() && !ledgers.contains(&kind.ledger) {
                ledgers.push(kind.ledger);
            }
        }
        ledgers
    }

    pub fn faults(&self) -> &FaultRules {
        &self.faults
    }

    pub fn take<C>(
        &mut self,
        caller: C,
        service: &str,
        method: String,
        arguments: Json,
        at: &mut Circumstances,
    ) -> Taken<C> {
        let Some(place) = self.hosted.iter().position(|hosted| hosted.name == service) else {
            let known = self.hosted.iter().map(|hosted| hosted.name.as_str()).collect::<Vec<_>>();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!("this scenario has no service `{service}`; it has {known}");
            return Taken::answered(None, at.now, Answer::NoService { message });
        };
        let met = self.faults.verdict(service, &method, at);
        let (fault, verdict) = met.map_or((None, Verdict::Pass), |(rule, verdict)| (Some(rule.id.clone()), verdict));
        let (kind, errors) = (self.hosted[place].kind.name, &self.hosted[place].kind.errors);
        let settings = &self.document.simulation.services[self.hosted[place].settings];
        let amount_us = |amount| at.conditions.amount_us(amount);
        let (mean, sd) = (amount_us(&settings.latency_ms), amount_us(&settings.latency_sd_ms));
        let gives_up_at = at.now + amount_us(&settings.timeout_ms) as Micros;
        let mut latency = normal_us(&mut at.rng.services, mean, sd);
        match verdict {
            Verdict::Refuse => {
                let refused = refusal(kind, errors.refused, &format!("cannot connect to {service}"));
                return Taken::answered(fault, at.now + REFUSED_US, refused);
            }
            Verdict::Fail => {
                let failed = refusal(kind, errors.failed, &format!("{service} answered with an internal error"));
                return Taken::answered(fault, at.now + latency, failed);
            }
            Verdict::Delay(extra) => latency += extra,
            Verdict::Pass | Verdict::Decline | Verdict::LoseAnswer | Verdict::Duplicate => {}
        }
        let begins_at = self.begins(place, latency, &arguments, at.now, at.conditions);
        let answered_at = begins_at.map(|at| at + latency);
        let heard = verdict != Verdict::LoseAnswer && answered_at.is_some_and(|at| at <= gives_up_at);
        let lost = || {
            let message = format!("no answer from {service} within {} ms", (gives_up_at - at.now) / 1_000);
            let answer = refusal(kind, errors.timed_out, &message);
            Answered { at: gives_up_at, outcome: ServiceOutcome::Lost, answer }
        };
        let job = begins_at.zip(answered_at).map(|(begins_at, answered_at)| {
            let job = ServiceJob { caller, service: place, method, arguments, verdict, answered_at, heard };
            (begins_at + latency / 2, job)
        });
        Taken { fault, answer: (!heard).then(lost), job }
    }

    /// A call has reached its service.
    pub fn work<C: Clone>(&mut self, job: ServiceJob<C>, now: Micros) -> Worked<C> {
        let hosted = &mut self.hosted[job.service];
        let handled = hosted.service.call(&ServiceCall {
            method: &job.method,
            arguments: &job.arguments,
            at: now,
            answered_at: job.answered_at,
            declined: job.verdict == Verdict::Decline,
        });
        let answer = job.heard.then(|| {
            let (outcome, answer) = match handled.answer {
                Ok(body) => (ServiceOutcome::Ok, Answer::Service(body)),
                Err(refused) => {
                    let service = hosted.kind.name.to_owned();
                    let (class, message, body) = (refused.class.to_owned(), refused.message, refused.body);
                    (ServiceOutcome::Refused, Answer::ServiceError { service, class, message, body })
                }
            };
            Answered { at: job.answered_at, outcome, answer }
        });
        let again = (job.verdict == Verdict::Duplicate).then(|| {
            let at = job.answered_at + DUPLICATE_AFTER_US;
            (at, ServiceJob { verdict: Verdict::Pass, heard: false, ..job })
        });
        Worked { entries: handled.entries, again, answer }
    }

    /// A process of the service under test has written a line: what the log stores write into their books.
    pub fn logged(&mut self, line: &LogLine) -> Vec<LedgerEntry> {
        self.hosted.iter_mut().flat_map(|hosted| hosted.service.logged(line)).collect()
    }

    /// When the service comes to the call, or never. It works on calls in order of arrival, whether or not their callers still wait.
    fn begins(
        &mut self,
        place: usize,
        latency: Micros,
        arguments: &Json,
        now: Micros,
        conditions: &Conditions,
    ) -> Option<Micros> {
        let hosted = &mut self.hosted[place];
        let Some(capacity) = &self.document.simulation.services[hosted.settings].capacity else { return Some(now) };
        hosted.busy_until.resize(conditions.amount(capacity).max(1.0) as usize, 0);
        let first_free = hosted.busy_until.iter_mut().min().expect("there is at least one worker");
        let begins_at = now.max(*first_free);
        if hosted.service.abandons(arguments, begins_at - now) {
            return None;
        }
        *first_free = begins_at + latency;
        Some(begins_at)
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
