//! The system's own tables, read by GlueSQL: its translator, planner and executor run the query over what the catalog holds now.
//! Columns are texts and small integers without NULLs, where its answers are PostgreSQL's; anything else is refused here before
//! it is asked. PostgreSQL lists itself in these tables too, so a query must ask for the schema public.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use gluesql::core::ast::{ColumnDef, DataType};
use gluesql::core::data::{Key, Schema, Value as Cell};
use gluesql::core::executor::{Payload, execute};
use gluesql::core::parse_sql::parse;
use gluesql::core::sqlparser::ast::{self as glue, visit_expressions_mut, visit_relations_mut};
use gluesql::core::store::{
    AlterTable, CustomFunction, CustomFunctionMut, Index, IndexMut, Metadata, Planner, RowIter, Store, StoreMut,
    Transaction,
};
use gluesql::core::translate::translate;

use crate::sql::catalog::{self, Catalog, Table};
use crate::sql::error::{Result, fail, refuse, refused};
use crate::sql::parser::ast;
use crate::sql::types::{Type, text};
use crate::trace::{QueryResult, ResultColumn, SqlType, Value};

struct SystemTable {
    schema: &'static str,
    name: &'static str,
    /// The column that must be asked to be public.
    of_schema: &'static str,
    /// Texts but for those that are numbers.
    columns: &'static [&'static str],
    rows: fn(&Catalog) -> Vec<Vec<Cell>>,
}

const TABLES: &[SystemTable] = &[
    SystemTable {
        schema: "information_schema",
        name: "tables",
        of_schema: "table_schema",
        columns: &["table_catalog", "table_schema", "table_name", "table_type"],
        rows: |catalog| {
            let row = |table: &str| ["app", "public", table, "BASE TABLE"].map(word).to_vec();
            catalog.tables().map(|table| row(&table.name)).collect()
        },
    },
    SystemTable {
        schema: "information_schema",
        name: "columns",
        of_schema: "table_schema",
        columns: &["table_schema", "table_name", "column_name", "ordinal_position", "is_nullable", "data_type"],
        rows: |catalog| {
            let row = |table: &Table, number: usize, column: &catalog::Column| {
                vec![
                    word("public"),
                    word(&table.name),
                    word(&column.name),
                    Cell::I64(number as i64 + 1),
                    word(if column.not_null { "NO" } else { "YES" }),
                    word(&if matches!(column.ty, Type::Array(_)) { "ARRAY".to_owned() } else { column.ty.name() }),
                ]
            };
            let rows = catalog
                .tables()
                .flat_map(|table| table.live_columns().map(move |(number, column)| row(table, number, column)));
            rows.collect()
        },
    },
    SystemTable {
        schema: "pg_catalog",
        name: "pg_tables",
        of_schema: "schemaname",
        columns: &["schemaname", "tablename"],
        rows: |catalog| catalog.tables().map(|table| ["public", &table.name].map(word).to_vec()).collect(),
    },
    SystemTable {
        schema: "pg_catalog",
        name: "pg_indexes",
        of_schema: "schemaname",
        columns: &["schemaname", "tablename", "indexname"],
        rows: |catalog| {
            let indexes = catalog.tables().flat_map(|table| table.indexes.iter().map(move |index| (table, index)));
            indexes.map(|(table, index)| ["public", &table.name, &index.name].map(word).to_vec()).collect()
        },
    },
];

const NUMBERS: &[&str] = &["ordinal_position"];

fn word(content: &str) -> Cell {
    Cell::Str(content.to_owned())
}

/// Whether a query reads any of the system's tables. One of the user's own by the same name comes after them.
pub fn is_asked(query: &ast::Query) -> bool {
    let mut found = false;
    query.relations(&mut |relation| {
        let parts: Vec<&str> = relation.0.iter().map(|part| &*part.name).collect();
        found |= named_table(&parts).is_some();
    });
    found
}

/// `text`: a query that asks the system's tables. GlueSQL reads it in its own grammar, for it is the one to answer.
pub fn answer(text: &str, catalog: &Catalog) -> Result<QueryResult> {
    let parsed = parse(text).map_err(|_| refused("this question to the system's tables"))?;
    let Some(glue::Statement::Query(query)) = parsed.first() else {
        return refuse("this question to the system's tables");
    };
    let (statement, columns) = prepared(query)?;
    let mut snapshot = SystemSnapshot::default();
    for table in TABLES {
        snapshot.tables.insert(table.name, (table.glue_schema(), (table.rows)(catalog)));
    }
    let planned = translate(&statement).and_then(|statement| snapshot.plan(statement.into()));
    match planned.and_then(|plan| execute(&mut snapshot, &plan)) {
        Ok(Payload::Select { rows, .. }) => {
            let rows: Vec<Vec<Value>> = rows.into_iter().map(|row| row.into_iter().map(shown).collect()).collect();
            let count = rows.len() as u64;
            Ok(QueryResult {
                tag: format!("SELECT {count}"),
                columns: Some(columns.into()),
                rows,
                row_count: Some(count),
            })
        }
        Ok(_) => refuse("this question to the system's tables"),
        Err(reason) => Err(refused(format!("this question to the system's tables ({reason})"))),
    }
}

fn shown(cell: Cell) -> Value {
    match cell {
        Cell::Str(content) => text(&content),
        Cell::I64(number) => Value::Int(number),
        Cell::Bool(value) => Value::Bool(value),
        _ => Value::Null,
    }
}

/// Schema-qualified, or by its bare name where the schema is always searched.
fn system_table(name: &glue::ObjectName) -> Option<&'static SystemTable> {
    let parts: Vec<String> = name.0.iter().map(normalize_ident).collect();
    named_table(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn named_table(parts: &[&str]) -> Option<&'static SystemTable> {
    let (schema, name) = match parts {
        [name] => ("pg_catalog", *name),
        [schema, name] => (*schema, *name),
        _ => return None,
    };
    TABLES.iter().find(|table| table.schema == schema && table.name == name)
}

fn normalize_ident(ident: &glue::Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The name of a column or of count(*), which is all there is.
fn column_name(expr: &glue::Expr) -> String {
    match expr {
        glue::Expr::Identifier(name) => normalize_ident(name),
        glue::Expr::CompoundIdentifier(parts) => parts.last().map(normalize_ident).unwrap_or_default(),
        glue::Expr::Function(function) => function.name.0.last().map(normalize_ident).unwrap_or_default(),
        _ => "?column?".to_owned(),
    }
}

/// The query as GlueSQL takes it, and the columns it gives.
fn prepared(query: &glue::Query) -> Result<(glue::Statement, Vec<ResultColumn>)> {
    let mut query = query.clone();
    let glue::SetExpr::Select(select) = &mut *query.body else { return refuse("UNION over the system's tables") };
    let plain = query.with.is_none() && query.locks.is_empty() && query.fetch.is_none() && select.having.is_none();
    if !plain || select.distinct.is_some() {
        return refuse("this clause of a query over the system's tables");
    }
    let mut read: Vec<(String, &SystemTable)> = Vec::new();
    for joined in &mut select.from {
        let joins = joined.joins.iter_mut().map(|join| {
            let on = matches!(join.join_operator, glue::JoinOperator::Inner(glue::JoinConstraint::On(_)));
            (&mut join.relation, on)
        });
        for (factor, joins_plainly) in std::iter::once((&mut joined.relation, true)).chain(joins) {
            let glue::TableFactor::Table { name, alias, args: None, .. } = factor else {
                return refuse("a subquery beside the system's tables");
            };
            let Some(table) = system_table(name) else { return refuse("a join of the system's tables with others") };
            if !joins_plainly {
                return refuse("this join of the system's tables");
            }
            let written =
                alias.as_ref().map_or_else(|| table.name.to_owned(), |alias| normalize_ident(&alias.name).to_string());
            read.push((written, table));
        }
    }
    let grouping = match &select.group_by {
        glue::GroupByExpr::Expressions(exprs, modifiers) if modifiers.is_empty() => exprs.clone(),
        _ => return refuse("this form of GROUP BY over the system's tables"),
    };
    let mut columns = Vec::new();
    let mut items = Vec::new();
    for item in &select.projection {
        match item {
            glue::SelectItem::UnnamedExpr(expr) => items.push((column_name(expr), expr.clone())),
            glue::SelectItem::ExprWithAlias { expr, alias } => items.push((normalize_ident(alias), expr.clone())),
            _ => return refuse("* over the system's tables (name the columns)"),
        }
    }
    let is_grouped = !grouping.is_empty() || items.iter().any(|(_, expr)| is_count(expr));
    let order = query.order_by.iter().flat_map(|order| order.exprs.iter().map(|key| &key.expr));
    for expr in items.iter().map(|(_, expr)| expr).chain(order).chain(&grouping) {
        let fits = if is_grouped { is_count(expr) || grouping.contains(expr) } else { true };
        if !fits || !(is_count(expr) || is_column(expr)) {
            return refuse("anything but columns and count(*) of the system's tables");
        }
    }
    for (name, expr) in &items {
        let sql_type = match expr {
            glue::Expr::Function(_) => SqlType::Int8,
            expr if NUMBERS.contains(&&*column_name(expr)) => SqlType::Int4,
            _ => SqlType::Text,
        };
        columns.push(ResultColumn { name: Rc::from(name.as_str()), sql_type });
    }
    for (alias, table) in &read {
        if !select.selection.as_ref().is_some_and(|condition| asks_for_public(condition, alias, table, read.len() == 1))
        {
            return refuse(format!("{} of all schemas (add: {} = 'public')", table.name, table.of_schema));
        }
    }
    let refusal = visit_expressions_mut(&mut query, |expr| match admitted(expr, &read) {
        Ok(()) => ControlFlow::Continue(()),
        Err(stop) => ControlFlow::Break(stop),
    });
    if let ControlFlow::Break(stop) = refusal {
        return Err(stop);
    }
    let _ = visit_relations_mut(&mut query, |relation| {
        let bare = system_table(relation).map(|table| glue::Ident::new(table.name));
        relation.0 = bare.into_iter().collect();
        ControlFlow::<()>::Continue(())
    });
    Ok((glue::Statement::Query(Box::new(query)), columns))
}

/// Whether the condition, or a part that all rows must fulfil, is `column = 'public'`.
fn asks_for_public(condition: &glue::Expr, alias: &str, table: &SystemTable, only: bool) -> bool {
    match condition {
        glue::Expr::Nested(inner) => asks_for_public(inner, alias, table, only),
        glue::Expr::BinaryOp { left, op: glue::BinaryOperator::And, right } => {
            asks_for_public(left, alias, table, only) || asks_for_public(right, alias, table, only)
        }
        glue::Expr::BinaryOp { left, op: glue::BinaryOperator::Eq, right } => {
            let is_column = match &**left {
                glue::Expr::Identifier(name) => only && &*normalize_ident(name) == table.of_schema,
                glue::Expr::CompoundIdentifier(parts) => {
                    parts.len() == 2
                        && &*normalize_ident(&parts[0]) == alias
                        && &*normalize_ident(&parts[1]) == table.of_schema
                }
                _ => false,
            };
            is_column && matches!(&**right, glue::Expr::Value(glue::Value::SingleQuotedString(s)) if s == "public")
        }
        _ => false,
    }
}

/// Folds the names of an expression, and lets pass only what GlueSQL answers as PostgreSQL does.
fn admitted(expr: &mut glue::Expr, read: &[(String, &SystemTable)]) -> Result<()> {
    use glue::BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
    match expr {
        glue::Expr::Identifier(name) => {
            *name = glue::Ident::new(&*normalize_ident(name));
            let owners = read.iter().filter(|(_, table)| table.columns.contains(&name.value.as_str())).count();
            match owners {
                1 => Ok(()),
                0 => refuse(format!("the column {} of the system's tables", name.value)),
                _ => fail("42702", format!("column reference \"{}\" is ambiguous", name.value)),
            }
        }
        glue::Expr::CompoundIdentifier(parts) => {
            parts.iter_mut().for_each(|part| *part = glue::Ident::new(&*normalize_ident(part)));
            let known = match parts.as_slice() {
                [alias, name] => read
                    .iter()
                    .any(|(known, table)| *known == alias.value && table.columns.contains(&name.value.as_str())),
                _ => false,
            };
            if known { Ok(()) } else { refuse("this column of the system's tables") }
        }
        glue::Expr::Value(glue::Value::SingleQuotedString(_) | glue::Value::Number(..)) | glue::Expr::Nested(_) => {
            Ok(())
        }
        glue::Expr::BinaryOp { op: And | Or, .. } | glue::Expr::UnaryOp { op: glue::UnaryOperator::Not, .. } => Ok(()),
        glue::Expr::BinaryOp { left, op: Eq | NotEq | Lt | LtEq | Gt | GtEq, right } if alike(left, right) => Ok(()),
        glue::Expr::InList { expr, list, .. } if list.iter().all(|element| alike(expr, element)) => Ok(()),
        glue::Expr::Like { any: false, escape_char: None, expr, pattern, .. }
            if is_column(expr)
                && matches!(&**pattern, glue::Expr::Value(glue::Value::SingleQuotedString(p)) if !p.contains('\\')) =>
        {
            Ok(())
        }
        expr if is_count(expr) => Ok(()),
        _ => refuse("this expression over the system's tables"),
    }
}

fn is_column(expr: &glue::Expr) -> bool {
    matches!(expr, glue::Expr::Identifier(_) | glue::Expr::CompoundIdentifier(_))
}

fn is_count(expr: &glue::Expr) -> bool {
    matches!(expr, glue::Expr::Function(function) if function.to_string().eq_ignore_ascii_case("count(*)"))
}

/// Two columns or literals of which PostgreSQL compares one with the other.
fn alike(left: &glue::Expr, right: &glue::Expr) -> bool {
    let is_number = |expr: &glue::Expr| match expr {
        glue::Expr::Value(glue::Value::Number(..)) => Some(true),
        glue::Expr::Value(glue::Value::SingleQuotedString(_)) => Some(false),
        expr if is_column(expr) => Some(NUMBERS.contains(&&*column_name(expr))),
        _ => None,
    };
    is_number(left).is_some() && is_number(left) == is_number(right)
}

impl SystemTable {
    fn glue_schema(&self) -> Schema {
        let column = |name: &&str| ColumnDef {
            name: (*name).to_owned(),
            data_type: if NUMBERS.contains(name) { DataType::Int } else { DataType::Text },
            nullable: false,
            default: None,
            unique: None,
            comment: None,
        };
        Schema {
            table_name: self.name.to_owned(),
            column_defs: Some(self.columns.iter().map(column).collect()),
            indexes: Vec::new(),
            engine: None,
            foreign_keys: Vec::new(),
            comment: None,
        }
    }
}

/// What GlueSQL reads: the system's tables as they are at the start of the query.
#[derive(Default)]
struct SystemSnapshot {
    tables: BTreeMap<&'static str, (Schema, Vec<Vec<Cell>>)>,
}

impl Store for SystemSnapshot {
    fn fetch_schema(&self, table_name: &str) -> gluesql::core::error::Result<Option<Schema>> {
        Ok(self.tables.get(table_name).map(|(schema, _)| schema.clone()))
    }

    fn fetch_all_schemas(&self) -> gluesql::core::error::Result<Vec<Schema>> {
        Ok(self.tables.values().map(|(schema, _)| schema.clone()).collect())
    }

    fn fetch_data(&self, table_name: &str, key: &Key) -> gluesql::core::error::Result<Option<Vec<Cell>>> {
        let Key::U64(place) = key else { return Ok(None) };
        Ok(self.tables.get(table_name).and_then(|(_, rows)| rows.get(*place as usize).cloned()))
    }

    fn scan_data<'a>(&'a self, table_name: &str) -> gluesql::core::error::Result<RowIter<'a>> {
        let rows = self.tables.get(table_name).map_or(&[][..], |(_, rows)| rows.as_slice());
        Ok(Box::new(rows.iter().enumerate().map(|(place, row)| Ok((Key::U64(place as u64), row.clone())))))
    }
}

impl Planner for SystemSnapshot {}
impl Index for SystemSnapshot {}
impl Metadata for SystemSnapshot {}
impl CustomFunction for SystemSnapshot {}
// Never written: the executor asks for what could be.
impl StoreMut for SystemSnapshot {}
impl IndexMut for SystemSnapshot {}
impl AlterTable for SystemSnapshot {}
impl Transaction for SystemSnapshot {}
impl CustomFunctionMut for SystemSnapshot {}
