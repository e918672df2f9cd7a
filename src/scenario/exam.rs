use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use ts_rs::TS;

/// A few requests on a small database, to be run in every order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Exam {
    pub id: String,
    pub title: String,
    /// Of each of the scenario's tables, at most so many rows; all if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rows: Option<u32>,
    /// SQL that runs once the scenario's rows are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub setup: Option<String>,
    pub requests: Vec<ExamRequest>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ExamRequest {
    pub entry: String,
    #[ts(type = "{ [key in string]: unknown }")]
    pub parameters: Map<String, Json>,
}
