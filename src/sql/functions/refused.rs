//! Functions PostgreSQL has that people may well try here. Refused aggregates and window functions are in the tables of their kind.

use super::RefusedSpec;
use super::signature::Kind::{self, Any, AnyArray, AnyCompatible, AnyCompatibleArray, AnyElement, Foreign};
use super::signature::{
    BOOL, BYTEA, FLOAT8, INT4, INT8, INTERVAL, JSONB, NUMERIC, Signature, TEXT, TEXT_ARRAY, TIME, TIMESTAMP,
    TIMESTAMPTZ, VOID,
};

pub static FUNCTIONS: &[RefusedSpec] = &[
    refused("length", &[BYTEA, TEXT]),
    refused("substr", &[BYTEA, INT4, INT4]).optional(1),
    refused("substring", &[BYTEA, INT4, INT4]).optional(1),
    refused("substring", &[TEXT, TEXT, TEXT]).optional(1),
    refused("position", &[BYTEA, BYTEA]),
    refused("btrim", &[BYTEA, BYTEA]),
    refused("ltrim", &[BYTEA, BYTEA]),
    refused("rtrim", &[BYTEA, BYTEA]),
    refused("to_char", &[TIMESTAMP, TEXT]),
    refused("to_char", &[TIMESTAMPTZ, TEXT]),
    refused("to_char", &[INTERVAL, TEXT]),
    refused("to_char", &[INT4, TEXT]),
    refused("to_char", &[INT8, TEXT]),
    refused("to_char", &[NUMERIC, TEXT]),
    refused("to_char", &[FLOAT8, TEXT]),
    refused("to_date", &[TEXT, TEXT]),
    refused("to_number", &[TEXT, TEXT]),
    refused("md5", &[TEXT]),
    refused("md5", &[BYTEA]),
    refused("sha256", &[BYTEA]),
    refused("encode", &[BYTEA, TEXT]),
    refused("decode", &[TEXT, TEXT]),
    refused("format", &[TEXT]),
    refused("format", &[TEXT, Any]).variadic(),
    refused("regexp_replace", &[TEXT, TEXT, TEXT, TEXT]).optional(1),
    refused("regexp_replace", &[TEXT, TEXT, TEXT, INT4, INT4, TEXT]).optional(2),
    refused("regexp_match", &[TEXT, TEXT, TEXT]).optional(1),
    refused("regexp_matches", &[TEXT, TEXT, TEXT]).optional(1),
    refused("regexp_split_to_array", &[TEXT, TEXT, TEXT]).optional(1),
    refused("string_to_array", &[TEXT, TEXT, TEXT]).optional(1),
    refused("translate", &[TEXT, TEXT, TEXT]),
    refused("overlay", &[TEXT, TEXT, INT4, INT4]).optional(1),
    refused("overlay", &[BYTEA, BYTEA, INT4, INT4]).optional(1),
    refused("quote_literal", &[TEXT]),
    refused("quote_literal", &[AnyElement]),
    refused("quote_ident", &[TEXT]),
    refused("array_to_string", &[AnyArray, TEXT, TEXT]).optional(1),
    refused("array_append", &[AnyCompatibleArray, AnyCompatible]),
    refused("array_prepend", &[AnyCompatible, AnyCompatibleArray]),
    refused("array_cat", &[AnyCompatibleArray, AnyCompatibleArray]),
    refused("array_remove", &[AnyCompatibleArray, AnyCompatible]),
    refused("array_position", &[AnyCompatibleArray, AnyCompatible, INT4]).optional(1),
    refused("trim_array", &[AnyArray, INT4]),
    refused("power", &[NUMERIC, NUMERIC]),
    refused("pow", &[NUMERIC, NUMERIC]),
    refused("sqrt", &[NUMERIC]),
    refused("exp", &[NUMERIC]),
    refused("ln", &[NUMERIC]),
    refused("log", &[FLOAT8]),
    refused("log", &[NUMERIC]),
    refused("log", &[NUMERIC, NUMERIC]),
    refused("log10", &[FLOAT8]),
    refused("log10", &[NUMERIC]),
    refused("trunc", &[MACADDR]),
    refused("cbrt", &[FLOAT8]),
    refused("degrees", &[FLOAT8]),
    refused("radians", &[FLOAT8]),
    refused("sin", &[FLOAT8]),
    refused("cos", &[FLOAT8]),
    refused("tan", &[FLOAT8]),
    refused("pi", &[]),
    refused("factorial", &[INT8]),
    refused("gcd", &[INT4, INT4]),
    refused("gcd", &[INT8, INT8]),
    refused("gcd", &[NUMERIC, NUMERIC]),
    refused("lcm", &[INT4, INT4]),
    refused("lcm", &[INT8, INT8]),
    refused("lcm", &[NUMERIC, NUMERIC]),
    refused("div", &[NUMERIC, NUMERIC]),
    refused("width_bucket", &[FLOAT8, FLOAT8, FLOAT8, INT4]),
    refused("width_bucket", &[NUMERIC, NUMERIC, NUMERIC, INT4]),
    refused("width_bucket", &[AnyCompatible, AnyCompatibleArray]),
    refused("setseed", &[FLOAT8]),
    refused("age", &[TIMESTAMP]),
    refused("age", &[TIMESTAMPTZ]),
    refused("age", &[XID]),
    refused("date_trunc", &[TEXT, INTERVAL]),
    refused("date_trunc", &[TEXT, TIMESTAMPTZ, TEXT]),
    refused("date_bin", &[INTERVAL, TIMESTAMP, TIMESTAMP]),
    refused("date_bin", &[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ]),
    refused("to_timestamp", &[TEXT, TEXT]),
    refused("make_interval", &[INT4, INT4, INT4, INT4, INT4, INT4, FLOAT8]).optional(7),
    refused("make_timestamp", &[INT4, INT4, INT4, INT4, INT4, FLOAT8]),
    // A time is converted to one with a zone.
    refused("timezone", &[TEXT, TIME]),
    refused("timezone", &[INTERVAL, TIME]),
    refused("current_time", &[]),
    // Aggregates of an ordered set.
    refused("mode", &[Any]).variadic().optional(1),
    refused("percentile_cont", &[Any]),
    refused("percentile_disc", &[Any]),
    refused("rank", &[Any]).variadic(),
    refused("dense_rank", &[Any]).variadic(),
    refused("percent_rank", &[Any]).variadic(),
    refused("cume_dist", &[Any]).variadic(),
    refused("jsonb_build_object", &[]),
    refused("jsonb_build_object", &[Any]).variadic(),
    refused("json_build_object", &[]),
    refused("json_build_object", &[Any]).variadic(),
    refused("to_jsonb", &[AnyElement]),
    refused("to_json", &[AnyElement]),
    refused("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB, BOOL]).optional(1),
    refused("row_to_json", &[RECORD, BOOL]).optional(1),
    refused("jsonb_array_elements", &[JSONB]),
    refused("jsonb_array_length", &[JSONB]),
    refused("generate_series", &[NUMERIC, NUMERIC, NUMERIC]).optional(1),
    refused("unnest", &[TSVECTOR]),
    // Several arrays side by side, in FROM.
    refused("unnest", &[Any, Any]).variadic(),
    refused("pg_sleep", &[FLOAT8]),
    refused("pg_sleep_for", &[INTERVAL]),
    refused("pg_notify", &[TEXT, TEXT]),
];

const MACADDR: Kind = Foreign(b'U');
const XID: Kind = Foreign(b'U');
const TSVECTOR: Kind = Foreign(b'U');
const RECORD: Kind = Foreign(b'P');

const fn refused(name: &'static str, parameters: &'static [Kind]) -> RefusedSpec {
    RefusedSpec { name, signature: Signature::new(parameters, VOID) }
}

impl RefusedSpec {
    const fn optional(mut self, parameters: usize) -> RefusedSpec {
        self.signature.optional = parameters;
        self
    }

    const fn variadic(mut self) -> RefusedSpec {
        self.signature.variadic = true;
        self
    }
}
