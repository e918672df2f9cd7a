//! GROUP BY.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::sql::budget::row_bytes;
use crate::sql::error::Result;
use crate::sql::functions::aggregate::AggregateState;
use crate::sql::plan::HashAggregate;
use crate::store::Key;
use crate::trace::Value;

use super::sort::sort_by_keys;
use super::{Context, Flow, FrameRows, Sink};

/// A group in the making.
struct Bucket {
    /// The first row of the group: what is grouped by is the same in all.
    sample: FrameRows,
    states: SmallVec<[AggregateState; 1]>,
    /// Arguments of ordered aggregates, to be added when all are there; without such, nothing.
    waiting: Vec<Vec<(Vec<Value>, Vec<Value>)>>,
}

impl Bucket {
    fn new(group: &HashAggregate, sample: FrameRows) -> Bucket {
        let states = group
            .aggregates
            .iter()
            .map(|call| AggregateState::new(call.function, call.distinct, call.order.is_empty()));
        let ordered = group.aggregates.iter().any(|call| !call.order.is_empty());
        Bucket {
            sample,
            states: states.collect(),
            waiting: if ordered { group.aggregates.iter().map(|_| Vec::new()).collect() } else { Vec::new() },
        }
    }
}

impl Context<'_> {
    pub(super) fn run_group(&mut self, group: &HashAggregate, sink: Sink) -> Result<Flow> {
        let slots: Vec<u16> = group.input_slots.iter().collect();
        let mut numbers: FxHashMap<Key, usize> = FxHashMap::default();
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut held = 0;
        self.run_node(&group.input, &mut |context| {
            let key = context.evaluate_key(&group.keys)?;
            let number = match numbers.get(&key) {
                Some(number) => *number,
                None => {
                    let states = size_of::<Bucket>() + group.aggregates.len() * size_of::<AggregateState>();
                    context.run.budget.hold(row_bytes(&key.0) + states, &mut held)?;
                    numbers.insert(key, buckets.len());
                    buckets.push(Bucket::new(group, context.keep_held(&slots, &mut held)?));
                    buckets.len() - 1
                }
            };
            context.aggregate_row(group, &mut buckets[number], &mut held)?;
            Ok(Flow::More)
        })?;
        if group.keys.is_empty() && buckets.is_empty() {
            self.put_nulls(group.input_slots);
            buckets.push(Bucket::new(group, self.keep(&slots)));
        }
        let mut flow = Flow::More;
        for mut bucket in buckets {
            self.aggregate_waiting(group, &mut bucket, &mut held)?;
            let results: Result<Vec<Value>> = bucket.states.iter().map(AggregateState::result).collect();
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

    /// Takes the row in the frame into the aggregates of its group.
    fn aggregate_row(&mut self, group: &HashAggregate, bucket: &mut Bucket, held: &mut usize) -> Result<()> {
        for (number, call) in group.aggregates.iter().enumerate() {
            if let Some(filter) = &call.filter
                && !self.holds(filter)?
            {
                continue;
            }
            let arguments = self.evaluate_all(&call.arguments)?;
            if call.order.is_empty() {
                let state = &mut bucket.states[number];
                self.run.budget.hold(state.growth(&arguments), held)?;
                state.add(&arguments)?;
            } else {
                self.run.budget.hold(row_bytes(&arguments), held)?;
                let keys = self.sort_keys(&call.order, &arguments)?;
                self.run.budget.hold(row_bytes(&keys), held)?;
                bucket.waiting[number].push((keys, arguments));
            }
        }
        Ok(())
    }

    fn aggregate_waiting(&mut self, group: &HashAggregate, bucket: &mut Bucket, held: &mut usize) -> Result<()> {
        let waiting = std::mem::take(&mut bucket.waiting);
        for ((call, state), mut waiting) in group.aggregates.iter().zip(&mut bucket.states).zip(waiting) {
            sort_by_keys(&mut waiting, &call.order);
            for (_, arguments) in waiting {
                self.run.budget.hold(state.growth(&arguments), held)?;
                state.add(&arguments)?;
            }
        }
        Ok(())
    }
}
