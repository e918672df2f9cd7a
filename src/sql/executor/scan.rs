//! Reads a table: whole, or by an index.

use crate::sql::error::Result;
use crate::sql::expr::Expr;
use crate::sql::outcome::{EngineEvent, READS_TOLD};
use crate::sql::plan::{Access, KeyList, Scan};
use crate::store::{Bounds, IndexEntry, Predicate, RowId, TableId, compare, elements};
use crate::trace::Value;

use super::run::row_key;
use super::{Context, Flow, FrameRow, Sink};

impl Context<'_> {
    pub(super) fn run_scan(&mut self, scan: &Scan, sink: Sink) -> Result<Flow> {
        let table = scan.table.id;
        match &scan.access {
            Access::Whole => {
                self.note_search(table, || Predicate::Table);
                let mut row = 0;
                while row < self.engine.store.table(table).row_end() {
                    if self.visit(scan, RowId(row), None, true)? && sink(self)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                    row += 1;
                }
                Ok(Flow::More)
            }
            Access::Index { number, equal, low, high, backward } => {
                let Some(bounds) = self.bounds(equal, low.as_ref(), high.as_ref())? else { return Ok(Flow::More) };
                self.read_index(scan, *number, bounds, *backward, sink)
            }
            Access::Keys { number, equal, keys } => {
                let mut held = 0;
                let mut values = match keys {
                    KeyList::Listed(exprs) => self.evaluate_all(exprs)?,
                    KeyList::Rows(subquery) => {
                        let parts = self.run.parts.clone();
                        let (values, bytes) = self.column(&parts.subqueries[subquery.number].query)?;
                        held = bytes;
                        values
                    }
                    KeyList::Array(array) => match self.evaluate(array)? {
                        Value::Array(array) => elements(&array).into_iter().cloned().collect(),
                        _ => return Ok(Flow::More),
                    },
                };
                values.retain(|value| *value != Value::Null);
                values.sort_by(compare);
                values.dedup_by(|a, b| compare(a, b).is_eq());
                self.run.budget.release(held);
                let Some(bounds) = self.bounds(equal, None, None)? else { return Ok(Flow::More) };
                for value in values {
                    let mut bounds = bounds.clone();
                    bounds.equal.push(value);
                    if self.read_index(scan, *number, bounds, false, sink)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
                Ok(Flow::More)
            }
        }
    }

    /// `None` where a bound is NULL: nothing equals or exceeds it.
    pub(super) fn bounds(
        &mut self,
        equal: &[Expr],
        low: Option<&(Expr, bool)>,
        high: Option<&(Expr, bool)>,
    ) -> Result<Option<Bounds>> {
        let mut bounds = Bounds::default();
        for expr in equal {
            bounds.equal.push(self.evaluate(expr)?);
        }
        if bounds.equal.contains(&Value::Null) {
            return Ok(None);
        }
        for (side, into) in [(low, &mut bounds.low), (high, &mut bounds.high)] {
            if let Some((expr, included)) = side {
                let value = self.evaluate(expr)?;
                if value == Value::Null {
                    return Ok(None);
                }
                *into = Some((value, *included));
            }
        }
        Ok(Some(bounds))
    }

    pub(super) fn read_index(
        &mut self,
        scan: &Scan,
        number: usize,
        bounds: Bounds,
        backward: bool,
        sink: Sink,
    ) -> Result<Flow> {
        let table = scan.table.id;
        let columns = self.engine.store.index(table, number).columns();
        self.note_search(table, || Predicate::Range { index: number, bounds: bounds.clone(), columns });
        let mut entries: Vec<IndexEntry> = Vec::new();
        let mut batch = 16;
        let mut after: Option<IndexEntry> = None;
        loop {
            entries.clear();
            self.engine.store.index(table, number).read(&bounds, backward, after.as_ref(), batch, &mut entries);
            let last_batch = entries.len() < batch;
            for entry in &entries {
                if self.visit(scan, entry.row, Some((number, entry)), false)? && sink(self)? == Flow::Enough {
                    return Ok(Flow::Enough);
                }
            }
            if last_batch {
                return Ok(Flow::More);
            }
            after = entries.pop();
            batch = (batch * 8).min(1024);
        }
    }

    /// Puts the visible version of a row into its slot; false if there is none or the filter rejects it.
    pub(super) fn visit(
        &mut self,
        scan: &Scan,
        id: RowId,
        entry: Option<(usize, &IndexEntry)>,
        whole: bool,
    ) -> Result<bool> {
        self.work()?;
        let store = &self.engine.store;
        let table = scan.table.id;
        let Some(version) = store.table(table).chain(id).visible(&self.run.snapshot) else {
            self.note_read(table, id)?;
            return Ok(false);
        };
        self.run.rows_read += 1;
        self.run.rows_scanned += u32::from(whole);
        let Some(row) = &version.row else { return Ok(false) };
        if let Some((number, entry)) = entry
            && !store.index(table, number).leads_to(entry, row)
        {
            return Ok(false);
        }
        let row = row.clone();
        let writer = version.xid;
        self.note_read(table, id)?;
        self.run.frame[scan.slot as usize] = FrameRow { row, id };
        if let Some(filter) = &scan.filter
            && !self.holds(filter)?
        {
            return Ok(false);
        }
        if self.run.reads_told < READS_TOLD {
            self.run.reads_told += 1;
            let tells = self.engine.tells_reads && scan.table.temporary.is_none();
            if self.run.reads_told > self.run.reads_skipped && tells {
                let key = row_key(&scan.table, &self.run.frame[scan.slot as usize]);
                let writer = (writer.0 > self.engine.settled_xid.0).then_some(writer);
                let values = self.run.frame[scan.slot as usize].row.clone();
                self.run.events.push(EngineEvent::Read { table: scan.table.name.clone(), key, writer, values });
            }
        }
        Ok(true)
    }

    pub(super) fn note_read(&mut self, table: TableId, row: RowId) -> Result<()> {
        if self.engine.store.is_serializable(self.session) {
            let snapshot = self.run.snapshot;
            self.engine.store.note_read(self.session, table, row, &snapshot)?;
        }
        Ok(())
    }

    pub(super) fn note_search(&mut self, table: TableId, predicate: impl FnOnce() -> Predicate) {
        if self.engine.store.is_serializable(self.session) {
            self.engine.store.note_search(self.session, table, predicate());
        }
    }
}
