//! INSERT, UPDATE and DELETE. Rows are found first, by the statement's snapshot; then each is locked, checked against its
//! newest version, and written. A wait leaves the work where it stands: what is done is not done again.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::sql::budget::row_bytes;
use crate::sql::catalog::Table;
use crate::sql::error::{Result, Stop};
use crate::sql::executor::epq::FoundRows;
use crate::sql::executor::foreign_keys::ForeignKeyTask;
use crate::sql::executor::{Context, Flow, FrameRow, FrameRows, LockedRow, row_key};
use crate::sql::outcome::EngineEvent;
use crate::sql::plan::{Assignment, InsertRows, LockPolicy, TARGET, TargetRows, WriteKind, WritePlan};
use crate::store::{Row, RowId};
use crate::trace::{LockStrength, SqlError, Value, Xid};

/// How far a writing statement is.
#[derive(Default)]
pub struct WriteProgress {
    pub found: Option<Vec<FrameRows>>,
    pub queried: Option<Vec<Row>>,
    /// What has ended the search for rows, or the query. It counts once the rows before it are written, as PostgreSQL, which writes
    /// each row when it comes, would tell first what is wrong with those.
    pub unfinished: Option<Stop>,
    /// The place of the row in work, of those found, queried or listed.
    pub next: usize,
    /// The values of the row being inserted: computed once, though its writing may have to wait.
    pub inserting: Option<Row>,
    pub writing: Option<RowWrite>,
    pub tasks: VecDeque<ForeignKeyTask>,
    pub affected: u64,
    pub returned: Vec<Vec<Value>>,
}

/// One row on its way into the table and its indexes.
pub struct RowWrite {
    pub table: Rc<Table>,
    pub id: Option<RowId>,
    pub old: Option<Row>,
    pub new: Option<Row>,
    pub written: bool,
    pub next_index: usize,
    pub replaced: Option<Xid>,
    /// The transaction itself had written the old row.
    pub own: bool,
}

impl RowWrite {
    pub fn insert(table: &Rc<Table>, new: Row) -> RowWrite {
        RowWrite::of(table, None, None, Some(new))
    }

    pub fn update(table: &Rc<Table>, id: RowId, old: Row, new: Row) -> RowWrite {
        RowWrite::of(table, Some(id), Some(old), Some(new))
    }

    pub fn delete(table: &Rc<Table>, id: RowId, old: Row) -> RowWrite {
        RowWrite::of(table, Some(id), Some(old), None)
    }

    fn of(table: &Rc<Table>, id: Option<RowId>, old: Option<Row>, new: Option<Row>) -> RowWrite {
        RowWrite { table: table.clone(), id, old, new, written: false, next_index: 0, replaced: None, own: false }
    }
}

/// What a written row takes beside its values: the version, its undoing, its entries in indexes, and the event that tells of it.
const WRITTEN: usize = 256;

/// Bytes of all versions of all rows: there is no other disk than memory.
const DISK_MOST: usize = 256 << 20;

impl Context<'_> {
    pub fn run_write(&mut self, write: &WritePlan, progress: &mut WriteProgress) -> Result<()> {
        self.run.writes = true;
        match &write.kind {
            WriteKind::Insert { rows, conflict } => self.run_insert(write, rows, conflict.as_ref(), progress)?,
            WriteKind::Update { found, set } => self.run_update(write, found, set, progress)?,
            WriteKind::Delete { found } => self.run_delete(write, found, progress)?,
        }
        if let Some(failure) = progress.unfinished.take() {
            return Err(failure);
        }
        self.run_foreign_key_tasks(progress)?;
        self.count_loop(write.stage.id);
        self.count_rows(write.stage.id, progress.returned.len());
        if let WriteKind::Insert { rows: InsertRows::Listed { rows, stage }, .. } = &write.kind {
            self.count_loop(stage.id);
            self.count_rows(stage.id, rows.len());
        }
        Ok(())
    }

    /// Finds all rows before the first is written, and keeps them.
    pub fn find_rows(&mut self, found: &TargetRows, slots: &[u16], progress: &mut WriteProgress) -> Result<()> {
        if progress.found.is_some() {
            return Ok(());
        }
        let mut rows: Vec<FrameRows> = Vec::new();
        // Held until the statement ends.
        let mut held = 0;
        let run = self.run_node(&found.node, &mut |context| {
            rows.push(context.keep_held(slots, &mut held)?);
            Ok(Flow::More)
        });
        progress.unfinished = later(run)?;
        progress.found = Some(rows);
        Ok(())
    }

    /// Locks the row in the target's slot, which was found as `kept`: `Gone` is one that does not fit any more, too.
    pub fn lock_found(
        &mut self,
        table: &Table,
        found: &TargetRows,
        kept: &FrameRows,
        strength: LockStrength,
    ) -> Result<LockedRow> {
        let locked = self.lock_row(table, TARGET, strength, LockPolicy::Wait)?;
        if locked == LockedRow::Changed {
            let before = FoundRows::from_iter([(TARGET, kept[0].clone())]);
            if !self.epq_recheck(&found.recheck, &before)? {
                return Ok(LockedRow::Gone);
            }
        }
        Ok(locked)
    }

    pub fn changed_row(&mut self, table: &Table, old: &Row, set: &[Assignment]) -> Result<Row> {
        let mut values: Vec<Value> = old.to_vec();
        for assignment in set {
            values[assignment.column] = self.evaluate(&assignment.value)?;
        }
        self.checked(table, values)
    }

    /// Writes the row in progress and enters it into the indexes.
    pub fn write_row(&mut self, progress: &mut WriteProgress) -> Result<RowId> {
        let writing = progress.writing.as_mut().expect("a row is being written");
        self.write_version(writing)?;
        self.enter_keys(writing)?;
        let done = progress.writing.take().expect("a row is being written");
        let id = done.id.expect("written above");
        self.run.rows_written += 1;
        self.tell_written(&done, id);
        self.queue_foreign_key_tasks(&done, id, &mut progress.tasks);
        Ok(id)
    }

    /// Once: a wait for a key does not write it again.
    fn write_version(&mut self, writing: &mut RowWrite) -> Result<()> {
        if writing.written {
            return Ok(());
        }
        let table = &writing.table;
        if self.engine.store.bytes() > DISK_MOST {
            let message = format!("could not extend relation \"{}\": No space left on device", table.name);
            let mut full = SqlError::new("53100", message);
            full.hint = Some(format!("A database may have {} MB here.", DISK_MOST >> 20));
            return Err(full.into());
        }
        self.run.budget.keep(WRITTEN + writing.new.as_ref().map_or(0, |row| row_bytes(row)))?;
        writing.written = true;
        let id = match writing.id {
            None => {
                let row = writing.new.clone().expect("an inserted row has values");
                self.engine.store.insert(self.session, table.id, row)
            }
            Some(id) => {
                let chain = self.engine.store.table(table.id).chain(id);
                writing.replaced = chain.newest_committed().map(|version| version.xid);
                writing.own = Some(chain.newest().xid) == self.engine.store.xid(self.session);
                self.engine.store.write(self.session, table.id, id, writing.new.clone());
                id
            }
        };
        writing.id = Some(id);
        self.run.snapshot.own = self.engine.store.xid(self.session);
        // Before its keys are looked at: a serialization failure comes before a unique violation.
        self.engine.store.note_write(self.session, table.id, id, writing.replaced, &[])?;
        Ok(())
    }

    fn tell_written(&mut self, done: &RowWrite, id: RowId) {
        let table = &done.table;
        let row = done.new.as_ref().or(done.old.as_ref()).expect("one of both").clone();
        if let (None, Some(xid)) = (table.temporary, self.engine.store.xid(self.session)) {
            self.run.events.push(EngineEvent::Written {
                xid,
                table: table.name.clone(),
                key: row_key(table, &FrameRow { row, id }),
                values: done.new.clone(),
                replaced: done.replaced.filter(|xid| xid.0 > self.engine.settled_xid.0),
            });
        }
    }
}

/// A failure that is told later: what cannot be computed, and no other.
pub fn later<T>(done: Result<T>) -> Result<Option<Stop>> {
    match done {
        Err(Stop::Failed(error)) if error.sqlstate.as_str().starts_with("22") => Ok(Some(Stop::Failed(error))),
        done => done.map(|_| None),
    }
}
