//! What is set up before the first request and what may be changed while requests flow: code, knobs, faults.

use super::examine::{line_at, migration_refused, said, schema_refused};
use super::simulation::Simulation;
use super::statement_log::Sender;
use super::{Change, RunError};
use crate::python::{Raised, SourcePosition};
use crate::scenario::{Clients, InsertStatement};
use crate::trace::{ChangeFamily, EventKind, SqlError, Value};
use crate::workload::{Circumstances, ServiceHost};

const SCHEMA_FILE: &str = "schema.sql";

impl Simulation {
    /// Tables, rows and the services' books.
    pub fn fill_database(&mut self) -> Result<(), RunError> {
        let document = self.document.clone();
        let schema = self.sources.get(SCHEMA_FILE).unwrap_or(&document.schema).clone();
        self.fill(Sender::Schema, &schema, &[]).map_err(|error| {
            schema_refused(&schema, SCHEMA_FILE).unwrap_or_else(|| sql_error(&error, &schema, SCHEMA_FILE))
        })?;
        for ledger in ServiceHost::ledgers(&document) {
            self.fill(Sender::Schema, ledger, &[]).map_err(|error| sql_error(&error, ledger, "a service's books"))?;
        }
        for rows in &document.simulation.rows {
            let Circumstances { conditions, rng, .. } = self.kernel.circumstances();
            for InsertStatement { sql, parameters } in rows.inserts(&mut rng.rows, conditions.knobs()) {
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
                let schema = self.sources.get(SCHEMA_FILE).unwrap_or(&document.schema);
                migration_refused(schema, &ServiceHost::ledgers(&document), sql, &file)
                    .unwrap_or_else(|| sql_error(&error, sql, &file))
            })?;
        }
        self.migrated.insert(variant.clone());
        self.load(&variant).map_err(|raised| RunError {
            file: raised.position.as_ref().map(|position| position.file.to_string()),
            line: raised.position.as_ref().map(|position| position.line),
            ..RunError::new(said(&raised))
        })?;
        self.app.serve(&variant);
        self.record_deployed();
        self.app.start_workers(&variant, &mut self.kernel);
        Ok(())
    }

    pub fn start_scripts(&mut self) -> Result<(), RunError> {
        self.app.start_scripts(&mut self.kernel).map_err(|raised| {
            let Clients::Scripted { file, .. } = &self.document.simulation.clients else {
                return RunError::new(said(&raised));
            };
            let line = raised.position.as_ref().map(|position| position.line);
            RunError { file: Some(file.clone()), line, ..RunError::new(said(&raised)) }
        })
    }

    pub fn change(&mut self, change: Change) {
        match change {
            Change::Variant { variant } => {
                if let Err(reason) = self.known_variant(&variant) {
                    return self.refuse(ChangeFamily::Deploy, &reason, None);
                }
                match self.document.clone().variant(&variant).and_then(|of| of.migration.clone()) {
                    Some(sql) if !self.migrated.contains(&variant) => {
                        self.database.migrate(&variant, &sql, &mut self.kernel);
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
                self.kernel.conditions.set_fault(&fault, on);
                self.applied(ChangeFamily::Fault, &format!("{label}: {}", if on { "on" } else { "off" }));
            }
        }
    }

    /// A migration that ran beside the load has ended.
    pub fn migration_ended(&mut self, variant: &str, error: Option<SqlError>) {
        match error {
            None => {
                self.migrated.insert(variant.to_owned());
                self.monitor.follow_catalog(&mut self.database, &mut self.kernel);
                self.switch(variant);
            }
            Some(error) => {
                let reason = format!("its migration failed: {} ({})", error.message, error.sqlstate);
                self.refuse(ChangeFamily::Deploy, &reason, None);
            }
        }
    }

    fn switch(&mut self, variant: &str) {
        if !self.app.has_loaded(variant)
            && let Err(raised) = self.load(variant)
        {
            return self.refuse(ChangeFamily::Deploy, &said(&raised), raised.position);
        }
        self.variant = variant.to_owned();
        self.app.serve(variant);
        let label = self.document.variant(variant).map_or(String::new(), |of| of.label.clone());
        self.applied(ChangeFamily::Deploy, &format!("deployed: {label}"));
        self.record_deployed();
        self.app.start_workers(variant, &mut self.kernel);
    }

    fn record_deployed(&mut self) {
        let document = self.document.clone();
        let of = document.variant(&self.variant).expect("the variant was looked up before");
        let differs = |file: &str, own: &str| self.sources.get(file).is_some_and(|text| text != own);
        let edited = differs(&of.file, &of.source) || differs(SCHEMA_FILE, &document.schema);
        let (variant, file) = (self.kernel.symbol(&of.id), self.kernel.symbol(&of.file));
        self.kernel.record(EventKind::Deployed { variant, file, edited }, None, None, None);
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
        self.kernel.conditions.set_knob(knob, value);
        let unit = if of.unit.is_empty() { String::new() } else { format!(" {}", of.unit) };
        self.applied(ChangeFamily::Knob, &format!("{}: {value}{unit}", of.label));
        self.kernel.record_machines(&self.document);
        self.database.adjust_cores(&mut self.kernel);
        self.app.adjust_pools(&mut self.kernel);
        self.load.adjust(&mut self.kernel);
    }

    /// Loads the variant's code as it is now.
    fn load(&mut self, variant: &str) -> Result<(), Raised> {
        let of = self.document.variant(variant).expect("the variant was looked up before");
        self.app.load(variant, self.sources.get(&of.file).unwrap_or(&of.source))
    }

    /// Runs a text of the run's own, as part of its past.
    fn fill(&mut self, by: Sender, sql: &str, parameters: &[Value]) -> Result<(), SqlError> {
        self.database.fill(by, sql, parameters, self.kernel.now())
    }

    fn known_variant(&self, variant: &str) -> Result<(), String> {
        if self.document.variant(variant).is_some() {
            return Ok(());
        }
        let names = self.document.variants.iter().map(|of| of.id.as_str()).collect::<Vec<_>>().join(", ");
        Err(format!("there is no variant {variant:?}; there are {names}"))
    }

    fn applied(&mut self, change: ChangeFamily, text: &str) {
        let text = self.kernel.symbol(text);
        self.kernel.record(EventKind::ChangeApplied { change, text }, None, None, None);
    }

    fn refuse(&mut self, change: ChangeFamily, reason: &str, position: Option<SourcePosition>) {
        let reason = self.kernel.symbol(reason);
        let position = position.map(|position| self.kernel.position(&position));
        self.kernel.record(EventKind::ChangeRefused { change, reason, position }, None, None, None);
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
