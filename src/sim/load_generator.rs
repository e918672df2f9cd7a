//! Who sends requests: so many clients that wait for their answers (closed loop), arrivals that wait for nobody (open loop), or
//! clients with code of their own (scripts).

use std::collections::BTreeSet;
use std::rc::Rc;

use rand::Rng as _;
use serde_json::{Map, Value as Json, json};

use super::kernel::Kernel;
use super::message::{AppMessage, Arrival, LoadMessage, Unanswered};
use super::rng::exponential_us;
use crate::scenario::{Clients, FaultVerdict, Place, ScenarioDocument, draw_all};
use crate::trace::{Answer, CallId, ClientId, Micros, RequestId};

/// How often an open loop whose rate is 0 looks whether that has changed.
const IDLE_LOOK_US: Micros = 100_000;

pub struct LoadGenerator {
    document: Rc<ScenarioDocument>,
    /// Closed loop: how many clients there are.
    count: u32,
    /// Open loop: numbers of clients that have left, to be used again.
    free: BTreeSet<u32>,
    /// Requests sent by clients so far.
    sent: u64,
}

impl LoadGenerator {
    pub fn new(document: Rc<ScenarioDocument>) -> LoadGenerator {
        LoadGenerator { document, count: 0, free: BTreeSet::new(), sent: 0 }
    }

    pub fn start(&mut self, kernel: &mut Kernel) {
        match &self.document.world.clients {
            Clients::Closed { .. } => self.adjust_clients(kernel),
            Clients::Open { .. } => self.schedule_arrival(kernel),
            // They are started with their code.
            Clients::Scripted { .. } => {}
        }
    }

    pub fn handle(&mut self, message: LoadMessage, kernel: &mut Kernel) {
        match message {
            LoadMessage::Arrival => {
                let client = self.free.pop_first().unwrap_or_else(|| {
                    self.count += 1;
                    self.count - 1
                });
                self.send(ClientId(client), kernel);
                kernel.post(LoadMessage::NextArrival);
            }
            LoadMessage::NextArrival => self.schedule_arrival(kernel),
            LoadMessage::Send(client) if client.0 < self.count => self.send(client, kernel),
            // A knob has taken this client away.
            LoadMessage::Send(_) => {}
            LoadMessage::Answered(client) => self.answered(client, kernel),
            LoadMessage::ScriptSends { call, client, entry, arguments } => {
                self.script_sends(call, client, &entry, arguments, kernel);
            }
        }
    }

    /// After a knob was moved: new clients come, surplus ones leave with their next request.
    pub fn adjust_clients(&mut self, kernel: &mut Kernel) {
        let Clients::Closed { count, think_ms } = &self.document.world.clients else { return };
        let target = kernel.amount(count).max(0.0) as u32;
        let think_us = kernel.amount_us(think_ms);
        for client in (self.count..target).map(ClientId) {
            // Spread over one think time: people do not come all at once.
            let after = kernel.rng.of_client(client).random::<f64>() * think_us;
            kernel.schedule(kernel.now() + after as Micros, LoadMessage::Send(client));
        }
        self.count = target;
    }

    fn schedule_arrival(&self, kernel: &mut Kernel) {
        let Clients::Open { rate_per_s } = &self.document.world.clients else { return };
        let rate = kernel.amount(rate_per_s);
        if rate <= 0.0 {
            // Nobody comes, and no request is sent when this is looked at again.
            return kernel.schedule(kernel.now() + IDLE_LOOK_US, LoadMessage::NextArrival);
        }
        let after = exponential_us(&mut kernel.rng.load, 1e6 / rate);
        kernel.schedule(kernel.now() + after, LoadMessage::Arrival);
    }

    /// The client thinks and sends again, or it leaves.
    fn answered(&mut self, client: ClientId, kernel: &mut Kernel) {
        match &self.document.world.clients {
            Clients::Closed { think_ms, .. } => {
                let think_us = kernel.amount_us(think_ms);
                let after = exponential_us(kernel.rng.of_client(client), think_us);
                kernel.schedule(kernel.now() + after, LoadMessage::Send(client));
            }
            Clients::Open { .. } => _ = self.free.insert(client.0),
            Clients::Scripted { .. } => {}
        }
    }

    fn send(&mut self, client: ClientId, kernel: &mut Kernel) {
        self.sent += 1;
        let (kind, arguments) = self.draw_request(client, kernel);
        self.request(client, kind, arguments, None, kernel);
    }

    fn script_sends(
        &mut self,
        call: CallId,
        client: Option<ClientId>,
        entry: &str,
        arguments: Json,
        kernel: &mut Kernel,
    ) {
        let kind = self.document.world.requests.iter().position(|kind| kind.entry == entry);
        let (Some(kind), Some(client)) = (kind, client) else {
            let names = self.document.world.requests.iter().map(|kind| kind.entry.as_str()).collect::<Vec<_>>();
            let error = format!("there is no {entry}; there are {}", names.join(", "));
            let answer = Answer::Service(json!({ "status": 404, "error": error }));
            return kernel.post(AppMessage::Answer(call, answer));
        };
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        self.request(client, kind, arguments, Some(call), kernel);
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
        self.roll_resends(request, client, kind, &arguments, kernel);
        kernel.post(AppMessage::Request(Arrival { request, client, kind, arguments, again: false, caller }));
    }

    fn roll_resends(
        &self,
        request: RequestId,
        client: ClientId,
        kind: usize,
        arguments: &Map<String, Json>,
        kernel: &mut Kernel,
    ) {
        for rule in &self.document.world.faults {
            let FaultVerdict::Resend { after_ms } = &rule.verdict else { continue };
            let entry = &self.document.world.requests[kind].entry;
            if !rule.meets(entry) || !kernel.acts(rule) || !kernel.roll_fault(rule) {
                continue;
            }
            let at = kernel.now() + kernel.amount_us(after_ms) as Micros;
            let arguments = arguments.clone();
            kernel.schedule(at, AppMessage::Resend(Unanswered { request, client, kind, arguments }));
        }
    }

    /// Which kind of request, and with what.
    fn draw_request(&self, client: ClientId, kernel: &mut Kernel) -> (usize, Map<String, Json>) {
        let kinds = &self.document.world.requests;
        let total: f64 = kinds.iter().map(|kind| kernel.amount(&kind.weight)).sum();
        let now = kernel.now();
        let (rng, knobs) = kernel.rng_and_knobs();
        let rng = match &self.document.world.clients {
            Clients::Closed { .. } => rng.of_client(client),
            Clients::Open { .. } | Clients::Scripted { .. } => &mut rng.load,
        };
        let mut left = rng.random::<f64>() * total;
        let drawn = kinds.iter().position(|kind| {
            left -= kind.weight.at(knobs);
            left < 0.0
        });
        let kind = drawn.unwrap_or(kinds.len() - 1);
        let place = Place { n: self.sent, client: client.0 + 1, now };
        let parameters = draw_all(&kinds[kind].parameters, rng, place, knobs);
        (kind, parameters.map(|(name, value)| (name.clone(), value)).collect())
    }
}
