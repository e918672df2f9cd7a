//! Calls of functions, and the constructs that PostgreSQL's grammar knows by name: COALESCE, NULLIF, GREATEST and LEAST.

use crate::sql::catalog::sequence_name::quoted;
use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::{Comparison, Expr};
use crate::sql::functions::conditional::{GREATEST, LEAST, NULLIF};
use crate::sql::functions::{self, FunctionSpec, Routine};
use crate::sql::parser::ast;
use crate::sql::types::{Type, text};
use crate::trace::Value;

use super::coerce::{coerce, compare_exprs, compared_type, unify};
use super::operators::call_of;
use super::overload::{bind_arguments, choose, kinds};
use super::{Binder, Typed};

/// Whether a call of the name is one of a kind, whatever its arguments are.
fn is_any(name: &str, kind: impl Fn(Routine) -> bool) -> bool {
    functions::named(name).any(kind)
}

impl Binder<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        match choose(name, &kinds(&arguments))? {
            Routine::Function(function) => {
                let (arguments, ty) = bind_arguments(&function.signature, arguments)?;
                self.restless |= function.restless;
                Ok(call_of(function, arguments, ty))
            }
            _ => refuse(format!("{name}() outside FROM")),
        }
    }

    pub(super) fn function(&mut self, function: &ast::Function) -> Result<Typed> {
        let name = match function.name.0.as_slice() {
            [name] => name.name.clone(),
            [schema, name] if &*schema.name == "pg_catalog" => name.name.clone(),
            _ => return refuse(format!("the function {}", function.name)),
        };
        if function.over.is_some() || is_any(&name, |routine| matches!(routine, Routine::Aggregate(_))) {
            return self.aggregate(&name, function);
        }
        if is_any(&name, |routine| matches!(routine, Routine::Window(_))) {
            return fail("42809", format!("window function {name} requires an OVER clause"));
        }
        let arguments = function.arguments.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<Typed>>>()?;
        if let Some(clause) = clause_of_aggregates(function) {
            choose(&name, &kinds(&arguments))?;
            return fail("42809", format!("{clause} specified, but {name} is not an aggregate function"));
        }
        match (&*name, arguments.len()) {
            ("coalesce", _) => {
                let (exprs, ty) = unify("COALESCE", arguments)?;
                Ok(Typed::new(Expr::Coalesce(exprs), ty))
            }
            ("nullif", 2) => nullif(arguments),
            ("greatest", 1..) => extreme(&GREATEST, "GREATEST", arguments),
            ("least", 1..) => extreme(&LEAST, "LEAST", arguments),
            ("nextval" | "currval" | "setval", 1..) => {
                let arguments = self.sequence_named(arguments)?;
                self.call(&name, arguments)
            }
            _ => self.call(&name, arguments),
        }
    }

    /// A literal means the sequence itself, which must be there; the name in a value of type text is looked up by each call.
    fn sequence_named(&self, mut arguments: Vec<Typed>) -> Result<Vec<Typed>> {
        let Typed { expr, ty, at } = &mut arguments[0];
        match (&*expr, &*ty) {
            (Expr::Const(Value::Text(name)), Type::Unknown) => {
                let sequence = self.catalog.sequence_called(name).map_err(|stop| stop.at(at.0))?;
                *expr = Expr::Const(text(&quoted(&sequence.name)));
            }
            (Expr::Const(_), Type::Text) => {
                let of = Box::new(std::mem::replace(expr, Expr::Const(Value::Null)));
                *expr = Expr::Cast { of, from: Type::Text, to: Type::Text, explicit: true };
            }
            _ => {}
        }
        Ok(arguments)
    }
}

/// What only an aggregate may have in its parentheses, or behind them.
fn clause_of_aggregates(function: &ast::Function) -> Option<String> {
    let clauses = [
        (function.star, format!("{}(*)", function.name)),
        (function.distinct, "DISTINCT".to_owned()),
        (!function.order_by.is_empty(), "ORDER BY".to_owned()),
        (function.filter.is_some(), "FILTER".to_owned()),
    ];
    clauses.into_iter().find(|(is_there, _)| *is_there).map(|(_, clause)| clause)
}

/// It has the type its first argument is compared as, though here both are compared as one that is common to them.
fn nullif(mut arguments: Vec<Typed>) -> Result<Typed> {
    let [left, right] = [arguments[0].clone(), arguments[1].clone()];
    compare_exprs(Comparison::Equal, left, right)?;
    let ty = compared_type("NULLIF", &arguments[0].ty, &arguments[1].ty)?;
    let left_ty = match &arguments[0].ty {
        left if left.same_kind(&ty) || left.category() == ty.category() && !ty.is_number() => left.clone(),
        _ => ty.clone(),
    };
    let right = coerce(arguments.remove(1), &ty)?;
    let left = coerce(arguments.remove(0), &ty)?;
    let call = call_of(&NULLIF, vec![left, right], ty);
    if left_ty.same_kind(&call.ty) {
        return Ok(Typed::new(call.expr, left_ty));
    }
    let expr = Expr::Cast { of: Box::new(call.expr), from: call.ty, to: left_ty.clone(), explicit: true };
    Ok(Typed::new(expr, left_ty))
}

fn extreme(function: &'static FunctionSpec, construct: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let (arguments, ty) = unify(construct, arguments)?;
    if ty.check_order().is_err() {
        return fail("42883", format!("could not identify a comparison function for type {}", ty.name()));
    }
    Ok(call_of(function, arguments, ty))
}
