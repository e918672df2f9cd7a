//! Resolves the names and types of a parsed statement and hands it to the planner. It reads the catalog, no rows.

mod aggregate;
mod call;
mod coerce;
mod data_type;
pub mod ddl;
mod delete;
mod expr;
mod from;
mod insert;
mod locking;
mod names;
mod on_conflict;
mod operators;
mod overload;
mod query;
mod returning;
mod scope;
mod select;
mod subquery;
mod target;
mod update;
mod window;

use std::rc::Rc;

use crate::sql::catalog::system_names::is_schema;
use crate::sql::catalog::{Catalog, Table};
use crate::sql::error::{Result, fail, refuse};
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::optimizer::ConstFolder;
use crate::sql::parser::ast;
use crate::sql::plan::{BoundBody, BoundKind, BoundPart, BoundQuery, BoundSelect, BoundStatement, Source, slots_of};
use crate::sql::planner::Assumed;
use crate::sql::types::Type;
use crate::store::{Mode, Store};
use crate::trace::Value;

use self::query::BoundCte;
use self::scope::{Relation, Scope};

pub use coerce::assign;

#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub expr: Expr,
    pub ty: Type,
    /// Where it begins in the text: an error that comes of its type, or of its content, points there.
    at: ast::CursorPosition,
}

impl Typed {
    pub fn new(expr: Expr, ty: Type) -> Typed {
        Typed { expr, ty, at: ast::CursorPosition::default() }
    }

    fn with_equality(self) -> Result<Expr> {
        self.ty.check_equality()?;
        Ok(self.expr)
    }

    fn with_order(self) -> Result<Expr> {
        self.ty.check_order()?;
        Ok(self.expr)
    }

    pub fn null() -> Typed {
        Typed::new(Expr::Const(Value::Null), Type::Unknown)
    }
}

pub struct Binder<'a> {
    pub catalog: &'a Catalog,
    pub store: &'a Store,
    pub parameters: &'a [Type],
    scopes: Vec<Scope>,
    /// How many columns the row of each slot has.
    widths: Vec<usize>,
    parts: Vec<BoundPart>,
    /// How many of the parts are common table expressions, and how many subqueries of expressions.
    ctes: usize,
    subqueries: usize,
    /// How many EXISTS stand around.
    within_exists: usize,
    visible_ctes: Vec<(Rc<str>, BoundCte)>,
    pub tables: Vec<(Rc<Table>, Mode)>,
    pub assumed: Vec<Assumed>,
    /// It asks a clock or for chance: its answer changes though no table does.
    pub restless: bool,
    depth: usize,
    /// As `depth`, of the tree that is made.
    levels: usize,
    /// Whoever takes the rows says what type a literal of unknown type has.
    keeps_unknown: bool,
    /// Whoever reads the rows says which of their columns are wanted at all.
    columns_later: bool,
    pub folder: ConstFolder,
}

/// Deeper nesting than anybody writes by hand would overflow the stack of the page's engine.
const DEPTH_MOST: usize = 60;

/// How deep the tree of an expression may be, operators in a row included.
const LEVELS_MOST: usize = 600;

/// Queries of one UNION.
const ARMS_MOST: usize = 20_000;

/// A name without schema, or in the one schema there is.
pub fn relation_name(name: &ast::ObjectName) -> Result<Rc<str>> {
    match name.0.as_slice() {
        [only] => Ok(only.name.clone()),
        [schema, name] if &*schema.name == "public" => Ok(name.name.clone()),
        [schema, _] if is_schema(&schema.name) => refuse(format!("the schema {}", schema.name)),
        [_, _] => fail("42P01", format!("relation \"{name}\" does not exist")),
        _ => refuse("a name of more than two parts"),
    }
}

/// A name in a definition: there a schema is looked for before what is in it.
pub fn defined_name(name: &ast::ObjectName) -> Result<Rc<str>> {
    match name.0.as_slice() {
        [schema, _] if !is_schema(&schema.name) => fail("3F000", format!("schema \"{}\" does not exist", schema.name)),
        _ => relation_name(name),
    }
}

pub fn names_of(idents: &[ast::Ident]) -> Vec<Rc<str>> {
    idents.iter().map(|ident| ident.name.clone()).collect()
}

impl<'a> Binder<'a> {
    pub fn new(catalog: &'a Catalog, store: &'a Store, parameters: &'a [Type]) -> Binder<'a> {
        Binder {
            catalog,
            store,
            parameters,
            scopes: Vec::new(),
            widths: Vec::new(),
            parts: Vec::new(),
            ctes: 0,
            subqueries: 0,
            within_exists: 0,
            visible_ctes: Vec::new(),
            tables: Vec::new(),
            assumed: Vec::new(),
            restless: false,
            depth: 0,
            levels: 0,
            keeps_unknown: false,
            columns_later: false,
            folder: ConstFolder::default(),
        }
    }

    /// The statement, whose parts have all been bound.
    pub fn finish(&mut self, kind: BoundKind) -> BoundStatement {
        BoundStatement { kind, parts: std::mem::take(&mut self.parts), widths: std::mem::take(&mut self.widths) }
    }

    pub fn slot(&mut self, width: usize) -> Result<u16> {
        if self.widths.len() >= usize::from(SlotSet::MOST) {
            return refuse("a statement of more than 128 tables and subqueries");
        }
        self.widths.push(width);
        Ok(self.widths.len() as u16 - 1)
    }

    pub fn use_table(&mut self, table: &Rc<Table>, mode: Mode) {
        self.assumed.push(Assumed { table: table.id, rows: self.store.table(table.id).row_count() });
        match self.tables.iter_mut().find(|(used, _)| used.id == table.id) {
            Some((_, held)) => *held = (*held).max(mode),
            None => self.tables.push((table.clone(), mode)),
        }
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("names are bound within a scope")
    }

    pub fn open_scope(&mut self, clause: &'static str) {
        self.scopes.push(Scope { clause, ..Scope::default() });
    }

    /// For an expression that a definition keeps: what one is called, and all of its kind.
    fn open_kept_scope(&mut self, kept: &'static str, clause: &'static str) {
        self.scopes.push(Scope { clause, kept: Some(kept), ..Scope::default() });
    }

    pub fn close_scope(&mut self) {
        self.scopes.pop();
    }

    /// Makes a table's columns known under a name; its row will stand in a new slot.
    pub fn add_table(&mut self, table: &Rc<Table>, alias: Rc<str>) -> Result<u16> {
        let slot = self.slot(table.columns.len())?;
        self.add_table_at(table, alias, slot)?;
        Ok(slot)
    }

    pub fn add_table_at(&mut self, table: &Rc<Table>, alias: Rc<str>, slot: u16) -> Result<()> {
        let columns = table.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
        let hidden = table.columns.iter().map(|column| column.dropped).collect();
        self.add_relation(Relation { alias, slot, columns, hidden, table: Some(table.clone()), nullable: false })
    }

    fn add_relation(&mut self, relation: Relation) -> Result<()> {
        let scope = self.scope();
        if scope.relations.iter().any(|other| other.alias == relation.alias) {
            return fail("42712", format!("table name \"{}\" specified more than once", relation.alias));
        }
        scope.own = scope.own.union(SlotSet::one(relation.slot));
        scope.relations.push(relation);
        Ok(())
    }

    /// What finds the rows that a statement writes, as a SELECT that puts nothing out.
    pub fn found_by(&self, mut sources: Vec<Source>, conditions: Vec<Expr>) -> BoundQuery {
        self.note_nullable(&mut sources);
        let slots = slots_of(&sources);
        let select = BoundSelect { sources, slots, conditions, ..BoundSelect::default() };
        BoundQuery::new(BoundBody::Select(Box::new(select)), Vec::new())
    }

    /// Binds further FROM items beside what the scope has, as UPDATE … FROM and DELETE … USING do.
    pub(super) fn more_sources(&mut self, from: &[ast::TableWithJoins]) -> Result<Vec<Source>> {
        from.iter().map(|item| self.bind_joined(item)).collect()
    }
}
