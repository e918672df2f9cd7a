//! The workload's clients in virtual time: their requests come when they are due, and go to the processes.

use std::rc::Rc;

use serde_json::{Map, Value as Json, json};

use super::kernel::Kernel;
use super::message::{AppMessage, Arrival, LoadMessage, Unanswered};
use crate::scenario::ScenarioDocument;
use crate::trace::{Answer, CallId, ClientId, Micros};
use crate::workload::{Due, Load};

pub struct LoadGenerator {
    load: Load,
}

impl LoadGenerator {
    pub fn new(document: Rc<ScenarioDocument>) -> LoadGenerator {
        LoadGenerator { load: Load::new(document) }
    }

    pub fn start(&mut self, kernel: &mut Kernel) {
        let due = self.load.start(&mut kernel.circumstances());
        schedule(due, kernel);
    }

    /// After a knob was moved.
    pub fn adjust(&mut self, kernel: &mut Kernel) {
        let due = self.load.adjust(&mut kernel.circumstances());
        schedule(due, kernel);
    }

    pub fn handle(&mut self, message: LoadMessage, kernel: &mut Kernel) {
        match message {
            LoadMessage::Due(Due::Send(client)) => {
                if self.load.is_there(client) {
                    self.send(client, kernel);
                }
            }
            LoadMessage::Due(Due::Arrival) => {
                let client = self.load.arrives();
                self.send(client, kernel);
                kernel.post(LoadMessage::Due(Due::NextArrival));
            }
            LoadMessage::Due(Due::NextArrival) => {
                let due = self.load.next_arrival(&mut kernel.circumstances());
                schedule(due, kernel);
            }
            LoadMessage::Answered(client) => {
                let due = self.load.answered(client, &mut kernel.circumstances());
                schedule(due, kernel);
            }
            LoadMessage::ScriptSends { call, client, entry, arguments } => {
                let kind = self.load.kind(&entry);
                match (kind, client) {
                    (Ok(kind), Some(client)) => {
                        let arguments = arguments.as_object().cloned().unwrap_or_default();
                        self.request(client, kind, arguments, Some(call), kernel);
                    }
                    (kind, _) => {
                        let error = kind.err().unwrap_or_else(|| "only clients send requests".to_owned());
                        let answer = Answer::Service(json!({ "status": 404, "error": error }));
                        kernel.post(AppMessage::Answer(call, answer));
                    }
                }
            }
        }
    }

    fn send(&mut self, client: ClientId, kernel: &mut Kernel) {
        let (kind, arguments) = self.load.draw(client, &mut kernel.circumstances());
        self.request(client, kind, arguments, None, kernel);
    }

    fn request(
        &mut self,
        client: ClientId,
        kind: usize,
        arguments: Map<String, Json>,
        caller: Option<CallId>,
        kernel: &mut Kernel,
    ) {
        let request = kernel.new_request();
        for after in self.load.resends(kind, &mut kernel.circumstances()) {
            let again = Unanswered { request, client, kind, arguments: arguments.clone() };
            kernel.schedule(kernel.now() + after, AppMessage::Resend(again));
        }
        kernel.post(AppMessage::Request(Arrival { request, client, kind, arguments, again: false, caller }));
    }
}

fn schedule(due: impl IntoIterator<Item = (Micros, Due)>, kernel: &mut Kernel) {
    for (after, due) in due {
        kernel.schedule(kernel.now() + after, LoadMessage::Due(due));
    }
}
