//! Tables: rows and their indexes, and what SERIALIZABLE must know of reads and writes.

use smallvec::SmallVec;

use crate::trace::{LockStrength, SessionId, Value, Xid};

use super::transactions::Undo;
use super::{
    Chain, CommitSeq, IndexData, Key, Predicate, Row, RowId, SerializationFailure, Snapshot, Store, TableId, Version,
};

#[derive(Default)]
pub struct TableData {
    pub(super) chains: Vec<Chain>,
    pub(super) free: Vec<RowId>,
    pub indexes: Vec<Option<IndexData>>,
}

impl TableData {
    /// One past the highest row id in use.
    pub fn row_end(&self) -> u32 {
        self.chains.len() as u32
    }

    /// Rows there are, for estimates: deleted ones count until they are pruned.
    pub fn row_count(&self) -> usize {
        self.chains.len() - self.free.len()
    }

    pub fn chain(&self, row: RowId) -> &Chain {
        &self.chains[row.0 as usize]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProbe {
    Free,
    Taken(RowId),
    /// A running transaction decides whether the key is taken.
    Undecided(RowId, Xid),
}

/// A version beside its values, with its place in an index.
const VERSION: usize = 128;

pub(super) fn version_bytes(row: Option<&Row>) -> usize {
    let long = |value: &Value| match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(elements) => size_of_val(&**elements),
        _ => 0,
    };
    row.map_or(0, |row| VERSION + size_of_val(&**row) + row.iter().map(long).sum::<usize>())
}

impl Store {
    // Tables and indexes

    pub fn create_table(&mut self, session: SessionId) -> TableId {
        self.assign_xid(session);
        let table = TableId(self.tables.len() as u32);
        self.tables.push(TableData::default());
        self.locks.add_table();
        self.transaction_mut(session).undo.push(Undo::Created { table });
        table
    }

    /// For a table whose dropping is committed.
    pub fn discard_table(&mut self, table: TableId) {
        self.tables[table.0 as usize] = TableData::default();
    }

    pub fn table(&self, table: TableId) -> &TableData {
        &self.tables[table.0 as usize]
    }

    /// Adds an index over the rows there are. The caller sees to it that keys of a unique index differ.
    pub fn create_index(&mut self, session: SessionId, table: TableId, mut index: IndexData) -> usize {
        self.assign_xid(session);
        let target = &mut self.tables[table.0 as usize];
        for (row, chain) in target.chains.iter().enumerate() {
            for version in chain.versions() {
                if let Some(key) = version.row.as_ref().and_then(|row| index.key(row)) {
                    index.insert(key, RowId(row as u32));
                }
            }
        }
        let number = target.indexes.len();
        target.indexes.push(Some(index));
        self.transaction_mut(session).undo.push(Undo::Indexed { table, index: number });
        number
    }

    pub fn drop_index(&mut self, table: TableId, index: usize) {
        self.tables[table.0 as usize].indexes[index] = None;
    }

    pub fn index(&self, table: TableId, index: usize) -> &IndexData {
        self.tables[table.0 as usize].indexes[index].as_ref().expect("an index of this table")
    }

    /// Rewrites every version of every row, for a table whose columns change while nobody else can use it.
    pub fn rewrite(&mut self, table: TableId, mut change: impl FnMut(&Row) -> Row) {
        for chain in &mut self.tables[table.0 as usize].chains {
            chain.rewrite(&mut change);
        }
    }

    // Rows

    pub fn insert(&mut self, session: SessionId, table: TableId, row: Row) -> RowId {
        let xid = self.assign_xid(session);
        let command = self.transaction(session).command;
        self.bytes += version_bytes(Some(&row));
        let version = Version { row: Some(row), xid, command, commit_seq: CommitSeq::RUNNING, exclusive: false };
        let target = &mut self.tables[table.0 as usize];
        let id = match target.free.pop() {
            Some(id) => {
                target.chains[id.0 as usize] = Chain::new(version);
                id
            }
            None => {
                target.chains.push(Chain::new(version));
                RowId(target.chains.len() as u32 - 1)
            }
        };
        self.transaction_mut(session).undo.push(Undo::Written { table, row: id });
        id
    }

    /// Puts a new version on top of a row the transaction has locked; `None` deletes it.
    pub fn write(&mut self, session: SessionId, table: TableId, row: RowId, new: Option<Row>) {
        let xid = self.assign_xid(session);
        let command = self.transaction(session).command;
        self.bytes += version_bytes(new.as_ref());
        let chain = &mut self.tables[table.0 as usize].chains[row.0 as usize];
        let exclusive = chain.mark_of(xid) == Some(LockStrength::Update);
        chain.push(Version { row: new, xid, command, commit_seq: CommitSeq::RUNNING, exclusive });
        self.transaction_mut(session).undo.push(Undo::Written { table, row });
    }

    pub fn insert_key(&mut self, table: TableId, index: usize, key: Key, row: RowId) {
        self.tables[table.0 as usize].indexes[index].as_mut().expect("an index of this table").insert(key, row);
    }

    /// The command number of the running statement.
    pub fn command(&self, session: SessionId) -> u32 {
        self.transaction(session).command
    }

    /// Whether another row than `own` has this key of a unique index, now or perhaps.
    pub fn probe_key(
        &self,
        session: SessionId,
        table: TableId,
        index: usize,
        key: &Key,
        own: Option<RowId>,
    ) -> KeyProbe {
        let me = self.xid(session);
        let target = &self.tables[table.0 as usize];
        let index = target.indexes[index].as_ref().expect("an index of this table");
        let mut rows: SmallVec<[RowId; 4]> = SmallVec::new();
        index.rows_with(key, &mut rows);
        for row in rows {
            if Some(row) == own {
                continue;
            }
            let chain = &target.chains[row.0 as usize];
            let newest = chain.newest();
            let has_key =
                |version: &Version| version.row.as_ref().is_some_and(|row| index.key(row).as_ref() == Some(key));
            if newest.commit_seq == CommitSeq::RUNNING && Some(newest.xid) != me {
                let before = chain.newest_committed();
                if chain.versions().take_while(|version| version.commit_seq == CommitSeq::RUNNING).any(has_key)
                    || before.is_some_and(has_key)
                {
                    return KeyProbe::Undecided(row, newest.xid);
                }
            } else if has_key(newest) {
                return KeyProbe::Taken(row);
            }
        }
        KeyProbe::Free
    }

    // Reads and writes as SERIALIZABLE must know them

    pub fn is_serializable(&self, session: SessionId) -> bool {
        self.ssi.tracks(session)
    }

    /// The session looked at a row: it read the version its snapshot shows, and read around newer ones.
    pub fn note_read(
        &mut self,
        session: SessionId,
        table: TableId,
        row: RowId,
        snapshot: &Snapshot,
    ) -> Result<(), SerializationFailure> {
        let mut writers: SmallVec<[Xid; 4]> = SmallVec::new();
        let chain = &self.tables[table.0 as usize].chains[row.0 as usize];
        for version in chain.versions() {
            if snapshot.sees(version) {
                if version.row.is_some() && Some(version.xid) != snapshot.own {
                    self.ssi.read_row(session, table, row, version.xid);
                }
                break;
            }
            if Some(version.xid) != snapshot.own {
                writers.push(version.xid);
            }
        }
        for writer in writers {
            self.ssi.read_around(session, writer)?;
        }
        Ok(())
    }

    pub fn note_search(&mut self, session: SessionId, table: TableId, predicate: Predicate) {
        self.ssi.read_predicate(session, table, predicate);
    }

    /// The session wrote a row over another's version (none for a new row) and made these index entries.
    pub fn note_write(
        &mut self,
        session: SessionId,
        table: TableId,
        row: RowId,
        over: Option<Xid>,
        new: &[(usize, Key)],
    ) -> Result<(), SerializationFailure> {
        self.ssi.wrote(session, table, row, over, new)
    }

    pub fn check_doomed(&self, session: SessionId) -> Result<(), SerializationFailure> {
        self.ssi.check(session)
    }
}

/// Takes out the index entries of a version that is gone, unless another version of the row has the same key.
pub(super) fn unindex(chains: &[Chain], indexes: &mut [Option<IndexData>], row: RowId, gone: &Row) {
    let chain = &chains[row.0 as usize];
    for index in indexes.iter_mut().flatten() {
        let Some(key) = index.key(gone) else { continue };
        let kept = chain
            .versions()
            .filter_map(|version| version.row.as_ref())
            .any(|kept| index.key(kept).as_ref() == Some(&key));
        if !kept {
            index.remove(key, row);
        }
    }
}
