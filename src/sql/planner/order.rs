//! The order in which an index gives a table's rows.

use crate::sql::catalog::{self, Table};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::plan::{Access, SortKey, Source};

use super::access::{at_slot, whole_index};

/// The order a query wants, if plain columns give it, and whether it wants only the first rows.
#[derive(Clone, Copy)]
pub struct WantedOrder<'a> {
    pub order: &'a [SortKey],
    pub first_rows: bool,
}

impl WantedOrder<'_> {
    pub const NOTHING: WantedOrder<'static> = WantedOrder { order: &[], first_rows: false };
}

/// Whether an access gives rows in this order, and if so whether it must be read backward.
pub fn gives_order(table: &Table, slot: u16, access: &Access, order: &[SortKey]) -> Option<bool> {
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
        let by = key.expr()?;
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

/// Whether no two rows have the same key: of NULL there may be many.
fn never_null(table: &Table, index: &catalog::Index) -> bool {
    index.key_columns().is_some_and(|columns| columns.iter().all(|column| table.columns[*column].not_null))
}

/// The source whose rows an index of all of them gives in the order.
pub fn first_in_order(sources: &[Source], order: &[SortKey]) -> Option<usize> {
    let Expr::Column { slot: wanted, .. } = order.first()?.expr()? else { return None };
    sources.iter().position(|source| match source {
        Source::Table { table, slot, .. } if slot == wanted => {
            let mut indexes = table.indexes.iter().filter(|index| index.predicate.is_none());
            indexes.any(|index| gives_order(table, *slot, &whole_index(index.number), order).is_some())
        }
        _ => false,
    })
}
