//! What handlers await.

use super::AppServer;
use crate::sim::cost;
use crate::sim::kernel::Kernel;
use crate::sim::message::{AppMessage, DatabaseMessage, LoadMessage, ServiceMessage, Submission, Turn};
use crate::trace::{Answer, Call, CallId, EventKind, Micros, Position, RequestId, ServiceOutcome, SessionId};

/// What scripted clients know the scenario's own service by.
const APP: &str = "app";

pub struct OpenCall {
    pub request: RequestId,
    pub process: usize,
    pub position: Position,
    pub at: Micros,
    pub kind: OpenCallKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenCallKind {
    Connection,
    Statement(SessionId),
    Clock,
    Service,
    Other,
}

impl AppServer {
    pub(super) fn called(
        &mut self,
        process: usize,
        request: RequestId,
        call: CallId,
        position: Position,
        body: Call,
        kernel: &mut Kernel,
    ) {
        let kind = match &body {
            Call::Acquire { .. } => OpenCallKind::Connection,
            Call::Sql { session, .. } => OpenCallKind::Statement(*session),
            Call::Sleep { .. } | Call::Timer { .. } => OpenCallKind::Clock,
            Call::Service { .. } => OpenCallKind::Service,
            Call::Release { .. } => OpenCallKind::Other,
        };
        self.calls.insert(call, OpenCall { request, process, position, at: kernel.now(), kind });
        match body {
            Call::Acquire { server, timeout_us } => self.acquire(call, process, server, timeout_us, kernel),
            Call::Release { session } => {
                kernel.post(DatabaseMessage::Release(session));
                kernel.post(AppMessage::Answer(call, Answer::Done));
            }
            Call::Sql { session, sql, text, params } => {
                let submission = Submission { session, request, call, position, sql, text, parameters: params };
                kernel.post(DatabaseMessage::Submit(submission));
            }
            Call::Sleep { us } => {
                kernel.record(EventKind::Slept { call, position, us }, Some(request), None, None);
                kernel.schedule(kernel.now() + us, AppMessage::Rung(call));
            }
            Call::Timer { us } => kernel.schedule(kernel.now() + us, AppMessage::Rung(call)),
            Call::Service { service, method, arguments } if service == APP => {
                let client = self.requests.get(&request).and_then(|request| request.script);
                kernel.post(LoadMessage::ScriptSends { call, client, entry: method, arguments });
            }
            Call::Service { service, method, arguments } => {
                kernel.post(ServiceMessage::Call { call, request, position, service, method, arguments });
            }
        }
    }

    pub(super) fn cancelled(&mut self, call: CallId, kernel: &mut Kernel) {
        let Some(open) = self.calls.remove(&call) else { return };
        match open.kind {
            OpenCallKind::Connection => _ = self.leave_pool_queue(open.process, call),
            OpenCallKind::Statement(session) => {
                kernel.record(EventKind::CallAbandoned { call }, Some(open.request), Some(session), None);
                kernel.post(DatabaseMessage::Cancel { session, call });
            }
            OpenCallKind::Service => kernel.record(EventKind::CallAbandoned { call }, Some(open.request), None, None),
            OpenCallKind::Clock | OpenCallKind::Other => {}
        }
    }

    /// The answer waits for the process's core.
    pub(super) fn answer(&mut self, call: CallId, answer: Answer, kernel: &mut Kernel) {
        let Some(open) = self.calls.get(&call) else { return };
        // Clients have a machine each.
        let cost_us = if open.process < self.servers { cost::TURN_CPU_US } else { 0 };
        self.take_turn(open.process, cost_us, open.request, Turn::Answer(call, answer), kernel);
    }

    pub(super) fn service_answered(
        &mut self,
        call: CallId,
        outcome: ServiceOutcome,
        answer: Answer,
        kernel: &mut Kernel,
    ) {
        // The caller may have stopped waiting, or died.
        let Some(open) = self.calls.get(&call) else { return };
        let text = match &answer {
            Answer::Service(body) => body.to_string(),
            Answer::ServiceError { class, message, .. } => format!("{class}: {message}"),
            Answer::NoService { message } => message.clone(),
            _ => String::new(),
        };
        let body = kernel.symbol(&text);
        kernel.record(EventKind::ServiceAnswered { call, outcome, body }, Some(open.request), None, None);
        self.answer(call, answer, kernel);
    }
}
