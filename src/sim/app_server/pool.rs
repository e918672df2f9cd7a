//! Connection pools: each process has one for each server, of fixed size, with a queue of those who wait for a connection.

use std::collections::VecDeque;

use super::AppServer;
use super::calls::OpenCallKind;
use crate::sim::kernel::Kernel;
use crate::sim::message::{AppMessage, DatabaseMessage};
use crate::trace::{Answer, CallId, EventKind, Micros, Server, SessionId, SqlError};

#[derive(Default)]
pub struct Pool {
    size: usize,
    /// Connections there are, lent out or not.
    open: usize,
    idle: VecDeque<SessionId>,
    waiting: VecDeque<CallId>,
}

impl AppServer {
    /// Those of all processes that serve requests.
    pub fn adjust_pools(&mut self, kernel: &mut Kernel) {
        for process in 0..self.servers {
            if self.processes[process].up {
                self.adjust_pools_of(process, kernel);
            }
        }
    }

    pub(super) fn adjust_pools_of(&mut self, process: usize, kernel: &mut Kernel) {
        self.adjust_pool(process, Server::Primary, kernel);
        if self.document.simulation.machine.replica_lag_ms.is_some() {
            self.adjust_pool(process, Server::Replica, kernel);
        }
    }

    /// Opens or closes connections until the pool has its size; those that are lent out are closed when they come back.
    fn adjust_pool(&mut self, process: usize, server: Server, kernel: &mut Kernel) {
        let size = kernel.amount(&self.document.simulation.machine.pool).max(1.0) as usize;
        let pool = self.pool_of(process, server);
        pool.size = size;
        while pool.open < size {
            pool.open += 1;
            kernel.post(DatabaseMessage::Connect { process, server });
        }
        let surplus = pool.idle.split_off(pool.idle.len() - pool.idle.len().min(pool.open - size));
        for session in surplus.into_iter().rev() {
            self.close(session, process, server, kernel);
        }
    }

    pub(super) fn acquire(
        &mut self,
        call: CallId,
        process: usize,
        server: Server,
        timeout_us: Option<Micros>,
        kernel: &mut Kernel,
    ) {
        let machine = &self.document.simulation.machine;
        if server == Server::Replica && machine.replica_lag_ms.is_none() {
            let message = "this scenario has no replica: set `replica_lag_ms` in [machine] of scenario.toml";
            return self.answer(call, Answer::SqlError(SqlError::new("08001", message)), kernel);
        }
        let timeout = timeout_us.unwrap_or_else(|| kernel.amount_us(&machine.pool_timeout_ms) as Micros);
        if let Some(session) = self.pool_of(process, server).idle.pop_front() {
            return self.lend(session, call, kernel);
        }
        let open = &self.calls[&call];
        let kind = EventKind::ConnectionWaitBegan { call, position: open.position };
        kernel.record(kind, Some(open.request), None, None);
        self.pool_of(process, server).waiting.push_back(call);
        kernel.schedule(kernel.now() + timeout, AppMessage::PoolTimeout(call));
    }

    pub(super) fn pool_timeout(&mut self, call: CallId, kernel: &mut Kernel) {
        let Some(open) = self.calls.get(&call).filter(|open| open.kind == OpenCallKind::Connection) else { return };
        let (process, request, waited_us) = (open.process, open.request, kernel.now() - open.at);
        if self.leave_pool_queue(process, call) {
            kernel.record(EventKind::ConnectionRefused { call, waited_us }, Some(request), None, None);
            self.answer(call, Answer::PoolTimeout, kernel);
        }
    }

    /// Whether the call was waiting.
    pub(super) fn leave_pool_queue(&mut self, process: usize, call: CallId) -> bool {
        let pools = [Server::Primary, Server::Replica].map(|server| {
            let waiting = &mut self.pool_of(process, server).waiting;
            let before = waiting.len();
            waiting.retain(|waiter| *waiter != call);
            waiting.len() < before
        });
        pools.contains(&true)
    }

    pub(super) fn connected(&mut self, process: usize, server: Server, session: SessionId, kernel: &mut Kernel) {
        self.connections.insert(session, (process, server));
        self.offer(process, server, session, kernel);
    }

    pub(super) fn connection_returned(&mut self, session: SessionId, kernel: &mut Kernel) {
        let Some(&(process, server)) = self.connections.get(&session) else { return };
        let pool = self.pool_of(process, server);
        if pool.open > pool.size {
            self.close(session, process, server, kernel);
        } else {
            self.offer(process, server, session, kernel);
        }
    }

    /// The process has died.
    pub(super) fn drop_connections(&mut self, process: usize, kernel: &mut Kernel) {
        self.connections.retain(|session, (of, _)| {
            if *of == process {
                kernel.post(DatabaseMessage::Disconnect(*session));
            }
            *of != process
        });
    }

    fn offer(&mut self, process: usize, server: Server, session: SessionId, kernel: &mut Kernel) {
        match self.pool_of(process, server).waiting.pop_front() {
            Some(call) => self.lend(session, call, kernel),
            None => self.pool_of(process, server).idle.push_back(session),
        }
    }

    fn lend(&mut self, session: SessionId, call: CallId, kernel: &mut Kernel) {
        let open = &self.calls[&call];
        let (request, position, waited_us) = (open.request, open.position, kernel.now() - open.at);
        kernel.post(DatabaseMessage::Lend { session, holder: request });
        let kind = EventKind::ConnectionAcquired { call, position, waited_us };
        kernel.record(kind, Some(request), Some(session), None);
        self.answer(call, Answer::Session(session), kernel);
    }

    fn close(&mut self, session: SessionId, process: usize, server: Server, kernel: &mut Kernel) {
        self.pool_of(process, server).open -= 1;
        self.connections.remove(&session);
        kernel.post(DatabaseMessage::Disconnect(session));
    }

    fn pool_of(&mut self, process: usize, server: Server) -> &mut Pool {
        let process = &mut self.processes[process];
        match server {
            Server::Primary => &mut process.pool,
            Server::Replica => &mut process.replica_pool,
        }
    }
}
