//! Who sends requests: so many clients that wait for their answers (closed loop), arrivals that wait for nobody (open loop), or
//! clients with code of their own (scripts), of which only their requests are known here.

use std::collections::BTreeSet;
use std::rc::Rc;

use rand::Rng as _;
use serde_json::{Map, Value as Json};

use super::rng::exponential_us;
use super::{Circumstances, FaultRules};
use crate::scenario::{Clients, Place, ScenarioDocument, draw_all};
use crate::trace::{ClientId, Micros};

/// How often an open loop whose rate is 0 looks whether that has changed.
const IDLE_LOOK_US: Micros = 100_000;

pub struct Load {
    document: Rc<ScenarioDocument>,
    faults: FaultRules,
    /// How many clients there are.
    count: u32,
    /// Open loop: numbers of clients that have left, to be used again.
    free: BTreeSet<u32>,
    /// Requests sent by clients so far.
    sent: u64,
}

/// What comes later.
pub enum Due {
    /// A client of a closed loop has finished thinking.
    Send(ClientId),
    /// The next request of an open loop.
    Arrival,
    /// An open loop without a rate looks whether it has one.
    NextArrival,
}

impl Load {
    pub fn new(document: Rc<ScenarioDocument>) -> Load {
        Load { faults: FaultRules::new(document.clone()), document, count: 0, free: BTreeSet::new(), sent: 0 }
    }

    /// With the time until then, as everywhere here.
    pub fn start(&mut self, at: &mut Circumstances) -> Vec<(Micros, Due)> {
        match &self.document.simulation.clients {
            Clients::Closed { .. } => self.adjust(at),
            Clients::Open { .. } => self.next_arrival(at).into_iter().collect(),
            // They start with their code.
            Clients::Scripted { .. } => vec![],
        }
    }

    /// After a knob was moved: new clients come, surplus ones leave with their next request.
    pub fn adjust(&mut self, at: &mut Circumstances) -> Vec<(Micros, Due)> {
        let Clients::Closed { count, think_ms } = &self.document.simulation.clients else { return vec![] };
        let target = at.conditions.amount(count).max(0.0) as u32;
        let think_us = at.conditions.amount_us(think_ms);
        let newcomers = (self.count..target).map(ClientId);
        self.count = target;
        // Spread over one think time: people do not come all at once.
        let mut after = |client| (at.rng.of_client(client).random::<f64>() * think_us) as Micros;
        newcomers.map(|client| (after(client), Due::Send(client))).collect()
    }

    /// Whether the client is still one of them.
    pub fn is_there(&self, client: ClientId) -> bool {
        client.0 < self.count
    }

    /// A client of an open loop.
    pub fn arrives(&mut self) -> ClientId {
        ClientId(self.free.pop_first().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        }))
    }

    pub fn next_arrival(&self, at: &mut Circumstances) -> Option<(Micros, Due)> {
        let Clients::Open { rate_per_s } = &self.document.simulation.clients else { return None };
        let rate = at.conditions.amount(rate_per_s);
        if rate <= 0.0 {
            // Nobody comes, and no request is sent when this is looked at again.
            return Some((IDLE_LOOK_US, Due::NextArrival));
        }
        Some((exponential_us(&mut at.rng.load, 1e6 / rate), Due::Arrival))
    }

    /// The client has its answer: it thinks and sends again, or it leaves.
    pub fn answered(&mut self, client: ClientId, at: &mut Circumstances) -> Option<(Micros, Due)> {
        match &self.document.simulation.clients {
            Clients::Closed { think_ms, .. } => {
                let think_us = at.conditions.amount_us(think_ms);
                Some((exponential_us(at.rng.of_client(client), think_us), Due::Send(client)))
            }
            Clients::Open { .. } => {
                self.free.insert(client.0);
                None
            }
            Clients::Scripted { .. } => None,
        }
    }

    /// The client's next request: which kind, and with what.
    pub fn draw(&mut self, client: ClientId, at: &mut Circumstances) -> (usize, Map<String, Json>) {
        self.sent += 1;
        let kinds = &self.document.simulation.requests;
        let total: f64 = kinds.iter().map(|kind| at.conditions.amount(&kind.weight)).sum();
        let rng = match &self.document.simulation.clients {
            Clients::Closed { .. } => at.rng.of_client(client),
            Clients::Open { .. } | Clients::Scripted { .. } => &mut at.rng.load,
        };
        let mut left = rng.random::<f64>() * total;
        let drawn = kinds.iter().position(|kind| {
            left -= at.conditions.amount(&kind.weight);
            left < 0.0
        });
        let kind = drawn.unwrap_or(kinds.len() - 1);
        let place = Place { n: self.sent, client: client.0 + 1, now: at.now };
        let parameters = draw_all(&kinds[kind].parameters, rng, place, at.conditions.knobs());
        (kind, parameters.map(|(name, value)| (name.clone(), value)).collect())
    }

    /// The kind of request that a script means, or what to tell it.
    pub fn kind(&self, entry: &str) -> Result<usize, String> {
        let kinds = &self.document.simulation.requests;
        kinds.iter().position(|kind| kind.entry == entry).ok_or_else(|| {
            let names = kinds.iter().map(|kind| kind.entry.as_str()).collect::<Vec<_>>();
            format!("there is no {entry}; there are {}", names.join(", "))
        })
    }

    /// After how long the request comes once more, if it has no answer by then.
    pub fn resends(&self, kind: usize, at: &mut Circumstances) -> Vec<Micros> {
        self.faults.resends(&self.document.simulation.requests[kind].entry, at)
    }
}
