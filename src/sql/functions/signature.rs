//! What a function takes and gives, as PostgreSQL's pg_proc has it.

use std::borrow::Cow;

use crate::sql::types::{CastContext, Type, castable};

/// What a parameter takes, or a result is.
#[derive(Debug)]
pub enum Kind {
    Is(Type),
    ArrayOf(Type),
    /// Whatever there is, as it is.
    Any,
    /// Whatever there is; the function is given the name of its type.
    TypeName,
    /// In one call the same type everywhere, of which `AnyArray` is an array.
    AnyElement,
    AnyNonArray,
    AnyArray,
    /// In one call types that can be brought to a common one, of which `AnyCompatibleArray` is an array.
    AnyCompatible,
    AnyCompatibleArray,
    /// A type that is not offered, by its category. Only a literal can be of it.
    Foreign(u8),
}

pub const BOOL: Kind = Kind::Is(Type::Bool);
pub const INT2: Kind = Kind::Is(Type::Int2);
pub const INT4: Kind = Kind::Is(Type::Int4);
pub const INT8: Kind = Kind::Is(Type::Int8);
pub const FLOAT8: Kind = Kind::Is(Type::Float8);
pub const NUMERIC: Kind = Kind::Is(Type::Numeric(None));
pub const TEXT: Kind = Kind::Is(Type::Text);
pub const BYTEA: Kind = Kind::Is(Type::Bytea);
pub const DATE: Kind = Kind::Is(Type::Date);
pub const TIME: Kind = Kind::Is(Type::Time);
pub const TIMESTAMP: Kind = Kind::Is(Type::Timestamp);
pub const TIMESTAMPTZ: Kind = Kind::Is(Type::TimestampTz);
pub const INTERVAL: Kind = Kind::Is(Type::Interval);
pub const UUID: Kind = Kind::Is(Type::Uuid);
pub const JSON: Kind = Kind::Is(Type::Json);
pub const JSONB: Kind = Kind::Is(Type::Jsonb);
pub const VOID: Kind = Kind::Is(Type::Void);
pub const TEXT_ARRAY: Kind = Kind::ArrayOf(Type::Text);

/// The category of types that have none of their own in `Type`: pseudo-types.
const PSEUDO: u8 = b'P';

impl Kind {
    /// The type of a kind that is the same in each call.
    pub fn fixed(&self) -> Option<Cow<'_, Type>> {
        match self {
            Kind::Is(ty) => Some(Cow::Borrowed(ty)),
            Kind::ArrayOf(element) => Some(Cow::Owned(Type::Array(Box::new(element.clone())))),
            _ => None,
        }
    }

    pub fn is_exactly(&self, given: &Type) -> bool {
        self.fixed().is_some_and(|ty| *ty == given.unmodified())
    }

    /// Whether PostgreSQL would convert an argument of this type by itself, apart from what other arguments say.
    pub fn takes(&self, given: &Type) -> bool {
        if *given == Type::Unknown {
            return true;
        }
        match self {
            Kind::Is(_) | Kind::ArrayOf(_) => {
                self.fixed().is_some_and(|ty| castable(given, &ty, CastContext::Implicit))
            }
            Kind::Any | Kind::TypeName | Kind::AnyElement | Kind::AnyCompatible => true,
            Kind::AnyNonArray => !matches!(given, Type::Array(_)),
            Kind::AnyArray | Kind::AnyCompatibleArray => matches!(given, Type::Array(_)),
            Kind::Foreign(_) => false,
        }
    }

    pub fn category(&self) -> u8 {
        match self {
            Kind::Foreign(category) => *category,
            other => other.fixed().map_or(PSEUDO, |ty| ty.category()),
        }
    }

    /// The type of its category that PostgreSQL takes where several would do.
    pub fn is_preferred(&self) -> bool {
        matches!(self, Kind::Is(Type::Bool | Type::Float8 | Type::Text | Type::TimestampTz | Type::Interval))
    }
}

#[derive(Debug)]
pub struct Signature {
    pub parameters: &'static [Kind],
    /// So many of the last parameters may go without an argument.
    pub optional: usize,
    /// The last parameter takes one argument or more.
    pub variadic: bool,
    pub returns: Kind,
}

impl Signature {
    pub const fn new(parameters: &'static [Kind], returns: Kind) -> Signature {
        Signature { parameters, optional: 0, variadic: false, returns }
    }

    /// The parameter an argument is given to.
    pub fn parameter(&self, place: usize) -> &Kind {
        &self.parameters[place.min(self.parameters.len() - 1)]
    }

    pub fn takes_as_many(&self, arguments: usize) -> bool {
        let most = self.parameters.len();
        arguments + self.optional >= most && (arguments <= most || self.variadic)
    }
}
