//! Connection pools: each process has one for each server, of fixed size, with a queue of those who wait for a connection.

use std::collections::VecDeque;

use super::database::{Purpose, Session, Statement};
use super::world::{OpenCallKind, Step, World};
use crate::trace::{Answer, CallId, EventKind, Micros, Server, SessionId, SqlError, StatementKind};

#[derive(Default)]
pub struct Pool {
    size: usize,
    /// Connections there are, lent out or not.
    open: usize,
    idle: VecDeque<SessionId>,
    waiting: VecDeque<CallId>,
}

impl World {
    pub fn adjust_pools(&mut self, process: usize) {
        self.adjust_pool(process, Server::Primary);
        if self.document.world.machine.replica_lag_ms.is_some() {
            self.adjust_pool(process, Server::Replica);
        }
    }

    /// Opens or closes connections until the pool has its size; those that are lent out are closed when they come back.
    fn adjust_pool(&mut self, process: usize, server: Server) {
        let size = self.amount(&self.document.world.machine.pool).max(1.0) as usize;
        self.pool_of(process, server).size = size;
        while self.pool_of(process, server).open < size {
            let session = match server {
                Server::Primary => self.database.connect(),
                Server::Replica => self.database.connect_to_replica(),
            };
            self.sessions.insert(session, Session::new(process, server));
            self.pool_of(process, server).open += 1;
            self.offer(process, server, session);
        }
        while self.pool_of(process, server).open > size {
            let Some(session) = self.pool_of(process, server).idle.pop_back() else { return };
            self.close(process, server, session);
        }
    }

    pub fn acquire(&mut self, call: CallId, process: usize, server: Server, timeout_us: Option<Micros>) {
        if server == Server::Replica && self.document.world.machine.replica_lag_ms.is_none() {
            let message = "this scenario has no replica: set `replica_lag_ms` in [machine] of scenario.toml";
            return self.answer(call, Answer::SqlError(SqlError::new("08001", message)));
        }
        if let Some(session) = self.pool_of(process, server).idle.pop_front() {
            return self.lend(session, call);
        }
        let open = &self.calls[&call];
        let (request, position) = (open.request, open.position);
        self.record(EventKind::ConnectionWaitBegan { call, position }, Some(request), None, None);
        self.pool_of(process, server).waiting.push_back(call);
        let timeout =
            timeout_us.unwrap_or_else(|| self.amount_us(&self.document.world.machine.pool_timeout_ms) as Micros);
        self.schedule(self.now + timeout, Step::PoolTimeout(call));
    }

    pub fn pool_timeout(&mut self, call: CallId) {
        let Some(open) = self.calls.get(&call).filter(|open| open.kind == OpenCallKind::Connection) else { return };
        let (process, request, waited_us) = (open.process, open.request, self.now - open.at);
        if self.leave_pool_queue(process, call) {
            self.record(EventKind::ConnectionRefused { call, waited_us }, Some(request), None, None);
            self.answer(call, Answer::PoolTimeout);
        }
    }

    /// Whether the call was waiting.
    pub fn leave_pool_queue(&mut self, process: usize, call: CallId) -> bool {
        let pools = [Server::Primary, Server::Replica].map(|server| {
            let waiting = &mut self.pool_of(process, server).waiting;
            let before = waiting.len();
            waiting.retain(|waiter| *waiter != call);
            waiting.len() < before
        });
        pools.contains(&true)
    }

    /// The handler is done with the connection. What it left running is ended, a transaction left open is rolled back.
    pub fn release(&mut self, session: SessionId) {
        let Some(state) = self.sessions.get_mut(&session) else { return };
        state.returning = true;
        if state.is_quiet() {
            self.return_when_clean(session);
        }
    }

    /// Called whenever a returning connection has nothing left to run.
    pub fn return_when_clean(&mut self, session: SessionId) {
        if self.database.in_transaction(session) {
            let rollback = Statement::new("ROLLBACK".into(), StatementKind::Rollback, vec![], Purpose::Cleanup);
            return self.statement_arrives(session, rollback);
        }
        let state = self.sessions.get_mut(&session).expect("a returning connection is open");
        state.returning = false;
        let request = state.request.take();
        let (process, server) = (state.process, state.server);
        self.record(EventKind::ConnectionReleased, request, Some(session), None);
        let pool = self.pool_of(process, server);
        if pool.open > pool.size {
            self.close(process, server, session);
        } else {
            self.offer(process, server, session);
        }
    }

    fn offer(&mut self, process: usize, server: Server, session: SessionId) {
        match self.pool_of(process, server).waiting.pop_front() {
            Some(call) => self.lend(session, call),
            None => self.pool_of(process, server).idle.push_back(session),
        }
    }

    fn lend(&mut self, session: SessionId, call: CallId) {
        let open = &self.calls[&call];
        let (request, position, waited_us) = (open.request, open.position, self.now - open.at);
        self.sessions.get_mut(&session).expect("a pooled connection is open").request = Some(request);
        self.record(EventKind::ConnectionAcquired { call, position, waited_us }, Some(request), Some(session), None);
        self.answer(call, Answer::Session(session));
    }

    fn close(&mut self, process: usize, server: Server, session: SessionId) {
        self.pool_of(process, server).open -= 1;
        self.disconnect(session);
    }

    fn pool_of(&mut self, process: usize, server: Server) -> &mut Pool {
        let process = &mut self.processes[process];
        match server {
            Server::Primary => &mut process.pool,
            Server::Replica => &mut process.replica_pool,
        }
    }
}
