//! A run's whole mutable state, its queue of events to come, and the only writer of its trace.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::rc::Rc;

use super::clients::{Clients, Unanswered};
use super::cost;
use super::database::{Cores, Session, Shipping, Statement};
use super::dice::Dice;
use super::outside::{Outside, ServiceJob};
use super::processes::{Deployment, Process, Turn, WorkerState};
use super::tape::Sent;
use super::watch::Watch;
use super::{RunError, RunRequest, TimedChange};
use crate::python::{Effect, Python, SourcePosition};
use crate::scenario::{Amount, ScenarioDocument};
use crate::sql::{Database, DeadlockCheck, LogPosition, Settings};
use crate::trace::{
    Answer, CallId, ClientId, Event, EventKind, Keep, Micros, Position, RequestId, Server, SessionId, StatementOutcome,
    Symbol, Trace, Xid,
};

/// Every run begins at two o'clock in the morning, UTC, on Wednesday 14 January 2026.
pub const EPOCH_US: i64 = 1_768_356_000_000_000;

/// Longer texts are cut in the trace: a body of many rows says nothing more by being whole.
const TEXT_CHARS: usize = 300;

pub struct World {
    pub document: Rc<ScenarioDocument>,
    pub request: RunRequest,
    pub now: Micros,
    pub ended: bool,
    pub trace: Trace,

    pub variant: String,
    pub knobs: BTreeMap<String, f64>,
    pub faults: BTreeSet<String>,
    pub sources: BTreeMap<String, String>,
    pub dice: Dice,

    pub database: Database,
    /// Texts of UPDATEs that the trace has told of.
    pub described: BTreeSet<Symbol>,
    /// The session that reads invariants and gauges and writes the services' books. It costs nothing and takes no time.
    pub auditor: SessionId,
    /// The session that runs migrations while the load goes on.
    pub migrator: SessionId,
    pub sessions: BTreeMap<SessionId, Session>,
    pub cores: Cores,
    pub replica_cores: Cores,
    pub shipping: Shipping,
    pub database_timer: Option<Micros>,

    pub python: Python,
    pub processes: Vec<Process>,
    /// How many of them serve requests. One more is where scripted clients live.
    pub servers: usize,
    pub deployments: BTreeMap<String, Deployment>,
    pub migrated: BTreeSet<String>,
    pub workers: Vec<WorkerState>,
    pub requests: BTreeMap<RequestId, InFlight>,
    pub next_request: u32,
    pub calls: BTreeMap<CallId, OpenCall>,

    pub clients: Clients,
    pub outside: Outside,
    pub watch: Watch,
    pub tape: Option<Vec<Sent>>,

    queue: BinaryHeap<Reverse<Due>>,
    /// What `queue` orders by place: steps are large and would be moved about.
    steps: Vec<Option<Step>>,
    free_places: Vec<u32>,
    scheduled: u64,
    /// How many of the request's changes have been applied.
    changes_applied: usize,
    pub end: Micros,
}

/// One execution of a handler on its way.
pub struct InFlight {
    pub client: Option<ClientId>,
    /// Its place among the scenario's kinds of request.
    pub kind: Option<usize>,
    /// The client sent it before and goes on with its life when the first one is answered.
    pub again: bool,
    pub since: Micros,
    pub process: usize,
    pub worker: Option<usize>,
    /// It is no request: it is what this client does, and sends requests.
    pub script: Option<ClientId>,
    /// The script's call that waits for the answer.
    pub caller: Option<CallId>,
}

impl InFlight {
    pub fn new(process: usize, since: Micros) -> InFlight {
        InFlight { client: None, kind: None, again: false, since, process, worker: None, script: None, caller: None }
    }
}

/// What a handler awaits.
pub struct OpenCall {
    pub request: RequestId,
    pub process: usize,
    pub position: Position,
    pub at: Micros,
    pub kind: OpenCallKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenCallKind {
    Connection,
    Statement(SessionId),
    Clock,
    Service,
    Other,
}

/// What the queue holds.
pub enum Step {
    /// The next request of an open loop arrives.
    Arrival,
    /// An open loop without a rate looks whether it has one now.
    ArrivalsPaused,
    /// A client of a closed loop has finished thinking.
    Send(ClientId),
    /// A client looks whether it has an answer to what it sent.
    Resend(Unanswered),
    /// A process has come to it and paid for it.
    Turn {
        process: usize,
        life: u32,
        turn: Turn,
    },
    /// What Python did after a `time.sleep` in the same turn.
    Effects {
        process: usize,
        life: u32,
        effects: Vec<Effect>,
    },
    Rung(CallId),
    PoolTimeout(CallId),
    StatementArrives(SessionId, Statement),
    CancelArrives(SessionId, CallId),
    CoreDone(SessionId, Server),
    Flushed(SessionId),
    Replayed(LogPosition),
    Replied {
        session: SessionId,
        statement: Statement,
        outcome: StatementOutcome,
        rows: u32,
        answer: Answer,
    },
    DatabaseTimer,
    ServiceReached(ServiceJob),
    ServiceAnswered {
        call: CallId,
        outcome: crate::trace::ServiceOutcome,
        answer: Answer,
    },
    WorkerDue(usize),
    KillDue(usize),
    Restarted(usize),
    Check,
    Look,
}

/// A step's time, its rank among those of that time, and its place in `World::steps`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Micros,
    order: u64,
    place: u32,
}

impl World {
    pub fn new(document: Rc<ScenarioDocument>, mut request: RunRequest, keep: Keep) -> Result<World, RunError> {
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

        let mut database = Database::new(Settings {
            deadlocks: DeadlockCheck::After(cost::DEADLOCK_TIMEOUT_US),
            seed: u64::from(request.seed),
            epoch_us: EPOCH_US,
        });
        let auditor = database.connect();
        let migrator = database.connect();
        let mut world = World {
            now: 0,
            ended: false,
            trace: Trace::new(keep),
            variant: request.variant.clone(),
            faults: environment.faults.iter().cloned().collect(),
            sources: request.sources.clone(),
            dice: Dice::new(request.seed),
            database,
            described: BTreeSet::new(),
            auditor,
            migrator,
            sessions: BTreeMap::new(),
            cores: Cores::default(),
            replica_cores: Cores::default(),
            shipping: Shipping::default(),
            database_timer: None,
            python: Python::new(u64::from(request.seed), EPOCH_US),
            processes: vec![],
            servers: 0,
            deployments: BTreeMap::new(),
            migrated: BTreeSet::new(),
            workers: vec![],
            requests: BTreeMap::new(),
            next_request: 0,
            calls: BTreeMap::new(),
            clients: Clients::default(),
            outside: Outside::new(&document),
            watch: Watch::new(&document),
            tape: (keep == Keep::All).then(Vec::new),
            queue: BinaryHeap::new(),
            steps: vec![],
            free_places: vec![],
            scheduled: 0,
            changes_applied: 0,
            end: request.until_us.unwrap_or((environment.length_s * 1e6) as Micros),
            knobs,
            request,
            document: document.clone(),
        };
        world.sessions.insert(migrator, Session::new(0, Server::Primary));
        world.fill_database()?;
        world.start_processes();
        world.deploy_first()?;
        world.database.settle();
        world.database.replay(world.database.log_end());
        world.start_clients();
        world.start_scripts()?;
        world.start_faults();
        world.start_watch()?;
        Ok(world)
    }

    pub fn advance(&mut self, until: Micros, steps: usize) -> Micros {
        let until = until.min(self.end);
        for _ in 0..steps {
            // Steps of a moment go before a change of that moment: a change is made by somebody who has seen them.
            match (self.next_step_at(), self.pending_change_at()) {
                (Some(step), change) if step <= until && change.is_none_or(|change| step <= change) => self.take_step(),
                (_, Some(change)) if change <= until => self.apply_next_change(),
                _ => {
                    self.now = self.now.max(until);
                    if self.now == self.end && !self.ended {
                        self.look_at_all();
                        self.look_at_memory();
                        self.ended = true;
                    }
                    break;
                }
            }
        }
        self.now
    }

    pub fn step(&mut self) -> Micros {
        let before = self.trace.len();
        while !self.ended && self.trace.len() == before {
            let next = self.next_step_at().into_iter().chain(self.pending_change_at()).min().unwrap_or(self.end);
            self.advance(next, 1);
        }
        self.now
    }

    pub fn apply(&mut self, change: super::Change) {
        // What is due at this very moment goes first, as it will when the schedule is replayed.
        while self.next_step_at().is_some_and(|at| at <= self.now) {
            self.take_step();
        }
        let change = TimedChange { at_us: self.now, change };
        self.request.changes.insert(self.changes_applied, change.clone());
        self.changes_applied += 1;
        self.change(change.change);
    }

    fn apply_next_change(&mut self) {
        let TimedChange { at_us, change } = self.request.changes[self.changes_applied].clone();
        self.changes_applied += 1;
        self.now = self.now.max(at_us);
        self.change(change);
    }

    pub fn schedule(&mut self, at: Micros, step: Step) {
        let order = self.scheduled;
        self.scheduled += 1;
        let place = match self.free_places.pop() {
            Some(place) => {
                self.steps[place as usize] = Some(step);
                place
            }
            None => {
                self.steps.push(Some(step));
                self.steps.len() as u32 - 1
            }
        };
        self.queue.push(Reverse(Due { at: at.max(self.now), order, place }));
    }

    pub fn amount(&self, amount: &Amount) -> f64 {
        amount.at(&self.knobs)
    }

    /// The same in microseconds, for an amount in milliseconds.
    pub fn amount_us(&self, amount: &Amount) -> f64 {
        self.amount(amount) * 1e3
    }

    pub fn record(
        &mut self,
        kind: EventKind,
        request: Option<RequestId>,
        session: Option<SessionId>,
        xid: Option<Xid>,
    ) {
        self.trace.record(Event { at: self.now, request, session, xid, kind });
    }

    pub fn symbol(&mut self, text: &str) -> Symbol {
        match text.char_indices().nth(TEXT_CHARS) {
            Some((cut, _)) => self.trace.strings.intern(&format!("{}…", &text[..cut])),
            None => self.trace.strings.intern(text),
        }
    }

    /// For texts that must stay whole: code and statements.
    pub fn whole_symbol(&mut self, text: &str) -> Symbol {
        self.trace.strings.intern(text)
    }

    pub fn position(&mut self, position: &SourcePosition) -> Position {
        Position { file: self.trace.strings.intern(&position.file), line: position.line }
    }

    pub fn limit_reached(&mut self, text: &str) {
        let limit = self.symbol(text);
        self.record(EventKind::LimitReached { limit }, None, None, None);
    }

    fn next_step_at(&self) -> Option<Micros> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    fn pending_change_at(&self) -> Option<Micros> {
        self.request.changes.get(self.changes_applied).map(|change| change.at_us)
    }

    fn take_step(&mut self) {
        let Some(Reverse(due)) = self.queue.pop() else { return };
        self.now = due.at;
        self.free_places.push(due.place);
        match self.steps[due.place as usize].take().expect("a queued step is there") {
            Step::Arrival => self.arrival(),
            Step::ArrivalsPaused => self.schedule_arrival(),
            Step::Send(client) => self.send(client),
            Step::Resend(unanswered) => self.resend(unanswered),
            Step::Turn { process, life, turn } => self.turn(process, life, turn),
            Step::Effects { process, life, effects } => self.effects(process, life, effects),
            Step::Rung(call) => self.answer(call, Answer::Done),
            Step::PoolTimeout(call) => self.pool_timeout(call),
            Step::StatementArrives(session, statement) => self.statement_arrives(session, statement),
            Step::CancelArrives(session, call) => self.cancel_arrives(session, call),
            Step::CoreDone(session, server) => self.core_done(session, server),
            Step::Flushed(session) => self.flushed(session),
            Step::Replayed(position) => self.database.replay(position),
            Step::Replied { session, statement, outcome, rows, answer } => {
                self.replied(session, statement, outcome, rows, answer);
            }
            Step::DatabaseTimer => self.database_timer_fired(),
            Step::ServiceReached(job) => self.service_reached(job),
            Step::ServiceAnswered { call, outcome, answer } => self.service_answered(call, outcome, answer),
            Step::WorkerDue(worker) => self.worker_due(worker),
            Step::KillDue(rule) => self.kill_due(rule),
            Step::Restarted(process) => self.restarted(process),
            Step::Check => self.check(),
            Step::Look => self.look(),
        }
    }
}
