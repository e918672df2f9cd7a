//! An exam in every order: which outcomes there are, in how many orders each, and the shortest way to each that is wrong.
//!
//! A schedule says who steps, from the beginning to the end. A step is what a request does from one answer to its next call, with that
//! call; a statement that has to wait for a lock ends the step, and goes on with the step that frees the lock. Executions are begun
//! anew for each schedule, and schedules are gone through depth first.
//!
//! Orders that differ only in steps that do not depend on each other (`footprint.rs`) end alike, so one of them is executed and all are
//! counted. A sleep set has the requests whose step has been explored already and that nothing since depends on.
//! Time plays no part: timers fire, and workers have their turns, in their order when nobody may step.

mod footprint;
mod orders;
mod schedule;
mod steps;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

use crate::scenario::{Clients, Exam, ExamRequest, ScenarioDocument};
use crate::sim::{Examiner, Execution, RunError};
use crate::trace::{ClientId, EventKind, RequestId, StatementOutcome};
use crate::workload::{Circumstances, Conditions, Load, RngStreams};
pub use footprint::Dependence;
use footprint::{Footprint, Footprints};
use orders::{Orders, Taken};
pub use schedule::{Schedule, ScheduleMistake};
pub use steps::{Step, steps};

/// Steps of one execution: code that asks more often than this is taken not to end.
const STEPS_MOST: usize = 400;

/// What came of exploring one variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exploration {
    pub scenario: String,
    pub variant: String,
    pub exam: String,
    pub executions: u64,
    /// The orders they stand for.
    pub orders: u64,
    /// There are no other orders than those.
    pub exhaustive: bool,
    /// The most frequent first.
    pub outcomes: Vec<Outcome>,
}

/// What some orders end with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub orders: u64,
    /// By request; `None` of one that never ended.
    pub statuses: Vec<Option<u16>>,
    pub findings: Vec<Finding>,
    /// Of its orders, one with the fewest changes from one request to another.
    pub schedule: Schedule,
}

/// Something that is wrong with an outcome.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Finding {
    /// Rows break an invariant.
    RuleBroken {
        invariant: String,
        sentence: String,
        rows: Vec<String>,
    },
    /// An exception that no handler meant, or an answer that says so.
    Failed {
        request: usize,
        status: u16,
        error: String,
    },
    NeverEnds {
        request: usize,
    },
    /// A request was chosen to end a deadlock, and did not try again.
    Deadlock {
        request: usize,
    },
}

impl Finding {
    pub fn sentence(&self) -> String {
        match self {
            Finding::RuleBroken { sentence, rows, .. } => format!("{sentence} {}", rows.join(", ")),
            Finding::Failed { request, status, error } => format!("{} ends with {status}: {error}", name(*request)),
            Finding::NeverEnds { request } => format!("{} never ends", name(*request)),
            Finding::Deadlock { request } => {
                format!("{} is ended by a deadlock and does not try again", name(*request))
            }
        }
    }
}

impl Exploration {
    pub fn has_findings(&self) -> bool {
        self.outcomes.iter().any(|outcome| !outcome.findings.is_empty())
    }
}

/// As schedules call the request of this place.
pub fn name(request: usize) -> char {
    char::from(b'A' + request as u8)
}

/// For a scenario that has no exam of its own: its load's first requests, of so many clients, on its rows.
pub fn derived_exam(document: &ScenarioDocument, requests: usize) -> Result<Exam, RunError> {
    if let Clients::Scripted { file, .. } = &document.simulation.clients {
        return Err(RunError::new(format!(
            "the requests of {} come from {file}, which is not run here: write an [[exam]] with its requests",
            document.summary.id
        )));
    }
    let environment = document.environments.first().expect("a manifest has environments");
    let conditions = Conditions::new(environment.knobs.clone(), Default::default());
    let mut rng = RngStreams::new(1);
    let mut load = Load::new(Rc::new(document.clone()));
    let mut draw = |client| {
        let mut at = Circumstances { now: 0, conditions: &conditions, rng: &mut rng };
        let (kind, parameters) = load.draw(ClientId(client), &mut at);
        ExamRequest { entry: document.simulation.requests[kind].entry.clone(), parameters }
    };
    Ok(Exam {
        id: "first-requests".to_owned(),
        title: format!("The first {requests} requests of the load"),
        rows: None,
        setup: None,
        requests: (0..requests as u32).map(&mut draw).collect(),
    })
}

/// How much is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Every order.
    None,
    /// One of those that differ only in independent steps. For a test, a part of what dependence is made of can be left out.
    SleepSets { without: Option<Dependence> },
}

/// Goes through the orders until all have been, or `go_on` says no; it is asked before each execution.
pub fn explore(
    document: &ScenarioDocument,
    exam: &Exam,
    variant: &str,
    go_on: impl FnMut(u64) -> bool,
) -> Result<Exploration, RunError> {
    explore_by(document, exam, variant, Reduction::SleepSets { without: None }, go_on)
}

pub fn explore_by(
    document: &ScenarioDocument,
    exam: &Exam,
    variant: &str,
    reduction: Reduction,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<Exploration, RunError> {
    let mut examiner = Examiner::new(document, exam, variant);
    let mut outcomes: BTreeMap<Ending, (u64, Schedule)> = BTreeMap::new();
    let (mut executions, mut all_orders) = (0, 0);
    let mut path = Path { reduction, points: vec![] };
    let exhaustive = loop {
        if !go_on(executions) {
            break false;
        }
        let mut execution = examiner.begin()?;
        if path.walk(&mut execution) {
            let ending = judge(document, exam, &mut execution)?;
            let (orders, schedule) = path.stands_for(exam.requests.len());
            let seen = outcomes.entry(ending).or_insert_with(|| (0, schedule.clone()));
            seen.0 += orders;
            all_orders += orders;
            if schedule.switches() < seen.1.switches() {
                seen.1 = schedule;
            }
        }
        execution.end();
        executions += 1;
        if !path.next() {
            break true;
        }
    };
    let mut outcomes = outcomes
        .into_iter()
        .map(|(Ending { statuses, findings }, (orders, schedule))| Outcome { orders, statuses, findings, schedule })
        .collect::<Vec<_>>();
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.orders));
    Ok(Exploration {
        scenario: document.summary.id.clone(),
        variant: variant.to_owned(),
        exam: exam.id.clone(),
        executions,
        orders: all_orders,
        exhaustive,
        outcomes,
    })
}

/// One execution as the schedule says; where it says nothing, the first that may steps.
pub fn replay(
    document: &ScenarioDocument,
    exam: &Exam,
    variant: &str,
    schedule: &Schedule,
) -> Result<(Vec<Step>, Outcome), RunError> {
    let mut examiner = Examiner::new(document, exam, variant);
    let mut execution = examiner.begin()?;
    let mut taken = vec![];
    loop {
        let enabled = execution.choices();
        if enabled.is_empty() || taken.len() == STEPS_MOST {
            break;
        }
        let place = match schedule.requests().get(taken.len()) {
            None => 0,
            Some(wanted) => enabled.iter().position(|request| request == wanted).ok_or_else(|| {
                let may = enabled.iter().map(|request| name(request.0 as usize).to_string()).collect::<Vec<_>>();
                let (step, wanted) = (taken.len() + 1, name(wanted.0 as usize));
                RunError::new(format!("step {step}: {wanted} cannot step; {} can", may.join(", ")))
            })?,
        };
        taken.push(enabled[place]);
        execution.take(place);
    }
    let Ending { statuses, findings } = judge(document, exam, &mut execution)?;
    let listed = steps(execution.trace(), exam.requests.len());
    execution.end();
    Ok((listed, Outcome { orders: 1, statuses, findings, schedule: Schedule::of(taken.into_iter()) }))
}

/// What tells outcomes apart.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ending {
    statuses: Vec<Option<u16>>,
    findings: Vec<Finding>,
}

/// A request's step: of a request with several at once, which of them.
type Thread = (RequestId, usize);

struct ChoicePoint {
    enabled: Vec<Thread>,
    /// Explored elsewhere, as long as nothing has happened that they depend on.
    asleep: Vec<(Thread, Footprint)>,
    /// Explored from here.
    done: Vec<(Thread, Footprint)>,
    taken: usize,
    /// Of the step that was taken.
    footprint: Footprint,
    /// Nobody could step after it, until a timer fired.
    timer_fired: bool,
}

impl ChoicePoint {
    fn stepped(&self) -> RequestId {
        self.enabled[self.taken].0
    }

    /// The first place that is neither asleep nor done.
    fn next(&self) -> Option<usize> {
        let over = |thread: &Thread| self.asleep.iter().chain(&self.done).any(|(other, _)| other == thread);
        self.enabled.iter().position(|thread| !over(thread))
    }
}

/// Where the search stands: the choices of the execution at hand, and what is left at each.
struct Path {
    reduction: Reduction,
    points: Vec<ChoicePoint>,
}

impl Path {
    /// Takes the choices there are, then at each new point the first that is left. Whether it came to an end: not, if all that may step
    /// is asleep.
    fn walk(&mut self, execution: &mut Execution<'_>) -> bool {
        let without = if let Reduction::SleepSets { without } = self.reduction { without } else { None };
        let mut footprints = Footprints::new(execution.references(), without);
        let mut told = 0;
        for step in 0.. {
            let enabled = execution.choices();
            let len = execution.trace().len();
            if step > 0 {
                let until = execution.timer_fired().unwrap_or(len);
                let point = &mut self.points[step - 1];
                point.footprint = footprints.of(execution.trace(), told, until);
                point.timer_fired = execution.timer_fired().is_some();
                footprints.of(execution.trace(), until, len);
            } else {
                footprints.of(execution.trace(), 0, len);
            }
            told = len;
            if enabled.is_empty() || step == STEPS_MOST {
                return true;
            }
            if step == self.points.len() {
                let enabled = threads(&enabled);
                let asleep = self.still_asleep();
                let mut point = ChoicePoint {
                    enabled,
                    asleep,
                    done: vec![],
                    taken: 0,
                    footprint: Footprint::default(),
                    timer_fired: false,
                };
                let Some(taken) = point.next() else { return false };
                point.taken = taken;
                self.points.push(point);
            }
            execution.take(self.points[step].taken);
        }
        unreachable!("the steps of an execution are limited")
    }

    /// What sleeps at a new point.
    fn still_asleep(&self) -> Vec<(Thread, Footprint)> {
        let Some(last) = self.points.last().filter(|last| !last.timer_fired && self.reduction != Reduction::None)
        else {
            return vec![];
        };
        let stays = |((request, _), footprint): &&(Thread, Footprint)| {
            *request != last.stepped() && !footprint.depends_on(&last.footprint)
        };
        last.asleep.iter().chain(&last.done).filter(stays).cloned().collect()
    }

    /// Goes back to the last point where something is left. Whether there is one.
    fn next(&mut self) -> bool {
        while let Some(point) = self.points.last_mut() {
            let taken = point.enabled[point.taken];
            point.done.push((taken, std::mem::take(&mut point.footprint)));
            if let Some(next) = point.next() {
                point.taken = next;
                return true;
            }
            self.points.pop();
        }
        false
    }

    /// How many orders the execution at hand stands for, and the tidiest of them.
    fn stands_for(&self, requests: usize) -> (u64, Schedule) {
        if self.reduction == Reduction::None || self.points.len() == STEPS_MOST {
            return (1, Schedule::of(self.points.iter().map(ChoicePoint::stepped)));
        }
        let taken = self.points.iter().map(|point| Taken {
            request: point.stepped(),
            footprint: &point.footprint,
            timer_fired: point.timer_fired,
        });
        let orders = Orders::of(&taken.collect::<Vec<_>>(), requests);
        (orders.count(), Schedule::of(orders.tidiest().into_iter()))
    }
}

fn threads(enabled: &[RequestId]) -> Vec<Thread> {
    let of_same = |place: usize| enabled[..place].iter().filter(|other| **other == enabled[place]).count();
    (0..enabled.len()).map(|place| (enabled[place], of_same(place))).collect()
}

fn judge(document: &ScenarioDocument, exam: &Exam, execution: &mut Execution<'_>) -> Result<Ending, RunError> {
    let answers = execution.answers();
    let deadlocked = deadlocked(execution);
    let mut findings = vec![];
    let mut statuses = vec![];
    for request in 0..exam.requests.len() {
        let answer = answers.get(&RequestId(request as u32));
        statuses.push(answer.map(|(status, _)| *status));
        match answer {
            None => findings.push(Finding::NeverEnds { request }),
            Some((500.., _)) if deadlocked.contains(&request) => findings.push(Finding::Deadlock { request }),
            Some((status @ 500.., body)) => {
                findings.push(Finding::Failed { request, status: *status, error: body.clone() });
            }
            Some(_) => {}
        }
    }
    let broken = execution.broken().map_err(|error| RunError::new(format!("an invariant: {}", error.message)))?;
    for (place, results) in broken {
        let invariant = &document.invariants[place];
        let rows = results.iter().flat_map(|result| &result.rows);
        let row = |row: &Vec<_>| row.iter().map(crate::trace::Value::to_text).collect::<Vec<_>>().join(" ");
        findings.push(Finding::RuleBroken {
            invariant: invariant.id.clone(),
            sentence: invariant.sentence.clone(),
            rows: rows.map(row).collect(),
        });
    }
    Ok(Ending { statuses, findings })
}

/// The requests whose last failed statement failed with 40P01.
fn deadlocked(execution: &Execution<'_>) -> Vec<usize> {
    let mut failed = BTreeMap::new();
    for event in execution.trace().events() {
        if let (
            EventKind::StatementFinished { outcome: StatementOutcome::Failed { sqlstate, .. }, .. },
            Some(request),
        ) = (&event.kind, event.request)
        {
            failed.insert(request, *sqlstate);
        }
    }
    let deadlocks = failed.into_iter().filter(|(_, sqlstate)| sqlstate.as_str() == "40P01");
    deadlocks.map(|(request, _)| request.0 as usize).collect()
}
