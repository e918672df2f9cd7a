//! What this run writes into and reads from the database itself: schema, rows, the services' books, invariants and gauges.

use std::time::Instant;

use serde_json::{Value as Json, json};
use twoam::scenario::InvariantRule;
use twoam::services::LedgerEntry;
use twoam::trace::{EventKind, Value};

use super::{AUDITOR, Real, START, Told};
use crate::cli::Failure;

impl Real {
    pub fn fill_database(&mut self) -> Result<(), Failure> {
        let document = self.document.clone();
        if let Some(schema) = self.schema() {
            self.audit(vec![json!([format!("CREATE SCHEMA {schema}"), []])])?;
        }
        let mut texts = vec![document.schema.clone()];
        for rows in &document.world.rows {
            texts.extend(rows.inserts(&mut self.dice, &self.knobs));
        }
        texts.extend(self.variant.migration.clone());
        texts.extend(self.outside.ledgers().into_iter().map(str::to_string));
        self.audit(texts.into_iter().map(|text| json!([text, []])).collect())?;
        self.audit(vec![json!(["ANALYZE", []])])?;
        Ok(())
    }

    pub fn clean(&mut self) -> Result<(), Failure> {
        self.hosts.clear();
        if let Some(schema) = self.schema() {
            self.audit(vec![json!([format!("DROP SCHEMA IF EXISTS {schema} CASCADE"), []])])?;
        }
        Ok(())
    }

    /// Handlers find their tables in the run's own schema.
    pub fn dsn(&self) -> String {
        match self.schema() {
            None => self.server.dsn.clone(),
            Some(schema) => {
                let join = if self.server.dsn.contains('?') { '&' } else { '?' };
                format!("{}{join}options=-csearch_path%3D{schema}", self.server.dsn)
            }
        }
    }

    pub fn write_ledger(&mut self, entries: Vec<LedgerEntry>) -> Result<(), Failure> {
        if entries.is_empty() {
            return Ok(());
        }
        let statements = entries.into_iter().map(|entry| {
            let (sql, parameters) = for_psycopg(entry.sql, &entry.parameters);
            json!([sql, parameters])
        });
        self.audits += 1;
        let message = json!({ "do": "audit", "audit": self.audits, "statements": statements.collect::<Vec<_>>() });
        self.auditor.tell(&message);
        Ok(())
    }

    /// Reads every invariant and gauge once: nothing is on its way any more.
    pub fn audit_all(&mut self) -> Result<(), Failure> {
        let document = self.document.clone();
        for invariant in &document.invariants {
            let InvariantRule::Sql { sql } = &invariant.rule else { continue };
            for row in self.rows(sql)? {
                let case = match &row[0] {
                    Json::String(text) => text.clone(),
                    value => value.to_string(),
                };
                self.record_break(&invariant.id, &case, &row);
            }
        }
        for gauge in &document.world.gauges {
            let rows = self.rows(&gauge.sql)?;
            let value = rows.first().and_then(|row| number(&row[0])).unwrap_or(0.0);
            let gauge = self.trace.strings.intern(&gauge.metric);
            self.record(EventKind::GaugeRead { gauge, value }, None);
        }
        Ok(())
    }

    pub fn record_break(&mut self, invariant: &str, case: &str, row: &Json) {
        let (invariant, case) = (self.trace.strings.intern(invariant), self.trace.strings.intern(case));
        let row = self.symbol(row);
        self.record(EventKind::InvariantBroken { invariant, case, row }, None);
    }

    fn schema(&self) -> Option<String> {
        (!self.server.is_private()).then(|| format!("twoam_{}", std::process::id()))
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Json>, Failure> {
        let mut results = self.audit(vec![json!([sql, []])])?;
        Ok(results[0]["rows"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Runs statements and waits for their rows. What hosts tell meanwhile is taken in.
    fn audit(&mut self, statements: Vec<Json>) -> Result<Vec<Json>, Failure> {
        self.audits += 1;
        let number = self.audits;
        let in_schema = self.schema().filter(|_| true).map(|schema| format!("SET search_path TO {schema}"));
        let statements = in_schema.map(|set| json!([set, []])).into_iter().chain(statements).collect::<Vec<_>>();
        self.auditor.tell(&json!({ "do": "audit", "audit": number, "statements": statements }));
        let end = Instant::now() + START;
        loop {
            let told = self.told.recv_timeout(end.saturating_duration_since(Instant::now()));
            let Told { host, message } =
                told.map_err(|_| Failure::Result("error: the server no longer answers".into()))?;
            let Some(message) = message else { continue };
            if host != AUDITOR || message["audit"].as_u64() != Some(number) {
                self.hear(Told { host, message: Some(message) })?;
                continue;
            }
            if let Some(error) = message["error"].as_str() {
                return Err(Failure::Result(format!("error: the server refused a statement of the run: {error}")));
            }
            let last = message["rows"].as_array().and_then(|rows| rows.last().cloned()).unwrap_or(Json::Null);
            return Ok(vec![json!({ "rows": last })]);
        }
    }
}

/// `$1` may stand twice in a text; psycopg wants one `%s` for each place.
fn for_psycopg(sql: &str, parameters: &[Value]) -> (String, Vec<Json>) {
    let (mut text, mut values) = (String::new(), Vec::new());
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at].replace('%', "%%"));
        let digits = rest[at + 1..].chars().take_while(char::is_ascii_digit).count();
        let number = rest[at + 1..at + 1 + digits]
            .parse::<usize>()
            .expect("the project's own statements number their parameters");
        text.push_str("%s");
        values.push(json_of(&parameters[number - 1]));
        rest = &rest[at + 1 + digits..];
    }
    text.push_str(&rest.replace('%', "%%"));
    (text, values)
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        value => json!(value.to_text()),
    }
}

fn number(value: &Json) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
