//! Joins.

use rustc_hash::FxHashMap;

use crate::sql::budget::row_bytes;
use crate::sql::error::{Result, fail};
use crate::sql::expr::Expr;
use crate::sql::plan::{Join, JoinKind, JoinMethod};
use crate::store::Key;

use super::run::frame_row_bytes;
use super::{Context, Flow, FrameRow, ROWS_AT_MOST, Sink};

/// Ends a list of linked rows.
const NO_ROW: u32 = u32::MAX;

impl Context<'_> {
    pub(super) fn run_join(&mut self, join: &Join, sink: Sink) -> Result<Flow> {
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

    pub(super) fn run_hash_join(&mut self, join: &Join, left: &[Expr], right: &[Expr], sink: Sink) -> Result<Flow> {
        let slots: Vec<u16> = join.right_slots.iter().collect();
        // Rows of the right side one after the other; those of one key are linked in their order.
        let mut kept: Vec<FrameRow> = Vec::new();
        let mut count = 0u32;
        let mut next: Vec<u32> = Vec::new();
        let mut ends: FxHashMap<Key, (u32, u32)> = FxHashMap::default();
        let mut held = 0;
        self.run_node(&join.right, &mut |context| {
            if count as usize >= ROWS_AT_MOST {
                return fail("54000", "a join over more than 5,000,000 rows is not offered by this database engine");
            }
            let bytes = slots.iter().map(|slot| frame_row_bytes(&context.run.frame[*slot as usize])).sum::<usize>();
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
}
