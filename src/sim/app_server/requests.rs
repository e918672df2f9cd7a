//! Requests on their way, from their arrival to the answer.

use serde_json::{Value as Json, json};

use super::AppServer;
use crate::python::Raised;
use crate::sim::cost;
use crate::sim::kernel::Kernel;
use crate::sim::message::{AppMessage, Arrival, LoadMessage, MonitorMessage, Turn, Unanswered};
use crate::trace::{Answer, CallId, ClientId, EventKind, Micros, ProcessId, RequestId};

/// More requests at once than this are turned away: memory for their handlers is finite.
const IN_FLIGHT_MAX: usize = 4_000;

/// One execution of a handler on its way.
pub struct InFlight {
    pub client: Option<ClientId>,
    /// Its place among the scenario's kinds of request.
    pub kind: Option<usize>,
    pub again: bool,
    pub since: Micros,
    pub process: usize,
    pub worker: Option<usize>,
    /// It is no request: it is what this client does, and sends requests.
    pub script: Option<ClientId>,
    pub caller: Option<CallId>,
}

impl InFlight {
    pub fn new(process: usize, since: Micros) -> InFlight {
        InFlight { client: None, kind: None, again: false, since, process, worker: None, script: None, caller: None }
    }
}

impl AppServer {
    pub(super) fn take_request(&mut self, arrival: Arrival, kernel: &mut Kernel) {
        let Arrival { request, client, kind, arguments, again, caller } = arrival;
        let process = self.process_for(request);
        let arguments = Json::Object(arguments);
        let text = kernel.symbol(&arguments.to_string());
        let started = EventKind::RequestStarted {
            client: Some(client),
            process: ProcessId(process.unwrap_or(0) as u32),
            variant: kernel.symbol(&self.variant),
            arguments: text,
        };
        kernel.record(started, Some(request), None, None);
        kernel.post(MonitorMessage::Started(request));
        let in_flight = InFlight::new(process.unwrap_or(0), kernel.now());
        let in_flight = InFlight { client: Some(client), kind: Some(kind), again, ..in_flight };
        self.requests.insert(request, in_flight);
        match process {
            None => self.turn_away(request, 502, "no process is up", caller, kernel),
            Some(_) if self.requests.len() > IN_FLIGHT_MAX => {
                if !self.turned_away {
                    self.turned_away = true;
                    kernel.limit_reached(&format!(
                        "{IN_FLIGHT_MAX} requests were on their way at once; further ones are turned away with 503"
                    ));
                }
                self.turn_away(request, 503, "too many requests on their way", caller, kernel);
            }
            Some(process) => {
                let handler = self.deployments[&self.variant].handlers[process][kind];
                let turn = Turn::Start { handler, arguments };
                self.take_turn(process, cost::REQUEST_CPU_US, request, turn, kernel);
                self.requests.get_mut(&request).expect("it was put there").caller = caller;
            }
        }
    }

    pub(super) fn resend(&mut self, unanswered: Unanswered, kernel: &mut Kernel) {
        let Unanswered { request, client, kind, arguments } = unanswered;
        if self.requests.contains_key(&request) {
            let request = kernel.new_request();
            self.take_request(Arrival { request, client, kind, arguments, again: true, caller: None }, kernel);
        }
    }

    /// The client gets its answer.
    pub(super) fn finish(
        &mut self,
        request: RequestId,
        status: u16,
        body: &str,
        error: Option<&str>,
        kernel: &mut Kernel,
    ) {
        let Some(ended) = self.requests.remove(&request) else { return };
        if let Some(caller) = ended.caller {
            let body = serde_json::from_str(body).unwrap_or_else(|_| Json::String(body.to_owned()));
            self.answer(caller, Answer::Service(json!({ "status": status, "body": body })), kernel);
        }
        let body = kernel.symbol(body);
        // A traceback's last lines say most, so it stays whole.
        let error = error.map(|error| kernel.whole_symbol(error));
        kernel.record(EventKind::RequestFinished { status, body, error }, Some(request), None, None);
        if let Some(worker) = ended.worker {
            let again = kernel.now() + self.workers[worker].every_us;
            kernel.schedule(again, AppMessage::WorkerDue(worker));
        }
        if let Some(client) = ended.client {
            let took = kernel.now() - ended.since;
            kernel.post(MonitorMessage::Finished { request, kind: ended.kind, status, took });
            if !ended.again {
                kernel.post(LoadMessage::Answered(client));
            }
        }
    }

    pub(super) fn finished(&mut self, request: RequestId, outcome: Result<Json, Raised>, kernel: &mut Kernel) {
        match outcome {
            Ok(body) => {
                let status = body.get("status").and_then(Json::as_u64).filter(|status| (100..600).contains(status));
                self.finish(request, status.unwrap_or(200) as u16, &body.to_string(), None, kernel);
            }
            Err(raised) => {
                let body = format!("{}: {}", raised.class, raised.message);
                self.finish(request, 500, &body, Some(&raised.traceback), kernel);
            }
        }
    }

    fn turn_away(&mut self, request: RequestId, status: u16, body: &str, caller: Option<CallId>, kernel: &mut Kernel) {
        self.finish(request, status, body, None, kernel);
        if let Some(caller) = caller {
            let answer = Answer::Service(json!({ "status": 502, "error": "turned away" }));
            kernel.post(AppMessage::Answer(caller, answer));
        }
    }

    /// Requests go to the processes in turn, past those that are down.
    fn process_for(&self, request: RequestId) -> Option<usize> {
        let count = self.servers;
        let first = request.0 as usize % count;
        (0..count).map(|step| (first + step) % count).find(|process| self.processes[*process].up)
    }
}
