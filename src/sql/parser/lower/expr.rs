//! Expressions without their operators: names, constants, calls, CASE, arrays, rows, subqueries.

use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::super::ast::{Expr, ExprKind, Query};
use super::tree::{Tree, is_expression, is_query};
use super::types::{is_interval_field, words};
use super::{Lowering, Result, refuse};

impl Lowering<'_> {
    /// The expressions that stand in a node, whatever stands between them.
    pub fn expressions(&self, node: &SyntaxNode) -> Result<Vec<Expr>> {
        let mut found = Vec::new();
        let mut run: Vec<SyntaxNode> = Vec::new();
        for element in node.elements() {
            match element.into_node() {
                Some(child) if is_expression(child.kind()) => run.push(child),
                _ if run.is_empty() => {}
                _ => {
                    found.push(self.group(&run)?);
                    run.clear();
                }
            }
        }
        if !run.is_empty() {
            found.push(self.group(&run)?);
        }
        Ok(found)
    }

    /// The first expression that stands in a node.
    pub fn expression(&self, node: &SyntaxNode) -> Result<Option<Expr>> {
        let all = node.elements().map(|element| element.into_node().filter(|child| is_expression(child.kind())));
        let run: Vec<SyntaxNode> = all.skip_while(Option::is_none).map_while(|child| child).collect();
        if run.is_empty() { Ok(None) } else { self.group(&run).map(Some) }
    }

    pub fn only_expression(&self, node: &SyntaxNode) -> Result<Expr> {
        match self.expression(node)? {
            Some(expr) => Ok(expr),
            None => self.unexpected(node.start()),
        }
    }

    /// The query, if parentheses hold one, and not an expression.
    pub fn parenthesised_query(&self, node: &SyntaxNode) -> Option<Result<Box<Query>>> {
        let mut node = node.clone();
        loop {
            let mut inner = node.children().filter(|child| is_query(child.kind()) || is_expression(child.kind()));
            let (Some(first), None) = (inner.next(), inner.next()) else { return None };
            if is_query(first.kind()) {
                return Some(self.query(&first));
            }
            if first.kind() != PAREN_EXPR {
                return None;
            }
            node = first;
        }
    }

    /// A node that is no operator with its operands.
    pub fn operand(&self, node: &SyntaxNode) -> Result<Expr> {
        let at = self.at(node.start());
        let kind = match node.kind() {
            LITERAL => self.literal(node)?,
            NAME_REF => self.name(node)?,
            FIELD_EXPR => self.field(node)?,
            PAREN_EXPR => return self.parenthesised(node),
            TUPLE_EXPR => ExprKind::Row(self.expressions(node)?),
            ARRAY_EXPR => match self.parenthesised_query(node) {
                Some(query) if node.has(L_PAREN) => ExprKind::ArraySubquery(query?),
                _ => ExprKind::Array(self.expressions(node)?),
            },
            CASE_EXPR => self.case(node)?,
            CAST_EXPR => self.cast(node)?,
            CALL_EXPR => self.call(node)?,
            INDEX_EXPR | SLICE_EXPR => return refuse("an array subscript"),
            _ => return self.unexpected(node.start()),
        };
        Ok(Expr { kind, at })
    }

    #[inline(never)]
    fn parenthesised(&self, node: &SyntaxNode) -> Result<Expr> {
        match self.parenthesised_query(node) {
            Some(query) => Ok(Expr { kind: ExprKind::Subquery(query?), at: self.at(node.start()) }),
            None => self.only_expression(node),
        }
    }

    /// `a.b`, `a.b.c`
    #[inline(never)]
    fn field(&self, node: &SyntaxNode) -> Result<ExprKind> {
        let mut base = node.clone();
        while let Some(first) = base.first_child().filter(|_| base.kind() == FIELD_EXPR) {
            base = first;
        }
        if base.kind() != NAME_REF {
            return refuse("a field of a row value");
        }
        if node.has(STAR) {
            return refuse("* of a table within an expression");
        }
        Ok(ExprKind::Column(self.object_name(node)))
    }

    #[inline(never)]
    fn case(&self, node: &SyntaxNode) -> Result<ExprKind> {
        let mut arms = Vec::new();
        for arm in node.parts(WHEN_CLAUSE_LIST).flat_map(|list| list.parts(WHEN_CLAUSE).collect::<Vec<_>>()) {
            let [condition, result] =
                self.expressions(&arm)?.try_into().map_or_else(|_| self.unexpected(arm.start()), Ok)?;
            arms.push((condition, result));
        }
        let operand = self.expression(node)?.map(Box::new);
        let otherwise = node.part(ELSE_CLAUSE).map(|otherwise| self.only_expression(&otherwise)).transpose()?;
        Ok(ExprKind::Case { operand, arms, otherwise: otherwise.map(Box::new) })
    }

    /// `CAST (a AS type)`, `type 'text'`
    #[inline(never)]
    fn cast(&self, node: &SyntaxNode) -> Result<ExprKind> {
        if node.has(TREAT_KW) {
            return refuse("TREAT");
        }
        let mut data_type = self.type_in(node)?;
        if node.has(CAST_KW) {
            return Ok(ExprKind::Cast { expr: Box::new(self.only_expression(node)?), data_type });
        }
        if let Some(fields) = node.children().find(|child| is_interval_field(child.kind())) {
            data_type.fields = Some(words(&fields).into());
        }
        let constant = node.part(LITERAL);
        let value_at = self.at(constant.as_ref().map_or(node.start(), |constant| constant.start()));
        let constant = constant.map(|constant| self.string(&constant)).transpose()?;
        match constant.flatten() {
            Some(value) => Ok(ExprKind::TypedString { data_type, value, value_at }),
            None => self.unexpected(node.start()),
        }
    }
}
