//! What is set up before the first request and what may be changed while requests flow: code, knobs, faults.

use super::database::{Purpose, Statement};
use super::examine::{line_at, migration_refused, said, schema_refused};
use super::tape::Sender;
use super::world::World;
use super::{Change, RunError};
use crate::python::SourcePosition;
use crate::scenario::Insert;
use crate::trace::{ChangeFamily, EventKind, SqlError, StatementKind};

const SCHEMA_FILE: &str = "schema.sql";

impl World {
    /// Tables, rows and the services' books.
    pub fn fill_database(&mut self) -> Result<(), RunError> {
        let document = self.document.clone();
        let schema = self.request.sources.get(SCHEMA_FILE).unwrap_or(&document.schema).clone();
        self.fill(Sender::Schema, &schema, &[]).map_err(|error| {
            schema_refused(&schema, SCHEMA_FILE).unwrap_or_else(|| sql_error(&error, &schema, SCHEMA_FILE))
        })?;
        for ledger in self.outside.ledgers() {
            self.fill(Sender::Schema, ledger, &[]).map_err(|error| sql_error(&error, ledger, "a service's books"))?;
        }
        for rows in &document.world.rows {
            for Insert { sql, parameters } in rows.inserts(&mut self.dice.rows, &self.knobs) {
                self.fill(Sender::Rows, &sql, &parameters).map_err(|error| {
                    RunError::new(format!("rows of {}: {} ({})", rows.table, error.message, error.sqlstate))
                })?;
            }
        }
        Ok(())
    }

    pub fn deploy_first(&mut self) -> Result<(), RunError> {
        let variant = self.variant.clone();
        self.known_variant(&variant).map_err(RunError::new)?;
        let document = self.document.clone();
        if let Some(sql) = document.variant(&variant).and_then(|of| of.migration.as_deref()) {
            let file = format!("the migration of `{variant}`");
            self.fill(Sender::Schema, sql, &[]).map_err(|error| {
                let schema = self.request.sources.get(SCHEMA_FILE).unwrap_or(&document.schema);
                migration_refused(schema, &self.outside.ledgers(), sql, &file)
                    .unwrap_or_else(|| sql_error(&error, sql, &file))
            })?;
        }
        self.migrated.insert(variant.clone());
        self.load(&variant).map_err(|raised| RunError {
            file: raised.position.as_ref().map(|position| position.file.to_string()),
            line: raised.position.as_ref().map(|position| position.line),
            ..RunError::new(said(&raised))
        })?;
        self.record_deployed();
        self.start_workers(&variant);
        Ok(())
    }

    pub fn change(&mut self, change: Change) {
        match change {
            Change::Variant { variant } => {
                if let Err(reason) = self.known_variant(&variant) {
                    return self.refuse(ChangeFamily::Deploy, &reason, None);
                }
                match self.document.clone().variant(&variant).and_then(|of| of.migration.clone()) {
                    Some(sql) if !self.migrated.contains(&variant) => {
                        let statement =
                            Statement::new(sql.into(), StatementKind::Other, vec![], Purpose::Migration { variant });
                        self.statement_arrives(self.migrator, statement);
                    }
                    _ => self.switch(&variant),
                }
            }
            Change::Source { file, text } => {
                let Some(variant) = self.document.variants.iter().find(|of| of.file == file).map(|of| of.id.clone())
                else {
                    let reason = if file == SCHEMA_FILE {
                        "the schema counts from the start of a run: reset to use it".to_owned()
                    } else {
                        format!("there is no file {file}")
                    };
                    return self.refuse(ChangeFamily::Deploy, &reason, None);
                };
                let before = self.sources.insert(file.clone(), text);
                match self.load(&variant) {
                    Ok(()) => {
                        let own = self.document.variant(&variant).is_some_and(|of| of.source == self.sources[&file]);
                        let how = if own { "as it was written" } else { "edited" };
                        self.applied(ChangeFamily::Deploy, &format!("deployed: {file}, {how}"));
                        if variant == self.variant {
                            self.record_deployed();
                        }
                    }
                    Err(raised) => {
                        match before {
                            Some(before) => self.sources.insert(file, before),
                            None => self.sources.remove(&file),
                        };
                        self.refuse(ChangeFamily::Deploy, &said(&raised), raised.position);
                    }
                }
            }
            Change::Knob { knob, value } => self.move_knob(&knob, value),
            Change::Fault { fault, on } => {
                let Some(label) = self.document.faults.iter().find(|of| of.id == fault).map(|of| of.label.clone())
                else {
                    return self.refuse(ChangeFamily::Fault, &format!("there is no fault {fault}"), None);
                };
                if on {
                    self.faults.insert(fault);
                } else {
                    self.faults.remove(&fault);
                }
                self.applied(ChangeFamily::Fault, &format!("{label}: {}", if on { "on" } else { "off" }));
            }
        }
    }

    /// A migration that ran beside the load has ended.
    pub fn migration_ended(&mut self, variant: &str, error: Option<SqlError>) {
        match error {
            None => {
                self.migrated.insert(variant.to_owned());
                self.follow_catalog();
                self.switch(variant);
            }
            Some(error) => {
                let reason = format!("its migration failed: {} ({})", error.message, error.sqlstate);
                self.refuse(ChangeFamily::Deploy, &reason, None);
            }
        }
    }

    fn switch(&mut self, variant: &str) {
        if !self.deployments.contains_key(variant)
            && let Err(raised) = self.load(variant)
        {
            return self.refuse(ChangeFamily::Deploy, &said(&raised), raised.position);
        }
        self.variant = variant.to_owned();
        let label = self.document.variant(variant).map_or(String::new(), |of| of.label.clone());
        self.applied(ChangeFamily::Deploy, &format!("deployed: {label}"));
        self.record_deployed();
        self.start_workers(variant);
    }

    fn record_deployed(&mut self) {
        let document = self.document.clone();
        let of = document.variant(&self.variant).expect("the variant was looked up before");
        let differs = |file: &str, own: &str| self.sources.get(file).is_some_and(|text| text != own);
        let edited = differs(&of.file, &of.source) || differs(SCHEMA_FILE, &document.schema);
        let (variant, file) = (self.symbol(&of.id), self.symbol(&of.file));
        self.record(EventKind::Deployed { variant, file, edited }, None, None, None);
    }

    fn move_knob(&mut self, knob: &str, value: f64) {
        let Some(of) = self.document.knob(knob).cloned() else {
            return self.refuse(ChangeFamily::Knob, &format!("there is no knob {knob}"), None);
        };
        if !of.live {
            let reason = format!("{} counts from the start of a run: reset to use it", of.label);
            return self.refuse(ChangeFamily::Knob, &reason, None);
        }
        if !(of.min..=of.max).contains(&value) {
            let reason = format!("{} goes from {} to {}, not to {value}", of.label, of.min, of.max);
            return self.refuse(ChangeFamily::Knob, &reason, None);
        }
        self.knobs.insert(knob.to_owned(), value);
        let unit = if of.unit.is_empty() { String::new() } else { format!(" {}", of.unit) };
        self.applied(ChangeFamily::Knob, &format!("{}: {value}{unit}", of.label));
        self.record_machines();
        self.adjust_cores();
        for process in 0..self.servers {
            if self.processes[process].up {
                self.adjust_pools(process);
            }
        }
        self.adjust_clients();
    }

    fn known_variant(&self, variant: &str) -> Result<(), String> {
        if self.document.variant(variant).is_some() {
            return Ok(());
        }
        let names = self.document.variants.iter().map(|of| of.id.as_str()).collect::<Vec<_>>().join(", ");
        Err(format!("there is no variant {variant:?}; there are {names}"))
    }

    fn applied(&mut self, change: ChangeFamily, text: &str) {
        let text = self.symbol(text);
        self.record(EventKind::ChangeApplied { change, text }, None, None, None);
    }

    fn refuse(&mut self, change: ChangeFamily, reason: &str, position: Option<SourcePosition>) {
        let reason = self.symbol(reason);
        let position = position.map(|position| self.position(&position));
        self.record(EventKind::ChangeRefused { change, reason, position }, None, None, None);
    }
}

/// Where in `sql` the engine found fault.
fn sql_error(error: &SqlError, sql: &str, file: &str) -> RunError {
    RunError {
        file: Some(file.to_owned()),
        line: error.position.map(|position| line_at(sql, position)),
        ..RunError::new(format!("{} ({})", error.message, error.sqlstate))
    }
}
