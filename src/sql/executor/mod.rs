//! Runs plans. Rows are pushed from the sources to whoever asked; a row in work stands in the statement's frame, one slot for
//! each source. Reading can be done again from the start with the same snapshot, and is when a row lock had to be waited for.

pub mod ddl;
pub mod dml;
pub mod engine;
pub mod epq;
pub mod late_output;
pub mod sequences;
pub mod temporary;

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::sql::budget::{self, Budget, printed_bytes, row_bytes};
use crate::sql::catalog::Table;
use crate::sql::error::{Result, Stop, fail};
use crate::sql::executor::engine::Engine;
use crate::sql::executor::epq::FoundRows;
use crate::sql::expr::{self, EvalEnv};
use crate::sql::functions::Builtin;
use crate::sql::functions::aggregate::State;
use crate::sql::plan::{
    Access, Body, Distinct, Expr, Group, HashedKeys, Join, JoinKind, JoinMethod, KeyList, LockPolicy, LockTarget, Node,
    PlanParts, Query, Scan, Select, SetOperation, SlotSet, SortBy, SortKey, Subquery, SubqueryKind, SubqueryPlan,
    Window, WindowCall, WindowFunction, null_row,
};
use crate::sql::settings::{SessionSettings, level_name};
use crate::sql::types::interval::Span;
use crate::sql::{Fact, READS_TOLD, types};
use crate::store::{
    AdvisoryKey, Bounds, Entry, Key, KeyProbe, Mode, Predicate, Row, RowId, RowLock, Snapshot, Stamp, TableId, compare,
    elements,
};
use crate::trace::{Isolation, LockStrength, Micros, Notice, SessionId, SqlError, Value};

/// The row that stands in a slot.
#[derive(Debug, Clone)]
pub struct Standing {
    pub row: Row,
    pub id: RowId,
}

/// Where each of some tables stood: mostly one.
pub type Standings = SmallVec<[Standing; 1]>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    More,
    Enough,
}

/// What a statement keeps from its start to its end, over all its waits.
pub struct StatementRun {
    pub snapshot: Snapshot,
    pub frame: Vec<Standing>,
    pub parts: Rc<PlanParts>,
    subqueries: Vec<Option<Kept>>,
    /// Common table expressions and what they gave.
    common: Vec<Option<Rc<Vec<Row>>>>,
    pub rows_read: u32,
    pub rows_scanned: u32,
    pub rows_written: u32,
    /// It is an INSERT, UPDATE or DELETE.
    pub writes: bool,
    pub budget: Budget,
    pub facts: Vec<Fact>,
    pub notices: Vec<Notice>,
    reads_told: usize,
    /// Reads told before the statement began again.
    reads_skipped: usize,
    pub began_at: Micros,
    /// Advisory locks this statement took, in the order of its calls: taken once though the reading is repeated.
    advisory: Vec<(AdvisoryKey, Mode)>,
    advisory_at: usize,
    /// Rows that FOR UPDATE and its like locked, as they were then: what happens to them while the statement waits for the next one
    /// is not looked at.
    locked: FxHashMap<(TableId, RowId), Row>,
    /// The row whose update a locking SELECT last waited for: PostgreSQL then goes on to the newer version, whatever becomes of it.
    followed: Option<(TableId, RowId)>,
    pub counts: Option<FxHashMap<usize, (u64, u64)>>,
    pub waits_on: Awaited,
}

/// What a statement waits for.
#[derive(Debug, Clone)]
pub enum Awaited {
    Nothing,
    Row { table: Rc<str>, key: Rc<str>, strength: LockStrength },
    Other(String),
}

impl std::fmt::Display for Awaited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Awaited::Nothing => Ok(()),
            Awaited::Row { table, key, .. } => write!(f, "row {key} of {table}"),
            Awaited::Other(words) => f.write_str(words),
        }
    }
}

enum Kept {
    Value(Value),
    /// Values of a column, and whether NULL is among them.
    Set(FxHashSet<Key>, bool, bool),
    Rows(Rc<Vec<Value>>),
    Keys(FxHashSet<Key>),
}

impl StatementRun {
    pub fn new(snapshot: Snapshot, parts: Rc<PlanParts>, began_at: Micros) -> StatementRun {
        let empty = null_row(0);
        StatementRun {
            snapshot,
            frame: vec![Standing { row: empty, id: RowId(u32::MAX) }; parts.widths.len()],
            parts,
            subqueries: Vec::new(),
            common: Vec::new(),
            rows_read: 0,
            rows_scanned: 0,
            rows_written: 0,
            writes: false,
            budget: Budget::default(),
            facts: Vec::new(),
            notices: Vec::new(),
            reads_told: 0,
            reads_skipped: 0,
            began_at,
            advisory: Vec::new(),
            advisory_at: 0,
            locked: FxHashMap::default(),
            followed: None,
            counts: None,
            waits_on: Awaited::Nothing,
        }
    }

    /// Before the statement is planned.
    pub fn unplanned(began_at: Micros) -> StatementRun {
        let nothing = Snapshot { stamp: Stamp::FIRST, own: None, command: 0 };
        StatementRun::new(nothing, Rc::default(), began_at)
    }

    /// The same statement once its plan and snapshot are there.
    pub fn planned(&self, snapshot: Snapshot, parts: Rc<PlanParts>) -> StatementRun {
        StatementRun::new(snapshot, parts, self.began_at)
    }

    /// For an expression over one row, outside any statement.
    pub fn over_row(row: Row) -> StatementRun {
        let nothing = Snapshot { stamp: Stamp::FIRST, own: None, command: 0 };
        let mut run =
            StatementRun::new(nothing, Rc::new(PlanParts { widths: vec![row.len()], ..PlanParts::default() }), 0);
        run.frame[0].row = row;
        run
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
        self.common.clear();
    }
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
    /// None for expressions outside any session.
    pub settings: Option<&'a SessionSettings>,
}

type Sink<'s> = &'s mut dyn FnMut(&mut Context) -> Result<Flow>;
pub type RowSink<'s> = &'s mut dyn FnMut(&mut Context, Vec<Value>) -> Result<Flow>;

/// What became of a row that a statement wanted to lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockedRow {
    Same,
    /// Its newest version stands in the slot now.
    Changed,
    Gone,
    Skipped,
    /// This very statement has written it already.
    Own,
}

/// Ends a list of linked rows.
const NO_ROW: u32 = u32::MAX;

const ROWS_AT_MOST: usize = 5_000_000;

/// As many locks as PostgreSQL's shared memory has room for as it is delivered.
const LOCKS_AT_MOST: usize = 12_800;

impl<'a> Context<'a> {
    /// Computes expressions that need no database.
    pub fn scratch(engine: &'a mut Engine, run: StatementRun) -> Context<'a> {
        Context {
            engine,
            session: SessionId(0),
            now: 0,
            transaction_began: 0,
            parameters: &[],
            run,
            pending_advisory: None,
            read_only: false,
            settings: None,
        }
    }
}

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

    fn call(&mut self, function: &'static Builtin, arguments: &[Value]) -> Result<Value> {
        (function.call)(self, arguments)
    }
}

impl Context<'_> {
    /// The rows that are the answer.
    pub fn query(&mut self, query: &Query) -> Result<Vec<Vec<Value>>> {
        self.rows(query, printed_bytes).map(|(rows, _)| rows)
    }

    /// All rows of a query, and how many bytes are held for them.
    pub fn rows(&mut self, query: &Query, bytes: fn(&[Value]) -> usize) -> Result<(Vec<Vec<Value>>, usize)> {
        let mut rows = Vec::new();
        let mut held = 0;
        self.run_query(query, &mut |context, row| {
            if rows.len() >= ROWS_AT_MOST {
                return fail("54000", "a result of more than 5,000,000 rows is not offered by this database engine");
            }
            context.run.budget.hold(bytes(&row), &mut held)?;
            rows.push(row);
            Ok(Flow::More)
        })?;
        Ok((rows, held))
    }

    /// The rows of a query of one column.
    fn column(&mut self, query: &Query) -> Result<(Vec<Value>, usize)> {
        let (rows, held) = self.rows(query, row_bytes)?;
        Ok((rows.into_iter().filter_map(|row| row.into_iter().next()).collect(), held))
    }

    pub fn run_query(&mut self, query: &Query, sink: RowSink) -> Result<Flow> {
        let limit = self.row_limit(query.limit.as_ref(), "LIMIT")?;
        let mut skip = self.row_limit(query.offset.as_ref(), "OFFSET")?.unwrap_or(0);
        if limit == Some(0) {
            return Ok(Flow::More);
        }
        let mut left = limit;
        let mut flow = Flow::More;
        let mut bounded = |context: &mut Context, row: Vec<Value>| {
            if skip > 0 {
                skip -= 1;
                return Ok(Flow::More);
            }
            flow = sink(context, row)?;
            if let Some(left) = &mut left {
                *left -= 1;
                if *left == 0 {
                    return Ok(Flow::Enough);
                }
            }
            Ok(flow)
        };
        match &query.body {
            Body::Select(select) => self.run_select(query, select, &mut bounded)?,
            Body::Values(rows) => {
                let mut made = Vec::new();
                let mut held = 0;
                for row in rows {
                    let row = self.evaluate_all(row)?;
                    self.run.budget.hold(row_bytes(&row), &mut held)?;
                    made.push(row);
                }
                let flow = self.emit_sorted_output(made, &query.order, &mut bounded)?;
                self.run.budget.release(held);
                flow
            }
            Body::SetOperation { operation, all, inputs } => {
                let (rows, held) = self.set_operation(*operation, *all, inputs)?;
                let flow = self.emit_sorted_output(rows, &query.order, &mut bounded)?;
                self.run.budget.release(held);
                flow
            }
        };
        Ok(flow)
    }

    fn row_limit(&mut self, expr: Option<&Expr>, what: &str) -> Result<Option<u64>> {
        let Some(expr) = expr else { return Ok(None) };
        match self.evaluate(expr)? {
            Value::Null => Ok(None),
            Value::Int(count) if count >= 0 => Ok(Some(count as u64)),
            Value::Int(_) => {
                fail(if what == "LIMIT" { "2201W" } else { "2201X" }, format!("{what} must not be negative"))
            }
            _ => fail("42804", format!("argument of {what} must be type bigint")),
        }
    }

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

    fn emit_sorted_output(&mut self, rows: Vec<Vec<Value>>, order: &[SortKey], sink: RowSink) -> Result<Flow> {
        if order.is_empty() {
            for row in rows {
                if sink(self, row)? == Flow::Enough {
                    return Ok(Flow::Enough);
                }
            }
            return Ok(Flow::More);
        }
        let mut keyed = Vec::with_capacity(rows.len());
        let mut held = 0;
        for row in rows {
            let keys = self.sort_keys(order, &row)?;
            self.run.budget.hold(row_bytes(&keys), &mut held)?;
            keyed.push((keys, row));
        }
        sort_by_keys(&mut keyed, order);
        self.run.budget.release(held);
        for (_, row) in keyed {
            if sink(self, row)? == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }

    fn run_select(&mut self, query: &Query, select: &Select, sink: RowSink) -> Result<Flow> {
        let mut seen = Seen::default();
        let mut emit = |context: &mut Context| {
            if !context.lock_rows(query)? {
                return Ok(Flow::More);
            }
            let row = context.evaluate_all(&select.output)?;
            let is_new = match &select.distinct {
                None => true,
                Some(Distinct::Rows) => seen.is_new(&mut context.run.budget, &row)?,
                Some(Distinct::On(exprs)) => {
                    let key = context.evaluate_all(exprs)?;
                    seen.is_new(&mut context.run.budget, &key)?
                }
            };
            if is_new { sink(context, row) } else { Ok(Flow::More) }
        };
        if query.order.is_empty() || query.presorted {
            let flow = self.run_node(&select.from, &mut emit)?;
            self.run.budget.release(seen.held);
            return Ok(flow);
        }
        if crate::sql::executor::late_output::is_late(query, select) {
            return self.run_sorted_then_output(query, select, sink);
        }
        // Sorted output needs no frame unless rows are still to be locked or compared.
        if query.locks.is_empty() && !matches!(select.distinct, Some(Distinct::On(_))) {
            let distinct = select.distinct.is_some();
            let mut keyed = Vec::new();
            let mut held = 0;
            self.run_node(&select.from, &mut |context| {
                let row = context.evaluate_all(&select.output)?;
                if distinct && !seen.is_new(&mut context.run.budget, &row)? {
                    return Ok(Flow::More);
                }
                context.run.budget.hold(row_bytes(&row), &mut held)?;
                let keys = context.sort_keys(&query.order, &row)?;
                context.run.budget.hold(row_bytes(&keys), &mut held)?;
                keyed.push((keys, row));
                Ok(Flow::More)
            })?;
            sort_by_keys(&mut keyed, &query.order);
            let mut flow = Flow::More;
            for (_, row) in keyed {
                flow = sink(self, row)?;
                if flow == Flow::Enough {
                    break;
                }
            }
            self.run.budget.release(held + seen.held);
            return Ok(flow);
        }
        let slots: Vec<u16> = select.slots.iter().collect();
        let mut keyed = Vec::new();
        let mut held = 0;
        self.run_node(&select.from, &mut |context| {
            let needs_output = query.order.iter().any(|key| matches!(key.by, SortBy::Output(_)));
            let row = if needs_output { context.evaluate_all(&select.output)? } else { Vec::new() };
            let keys = context.sort_keys(&query.order, &row)?;
            context.run.budget.hold(row_bytes(&keys), &mut held)?;
            keyed.push((keys, context.keep_held(&slots, &mut held)?));
            Ok(Flow::More)
        })?;
        sort_by_keys(&mut keyed, &query.order);
        let mut flow = Flow::More;
        for (_, kept) in keyed {
            self.put_back(&slots, &kept);
            flow = emit(self)?;
            if flow == Flow::Enough {
                break;
            }
        }
        self.run.budget.release(held + seen.held);
        Ok(flow)
    }

    pub fn sort_keys(&mut self, order: &[SortKey], output: &[Value]) -> Result<Vec<Value>> {
        self.run.budget.work_on_values(order.len())?;
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            keys.push(match &key.by {
                SortBy::Output(column) => output[*column].clone(),
                SortBy::Expr(expr) => self.evaluate(expr)?,
            });
        }
        Ok(keys)
    }

    pub fn keep(&self, slots: &[u16]) -> Standings {
        slots.iter().map(|slot| self.run.frame[*slot as usize].clone()).collect()
    }

    /// As `keep`, of what is kept for many rows.
    pub fn keep_held(&mut self, slots: &[u16], held: &mut usize) -> Result<Standings> {
        let kept = self.keep(slots);
        self.run.budget.hold(kept.iter().map(standing_bytes).sum(), held)?;
        Ok(kept)
    }

    pub fn put_back(&mut self, slots: &[u16], kept: &[Standing]) {
        for (slot, standing) in slots.iter().zip(kept) {
            self.run.frame[*slot as usize] = standing.clone();
        }
    }

    fn put(&mut self, slot: u16, row: Row) {
        self.run.frame[slot as usize] = Standing { row, id: RowId(u32::MAX) };
    }

    pub fn put_nulls(&mut self, slots: SlotSet) {
        for slot in slots.iter() {
            let row = null_row(self.run.parts.widths[slot as usize]);
            self.put(slot, row);
        }
    }

    pub fn run_node(&mut self, node: &Node, sink: Sink) -> Result<Flow> {
        if self.run.counts.is_none() {
            return self.run_node_plain(node, sink);
        }
        // EXPLAIN ANALYZE counts what each node gives.
        let number = std::ptr::from_ref(node) as usize;
        let mut given = 0;
        let flow = self.run_node_plain(node, &mut |context| {
            given += 1;
            sink(context)
        });
        if let Some(counts) = &mut self.run.counts {
            let count = counts.entry(number).or_default();
            count.0 += given;
            count.1 += 1;
        }
        flow
    }

    fn run_node_plain(&mut self, node: &Node, sink: Sink) -> Result<Flow> {
        match node {
            Node::Once => sink(self),
            Node::Scan(scan) => self.run_scan(scan, sink),
            Node::Filter { input, condition } => self.run_node(input, &mut |context| {
                if context.holds(condition)? { sink(context) } else { Ok(Flow::More) }
            }),
            Node::Gate { input, condition } => {
                if self.holds(condition)? {
                    self.run_node(input, sink)
                } else {
                    Ok(Flow::More)
                }
            }
            Node::Series { slot, start, stop, step } => self.run_series(*slot, start, stop, step.as_ref(), sink),
            Node::Unnest { slot, array } => {
                if let Value::Array(array) = self.evaluate(array)? {
                    for element in elements(&array) {
                        self.put(*slot, Rc::from([element.clone()]));
                        if sink(self)? == Flow::Enough {
                            return Ok(Flow::Enough);
                        }
                    }
                }
                Ok(Flow::More)
            }
            Node::Derived { slot, query, .. } => self.run_query(query, &mut |context, row| {
                context.put(*slot, row.into());
                sink(context)
            }),
            Node::Common { slot, number, .. } => {
                let rows = self.common_rows(*number)?;
                for row in rows.iter() {
                    self.put(*slot, row.clone());
                    if sink(self)? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
                Ok(Flow::More)
            }
            Node::Join(join) => self.run_join(join, sink),
            Node::Group(group) => self.run_group(group, sink),
            Node::Window(window) => self.run_window(window, sink),
        }
    }

    fn common_rows(&mut self, number: usize) -> Result<Rc<Vec<Row>>> {
        if let Some(Some(rows)) = self.run.common.get(number) {
            return Ok(rows.clone());
        }
        let parts = self.run.parts.clone();
        let mut rows: Vec<Row> = Vec::new();
        self.run_query(&parts.ctes[number], &mut |context, row| {
            context.run.budget.keep(row_bytes(&row))?;
            rows.push(row.into());
            Ok(Flow::More)
        })?;
        let rows = Rc::new(rows);
        if self.run.common.len() <= number {
            self.run.common.resize(number + 1, None);
        }
        self.run.common[number] = Some(rows.clone());
        Ok(rows)
    }

    fn run_series(&mut self, slot: u16, start: &Expr, stop: &Expr, step: Option<&Expr>, sink: Sink) -> Result<Flow> {
        let start = self.evaluate(start)?;
        let stop = self.evaluate(stop)?;
        let step = match step {
            Some(step) => self.evaluate(step)?,
            None => Value::Int(1),
        };
        let mut at = start;
        if at == Value::Null || stop == Value::Null || step == Value::Null {
            return Ok(Flow::More);
        }
        let zero = matches!(step, Value::Int(0)) || matches!(step, Value::Interval { months: 0, days: 0, micros: 0 });
        if zero {
            return fail("22023", "step size cannot equal zero");
        }
        let backward = match &step {
            Value::Int(step) => *step < 0,
            Value::Interval { months, days, micros } => *months < 0 || *days < 0 || *micros < 0,
            _ => return fail("0A000", "this kind of generate_series is not offered by this database engine"),
        };
        let mut given = 0usize;
        loop {
            let order = compare(&at, &stop);
            if (order.is_gt() && !backward) || (order.is_lt() && backward) {
                return Ok(Flow::More);
            }
            given += 1;
            self.work()?;
            if given > ROWS_AT_MOST {
                return fail("54000", "a series of more than 5,000,000 rows is not offered by this database engine");
            }
            self.put(slot, Rc::from([at.clone()]));
            if sink(self)? == Flow::Enough {
                return Ok(Flow::Enough);
            }
            at = match (&at, &step) {
                (Value::Int(at), Value::Int(step)) => match at.checked_add(*step) {
                    Some(next) => Value::Int(next),
                    None => return Ok(Flow::More),
                },
                (Value::Timestamp(at), Value::Interval { months, days, micros }) => {
                    let span = Span { months: *months, days: *days, micros: *micros };
                    Value::Timestamp(crate::sql::types::datetime::add_interval(*at, span)?)
                }
                (Value::TimestampTz(at), Value::Interval { months, days, micros }) => {
                    let span = Span { months: *months, days: *days, micros: *micros };
                    Value::TimestampTz(crate::sql::types::datetime::add_interval(*at, span)?)
                }
                _ => return fail("0A000", "this kind of generate_series is not offered by this database engine"),
            };
        }
    }

    // Reading tables

    fn run_scan(&mut self, scan: &Scan, sink: Sink) -> Result<Flow> {
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
    fn bounds(
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

    fn read_index(&mut self, scan: &Scan, number: usize, bounds: Bounds, backward: bool, sink: Sink) -> Result<Flow> {
        let table = scan.table.id;
        let columns = self.engine.store.index(table, number).columns();
        self.note_search(table, || Predicate::Range { index: number, bounds: bounds.clone(), columns });
        let mut entries: Vec<Entry> = Vec::new();
        let mut batch = 16;
        let mut after: Option<Entry> = None;
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
    fn visit(&mut self, scan: &Scan, id: RowId, entry: Option<(usize, &Entry)>, whole: bool) -> Result<bool> {
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
        self.run.frame[scan.slot as usize] = Standing { row, id };
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
                self.run.facts.push(Fact::Read { table: scan.table.name.clone(), key, writer, values });
            }
        }
        Ok(true)
    }

    fn note_read(&mut self, table: TableId, row: RowId) -> Result<()> {
        if self.engine.store.is_serializable(self.session) {
            let snapshot = self.run.snapshot;
            self.engine.store.note_read(self.session, table, row, &snapshot)?;
        }
        Ok(())
    }

    fn note_search(&mut self, table: TableId, predicate: impl FnOnce() -> Predicate) {
        if self.engine.store.is_serializable(self.session) {
            self.engine.store.note_search(self.session, table, predicate());
        }
    }

    // Locking rows

    /// False: the row the frame stands for is skipped or no longer fits.
    fn lock_rows(&mut self, query: &Query) -> Result<bool> {
        let mut changed = FoundRows::new();
        for target in &query.locks {
            let LockTarget { slot, table, strength, policy } = target;
            if self.run.frame[*slot as usize].id == RowId(u32::MAX) {
                continue;
            }
            let standing = &self.run.frame[*slot as usize];
            let place = (table.id, standing.id);
            let before = standing.clone();
            if let Some(row) = self.run.locked.get(&place) {
                if !Rc::ptr_eq(row, &before.row) {
                    self.run.frame[*slot as usize].row = row.clone();
                    changed.push((*slot, before));
                }
                continue;
            }
            match self.lock_row(table, *slot, *strength, *policy)? {
                LockedRow::Same => {}
                LockedRow::Changed => changed.push((*slot, before)),
                LockedRow::Gone | LockedRow::Skipped | LockedRow::Own => return Ok(false),
            }
            self.run.locked.insert(place, self.run.frame[*slot as usize].row.clone());
        }
        match &query.recheck {
            Some(recheck) if !changed.is_empty() => self.epq_recheck(recheck, &changed),
            _ => Ok(true),
        }
    }

    /// Locks the row in a slot and brings the slot up to date with its newest version.
    pub fn lock_row(
        &mut self,
        table: &Table,
        slot: u16,
        strength: LockStrength,
        policy: LockPolicy,
    ) -> Result<LockedRow> {
        let id = self.run.frame[slot as usize].id;
        let own = self.engine.store.xid(self.session);
        let chain = self.engine.store.table(table.id).chain(id);
        let newest = chain.newest();
        if newest.stamp == Stamp::RUNNING && Some(newest.xid) == own && newest.command >= self.run.snapshot.command {
            return Ok(LockedRow::Own);
        }
        let fixed = self.engine.store.isolation(self.session) != Isolation::ReadCommitted;
        let mut outdated = None;
        if fixed && self.fail_if_outdated(table, slot, strength).is_err() {
            // It fails once those are gone who hold the version it sees.
            let chain = self.engine.store.table(table.id).chain(id);
            let seen = chain.visible(&self.run.snapshot).map(|seen| seen.stamp);
            // Of newer versions PostgreSQL looks at the next one only.
            let committed = chain.versions().filter(|version| version.stamp != Stamp::RUNNING);
            let newer = committed.take_while(|version| version.stamp > self.run.snapshot.stamp).count();
            let follows = newer == 1 && self.run.followed == Some((table.id, id));
            outdated = if follows { Some(Stamp::RUNNING) } else { seen };
        }
        let may_wait = policy == LockPolicy::Wait;
        match self.engine.store.lock_row(self.session, table.id, id, strength, may_wait, outdated) {
            RowLock::Waits => {
                let newest = self.engine.store.table(table.id).chain(id).newest();
                if !self.run.writes && newest.stamp == Stamp::RUNNING {
                    self.run.followed = Some((table.id, id));
                }
                let key = row_key(table, &self.run.frame[slot as usize]);
                self.run.waits_on = Awaited::Row { table: table.name.clone(), key, strength };
                return Err(Stop::Waits);
            }
            RowLock::Unavailable if policy == LockPolicy::SkipLocked => return Ok(LockedRow::Skipped),
            RowLock::Unavailable => {
                return fail("55P03", format!("could not obtain lock on row in relation \"{}\"", table.name));
            }
            RowLock::Locked { new } => {
                if let (true, Some(xid)) = (new && table.temporary.is_none(), self.engine.store.xid(self.session)) {
                    let key = row_key(table, &self.run.frame[slot as usize]);
                    self.run.facts.push(Fact::Locked { xid, table: table.name.clone(), key, strength });
                }
            }
        }
        if fixed {
            self.fail_if_outdated(table, slot, strength)?;
        }
        if strength == LockStrength::KeyShare && self.has_new_values_only(table, id) {
            return Ok(LockedRow::Same);
        }
        let own = self.engine.store.xid(self.session);
        self.run.snapshot.own = own;
        let chain = self.engine.store.table(table.id).chain(id);
        let Some(current) = chain.versions().find(|v| v.stamp != Stamp::RUNNING || Some(v.xid) == own) else {
            return Ok(LockedRow::Gone);
        };
        match &current.row {
            None => Ok(LockedRow::Gone),
            Some(row) if Rc::ptr_eq(row, &self.run.frame[slot as usize].row) => Ok(LockedRow::Same),
            Some(row) => {
                let row = row.clone();
                let writer = current.xid;
                self.run.frame[slot as usize].row = row;
                if self.engine.tells_reads && table.temporary.is_none() {
                    // What the statement goes on with is this version, not the one its snapshot showed.
                    let key = row_key(table, &self.run.frame[slot as usize]);
                    let writer = (writer.0 > self.engine.settled_xid.0).then_some(writer);
                    let values = self.run.frame[slot as usize].row.clone();
                    self.run.facts.push(Fact::Read { table: table.name.clone(), key, writer, values });
                }
                Ok(LockedRow::Changed)
            }
        }
    }

    /// First updater wins: a row that changed after the transaction's snapshot cannot be locked by it, but a change beside its key
    /// leaves it to be shared.
    fn fail_if_outdated(&self, table: &Table, slot: u16, strength: LockStrength) -> Result<()> {
        let standing = &self.run.frame[slot as usize];
        let chain = self.engine.store.table(table.id).chain(standing.id);
        let Some(committed) = chain.newest_committed().filter(|version| version.stamp > self.run.snapshot.stamp) else {
            return Ok(());
        };
        if committed.row.is_none() {
            // What counts is what became of the version that the snapshot sees. FOR UPDATE and its like say "update" for both.
            let before = chain.versions().filter(|version| version.stamp != Stamp::RUNNING).nth(1);
            let seen_is_deleted = before.is_none_or(|version| version.stamp <= self.run.snapshot.stamp);
            let tells = self.run.writes && strength != LockStrength::KeyShare;
            let what = if tells && seen_is_deleted { "delete" } else { "update" };
            return fail("40001", format!("could not serialize access due to concurrent {what}"));
        }
        if strength == LockStrength::KeyShare && self.has_new_values_only(table, standing.id) {
            return Ok(());
        }
        fail("40001", "could not serialize access due to concurrent update")
    }

    /// The row has changed since the snapshot, and nobody who did so held it for himself: who shares its key does not mind, and
    /// goes on with what the snapshot shows.
    fn has_new_values_only(&self, table: &Table, id: RowId) -> bool {
        let chain = self.engine.store.table(table.id).chain(id);
        let committed = chain.versions().filter(|version| version.stamp != Stamp::RUNNING);
        let mut newer = committed.take_while(|version| version.stamp > self.run.snapshot.stamp).peekable();
        newer.peek().is_some_and(|newest| newest.row.is_some()) && newer.all(|version| !version.exclusive)
    }

    // Joins

    fn run_join(&mut self, join: &Join, sink: Sink) -> Result<Flow> {
        match &join.method {
            JoinMethod::Nested => self.run_node(&join.left, &mut |context| {
                let mut matched = false;
                let flow = context.run_node(&join.right, &mut |context| {
                    if let Some(condition) = &join.condition
                        && !context.holds(condition)?
                    {
                        return Ok(Flow::More);
                    }
                    matched = true;
                    sink(context)
                })?;
                if flow == Flow::Enough {
                    return Ok(Flow::Enough);
                }
                if !matched && join.kind == JoinKind::Left {
                    context.put_nulls(join.right_slots);
                    return sink(context);
                }
                Ok(Flow::More)
            }),
            JoinMethod::Hash { left, right } => self.run_hash_join(join, left, right, sink),
        }
    }

    fn run_hash_join(&mut self, join: &Join, left: &[Expr], right: &[Expr], sink: Sink) -> Result<Flow> {
        let slots: Vec<u16> = join.right_slots.iter().collect();
        // Rows of the right side one after the other; those of one key are linked in their order.
        let mut kept: Vec<Standing> = Vec::new();
        let mut count = 0u32;
        let mut next: Vec<u32> = Vec::new();
        let mut ends: FxHashMap<Key, (u32, u32)> = FxHashMap::default();
        let mut held = 0;
        self.run_node(&join.right, &mut |context| {
            if count as usize >= ROWS_AT_MOST {
                return fail("54000", "a join over more than 5,000,000 rows is not offered by this database engine");
            }
            let bytes = slots.iter().map(|slot| standing_bytes(&context.run.frame[*slot as usize])).sum::<usize>();
            let key = context.evaluate_key(right)?;
            context.run.budget.hold(row_bytes(&key.0) + bytes, &mut held)?;
            next.push(NO_ROW);
            // A NULL key matches nothing, but FULL JOIN still shows its row. Without keys each row matches.
            if !key.has_null() {
                match ends.entry(key) {
                    std::collections::hash_map::Entry::Occupied(mut known) => {
                        let (_, last) = known.get_mut();
                        next[*last as usize] = count;
                        *last = count;
                    }
                    std::collections::hash_map::Entry::Vacant(new) => {
                        new.insert((count, count));
                    }
                }
            }
            kept.extend(slots.iter().map(|slot| context.run.frame[*slot as usize].clone()));
            count += 1;
            Ok(Flow::More)
        })?;
        let row = |number: u32| &kept[number as usize * slots.len()..(number as usize + 1) * slots.len()];
        let mut matched_right = vec![false; if join.kind == JoinKind::Full { count as usize } else { 0 }];
        let mut flow = self.run_node(&join.left, &mut |context| {
            let key = context.evaluate_key(left)?;
            let mut candidate = ends.get(&key).map_or(NO_ROW, |(first, _)| *first);
            let mut matched = false;
            while candidate != NO_ROW {
                context.work()?;
                let number = candidate;
                candidate = next[number as usize];
                context.put_back(&slots, row(number));
                if let Some(condition) = &join.condition
                    && !context.holds(condition)?
                {
                    continue;
                }
                matched = true;
                if let Some(seen) = matched_right.get_mut(number as usize) {
                    *seen = true;
                }
                if sink(context)? == Flow::Enough {
                    return Ok(Flow::Enough);
                }
            }
            if !matched && join.kind != JoinKind::Inner {
                context.put_nulls(join.right_slots);
                return sink(context);
            }
            Ok(Flow::More)
        })?;
        if flow == Flow::More && join.kind == JoinKind::Full {
            for (number, seen) in matched_right.iter().enumerate() {
                if *seen {
                    continue;
                }
                self.put_nulls(join.left_slots);
                self.put_back(&slots, row(number as u32));
                flow = sink(self)?;
                if flow == Flow::Enough {
                    break;
                }
            }
        }
        self.run.budget.release(held);
        Ok(flow)
    }

    // Groups and windows

    fn run_group(&mut self, group: &Group, sink: Sink) -> Result<Flow> {
        struct Bucket {
            sample: Standings,
            states: SmallVec<[State; 1]>,
            /// Arguments of ordered aggregates, to be added when all are there; without such, nothing.
            waiting: Vec<Vec<(Vec<Value>, Vec<Value>)>>,
        }
        let slots: Vec<u16> = group.input_slots.iter().collect();
        let ordered = group.aggregates.iter().any(|call| !call.order.is_empty());
        let fresh = |sample: Standings| Bucket {
            sample,
            states: group
                .aggregates
                .iter()
                .map(|call| State::new(call.function, call.distinct, call.order.is_empty()))
                .collect(),
            waiting: if ordered { group.aggregates.iter().map(|_| Vec::new()).collect() } else { Vec::new() },
        };
        let mut numbers: FxHashMap<Key, usize> = FxHashMap::default();
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut held = 0;
        self.run_node(&group.input, &mut |context| {
            let key = context.evaluate_key(&group.keys)?;
            let number = match numbers.get(&key) {
                Some(number) => *number,
                None => {
                    let states = size_of::<Bucket>() + group.aggregates.len() * size_of::<State>();
                    context.run.budget.hold(row_bytes(&key.0) + states, &mut held)?;
                    numbers.insert(key, buckets.len());
                    buckets.push(fresh(context.keep_held(&slots, &mut held)?));
                    buckets.len() - 1
                }
            };
            for (call_number, call) in group.aggregates.iter().enumerate() {
                if let Some(filter) = &call.filter
                    && !context.holds(filter)?
                {
                    continue;
                }
                let arguments = context.evaluate_all(&call.arguments)?;
                if call.order.is_empty() {
                    let state = &mut buckets[number].states[call_number];
                    context.run.budget.hold(state.growth(&arguments), &mut held)?;
                    state.add(&arguments)?;
                } else {
                    context.run.budget.hold(row_bytes(&arguments), &mut held)?;
                    let keys = context.sort_keys(&call.order, &arguments)?;
                    context.run.budget.hold(row_bytes(&keys), &mut held)?;
                    buckets[number].waiting[call_number].push((keys, arguments));
                }
            }
            Ok(Flow::More)
        })?;
        if group.keys.is_empty() && buckets.is_empty() {
            self.put_nulls(group.input_slots);
            let sample = self.keep(&slots);
            buckets.push(fresh(sample));
        }
        let mut flow = Flow::More;
        for mut bucket in buckets {
            for ((call, state), mut waiting) in group.aggregates.iter().zip(&mut bucket.states).zip(bucket.waiting) {
                sort_by_keys(&mut waiting, &call.order);
                for (_, arguments) in waiting {
                    self.run.budget.hold(state.growth(&arguments), &mut held)?;
                    state.add(&arguments)?;
                }
            }
            let results: Result<Vec<Value>> = bucket.states.iter().map(State::result).collect();
            self.put_back(&slots, &bucket.sample);
            self.put(group.slot, results?.into());
            if let Some(having) = &group.having
                && !self.holds(having)?
            {
                continue;
            }
            flow = sink(self)?;
            if flow == Flow::Enough {
                break;
            }
        }
        self.run.budget.release(held);
        Ok(flow)
    }

    fn run_window(&mut self, window: &Window, sink: Sink) -> Result<Flow> {
        let slots: Vec<u16> = window.input_slots.iter().collect();
        let mut rows: Vec<Standings> = Vec::new();
        let mut held = 0;
        let result_bytes = row_bytes(&[]) + window.calls.len() * size_of::<Value>();
        self.run_node(&window.input, &mut |context| {
            if rows.len() >= ROWS_AT_MOST {
                return fail("54000", "a window over more than 5,000,000 rows is not offered by this database engine");
            }
            context.run.budget.hold(result_bytes + size_of::<Standings>(), &mut held)?;
            rows.push(context.keep_held(&slots, &mut held)?);
            Ok(Flow::More)
        })?;
        let mut results: Vec<Vec<Value>> = vec![vec![Value::Null; window.calls.len()]; rows.len()];
        let mut order: Vec<usize> = (0..rows.len()).collect();
        for (number, call) in window.calls.iter().enumerate() {
            order = self.run_window_call(call, &slots, &rows, number, &mut results)?;
        }
        let mut flow = Flow::More;
        for number in order {
            self.put_back(&slots, &rows[number]);
            self.put(window.slot, std::mem::take(&mut results[number]).into());
            flow = sink(self)?;
            if flow == Flow::Enough {
                break;
            }
        }
        self.run.budget.release(held);
        Ok(flow)
    }

    /// Fills one column of results; gives the order of the rows in which it went over them.
    fn run_window_call(
        &mut self,
        call: &WindowCall,
        slots: &[u16],
        rows: &[Standings],
        column: usize,
        results: &mut [Vec<Value>],
    ) -> Result<Vec<usize>> {
        struct Item {
            number: usize,
            partition: Vec<Value>,
            keys: Vec<Value>,
            arguments: Vec<Value>,
        }
        let mut items = Vec::with_capacity(rows.len());
        let mut held = 0;
        for (number, row) in rows.iter().enumerate() {
            self.put_back(slots, row);
            let partition = self.evaluate_all(&call.partition)?;
            let keys = self.sort_keys(&call.order, &[])?;
            let arguments = self.evaluate_all(&call.arguments)?;
            let bytes = row_bytes(&partition) + row_bytes(&keys) + row_bytes(&arguments);
            self.run.budget.hold(bytes, &mut held)?;
            items.push(Item { number, partition, keys, arguments });
        }
        let same = |a: &[Value], b: &[Value]| a.iter().zip(b).all(|(x, y)| compare(x, y).is_eq());
        items.sort_by(|a, b| {
            let partitions = a.partition.iter().zip(&b.partition).map(|(x, y)| compare(x, y));
            partitions
                .into_iter()
                .find(|order| order.is_ne())
                .unwrap_or_else(|| compare_keys(&a.keys, &b.keys, &call.order))
        });
        let mut start = 0;
        while start < items.len() {
            let mut end = start + 1;
            while end < items.len() && same(&items[start].partition, &items[end].partition) {
                end += 1;
            }
            let part = &items[start..end];
            let (mut rank, mut dense) = (1i64, 0i64);
            let mut at = 0;
            let mut state = match &call.function {
                WindowFunction::Running(function) => Some(State::new(*function, false, false)),
                _ => None,
            };
            while at < part.len() {
                let mut peers = at + 1;
                while peers < part.len() && same(&part[at].keys, &part[peers].keys) {
                    peers += 1;
                }
                dense += 1;
                if let Some(state) = &mut state {
                    for item in &part[at..peers] {
                        self.run.budget.hold(state.growth(&item.arguments), &mut held)?;
                        state.add(&item.arguments)?;
                    }
                }
                for (place, item) in part.iter().enumerate().take(peers).skip(at) {
                    results[item.number][column] = match &call.function {
                        WindowFunction::RowNumber => Value::Int(place as i64 + 1),
                        WindowFunction::Rank => Value::Int(rank),
                        WindowFunction::DenseRank => Value::Int(dense),
                        WindowFunction::Lag | WindowFunction::Lead => {
                            let offset = match item.arguments.get(1) {
                                Some(Value::Int(offset)) => *offset,
                                Some(_) => {
                                    results[item.number][column] = Value::Null;
                                    continue;
                                }
                                None => 1,
                            };
                            let offset = if call.function == WindowFunction::Lag { -offset } else { offset };
                            let there = usize::try_from(place as i64 + offset).ok().and_then(|there| part.get(there));
                            match there {
                                Some(there) => there.arguments[0].clone(),
                                None => item.arguments.get(2).cloned().unwrap_or(Value::Null),
                            }
                        }
                        WindowFunction::FirstValue => part[0].arguments[0].clone(),
                        WindowFunction::LastValue => part[peers - 1].arguments[0].clone(),
                        WindowFunction::Running(_) => state.as_ref().map_or(Ok(Value::Null), State::result)?,
                    };
                }
                rank += (peers - at) as i64;
                at = peers;
            }
            start = end;
        }
        self.run.budget.release(held);
        Ok(items.into_iter().map(|item| item.number).collect())
    }

    /// The rows, and how many bytes are held for them.
    fn set_operation(
        &mut self,
        operation: SetOperation,
        all: bool,
        inputs: &[Query],
    ) -> Result<(Vec<Vec<Value>>, usize)> {
        let (first, rest) = inputs.split_first().expect("a set operation has inputs");
        let (mut rows, mut held) = self.rows(first, row_bytes)?;
        if operation == SetOperation::Union {
            for input in rest {
                let (mut more, bytes) = self.rows(input, row_bytes)?;
                held += bytes;
                rows.append(&mut more);
            }
            if !all {
                let mut seen = Seen::default();
                let mut new = Vec::new();
                for row in rows {
                    if seen.is_new(&mut self.run.budget, &row)? {
                        new.push(row);
                    }
                }
                self.run.budget.release(seen.held);
                rows = new;
            }
            return Ok((rows, held));
        }
        for input in rest {
            let (right, bytes) = self.rows(input, row_bytes)?;
            rows = intersected(operation, all, rows, &right);
            self.run.budget.release(bytes);
        }
        Ok((rows, held))
    }

    // Subqueries

    pub fn evaluate_subquery(&mut self, subquery: &Subquery) -> Result<Value> {
        let constant = subquery.outer.is_empty();
        let parts = self.run.parts.clone();
        let SubqueryPlan { query, hashed } = &parts.subqueries[subquery.number];
        if let Some(hashed) = hashed {
            return self.exists_by_keys(subquery.number, query, hashed);
        }
        match subquery.kind {
            SubqueryKind::Scalar | SubqueryKind::Exists => {
                if constant && let Some(Some(Kept::Value(value))) = self.run.subqueries.get(subquery.number) {
                    return Ok(value.clone());
                }
                let value = if subquery.kind == SubqueryKind::Scalar {
                    self.scalar(query)?
                } else {
                    let mut found = false;
                    self.run_query(query, &mut |_, _| {
                        found = true;
                        Ok(Flow::Enough)
                    })?;
                    Value::Bool(found)
                };
                if constant {
                    self.keep_subquery(subquery.number, Kept::Value(value.clone()));
                }
                Ok(value)
            }
            SubqueryKind::Array => {
                let (values, held) = self.column(query)?;
                self.run.budget.release(held);
                Ok(Value::Array(values.into()))
            }
            SubqueryKind::Any(op) | SubqueryKind::All(op) => {
                let all = matches!(subquery.kind, SubqueryKind::All(_));
                let left = match &subquery.left {
                    Some(left) => self.evaluate(left)?,
                    None => Value::Null,
                };
                let equality = op == crate::sql::plan::Comparison::Equal && !all
                    || op == crate::sql::plan::Comparison::NotEqual && all;
                if constant && equality {
                    return self.in_kept_set(subquery.number, query, left, all);
                }
                let rows = match self.run.subqueries.get(subquery.number) {
                    Some(Some(Kept::Rows(rows))) if constant => rows.clone(),
                    _ => {
                        let (values, held) = self.column(query)?;
                        let rows = Rc::new(values);
                        if constant {
                            self.keep_subquery(subquery.number, Kept::Rows(rows.clone()));
                        } else {
                            self.run.budget.release(held);
                        }
                        rows
                    }
                };
                let mut unknown = false;
                for value in rows.iter() {
                    if *value == Value::Null || left == Value::Null {
                        unknown = true;
                    } else if op.holds(compare(&left, value)) != all {
                        return Ok(Value::Bool(!all));
                    }
                }
                Ok(if unknown { Value::Null } else { Value::Bool(all) })
            }
        }
    }

    fn scalar(&mut self, query: &Query) -> Result<Value> {
        let mut found: Option<Value> = None;
        self.run_query(query, &mut |_, row| {
            if found.is_some() {
                return fail("21000", "more than one row returned by a subquery used as an expression");
            }
            found = row.into_iter().next();
            Ok(Flow::More)
        })?;
        Ok(found.unwrap_or(Value::Null))
    }

    fn keep_subquery(&mut self, number: usize, kept: Kept) {
        if self.run.subqueries.len() <= number {
            self.run.subqueries.resize_with(number + 1, || None);
        }
        self.run.subqueries[number] = Some(kept);
    }

    fn in_kept_set(&mut self, number: usize, query: &Query, left: Value, negated: bool) -> Result<Value> {
        if !matches!(self.run.subqueries.get(number), Some(Some(Kept::Set(..)))) {
            let mut set = FxHashSet::default();
            let (mut has_null, mut any) = (false, false);
            self.run_query(query, &mut |context, row| {
                any = true;
                context.run.budget.keep(row_bytes(&row))?;
                let key = Key(row.into());
                if key.has_null() {
                    has_null = true
                } else {
                    set.insert(key);
                }
                Ok(Flow::More)
            })?;
            self.keep_subquery(number, Kept::Set(set, has_null, any));
        }
        let Some(Some(Kept::Set(set, has_null, any))) = self.run.subqueries.get(number) else {
            unreachable!("kept just now");
        };
        if !any {
            return Ok(Value::Bool(negated));
        }
        if left == Value::Null {
            return Ok(Value::Null);
        }
        if set.contains(&Key(std::iter::once(left).collect())) {
            return Ok(Value::Bool(!negated));
        }
        Ok(if *has_null { Value::Null } else { Value::Bool(negated) })
    }

    fn exists_by_keys(&mut self, number: usize, query: &Query, keys: &HashedKeys) -> Result<Value> {
        let key = self.evaluate_key(&keys.outer)?;
        if !matches!(self.run.subqueries.get(number), Some(Some(Kept::Keys(_)))) {
            let mut found = FxHashSet::default();
            let Body::Select(select) = &query.body else { unreachable!("only selects are hashed") };
            self.run_node(&select.from, &mut |context| {
                let key = context.evaluate_key(&keys.inner)?;
                if !key.has_null() {
                    context.run.budget.keep(row_bytes(&key.0))?;
                    found.insert(key);
                }
                Ok(Flow::More)
            })?;
            self.keep_subquery(number, Kept::Keys(found));
        }
        let Some(Some(Kept::Keys(keys))) = self.run.subqueries.get(number) else {
            unreachable!("kept just now");
        };
        Ok(Value::Bool(!key.has_null() && keys.contains(&key)))
    }

    // Advisory locks

    pub fn advisory_lock(&mut self, key: AdvisoryKey, mode: Mode, transaction: bool, may_wait: bool) -> Result<bool> {
        let place = self.run.advisory_at;
        self.run.advisory_at += 1;
        if self.run.advisory.len() > place {
            return Ok(true);
        }
        if self.pending_advisory == Some((key, mode)) {
            // It was given while the session slept.
            self.pending_advisory = None;
            if transaction {
                self.engine.store.lock_granted(self.session, crate::store::Tag::Advisory(key), mode);
            } else {
                self.engine.hold_advisory(self.session, key, mode);
            }
            self.run.advisory.push((key, mode));
            return Ok(true);
        }
        let tag = crate::store::Tag::Advisory(key);
        if self.engine.store.locks.held_by(self.session) >= LOCKS_AT_MOST {
            let mut full = SqlError::new("53200", "out of shared memory");
            full.hint = Some("You might need to increase max_locks_per_transaction.".to_owned());
            return Err(full.into());
        }
        let taken = if transaction {
            self.engine.store.lock(self.session, tag, mode, may_wait)
        } else {
            match self.engine.store.locks.acquire(self.session, tag, mode, may_wait) {
                crate::store::Acquired::Granted | crate::store::Acquired::Held => RowLock::Locked { new: true },
                crate::store::Acquired::Waits => RowLock::Waits,
                crate::store::Acquired::Unavailable => RowLock::Unavailable,
            }
        };
        match taken {
            RowLock::Locked { .. } => {
                if !transaction {
                    self.engine.hold_advisory(self.session, key, mode);
                }
                self.run.advisory.push((key, mode));
                Ok(true)
            }
            RowLock::Waits => {
                self.run.advisory_at = place;
                self.run.waits_on = Awaited::Other(match key {
                    AdvisoryKey::One(key) => format!("advisory lock {key}"),
                    AdvisoryKey::Two(a, b) => format!("advisory lock ({a}, {b})"),
                });
                Err(Stop::Waits)
            }
            RowLock::Unavailable => {
                self.run.advisory_at = place;
                Ok(false)
            }
        }
    }

    /// The row of a unique key, as another statement's check finds it: not by the snapshot but by what is there.
    pub fn probe(&mut self, table: &Table, index: usize, key: &Key, own: Option<RowId>) -> KeyProbe {
        self.engine.store.probe_key(self.session, table.id, index, key, own)
    }

    /// A setting as SHOW gives it.
    pub fn current_setting(&self, name: &str, missing_ok: bool) -> Result<Value> {
        let name = name.to_ascii_lowercase();
        let shown = match (name.as_str(), self.settings) {
            ("transaction_isolation", Some(_)) => level_name(self.engine.store.isolation(self.session)).to_owned(),
            ("transaction_read_only", Some(_)) => if self.read_only { "on" } else { "off" }.to_owned(),
            (name, Some(settings)) => match settings.show(name) {
                Err(_) if missing_ok => return Ok(Value::Null),
                shown => shown?,
            },
            (_, None) => return fail("0A000", "current_setting is not offered here by this database engine"),
        };
        Ok(types::text(&shown))
    }

    pub fn notice(&mut self, severity: &str, sqlstate: &str, message: impl Into<String>) {
        let sqlstate = SqlError::new(sqlstate, "").sqlstate;
        self.run.notices.push(Notice { severity: severity.to_owned(), sqlstate, message: message.into() });
    }
}

/// The rows of the left side that the right one has, or has not.
fn intersected(operation: SetOperation, all: bool, left: Vec<Vec<Value>>, right: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let key = |row: &[Value]| Key(row.iter().cloned().collect());
    let mut counts: FxHashMap<Key, usize> = FxHashMap::default();
    for row in right {
        *counts.entry(key(row)).or_default() += 1;
    }
    let mut rows = Vec::new();
    let mut seen = FxHashSet::default();
    for row in left {
        let found = key(&row);
        let count = counts.entry(found.clone()).or_default();
        let in_both = *count > 0;
        if all && in_both {
            *count -= 1;
        }
        if in_both == (operation == SetOperation::Intersect) && (all || seen.insert(found)) {
            rows.push(row);
        }
    }
    rows
}

/// Rows that were there already.
#[derive(Default)]
struct Seen {
    keys: FxHashSet<Key>,
    held: usize,
}

impl Seen {
    fn is_new(&mut self, budget: &mut Budget, row: &[Value]) -> Result<bool> {
        let bytes = row_bytes(row);
        let is_new = self.keys.insert(Key(row.iter().cloned().collect()));
        if is_new {
            budget.hold(bytes, &mut self.held)?;
        }
        Ok(is_new)
    }
}

pub fn sort_by_keys<T>(keyed: &mut [(Vec<Value>, T)], order: &[SortKey]) {
    keyed.sort_by(|(a, _), (b, _)| compare_keys(a, b, order));
}

fn compare_keys(a: &[Value], b: &[Value], order: &[SortKey]) -> std::cmp::Ordering {
    for ((x, y), key) in a.iter().zip(b).zip(order) {
        let ordering = match (*x == Value::Null, *y == Value::Null) {
            (true, true) => std::cmp::Ordering::Equal,
            (true, false) => {
                if key.nulls_first {
                    std::cmp::Ordering::Less
                } else {
                    std::cmp::Ordering::Greater
                }
            }
            (false, true) => {
                if key.nulls_first {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Less
                }
            }
            (false, false) => {
                let ordering = compare(x, y);
                if key.descending { ordering.reverse() } else { ordering }
            }
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    std::cmp::Ordering::Equal
}

/// The primary key as text, `7` or `7/3`; for a table without one the row's number.
pub fn row_key(table: &Table, standing: &Standing) -> Rc<str> {
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

/// Of a row that stands in the frame and is kept beside it.
pub fn standing_bytes(standing: &Standing) -> usize {
    size_of::<Standing>() + budget::shared_row_bytes(&standing.row)
}
