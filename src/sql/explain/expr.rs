//! Expressions as text, in PostgreSQL's shape.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::sql::expr::{Expr, SubqueryKind};
use crate::sql::functions::aggregate::AggregateFunction;
use crate::sql::plan::Aggregate;
use crate::sql::types::{self, Type};
use crate::trace::Value;

/// What the rows in the slots are called, and their columns.
#[derive(Default)]
pub struct RelationNames {
    relations: BTreeMap<u16, (Rc<str>, Vec<Rc<str>>)>,
    /// Columns are shown with the name of their relation.
    pub qualified: bool,
}

impl RelationNames {
    pub fn add(&mut self, slot: u16, alias: Rc<str>, columns: Vec<Rc<str>>) {
        self.relations.insert(slot, (alias, columns));
    }

    pub fn are_several(&self) -> bool {
        self.relations.len() > 1
    }

    fn column(&self, slot: u16, column: usize) -> String {
        let Some((alias, columns)) = self.relations.get(&slot) else { return "?column?".to_owned() };
        let name = columns.get(column).map_or("?column?", |name| name);
        if self.qualified && !alias.is_empty() { format!("{alias}.{name}") } else { name.to_owned() }
    }

    pub fn expr(&self, expr: &Expr) -> String {
        match expr {
            Expr::Const(value) => constant(value),
            Expr::Parameter(number) => format!("${}", number + 1),
            Expr::Column { slot, column } => self.column(*slot, usize::from(*column)),
            Expr::Arithmetic { op, left, right, .. } => {
                format!("({} {} {})", self.expr(left), op.symbol(), self.expr(right))
            }
            Expr::Negate { of, .. } => format!("(- {})", self.expr(of)),
            Expr::Compare { op, left, right } => format!("({} {} {})", self.expr(left), op.symbol(), self.expr(right)),
            Expr::And(parts) => format!("({})", self.list(parts, " AND ")),
            Expr::Or(parts) => format!("({})", self.list(parts, " OR ")),
            Expr::Not(of) => format!("(NOT {})", self.expr(of)),
            Expr::IsNull { of, negated } => format!("({} IS {}NULL)", self.expr(of), not(*negated)),
            Expr::IsTruth { of, truth, negated } => {
                format!("({} IS {}{})", self.expr(of), not(*negated), if *truth { "TRUE" } else { "FALSE" })
            }
            Expr::Distinct { left, right, negated } => {
                format!("({} IS {}DISTINCT FROM {})", self.expr(left), not(*negated), self.expr(right))
            }
            Expr::InList { of, list, negated } => self.in_list(of, list, *negated),
            Expr::Quantified { op, all, left, array } => {
                format!(
                    "({} {} {} ({}))",
                    self.expr(left),
                    op.symbol(),
                    if *all { "ALL" } else { "ANY" },
                    self.expr(array)
                )
            }
            Expr::Case { arms, otherwise } => self.case(arms, otherwise.as_deref()),
            Expr::Coalesce(parts) => format!("COALESCE({})", self.list(parts, ", ")),
            Expr::Cast { of, from: Type::Unknown, .. } => self.expr(of),
            Expr::Cast { of, to, .. } => format!("({})::{}", self.expr(of), to.name()),
            Expr::Like { of, pattern, fold, negated, .. } => {
                let op = format!("{}~~{}", if *negated { "!" } else { "" }, if *fold { "*" } else { "" });
                format!("({} {op} {})", self.expr(of), self.expr(pattern))
            }
            Expr::Call { function, arguments } if !function.name.starts_with(char::is_alphabetic) => {
                let (first, rest) = arguments.split_first().expect("an operator has operands");
                rest.iter()
                    .fold(self.expr(first), |left, right| format!("({left} {} {})", function.name, self.expr(right)))
            }
            Expr::Call { function, arguments } => format!("{}({})", function.name, self.list(arguments, ", ")),
            Expr::Array(parts) => format!("ARRAY[{}]", self.list(parts, ", ")),
            Expr::Subquery(subquery) => match subquery.kind {
                SubqueryKind::Any(_) | SubqueryKind::All(_) => format!("(hashed SubPlan {})", subquery.number + 1),
                _ if subquery.outer.is_empty() => format!("${}", subquery.number),
                _ => format!("(SubPlan {})", subquery.number + 1),
            },
        }
    }
    fn in_list(&self, of: &Expr, list: &[Expr], negated: bool) -> String {
        let (op, word) = if negated { ("<>", "ALL") } else { ("=", "ANY") };
        let plain: Vec<String> = list
            .iter()
            .map(|value| if let Expr::Const(value) = value { value.to_text() } else { self.expr(value) })
            .collect();
        format!("({} {op} {word} ('{{{}}}'))", self.expr(of), plain.join(","))
    }

    fn case(&self, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) -> String {
        let mut text = "CASE".to_owned();
        for (when, then) in arms {
            text.push_str(&format!(" WHEN {} THEN {}", self.expr(when), self.expr(then)));
        }
        if let Some(otherwise) = otherwise {
            text.push_str(&format!(" ELSE {}", self.expr(otherwise)));
        }
        text + " END"
    }

    pub fn list(&self, exprs: &[Expr], separator: &str) -> String {
        exprs.iter().map(|expr| self.expr(expr)).collect::<Vec<_>>().join(separator)
    }

    pub fn aggregate(&self, call: &Aggregate) -> String {
        let name = call.function.name();
        if call.function == AggregateFunction::CountRows {
            return format!("{name}(*)");
        }
        let arguments: Vec<String> = call.arguments.iter().map(|argument| self.expr(argument)).collect();
        format!("{name}({}{})", if call.distinct { "DISTINCT " } else { "" }, arguments.join(", "))
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn constant(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(_) => types::print(value),
        Value::Numeric(_) | Value::Float(_) => format!(
            "'{}'::{}",
            types::print(value),
            if matches!(value, Value::Float(_)) { "double precision" } else { "numeric" }
        ),
        Value::Text(_) => format!("'{}'::text", types::print(value).replace('\'', "''")),
        Value::TimestampTz(_) => format!("'{}'::timestamp with time zone", types::print(value)),
        Value::Timestamp(_) => format!("'{}'::timestamp without time zone", types::print(value)),
        Value::Date(_) => format!("'{}'::date", types::print(value)),
        other => format!("'{}'", types::print(other)),
    }
}
