//! Expressions with their types.

use crate::sql::error::{Result, Stop, fail, refuse, refused};
use crate::sql::expr::{Arithmetic, Comparison, Expr, SubqueryKind};
use crate::sql::functions::AT_TIME_ZONE;
use crate::sql::parser::ast;
use crate::sql::types::{self, Type, text};
use crate::trace::Value;

use super::coerce::{
    arithmetic, boolean, coerce, common_type, compare_exprs, compared, compared_as, explicit_cast, like_exprs,
    no_operator, number_literal, unify,
};
use super::operators::{array_of, concatenation, member};
use super::{Binder, DEPTH_MOST, LEVELS_MOST, Typed};

pub(super) fn quantifiable(op: &ast::BinaryOperator) -> Result<Comparison> {
    comparison_of(op).ok_or_else(|| refused(format!("the operator {op} with ANY or ALL")))
}

pub(super) fn row_parts(expr: &ast::Expr) -> Option<&[ast::Expr]> {
    if let ast::ExprKind::Row(parts) = &expr.kind { Some(parts) } else { None }
}

/// `ARRAY[]`, and `ARRAY[[], []]`.
fn is_empty_array(expr: &ast::Expr) -> bool {
    matches!(&expr.kind, ast::ExprKind::Array(elements) if elements.iter().all(is_empty_array))
}

/// An operator that does not compare.
fn operation(left: Typed, op: &ast::BinaryOperator, right: Typed) -> Result<Typed> {
    use ast::BinaryOperator as B;
    match op {
        B::Plus => arithmetic(Arithmetic::Add, left, right),
        B::Minus => arithmetic(Arithmetic::Subtract, left, right),
        B::Multiply => arithmetic(Arithmetic::Multiply, left, right),
        B::Divide => arithmetic(Arithmetic::Divide, left, right),
        B::Modulo => arithmetic(Arithmetic::Remainder, left, right),
        B::Concat => concatenation(left, right),
        B::Arrow if matches!(left.ty, Type::Json | Type::Jsonb) => member("->", left, right),
        B::LongArrow if matches!(left.ty, Type::Json | Type::Jsonb) => member("->>", left, right),
        other => refuse(format!("the operator {other}")),
    }
}

pub fn comparison_of(op: &ast::BinaryOperator) -> Option<Comparison> {
    Some(match op {
        ast::BinaryOperator::Equal => Comparison::Equal,
        ast::BinaryOperator::NotEqual => Comparison::NotEqual,
        ast::BinaryOperator::Less => Comparison::Less,
        ast::BinaryOperator::LessEqual => Comparison::LessEqual,
        ast::BinaryOperator::Greater => Comparison::Greater,
        ast::BinaryOperator::GreaterEqual => Comparison::GreaterEqual,
        _ => return None,
    })
}

pub(super) fn rows_compared(op: Comparison, pairs: &[(Typed, Typed)]) -> Result<Typed> {
    let equal = |pair: &(Typed, Typed)| Ok(compare_exprs(Comparison::Equal, pair.0.clone(), pair.1.clone())?.expr);
    match op {
        Comparison::Equal | Comparison::NotEqual => {
            let parts: Result<Vec<Expr>> = pairs.iter().map(equal).collect();
            let all = Expr::And(parts?);
            Ok(boolean(if op == Comparison::Equal { all } else { Expr::Not(Box::new(all)) }))
        }
        _ => {
            let strict = match op {
                Comparison::Less | Comparison::LessEqual => Comparison::Less,
                _ => Comparison::Greater,
            };
            let mut ways = Vec::new();
            for (number, (a, b)) in pairs.iter().enumerate() {
                let last = number + 1 == pairs.len();
                let mut way: Vec<Expr> = pairs[..number].iter().map(equal).collect::<Result<_>>()?;
                way.push(compare_exprs(if last { op } else { strict }, a.clone(), b.clone())?.expr);
                ways.push(if way.len() == 1 { way.remove(0) } else { Expr::And(way) });
            }
            let any = if ways.len() == 1 { ways.remove(0) } else { Expr::Or(ways) };
            // The first column bounds the whole, which lets an index begin at the right place.
            let loose = if strict == Comparison::Less { Comparison::LessEqual } else { Comparison::GreaterEqual };
            let bound = compare_exprs(loose, pairs[0].0.clone(), pairs[0].1.clone())?.expr;
            Ok(boolean(Expr::And(vec![bound, any])))
        }
    }
}

impl<'a> Binder<'a> {
    pub fn condition(&mut self, expr: &ast::Expr, clause: &str) -> Result<Expr> {
        let bound = self.expr(expr)?;
        if bound.ty != Type::Bool && bound.ty != Type::Unknown {
            let message = format!("argument of {clause} must be type boolean, not type {}", bound.ty.name());
            return fail("42804", message).map_err(|stop: Stop| stop.at(expr.at.0));
        }
        coerce(bound, &Type::Bool).map_err(|stop| stop.at(expr.at.0))
    }

    pub fn expr(&mut self, expr: &ast::Expr) -> Result<Typed> {
        self.depth += 1;
        self.levels += 1;
        if self.depth > DEPTH_MOST * 4 || self.levels > LEVELS_MOST {
            return fail("54001", "stack depth limit exceeded");
        }
        let bound = self.expr_within_depth(expr);
        self.depth -= 1;
        self.levels -= 1;
        match bound {
            Ok(typed) => Ok(Typed { at: expr.begin(), ..typed }),
            Err(stop) => Err(stop.at(expr.at.0)),
        }
    }

    pub(super) fn expr_within_depth(&mut self, expr: &ast::Expr) -> Result<Typed> {
        use ast::ExprKind as K;
        match &expr.kind {
            K::Column(name) => match name.0.as_slice() {
                [name] => self.column(&name.name),
                [alias, name] => self.qualified_column(&alias.name, &name.name),
                [schema, alias, name] if &*schema.name == "public" => self.qualified_column(&alias.name, &name.name),
                _ => refuse("a column name of more than two parts"),
            },
            K::Literal(value) => self.literal(value),
            K::Parameter(number) => match self.parameters.get(number.wrapping_sub(1)) {
                Some(ty) => Ok(Typed::new(Expr::Parameter(number - 1), ty.clone())),
                None => fail("42P02", format!("there is no parameter ${number}")),
            },
            K::Default => fail("42601", "DEFAULT is not allowed in this context"),
            K::TypedString { data_type, value, value_at } => {
                self.typed_string(data_type, value).map_err(|stop| stop.at(value_at.0))
            }
            K::Logical { op, terms } => self.logical(*op, terms),
            K::Binary { left, op, right } => self.binary(left, op, right, expr.at),
            K::Unary { op, expr } => self.unary(op, expr),
            K::Is { expr, test, negated } => match test {
                ast::Test::Null | ast::Test::Unknown => self.is_null(expr, *negated),
                ast::Test::True => self.is_truth(expr, true, *negated),
                ast::Test::False => self.is_truth(expr, false, *negated),
            },
            K::IsDistinctFrom { left, right, negated } => self.distinct(left, right, *negated),
            K::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            K::InSubquery { expr, subquery, negated } => {
                let kind = if *negated {
                    SubqueryKind::All(Comparison::NotEqual)
                } else {
                    SubqueryKind::Any(Comparison::Equal)
                };
                self.quantified_subquery(expr, subquery, kind)
            }
            K::Between { expr, low, high, negated } => self.between(expr, low, high, *negated),
            K::Like { expr, pattern, escape, case_insensitive, negated } => {
                self.like(expr, pattern, escape.as_deref(), *case_insensitive, *negated)
            }
            K::Quantified { left, op, all, array } => self.quantified(left, op, array, *all),
            K::QuantifiedSubquery { left, op, all, subquery } => {
                let op = quantifiable(op)?;
                let kind = if *all { SubqueryKind::All(op) } else { SubqueryKind::Any(op) };
                self.quantified_subquery(left, subquery, kind)
            }
            K::Cast { expr, data_type } => {
                let to = self.type_of(data_type)?;
                if matches!(to, Type::Array(_)) && is_empty_array(expr) {
                    return Ok(Typed::new(Expr::Const(Value::Array([].into())), to));
                }
                let of = self.expr(expr)?;
                explicit_cast(of, &to)
            }
            K::AtTimeZone { timestamp, zone } => {
                let of = self.expr(timestamp)?;
                let zone = self.expr(zone)?;
                self.call(AT_TIME_ZONE, vec![zone, of])
            }
            K::Case { operand, arms, otherwise } => self.case(operand.as_deref(), arms, otherwise.as_deref()),
            K::Exists(subquery) => {
                self.within_exists += 1;
                let exists = self.subquery(SubqueryKind::Exists, None, subquery);
                self.within_exists -= 1;
                Ok(boolean(exists?.expr))
            }
            K::Subquery(subquery) => self.subquery(SubqueryKind::Scalar, None, subquery),
            K::ArraySubquery(subquery) => self.subquery(SubqueryKind::Array, None, subquery),
            K::Array(elements) => {
                let parts = elements.iter().map(|element| self.expr(element)).collect::<Result<Vec<Typed>>>()?;
                if parts.is_empty() {
                    return fail("42P18", "cannot determine type of empty array");
                }
                array_of(parts)
            }
            K::Row(_) => refuse("a row value outside a comparison"),
            K::Function(function) => self.function(function),
        }
    }

    pub(super) fn literal(&mut self, value: &ast::Literal) -> Result<Typed> {
        Ok(match value {
            ast::Literal::Number(digits) => number_literal(digits)?,
            ast::Literal::String(content) => Typed::new(Expr::Const(text(content)), Type::Unknown),
            ast::Literal::Bool(value) => Typed::new(Expr::Const(Value::Bool(*value)), Type::Bool),
            ast::Literal::Null => Typed::null(),
        })
    }

    pub(super) fn typed_string(&mut self, data_type: &ast::DataType, value: &str) -> Result<Typed> {
        let ty = self.type_of(data_type)?;
        let written = match &data_type.fields {
            Some(unit) if unit.contains(' ') => return refuse("INTERVAL with a range of fields"),
            Some(unit) => format!("{value} {unit}"),
            None => value.to_owned(),
        };
        Ok(Typed::new(Expr::Const(types::parse(&ty, &written)?), ty))
    }

    pub(super) fn between(
        &mut self,
        of: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        negated: bool,
    ) -> Result<Typed> {
        let of = self.expr(of)?;
        let low = self.expr(low)?;
        let high = self.expr(high)?;
        let above = compare_exprs(Comparison::GreaterEqual, of.clone(), low)?.expr;
        let below = compare_exprs(Comparison::LessEqual, of, high)?.expr;
        let both = Expr::And(vec![above, below]);
        Ok(boolean(if negated { Expr::Not(Box::new(both)) } else { both }))
    }

    pub(super) fn logical(&mut self, op: ast::LogicalOperator, terms: &[ast::Expr]) -> Result<Typed> {
        let is_and = op == ast::LogicalOperator::And;
        let mut parts = Vec::with_capacity(terms.len());
        for term in terms {
            match self.condition(term, if is_and { "AND" } else { "OR" })? {
                Expr::And(inner) if is_and => parts.extend(inner),
                Expr::Or(inner) if !is_and => parts.extend(inner),
                part => parts.push(part),
            }
        }
        Ok(boolean(if is_and { Expr::And(parts) } else { Expr::Or(parts) }))
    }

    pub(super) fn binary(
        &mut self,
        left: &ast::Expr,
        op: &ast::BinaryOperator,
        right: &ast::Expr,
        at: ast::CursorPosition,
    ) -> Result<Typed> {
        if let (Some(op), Some(a), Some(b)) = (comparison_of(op), row_parts(left), row_parts(right)) {
            return self.compare_rows(op, a, b);
        }
        if let Some(op) = comparison_of(op) {
            let left = self.expr(left)?;
            return compare_exprs(op, left, self.expr(right)?);
        }
        let mut steps = vec![(op, right, at)];
        let mut first = left;
        while let ast::ExprKind::Binary { left, op, right } = &first.kind
            && comparison_of(op).is_none()
        {
            steps.push((op, right, first.at));
            first = left;
        }
        let levels = self.levels;
        self.levels += steps.len() - 1;
        let mut so_far = self.expr(first)?;
        for (op, right, at) in steps.into_iter().rev() {
            so_far = operation(so_far, op, self.expr(right)?).map_err(|stop| stop.at(at.0))?;
            self.levels -= 1;
        }
        self.levels = levels;
        Ok(so_far)
    }

    /// `(a, b) = (c, d)` and the like, by columns from the left.
    pub(super) fn compare_rows(&mut self, op: Comparison, left: &[ast::Expr], right: &[ast::Expr]) -> Result<Typed> {
        if left.len() != right.len() {
            return fail("42601", "unequal number of entries in row expressions");
        }
        if left.is_empty() {
            return fail("0A000", "cannot compare rows of zero length");
        }
        let mut pairs = Vec::new();
        for (a, b) in left.iter().zip(right) {
            pairs.push((self.expr(a)?, self.expr(b)?));
        }
        rows_compared(op, &pairs)
    }

    pub(super) fn unary(&mut self, op: &ast::UnaryOperator, of: &ast::Expr) -> Result<Typed> {
        match op {
            ast::UnaryOperator::Not => {
                let of = self.condition(of, "NOT")?;
                Ok(boolean(Expr::Not(Box::new(of))))
            }
            ast::UnaryOperator::Minus => {
                // -2147483648 is an integer though 2147483648 is not.
                if let ast::ExprKind::Literal(ast::Literal::Number(digits)) = &of.kind {
                    return number_literal(&format!("-{digits}"));
                }
                let of = self.expr(of)?;
                let of = if of.ty == Type::Unknown { Typed::new(coerce(of, &Type::Float8)?, Type::Float8) } else { of };
                if !of.ty.is_number() && of.ty != Type::Interval {
                    return fail("42883", format!("operator does not exist: - {}", of.ty.name()));
                }
                let ty = of.ty.unmodified();
                Ok(Typed::new(Expr::Negate { kind: ty.clone(), of: Box::new(of.expr) }, ty))
            }
            ast::UnaryOperator::Plus => {
                let of = self.expr(of)?;
                if !of.ty.is_number() {
                    return fail("42883", format!("operator does not exist: + {}", of.ty.name()));
                }
                Ok(of)
            }
            ast::UnaryOperator::Abs => {
                let of = self.expr(of)?;
                self.call("abs", vec![of])
            }
            ast::UnaryOperator::Other(written) => refuse(format!("the operator {written}")),
        }
    }

    pub(super) fn is_null(&mut self, of: &ast::Expr, negated: bool) -> Result<Typed> {
        let of = self.expr(of)?;
        Ok(boolean(Expr::IsNull { of: Box::new(of.expr), negated }))
    }

    pub(super) fn is_truth(&mut self, of: &ast::Expr, truth: bool, negated: bool) -> Result<Typed> {
        let of = self.condition(of, if truth { "IS TRUE" } else { "IS FALSE" })?;
        Ok(boolean(Expr::IsTruth { of: Box::new(of), truth, negated }))
    }

    pub(super) fn distinct(&mut self, left: &ast::Expr, right: &ast::Expr, negated: bool) -> Result<Typed> {
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let (left, right) = compared(Comparison::Equal, left, right)?;
        Ok(boolean(Expr::Distinct { left: Box::new(left), right: Box::new(right), negated }))
    }

    pub(super) fn in_list(&mut self, of: &ast::Expr, list: &[ast::Expr], negated: bool) -> Result<Typed> {
        if let Some(parts) = row_parts(of) {
            let mut rows = Vec::new();
            for element in list {
                let Some(other) = row_parts(element) else { return fail("42883", "a row is compared with a value") };
                rows.push(self.compare_rows(Comparison::Equal, parts, other)?.expr);
            }
            let any = Expr::Or(rows);
            return Ok(boolean(if negated { Expr::Not(Box::new(any)) } else { any }));
        }
        let mut parts = vec![self.expr(of)?];
        for element in list {
            parts.push(self.expr(element)?);
        }
        let operator = |a: &Type, b: &Type| no_operator("=", a, b);
        let Ok(ty) = common_type("IN", parts.iter().map(|part| &part.ty)) else {
            let other =
                parts.iter().skip(1).find(|part| common_type("IN", [&parts[0].ty, &part.ty].into_iter()).is_err());
            return Err(operator(&parts[0].ty, other.map_or(&parts[0].ty, |part| &part.ty)));
        };
        if ty.check_equality().is_err() {
            return Err(operator(&parts[0].ty, &parts[1].ty));
        }
        let of = Box::new(compared_as(parts.remove(0), &ty)?);
        let list = parts.into_iter().map(|part| coerce(part, &ty)).collect::<Result<Vec<Expr>>>()?;
        Ok(boolean(Expr::InList { of, list, negated }))
    }

    pub(super) fn like(
        &mut self,
        of: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&str>,
        fold: bool,
        negated: bool,
    ) -> Result<Typed> {
        let of = self.expr(of)?;
        let pattern = self.expr(pattern)?;
        let escape = match escape {
            None => Some('\\'),
            Some("") => None,
            Some(one) if one.chars().count() == 1 => one.chars().next(),
            Some(_) => return fail("22019", "invalid escape string"),
        };
        like_exprs(of, pattern, escape, fold, negated)
    }

    pub(super) fn quantified(
        &mut self,
        left: &ast::Expr,
        op: &ast::BinaryOperator,
        right: &ast::Expr,
        all: bool,
    ) -> Result<Typed> {
        let op = quantifiable(op)?;
        let left = self.expr(left)?;
        let array = self.expr(right)?;
        let element = match &array.ty {
            Type::Array(element) => (**element).clone(),
            Type::Unknown => left.ty.clone(),
            _ => return fail("42809", format!("op {} requires array on right side", if all { "ALL" } else { "ANY" })),
        };
        let Ok(ty) = common_type("ANY", [&left.ty, &element].into_iter()) else {
            return Err(no_operator(op.symbol(), &left.ty, &element));
        };
        if ty.check_equality().is_err() {
            return Err(no_operator(op.symbol(), &left.ty, &element));
        }
        let ty = if ty == Type::Unknown { Type::Text } else { ty };
        let left = Box::new(compared_as(left, &ty)?);
        let array = Box::new(coerce(array, &Type::Array(Box::new(ty)))?);
        Ok(boolean(Expr::Quantified { op, all, left, array }))
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        arms: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Typed> {
        let operand = operand.map(|operand| self.expr(operand)).transpose()?;
        let mut whens = Vec::new();
        for (condition, _) in arms {
            whens.push(match &operand {
                Some(operand) => {
                    let value = self.expr(condition)?;
                    compare_exprs(Comparison::Equal, operand.clone(), value)?.expr
                }
                None => self.condition(condition, "CASE/WHEN")?,
            });
        }
        let mut parts = Vec::new();
        for (_, result) in arms {
            parts.push(self.expr(result)?);
        }
        // The first of several types in the order of ELSE, THEN, THEN counts.
        if let Some(otherwise) = otherwise {
            parts.insert(0, self.expr(otherwise)?);
        }
        let (mut thens, ty) = unify("CASE", parts)?;
        let otherwise = otherwise.map(|_| Box::new(thens.remove(0)));
        Ok(Typed::new(Expr::Case { arms: whens.into_iter().zip(thens).collect(), otherwise }, ty))
    }
}
