//! Generated schedules of several sessions: who waits, who fails, what is read, what is left.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twoam::isolation::{self, Ending, ReportEntry, Spec, SpecReport};

use crate::number;
use crate::postgres::RealServer;
use crate::schedule_grammar::{FIN, Levels, ScheduleGrammar, permutation};

/// The two orders in which PostgreSQL may read a table that has no ORDER BY.
pub struct Servers {
    pub by_key: RealServer,
    pub by_place: RealServer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Same,
    Refused,
    /// PostgreSQL itself answers differently when run again or reading in another order.
    PostgresVaries,
    /// Other transactions were aborted, and a serial order explains what was committed.
    OtherAborts,
    OtherVictim,
    /// A step woke several sessions, and in PostgreSQL another one was the first to go on.
    OtherWinner,
    Diverges,
}

pub struct Comparison {
    pub verdict: Verdict,
    pub ours: SpecReport,
    pub theirs: SpecReport,
}

/// What ours says it does not offer.
pub fn refusal(ours: &SpecReport) -> Option<String> {
    let failures = events(ours).into_iter().filter_map(|it| it.failure);
    failures.filter(|it| it.sqlstate.as_str() == "0A000").map(|it| it.message).next()
}

pub fn compare(spec: &Spec, levels: Levels, servers: &mut Servers) -> Comparison {
    let ours = isolation::run(spec);
    let theirs = isolation::run_on(spec, &mut servers.by_key);
    let verdict = if refusal(&ours).is_some() {
        Verdict::Refused
    } else if events(&ours) == events(&theirs) {
        Verdict::Same
    } else if levels == Levels::Serializable && has_serial_order(spec, &ours, &mut servers.by_key) {
        Verdict::OtherAborts
    } else if postgres_may_answer(spec, &ours, servers) {
        Verdict::PostgresVaries
    } else if differs_by_victim(&ours, &theirs) {
        Verdict::OtherVictim
    } else if events(&isolation::run_last_woken_first(spec)) == events(&theirs) {
        Verdict::OtherWinner
    } else {
        Verdict::Diverges
    };
    Comparison { verdict, ours, theirs }
}

fn postgres_may_answer(spec: &Spec, ours: &SpecReport, servers: &mut Servers) -> bool {
    let ours = events(ours);
    (0..2).any(|_| {
        ours == events(&isolation::run_on(spec, &mut servers.by_place))
            || ours == events(&isolation::run_on(spec, &mut servers.by_key))
    })
}

/// What is compared of an entry: rows in their order only where the statement asks for one.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    step: String,
    is: EventKind,
    results: Vec<isolation::StatementResult>,
    failure: Option<isolation::ErrorResponse>,
    notices: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum EventKind {
    Waiting,
    Done,
    Completed,
    Stuck,
}

impl Event {
    fn sqlstate(&self) -> Option<&str> {
        self.failure.as_ref().map(|it| it.sqlstate.as_str())
    }
}

fn events(report: &SpecReport) -> Vec<Event> {
    let event =
        |step: &str, is| Event { step: step.to_owned(), is, results: Vec::new(), failure: None, notices: Vec::new() };
    let permutation = &report.permutations[0];
    let mut events = Vec::new();
    for entry in &permutation.entries {
        match entry {
            ReportEntry::Block(_) | ReportEntry::Notice { .. } => {}
            ReportEntry::Waiting { step, .. } => events.push(event(step, EventKind::Waiting)),
            ReportEntry::Ended { step, sql, after_waiting, answer, notices } => {
                let is = if *after_waiting { EventKind::Completed } else { EventKind::Done };
                let mut results = answer.results.clone();
                if !sql.contains("ORDER BY") {
                    results.iter_mut().for_each(|it| it.rows.sort());
                }
                let failure = answer.failure.clone();
                let notices = notices.iter().map(|it| format!("{} {}", it.sqlstate, it.message)).collect();
                events.push(Event { results, failure, notices, ..event(step, is) });
            }
        }
    }
    match &permutation.ending {
        Ending::Complete => {}
        Ending::Stuck { waiting } => events.extend(waiting.iter().map(|it| event(it, EventKind::Stuck))),
        Ending::SetupFailed(failure) => {
            events.push(Event { failure: Some(failure.clone()), ..event("setup", EventKind::Done) });
        }
    }
    events
}

/// Both found a deadlock, and up to the first victim nothing differs.
fn differs_by_victim(ours: &SpecReport, theirs: &SpecReport) -> bool {
    let (ours, theirs) = (events(ours), events(theirs));
    let has_victim = |events: &[Event]| events.iter().any(|it| it.sqlstate() == Some("40P01"));
    let first = ours.iter().zip(&theirs).find(|(our, their)| our != their);
    let at_victim = first.is_some_and(|(our, their)| [our, their].iter().any(|it| it.sqlstate() == Some("40P01")));
    has_victim(&ours) && has_victim(&theirs) && at_victim
}

/// Whether PostgreSQL, running our committed transactions one after the other in some order, reads and leaves the same.
fn has_serial_order(spec: &Spec, ours: &SpecReport, server: &mut RealServer) -> bool {
    let ours: BTreeMap<String, Event> = events(ours).into_iter().map(|it| (it.step.clone(), it)).collect();
    let steps_of = |session: usize| (0..spec.steps.len()).filter(move |it| spec.steps[*it].session == session);
    let committed = |session: &usize| {
        let last = steps_of(*session).rfind(|it| ours.contains_key(&spec.steps[*it].name));
        last.and_then(|it| ours.get(&spec.steps[it].name))
            .is_some_and(|it| it.results.last().is_some_and(|it| it.tag == "COMMIT"))
    };
    let fin = spec.sessions.iter().position(|it| it.name == FIN).expect("every schedule has it");
    let sessions: Vec<usize> = (0..fin).filter(committed).collect();
    orders(&sessions).into_iter().any(|mut order| {
        order.push(fin);
        let mut serial = spec.clone();
        let steps: Vec<usize> = order
            .iter()
            .flat_map(|session| steps_of(*session))
            .filter(|it| ours.contains_key(&spec.steps[*it].name))
            .collect();
        serial.permutations = vec![permutation(&steps)];
        let report = isolation::run_on(&serial, server);
        events(&report).iter().all(|their| {
            let our = &ours[&their.step];
            our.failure.is_some() || (our.results == their.results && their.failure.is_none())
        })
    })
}

fn orders(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in of.iter().enumerate() {
        let mut rest = of.to_vec();
        rest.remove(index);
        for mut order in orders(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

/// Leaves out steps, then sessions nobody uses, as long as it still diverges.
fn shrink(mut spec: Spec, levels: Levels, servers: &mut Servers) -> (Spec, Comparison) {
    let mut at = spec.permutations[0].steps.len();
    while at > 0 {
        at -= 1;
        let mut fewer = spec.clone();
        fewer.permutations[0].steps.remove(at);
        if compare(&fewer, levels, servers).verdict == Verdict::Diverges {
            spec = fewer;
        }
    }
    let used = |step: usize| spec.permutations[0].steps.iter().any(|it| it.step == step);
    let kept: Vec<usize> = (0..spec.steps.len()).filter(|it| used(*it)).collect();
    let sessions: Vec<usize> =
        (0..spec.sessions.len()).filter(|it| kept.iter().any(|step| spec.steps[*step].session == *it)).collect();
    let place = |of: &[usize], it: usize| of.iter().position(|other| *other == it).expect("kept");
    let order: Vec<usize> = spec.permutations[0].steps.iter().map(|it| place(&kept, it.step)).collect();
    let steps = kept
        .iter()
        .map(|step| {
            let mut step = spec.steps[*step].clone();
            step.session = place(&sessions, step.session);
            step
        })
        .collect();
    let smaller = Spec {
        sessions: sessions.iter().map(|it| spec.sessions[*it].clone()).collect(),
        steps,
        permutations: vec![permutation(&order)],
        ..spec.clone()
    };
    // Without FIN no serial order can be looked for.
    let levels = if smaller.sessions.iter().any(|it| it.name == FIN) { levels } else { Levels::Mixed };
    let comparison = compare(&smaller, levels, servers);
    (smaller, comparison)
}

fn aborts(report: &SpecReport) -> usize {
    events(report).iter().filter(|it| it.sqlstate() == Some("40001")).count()
}

/// How many divergences are shrunk; of the others the seed is told.
const SHRUNK: usize = 6;

#[test]
fn schedules_end_as_postgresqls_do() {
    let wanted: u64 = number("TWOAM_DIFF_SCHEDULES", 300);
    let seed: u64 = number("TWOAM_DIFF_SEED", 1);
    let only: Option<u64> = std::env::var("TWOAM_DIFF_ONLY").ok().map(|it| it.parse().expect("a schedule's number"));
    let mut servers = Servers { by_key: RealServer::in_key_order(), by_place: RealServer::new() };
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let (mut our_aborts, mut their_aborts, mut stuck) = (0, 0, 0);
    let mut found = Vec::new();
    for schedule in only.map_or(0..wanted, |it| it..it + 1) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(schedule);
        let levels = if rng.random_range(0..100) < 30 { Levels::Serializable } else { Levels::Mixed };
        let spec = ScheduleGrammar::new(&mut rng, levels).schedule();
        let comparison = compare(&spec, levels, &mut servers);
        *verdicts.entry(comparison.verdict).or_default() += 1;
        stuck += usize::from(matches!(comparison.theirs.permutations[0].ending, Ending::Stuck { .. }));
        if levels == Levels::Serializable && comparison.verdict != Verdict::Refused {
            our_aborts += aborts(&comparison.ours);
            their_aborts += aborts(&comparison.theirs);
        }
        if comparison.verdict == Verdict::Refused {
            let failures = events(&comparison.ours).into_iter().filter_map(|it| it.failure);
            for failure in failures.filter(|it| it.sqlstate.as_str() == "0A000") {
                *refused.entry(failure.message).or_default() += 1;
            }
        }
        if comparison.verdict == Verdict::Diverges {
            let title = format!("seed {seed}, schedule {schedule}, {levels:?}");
            if found.len() >= SHRUNK {
                found.push(title);
                continue;
            }
            let (spec, comparison) = shrink(spec, levels, &mut servers);
            let differ = if events(&comparison.ours) == events(&comparison.theirs) {
                " (the shrunk schedule answers alike this time: PostgreSQL varies)"
            } else {
                ""
            };
            found.push(format!(
                "{title}{differ}\n{}\nours: {}\nPostgreSQL's: {}",
                spec.to_source(),
                comparison.ours.to_text(),
                comparison.theirs.to_text()
            ));
        }
    }
    println!("schedules: {verdicts:?}, {stuck} stuck");
    println!("serialization failures where all are SERIALIZABLE: ours {our_aborts}, PostgreSQL's {their_aborts}");
    for (message, count) in refused {
        println!("  refused {count:>5} {message}");
    }
    assert!(found.is_empty(), "{} divergences\n\n{}", found.len(), found.join("\n\n"));
}
