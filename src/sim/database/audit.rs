//! The session that is no part of the load: it fills the tables, reads what the monitor asks and keeps the services' books, at once and
//! at no cost.

use std::rc::Rc;

use super::DatabaseServer;
use super::recording::tell_monitor;
use crate::services::LedgerEntry;
use crate::sim::kernel::Kernel;
use crate::sim::statement_log::{Sender, Sent};
use crate::sql::{EngineEvent, Outcome, Progress, Reads};
use crate::trace::{EventKind, Micros, QueryResult, RequestId, SqlError, Value};

impl DatabaseServer {
    /// Nothing of it is recorded.
    pub fn audit(&mut self, sql: &str, parameters: &[Value], now: Micros) -> Result<Vec<QueryResult>, SqlError> {
        self.audit_outcome(sql, parameters, now).0
    }

    /// The same, with what the engine tells of it.
    pub fn audit_outcome(
        &mut self,
        sql: &str,
        parameters: &[Value],
        now: Micros,
    ) -> (Result<Vec<QueryResult>, SqlError>, Outcome) {
        let mut outcome = self.engine.execute(self.auditor, now, sql, parameters);
        let progress = std::mem::replace(&mut outcome.progress, Progress::Done(vec![]));
        let result = match progress {
            Progress::Done(results) => Ok(results),
            Progress::Failed(error) => Err(error),
            Progress::Wait(wait) => {
                self.engine.cancel(self.auditor);
                self.engine.resume(self.auditor, now);
                Err(SqlError::new("55P03", format!("would have to wait for {}", wait.on)))
            }
        };
        (result, outcome)
    }

    /// Runs a text of the run's own, as part of its past.
    pub fn fill(&mut self, by: Sender, sql: &str, parameters: &[Value], now: Micros) -> Result<(), SqlError> {
        self.log(by, sql, parameters, now);
        self.audit(sql, parameters, now).map(|_| ())
    }

    /// Grows with each change of a definition.
    pub fn catalog_version(&self) -> u64 {
        self.engine.catalog_version()
    }

    /// Each table with its columns.
    pub fn tables(&self) -> Vec<(Rc<str>, Vec<Rc<str>>)> {
        let tables = self.engine.tables();
        tables.map(|(table, columns)| (table.clone(), columns.into_iter().map(Rc::from).collect())).collect()
    }

    /// Pairs of tables, of which the first has a foreign key to the second.
    pub fn references(&self) -> Vec<(String, String)> {
        self.engine.references().map(|(child, parent)| (child.to_string(), parent.to_string())).collect()
    }

    /// Which tables a query reads.
    pub fn reads(&mut self, sql: &str) -> Result<Reads, SqlError> {
        self.engine.reads(sql)
    }

    pub(super) fn write_books(&mut self, request: RequestId, entries: Vec<LedgerEntry>, kernel: &mut Kernel) {
        for LedgerEntry { sql, parameters } in entries {
            self.log(Sender::Service(request), sql, &parameters, kernel.now());
            let (written, outcome) = self.audit_outcome(sql, &parameters, kernel.now());
            if let Err(error) = written {
                kernel.limit_reached(&format!("a service's books could not be written: {}", error.message));
            }
            tell_monitor(&outcome.events, self.auditor, true, kernel);
            for event in outcome.events {
                // The service's own transaction is none of the run's: what it writes counts at once.
                if let EngineEvent::Written { table, key, values, .. } = event {
                    let row = kernel.row(&table, &key);
                    let kind = EventKind::VersionWritten { call: None, row, values, replaced: None };
                    kernel.record(kind, Some(request), Some(self.auditor), None);
                }
            }
        }
    }

    fn log(&mut self, by: Sender, sql: &str, parameters: &[Value], at: Micros) {
        if let Some(log) = &mut self.statement_log {
            log.push(Sent { at, session: self.auditor, by, sql: sql.into(), parameters: parameters.to_vec() });
        }
    }
}
