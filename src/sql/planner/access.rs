//! The best way to a table's rows.

use crate::sql::catalog::{Index, Table};
use crate::sql::expr::{Comparison, Expr, SlotSet, SubqueryKind};
use crate::sql::plan::{Access, KeyList};
use crate::store::Store;

use super::cost;
use super::order::{WantedOrder, gives_order};

pub struct Way {
    pub access: Access,
    /// Conditions it takes care of, by their place.
    pub used: Vec<usize>,
    pub rows: f64,
    /// The way with the lowest rank is taken: its rows, and less where it gives the first of them in the order that is wanted.
    pub rank: f64,
}

/// One table, and what is asked of it.
pub struct AccessSearch<'a> {
    pub store: &'a Store,
    pub table: &'a Table,
    pub slot: u16,
    pub conditions: &'a [Expr],
    /// Slots of the query that hold no row yet when the table is read.
    pub unknown: SlotSet,
    pub wanted: WantedOrder<'a>,
}

#[derive(Default)]
struct KeyRange {
    low: Option<(Expr, bool)>,
    high: Option<(Expr, bool)>,
    used: Vec<usize>,
}

pub fn whole_index(number: usize) -> Access {
    Access::Index { number, equal: Vec::new(), low: None, high: None, backward: false }
}

pub fn at_slot(key: &Expr, slot: u16) -> Expr {
    let mut key = key.clone();
    key.move_slot(0, slot);
    key
}

pub fn row_count(store: &Store, table: &Table) -> f64 {
    store.table(table.id).row_count() as f64
}

impl AccessSearch<'_> {
    pub fn best(&self) -> Way {
        let all = row_count(self.store, self.table).max(1.0);
        let mut best = Way { access: Access::Whole, used: Vec::new(), rows: all, rank: all };
        for index in self.table.indexes.iter().filter(|index| self.predicate_holds(index)) {
            let way = self.narrowing(index, all).or_else(|| self.whole(index, all));
            if let Some(way) = way.map(|way| self.ranked(way))
                && way.rank < best.rank
            {
                best = way;
            }
        }
        best
    }

    fn predicate_holds(&self, index: &Index) -> bool {
        let Some(predicate) = &index.predicate else { return true };
        let mut parts = Vec::new();
        at_slot(predicate, self.slot).conjuncts(&mut parts);
        parts.iter().all(|part| self.conditions.contains(part))
    }

    /// The entries whose first columns equal something, and whose next one is in a list or a range.
    fn narrowing(&self, index: &Index, all: f64) -> Option<Way> {
        let keys: Vec<Expr> = index.keys.iter().map(|key| at_slot(key, self.slot)).collect();
        let (equal, mut used) = self.equal_prefix(&keys);
        let is_unique = |columns: usize| index.unique && columns == keys.len();
        let rows = cost::equal_rows(all, equal.len(), is_unique(equal.len()));
        let number = index.number;
        let mut range = KeyRange::default();
        if let Some(key) = keys.get(equal.len()) {
            if let Some((condition, list)) = self.key_list(key) {
                let rows = cost::key_list_rows(&list, rows, is_unique(equal.len() + 1));
                used.push(condition);
                return Some(Way { access: Access::Keys { number, equal, keys: list }, used, rows, rank: rows });
            }
            range = self.range(key);
        }
        let KeyRange { low, high, used: bounding } = range;
        if equal.is_empty() && bounding.is_empty() {
            return None;
        }
        let rows = cost::range_rows(rows, low.is_some(), high.is_some());
        used.extend(bounding);
        Some(Way { access: Access::Index { number, equal, low, high, backward: false }, used, rows, rank: rows })
    }

    /// All entries: for their order, or because the index has only rows that are wanted.
    fn whole(&self, index: &Index, all: f64) -> Option<Way> {
        let access = whole_index(index.number);
        if self.wanted.first_rows && gives_order(self.table, self.slot, &access, self.wanted.order).is_some() {
            return Some(Way { access, used: Vec::new(), rows: all, rank: cost::rank_for_order(all) });
        }
        index.predicate.as_ref()?;
        let rows = self.store.index(self.table.id, index.number).size() as f64;
        Some(Way { access, used: Vec::new(), rows, rank: rows })
    }

    fn ranked(&self, way: Way) -> Way {
        let in_order =
            self.wanted.first_rows && gives_order(self.table, self.slot, &way.access, self.wanted.order).is_some();
        if in_order { Way { rank: cost::rank_in_order(way.rank), ..way } } else { way }
    }

    /// Whether it can be computed before the table is read.
    fn is_known(&self, value: &Expr) -> bool {
        !value.slots().meets(self.unknown) && !value.is_volatile()
    }

    fn equal_prefix(&self, keys: &[Expr]) -> (Vec<Expr>, Vec<usize>) {
        let equal_to = |key: &Expr| {
            self.conditions.iter().enumerate().find_map(|(number, condition)| {
                let (op, value) = comparison_with(condition, key)?;
                (op == Comparison::Equal && self.is_known(value)).then(|| (value.clone(), number))
            })
        };
        keys.iter().map_while(equal_to).unzip()
    }

    fn key_list(&self, key: &Expr) -> Option<(usize, KeyList)> {
        self.conditions.iter().enumerate().find_map(|(number, condition)| {
            let list = key_list(condition, key)?;
            let is_known = match &list {
                KeyList::Listed(values) => values.iter().all(|value| self.is_known(value)),
                KeyList::Array(array) => self.is_known(array),
                KeyList::Rows(subquery) => subquery.outer.is_empty(),
            };
            is_known.then_some((number, list))
        })
    }

    fn range(&self, key: &Expr) -> KeyRange {
        let mut range = KeyRange::default();
        for (number, condition) in self.conditions.iter().enumerate() {
            let Some((op, value)) = comparison_with(condition, key).filter(|(_, value)| self.is_known(value)) else {
                continue;
            };
            let (side, included) = match op {
                Comparison::Greater | Comparison::GreaterEqual => (&mut range.low, op == Comparison::GreaterEqual),
                Comparison::Less | Comparison::LessEqual => (&mut range.high, op == Comparison::LessEqual),
                Comparison::Equal | Comparison::NotEqual => continue,
            };
            if side.is_none() {
                *side = Some((value.clone(), included));
                range.used.push(number);
            }
        }
        range
    }
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
