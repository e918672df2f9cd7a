//! The parts of a run put together: what begins it, whom each message is for, and in which order things happen.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::app_server::AppServer;
use super::database::DatabaseServer;
use super::kernel::Kernel;
use super::load_generator::LoadGenerator;
use super::message::{AppMessage, Message};
use super::monitor::Monitor;
use super::scheduler::{ByTime, Scheduler};
use super::services::Services;
use super::statement_log::Sent;
use super::{Change, EPOCH_US, RunError, RunRequest, TimedChange};
use crate::python::Python;
use crate::scenario::ScenarioDocument;
use crate::trace::{Keep, Micros, Trace};
use crate::workload::Conditions;

pub struct Simulation {
    pub(super) document: Rc<ScenarioDocument>,
    request: RunRequest,
    /// How many of the request's changes have been applied.
    changes_applied: usize,
    end: Micros,
    ended: bool,

    /// Which code serves new requests.
    pub(super) variant: String,
    /// Edited files, by name.
    pub(super) sources: BTreeMap<String, String>,
    pub(super) migrated: BTreeSet<String>,

    pub(super) kernel: Kernel,
    pub(super) load: LoadGenerator,
    pub(super) app: AppServer,
    pub(super) database: DatabaseServer,
    pub(super) services: Services,
    pub(super) monitor: Monitor,
}

impl Simulation {
    pub fn new(document: Rc<ScenarioDocument>, mut request: RunRequest, keep: Keep) -> Result<Simulation, RunError> {
        let environment = document.environment(&request.environment).ok_or_else(|| {
            let names = document.environments.iter().map(|environment| environment.id.as_str()).collect::<Vec<_>>();
            RunError::new(format!("there is no environment {:?}; there are {}", request.environment, names.join(", ")))
        })?;
        let mut knobs = environment.knobs.clone();
        for (knob, value) in &request.knobs {
            if !knobs.contains_key(knob) {
                let names = knobs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                return Err(RunError::new(format!("there is no knob {knob:?}; there are {names}")));
            }
            knobs.insert(knob.clone(), *value);
        }
        request.changes.sort_by_key(|change| change.at_us);

        let python = Python::new(u64::from(request.seed), EPOCH_US);
        let mut simulation = Simulation::assemble(document, request, knobs, keep, Box::new(ByTime::default()), python);
        simulation.prepare()?;
        simulation.load.start(&mut simulation.kernel);
        simulation.start_scripts()?;
        simulation.services.start(&mut simulation.kernel);
        simulation.monitor.start(&mut simulation.database, &mut simulation.kernel)?;
        simulation.follow();
        Ok(simulation)
    }

    pub(super) fn assemble(
        document: Rc<ScenarioDocument>,
        request: RunRequest,
        knobs: BTreeMap<String, f64>,
        keep: Keep,
        scheduler: Box<dyn Scheduler>,
        python: Python,
    ) -> Simulation {
        let environment = document.environment(&request.environment).expect("the environment was looked up before");
        let faults = environment.faults.iter().cloned().collect();
        let kernel = Kernel::new(scheduler, keep, request.seed, Conditions::new(knobs, faults));
        Simulation {
            changes_applied: 0,
            end: request.until_us.unwrap_or((environment.length_s * 1e6) as Micros),
            ended: false,
            variant: request.variant.clone(),
            sources: request.sources.clone(),
            migrated: BTreeSet::new(),
            load: LoadGenerator::new(document.clone()),
            app: AppServer::new(document.clone(), python, &kernel),
            database: DatabaseServer::new(document.clone(), request.seed, keep),
            services: Services::new(document.clone()),
            monitor: Monitor::new(document.clone()),
            kernel,
            request,
            document,
        }
    }

    /// Tables and code, before anybody comes.
    pub(super) fn prepare(&mut self) -> Result<(), RunError> {
        self.fill_database()?;
        self.kernel.record_machines(&self.document);
        self.database.adjust_cores(&mut self.kernel);
        self.app.adjust_pools(&mut self.kernel);
        self.follow();
        self.deploy_first()?;
        self.database.settle();
        Ok(())
    }

    /// Lets everything happen up to and including `until`, but at most so many messages. Returns how far it came.
    pub fn advance(&mut self, until: Micros, messages: usize) -> Micros {
        let until = until.min(self.end);
        for _ in 0..messages {
            // Messages of a moment go before a change of that moment: a change is made by somebody who has seen them.
            match (self.kernel.next_at(), self.pending_change_at()) {
                (Some(at), change) if at <= until && change.is_none_or(|change| at <= change) => self.take_next(),
                (_, Some(change)) if change <= until => self.apply_next_change(),
                _ => {
                    self.kernel.wait_until(until);
                    if self.kernel.now() == self.end && !self.ended {
                        self.monitor.look_at_all(&mut self.database, &mut self.kernel);
                        self.kernel.post(AppMessage::WeighMemory);
                        self.follow();
                        self.ended = true;
                    }
                    break;
                }
            }
        }
        self.kernel.now()
    }

    /// Goes on until something is recorded, or the run has ended.
    pub fn step(&mut self) -> Micros {
        let before = self.trace().len();
        while !self.ended && self.trace().len() == before {
            let next = self.kernel.next_at().into_iter().chain(self.pending_change_at()).min().unwrap_or(self.end);
            self.advance(next, 1);
        }
        self.kernel.now()
    }

    /// Changes the run now. The change becomes part of its request, at this time.
    pub fn apply(&mut self, change: Change) {
        // What is due at this very moment goes first, as it will when the run is replayed.
        while self.kernel.next_at().is_some_and(|at| at <= self.kernel.now()) {
            self.take_next();
        }
        let timed = TimedChange { at_us: self.kernel.now(), change: change.clone() };
        self.request.changes.insert(self.changes_applied, timed);
        self.changes_applied += 1;
        self.change(change);
        self.follow();
    }

    pub fn now(&self) -> Micros {
        self.kernel.now()
    }

    pub fn end(&self) -> Micros {
        self.end
    }

    pub fn ended(&self) -> bool {
        self.ended
    }

    pub fn trace(&self) -> &Trace {
        self.kernel.trace()
    }

    pub fn seen(&mut self) {
        self.kernel.seen();
    }

    pub fn statement_log(&self) -> &[Sent] {
        self.database.statement_log()
    }

    pub fn request(&self) -> &RunRequest {
        &self.request
    }

    fn pending_change_at(&self) -> Option<Micros> {
        self.request.changes.get(self.changes_applied).map(|change| change.at_us)
    }

    fn apply_next_change(&mut self) {
        let TimedChange { at_us, change } = self.request.changes[self.changes_applied].clone();
        self.changes_applied += 1;
        self.kernel.wait_until(at_us);
        self.change(change);
        self.follow();
    }

    pub(super) fn has_next(&self) -> bool {
        self.kernel.next_at().is_some()
    }

    pub(super) fn into_python(self) -> Python {
        self.app.into_python()
    }

    pub(super) fn take_next(&mut self) {
        if let Some(message) = self.kernel.take_next() {
            self.deliver(message);
            self.follow();
        }
    }

    /// All that happens at once because of what has just happened.
    pub(super) fn follow(&mut self) {
        while let Some(message) = self.kernel.take_posted() {
            self.deliver(message);
        }
    }

    fn deliver(&mut self, message: Message) {
        let kernel = &mut self.kernel;
        match message {
            Message::Load(message) => self.load.handle(message, kernel),
            Message::App(message) => self.app.handle(message, kernel),
            Message::Database(message) => self.database.handle(message, kernel),
            Message::Service(message) => self.services.handle(message, kernel),
            Message::Monitor(message) => self.monitor.handle(message, &mut self.database, kernel),
            Message::Migrated { variant, error } => self.migration_ended(&variant, error),
        }
    }
}
