//! What must happen once happens once, however many ask for it at the same moment: a refresh token is used, a card is charged.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use twoam::api::{Keep, Micros, Run, RunRequest, measured};
use twoam::scenario::{Amount, Clients, Script, bundle, manifest};
use twoam::trace::{EventKind, RequestId, Trace};

const CLIENTS: u32 = 10;

/// Runs `CLIENTS` clients with this code, whose function is `client`, against a variant of a scenario.
fn run(scenario: &str, variant: &str, seed: u32, source: &str) -> Run {
    let folder = bundle::folders().into_iter().find(|folder| folder.id == scenario).expect("it is built in");
    let mut document = manifest::read(&folder, &measured()).expect("it is valid");
    document.simulation.clients = Clients::Scripted {
        file: "clients.py".into(),
        source: source.into(),
        scripts: vec![Script { entry: "client".into(), count: Amount::Number(f64::from(CLIENTS)) }],
    };
    let environment = document.environments.iter_mut().find(|environment| environment.id == "production");
    environment.expect("every scenario has one").faults.clear();
    let request = RunRequest {
        scenario: scenario.into(),
        variant: variant.into(),
        environment: "production".into(),
        seed,
        until_us: Some(10_000_000),
        knobs: BTreeMap::new(),
        sources: BTreeMap::new(),
        changes: vec![],
    };
    let mut run = Run::new(Rc::new(document), request, Keep::All).expect("the run starts");
    run.advance(Micros::MAX);
    run
}

/// Status and body of each request whose arguments hold `word`.
fn answers<'a>(trace: &'a Trace, word: &str) -> Vec<(u16, &'a str)> {
    let mut asked: BTreeSet<RequestId> = BTreeSet::new();
    let mut answers = vec![];
    for event in trace.events() {
        let Some(request) = event.request else { continue };
        match event.kind {
            EventKind::RequestStarted { arguments, .. } if trace.strings.text(arguments).contains(word) => {
                asked.insert(request);
            }
            EventKind::RequestFinished { status, body, .. } if asked.contains(&request) => {
                answers.push((status, trace.strings.text(body)));
            }
            _ => {}
        }
    }
    answers
}

/// Logs in, refreshes twice at once with the same token, then tries what the winner was given.
const PAIR: &str = r#"
import asyncio

async def client(app, client):
    login = await app.call("login", {"user_id": client["id"], "device_key": "", "ip": "192.0.2.1"})
    both = await asyncio.gather(refresh(app, login["refresh_token"]), refresh(app, login["refresh_token"]))
    for answer in both:
        if answer.ok:
            await refresh(app, answer["refresh_token"])

async def refresh(app, token):
    return await app.call("refresh", {"refresh_token": token, "proof": "", "ip": "192.0.2.1"})
"#;

fn refreshes(variant: &str, seed: u32) -> BTreeMap<u16, u32> {
    let run = run("token-theft", variant, seed, PAIR);
    let mut counts = BTreeMap::new();
    for (status, _) in answers(run.trace(), "refresh_token") {
        *counts.entry(status).or_default() += 1;
    }
    counts
}

#[test]
fn one_of_two_refreshes_wins_and_reuse_ends_the_session() {
    for seed in 1..=5 {
        // One winner of each pair; the loser, and later the winner's own new token, are refused.
        let expected = BTreeMap::from([(200, CLIENTS), (401, 2 * CLIENTS)]);
        assert_eq!(refreshes("rotation", seed), expected, "seed {seed}");
    }
}

#[test]
fn without_rotation_a_refresh_token_works_for_everybody() {
    assert_eq!(refreshes("naive", 1), BTreeMap::from([(200, 4 * CLIENTS)]));
}

const TEN_AT_ONCE: &str = r#"
import asyncio

async def client(app, client):
    pay = {"cart_id": client["id"], "card": "tok_visa", "idempotency_key": f"cart-{client['id']}"}
    await asyncio.gather(*[app.call("pay", pay) for _ in range(10)])
"#;

fn charges(trace: &Trace) -> usize {
    let charge = |kind: &EventKind| matches!(kind, EventKind::ServiceCalled { method, .. } if trace.strings.text(*method) == "charge");
    trace.events().filter(|event| charge(&event.kind)).count()
}

#[test]
fn ten_equal_requests_at_once_charge_once_and_get_one_answer() {
    for seed in 1..=5 {
        let run = run("double-submit", "idempotency-key", seed, TEN_AT_ONCE);
        assert_eq!(charges(run.trace()), CLIENTS as usize, "seed {seed}");
        let answers = answers(run.trace(), "idempotency_key");
        assert_eq!(answers.len(), 10 * CLIENTS as usize);
        assert!(answers.iter().all(|(status, _)| *status < 300), "seed {seed}: {answers:?}");
        let different = answers.iter().map(|(_, body)| body).collect::<BTreeSet<_>>();
        assert_eq!(different.len(), CLIENTS as usize, "one answer for each key, seed {seed}");
    }
}

#[test]
fn without_a_key_each_of_ten_equal_requests_may_charge() {
    let run = run("double-submit", "naive", 1, TEN_AT_ONCE);
    assert!(charges(run.trace()) > CLIENTS as usize);
}
