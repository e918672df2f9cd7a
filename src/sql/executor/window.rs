//! Window functions.

use crate::sql::budget::row_bytes;
use crate::sql::error::{Result, fail};
use crate::sql::functions::aggregate::AggregateState;
use crate::sql::functions::window::WindowFunction;
use crate::sql::plan::{Window, WindowCall};
use crate::store::compare;
use crate::trace::Value;

use super::sort::compare_keys;
use super::{Context, Flow, FrameRows, ROWS_AT_MOST, Sink};

impl Context<'_> {
    pub(super) fn run_window(&mut self, window: &Window, sink: Sink) -> Result<Flow> {
        let slots: Vec<u16> = window.input_slots.iter().collect();
        let mut rows: Vec<FrameRows> = Vec::new();
        let mut held = 0;
        let result_bytes = row_bytes(&[]) + window.calls.len() * size_of::<Value>();
        self.run_node(&window.input, &mut |context| {
            if rows.len() >= ROWS_AT_MOST {
                return fail("54000", "a window over more than 5,000,000 rows is not offered by this database engine");
            }
            context.run.budget.hold(result_bytes + size_of::<FrameRows>(), &mut held)?;
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
        rows: &[FrameRows],
        column: usize,
        results: &mut [Vec<Value>],
    ) -> Result<Vec<usize>> {
        let mut held = 0;
        let items = self.window_items(call, slots, rows, &mut held)?;
        let mut start = 0;
        while start < items.len() {
            let end = start + leading(&items[start..], |item| &item.partition);
            let partition = &items[start..end];
            let mut state = match &call.function {
                WindowFunction::Running(function) => Some(AggregateState::new(*function, false, false)),
                _ => None,
            };
            let mut at = Peers { first: 0, end: 0, rank: 1, dense_rank: 0 };
            while at.end < partition.len() {
                at.next(partition);
                if let Some(state) = &mut state {
                    for item in &partition[at.first..at.end] {
                        self.run.budget.hold(state.growth(&item.arguments), &mut held)?;
                        state.add(&item.arguments)?;
                    }
                }
                for place in at.first..at.end {
                    results[partition[place].number][column] = match &state {
                        Some(state) => state.result()?,
                        None => window_value(&call.function, partition, place, &at),
                    };
                }
            }
            start = end;
        }
        self.run.budget.release(held);
        Ok(items.into_iter().map(|item| item.number).collect())
    }

    /// What a call sees of the rows, a partition after the other, each in its order.
    fn window_items(
        &mut self,
        call: &WindowCall,
        slots: &[u16],
        rows: &[FrameRows],
        held: &mut usize,
    ) -> Result<Vec<WindowRow>> {
        let mut items = Vec::with_capacity(rows.len());
        for (number, row) in rows.iter().enumerate() {
            self.put_back(slots, row);
            let partition = self.evaluate_all(&call.partition)?;
            let keys = self.sort_keys(&call.order, &[])?;
            let arguments = self.evaluate_all(&call.arguments)?;
            let bytes = row_bytes(&partition) + row_bytes(&keys) + row_bytes(&arguments);
            self.run.budget.hold(bytes, held)?;
            items.push(WindowRow { number, partition, keys, arguments });
        }
        items.sort_by(|a, b| {
            let mut partitions = a.partition.iter().zip(&b.partition).map(|(x, y)| compare(x, y));
            partitions.find(|order| order.is_ne()).unwrap_or_else(|| compare_keys(&a.keys, &b.keys, &call.order))
        });
        Ok(items)
    }
}

/// A row as a window function's call sees it.
struct WindowRow {
    number: usize,
    partition: Vec<Value>,
    keys: Vec<Value>,
    arguments: Vec<Value>,
}

/// Rows of a partition that its order does not tell apart.
struct Peers {
    first: usize,
    end: usize,
    rank: i64,
    dense_rank: i64,
}

impl Peers {
    fn next(&mut self, partition: &[WindowRow]) {
        self.rank += (self.end - self.first) as i64;
        self.dense_rank += 1;
        self.first = self.end;
        self.end += leading(&partition[self.first..], |item| &item.keys);
    }
}

/// How many items at the beginning are the same in this.
fn leading(items: &[WindowRow], of: impl Fn(&WindowRow) -> &Vec<Value>) -> usize {
    let same = |a: &[Value], b: &[Value]| a.iter().zip(b).all(|(x, y)| compare(x, y).is_eq());
    items.iter().take_while(|item| same(of(&items[0]), of(item))).count()
}

fn window_value(function: &WindowFunction, partition: &[WindowRow], place: usize, at: &Peers) -> Value {
    match function {
        WindowFunction::RowNumber => Value::Int(place as i64 + 1),
        WindowFunction::Rank => Value::Int(at.rank),
        WindowFunction::DenseRank => Value::Int(at.dense_rank),
        WindowFunction::Lag => neighbour(partition, place, -1),
        WindowFunction::Lead => neighbour(partition, place, 1),
        WindowFunction::FirstValue => partition[0].arguments[0].clone(),
        WindowFunction::LastValue => partition[at.end - 1].arguments[0].clone(),
        WindowFunction::Running(_) => unreachable!("an aggregate has a state"),
    }
}

/// lag and lead: arguments are the value, how far it is, and what stands for it beyond the partition.
fn neighbour(partition: &[WindowRow], place: usize, direction: i64) -> Value {
    let arguments = &partition[place].arguments;
    let offset = match arguments.get(1) {
        Some(Value::Int(offset)) => *offset,
        Some(_) => return Value::Null,
        None => 1,
    };
    match usize::try_from(place as i64 + direction * offset).ok().and_then(|there| partition.get(there)) {
        Some(there) => there.arguments[0].clone(),
        None => arguments.get(2).cloned().unwrap_or(Value::Null),
    }
}
