//! Chooses the way to each table's rows, and in which order and how they are joined. It knows keys and row counts, no statistics:
//! it prefers an index to a scan, and never compares all rows of two tables where a column must be equal.

use std::rc::Rc;

use crate::sql::catalog::{self, Table};
use crate::sql::plan::{
    Access, Comparison, Expr, Join, JoinKind, JoinMethod, KeyList, Node, Scan, SlotSet, SortBy, SortKey, Source,
    SubqueryKind,
};
use crate::store::{Store, TableId};

pub struct Planned {
    pub node: Node,
    pub rows: f64,
    pub slots: SlotSet,
    pub ordered: bool,
}

pub struct Planner<'a> {
    pub store: &'a Store,
}

/// The order a query wants, if plain columns give it, and whether it wants only the first rows.
pub struct Wanted<'a> {
    pub order: &'a [SortKey],
    pub first_rows: bool,
}

impl Planner<'_> {
    /// Joins all sources and applies all conditions.
    pub fn from(&self, sources: Vec<Source>, conditions: Vec<Expr>, wanted: &Wanted) -> Planned {
        let mut units = Vec::new();
        let mut conditions = conditions;
        for source in sources {
            flatten(source, &mut units, &mut conditions);
        }
        let own = units.iter().fold(SlotSet::NONE, |slots, unit| slots.union(unit.slots()));
        let (gates, mut conditions): (Vec<Expr>, Vec<Expr>) =
            conditions.into_iter().partition(|condition| !condition.slots().meets(own) && !condition.is_volatile());
        let only = units.len() == 1;
        let mut planned: Option<Planned> = None;
        while !units.is_empty() {
            let placed = planned.as_ref().map_or(SlotSet::NONE, |planned| planned.slots);
            let next = self.choose_next(&units, &conditions, placed, own, wanted);
            let unit = units.remove(next);
            let hint = if planned.is_none() { Some(wanted) } else { None };
            planned = Some(match planned {
                None => self.leaf(unit, &mut conditions, own, hint.filter(|_| only || wanted.first_rows)),
                Some(left) => self.join_inner(left, unit, &mut conditions, own),
            });
        }
        let mut planned =
            planned.unwrap_or(Planned { node: Node::Once, rows: 1.0, slots: SlotSet::NONE, ordered: true });
        if let Some(condition) = all_of(conditions) {
            planned.node = Node::Filter { input: Box::new(planned.node), condition };
        }
        if let Some(condition) = all_of(gates) {
            planned.node = Node::Gate { input: Box::new(planned.node), condition };
        }
        planned
    }

    /// First the source with the narrowest access, then always one that is tied to those before it. Where all would be read
    /// whole and only the first rows are wanted, the source whose index gives the order comes first.
    fn choose_next(
        &self,
        units: &[Source],
        conditions: &[Expr],
        placed: SlotSet,
        own: SlotSet,
        wanted: &Wanted,
    ) -> usize {
        let mut best = (f64::INFINITY, 0);
        let mut best_is_whole = true;
        for (number, unit) in units.iter().enumerate() {
            let mut is_whole = true;
            let rows = match unit {
                Source::Table { table, slot, .. } => {
                    let outside = |slots: SlotSet| !slots.meets(own.without(placed));
                    let ((access, _), rows) = self.access(table, *slot, conditions, &outside, None);
                    is_whole = access == Access::Whole;
                    let tied = placed.is_empty()
                        || conditions.iter().any(|c| c.slots().meets(placed) && c.slots().meets(SlotSet::one(*slot)));
                    if tied { rows } else { rows * 1e6 + 1e6 }
                }
                Source::Other { rows, .. } => *rows,
                Source::Join { .. } => 1e5,
            };
            let rows = if unit.reads().meets(own.without(placed)) { f64::MAX } else { rows };
            if rows < best.0 {
                best = (rows, number);
                best_is_whole = is_whole;
            }
        }
        if placed.is_empty() && best_is_whole && wanted.first_rows {
            self.first_in_order(units, wanted.order).unwrap_or(best.1)
        } else {
            best.1
        }
    }

    fn first_in_order(&self, units: &[Source], order: &[SortKey]) -> Option<usize> {
        let SortBy::Expr(Expr::Column { slot: wanted, .. }) = &order.first()?.by else { return None };
        units.iter().position(|unit| match unit {
            Source::Table { table, slot, .. } if slot == wanted => {
                table.indexes.iter().filter(|index| index.predicate.is_none()).any(|index| {
                    let access = Access::Index {
                        number: index.number,
                        equal: Vec::new(),
                        low: None,
                        high: None,
                        backward: false,
                    };
                    self.gives_order(table, *slot, &access, order).is_some()
                })
            }
            _ => false,
        })
    }

    fn leaf(&self, unit: Source, conditions: &mut Vec<Expr>, own: SlotSet, wanted: Option<&Wanted>) -> Planned {
        let slots = unit.slots();
        match unit {
            Source::Table { table, alias, slot } => {
                let outside = |read: SlotSet| !read.meets(own);
                let (mut access, mut rows) = self.access(&table, slot, conditions, &outside, wanted);
                let mut ordered = false;
                if let Some(wanted) = wanted {
                    if let Some(backward) = self.gives_order(&table, slot, &access.0, wanted.order) {
                        ordered = true;
                        if let Access::Index { backward: direction, .. } = &mut access.0 {
                            *direction = backward;
                        }
                    }
                    if wanted.first_rows {
                        rows = rows.min(10.0);
                    }
                }
                let node = scan(table, alias, slot, access, conditions, slots, own);
                Planned { node, rows, slots, ordered }
            }
            Source::Other { node, rows, .. } => {
                let node = filtered(node, conditions, slots, own);
                Planned { node, rows, slots, ordered: false }
            }
            Source::Join { kind, left, right, on } => {
                self.outer_join(kind, (*left, *right), on, conditions, own, wanted)
            }
        }
    }

    fn join_inner(&self, left: Planned, unit: Source, conditions: &mut Vec<Expr>, own: SlotSet) -> Planned {
        let right_slots = unit.slots();
        let both = left.slots.union(right_slots);
        let unplaced = own.without(left.slots);
        if let Source::Table { table, slot, alias } = &unit {
            let known = |read: SlotSet| !read.meets(unplaced);
            let (access, rows) = self.access(table, *slot, conditions, &known, None);
            let reads_left = access.1.iter().any(|used| conditions[*used].slots().meets(left.slots));
            let whole = self.store.table(table.id).row_count() as f64;
            if reads_left && left.rows * (rows + 1.0) <= whole.max(20.0) * 1.5 {
                let right = scan(table.clone(), alias.clone(), *slot, access, conditions, both, own);
                let join = Join {
                    kind: JoinKind::Inner,
                    left: left.node,
                    right,
                    method: JoinMethod::Nested,
                    condition: None,
                    left_slots: left.slots,
                    right_slots,
                };
                return Planned {
                    node: Node::Join(Box::new(join)),
                    rows: left.rows * rows,
                    slots: both,
                    ordered: left.ordered,
                };
            }
        }
        // It computes from the row before it, as generate_series(1, t.n) does.
        let lateral = unit.reads().meets(left.slots);
        let right = self.leaf(unit, conditions, unplaced.union(left.slots), None);
        let mut here = take(conditions, |condition| !condition.slots().meets(own.without(both)));
        let (method, rows) = if lateral {
            (JoinMethod::Nested, left.rows * right.rows)
        } else {
            let (left_keys, right_keys) = take_keys(&mut here, left.slots, right_slots);
            let rows = if left_keys.is_empty() { left.rows * right.rows } else { left.rows.max(right.rows) };
            (JoinMethod::Hash { left: left_keys, right: right_keys }, rows)
        };
        let join = Join {
            kind: JoinKind::Inner,
            left: left.node,
            right: right.node,
            method,
            condition: all_of(here),
            left_slots: left.slots,
            right_slots,
        };
        Planned { node: Node::Join(Box::new(join)), rows, slots: both, ordered: left.ordered }
    }

    /// WHERE conditions go below only on the side that is kept whole, ON conditions only on the other.
    fn outer_join(
        &self,
        kind: JoinKind,
        (left, right): (Source, Source),
        mut on: Vec<Expr>,
        conditions: &mut Vec<Expr>,
        own: SlotSet,
        wanted: Option<&Wanted>,
    ) -> Planned {
        let (left_slots, right_slots) = (left.slots(), right.slots());
        let both = left_slots.union(right_slots);
        let for_left = if kind == JoinKind::Left {
            take(conditions, |c| c.slots().meets(left_slots) && !c.slots().meets(own.without(left_slots)))
        } else {
            Vec::new()
        };
        let plain = Wanted { order: &[], first_rows: false };
        // Rows of the kept side come out in the order they are read in.
        let left_wanted = wanted.filter(|_| kind == JoinKind::Left).unwrap_or(&plain);
        let left = self.from(vec![left], for_left, left_wanted);
        let mut planned = None;
        if let (JoinKind::Left, Source::Table { table, alias, slot }) = (kind, &right) {
            let known = |read: SlotSet| !read.meets(right_slots) && !read.meets(own.without(both));
            let (access, rows) = self.access(table, *slot, &on, &known, None);
            let reads_left = access.1.iter().any(|used| on[*used].slots().meets(left_slots));
            let whole = self.store.table(table.id).row_count() as f64;
            if reads_left && left.rows * (rows + 1.0) <= whole.max(20.0) * 1.5 {
                let node = scan(table.clone(), alias.clone(), *slot, access, &mut on, both, both);
                planned = Some((node, rows, JoinMethod::Nested));
            }
        }
        let (right_node, rows, method) = match planned {
            Some(nested) => nested,
            None => {
                let for_right = if kind == JoinKind::Left {
                    take(&mut on, |c| c.slots().meets(right_slots) && !c.slots().meets(left_slots))
                } else {
                    Vec::new()
                };
                let lateral = right.reads().meets(left_slots);
                let right = self.from(vec![right], for_right, &plain);
                if lateral {
                    (right.node, right.rows, JoinMethod::Nested)
                } else {
                    let (left_keys, right_keys) = take_keys(&mut on, left_slots, right_slots);
                    (right.node, 1.0, JoinMethod::Hash { left: left_keys, right: right_keys })
                }
            }
        };
        let join =
            Join { kind, left: left.node, right: right_node, method, condition: all_of(on), left_slots, right_slots };
        let node = filtered(Node::Join(Box::new(join)), conditions, both, own);
        Planned { node, rows: left.rows * rows.max(1.0), slots: both, ordered: left.ordered && kind == JoinKind::Left }
    }

    /// The best way to a table's rows, with the conditions it takes care of, and a guess how many rows it gives.
    /// `known` tells whether an expression over these slots can be computed before the table is read.
    fn access(
        &self,
        table: &Table,
        slot: u16,
        conditions: &[Expr],
        known: &dyn Fn(SlotSet) -> bool,
        wanted: Option<&Wanted>,
    ) -> ((Access, Vec<usize>), f64) {
        let count = (self.store.table(table.id).row_count() as f64).max(1.0);
        let mut best = ((Access::Whole, Vec::new()), count);
        for index in &table.indexes {
            if !self.predicate_holds(index, slot, conditions) {
                continue;
            }
            let keys: Vec<Expr> = index.keys.iter().map(|key| at_slot(key, slot)).collect();
            let mut equal = Vec::new();
            let mut used = Vec::new();
            for key in &keys {
                let found = conditions.iter().enumerate().find_map(|(number, condition)| {
                    let (op, value) = comparison_with(condition, key)?;
                    (op == Comparison::Equal && known(value.slots()) && !value.is_volatile())
                        .then(|| (number, value.clone()))
                });
                let Some((number, value)) = found else { break };
                used.push(number);
                equal.push(value);
            }
            let mut rows = count;
            for _ in 0..equal.len() {
                rows /= 20.0;
            }
            if equal.len() == keys.len() && index.unique {
                rows = 0.5;
            }
            let mut access = Access::Whole;
            if let Some(key) = keys.get(equal.len()) {
                if let Some((number, list)) = conditions.iter().enumerate().find_map(|(number, condition)| {
                    let list = key_list(condition, key)?;
                    let readable = match &list {
                        KeyList::Listed(values) => {
                            values.iter().all(|value| known(value.slots()) && !value.is_volatile())
                        }
                        KeyList::Array(array) => known(array.slots()) && !array.is_volatile(),
                        KeyList::Rows(subquery) => subquery.outer.is_empty(),
                    };
                    readable.then_some((number, list))
                }) {
                    let amount = if let KeyList::Listed(values) = &list { values.len() as f64 } else { 10.0 };
                    let each = if index.unique && equal.len() + 1 == keys.len() { 1.0 } else { rows / 20.0 };
                    rows = (amount * each).min(rows / 2.0);
                    used.push(number);
                    access = Access::Keys { number: index.number, equal: equal.clone(), keys: list };
                } else {
                    let (mut low, mut high) = (None, None);
                    for (number, condition) in conditions.iter().enumerate() {
                        let Some((op, value)) = comparison_with(condition, key) else { continue };
                        if !known(value.slots()) || value.is_volatile() {
                            continue;
                        }
                        let side = match op {
                            Comparison::Greater | Comparison::GreaterEqual => &mut low,
                            Comparison::Less | Comparison::LessEqual => &mut high,
                            _ => continue,
                        };
                        if side.is_none() {
                            *side =
                                Some((value.clone(), matches!(op, Comparison::GreaterEqual | Comparison::LessEqual)));
                            used.push(number);
                        }
                    }
                    if low.is_some() || high.is_some() {
                        rows /= if low.is_some() && high.is_some() { 8.0 } else { 3.0 };
                    }
                    if !equal.is_empty() || low.is_some() || high.is_some() {
                        access =
                            Access::Index { number: index.number, equal: equal.clone(), low, high, backward: false };
                    }
                }
            } else if !equal.is_empty() {
                access = Access::Index {
                    number: index.number,
                    equal: equal.clone(),
                    low: None,
                    high: None,
                    backward: false,
                };
            }
            if access == Access::Whole
                && let Some(wanted) = wanted
                && wanted.first_rows
            {
                let ordered =
                    Access::Index { number: index.number, equal: Vec::new(), low: None, high: None, backward: false };
                if self.gives_order(table, slot, &ordered, wanted.order).is_some() {
                    access = ordered;
                    rows = count * 0.9;
                }
            }
            if access == Access::Whole {
                if index.predicate.is_none() {
                    continue;
                }
                access =
                    Access::Index { number: index.number, equal: Vec::new(), low: None, high: None, backward: false };
                rows = self.store.index(table.id, index.number).size() as f64;
            }
            if let Some(wanted) = wanted
                && wanted.first_rows
                && !wanted.order.is_empty()
                && self.gives_order(table, slot, &access, wanted.order).is_some()
            {
                // What comes in order need not be read to its end.
                rows *= 0.5;
            }
            if rows < best.1 {
                best = ((access, used), rows);
            }
        }
        best
    }

    fn predicate_holds(&self, index: &catalog::Index, slot: u16, conditions: &[Expr]) -> bool {
        let Some(predicate) = &index.predicate else { return true };
        let mut parts = Vec::new();
        at_slot(predicate, slot).conjuncts(&mut parts);
        parts.iter().all(|part| conditions.contains(part))
    }

    /// Whether an access gives rows in this order, and if so whether it must be read backward.
    fn gives_order(&self, table: &Table, slot: u16, access: &Access, order: &[SortKey]) -> Option<bool> {
        if order.is_empty() {
            return None;
        }
        let Access::Index { number, equal, .. } = access else { return None };
        let index = table.indexes.iter().find(|index| index.number == *number)?;
        let mut keys = index.keys.iter().map(|key| at_slot(key, slot));
        let fixed: Vec<Expr> = keys.by_ref().take(equal.len()).collect();
        let mut keys = keys.peekable();
        let mut backward = None;
        let mut complete = false;
        for key in order {
            let SortBy::Expr(by) = &key.by else { return None };
            if fixed.contains(by) || (complete && by.slots().within(SlotSet::one(slot))) {
                continue;
            }
            if keys.next().as_ref() != Some(by) {
                return None;
            }
            if key.descending != key.nulls_first || backward.is_some_and(|backward| backward != key.descending) {
                return None;
            }
            backward = Some(key.descending);
            // After a unique key no column of this table is left to order; a row of another one may be joined to several here.
            complete = keys.peek().is_none() && index.unique && never_null(table, index);
        }
        Some(backward.unwrap_or(false))
    }
}

/// Whether no two rows have the same key: of NULL there may be many.
fn never_null(table: &Table, index: &catalog::Index) -> bool {
    index.key_columns().is_some_and(|columns| columns.iter().all(|column| table.columns[*column].not_null))
}

fn flatten(source: Source, units: &mut Vec<Source>, conditions: &mut Vec<Expr>) {
    match source {
        Source::Join { kind: JoinKind::Inner, left, right, on } => {
            flatten(*left, units, conditions);
            flatten(*right, units, conditions);
            conditions.extend(on);
        }
        other => units.push(other),
    }
}

pub fn at_slot(key: &Expr, slot: u16) -> Expr {
    let mut key = key.clone();
    key.move_slot(0, slot);
    key
}

/// `key op value` or `value op key`.
fn comparison_with<'e>(condition: &'e Expr, key: &Expr) -> Option<(Comparison, &'e Expr)> {
    let Expr::Compare { op, left, right } = condition else { return None };
    if **left == *key {
        Some((*op, right))
    } else if **right == *key {
        Some((op.mirrored(), left))
    } else {
        None
    }
}

fn key_list(condition: &Expr, key: &Expr) -> Option<KeyList> {
    match condition {
        Expr::InList { of, list, negated: false } if **of == *key => Some(KeyList::Listed(list.clone())),
        Expr::Quantified { op: Comparison::Equal, all: false, left, array } if **left == *key => {
            Some(KeyList::Array((**array).clone()))
        }
        Expr::Subquery(subquery)
            if subquery.kind == SubqueryKind::Any(Comparison::Equal) && subquery.left.as_ref() == Some(key) =>
        {
            Some(KeyList::Rows(subquery.clone()))
        }
        _ => None,
    }
}

/// Builds the scan and gives it the conditions that can be tested once it is read.
fn scan(
    table: Rc<Table>,
    alias: Rc<str>,
    slot: u16,
    (access, mut used): (Access, Vec<usize>),
    conditions: &mut Vec<Expr>,
    placed: SlotSet,
    own: SlotSet,
) -> Node {
    used.sort_unstable();
    let mut index_condition = Vec::new();
    for number in used.into_iter().rev() {
        index_condition.insert(0, conditions.remove(number));
    }
    let filter = all_of(take(conditions, |condition| {
        condition.slots().meets(placed) && !condition.slots().meets(own.without(placed))
    }));
    Node::Scan(Scan { table, alias, slot, access, index_condition, filter })
}

fn filtered(node: Node, conditions: &mut Vec<Expr>, placed: SlotSet, own: SlotSet) -> Node {
    match all_of(take(conditions, |c| c.slots().meets(placed) && !c.slots().meets(own.without(placed)))) {
        Some(condition) => Node::Filter { input: Box::new(node), condition },
        None => node,
    }
}

fn take(conditions: &mut Vec<Expr>, test: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    let (taken, left) = std::mem::take(conditions).into_iter().partition(test);
    *conditions = left;
    taken
}

/// Takes out equalities between an expression of the left side and one of the right.
fn take_keys(conditions: &mut Vec<Expr>, left: SlotSet, right: SlotSet) -> (Vec<Expr>, Vec<Expr>) {
    let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
    conditions.retain(|condition| {
        let Expr::Compare { op: Comparison::Equal, left: a, right: b } = condition else { return true };
        let (sa, sb) = (a.slots(), b.slots());
        if sa.meets(left) && !sa.meets(right) && sb.meets(right) && !sb.meets(left) {
            left_keys.push((**a).clone());
            right_keys.push((**b).clone());
            false
        } else if sb.meets(left) && !sb.meets(right) && sa.meets(right) && !sa.meets(left) {
            left_keys.push((**b).clone());
            right_keys.push((**a).clone());
            false
        } else {
            true
        }
    });
    (left_keys, right_keys)
}

/// The cheaper a condition, the earlier PostgreSQL tests it: it decides which of two that cannot be computed is met.
fn all_of(mut conditions: Vec<Expr>) -> Option<Expr> {
    conditions.sort_by_key(cost);
    Expr::and(conditions)
}

/// Operators and functions of an expression, in halves.
fn cost(expr: &Expr) -> usize {
    let own = match expr {
        Expr::Arithmetic { .. }
        | Expr::Negate { .. }
        | Expr::Compare { .. }
        | Expr::Distinct { .. }
        | Expr::Quantified { .. }
        | Expr::Cast { .. }
        | Expr::Like { .. }
        | Expr::Call { .. } => 2,
        Expr::InList { list, .. } => list.len().max(2),
        Expr::Subquery(_) => 10_000,
        _ => 0,
    };
    own + expr.children().into_iter().map(cost).sum::<usize>()
}

/// Tables a plan reads, with their row counts when it was made: a plan made for an empty table is not kept for a full one.
#[derive(Debug, Clone)]
pub struct Assumed {
    pub table: TableId,
    pub rows: usize,
}

impl Assumed {
    pub fn still_holds(&self, store: &Store) -> bool {
        let now = store.table(self.table).row_count();
        now <= self.rows * 4 + 64 && self.rows <= now * 4 + 64
    }
}
