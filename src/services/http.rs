//! Another team's HTTP service: collections of resources, as a plain REST API keeps them.
//!
//! `POST /things` makes one, `PUT /things/{id}` makes it or leaves it as it is, `GET` and `DELETE` do what they say and may be repeated.
//! A POST with an `Idempotency-Key` is done once. A call that says how long its caller waits (`X-Timeout-Ms`) is not worked on when
//! that time was spent in the service's queue.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{Handled, LedgerEntry, Service, ServiceCall, ServiceKind, TransportErrors, read_arguments};
use crate::trace::{Micros, Value};

pub const KIND: ServiceKind = ServiceKind {
    name: "http",
    methods: &["get", "post", "put", "delete"],
    ledger: "CREATE TABLE http_resources (
        service TEXT NOT NULL, path TEXT NOT NULL, reference TEXT, status TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (service, path));
        CREATE INDEX http_resources_reference ON http_resources (reference)",
    errors: TransportErrors { failed: "_ServerError", refused: "ConnectError", timed_out: "ReadTimeout" },
    create: |name| Box::new(Rest { name: name.to_owned(), ..Rest::default() }),
};

#[derive(Default)]
struct Rest {
    name: String,
    made: u64,
    resources: BTreeMap<String, Resource>,
    /// Answers by idempotency key.
    answers: BTreeMap<String, Json>,
}

struct Resource {
    body: Map<String, Json>,
    deleted: bool,
}

#[derive(Deserialize)]
struct Request {
    path: String,
    #[serde(default)]
    json: Json,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Service for Rest {
    fn call(&mut self, call: &ServiceCall) -> Handled {
        let request: Request = match read_arguments(call, "RequestError") {
            Ok(request) => request,
            Err(refusal) => return Handled { answer: Err(refusal), entries: vec![] },
        };
        let mut entries = vec![];
        let key = request.headers.get("idempotency-key");
        if let Some(answer) = key.and_then(|key| self.answers.get(key)) {
            return Handled { answer: Ok(answer.clone()), entries };
        }
        let answer = if call.declined {
            answered(409, json!({ "error": "not available" }))
        } else {
            match call.method {
                "get" => self.get(&request.path),
                "post" => {
                    self.made += 1;
                    let path = format!("{}/{}-{}", request.path.trim_end_matches('/'), self.name, self.made);
                    self.put(path, request.json, &mut entries)
                }
                "put" => self.put(request.path.clone(), request.json, &mut entries),
                "delete" => self.delete(&request.path, &mut entries),
                other => return Handled { answer: Err(KIND.unknown_method(other)), entries },
            }
        };
        if let Some(key) = key {
            self.answers.insert(key.clone(), answer.clone());
        }
        Handled { answer: Ok(answer), entries }
    }

    fn abandons(&self, arguments: &Json, waited: Micros) -> bool {
        let patience = arguments["headers"]["x-timeout-ms"].as_str().and_then(|ms| ms.parse::<f64>().ok());
        patience.is_some_and(|ms| waited as f64 > ms * 1e3)
    }
}

impl Rest {
    fn get(&self, path: &str) -> Json {
        match self.resources.get(path) {
            Some(resource) if !resource.deleted => answered(200, Json::Object(resource.body.clone())),
            _ => answered(404, json!({ "error": "not found" })),
        }
    }

    fn put(&mut self, path: String, body: Json, entries: &mut Vec<LedgerEntry>) -> Json {
        if let Some(there) = self.resources.get(&path) {
            return match there.deleted {
                false => answered(200, Json::Object(there.body.clone())),
                true => answered(410, json!({ "error": "gone" })),
            };
        }
        let mut fields = body.as_object().cloned().unwrap_or_default();
        let id = path.rsplit('/').next().unwrap_or_default();
        fields.insert("id".into(), id.into());
        let reference = fields.get("reference").and_then(Json::as_str);
        entries.push(LedgerEntry {
            sql: "INSERT INTO http_resources (service, path, reference, status, body) VALUES ($1, $2, $3, 'active', $4)",
            parameters: vec![
                text(&self.name),
                text(&path),
                reference.map_or(Value::Null, text),
                text(&Json::Object(fields.clone()).to_string()),
            ],
        });
        self.resources.insert(path, Resource { body: fields.clone(), deleted: false });
        answered(201, Json::Object(fields))
    }

    /// Deleting what was never there is noted too: a late creation of it must not win.
    fn delete(&mut self, path: &str, entries: &mut Vec<LedgerEntry>) -> Json {
        let there = self.resources.get(path).map(|resource| resource.deleted);
        if there == Some(true) {
            return answered(204, Json::Null);
        }
        let body = self.resources.get(path).map(|resource| resource.body.clone()).unwrap_or_default();
        let sql = match there {
            Some(_) => "UPDATE http_resources SET status = 'deleted' WHERE service = $1 AND path = $2",
            None => "INSERT INTO http_resources (service, path, status, body) VALUES ($1, $2, 'deleted', '{}')",
        };
        entries.push(LedgerEntry { sql, parameters: vec![text(&self.name), text(path)] });
        self.resources.insert(path.to_owned(), Resource { body, deleted: true });
        answered(204, Json::Null)
    }
}

fn answered(status: u16, json: Json) -> Json {
    json!({ "status": status, "json": json })
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}
