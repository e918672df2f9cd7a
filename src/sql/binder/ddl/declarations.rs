//! What the constraints of one column say together: some contradict each other, whatever their expressions mean.

use crate::sql::error::{Result, fail};
use crate::sql::parser::ast::{self, ColumnConstraintKind};

/// What has been said so far of a column.
#[derive(Default)]
struct Declared {
    not_null: Option<bool>,
    default: bool,
    identity: bool,
    generated: bool,
}

/// In PostgreSQL's order: after each constraint it looks at all before it. SERIAL says NOT NULL and DEFAULT, after them all.
pub fn check_declarations(table: &str, column: &ast::ColumnDef, is_serial: bool) -> Result<()> {
    let mut declared = Declared::default();
    let mut told = column.constraints.iter().try_for_each(|constraint| declared.add(&constraint.kind));
    if is_serial {
        told = told.and_then(|()| declared.add_default()).and_then(|()| declared.add_null(true));
    }
    match told {
        Ok(()) => Ok(()),
        Err(what) => fail("42601", format!("{what} for column \"{}\" of table \"{table}\"", column.name.name)),
    }
}

impl Declared {
    fn add(&mut self, kind: &ColumnConstraintKind) -> Result<(), &'static str> {
        match kind {
            ColumnConstraintKind::Null => self.add_null(false),
            ColumnConstraintKind::NotNull => self.add_null(true),
            ColumnConstraintKind::Default(_) => self.add_default(),
            ColumnConstraintKind::Identity { .. } => {
                if std::mem::replace(&mut self.identity, true) {
                    return Err("multiple identity specifications");
                }
                self.add_null(true)?;
                self.check()
            }
            ColumnConstraintKind::Generated(_) => {
                if std::mem::replace(&mut self.generated, true) {
                    return Err("multiple generation clauses specified");
                }
                self.check()
            }
            ColumnConstraintKind::PrimaryKey
            | ColumnConstraintKind::Unique
            | ColumnConstraintKind::Check(_)
            | ColumnConstraintKind::References(_) => Ok(()),
        }
    }

    fn add_null(&mut self, not_null: bool) -> Result<(), &'static str> {
        match self.not_null.replace(not_null) {
            Some(before) if before != not_null => Err("conflicting NULL/NOT NULL declarations"),
            _ => Ok(()),
        }
    }

    fn add_default(&mut self) -> Result<(), &'static str> {
        if std::mem::replace(&mut self.default, true) {
            return Err("multiple default values specified");
        }
        self.check()
    }

    fn check(&self) -> Result<(), &'static str> {
        match (self.default, self.identity, self.generated) {
            (true, true, _) => Err("both default and identity specified"),
            (true, _, true) => Err("both default and generation expression specified"),
            (_, true, true) => Err("both identity and generation expression specified"),
            _ => Ok(()),
        }
    }
}
