//! DELETE.

use crate::sql::error::Result;
use crate::sql::parser::ast;
use crate::sql::plan::{BoundWrite, BoundWriteKind};

use super::Binder;
use super::target::{Target, TargetClauses};

impl Binder<'_> {
    pub fn delete(&mut self, delete: &ast::Delete) -> Result<BoundWrite> {
        let target = self.open_target("DELETE", &delete.table, delete.alias.as_ref())?;
        let others = self.more_sources(&delete.using)?;
        let clauses = TargetClauses { selection: delete.selection.as_ref(), returning: delete.returning.as_deref() };
        let (found, returning) = self.found(&target, others, clauses)?;
        self.close_scope();
        let Target { table, .. } = target;
        Ok(BoundWrite { table, kind: BoundWriteKind::Delete { found }, returning })
    }
}
