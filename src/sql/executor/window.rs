//! Window functions.

use crate::sql::budget::row_bytes;
use crate::sql::error::{Result, fail};
use crate::sql::functions::aggregate::State;
use crate::sql::plan::{Window, WindowCall, WindowFunction};
use crate::store::compare;
use crate::trace::Value;

use super::sort::compare_keys;
use super::{Context, Flow, ROWS_AT_MOST, Sink, Standings};

impl Context<'_> {
    pub(super) fn run_window(&mut self, window: &Window, sink: Sink) -> Result<Flow> {
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
    pub(super) fn run_window_call(
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
}
