//! ALTER TABLE, indexes, sequences, DROP, TRUNCATE.

use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::super::ast::{
    AlterTable, AlterTableOperation, Commented, CreateIndex, CreateSequence, Drop, Ident, IndexColumn, ObjectKind,
    ObjectName, SequenceOption, Statement, Truncate,
};
use super::tree::Tree;
use super::{Lowering, Result, Unlowered, refuse, spelled};
use crate::trace::SqlError;

impl Lowering<'_> {
    pub fn alter_table(&self, node: &SyntaxNode) -> Result<AlterTable> {
        let is_action = |child: &SyntaxNode| !matches!(child.kind(), TABLE_RELATION_NAME | IF_EXISTS);
        let operations: Result<Vec<AlterTableOperation>> =
            node.children().filter(is_action).map(|action| self.alter_table_operation(&action)).collect();
        Ok(AlterTable { name: self.relation(node)?, if_exists: node.has(IF_EXISTS), operations: operations? })
    }

    fn alter_table_operation(&self, node: &SyntaxNode) -> Result<AlterTableOperation> {
        Ok(match node.kind() {
            ADD_COLUMN => {
                AlterTableOperation::AddColumn { column: self.column(node)?, if_not_exists: node.has(IF_NOT_EXISTS) }
            }
            ADD_CONSTRAINT => match node.first_child() {
                Some(constraint) => AlterTableOperation::AddConstraint(self.table_constraint(&constraint)?),
                None => return self.unexpected(node.start()),
            },
            DROP_COLUMN => AlterTableOperation::DropColumn {
                column: self.named(node)?,
                if_exists: node.has(IF_EXISTS),
                cascade: node.has(CASCADE),
            },
            DROP_CONSTRAINT => AlterTableOperation::DropConstraint {
                constraint: self.named(node)?,
                if_exists: node.has(IF_EXISTS),
                cascade: node.has(CASCADE),
            },
            RENAME_COLUMN => match node.part(COLUMN_NAME) {
                Some(to) => AlterTableOperation::RenameColumn { from: self.named(node)?, to: self.ident(&to) },
                None => return self.unexpected(node.start()),
            },
            TABLE_RENAME_TO => match node.part(TABLE_NAME) {
                Some(to) => AlterTableOperation::RenameTable(self.plain_name(&to)?),
                None => return self.unexpected(node.start()),
            },
            ALTER_COLUMN => return self.alter_column(node),
            kind => return refuse(format!("ALTER TABLE … {}", spelled(kind))),
        })
    }

    /// The column or constraint an action is about.
    fn named(&self, node: &SyntaxNode) -> Result<Ident> {
        match node.children().find(|child| matches!(child.kind(), COLUMN_NAME_REF | CONSTRAINT_NAME_REF)) {
            Some(name) => self.plain_name(&name),
            None => self.unexpected(node.start()),
        }
    }

    fn alter_column(&self, node: &SyntaxNode) -> Result<AlterTableOperation> {
        let column = self.named(node)?;
        let Some(action) = node.children().nth(1) else { return self.unexpected(node.start()) };
        Ok(match action.kind() {
            SET_NOT_NULL => AlterTableOperation::SetNotNull(column),
            DROP_NOT_NULL => AlterTableOperation::DropNotNull(column),
            SET_DEFAULT => AlterTableOperation::SetDefault { column, default: self.only_expression(&action)? },
            DROP_DEFAULT => AlterTableOperation::DropDefault(column),
            SET_TYPE => return refuse("changing a column's type"),
            kind => return refuse(format!("ALTER TABLE … ALTER COLUMN … {}", spelled(kind))),
        })
    }

    pub fn create_index(&self, node: &SyntaxNode) -> Result<CreateIndex> {
        for (kind, name) in [
            (NULLS_NOT_DISTINCT, "NULLS NOT DISTINCT"),
            (WITH_PARAMS, "storage parameters of an index"),
            (INDEX_INCLUDE_CLAUSE, "INCLUDE"),
            (TABLESPACE_CLAUSE, "TABLESPACE"),
        ] {
            if node.has(kind) {
                return refuse(name);
            }
        }
        let using = node.part(USING_METHOD).and_then(|using| using.part(ACCESS_METHOD_REF));
        let items = node.parts(PARTITION_ITEM_LIST).flat_map(|list| list.parts(PARTITION_ITEM).collect::<Vec<_>>());
        let columns: Result<Vec<IndexColumn>> = items.map(|item| self.index_column(&item)).collect();
        Ok(CreateIndex {
            name: node.part(INDEX).map(|name| self.plain_name(&name)).transpose()?,
            table: self.relation(node)?,
            if_not_exists: node.has(IF_NOT_EXISTS),
            unique: node.has(UNIQUE_KW),
            concurrently: node.has(CONCURRENTLY_KW),
            using: using.map(|method| self.ident(&method)),
            columns: columns?,
            predicate: self.condition(node, WHERE_CLAUSE)?,
        })
    }

    fn index_column(&self, item: &SyntaxNode) -> Result<IndexColumn> {
        if item.has(OP_CLASS_REF) {
            return refuse("an operator class");
        }
        let written = item.first_child().map_or_else(String::new, |expr| expr.written());
        Ok(IndexColumn { expr: self.only_expression(item)?, text: written })
    }

    pub fn create_sequence(&self, node: &SyntaxNode) -> Result<CreateSequence> {
        if node.has(UNLOGGED) {
            return refuse("an unlogged sequence");
        }
        let Some(name) = node.part(SEQUENCE) else { return self.unexpected(node.start()) };
        Ok(CreateSequence {
            name: self.object_name(&name),
            temporary: node.has(TEMP),
            if_not_exists: node.has(IF_NOT_EXISTS),
            options: self.sequence_options(node)?,
        })
    }

    /// The options that stand in a node.
    pub fn sequence_options(&self, node: &SyntaxNode) -> Result<Vec<SequenceOption>> {
        let is_option = |child: &SyntaxNode| !matches!(child.kind(), SEQUENCE | IF_NOT_EXISTS | TEMP);
        node.children().filter(is_option).map(|option| self.sequence_option(&option)).collect()
    }

    fn sequence_option(&self, option: &SyntaxNode) -> Result<SequenceOption> {
        Ok(match option.kind() {
            OPTION_AS_TYPE => SequenceOption::As(self.type_in(option)?),
            OPTION_CACHE => SequenceOption::Cache(self.number(option)?),
            OPTION_INCREMENT => SequenceOption::IncrementBy(self.number(option)?),
            OPTION_START => SequenceOption::StartWith(self.number(option)?),
            OPTION_MIN_VALUE => SequenceOption::MinValue(Some(self.number(option)?)),
            OPTION_MAX_VALUE => SequenceOption::MaxValue(Some(self.number(option)?)),
            OPTION_NO_MIN_VALUE => SequenceOption::MinValue(None),
            OPTION_NO_MAX_VALUE => SequenceOption::MaxValue(None),
            OPTION_CYCLE => SequenceOption::Cycle(true),
            OPTION_NO_CYCLE => SequenceOption::Cycle(false),
            OPTION_OWNED_BY => {
                let column = option.part(QUALIFIED_COLUMN_NAME_REF);
                SequenceOption::OwnedBy(column.map(|column| self.object_name(&column)))
            }
            kind => return refuse(format!("the sequence option {}", spelled(kind).trim_start_matches("OPTION "))),
        })
    }

    fn number(&self, option: &SyntaxNode) -> Result<i64> {
        let Some(written) = option.children().find(|child| matches!(child.kind(), LITERAL | PREFIX_EXPR)) else {
            return self.unexpected(option.start());
        };
        let digits = written.written().replace([' ', '+'], "");
        digits.parse().map_err(|_| {
            let message = format!("value \"{digits}\" is out of range for type bigint");
            Unlowered::Failed(SqlError::new("22003", message))
        })
    }

    pub fn drop(&self, node: &SyntaxNode, kind: ObjectKind) -> Result<Statement> {
        if node.has(CONCURRENTLY_KW) {
            return refuse("DROP INDEX CONCURRENTLY");
        }
        let named = |child: &SyntaxNode| matches!(child.kind(), TABLE_NAME_REF | INDEX_REF | SEQUENCE_REF);
        let names: Vec<ObjectName> = node.children().filter(named).map(|name| self.object_name(&name)).collect();
        Ok(Statement::Drop(Drop { kind, if_exists: node.has(IF_EXISTS), names, cascade: node.has(CASCADE) }))
    }

    pub fn comment(&self, node: &SyntaxNode) -> Result<Commented> {
        let Some(object) = node.first_child() else { return self.unexpected(node.start()) };
        let kind = match object.kind() {
            OBJECT_TABLE => Some(ObjectKind::Table),
            OBJECT_INDEX => Some(ObjectKind::Index),
            OBJECT_SEQUENCE => Some(ObjectKind::Sequence),
            OBJECT_COLUMN => None,
            kind => return refuse(format!("COMMENT ON {}", spelled(kind).trim_start_matches("OBJECT "))),
        };
        let Some(name) = object.first_child() else { return self.unexpected(object.start()) };
        let mut name = self.object_name(&name);
        if let Some(kind) = kind {
            return Ok(Commented::Relation { kind, name });
        }
        match name.0.pop() {
            Some(column) if !name.0.is_empty() => Ok(Commented::Column { table: name, column }),
            _ => Err(Unlowered::Failed(SqlError::new("42601", "column name must be qualified"))),
        }
    }

    pub fn truncate(&self, node: &SyntaxNode) -> Result<Truncate> {
        let tables = node.parts(TABLE_LIST).flat_map(|list| list.parts(TABLE_RELATION_NAME).collect::<Vec<_>>());
        let tables: Result<Vec<ObjectName>> = tables
            .map(|table| if table.has(ONLY_KW) { refuse("ONLY") } else { Ok(self.object_name(&table)) })
            .collect();
        Ok(Truncate { tables: tables?, restart_identity: node.has(RESTART_IDENTITY), cascade: node.has(CASCADE) })
    }
}
