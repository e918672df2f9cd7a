//! Steps permutations over a `ServerUnderTest`: launches, batches, markers, and time that passes only when nothing else moves.

use std::collections::{BTreeMap, VecDeque};

use crate::sql::{Database, DeadlockCheck, Outcome, Progress, Settings};
use crate::trace::{Micros, Notice, SessionId};

use super::output::{
    Ending, ErrorResponse, PermutationReport, QueryResponse, ReportEntry, SpecReport, StatementResult,
};
use super::spec::{Marker, Permutation, PermutationStep, Spec};

/// A database with connections 0 (for setup and teardown) and 1 and up (the spec's sessions).
pub trait ServerUnderTest {
    /// Begins a permutation: no tables, connections that are idle and outside any transaction.
    fn begin(&mut self, connections: usize);

    /// Sends a query on an idle connection.
    fn launch(&mut self, connection: usize, sql: &str);

    /// Lets run what can run until each busy connection waits for a lock; what arrived meanwhile.
    fn settle(&mut self) -> Vec<Arrival>;

    /// With nothing left to run, lets time pass until a timer of a waiting connection fires. False when there is none.
    fn pass_time(&mut self) -> bool;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    Notice { connection: usize, notice: Notice },
    Ended { connection: usize, answer: QueryResponse },
}

/// Runs a spec against our own database.
pub fn run(spec: &Spec) -> SpecReport {
    run_on(spec, &mut Simulated::default())
}

/// As `run`, but of several sessions that one step wakes the last goes on first: on a real server it is chance which does.
pub fn run_last_woken_first(spec: &Spec) -> SpecReport {
    run_on(spec, &mut Simulated { last_woken_first: true, ..Simulated::default() })
}

pub fn run_on(spec: &Spec, server: &mut dyn ServerUnderTest) -> SpecReport {
    let mut report = SpecReport {
        sessions: spec.sessions.iter().map(|it| it.name.clone()).collect(),
        permutations: Vec::new(),
        complaints: spec.unused_steps().iter().map(|it| format!("unused step name: {it}")).collect(),
    };
    for permutation in spec.each_permutation() {
        let ran = PermutationRun::new(spec, &permutation, server).run(&mut report.complaints);
        let setup_failed = matches!(ran.ending, Ending::SetupFailed(_));
        report.permutations.push(ran);
        if setup_failed {
            break;
        }
    }
    report
}

/// The connection for setup and teardown.
const CONTROL: usize = 0;

struct PermutationRun<'a> {
    spec: &'a Spec,
    permutation: &'a Permutation,
    server: &'a mut dyn ServerUnderTest,
    connections: Vec<Connection>,
    /// Positions in the permutation of steps reported as waiting, in that order.
    waiting: Vec<usize>,
    /// Notices a marker waits for: by position in the permutation and index of the marker.
    notices_due: BTreeMap<(usize, usize), u64>,
    entries: Vec<ReportEntry>,
}

#[derive(Default)]
struct Connection {
    /// Position in the permutation of the step launched and not yet reported as ended.
    active: Option<usize>,
    answer: Option<QueryResponse>,
    /// Came, but the connection was not looked at since.
    unseen: VecDeque<Notice>,
    /// Of the active step.
    notices: Vec<Notice>,
    notices_seen: u64,
}

/// Nothing can move any more, and not all has ended.
struct Stuck;

impl<'a> PermutationRun<'a> {
    fn new(spec: &'a Spec, permutation: &'a Permutation, server: &'a mut dyn ServerUnderTest) -> PermutationRun<'a> {
        let connections = (0..=spec.sessions.len()).map(|_| Connection::default()).collect();
        PermutationRun {
            spec,
            permutation,
            server,
            connections,
            waiting: Vec::new(),
            notices_due: BTreeMap::new(),
            entries: Vec::new(),
        }
    }

    fn run(mut self, complaints: &mut Vec<String>) -> PermutationReport {
        self.server.begin(self.connections.len());
        let ending = match self.setup(complaints) {
            Err(failure) => Ending::SetupFailed(failure),
            Ok(()) => match self.steps() {
                Ok(()) => {
                    self.teardown(complaints);
                    Ending::Complete
                }
                Err(Stuck) => {
                    self.complete_waiting();
                    let waiting: Vec<_> = self.waiting.iter().map(|&at| self.step_name(at)).collect();
                    complaints.push(format!("stuck: nothing can end {}", waiting.join(", ")));
                    Ending::Stuck { waiting }
                }
            },
        };
        let steps = (0..self.permutation.steps.len()).map(|at| self.step_name(at)).collect();
        PermutationReport { steps, entries: self.entries, ending }
    }

    fn setup(&mut self, complaints: &mut Vec<String>) -> Result<(), ErrorResponse> {
        for sql in &self.spec.setups {
            self.block(CONTROL, sql).inspect_err(|it| complaints.push(format!("setup failed: {it}")))?;
        }
        for (index, session) in self.spec.sessions.iter().enumerate() {
            if let Some(sql) = &session.setup {
                self.block(index + 1, sql)
                    .inspect_err(|it| complaints.push(format!("setup of session {} failed: {it}", session.name)))?;
            }
        }
        Ok(())
    }

    fn teardown(&mut self, complaints: &mut Vec<String>) {
        for (index, session) in self.spec.sessions.iter().enumerate() {
            if let Some(sql) = &session.teardown
                && let Err(failure) = self.block(index + 1, sql)
            {
                complaints.push(format!("teardown of session {} failed: {failure}", session.name));
            }
        }
        if let Some(sql) = &self.spec.teardown
            && let Err(failure) = self.block(CONTROL, sql)
        {
            complaints.push(format!("teardown failed: {failure}"));
        }
    }

    /// Runs a setup or teardown block to its end; only its last result is shown.
    fn block(&mut self, connection: usize, sql: &str) -> Result<(), ErrorResponse> {
        self.server.launch(connection, sql);
        if let Err(Stuck) = self.wait_for_answer(connection) {
            return Err(ErrorResponse::new("55P03", "the block waits for a lock that is never given up"));
        }
        self.show_notices(connection);
        self.connections[connection].notices.clear();
        let answer = self.connections[connection].answer.take().expect("it was waited for");
        match answer.failure {
            Some(failure) => Err(failure),
            None => {
                self.entries.extend(answer.results.into_iter().next_back().map(ReportEntry::Block));
                Ok(())
            }
        }
    }

    fn steps(&mut self) -> Result<(), Stuck> {
        for at in 0..self.permutation.steps.len() {
            self.finish_session_of(at)?;
            self.launch(at);
        }
        self.finish_all()
    }

    /// A session runs one step at a time: waits for the one it is still in.
    fn finish_session_of(&mut self, at: usize) -> Result<(), Stuck> {
        let connection = self.connection_of(at);
        while let Some(old) = self.connections[connection].active {
            self.wait_for_answer(connection)?;
            let mut moved = self.complete(old, true);
            if moved {
                self.waiting.retain(|it| *it != old);
            }
            moved |= self.complete_waiting();
            if !moved && !self.pass_time() {
                return Err(Stuck);
            }
        }
        Ok(())
    }

    fn launch(&mut self, at: usize) {
        let connection = self.connection_of(at);
        self.connections[connection].active = Some(at);
        for (index, marker) in self.markers(at).iter().enumerate() {
            if let Marker::Notices { step, count } = *marker {
                let seen = self.connections[self.spec.steps[step].session + 1].notices_seen;
                self.notices_due.insert((at, index), seen + count);
            }
        }
        self.server.launch(connection, &self.spec.steps[self.permutation.steps[at].step].sql);
        self.settle();
        let ended = self.complete(at, false);
        self.complete_waiting();
        if !ended {
            self.waiting.push(at);
        }
    }

    /// Waits for what is left, in the order in which it began to wait.
    fn finish_all(&mut self) -> Result<(), Stuck> {
        while !self.waiting.is_empty() {
            let mut moved = false;
            for at in self.waiting.clone() {
                self.wait_for_answer(self.connection_of(at))?;
                if self.complete(at, true) {
                    self.waiting.retain(|it| *it != at);
                    moved = true;
                }
            }
            if !moved {
                return Err(Stuck);
            }
        }
        Ok(())
    }

    /// Reports what has ended among the waiting steps; true when that moved anything.
    fn complete_waiting(&mut self) -> bool {
        let mut moved_ever = false;
        loop {
            let mut moved = false;
            for at in self.waiting.clone() {
                let seen = self.connections[self.connection_of(at)].notices_seen;
                if self.complete(at, true) {
                    self.waiting.retain(|it| *it != at);
                    moved = true;
                }
                moved |= self.connections[self.connection_of(at)].notices_seen > seen;
            }
            moved_ever |= moved;
            if !moved {
                return moved_ever;
            }
        }
    }

    /// Reports a step as ended if it is and no marker forbids; else, when just launched, as waiting.
    fn complete(&mut self, at: usize, again: bool) -> bool {
        let connection = self.connection_of(at);
        let later = !again && self.markers(at).contains(&Marker::Later);
        if !later {
            self.show_notices(connection);
        }
        if later || self.connections[connection].answer.is_none() || self.is_held_back(at) {
            if !again {
                self.entries.push(ReportEntry::Waiting { step: self.step_name(at), sql: self.step_sql(at) });
            }
            return false;
        }
        let (step, sql) = (self.step_name(at), self.step_sql(at));
        let connection = &mut self.connections[connection];
        connection.active = None;
        let answer = connection.answer.take().expect("it was seen above");
        let notices = std::mem::take(&mut connection.notices);
        self.entries.push(ReportEntry::Ended { step, sql, after_waiting: again, answer, notices });
        true
    }

    fn is_held_back(&self, at: usize) -> bool {
        self.markers(at).iter().enumerate().any(|(index, marker)| match *marker {
            Marker::Later => false,
            Marker::WhileActive(step) => {
                let active = self.connections[self.spec.steps[step].session + 1].active;
                active.is_some_and(|active| self.permutation.steps[active].step == step)
            }
            Marker::Notices { step, .. } => {
                let due = self.notices_due.get(&(at, index)).copied().unwrap_or(0);
                self.connections[self.spec.steps[step].session + 1].notices_seen < due
            }
        })
    }

    fn show_notices(&mut self, connection: usize) {
        while let Some(notice) = self.connections[connection].unseen.pop_front() {
            self.connections[connection].notices_seen += 1;
            self.connections[connection].notices.push(notice.clone());
            if connection != CONTROL {
                let session = self.spec.sessions[connection - 1].name.clone();
                self.entries.push(ReportEntry::Notice { session, notice });
            }
        }
    }

    fn wait_for_answer(&mut self, connection: usize) -> Result<(), Stuck> {
        self.settle();
        while self.connections[connection].answer.is_none() {
            if !self.pass_time() {
                return Err(Stuck);
            }
        }
        Ok(())
    }

    fn pass_time(&mut self) -> bool {
        let passed = self.server.pass_time();
        if passed {
            self.settle();
        }
        passed
    }

    fn settle(&mut self) {
        for arrival in self.server.settle() {
            match arrival {
                Arrival::Notice { connection, notice } => self.connections[connection].unseen.push_back(notice),
                Arrival::Ended { connection, answer } => self.connections[connection].answer = Some(answer),
            }
        }
    }

    fn connection_of(&self, at: usize) -> usize {
        self.spec.steps[self.permutation.steps[at].step].session + 1
    }

    fn markers(&self, at: usize) -> &'a [Marker] {
        let PermutationStep { markers, .. } = &self.permutation.steps[at];
        markers
    }

    fn step_name(&self, at: usize) -> String {
        self.spec.steps[self.permutation.steps[at].step].name.clone()
    }

    fn step_sql(&self, at: usize) -> String {
        self.spec.steps[self.permutation.steps[at].step].sql.clone()
    }
}

/// Our own database in virtual time.
#[derive(Default)]
struct Simulated {
    database: Option<Database>,
    sessions: Vec<SessionId>,
    now: Micros,
    arrivals: Vec<Arrival>,
    last_woken_first: bool,
}

/// 2000-01-01 00:00:00 UTC: where PostgreSQL's own count of time begins.
const EPOCH_US: i64 = 946_684_800_000_000;

impl Simulated {
    fn take(&mut self, connection: usize, outcome: Outcome) {
        for notice in outcome.notices {
            self.arrivals.push(Arrival::Notice { connection, notice });
        }
        let answer = match outcome.progress {
            Progress::Wait(_) => return,
            Progress::Done(results) => {
                QueryResponse { results: results.iter().map(StatementResult::from).collect(), failure: None }
            }
            Progress::Failed(error) => QueryResponse {
                results: outcome.completed.iter().map(StatementResult::from).collect(),
                failure: Some(ErrorResponse::from(&error)),
            },
        };
        self.arrivals.push(Arrival::Ended { connection, answer });
    }
}

impl ServerUnderTest for Simulated {
    fn begin(&mut self, connections: usize) {
        let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 0, epoch_us: EPOCH_US });
        self.sessions = (0..connections).map(|_| database.connect()).collect();
        self.database = Some(database);
        self.arrivals.clear();
        self.now = 0;
    }

    fn launch(&mut self, connection: usize, sql: &str) {
        let database = self.database.as_mut().expect("begin comes first");
        let outcome = database.execute(self.sessions[connection], self.now, sql, &[]);
        self.take(connection, outcome);
    }

    fn settle(&mut self) -> Vec<Arrival> {
        loop {
            let database = self.database.as_mut().expect("begin comes first");
            let mut woken = database.take_woken();
            if self.last_woken_first {
                woken.reverse();
            }
            if woken.is_empty() {
                return std::mem::take(&mut self.arrivals);
            }
            for session in woken {
                let outcome = self.database.as_mut().expect("begin comes first").resume(session, self.now);
                let connection = self.sessions.iter().position(|it| *it == session).expect("we opened it");
                self.take(connection, outcome);
            }
        }
    }

    fn pass_time(&mut self) -> bool {
        let database = self.database.as_mut().expect("begin comes first");
        let Some(due) = database.next_timer() else { return false };
        self.now = self.now.max(due);
        database.fire_timers(self.now);
        true
    }
}
