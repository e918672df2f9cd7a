//! Resolves names and types of a parsed query and hands it to the planner. It reads the catalog, no rows.

use std::cell::RefCell;
use std::rc::Rc;

use gluesql::core::sqlparser::ast;
use smallvec::SmallVec;

use crate::store::{Mode, Store};
use crate::trace::{SqlError, Value};

use super::aggregate::{Aggregate, AggregateFunction, WindowCall, WindowFunction};
use super::catalog::{Catalog, Table, missing_column};
use super::error::{Result, Stop, error, fail, refuse, refused};
use super::expr::{Arithmetic, Comparison, Expr};
use super::fold::Folder;
use super::functions;
use super::parse;
use super::plan::{
    Assumed, Body, Distinct, Group, HashedKeys, JoinKind, LockPolicy, LockTarget, Node, OutputColumn, Planner, Query,
    Select, SetOperation, SlotSet, SortBy, SortKey, Source, Subquery, SubqueryKind, Wanted, Window, reduce_outer_joins,
};
use super::types::{self, CastContext, Type, castable, text};

#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub expr: Expr,
    pub ty: Type,
}

impl Typed {
    pub fn null() -> Typed {
        Typed { expr: Expr::Const(Value::Null), ty: Type::Unknown }
    }
}

#[derive(Clone)]
struct Relation {
    alias: Rc<str>,
    slot: u16,
    columns: Vec<(Rc<str>, Type)>,
    /// Columns that USING has merged into one: a bare name means the merged one.
    hidden: Vec<bool>,
    table: Option<Rc<Table>>,
    nullable: bool,
    /// Which columns somebody has named.
    used: Rc<RefCell<SmallVec<[bool; 8]>>>,
}

#[derive(Default)]
struct Scope {
    relations: Vec<Relation>,
    merged: Vec<(Rc<str>, Typed)>,
    own: SlotSet,
    /// What is read of outer scopes.
    free: SlotSet,
    aggregates: Vec<Aggregate>,
    aggregate_slot: Option<u16>,
    windows: Vec<WindowCall>,
    window_slot: Option<u16>,
    subqueries: Vec<(ast::Query, Rc<Subquery>)>,
    may_aggregate: bool,
    may_window: bool,
    in_aggregate: bool,
    /// What to call it where an aggregate is not allowed.
    clause: &'static str,
}

enum Common {
    /// Referred to once: stands where it is used.
    Inline(Box<ast::Query>, Vec<Rc<str>>, usize),
    Kept {
        number: usize,
        columns: Vec<(Rc<str>, Type)>,
    },
}

pub struct Binder<'a> {
    pub catalog: &'a Catalog,
    pub store: &'a Store,
    pub parameters: &'a [Type],
    scopes: Vec<Scope>,
    pub widths: Vec<usize>,
    subqueries: usize,
    commons: Vec<(Rc<str>, Common)>,
    pub queries: Vec<Query>,
    pub tables: Vec<(Rc<Table>, Mode)>,
    pub assumed: Vec<Assumed>,
    /// It asks a clock or for chance: its answer changes though no table does.
    pub restless: bool,
    depth: usize,
    /// Whoever takes the rows says what type a literal of unknown type has.
    keeps_unknown: bool,
    /// Whoever reads the rows says which of their columns are wanted at all.
    columns_later: bool,
    pub folder: Folder,
}

/// Deeper nesting than anybody writes by hand would overflow the stack of the page's engine.
const DEPTH_MOST: usize = 60;

pub fn fold(ident: &ast::Ident) -> Rc<str> {
    if ident.quote_style.is_some() { Rc::from(ident.value.as_str()) } else { Rc::from(ident.value.to_lowercase()) }
}

/// A name without schema, or in the one schema there is.
pub fn relation_name(name: &ast::ObjectName) -> Result<Rc<str>> {
    match name.0.as_slice() {
        [only] => Ok(fold(only)),
        [schema, name] if &*fold(schema) == "public" => Ok(fold(name)),
        [schema, _] if ["pg_catalog", "information_schema"].contains(&&*fold(schema)) => {
            refuse(format!("the schema {}", fold(schema)))
        }
        [schema, name] => fail("42P01", format!("relation \"{}.{}\" does not exist", fold(schema), fold(name))),
        _ => refuse("a name of more than two parts"),
    }
}

impl<'a> Binder<'a> {
    pub fn new(catalog: &'a Catalog, store: &'a Store, parameters: &'a [Type]) -> Binder<'a> {
        Binder {
            catalog,
            store,
            parameters,
            scopes: Vec::new(),
            widths: Vec::new(),
            subqueries: 0,
            commons: Vec::new(),
            queries: Vec::new(),
            tables: Vec::new(),
            assumed: Vec::new(),
            restless: false,
            depth: 0,
            keeps_unknown: false,
            columns_later: false,
            folder: Folder::default(),
        }
    }

    pub fn planner(&self) -> Planner<'a> {
        Planner { store: self.store }
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

    // Scopes of statements that are no SELECT

    pub fn open_scope(&mut self, clause: &'static str) {
        self.scopes.push(Scope { clause, ..Scope::default() });
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
        self.add_relation(Relation {
            alias,
            slot,
            columns,
            hidden,
            table: Some(table.clone()),
            nullable: false,
            used: Rc::default(),
        })
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

    /// Binds further FROM items beside what the scope has, as UPDATE … FROM and DELETE … USING do.
    pub fn more_sources(&mut self, from: &[ast::TableWithJoins]) -> Result<Vec<Source>> {
        from.iter().map(|item| self.bind_joined(item)).collect()
    }

    // Queries

    /// A query whose columns may stay of unknown type.
    pub fn query_for_columns(&mut self, query: &ast::Query) -> Result<Query> {
        self.keeps_unknown = true;
        let bound = self.query(query);
        self.keeps_unknown = false;
        bound
    }

    pub fn query(&mut self, query: &ast::Query) -> Result<Query> {
        self.depth += 1;
        if self.depth > DEPTH_MOST {
            return fail("54001", "stack depth limit exceeded");
        }
        let commons = self.commons.len();
        let asked = (std::mem::take(&mut self.keeps_unknown), std::mem::take(&mut self.columns_later));
        if let Some(with) = &query.with {
            self.bind_with(with, query)?;
        }
        (self.keeps_unknown, self.columns_later) = asked;
        if query.fetch.as_ref().is_some_and(|fetch| fetch.with_ties || fetch.percent) {
            return refuse("FETCH … WITH TIES");
        }
        if !query.limit_by.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
        {
            return refuse("this clause of a query");
        }
        let mut bound = match &*query.body {
            ast::SetExpr::Select(select) => self.select(select, query)?,
            body => {
                if !query.locks.is_empty() {
                    return refuse("FOR UPDATE with UNION, INTERSECT, EXCEPT or VALUES");
                }
                let mut bound = self.set_expr(body)?;
                if let Some(order) = &query.order_by {
                    bound.order = self.output_order(&order.exprs, &bound.columns)?;
                }
                bound
            }
        };
        self.scopes.push(Scope { clause: "LIMIT", ..Scope::default() });
        let limit = query.limit.as_ref().or(query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()));
        if let Some(limit) = limit {
            bound.limit = self.row_count(limit)?;
        } else if query.fetch.is_some() {
            bound.limit = Some(Expr::Const(Value::Int(1)));
        }
        if let Some(offset) = &query.offset {
            bound.offset = self.row_count(&offset.value)?;
        }
        self.scopes.pop();
        self.commons.truncate(commons);
        self.depth -= 1;
        Ok(bound)
    }

    fn row_count(&mut self, expr: &ast::Expr) -> Result<Option<Expr>> {
        if matches!(expr, ast::Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("all")) {
            return Ok(None);
        }
        let bound = self.expr(expr)?;
        assign(bound, &Type::Int8).map(Some).map_err(|_| error("42804", "argument of LIMIT must be type bigint"))
    }

    fn bind_with(&mut self, with: &ast::With, query: &ast::Query) -> Result<()> {
        if with.recursive {
            return refuse("WITH RECURSIVE");
        }
        for cte in &with.cte_tables {
            let name = fold(&cte.alias.name);
            if !matches!(
                &*cte.query.body,
                ast::SetExpr::Select(_)
                    | ast::SetExpr::Values(_)
                    | ast::SetExpr::SetOperation { .. }
                    | ast::SetExpr::Query(_)
            ) {
                return refuse("a data-modifying statement in WITH");
            }
            let aliases: Vec<Rc<str>> = cte.alias.columns.iter().map(fold).collect();
            let uses = count_references(query, &name);
            let materialized = matches!(cte.materialized, Some(ast::CteAsMaterialized::Materialized));
            if uses <= 1 && !materialized && cte.query.locks.is_empty() {
                let depth = self.commons.len();
                self.commons.push((name, Common::Inline(cte.query.clone(), aliases, depth)));
                continue;
            }
            let bound = self.closed_query(&cte.query)?;
            let columns = renamed(&bound.columns, &aliases, &name)?;
            let number = self.queries.len();
            self.queries.push(bound);
            self.commons.push((name, Common::Kept { number, columns }));
        }
        Ok(())
    }

    /// A query that sees nothing of the scopes around it.
    fn closed_query(&mut self, query: &ast::Query) -> Result<Query> {
        let outside = std::mem::take(&mut self.scopes);
        let bound = self.query(query);
        self.scopes = outside;
        bound
    }

    fn set_expr(&mut self, body: &ast::SetExpr) -> Result<Query> {
        match body {
            ast::SetExpr::Select(select) => {
                let plain = ast::Query {
                    with: None,
                    body: Box::new(ast::SetExpr::Select(select.clone())),
                    order_by: None,
                    limit: None,
                    limit_by: Vec::new(),
                    offset: None,
                    fetch: None,
                    locks: Vec::new(),
                    for_clause: None,
                    settings: None,
                    format_clause: None,
                };
                self.select(select, &plain)
            }
            ast::SetExpr::Query(query) => self.query(query),
            ast::SetExpr::Values(values) => self.values(values),
            ast::SetExpr::SetOperation { op, set_quantifier, left, right } => {
                self.columns_later = false;
                self.keeps_unknown = true;
                let left = self.set_expr(left);
                self.keeps_unknown = true;
                let right = self.set_expr(right);
                self.keeps_unknown = false;
                let (left, right) = (left?, right?);
                let operation = match op {
                    ast::SetOperator::Union => SetOperation::Union,
                    ast::SetOperator::Intersect => SetOperation::Intersect,
                    ast::SetOperator::Except => SetOperation::Except,
                };
                let all = match set_quantifier {
                    ast::SetQuantifier::All => true,
                    ast::SetQuantifier::None | ast::SetQuantifier::Distinct => false,
                    _ => return refuse("UNION BY NAME"),
                };
                self.combine(operation, all, left, right)
            }
            ast::SetExpr::Table(table) => {
                refuse(format!("TABLE {} (write SELECT * FROM it)", table.table_name.as_deref().unwrap_or("")))
            }
            ast::SetExpr::Insert(_) | ast::SetExpr::Update(_) => refuse("a data-modifying statement in a query"),
        }
    }

    fn combine(&mut self, operation: SetOperation, all: bool, mut left: Query, mut right: Query) -> Result<Query> {
        let name = match operation {
            SetOperation::Union => "UNION",
            SetOperation::Intersect => "INTERSECT",
            SetOperation::Except => "EXCEPT",
        };
        if left.columns.len() != right.columns.len() {
            return fail("42601", format!("each {name} query must have the same number of columns"));
        }
        let mut columns = Vec::new();
        for (number, (a, b)) in left.columns.clone().iter().zip(right.columns.clone()).enumerate() {
            let ty = common_type(name, [&a.ty, &b.ty].into_iter())?;
            convert_column(&mut left, number, &a.ty, &ty)?;
            convert_column(&mut right, number, &b.ty, &ty)?;
            columns.push(OutputColumn { name: a.name.clone(), ty });
        }
        Ok(plain_query(Body::SetOperation { operation, all, left: Box::new(left), right: Box::new(right) }, columns))
    }

    fn values(&mut self, values: &ast::Values) -> Result<Query> {
        self.keeps_unknown = false;
        self.columns_later = false;
        self.scopes.push(Scope { clause: "VALUES", ..Scope::default() });
        let mut rows: Vec<Vec<Typed>> = Vec::new();
        for row in &values.rows {
            let bound: Result<Vec<Typed>> = row.iter().map(|expr| self.expr(expr)).collect();
            rows.push(bound?);
        }
        let scope = self.scopes.pop();
        self.pass_free(scope);
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return fail("42601", "VALUES lists must all be the same length");
        }
        let mut columns = Vec::new();
        let mut bound: Vec<Vec<Expr>> = rows.iter().map(|_| Vec::with_capacity(width)).collect();
        for column in 0..width {
            let ty = common_type("VALUES", rows.iter().map(|row| &row[column].ty))?;
            for (row, into) in rows.iter().zip(&mut bound) {
                let mut expr = coerce(row[column].clone(), &ty)?;
                self.folder.fold(&mut expr);
                into.push(expr);
            }
            columns.push(OutputColumn { name: Rc::from(format!("column{}", column + 1)), ty });
        }
        Ok(plain_query(Body::Values(bound), columns))
    }

    /// What an inner scope reads of outer ones the scope around it reads too.
    fn pass_free(&mut self, scope: Option<Scope>) {
        if let (Some(inner), Some(outer)) = (scope, self.scopes.last_mut()) {
            outer.free = outer.free.union(inner.free.without(outer.own));
        }
    }

    fn output_order(&mut self, order: &[ast::OrderByExpr], columns: &[OutputColumn]) -> Result<Vec<SortKey>> {
        order
            .iter()
            .map(|key| {
                let by = match &key.expr {
                    ast::Expr::Identifier(ident) => {
                        let name = fold(ident);
                        match columns.iter().position(|column| column.name == name) {
                            Some(column) => column,
                            None => return Err(missing_column(&name)),
                        }
                    }
                    other => match constant_position(other, columns.len(), "ORDER BY") {
                        Some(place) => place?,
                        None => return fail("0A000", "invalid UNION/INTERSECT/EXCEPT ORDER BY clause"),
                    },
                };
                Ok(sort_key(SortBy::Output(by), key))
            })
            .collect()
    }

    fn select(&mut self, select: &ast::Select, query: &ast::Query) -> Result<Query> {
        if select.top.is_some()
            || select.into.is_some()
            || !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.qualify.is_some()
            || select.value_table_mode.is_some()
            || select.connect_by.is_some()
        {
            return refuse("this clause of SELECT");
        }
        let keeps_unknown = std::mem::take(&mut self.keeps_unknown);
        let columns_later = std::mem::take(&mut self.columns_later);
        self.scopes.push(Scope { clause: "FROM", ..Scope::default() });
        let sources = self.more_sources(&select.from)?;
        let source_slots = sources.iter().fold(SlotSet::NONE, |slots, source| slots.union(source.slots()));
        let mut conditions = Vec::new();
        if let Some(selection) = &select.selection {
            self.scope().clause = "WHERE";
            self.condition(selection, "WHERE")?.conjuncts(&mut conditions);
        }

        // Output first: ORDER BY and GROUP BY may name it.
        self.scope().may_aggregate = true;
        self.scope().may_window = true;
        self.scope().clause = "SELECT";
        let mut output: Vec<Typed> = Vec::new();
        let mut columns: Vec<OutputColumn> = Vec::new();
        for item in &select.projection {
            self.select_item(item, select, &mut output, &mut columns)?;
        }
        let named_windows = select.named_window.len();
        if named_windows > 0 {
            return refuse("the WINDOW clause");
        }
        if !keeps_unknown {
            for (typed, column) in output.iter_mut().zip(&mut columns) {
                if typed.ty == Type::Unknown {
                    typed.expr = coerce(typed.clone(), &Type::Text)?;
                    typed.ty = Type::Text;
                    column.ty = Type::Text;
                }
            }
        }

        self.scope().may_window = false;
        let mut keys: Vec<Expr> = Vec::new();
        if let ast::GroupByExpr::Expressions(exprs, modifiers) = &select.group_by {
            if !modifiers.is_empty() {
                return refuse("GROUP BY with a modifier");
            }
            for expr in exprs {
                keys.push(self.group_key(expr, &output, &columns)?);
            }
        } else {
            return refuse("GROUP BY ALL");
        }
        let grouped_by_clause = !keys.is_empty();
        let having = match &select.having {
            Some(having) => {
                self.scope().clause = "HAVING";
                Some(self.condition(having, "HAVING")?)
            }
            None => None,
        };
        self.scope().may_window = true;
        self.scope().clause = "ORDER BY";
        let distinct = match &select.distinct {
            None => None,
            Some(ast::Distinct::Distinct) => Some(Distinct::Rows),
            Some(ast::Distinct::On(exprs)) => {
                let mut on = Vec::new();
                for expr in exprs {
                    on.push(self.order_target(expr, &output, &columns, "DISTINCT ON")?);
                }
                Some(Distinct::On(on))
            }
        };
        let mut order = Vec::new();
        for key in query.order_by.iter().flat_map(|order| &order.exprs) {
            let by = self.order_target(&key.expr, &output, &columns, "ORDER BY")?;
            let by = match (&distinct, output.iter().position(|typed| typed.expr == by)) {
                (Some(Distinct::Rows), Some(column)) => SortBy::Output(column),
                (Some(Distinct::Rows), None) => {
                    return fail("42P10", "for SELECT DISTINCT, ORDER BY expressions must appear in select list");
                }
                _ => SortBy::Expr(by),
            };
            order.push(sort_key(by, key));
        }
        if let Some(Distinct::On(on)) = &distinct {
            let leading = order.iter().take(on.len());
            if leading.into_iter().any(|key| !matches!(&key.by, SortBy::Expr(by) if on.contains(by))) {
                return fail("42P10", "SELECT DISTINCT ON expressions must match initial ORDER BY expressions");
            }
        }

        let scope = self.scopes.last().expect("the scope of this select");
        let grouped = grouped_by_clause || having.is_some() || !scope.aggregates.is_empty();
        let windowed = !scope.windows.is_empty();
        if grouped {
            let dependent = self.dependent_slots(&keys);
            let mut all: Vec<&Expr> = output.iter().map(|typed| &typed.expr).collect();
            all.extend(having.iter());
            all.extend(order.iter().filter_map(|key| if let SortBy::Expr(expr) = &key.by { Some(expr) } else { None }));
            for expr in all {
                self.check_grouped(expr, &keys, source_slots, dependent)?;
            }
            let windows = self.scopes.last().expect("this scope").windows.clone();
            for call in &windows {
                for expr in call.arguments.iter().chain(&call.partition) {
                    self.check_grouped(expr, &keys, source_slots, dependent)?;
                }
                for key in &call.order {
                    if let SortBy::Expr(expr) = &key.by {
                        self.check_grouped(expr, &keys, source_slots, dependent)?;
                    }
                }
            }
        }

        let mut sources = sources;
        self.settle_sources(&mut sources);
        self.folder.fold_conditions(&mut conditions);
        reduce_outer_joins(&mut sources, &conditions);
        let mut having = having;
        let scope = self.scopes.last_mut().expect("the scope of this select");
        let arguments = scope
            .aggregates
            .iter_mut()
            .flat_map(|aggregate| aggregate.arguments.iter_mut().chain(&mut aggregate.filter));
        let arguments = arguments.chain(scope.windows.iter_mut().flat_map(|call| &mut call.arguments));
        for expr in keys.iter_mut().chain(&mut having).chain(arguments) {
            self.folder.fold(expr);
        }
        if !columns_later {
            output.iter_mut().for_each(|typed| self.folder.fold(&mut typed.expr));
            order.iter_mut().for_each(|key| self.folder.fold_sort_key(key));
            // What is the same in all rows puts them in no order.
            order.retain(|key| !matches!(key.by, SortBy::Expr(Expr::Const(_))));
        }

        let locks = self.lock_targets(query, grouped, windowed, select.distinct.is_some())?;
        let recheck = if locks.is_empty() { None } else { Expr::and(recheck_conditions(&conditions, &sources)) };

        let first_rows = query.limit.is_some() || query.fetch.is_some();
        let wanted = Wanted {
            order: if grouped || windowed || matches!(distinct, Some(Distinct::Rows)) { &[] } else { &order },
            first_rows: first_rows && !grouped && !windowed,
        };
        if let Some(shortcut) = self.extreme_by_index(&sources, &conditions, &keys, having.is_some(), windowed) {
            let scope = self.scopes.pop().expect("this scope");
            let aggregate_slot = scope.aggregate_slot.expect("there is an aggregate");
            self.widths[usize::from(aggregate_slot)] = 1;
            let planned =
                self.planner().from(sources, shortcut.conditions, &Wanted { order: &shortcut.order, first_rows: true });
            if planned.ordered {
                let inner = Query {
                    body: Body::Select(Select {
                        from: planned.node,
                        output: vec![shortcut.value],
                        distinct: None,
                        slots: source_slots,
                    }),
                    columns: Vec::new(),
                    order: shortcut.order,
                    presorted: true,
                    limit: Some(Expr::Const(Value::Int(1))),
                    offset: None,
                    locks: Vec::new(),
                    recheck: None,
                };
                let slot = self.slot(1)?;
                let group = Group {
                    input: Node::Derived { slot, query: Box::new(inner), name: Rc::from("extreme") },
                    keys: Vec::new(),
                    aggregates: vec![Aggregate {
                        arguments: vec![Expr::Column { slot, column: 0 }],
                        ..scope.aggregates[0].clone()
                    }],
                    slot: aggregate_slot,
                    input_slots: SlotSet::one(slot),
                    having: None,
                };
                self.pass_free(Some(scope));
                let select = Select {
                    from: Node::Group(Box::new(group)),
                    output: output.into_iter().map(|typed| typed.expr).collect(),
                    distinct,
                    slots: SlotSet::one(aggregate_slot),
                };
                let mut bound = plain_query(Body::Select(select), columns);
                bound.order = order;
                return Ok(bound);
            }
            unreachable!("the shortcut is taken only where an index gives the order");
        }
        let planned = self.planner().from(sources, conditions, &wanted);
        let mut scope = self.scopes.pop().expect("this scope");
        let mut node = planned.node;
        let mut slots = source_slots;
        if grouped {
            let slot = match scope.aggregate_slot {
                Some(slot) => slot,
                None => self.slot(0)?,
            };
            self.widths[usize::from(slot)] = scope.aggregates.len();
            node = Node::Group(Box::new(Group {
                input: node,
                keys,
                aggregates: std::mem::take(&mut scope.aggregates),
                slot,
                input_slots: source_slots,
                having,
            }));
            slots = slots.union(SlotSet::one(slot));
        }
        if let Some(slot) = scope.window_slot {
            self.widths[usize::from(slot)] = scope.windows.len();
            node = Node::Window(Box::new(Window {
                input: node,
                calls: std::mem::take(&mut scope.windows),
                slot,
                input_slots: slots,
            }));
            slots = slots.union(SlotSet::one(slot));
        }
        self.pass_free(Some(scope));
        let select =
            Select { from: node, output: output.into_iter().map(|typed| typed.expr).collect(), distinct, slots };
        let mut bound = plain_query(Body::Select(select), columns);
        bound.presorted = planned.ordered && !order.is_empty() && !wanted.order.is_empty();
        bound.order = order;
        bound.locks = locks;
        bound.recheck = recheck;
        Ok(bound)
    }

    fn select_item(
        &mut self,
        item: &ast::SelectItem,
        select: &ast::Select,
        output: &mut Vec<Typed>,
        columns: &mut Vec<OutputColumn>,
    ) -> Result<()> {
        let mut push = |typed: Typed, name: Rc<str>| {
            columns.push(OutputColumn { name, ty: typed.ty.clone() });
            output.push(typed);
        };
        match item {
            ast::SelectItem::UnnamedExpr(expr) => {
                let typed = self.expr(expr)?;
                push(typed, column_name(expr));
            }
            ast::SelectItem::ExprWithAlias { expr, alias } => {
                let typed = self.expr(expr)?;
                push(typed, fold(alias));
            }
            ast::SelectItem::Wildcard(options) => {
                plain_wildcard(options)?;
                if select.from.is_empty() {
                    return fail("42601", "SELECT * with no tables specified is not valid");
                }
                for (name, typed) in self.all_columns() {
                    push(typed, name);
                }
            }
            ast::SelectItem::QualifiedWildcard(name, options) => {
                plain_wildcard(options)?;
                for (name, typed) in self.columns_of(&relation_name(name)?)? {
                    push(typed, name);
                }
            }
        }
        Ok(())
    }

    /// RETURNING: output over what the scope knows.
    pub fn returning(&mut self, items: &[ast::SelectItem]) -> Result<(Vec<Expr>, Vec<OutputColumn>)> {
        self.scope().clause = "RETURNING";
        let mut output: Vec<Typed> = Vec::new();
        let mut columns: Vec<OutputColumn> = Vec::new();
        for item in items {
            match item {
                ast::SelectItem::UnnamedExpr(expr) => {
                    let typed = self.expr(expr)?;
                    columns.push(OutputColumn { name: column_name(expr), ty: typed.ty.clone() });
                    output.push(typed);
                }
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    let typed = self.expr(expr)?;
                    columns.push(OutputColumn { name: fold(alias), ty: typed.ty.clone() });
                    output.push(typed);
                }
                ast::SelectItem::Wildcard(_) => {
                    for (name, typed) in self.all_columns() {
                        columns.push(OutputColumn { name, ty: typed.ty.clone() });
                        output.push(typed);
                    }
                }
                ast::SelectItem::QualifiedWildcard(name, _) => {
                    for (name, typed) in self.columns_of(&relation_name(name)?)? {
                        columns.push(OutputColumn { name, ty: typed.ty.clone() });
                        output.push(typed);
                    }
                }
            }
        }
        for (typed, column) in output.iter_mut().zip(&mut columns) {
            if typed.ty == Type::Unknown {
                typed.expr = coerce(typed.clone(), &Type::Text)?;
                column.ty = Type::Text;
            }
            self.folder.fold(&mut typed.expr);
        }
        Ok((output.into_iter().map(|typed| typed.expr).collect(), columns))
    }

    fn all_columns(&mut self) -> Vec<(Rc<str>, Typed)> {
        let scope = self.scopes.last().expect("a scope");
        let mut columns = scope.merged.clone();
        for relation in &scope.relations {
            for (number, (name, ty)) in relation.columns.iter().enumerate() {
                if !relation.hidden[number] {
                    columns.push((name.clone(), column_of(relation, number, ty)));
                }
            }
        }
        columns
    }

    fn columns_of(&mut self, alias: &str) -> Result<Vec<(Rc<str>, Typed)>> {
        let scope = self.scopes.last().expect("a scope");
        let Some(relation) = scope.relations.iter().find(|relation| &*relation.alias == alias) else {
            return Err(self.missing_from(alias));
        };
        let dropped = |number: usize| relation.table.as_ref().is_some_and(|table| table.columns[number].dropped);
        Ok(relation
            .columns
            .iter()
            .enumerate()
            .filter(|(number, _)| !dropped(*number))
            .map(|(number, (name, ty))| (name.clone(), column_of(relation, number, ty)))
            .collect())
    }

    fn group_key(&mut self, expr: &ast::Expr, output: &[Typed], columns: &[OutputColumn]) -> Result<Expr> {
        if let Some(place) = constant_position(expr, output.len(), "GROUP BY") {
            return Ok(output[place?].expr.clone());
        }
        match expr {
            ast::Expr::GroupingSets(_) | ast::Expr::Cube(_) | ast::Expr::Rollup(_) | ast::Expr::Tuple(_) => {
                refuse("GROUPING SETS, CUBE and ROLLUP")
            }
            ast::Expr::Identifier(ident) => {
                // A column of the input comes before a name of the output.
                let name = fold(ident);
                match self.column(&name) {
                    Ok(typed) => Ok(typed.expr),
                    Err(missing) => match columns.iter().position(|column| column.name == name) {
                        Some(place) => Ok(output[place].expr.clone()),
                        None => Err(missing),
                    },
                }
            }
            other => {
                self.scope().may_aggregate = false;
                self.scope().clause = "GROUP BY";
                let bound = self.expr(other);
                self.scope().may_aggregate = true;
                Ok(bound?.expr)
            }
        }
    }

    fn order_target(
        &mut self,
        expr: &ast::Expr,
        output: &[Typed],
        columns: &[OutputColumn],
        clause: &str,
    ) -> Result<Expr> {
        if let Some(place) = constant_position(expr, output.len(), clause) {
            return Ok(output[place?].expr.clone());
        }
        match expr {
            ast::Expr::Identifier(ident) => {
                let name = fold(ident);
                let mut named =
                    columns.iter().zip(output).filter(|(column, _)| column.name == name).map(|(_, typed)| typed);
                match (named.next(), named.next()) {
                    (Some(first), Some(second)) if first.expr != second.expr => {
                        fail("42702", format!("{clause} \"{name}\" is ambiguous"))
                    }
                    (Some(typed), _) => Ok(typed.expr.clone()),
                    (None, _) => Ok(self.column(&name)?.expr),
                }
            }
            other => {
                let typed = self.expr(other)?;
                if typed.ty == Type::Unknown { coerce(typed, &Type::Text) } else { Ok(typed.expr) }
            }
        }
    }

    /// Tables whose primary key is among the group keys: their other columns depend on it.
    fn dependent_slots(&self, keys: &[Expr]) -> SlotSet {
        let scope = self.scopes.last().expect("a scope");
        scope
            .relations
            .iter()
            .filter(|relation| {
                let Some(columns) = relation.table.as_ref().and_then(|table| table.primary()?.plain_columns()) else {
                    return false;
                };
                columns
                    .iter()
                    .all(|column| keys.contains(&Expr::Column { slot: relation.slot, column: *column as u16 }))
            })
            .fold(SlotSet::NONE, |slots, relation| slots.union(SlotSet::one(relation.slot)))
    }

    fn check_grouped(&self, expr: &Expr, keys: &[Expr], own: SlotSet, dependent: SlotSet) -> Result<()> {
        if keys.contains(expr) {
            return Ok(());
        }
        match expr {
            Expr::Column { slot, column }
                if SlotSet::one(*slot).within(own) && !SlotSet::one(*slot).within(dependent) =>
            {
                let scope = self.scopes.last().expect("a scope");
                let relation = scope.relations.iter().find(|relation| relation.slot == *slot);
                let name = relation.map_or(String::new(), |relation| {
                    format!("{}.{}", relation.alias, relation.columns[usize::from(*column)].0)
                });
                fail(
                    "42803",
                    format!("column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function"),
                )
            }
            Expr::Subquery(subquery) => {
                let free = subquery.outer.without(dependent);
                let keyed = keys.iter().fold(SlotSet::NONE, |slots, key| slots.union(key.slots()));
                for slot in free.iter().filter(|slot| SlotSet::one(*slot).within(own)) {
                    if !SlotSet::one(slot).within(keyed) {
                        return fail("42803", "subquery uses ungrouped column from outer query");
                    }
                }
                for child in expr.children() {
                    self.check_grouped(child, keys, own, dependent)?;
                }
                Ok(())
            }
            other => {
                for child in other.children() {
                    self.check_grouped(child, keys, own, dependent)?;
                }
                Ok(())
            }
        }
    }

    fn extreme_by_index(
        &self,
        sources: &[Source],
        conditions: &[Expr],
        keys: &[Expr],
        having: bool,
        windowed: bool,
    ) -> Option<Extreme> {
        let scope = self.scopes.last()?;
        let ([Source::Table { .. }], [aggregate]) = (sources, scope.aggregates.as_slice()) else { return None };
        if !keys.is_empty() || having || windowed || aggregate.filter.is_some() {
            return None;
        }
        let descending = match aggregate.function {
            AggregateFunction::Min => false,
            AggregateFunction::Max => true,
            _ => return None,
        };
        let value = aggregate.arguments[0].clone();
        if !matches!(value, Expr::Column { .. }) {
            return None;
        }
        let order = vec![SortKey { by: SortBy::Expr(value.clone()), descending, nulls_first: descending }];
        let mut conditions = conditions.to_vec();
        conditions.push(Expr::IsNull { of: Box::new(value.clone()), negated: true });
        let Source::Table { table, alias, slot } = &sources[0] else { return None };
        let probe = vec![Source::Table { table: table.clone(), alias: alias.clone(), slot: *slot }];
        let planned = self.planner().from(probe, conditions.clone(), &Wanted { order: &order, first_rows: true });
        planned.ordered.then_some(Extreme { conditions, order, value })
    }

    fn lock_targets(
        &mut self,
        query: &ast::Query,
        grouped: bool,
        windowed: bool,
        distinct: bool,
    ) -> Result<Vec<LockTarget>> {
        let mut targets: Vec<LockTarget> = Vec::new();
        for clause in &query.locks {
            let (strength, names) = parse::lock_clause(clause)?;
            let words = super::explain::lock_words(strength);
            for (wrong, what) in [
                (grouped, "aggregate functions or GROUP BY"),
                (windowed, "window functions"),
                (distinct, "DISTINCT clause"),
            ] {
                if wrong {
                    let what = if grouped && self.scopes.last().is_some_and(|s| s.aggregates.is_empty()) {
                        "GROUP BY clause"
                    } else if grouped {
                        "aggregate functions"
                    } else {
                        what
                    };
                    return fail("0A000", format!("{words} is not allowed with {what}"));
                }
            }
            let policy = match clause.nonblock {
                None => LockPolicy::Wait,
                Some(ast::NonBlock::Nowait) => LockPolicy::NoWait,
                Some(ast::NonBlock::SkipLocked) => LockPolicy::SkipLocked,
            };
            let scope = self.scopes.last().expect("a scope");
            let mut found: Vec<(u16, Rc<Table>)> = Vec::new();
            if names.is_empty() {
                for relation in &scope.relations {
                    match &relation.table {
                        Some(table) => {
                            if relation.nullable {
                                return fail(
                                    "0A000",
                                    format!("{words} cannot be applied to the nullable side of an outer join"),
                                );
                            }
                            found.push((relation.slot, table.clone()));
                        }
                        None => return refuse(format!("{words} over a subquery in FROM")),
                    }
                }
            } else {
                for name in &names {
                    let relation = scope.relations.iter().find(|relation| relation.alias == *name);
                    let Some(relation) = relation else {
                        return fail(
                            "42P01",
                            format!("relation \"{name}\" in {words} clause not found in FROM clause"),
                        );
                    };
                    let Some(table) = &relation.table else {
                        return refuse(format!("{words} over a subquery in FROM"));
                    };
                    if relation.nullable {
                        return fail(
                            "0A000",
                            format!("{words} cannot be applied to the nullable side of an outer join"),
                        );
                    }
                    found.push((relation.slot, table.clone()));
                }
            }
            for (slot, table) in found {
                self.use_table(&table, Mode::RowShare);
                match targets.iter_mut().find(|target| target.slot == slot) {
                    Some(target) => {
                        target.strength = target.strength.max(strength);
                        if policy != LockPolicy::Wait && target.policy != LockPolicy::NoWait {
                            target.policy = policy;
                        }
                    }
                    None => targets.push(LockTarget { slot, table, strength, policy }),
                }
            }
        }
        Ok(targets)
    }

    // FROM

    /// Once all that reads the sources is bound: computes their constants and leaves out columns nobody reads.
    pub fn settle_sources(&mut self, sources: &mut [Source]) {
        for source in sources {
            match source {
                Source::Table { .. } => {}
                Source::Join { left, right, on, .. } => {
                    self.settle_sources(std::slice::from_mut(left));
                    self.settle_sources(std::slice::from_mut(right));
                    self.folder.fold_conditions(on);
                }
                Source::Other { node: Node::Derived { slot, query, .. }, .. } => {
                    let relation =
                        self.scopes.last().and_then(|scope| scope.relations.iter().find(|r| r.slot == *slot));
                    let is_plain = query.order.is_empty() && query.limit.is_none() && query.offset.is_none();
                    let Body::Select(select) = &mut query.body else { continue };
                    let may_drop = select.distinct.is_none() && query.locks.is_empty();
                    // PostgreSQL merges such a query into the one around it, so that its constants are constants there.
                    let merges = may_drop
                        && is_plain
                        && relation.is_some_and(|relation| !relation.nullable)
                        && !matches!(select.from, Node::Group(_) | Node::Window(_));
                    for (number, expr) in select.output.iter_mut().enumerate() {
                        let used = relation.is_none_or(|r| r.used.borrow().get(number).is_some_and(|used| *used));
                        if used || !may_drop || expr.is_volatile() {
                            self.folder.fold(expr);
                            if let (true, Expr::Const(value)) = (merges, &*expr) {
                                self.folder.know(*slot, number as u16, value.clone());
                            }
                        } else {
                            *expr = Expr::Const(Value::Null);
                        }
                    }
                }
                Source::Other { .. } => {}
            }
        }
    }

    fn bind_joined(&mut self, item: &ast::TableWithJoins) -> Result<Source> {
        let first = self.scope().relations.len();
        let mut source = self.bind_factor(&item.relation)?;
        for join in &item.joins {
            let left_end = self.scope().relations.len();
            let right = self.bind_factor(&join.relation)?;
            let (kind, constraint, swapped) = match &join.join_operator {
                ast::JoinOperator::Inner(constraint) => (JoinKind::Inner, Some(constraint), false),
                ast::JoinOperator::LeftOuter(constraint) => (JoinKind::Left, Some(constraint), false),
                ast::JoinOperator::RightOuter(constraint) => (JoinKind::Left, Some(constraint), true),
                ast::JoinOperator::FullOuter(constraint) => (JoinKind::Full, Some(constraint), false),
                ast::JoinOperator::CrossJoin => (JoinKind::Inner, None, false),
                _ => return refuse("this kind of join"),
            };
            let mut on = Vec::new();
            match constraint {
                None => {}
                Some(ast::JoinConstraint::On(condition)) => {
                    let hidden = self.hide_before(first);
                    self.scope().clause = "JOIN conditions";
                    let bound = self.condition(condition, "JOIN/ON");
                    self.unhide(hidden);
                    bound?.conjuncts(&mut on);
                }
                Some(ast::JoinConstraint::Using(names)) => {
                    let names: Vec<Rc<str>> = names.iter().map(fold).collect();
                    self.merge(&names, first, left_end, kind, swapped, &mut on)?;
                }
                Some(ast::JoinConstraint::Natural) => {
                    let scope = self.scope();
                    let right_names: Vec<Rc<str>> = scope.relations[left_end..]
                        .iter()
                        .flat_map(|r| r.columns.iter().map(|(name, _)| name.clone()))
                        .collect();
                    let mut names: Vec<Rc<str>> = Vec::new();
                    for relation in &scope.relations[first..left_end] {
                        for (number, (name, _)) in relation.columns.iter().enumerate() {
                            if right_names.contains(name) && !names.contains(name) && !relation.hidden[number] {
                                names.push(name.clone());
                            }
                        }
                    }
                    self.merge(&names, first, left_end, kind, swapped, &mut on)?;
                }
                Some(ast::JoinConstraint::None) => return fail("42601", "a join needs ON or USING"),
            }
            let (nullable_from, nullable_to) = match (kind, swapped) {
                (JoinKind::Inner, _) => (0, 0),
                (JoinKind::Left, false) => (left_end, self.scope().relations.len()),
                (JoinKind::Left, true) => (first, left_end),
                (JoinKind::Full, _) => (first, self.scope().relations.len()),
            };
            for relation in &mut self.scope().relations[nullable_from..nullable_to] {
                relation.nullable = true;
            }
            let (left, right) = if swapped { (right, source) } else { (source, right) };
            source = Source::Join { kind, left: Box::new(left), right: Box::new(right), on };
        }
        Ok(source)
    }

    /// ON sees the tables of its own join only.
    fn hide_before(&mut self, first: usize) -> Vec<Relation> {
        self.scope().relations.drain(..first).collect()
    }

    fn unhide(&mut self, hidden: Vec<Relation>) {
        self.scope().relations.splice(0..0, hidden);
    }

    fn merge(
        &mut self,
        names: &[Rc<str>],
        first: usize,
        left_end: usize,
        kind: JoinKind,
        swapped: bool,
        on: &mut Vec<Expr>,
    ) -> Result<()> {
        let mut merged = Vec::new();
        for name in names {
            let scope = self.scope();
            let find = |relations: &[Relation]| -> Option<(usize, usize)> {
                relations.iter().enumerate().find_map(|(at, relation)| {
                    let number = relation.columns.iter().position(|(column, _)| column == name)?;
                    (!relation.hidden[number]).then_some((at, number))
                })
            };
            let earlier = scope.merged.iter().position(|(merged, _)| merged == name);
            let left = match earlier {
                Some(place) => scope.merged.remove(place).1,
                None => {
                    let Some((at, number)) = find(&scope.relations[first..left_end]) else {
                        return fail(
                            "42703",
                            format!("column \"{name}\" specified in USING clause does not exist in left table"),
                        );
                    };
                    let relation = &mut scope.relations[first + at];
                    relation.hidden[number] = true;
                    column_of(relation, number, &relation.columns[number].1)
                }
            };
            let Some((at, number)) = find(&scope.relations[left_end..]) else {
                return fail(
                    "42703",
                    format!("column \"{name}\" specified in USING clause does not exist in right table"),
                );
            };
            let relation = &mut scope.relations[left_end + at];
            relation.hidden[number] = true;
            let right = column_of(relation, number, &relation.columns[number].1);
            let ty = common_type("JOIN/USING", [&left.ty, &right.ty].into_iter())?;
            on.push(compare_exprs(Comparison::Equal, left.clone(), right.clone())?.expr);
            let shown = match (kind, swapped) {
                (JoinKind::Full, _) => {
                    Typed { expr: Expr::Coalesce(vec![coerce(left, &ty)?, coerce(right, &ty)?]), ty }
                }
                (_, true) => right,
                _ => left,
            };
            merged.push((name.clone(), shown));
        }
        let scope = self.scope();
        merged.append(&mut scope.merged);
        scope.merged = merged;
        Ok(())
    }

    fn bind_factor(&mut self, factor: &ast::TableFactor) -> Result<Source> {
        match factor {
            ast::TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                partitions,
                with_ordinality: false,
            } => {
                if !with_hints.is_empty() || !partitions.is_empty() {
                    return refuse("table hints and partitions");
                }
                let table_name = relation_name(name)?;
                let shown = alias.as_ref().map_or_else(|| table_name.clone(), |alias| fold(&alias.name));
                if let Some(place) = self.commons.iter().rposition(|(common, _)| *common == table_name) {
                    return self.bind_common(place, shown, alias.as_ref());
                }
                let table = self.catalog.existing(&table_name)?.clone();
                self.use_table(&table, Mode::AccessShare);
                let slot = self.add_table(&table, shown.clone())?;
                self.rename_columns(alias.as_ref())?;
                Ok(Source::Table { table, alias: shown, slot })
            }
            ast::TableFactor::Table { name, alias, args: Some(args), with_ordinality: false, .. } => {
                self.bind_table_function(name, &args.args, alias.as_ref())
            }
            ast::TableFactor::Function { name, args, alias, .. } => {
                self.bind_table_function(name, args, alias.as_ref())
            }
            ast::TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality: false, .. } => {
                let [array] = array_exprs.as_slice() else { return refuse("unnest of several arrays") };
                let array = self.expr(array)?;
                self.add_unnest(array, alias.as_ref())
            }
            ast::TableFactor::Derived { lateral, subquery, alias } => {
                let Some(alias) = alias else { return fail("42601", "subquery in FROM must have an alias") };
                let hidden = if *lateral { Vec::new() } else { std::mem::take(&mut self.scope().relations) };
                let own = self.scope().own;
                let merged = std::mem::take(&mut self.scope().merged);
                let free_before = std::mem::take(&mut self.scope().free);
                if !*lateral {
                    self.scope().own = SlotSet::NONE;
                }
                self.columns_later = true;
                let bound = self.subquery_scope(|binder| binder.query(subquery));
                let scope = self.scope();
                if !*lateral {
                    scope.relations = hidden;
                    scope.own = own;
                }
                scope.merged = merged;
                scope.free = free_before.union(scope.free);
                let (query, free) = bound?;
                let free = if free.meets(own) { free } else { SlotSet::default() };
                self.add_derived(query, fold(&alias.name), Some(alias), free)
            }
            ast::TableFactor::NestedJoin { table_with_joins, alias: None } => self.bind_joined(table_with_joins),
            _ => refuse("this kind of FROM item"),
        }
    }

    fn bind_common(&mut self, place: usize, shown: Rc<str>, alias: Option<&ast::TableAlias>) -> Result<Source> {
        match &self.commons[place].1 {
            Common::Inline(query, aliases, depth) => {
                let (query, aliases, depth) = (query.clone(), aliases.clone(), *depth);
                let later: Vec<_> = self.commons.drain(depth..).collect();
                self.columns_later = true;
                let bound = self.closed_query(&query);
                self.commons.extend(later);
                let mut bound = bound?;
                let columns = renamed(&bound.columns, &aliases, &shown)?;
                for (column, (name, _)) in bound.columns.iter_mut().zip(columns) {
                    column.name = name;
                }
                self.add_derived(bound, shown, alias, SlotSet::NONE)
            }
            Common::Kept { number, columns } => {
                let (number, columns) = (*number, columns.clone());
                let name = shown.clone();
                let slot = self.add_made(shown, columns, alias)?;
                Ok(Source::Other { node: Node::Common { slot, number, name }, slot, reads: SlotSet::NONE, rows: 100.0 })
            }
        }
    }

    /// A relation whose rows a query makes.
    fn add_made(
        &mut self,
        shown: Rc<str>,
        columns: Vec<(Rc<str>, Type)>,
        alias: Option<&ast::TableAlias>,
    ) -> Result<u16> {
        let slot = self.slot(columns.len())?;
        let hidden = vec![false; columns.len()];
        self.add_relation(Relation {
            alias: shown,
            slot,
            columns,
            hidden,
            table: None,
            nullable: false,
            used: Rc::default(),
        })?;
        self.rename_columns(alias)?;
        Ok(slot)
    }

    fn add_derived(
        &mut self,
        query: Query,
        shown: Rc<str>,
        alias: Option<&ast::TableAlias>,
        reads: SlotSet,
    ) -> Result<Source> {
        let columns = query.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
        let slot = self.add_made(shown.clone(), columns, alias)?;
        let node = Node::Derived { slot, query: Box::new(query), name: shown };
        Ok(Source::Other { node, slot, reads, rows: 100.0 })
    }

    fn bind_table_function(
        &mut self,
        name: &ast::ObjectName,
        args: &[ast::FunctionArg],
        alias: Option<&ast::TableAlias>,
    ) -> Result<Source> {
        let name = relation_name(name)?;
        let mut arguments = Vec::new();
        for arg in args {
            let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) = arg else {
                return refuse("this form of function arguments");
            };
            arguments.push(self.expr(expr)?);
        }
        match (&*name, arguments.len()) {
            ("generate_series", 2 | 3) => self.add_series(arguments, alias),
            ("unnest", 1) => {
                let array = arguments.remove(0);
                self.add_unnest(array, alias)
            }
            _ => refuse(format!("the function {name}() in FROM")),
        }
    }

    fn add_series(&mut self, mut arguments: Vec<Typed>, alias: Option<&ast::TableAlias>) -> Result<Source> {
        let step = (arguments.len() == 3).then(|| arguments.remove(2));
        let (mut parts, ty) = {
            let first = common_type("generate_series", arguments.iter().map(|a| &a.ty))?;
            let ty = match first {
                Type::Int2 | Type::Int4 | Type::Unknown => Type::Int4,
                Type::Int8 => Type::Int8,
                Type::Date | Type::TimestampTz => Type::TimestampTz,
                Type::Timestamp => Type::Timestamp,
                other => return refuse(format!("generate_series over {}", other.name())),
            };
            let ty = match &step {
                Some(step) if step.ty == Type::Int8 && ty == Type::Int4 => Type::Int8,
                _ => ty,
            };
            let parts: Result<Vec<Expr>> = arguments.into_iter().map(|argument| coerce(argument, &ty)).collect();
            (parts?, ty)
        };
        let step = match step {
            Some(step) if ty.is_integer() => Some(coerce(step, &ty)?),
            Some(step) => Some(coerce(step, &Type::Interval)?),
            None if ty.is_integer() => None,
            None => {
                return fail(
                    "42883",
                    "function generate_series(timestamp with time zone, timestamp with time zone) does not exist",
                );
            }
        };
        let stop = parts.remove(1);
        let start = parts.remove(0);
        let reads = start.slots().union(stop.slots()).union(step.as_ref().map_or(SlotSet::NONE, Expr::slots));
        let slot = self.add_function_relation("generate_series", ty, alias)?;
        let own = self.scope().own;
        Ok(Source::Other {
            node: Node::Series { slot, start, stop, step },
            slot,
            reads: if reads.meets(own) { reads } else { SlotSet::NONE },
            rows: 100.0,
        })
    }

    fn add_unnest(&mut self, array: Typed, alias: Option<&ast::TableAlias>) -> Result<Source> {
        let Type::Array(element) = array.ty.clone() else {
            return fail("42883", format!("function unnest({}) does not exist", array.ty.name()));
        };
        let element = if *element == Type::Unknown { Type::Text } else { *element };
        let reads = array.expr.slots();
        let slot = self.add_function_relation("unnest", element, alias)?;
        Ok(Source::Other { node: Node::Unnest { slot, array: array.expr }, slot, reads, rows: 10.0 })
    }

    /// A function's one column is named as its alias, unless columns are named too.
    fn add_function_relation(&mut self, name: &str, ty: Type, alias: Option<&ast::TableAlias>) -> Result<u16> {
        let shown: Rc<str> = alias.map_or_else(|| Rc::from(name), |alias| fold(&alias.name));
        let slot = self.slot(1)?;
        let columns = vec![(shown.clone(), ty)];
        self.add_relation(Relation {
            alias: shown,
            slot,
            columns,
            hidden: vec![false],
            table: None,
            nullable: false,
            used: Rc::default(),
        })?;
        self.rename_columns(alias)?;
        Ok(slot)
    }

    fn rename_columns(&mut self, alias: Option<&ast::TableAlias>) -> Result<()> {
        let Some(alias) = alias else { return Ok(()) };
        let relation = self.scope().relations.last_mut().expect("just added");
        if alias.columns.len() > relation.columns.len() {
            return fail(
                "42P10",
                format!(
                    "table \"{}\" has {} columns available but {} columns specified",
                    relation.alias,
                    relation.columns.len(),
                    alias.columns.len()
                ),
            );
        }
        for (column, name) in relation.columns.iter_mut().zip(&alias.columns) {
            column.0 = fold(name);
        }
        Ok(())
    }

    /// Binds something in a scope of its own and tells what it reads of the scopes around.
    fn subquery_scope<T>(&mut self, bind: impl FnOnce(&mut Binder<'a>) -> Result<T>) -> Result<(T, SlotSet)> {
        let before = std::mem::take(&mut self.scope().free);
        self.scopes.push(Scope { clause: "subquery", ..Scope::default() });
        let bound = bind(self);
        let inner = self.scopes.pop().expect("the scope just opened");
        let used = inner.free;
        let scope = self.scope();
        // What reached this scope's own tables is recorded on the inner scope; the rest goes on outward.
        scope.free = before.union(scope.free).union(used.without(scope.own));
        Ok((bound?, used))
    }

    // Names

    fn column(&mut self, name: &str) -> Result<Typed> {
        for depth in (0..self.scopes.len()).rev() {
            let scope = &self.scopes[depth];
            if let Some((_, typed)) = scope.merged.iter().find(|(merged, _)| &**merged == name) {
                let typed = typed.clone();
                self.read_from(depth, typed.expr.slots());
                return Ok(typed);
            }
            let mut found = None;
            for relation in &scope.relations {
                for (number, (column, ty)) in relation.columns.iter().enumerate() {
                    if &**column == name && !relation.hidden[number] {
                        if found.is_some() {
                            return fail("42702", format!("column reference \"{name}\" is ambiguous"));
                        }
                        found = Some(column_of(relation, number, ty));
                    }
                }
            }
            if let Some(typed) = found {
                self.read_from(depth, typed.expr.slots());
                return Ok(typed);
            }
        }
        Err(missing_column(name))
    }

    fn qualified_column(&mut self, alias: &str, name: &str) -> Result<Typed> {
        for depth in (0..self.scopes.len()).rev() {
            let Some(relation) = self.scopes[depth].relations.iter().find(|relation| &*relation.alias == alias) else {
                continue;
            };
            let dropped = |number: usize| relation.table.as_ref().is_some_and(|table| table.columns[number].dropped);
            let found = relation
                .columns
                .iter()
                .enumerate()
                .find(|(number, (column, _))| &**column == name && !dropped(*number));
            let Some((number, (_, ty))) = found else {
                return fail("42703", format!("column {alias}.{name} does not exist"));
            };
            let typed = column_of(relation, number, ty);
            self.read_from(depth, typed.expr.slots());
            return Ok(typed);
        }
        Err(self.missing_from(alias))
    }

    /// A table that is there under an alias only is told apart from one that is not there at all.
    fn missing_from(&self, name: &str) -> Stop {
        let mut relations = self.scopes.iter().flat_map(|scope| &scope.relations);
        let aliased = relations.any(|relation| relation.table.as_ref().is_some_and(|table| &*table.name == name));
        let mistake = if aliased { "invalid reference to" } else { "missing" };
        error("42P01", format!("{mistake} FROM-clause entry for table \"{name}\""))
    }

    fn read_from(&mut self, depth: usize, slots: SlotSet) {
        for scope in &mut self.scopes[depth + 1..] {
            scope.free = scope.free.union(slots);
        }
    }

    // Expressions

    pub fn condition(&mut self, expr: &ast::Expr, clause: &str) -> Result<Expr> {
        let bound = self.expr(expr)?;
        if bound.ty != Type::Bool && bound.ty != Type::Unknown {
            return fail("42804", format!("argument of {clause} must be type boolean, not type {}", bound.ty.name()));
        }
        coerce(bound, &Type::Bool)
    }

    pub fn expr(&mut self, expr: &ast::Expr) -> Result<Typed> {
        self.depth += 1;
        if self.depth > DEPTH_MOST * 4 {
            return fail("54001", "stack depth limit exceeded");
        }
        let bound = self.expr_within_depth(expr);
        self.depth -= 1;
        bound
    }

    fn expr_within_depth(&mut self, expr: &ast::Expr) -> Result<Typed> {
        match expr {
            ast::Expr::Identifier(ident) => self.column(&fold(ident)),
            ast::Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [alias, name] => self.qualified_column(&fold(alias), &fold(name)),
                [schema, alias, name] if &*fold(schema) == "public" => self.qualified_column(&fold(alias), &fold(name)),
                _ => refuse("a column name of more than two parts"),
            },
            ast::Expr::Nested(inner) => self.expr(inner),
            ast::Expr::Value(value) => self.literal(value),
            ast::Expr::TypedString { data_type, value } => {
                let ty = type_of(data_type)?;
                Ok(Typed { expr: Expr::Const(types::parse(&ty, value)?), ty })
            }
            ast::Expr::Interval(interval) => self.interval(interval),
            ast::Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            ast::Expr::UnaryOp { op, expr } => self.unary(op, expr),
            ast::Expr::IsNull(of) => self.is_null(of, false),
            ast::Expr::IsNotNull(of) => self.is_null(of, true),
            ast::Expr::IsTrue(of) => self.is_truth(of, true, false),
            ast::Expr::IsNotTrue(of) => self.is_truth(of, true, true),
            ast::Expr::IsFalse(of) => self.is_truth(of, false, false),
            ast::Expr::IsNotFalse(of) => self.is_truth(of, false, true),
            ast::Expr::IsUnknown(of) => self.is_null(of, false),
            ast::Expr::IsNotUnknown(of) => self.is_null(of, true),
            ast::Expr::IsDistinctFrom(left, right) => self.distinct(left, right, false),
            ast::Expr::IsNotDistinctFrom(left, right) => self.distinct(left, right, true),
            ast::Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            ast::Expr::InSubquery { expr, subquery, negated } => {
                let kind = if *negated {
                    SubqueryKind::All(Comparison::NotEqual)
                } else {
                    SubqueryKind::Any(Comparison::Equal)
                };
                self.quantified_subquery(expr, subquery, kind)
            }
            ast::Expr::Between { expr, negated, low, high } => {
                let of = self.expr(expr)?;
                let low = self.expr(low)?;
                let high = self.expr(high)?;
                let above = compare_exprs(Comparison::GreaterEqual, of.clone(), low)?.expr;
                let below = compare_exprs(Comparison::LessEqual, of, high)?.expr;
                let both = Expr::And(vec![above, below]);
                Ok(boolean(if *negated { Expr::Not(Box::new(both)) } else { both }))
            }
            ast::Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_deref(), false, *negated)
            }
            ast::Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_deref(), true, *negated)
            }
            ast::Expr::AnyOp { left, compare_op, right, .. } => self.quantified(left, compare_op, right, false),
            ast::Expr::AllOp { left, compare_op, right } => self.quantified(left, compare_op, right, true),
            ast::Expr::Cast {
                kind: ast::CastKind::Cast | ast::CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
            } => {
                let of = self.expr(expr)?;
                explicit_cast(of, &type_of(data_type)?)
            }
            ast::Expr::AtTimeZone { timestamp, time_zone } => {
                let of = self.expr(timestamp)?;
                let zone = self.expr(time_zone)?;
                functions::at_time_zone(of, zone)
            }
            ast::Expr::Extract { field, expr, .. } => {
                let unit = field.to_string().to_lowercase();
                let of = self.expr(expr)?;
                self.call("extract", vec![Typed { expr: Expr::Const(text(&unit)), ty: Type::Text }, of])
            }
            ast::Expr::Ceil { expr, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                let of = self.expr(expr)?;
                self.call("ceil", vec![of])
            }
            ast::Expr::Floor { expr, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                let of = self.expr(expr)?;
                self.call("floor", vec![of])
            }
            ast::Expr::Position { expr, r#in } => {
                let what = self.expr(expr)?;
                let within = self.expr(r#in)?;
                self.call("strpos", vec![within, what])
            }
            ast::Expr::Substring { expr, substring_from, substring_for, .. } => {
                let mut arguments = vec![self.expr(expr)?];
                match substring_from {
                    Some(from) => arguments.push(self.expr(from)?),
                    None => arguments.push(Typed { expr: Expr::Const(Value::Int(1)), ty: Type::Int4 }),
                }
                if let Some(length) = substring_for {
                    arguments.push(self.expr(length)?);
                }
                self.call("substr", arguments)
            }
            ast::Expr::Trim { expr, trim_where, trim_what, trim_characters } => {
                let mut arguments = vec![self.expr(expr)?];
                if let Some(what) = trim_what {
                    arguments.push(self.expr(what)?);
                }
                for what in trim_characters.iter().flatten() {
                    arguments.push(self.expr(what)?);
                }
                let name = match trim_where {
                    Some(ast::TrimWhereField::Leading) => "ltrim",
                    Some(ast::TrimWhereField::Trailing) => "rtrim",
                    _ => "btrim",
                };
                self.call(name, arguments)
            }
            ast::Expr::Case { operand, conditions, results, else_result } => {
                self.case(operand.as_deref(), conditions, results, else_result.as_deref())
            }
            ast::Expr::Exists { subquery, negated } => {
                // What it selects is never computed, so nothing in it fails.
                let failure = self.folder.failure.take();
                let exists = self.subquery(SubqueryKind::Exists, None, subquery)?;
                self.folder.failure = failure;
                Ok(boolean(if *negated { Expr::Not(Box::new(exists.expr)) } else { exists.expr }))
            }
            ast::Expr::Subquery(subquery) => self.subquery(SubqueryKind::Scalar, None, subquery),
            ast::Expr::Array(array) => {
                let parts: Result<Vec<Typed>> = array.elem.iter().map(|element| self.expr(element)).collect();
                let parts = parts?;
                if parts.is_empty() {
                    return fail("42P18", "cannot determine type of empty array");
                }
                let (exprs, ty) = functions::unify("ARRAY", parts)?;
                Ok(Typed { expr: Expr::Array(exprs), ty: Type::Array(Box::new(ty)) })
            }
            ast::Expr::Function(function) => self.function(function),
            ast::Expr::Tuple(_) => refuse("a row value outside a comparison"),
            ast::Expr::Collate { .. } => refuse("COLLATE"),
            ast::Expr::SimilarTo { .. } => refuse("SIMILAR TO"),
            ast::Expr::Subscript { .. } | ast::Expr::MapAccess { .. } => refuse("an array subscript"),
            ast::Expr::Overlay { .. } => refuse("overlay()"),
            other => refuse(format!("the expression {}", shortened(&other.to_string()))),
        }
    }

    fn literal(&mut self, value: &ast::Value) -> Result<Typed> {
        let string = |content: &str| Typed { expr: Expr::Const(text(content)), ty: Type::Unknown };
        Ok(match value {
            ast::Value::Number(..) => number_literal(&digits(value).expect("a number"))?,
            ast::Value::SingleQuotedString(content)
            | ast::Value::EscapedStringLiteral(content)
            | ast::Value::UnicodeStringLiteral(content)
            | ast::Value::NationalStringLiteral(content) => string(content),
            ast::Value::DollarQuotedString(content) => string(&content.value),
            ast::Value::Boolean(value) => Typed { expr: Expr::Const(Value::Bool(*value)), ty: Type::Bool },
            ast::Value::Null => Typed::null(),
            ast::Value::Placeholder(name) => {
                let number =
                    name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok()).filter(|number| *number > 0);
                let Some(number) = number else { return fail("42601", format!("syntax error at or near \"{name}\"")) };
                match self.parameters.get(number - 1) {
                    Some(ty) => Typed { expr: Expr::Parameter(number - 1), ty: ty.clone() },
                    None => return fail("42P02", format!("there is no parameter ${number}")),
                }
            }
            other => return refuse(format!("the literal {other}")),
        })
    }

    fn interval(&mut self, interval: &ast::Interval) -> Result<Typed> {
        let ast::Expr::Value(ast::Value::SingleQuotedString(content)) = &*interval.value else {
            return refuse("this form of INTERVAL (write INTERVAL '1 day')");
        };
        if interval.last_field.is_some() || interval.leading_precision.is_some() {
            return refuse("INTERVAL with a range of fields");
        }
        let written = match &interval.leading_field {
            Some(unit) => format!("{content} {}", unit.to_string().to_lowercase()),
            None => content.clone(),
        };
        Ok(Typed { expr: Expr::Const(types::parse(&Type::Interval, &written)?), ty: Type::Interval })
    }

    fn binary(&mut self, left: &ast::Expr, op: &ast::BinaryOperator, right: &ast::Expr) -> Result<Typed> {
        use ast::BinaryOperator as B;
        if let (Some(op), Some(a), Some(b)) = (comparison_of(op), row_parts(left), row_parts(right)) {
            return self.compare_rows(op, a, b);
        }
        match op {
            B::And | B::Or => {
                let word = if matches!(op, B::And) { "AND" } else { "OR" };
                let mut parts = Vec::new();
                for side in [left, right] {
                    let part = self.condition(side, word)?;
                    match (part, word) {
                        (Expr::And(inner), "AND") | (Expr::Or(inner), "OR") => parts.extend(inner),
                        (part, _) => parts.push(part),
                    }
                }
                return Ok(boolean(if word == "AND" { Expr::And(parts) } else { Expr::Or(parts) }));
            }
            _ => {}
        }
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        if let Some(op) = comparison_of(op) {
            return compare_exprs(op, left, right);
        }
        match op {
            B::Plus => arithmetic(Arithmetic::Add, left, right),
            B::Minus => arithmetic(Arithmetic::Subtract, left, right),
            B::Multiply => arithmetic(Arithmetic::Multiply, left, right),
            B::Divide => arithmetic(Arithmetic::Divide, left, right),
            B::Modulo => arithmetic(Arithmetic::Remainder, left, right),
            B::StringConcat => functions::concatenation(left, right),
            B::Arrow | B::LongArrow if matches!(left.ty, Type::Json | Type::Jsonb) => {
                functions::json_member(left, right, matches!(op, B::LongArrow))
            }
            B::PGLikeMatch => like_match(left, right, false, false),
            B::PGNotLikeMatch => like_match(left, right, false, true),
            B::PGILikeMatch => like_match(left, right, true, false),
            B::PGNotILikeMatch => like_match(left, right, true, true),
            other => refuse(format!("the operator {other}")),
        }
    }

    /// `(a, b) = (c, d)` and the like, by columns from the left.
    fn compare_rows(&mut self, op: Comparison, left: &[ast::Expr], right: &[ast::Expr]) -> Result<Typed> {
        if left.len() != right.len() {
            return fail("42601", "unequal number of entries in row expressions");
        }
        let mut pairs = Vec::new();
        for (a, b) in left.iter().zip(right) {
            pairs.push((self.expr(a)?, self.expr(b)?));
        }
        rows_compared(op, &pairs)
    }

    fn unary(&mut self, op: &ast::UnaryOperator, of: &ast::Expr) -> Result<Typed> {
        match op {
            ast::UnaryOperator::Not => {
                let of = self.condition(of, "NOT")?;
                Ok(boolean(Expr::Not(Box::new(of))))
            }
            ast::UnaryOperator::Minus => {
                // -2147483648 is an integer though 2147483648 is not.
                if let ast::Expr::Value(value) = of
                    && let Some(digits) = digits(value)
                {
                    return number_literal(&format!("-{digits}"));
                }
                let of = self.expr(of)?;
                let of = if of.ty == Type::Unknown {
                    Typed { expr: coerce(of, &Type::Float8)?, ty: Type::Float8 }
                } else {
                    of
                };
                if !of.ty.is_number() && of.ty != Type::Interval {
                    return fail("42883", format!("operator does not exist: - {}", of.ty.name()));
                }
                let ty = of.ty.unmodified();
                Ok(Typed { expr: Expr::Negate { kind: ty.clone(), of: Box::new(of.expr) }, ty })
            }
            ast::UnaryOperator::Plus => {
                let of = self.expr(of)?;
                if !of.ty.is_number() {
                    return fail("42883", format!("operator does not exist: + {}", of.ty.name()));
                }
                Ok(of)
            }
            ast::UnaryOperator::PGAbs => {
                let of = self.expr(of)?;
                self.call("abs", vec![of])
            }
            other => refuse(format!("the operator {other}")),
        }
    }

    fn is_null(&mut self, of: &ast::Expr, negated: bool) -> Result<Typed> {
        let of = self.expr(of)?;
        Ok(boolean(Expr::IsNull { of: Box::new(of.expr), negated }))
    }

    fn is_truth(&mut self, of: &ast::Expr, truth: bool, negated: bool) -> Result<Typed> {
        let of = self.condition(of, if truth { "IS TRUE" } else { "IS FALSE" })?;
        Ok(boolean(Expr::IsTruth { of: Box::new(of), truth, negated }))
    }

    fn distinct(&mut self, left: &ast::Expr, right: &ast::Expr, negated: bool) -> Result<Typed> {
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let (left, right) = alike("IS DISTINCT FROM", left, right)?;
        Ok(boolean(Expr::Distinct { left: Box::new(left), right: Box::new(right), negated }))
    }

    fn in_list(&mut self, of: &ast::Expr, list: &[ast::Expr], negated: bool) -> Result<Typed> {
        if let Some(parts) = row_parts(of) {
            let mut rows = Vec::new();
            for element in list {
                let Some(other) = row_parts(element) else { return fail("42883", "a row is compared with a value") };
                rows.push(self.compare_rows(Comparison::Equal, parts, other)?.expr);
            }
            let any = Expr::Or(rows);
            return Ok(boolean(if negated { Expr::Not(Box::new(any)) } else { any }));
        }
        let mut parts = vec![self.expr(of)?];
        for element in list {
            parts.push(self.expr(element)?);
        }
        let operator = |a: &Type, b: &Type| no_operator("=", a, b);
        let Ok(ty) = common_type("IN", parts.iter().map(|part| &part.ty)) else {
            let other =
                parts.iter().skip(1).find(|part| common_type("IN", [&parts[0].ty, &part.ty].into_iter()).is_err());
            return Err(operator(&parts[0].ty, other.map_or(&parts[0].ty, |part| &part.ty)));
        };
        let exprs: Result<Vec<Expr>> = parts.into_iter().map(|part| coerce(part, &ty)).collect();
        let mut exprs = exprs?;
        let of = Box::new(exprs.remove(0));
        Ok(boolean(Expr::InList { of, list: exprs, negated }))
    }

    fn like(
        &mut self,
        of: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&str>,
        fold: bool,
        negated: bool,
    ) -> Result<Typed> {
        let of = self.expr(of)?;
        let pattern = self.expr(pattern)?;
        let escape = match escape {
            None => Some('\\'),
            Some("") => None,
            Some(one) if one.chars().count() == 1 => one.chars().next(),
            Some(_) => return fail("22019", "invalid escape string"),
        };
        like_exprs(of, pattern, escape, fold, negated)
    }

    fn quantified(
        &mut self,
        left: &ast::Expr,
        op: &ast::BinaryOperator,
        right: &ast::Expr,
        all: bool,
    ) -> Result<Typed> {
        let Some(op) = comparison_of(op) else { return refuse(format!("the operator {op} with ANY or ALL")) };
        let right_inner = if let ast::Expr::Nested(inner) = right { inner } else { right };
        if let ast::Expr::Subquery(query) = right_inner {
            let kind = if all { SubqueryKind::All(op) } else { SubqueryKind::Any(op) };
            return self.quantified_subquery(left, query, kind);
        }
        let left = self.expr(left)?;
        let array = self.expr(right)?;
        let element = match &array.ty {
            Type::Array(element) => (**element).clone(),
            Type::Unknown => left.ty.clone(),
            _ => return fail("42809", format!("op {} requires array on right side", if all { "ALL" } else { "ANY" })),
        };
        let Ok(ty) = common_type("ANY", [&left.ty, &element].into_iter()) else {
            return Err(no_operator(op.symbol(), &left.ty, &element));
        };
        let ty = if ty == Type::Unknown { Type::Text } else { ty };
        let left = Box::new(coerce(left, &ty)?);
        let array = Box::new(coerce(array, &Type::Array(Box::new(ty)))?);
        Ok(boolean(Expr::Quantified { op, all, left, array }))
    }

    fn quantified_subquery(&mut self, left: &ast::Expr, query: &ast::Query, kind: SubqueryKind) -> Result<Typed> {
        if row_parts(left).is_some() {
            return refuse("a row compared with a subquery");
        }
        let left = self.expr(left)?;
        self.subquery(kind, Some(left), query)
    }

    fn subquery(&mut self, kind: SubqueryKind, left: Option<Typed>, query: &ast::Query) -> Result<Typed> {
        let (mut bound, outer) = self.subquery_scope(|binder| binder.query(query))?;
        if !matches!(kind, SubqueryKind::Exists) && bound.columns.len() != 1 {
            return match kind {
                SubqueryKind::Any(_) | SubqueryKind::All(_) => fail("42601", "subquery has too many columns"),
                _ => fail("42601", "subquery must return only one column"),
            };
        }
        let mut ty = Type::Bool;
        let mut compared = None;
        match kind {
            SubqueryKind::Scalar => ty = bound.columns[0].ty.clone(),
            SubqueryKind::Array => ty = Type::Array(Box::new(bound.columns[0].ty.clone())),
            SubqueryKind::Exists => {}
            SubqueryKind::Any(op) | SubqueryKind::All(op) => {
                let left = left.expect("a quantified subquery has a left side");
                let column = bound.columns[0].ty.clone();
                let Ok(common) = common_type("IN", [&left.ty, &column].into_iter()) else {
                    return Err(no_operator(op.symbol(), &left.ty, &column));
                };
                convert_column(&mut bound, 0, &column, &common)?;
                compared = Some(coerce(left, &common)?);
            }
        }
        // The same text in the same place means the same: GROUP BY knows a selected expression by it.
        let repeatable = !has_locks_or_volatile(&bound);
        if repeatable
            && let Some((_, known)) = self.scope().subqueries.iter().find(|(written, known)| {
                written == query && known.kind == kind && known.left == compared && known.query.columns == bound.columns
            })
        {
            return Ok(Typed { expr: Expr::Subquery(known.clone()), ty });
        }
        let number = self.subqueries;
        self.subqueries += 1;
        // What reads nothing from outside is computed once, be it volatile or not.
        let volatile = !outer.is_empty() && has_locks_or_volatile(&bound);
        let hashed = if kind == SubqueryKind::Exists && !volatile { self.hash_exists(&mut bound, outer) } else { None };
        let subquery = Rc::new(Subquery { number, kind, left: compared, query: bound, outer, volatile, hashed });
        if repeatable {
            self.scope().subqueries.push((query.clone(), subquery.clone()));
        }
        Ok(Typed { expr: Expr::Subquery(subquery), ty })
    }

    /// Turns `EXISTS (… WHERE inner = outer)` over a whole table into keys to be looked up.
    fn hash_exists(&self, query: &mut Query, outer: SlotSet) -> Option<HashedKeys> {
        if outer.is_empty() || query.limit.is_some() || query.offset.is_some() {
            return None;
        }
        let Body::Select(select) = &mut query.body else { return None };
        let own = select.slots;
        let filter = match &mut select.from {
            Node::Scan(scan) if scan.access == super::plan::Access::Whole => &mut scan.filter,
            _ => return None,
        };
        let mut conditions = Vec::new();
        filter.clone()?.conjuncts(&mut conditions);
        let mut keys = HashedKeys { inner: Vec::new(), outer: Vec::new() };
        let mut rest = Vec::new();
        for condition in conditions {
            match condition {
                Expr::Compare { op: Comparison::Equal, left, right }
                    if left.slots().within(own)
                        && !left.slots().is_empty()
                        && !right.slots().meets(own)
                        && right.slots().meets(outer) =>
                {
                    keys.inner.push(*left);
                    keys.outer.push(*right);
                }
                Expr::Compare { op: Comparison::Equal, left, right }
                    if right.slots().within(own)
                        && !right.slots().is_empty()
                        && !left.slots().meets(own)
                        && left.slots().meets(outer) =>
                {
                    keys.inner.push(*right);
                    keys.outer.push(*left);
                }
                other => rest.push(other),
            }
        }
        if keys.inner.is_empty() || rest.iter().any(|condition| condition.slots().meets(outer)) {
            return None;
        }
        *filter = Expr::and(rest);
        Some(keys)
    }

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::Expr],
        results: &[ast::Expr],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Typed> {
        let operand = operand.map(|operand| self.expr(operand)).transpose()?;
        let mut whens = Vec::new();
        for condition in conditions {
            whens.push(match &operand {
                Some(operand) => {
                    let value = self.expr(condition)?;
                    compare_exprs(Comparison::Equal, operand.clone(), value)?.expr
                }
                None => self.condition(condition, "CASE/WHEN")?,
            });
        }
        let mut parts = Vec::new();
        for result in results {
            parts.push(self.expr(result)?);
        }
        let has_else = otherwise.is_some();
        if let Some(otherwise) = otherwise {
            parts.push(self.expr(otherwise)?);
        }
        let (mut thens, ty) = functions::unify("CASE", parts)?;
        let otherwise = if has_else { thens.pop().map(Box::new) } else { None };
        Ok(Typed { expr: Expr::Case { arms: whens.into_iter().zip(thens).collect(), otherwise }, ty })
    }

    fn call(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        let kinds: Vec<String> = arguments.iter().map(|argument| argument.ty.name()).collect();
        match functions::resolve(name, arguments)? {
            Some(typed) => {
                self.restless |= functions::is_restless(&typed.expr);
                Ok(typed)
            }
            None => {
                let mut missing =
                    SqlError::new("42883", format!("function {name}({}) does not exist", kinds.join(", ")));
                missing.hint = Some(
                    "No function matches the given name and argument types. You might need to add explicit type casts."
                        .to_owned(),
                );
                Err(missing.into())
            }
        }
    }

    fn function(&mut self, function: &ast::Function) -> Result<Typed> {
        let name = match function.name.0.as_slice() {
            [name] => fold(name),
            [schema, name] if &*fold(schema) == "pg_catalog" => fold(name),
            _ => return refuse(format!("the function {}", function.name)),
        };
        if function.null_treatment.is_some() || !function.within_group.is_empty() {
            return refuse(format!("this form of {name}()"));
        }
        if &*name == "array"
            && let ast::FunctionArguments::Subquery(query) = &function.args
        {
            return self.subquery(SubqueryKind::Array, None, query);
        }
        let mut distinct = false;
        let mut star = false;
        let mut written: Vec<&ast::Expr> = Vec::new();
        let mut order: &[ast::OrderByExpr] = &[];
        match &function.args {
            ast::FunctionArguments::None => {}
            ast::FunctionArguments::Subquery(_) => return refuse(format!("{name}() over a subquery")),
            ast::FunctionArguments::List(list) => {
                distinct = matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct));
                for arg in &list.args {
                    match arg {
                        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => written.push(expr),
                        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard) => star = true,
                        _ => return refuse(format!("this form of the arguments of {name}()")),
                    }
                }
                for clause in &list.clauses {
                    match clause {
                        ast::FunctionArgumentClause::OrderBy(exprs) => order = exprs,
                        _ => return refuse(format!("this clause of {name}()")),
                    }
                }
            }
        }
        if is_aggregate(&name) || function.over.is_some() {
            return self.aggregate(&name, function, &written, star, distinct, order);
        }
        if star || distinct || !order.is_empty() || function.filter.is_some() {
            return fail("42809", format!("{name} is not an aggregate function"));
        }
        if &*name == "coalesce" {
            let parts: Result<Vec<Typed>> = written.iter().map(|expr| self.expr(expr)).collect();
            let (exprs, ty) = functions::unify("COALESCE", parts?)?;
            return Ok(Typed { expr: Expr::Coalesce(exprs), ty });
        }
        let arguments: Result<Vec<Typed>> = written.iter().map(|expr| self.expr(expr)).collect();
        if matches!(&*name, "generate_series" | "unnest") {
            return refuse(format!("{name}() outside FROM"));
        }
        self.call(&name, arguments?)
    }

    fn aggregate(
        &mut self,
        name: &str,
        function: &ast::Function,
        written: &[&ast::Expr],
        star: bool,
        distinct: bool,
        order: &[ast::OrderByExpr],
    ) -> Result<Typed> {
        let windowed = function.over.is_some();
        let scope = self.scope();
        if scope.in_aggregate {
            return if windowed {
                fail("42803", "aggregate function calls cannot contain window function calls")
            } else {
                fail("42803", "aggregate function calls cannot be nested")
            };
        }
        if windowed && !scope.may_window {
            let clause = scope.clause;
            return fail("42P20", format!("window functions are not allowed in {clause}"));
        }
        if !windowed && !scope.may_aggregate {
            let clause = scope.clause;
            return fail("42803", format!("aggregate functions are not allowed in {clause}"));
        }
        if !windowed {
            scope.in_aggregate = true;
        }
        let bound = self.aggregate_parts(function, written, order);
        self.scope().in_aggregate = false;
        let (arguments, filter, order) = bound?;
        if let Some(over) = &function.over {
            return self.window(name, over, arguments, star, distinct || filter.is_some() || !order.is_empty());
        }
        let (kind, exprs, ty) = aggregate_of(name, arguments, star)?;
        let call = Aggregate { function: kind, arguments: exprs, distinct, filter, order };
        if self.scope().aggregate_slot.is_none() {
            let slot = self.slot(0)?;
            self.scope().aggregate_slot = Some(slot);
        }
        let scope = self.scope();
        let slot = scope.aggregate_slot.expect("just made");
        let number = match scope.aggregates.iter().position(|other| *other == call) {
            Some(number) => number,
            None => {
                scope.aggregates.push(call);
                scope.aggregates.len() - 1
            }
        };
        Ok(Typed { expr: Expr::Column { slot, column: number as u16 }, ty })
    }

    #[allow(clippy::type_complexity)]
    fn aggregate_parts(
        &mut self,
        function: &ast::Function,
        written: &[&ast::Expr],
        order: &[ast::OrderByExpr],
    ) -> Result<(Vec<Typed>, Option<Expr>, Vec<SortKey>)> {
        let arguments: Result<Vec<Typed>> = written.iter().map(|expr| self.expr(expr)).collect();
        let filter = match &function.filter {
            Some(filter) => Some(self.condition(filter, "FILTER")?),
            None => None,
        };
        let mut keys = Vec::new();
        for key in order {
            let by = self.expr(&key.expr)?;
            keys.push(sort_key(SortBy::Expr(by.expr), key));
        }
        Ok((arguments?, filter, keys))
    }

    fn window(
        &mut self,
        name: &str,
        over: &ast::WindowType,
        arguments: Vec<Typed>,
        star: bool,
        special: bool,
    ) -> Result<Typed> {
        let ast::WindowType::WindowSpec(spec) = over else { return refuse("a named window") };
        if spec.window_frame.is_some() || spec.window_name.is_some() {
            return refuse("a window frame");
        }
        if special {
            return refuse("DISTINCT, FILTER or ORDER BY within a window function");
        }
        self.scope().may_window = false;
        let mut partition = Vec::new();
        for expr in &spec.partition_by {
            partition.push(self.expr(expr)?.expr);
        }
        let mut order = Vec::new();
        for key in &spec.order_by {
            let by = self.expr(&key.expr)?;
            order.push(sort_key(SortBy::Expr(by.expr), key));
        }
        self.scope().may_window = true;
        let (function, exprs, ty) = match (name, arguments.len()) {
            ("row_number", 0) => (WindowFunction::RowNumber, Vec::new(), Type::Int8),
            ("rank", 0) => (WindowFunction::Rank, Vec::new(), Type::Int8),
            ("dense_rank", 0) => (WindowFunction::DenseRank, Vec::new(), Type::Int8),
            ("lag" | "lead", 1..=3) => {
                let mut arguments = arguments;
                let default = if arguments.len() == 3 { Some(arguments.remove(2)) } else { None };
                let offset = if arguments.len() == 2 { Some(arguments.remove(1)) } else { None };
                let value = arguments.remove(0);
                let ty = match &default {
                    Some(default) => common_type(name, [&value.ty, &default.ty].into_iter())?,
                    None => value.ty.clone(),
                };
                let mut exprs = vec![coerce(value, &ty)?];
                if let Some(offset) = offset {
                    exprs.push(coerce(offset, &Type::Int4)?);
                }
                if let Some(default) = default {
                    exprs.push(coerce(default, &ty)?);
                }
                (if name == "lag" { WindowFunction::Lag } else { WindowFunction::Lead }, exprs, ty)
            }
            ("first_value" | "last_value", 1) => {
                let value = arguments.into_iter().next().expect("one argument");
                let function =
                    if name == "first_value" { WindowFunction::FirstValue } else { WindowFunction::LastValue };
                (function, vec![value.expr], value.ty)
            }
            _ if is_aggregate(name) => {
                let (kind, exprs, ty) = aggregate_of(name, arguments, star)?;
                (WindowFunction::Running(kind), exprs, ty)
            }
            ("ntile" | "percent_rank" | "cume_dist" | "nth_value", _) => return refuse(format!("{name}()")),
            _ => {
                return fail(
                    "42809",
                    format!("OVER specified, but {name} is not a window function nor an aggregate function"),
                );
            }
        };
        let call = WindowCall { function, arguments: exprs, partition, order };
        if self.scope().window_slot.is_none() {
            let slot = self.slot(0)?;
            self.scope().window_slot = Some(slot);
        }
        let scope = self.scope();
        let slot = scope.window_slot.expect("just made");
        let number = match scope.windows.iter().position(|other| *other == call) {
            Some(number) => number,
            None => {
                scope.windows.push(call);
                scope.windows.len() - 1
            }
        };
        Ok(Typed { expr: Expr::Column { slot, column: number as u16 }, ty })
    }
}

struct Extreme {
    conditions: Vec<Expr>,
    order: Vec<SortKey>,
    value: Expr,
}

fn is_aggregate(name: &str) -> bool {
    matches!(
        name,
        "count" | "sum" | "avg" | "min" | "max" | "bool_and" | "bool_or" | "every" | "string_agg" | "array_agg"
    )
}

fn aggregate_of(name: &str, mut arguments: Vec<Typed>, star: bool) -> Result<(AggregateFunction, Vec<Expr>, Type)> {
    use AggregateFunction as F;
    if star {
        return if name == "count" {
            Ok((F::CountRows, Vec::new(), Type::Int8))
        } else {
            fail("42883", format!("function {name}() does not exist"))
        };
    }
    let wanted = if name == "string_agg" { 2 } else { 1 };
    let kinds: Vec<String> = arguments.iter().map(|argument| argument.ty.name()).collect();
    let missing = || error("42883", format!("function {name}({}) does not exist", kinds.join(", ")));
    if arguments.len() != wanted {
        return Err(missing());
    }
    let rest = arguments.split_off(1);
    let value = arguments.remove(0);
    let ty = value.ty.unmodified();
    let (function, result) = match (name, &ty) {
        ("count", _) => (F::Count, Type::Int8),
        ("sum", Type::Int2 | Type::Int4) => (F::SumInt, Type::Int8),
        ("sum", Type::Int8) => (F::SumBig, Type::Numeric(None)),
        ("sum", Type::Numeric(_)) => (F::SumNumeric, Type::Numeric(None)),
        ("sum", Type::Float8) => (F::SumFloat, Type::Float8),
        ("sum", Type::Interval) => (F::SumInterval, Type::Interval),
        ("avg", Type::Int2 | Type::Int4 | Type::Int8) => (F::AvgInt, Type::Numeric(None)),
        ("avg", Type::Numeric(_)) => (F::AvgNumeric, Type::Numeric(None)),
        ("avg", Type::Float8) => (F::AvgFloat, Type::Float8),
        ("min" | "max", Type::Bool | Type::Uuid | Type::Json | Type::Jsonb | Type::Bytea) => return Err(missing()),
        ("min", _) => (F::Min, if ty == Type::Unknown || ty.is_text() { Type::Text } else { ty.clone() }),
        ("max", _) => (F::Max, if ty == Type::Unknown || ty.is_text() { Type::Text } else { ty.clone() }),
        ("bool_and" | "every", Type::Bool) => (F::BoolAnd, Type::Bool),
        ("bool_or", Type::Bool) => (F::BoolOr, Type::Bool),
        ("string_agg", Type::Text | Type::Varchar(_) | Type::Unknown) => (F::StringAgg, Type::Text),
        ("array_agg", Type::Array(_)) => return refuse("array_agg of arrays"),
        ("array_agg", _) => {
            (F::ArrayAgg, Type::Array(Box::new(if ty == Type::Unknown { Type::Text } else { ty.clone() })))
        }
        _ => return Err(missing()),
    };
    let mut exprs = vec![if ty == Type::Unknown { coerce(value, &Type::Text)? } else { value.expr }];
    for argument in rest {
        exprs.push(coerce(argument, &Type::Text)?);
    }
    Ok((function, exprs, result))
}

fn plain_query(body: Body, columns: Vec<OutputColumn>) -> Query {
    Query {
        body,
        columns,
        order: Vec::new(),
        presorted: false,
        limit: None,
        offset: None,
        locks: Vec::new(),
        recheck: None,
    }
}

fn boolean(expr: Expr) -> Typed {
    Typed { expr, ty: Type::Bool }
}

fn column_of(relation: &Relation, number: usize, ty: &Type) -> Typed {
    let mut used = relation.used.borrow_mut();
    if used.len() <= number {
        used.resize(number + 1, false);
    }
    used[number] = true;
    drop(used);
    Typed { expr: Expr::Column { slot: relation.slot, column: number as u16 }, ty: ty.clone() }
}

fn plain_wildcard(options: &ast::WildcardAdditionalOptions) -> Result<()> {
    if options.opt_ilike.is_some()
        || options.opt_exclude.is_some()
        || options.opt_except.is_some()
        || options.opt_replace.is_some()
        || options.opt_rename.is_some()
    {
        return refuse("* with options");
    }
    Ok(())
}

fn renamed(columns: &[OutputColumn], aliases: &[Rc<str>], name: &str) -> Result<Vec<(Rc<str>, Type)>> {
    if aliases.len() > columns.len() {
        return fail(
            "42P10",
            format!(
                "WITH query \"{name}\" has {} columns available but {} columns specified",
                columns.len(),
                aliases.len()
            ),
        );
    }
    Ok(columns
        .iter()
        .enumerate()
        .map(|(number, column)| (aliases.get(number).unwrap_or(&column.name).clone(), column.ty.clone()))
        .collect())
}

fn count_references(query: &ast::Query, name: &str) -> usize {
    let mut count = 0;
    let _ = ast::visit_relations(query, |relation| {
        if relation.0.len() == 1 && &*fold(&relation.0[0]) == name {
            count += 1;
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    count
}

/// Conditions a locked row must fulfil in its newest version.
pub fn recheck_conditions(conditions: &[Expr], sources: &[Source]) -> Vec<Expr> {
    fn inner_conditions(source: &Source, into: &mut Vec<Expr>) {
        if let Source::Join { kind, left, right, on } = source {
            if *kind == JoinKind::Inner {
                into.extend(on.iter().cloned());
                inner_conditions(left, into);
                inner_conditions(right, into);
            } else if *kind == JoinKind::Left {
                inner_conditions(left, into);
            }
        }
    }
    let mut all = conditions.to_vec();
    for source in sources {
        inner_conditions(source, &mut all);
    }
    all
}

fn has_locks_or_volatile(query: &Query) -> bool {
    if !query.locks.is_empty() {
        return true;
    }
    match &query.body {
        Body::Select(select) => select.output.iter().any(Expr::is_volatile),
        Body::Values(rows) => rows.iter().flatten().any(Expr::is_volatile),
        Body::SetOperation { left, right, .. } => has_locks_or_volatile(left) || has_locks_or_volatile(right),
    }
}

fn convert_column(query: &mut Query, number: usize, from: &Type, to: &Type) -> Result<()> {
    if from == to {
        return Ok(());
    }
    let convert = |expr: &mut Expr| -> Result<()> {
        let typed = Typed { expr: std::mem::replace(expr, Expr::Const(Value::Null)), ty: from.clone() };
        *expr = coerce(typed, to)?;
        Ok(())
    };
    match &mut query.body {
        Body::Select(select) => convert(&mut select.output[number])?,
        Body::Values(rows) => {
            for row in rows {
                convert(&mut row[number])?;
            }
        }
        Body::SetOperation { left, right, .. } => {
            convert_column(left, number, from, to)?;
            convert_column(right, number, from, to)?;
        }
    }
    query.columns[number].ty = to.clone();
    Ok(())
}

fn sort_key(by: SortBy, key: &ast::OrderByExpr) -> SortKey {
    let descending = key.asc == Some(false);
    SortKey { by, descending, nulls_first: key.nulls_first.unwrap_or(descending) }
}

fn position(number: &str, count: usize, clause: &str) -> Result<usize> {
    match number.parse::<i32>() {
        Ok(place) if place > 0 && place as usize <= count => Ok(place as usize - 1),
        Ok(place) if place != i32::MIN => fail("42P10", format!("{clause} position {place} is not in select list")),
        _ => fail("42601", format!("non-integer constant in {clause}")),
    }
}

fn row_parts(expr: &ast::Expr) -> Option<&[ast::Expr]> {
    if let ast::Expr::Tuple(parts) = expr { Some(parts) } else { None }
}

pub fn comparison_of(op: &ast::BinaryOperator) -> Option<Comparison> {
    Some(match op {
        ast::BinaryOperator::Eq => Comparison::Equal,
        ast::BinaryOperator::NotEq => Comparison::NotEqual,
        ast::BinaryOperator::Lt => Comparison::Less,
        ast::BinaryOperator::LtEq => Comparison::LessEqual,
        ast::BinaryOperator::Gt => Comparison::Greater,
        ast::BinaryOperator::GtEq => Comparison::GreaterEqual,
        _ => return None,
    })
}

fn rows_compared(op: Comparison, pairs: &[(Typed, Typed)]) -> Result<Typed> {
    let equal = |pair: &(Typed, Typed)| Ok(compare_exprs(Comparison::Equal, pair.0.clone(), pair.1.clone())?.expr);
    match op {
        Comparison::Equal | Comparison::NotEqual => {
            let parts: Result<Vec<Expr>> = pairs.iter().map(equal).collect();
            let all = Expr::And(parts?);
            Ok(boolean(if op == Comparison::Equal { all } else { Expr::Not(Box::new(all)) }))
        }
        _ => {
            let strict = match op {
                Comparison::Less | Comparison::LessEqual => Comparison::Less,
                _ => Comparison::Greater,
            };
            let mut ways = Vec::new();
            for (number, (a, b)) in pairs.iter().enumerate() {
                let last = number + 1 == pairs.len();
                let mut way: Vec<Expr> = pairs[..number].iter().map(equal).collect::<Result<_>>()?;
                way.push(compare_exprs(if last { op } else { strict }, a.clone(), b.clone())?.expr);
                ways.push(if way.len() == 1 { way.remove(0) } else { Expr::And(way) });
            }
            let any = if ways.len() == 1 { ways.remove(0) } else { Expr::Or(ways) };
            // The first column bounds the whole, which lets an index begin at the right place.
            let loose = if strict == Comparison::Less { Comparison::LessEqual } else { Comparison::GreaterEqual };
            let bound = compare_exprs(loose, pairs[0].0.clone(), pairs[0].1.clone())?.expr;
            Ok(boolean(Expr::And(vec![bound, any])))
        }
    }
}

/// A number as it was written: its scale counts. The parser's own text of it drops that of a zero.
fn digits(value: &ast::Value) -> Option<String> {
    let ast::Value::Number(number, _) = value else { return None };
    let (digits, scale) = number.as_bigint_and_exponent();
    Some(if scale == 0 { digits.to_string() } else { format!("{digits}e{}", -scale) })
}

/// An integer or other constant where ORDER BY and GROUP BY take a position.
fn constant_position(expr: &ast::Expr, count: usize, clause: &str) -> Option<Result<usize>> {
    match expr {
        ast::Expr::Value(ast::Value::SingleQuotedString(_) | ast::Value::Null | ast::Value::Boolean(_)) => {
            Some(fail("42601", format!("non-integer constant in {clause}")))
        }
        ast::Expr::Value(value) => Some(position(&digits(value)?, count, clause)),
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => match &**expr {
            ast::Expr::Value(value) => Some(position(&format!("-{}", digits(value)?), count, clause)),
            _ => None,
        },
        ast::Expr::Nested(inner) => constant_position(inner, count, clause),
        _ => None,
    }
}

fn number_literal(digits: &str) -> Result<Typed> {
    if digits.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        && let Ok(number) = digits.parse::<i64>()
    {
        let ty = if i32::try_from(number).is_ok() { Type::Int4 } else { Type::Int8 };
        return Ok(Typed { expr: Expr::Const(Value::Int(number)), ty });
    }
    match super::numeric::parse(digits) {
        Some(number) => Ok(Typed { expr: Expr::Const(Value::Numeric(number?)), ty: Type::Numeric(None) }),
        None => fail("42601", format!("syntax error at or near \"{digits}\"")),
    }
}

fn no_operator(symbol: &str, left: &Type, right: &Type) -> Stop {
    let mut error =
        SqlError::new("42883", format!("operator does not exist: {} {symbol} {}", left.name(), right.name()));
    error.hint = Some(
        "No operator matches the given name and argument types. You might need to add explicit type casts.".to_owned(),
    );
    error.into()
}

pub fn compare_exprs(op: Comparison, left: Typed, right: Typed) -> Result<Typed> {
    for ty in [&left.ty, &right.ty] {
        if *ty == Type::Json {
            return Err(no_operator(op.symbol(), &left.ty, &right.ty));
        }
    }
    let is_json = left.ty == Type::Jsonb || right.ty == Type::Jsonb;
    if is_json && !matches!(op, Comparison::Equal | Comparison::NotEqual) {
        return refuse("ordering JSON documents");
    }
    let names = (left.ty.clone(), right.ty.clone());
    let (left, right) = alike(op.symbol(), left, right).map_err(|stop| match stop {
        Stop::Failed(error) if error.sqlstate.as_str() == "42804" => no_operator(op.symbol(), &names.0, &names.1),
        other => other,
    })?;
    Ok(boolean(Expr::Compare { op, left: Box::new(left), right: Box::new(right) }))
}

/// Brings both sides of a comparison to one type.
fn alike(construct: &str, left: Typed, right: Typed) -> Result<(Expr, Expr)> {
    let ty = common_type(construct, [&left.ty, &right.ty].into_iter())?;
    let ty = if ty == Type::Unknown { Type::Text } else { ty };
    // Integers of different width are kept and compared alike: without a cast an index can be used.
    let keep = |typed: &Typed| typed.ty.same_kind(&ty);
    let left = if keep(&left) { left.expr } else { coerce(left, &ty)? };
    let right = if keep(&right) { right.expr } else { coerce(right, &ty)? };
    Ok((left, right))
}

pub fn common_type_of(construct: &str, parts: &[Typed]) -> Result<Type> {
    common_type(construct, parts.iter().map(|part| &part.ty))
}

pub fn common_type<'t>(construct: &str, types: impl Iterator<Item = &'t Type>) -> Result<Type> {
    let mut common: Option<Type> = None;
    let mut any = false;
    let mut exact = true;
    for ty in types {
        any = true;
        if *ty == Type::Unknown {
            exact = false;
            continue;
        }
        common = Some(match common {
            None => ty.clone(),
            Some(so_far) if so_far == *ty => so_far,
            Some(so_far) => {
                exact = false;
                let (a, b) = (so_far.unmodified(), ty.unmodified());
                if a == b {
                    a
                } else if castable(&b, &a, CastContext::Implicit) {
                    if a.is_text() { Type::Text } else { a }
                } else if castable(&a, &b, CastContext::Implicit) {
                    b
                } else {
                    return fail("42804", format!("{construct} types {} and {} cannot be matched", a.name(), b.name()));
                }
            }
        });
    }
    match common {
        Some(ty) if exact => Ok(ty),
        Some(ty) => Ok(ty.unmodified()),
        None if any => {
            Ok(if construct.chars().all(|c| c.is_ascii_uppercase()) && construct != "IN" && construct != "ANY" {
                Type::Text
            } else {
                Type::Unknown
            })
        }
        None => Ok(Type::Text),
    }
}

/// Converts where PostgreSQL would do so by itself.
pub fn coerce(typed: Typed, to: &Type) -> Result<Expr> {
    convert(typed, to, CastContext::Implicit)
}

/// Converts to the type of a column that is written.
pub fn assign(typed: Typed, to: &Type) -> Result<Expr> {
    convert(typed, to, CastContext::Assignment)
}

fn convert(typed: Typed, to: &Type, context: CastContext) -> Result<Expr> {
    if typed.ty == *to || *to == Type::Unknown {
        return Ok(typed.expr);
    }
    if typed.ty == Type::Unknown {
        return match typed.expr {
            Expr::Const(Value::Null) => Ok(Expr::Const(Value::Null)),
            Expr::Const(Value::Text(content)) => Ok(Expr::Const(types::parse(to, &content)?)),
            // A text is a text.
            expr if *to == Type::Text => Ok(expr),
            expr => Ok(Expr::Cast { of: Box::new(expr), from: Type::Unknown, to: to.clone(), explicit: false }),
        };
    }
    if !castable(&typed.ty, to, context) {
        return fail("42804", format!("type {} cannot be converted to {}", typed.ty.name(), to.name()));
    }
    let unmodified = to.unmodified() == *to;
    if typed.ty.unmodified() == *to || (unmodified && typed.ty.is_text() && to.is_text()) {
        return Ok(typed.expr);
    }
    if let Expr::Const(value) = typed.expr {
        return Ok(Expr::Const(types::cast(value, &typed.ty, to, false)?));
    }
    Ok(Expr::Cast { of: Box::new(typed.expr), from: typed.ty, to: to.clone(), explicit: false })
}

fn explicit_cast(of: Typed, to: &Type) -> Result<Typed> {
    if !castable(&of.ty, to, CastContext::Explicit) {
        return fail("42846", format!("cannot cast type {} to {}", of.ty.name(), to.name()));
    }
    let expr = match of.expr {
        Expr::Const(Value::Null) => Expr::Const(Value::Null),
        Expr::Const(Value::Text(content)) if of.ty == Type::Unknown => {
            let value = types::parse(&to.unmodified(), &content)?;
            Expr::Const(types::fit(to, value, true)?)
        }
        expr if of.ty == *to => expr,
        expr => Expr::Cast { of: Box::new(expr), from: of.ty, to: to.clone(), explicit: true },
    };
    Ok(Typed { expr, ty: to.clone() })
}

fn like_match(left: Typed, right: Typed, fold: bool, negated: bool) -> Result<Typed> {
    like_exprs(left, right, Some('\\'), fold, negated)
}

fn like_exprs(of: Typed, pattern: Typed, escape: Option<char>, fold: bool, negated: bool) -> Result<Typed> {
    for ty in [&of.ty, &pattern.ty] {
        if !ty.is_text() && *ty != Type::Unknown {
            return Err(no_operator(if fold { "~~*" } else { "~~" }, &of.ty, &pattern.ty));
        }
    }
    let of = Box::new(coerce(of, &Type::Text)?);
    let pattern = Box::new(coerce(pattern, &Type::Text)?);
    Ok(boolean(Expr::Like { of, pattern, escape, fold, negated }))
}

pub fn arithmetic(op: Arithmetic, left: Typed, right: Typed) -> Result<Typed> {
    use Type::{Date, Float8, Int4, Interval, Time, Timestamp, TimestampTz, Unknown};
    let missing = no_operator(op.symbol(), &left.ty, &right.ty);
    let additive = matches!(op, Arithmetic::Add | Arithmetic::Subtract);
    let subtract = op == Arithmetic::Subtract;
    let add = op == Arithmetic::Add;
    let pair = |left: Typed, lt: &Type, right: Typed, rt: &Type, ty: Type| -> Result<Typed> {
        let left = Box::new(coerce(left, lt)?);
        let right = Box::new(coerce(right, rt)?);
        Ok(Typed { expr: Expr::Arithmetic { op, kind: ty.clone(), left, right }, ty })
    };
    match (left.ty.unmodified(), right.ty.unmodified()) {
        (a, b) if a.is_number() && b.is_number() => {
            let ty = common_type("arithmetic", [&a, &b].into_iter())?;
            if ty == Float8 && op == Arithmetic::Remainder {
                return Err(missing);
            }
            pair(left, &ty, right, &ty, ty.clone())
        }
        (Unknown, Unknown) => Err(error("42725", format!("operator is not unique: unknown {} unknown", op.symbol()))),
        (a, Unknown) if a.is_number() => {
            let ty = a;
            pair(left, &ty, right, &ty, ty.clone())
        }
        (Unknown, b) if b.is_number() => {
            let ty = b;
            pair(left, &ty, right, &ty, ty.clone())
        }
        (Date, Date) if subtract => pair(left, &Date, right, &Date, Int4),
        (Date, Unknown) if subtract => pair(left, &Date, right, &Date, Int4),
        (Date, b) if additive && (b == Int4 || b == Type::Int2) => pair(left, &Date, right, &Int4, Date),
        (a, Date) if add && (a == Int4 || a == Type::Int2) => pair(left, &Int4, right, &Date, Date),
        (Date | Timestamp, Interval) if additive => pair(left, &Timestamp, right, &Interval, Timestamp),
        (TimestampTz, Interval) if additive => pair(left, &TimestampTz, right, &Interval, TimestampTz),
        (Interval, Date | Timestamp) if add => pair(left, &Interval, right, &Timestamp, Timestamp),
        (Interval, TimestampTz) if add => pair(left, &Interval, right, &TimestampTz, TimestampTz),
        (Timestamp | TimestampTz, Unknown) if add => {
            let ty = left.ty.clone();
            pair(left, &ty, right, &Interval, ty.clone())
        }
        (Time, Interval) if additive => pair(left, &Time, right, &Interval, Time),
        (Interval, Interval) if additive => pair(left, &Interval, right, &Interval, Interval),
        (Interval, Unknown) if additive => pair(left, &Interval, right, &Interval, Interval),
        (Interval, b) if b.is_number() && matches!(op, Arithmetic::Multiply | Arithmetic::Divide) => {
            let right = Typed { expr: explicit_cast(right, &Float8)?.expr, ty: Float8 };
            pair(left, &Interval, right, &Float8, Interval)
        }
        (a, Interval) if a.is_number() && op == Arithmetic::Multiply => {
            let left = Typed { expr: explicit_cast(left, &Float8)?.expr, ty: Float8 };
            pair(left, &Float8, right, &Interval, Interval)
        }
        (a, b) if subtract && a.is_time() && (b.is_time() || b == Unknown) => {
            let ty = if a == TimestampTz || b == TimestampTz { TimestampTz } else { Timestamp };
            pair(left, &ty, right, &ty, Interval)
        }
        _ => Err(missing),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 60 {
        format!("{}…", text.chars().take(60).collect::<String>())
    } else {
        text.to_owned()
    }
}

/// The name PostgreSQL gives an output column that has none.
pub fn column_name(expr: &ast::Expr) -> Rc<str> {
    match expr {
        ast::Expr::Identifier(ident) => fold(ident),
        ast::Expr::CompoundIdentifier(parts) => parts.last().map_or_else(|| Rc::from("?column?"), fold),
        ast::Expr::Nested(inner) | ast::Expr::Collate { expr: inner, .. } => column_name(inner),
        ast::Expr::Function(function) => function.name.0.last().map_or_else(|| Rc::from("?column?"), fold),
        ast::Expr::Cast { expr, data_type, .. } if !is_named(expr) => {
            type_of(data_type).map_or_else(|_| Rc::from("?column?"), |ty| Rc::from(internal_name(&ty)))
        }
        ast::Expr::Cast { expr, .. } => column_name(expr),
        ast::Expr::TypedString { data_type, .. } => {
            type_of(data_type).map_or_else(|_| Rc::from("?column?"), |ty| Rc::from(internal_name(&ty)))
        }
        ast::Expr::Interval(_) => Rc::from("interval"),
        ast::Expr::Case { else_result: Some(otherwise), .. } if is_named(otherwise) => column_name(otherwise),
        ast::Expr::Case { .. } => Rc::from("case"),
        ast::Expr::Exists { negated: false, .. } => Rc::from("exists"),
        ast::Expr::Subquery(query) => match &*query.body {
            ast::SetExpr::Select(select) => match select.projection.first() {
                Some(ast::SelectItem::UnnamedExpr(expr)) => column_name(expr),
                Some(ast::SelectItem::ExprWithAlias { alias, .. }) => fold(alias),
                _ => Rc::from("?column?"),
            },
            _ => Rc::from("?column?"),
        },
        ast::Expr::Array(_) => Rc::from("array"),
        ast::Expr::Extract { .. } => Rc::from("extract"),
        ast::Expr::Ceil { .. } => Rc::from("ceil"),
        ast::Expr::Floor { .. } => Rc::from("floor"),
        ast::Expr::Position { .. } => Rc::from("position"),
        ast::Expr::Substring { .. } => Rc::from("substring"),
        ast::Expr::Trim { trim_where, .. } => Rc::from(match trim_where {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        ast::Expr::AtTimeZone { .. } => Rc::from("timezone"),
        _ => Rc::from("?column?"),
    }
}

/// Whether an expression has a name of its own, which a cast or a CASE around it takes over, not only the name of its type.
fn is_named(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::Nested(inner) | ast::Expr::Collate { expr: inner, .. } | ast::Expr::Cast { expr: inner, .. } => {
            is_named(inner)
        }
        ast::Expr::Case { else_result, .. } => else_result.as_deref().is_some_and(is_named),
        ast::Expr::TypedString { .. } | ast::Expr::Interval(_) => false,
        _ => &*column_name(expr) != "?column?",
    }
}

fn internal_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int2 => "int2",
        Type::Int4 => "int4",
        Type::Int8 => "int8",
        Type::Float8 => "float8",
        Type::Numeric(_) => "numeric",
        Type::Text | Type::Unknown | Type::Void => "text",
        Type::Varchar(_) => "varchar",
        Type::Bytea => "bytea",
        Type::Date => "date",
        Type::Time => "time",
        Type::Timestamp => "timestamp",
        Type::TimestampTz => "timestamptz",
        Type::Interval => "interval",
        Type::Uuid => "uuid",
        Type::Json => "json",
        Type::Jsonb => "jsonb",
        Type::Array(element) => internal_name(element),
    }
}

pub fn type_of(data_type: &ast::DataType) -> Result<Type> {
    use ast::DataType as D;
    let length = |length: &Option<ast::CharacterLength>| -> Result<Option<u32>> {
        match length {
            Some(ast::CharacterLength::IntegerLength { length: 0, .. }) => {
                fail("22023", "length for type varchar must be at least 1")
            }
            Some(ast::CharacterLength::IntegerLength { length, .. }) => Ok(Some(*length as u32)),
            _ => Ok(None),
        }
    };
    let exact = |number: &ast::ExactNumberInfo| -> Result<Type> {
        let (precision, scale) = match number {
            ast::ExactNumberInfo::None => return Ok(Type::Numeric(None)),
            ast::ExactNumberInfo::Precision(precision) => (*precision, 0),
            ast::ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
        };
        if !(1..=1000).contains(&precision) {
            return fail("22023", format!("NUMERIC precision {precision} must be between 1 and 1000"));
        }
        if precision > 28 || scale > precision {
            return refuse(format!("NUMERIC({precision}, {scale}): at most 28 digits"));
        }
        Ok(Type::Numeric(Some((precision as u32, scale as u32))))
    };
    Ok(match data_type {
        D::Bool | D::Boolean => Type::Bool,
        D::SmallInt(None) | D::Int2(None) => Type::Int2,
        D::Int(None) | D::Integer(None) | D::Int4(None) => Type::Int4,
        D::BigInt(None) | D::Int8(None) => Type::Int8,
        D::Double | D::DoublePrecision | D::Float8 => Type::Float8,
        D::Float(precision) if precision.is_none_or(|precision| precision > 24) => Type::Float8,
        D::Numeric(number) | D::Decimal(number) | D::Dec(number) => exact(number)?,
        D::Text => Type::Text,
        D::Varchar(size) | D::CharacterVarying(size) | D::CharVarying(size) => Type::Varchar(length(size)?),
        D::Bytea => Type::Bytea,
        D::Date => Type::Date,
        D::Time(None, ast::TimezoneInfo::None | ast::TimezoneInfo::WithoutTimeZone) => Type::Time,
        D::Timestamp(None, ast::TimezoneInfo::None | ast::TimezoneInfo::WithoutTimeZone) => Type::Timestamp,
        D::Timestamp(None, ast::TimezoneInfo::WithTimeZone | ast::TimezoneInfo::Tz) => Type::TimestampTz,
        D::Interval => Type::Interval,
        D::Uuid => Type::Uuid,
        D::JSON => Type::Json,
        D::JSONB => Type::Jsonb,
        D::Array(ast::ArrayElemTypeDef::SquareBracket(element, _)) => Type::Array(Box::new(type_of(element)?)),
        D::Custom(name, arguments) if arguments.is_empty() => match &*relation_name(name)? {
            "timestamptz" => Type::TimestampTz,
            "float8" => Type::Float8,
            "int8" => Type::Int8,
            "int4" => Type::Int4,
            "bool" => Type::Bool,
            "regclass" => return refuse("the type regclass"),
            other => return fail("42704", format!("type \"{other}\" does not exist")),
        },
        other => return Err(refused(format!("the type {other}"))),
    })
}
