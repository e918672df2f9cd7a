//! INSERT, UPDATE, DELETE.

use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::super::ast::{
    Assignment, ConflictTarget, ConflictUpdate, Delete, Expr, ExprKind, Ident, Insert, ObjectName, OnConflict,
    SelectItem, Update,
};
use super::tree::{Tree, is_query};
use super::{Lowering, Result, refuse};

impl Lowering<'_> {
    pub fn insert(&self, node: &SyntaxNode) -> Result<Insert> {
        self.without_with(node)?;
        if node.has(OVERRIDING_SYSTEM_VALUE) || node.has(OVERRIDING_USER_VALUE) {
            return refuse("OVERRIDING");
        }
        let columns = node.part(COLUMN_TARGET_LIST).map(|list| self.targeted(&list)).transpose()?;
        let source = node.children().find(|child| is_query(child.kind()));
        Ok(Insert {
            table: self.relation(node)?,
            alias: self.alias(node),
            columns: columns.unwrap_or_default(),
            source: source.map(|source| self.query(&source)).transpose()?.map(|query| *query),
            on_conflict: node.part(ON_CONFLICT_CLAUSE).map(|clause| self.on_conflict(&clause)).transpose()?,
            returning: self.returning(node)?,
        })
    }

    fn without_with(&self, node: &SyntaxNode) -> Result<()> {
        if node.has(WITH_CLAUSE) { refuse("a data-modifying statement in a query") } else { Ok(()) }
    }

    fn alias(&self, node: &SyntaxNode) -> Option<Ident> {
        let alias = node.part(REQUIRED_AS_ALIAS).or_else(|| node.part(OPTIONAL_AS_ALIAS))?;
        alias.part(TABLE_ALIAS).map(|name| self.ident(&name))
    }

    fn returning(&self, node: &SyntaxNode) -> Result<Option<Vec<SelectItem>>> {
        node.part(RETURNING_CLAUSE).map(|clause| self.targets(&clause)).transpose()
    }

    /// Columns that are written to, by their own name only.
    fn targeted(&self, list: &SyntaxNode) -> Result<Vec<Ident>> {
        list.parts(COLUMN_TARGET).map(|target| self.target_column(&target)).collect()
    }

    fn target_column(&self, target: &SyntaxNode) -> Result<Ident> {
        if target.children().count() > 1 {
            return refuse("writing to a part of a column");
        }
        match target.part(COLUMN_NAME_REF) {
            Some(name) => Ok(self.ident(&name)),
            None => self.unexpected(target.start()),
        }
    }

    fn on_conflict(&self, clause: &SyntaxNode) -> Result<OnConflict> {
        let target = match (clause.part(CONFLICT_ON_INDEX), clause.part(CONFLICT_ON_CONSTRAINT)) {
            (Some(index), _) => Some(self.conflict_columns(&index)?),
            (_, Some(constraint)) => Some(ConflictTarget::Constraint(
                self.plain_name(&constraint.part(CONSTRAINT_NAME_REF).unwrap_or(constraint))?,
            )),
            _ => None,
        };
        let update = clause.part(CONFLICT_DO_UPDATE_SET).map(|update| self.conflict_update(&update)).transpose()?;
        if clause.has(CONFLICT_DO_SELECT) {
            return refuse("ON CONFLICT DO SELECT");
        }
        Ok(OnConflict { target, update })
    }

    fn conflict_columns(&self, index: &SyntaxNode) -> Result<ConflictTarget> {
        if index.has(WHERE_CLAUSE) {
            return refuse("ON CONFLICT with a predicate");
        }
        let items =
            index.parts(CONFLICT_INDEX_ITEM_LIST).flat_map(|list| list.parts(CONFLICT_INDEX_ITEM).collect::<Vec<_>>());
        let columns: Result<Vec<Ident>> = items
            .map(|item| match (item.first_child(), item.children().count()) {
                (Some(name), 1) if name.kind() == NAME_REF => Ok(self.ident(&name)),
                (_, 1) => refuse("ON CONFLICT of an expression"),
                _ => refuse("ON CONFLICT with an operator class"),
            })
            .collect();
        Ok(ConflictTarget::Columns(columns?))
    }

    fn conflict_update(&self, update: &SyntaxNode) -> Result<ConflictUpdate> {
        Ok(ConflictUpdate { assignments: self.assignments(update)?, selection: self.condition(update, WHERE_CLAUSE)? })
    }

    fn assignments(&self, node: &SyntaxNode) -> Result<Vec<Assignment>> {
        let list = node.part(SET_CLAUSE).and_then(|clause| clause.part(SET_COLUMN_LIST));
        let Some(list) = list else { return self.unexpected(node.start()) };
        list.children().map(|assignment| self.assignment(&assignment)).collect()
    }

    fn assignment(&self, node: &SyntaxNode) -> Result<Assignment> {
        if let Some(target) = node.part(COLUMN_TARGET) {
            let column = ObjectName(vec![self.target_column(&target)?]);
            let Some(value) = node.part(SET_EXPR) else { return self.unexpected(node.start()) };
            return Ok(Assignment::Column { column, value: self.set_value(&value)? });
        }
        let (Some(targets), Some(values)) = (node.part(COLUMN_TARGET_LIST), node.part(SET_EXPR_LIST)) else {
            return refuse("SET (…) = (SELECT …)");
        };
        let columns = self.targeted(&targets)?.into_iter().map(|name| ObjectName(vec![name])).collect();
        let values: Result<Vec<Expr>> = values.parts(SET_EXPR).map(|value| self.set_value(&value)).collect();
        Ok(Assignment::Row { columns, values: values? })
    }

    fn set_value(&self, node: &SyntaxNode) -> Result<Expr> {
        if node.has(DEFAULT_KW) {
            return Ok(Expr { kind: ExprKind::Default, at: self.at(node.start()) });
        }
        self.only_expression(node)
    }

    pub fn update(&self, node: &SyntaxNode) -> Result<Update> {
        self.without_with(node)?;
        self.without_cursor(node)?;
        Ok(Update {
            table: self.relation(node)?,
            alias: self.alias(node),
            assignments: self.assignments(node)?,
            from: node.part(FROM_CLAUSE).map(|from| self.relations(&from)).transpose()?.unwrap_or_default(),
            selection: self.condition(node, WHERE_CLAUSE)?,
            returning: self.returning(node)?,
        })
    }

    pub fn delete(&self, node: &SyntaxNode) -> Result<Delete> {
        self.without_with(node)?;
        self.without_cursor(node)?;
        Ok(Delete {
            table: self.relation(node)?,
            alias: self.alias(node),
            using: node.part(USING_CLAUSE).map(|using| self.relations(&using)).transpose()?.unwrap_or_default(),
            selection: self.condition(node, WHERE_CLAUSE)?,
            returning: self.returning(node)?,
        })
    }

    fn without_cursor(&self, node: &SyntaxNode) -> Result<()> {
        if node.has(WHERE_CURRENT_OF) { refuse("WHERE CURRENT OF") } else { Ok(()) }
    }
}
