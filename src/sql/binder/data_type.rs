//! The types a statement names.

use crate::sql::catalog::system_names::{is_schema, is_system_relation};
use crate::sql::error::{Result, Stop, fail, refuse, refused};
use crate::sql::parser::ast;
use crate::sql::types::Type;

use super::Binder;

impl Binder<'_> {
    /// The type, if there is one; PostgreSQL has one for the rows of each table and view, too.
    pub(super) fn type_of(&self, data_type: &ast::DataType) -> Result<Type> {
        type_of(data_type).map_err(|stop| {
            match among_tables(&data_type.name).filter(|_| is_unknown(&stop)) {
                Some(name) if self.catalog.table(name).is_some() || is_system_relation(name) => {
                    refused(format!("the row type of {name}"))
                }
                _ => stop,
            }
            .at(data_type.name.0[0].at.0)
        })
    }
}

pub(super) fn type_of(data_type: &ast::DataType) -> Result<Type> {
    let element = element_type(data_type)?;
    Ok((0..data_type.dimensions.min(1)).fold(element, |ty, _| ty.array()))
}

/// Types of PostgreSQL that are not offered.
pub(super) const OTHER_TYPES: &[&str] = &[
    "bpchar",
    "char",
    "name",
    "float4",
    "money",
    "timetz",
    "bit",
    "varbit",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "tsvector",
    "tsquery",
    "xml",
    "jsonpath",
    "oid",
    "regclass",
    "regproc",
    "regprocedure",
    "regtype",
    "regrole",
    "regnamespace",
    "regoper",
    "regoperator",
    "regconfig",
    "regdictionary",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "tsmultirange",
    "tstzmultirange",
    "datemultirange",
    "pg_lsn",
    "pg_snapshot",
    "txid_snapshot",
    "xid",
    "xid8",
    "cid",
    "tid",
    "record",
    "void",
    "anyelement",
    "anyarray",
    "refcursor",
    "citext",
    "aclitem",
    "anycompatible",
    "anycompatiblearray",
    "anyenum",
    "anynonarray",
    "anyrange",
    "cstring",
    "int2vector",
    "oidvector",
    "regcollation",
    "trigger",
    "unknown",
];

fn element_type(data_type: &ast::DataType) -> Result<Type> {
    let unknown = || fail(UNDEFINED, format!("type \"{}\" does not exist", data_type.name));
    let name = match data_type.name.0.as_slice() {
        [name] => &*name.name,
        [schema, name] if &*schema.name == "pg_catalog" => &*name.name,
        [schema, _] if &*schema.name == "public" => return unknown(),
        [schema, _] if is_schema(&schema.name) => return refuse(format!("the schema {}", schema.name)),
        [schema, _] => return fail("3F000", format!("schema \"{}\" does not exist", schema.name)),
        _ => return refuse("a name of more than two parts"),
    };
    let modifiers = data_type.modifiers.as_slice();
    Ok(match (name, modifiers) {
        ("bool", []) => Type::Bool,
        ("int2", []) => Type::Int2,
        ("int4", []) => Type::Int4,
        ("int8", []) => Type::Int8,
        ("float8", []) => Type::Float8,
        ("numeric", []) => Type::Numeric(None),
        ("numeric", [precision]) => numeric_type(*precision, 0)?,
        ("numeric", [precision, scale]) => numeric_type(*precision, *scale)?,
        ("text", []) => Type::Text,
        ("varchar", []) => Type::Varchar(None),
        ("varchar", [length]) if *length < 1 => return fail("22023", "length for type varchar must be at least 1"),
        ("varchar", [length]) => Type::Varchar(Some(u32::try_from(*length).unwrap_or(u32::MAX))),
        ("bytea", []) => Type::Bytea,
        ("date", []) => Type::Date,
        ("time", []) => Type::Time,
        ("timestamp", []) => Type::Timestamp,
        ("timestamptz", []) => Type::TimestampTz,
        ("interval", []) => Type::Interval,
        ("uuid", []) => Type::Uuid,
        ("json", []) => Type::Json,
        ("jsonb", []) => Type::Jsonb,
        (known, [_, ..]) if is_offered_bare(known) => return refuse(format!("the type {}", data_type.text)),
        (known, _) if OTHER_TYPES.contains(&known) => return refuse(format!("the type {}", data_type.text)),
        _ => return unknown(),
    })
}

const UNDEFINED: &str = "42704";

fn is_unknown(stop: &Stop) -> bool {
    matches!(stop, Stop::Failed(error) if error.sqlstate.as_str() == UNDEFINED)
}

/// What the name may mean among tables.
fn among_tables(name: &ast::ObjectName) -> Option<&str> {
    match name.0.as_slice() {
        [name] => Some(&name.name),
        [schema, name] if ["public", "pg_catalog"].contains(&&*schema.name) => Some(&name.name),
        _ => None,
    }
}

/// Types that are offered, but not with modifiers.
fn is_offered_bare(name: &str) -> bool {
    const OFFERED: [&str; 10] =
        ["time", "timestamp", "timestamptz", "interval", "bool", "float8", "text", "bytea", "date", "numeric"];
    OFFERED.contains(&name)
}

pub(super) fn numeric_type(precision: i64, scale: i64) -> Result<Type> {
    if !(1..=1000).contains(&precision) {
        return fail("22023", format!("NUMERIC precision {precision} must be between 1 and 1000"));
    }
    if precision > 28 || scale > precision || scale < 0 {
        return refuse(format!("NUMERIC({precision}, {scale}): at most 28 digits"));
    }
    Ok(Type::Numeric(Some((precision as u32, scale as u32))))
}
