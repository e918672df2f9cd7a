//! CREATE TABLE and ALTER TABLE: columns and constraints.

use squawk_syntax::{SyntaxKind::*, SyntaxNode};

use super::super::ast::{
    ColumnConstraint, ColumnConstraintKind, ColumnDef, CreateTable, Ident, OnCommit, References, ReferentialAction,
    TableConstraint, TableConstraintKind,
};
use super::tree::Tree;
use super::{Lowering, Result, Unlowered, refuse, spelled};
use crate::trace::SqlError;

impl Lowering<'_> {
    pub fn create_table(&self, node: &SyntaxNode) -> Result<CreateTable> {
        for (kind, name) in [
            (PARTITION_BY, "a partitioned table"),
            (PARTITION_OF, "a partitioned table"),
            (INHERITS, "INHERITS"),
            (OF_TYPE, "CREATE TABLE … OF"),
            (USING_METHOD, "a table access method"),
            (WITH_PARAMS, "storage parameters of a table"),
            (TABLESPACE_CLAUSE, "TABLESPACE"),
            (UNLOGGED, "an UNLOGGED table"),
        ] {
            if node.has(kind) {
                return refuse(name);
            }
        }
        let Some(name) = node.part(TABLE_NAME) else { return self.unexpected(node.start()) };
        let mut columns = Vec::new();
        let mut constraints = Vec::new();
        for item in node.parts(TABLE_ARG_LIST).flat_map(|list| list.children().collect::<Vec<_>>()) {
            match item.kind() {
                COLUMN => columns.push(self.column(&item)?),
                LIKE_CLAUSE => return refuse("CREATE TABLE AS and LIKE"),
                _ => constraints.push(self.table_constraint(&item)?),
            }
        }
        let on_commit = node.part(ON_COMMIT);
        let does = |kind| on_commit.as_ref().is_some_and(|clause| clause.has(kind));
        Ok(CreateTable {
            name: self.object_name(&name),
            if_not_exists: node.has(IF_NOT_EXISTS),
            temporary: node.has(TEMP),
            on_commit: on_commit.as_ref().map(|_| match (does(DELETE_ROWS), does(DROP)) {
                (true, _) => OnCommit::DeleteRows,
                (_, true) => OnCommit::Drop,
                _ => OnCommit::PreserveRows,
            }),
            columns,
            constraints,
        })
    }

    /// Of CREATE TABLE and of ADD COLUMN.
    pub fn column(&self, node: &SyntaxNode) -> Result<ColumnDef> {
        let Some(name) = node.part(COLUMN_NAME) else { return self.unexpected(node.start()) };
        for (kind, name) in [(COLLATE, "COLLATE"), (STORAGE, "STORAGE"), (COMPRESSION_METHOD, "COMPRESSION")] {
            if node.has(kind) {
                return refuse(name);
            }
        }
        let constraints = node.children().filter(|child| is_constraint(child.kind()));
        let constraints: Result<Vec<ColumnConstraint>> =
            constraints.map(|constraint| self.column_constraint(&constraint)).collect();
        Ok(ColumnDef { name: self.ident(&name), data_type: self.type_in(node)?, constraints: constraints? })
    }

    fn column_constraint(&self, node: &SyntaxNode) -> Result<ColumnConstraint> {
        self.offered_options(node)?;
        let kind = match node.kind() {
            NULL_CONSTRAINT => ColumnConstraintKind::Null,
            NOT_NULL_CONSTRAINT => ColumnConstraintKind::NotNull,
            DEFAULT_CONSTRAINT => ColumnConstraintKind::Default(self.restricted(node)?),
            CHECK_CONSTRAINT => ColumnConstraintKind::Check(self.only_expression(node)?),
            PRIMARY_KEY_CONSTRAINT => ColumnConstraintKind::PrimaryKey,
            UNIQUE_CONSTRAINT => ColumnConstraintKind::Unique,
            REFERENCES_CONSTRAINT => ColumnConstraintKind::References(self.references(node)?),
            GENERATED_CONSTRAINT => self.generated(node)?,
            kind => return refuse(format!("the column option {}", spelled(kind))),
        };
        Ok(ColumnConstraint { name: self.constraint_name(node)?, kind, deferrable: is_deferrable(node) })
    }

    fn generated(&self, node: &SyntaxNode) -> Result<ColumnConstraintKind> {
        if let Some(identity) = node.part(GENERATED_IDENTITY) {
            let options = identity.part(SEQUENCE_OPTION_LIST);
            let options = options.map(|list| self.sequence_options(&list)).transpose()?;
            return Ok(ColumnConstraintKind::Identity {
                always: identity.has(GENERATED_ALWAYS),
                options: options.unwrap_or_default(),
            });
        }
        match node.part(GENERATED_STORED) {
            Some(stored) if stored.has(GENERATED_BY_DEFAULT) => {
                let mut error = SqlError::new("42601", "for a generated column, GENERATED ALWAYS must be specified");
                error.position = stored.part(GENERATED_BY_DEFAULT).map(|when| self.at(when.start()).0);
                Err(Unlowered::Failed(error))
            }
            Some(stored) if !stored.has(STORED) => self.unexpected(u32::from(stored.text_range().end()) as usize),
            Some(stored) => Ok(ColumnConstraintKind::Generated(self.only_expression(&stored)?)),
            None => self.unexpected(node.start()),
        }
    }

    pub fn table_constraint(&self, node: &SyntaxNode) -> Result<TableConstraint> {
        self.offered_options(node)?;
        let kind = match node.kind() {
            PRIMARY_KEY_CONSTRAINT => TableConstraintKind::PrimaryKey(self.constrained(node)?),
            UNIQUE_CONSTRAINT => TableConstraintKind::Unique(self.constrained(node)?),
            CHECK_CONSTRAINT => TableConstraintKind::Check(self.only_expression(node)?),
            FOREIGN_KEY_CONSTRAINT => TableConstraintKind::ForeignKey {
                columns: node.part(FOREIGN_KEY_COLUMN_LIST).map(|list| self.idents(&list)).unwrap_or_default(),
                references: self.references(node)?,
            },
            EXCLUDE_CONSTRAINT => return refuse("an exclusion constraint"),
            kind => return refuse(format!("the constraint {}", spelled(kind))),
        };
        Ok(TableConstraint { name: self.constraint_name(node)?, kind, deferrable: is_deferrable(node) })
    }

    fn offered_options(&self, node: &SyntaxNode) -> Result<()> {
        let index = node.part(INDEX_PARAMETERS);
        let index = |kind| index.as_ref().is_some_and(|index| index.has(kind));
        for (found, name) in [
            (node.has(USING_INDEX_NAME), "a constraint USING INDEX"),
            (node.has(NO_INHERIT), "NO INHERIT"),
            (node.has(NOT_VALID), "NOT VALID"),
            (node.has(MATCH_FULL), "MATCH FULL"),
            (index(NULLS_NOT_DISTINCT), "NULLS NOT DISTINCT"),
            (index(CONSTRAINT_INCLUDE_CLAUSE), "INCLUDE"),
            (index(WITH_PARAMS), "storage parameters of an index"),
            (index(CONSTRAINT_INDEX_TABLESPACE), "TABLESPACE"),
        ] {
            if found {
                return refuse(name);
            }
        }
        Ok(())
    }

    fn constraint_name(&self, node: &SyntaxNode) -> Result<Option<Ident>> {
        let name = node.part(CONSTRAINT_NAME_CLAUSE).and_then(|clause| clause.part(CONSTRAINT_NAME));
        name.map(|name| self.plain_name(&name)).transpose()
    }

    fn constrained(&self, node: &SyntaxNode) -> Result<Vec<Ident>> {
        match node.part(INDEX_PARAMETERS).and_then(|index| index.part(CONSTRAINT_COLUMN_REF_LIST)) {
            Some(list) => Ok(self.idents(&list)),
            None => self.unexpected(u32::from(node.text_range().end()) as usize),
        }
    }

    fn references(&self, node: &SyntaxNode) -> Result<References> {
        let columns = match node.kind() {
            FOREIGN_KEY_CONSTRAINT => node.parts(FOREIGN_KEY_COLUMN_LIST).nth(1).map(|list| self.idents(&list)),
            _ => Some(self.idents(node)),
        };
        Ok(References {
            table: self.relation(node)?,
            columns: columns.unwrap_or_default(),
            on_delete: self.action(node.part(ON_DELETE_ACTION))?,
            on_update: self.action(node.part(ON_UPDATE_ACTION))?,
        })
    }

    fn action(&self, clause: Option<SyntaxNode>) -> Result<ReferentialAction> {
        let Some(action) = clause.and_then(|clause| clause.first_child()) else {
            return Ok(ReferentialAction::NoAction);
        };
        if action.has(COLUMN_REF_LIST) {
            return refuse("ON DELETE SET with a list of columns");
        }
        Ok(match action.kind() {
            RESTRICT => ReferentialAction::Restrict,
            CASCADE => ReferentialAction::Cascade,
            SET_NULL_COLUMNS => ReferentialAction::SetNull,
            SET_DEFAULT_COLUMNS => ReferentialAction::SetDefault,
            _ => ReferentialAction::NoAction,
        })
    }
}

fn is_constraint(kind: squawk_syntax::SyntaxKind) -> bool {
    matches!(
        kind,
        NULL_CONSTRAINT
            | NOT_NULL_CONSTRAINT
            | DEFAULT_CONSTRAINT
            | CHECK_CONSTRAINT
            | PRIMARY_KEY_CONSTRAINT
            | UNIQUE_CONSTRAINT
            | REFERENCES_CONSTRAINT
            | GENERATED_CONSTRAINT
    )
}

/// INITIALLY DEFERRED says it as well.
fn is_deferrable(node: &SyntaxNode) -> bool {
    node.has(DEFERRABLE_CONSTRAINT_OPTION) || node.has(INITIALLY_DEFERRED_CONSTRAINT_OPTION)
}
