//! What a statement keeps from its start to its end.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::sql::budget::{self, Budget};
use crate::sql::catalog::Table;
use crate::sql::outcome::EngineEvent;
use crate::sql::plan::{NodeCounts, PlanParts, null_row};
use crate::sql::types;
use crate::store::{AdvisoryKey, CommitSeq, Key, Mode, Row, RowId, Snapshot, TableId};
use crate::trace::{LockStrength, Micros, Notice, Value};

/// The row that stands in a slot.
#[derive(Debug, Clone)]
pub struct FrameRow {
    pub row: Row,
    pub id: RowId,
}

/// Where each of some tables stood: mostly one.
pub type FrameRows = SmallVec<[FrameRow; 1]>;

/// What a statement keeps from its start to its end, over all its waits.
pub struct StatementRun {
    pub snapshot: Snapshot,
    pub frame: Vec<FrameRow>,
    pub parts: Rc<PlanParts>,
    pub(super) subqueries: Vec<Option<SubqueryResult>>,
    /// Common table expressions and what they gave.
    pub(super) ctes: Vec<Option<Rc<Vec<Row>>>>,
    pub rows_read: u32,
    pub rows_scanned: u32,
    pub rows_written: u32,
    /// It is an INSERT, UPDATE or DELETE.
    pub writes: bool,
    pub budget: Budget,
    pub events: Vec<EngineEvent>,
    pub notices: Vec<Notice>,
    pub(super) reads_told: usize,
    /// Reads told before the statement began again.
    pub(super) reads_skipped: usize,
    pub began_at: Micros,
    /// Advisory locks this statement took, in the order of its calls: taken once though the reading is repeated.
    pub(super) advisory: Vec<(AdvisoryKey, Mode)>,
    pub(super) advisory_at: usize,
    /// Rows that FOR UPDATE and its like locked, as they were then: what happens to them while the statement waits for the next one
    /// is not looked at.
    pub(super) locked: FxHashMap<(TableId, RowId), Row>,
    /// The row whose update a locking SELECT last waited for: PostgreSQL then goes on to the newer version, whatever becomes of it.
    pub(super) followed: Option<(TableId, RowId)>,
    /// For EXPLAIN ANALYZE.
    pub counts: Option<NodeCounts>,
    pub waits_on: WaitTarget,
}

/// What a statement waits for.
#[derive(Debug, Clone)]
pub enum WaitTarget {
    Nothing,
    Row { table: Rc<str>, key: Rc<str>, strength: LockStrength },
    Other(String),
}

impl std::fmt::Display for WaitTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WaitTarget::Nothing => Ok(()),
            WaitTarget::Row { table, key, .. } => write!(f, "row {key} of {table}"),
            WaitTarget::Other(words) => f.write_str(words),
        }
    }
}

pub(super) enum SubqueryResult {
    Value(Value),
    /// Values of a column, and whether NULL is among them.
    Set(FxHashSet<Key>, bool, bool),
    Rows(Rc<Vec<Value>>),
    Keys(FxHashSet<Key>),
}

thread_local! {
    /// Every statement begins with these.
    static NOTHING: (Rc<PlanParts>, Row) = (Rc::default(), null_row(0));
}

impl StatementRun {
    pub fn new(snapshot: Snapshot, parts: Rc<PlanParts>, began_at: Micros) -> StatementRun {
        let empty = NOTHING.with(|(_, row)| row.clone());
        StatementRun {
            snapshot,
            frame: vec![FrameRow { row: empty, id: RowId(u32::MAX) }; parts.widths.len()],
            parts,
            subqueries: Vec::new(),
            ctes: Vec::new(),
            rows_read: 0,
            rows_scanned: 0,
            rows_written: 0,
            writes: false,
            budget: Budget::default(),
            events: Vec::new(),
            notices: Vec::new(),
            reads_told: 0,
            reads_skipped: 0,
            began_at,
            advisory: Vec::new(),
            advisory_at: 0,
            locked: FxHashMap::default(),
            followed: None,
            counts: None,
            waits_on: WaitTarget::Nothing,
        }
    }

    /// Before the statement is planned.
    pub fn unplanned(began_at: Micros) -> StatementRun {
        let nothing = Snapshot { commit_seq: CommitSeq::FIRST, own: None, command: 0 };
        StatementRun::new(nothing, NOTHING.with(|(parts, _)| parts.clone()), began_at)
    }

    /// The same statement once its plan and snapshot are there.
    pub fn planned(&self, snapshot: Snapshot, parts: Rc<PlanParts>) -> StatementRun {
        StatementRun::new(snapshot, parts, self.began_at)
    }

    /// Before the statement's reading is done once more.
    pub fn restart(&mut self) {
        self.reads_skipped = self.reads_told;
        self.reads_told = 0;
        self.rows_read = 0;
        self.rows_scanned = 0;
        self.budget = Budget::default();
        self.advisory_at = 0;
        self.subqueries.clear();
        self.ctes.clear();
    }
}

/// Of a row that stands in the frame and is kept beside it.
pub fn frame_row_bytes(standing: &FrameRow) -> usize {
    size_of::<FrameRow>() + budget::shared_row_bytes(&standing.row)
}

/// The primary key as text, `7` or `7/3`; for a table without one the row's number.
pub fn row_key(table: &Table, standing: &FrameRow) -> Rc<str> {
    let columns = table.primary().and_then(crate::sql::catalog::Index::plain_columns);
    match columns.as_deref() {
        Some([column]) => Rc::from(types::print(&standing.row[*column])),
        Some(columns) => {
            let parts: Vec<String> = columns.iter().map(|column| types::print(&standing.row[*column])).collect();
            Rc::from(parts.join("/"))
        }
        None => Rc::from((standing.id.0 + 1).to_string()),
    }
}
