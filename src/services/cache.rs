//! A shared cache as Redis is one: texts by key, expiry, set-if-absent in one step, and a memory limit at which the keys used longest ago
//! make room (`allkeys-lru`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{Handled, LedgerEntry, Refusal, Service, ServiceCall, ServiceKind, TransportErrors, read_arguments};
use crate::trace::{Micros, Value};

pub const KIND: ServiceKind = ServiceKind {
    name: "cache",
    methods: &["get", "set", "delete", "ttl", "config_set"],
    ledger: "CREATE TABLE cache_keys (
        key TEXT PRIMARY KEY, hits INTEGER NOT NULL, misses INTEGER NOT NULL, sets INTEGER NOT NULL)",
    errors: TransportErrors { failed: "CacheError", refused: "CacheUnavailable", timed_out: "CacheTimeout" },
    create: |_| Box::new(Cache::default()),
};

/// What Redis spends on a key besides its texts: dictionary entry, object headers, expiry.
const BYTES_PER_KEY: usize = 96;

struct Cache {
    entries: BTreeMap<String, Entry>,
    /// Keys by last use.
    recency: BTreeMap<u64, String>,
    uses: u64,
    bytes: usize,
    bytes_max: usize,
    /// Keys the books have a row for.
    booked: std::collections::BTreeSet<String>,
}

struct Entry {
    value: String,
    expires_at: Option<Micros>,
    used: u64,
}

#[derive(Deserialize)]
struct Keyed {
    key: String,
}

#[derive(Deserialize)]
struct Set {
    key: String,
    value: String,
    px: Option<f64>,
    #[serde(default)]
    nx: bool,
}

#[derive(Deserialize)]
struct Config {
    maxmemory: usize,
}

impl Default for Cache {
    fn default() -> Cache {
        Cache {
            entries: BTreeMap::new(),
            recency: BTreeMap::new(),
            uses: 0,
            bytes: 0,
            bytes_max: 64 << 20,
            booked: std::collections::BTreeSet::new(),
        }
    }
}

impl Service for Cache {
    fn call(&mut self, call: &ServiceCall) -> Handled {
        let mut entries = vec![];
        let answer = match call.method {
            "get" => read(call).map(|Keyed { key }| {
                let value = self.get(&key, call.at);
                self.book(&key, if value.is_some() { Use::Hit } else { Use::Miss }, &mut entries);
                json!(value)
            }),
            "set" => read(call).map(|set: Set| {
                let key = set.key.clone();
                let done = self.set(set, call.at);
                if done {
                    self.book(&key, Use::Set, &mut entries);
                }
                json!(done)
            }),
            "delete" => read(call).map(|Keyed { key }| json!(i32::from(self.live(&key, call.at) && self.remove(&key)))),
            "ttl" => read(call).map(|Keyed { key }| json!(self.ttl_ms(&key, call.at))),
            "config_set" => read(call).map(|Config { maxmemory }| {
                self.bytes_max = maxmemory;
                self.make_room();
                json!(true)
            }),
            other => Err(KIND.unknown_method(other)),
        };
        Handled { answer, entries }
    }
}

enum Use {
    Hit,
    Miss,
    Set,
}

impl Cache {
    fn get(&mut self, key: &str, at: Micros) -> Option<String> {
        if !self.live(key, at) {
            return None;
        }
        self.touch(key);
        self.entries.get(key).map(|entry| entry.value.clone())
    }

    fn set(&mut self, set: Set, at: Micros) -> bool {
        if self.live(&set.key, at) && set.nx {
            return false;
        }
        self.remove(&set.key);
        self.bytes += set.key.len() + set.value.len() + BYTES_PER_KEY;
        let expires_at = set.px.map(|px| at + (px * 1e3) as Micros);
        self.entries.insert(set.key.clone(), Entry { value: set.value, expires_at, used: 0 });
        self.touch(&set.key);
        self.make_room();
        true
    }

    /// Redis' answers: -2 for no such key, -1 for one that never expires.
    fn ttl_ms(&mut self, key: &str, at: Micros) -> i64 {
        if !self.live(key, at) {
            return -2;
        }
        self.entries[key].expires_at.map_or(-1, |expires_at| ((expires_at - at) / 1_000) as i64)
    }

    /// An expired key is gone the moment somebody looks.
    fn live(&mut self, key: &str, at: Micros) -> bool {
        let expired = self.entries.get(key).is_some_and(|entry| entry.expires_at.is_some_and(|end| end <= at));
        if expired {
            self.remove(key);
        }
        self.entries.contains_key(key)
    }

    fn touch(&mut self, key: &str) {
        self.uses += 1;
        let entry = self.entries.get_mut(key).expect("only live keys are touched");
        self.recency.remove(&entry.used);
        entry.used = self.uses;
        self.recency.insert(self.uses, key.to_owned());
    }

    fn remove(&mut self, key: &str) -> bool {
        let Some(entry) = self.entries.remove(key) else { return false };
        self.recency.remove(&entry.used);
        self.bytes -= key.len() + entry.value.len() + BYTES_PER_KEY;
        true
    }

    fn make_room(&mut self) {
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.recency.values().next().cloned() else { return };
            self.remove(&oldest);
        }
    }

    fn book(&mut self, key: &str, used: Use, entries: &mut Vec<LedgerEntry>) {
        let key_value = || vec![Value::Text(key.into())];
        if self.booked.insert(key.to_owned()) {
            entries.push(LedgerEntry {
                sql: "INSERT INTO cache_keys (key, hits, misses, sets) VALUES ($1, 0, 0, 0)",
                parameters: key_value(),
            });
        }
        let sql = match used {
            Use::Hit => "UPDATE cache_keys SET hits = hits + 1 WHERE key = $1",
            Use::Miss => "UPDATE cache_keys SET misses = misses + 1 WHERE key = $1",
            Use::Set => "UPDATE cache_keys SET sets = sets + 1 WHERE key = $1",
        };
        entries.push(LedgerEntry { sql, parameters: key_value() });
    }
}

fn read<T: serde::de::DeserializeOwned>(call: &ServiceCall) -> Result<T, Refusal> {
    read_arguments(call, "CacheError")
}
