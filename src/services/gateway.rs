//! A payment gateway: charges cards, and keeps a copy of the first answer for each idempotency key.
//!
//! A key binds a request: the same request again gives the stored answer, another request under it is refused, and while the
//! first is still running the second is told so. That is how Stripe's and Adyen's APIs document it.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::{Handled, LedgerEntry, Refusal, Service, ServiceCall, ServiceKind, TransportErrors};
use crate::trace::{Micros, Value};

pub const KIND: ServiceKind = ServiceKind {
    name: "payments",
    methods: &["charge", "authorize", "capture", "void", "refund", "lookup"],
    ledger: "CREATE TABLE gateway_charges (
        id TEXT PRIMARY KEY, status TEXT NOT NULL, amount_cents BIGINT NOT NULL, captured_cents BIGINT NOT NULL,
        refunded_cents BIGINT NOT NULL, card TEXT NOT NULL, reference TEXT, idempotency_key TEXT)",
    errors: TransportErrors { failed: "PaymentError", refused: "PaymentUnavailable", timed_out: "PaymentTimeout" },
    create: |_| Box::new(Gateway::default()),
};

#[derive(Default)]
struct Gateway {
    charges: IndexMap<String, Charge>,
    /// Places in `charges`.
    by_reference: BTreeMap<String, Vec<usize>>,
    keys: BTreeMap<String, KeyUse>,
}

#[derive(Clone)]
struct Charge {
    id: String,
    status: Status,
    amount_cents: i64,
    captured_cents: i64,
    refunded_cents: i64,
    card: String,
    reference: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Authorized,
    Captured,
    Voided,
    Refunded,
    Declined,
}

/// The first use of an idempotency key.
struct KeyUse {
    request: Json,
    answered_at: Micros,
    answer: Result<Json, Refusal>,
}

type Answered = Result<Json, Refusal>;

impl Service for Gateway {
    fn call(&mut self, call: &ServiceCall) -> Handled {
        let key = call.arguments.get("idempotency_key").and_then(Json::as_str);
        let request = json!([call.method, without_key(call.arguments)]);
        if let Some(used) = key.and_then(|key| self.keys.get(key)) {
            return Handled { answer: used.again(&request, call.at), entries: vec![] };
        }
        let mut entries = vec![];
        let answer = self.handle(call, &mut entries);
        if let Some(key) = key {
            let used = KeyUse { request, answered_at: call.answered_at, answer: answer.clone() };
            self.keys.insert(key.to_owned(), used);
        }
        Handled { answer, entries }
    }
}

impl Gateway {
    fn handle(&mut self, call: &ServiceCall, entries: &mut Vec<LedgerEntry>) -> Answered {
        let arguments = call.arguments;
        match call.method {
            "charge" => self.open(arguments, Status::Captured, call.declined, entries),
            "authorize" => self.open(arguments, Status::Authorized, call.declined, entries),
            "capture" => self.change(arguments, entries, |charge, _| {
                expect_status(charge, Status::Authorized, "captured")?;
                charge.status = Status::Captured;
                charge.captured_cents = charge.amount_cents;
                Ok(())
            }),
            "void" => self.change(arguments, entries, |charge, _| {
                expect_status(charge, Status::Authorized, "voided")?;
                charge.status = Status::Voided;
                Ok(())
            }),
            "refund" => self.change(arguments, entries, |charge, arguments| {
                expect_status(charge, Status::Captured, "refunded")?;
                let left = charge.captured_cents - charge.refunded_cents;
                let amount = optional_integer(arguments, "amount_cents")?.unwrap_or(left);
                if amount <= 0 || amount > left {
                    return Err(invalid(format!("cannot refund {amount} cents of {}: {left} are left", charge.id)));
                }
                charge.refunded_cents += amount;
                if charge.refunded_cents == charge.captured_cents {
                    charge.status = Status::Refunded;
                }
                Ok(())
            }),
            "lookup" => {
                let reference = text(arguments, "reference")?;
                let found = self.by_reference.get(reference).into_iter().flatten();
                Ok(found.map(|place| self.charges[*place].told()).collect())
            }
            other => Err(invalid(format!("payments has no method {other}; there are {}", KIND.methods.join(", ")))),
        }
    }

    fn open(&mut self, arguments: &Json, status: Status, declined: bool, entries: &mut Vec<LedgerEntry>) -> Answered {
        let amount_cents = optional_integer(arguments, "amount_cents")?
            .ok_or_else(|| invalid("amount_cents is missing: the sum in whole cents".into()))?;
        if amount_cents <= 0 {
            return Err(invalid(format!("amount_cents must be above 0, not {amount_cents}")));
        }
        let status = if declined { Status::Declined } else { status };
        let charge = Charge {
            id: format!("ch_{}", self.charges.len() + 1),
            status,
            amount_cents,
            captured_cents: if status == Status::Captured { amount_cents } else { 0 },
            refunded_cents: 0,
            card: text(arguments, "card")?.to_owned(),
            reference: optional_text(arguments, "reference")?,
            idempotency_key: optional_text(arguments, "idempotency_key")?,
        };
        entries.push(LedgerEntry {
            sql: "INSERT INTO gateway_charges (id, status, amount_cents, captured_cents, refunded_cents, card, reference, \
                  idempotency_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            parameters: vec![
                Value::Text(charge.id.as_str().into()),
                Value::Text(charge.status.name().into()),
                Value::Int(charge.amount_cents),
                Value::Int(charge.captured_cents),
                Value::Int(charge.refunded_cents),
                Value::Text(charge.card.as_str().into()),
                nullable(&charge.reference),
                nullable(&charge.idempotency_key),
            ],
        });
        let told = charge.told();
        if let Some(reference) = &charge.reference {
            self.by_reference.entry(reference.clone()).or_default().push(self.charges.len());
        }
        self.charges.insert(charge.id.clone(), charge);
        if declined {
            return Err(Refusal { class: "PaymentDeclined", message: "the card was declined".into(), body: told });
        }
        Ok(told)
    }

    fn change(
        &mut self,
        arguments: &Json,
        entries: &mut Vec<LedgerEntry>,
        change: impl FnOnce(&mut Charge, &Json) -> Result<(), Refusal>,
    ) -> Answered {
        let id = text(arguments, "charge_id")?;
        let Some(charge) = self.charges.get_mut(id) else {
            return Err(invalid(format!("there is no charge {id}")));
        };
        change(charge, arguments)?;
        entries.push(LedgerEntry {
            sql: "UPDATE gateway_charges SET status = $2, captured_cents = $3, refunded_cents = $4 WHERE id = $1",
            parameters: vec![
                Value::Text(charge.id.as_str().into()),
                Value::Text(charge.status.name().into()),
                Value::Int(charge.captured_cents),
                Value::Int(charge.refunded_cents),
            ],
        });
        Ok(charge.told())
    }
}

impl KeyUse {
    fn again(&self, request: &Json, at: Micros) -> Answered {
        let conflict =
            |message: &str| Refusal { class: "IdempotencyConflict", message: message.into(), body: Json::Null };
        if self.request != *request {
            return Err(conflict("this idempotency key was used for another request"));
        }
        if at < self.answered_at {
            return Err(conflict("a request with this idempotency key is still running"));
        }
        self.answer.clone()
    }
}

impl Charge {
    fn told(&self) -> Json {
        json!({
            "id": self.id,
            "status": self.status.name(),
            "amount_cents": self.amount_cents,
            "reference": self.reference,
        })
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Authorized => "authorized",
            Status::Captured => "captured",
            Status::Voided => "voided",
            Status::Refunded => "refunded",
            Status::Declined => "declined",
        }
    }
}

fn expect_status(charge: &Charge, status: Status, done: &str) -> Result<(), Refusal> {
    if charge.status == status {
        return Ok(());
    }
    Err(invalid(format!("charge {} is {} and cannot be {done}", charge.id, charge.status.name())))
}

fn without_key(arguments: &Json) -> Json {
    let mut fields = arguments.as_object().cloned().unwrap_or_else(Map::new);
    fields.remove("idempotency_key");
    Json::Object(fields)
}

fn invalid(message: String) -> Refusal {
    Refusal { class: "PaymentError", message, body: Json::Null }
}

fn text<'a>(arguments: &'a Json, name: &str) -> Result<&'a str, Refusal> {
    arguments.get(name).and_then(Json::as_str).ok_or_else(|| invalid(format!("{name} is missing: it must be a text")))
}

fn optional_text(arguments: &Json, name: &str) -> Result<Option<String>, Refusal> {
    match arguments.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(invalid(format!("{name} must be a text, not {other}"))),
    }
}

fn optional_integer(arguments: &Json, name: &str) -> Result<Option<i64>, Refusal> {
    match arguments.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(given) => {
            given.as_i64().map(Some).ok_or_else(|| invalid(format!("{name} must be whole cents, not {given}")))
        }
    }
}

fn nullable(text: &Option<String>) -> Value {
    text.as_deref().map_or(Value::Null, |text| Value::Text(text.into()))
}
