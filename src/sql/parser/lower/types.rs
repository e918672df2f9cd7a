//! Types, by the names PostgreSQL has for them inside.

use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxKind::*, SyntaxNode};

use super::super::ast::Ident;
use super::super::ast::{DataType, ObjectName};
use super::tree::{Tree, is_type};
use super::{Lowering, Result, Unlowered, refuse};
use crate::trace::SqlError;

impl Lowering<'_> {
    /// The type that stands in a node.
    pub fn type_in(&self, node: &SyntaxNode) -> Result<DataType> {
        match node.children().find(|child| is_type(child.kind())) {
            Some(written) => self.data_type(&written),
            None => self.unexpected(node.start()),
        }
    }

    pub fn data_type(&self, node: &SyntaxNode) -> Result<DataType> {
        let text = Rc::from(node.written());
        let bounds = node.parts(ARRAY_BOUND).count();
        let dimensions = if node.has(ARRAY_KW) { 1 } else { bounds };
        let element = node.children().find(|child| is_type(child.kind()));
        let node = element.as_ref().unwrap_or(node);
        if node.has(SETOF_KW) {
            return refuse("SETOF");
        }
        let mut modifiers = self.modifiers(node)?;
        let name = match node.kind() {
            PATH_TYPE => self.named_type(node, &mut modifiers)?,
            PERCENT_TYPE => return refuse("%TYPE"),
            kind => {
                if kind == CHARACTER_TYPE && modifiers.is_empty() {
                    modifiers.push(1);
                }
                ObjectName(vec![Ident { name: Rc::from(spelled_type(node)), at: self.at(node.start()) }])
            }
        };
        let fields = node.children().find(|child| is_interval_field(child.kind()));
        // Up to the second nothing is cut off.
        if let Some(fields) = fields.map(|fields| words(&fields)).filter(|fields| !fields.ends_with("second")) {
            return refuse(format!("the type interval {fields}"));
        }
        Ok(DataType { name, modifiers, dimensions, fields: None, text })
    }

    fn named_type(&self, node: &SyntaxNode, modifiers: &mut Vec<i64>) -> Result<ObjectName> {
        let mut name = self.object_name(node);
        let keyword = node.first_token().is_some_and(|token| token.kind() != IDENT);
        if let [only] = name.0.as_mut_slice()
            && keyword
        {
            let inner = match &*only.name {
                "int" | "integer" => "int4",
                "smallint" => "int2",
                "bigint" => "int8",
                "real" => "float4",
                "float" => self.float(node, modifiers)?,
                "dec" | "decimal" => "numeric",
                "boolean" => "bool",
                _ => return Ok(name),
            };
            only.name = Rc::from(inner);
        }
        Ok(name)
    }

    /// `float(n)`: how many binary digits it must hold.
    fn float(&self, node: &SyntaxNode, modifiers: &mut Vec<i64>) -> Result<&'static str> {
        let wrong = |message: &str| {
            let mut error = SqlError::new("22023", message);
            error.position = Some(self.at(node.part(ARG_LIST).map_or(0, |list| list.start() + 1)).0);
            Err(Unlowered::Failed(error))
        };
        match std::mem::take(modifiers).as_slice() {
            [] => Ok("float8"),
            [digits] if *digits < 1 => wrong("precision for type float must be at least 1 bit"),
            [digits] if *digits > 53 => wrong("precision for type float must be less than 54 bits"),
            [digits] => Ok(if *digits <= 24 { "float4" } else { "float8" }),
            _ => self.unexpected(node.start()),
        }
    }

    fn modifiers(&self, node: &SyntaxNode) -> Result<Vec<i64>> {
        let mut modifiers = Vec::new();
        for holder in node.parts(ARG_LIST).chain([node.clone()]) {
            for argument in holder.children().filter(|child| matches!(child.kind(), ARG | LITERAL)) {
                match argument.written().parse() {
                    Ok(number) => modifiers.push(number),
                    Err(_) => return refuse("a type modifier that is no number"),
                }
            }
        }
        Ok(modifiers)
    }
}

fn spelled_type(node: &SyntaxNode) -> &'static str {
    let zone = node.has(WITH_TIMEZONE);
    match node.kind() {
        BIT_TYPE => "bit",
        BIT_VARYING_TYPE => "varbit",
        CHARACTER_TYPE => "bpchar",
        VARCHAR_TYPE => "varchar",
        DOUBLE_TYPE => "float8",
        TIME_TYPE => {
            if zone {
                "timetz"
            } else {
                "time"
            }
        }
        TIMESTAMP_TYPE => {
            if zone {
                "timestamptz"
            } else {
                "timestamp"
            }
        }
        _ => "interval",
    }
}

pub fn is_interval_field(kind: SyntaxKind) -> bool {
    matches!(kind, INTERVAL_YEAR | INTERVAL_MONTH | INTERVAL_DAY | INTERVAL_HOUR | INTERVAL_MINUTE | INTERVAL_SECOND)
}

/// `day to second`
pub fn words(node: &SyntaxNode) -> String {
    let words: Vec<String> = node.tokens().iter().map(|token| token.text().to_ascii_lowercase()).collect();
    words.join(" ")
}
