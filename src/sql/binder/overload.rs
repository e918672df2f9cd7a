//! Which of the functions of one name a call means, and how its arguments come to the types that function takes: PostgreSQL's
//! chapter on type conversion of functions.

use crate::sql::error::{Result, Stop, fail, refused};
use crate::sql::expr::Expr;
use crate::sql::functions::signature::{Kind, Signature};
use crate::sql::functions::{self, FunctionSpec, Routine};
use crate::sql::types::{Type, text};
use crate::trace::SqlError;

use super::Typed;
use super::coerce::{coerce, common_type};

/// What stands for the polymorphic kinds of a signature in one call.
#[derive(Default)]
struct Polymorphs {
    element: Option<Type>,
    compatible: Option<Type>,
}

/// The function of a name that takes arguments of such types, which is offered.
pub(super) fn choose(name: &str, given: &[Type]) -> Result<Routine> {
    let chosen = choose_any(name, given)?;
    if chosen.is_offered() { Ok(chosen) } else { Err(not_offered(name, given)) }
}

/// As `choose`, of all PostgreSQL has.
pub(super) fn choose_any(name: &str, given: &[Type]) -> Result<Routine> {
    let takes = |routine: &Routine| takes_all(routine.signature(), given);
    let candidates: Vec<Routine> = functions::named(name).filter(takes).collect();
    if candidates.is_empty() {
        let is_refused = functions::is_refused_name(name, given.len());
        return Err(if is_refused { not_offered(name, given) } else { missing(name, given) });
    }
    most_fitting(candidates, given).ok_or_else(|| {
        let message = format!("function {name}({}) is not unique", names(given));
        let hint = "Could not choose a best candidate function. You might need to add explicit type casts.";
        with_hint(message, "42725", hint)
    })
}

/// Says the types where others would do.
pub(super) fn not_offered(name: &str, given: &[Type]) -> Stop {
    let types = if functions::is_refused(name) { String::new() } else { names(given) };
    refused(format!("the function {name}({types})"))
}

/// The operator of a symbol that takes such operands, if there is one.
pub(super) fn choose_operator(
    operators: &'static [FunctionSpec],
    symbol: &str,
    given: &[Type],
) -> Option<&'static FunctionSpec> {
    let takes = |operator: &&FunctionSpec| operator.name == symbol && takes_all(&operator.signature, given);
    match most_fitting(operators.iter().filter(takes).map(Routine::Function).collect(), given) {
        Some(Routine::Function(operator)) => Some(operator),
        _ => None,
    }
}

/// The arguments as the function takes them, and the type of what it gives.
pub(super) fn bind_arguments(signature: &Signature, arguments: Vec<Typed>) -> Result<(Vec<Expr>, Type)> {
    let given = kinds(&arguments);
    let polymorphs = polymorphs(signature, &given).unwrap_or_default();
    let exprs = arguments.into_iter().enumerate().map(|(place, argument)| match signature.parameter(place) {
        Kind::TypeName => Ok(Expr::Const(text(&argument.ty.name()))),
        Kind::Any if argument.ty == Type::Unknown => coerce(argument, &Type::Text),
        Kind::Any => Ok(argument.expr),
        kind => coerce(argument, &polymorphs.stands_for(kind)?),
    });
    Ok((exprs.collect::<Result<Vec<Expr>>>()?, polymorphs.stands_for(&signature.returns)?))
}

pub(super) fn kinds(arguments: &[Typed]) -> Vec<Type> {
    arguments.iter().map(|argument| argument.ty.unmodified()).collect()
}

pub(super) fn missing(name: &str, given: &[Type]) -> Stop {
    let hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
    with_hint(format!("function {name}({}) does not exist", names(given)), "42883", hint)
}

fn names(given: &[Type]) -> String {
    given.iter().map(Type::name).collect::<Vec<_>>().join(", ")
}

fn with_hint(message: String, sqlstate: &str, hint: &str) -> Stop {
    let mut error = SqlError::new(sqlstate, message);
    error.hint = Some(hint.to_owned());
    error.into()
}

impl Polymorphs {
    fn stands_for(&self, kind: &Kind) -> Result<Type> {
        let found = match kind {
            Kind::AnyElement | Kind::AnyNonArray => self.element.clone(),
            Kind::AnyArray => self.element.clone().map(Type::array),
            Kind::AnyCompatible => self.compatible.clone(),
            Kind::AnyCompatibleArray => self.compatible.clone().map(Type::array),
            kind => kind.fixed().map(|ty| ty.into_owned()),
        };
        match found {
            Some(ty) => Ok(ty),
            None => fail("42804", "could not determine polymorphic type because input has type unknown"),
        }
    }
}

fn takes_all(signature: &Signature, given: &[Type]) -> bool {
    signature.takes_as_many(given.len())
        && given.iter().enumerate().all(|(place, ty)| signature.parameter(place).takes(ty))
        && polymorphs(signature, given).is_some()
}

/// None where arguments that have to agree do not.
fn polymorphs(signature: &Signature, given: &[Type]) -> Option<Polymorphs> {
    let mut elements = Vec::new();
    let mut compatible = Vec::new();
    let mut has_compatible = false;
    for (place, ty) in given.iter().enumerate() {
        let kind = signature.parameter(place);
        has_compatible |= matches!(kind, Kind::AnyCompatible | Kind::AnyCompatibleArray);
        match (kind, ty) {
            (_, Type::Unknown) => {}
            (Kind::AnyElement | Kind::AnyNonArray, ty) => elements.push(ty.clone()),
            (Kind::AnyArray, Type::Array(element)) => elements.push((**element).clone()),
            (Kind::AnyCompatible, ty) => compatible.push(ty.clone()),
            (Kind::AnyCompatibleArray, Type::Array(element)) => compatible.push((**element).clone()),
            _ => {}
        }
    }
    let element = elements.pop();
    if elements.iter().any(|other| Some(other) != element.as_ref()) {
        return None;
    }
    let compatible = match has_compatible {
        true => Some(common_type("ANYCOMPATIBLE", compatible.iter()).ok()?),
        false => None,
    };
    Some(Polymorphs { element, compatible })
}

/// Of functions that all take the arguments the one that takes them best, if it is one.
fn most_fitting(mut candidates: Vec<Routine>, given: &[Type]) -> Option<Routine> {
    let preferred = |kind: &Kind, ty: &Type| kind.is_preferred() && kind.category() == ty.category();
    keep_most(&mut candidates, given, Kind::is_exactly);
    keep_most(&mut candidates, given, |kind, ty| kind.is_exactly(ty) || preferred(kind, ty));
    if candidates.len() > 1 {
        keep_for_literals(&mut candidates, given);
    }
    if candidates.len() > 1 {
        keep_for_one_type(&mut candidates, given);
    }
    if candidates.len() == 1 { candidates.pop() } else { None }
}

/// Keeps those that fit the most arguments of known type.
fn keep_most(candidates: &mut Vec<Routine>, given: &[Type], fits: impl Fn(&Kind, &Type) -> bool) {
    let score = |signature: &Signature| {
        let known = given.iter().enumerate().filter(|(_, ty)| **ty != Type::Unknown);
        known.filter(|(place, ty)| fits(signature.parameter(*place), ty)).count()
    };
    let most = candidates.iter().map(|routine| score(routine.signature())).max();
    candidates.retain(|routine| Some(score(routine.signature())) == most);
}

/// A literal is a text if it may be one, else of the one category there is, and there of the preferred type.
fn keep_for_literals(candidates: &mut Vec<Routine>, given: &[Type]) {
    let mut wanted = Vec::new();
    for (place, _) in given.iter().enumerate().filter(|(_, ty)| **ty == Type::Unknown) {
        let kinds = || candidates.iter().map(|routine| routine.signature().parameter(place));
        let text = Type::Text.category();
        let first = kinds().next().map_or(text, Kind::category);
        let category = if kinds().any(|kind| kind.category() == text) { text } else { first };
        if category != text && kinds().any(|kind| kind.category() != category) {
            return;
        }
        let preferred = kinds().any(|kind| kind.category() == category && kind.is_preferred());
        wanted.push((place, category, preferred));
    }
    let fits = |routine: &Routine| {
        wanted.iter().all(|(place, category, preferred)| {
            let kind = routine.signature().parameter(*place);
            kind.category() == *category && (!preferred || kind.is_preferred())
        })
    };
    if candidates.iter().any(fits) {
        candidates.retain(fits);
    }
}

/// Where all arguments of known type have the same, literals are supposed to have it too.
fn keep_for_one_type(candidates: &mut Vec<Routine>, given: &[Type]) {
    let mut known = given.iter().filter(|ty| **ty != Type::Unknown);
    let Some(ty) = known.next() else { return };
    if known.all(|other| other == ty) {
        let supposed = vec![ty.clone(); given.len()];
        candidates.retain(|routine| takes_all(routine.signature(), &supposed));
    }
}
