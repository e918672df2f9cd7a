//! Connection pools: each process has one, of fixed size, with a queue of those who wait for a connection.

use std::collections::VecDeque;

use super::database::{Purpose, Session, Statement};
use super::world::{OpenCallKind, Step, World};
use crate::trace::{Answer, CallId, EventKind, Micros, SessionId};

#[derive(Default)]
pub struct Pool {
    size: usize,
    /// Connections there are, lent out or not.
    open: usize,
    idle: VecDeque<SessionId>,
    waiting: VecDeque<CallId>,
}

impl World {
    /// Opens or closes connections until the pool has its size; those that are lent out are closed when they come back.
    pub fn adjust_pool(&mut self, process: usize) {
        let size = self.amount(&self.document.world.machine.pool).max(1.0) as usize;
        self.processes[process].pool.size = size;
        while self.processes[process].pool.open < size {
            let session = self.database.connect();
            self.sessions.insert(session, Session::new(process));
            self.processes[process].pool.open += 1;
            self.offer(process, session);
        }
        while self.processes[process].pool.open > size {
            let Some(session) = self.processes[process].pool.idle.pop_back() else { return };
            self.close(process, session);
        }
    }

    pub fn acquire(&mut self, call: CallId, process: usize, timeout_us: Option<Micros>) {
        if let Some(session) = self.processes[process].pool.idle.pop_front() {
            return self.lend(session, call);
        }
        let open = &self.calls[&call];
        let (request, position) = (open.request, open.position);
        self.record(EventKind::ConnectionWaitBegan { call, position }, Some(request), None, None);
        self.processes[process].pool.waiting.push_back(call);
        let timeout =
            timeout_us.unwrap_or_else(|| self.amount_us(&self.document.world.machine.pool_timeout_ms) as Micros);
        self.schedule(self.now + timeout, Step::PoolTimeout(call));
    }

    pub fn pool_timeout(&mut self, call: CallId) {
        let Some(open) = self.calls.get(&call).filter(|open| open.kind == OpenCallKind::Connection) else { return };
        let (process, request, waited_us) = (open.process, open.request, self.now - open.at);
        let waiting = &mut self.processes[process].pool.waiting;
        let before = waiting.len();
        waiting.retain(|waiter| *waiter != call);
        if waiting.len() < before {
            self.record(EventKind::ConnectionRefused { call, waited_us }, Some(request), None, None);
            self.answer(call, Answer::PoolTimeout);
        }
    }

    pub fn leave_pool_queue(&mut self, process: usize, call: CallId) {
        self.processes[process].pool.waiting.retain(|waiter| *waiter != call);
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
            let rollback = Statement::new("ROLLBACK".into(), vec![], Purpose::Cleanup);
            return self.statement_arrives(session, rollback);
        }
        let state = self.sessions.get_mut(&session).expect("a returning connection is open");
        state.returning = false;
        let request = state.request.take();
        let process = state.process;
        self.record(EventKind::ConnectionReleased, request, Some(session), None);
        let pool = &self.processes[process].pool;
        if pool.open > pool.size {
            self.close(process, session);
        } else {
            self.offer(process, session);
        }
    }

    fn offer(&mut self, process: usize, session: SessionId) {
        match self.processes[process].pool.waiting.pop_front() {
            Some(call) => self.lend(session, call),
            None => self.processes[process].pool.idle.push_back(session),
        }
    }

    fn lend(&mut self, session: SessionId, call: CallId) {
        let open = &self.calls[&call];
        let (request, position, waited_us) = (open.request, open.position, self.now - open.at);
        self.sessions.get_mut(&session).expect("a pooled connection is open").request = Some(request);
        self.record(EventKind::ConnectionAcquired { call, position, waited_us }, Some(request), Some(session), None);
        self.answer(call, Answer::Session(session));
    }

    fn close(&mut self, process: usize, session: SessionId) {
        self.processes[process].pool.open -= 1;
        self.disconnect(session);
    }
}
