//! An event bus: a log that producers append to and everybody reads. What was published cannot be taken back, and the bus does not know
//! what it was about: two events that say the same are two events.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Handled, LedgerEntry, Service, ServiceCall, ServiceKind, TransportErrors, read_arguments};
use crate::trace::Value;

pub const KIND: ServiceKind = ServiceKind {
    name: "events",
    methods: &["publish"],
    ledger: "CREATE TABLE bus_events (
        position BIGINT PRIMARY KEY, topic TEXT NOT NULL, key TEXT, event_id TEXT, payload TEXT NOT NULL,
        published_at TIMESTAMPTZ NOT NULL);
        CREATE INDEX bus_events_key ON bus_events (key)",
    errors: TransportErrors { failed: "EventsError", refused: "BrokerUnavailable", timed_out: "PublishTimeout" },
    create: |_| Box::new(Bus::default()),
};

#[derive(Default)]
struct Bus {
    published: i64,
}

#[derive(Deserialize)]
struct Publish {
    topic: String,
    payload: Json,
    key: Option<String>,
    event_id: Option<String>,
}

impl Service for Bus {
    fn call(&mut self, call: &ServiceCall) -> Handled {
        if call.method != "publish" {
            return Handled { answer: Err(KIND.unknown_method(call.method)), entries: vec![] };
        }
        let publish: Publish = match read_arguments(call, "EventsError") {
            Ok(publish) => publish,
            Err(refusal) => return Handled { answer: Err(refusal), entries: vec![] },
        };
        self.published += 1;
        let optional = |text: Option<String>| text.map_or(Value::Null, |text| Value::Text(text.as_str().into()));
        let entry = LedgerEntry {
            sql: "INSERT INTO bus_events (position, topic, key, event_id, payload, published_at) \
                  VALUES ($1, $2, $3, $4, $5, now())",
            parameters: vec![
                Value::Int(self.published),
                Value::Text(publish.topic.as_str().into()),
                optional(publish.key),
                optional(publish.event_id),
                Value::Text(publish.payload.to_string().as_str().into()),
            ],
        };
        Handled { answer: Ok(json!({ "position": self.published })), entries: vec![entry] }
    }
}
