//! Parsed texts and their plans, kept: the same text with parameters of the same types is neither parsed nor planned again.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::sql::binder::Binder;
use crate::sql::catalog::{Catalog, Table};
use crate::sql::error::{Result, refuse};
use crate::sql::optimizer::{self, Skipped};
use crate::sql::parser::ast;
use crate::sql::parser::{self, Parsed};
use crate::sql::plan::{BoundKind, BoundStatement, OutputColumn, PlanKind, PlanParts};
use crate::sql::planner::{self, Assumed};
use crate::sql::system;
use crate::sql::types::Type;
use crate::store::{Mode, Store};
use crate::trace::json::Json;
use crate::trace::{ResultColumn, StatementKind, Value};

use super::footprint::kind_of;
use super::in_work::InWork;

const TEXTS_KEPT: usize = 2000;
/// A tree of the parser is many times as large as its text.
const TEXT_BYTES_KEPT: usize = 1 << 20;
/// Constants that a plan may be kept with.
const CONSTANT_BYTES_KEPT: usize = 1 << 16;
const PLANS_KEPT: usize = 16;

#[derive(Default)]
pub struct Statements {
    /// By text, and whether placeholders were rewritten in it.
    texts: [FxHashMap<Rc<str>, Rc<[Prepared]>>; 2],
    /// How long the texts are together.
    bytes: [usize; 2],
    /// Rewrites that no plan is made with.
    skipped: Rc<Skipped>,
}

pub struct Prepared {
    pub statement: ast::Statement,
    pub kind: StatementKind,
    /// As it stands in its text.
    pub text: Rc<str>,
    pub asks_system: bool,
    pub skipped: Rc<Skipped>,
    plans: std::cell::RefCell<Vec<(Vec<Type>, Rc<StatementPlan>)>>,
}

pub struct StatementPlan {
    pub kind: PlanKind,
    pub parts: Rc<PlanParts>,
    pub tables: Vec<(Rc<Table>, Mode)>,
    pub columns: Option<Rc<[ResultColumn]>>,
    pub restless: bool,
    assumed: Vec<Assumed>,
    versions: (u64, u64),
    constant_bytes: usize,
}

impl Statements {
    /// Plans made from now on, all of them, do without a rewrite.
    pub fn skip(&mut self, rewrite: &str) {
        Rc::make_mut(&mut self.skipped).add(rewrite);
        self.texts.iter_mut().for_each(FxHashMap::clear);
        self.bytes = [0; 2];
    }

    pub fn get(&mut self, sql: &str, with_parameters: bool) -> Result<Rc<[Prepared]>> {
        let texts = &mut self.texts[usize::from(with_parameters)];
        if let Some(known) = texts.get(sql) {
            return Ok(known.clone());
        }
        let text: Rc<str> = Rc::from(sql);
        let _in_work = InWork::on(text.clone());
        let parsed =
            if with_parameters { parser::parse(&parser::number_placeholders(sql))? } else { parser::parse(sql)? };
        let prepared: Rc<[Prepared]> = parsed
            .into_iter()
            .map(|Parsed { statement, text }| Prepared {
                asks_system: matches!(&statement, ast::Statement::Query(query) if system::is_asked(query)),
                kind: kind_of(&statement),
                statement,
                text,
                skipped: self.skipped.clone(),
                plans: std::cell::RefCell::new(Vec::new()),
            })
            .collect();
        let bytes = &mut self.bytes[usize::from(with_parameters)];
        *bytes += sql.len();
        if texts.len() >= TEXTS_KEPT || *bytes > TEXT_BYTES_KEPT {
            texts.clear();
            *bytes = sql.len();
        }
        texts.insert(text, prepared.clone());
        Ok(prepared)
    }
}

impl Prepared {
    pub fn plan(
        &self,
        statement: &ast::Statement,
        catalog: &Catalog,
        store: &Store,
        parameters: &[Value],
    ) -> Result<Rc<StatementPlan>> {
        let mut plans = self.plans.borrow_mut();
        let versions = catalog.versions();
        // Who has temporary tables has plans of its own.
        let fits = |types: &[Type], plan: &StatementPlan| {
            plan.versions.1 == versions.1
                && types.len() == parameters.len()
                && types.iter().zip(parameters).all(|(ty, value)| has_type(value, ty))
        };
        if let Some(place) = plans.iter().position(|(types, plan)| fits(types, plan)) {
            let (_, plan) = &plans[place];
            if plan.versions == versions && plan.assumed.iter().all(|assumed| assumed.still_holds(store)) {
                return Ok(plan.clone());
            }
            plans.remove(place);
        }
        let types: Vec<Type> = parameters.iter().map(parameter_type).collect();
        let plan = Rc::new(make(statement, catalog, store, &types, &self.skipped, &mut |_, _| {})?);
        if plan.constant_bytes > CONSTANT_BYTES_KEPT {
            return Ok(plan);
        }
        if plans.len() >= PLANS_KEPT {
            plans.remove(0);
        }
        plans.push((types, plan.clone()));
        Ok(plan)
    }
}

pub fn make(
    statement: &ast::Statement,
    catalog: &Catalog,
    store: &Store,
    types: &[Type],
    skipped: &Skipped,
    seen: &mut dyn FnMut(&str, &BoundStatement),
) -> Result<StatementPlan> {
    let mut binder = Binder::new(catalog, store, types);
    binder.folder.is_off = skipped.has(optimizer::CONSTANTS);
    let kind = match statement {
        ast::Statement::Query(query) => BoundKind::Query(binder.query(query)?),
        ast::Statement::Insert(insert) => BoundKind::Write(binder.insert(insert)?),
        ast::Statement::Update(update) => BoundKind::Write(binder.update(update)?),
        ast::Statement::Delete(delete) => BoundKind::Write(binder.delete(delete)?),
        _ => return refuse("planning this statement"),
    };
    let mut bound = binder.finish(kind);
    seen("bound", &bound);
    optimizer::optimize(&mut bound, &mut binder.folder, skipped, &mut |pass, bound| seen(pass.name, bound));
    if let Some(failure) = binder.folder.failure {
        return Err(failure);
    }
    let (kind, parts) = planner::plan(bound, store, skipped);
    let columns = match &kind {
        PlanKind::Query(query) => Some(shown(&query.columns)),
        PlanKind::Write(write) => write.returning.as_ref().map(|returning| shown(&returning.columns)),
    };
    Ok(StatementPlan {
        kind,
        parts: Rc::new(parts),
        tables: binder.tables,
        columns,
        restless: binder.restless,
        assumed: binder.assumed,
        versions: catalog.versions(),
        constant_bytes: binder.folder.computed,
    })
}

fn shown(columns: &[OutputColumn]) -> Rc<[ResultColumn]> {
    columns.iter().map(|column| ResultColumn { name: column.name.clone(), sql_type: column.ty.sql_type() }).collect()
}

/// A parameter as the engine keeps it: a document prints as jsonb does. What is no JSON is left to whoever reads it.
pub fn taken(parameter: &Value) -> Value {
    match parameter {
        Value::Json(content) => match Json::parse(content) {
            Ok(document) => Value::Json(Rc::from(document.to_string())),
            Err(_) => parameter.clone(),
        },
        other => other.clone(),
    }
}

/// The type a parameter's value has for PostgreSQL. A text is of unknown type, as a quoted literal is.
fn parameter_type(value: &Value) -> Type {
    match value {
        Value::Null | Value::Text(_) => Type::Unknown,
        Value::Bool(_) => Type::Bool,
        Value::Int(number) if i32::try_from(*number).is_ok() => Type::Int4,
        Value::Int(_) => Type::Int8,
        Value::Float(_) => Type::Float8,
        Value::Numeric(_) => Type::Numeric(None),
        Value::Bytes(_) => Type::Bytea,
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time,
        Value::Timestamp(_) => Type::Timestamp,
        Value::TimestampTz(_) => Type::TimestampTz,
        Value::Interval { .. } => Type::Interval,
        Value::Uuid(_) => Type::Uuid,
        Value::Json(_) => Type::Jsonb,
        Value::Array(elements) => {
            let types = elements.iter().map(parameter_type).filter(|ty| *ty != Type::Unknown);
            let widest = types.reduce(|a, b| if a == Type::Int4 && b == Type::Int8 { b } else { a });
            Type::Array(Box::new(widest.unwrap_or(Type::Text)))
        }
    }
}

fn has_type(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Int(number), Type::Int4) => i32::try_from(*number).is_ok(),
        (Value::Int(number), Type::Int8) => i32::try_from(*number).is_err(),
        (Value::Array(_), ty) => parameter_type(value) == *ty,
        (Value::Null | Value::Text(_), ty) => *ty == Type::Unknown,
        (value, ty) => parameter_type(value) == *ty,
    }
}
