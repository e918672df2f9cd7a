//! UPDATE, and SET as ON CONFLICT has it too.

use crate::sql::catalog::{Identity, Table};
use crate::sql::error::{Result, fail};
use crate::sql::parser::ast;
use crate::sql::plan::{Assignment, BoundWrite, BoundWriteKind};

use super::Binder;
use super::target::{Target, TargetClauses, assigned, is_default, own_default};

impl Binder<'_> {
    pub fn update(&mut self, update: &ast::Update) -> Result<BoundWrite> {
        let target = self.open_target("UPDATE", &update.table, update.alias.as_ref())?;
        let others = self.more_sources(&update.from)?;
        let set = self.assignments(&target.table, &update.assignments)?;
        let clauses = TargetClauses { selection: update.selection.as_ref(), returning: update.returning.as_deref() };
        let (found, returning) = self.found(&target, others, clauses)?;
        self.close_scope();
        let Target { table, .. } = target;
        Ok(BoundWrite { table, kind: BoundWriteKind::Update { found, set }, returning })
    }

    pub(super) fn assignments(&mut self, table: &Table, assignments: &[ast::Assignment]) -> Result<Vec<Assignment>> {
        let mut set = Vec::new();
        for assignment in assignments {
            match assignment {
                ast::Assignment::Column { column, value } => self.add_assignment(table, column, value, &mut set)?,
                ast::Assignment::Row { columns, values } => {
                    if columns.len() != values.len() {
                        return fail("42601", "number of columns does not match number of values");
                    }
                    for (column, value) in columns.iter().zip(values) {
                        self.add_assignment(table, column, value, &mut set)?;
                    }
                }
            }
        }
        Ok(set)
    }

    fn add_assignment(
        &mut self,
        table: &Table,
        name: &ast::ObjectName,
        value: &ast::Expr,
        set: &mut Vec<Assignment>,
    ) -> Result<()> {
        let column_name = name.0.last().map(|last| last.name.clone()).unwrap_or_default();
        let Some(number) = table.column(&column_name).filter(|_| name.0.len() == 1) else {
            return fail("42703", format!("column \"{column_name}\" of relation \"{}\" does not exist", table.name));
        };
        if set.iter().any(|other| other.column == number) {
            return fail("42601", format!("multiple assignments to same column \"{column_name}\""));
        }
        let column = &table.columns[number];
        if is_default(value) {
            set.push(Assignment { column: number, value: own_default(column) });
            return Ok(());
        }
        if column.generated.is_some() || column.identity == Some(Identity::Always) {
            return fail("428C9", format!("column \"{column_name}\" can only be updated to DEFAULT"));
        }
        let bound = self.expr(value)?;
        let mut value = assigned(column, bound)?;
        self.folder.fold(&mut value);
        set.push(Assignment { column: number, value });
        Ok(())
    }
}
