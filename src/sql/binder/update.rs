//! UPDATE, and SET as ON CONFLICT has it too.

use crate::sql::catalog::{Identity, Table};
use crate::sql::error::{Result, error, fail};
use crate::sql::parser::ast;
use crate::sql::plan::{Assignment, BoundWrite, BoundWriteKind};

use super::target::{Target, TargetClauses, assigned, is_default, own_default};
use super::{Binder, Typed};

type GivenValue<'q> = (&'q ast::ObjectName, Option<Typed>);

impl Binder<'_> {
    pub fn update(&mut self, update: &ast::Update) -> Result<BoundWrite> {
        let target = self.open_target("UPDATE", &update.table, update.alias.as_ref())?;
        let others = self.more_sources(&update.from)?;
        let given = self.given_values(&update.assignments)?;
        let clauses = TargetClauses { selection: update.selection.as_ref(), returning: update.returning.as_deref() };
        let (found, returning) = self.found(&target, others, clauses)?;
        self.close_scope();
        // A column that is not there, or has another type, is told after all that is wrong with WHERE and RETURNING; a value that
        // cannot be computed before.
        let failure = self.folder.failure.take();
        let set = self.assignments(&target.table, given)?;
        self.folder.failure = self.folder.failure.take().or(failure);
        let Target { table, .. } = target;
        Ok(BoundWrite { table, kind: BoundWriteKind::Update { found, set }, returning })
    }

    /// The values that SET names; `None` stands for DEFAULT.
    pub(super) fn given_values<'q>(&mut self, assignments: &'q [ast::Assignment]) -> Result<Vec<GivenValue<'q>>> {
        let mut given = Vec::new();
        for assignment in assignments {
            let (columns, values) = match assignment {
                ast::Assignment::Column { column, value } => {
                    (std::slice::from_ref(column), std::slice::from_ref(value))
                }
                ast::Assignment::Row { columns, values } => (columns.as_slice(), values.as_slice()),
            };
            if columns.len() != values.len() {
                return fail("42601", "number of columns does not match number of values");
            }
            for (column, value) in columns.iter().zip(values) {
                given.push((column, if is_default(value) { None } else { Some(self.expr(value)?) }));
            }
        }
        Ok(given)
    }

    pub(super) fn assignments(&mut self, table: &Table, given: Vec<GivenValue>) -> Result<Vec<Assignment>> {
        let mut set: Vec<Assignment> = Vec::new();
        for (name, value) in given {
            let column_name = name.0.last().map(|last| last.name.clone()).unwrap_or_default();
            let Some(number) = table.column(&column_name).filter(|_| name.0.len() == 1) else {
                let message = format!("column \"{column_name}\" of relation \"{}\" does not exist", table.name);
                return Err(error("42703", message).at(name.begin().0));
            };
            if set.iter().any(|other| other.column == number) {
                return fail("42601", format!("multiple assignments to same column \"{column_name}\""));
            }
            let column = &table.columns[number];
            let value = match value {
                None => own_default(column),
                Some(_) if column.generated.is_some() || column.identity == Some(Identity::Always) => {
                    return fail("428C9", format!("column \"{column_name}\" can only be updated to DEFAULT"));
                }
                Some(bound) => {
                    let mut value = assigned(column, bound)?;
                    self.folder.fold(&mut value);
                    value
                }
            };
            set.push(Assignment { column: number, value });
        }
        Ok(set)
    }
}
