//! Equal requests give equal traces, however the run is advanced, and a schedule's text brings the run back.

use std::rc::Rc;

use twoam::api::{Change, Keep, Micros, Run, RunRequest, ScenarioDocument, measured};
use twoam::scenario::{bundle, manifest};

const UNTIL_US: Micros = 3_000_000;

fn documents() -> Vec<Rc<ScenarioDocument>> {
    let read = |folder| Rc::new(manifest::read(&folder, &measured()).expect("the project's own scenarios are valid"));
    bundle::folders().into_iter().map(read).collect()
}

fn request(document: &ScenarioDocument, variant: &str, seed: u32) -> RunRequest {
    RunRequest {
        scenario: document.summary.id.clone(),
        variant: variant.to_owned(),
        environment: "production".to_owned(),
        seed,
        knobs: Default::default(),
        sources: Default::default(),
        changes: vec![],
        until_us: Some(UNTIL_US),
    }
}

fn start(document: &Rc<ScenarioDocument>, request: RunRequest) -> Run {
    Run::new(document.clone(), request, Keep::All).expect("the run starts")
}

fn hash(document: &Rc<ScenarioDocument>, request: RunRequest) -> String {
    let mut run = start(document, request);
    run.advance(UNTIL_US);
    assert!(run.ended());
    run.trace().hash()
}

#[test]
fn twice_gives_the_same_trace() {
    for document in documents() {
        for variant in &document.variants {
            let request = request(&document, &variant.id, 7);
            let (first, second) = (hash(&document, request.clone()), hash(&document, request));
            assert_eq!(first, second, "{} {}", document.summary.id, variant.id);
        }
    }
}

#[test]
fn another_seed_gives_another_trace() {
    for document in documents() {
        let seeds = [1, 2].map(|seed| hash(&document, request(&document, "naive", seed)));
        assert_ne!(seeds[0], seeds[1], "{}", document.summary.id);
    }
}

/// A page advances by slices of host time, stops anywhere, and looks at the run meanwhile.
#[test]
fn slices_do_not_matter() {
    for document in documents() {
        let whole = hash(&document, request(&document, "naive", 3));
        let mut run = start(&document, request(&document, "naive", 3));
        for slice in 1.. {
            let mut looks = 0;
            run.advance_while(slice * 77_777, || {
                looks += 1;
                looks < 3
            });
            run.step();
            run.frame();
            if run.ended() {
                break;
            }
        }
        assert_eq!(run.trace().hash(), whole, "{}", document.summary.id);
    }
}

#[test]
fn letting_old_events_go_does_not_change_the_hash() {
    for document in documents() {
        let whole = hash(&document, request(&document, "naive", 3));
        let mut run =
            Run::new(document.clone(), request(&document, "naive", 3), Keep::Latest(100)).expect("the run starts");
        run.advance(UNTIL_US);
        assert_eq!(run.trace().hash(), whole, "{}", document.summary.id);
        assert_eq!(run.trace().events().count(), 100);
    }
}

#[test]
fn a_schedule_replays_what_was_done_live() {
    for document in documents() {
        let hardened = document.variants[1].id.clone();
        let mut run = start(&document, request(&document, "naive", 5));
        run.advance(700_001);
        run.apply(Change::Variant { variant: hardened });
        run.advance_while(900_000, || false);
        if let Some(knob) = document.knobs.iter().find(|knob| knob.live) {
            run.apply(Change::Knob { knob: knob.id.clone(), value: knob.max });
        }
        run.step();
        if let Some(fault) = document.faults.first() {
            run.apply(Change::Fault { fault: fault.id.clone(), on: false });
        }
        run.advance(1_500_000);
        let file = document.variants[0].file.clone();
        let text = format!("{}\n# edited = naïve & 100 %\n", document.variants[0].source);
        run.apply(Change::Source { file, text });
        run.apply(Change::Variant { variant: "naive".to_owned() });
        run.advance(UNTIL_US);

        let replayed = RunRequest::from_schedule(&run.schedule()).expect("a run's own schedule can be read");
        assert_eq!(hash(&document, replayed), run.trace().hash(), "{}\n{}", document.summary.id, run.schedule());
    }
}

#[test]
fn broken_schedules_say_what_is_wrong() {
    for (text, says) in [
        ("", "begins with v1"),
        ("v1 oversell naive", "ends before its environment"),
        ("v1 oversell naive production seed=x", "below 2^32"),
        ("v1 oversell naive production clients=5", "is not a word of a schedule"),
        ("v1 oversell naive production @5:knob:clients=NaN", "is not a number"),
        ("v1 oversell naive production @5:turn=left", "has no ':'"),
        ("v1 oversell naive production @5:knob:clients:turn=1:1", "is not a number"),
        ("v1 over%ZZ naive production", "percent-encoded"),
    ] {
        let error = RunRequest::from_schedule(text).expect_err(text);
        assert!(error.to_string().contains(says), "{text:?} gives {error}");
    }
}
