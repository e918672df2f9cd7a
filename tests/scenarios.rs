//! The promise of every scenario: naive code passes alone and breaks in production, each hardened variant holds in both.

use std::collections::BTreeMap;
use std::rc::Rc;

use twoam::api::{Run, RunRequest, RunSummary};
use twoam::report::measured;
use twoam::scenario::manifest::{self, Folder};
use twoam::scenario::{ScenarioDocument, bundle};
use twoam::trace::Keep;

const SEEDS: [u32; 2] = [1, 2];

fn document(folder: &Folder) -> ScenarioDocument {
    manifest::read(folder, &measured()).unwrap_or_else(|mistakes| {
        let lines = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>();
        panic!("{}", lines.join("\n"))
    })
}

fn scenario(id: &str) -> ScenarioDocument {
    let folders = bundle::folders();
    document(folders.iter().find(|folder| folder.id == id).expect("the scenario is built in"))
}

fn run(document: &ScenarioDocument, variant: &str, environment: &str, seed: u32, until_us: u64) -> RunSummary {
    let request = RunRequest {
        scenario: document.summary.id.clone(),
        variant: variant.into(),
        environment: environment.into(),
        seed,
        until_us: Some(until_us),
        knobs: BTreeMap::new(),
        sources: BTreeMap::new(),
        changes: Vec::new(),
    };
    let mut run = Run::new(Rc::new(document.clone()), request, Keep::All).expect("the scenario's own code runs");
    run.advance(u64::MAX);
    run.summary()
}

fn broken(summary: &RunSummary) -> Vec<&str> {
    let broken = summary.invariants.iter().filter(|invariant| invariant.broken > 0);
    broken.map(|invariant| invariant.id.as_str()).collect()
}

fn keeps_its_promise(id: &str) {
    let document = scenario(id);
    for seed in SEEDS {
        for variant in &document.summary.variants {
            for environment in &document.summary.environments {
                let summary = run(&document, variant, environment, seed, 5_000_000);
                let corner = format!("{id}, {variant}, {environment}, seed {seed}: {summary:#?}");
                assert!(summary.requests.ok > 0, "nothing was answered in {corner}");
                let must_break = variant == "naive" && environment == "production";
                assert_eq!(!broken(&summary).is_empty(), must_break, "{corner}");
            }
        }
    }
}

#[test]
fn oversell() {
    keeps_its_promise("oversell");
}

#[test]
fn n_plus_one() {
    keeps_its_promise("n-plus-one");
}

#[test]
fn order_payment() {
    keeps_its_promise("order-payment");
}

#[test]
fn every_scenario_is_complete() {
    for folder in bundle::folders() {
        document(&folder);
    }
}

#[test]
fn a_page_of_fifty_takes_fifty_one_statements_or_two_or_one() {
    let document = scenario("n-plus-one");
    let statements = |variant| run(&document, variant, "production", 1, 2_000_000).metrics["statements-per-request"];
    assert_eq!(statements("naive"), 51.0);
    assert_eq!(statements("one-in-query"), 2.0);
    assert_eq!(statements("eager-loading"), 2.0);
    assert_eq!(statements("join"), 1.0);
}
