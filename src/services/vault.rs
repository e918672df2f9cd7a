//! A secrets manager: each secret has versions with an id. `rotate` makes a new current one and keeps the one before as `previous`, so
//! that what it signed can still be verified; `revoke` ends a version at once.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{Handled, LedgerEntry, Refusal, Service, ServiceCall, ServiceKind, TransportErrors, read_arguments};
use crate::trace::Value;

pub const KIND: ServiceKind = ServiceKind {
    name: "vault",
    methods: &["get_secret", "rotate", "revoke"],
    ledger: "CREATE TABLE vault_versions (
        secret TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, changed_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (secret, version))",
    errors: TransportErrors { failed: "VaultError", refused: "VaultUnavailable", timed_out: "VaultTimeout" },
    create: |_| Box::new(Vault::default()),
};

#[derive(Default)]
struct Vault {
    secrets: BTreeMap<String, Vec<State>>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Current,
    Previous,
    Revoked,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Versioned {
    name: String,
    version: usize,
}

impl Service for Vault {
    fn call(&mut self, call: &ServiceCall) -> Handled {
        let mut entries = vec![];
        let answer = match call.method {
            "get_secret" => read(call).map(|Named { name }| {
                self.expect(&name, &mut entries);
                self.told(&name)
            }),
            "rotate" => read(call).map(|Named { name }| {
                self.expect(&name, &mut entries);
                self.rotate(&name, &mut entries);
                self.told(&name)
            }),
            "revoke" => read(call).map(|Versioned { name, version }| {
                self.expect(&name, &mut entries);
                self.set(&name, version, State::Revoked, &mut entries);
                self.told(&name)
            }),
            other => Err(KIND.unknown_method(other)),
        };
        Handled { answer, entries }
    }
}

impl Vault {
    /// A secret comes into being when it is first asked for.
    fn expect(&mut self, name: &str, entries: &mut Vec<LedgerEntry>) {
        if !self.secrets.contains_key(name) {
            self.add(name, entries);
        }
    }

    fn rotate(&mut self, name: &str, entries: &mut Vec<LedgerEntry>) {
        for version in 1..=self.secrets[name].len() {
            let next = match self.secrets[name][version - 1] {
                State::Current => State::Previous,
                _ => State::Revoked,
            };
            self.set(name, version, next, entries);
        }
        self.add(name, entries);
    }

    fn add(&mut self, name: &str, entries: &mut Vec<LedgerEntry>) {
        let versions = self.secrets.entry(name.to_owned()).or_default();
        versions.push(State::Current);
        entries.push(LedgerEntry {
            sql: "INSERT INTO vault_versions (secret, version, state, changed_at) VALUES ($1, $2, 'current', now())",
            parameters: vec![Value::Text(name.into()), Value::Int(versions.len() as i64)],
        });
    }

    fn set(&mut self, name: &str, version: usize, state: State, entries: &mut Vec<LedgerEntry>) {
        let versions = self.secrets.get_mut(name).expect("callers ask for secrets there are");
        let Some(known) = version.checked_sub(1).and_then(|place| versions.get_mut(place)) else { return };
        if *known == state {
            return;
        }
        *known = state;
        entries.push(LedgerEntry {
            sql: "UPDATE vault_versions SET state = $3, changed_at = now() WHERE secret = $1 AND version = $2",
            parameters: vec![Value::Text(name.into()), Value::Int(version as i64), Value::Text(state.name().into())],
        });
    }

    /// Versions that may still be used, the current one first.
    fn told(&self, name: &str) -> Json {
        let versions = self.secrets[name].iter().enumerate().rev().filter(|(_, state)| **state != State::Revoked);
        let versions = versions.map(
            |(place, state)| json!({ "version": place + 1, "state": state.name(), "value": value(name, place + 1) }),
        );
        json!({ "name": name, "versions": versions.collect::<Vec<_>>() })
    }
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Current => "current",
            State::Previous => "previous",
            State::Revoked => "revoked",
        }
    }
}

/// Nobody outside can guess it, and every run has the same.
fn value(name: &str, version: usize) -> String {
    let digest = Sha256::digest(format!("the vault's own root key / {name} / {version}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read<T: serde::de::DeserializeOwned>(call: &ServiceCall) -> Result<T, Refusal> {
    read_arguments(call, "VaultError")
}
