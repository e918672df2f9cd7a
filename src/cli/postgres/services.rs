//! The workload's services, in real time, behind the same client modules.

use std::time::Duration;

use serde_json::{Value as Json, json};
use twoam::services::LogLine;
use twoam::trace::{Answer, CallId, EventKind, LogLevel, Micros, RequestId, ServiceOutcome};
use twoam::workload::{Answered, ServiceJob};

use super::{CLIENTS, Plan as AnyPlan, Real, call_of};

pub enum Plan {
    Reached(ServiceJob<Caller>),
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

impl Real<'_> {
    pub fn call_service(&mut self, host: u32, message: &Json) {
        let request = message["request"].as_u64().filter(|_| host != CLIENTS).map(|id| RequestId(id as u32));
        let caller =
            Caller { host, number: message["call"].as_u64().unwrap_or(0), call: call_of(host, message), request };
        let (name, method) =
            (message["service"].as_str().unwrap_or_default(), message["method"].as_str().unwrap_or_default());
        let service = self.trace.strings.intern(name);
        let called = EventKind::ServiceCalled {
            call: caller.call,
            position: self.position(message),
            service,
            method: self.trace.strings.intern(method),
            arguments: self.symbol(&message["arguments"]),
        };
        self.record(called, request);
        let arguments = message["arguments"].clone();
        let mut at = self.surroundings.circumstances();
        let taken = self.services.take(caller, name, method.to_owned(), arguments, &mut at);
        if let Some(fault) = taken.fault {
            let fault = self.trace.strings.intern(&fault);
            self.record(EventKind::FaultApplied { call: Some(caller.call), service, fault }, request);
        }
        self.plan_answer(caller, taken.answer, name);
        self.plan_job(taken.job);
    }

    pub fn take_service(&mut self, plan: Plan) {
        match plan {
            Plan::Reached(job) => {
                let caller = job.caller;
                let worked = self.services.work(job, self.now());
                self.write_ledger(worked.entries);
                self.plan_answer(caller, worked.answer, "");
                self.plan_job(worked.again);
            }
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
        let entries = self.services.logged(&LogLine { at: self.now(), process, level: level.word(), text });
        self.write_ledger(entries);
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

    /// `service` is the name by which it was called.
    fn plan_answer(&mut self, caller: Caller, answered: Option<Answered>, service: &str) {
        if let Some(Answered { at, outcome, answer }) = answered {
            self.plan_service(at, Plan::Answer(caller, outcome, wired(answer, service)));
        }
    }

    fn plan_job(&mut self, job: Option<(Micros, ServiceJob<Caller>)>) {
        if let Some((at, job)) = job {
            self.plan_service(at, Plan::Reached(job));
        }
    }

    fn plan_service(&mut self, at: Micros, plan: Plan) {
        let after = at.saturating_sub(self.now());
        self.plan(Duration::from_micros(after), AnyPlan::Service(plan));
    }
}

/// As the hosts take it.
fn wired(answer: Answer, service: &str) -> Json {
    let refused = |kind: &str, class: &str, message: &str, body: Json| {
        let module = twoam::python::library::Client::of_kind(kind).map_or(kind, |client| client.module);
        json!({ "error": class, "module": module, "message": message, "body": body })
    };
    match answer {
        Answer::Service(body) => json!({ "result": body }),
        Answer::ServiceError { service, class, message, body } => refused(&service, &class, &message, body),
        Answer::NoService { message } => refused(service, "ServiceError", &message, Json::Null),
        Answer::Session(_) | Answer::PoolTimeout | Answer::Rows(_) | Answer::SqlError(_) | Answer::Done => {
            unreachable!("no service answers so")
        }
    }
}
