//! Computes what is constant before any row is read, as PostgreSQL's planner does: an overflow fails though no row asks for the
//! value, and an argument that is NULL decides a strict function without the others.

use rustc_hash::FxHashMap;

use crate::sql::budget::passing_bytes;
use crate::sql::error::Stop;
use crate::sql::expr::{Expr, OneRow, eval};
use crate::sql::functions::Volatility;
use crate::sql::plan::{BoundBody, BoundQuery, BoundSelect, Derived, SortBy, SortKey, Source};
use crate::sql::types::Type;
use crate::trace::Value;

#[derive(Default)]
pub struct ConstFolder {
    /// The first failure. It counts only once the whole statement is found to make sense.
    pub failure: Option<Stop>,
    /// Bytes of the texts computed so far.
    pub computed: usize,
    /// Columns of subqueries that are the same in every row.
    known: FxHashMap<(u16, u16), Value>,
    /// Columns of subqueries with a constant that cannot be computed: that counts where one is read.
    failing: FxHashMap<(u16, u16), Stop>,
    /// It leaves everything as it is.
    pub is_off: bool,
}

/// A plan that holds larger texts would hold them as long as it is kept: they are computed when they are wanted.
const COMPUTED_MOST: usize = 16 << 20;

/// FROM and WHERE first: of two constants that cannot be computed the first is told.
pub fn fold_constants(query: &mut BoundQuery, folder: &mut ConstFolder) {
    match &mut query.body {
        BoundBody::Select(select) => folder.fold_select(select, &mut query.order),
        BoundBody::Values(rows) => rows.iter_mut().flatten().for_each(|expr| folder.fold(expr)),
        BoundBody::SetOperation { .. } => {}
    }
}

impl ConstFolder {
    fn fold_select(&mut self, select: &mut BoundSelect, order: &mut Vec<SortKey>) {
        select.sources.iter_mut().for_each(|source| self.fold_source(source));
        self.fold_conditions(&mut select.conditions);
        if let Some(grouping) = &mut select.grouping {
            grouping.keys.iter_mut().chain(&mut grouping.having).for_each(|expr| self.fold(expr));
            let calls = grouping.aggregates.iter_mut();
            calls.flat_map(|call| call.arguments.iter_mut().chain(&mut call.filter)).for_each(|expr| self.fold(expr));
        }
        if let Some(windowing) = &mut select.windowing {
            windowing.calls.iter_mut().flat_map(|call| &mut call.arguments).for_each(|expr| self.fold(expr));
        }
        if !select.in_from {
            select.output.iter_mut().for_each(|expr| self.fold(expr));
            order.iter_mut().for_each(|key| self.fold_sort_key(key));
            // What is the same in all rows puts them in no order.
            order.retain(|key| !matches!(key.by, SortBy::Expr(Expr::Const(_))));
        }
    }

    fn fold_source(&mut self, source: &mut Source) {
        match source {
            Source::Table { .. } | Source::Function { .. } | Source::Cte { .. } => {}
            Source::Derived(derived) => self.fold_derived(derived),
            Source::Join { left, right, on, .. } => {
                self.fold_source(left);
                self.fold_source(right);
                self.fold_conditions(on);
            }
        }
    }

    /// PostgreSQL merges a plain subquery into the query around it, so that its constants are constants there.
    fn fold_derived(&mut self, derived: &mut Derived) {
        let is_plain = derived.query.is_plain() && derived.query.locks.is_empty();
        let BoundBody::Select(select) = &mut derived.query.body else { return };
        let merges = is_plain
            && !derived.nullable
            && select.distinct.is_none()
            && select.grouping.is_none()
            && select.windowing.is_none();
        for (number, expr) in select.output.iter_mut().enumerate() {
            if !merges {
                self.fold(expr);
                continue;
            }
            let column = (derived.slot, number as u16);
            let before = self.failure.take();
            self.fold(expr);
            if let Some(stop) = std::mem::replace(&mut self.failure, before) {
                self.failing.insert(column, stop);
            }
            if let Expr::Const(value) = expr {
                self.known.insert(column, value.clone());
            }
        }
    }

    pub fn fold(&mut self, expr: &mut Expr) {
        if self.is_off {
            return;
        }
        match expr {
            Expr::Const(_) | Expr::Parameter(_) => return,
            // What is compared is shared: it stays as it is, but one that cannot be computed fails.
            Expr::Subquery(subquery) => return subquery.left.iter().for_each(|left| self.fold(&mut left.clone())),
            Expr::Column { slot, column } => {
                if let Some(stop) = self.failing.remove(&(*slot, *column)) {
                    self.failure.get_or_insert(stop);
                }
                if let Some(value) = self.known.get(&(*slot, *column)) {
                    *expr = Expr::Const(value.clone());
                }
                return;
            }
            Expr::And(parts) => return *expr = self.connected(std::mem::take(parts), false),
            Expr::Or(parts) => return *expr = self.connected(std::mem::take(parts), true),
            Expr::Case { arms, otherwise } => {
                let (arms, otherwise) = (std::mem::take(arms), otherwise.take());
                return *expr = self.case(arms, otherwise);
            }
            Expr::Coalesce(parts) => return *expr = self.coalesce(std::mem::take(parts)),
            _ => {}
        }
        let mut constant = true;
        let mut null = false;
        for child in expr.children_mut() {
            self.fold(child);
            constant &= matches!(child, Expr::Const(_));
            null |= matches!(child, Expr::Const(Value::Null));
        }
        let strict = match expr {
            Expr::Arithmetic { .. }
            | Expr::Compare { .. }
            | Expr::Negate { .. }
            | Expr::Not(_)
            | Expr::Cast { .. }
            | Expr::Like { .. } => true,
            Expr::Call { function, .. } => function.strict,
            _ => false,
        };
        let decided = matches!(expr, Expr::Call { function, arguments }
            if function.null_by_first && arguments[0] == Expr::Const(Value::Null));
        if (strict && null) || decided {
            *expr = Expr::Const(Value::Null);
        } else if constant && is_immutable(expr) {
            self.compute(expr);
        }
    }

    /// Parts of a conjunction; those that always hold go.
    fn fold_conditions(&mut self, conditions: &mut Vec<Expr>) {
        if !conditions.is_empty() && !self.is_off {
            let mut kept = Vec::new();
            self.connected(std::mem::take(conditions), false).conjuncts(&mut kept);
            kept.retain(|condition| *condition != Expr::Const(Value::Bool(true)));
            *conditions = kept;
        }
    }

    fn fold_sort_key(&mut self, key: &mut SortKey) {
        if let SortBy::Expr(by) = &mut key.by {
            self.fold(by);
        }
    }

    /// AND, or OR: a part that decides ends the search, one that cannot goes.
    fn connected(&mut self, parts: Vec<Expr>, decides: bool) -> Expr {
        let mut kept = Vec::new();
        for mut part in parts {
            self.fold(&mut part);
            match part {
                Expr::Const(Value::Bool(value)) if value == decides => return Expr::Const(Value::Bool(decides)),
                Expr::Const(Value::Bool(_)) => {}
                part => kept.push(part),
            }
        }
        if kept.iter().all(|part| *part == Expr::Const(Value::Null)) {
            return Expr::Const(if kept.is_empty() { Value::Bool(!decides) } else { Value::Null });
        }
        match (kept.len(), decides) {
            (1, _) => kept.remove(0),
            (_, false) => Expr::And(kept),
            (_, true) => Expr::Or(kept),
        }
    }

    fn case(&mut self, arms: Vec<(Expr, Expr)>, otherwise: Option<Box<Expr>>) -> Expr {
        let mut kept = Vec::new();
        let mut last = otherwise;
        for (mut when, mut then) in arms {
            self.fold(&mut when);
            match when {
                Expr::Const(Value::Bool(true)) => {
                    last = Some(Box::new(then));
                    break;
                }
                Expr::Const(_) => {}
                when => {
                    self.fold(&mut then);
                    kept.push((when, then));
                }
            }
        }
        last.iter_mut().for_each(|last| self.fold(last));
        if kept.is_empty() {
            return last.map_or(Expr::Const(Value::Null), |last| *last);
        }
        Expr::Case { arms: kept, otherwise: last }
    }

    fn coalesce(&mut self, parts: Vec<Expr>) -> Expr {
        let mut kept = Vec::new();
        for mut part in parts {
            self.fold(&mut part);
            match part {
                Expr::Const(Value::Null) => {}
                Expr::Const(_) => {
                    kept.push(part);
                    break;
                }
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => Expr::Const(Value::Null),
            1 => kept.remove(0),
            _ => Expr::Coalesce(kept),
        }
    }

    fn compute(&mut self, expr: &mut Expr) {
        if self.computed > COMPUTED_MOST {
            return;
        }
        match eval(expr, &mut OneRow::default()) {
            Ok(value) => {
                self.computed += passing_bytes(&value);
                *expr = Expr::Const(value);
            }
            Err(stop) => {
                self.failure.get_or_insert(stop);
            }
        }
    }
}

/// Whether constant arguments make the expression constant. What reads or writes dates as text, or shifts an instant, goes by the
/// session's settings.
pub fn is_immutable(expr: &Expr) -> bool {
    let zoned = |part: &Expr| matches!(part, Expr::Const(Value::TimestampTz(_)));
    match expr {
        Expr::Call { function, .. } => function.volatility == Volatility::Immutable,
        Expr::Arithmetic { left, right, .. } => !zoned(left) && !zoned(right),
        Expr::Cast { from, to, .. } => {
            // An array is read and written as its elements are, which PostgreSQL does not look into.
            let dated =
                |ty: &Type| matches!(ty, Type::Date | Type::Time | Type::Timestamp | Type::Interval | Type::Array(_));
            let reads_or_writes = (dated(from) && to.is_text()) || (dated(to) && !dated(from));
            !reads_or_writes && *from != Type::TimestampTz && *to != Type::TimestampTz
        }
        _ => true,
    }
}
