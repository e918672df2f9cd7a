//! The functions one may call: a table for each family. What is in none of them is unknown or, where PostgreSQL has it, a row that
//! is refused; it is never guessed. A row is a function of pg_proc: functions of one name that take other types are rows of their
//! own, and which of them a call means is found in the binder.

mod advisory;
pub mod aggregate;
pub mod array;
pub mod conditional;
mod datetime;
mod env;
pub mod json;
mod math;
mod refused;
pub mod sequence;
pub mod set_returning;
pub mod signature;
mod system;
pub mod text;
pub mod window;

use crate::sql::error::Result;
use crate::trace::Value;

use self::aggregate::AggregateSpec;
use self::set_returning::SetSpec;
use self::signature::{Kind, Signature};
use self::window::WindowSpec;

pub use self::datetime::{AMONG_INSTANTS, AMONG_TIMESTAMPS, AT_TIME_ZONE};
pub use self::env::SystemEnv;
pub use self::refused::is_name as is_refused_name;

pub struct FunctionSpec {
    pub name: &'static str,
    pub signature: Signature,
    pub volatility: Volatility,
    /// Its answer may change from one statement to the next with the same arguments and the same rows.
    pub restless: bool,
    /// NULL for any NULL argument, without being called.
    pub strict: bool,
    /// NULL where the first argument is, whatever the others are.
    pub null_by_first: bool,
    pub call: Implementation,
}

/// As PostgreSQL has it: what may be computed before any row is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// The same answer for the same arguments, for ever.
    Immutable,
    /// The same within one statement: it depends on the session, its settings or the time.
    Stable,
    /// Another one from row to row.
    Volatile,
}

pub enum Implementation {
    Pure(fn(&[Value]) -> Result<Value>),
    /// Asks, or changes, more than its arguments.
    Contextual(fn(&mut dyn SystemEnv, &[Value]) -> Result<Value>),
}

/// What PostgreSQL has and this engine has not.
pub struct RefusedSpec {
    pub name: &'static str,
    pub signature: Signature,
}

/// A row of any of the tables.
#[derive(Clone, Copy)]
pub enum Routine {
    Function(&'static FunctionSpec),
    Aggregate(&'static AggregateSpec),
    Window(&'static WindowSpec),
    SetReturning(&'static SetSpec),
    Refused(&'static RefusedSpec),
}

/// What is called by its name. Operators and constructs have rows beside these, which the binder takes by themselves.
const FAMILIES: &[&[FunctionSpec]] = &[
    text::FUNCTIONS,
    math::FUNCTIONS,
    datetime::FUNCTIONS,
    array::FUNCTIONS,
    sequence::FUNCTIONS,
    system::FUNCTIONS,
    advisory::FUNCTIONS,
];

/// All there is of a name.
pub fn named(name: &str) -> impl Iterator<Item = Routine> {
    let functions = FAMILIES.iter().copied().flatten().map(Routine::Function);
    let aggregates = aggregate::FUNCTIONS.iter().map(Routine::Aggregate);
    let windows = window::FUNCTIONS.iter().map(Routine::Window);
    let sets = set_returning::FUNCTIONS.iter().map(Routine::SetReturning);
    let refused = refused::FUNCTIONS.iter().map(Routine::Refused);
    let all = functions.chain(aggregates).chain(windows).chain(sets).chain(refused);
    all.filter(move |routine| routine.name() == name)
}

/// Whether nothing is offered of a name that PostgreSQL has.
pub fn is_refused(name: &str) -> bool {
    named(name).all(|routine| !routine.is_offered())
}

impl Routine {
    pub fn name(&self) -> &'static str {
        match self {
            Routine::Function(spec) => spec.name,
            Routine::Aggregate(spec) => spec.name,
            Routine::Window(spec) => spec.name,
            Routine::SetReturning(spec) => spec.name,
            Routine::Refused(spec) => spec.name,
        }
    }

    pub fn signature(&self) -> &'static Signature {
        match self {
            Routine::Function(spec) => &spec.signature,
            Routine::Aggregate(spec) => &spec.signature,
            Routine::Window(spec) => &spec.signature,
            Routine::SetReturning(spec) => &spec.signature,
            Routine::Refused(spec) => &spec.signature,
        }
    }

    pub fn is_offered(&self) -> bool {
        match self {
            Routine::Aggregate(spec) => spec.function.is_some(),
            Routine::Window(spec) => spec.function.is_some(),
            Routine::Refused(_) => false,
            Routine::Function(_) | Routine::SetReturning(_) => true,
        }
    }
}

impl PartialEq for FunctionSpec {
    fn eq(&self, other: &FunctionSpec) -> bool {
        std::ptr::eq(self, other)
    }
}

impl std::fmt::Debug for FunctionSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A row: strict and immutable, as most are.
const fn pure(
    name: &'static str,
    parameters: &'static [Kind],
    returns: Kind,
    call: fn(&[Value]) -> Result<Value>,
) -> FunctionSpec {
    row(name, Signature::new(parameters, returns), Implementation::Pure(call), Volatility::Immutable)
}

/// A row of a function that asks the session or the engine for what is the same within a statement.
const fn stable(
    name: &'static str,
    parameters: &'static [Kind],
    returns: Kind,
    call: fn(&mut dyn SystemEnv, &[Value]) -> Result<Value>,
) -> FunctionSpec {
    row(name, Signature::new(parameters, returns), Implementation::Contextual(call), Volatility::Stable)
}

/// A row of a function that gives another answer in each row, or does something.
const fn volatile(
    name: &'static str,
    parameters: &'static [Kind],
    returns: Kind,
    call: fn(&mut dyn SystemEnv, &[Value]) -> Result<Value>,
) -> FunctionSpec {
    row(name, Signature::new(parameters, returns), Implementation::Contextual(call), Volatility::Volatile).restless()
}

const fn row(name: &'static str, signature: Signature, call: Implementation, volatility: Volatility) -> FunctionSpec {
    FunctionSpec { name, signature, volatility, restless: false, strict: true, null_by_first: false, call }
}

impl FunctionSpec {
    const fn optional(mut self, parameters: usize) -> FunctionSpec {
        self.signature.optional = parameters;
        self
    }

    const fn variadic(mut self) -> FunctionSpec {
        self.signature.variadic = true;
        self
    }

    /// It is called with NULLs too.
    const fn takes_nulls(mut self) -> FunctionSpec {
        self.strict = false;
        self
    }

    const fn null_by_first(mut self) -> FunctionSpec {
        self.null_by_first = true;
        self
    }

    const fn restless(mut self) -> FunctionSpec {
        self.restless = true;
        self
    }

    /// It goes by the session's settings.
    const fn by_settings(mut self) -> FunctionSpec {
        self.volatility = Volatility::Stable;
        self
    }
}

fn string(value: &Value) -> &str {
    match value {
        Value::Text(value) | Value::Json(value) => value,
        _ => "",
    }
}

fn int(value: &Value) -> i64 {
    if let Value::Int(value) = value { *value } else { 0 }
}

fn bytes(value: &Value) -> &[u8] {
    if let Value::Bytes(bytes) = value { bytes } else { &[] }
}

fn float(value: &Value) -> f64 {
    if let Value::Float(value) = value { *value } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_before_any_row_asks_nothing() {
        for function in FAMILIES.iter().copied().flatten() {
            let pure = matches!(function.call, Implementation::Pure(_));
            assert!(pure || function.volatility != Volatility::Immutable, "{}", function.name);
        }
    }

    #[test]
    fn no_two_rows_of_a_name_take_the_same() {
        let mut seen = std::collections::BTreeSet::new();
        let functions = FAMILIES.iter().copied().flatten().map(Routine::Function);
        for routine in functions.chain(refused::FUNCTIONS.iter().map(Routine::Refused)) {
            let row = format!("{}{:?}", routine.name(), routine.signature().parameters);
            assert!(seen.insert(row.clone()), "{row} stands there twice");
        }
    }
}
