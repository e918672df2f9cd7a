//! Many optimistic writers of one row: how many calls each way of backing off needs, against the figures of the simulation that
//! Amazon's architecture blog published ("Exponential Backoff And Jitter"): a network of N(10, 2) ms each way, base 5 ms, cap 2,000 ms.

use std::collections::BTreeMap;
use std::rc::Rc;

use twoam::api::{Keep, Micros, Run, RunRequest, ScenarioDocument, measured};
use twoam::scenario::{Amount, Clients, bundle, manifest};
use twoam::trace::EventKind;

const WRITERS: u32 = 100;
const SEEDS: u32 = 10;

/// Each of `WRITERS` clients raises the version once and is then silent. `delay` is the wait before attempt `n`, after `last`.
fn writers(delay: &str) -> Rc<ScenarioDocument> {
    let folder = bundle::folders().into_iter().find(|folder| folder.id == "oversell").expect("it is built in");
    let mut document = manifest::read(&folder, &measured()).expect("it is valid");
    document.schema = "CREATE TABLE contended (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
        INSERT INTO contended VALUES (1, 0)"
        .into();
    let world = &mut document.simulation;
    world.rows.clear();
    world.gauges.clear();
    world.clients = Clients::Closed { count: Amount::Number(f64::from(WRITERS)), think_ms: Amount::Number(0.001) };
    // A machine for each: they meet at the row and nowhere else.
    world.machine.processes = Amount::Number(f64::from(WRITERS));
    world.machine.pool = Amount::Number(1.0);
    world.machine.database_cores = Amount::Number(64.0);
    world.machine.network_ms = Amount::Number(20.0);
    world.machine.network_sd_ms = Amount::Number(4.0);
    document.invariants.clear();
    document.variants[0].source = format!(
        "import asyncio, random\n\
         BASE, CAP = 0.005, 2.0\n\
         begun = 0\n\
         async def buy(pool, request):\n\
         \x20   global begun\n\
         \x20   begun += 1\n\
         \x20   if begun > 1:\n\
         \x20       await asyncio.sleep(1_000_000)\n\
         \x20   async with pool.connection() as conn:\n\
         \x20       await conn.set_autocommit(True)\n\
         \x20       n, last = 0, BASE\n\
         \x20       while True:\n\
         \x20           cur = await conn.execute('SELECT version FROM contended WHERE id = 1')\n\
         \x20           (version,) = await cur.fetchone()\n\
         \x20           cur = await conn.execute(\n\
         \x20               'UPDATE contended SET version = version + 1 WHERE id = 1 AND version = %s', (version,))\n\
         \x20           if cur.rowcount == 1:\n\
         \x20               return {{'status': 200}}\n\
         \x20           n += 1\n\
         \x20           last = {delay}\n\
         \x20           await asyncio.sleep(last)\n"
    );
    Rc::new(document)
}

fn attempts(delay: &str) -> f64 {
    let document = writers(delay);
    let total: u32 = (1..=SEEDS).map(|seed| attempts_of_run(&document, seed)).sum();
    f64::from(total) / f64::from(SEEDS)
}

fn attempts_of_run(document: &Rc<ScenarioDocument>, seed: u32) -> u32 {
    let request = RunRequest {
        scenario: "oversell".into(),
        variant: "naive".into(),
        environment: "production".into(),
        seed,
        until_us: Some(300_000_000),
        knobs: BTreeMap::new(),
        sources: BTreeMap::new(),
        changes: vec![],
    };
    let mut run = Run::new(document.clone(), request, Keep::All).expect("the run starts");
    run.advance(Micros::MAX);
    let trace = run.trace();
    let (mut attempts, mut done) = (0, 0);
    for event in trace.events() {
        match event.kind {
            EventKind::StatementStarted { text, .. } if trace.strings.text(text).starts_with("UPDATE") => attempts += 1,
            EventKind::RequestFinished { status: 200, .. } => done += 1,
            _ => {}
        }
    }
    assert_eq!(done, WRITERS, "every writer gets through");
    attempts
}

fn within_a_tenth(delay: &str, expected: f64) {
    let observed = attempts(delay);
    let off = (observed - expected).abs() / expected;
    assert!(off <= 0.1, "observed {observed:.0} attempts, expected {expected:.0}, off by {:.1} %", off * 100.0);
}

#[test]
fn no_backoff() {
    within_a_tenth("0", 2_426.0);
}

#[test]
fn exponential() {
    within_a_tenth("min(CAP, BASE * 2**n)", 1_863.0);
}

#[test]
fn equal_jitter() {
    within_a_tenth("min(CAP, BASE * 2**n) / 2 * (1 + random.random())", 814.0);
}

#[test]
fn full_jitter() {
    within_a_tenth("random.uniform(0, min(CAP, BASE * 2**n))", 795.0);
}

#[test]
fn decorrelated_jitter() {
    within_a_tenth("min(CAP, random.uniform(BASE, last * 3))", 1_007.0);
}
