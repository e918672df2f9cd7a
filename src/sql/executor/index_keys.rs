//! The keys of indexes, computed from a row and nothing else.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::error::Result;
use crate::sql::expr::{Expr, OneRow, eval, holds};
use crate::store::{Key, KeySource, Row};

/// Plain columns are read off the row; expressions and predicates are computed. What cannot be computed is never written: the
/// statement has failed before (`check_computed_keys`).
pub fn key_source(keys: &[Expr], predicate: Option<&Expr>) -> KeySource {
    let plain: Option<smallvec::SmallVec<[u16; 2]>> =
        keys.iter().map(|key| if let Expr::Column { column, .. } = key { Some(*column) } else { None }).collect();
    if let (Some(columns), None) = (plain, predicate) {
        return KeySource::Columns(columns);
    }
    let (columns, keys, predicate) = (keys.len(), keys.to_vec(), predicate.cloned());
    let key = Rc::new(move |row: &Row| computed_key(&keys, predicate.as_ref(), row).ok().flatten());
    KeySource::Computed { columns, key }
}

/// `None`: the row is not in the index.
pub fn computed_key(keys: &[Expr], predicate: Option<&Expr>, row: &Row) -> Result<Option<Key>> {
    let mut env = OneRow::new(row);
    if let Some(predicate) = predicate
        && !holds(predicate, &mut env)?
    {
        return Ok(None);
    }
    keys.iter().map(|key| eval(key, &mut env)).collect::<Result<_>>().map(|values| Some(Key(values)))
}

/// Fails where an index of the table is over something that cannot be computed for the row.
pub fn check_computed_keys(table: &Table, row: &Row) -> Result<()> {
    let mut computed = table.indexes.iter().filter(|index| index.is_computed());
    computed.try_for_each(|index| computed_key(&index.keys, index.predicate.as_ref(), row).map(drop))
}
