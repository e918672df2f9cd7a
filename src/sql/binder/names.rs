//! What an output column is called that has no alias.

use std::rc::Rc;

use crate::sql::parser::ast;
use crate::sql::types::Type;

use super::data_type::type_of;

/// The name PostgreSQL gives an output column that has none.
pub fn column_name(expr: &ast::Expr) -> Rc<str> {
    named_by(expr).unwrap_or_else(|| Rc::from("?column?"))
}

pub(super) fn named_by(expr: &ast::Expr) -> Option<Rc<str>> {
    use ast::ExprKind as K;
    let of_type = |data_type| type_of(data_type).ok().map(|ty| Rc::from(internal_name(&ty)));
    match &expr.kind {
        K::Column(name) => name.0.last().map(|last| last.name.clone()),
        K::Function(function) => function.name.0.last().map(|last| last.name.clone()),
        K::Cast { expr, data_type } => {
            if is_named(expr) {
                named_by(expr)
            } else {
                of_type(data_type)
            }
        }
        K::TypedString { data_type, .. } => of_type(data_type),
        K::Case { otherwise: Some(otherwise), .. } if is_named(otherwise) => named_by(otherwise),
        K::Case { .. } => Some(Rc::from("case")),
        K::Exists(_) => Some(Rc::from("exists")),
        K::Subquery(query) => first_column(&query.body),
        K::Array(_) | K::ArraySubquery(_) => Some(Rc::from("array")),
        K::Row(_) => Some(Rc::from("row")),
        K::AtTimeZone { .. } => Some(Rc::from("timezone")),
        _ => None,
    }
}

/// What the one column of a subquery is called.
fn first_column(body: &ast::SetExpr) -> Option<Rc<str>> {
    match body {
        ast::SetExpr::Select(select) => match select.projection.first()? {
            ast::SelectItem::Expr { expr, alias: None } => named_by(expr),
            ast::SelectItem::Expr { alias: Some(alias), .. } => Some(alias.name.clone()),
            _ => None,
        },
        ast::SetExpr::Values(_) => Some(Rc::from("column1")),
        ast::SetExpr::SetOperation { left, .. } => first_column(left),
        ast::SetExpr::Query(query) => first_column(&query.body),
    }
}

/// Whether an expression has a name of its own, which a cast or a CASE around it takes over, not only the name of its type.
pub(super) fn is_named(expr: &ast::Expr) -> bool {
    use ast::ExprKind as K;
    match &expr.kind {
        K::Cast { expr, .. } => is_named(expr),
        K::Case { otherwise, .. } => otherwise.as_deref().is_some_and(is_named),
        K::TypedString { .. } => false,
        _ => named_by(expr).is_some(),
    }
}

pub(super) fn internal_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int2 => "int2",
        Type::Int4 => "int4",
        Type::Int8 => "int8",
        Type::Float8 => "float8",
        Type::Numeric(_) => "numeric",
        Type::Text | Type::Unknown | Type::Void => "text",
        Type::Varchar(_) => "varchar",
        Type::Bytea => "bytea",
        Type::Date => "date",
        Type::Time => "time",
        Type::Timestamp => "timestamp",
        Type::TimestampTz => "timestamptz",
        Type::Interval => "interval",
        Type::Uuid => "uuid",
        Type::Json => "json",
        Type::Jsonb => "jsonb",
        Type::Array(element) => internal_name(element),
    }
}
