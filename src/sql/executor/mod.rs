//! Runs plans. Rows are pushed from the sources to whoever asked; a row in work stands in the statement's frame, one slot for
//! each source. Reading can be done again from the start with the same snapshot, and is when a row lock had to be waited for.

mod advisory;
mod constraints;
mod cte;
pub mod ddl;
mod delete;
pub mod engine;
mod epq;
mod foreign_keys;
mod frame;
mod group;
mod index_keys;
mod insert;
mod join;
mod late_output;
mod lock_rows;
mod node;
mod on_conflict;
mod query;
mod returning;
mod run;
mod scan;
mod select;
pub mod sequences;
mod series;
mod set_operation;
mod sort;
mod subquery;
mod system_env;
mod table_lock;
pub mod temporary;
mod update;
mod window;
pub mod write;

pub use lock_rows::LockedRow;
pub use run::{FrameRow, FrameRows, StatementRun, WaitTarget, row_key};

use smallvec::SmallVec;

use crate::sql::budget::Budget;
use crate::sql::catalog::Table;
use crate::sql::error::Result;
use crate::sql::executor::engine::Engine;
use crate::sql::expr::{self, EvalEnv, Expr, Subquery};
use crate::sql::functions::SystemEnv;
use crate::sql::settings::SessionSettings;
use crate::store::{AdvisoryKey, Key, KeyProbe, Mode, RowId};
use crate::trace::{Micros, Notice, SessionId, SqlError, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    More,
    Enough,
}

pub struct Context<'a> {
    pub engine: &'a mut Engine,
    pub session: SessionId,
    pub now: Micros,
    pub transaction_began: Micros,
    pub parameters: &'a [Value],
    pub run: StatementRun,
    pub pending_advisory: Option<(AdvisoryKey, Mode)>,
    pub read_only: bool,
    pub settings: &'a SessionSettings,
}

type Sink<'s> = &'s mut dyn FnMut(&mut Context) -> Result<Flow>;
pub type RowSink<'s> = &'s mut dyn FnMut(&mut Context, Vec<Value>) -> Result<Flow>;

const ROWS_AT_MOST: usize = 5_000_000;

impl EvalEnv for Context<'_> {
    fn row(&self, slot: u16) -> &[Value] {
        &self.run.frame[slot as usize].row
    }

    fn parameter(&self, number: usize) -> &Value {
        &self.parameters[number]
    }

    fn budget(&mut self) -> &mut Budget {
        &mut self.run.budget
    }

    fn subquery(&mut self, subquery: &Subquery) -> Result<Value> {
        self.evaluate_subquery(subquery)
    }

    fn system(&mut self) -> Option<&mut dyn SystemEnv> {
        Some(self)
    }
}

impl Context<'_> {
    pub fn evaluate(&mut self, expr: &Expr) -> Result<Value> {
        expr::eval(expr, self)
    }

    pub fn evaluate_all(&mut self, exprs: &[Expr]) -> Result<Vec<Value>> {
        expr::eval_all(exprs, self)
    }

    /// A condition: NULL counts as false.
    pub fn holds(&mut self, condition: &Expr) -> Result<bool> {
        expr::holds(condition, self)
    }

    fn work(&mut self) -> Result<()> {
        self.run.budget.work(1)
    }

    fn evaluate_key(&mut self, exprs: &[Expr]) -> Result<Key> {
        self.run.budget.work_on_values(exprs.len())?;
        let mut key = Key(SmallVec::new());
        for expr in exprs {
            key.0.push(self.evaluate(expr)?);
        }
        Ok(key)
    }

    /// The row of a unique key, as another statement's check finds it: not by the snapshot but by what is there.
    pub fn probe(&mut self, table: &Table, index: usize, key: &Key, own: Option<RowId>) -> KeyProbe {
        self.engine.store.probe_key(self.session, table.id, index, key, own)
    }

    pub fn notice(&mut self, severity: &str, sqlstate: &str, message: impl Into<String>) {
        let sqlstate = SqlError::new(sqlstate, "").sqlstate;
        self.run.notices.push(Notice { severity: severity.to_owned(), sqlstate, message: message.into() });
    }
}
