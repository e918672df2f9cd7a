//! The operators of JSON documents.

use crate::sql::binder::{Typed, coerce};
use crate::sql::error::Result;
use crate::sql::plan::Expr;
use crate::sql::types::{Type, documents};

use super::Builtin;

static JSONB_MEMBER: Builtin =
    Builtin { name: "->", strict: true, volatile: false, call: |_, a| documents::jsonb_member(a) };

static JSONB_TEXT: Builtin =
    Builtin { name: "->>", strict: true, volatile: false, call: |_, a| documents::jsonb_text(a) };

static JSON_MEMBER: Builtin =
    Builtin { name: "->", strict: true, volatile: false, call: |_, a| documents::json_member(a) };

static JSON_TEXT: Builtin =
    Builtin { name: "->>", strict: true, volatile: false, call: |_, a| documents::json_text(a) };

/// `->` and `->>`: a member or element of a document, as JSON or as text. Of `json` it is the text that stands there.
pub fn member(of: Typed, key: Typed, to_text: bool) -> Result<Typed> {
    let jsonb = of.ty == Type::Jsonb;
    let key_type = if key.ty.is_integer() { Type::Int4 } else { Type::Text };
    let (function, ty): (&'static Builtin, Type) = match (jsonb, to_text) {
        (true, false) => (&JSONB_MEMBER, Type::Jsonb),
        (true, true) => (&JSONB_TEXT, Type::Text),
        (false, false) => (&JSON_MEMBER, Type::Json),
        (false, true) => (&JSON_TEXT, Type::Text),
    };
    let arguments = vec![of.expr, coerce(key, &key_type)?];
    Ok(Typed { expr: Expr::Call { function, arguments }, ty })
}
