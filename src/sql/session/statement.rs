//! What each statement of a text does: those about the session themselves, SQL by way of plan and executor.

use std::rc::Rc;

use crate::sql::catalog::{CatalogState, search_path};
use crate::sql::error::{Result, Stop, fail, refuse};
use crate::sql::executor::write::WriteProgress;
use crate::sql::executor::{Context, StatementRun, WaitTarget};
use crate::sql::outcome::EngineEvent;
use crate::sql::parser::ast;
use crate::sql::plan::{PlanKind, WriteKind};
use crate::sql::types::text;
use crate::sql::{explain, system};
use crate::store::{CommitSeq, Mode, Tag};
use crate::trace::{Isolation, Micros, QueryResult, ResultColumn, SqlType, Value};

use super::prepared::{self, Prepared, StatementPlan, Statements};
use super::{RunningSession, done};

/// A query text in work.
pub struct QueryInProgress {
    pub statements: Rc<[Prepared]>,
    pub parameters: Rc<[Value]>,
    pub began: Micros,
    /// Which of its statements is in work.
    pub at: usize,
    pub current: StatementInProgress,
    /// Of the statements before.
    pub results: Vec<QueryResult>,
}

/// What a statement keeps while it waits.
#[derive(Default)]
pub struct StatementInProgress {
    pub run: Option<StatementRun>,
    pub plan: Option<Rc<StatementPlan>>,
    pub progress: WriteProgress,
    pub pinned: Option<CommitSeq>,
    pub waiting: Option<(Tag, Mode)>,
    /// Rows read, scanned and written, as told so far.
    pub counted: (u32, u32, u32),
    /// The catalog as it was before this statement, which changes it now.
    pub catalog_before: Option<CatalogState>,
}

thread_local! {
    /// What a text begins with that is not read yet.
    static UNREAD: (Rc<[Prepared]>, Rc<[Value]>) = (Rc::from([]), Rc::from([]));
}

impl QueryInProgress {
    /// A text that is not read yet.
    pub fn begin(now: Micros) -> QueryInProgress {
        let (statements, parameters) = UNREAD.with(Clone::clone);
        QueryInProgress {
            statements,
            parameters,
            began: now,
            at: 0,
            current: StatementInProgress::default(),
            results: Vec::new(),
        }
    }

    pub fn read(&mut self, known: &mut Statements, sql: &str, parameters: &[Value]) -> Result<()> {
        self.statements = known.get(sql, !parameters.is_empty())?;
        if self.has_several() && !parameters.is_empty() {
            return fail("42601", "cannot insert multiple commands into a prepared statement");
        }
        if !parameters.is_empty() {
            self.parameters = parameters.iter().map(prepared::taken).collect();
        }
        Ok(())
    }

    pub fn has_several(&self) -> bool {
        self.statements.len() > 1
    }
}

impl RunningSession<'_> {
    pub fn run_statement(&mut self, query: &mut QueryInProgress, prepared: &Prepared) -> Result<QueryResult> {
        self.expect_unfailed(&prepared.statement)?;
        match &prepared.statement {
            ast::Statement::Begin { tag, modes } => self.begin_block(tag, *modes),
            ast::Statement::Commit { chain } => self.end_block(true, *chain),
            ast::Statement::Rollback { chain } => self.end_block(false, *chain),
            ast::Statement::Savepoint(name) => self.set_savepoint(name),
            ast::Statement::Release(name) => self.release_savepoint(name),
            ast::Statement::RollbackTo(name) => self.roll_back_to_savepoint(name),
            ast::Statement::SetTransaction(modes) => self.set_transaction(query, *modes),
            ast::Statement::SetSessionTransaction(modes) => Ok(self.set_session_transaction(*modes)),
            ast::Statement::Set { name, value, local } => self.set(query, name, value.as_deref(), *local),
            ast::Statement::Reset(name) => {
                self.set(query, name, None, false)?;
                Ok(done("RESET"))
            }
            ast::Statement::Show(name) => self.show(name),
            ast::Statement::Discard => self.discard_all(),
            ast::Statement::DiscardSequences => Ok(self.discard_sequences()),
            ast::Statement::Lock { tables, mode, nowait } => self.lock_tables(query, tables, *mode, !nowait),
            ast::Statement::Explain { analyze, costs, statement } => match &**statement {
                planned if is_planned(planned) => self.explain(query, prepared, planned, (*analyze, *costs)),
                ast::Statement::Refused(what) => refuse(what),
                _ => fail("42601", "EXPLAIN takes SELECT, INSERT, UPDATE or DELETE"),
            },
            ast::Statement::Refused(what) => refuse(what),
            statement => self.run_sql(query, prepared, statement),
        }
    }

    fn lock_tables(
        &mut self,
        query: &mut QueryInProgress,
        tables: &[Rc<str>],
        mode: Mode,
        may_wait: bool,
    ) -> Result<QueryResult> {
        if !self.is_in_some_block(query) {
            self.session.expect_block("LOCK TABLE")?;
        }
        let used = self.session.transaction.as_ref().is_some_and(|transaction| transaction.used);
        let locked = self.within_transaction(query, |context, _| {
            for name in tables {
                let table = context.engine.catalog.existing(name)?.clone();
                context.lock_table(&table, mode, may_wait)?;
            }
            Ok(done("LOCK TABLE"))
        });
        // It takes no snapshot: the isolation level may still be set after it.
        if let Some(transaction) = &mut self.session.transaction {
            transaction.used = used;
        }
        locked
    }

    fn run_sql(
        &mut self,
        query: &mut QueryInProgress,
        prepared: &Prepared,
        statement: &ast::Statement,
    ) -> Result<QueryResult> {
        if prepared.asks_system {
            return self
                .within_transaction(query, |context, _| system::answer(&prepared.text, &context.engine.catalog));
        }
        search_path::check(statement, &self.engine.catalog, self.session.settings.searches_public())?;
        if !is_planned(statement) {
            return self.run_ddl(query, statement);
        }
        self.within_transaction(query, |context, current| {
            let plan = plan_for(context, current, prepared, statement)?;
            context.engine.store.check_doomed(context.session)?;
            run_plan(context, &plan, &mut current.progress)
        })
    }

    fn explain(
        &mut self,
        query: &mut QueryInProgress,
        prepared: &Prepared,
        statement: &ast::Statement,
        (analyze, costs): (bool, bool),
    ) -> Result<QueryResult> {
        let lines = self.within_transaction(query, |context, current| {
            let plan = plan_for(context, current, prepared, statement)?;
            if analyze {
                context.run.counts.get_or_insert_default();
                run_plan(context, &plan, &mut current.progress)?;
            }
            Ok(explain::lines(&plan.kind, &plan.parts, costs, context.run.counts.as_ref()))
        })?;
        let column = ResultColumn { name: Rc::from("QUERY PLAN"), sql_type: SqlType::Text };
        let rows: Vec<Vec<Value>> = lines.iter().map(|line| vec![text(line)]).collect();
        let count = rows.len() as u64;
        Ok(QueryResult { tag: "EXPLAIN".to_owned(), columns: Some(Rc::from([column])), rows, row_count: Some(count) })
    }

    fn run_ddl(&mut self, query: &mut QueryInProgress, statement: &ast::Statement) -> Result<QueryResult> {
        if let ast::Statement::CreateIndex(create) = statement
            && create.concurrently
            && self.is_in_some_block(query)
        {
            return fail("25001", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
        }
        let before = self.engine.catalog.state(self.id);
        query.current.catalog_before = Some(before.clone());
        let result = self.within_transaction(query, |context, _| {
            context.run.snapshot = context.engine.store.statement_snapshot(context.session);
            context.run_ddl(statement)
        });
        query.current.catalog_before = None;
        let after = self.engine.catalog.state(self.id);
        match result {
            Ok(tag) => {
                self.transaction().catalogs.push((before, after));
                Ok(done(&tag))
            }
            Err(stop) => {
                // What the statement has changed so far is not there, neither after an error nor while it waits.
                self.engine.catalog.take_back(self.id, before, &after);
                Err(stop)
            }
        }
    }

    /// Runs a part of a statement within its transaction and keeps its state, whether it ends or waits.
    fn within_transaction<T>(
        &mut self,
        query: &mut QueryInProgress,
        work: impl FnOnce(&mut Context, &mut StatementInProgress) -> Result<T>,
    ) -> Result<T> {
        let is_replica = self.engine.store.is_on_replica(self.id);
        let transaction = self.transaction();
        if is_replica && transaction.isolation == Isolation::Serializable {
            return fail("0A000", "cannot use serializable mode in a hot standby");
        }
        transaction.used = true;
        let (transaction_began, read_only) = (transaction.began, transaction.read_only);
        let current = &mut query.current;
        let pending_advisory = match current.waiting.take() {
            Some((Tag::Advisory(key), mode)) => Some((key, mode)),
            _ => None,
        };
        let mut context = Context {
            engine: self.engine,
            session: self.id,
            now: self.now,
            transaction_began,
            parameters: &query.parameters,
            run: current.run.take().unwrap_or_else(|| StatementRun::unplanned(self.now)),
            pending_advisory,
            read_only,
            settings: &self.session.settings,
        };
        let result = work(&mut context, current);
        let run = context.run;
        self.tell(current, run);
        result
    }

    /// What the statement has done since it was last asked.
    fn tell(&mut self, current: &mut StatementInProgress, mut run: StatementRun) {
        let effects = run
            .events
            .iter()
            .filter(|event| matches!(event, EngineEvent::Written { .. } | EngineEvent::Locked { .. }))
            .count();
        self.transaction().effects += effects as u32;
        self.output.events.append(&mut run.events);
        self.output.notices.append(&mut run.notices);
        let (read, scanned, written) = current.counted;
        self.output.rows_read += run.rows_read.saturating_sub(read);
        self.output.rows_scanned += run.rows_scanned.saturating_sub(scanned);
        self.output.rows_written += run.rows_written.saturating_sub(written);
        current.counted = (run.rows_read.max(read), run.rows_scanned.max(scanned), run.rows_written.max(written));
        current.run = Some(run);
    }
}

fn is_planned(statement: &ast::Statement) -> bool {
    matches!(
        statement,
        ast::Statement::Query(_) | ast::Statement::Insert(_) | ast::Statement::Update(_) | ast::Statement::Delete(_)
    )
}

/// The statement's plan, with its tables locked and its snapshot taken.
fn plan_for(
    context: &mut Context,
    current: &mut StatementInProgress,
    prepared: &Prepared,
    statement: &ast::Statement,
) -> Result<Rc<StatementPlan>> {
    if let Some(plan) = &current.plan {
        return Ok(plan.clone());
    }
    // It stands before the first lock is waited for.
    if !context.engine.store.fix_snapshot(context.session) {
        context.run.waits_on = WaitTarget::Other("a safe snapshot".to_owned());
        return Err(Stop::Waits);
    }
    let plan = loop {
        let plan = prepared.plan(statement, &context.engine.catalog, &context.engine.store, context.parameters)?;
        let versions = context.engine.catalog.versions();
        for (table, mode) in &plan.tables {
            context.lock_table(table, *mode, true)?;
        }
        if context.engine.catalog.versions() == versions {
            break plan;
        }
    };
    let snapshot = context.engine.store.statement_snapshot(context.session);
    context.run = context.run.planned(snapshot, plan.parts.clone());
    current.plan = Some(plan.clone());
    Ok(plan)
}

fn run_plan(context: &mut Context, plan: &StatementPlan, progress: &mut WriteProgress) -> Result<QueryResult> {
    match &plan.kind {
        PlanKind::Query(query) => {
            if context.read_only && query.locks.iter().any(|target| target.table.temporary.is_none()) {
                return fail("25006", "cannot execute SELECT FOR UPDATE in a read-only transaction");
            }
            let rows = context.query(query)?;
            let count = rows.len() as u64;
            Ok(QueryResult {
                tag: format!("SELECT {count}"),
                columns: plan.columns.clone(),
                rows,
                row_count: Some(count),
            })
        }
        PlanKind::Write(write) => {
            let verb = match write.kind {
                WriteKind::Insert { .. } => "INSERT",
                WriteKind::Update { .. } => "UPDATE",
                WriteKind::Delete { .. } => "DELETE",
            };
            if context.read_only && write.table.temporary.is_none() {
                return fail("25006", format!("cannot execute {verb} in a read-only transaction"));
            }
            context.run_write(write, progress)?;
            let count = progress.affected;
            let tag = if verb == "INSERT" { format!("INSERT 0 {count}") } else { format!("{verb} {count}") };
            Ok(QueryResult {
                tag,
                columns: plan.columns.clone(),
                rows: std::mem::take(&mut progress.returned),
                row_count: Some(count),
            })
        }
    }
}
