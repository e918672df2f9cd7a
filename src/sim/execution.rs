//! One execution of an exam, step by step as somebody chooses: the same parts as in a run, without load, faults and monitor.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::message::{AppMessage, Arrival};
use super::scheduler::{ByChoice, Choices};
use super::simulation::Simulation;
use super::{EPOCH_US, RunError, RunRequest};
use crate::python::Python;
use crate::scenario::{Amount, Clients, Exam, InvariantRule, ScenarioDocument};
use crate::trace::{ClientId, EventKind, Keep, QueryResult, RequestId, SqlError, Trace};

/// Timers in one execution: a handler that only ever waits has no end.
const TIMERS_MOST: u32 = 200;

/// Timers that still fire once every request has its answer: workers bring to an end what the requests have begun.
const TIMERS_AFTERWARDS: u32 = 20;

const SEED: u32 = 1;

/// Code in memory, for one execution after the other.
pub struct Examiner {
    document: Rc<ScenarioDocument>,
    exam: Exam,
    request: RunRequest,
    knobs: BTreeMap<String, f64>,
    python: Option<Python>,
}

pub struct Execution<'a> {
    examiner: &'a mut Examiner,
    simulation: Simulation,
    choices: Rc<RefCell<Choices>>,
    timers_left: u32,
    unanswered: usize,
    timer_fired: Option<u32>,
}

impl Examiner {
    pub fn new(document: &ScenarioDocument, exam: &Exam, variant: &str) -> Examiner {
        let environment = document.environments.first().expect("a manifest has environments");
        let mut document = document.clone();
        let one_for_each = Amount::Number(exam.requests.len() as f64);
        let spec = &mut document.simulation;
        spec.clients = Clients::Closed { count: Amount::Number(0.0), think_ms: Amount::Number(0.0) };
        spec.faults.clear();
        spec.machine.processes = one_for_each.clone();
        spec.machine.pool = one_for_each.clone();
        spec.machine.database_cores = one_for_each;
        if let Some(most) = exam.rows {
            for rows in &mut spec.rows {
                rows.count = Amount::Number(rows.count.at(&environment.knobs).min(most.into()));
            }
        }
        let request = RunRequest {
            scenario: document.summary.id.clone(),
            variant: variant.to_owned(),
            environment: environment.id.clone(),
            seed: SEED,
            until_us: None,
            knobs: BTreeMap::new(),
            sources: BTreeMap::new(),
            changes: vec![],
        };
        let knobs = environment.knobs.clone();
        let python = Python::new(u64::from(SEED), EPOCH_US);
        Examiner { document: Rc::new(document), exam: exam.clone(), request, knobs, python: Some(python) }
    }

    pub fn begin(&mut self) -> Result<Execution<'_>, RunError> {
        let mut python = self.python.take().expect("executions give it back");
        python.start_over(u64::from(SEED));
        let choices = Rc::new(RefCell::new(Choices::new(self.exam.requests.len() as u32)));
        let scheduler = Box::new(ByChoice(choices.clone()));
        let (document, request, knobs) = (self.document.clone(), self.request.clone(), self.knobs.clone());
        let mut simulation = Simulation::assemble(document, request, knobs, Keep::All, scheduler, python);
        simulation.prepare()?;
        if let Some(setup) = &self.exam.setup {
            simulation.database.audit(setup, &[], 0).map_err(|error| {
                RunError::new(format!("setup of the exam {}: {} ({})", self.exam.id, error.message, error.sqlstate))
            })?;
            simulation.database.settle();
        }
        for (place, asked) in self.exam.requests.iter().enumerate() {
            let kinds = &self.document.simulation.requests;
            let kind = kinds.iter().position(|kind| kind.entry == asked.entry).ok_or_else(|| {
                RunError::new(format!("the exam {} asks for {}, which is no request", self.exam.id, asked.entry))
            })?;
            let request = simulation.kernel.new_request();
            let (client, arguments) = (ClientId(place as u32), asked.parameters.clone());
            let arrival = Arrival { request, client, kind, arguments, again: false, caller: None };
            simulation.kernel.post(AppMessage::Request(arrival));
            simulation.follow();
        }
        let unanswered = self.exam.requests.len();
        Ok(Execution { examiner: self, simulation, choices, timers_left: TIMERS_MOST, unanswered, timer_fired: None })
    }
}

impl Execution<'_> {
    /// The requests that may step. None, when all have ended or wait for what does not come.
    pub fn choices(&mut self) -> Vec<RequestId> {
        self.timer_fired = None;
        loop {
            while self.simulation.has_next() {
                self.simulation.take_next();
            }
            let enabled = self.choices.borrow().enabled().collect::<Vec<_>>();
            if !enabled.is_empty() {
                return enabled;
            }
            if self.unanswered > 0 {
                self.unanswered = self.examiner.exam.requests.len() - self.answers().len();
                if self.unanswered == 0 {
                    self.timers_left = TIMERS_AFTERWARDS;
                }
            }
            if self.timers_left == 0 || !self.choices.borrow_mut().let_a_timer_fire() {
                return enabled;
            }
            self.timer_fired.get_or_insert(self.simulation.trace().len());
            self.timers_left -= 1;
        }
    }

    /// How long the trace was when the first timer fired since the last step, if one did.
    pub fn timer_fired(&self) -> Option<u32> {
        self.timer_fired
    }

    /// Pairs of tables, of which the first has a foreign key to the second.
    pub fn references(&self) -> Vec<(String, String)> {
        self.simulation.database.references()
    }

    /// The one at this place of `choices` steps.
    pub fn take(&mut self, place: usize) {
        self.choices.borrow_mut().choose(place);
    }

    pub fn trace(&self) -> &Trace {
        self.simulation.trace()
    }

    /// What the requests were answered: status and body.
    pub fn answers(&self) -> BTreeMap<RequestId, (u16, String)> {
        let trace = self.simulation.trace();
        let answered = trace.events().filter_map(|event| match &event.kind {
            EventKind::RequestFinished { status, body, .. } => {
                let request = event.request.filter(|it| (it.0 as usize) < self.examiner.exam.requests.len())?;
                Some((request, (*status, trace.strings.text(*body).to_owned())))
            }
            _ => None,
        });
        answered.collect()
    }

    /// What an invariant's query gives now, by the invariant's place.
    pub fn broken(&mut self) -> Result<Vec<(usize, Vec<QueryResult>)>, SqlError> {
        let document = self.examiner.document.clone();
        let mut broken = vec![];
        for (place, invariant) in document.invariants.iter().enumerate() {
            if let InvariantRule::Sql { sql } = &invariant.rule {
                let now = self.simulation.now();
                let results = self.simulation.database.audit(sql, &[], now)?;
                if results.last().is_some_and(|result| !result.rows.is_empty()) {
                    broken.push((place, results));
                }
            }
        }
        Ok(broken)
    }

    pub fn end(self) {
        self.examiner.python = Some(self.simulation.into_python());
    }
}
