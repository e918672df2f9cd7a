//! An exam in every order: which outcomes there are, in how many orders each, and the shortest way to each that is wrong.
//!
//! A schedule says who steps, from the beginning to the end. A step is what a request does from one answer to its next call, with that
//! call; a statement that has to wait for a lock ends the step, and goes on with the step that frees the lock. Executions are begun
//! anew for each schedule, and schedules are gone through depth first, so nothing is taken to be the same that is not.
//! Time plays no part: timers fire, and workers have their turns, in their order when nobody may step.

mod schedule;
mod steps;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

use crate::scenario::{Clients, Exam, ExamRequest, ScenarioDocument};
use crate::sim::{Examiner, Execution, RunError};
use crate::trace::{ClientId, EventKind, RequestId, StatementOutcome};
use crate::workload::{Circumstances, Conditions, Load, RngStreams};
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
    /// Each of another order.
    pub executions: u64,
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

/// Goes through the orders until all have been, or `go_on` says no; it is asked before each.
pub fn explore(
    document: &ScenarioDocument,
    exam: &Exam,
    variant: &str,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<Exploration, RunError> {
    let mut examiner = Examiner::new(document, exam, variant)?;
    let mut outcomes: BTreeMap<Ending, (u64, Schedule)> = BTreeMap::new();
    let (mut executions, mut exhaustive) = (0, true);
    let mut next = Some(vec![]);
    while let Some(prefix) = next {
        if !go_on(executions) {
            exhaustive = false;
            break;
        }
        let mut execution = examiner.begin()?;
        let path = walk(&mut execution, &prefix);
        let ending = judge(document, exam, &mut execution)?;
        execution.end();
        executions += 1;
        let schedule = Schedule::of(path.iter().map(|choice| choice.enabled[choice.taken]));
        let seen = outcomes.entry(ending).or_insert_with(|| (0, schedule.clone()));
        seen.0 += 1;
        if schedule.switches() < seen.1.switches() {
            seen.1 = schedule;
        }
        next = after(&path);
    }
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
    let mut examiner = Examiner::new(document, exam, variant)?;
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

struct ChoicePoint {
    enabled: Vec<RequestId>,
    taken: usize,
}

/// Takes the choices of the prefix, then always the first.
fn walk(execution: &mut Execution<'_>, prefix: &[usize]) -> Vec<ChoicePoint> {
    let mut path: Vec<ChoicePoint> = vec![];
    loop {
        let enabled = execution.choices();
        if enabled.is_empty() || path.len() == STEPS_MOST {
            return path;
        }
        let taken = prefix.get(path.len()).copied().unwrap_or(0);
        execution.take(taken);
        path.push(ChoicePoint { enabled, taken });
    }
}

/// The choices of the next schedule, in the order of places; none after the last.
fn after(path: &[ChoicePoint]) -> Option<Vec<usize>> {
    let last = path.iter().rposition(|choice| choice.taken + 1 < choice.enabled.len())?;
    let mut prefix = path[..=last].iter().map(|choice| choice.taken).collect::<Vec<_>>();
    prefix[last] += 1;
    Some(prefix)
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
