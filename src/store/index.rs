//! Ordered indexes over all versions of a table's rows. An entry may lead to a version the reader does not see, or to one whose
//! key has changed since: readers compare the key of the version they see.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::rc::Rc;

use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::trace::Value;

use super::{Key, Row, RowId};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    pub key: Key,
    pub row: RowId,
}

/// What an index takes its keys from.
pub enum KeySource {
    Columns(SmallVec<[u16; 2]>),
    /// Expressions or a WHERE clause: whoever made the index computes the key, `None` for a row it leaves out.
    Computed {
        columns: usize,
        key: Rc<KeyOfRow>,
    },
}

/// The key that a row has in an index, if it stands there.
pub type KeyOfRow = dyn Fn(&Row) -> Option<Key>;

pub struct IndexData {
    source: KeySource,
    entries: BTreeSet<IndexEntry>,
    /// Of a unique index: one key is found in the same time however many there are. Keys with NULL may be many, and are left out.
    points: Option<HashTable<Point>>,
}

/// A key's hash and a row that has it.
struct Point {
    hash: u64,
    row: RowId,
}

/// A part of an index: equal leading columns, then a range of the next one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bounds {
    pub equal: SmallVec<[Value; 1]>,
    /// The value and whether it is included.
    pub low: Option<(Value, bool)>,
    pub high: Option<(Value, bool)>,
}

impl IndexData {
    pub fn new(source: KeySource, unique: bool) -> IndexData {
        IndexData { source, entries: BTreeSet::new(), points: unique.then(HashTable::new) }
    }

    pub fn columns(&self) -> usize {
        match &self.source {
            KeySource::Columns(columns) => columns.len(),
            KeySource::Computed { columns, .. } => *columns,
        }
    }

    pub fn size(&self) -> usize {
        self.entries.len()
    }

    pub fn key(&self, row: &Row) -> Option<Key> {
        match &self.source {
            KeySource::Columns(columns) => {
                Some(Key(columns.iter().map(|&column| row[column as usize].clone()).collect()))
            }
            KeySource::Computed { key, .. } => key(row),
        }
    }

    /// Whether a version read through an entry still has that entry's key.
    pub fn leads_to(&self, entry: &IndexEntry, row: &Row) -> bool {
        match &self.source {
            KeySource::Columns(columns) => columns
                .iter()
                .zip(&entry.key.0)
                .all(|(&column, value)| super::compare(&row[column as usize], value).is_eq()),
            KeySource::Computed { key, .. } => key(row).as_ref() == Some(&entry.key),
        }
    }

    pub(super) fn insert(&mut self, key: Key, row: RowId) {
        let hash = self.points.is_some().then(|| hash_of(&key)).flatten();
        let is_new = self.entries.insert(IndexEntry { key, row });
        if let (Some(points), Some(hash), true) = (&mut self.points, hash, is_new) {
            points.insert_unique(hash, Point { hash, row }, |point| point.hash);
        }
    }

    pub(super) fn remove(&mut self, key: Key, row: RowId) {
        if let (Some(points), Some(hash)) = (&mut self.points, hash_of(&key))
            && let Ok(point) = points.find_entry(hash, |point| point.hash == hash && point.row == row)
        {
            point.remove();
        }
        self.entries.remove(&IndexEntry { key, row });
    }

    pub(super) fn rows_with(&self, key: &Key, rows: &mut SmallVec<[RowId; 4]>) {
        if let Some(found) = self.rows_at(key) {
            rows.extend(found);
            return;
        }
        let first = IndexEntry { key: key.clone(), row: RowId(0) };
        rows.extend(self.entries.range(first..).take_while(|entry| entry.key == *key).map(|entry| entry.row));
    }

    /// Rows that have this key, or had it, in order; `None` where only the tree knows.
    fn rows_at(&self, key: &Key) -> Option<SmallVec<[RowId; 4]>> {
        let (points, hash) = (self.points.as_ref()?, hash_of(key)?);
        let here = points.iter_hash(hash).filter(|point| point.hash == hash);
        let mut rows: SmallVec<[RowId; 4]> = here.map(|point| point.row).collect();
        rows.sort_unstable();
        Some(rows)
    }

    /// Up to `limit` entries within the bounds, after the entry read last.
    pub fn read(
        &self,
        bounds: &Bounds,
        backward: bool,
        after: Option<&IndexEntry>,
        limit: usize,
        into: &mut Vec<IndexEntry>,
    ) {
        if after.is_none() && bounds.is_point(self.columns()) {
            let key = Key(bounds.equal.clone());
            if let Some(mut rows) = self.rows_at(&key) {
                if backward {
                    rows.reverse();
                }
                into.extend(rows.into_iter().take(limit).map(|row| IndexEntry { key: key.clone(), row }));
                return;
            }
        }
        let (mut low, mut high) = bounds.limits(self.columns());
        if let Some(after) = after {
            let edge = Bound::Excluded(after.clone());
            if backward { high = edge } else { low = edge }
        }
        if is_empty(&low, &high) {
            return;
        }
        let range = self.entries.range((low, high));
        if backward {
            into.extend(range.rev().take(limit).cloned());
        } else {
            into.extend(range.take(limit).cloned());
        }
    }

    /// How many entries lie within the bounds, counted to `limit`: for choosing between ways to read.
    pub fn count(&self, bounds: &Bounds, limit: usize) -> usize {
        let (low, high) = bounds.limits(self.columns());
        if is_empty(&low, &high) { 0 } else { self.entries.range((low, high)).take(limit).count() }
    }
}

impl Bounds {
    pub fn equal_to(key: &Key) -> Bounds {
        Bounds { equal: key.0.clone(), low: None, high: None }
    }

    /// Whether it is one key, no more.
    pub fn is_point(&self, columns: usize) -> bool {
        self.equal.len() == columns && self.low.is_none() && self.high.is_none()
    }

    pub fn contains(&self, key: &Key, columns: usize) -> bool {
        let (low, high) = self.limits(columns);
        let entry = IndexEntry { key: key.clone(), row: RowId(1) };
        std::ops::RangeBounds::contains(&(low, high), &entry)
    }

    /// A key that is shorter than the index's comes before all keys that begin with it; one filled with NULLs, which sort
    /// last, beyond the index's length comes after them.
    fn limits(&self, columns: usize) -> (Bound<IndexEntry>, Bound<IndexEntry>) {
        let before = |value: Option<&Value>| {
            let mut key = self.equal.clone();
            key.extend(value.cloned());
            IndexEntry { key: Key(key), row: RowId(0) }
        };
        let after = |value: Option<&Value>| {
            let mut key = self.equal.clone();
            key.extend(value.cloned());
            while key.len() <= columns {
                key.push(Value::Null);
            }
            IndexEntry { key: Key(key), row: RowId(u32::MAX) }
        };
        let low = match &self.low {
            None => Bound::Included(before(None)),
            Some((value, true)) => Bound::Included(before(Some(value))),
            Some((value, false)) => Bound::Excluded(after(Some(value))),
        };
        let high = match (&self.high, &self.low) {
            (Some((value, true)), _) => Bound::Included(after(Some(value))),
            (Some((value, false)), _) => Bound::Excluded(before(Some(value))),
            (None, Some(_)) => Bound::Excluded(before(Some(&Value::Null))),
            (None, None) => Bound::Included(after(None)),
        };
        (low, high)
    }
}

/// The same on every machine; of two keys out of four billion times four billion it may be one, and then readers tell them apart.
fn hash_of(key: &Key) -> Option<u64> {
    if key.has_null() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    Some(hasher.finish())
}

fn is_empty(low: &Bound<IndexEntry>, high: &Bound<IndexEntry>) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
        _ => false,
    }
}
