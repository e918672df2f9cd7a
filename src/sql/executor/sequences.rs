//! Sequences: CREATE SEQUENCE and DROP SEQUENCE, and what nextval and setval do.

use std::cell::Cell;
use std::rc::Rc;

use crate::sql::binder::{relation_name, type_of};
use crate::sql::catalog::{Sequence, Table};
use crate::sql::error::{Result, fail};
use crate::sql::executor::Context;
use crate::sql::functions::sequence::NEXTVAL;
use crate::sql::parser::ast;
use crate::sql::plan::Expr;
use crate::sql::types::Type;
use crate::trace::{SqlError, Value};

impl Sequence {
    /// As it was when it was made, in the place of this one: a rollback brings this one back with its numbers.
    pub fn restarted(&self) -> Sequence {
        Sequence { last: Cell::new(self.start), called: Cell::new(false), ..self.clone() }
    }
}

impl Context<'_> {
    pub fn create_sequence(&mut self, create: &ast::CreateSequence) -> Result<String> {
        let name = relation_name(&create.name)?;
        let temporary = create.temporary.then_some(self.session);
        if self.engine.catalog.has_relation(&name, temporary) {
            return self.already_there(&name, create.if_not_exists, "CREATE SEQUENCE");
        }
        let own = create.options.iter().find_map(|option| match option {
            ast::SequenceOption::As(data_type) => Some(type_of(data_type)),
            _ => None,
        });
        let ty = own.unwrap_or(Ok(Type::Int8))?;
        if !matches!(ty, Type::Int2 | Type::Int4 | Type::Int8) {
            return fail("22023", "sequence type must be smallint, integer, or bigint");
        }
        let mut sequence = sequence_with(name, &ty, &create.options)?;
        sequence.temporary = temporary;
        for option in &create.options {
            if let ast::SequenceOption::OwnedBy(Some(owner)) = option
                && let [table @ .., _] = owner.0.as_slice()
                && !table.is_empty()
            {
                let table = relation_name(&ast::ObjectName(table.to_vec()))?;
                sequence.owner = Some(self.engine.catalog.existing(&table)?.id);
            }
        }
        self.engine.catalog.put_sequence(sequence);
        Ok("CREATE SEQUENCE".to_owned())
    }

    /// Not while a column takes its default from it.
    pub fn drop_sequence(&mut self, name: &str, cascade: bool) -> Result<()> {
        let sequence = self.engine.catalog.sequence(name)?.clone();
        let own = sequence.temporary.map(|session| self.engine.catalog.temporary_tables(session));
        let tables = self.engine.catalog.tables().chain(own.into_iter().flatten());
        let users: Vec<Rc<Table>> = tables.filter(|table| uses(table, name).next().is_some()).cloned().collect();
        for table in users {
            let columns: Vec<usize> = uses(&table, name).collect();
            for number in columns {
                let column = &table.columns[number];
                let of = format!("column {} of table {}", column.name, table.name);
                if column.identity.is_some() {
                    let mut error =
                        SqlError::new("2BP01", format!("cannot drop sequence {name} because {of} requires it"));
                    error.hint = Some(format!("You can drop {of} instead."));
                    return Err(error.into());
                }
                if !cascade {
                    let message = format!("cannot drop sequence {name} because other objects depend on it");
                    let mut error = SqlError::new("2BP01", message);
                    error.detail = Some(format!("default value for {of} depends on sequence {name}"));
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

    pub fn next_value(&mut self, name: &str) -> Result<Value> {
        let sequence = self.sequence_to_write(name, "nextval")?;
        let value = sequence.next()?;
        self.engine.remember_sequence(self.session, &sequence.name, value);
        Ok(Value::Int(value))
    }

    pub fn set_value(&mut self, name: &str, value: i64, called: bool) -> Result<Value> {
        let sequence = self.sequence_to_write(name, "setval")?;
        if !(sequence.min..=sequence.max).contains(&value) {
            return fail(
                "22003",
                format!(
                    "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                    sequence.name, sequence.min, sequence.max
                ),
            );
        }
        sequence.last.set(value);
        sequence.called.set(called);
        Ok(Value::Int(value))
    }

    fn sequence_to_write(&self, name: &str, function: &str) -> Result<Rc<Sequence>> {
        let sequence = self.engine.catalog.sequence(name)?;
        if self.read_only && sequence.temporary.is_none() {
            return fail("25006", format!("cannot execute {function}() in a read-only transaction"));
        }
        Ok(sequence.clone())
    }
}

/// Columns whose default calls nextval for the sequence.
fn uses<'t>(table: &'t Table, sequence: &'t str) -> impl Iterator<Item = usize> + 't {
    let calls = move |default: &Expr| {
        default.any(&|expr| match expr {
            Expr::Call { function, arguments } if function.name == NEXTVAL => {
                matches!(arguments.as_slice(), [Expr::Const(Value::Text(name))] if &**name == sequence)
            }
            _ => false,
        })
    };
    table.live_columns().filter(move |(_, column)| column.default.as_ref().is_some_and(calls)).map(|(number, _)| number)
}

pub fn sequence_with(name: Rc<str>, ty: &Type, options: &[ast::SequenceOption]) -> Result<Sequence> {
    let most = match ty {
        Type::Int2 => i64::from(i16::MAX),
        Type::Int4 => i64::from(i32::MAX),
        _ => i64::MAX,
    };
    let (mut increment, mut start, mut min, mut max, mut cycle) = (1, None, None, None, false);
    for option in options {
        match option {
            ast::SequenceOption::IncrementBy(step) => increment = *step,
            ast::SequenceOption::StartWith(number) => start = Some(*number),
            ast::SequenceOption::MinValue(least) => min = *least,
            ast::SequenceOption::MaxValue(most) => max = *most,
            ast::SequenceOption::Cache(cache) if *cache < 1 => {
                return fail("22023", format!("CACHE ({cache}) must be greater than zero"));
            }
            ast::SequenceOption::Cycle(on) => cycle = *on,
            ast::SequenceOption::Cache(_) | ast::SequenceOption::As(_) | ast::SequenceOption::OwnedBy(_) => {}
        }
    }
    if increment == 0 {
        return fail("22023", "INCREMENT must not be zero");
    }
    let ascending = increment > 0;
    let max = max.unwrap_or(if ascending { most } else { -1 });
    let min = min.unwrap_or(if ascending { 1 } else { -most - 1 });
    let start = start.unwrap_or(if ascending { min } else { max });
    check_range(ty, most, (min, max), start)?;
    Ok(Sequence {
        name,
        last: Cell::new(start),
        called: Cell::new(false),
        start,
        increment,
        min,
        max,
        cycle,
        owner: None,
        temporary: None,
    })
}

fn check_range(ty: &Type, most: i64, (min, max): (i64, i64), start: i64) -> Result<()> {
    let ty = ty.name();
    let wrong = if !(-most - 1..=most).contains(&max) {
        format!("MAXVALUE ({max}) is out of range for sequence data type {ty}")
    } else if !(-most - 1..=most).contains(&min) {
        format!("MINVALUE ({min}) is out of range for sequence data type {ty}")
    } else if min >= max {
        format!("MINVALUE ({min}) must be less than MAXVALUE ({max})")
    } else if start < min {
        format!("START value ({start}) cannot be less than MINVALUE ({min})")
    } else if start > max {
        format!("START value ({start}) cannot be greater than MAXVALUE ({max})")
    } else {
        return Ok(());
    };
    fail("22023", wrong)
}
