//! CREATE SEQUENCE and DROP SEQUENCE.

use std::rc::Rc;

use crate::sql::binder::defined_name;
use crate::sql::catalog::Table;
use crate::sql::catalog::sequence_name::quoted;
use crate::sql::error::Result;
use crate::sql::executor::Context;
use crate::sql::expr::Expr;
use crate::sql::functions::sequence::NEXTVAL;
use crate::sql::parser::ast;
use crate::trace::{SqlError, Value};

impl Context<'_> {
    pub(super) fn create_sequence(&mut self, create: &ast::CreateSequence) -> Result<()> {
        let name = defined_name(&create.name)?;
        let temporary = create.temporary.then_some(self.session);
        if self.engine.catalog.has_relation(&name, temporary) {
            return self.already_there(&name, create.if_not_exists);
        }
        let sequence = self.binder().sequence(create, temporary.is_some())?;
        self.engine.catalog.put_sequence(sequence.named(name, temporary));
        Ok(())
    }

    /// Not while a column takes its default from it.
    pub(super) fn drop_sequence(&mut self, name: &str, cascade: bool) -> Result<()> {
        let sequence = self.engine.catalog.sequence(name).expect("seen before it is dropped").clone();
        let own = sequence.temporary.map(|session| self.engine.catalog.temporary_tables(session));
        let tables = self.engine.catalog.tables().chain(own.into_iter().flatten());
        let users: Vec<Rc<Table>> = tables.filter(|table| uses(table, name).next().is_some()).cloned().collect();
        let shown = quoted(name);
        for table in users {
            let columns: Vec<usize> = uses(&table, name).collect();
            for number in columns {
                let column = &table.columns[number];
                let of = format!("column {} of table {}", column.name, quoted(&table.name));
                if column.identity.is_some() {
                    let mut error =
                        SqlError::new("2BP01", format!("cannot drop sequence {shown} because {of} requires it"));
                    error.hint = Some(format!("You can drop {of} instead."));
                    return Err(error.into());
                }
                if !cascade {
                    let message = format!("cannot drop sequence {shown} because other objects depend on it");
                    let mut error = SqlError::new("2BP01", message);
                    error.detail = Some(format!("default value for {of} depends on sequence {shown}"));
                    error.hint = Some("Use DROP ... CASCADE to drop the dependent objects too.".to_owned());
                    return Err(error.into());
                }
                self.notice("NOTICE", "00000", format!("drop cascades to default value for {of}"));
                self.engine.catalog.change(table.id, |table| table.columns[number].default = None);
            }
        }
        self.engine.catalog.remove_sequence(&sequence);
        Ok(())
    }
}

/// Columns whose default calls nextval for the sequence.
fn uses<'t>(table: &'t Table, sequence: &str) -> impl Iterator<Item = usize> + 't {
    let sequence = quoted(sequence);
    let calls = move |default: &Expr| {
        default.any(&|expr| match expr {
            Expr::Call { function, arguments } if function.name == NEXTVAL => {
                matches!(arguments.as_slice(), [Expr::Const(Value::Text(name))] if **name == sequence)
            }
            _ => false,
        })
    };
    table
        .live_columns()
        .filter(move |(_, column)| column.default.as_ref().is_some_and(&calls))
        .map(|(number, _)| number)
}
