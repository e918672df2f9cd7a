//! GROUP BY.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::sql::budget::row_bytes;
use crate::sql::error::Result;
use crate::sql::functions::aggregate::State;
use crate::sql::plan::Group;
use crate::store::Key;
use crate::trace::Value;

use super::sort::sort_by_keys;
use super::{Context, Flow, Sink, Standings};

impl Context<'_> {
    pub(super) fn run_group(&mut self, group: &Group, sink: Sink) -> Result<Flow> {
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
}
