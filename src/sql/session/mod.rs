//! Sessions: transaction control, the statement in work, its waits and how they end.

pub mod guard;
pub mod prepared;

use std::rc::Rc;

use crate::sql::catalog::CatalogState;
use crate::sql::error::{Result, Stop, fail, refuse};
use crate::sql::executor::dml::{WriteKind, WriteProgress};
use crate::sql::executor::{Awaited, Context, StatementRun};
use crate::sql::parser::ast::{Statement, TransactionModes};
use crate::sql::session::prepared::{Plan, PlanKind, Prepared};
use crate::sql::settings::{SessionSettings, level_name};
use crate::sql::types::text;
use crate::sql::{Database, DeadlockCheck, Fact, Outcome, Progress, Timer, Wait, system};
use crate::store::{AdvisoryKey, Mode, Savepoint, Stamp, Tag};
use crate::trace::{Column, Isolation, Micros, Notice, QueryResult, SessionId, SqlError, SqlType, Sqlstate, Value};

#[derive(Default)]
pub struct Session {
    open: Option<Open>,
    /// In force now, SET LOCAL included.
    settings: SessionSettings,
    /// What a transaction's end goes back to.
    lasting: SessionSettings,
    job: Option<Job>,
    /// Why a wait ended otherwise than by its lock.
    interrupt: Option<SqlError>,
    /// Facts that came while the session slept.
    facts: Vec<Fact>,
    /// The server has ended the connection.
    ended: Option<SqlError>,
    /// What of the database's timers is this session's.
    timers: Vec<(Micros, Timer)>,
    /// The catalog as it was before the statement that changes it now.
    catalog_before: Option<CatalogState>,
}

struct Open {
    /// Ends with the query text.
    implicit: bool,
    failed: bool,
    began: Micros,
    isolation: Isolation,
    read_only: bool,
    deferrable: bool,
    /// A statement has run: the level is fixed.
    used: bool,
    savepoints: Vec<Saved>,
    /// Versions written and rows locked so far, as told.
    effects: u32,
    /// The catalog before and after each change of this transaction.
    catalogs: Vec<(CatalogState, CatalogState)>,
    lasting_before: SessionSettings,
}

#[derive(Clone)]
struct Saved {
    name: Rc<str>,
    at: Savepoint,
    /// Of its transaction, so far.
    effects: u32,
    catalogs: usize,
    settings: SessionSettings,
    lasting: SessionSettings,
    read_only: bool,
}

/// A query text in work.
struct Job {
    statements: Rc<[Prepared]>,
    at: usize,
    parameters: Rc<[Value]>,
    results: Vec<QueryResult>,
    began: Micros,
    active: Option<Active>,
    pinned: Option<Stamp>,
    waiting: Option<(Tag, Mode)>,
    counted: (u32, u32, u32),
}

/// A statement in work.
struct Active {
    run: Option<StatementRun>,
    plan: Option<Rc<Plan>>,
    progress: WriteProgress,
    began: Micros,
}

#[derive(Default)]
pub(super) struct Told {
    completed: Vec<QueryResult>,
    notices: Vec<Notice>,
    facts: Vec<Fact>,
    rows_read: u32,
    rows_scanned: u32,
    rows_written: u32,
}

impl Session {
    pub fn in_block(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.implicit)
    }
}

impl Database {
    pub(super) fn session(&self, session: SessionId) -> &Session {
        self.sessions[session.0 as usize].as_ref().expect("a connected session")
    }

    fn session_mut(&mut self, session: SessionId) -> &mut Session {
        self.sessions[session.0 as usize].as_mut().expect("a connected session")
    }

    /// Ends a session; its open transaction is rolled back.
    pub fn disconnect(&mut self, session: SessionId, _now: Micros) -> Vec<Fact> {
        let mut told = Told::default();
        self.drop_timers(session);
        self.engine.store.stop_waiting(session);
        self.end_statement(session);
        self.session_mut(session).job = None;
        if self.session(session).open.is_some() {
            self.roll_back(session, None, &mut told);
        }
        self.engine.unlock_advisory(session);
        self.engine.forget_temporary_tables(session);
        self.sessions[session.0 as usize] = None;
        told.facts
    }

    /// Runs one query text. Placeholders are `%s` or `$1`; with parameters there may be one statement only.
    pub fn execute(&mut self, session: SessionId, now: Micros, sql: &str, parameters: &[Value]) -> Outcome {
        self.guarded(session, |database| database.execute_text(session, now, sql, parameters))
    }

    fn execute_text(&mut self, session: SessionId, now: Micros, sql: &str, parameters: &[Value]) -> Outcome {
        let mut told = Told::default();
        if let Some(error) = self.session(session).ended.clone() {
            return outcome(told, Progress::Failed(error));
        }
        assert!(self.session(session).job.is_none(), "one query text at a time");
        self.drop_timers(session);
        let statements = match self.statements.get(sql, !parameters.is_empty()) {
            Ok(statements) if statements.len() > 1 && !parameters.is_empty() => {
                let message = "cannot insert multiple commands into a prepared statement";
                return self.fail_before(session, SqlError::new("42601", message), told);
            }
            Ok(statements) => statements,
            Err(Stop::Failed(error)) => return self.fail_before(session, *error, told),
            Err(Stop::Waits) => unreachable!("parsing does not wait"),
        };
        let job = Job {
            statements,
            at: 0,
            parameters: parameters.iter().map(prepared::taken).collect(),
            results: Vec::new(),
            began: now,
            active: None,
            pinned: None,
            waiting: None,
            counted: (0, 0, 0),
        };
        self.session_mut(session).job = Some(job);
        let progress = self.go_on(session, now, &mut told);
        outcome(told, progress)
    }

    /// A text that cannot be parsed fails the transaction it comes in.
    fn fail_before(&mut self, session: SessionId, error: SqlError, mut told: Told) -> Outcome {
        if self.session(session).open.as_ref().is_some_and(|open| open.failed) {
            return outcome(told, Progress::Failed(error));
        }
        self.fail_transaction(session, error.sqlstate, &mut told);
        outcome(told, Progress::Failed(error))
    }

    /// Takes a waiting statement up again. Only for sessions that `take_woken` named.
    pub fn resume(&mut self, session: SessionId, now: Micros) -> Outcome {
        self.guarded(session, |database| database.resume_text(session, now))
    }

    fn resume_text(&mut self, session: SessionId, now: Micros) -> Outcome {
        let mut told = Told::default();
        self.drop_timers(session);
        let state = self.session_mut(session);
        told.facts.append(&mut state.facts);
        let interrupt = state.interrupt.take();
        let job = state.job.as_mut().expect("a statement that waited");
        let granted = job.waiting.take();
        if let Some(run) = job.active.as_mut().and_then(|active| active.run.as_mut()) {
            run.restart();
        }
        if let Some(error) = interrupt {
            self.fail_job(session, error.sqlstate, &mut told);
            return outcome(told, Progress::Failed(error));
        }
        assert!(self.engine.store.waiting(session).is_none(), "only a woken session is resumed");
        if let Some((tag @ Tag::Table(_), mode)) = granted {
            self.engine.store.lock_granted(session, tag, mode);
        }
        self.session_mut(session).job.as_mut().expect("seen above").waiting = granted;
        let progress = self.go_on(session, now, &mut told);
        outcome(told, progress)
    }

    /// Sessions whose wait is over since the last call (granted, timed out, chosen as deadlock victim), in that order.
    pub fn take_woken(&mut self) -> Vec<SessionId> {
        let mut woken = self.engine.store.take_woken();
        let mut seen = std::collections::BTreeSet::new();
        woken.retain(|session| {
            seen.insert(*session) && self.sessions[session.0 as usize].as_ref().is_some_and(|s| s.job.is_some())
        });
        woken
    }

    /// When the next lock_timeout, statement_timeout, idle timeout or deadlock check is due.
    pub fn next_timer(&self) -> Option<Micros> {
        self.timers.first().map(|(at, _, _)| *at)
    }

    /// Fires what is due at `now`; sessions that fail by it are in `take_woken`.
    pub fn fire_timers(&mut self, now: Micros) {
        while let Some((at, session, timer)) = self.timers.first().copied() {
            if at > now {
                return;
            }
            self.timers.pop_first();
            self.session_mut(session).timers.retain(|known| *known != (at, timer));
            let waiting = self.engine.store.waiting(session).is_some();
            match timer {
                Timer::Deadlock if waiting => {
                    if let Some(cycle) = self.engine.store.check_deadlock(session) {
                        self.session_mut(session).facts.push(Fact::Deadlock { cycle: cycle.clone() });
                        self.interrupt(session, deadlock_error(&cycle));
                    }
                }
                Timer::Lock if waiting => {
                    self.interrupt(session, SqlError::new("55P03", "canceling statement due to lock timeout"));
                }
                Timer::Statement if waiting => {
                    self.interrupt(session, SqlError::new("57014", "canceling statement due to statement timeout"));
                }
                Timer::Idle => {
                    let mut told = Told::default();
                    self.roll_back(session, Some(Sqlstate::new("25P03")), &mut told);
                    self.engine.unlock_advisory(session);
                    self.engine.forget_temporary_tables(session);
                    let state = self.session_mut(session);
                    state.facts.append(&mut told.facts);
                    state.ended =
                        Some(SqlError::new("25P03", "terminating connection due to idle-in-transaction timeout"));
                }
                _ => {}
            }
        }
    }

    /// Ends the session's running statement with 57014, as a cancel request does. It is in `take_woken` if it was waiting.
    pub fn cancel(&mut self, session: SessionId) {
        if self.session(session).job.is_some() {
            self.interrupt(session, SqlError::new("57014", "canceling statement due to user request"));
        }
    }

    fn interrupt(&mut self, session: SessionId, error: SqlError) {
        let state = self.session_mut(session);
        if state.interrupt.is_none() {
            state.interrupt = Some(error);
            self.engine.store.interrupt_wait(session);
        }
    }

    fn set_timer(&mut self, session: SessionId, at: Micros, timer: Timer) {
        self.timers.insert((at, session, timer));
        self.session_mut(session).timers.push((at, timer));
    }

    fn drop_timers(&mut self, session: SessionId) {
        for (at, timer) in std::mem::take(&mut self.session_mut(session).timers) {
            self.timers.remove(&(at, session, timer));
        }
    }

    /// Runs the rest of the job, with the session's temporary tables in sight.
    fn go_on(&mut self, session: SessionId, now: Micros, told: &mut Told) -> Progress {
        self.engine.catalog.view = Some(session);
        let progress = self.run_statements(session, now, told);
        self.engine.catalog.view = None;
        progress
    }

    fn run_statements(&mut self, session: SessionId, now: Micros, told: &mut Told) -> Progress {
        loop {
            let job = self.session_mut(session).job.as_mut().expect("a job in work");
            if job.at >= job.statements.len() {
                break;
            }
            let statements = job.statements.clone();
            let prepared = &statements[job.at];
            match self.step(session, now, prepared, told) {
                Ok(result) => {
                    self.end_statement(session);
                    let job = self.session_mut(session).job.as_mut().expect("a job in work");
                    job.results.push(result);
                    job.at += 1;
                }
                Err(Stop::Waits) => return self.begin_wait(session, now, told),
                Err(Stop::Failed(error)) => {
                    self.fail_job(session, error.sqlstate, told);
                    return Progress::Failed(*error);
                }
            }
        }
        if self.session(session).open.as_ref().is_some_and(|open| open.implicit)
            && let Err(Stop::Failed(error)) = self.commit(session, told)
        {
            if let Some(job) = self.session_mut(session).job.take() {
                told.completed = job.results;
            }
            return Progress::Failed(*error);
        }
        let state = self.session_mut(session);
        let job = state.job.take().expect("a job in work");
        let idle = state.settings.idle_timeout_us;
        if state.open.is_some() && idle > 0 {
            self.set_timer(session, now + idle, Timer::Idle);
        }
        Progress::Done(job.results)
    }

    /// The statement stands in a line.
    fn begin_wait(&mut self, session: SessionId, now: Micros, told: &mut Told) -> Progress {
        let waiting = self.engine.store.waiting(session).expect("who waits stands in a line");
        let job = self.session_mut(session).job.as_mut().expect("a job in work");
        job.waiting = match waiting {
            crate::store::Waiting::Lock(tag, mode) => Some((tag, mode)),
            crate::store::Waiting::Transaction(_) | crate::store::Waiting::SafeSnapshot(_) => None,
        };
        let began = job.began;
        let run = job.active.as_ref().and_then(|active| active.run.as_ref()).expect("a statement in work");
        let on = run.waits_on.to_string();
        let row = match &run.waits_on {
            Awaited::Row { table, key, strength } => Some((table.clone(), key.clone(), *strength)),
            Awaited::Nothing | Awaited::Other(_) => None,
        };
        if job.pinned.is_none() {
            let stamp = run.snapshot.stamp;
            job.pinned = Some(stamp);
            self.engine.store.pin(stamp);
        }
        let holder = self.engine.store.blocker(session).unwrap_or(session);
        match self.deadlocks {
            DeadlockCheck::AtOnce => {
                if let Some(cycle) = self.engine.store.check_deadlock(session) {
                    self.engine.store.stop_waiting(session);
                    let error = deadlock_error(&cycle);
                    told.facts.push(Fact::Deadlock { cycle });
                    self.fail_job(session, error.sqlstate, told);
                    return Progress::Failed(error);
                }
            }
            DeadlockCheck::After(delay) => {
                self.set_timer(session, now + delay, Timer::Deadlock);
            }
        }
        let settings = &self.session(session).settings;
        let (lock, statement) = (settings.lock_timeout_us, settings.statement_timeout_us);
        if lock > 0 {
            self.set_timer(session, now + lock, Timer::Lock);
        }
        if statement > 0 {
            self.set_timer(session, (began + statement).max(now), Timer::Statement);
        }
        Progress::Wait(Wait { on, row, holder })
    }

    /// Lets go of what the statement needed only while it ran.
    fn end_statement(&mut self, session: SessionId) {
        self.engine.store.release_turn(session);
        let Some(job) = self.session_mut(session).job.as_mut() else { return };
        job.active = None;
        job.waiting = None;
        job.counted = (0, 0, 0);
        if let Some(stamp) = job.pinned.take() {
            self.engine.store.unpin(stamp);
        }
    }

    /// Ends the statement in work wherever it stands, as an error does.
    pub(super) fn abort(&mut self, session: SessionId, sqlstate: Sqlstate, told: &mut Told) {
        self.drop_timers(session);
        self.engine.store.stop_waiting(session);
        if let Some(before) = self.session_mut(session).catalog_before.take() {
            let after = self.engine.catalog.state(session);
            self.engine.catalog.take_back(session, before, &after);
        }
        self.fail_job(session, sqlstate, told);
    }

    /// Nothing is undone: there is no telling what state it is in.
    pub(super) fn end_for_good(&mut self, session: SessionId, why: SqlError) {
        *self.session_mut(session) = Session { ended: Some(why), ..Session::default() };
    }

    fn fail_job(&mut self, session: SessionId, sqlstate: Sqlstate, told: &mut Told) {
        self.end_statement(session);
        if let Some(job) = self.session_mut(session).job.take() {
            told.completed = job.results;
        }
        self.fail_transaction(session, sqlstate, told);
    }

    /// What an error does to the transaction it happens in.
    fn fail_transaction(&mut self, session: SessionId, sqlstate: Sqlstate, told: &mut Told) {
        let Some(open) = self.session_mut(session).open.as_mut() else { return };
        if open.implicit {
            self.roll_back(session, Some(sqlstate), told);
            return;
        }
        if open.failed {
            return;
        }
        open.failed = true;
        match open.savepoints.last().cloned() {
            Some(saved) => self.take_back(session, &saved, told),
            None => {
                self.restore_catalog(session, 0);
                let xid = self.engine.store.rollback(session);
                told.facts.push(Fact::RolledBack { xid, sqlstate: Some(sqlstate) });
            }
        }
    }

    fn take_back(&mut self, session: SessionId, to: &Saved, told: &mut Told) {
        self.restore_catalog(session, to.catalogs);
        self.engine.store.rollback_to(session, to.at);
        let xid = self.engine.store.xid(session);
        let open = self.session_mut(session).open.as_mut().expect("a savepoint is of an open transaction");
        let taken_back = open.effects > to.effects;
        open.effects = to.effects;
        if let (Some(xid), true) = (xid, taken_back) {
            told.facts.push(Fact::TakenBack { xid, kept: to.effects });
        }
    }

    /// Takes back all changes of this transaction but the first `kept`.
    fn restore_catalog(&mut self, session: SessionId, kept: usize) {
        let Some(open) = self.session_mut(session).open.as_mut() else { return };
        for (before, after) in open.catalogs.split_off(kept).into_iter().rev() {
            self.engine.catalog.take_back(session, before, &after);
        }
    }

    /// Ends the transaction without a trace.
    fn roll_back(&mut self, session: SessionId, sqlstate: Option<Sqlstate>, told: &mut Told) {
        if self.engine.store.is_open(session) {
            self.restore_catalog(session, 0);
            let xid = self.engine.store.rollback(session);
            let implicit = self.session(session).open.as_ref().is_some_and(|open| open.implicit);
            if !implicit || xid.is_some() {
                told.facts.push(Fact::RolledBack { xid, sqlstate });
            }
        }
        let state = self.session_mut(session);
        if let Some(open) = state.open.take() {
            state.lasting = open.lasting_before;
            state.settings = state.lasting.clone();
        }
    }

    fn commit(&mut self, session: SessionId, told: &mut Told) -> Result<()> {
        let implicit = self.session(session).open.as_ref().is_some_and(|open| open.implicit);
        self.engine.empty_temporary_tables(session);
        match self.engine.store.commit(session) {
            Ok(xid) => {
                self.engine.drop_temporary_tables(session);
                if !implicit || xid.is_some() {
                    told.facts.push(Fact::Committed { xid });
                }
                let state = self.session_mut(session);
                state.open = None;
                state.settings = state.lasting.clone();
                Ok(())
            }
            Err(failure) => {
                self.roll_back(session, Some(Sqlstate::new("40001")), told);
                Err(failure.into())
            }
        }
    }

    fn begin(&mut self, session: SessionId, now: Micros, implicit: bool, modes: TransactionModes, told: &mut Told) {
        let follows = self.engine.store.follows(session);
        let state = self.session_mut(session);
        let isolation = modes.isolation.unwrap_or(state.settings.isolation);
        let read_only = modes.read_only.unwrap_or(state.settings.read_only) || follows;
        state.open = Some(Open {
            implicit,
            failed: false,
            began: now,
            isolation,
            read_only,
            deferrable: modes.deferrable.unwrap_or(false),
            used: false,
            savepoints: Vec::new(),
            effects: 0,
            catalogs: Vec::new(),
            lasting_before: state.lasting.clone(),
        });
        self.engine.store.begin(session, isolation, read_only);
        self.engine.store.set_deferrable(session, modes.deferrable.unwrap_or(false));
        if !implicit {
            told.facts.push(Fact::TransactionBegan { isolation });
        }
    }

    // Statements

    fn step(&mut self, session: SessionId, now: Micros, prepared: &Prepared, told: &mut Told) -> Result<QueryResult> {
        let failed = self.session(session).open.as_ref().is_some_and(|open| open.failed);
        let ends = matches!(
            prepared.statement,
            Statement::Commit { .. } | Statement::Rollback { .. } | Statement::RollbackTo(_)
        );
        if failed && !ends {
            return fail("25P02", "current transaction is aborted, commands ignored until end of transaction block");
        }
        match &prepared.statement {
            Statement::Begin { tag, modes } => {
                if let Some(open) = self.session_mut(session).open.as_mut() {
                    if open.implicit {
                        open.implicit = false;
                        let isolation = open.isolation;
                        told.facts.push(Fact::TransactionBegan { isolation });
                    } else {
                        told.notices.push(warning("25001", "there is already a transaction in progress"));
                    }
                    self.set_modes(session, *modes)?;
                } else {
                    self.begin(session, now, false, *modes, told);
                }
                Ok(done(tag))
            }
            Statement::Commit { chain } => self.end_transaction(session, now, true, *chain, told),
            Statement::Rollback { chain } => self.end_transaction(session, now, false, *chain, told),
            Statement::Savepoint(name) => {
                self.in_block(session, "SAVEPOINT")?;
                let at = self.engine.store.savepoint(session);
                let state = self.session_mut(session);
                let open = state.open.as_mut().expect("checked above");
                open.savepoints.push(Saved {
                    name: name.clone(),
                    at,
                    effects: open.effects,
                    catalogs: open.catalogs.len(),
                    settings: state.settings.clone(),
                    lasting: state.lasting.clone(),
                    read_only: open.read_only,
                });
                Ok(done("SAVEPOINT"))
            }
            Statement::Release(name) => {
                self.in_block(session, "RELEASE SAVEPOINT")?;
                let place = self.find_savepoint(session, name)?;
                self.session_mut(session).open.as_mut().expect("checked above").savepoints.truncate(place);
                Ok(done("RELEASE"))
            }
            Statement::RollbackTo(name) => {
                self.in_block(session, "ROLLBACK TO SAVEPOINT")?;
                let place = self.find_savepoint(session, name)?;
                let open = self.session_mut(session).open.as_mut().expect("checked above");
                open.savepoints.truncate(place + 1);
                open.failed = false;
                let saved = open.savepoints[place].clone();
                open.read_only = saved.read_only;
                self.take_back(session, &saved, told);
                let state = self.session_mut(session);
                (state.settings, state.lasting) = (saved.settings, saved.lasting);
                Ok(done("ROLLBACK"))
            }
            Statement::SetTransaction(modes) => {
                if !self.is_in_some_block(session, now, told) {
                    told.notices.push(warning("25P01", "SET TRANSACTION can only be used in transaction blocks"));
                    return Ok(done("SET"));
                }
                self.set_modes(session, *modes)?;
                Ok(done("SET"))
            }
            Statement::SetSessionTransaction(modes) => {
                let state = self.session_mut(session);
                for settings in [&mut state.settings, &mut state.lasting] {
                    settings.isolation = modes.isolation.unwrap_or(settings.isolation);
                    settings.read_only = modes.read_only.unwrap_or(settings.read_only);
                }
                Ok(done("SET"))
            }
            Statement::Set { name, value, local } => {
                if *local && !self.is_in_some_block(session, now, told) {
                    told.notices.push(warning("25P01", "SET LOCAL can only be used in transaction blocks"));
                    return Ok(done("SET"));
                }
                self.set(session, name, value.as_deref(), *local)
            }
            Statement::Show(name) => self.show(session, name),
            Statement::Discard => {
                if self.session(session).open.as_ref().is_some_and(|open| !open.implicit) {
                    return fail("25001", "DISCARD ALL cannot run inside a transaction block");
                }
                self.engine.unlock_advisory(session);
                self.engine.forget_temporary_tables(session);
                let state = self.session_mut(session);
                state.lasting = SessionSettings::default();
                state.settings = SessionSettings::default();
                Ok(done("DISCARD ALL"))
            }
            Statement::Lock { tables, mode, nowait } => {
                if !self.is_in_some_block(session, now, told) {
                    self.in_block(session, "LOCK TABLE")?;
                }
                // It takes no snapshot: the isolation level may still be set after it.
                let used = self.session(session).open.as_ref().is_some_and(|open| open.used);
                let locked = self.within(session, now, told, |context, _| {
                    for name in tables {
                        let table = context.engine.catalog.existing(name)?.clone();
                        context.lock_table(&table, *mode, !nowait)?;
                    }
                    Ok(done("LOCK TABLE"))
                });
                self.session_mut(session).open.as_mut().expect("checked above").used = used;
                locked
            }
            Statement::Explain { analyze, costs, statement } => match &**statement {
                statement @ (Statement::Query(_)
                | Statement::Insert(_)
                | Statement::Update(_)
                | Statement::Delete(_)) => self.explain(session, now, prepared, statement, (*analyze, *costs), told),
                Statement::Refused(what) => refuse(what),
                _ => fail("42601", "EXPLAIN takes SELECT, INSERT, UPDATE or DELETE"),
            },
            Statement::Refused(what) => refuse(what),
            statement => self.run_sql(session, now, prepared, statement, told),
        }
    }

    /// A text of several statements is a block too, for what lasts to the end of a transaction.
    fn is_in_some_block(&mut self, session: SessionId, now: Micros, told: &mut Told) -> bool {
        let state = self.session(session);
        let several = state.job.as_ref().is_some_and(|job| job.statements.len() > 1);
        if state.open.is_none() && several {
            self.begin(session, now, true, TransactionModes::default(), told);
        }
        several || self.session(session).in_block()
    }

    fn in_block(&self, session: SessionId, what: &str) -> Result<()> {
        match &self.session(session).open {
            Some(open) if !open.implicit => Ok(()),
            _ => fail("25P01", format!("{what} can only be used in transaction blocks")),
        }
    }

    fn find_savepoint(&self, session: SessionId, name: &str) -> Result<usize> {
        let open = self.session(session).open.as_ref();
        match open.and_then(|open| open.savepoints.iter().rposition(|saved| &*saved.name == name)) {
            Some(place) => Ok(place),
            None => fail("3B001", format!("savepoint \"{name}\" does not exist")),
        }
    }

    fn end_transaction(
        &mut self,
        session: SessionId,
        now: Micros,
        commit: bool,
        chain: bool,
        told: &mut Told,
    ) -> Result<QueryResult> {
        let (explicit, failed, modes) = match &self.session(session).open {
            Some(open) => (
                !open.implicit,
                open.failed,
                TransactionModes {
                    isolation: Some(open.isolation),
                    read_only: Some(open.read_only),
                    deferrable: Some(open.deferrable),
                },
            ),
            None => (false, false, TransactionModes::default()),
        };
        if !explicit {
            if chain {
                let word = if commit { "COMMIT" } else { "ROLLBACK" };
                return fail("25P01", format!("{word} AND CHAIN can only be used in transaction blocks"));
            }
            told.notices.push(warning("25P01", "there is no transaction in progress"));
        }
        let commits = commit && !failed;
        if self.session(session).open.is_some() {
            if commits { self.commit(session, told)? } else { self.roll_back(session, None, told) }
        }
        if chain {
            self.begin(session, now, false, modes, told);
        }
        Ok(done(if commits { "COMMIT" } else { "ROLLBACK" }))
    }

    fn set_modes(&mut self, session: SessionId, modes: TransactionModes) -> Result<()> {
        if modes.read_only == Some(false) && self.engine.store.follows(session) {
            return fail("0A000", "cannot set transaction read-write mode during recovery");
        }
        let Some(open) = self.session_mut(session).open.as_mut() else { return Ok(()) };
        if let Some(isolation) = modes.isolation
            && isolation != open.isolation
        {
            if open.used {
                return fail("25001", "SET TRANSACTION ISOLATION LEVEL must be called before any query");
            }
            if !open.savepoints.is_empty() {
                return fail("25001", "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
            }
        }
        if modes.read_only == Some(false) && open.read_only && open.used {
            return fail("25001", "transaction read-write mode must be set before any query");
        }
        if modes.deferrable.is_some() && open.used {
            return fail("25001", "SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
        }
        if modes.deferrable.is_some() && !open.savepoints.is_empty() {
            return fail("25001", "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction");
        }
        open.isolation = modes.isolation.unwrap_or(open.isolation);
        open.read_only = modes.read_only.unwrap_or(open.read_only);
        open.deferrable = modes.deferrable.unwrap_or(open.deferrable);
        let (isolation, read_only, deferrable) = (open.isolation, open.read_only, open.deferrable);
        self.engine.store.set_isolation(session, isolation, read_only);
        self.engine.store.set_deferrable(session, deferrable);
        Ok(())
    }

    fn set(&mut self, session: SessionId, name: &str, value: Option<&str>, local: bool) -> Result<QueryResult> {
        let state = self.session_mut(session);
        state.settings.set(name, value)?;
        if !local {
            state.lasting.set(name, value)?;
        }
        Ok(done(if value.is_none() { "RESET" } else { "SET" }))
    }

    fn show(&self, session: SessionId, name: &str) -> Result<QueryResult> {
        let state = self.session(session);
        let open = state.open.as_ref();
        let value = match name {
            "transaction_isolation" => {
                level_name(open.map_or(state.settings.isolation, |open| open.isolation)).to_owned()
            }
            "transaction_read_only" => {
                if open.map_or(state.settings.read_only, |open| open.read_only) { "on" } else { "off" }.to_owned()
            }
            name => state.settings.show(name)?,
        };
        let column = Column { name: Rc::from(name), sql_type: SqlType::Text };
        Ok(QueryResult {
            tag: "SHOW".to_owned(),
            columns: Some(Rc::from([column])),
            rows: vec![vec![text(&value)]],
            row_count: Some(1),
        })
    }

    fn run_sql(
        &mut self,
        session: SessionId,
        now: Micros,
        prepared: &Prepared,
        statement: &Statement,
        told: &mut Told,
    ) -> Result<QueryResult> {
        if prepared.asks_system {
            let text = prepared.text.clone();
            return self.within(session, now, told, |context, _| system::answer(&text, &context.engine.catalog));
        }
        let searches_public = self.session(session).settings.searches_public();
        crate::sql::catalog::search_path::check(statement, &self.engine.catalog, searches_public)?;
        let planned = matches!(
            statement,
            Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_)
        );
        if !planned {
            return self.run_ddl(session, now, statement, told);
        }
        self.within(session, now, told, |context, active| {
            let plan = plan_for(context, active, prepared, statement)?;
            context.engine.store.check_doomed(context.session)?;
            run_plan(context, &plan, &mut active.progress)
        })
    }

    fn explain(
        &mut self,
        session: SessionId,
        now: Micros,
        prepared: &Prepared,
        statement: &Statement,
        (analyze, costs): (bool, bool),
        told: &mut Told,
    ) -> Result<QueryResult> {
        let lines = self.within(session, now, told, |context, active| {
            let plan = plan_for(context, active, prepared, statement)?;
            let mut given = 0;
            if analyze {
                context.run.counts.get_or_insert_default();
                let result = run_plan(context, &plan, &mut active.progress)?;
                given = result.rows.len() as u64;
            }
            let explained = crate::sql::explain::Explained {
                store: &context.engine.store,
                parts: &plan.parts,
                costs,
                counts: context.run.counts.as_ref(),
                given,
            };
            Ok(explained.lines(&plan))
        })?;
        let column = Column { name: Rc::from("QUERY PLAN"), sql_type: SqlType::Text };
        let rows: Vec<Vec<Value>> = lines.iter().map(|line| vec![text(line)]).collect();
        let count = rows.len() as u64;
        Ok(QueryResult { tag: "EXPLAIN".to_owned(), columns: Some(Rc::from([column])), rows, row_count: Some(count) })
    }

    fn run_ddl(
        &mut self,
        session: SessionId,
        now: Micros,
        statement: &Statement,
        told: &mut Told,
    ) -> Result<QueryResult> {
        if let Statement::CreateIndex(create) = statement
            && create.concurrently
            && self.is_in_some_block(session, now, told)
        {
            return fail("25001", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
        }
        let before = self.engine.catalog.state(session);
        self.session_mut(session).catalog_before = Some(before.clone());
        let result = self.within(session, now, told, |context, _| {
            let snapshot = context.engine.store.statement_snapshot(context.session);
            context.run.snapshot = snapshot;
            context.run_ddl(statement)
        });
        self.session_mut(session).catalog_before = None;
        let after = self.engine.catalog.state(session);
        match result {
            Ok(tag) => {
                let open = self.session_mut(session).open.as_mut().expect("a transaction around the statement");
                open.catalogs.push((before, after));
                Ok(done(&tag))
            }
            Err(stop) => {
                // What the statement has changed so far is not there, neither after an error nor while it waits.
                self.engine.catalog.take_back(session, before, &after);
                Err(stop)
            }
        }
    }

    /// Runs a part of a statement within its transaction and keeps its state, whether it ends or waits.
    fn within<T>(
        &mut self,
        session: SessionId,
        now: Micros,
        told: &mut Told,
        work: impl FnOnce(&mut Context, &mut Active) -> Result<T>,
    ) -> Result<T> {
        if self.session(session).open.is_none() {
            self.begin(session, now, true, TransactionModes::default(), told);
        }
        let follows = self.engine.store.follows(session);
        let state = self.session_mut(session);
        let open = state.open.as_mut().expect("begun above");
        if follows && open.isolation == Isolation::Serializable {
            return fail("0A000", "cannot use serializable mode in a hot standby");
        }
        open.used = true;
        let transaction_began = open.began;
        let read_only = open.read_only;
        let job = state.job.as_mut().expect("a job in work");
        let mut active = job.active.take().unwrap_or_else(|| Active {
            run: None,
            plan: None,
            progress: WriteProgress::default(),
            began: now,
        });
        let pending_advisory: Option<(AdvisoryKey, Mode)> = match job.waiting.take() {
            Some((Tag::Advisory(key), mode)) => Some((key, mode)),
            _ => None,
        };
        let parameters = job.parameters.clone();
        let run = active.run.take().unwrap_or_else(|| StatementRun::unplanned(active.began));
        let settings = &self.sessions[session.0 as usize].as_ref().expect("a connected session").settings;
        let mut context = Context {
            engine: &mut self.engine,
            session,
            now,
            transaction_began,
            parameters: &parameters,
            run,
            pending_advisory,
            read_only,
            settings,
        };
        let result = work(&mut context, &mut active);
        let mut run = context.run;
        let effects =
            run.facts.iter().filter(|fact| matches!(fact, Fact::Written { .. } | Fact::Locked { .. })).count();
        if let Some(open) = self.session_mut(session).open.as_mut() {
            open.effects += effects as u32;
        }
        told.facts.append(&mut run.facts);
        told.notices.append(&mut run.notices);
        let job = self.session_mut(session).job.as_mut().expect("a job in work");
        let (read, scanned, written) = job.counted;
        told.rows_read += run.rows_read.saturating_sub(read);
        told.rows_scanned += run.rows_scanned.saturating_sub(scanned);
        told.rows_written += run.rows_written.saturating_sub(written);
        job.counted = (run.rows_read.max(read), run.rows_scanned.max(scanned), run.rows_written.max(written));
        active.run = Some(run);
        job.active = Some(active);
        result
    }
}

/// The statement's plan, with its tables locked and its snapshot taken.
fn plan_for(
    context: &mut Context,
    active: &mut Active,
    prepared: &Prepared,
    statement: &Statement,
) -> Result<Rc<Plan>> {
    if let Some(plan) = &active.plan {
        return Ok(plan.clone());
    }
    // It stands before the first lock is waited for.
    if !context.engine.store.fix_snapshot(context.session) {
        context.run.waits_on = Awaited::Other("a safe snapshot".to_owned());
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
    active.plan = Some(plan.clone());
    Ok(plan)
}

fn run_plan(context: &mut Context, plan: &Plan, progress: &mut WriteProgress) -> Result<QueryResult> {
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

pub(super) fn outcome(told: Told, progress: Progress) -> Outcome {
    Outcome {
        progress,
        completed: told.completed,
        notices: told.notices,
        facts: told.facts,
        rows_read: told.rows_read,
        rows_scanned: told.rows_scanned,
        rows_written: told.rows_written,
    }
}

fn done(tag: &str) -> QueryResult {
    QueryResult { tag: tag.to_owned(), columns: None, rows: Vec::new(), row_count: None }
}

fn warning(sqlstate: &str, message: &str) -> Notice {
    Notice { severity: "WARNING".to_owned(), sqlstate: Sqlstate::new(sqlstate), message: message.to_owned() }
}

fn deadlock_error(cycle: &[SessionId]) -> SqlError {
    let mut error = SqlError::new("40P01", "deadlock detected");
    let lines: Vec<String> = cycle
        .iter()
        .zip(cycle.iter().cycle().skip(1))
        .map(|(waiter, holder)| format!("Process {} waits for process {}.", waiter.0 + 1, holder.0 + 1))
        .collect();
    error.detail = Some(lines.join("\n"));
    error.hint = Some("See server log for query details.".to_owned());
    error
}
