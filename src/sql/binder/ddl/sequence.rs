//! CREATE SEQUENCE, and the sequences of SERIAL and IDENTITY columns.

use std::cell::Cell;
use std::rc::Rc;

use crate::sql::binder::{Binder, Typed, assign, defined_name};
use crate::sql::catalog::Sequence;
use crate::sql::catalog::sequence_name::quoted;
use crate::sql::catalog::system_names::is_system_column;
use crate::sql::error::{Result, Stop, fail};
use crate::sql::expr::Expr;
use crate::sql::functions::sequence::nextval;
use crate::sql::parser::ast;
use crate::sql::types::{Type, text};
use crate::store::TableId;
use crate::trace::{SessionId, SqlError};

/// A sequence that has no name yet.
pub struct SequenceDefinition {
    start: i64,
    increment: i64,
    min: i64,
    max: i64,
    cycle: bool,
    pub(super) owner: Option<TableId>,
}

impl SequenceDefinition {
    pub(super) fn with(ty: &Type, options: &[ast::SequenceOption]) -> Result<SequenceDefinition> {
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
        Ok(SequenceDefinition { start, increment, min, max, cycle, owner: None })
    }

    pub fn named(self, name: Rc<str>, temporary: Option<SessionId>) -> Sequence {
        let SequenceDefinition { start, increment, min, max, cycle, owner } = self;
        let (last, called) = (Cell::new(start), Cell::new(false));
        Sequence { name, last, called, start, increment, min, max, cycle, owner, temporary }
    }
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

/// The default of a SERIAL or IDENTITY column.
pub fn sequence_default(sequence: &str, ty: &Type) -> Result<Expr> {
    let expr = Expr::Call { function: nextval(), arguments: vec![Expr::Const(text(&quoted(sequence)))] };
    assign(Typed::new(expr, Type::Int8), ty)
}

impl Binder<'_> {
    pub fn sequence(&self, create: &ast::CreateSequence, temporary: bool) -> Result<SequenceDefinition> {
        let own = create.options.iter().find_map(|option| match option {
            ast::SequenceOption::As(data_type) => Some(self.type_of(data_type)),
            _ => None,
        });
        let ty = own.unwrap_or(Ok(Type::Int8))?;
        if !matches!(ty, Type::Int2 | Type::Int4 | Type::Int8) {
            return fail("22023", "sequence type must be smallint, integer, or bigint");
        }
        let mut sequence = SequenceDefinition::with(&ty, &create.options)?;
        for option in &create.options {
            if let ast::SequenceOption::OwnedBy(Some(owner)) = option {
                sequence.owner = Some(self.owner(owner, temporary)?);
            }
        }
        Ok(sequence)
    }

    /// The table of the column that a sequence is to go with.
    fn owner(&self, column: &ast::ObjectName, temporary: bool) -> Result<TableId> {
        let (column, table) = match column.0.as_slice() {
            [table @ .., column] if !table.is_empty() => (&column.name, ast::ObjectName(table.to_vec())),
            _ => {
                let mut error = SqlError::new("42601", "invalid OWNED BY option");
                error.hint = Some("Specify OWNED BY table.column or OWNED BY NONE.".to_owned());
                return Err(error.into());
            }
        };
        let name = defined_name(&table)?;
        if self.catalog.index(&name).is_some() {
            return Err(no_owner(&name, "indexes"));
        }
        if self.catalog.sequence(&name).is_some() {
            return Err(no_owner(&name, "sequences"));
        }
        let table = self.catalog.existing(&name)?;
        if table.temporary.is_some() != temporary {
            return fail("55000", "sequence must be in same schema as table it is linked to");
        }
        if table.column(column).is_none() && !is_system_column(column) {
            return fail("42703", format!("column \"{column}\" of relation \"{name}\" does not exist"));
        }
        Ok(table.id)
    }
}

fn no_owner(relation: &str, kind: &str) -> Stop {
    let mut error = SqlError::new("42809", format!("sequence cannot be owned by relation \"{relation}\""));
    error.detail = Some(format!("This operation is not supported for {kind}."));
    error.into()
}
