//! The workload's services and faults in virtual time.

use std::rc::Rc;

use serde_json::Value as Json;

use super::kernel::Kernel;
use super::message::{AppMessage, DatabaseMessage, ServiceCaller, ServiceMessage};
use crate::scenario::ScenarioDocument;
use crate::services::{LedgerEntry, LogLine};
use crate::trace::{CallId, EventKind, LogLevel, Micros, Position, RequestId};
use crate::workload::{Answered, ServiceHost, ServiceJob};

pub struct Services {
    host: ServiceHost,
}

impl Services {
    pub fn new(document: Rc<ScenarioDocument>) -> Services {
        Services { host: ServiceHost::new(document) }
    }

    pub fn start(&mut self, kernel: &mut Kernel) {
        for (rule, after) in self.host.faults().kills(&kernel.conditions) {
            kernel.schedule(kernel.now() + after, ServiceMessage::KillDue(rule));
        }
    }

    pub fn handle(&mut self, message: ServiceMessage, kernel: &mut Kernel) {
        match message {
            ServiceMessage::Call { call, request, position, service, method, arguments } => {
                self.call(ServiceCaller { call, request }, position, &service, method, arguments, kernel);
            }
            ServiceMessage::Reached(job) => self.reached(job, kernel),
            ServiceMessage::Line { request, process, level, text } => {
                self.collect_line(request, process, level, &text, kernel);
            }
            ServiceMessage::KillDue(rule) => self.kill_due(rule, kernel),
            ServiceMessage::NextKill(rule) => {
                if let Some(after) = self.host.faults().next_kill(rule, &kernel.conditions) {
                    kernel.schedule(kernel.now() + after, ServiceMessage::KillDue(rule));
                }
            }
        }
    }

    fn call(
        &mut self,
        caller: ServiceCaller,
        position: Position,
        service: &str,
        method: String,
        arguments: Json,
        kernel: &mut Kernel,
    ) {
        let ServiceCaller { call, request } = caller;
        let name = kernel.symbol(service);
        let kind = EventKind::ServiceCalled {
            call,
            position,
            service: name,
            method: kernel.symbol(&method),
            arguments: kernel.symbol(&arguments.to_string()),
        };
        kernel.record(kind, Some(request), None, None);
        let taken = self.host.take(caller, service, method, arguments, &mut kernel.circumstances());
        if let Some(fault) = taken.fault {
            let fault = kernel.symbol(&fault);
            let kind = EventKind::FaultApplied { call: Some(call), service: name, fault };
            kernel.record(kind, Some(request), None, None);
        }
        answer(call, taken.answer, kernel);
        reach(taken.job, kernel);
    }

    fn reached(&mut self, job: ServiceJob<ServiceCaller>, kernel: &mut Kernel) {
        let ServiceCaller { call, request } = job.caller;
        let worked = self.host.work(job, kernel.now());
        write_books(worked.entries, request, kernel);
        reach(worked.again, kernel);
        answer(call, worked.answer, kernel);
    }

    /// Lines of the service's own processes go to the log store, if there is one.
    fn collect_line(&mut self, request: RequestId, process: usize, level: LogLevel, text: &str, kernel: &mut Kernel) {
        let line = LogLine { at: kernel.now(), process: process as u32, level: level.word(), text };
        write_books(self.host.logged(&line), request, kernel);
    }

    fn kill_due(&mut self, rule: usize, kernel: &mut Kernel) {
        if let Some(fault) = self.host.faults().kills_now(rule, kernel.now(), &kernel.conditions) {
            let (service, fault) = (kernel.symbol("processes"), kernel.symbol(&fault.id));
            kernel.record(EventKind::FaultApplied { call: None, service, fault }, None, None, None);
            kernel.post(AppMessage::KillNext);
        }
        kernel.post(ServiceMessage::NextKill(rule));
    }
}

fn write_books(entries: Vec<LedgerEntry>, request: RequestId, kernel: &mut Kernel) {
    if !entries.is_empty() {
        kernel.post(DatabaseMessage::WriteBooks { request, entries });
    }
}

fn reach(job: Option<(Micros, ServiceJob<ServiceCaller>)>, kernel: &mut Kernel) {
    if let Some((at, job)) = job {
        kernel.schedule(at, ServiceMessage::Reached(job));
    }
}

fn answer(call: CallId, answered: Option<Answered>, kernel: &mut Kernel) {
    if let Some(Answered { at, outcome, answer }) = answered {
        kernel.schedule(at, AppMessage::ServiceAnswered { call, outcome, answer });
    }
}
