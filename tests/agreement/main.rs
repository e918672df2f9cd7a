//! Every view of a run agrees with its events and with every other view: at a thousand moments of runs of all scenarios, with deploys,
//! knobs and faults drawn at random. Views that are folded wrongly in ways that were once wrong here are caught.

mod recount;
mod views;

use std::rc::Rc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twoam::api::{
    Change, Frame, Keep, Micros, Run, RunRequest, Sample, ScenarioDocument, TimedChange, Verdict, measured,
};
use twoam::scenario::{bundle, manifest};

use recount::recount;
use views::Views;

const MOMENTS: usize = 1_000;
const UNTIL_US: Micros = 9_000_000;

fn documents() -> Vec<Rc<ScenarioDocument>> {
    let read = |folder| Rc::new(manifest::read(&folder, &measured()).expect("the project's own scenarios are valid"));
    bundle::folders().into_iter().map(read).collect()
}

/// A run with changes drawn at random: the first of two begins with naive code, the second with a hardened one.
fn drawn(document: &ScenarioDocument, seed: u32, chance: &mut ChaCha8Rng) -> RunRequest {
    let variants = &document.variants;
    let variant = if seed.is_multiple_of(2) { 0 } else { chance.random_range(1..variants.len()) };
    let mut changes = vec![];
    for _ in 0..chance.random_range(0..5) {
        let environment = document.environment("production").expect("every scenario has one");
        let live = document.knobs.iter().filter(|knob| knob.live).collect::<Vec<_>>();
        let change = match chance.random_range(0..4) {
            0 if !live.is_empty() => {
                let knob = live[chance.random_range(0..live.len())];
                let value = environment.knobs[&knob.id] * [0.5, 1.0, 1.5][chance.random_range(0..3)];
                Change::Knob { knob: knob.id.clone(), value: value.clamp(knob.min, knob.max) }
            }
            1 if !document.faults.is_empty() => {
                let fault = &document.faults[chance.random_range(0..document.faults.len())];
                Change::Fault { fault: fault.id.clone(), on: chance.random() }
            }
            _ => Change::Variant { variant: variants[chance.random_range(0..variants.len())].id.clone() },
        };
        changes.push(TimedChange { at_us: chance.random_range(0..UNTIL_US), change });
    }
    RunRequest {
        scenario: document.summary.id.clone(),
        variant: variants[variant].id.clone(),
        environment: "production".to_owned(),
        seed,
        knobs: Default::default(),
        sources: Default::default(),
        changes,
        until_us: Some(UNTIL_US),
    }
}

struct Played {
    run: Run,
    samples: Vec<Sample>,
    /// What the page was shown while the run went on.
    frames: Vec<Frame>,
}

fn play(document: &Rc<ScenarioDocument>, request: RunRequest, keep: Keep, chance: &mut ChaCha8Rng) -> Played {
    let mut run = Run::new(document.clone(), request, keep).expect("the run starts");
    let (mut samples, mut frames) = (vec![], vec![]);
    while !run.ended() {
        run.advance(run.now() + chance.random_range(1..400_000));
        let mut frame = run.frame();
        samples.append(&mut frame.samples);
        frames.push(frame);
    }
    Played { run, samples, frames }
}

/// Of a frame, what does not depend on which frames came before it.
fn still(frame: &Frame) -> Frame {
    Frame { samples: vec![], marks: vec![], notices: vec![], ..frame.clone() }
}

#[test]
fn all_views_of_a_moment_agree() {
    let documents = documents();
    let each = MOMENTS.div_ceil(documents.len() * 2);
    let mut wrong = vec![];
    for (document, seed) in documents.iter().flat_map(|document| [(document, 0), (document, 1)]) {
        let mut chance = ChaCha8Rng::seed_from_u64(u64::from(seed) + document.summary.id.len() as u64 * 7);
        let request = drawn(document, seed, &mut chance);
        let Played { run, samples, frames } = play(document, request, Keep::All, &mut chance);
        let corner = format!("twoam run {} --replay '{}'", document.summary.id, run.schedule());
        for frame in &frames {
            if still(frame) != run.moment(frame.now_us) {
                wrong.push(format!("{corner}: the moment {} is not what the page was shown", frame.now_us));
            }
        }
        for pair in frames.windows(2) {
            let same = pair[0].stretches.iter().zip(&pair[1].stretches);
            let mended = same.filter(|(was, is)| was.verdict == Verdict::Broken && is.verdict != Verdict::Broken);
            wrong.extend(mended.map(|(_, is)| format!("{corner}: at {} no longer broken: {is:?}", pair[1].now_us)));
        }
        for _ in 0..each {
            let at = chance.random_range(0..=UNTIL_US);
            let views = Views::of(&run, &samples, at);
            let events = recount(run.trace(), document, at);
            wrong.extend(views.disagreements(document, &events).into_iter().map(|said| format!("{corner}: {said}")));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} disagreements, the first of them:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}

/// A page lets old events go. What it can still show is what it would have shown with all of them.
#[test]
fn what_is_kept_does_not_change_by_what_is_let_go() {
    const KEPT: usize = 6_000;
    for document in documents() {
        let request = || drawn(&document, 0, &mut ChaCha8Rng::seed_from_u64(5));
        let whole = play(&document, request(), Keep::All, &mut ChaCha8Rng::seed_from_u64(6)).run;
        let mut run = Run::new(document.clone(), request(), Keep::Latest(KEPT)).expect("the run starts");
        while !run.ended() {
            run.advance(run.now() + 1_000);
        }
        let oldest = run.trace().events().next().expect("something happened").at;
        let first = run.moment(0).now_us.max(oldest + 1);
        for step in 0..=10 {
            let at = first + (run.now() - first) * step / 10;
            let corner = format!("{} at {at}", run.schedule());
            assert_eq!(run.moment(at), whole.moment(at), "{corner}");
            assert_eq!(run.locks(at), whole.locks(at), "{corner}");
            let (shown, meant) = (run.report(at, at).timeline, whole.report(at, at).timeline);
            assert_eq!(shown.lanes, meant.lanes, "{corner}");
            assert_eq!((shown.arrows, shown.spans.len()), (meant.arrows, meant.spans.len()), "{corner}");
        }
    }
}

/// A view that is folded wrongly, in a way that one of them once was or might be.
struct Mutant {
    name: &'static str,
    scenario: &'static str,
    spoil: fn(&mut Views, &Run),
}

const MUTANTS: [Mutant; 11] = [
    Mutant {
        name: "waits that began before the window are lost",
        scenario: "deadlock",
        spoil: |views, _| views.locks.retain(|wait| wait.since_us + 400_000 > views.at),
    },
    Mutant {
        name: "locks outlive their transactions",
        scenario: "oversell",
        spoil: |views, run| views.tables = run.tables(views.at.saturating_sub(5_000)),
    },
    Mutant {
        name: "who stands in line is said to hold the row",
        scenario: "oversell",
        spoil: |views, _| {
            let waiter = views.locks.first().map(|wait| wait.request);
            for holder in views.locks.iter_mut().skip(1).flat_map(|wait| &mut wait.holders) {
                holder.request = waiter.unwrap_or(holder.request);
            }
        },
    },
    Mutant {
        name: "requests of a process that died are never over",
        scenario: "dual-write",
        spoil: |views, _| views.frame.requests.in_flight += views.frame.requests.failed.min(1),
    },
    Mutant {
        name: "a break counts only while it lasts",
        scenario: "oversell",
        spoil: |views, _| {
            for now in &mut views.frame.invariants {
                now.broken_ever = now.broken.saturating_sub(1);
            }
        },
    },
    Mutant {
        name: "a lost update counts when it is written, not when it is committed",
        scenario: "oversell",
        spoil: |views, run| {
            let later = run.report(0, views.at + 4_000).cases;
            views.report.cases.extend(
                later
                    .into_iter()
                    .filter(|case| case.of == "lost-updates" && case.since_us <= views.at && case.at_us > views.at),
            );
        },
    },
    Mutant {
        name: "statements are counted when they end",
        scenario: "n-plus-one",
        spoil: |views, _| {
            let open = views.timeline.spans.iter().filter(|span| span.to_us.is_none() && span.line.is_some()).count();
            views.report.queries.iter_mut().take(1).for_each(|group| group.count -= (open as u32).min(group.count));
        },
    },
    Mutant {
        name: "the latest failure is looked for in the last 100 ms only",
        scenario: "deadlock",
        spoil: |views, _| {
            let from = views.at.saturating_sub(100_000);
            views.frame.failure = views.frame.failure.take().filter(|failure| failure.at_us >= from);
        },
    },
    Mutant {
        name: "a stretch forgets what it had counted before a deploy",
        scenario: "oversell",
        spoil: |views, _| _ = views.frame.stretches.first_mut().map(|stretch| stretch.answered /= 2),
    },
    Mutant {
        name: "damage is no break as long as no invariant tells",
        scenario: "oversell",
        spoil: |views, _| _ = views.frame.stretches.first_mut().map(|stretch| stretch.verdict = Verdict::Holds),
    },
    Mutant { name: "the chart loses its last bucket", scenario: "oversell", spoil: |views, _| _ = views.samples.pop() },
];

#[test]
fn wrong_folds_are_caught() {
    let documents = documents();
    for mutant in &MUTANTS {
        let document =
            documents.iter().find(|document| document.summary.id == mutant.scenario).expect("it is built in");
        let mut chance = ChaCha8Rng::seed_from_u64(1);
        let mut request = drawn(document, 0, &mut chance);
        request.changes.clear();
        let Played { run, samples, .. } = play(document, request, Keep::All, &mut chance);
        let caught = (0..100).any(|_| {
            let at = chance.random_range(UNTIL_US / 4..=UNTIL_US);
            let mut views = Views::of(&run, &samples, at);
            let events = recount(run.trace(), document, at);
            assert_eq!(views.disagreements(document, &events), Vec::<String>::new(), "as it is");
            (mutant.spoil)(&mut views, &run);
            !views.disagreements(document, &events).is_empty()
        });
        assert!(caught, "nobody noticed: {}", mutant.name);
    }
}
