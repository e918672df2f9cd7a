//! A message queue that delivers at least once, as Amazon SQS documents it.
//!
//! Receiving does not remove a message, it hides it: who does not delete it before its visibility timeout runs out will see it again,
//! or somebody else will. Each receipt belongs to one delivery; a later delivery makes the earlier receipt worthless. A queue with a
//! redrive policy moves a message that came back too often to its dead-letter queue.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Handled, LedgerEntry, Refusal, Service, ServiceCall, ServiceKind, TransportErrors, read_arguments};
use crate::trace::{Micros, Value};

pub const KIND: ServiceKind = ServiceKind {
    name: "queue",
    methods: &["send", "receive", "delete", "change_visibility", "set_redrive_policy", "depth"],
    ledger: "CREATE TABLE queue_messages (
        id TEXT PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, receives INTEGER NOT NULL,
        sent_at TIMESTAMPTZ NOT NULL, done_at TIMESTAMPTZ)",
    errors: TransportErrors { failed: "QueueError", refused: "QueueUnavailable", timed_out: "QueueTimeout" },
    create: |_| Box::new(Queues::default()),
};

/// SQS's own default.
const VISIBILITY_S: f64 = 30.0;
const BATCH_MAX: usize = 10;

#[derive(Default)]
struct Queues {
    queues: BTreeMap<String, Queue>,
    sent: u64,
}

#[derive(Default)]
struct Queue {
    /// By when it can be received and then by arrival: the front is due first.
    messages: BTreeMap<(Micros, u64), Message>,
    /// By number, when each can be received.
    visible_at: BTreeMap<u64, Micros>,
    redrive: Option<Redrive>,
}

struct Message {
    number: u64,
    body: String,
    receives: u32,
}

#[derive(Clone, Deserialize)]
struct Redrive {
    queue: String,
    dead_letter_queue: String,
    max_receives: u32,
}

#[derive(Deserialize)]
struct Send {
    queue: String,
    body: String,
    #[serde(default)]
    delay_s: f64,
}

#[derive(Deserialize)]
struct Receive {
    queue: String,
    max_messages: Option<usize>,
    visibility_s: Option<f64>,
}

#[derive(Deserialize)]
struct Delivery {
    queue: String,
    receipt: String,
    #[serde(default)]
    visibility_s: f64,
}

#[derive(Deserialize)]
struct Named {
    queue: String,
}

impl Service for Queues {
    fn call(&mut self, call: &ServiceCall) -> Handled {
        let mut entries = vec![];
        let answer = match call.method {
            "send" => read(call).map(|send| self.send(send, call.at, &mut entries)),
            "receive" => read(call).map(|receive| self.receive(receive, call.answered_at, &mut entries)),
            "delete" => read(call).map(|delivery| self.delete(&delivery, &mut entries)),
            "change_visibility" => read(call).and_then(|delivery| self.change_visibility(&delivery, call.at)),
            "set_redrive_policy" => read(call).map(|redrive: Redrive| {
                let name = redrive.queue.clone();
                self.queues.entry(name).or_default().redrive = Some(redrive);
                Json::Null
            }),
            "depth" => read(call).map(|Named { queue }| {
                let messages = self.queues.get(&queue).map_or(0, |queue| queue.messages.len());
                json!(messages)
            }),
            other => Err(KIND.unknown_method(other)),
        };
        Handled { answer, entries }
    }
}

impl Queues {
    fn send(&mut self, send: Send, at: Micros, entries: &mut Vec<LedgerEntry>) -> Json {
        self.sent += 1;
        let message = Message { number: self.sent, body: send.body, receives: 0 };
        let id = message.id();
        entries.push(LedgerEntry {
            sql: "INSERT INTO queue_messages (id, queue, body, status, receives, sent_at) \
                  VALUES ($1, $2, $3, 'waiting', 0, now())",
            parameters: vec![text(&id), text(&send.queue), text(&message.body)],
        });
        let visible_at = at + micros(send.delay_s);
        self.queues.entry(send.queue).or_default().put(visible_at, message);
        json!({ "id": id })
    }

    /// The visibility timeout begins when the answer leaves the queue.
    fn receive(&mut self, receive: Receive, at: Micros, entries: &mut Vec<LedgerEntry>) -> Json {
        let most = receive.max_messages.unwrap_or(1).clamp(1, BATCH_MAX);
        let hidden_until = at + micros(receive.visibility_s.unwrap_or(VISIBILITY_S));
        let mut delivered = vec![];
        while delivered.len() < most {
            let queue = self.queues.entry(receive.queue.clone()).or_default();
            let Some(mut message) = queue.take_visible(at) else { break };
            if let Some(redrive) = queue.redrive.clone().filter(|redrive| message.receives >= redrive.max_receives) {
                entries.push(LedgerEntry {
                    sql: "UPDATE queue_messages SET status = 'dead', queue = $2, done_at = now() WHERE id = $1",
                    parameters: vec![text(&message.id()), text(&redrive.dead_letter_queue)],
                });
                message.receives = 0;
                let dead = self.queues.entry(redrive.dead_letter_queue).or_default();
                dead.put(at, message);
                continue;
            }
            message.receives += 1;
            entries.push(LedgerEntry {
                sql: "UPDATE queue_messages SET receives = receives + 1 WHERE id = $1",
                parameters: vec![text(&message.id())],
            });
            delivered.push(json!({
                "id": message.id(),
                "receipt": message.receipt(),
                "body": message.body,
                "receive_count": message.receives,
            }));
            queue.put(hidden_until, message);
        }
        Json::Array(delivered)
    }

    /// As with SQS, a receipt of an earlier delivery deletes nothing and is no error.
    fn delete(&mut self, delivery: &Delivery, entries: &mut Vec<LedgerEntry>) -> Json {
        let queue = self.queues.entry(delivery.queue.clone()).or_default();
        let Some((_, message)) = queue.take(&delivery.receipt) else { return Json::Null };
        entries.push(LedgerEntry {
            sql: "UPDATE queue_messages SET status = 'deleted', done_at = now() WHERE id = $1",
            parameters: vec![text(&message.id())],
        });
        Json::Null
    }

    fn change_visibility(&mut self, delivery: &Delivery, at: Micros) -> Result<Json, Refusal> {
        let queue = self.queues.entry(delivery.queue.clone()).or_default();
        let taken = queue.take(&delivery.receipt);
        let hidden = taken.as_ref().is_some_and(|(visible_at, _)| *visible_at > at);
        if let Some((visible_at, message)) = taken {
            queue.put(if hidden { at + micros(delivery.visibility_s) } else { visible_at }, message);
        }
        if hidden {
            return Ok(Json::Null);
        }
        Err(Refusal {
            class: "ReceiptExpired",
            message: "this delivery is over: the message is visible again, or somebody else has it".into(),
            body: Json::Null,
        })
    }
}

impl Queue {
    fn put(&mut self, visible_at: Micros, message: Message) {
        self.visible_at.insert(message.number, visible_at);
        self.messages.insert((visible_at, message.number), message);
    }

    fn take_visible(&mut self, at: Micros) -> Option<Message> {
        let first = self.messages.first_entry().filter(|entry| entry.key().0 <= at)?;
        let message = first.remove();
        self.visible_at.remove(&message.number);
        Some(message)
    }

    /// The message this receipt's delivery is about, unless it was delivered again since.
    fn take(&mut self, receipt: &str) -> Option<(Micros, Message)> {
        let number = receipt.split_once('.')?.0.parse().ok()?;
        let visible_at = *self.visible_at.get(&number)?;
        let place = (visible_at, number);
        if self.messages[&place].receipt() != receipt {
            return None;
        }
        self.visible_at.remove(&number);
        Some((visible_at, self.messages.remove(&place).expect("both maps hold the same messages")))
    }
}

impl Message {
    fn id(&self) -> String {
        format!("msg_{}", self.number)
    }

    fn receipt(&self) -> String {
        format!("{}.{}", self.number, self.receives)
    }
}

fn read<T: serde::de::DeserializeOwned>(call: &ServiceCall) -> Result<T, Refusal> {
    read_arguments(call, "QueueError")
}

fn micros(seconds: f64) -> Micros {
    (seconds.max(0.0) * 1e6) as Micros
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}
