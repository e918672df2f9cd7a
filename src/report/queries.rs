//! Statements of one text from one line of code, together.

use std::collections::BTreeMap;

use super::QueryGroup;
use super::index::{Body, TraceIndex};
use crate::trace::{Micros, Position, RequestId, Symbol, Trace};

/// Of the statements that were sent from `from` to `to`, what was known of them by then. The most expensive first.
pub fn queries(index: &TraceIndex, trace: &Trace, from: Micros, to: Micros) -> Vec<QueryGroup> {
    let mut groups: BTreeMap<(Symbol, Position), (QueryGroup, BTreeMap<RequestId, u32>)> = BTreeMap::new();
    for call in index.calls_in(from, to).filter(|call| call.began >= from) {
        let Body::Statement(statement) = &call.body else { continue };
        let (group, requests) = groups.entry((statement.text, call.position)).or_insert_with(|| {
            let text = trace.strings.text(statement.text).to_owned();
            let file = trace.strings.text(call.position.file).to_owned();
            (new_group(text, file, call.position.line), BTreeMap::new())
        });
        group.count += 1;
        let in_request = requests.entry(call.doer.request).or_default();
        *in_request += 1;
        group.count_in_one_request_max = group.count_in_one_request_max.max(*in_request);
        let granted = statement.waits.iter().filter(|(granted, _)| *granted <= to);
        group.lock_wait_us += granted.map(|(_, us)| *us as f64).sum::<f64>();
        if statement.outcome.is_some() && call.ended.is_some_and(|ended| ended <= to) {
            group.rows_read += f64::from(statement.rows_read);
            group.rows += f64::from(statement.rows);
            group.database_us += statement.database_us as f64;
            group.failed += u32::from(statement.failed());
        }
    }
    let mut groups = groups.into_values().map(|(group, _)| group).collect::<Vec<_>>();
    groups.sort_by(|a, b| {
        b.database_us.total_cmp(&a.database_us).then_with(|| (a.line, &a.text).cmp(&(b.line, &b.text)))
    });
    groups
}

fn new_group(text: String, file: String, line: u32) -> QueryGroup {
    QueryGroup {
        text,
        file,
        line,
        count: 0,
        count_in_one_request_max: 0,
        rows_read: 0.0,
        rows: 0.0,
        database_us: 0.0,
        lock_wait_us: 0.0,
        failed: 0,
    }
}
