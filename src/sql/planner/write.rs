//! How the rows of a writing statement are found.

use crate::sql::plan::{
    BoundBody, BoundQuery, BoundRows, BoundWrite, BoundWriteKind, InsertRows, Recheck, TargetRows, WriteKind, WritePlan,
};

use super::order::WantedOrder;
use super::{Planner, cost};

impl Planner<'_> {
    pub fn write(&mut self, bound: BoundWrite) -> WritePlan {
        let BoundWrite { table, kind, returning } = bound;
        let (kind, estimate) = match kind {
            BoundWriteKind::Insert { rows, conflict } => {
                let rows = self.insert_rows(rows);
                let estimate = match &rows {
                    InsertRows::Listed { stage, .. } => stage.estimate,
                    InsertRows::Queried { query, .. } => query.estimate(),
                };
                (WriteKind::Insert { rows, conflict }, estimate)
            }
            BoundWriteKind::Update { found, set } => {
                let found = self.found(found);
                let estimate = found.node.estimate;
                (WriteKind::Update { found, set }, estimate)
            }
            BoundWriteKind::Delete { found } => {
                let found = self.found(found);
                let estimate = found.node.estimate;
                (WriteKind::Delete { found }, estimate)
            }
        };
        WritePlan { table, kind, returning, stage: self.stage(cost::write(estimate)) }
    }

    fn insert_rows(&mut self, rows: BoundRows) -> InsertRows {
        match rows {
            BoundRows::Listed(rows) => {
                let stage = self.stage(cost::values(rows.len()));
                InsertRows::Listed { rows, stage }
            }
            BoundRows::Queried { query, slot, columns } => {
                InsertRows::Queried { query: self.query(query), slot, columns }
            }
        }
    }

    fn found(&mut self, bound: BoundQuery) -> TargetRows {
        let BoundBody::Select(select) = bound.body else { unreachable!("rows to be written are found by a SELECT") };
        let recheck = Recheck::new(&select.conditions, &select.sources, &self.parts.subqueries);
        let planned = self.from(select.sources, select.conditions, WantedOrder::NOTHING);
        TargetRows { node: planned.node, slots: select.slots, recheck }
    }
}
