//! Queries: WITH, SELECT, VALUES, TABLE, set operations, and what stands behind them.

use std::rc::Rc;

use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::super::ast::{
    Cte, Distinct, Expr, ExprKind, Ident, Literal, LockClause, LockWaitPolicy, Query, Select, SelectItem, SetExpr,
    SetOperator, TableAlias, TableFactor, TableWithJoins, With,
};
use super::tree::{Tree, is_query, start_of};
use super::{Lowering, Result, Unlowered, refuse};
use crate::trace::{LockStrength, SqlError};

impl Lowering<'_> {
    pub fn query(&self, node: &SyntaxNode) -> Result<Box<Query>> {
        let mut query = match node.kind() {
            PAREN_SELECT => self.parenthesised_select(node)?,
            _ => Box::new(plain(self.set_expr(node)?)),
        };
        if let Some(clause) = with_clause(node) {
            if query.with.is_some() {
                return self.twice("WITH", clause.start());
            }
            query.with = Some(self.with(&clause)?);
        }
        self.trailing_clauses(node, &mut query)?;
        Ok(query)
    }

    /// What stands in the parentheses, without what stands around them.
    #[inline(never)]
    fn parenthesised_select(&self, node: &SyntaxNode) -> Result<Box<Query>> {
        match node.children().find(|child| is_query(child.kind())) {
            Some(inner) => self.query(&inner),
            None => self.unexpected(node.start()),
        }
    }

    fn twice<T>(&self, clause: &str, at: usize) -> Result<T> {
        let mut error = SqlError::new("42601", format!("multiple {clause} clauses not allowed"));
        error.position = Some(self.at(at).0);
        Err(Unlowered::Failed(error))
    }

    #[inline(never)]
    fn with(&self, clause: &SyntaxNode) -> Result<With> {
        let mut ctes = Vec::new();
        for written in clause.parts(WITH_TABLE) {
            if written.has(SEARCH_CLAUSE) || written.has(CYCLE_CLAUSE) {
                return refuse("SEARCH and CYCLE");
            }
            let Some(name) = written.part(CTE_NAME) else { return self.unexpected(written.start()) };
            let Some(query) = written.children().find(|child| is_query(child.kind())) else {
                return refuse("a data-modifying statement in WITH");
            };
            let columns = written.part(COLUMN_LIST).map(|list| self.idents(&list)).unwrap_or_default();
            let materialized = match (written.has(MATERIALIZED), written.has(NOT_MATERIALIZED)) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            };
            ctes.push(Cte {
                alias: TableAlias { name: self.ident(&name), columns },
                materialized,
                query: *self.query(&query)?,
            });
        }
        Ok(With { recursive: clause.has(RECURSIVE_KW), ctes })
    }

    fn set_expr(&self, node: &SyntaxNode) -> Result<SetExpr> {
        match node.kind() {
            SELECT => self.select(node).map(SetExpr::Select),
            SELECT_INTO => refuse("SELECT INTO"),
            VALUES => self.rows(node).map(SetExpr::Values),
            TABLE => self.whole_table(node).map(SetExpr::Select),
            PAREN_SELECT => {
                let query = self.query(node)?;
                Ok(if has_clauses(&query) { SetExpr::Query(query) } else { query.body })
            }
            COMPOUND_SELECT => self.set_operation(node),
            _ => self.unexpected(node.start()),
        }
    }

    /// A chain of them groups from the left, and may be long.
    #[inline(never)]
    fn set_operation(&self, node: &SyntaxNode) -> Result<SetExpr> {
        let mut chain = Vec::new();
        let mut leftmost = node.clone();
        while leftmost.kind() == COMPOUND_SELECT {
            let Some(left) = leftmost.first_child() else { return self.unexpected(leftmost.start()) };
            chain.push(std::mem::replace(&mut leftmost, left));
        }
        let mut left = self.operand_of_set(&leftmost)?;
        while let Some(operation) = chain.pop() {
            let op = operation.children().find_map(|child| match child.kind() {
                UNION => Some((SetOperator::Union, child)),
                INTERSECT => Some((SetOperator::Intersect, child)),
                EXCEPT => Some((SetOperator::Except, child)),
                _ => None,
            });
            let right = operation.children().filter(|child| is_query(child.kind())).nth(1);
            let (Some((op, word)), Some(right)) = (op, right) else { return self.unexpected(operation.start()) };
            let right = Box::new(self.operand_of_set(&right)?);
            left = SetExpr::SetOperation { op, all: word.has(ALL), left: Box::new(left), right };
        }
        Ok(left)
    }

    /// WITH before the first SELECT belongs to the whole.
    #[inline(never)]
    fn operand_of_set(&self, node: &SyntaxNode) -> Result<SetExpr> {
        if node.kind() != PAREN_SELECT || !node.has(WITH_CLAUSE) {
            return self.set_expr(node);
        }
        let query = self.parenthesised_select(node)?;
        Ok(SetExpr::Query(query))
    }

    #[inline(never)]
    fn rows(&self, node: &SyntaxNode) -> Result<Vec<Vec<Expr>>> {
        let Some(list) = node.part(ROW_LIST) else { return self.unexpected(node.start()) };
        let mut rows = Vec::new();
        for row in list.parts(ROW) {
            rows.push(self.expressions(&row)?);
        }
        Ok(rows)
    }

    /// `TABLE t`
    #[inline(never)]
    fn whole_table(&self, node: &SyntaxNode) -> Result<Box<Select>> {
        let name = self.relation(node)?;
        let relation = TableFactor::Table { name, alias: None };
        Ok(Box::new(Select {
            distinct: None,
            projection: vec![SelectItem::Wildcard],
            from: vec![TableWithJoins { relation, joins: Vec::new() }],
            selection: None,
            group_by: Vec::new(),
            having: None,
        }))
    }

    #[inline(never)]
    fn select(&self, node: &SyntaxNode) -> Result<Box<Select>> {
        if node.has(WINDOW_CLAUSE) {
            return refuse("the WINDOW clause");
        }
        if node.has(INTO_CLAUSE) {
            return refuse("SELECT INTO");
        }
        let Some(clause) = node.part(SELECT_CLAUSE) else { return self.unexpected(node.start()) };
        let distinct = clause.part(DISTINCT_CLAUSE).map(|distinct| self.distinct(&distinct)).transpose()?;
        let from = node.part(FROM_CLAUSE).map(|from| self.relations(&from)).transpose()?;
        Ok(Box::new(Select {
            distinct,
            projection: self.targets(&clause)?,
            from: from.unwrap_or_default(),
            selection: self.condition(node, WHERE_CLAUSE)?,
            group_by: self.group_by(node)?,
            having: self.condition(node, HAVING_CLAUSE)?,
        }))
    }

    /// The expression of a clause, if it is there.
    pub fn condition(&self, node: &SyntaxNode, clause: squawk_syntax::SyntaxKind) -> Result<Option<Expr>> {
        node.part(clause).map(|clause| self.only_expression(&clause)).transpose()
    }

    fn distinct(&self, node: &SyntaxNode) -> Result<Distinct> {
        match node.part(DISTINCT_ON) {
            Some(on) => Ok(Distinct::On(self.expressions(&on)?)),
            None => Ok(Distinct::Rows),
        }
    }

    /// Of SELECT and RETURNING.
    #[inline(never)]
    pub fn targets(&self, clause: &SyntaxNode) -> Result<Vec<SelectItem>> {
        let Some(list) = clause.part(TARGET_LIST) else { return Ok(Vec::new()) };
        let mut items = Vec::new();
        for target in list.parts(TARGET) {
            items.push(self.target(&target)?);
        }
        Ok(items)
    }

    #[inline(never)]
    fn target(&self, target: &SyntaxNode) -> Result<SelectItem> {
        if target.has(STAR) {
            return Ok(SelectItem::Wildcard);
        }
        if let Some(field) = target.first_child().filter(|field| field.kind() == FIELD_EXPR && field.has(STAR)) {
            if field.first_child().is_some_and(|base| !matches!(base.kind(), NAME_REF | FIELD_EXPR)) {
                return refuse("a field of a row value");
            }
            return Ok(SelectItem::QualifiedWildcard(self.object_name(&field)));
        }
        let alias = target.part(AS_NAME).and_then(|alias| alias.part(COLUMN_NAME)).map(|name| self.ident(&name));
        Ok(SelectItem::Expr { expr: self.only_expression(target)?, alias })
    }

    #[inline(never)]
    fn group_by(&self, node: &SyntaxNode) -> Result<Vec<Expr>> {
        let Some(clause) = node.part(GROUP_BY_CLAUSE) else { return Ok(Vec::new()) };
        if clause.has(DISTINCT) {
            return refuse("GROUP BY with a modifier");
        }
        let Some(list) = clause.part(GROUP_BY_LIST) else {
            let end = u32::from(clause.text_range().end()) as usize;
            return self.unexpected(end);
        };
        let mut keys = Vec::new();
        for item in list.children() {
            if item.kind() != GROUPING_EXPR {
                return refuse("GROUPING SETS, CUBE and ROLLUP");
            }
            match item.part(TUPLE_EXPR).filter(|row| !row.has(ROW_KW)) {
                Some(row) => match self.expressions(&row)? {
                    empty if empty.is_empty() => return refuse("GROUPING SETS, CUBE and ROLLUP"),
                    parts => keys.extend(parts),
                },
                None => keys.push(self.only_expression(&item)?),
            }
        }
        Ok(keys)
    }

    /// ORDER BY, LIMIT, OFFSET, FETCH, FOR UPDATE.
    #[inline(never)]
    fn trailing_clauses(&self, node: &SyntaxNode, query: &mut Query) -> Result<()> {
        let (mut limited, mut skipped) = (query.limit.is_some(), query.offset.is_some());
        let inner_limit = limited;
        for clause in node.children() {
            match clause.kind() {
                ORDER_BY_CLAUSE => {
                    let order = self.order_by(&clause)?;
                    if !query.order_by.is_empty() {
                        return self.twice("ORDER BY", clause.part(SORT_BY_LIST).unwrap_or(clause).start());
                    }
                    query.order_by = order;
                }
                LIMIT_CLAUSE | FETCH_CLAUSE => {
                    if limited && inner_limit {
                        return self.twice("LIMIT", second_word(&clause));
                    } else if limited {
                        return self.unexpected(clause.start());
                    }
                    limited = true;
                    query.limit = self.limit(&clause)?;
                }
                OFFSET_CLAUSE if skipped => return self.unexpected(clause.start()),
                OFFSET_CLAUSE => {
                    skipped = true;
                    query.offset = Some(self.only_expression(&clause)?);
                }
                LOCKING_CLAUSE => query.locks.push(self.lock(&clause)?),
                _ => {}
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn limit(&self, clause: &SyntaxNode) -> Result<Option<Expr>> {
        if clause.has(WITH_TIES) {
            return refuse("FETCH … WITH TIES");
        }
        if clause.has(ALL) {
            return Ok(None);
        }
        let limit = self.expression(clause)?;
        let one = || Expr { kind: ExprKind::Literal(Literal::Number(Rc::from("1"))), at: self.at(clause.start()) };
        Ok(Some(limit.unwrap_or_else(one)))
    }

    #[inline(never)]
    fn lock(&self, clause: &SyntaxNode) -> Result<LockClause> {
        let strengths = [
            (FOR_UPDATE, LockStrength::Update),
            (FOR_NO_KEY_UPDATE, LockStrength::NoKeyUpdate),
            (FOR_SHARE, LockStrength::Share),
            (FOR_KEY_SHARE, LockStrength::KeyShare),
        ];
        let Some((_, strength)) = strengths.into_iter().find(|(kind, _)| clause.has(*kind)) else {
            return self.unexpected(clause.start());
        };
        let wait = match (clause.has(NOWAIT), clause.has(SKIP_LOCKED)) {
            (true, _) => LockWaitPolicy::NoWait,
            (_, true) => LockWaitPolicy::SkipLocked,
            _ => LockWaitPolicy::Block,
        };
        let of = clause.part(LOCKING_OF).map(|of| self.locked_names(&of)).transpose()?;
        Ok(LockClause { strength, of: of.unwrap_or_default(), wait })
    }

    fn locked_names(&self, of: &SyntaxNode) -> Result<Vec<Ident>> {
        of.children()
            .map(|name| match name.kind() {
                NAME_REF => Ok(self.ident(&name)),
                FIELD_EXPR => {
                    let mut error = SqlError::new("42601", "FOR UPDATE must specify unqualified relation names");
                    error.position = Some(self.at(name.start()).0);
                    Err(Unlowered::Failed(error))
                }
                _ => self.unexpected(name.start()),
            })
            .collect()
    }
}

fn second_word(clause: &SyntaxNode) -> usize {
    clause.elements().nth(1).map_or(clause.start(), |element| start_of(&element))
}

fn has_clauses(query: &Query) -> bool {
    let limited = query.limit.is_some() || query.offset.is_some();
    query.with.is_some() || !query.order_by.is_empty() || limited || !query.locks.is_empty()
}

fn plain(body: SetExpr) -> Query {
    Query { with: None, body, order_by: Vec::new(), limit: None, offset: None, locks: Vec::new() }
}

/// The WITH of a query: of a chain of set operations it stands in the first of them.
fn with_clause(node: &SyntaxNode) -> Option<SyntaxNode> {
    let mut node = node.clone();
    while node.kind() == COMPOUND_SELECT {
        node = node.first_child()?;
    }
    node.part(WITH_CLAUSE)
}
