//! Read/write dependencies among SERIALIZABLE transactions.

use crate::trace::{SessionId, Xid};

use super::{Bounds, Key, RowId, TableId};

/// What a search read besides the rows it found: whoever adds a row there conflicts with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    Table,
    Range { index: usize, bounds: Bounds, columns: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerializationFailure;

#[derive(Default)]
pub struct Conflicts {}

impl Conflicts {
    pub fn begin(&mut self, _session: SessionId, _read_only: bool) {}
    pub fn assign(&mut self, _session: SessionId, _xid: Xid) {}
    pub fn tracks(&self, _session: SessionId) -> bool {
        false
    }
    pub fn read_row(&mut self, _session: SessionId, _table: TableId, _row: RowId) {}
    pub fn read_around(&mut self, _session: SessionId, _writer: Xid) -> Result<(), SerializationFailure> {
        Ok(())
    }
    pub fn read_predicate(
        &mut self,
        _session: SessionId,
        _table: TableId,
        _predicate: Predicate,
    ) -> Result<(), SerializationFailure> {
        Ok(())
    }
    pub fn wrote(
        &mut self,
        _session: SessionId,
        _table: TableId,
        _row: RowId,
        _inserted: bool,
        _new: &[(usize, Key)],
    ) -> Result<(), SerializationFailure> {
        Ok(())
    }
    pub fn check(&self, _session: SessionId) -> Result<(), SerializationFailure> {
        Ok(())
    }
    pub fn before_commit(&mut self, _session: SessionId) -> Result<(), SerializationFailure> {
        Ok(())
    }
    pub fn committed(&mut self, _session: SessionId) {}
    pub fn abort(&mut self, _session: SessionId) {}
}
