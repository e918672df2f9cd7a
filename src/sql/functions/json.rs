//! The operators of JSON documents: a member or element, as JSON or as text. Of `json` it is the text that stands there.

use crate::sql::types::documents;

use super::signature::{INT4, JSON, JSONB, TEXT};
use super::{FunctionSpec, pure};

pub static OPERATORS: &[FunctionSpec] = &[
    pure("->", &[JSON, TEXT], JSON, documents::json_member),
    pure("->", &[JSON, INT4], JSON, documents::json_member),
    pure("->", &[JSONB, TEXT], JSONB, documents::jsonb_member),
    pure("->", &[JSONB, INT4], JSONB, documents::jsonb_member),
    pure("->>", &[JSON, TEXT], TEXT, documents::json_text),
    pure("->>", &[JSON, INT4], TEXT, documents::json_text),
    pure("->>", &[JSONB, TEXT], TEXT, documents::jsonb_text),
    pure("->>", &[JSONB, INT4], TEXT, documents::jsonb_text),
];
