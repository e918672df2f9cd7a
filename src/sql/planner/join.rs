//! How two sides are joined.

use crate::sql::expr::{Expr, SlotSet};
use crate::sql::plan::{Join, JoinKind, JoinMethod, Operator, PlanNode, Source};

use super::access::{AccessSearch, Way, row_count};
use super::conditions::{all_of, take, take_keys, take_placed};
use super::from::{Planned, TablePath};
use super::order::WantedOrder;
use super::{Planner, cost};

/// The right side of a join, and how it is read.
struct Right {
    node: PlanNode,
    method: JoinMethod,
    /// Rows joined to one row of the left side.
    each: f64,
}

impl Planner<'_> {
    pub fn join_inner(&mut self, left: Planned, source: Source, conditions: &mut Vec<Expr>, own: SlotSet) -> Planned {
        let right_slots = source.slots();
        let both = left.slots.union(right_slots);
        if let Some(way) = self.index_search(&left, &source, conditions, own.without(left.slots)) {
            let right = self.searched(source, way, conditions, both, own);
            let (asked, rows) = (left.asked * right.each, left.node.estimate.rows * right.each);
            return self.joined(JoinKind::Inner, left, right, right_slots, None, (asked, rows));
        }
        // It computes from the row before it, as generate_series(1, t.n) does.
        let lateral = source.reads().meets(left.slots);
        let planned = self.leaf(source, conditions, own, WantedOrder::NOTHING);
        let mut here = take(conditions, |condition| !condition.slots().meets(own.without(both)));
        let (method, has_keys) = method_of(lateral, &mut here, left.slots, right_slots);
        let asked = cost::joined_rows(left.asked, planned.asked, has_keys);
        let rows = cost::joined_rows(left.node.estimate.rows, planned.node.estimate.rows, has_keys);
        let right = Right { node: planned.node, method, each: planned.asked };
        self.joined(JoinKind::Inner, left, right, right_slots, all_of(here), (asked, rows))
    }

    /// WHERE conditions go below only on the side that is kept whole, ON conditions only on the other.
    pub fn outer_join(
        &mut self,
        kind: JoinKind,
        (left, right): (Source, Source),
        mut on: Vec<Expr>,
        conditions: &mut Vec<Expr>,
        own: SlotSet,
        wanted: WantedOrder,
    ) -> Planned {
        let (left_slots, right_slots) = (left.slots(), right.slots());
        let both = left_slots.union(right_slots);
        let is_left = kind == JoinKind::Left;
        let mut for_left = Vec::new();
        if is_left {
            for_left = take(conditions, |condition| {
                condition.slots().meets(left_slots) && !condition.slots().meets(own.without(left_slots))
            });
        }
        // Rows of the kept side come out in the order they are read in.
        let left = self.from(vec![left], for_left, if is_left { wanted } else { WantedOrder::NOTHING });
        let right = self.outer_right(is_left, &left, right, &mut on, own);
        let asked = cost::outer_joined_rows(left.asked, right.each);
        let rows = cost::outer_joined_rows(left.node.estimate.rows, right.each);
        let mut planned = self.joined(kind, left, right, right_slots, all_of(on), (asked, rows));
        planned.node = self.filter(planned.node, take_placed(conditions, both, own));
        planned.ordered &= is_left;
        planned
    }

    fn outer_right(&mut self, is_left: bool, left: &Planned, right: Source, on: &mut Vec<Expr>, own: SlotSet) -> Right {
        let right_slots = right.slots();
        let both = left.slots.union(right_slots);
        let unknown = right_slots.union(own.without(both));
        if is_left && let Some(way) = self.index_search(left, &right, on, unknown) {
            return self.searched(right, way, on, both, both);
        }
        let mut for_right = Vec::new();
        if is_left {
            for_right =
                take(on, |condition| condition.slots().meets(right_slots) && !condition.slots().meets(left.slots));
        }
        let lateral = right.reads().meets(left.slots);
        let planned = self.from(vec![right], for_right, WantedOrder::NOTHING);
        let (method, _) = method_of(lateral, on, left.slots, right_slots);
        Right { node: planned.node, method, each: if lateral { planned.asked } else { 1.0 } }
    }

    /// The way to a table's rows by what the left side's row says, if it is better to search for each than to read the table once.
    fn index_search(&self, left: &Planned, right: &Source, conditions: &[Expr], unknown: SlotSet) -> Option<Way> {
        let Source::Table { table, slot, .. } = right else { return None };
        let (store, slot, wanted) = (self.store, *slot, WantedOrder::NOTHING);
        let way = AccessSearch { store, table, slot, conditions, unknown, wanted }.best();
        let reads_left = way.used.iter().any(|used| conditions[*used].slots().meets(left.slots));
        (reads_left && cost::prefers_index(left.asked, way.rows, row_count(store, table))).then_some(way)
    }

    fn searched(
        &mut self,
        source: Source,
        way: Way,
        conditions: &mut Vec<Expr>,
        placed: SlotSet,
        own: SlotSet,
    ) -> Right {
        let Source::Table { table, alias, slot } = source else { unreachable!("only tables have indexes") };
        let each = way.rows;
        let node = self.scan(TablePath { table, alias, slot, way }, conditions, placed, own);
        Right { node, method: JoinMethod::Nested, each }
    }

    /// `asked` and `rows` are of the join.
    fn joined(
        &mut self,
        kind: JoinKind,
        left: Planned,
        right: Right,
        right_slots: SlotSet,
        condition: Option<Expr>,
        (asked, rows): (f64, f64),
    ) -> Planned {
        let Right { node: right, method, .. } = right;
        let estimate = match &method {
            JoinMethod::Nested => cost::nested_loop(left.node.estimate, right.estimate, rows),
            JoinMethod::Hash { .. } => cost::hash_join(left.node.estimate, right.estimate, rows),
        };
        let (left_slots, ordered) = (left.slots, left.ordered);
        let join = Join { kind, left: left.node, right, method, condition, left_slots, right_slots };
        let node = self.node(Operator::Join(Box::new(join)), estimate);
        Planned { node, slots: left_slots.union(right_slots), ordered, asked }
    }
}

/// Takes out the conditions that a hash join looks up, and tells whether there are any.
fn method_of(lateral: bool, conditions: &mut Vec<Expr>, left: SlotSet, right: SlotSet) -> (JoinMethod, bool) {
    if lateral {
        return (JoinMethod::Nested, false);
    }
    let (left, right) = take_keys(conditions, left, right);
    let has_keys = !left.is_empty();
    (JoinMethod::Hash { left, right }, has_keys)
}
