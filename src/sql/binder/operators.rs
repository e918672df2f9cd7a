//! Operators that are calls: `||`, `->` and `->>`, ARRAY[…].

use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::Expr;
use crate::sql::functions::array::NESTING;
use crate::sql::functions::text::{BYTES_CONCATENATION, CONCATENATION};
use crate::sql::functions::{FunctionSpec, json};
use crate::sql::types::Type;

use super::Typed;
use super::coerce::{coerce, no_operator, unify};
use super::overload::{bind_arguments, choose_operator};

pub(super) fn call_of(function: &'static FunctionSpec, arguments: Vec<Expr>, ty: Type) -> Typed {
    Typed::new(Expr::Call { function, arguments }, ty)
}

pub(super) fn concatenation(left: Typed, right: Typed) -> Result<Typed> {
    let both_arrays = matches!((&left.ty, &right.ty), (Type::Array(_), Type::Array(_)));
    if both_arrays
        || matches!(left.ty, Type::Array(_) | Type::Json | Type::Jsonb)
        || matches!(right.ty, Type::Array(_) | Type::Jsonb)
    {
        return refuse("|| of arrays and JSON documents");
    }
    if matches!((&left.ty, &right.ty), (Type::Bytea, Type::Bytea | Type::Unknown) | (Type::Unknown, Type::Bytea)) {
        let arguments = vec![coerce(left, &Type::Bytea)?, coerce(right, &Type::Bytea)?];
        return Ok(call_of(&BYTES_CONCATENATION, arguments, Type::Bytea));
    }
    if !left.ty.is_text() && !right.ty.is_text() && left.ty != Type::Unknown && right.ty != Type::Unknown {
        return fail("42883", format!("operator does not exist: {} || {}", left.ty.name(), right.ty.name()));
    }
    let as_text = |part: Typed| -> Expr {
        match part.ty {
            Type::Unknown | Type::Text | Type::Varchar(_) => part.expr,
            from => Expr::Cast { of: Box::new(part.expr), from, to: Type::Text, explicit: true },
        }
    };
    let right = as_text(right);
    let arguments = match as_text(left) {
        Expr::Call { function: before, mut arguments } if *before == CONCATENATION => {
            arguments.push(right);
            arguments
        }
        left => vec![left, right],
    };
    Ok(call_of(&CONCATENATION, arguments, Type::Text))
}

/// `->` and `->>` of a document.
pub(super) fn member(symbol: &str, of: Typed, key: Typed) -> Result<Typed> {
    let given = [of.ty.unmodified(), key.ty.unmodified()];
    let Some(operator) = choose_operator(json::OPERATORS, symbol, &given) else {
        return Err(no_operator(symbol, &of.ty, &key.ty));
    };
    let (arguments, ty) = bind_arguments(&operator.signature, vec![of, key])?;
    Ok(call_of(operator, arguments, ty))
}

/// ARRAY[…]: of arrays it has one dimension more than they have.
pub(super) fn array_of(parts: Vec<Typed>) -> Result<Typed> {
    let (parts, ty) = unify("ARRAY", parts)?;
    let expr = match ty {
        Type::Array(_) => Expr::Call { function: &NESTING, arguments: parts },
        _ => Expr::Array(parts),
    };
    Ok(Typed::new(expr, ty.array()))
}
