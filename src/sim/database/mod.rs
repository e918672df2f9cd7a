//! The database server. The way of a statement: over the network, into the queue for a core, through the engine, perhaps into a wait
//! for a lock, to the disk when it commits, and back. A wait for a lock holds no core; neither does the disk.
//!
//! A statement reads and writes when it gets its core, and then holds the core for what that costs. A COMMIT takes effect only once
//! the log is on disk, so its locks are held that long; a statement outside a transaction shows its effect before it is flushed,
//! which is half a millisecond early.

mod audit;
mod recording;
mod statements;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::kernel::Kernel;
use super::message::{AppMessage, DatabaseMessage, Submission};
use super::statement::{Purpose, Statement};
use super::statement_log::Sent;
use super::{EPOCH_US, cost};
use crate::scenario::ScenarioDocument;
use crate::sql::{Database, DeadlockCheck, LogPosition, Settings};
use crate::trace::{EventKind, Keep, Micros, RequestId, Server, SessionId, StatementKind, Symbol, Value};
use crate::workload::normal_us;

pub struct DatabaseServer {
    document: Rc<ScenarioDocument>,
    engine: Database,
    /// The session that reads invariants and gauges and writes the services' books. It costs nothing and takes no time.
    auditor: SessionId,
    /// The session that runs migrations while the load goes on.
    migrator: SessionId,
    connections: BTreeMap<SessionId, Connection>,
    cores: Cores,
    replica_cores: Cores,
    shipping: Shipping,
    timer: Option<Micros>,
    /// Texts that the trace has told of.
    described: BTreeSet<Symbol>,
    statement_log: Option<Vec<Sent>>,
}

#[derive(Default)]
struct Cores {
    count: usize,
    busy: usize,
    queue: VecDeque<SessionId>,
}

/// The log's way to the replica.
#[derive(Default)]
struct Shipping {
    /// How much of the log is on its way or there.
    shipped: Option<LogPosition>,
    /// When the last of it is replayed: commits keep their order.
    arrives: Micros,
}

struct Connection {
    server: Server,
    holder: Option<RequestId>,
    /// Its holder has given it back; the pool gets it once it is clean.
    returning: bool,
    running: Option<Statement>,
    queue: VecDeque<Statement>,
    /// The open transaction has written something, so its commit must be flushed.
    wrote: bool,
}

impl Connection {
    fn new(server: Server) -> Connection {
        Connection { server, holder: None, returning: false, running: None, queue: VecDeque::new(), wrote: false }
    }

    fn is_quiet(&self) -> bool {
        self.running.is_none() && self.queue.is_empty()
    }
}

impl DatabaseServer {
    pub fn new(document: Rc<ScenarioDocument>, seed: u32, keep: Keep) -> DatabaseServer {
        let mut engine = Database::new(Settings {
            deadlocks: DeadlockCheck::After(cost::DEADLOCK_TIMEOUT_US),
            seed: u64::from(seed),
            epoch_us: EPOCH_US,
        });
        let auditor = engine.connect();
        let migrator = engine.connect();
        DatabaseServer {
            document,
            engine,
            auditor,
            migrator,
            connections: BTreeMap::from([(migrator, Connection::new(Server::Primary))]),
            cores: Cores::default(),
            replica_cores: Cores::default(),
            shipping: Shipping::default(),
            timer: None,
            described: BTreeSet::new(),
            statement_log: (keep == Keep::All).then(Vec::new),
        }
    }

    pub fn handle(&mut self, message: DatabaseMessage, kernel: &mut Kernel) {
        match message {
            DatabaseMessage::Connect { process, server } => self.connect(process, server, kernel),
            DatabaseMessage::Lend { session, holder } => self.lend(session, holder),
            DatabaseMessage::Release(session) => self.release(session, kernel),
            DatabaseMessage::Disconnect(session) => self.disconnect(session, kernel),
            DatabaseMessage::Submit(submission) => self.submit(submission, kernel),
            DatabaseMessage::Arrives(session, statement) => self.arrives(session, statement, kernel),
            DatabaseMessage::Cancel { session, call } => {
                let arrives = kernel.now() + self.hop_us(kernel);
                kernel.schedule(arrives, DatabaseMessage::CancelArrives(session, call));
            }
            DatabaseMessage::CancelArrives(session, call) => self.cancel_arrives(session, call, kernel),
            DatabaseMessage::CoreDone(session, server) => self.core_done(session, server, kernel),
            DatabaseMessage::FillCores(server) => self.fill_cores(server, kernel),
            DatabaseMessage::Flushed(session) => self.flushed(session, kernel),
            DatabaseMessage::Wake => self.wake(kernel),
            DatabaseMessage::Timer => self.timer_fired(kernel),
            DatabaseMessage::Replayed(position) => self.engine.replay(position),
            DatabaseMessage::WriteBooks { request, entries } => self.write_books(request, entries, kernel),
        }
    }

    /// What was written before the first request is as if it had always been there, on the replica too.
    pub fn settle(&mut self) {
        self.engine.settle();
        self.engine.replay(self.engine.log_end());
    }

    /// All SQL so far; nothing unless the run keeps all of its past.
    pub fn statement_log(&self) -> &[Sent] {
        self.statement_log.as_deref().unwrap_or_default()
    }

    pub fn adjust_cores(&mut self, kernel: &mut Kernel) {
        let count = kernel.amount(&self.document.simulation.machine.database_cores).max(1.0) as usize;
        for server in [Server::Primary, Server::Replica] {
            self.cores_of(server).count = count;
            self.fill_cores(server, kernel);
        }
    }

    /// Runs beside the load, and is told of when it has ended.
    pub fn migrate(&mut self, variant: &str, sql: &str, kernel: &mut Kernel) {
        let purpose = Purpose::Migration { variant: variant.to_owned() };
        self.arrives(self.migrator, Statement::new(sql.into(), StatementKind::Other, vec![], purpose), kernel);
    }

    fn connect(&mut self, process: usize, server: Server, kernel: &mut Kernel) {
        let session = match server {
            Server::Primary => self.engine.connect(),
            Server::Replica => self.engine.connect_to_replica(),
        };
        self.connections.insert(session, Connection::new(server));
        kernel.post(AppMessage::Connected { process, server, session });
    }

    fn lend(&mut self, session: SessionId, holder: RequestId) {
        self.connections.get_mut(&session).expect("a pooled connection is open").holder = Some(holder);
    }

    fn release(&mut self, session: SessionId, kernel: &mut Kernel) {
        let Some(connection) = self.connections.get_mut(&session) else { return };
        connection.returning = true;
        if connection.is_quiet() {
            self.return_when_clean(session, kernel);
        }
    }

    /// Called whenever a returning connection has nothing left to run.
    fn return_when_clean(&mut self, session: SessionId, kernel: &mut Kernel) {
        if self.engine.in_transaction(session) {
            let rollback = Statement::new("ROLLBACK".into(), StatementKind::Rollback, vec![], Purpose::Cleanup);
            return self.arrives(session, rollback, kernel);
        }
        let connection = self.connections.get_mut(&session).expect("a returning connection is open");
        connection.returning = false;
        let holder = connection.holder.take();
        kernel.record(EventKind::ConnectionReleased, holder, Some(session), None);
        kernel.post(AppMessage::ConnectionReturned(session));
    }

    fn disconnect(&mut self, session: SessionId, kernel: &mut Kernel) {
        let Some(connection) = self.connections.remove(&session) else { return };
        self.cores_of(connection.server).queue.retain(|waiting| *waiting != session);
        let events = self.engine.disconnect(session, kernel.now());
        self.record_engine_events(&events, connection.holder, session, None, false, kernel);
        self.wake(kernel);
    }

    fn submit(&mut self, submission: Submission, kernel: &mut Kernel) {
        let Submission { session, request, call, position, sql, text, parameters } = submission;
        let kind = self.engine.kind_of(&sql, !parameters.is_empty());
        let text = kernel.whole_symbol(&text);
        if names_tables(kind) && self.described.insert(text) {
            kernel.record_described(text, &self.engine.footprint(&sql, !parameters.is_empty()));
        }
        let shown = parameters.iter().map(Value::to_text).collect::<Vec<_>>().join(", ");
        let started = EventKind::StatementStarted { call, position, text, parameters: kernel.symbol(&shown), kind };
        kernel.record(started, Some(request), Some(session), None);
        let arrives = kernel.now() + self.hop_us(kernel);
        let statement = Statement::new(sql, kind, parameters, Purpose::Call(call));
        kernel.schedule(arrives, DatabaseMessage::Arrives(session, statement));
    }

    /// One way between a process and the database.
    fn hop_us(&self, kernel: &mut Kernel) -> Micros {
        let machine = &self.document.simulation.machine;
        let (mean, sd) = (kernel.amount_us(&machine.network_ms), kernel.amount_us(&machine.network_sd_ms));
        normal_us(&mut kernel.rng.network, mean / 2.0, sd / 2.0)
    }

    /// What was committed since the last look sets out for the replica.
    fn ship_log(&mut self, kernel: &mut Kernel) {
        let Some(lag) = &self.document.simulation.machine.replica_lag_ms else { return };
        let end = self.engine.log_end();
        if self.shipping.shipped.is_none_or(|shipped| shipped < end) {
            let lag_us = kernel.amount_us(lag);
            let taken = normal_us(&mut kernel.rng.replication, lag_us, lag_us / 4.0);
            self.shipping.shipped = Some(end);
            self.shipping.arrives = self.shipping.arrives.max(kernel.now() + taken);
            kernel.schedule(self.shipping.arrives, DatabaseMessage::Replayed(end));
        }
    }

    fn cores_of(&mut self, server: Server) -> &mut Cores {
        match server {
            Server::Primary => &mut self.cores,
            Server::Replica => &mut self.replica_cores,
        }
    }
}

/// Whether the text of such a statement says which tables it reads or writes.
pub fn names_tables(kind: StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Select, Update};
    matches!(kind, Select | Insert | Update | Delete)
}
