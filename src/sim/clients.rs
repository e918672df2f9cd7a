//! Who sends requests: so many clients that wait for their answers (closed loop), arrivals that wait for nobody (open loop), or
//! clients with code of their own (scripts).

use std::collections::BTreeSet;

use rand::Rng;
use serde_json::{Map, Value as Json, json};

use super::RunError;
use super::dice::exponential_us;
use super::examine::said;
use super::processes::{Process, Turn};
use super::world::{InFlight, Step, World};
use crate::python::Source;
use crate::scenario::{self, FaultVerdict, Place, draw_all};
use crate::trace::{Answer, CallId, ClientId, EventKind, Micros, ProcessId, RequestId};

/// More requests at once than this are turned away: memory for their handlers is finite.
const IN_FLIGHT_MAX: usize = 4_000;

/// How often an open loop whose rate is 0 looks whether that has changed.
const IDLE_LOOK_US: Micros = 100_000;

#[derive(Default)]
pub struct Clients {
    /// Closed loop: how many there are.
    count: u32,
    /// Open loop: numbers of clients that have left, to be used again.
    free: BTreeSet<u32>,
    /// Requests sent by clients so far.
    sent: u64,
    turned_away: bool,
}

/// A request that may be sent again.
pub struct Unanswered {
    request: RequestId,
    client: ClientId,
    kind: usize,
    arguments: Map<String, Json>,
}

impl World {
    pub fn start_clients(&mut self) {
        match self.document.world.clients.clone() {
            scenario::Clients::Closed { .. } => self.adjust_clients(),
            scenario::Clients::Open { .. } => self.schedule_arrival(),
            scenario::Clients::Scripted { .. } => {}
        }
    }

    /// The clients' own code runs in a place of its own, whose core is never busy.
    pub fn start_scripts(&mut self) -> Result<(), RunError> {
        let document = self.document.clone();
        let scenario::Clients::Scripted { file, source, scripts } = &document.world.clients else { return Ok(()) };
        let place = self.processes.len();
        self.processes.push(Process::default());
        let entries = scripts.iter().map(|script| script.entry.as_str()).collect::<Vec<_>>();
        let handlers = self.python.load(ProcessId(place as u32), Source { file, text: source }, &entries);
        let handlers = handlers.map_err(|raised| RunError {
            file: Some(file.clone()),
            line: raised.position.as_ref().map(|position| position.line),
            ..RunError::new(said(&raised))
        })?;
        for (script, handler) in scripts.iter().zip(handlers) {
            let variant = self.symbol(file);
            let arguments = self.symbol(&script.entry);
            for _ in 0..self.amount(&script.count).max(0.0) as u32 {
                let client = ClientId(self.clients.count);
                self.clients.count += 1;
                let request = self.new_request_id();
                let process = ProcessId(place as u32);
                let kind = EventKind::RequestStarted { client: None, process, variant, arguments };
                self.record(kind, Some(request), None, None);
                self.requests.insert(request, InFlight { script: Some(client), ..InFlight::new(place, self.now) });
                let turn = Turn::Start { request, handler, arguments: json!({ "id": client.0 + 1 }) };
                self.take_turn(place, 0, turn);
            }
        }
        Ok(())
    }

    /// A script sends a request; `call` gets the answer.
    pub fn script_sends(&mut self, call: CallId, of: RequestId, entry: &str, arguments: Json) {
        let kind = self.document.world.requests.iter().position(|kind| kind.entry == entry);
        let client = self.requests.get(&of).and_then(|request| request.script);
        let (Some(kind), Some(client)) = (kind, client) else {
            let names = self.document.world.requests.iter().map(|kind| kind.entry.as_str()).collect::<Vec<_>>();
            let error = format!("there is no {entry}; there are {}", names.join(", "));
            return self.answer(call, Answer::Service(json!({ "status": 404, "error": error })));
        };
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let request = self.new_request_id();
        self.roll_resends(request, client, kind, &arguments);
        self.take_request(request, client, kind, arguments, false);
        match self.requests.get_mut(&request) {
            Some(in_flight) => in_flight.caller = Some(call),
            None => self.answer(call, Answer::Service(json!({ "status": 502, "error": "turned away" }))),
        }
    }

    /// After a knob was moved: new clients come, surplus ones leave with their next request.
    pub fn adjust_clients(&mut self) {
        let scenario::Clients::Closed { count, think_ms } = &self.document.world.clients else { return };
        let target = self.amount(count).max(0.0) as u32;
        let think_us = self.amount_us(think_ms);
        let newcomers = self.clients.count..target;
        self.clients.count = target;
        for client in newcomers {
            // Spread over one think time: people do not come all at once.
            let after = self.dice.of_client(ClientId(client)).random::<f64>() * think_us;
            self.schedule(self.now + after as Micros, Step::Send(ClientId(client)));
        }
    }

    pub fn send(&mut self, client: ClientId) {
        if client.0 < self.clients.count {
            self.request_arrives(client);
        }
    }

    pub fn arrival(&mut self) {
        let client = self.clients.free.pop_first().unwrap_or_else(|| {
            self.clients.count += 1;
            self.clients.count - 1
        });
        self.request_arrives(ClientId(client));
        self.schedule_arrival();
    }

    pub fn schedule_arrival(&mut self) {
        let scenario::Clients::Open { rate_per_s } = &self.document.world.clients else { return };
        let rate = self.amount(rate_per_s);
        if rate <= 0.0 {
            // Nobody comes, and no request is sent when this is looked at again.
            self.schedule(self.now + IDLE_LOOK_US, Step::ArrivalsPaused);
            return;
        }
        let after = exponential_us(&mut self.dice.load, 1e6 / rate);
        self.schedule(self.now + after, Step::Arrival);
    }

    /// The answer has reached the client: it thinks and sends again, or it leaves.
    pub fn client_answered(&mut self, client: ClientId) {
        match &self.document.world.clients {
            scenario::Clients::Closed { think_ms, .. } => {
                let think_us = self.amount_us(think_ms);
                let after = exponential_us(self.dice.of_client(client), think_us);
                self.schedule(self.now + after, Step::Send(client));
            }
            scenario::Clients::Open { .. } => {
                self.clients.free.insert(client.0);
            }
            scenario::Clients::Scripted { .. } => {}
        }
    }

    fn request_arrives(&mut self, client: ClientId) {
        self.clients.sent += 1;
        let (kind, arguments) = self.draw_request(client);
        let request = self.new_request_id();
        self.roll_resends(request, client, kind, &arguments);
        self.take_request(request, client, kind, arguments, false);
    }

    pub fn resend(&mut self, unanswered: Unanswered) {
        let Unanswered { request, client, kind, arguments } = unanswered;
        if self.requests.contains_key(&request) {
            let again = self.new_request_id();
            self.take_request(again, client, kind, arguments, true);
        }
    }

    fn roll_resends(&mut self, request: RequestId, client: ClientId, kind: usize, arguments: &Map<String, Json>) {
        let document = self.document.clone();
        for rule in &document.world.faults {
            let FaultVerdict::Resend { after_ms } = &rule.verdict else { continue };
            let entry = &document.world.requests[kind].entry;
            let meets = rule.methods.is_empty() || rule.methods.contains(entry);
            if !meets
                || !self.faults.contains(&rule.id)
                || !self.acts_now(rule)
                || self.dice.faults.random::<f64>() >= self.amount(&rule.share)
            {
                continue;
            }
            let at = self.now + self.amount_us(after_ms) as Micros;
            let arguments = arguments.clone();
            self.schedule(at, Step::Resend(Unanswered { request, client, kind, arguments }));
        }
    }

    fn take_request(
        &mut self,
        request: RequestId,
        client: ClientId,
        kind: usize,
        arguments: Map<String, Json>,
        again: bool,
    ) {
        let process = self.process_for(request);
        let text = serde_json::Value::Object(arguments.clone()).to_string();
        let arguments_symbol = self.symbol(&text);
        let variant = self.variant.clone();
        let variant = self.symbol(&variant);
        let started = EventKind::RequestStarted {
            client: Some(client),
            process: crate::trace::ProcessId(process.unwrap_or(0) as u32),
            variant,
            arguments: arguments_symbol,
        };
        self.record(started, Some(request), None, None);
        let in_flight =
            InFlight { client: Some(client), kind: Some(kind), again, ..InFlight::new(process.unwrap_or(0), self.now) };
        self.requests.insert(request, in_flight);
        let Some(process) = process else {
            return self.finish(request, 502, "no process is up", None);
        };
        if self.requests.len() > IN_FLIGHT_MAX {
            if !self.clients.turned_away {
                self.clients.turned_away = true;
                self.limit_reached(&format!(
                    "{IN_FLIGHT_MAX} requests were on their way at once; further ones are turned away with 503"
                ));
            }
            return self.finish(request, 503, "too many requests on their way", None);
        }
        self.start_handler(request, process, kind, Json::Object(arguments));
    }

    /// Which kind of request, and with what.
    fn draw_request(&mut self, client: ClientId) -> (usize, Map<String, Json>) {
        let kinds = &self.document.world.requests;
        let total: f64 = kinds.iter().map(|kind| self.amount(&kind.weight)).sum();
        let dice = match &self.document.world.clients {
            scenario::Clients::Closed { .. } => self.dice.of_client(client),
            scenario::Clients::Open { .. } | scenario::Clients::Scripted { .. } => &mut self.dice.load,
        };
        let mut left = dice.random::<f64>() * total;
        let action = kinds
            .iter()
            .position(|kind| {
                left -= kind.weight.at(&self.knobs);
                left < 0.0
            })
            .unwrap_or(kinds.len() - 1);
        let place = Place { n: self.clients.sent, client: client.0 + 1, now: self.now };
        let drawn = draw_all(&kinds[action].parameters, dice, place, &self.knobs);
        (action, drawn.map(|(name, value)| (name.clone(), value)).collect())
    }

    pub fn new_request_id(&mut self) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        request
    }
}
