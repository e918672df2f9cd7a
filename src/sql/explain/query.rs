//! What stands above the rows of FROM, and statements that write.

use crate::sql::plan::{
    Distinct, InsertRows, QueryBody, QueryPlan, SelectPlan, SetOperation, SortBy, SortKey, WriteKind, WritePlan,
};

use super::Explain;

impl Explain<'_> {
    pub fn query(&mut self, query: &QueryPlan) {
        let depth = self.page.depth;
        if query.limit.is_some() || query.offset.is_some() {
            self.open_stage("Limit", query.stages.limit);
            self.page.depth += 1;
        }
        if !query.locks.is_empty() {
            self.open_stage("LockRows", query.stages.lock);
            self.page.depth += 1;
        }
        if !query.order.is_empty() && !query.presorted {
            self.open_stage("Sort", query.stages.sort);
            let keys: Vec<String> = query.order.iter().map(|key| self.sort_key(key, query)).collect();
            self.page.detail(&format!("Sort Key: {}", keys.join(", ")));
            self.page.depth += 1;
        }
        match &query.body {
            QueryBody::Values(_) => self.open_stage("Values Scan on \"*VALUES*\"", query.stages.body),
            QueryBody::SetOperation { operation, all, inputs } => {
                self.open_stage(set_operation_name(*operation, *all), query.stages.body);
                self.page.depth += 1;
                inputs.iter().for_each(|input| self.query(input));
            }
            QueryBody::Select(select) => self.select(query, select),
        }
        self.page.depth = depth;
    }

    fn select(&mut self, query: &QueryPlan, select: &SelectPlan) {
        match &select.distinct {
            Some(Distinct::Rows) => {
                self.open_stage("HashAggregate", query.stages.body);
                let keys = self.names.list(&select.output, ", ");
                self.page.detail(&format!("Group Key: {keys}"));
                self.page.depth += 1;
            }
            Some(Distinct::On(_)) => {
                self.open_stage("Unique", query.stages.body);
                self.page.depth += 1;
            }
            None => {}
        }
        self.node(&select.from);
        self.subplans(select);
    }

    fn sort_key(&self, key: &SortKey, query: &QueryPlan) -> String {
        let by = match &key.by {
            SortBy::Expr(expr) => self.names.expr(expr),
            SortBy::Output(column) => query.columns[*column].name.to_string(),
        };
        by + direction(key)
    }

    pub fn write(&mut self, write: &WritePlan) {
        let (verb, found) = match &write.kind {
            WriteKind::Insert { .. } => ("Insert", None),
            WriteKind::Update { found, .. } => ("Update", Some(found)),
            WriteKind::Delete { found } => ("Delete", Some(found)),
        };
        if let Some(found) = found {
            self.name_node(&found.node);
        }
        self.names.qualified = self.names.are_several();
        self.open_stage(&format!("{verb} on {}", write.table.name), write.stage);
        self.page.depth += 1;
        match &write.kind {
            WriteKind::Update { found, .. } | WriteKind::Delete { found } => self.node(&found.node),
            WriteKind::Insert { rows: InsertRows::Queried { query, .. }, .. } => {
                self.name_query(query);
                self.query(query);
            }
            WriteKind::Insert { rows: InsertRows::Listed { stage, .. }, .. } => self.open_stage("Result", *stage),
        }
        self.page.depth -= 1;
    }
}

/// What follows a key in ORDER BY.
pub fn direction(key: &SortKey) -> &'static str {
    match (key.descending, key.nulls_first) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    }
}

fn set_operation_name(operation: SetOperation, all: bool) -> &'static str {
    match (operation, all) {
        (SetOperation::Union, true) => "Append",
        (SetOperation::Union, false) => "HashAggregate",
        (SetOperation::Intersect, _) => "HashSetOp Intersect",
        (SetOperation::Except, _) => "HashSetOp Except",
    }
}
