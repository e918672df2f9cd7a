//! Waiting in the simulation obeys queueing theory: mean times of M/M/1 and M/M/c, and Little's law.

use std::collections::BTreeMap;
use std::rc::Rc;

use twoam::api::{Keep, Micros, Run, RunRequest, ScenarioDocument, measured};
use twoam::scenario::{Amount, Clients, bundle, manifest};
use twoam::trace::EventKind;

const SERVICE_S: f64 = 0.1;

/// Requests arrive at random and are served by `servers` that take exponentially distributed times.
fn queue(servers: u32, arrivals_per_s: f64) -> Rc<ScenarioDocument> {
    let folder = bundle::folders().into_iter().find(|folder| folder.id == "oversell").expect("it is built in");
    let mut document = manifest::read(&folder, &measured()).expect("it is valid");
    document.simulation.clients = Clients::Open { rate_per_s: Amount::Number(arrivals_per_s) };
    document.simulation.rows.clear();
    document.simulation.machine.processes = Amount::Number(1.0);
    document.invariants.clear();
    document.simulation.gauges.clear();
    document.variants[0].source = format!(
        "import asyncio, random\n\
         servers = asyncio.Semaphore({servers})\n\
         async def buy(request):\n\
         \x20   async with servers:\n\
         \x20       await asyncio.sleep(random.expovariate(1 / {SERVICE_S}))\n\
         \x20   return {{'status': 200}}\n"
    );
    Rc::new(document)
}

struct Observed {
    mean_s: f64,
    arrivals_per_s: f64,
    mean_in_flight: f64,
}

fn observe(servers: u32, arrivals_per_s: f64, virtual_s: u64) -> Observed {
    let document = queue(servers, arrivals_per_s);
    let request = RunRequest {
        scenario: "oversell".into(),
        variant: "naive".into(),
        environment: "production".into(),
        seed: 11,
        until_us: Some(virtual_s * 1_000_000),
        knobs: BTreeMap::new(),
        sources: BTreeMap::new(),
        changes: vec![],
    };
    let mut run = Run::new(document, request, Keep::All).expect("the run starts");
    run.advance(Micros::MAX);

    let mut started = BTreeMap::new();
    let (mut ended, mut total_s, mut in_flight_s, mut last) = (0, 0.0, 0.0, 0);
    for event in run.trace().events() {
        in_flight_s += (event.at - last) as f64 / 1e6 * started.len() as f64;
        last = event.at;
        match event.kind {
            EventKind::RequestStarted { .. } => {
                started.insert(event.request, event.at);
            }
            EventKind::RequestFinished { .. } => {
                let began = started.remove(&event.request).expect("what ends has begun");
                ended += 1;
                total_s += (event.at - began) as f64 / 1e6;
            }
            _ => {}
        }
    }
    Observed {
        mean_s: total_s / f64::from(ended),
        arrivals_per_s: f64::from(ended) / virtual_s as f64,
        mean_in_flight: in_flight_s / virtual_s as f64,
    }
}

fn within(observed: f64, expected: f64, share: f64, what: &str) {
    let off = (observed - expected).abs() / expected;
    assert!(off <= share, "{what}: observed {observed:.4}, expected {expected:.4}, off by {:.1} %", off * 100.0);
}

#[test]
fn one_server() {
    let observed = observe(1, 5.0, 6_000);
    within(observed.mean_s, 1.0 / (1.0 / SERVICE_S - 5.0), 0.05, "time in an M/M/1 system");
    within(observed.mean_in_flight, observed.arrivals_per_s * observed.mean_s, 0.01, "Little's law");
}

#[test]
fn three_servers() {
    let (servers, rate) = (3.0, 18.0);
    let load: f64 = rate * SERVICE_S;
    // Erlang's C formula: the share of those who have to wait.
    let waiting_term = load.powi(3) / 6.0 * servers / (servers - load);
    let waits = waiting_term / (1.0 + load + load.powi(2) / 2.0 + waiting_term);
    let expected = SERVICE_S + waits / (servers / SERVICE_S - rate);

    let observed = observe(3, rate, 2_000);
    within(observed.mean_s, expected, 0.05, "time in an M/M/3 system");
    within(observed.mean_in_flight, observed.arrivals_per_s * observed.mean_s, 0.01, "Little's law");
}
