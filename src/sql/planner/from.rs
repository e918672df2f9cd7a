//! FROM and WHERE: which source is read first, and which conditions are tested where.

use std::rc::Rc;

use crate::sql::catalog::Table;
use crate::sql::expr::{Expr, SlotSet};
use crate::sql::plan::{Access, JoinKind, Operator, PlanNode, Scan, Source, TableFunction, slots_of};

use super::access::{AccessSearch, Way, row_count};
use super::conditions::{all_of, take_placed};
use super::order::{WantedOrder, first_in_order, gives_order};
use super::{Planner, cost};

/// Sources joined so far.
pub struct Planned {
    pub node: PlanNode,
    pub slots: SlotSet,
    pub ordered: bool,
    /// Rows that are likely asked for: those of the node, or fewer where the query wants its first rows only.
    pub asked: f64,
}

/// A table, and the way its rows are read.
pub struct TablePath {
    pub table: Rc<Table>,
    pub alias: Rc<str>,
    pub slot: u16,
    pub way: Way,
}

impl Planner<'_> {
    /// Joins all sources and applies all conditions.
    pub fn from(&mut self, sources: Vec<Source>, mut conditions: Vec<Expr>, wanted: WantedOrder) -> Planned {
        let mut units = Vec::new();
        for source in sources {
            flatten(source, &mut units, &mut conditions);
        }
        let own = slots_of(&units);
        let (once, mut conditions): (Vec<Expr>, Vec<Expr>) =
            conditions.into_iter().partition(|condition| !condition.slots().meets(own) && !condition.is_volatile());
        let only = units.len() == 1;
        let mut planned: Option<Planned> = None;
        while !units.is_empty() {
            let placed = planned.as_ref().map_or(SlotSet::NONE, |planned| planned.slots);
            let next = self.choose_next(&units, &conditions, placed, own, wanted);
            let unit = units.remove(next);
            let hint = if only || wanted.first_rows { wanted } else { WantedOrder::NOTHING };
            planned = Some(match planned {
                None => self.leaf(unit, &mut conditions, own, hint),
                Some(left) => self.join_inner(left, unit, &mut conditions, own),
            });
        }
        let mut planned = planned.unwrap_or_else(|| Planned {
            node: self.node(Operator::OneRow, cost::NOTHING_READ),
            slots: SlotSet::NONE,
            ordered: true,
            asked: 1.0,
        });
        planned.node = self.filter(planned.node, all_of(conditions));
        // One costs as little as another that is tested once: PostgreSQL leaves them as they are written.
        if let Some(condition) = Expr::and(once) {
            let estimate = cost::filter(planned.node.estimate);
            let operator = Operator::OneTimeFilter { input: Box::new(planned.node), condition };
            planned.node = self.node(operator, estimate);
        }
        planned
    }

    /// First the source with the narrowest access, then always one that is tied to those before it. Where all would be read
    /// whole and only the first rows are wanted, the source whose index gives the order comes first.
    fn choose_next(
        &self,
        units: &[Source],
        conditions: &[Expr],
        placed: SlotSet,
        own: SlotSet,
        wanted: WantedOrder,
    ) -> usize {
        let unknown = own.without(placed);
        let mut best = (f64::INFINITY, 0);
        let mut best_is_whole = true;
        for (number, unit) in units.iter().enumerate() {
            let mut is_whole = true;
            let mut rows = match unit {
                Source::Table { table, slot, .. } => {
                    let (store, slot, wanted) = (self.store, *slot, WantedOrder::NOTHING);
                    let way = AccessSearch { store, table, slot, conditions, unknown, wanted }.best();
                    is_whole = way.access == Access::Whole;
                    let ties = |slots: SlotSet| slots.meets(placed) && slots.meets(SlotSet::one(slot));
                    let tied = placed.is_empty() || conditions.iter().any(|condition| ties(condition.slots()));
                    if tied { way.rows } else { cost::untied(way.rows) }
                }
                other => cost::source_rows(other),
            };
            if unit.reads().meets(unknown) {
                rows = f64::MAX;
            }
            if rows < best.0 {
                best = (rows, number);
                best_is_whole = is_whole;
            }
        }
        if placed.is_empty() && best_is_whole && wanted.first_rows {
            first_in_order(units, wanted.order).unwrap_or(best.1)
        } else {
            best.1
        }
    }

    pub fn leaf(&mut self, source: Source, conditions: &mut Vec<Expr>, own: SlotSet, wanted: WantedOrder) -> Planned {
        let slots = source.slots();
        let node = match source {
            Source::Table { table, alias, slot } => return self.table(table, alias, slot, conditions, own, wanted),
            Source::Join { kind, left, right, on } => {
                return self.outer_join(kind, (*left, *right), on, conditions, own, wanted);
            }
            Source::Function { function, slot, .. } => self.function(function, slot),
            Source::Derived(derived) => {
                let query = Box::new(self.query(*derived.query));
                let estimate = cost::made(query.estimate());
                self.node(Operator::Derived { slot: derived.slot, query, name: derived.name }, estimate)
            }
            Source::Cte { number, slot, name, .. } => {
                let estimate = cost::made(self.parts.ctes[number].estimate());
                self.node(Operator::Cte { slot, number, name }, estimate)
            }
        };
        let asked = node.estimate.rows;
        let node = self.filter(node, take_placed(conditions, slots, own));
        Planned { node, slots, ordered: false, asked }
    }

    fn table(
        &mut self,
        table: Rc<Table>,
        alias: Rc<str>,
        slot: u16,
        conditions: &mut Vec<Expr>,
        own: SlotSet,
        wanted: WantedOrder,
    ) -> Planned {
        let mut way = AccessSearch { store: self.store, table: &table, slot, conditions, unknown: own, wanted }.best();
        let direction = gives_order(&table, slot, &way.access, wanted.order);
        if let (Some(is_backward), Access::Index { backward, .. }) = (direction, &mut way.access) {
            *backward = is_backward;
        }
        let asked = if wanted.first_rows { cost::asked_for(way.rank) } else { way.rows };
        let slots = SlotSet::one(slot);
        let node = self.scan(TablePath { table, alias, slot, way }, conditions, slots, own);
        Planned { node, slots, ordered: direction.is_some(), asked }
    }

    fn function(&mut self, function: TableFunction, slot: u16) -> PlanNode {
        let estimate = cost::function(&function);
        let operator = match function {
            TableFunction::Series { start, stop, step } => Operator::Series { slot, start, stop, step },
            TableFunction::Unnest { array } => Operator::Unnest { slot, array },
        };
        self.node(operator, estimate)
    }

    /// Builds the scan and gives it the conditions that can be tested once it is read.
    pub fn scan(&mut self, path: TablePath, conditions: &mut Vec<Expr>, placed: SlotSet, own: SlotSet) -> PlanNode {
        let TablePath { table, alias, slot, way: Way { access, mut used, rows, .. } } = path;
        used.sort_unstable();
        // An index over one column twice asks its condition twice.
        used.dedup();
        let mut index_condition: Vec<Expr> = used.into_iter().rev().map(|number| conditions.remove(number)).collect();
        index_condition.reverse();
        let filter = take_placed(conditions, placed, own);
        let estimate = cost::scan(&access, row_count(self.store, &table), rows, filter.is_some());
        self.node(Operator::Scan(Scan { table, alias, slot, access, index_condition, filter }), estimate)
    }

    pub fn filter(&mut self, node: PlanNode, condition: Option<Expr>) -> PlanNode {
        let Some(condition) = condition else { return node };
        let estimate = cost::filter(node.estimate);
        self.node(Operator::Filter { input: Box::new(node), condition }, estimate)
    }
}

fn flatten(source: Source, units: &mut Vec<Source>, conditions: &mut Vec<Expr>) {
    match source {
        Source::Join { kind: JoinKind::Inner, left, right, on } => {
            flatten(*left, units, conditions);
            flatten(*right, units, conditions);
            conditions.extend(on);
        }
        other => units.push(other),
    }
}
