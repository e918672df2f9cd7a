//! CREATE SEQUENCE, and the sequences of SERIAL and IDENTITY columns.

use std::cell::Cell;
use std::rc::Rc;

use crate::sql::binder::data_type::type_of;
use crate::sql::binder::{Binder, Typed, assign, relation_name};
use crate::sql::catalog::Sequence;
use crate::sql::error::{Result, fail};
use crate::sql::expr::Expr;
use crate::sql::functions::sequence::nextval;
use crate::sql::parser::ast;
use crate::sql::types::{Type, text};
use crate::store::TableId;
use crate::trace::SessionId;

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
    let expr = Expr::Call { function: nextval(), arguments: vec![Expr::Const(text(sequence))] };
    assign(Typed { expr, ty: Type::Int8 }, ty)
}

impl Binder<'_> {
    pub fn sequence(&self, create: &ast::CreateSequence) -> Result<SequenceDefinition> {
        let own = create.options.iter().find_map(|option| match option {
            ast::SequenceOption::As(data_type) => Some(type_of(data_type)),
            _ => None,
        });
        let ty = own.unwrap_or(Ok(Type::Int8))?;
        if !matches!(ty, Type::Int2 | Type::Int4 | Type::Int8) {
            return fail("22023", "sequence type must be smallint, integer, or bigint");
        }
        let mut sequence = SequenceDefinition::with(&ty, &create.options)?;
        for option in &create.options {
            if let ast::SequenceOption::OwnedBy(Some(owner)) = option
                && let [table @ .., _] = owner.0.as_slice()
                && !table.is_empty()
            {
                let table = relation_name(&ast::ObjectName(table.to_vec()))?;
                sequence.owner = Some(self.catalog.existing(&table)?.id);
            }
        }
        Ok(sequence)
    }
}
