//! FROM. The library takes a join to the right of another for its operand, whatever joins they are: as operators, joins are taken
//! as a sequence and grouped anew. One with a condition takes what stands before its ON or USING, all others group from the left.

use squawk_syntax::{SyntaxElement, SyntaxKind::*, SyntaxNode};

use super::super::ast::{
    ExprKind, Join, JoinConstraint, JoinType, ObjectName, TableAlias, TableFactor, TableWithJoins,
};
use super::tree::Tree;
use super::{Lowering, Result, refuse};

/// A join whose right side, or whose condition, is yet to come.
struct OpenJoin {
    kind: JoinType,
    /// `None`: it must have ON or USING.
    constraint: Option<JoinConstraint>,
}

impl Lowering<'_> {
    /// Of FROM and USING.
    pub fn relations(&self, clause: &SyntaxNode) -> Result<Vec<TableWithJoins>> {
        let mut items = Vec::new();
        for item in clause.children() {
            items.push(self.joined(&item)?);
        }
        Ok(items)
    }

    fn joined(&self, node: &SyntaxNode) -> Result<TableWithJoins> {
        let mut items: Vec<TableWithJoins> = Vec::new();
        let mut open: Vec<OpenJoin> = Vec::new();
        let mut natural = false;
        for piece in join_pieces(node) {
            let kind = match piece.kind() {
                NATURAL_KW => {
                    natural = true;
                    continue;
                }
                JOIN_CROSS | JOIN_INNER => JoinType::Inner,
                JOIN_LEFT => JoinType::Left,
                JOIN_RIGHT => JoinType::Right,
                JOIN_FULL => JoinType::Full,
                ON_CLAUSE | JOIN_USING_CLAUSE => {
                    let Some(clause) = piece.as_node() else { continue };
                    close_complete(&mut items, &mut open);
                    let Some(last) = open.last_mut() else { return self.unexpected(clause.start()) };
                    last.constraint = Some(self.join_constraint(clause)?);
                    close_complete_one(&mut items, &mut open);
                    continue;
                }
                _ => {
                    let Some(item) = piece.as_node() else { continue };
                    items.push(match self.factor(item)? {
                        TableFactor::Nested(joined) => *joined,
                        relation => TableWithJoins { relation, joins: Vec::new() },
                    });
                    continue;
                }
            };
            close_complete(&mut items, &mut open);
            let constraint = match piece.kind() {
                JOIN_CROSS => Some(JoinConstraint::None),
                _ => natural.then_some(JoinConstraint::Natural),
            };
            natural = false;
            open.push(OpenJoin { kind, constraint });
        }
        close_complete(&mut items, &mut open);
        match (items.pop(), open.is_empty()) {
            (Some(item), true) => Ok(item),
            _ => self.unexpected(u32::from(node.text_range().end()) as usize),
        }
    }

    #[inline(never)]
    fn join_constraint(&self, clause: &SyntaxNode) -> Result<JoinConstraint> {
        if clause.kind() == ON_CLAUSE {
            return Ok(JoinConstraint::On(self.only_expression(clause)?));
        }
        if clause.has(REQUIRED_AS_ALIAS) {
            return refuse("an alias of USING");
        }
        match clause.part(COLUMN_REF_LIST) {
            Some(list) => Ok(JoinConstraint::Using(self.idents(&list))),
            None => self.unexpected(clause.start()),
        }
    }

    fn factor(&self, node: &SyntaxNode) -> Result<TableFactor> {
        match node.kind() {
            RELATION_FROM_ITEM => self.table_factor(node),
            FUNCTION_FROM_ITEM => self.function_factor(node),
            PAREN_FROM_ITEM => self.parenthesised_factor(node),
            ROWS_FROM_ITEM => refuse("ROWS FROM"),
            JSON_TABLE_FROM_ITEM => refuse("JSON_TABLE"),
            XML_TABLE_FROM_ITEM => refuse("XMLTABLE"),
            _ => refuse("this kind of FROM item"),
        }
    }

    #[inline(never)]
    fn table_factor(&self, node: &SyntaxNode) -> Result<TableFactor> {
        if node.has(ONLY_KW) {
            return refuse("ONLY");
        }
        if node.has(TABLESAMPLE_CLAUSE) {
            return refuse("TABLESAMPLE");
        }
        Ok(TableFactor::Table { name: self.relation(node)?, alias: self.table_alias(node)? })
    }

    /// The relation that stands in a node.
    pub fn relation(&self, node: &SyntaxNode) -> Result<ObjectName> {
        let kinds = [RELATION_NAME_REF, RELATION_NAME, TABLE_NAME_REF, TABLE_RELATION_NAME];
        let Some(name) = node.children().find(|child| kinds.contains(&child.kind())) else {
            return self.unexpected(node.start());
        };
        if name.has(ONLY_KW) {
            return refuse("ONLY");
        }
        Ok(self.object_name(&name))
    }

    #[inline(never)]
    fn function_factor(&self, node: &SyntaxNode) -> Result<TableFactor> {
        if node.has(WITH_ORDINALITY) {
            return refuse("WITH ORDINALITY");
        }
        let Some(call) = node.part(CALL_EXPR) else { return refuse("this kind of FROM item") };
        let alias = self.table_alias(node)?;
        match self.call(&call)? {
            ExprKind::Function(function) if function.over.is_none() && function.filter.is_none() => {
                Ok(TableFactor::Function { name: function.name, arguments: function.arguments, alias })
            }
            _ => refuse("this form of function arguments"),
        }
    }

    #[inline(never)]
    fn parenthesised_factor(&self, node: &SyntaxNode) -> Result<TableFactor> {
        let alias = self.table_alias(node)?;
        if let Some(query) = node.part(PAREN_SELECT) {
            let query = self.query(&query)?;
            return Ok(TableFactor::Derived { lateral: node.has(LATERAL_KW), query, alias });
        }
        if alias.is_some() {
            return refuse("this kind of FROM item");
        }
        let inner = node.part(PAREN_EXPR).and_then(|parentheses| parentheses.first_child());
        let Some(inner) = inner else { return self.unexpected(node.start()) };
        let joined = self.joined(&inner)?;
        Ok(if joined.joins.is_empty() { joined.relation } else { TableFactor::Nested(Box::new(joined)) })
    }

    #[inline(never)]
    fn table_alias(&self, node: &SyntaxNode) -> Result<Option<TableAlias>> {
        let Some(alias) = node.part(FROM_ALIAS) else { return Ok(None) };
        if alias.has(COLUMN_DEF_LIST) {
            return refuse("a column definition list");
        }
        let Some(name) = alias.part(TABLE_ALIAS) else { return self.unexpected(alias.start()) };
        let columns = alias.part(COLUMN_LIST).map(|list| self.idents(&list));
        Ok(Some(TableAlias { name: self.ident(&name), columns: columns.unwrap_or_default() }))
    }
}

/// Items, joins and conditions in the order they are written.
fn join_pieces(node: &SyntaxNode) -> Vec<SyntaxElement> {
    let mut found = Vec::new();
    let mut unseen = vec![SyntaxElement::Node(node.clone())];
    while let Some(element) = unseen.pop() {
        match element.as_node() {
            Some(node) if matches!(node.kind(), JOIN_EXPR | JOIN) => {
                let children: Vec<SyntaxElement> = node.elements().collect();
                unseen.extend(children.into_iter().rev());
            }
            _ => found.push(element),
        }
    }
    found
}

/// The joins at the end that have all they need.
fn close_complete(items: &mut Vec<TableWithJoins>, open: &mut Vec<OpenJoin>) {
    while close_complete_one(items, open) {}
}

fn close_complete_one(items: &mut Vec<TableWithJoins>, open: &mut Vec<OpenJoin>) -> bool {
    let Some(OpenJoin { kind, constraint: Some(constraint) }) = open.pop_if(|join| join.constraint.is_some()) else {
        return false;
    };
    let (Some(right), Some(left)) = (items.pop(), items.last_mut()) else { return false };
    let relation = if right.joins.is_empty() { right.relation } else { TableFactor::Nested(Box::new(right)) };
    left.joins.push(Join { relation, kind, constraint });
    true
}
