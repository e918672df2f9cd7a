//! The functions one may call. What is not in this list is refused or unknown, never guessed. Letters have two cases as in locale
//! "C", whose order texts have too: those of ASCII.

use std::rc::Rc;

use crate::store::{AdvisoryKey, Mode, Stamp, compare};
use crate::trace::Value;

use super::binder::{Typed, coerce, common_type, common_type_of};
use super::budget::{checked_length, text_length};
use super::datetime;
use super::error::{Result, error, fail, refuse};
use super::exec::Context;
use super::expr::{Builtin, Expr};
use super::numeric;
use super::types::{self, Type, text};

macro_rules! builtin {
    ($name:expr, $call:expr) => {{
        static BUILTIN: Builtin = Builtin { name: $name, strict: true, volatile: false, call: $call };
        &BUILTIN
    }};
    ($name:expr, $call:expr, volatile) => {{
        static BUILTIN: Builtin = Builtin { name: $name, strict: true, volatile: true, call: $call };
        &BUILTIN
    }};
    ($name:expr, $call:expr, nulls) => {{
        static BUILTIN: Builtin = Builtin { name: $name, strict: false, volatile: false, call: $call };
        &BUILTIN
    }};
}

fn string(value: &Value) -> &str {
    match value {
        Value::Text(value) | Value::Json(value) => value,
        _ => "",
    }
}

fn int(value: &Value) -> i64 {
    if let Value::Int(value) = value { *value } else { 0 }
}

fn float(value: &Value) -> f64 {
    if let Value::Float(value) = value { *value } else { f64::NAN }
}

/// Where the log begins, and how much of it a commit takes.
const LOG_START: i64 = 0x150_0000;
const LOG_BYTES_PER_COMMIT: i64 = 0x70;

/// A place in the log as PostgreSQL writes it.
fn lsn(stamp: Stamp) -> String {
    let bytes = LOG_START + i64::from(stamp.number()) * LOG_BYTES_PER_COMMIT;
    format!("{:X}/{:X}", bytes >> 32, bytes & 0xFFFF_FFFF)
}

fn lsn_bytes(lsn: &str) -> Result<i64> {
    let halves = lsn.split_once('/');
    let parsed = halves.and_then(|(high, low)| {
        Some((i64::from(u32::from_str_radix(high, 16).ok()?) << 32) + i64::from(u32::from_str_radix(low, 16).ok()?))
    });
    parsed.ok_or_else(|| error("22P02", format!("invalid input syntax for type pg_lsn: \"{lsn}\"")))
}

/// Whether a call's answer changes from one statement to the next with the same arguments and the same rows.
pub fn is_restless(expr: &Expr) -> bool {
    const CLOCKS: [&str; 5] = ["now", "statement_timestamp", "localtimestamp", "current_date", "localtime"];
    matches!(expr, Expr::Call { function, .. } if function.volatile || CLOCKS.contains(&function.name))
}

/// Resolves a call whose arguments are bound. `None`: there is no such function here.
pub fn resolve(name: &str, mut arguments: Vec<Typed>) -> Result<Option<Typed>> {
    let count = arguments.len();
    let kinds: Vec<Type> = arguments.iter().map(|argument| argument.ty.unmodified()).collect();
    let mut as_types = |wanted: &[Type]| -> Result<Vec<Expr>> {
        let taken = std::mem::take(&mut arguments);
        taken.into_iter().zip(wanted).map(|(argument, ty)| for_function(name, argument, ty)).collect()
    };
    let call = |function: &'static Builtin, arguments: Vec<Expr>, ty: Type| {
        Ok(Some(Typed { expr: Expr::Call { function, arguments }, ty }))
    };
    use Type::{Bool, Date, Float8, Int4, Int8, Interval, Text, Time, Timestamp, TimestampTz, Uuid};
    match (name, count) {
        ("lower", 1) => {
            call(builtin!("lower", |_, a| Ok(text(&string(&a[0]).to_ascii_lowercase()))), as_types(&[Text])?, Text)
        }
        ("upper", 1) => {
            call(builtin!("upper", |_, a| Ok(text(&string(&a[0]).to_ascii_uppercase()))), as_types(&[Text])?, Text)
        }
        ("initcap", 1) => call(
            builtin!("initcap", |_, a| {
                let mut inside = false;
                let changed: String = string(&a[0])
                    .chars()
                    .map(|c| {
                        let changed = if inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
                        inside = c.is_ascii_alphanumeric();
                        changed
                    })
                    .collect();
                Ok(text(&changed))
            }),
            as_types(&[Text])?,
            Text,
        ),
        ("length" | "char_length" | "character_length", 1) => call(
            builtin!("length", |_, a| Ok(Value::Int(string(&a[0]).chars().count() as i64))),
            as_types(&[Text])?,
            Int4,
        ),
        ("octet_length", 1) => {
            call(builtin!("octet_length", |_, a| Ok(Value::Int(string(&a[0]).len() as i64))), as_types(&[Text])?, Int4)
        }
        ("reverse", 1) => call(
            builtin!("reverse", |_, a| Ok(text(&string(&a[0]).chars().rev().collect::<String>()))),
            as_types(&[Text])?,
            Text,
        ),
        ("concat", 1..) => {
            let arguments = arguments.into_iter().map(printed).collect();
            call(
                builtin!(
                    "concat",
                    |_, a| {
                        checked_length(a.iter().map(text_length).sum())?;
                        Ok(text(&a.iter().map(types::print).collect::<String>()))
                    },
                    nulls
                ),
                arguments,
                Text,
            )
        }
        ("concat_ws", 2..) => {
            let arguments = arguments.into_iter().map(printed).collect();
            call(
                builtin!(
                    "concat_ws",
                    |_, a| {
                        if a[0] == Value::Null {
                            return Ok(Value::Null);
                        }
                        let separators = (a.len() - 2) * text_length(&a[0]);
                        checked_length(separators + a[1..].iter().map(text_length).sum::<usize>())?;
                        let parts: Vec<String> =
                            a[1..].iter().filter(|v| **v != Value::Null).map(types::print).collect();
                        Ok(text(&parts.join(string(&a[0]))))
                    },
                    nulls
                ),
                arguments,
                Text,
            )
        }
        ("substr" | "substring", 2) => {
            call(builtin!("substr", |_, a| substring(string(&a[0]), int(&a[1]), None)), as_types(&[Text, Int4])?, Text)
        }
        ("substr" | "substring", 3) => call(
            builtin!("substr", |_, a| substring(string(&a[0]), int(&a[1]), Some(int(&a[2])))),
            as_types(&[Text, Int4, Int4])?,
            Text,
        ),
        ("left", 2) => call(
            builtin!("left", |_, a| {
                let length = string(&a[0]).chars().count() as i64;
                let take = if int(&a[1]) < 0 { (length + int(&a[1])).max(0) } else { int(&a[1]) };
                Ok(text(&string(&a[0]).chars().take(take as usize).collect::<String>()))
            }),
            as_types(&[Text, Int4])?,
            Text,
        ),
        ("right", 2) => call(
            builtin!("right", |_, a| {
                let length = string(&a[0]).chars().count() as i64;
                let skip = if int(&a[1]) < 0 { -int(&a[1]) } else { (length - int(&a[1])).max(0) };
                Ok(text(&string(&a[0]).chars().skip(skip as usize).collect::<String>()))
            }),
            as_types(&[Text, Int4])?,
            Text,
        ),
        ("btrim" | "trim", 1) => {
            call(builtin!("btrim", |_, a| Ok(text(string(&a[0]).trim_matches(' ')))), as_types(&[Text])?, Text)
        }
        ("ltrim", 1) => {
            call(builtin!("ltrim", |_, a| Ok(text(string(&a[0]).trim_start_matches(' ')))), as_types(&[Text])?, Text)
        }
        ("rtrim", 1) => {
            call(builtin!("rtrim", |_, a| Ok(text(string(&a[0]).trim_end_matches(' ')))), as_types(&[Text])?, Text)
        }
        ("btrim" | "trim", 2) => call(
            builtin!("btrim", |_, a| Ok(text(string(&a[0]).trim_matches(|c| string(&a[1]).contains(c))))),
            as_types(&[Text, Text])?,
            Text,
        ),
        ("ltrim", 2) => call(
            builtin!("ltrim", |_, a| Ok(text(string(&a[0]).trim_start_matches(|c| string(&a[1]).contains(c))))),
            as_types(&[Text, Text])?,
            Text,
        ),
        ("rtrim", 2) => call(
            builtin!("rtrim", |_, a| Ok(text(string(&a[0]).trim_end_matches(|c| string(&a[1]).contains(c))))),
            as_types(&[Text, Text])?,
            Text,
        ),
        ("replace", 3) => call(
            builtin!("replace", |_, a| {
                if string(&a[1]).is_empty() {
                    return Ok(a[0].clone());
                }
                let found = string(&a[0]).matches(string(&a[1])).count();
                checked_length(string(&a[0]).len() + found * string(&a[2]).len())?;
                Ok(text(&string(&a[0]).replace(string(&a[1]), string(&a[2]))))
            }),
            as_types(&[Text, Text, Text])?,
            Text,
        ),
        ("strpos" | "position", 2) => call(
            builtin!("strpos", |_, a| {
                let at = string(&a[0]).find(string(&a[1]));
                Ok(Value::Int(at.map_or(0, |at| string(&a[0])[..at].chars().count() as i64 + 1)))
            }),
            as_types(&[Text, Text])?,
            Int4,
        ),
        ("starts_with", 2) => call(
            builtin!("starts_with", |_, a| Ok(Value::Bool(string(&a[0]).starts_with(string(&a[1]))))),
            as_types(&[Text, Text])?,
            Bool,
        ),
        ("repeat", 2) => call(
            builtin!("repeat", |_, a| {
                let times = int(&a[1]).max(0) as usize;
                checked_length(string(&a[0]).len().saturating_mul(times))?;
                Ok(text(&string(&a[0]).repeat(times)))
            }),
            as_types(&[Text, Int4])?,
            Text,
        ),
        ("lpad" | "rpad", 2 | 3) => {
            let function = if name == "lpad" {
                builtin!("lpad", |_, a| pad(a, true))
            } else {
                builtin!("rpad", |_, a| pad(a, false))
            };
            call(function, as_types(&[Text, Int4, Text])?, Text)
        }
        ("split_part", 3) => call(
            builtin!("split_part", |_, a| {
                let place = int(&a[2]);
                if place == 0 {
                    return fail("22023", "field position must not be zero");
                }
                let parts: Vec<&str> = if string(&a[1]).is_empty() {
                    vec![string(&a[0])]
                } else {
                    string(&a[0]).split(string(&a[1])).collect()
                };
                let at = if place > 0 { place - 1 } else { parts.len() as i64 + place };
                Ok(text(usize::try_from(at).ok().and_then(|at| parts.get(at)).unwrap_or(&"")))
            }),
            as_types(&[Text, Text, Int4])?,
            Text,
        ),
        ("ascii", 1) => call(
            builtin!("ascii", |_, a| Ok(Value::Int(
                string(&a[0]).chars().next().map_or(0, |c| i64::from(u32::from(c)))
            ))),
            as_types(&[Text])?,
            Int4,
        ),
        ("chr", 1) => call(
            builtin!("chr", |_, a| match u32::try_from(int(&a[0])).ok().filter(|c| *c > 0).and_then(char::from_u32) {
                Some(c) => Ok(text(&c.to_string())),
                None => fail("54000", "requested character not valid for encoding"),
            }),
            as_types(&[Int4])?,
            Text,
        ),
        ("hashtext", 1) => call(
            builtin!("hashtext", |_, a| Ok(Value::Int(i64::from(hash_bytes(string(&a[0]).as_bytes()) as i32)))),
            as_types(&[Text])?,
            Int4,
        ),

        ("abs" | "sign" | "ceil" | "ceiling" | "floor" | "round" | "trunc", 1) => {
            let argument = arguments.remove(0);
            one_number(name, argument)
        }
        ("round" | "trunc", 2) => {
            let function = if name == "round" {
                builtin!("round", |_, a| to_scale(a, numeric::round))
            } else {
                builtin!("trunc", |_, a| to_scale(a, numeric::truncate))
            };
            call(function, as_types(&[Type::Numeric(None), Int4])?, Type::Numeric(None))
        }
        ("mod", 2) => {
            let right = arguments.remove(1);
            let left = arguments.remove(0);
            super::binder::arithmetic(super::expr::Arithmetic::Remainder, left, right).map(Some)
        }
        ("power" | "pow", 2) => {
            if kinds.contains(&Type::Numeric(None)) {
                return refuse("power() of numeric");
            }
            call(
                builtin!("power", |_, a| {
                    let (base, exponent) = (float(&a[0]), float(&a[1]));
                    if base == 0.0 && exponent < 0.0 {
                        return fail("2201F", "zero raised to a negative power is undefined");
                    }
                    if base < 0.0 && exponent.fract() != 0.0 {
                        return fail(
                            "2201F",
                            "a negative number raised to a non-integer power yields a complex result",
                        );
                    }
                    finite(base.powf(exponent))
                }),
                as_types(&[Float8, Float8])?,
                Float8,
            )
        }
        ("sqrt" | "exp" | "ln", 1) => {
            if kinds.contains(&Type::Numeric(None)) {
                return refuse(format!("{name}() of numeric"));
            }
            let function = match name {
                "sqrt" => builtin!("sqrt", |_, a| {
                    if float(&a[0]) < 0.0 {
                        return fail("2201F", "cannot take square root of a negative number");
                    }
                    Ok(Value::Float(float(&a[0]).sqrt()))
                }),
                "exp" => builtin!("exp", |_, a| finite(float(&a[0]).exp())),
                _ => builtin!("ln", |_, a| {
                    if float(&a[0]) == 0.0 {
                        return fail("2201E", "cannot take logarithm of zero");
                    }
                    if float(&a[0]) < 0.0 {
                        return fail("2201E", "cannot take logarithm of a negative number");
                    }
                    Ok(Value::Float(float(&a[0]).ln()))
                }),
            };
            call(function, as_types(&[Float8])?, Float8)
        }
        ("random", 0) => {
            call(builtin!("random", |c, _| Ok(Value::Float(c.engine.random())), volatile), Vec::new(), Float8)
        }
        ("gen_random_uuid", 0) => call(
            builtin!("gen_random_uuid", |c, _| Ok(Value::Uuid(c.engine.random_uuid())), volatile),
            Vec::new(),
            Uuid,
        ),
        ("nullif", 2) => {
            let ty = common_type_of("NULLIF", &arguments)?;
            let left_ty = if arguments[0].ty == Type::Unknown { ty.clone() } else { arguments[0].ty.clone() };
            let right = coerce(arguments.remove(1), &ty)?;
            let left = coerce(arguments.remove(0), &ty)?;
            let call = builtin!(
                "nullif",
                |_, a| Ok(if a[0] != Value::Null && a[1] != Value::Null && compare(&a[0], &a[1]).is_eq() {
                    Value::Null
                } else {
                    a[0].clone()
                }),
                nulls
            );
            let expr = Expr::Call { function: call, arguments: vec![left, right] };
            let expr = if left_ty.same_kind(&ty) {
                expr
            } else {
                Expr::Cast { of: Box::new(expr), from: ty, to: left_ty.clone(), explicit: true }
            };
            Ok(Some(Typed { expr, ty: left_ty }))
        }
        ("greatest" | "least", 1..) => {
            let ty = common_type_of(&name.to_uppercase(), &arguments)?;
            let cast: Result<Vec<Expr>> = arguments.into_iter().map(|argument| coerce(argument, &ty)).collect();
            let function = if name == "greatest" {
                builtin!(
                    "greatest",
                    |_, a| Ok(a
                        .iter()
                        .filter(|v| **v != Value::Null)
                        .rev()
                        .max_by(|x, y| compare(x, y))
                        .cloned()
                        .unwrap_or(Value::Null)),
                    nulls
                )
            } else {
                builtin!(
                    "least",
                    |_, a| Ok(a
                        .iter()
                        .filter(|v| **v != Value::Null)
                        .min_by(|x, y| compare(x, y))
                        .cloned()
                        .unwrap_or(Value::Null)),
                    nulls
                )
            };
            call(function, cast?, ty)
        }

        ("now" | "transaction_timestamp" | "current_timestamp", 0) => call(
            builtin!("now", |c, _| Ok(Value::TimestampTz(c.engine.wall(c.transaction_began)))),
            Vec::new(),
            TimestampTz,
        ),
        ("statement_timestamp", 0) => call(
            builtin!("statement_timestamp", |c, _| Ok(Value::TimestampTz(c.engine.wall(c.run.began_at)))),
            Vec::new(),
            TimestampTz,
        ),
        ("clock_timestamp", 0) => call(
            builtin!("clock_timestamp", |c, _| Ok(Value::TimestampTz(c.engine.wall(c.now))), volatile),
            Vec::new(),
            TimestampTz,
        ),
        ("localtimestamp", 0) => call(
            builtin!("localtimestamp", |c, _| Ok(Value::Timestamp(c.engine.wall(c.transaction_began)))),
            Vec::new(),
            Timestamp,
        ),
        ("current_date", 0) => call(
            builtin!("current_date", |c, _| Ok(Value::Date(
                c.engine.wall(c.transaction_began).div_euclid(datetime::DAY_US) as i32
            ))),
            Vec::new(),
            Date,
        ),
        ("localtime", 0) => call(
            builtin!("localtime", |c, _| Ok(Value::Time(
                c.engine.wall(c.transaction_began).rem_euclid(datetime::DAY_US)
            ))),
            Vec::new(),
            Time,
        ),
        ("date_trunc", 2) => {
            let ty = match kinds[1] {
                Timestamp => Timestamp,
                Date | TimestampTz => TimestampTz,
                Interval => return refuse("date_trunc of an interval"),
                _ => TimestampTz,
            };
            let arguments = as_types(&[Text, ty.clone()])?;
            call(
                builtin!("date_trunc", |_, a| {
                    Ok(match &a[1] {
                        Value::Timestamp(at) => Value::Timestamp(datetime::truncate(string(&a[0]), *at)?),
                        Value::TimestampTz(at) => Value::TimestampTz(datetime::truncate(string(&a[0]), *at)?),
                        other => other.clone(),
                    })
                }),
                arguments,
                ty,
            )
        }
        ("extract" | "date_part", 2) => {
            let source = match kinds[1].clone() {
                Type::Unknown => return refuse("extract from a literal without a type"),
                other => other,
            };
            if !matches!(source, Date | Timestamp | TimestampTz | Interval | Time) {
                return Ok(None);
            }
            let arguments = as_types(&[Text, source])?;
            if name == "extract" {
                call(builtin!("extract", |_, a| extract(a)), arguments, Type::Numeric(None))
            } else {
                call(
                    builtin!("date_part", |_, a| types::cast(extract(a)?, &Type::Numeric(None), &Float8, true)),
                    arguments,
                    Float8,
                )
            }
        }
        ("age", 2) => {
            let ty = if kinds.contains(&TimestampTz) { TimestampTz } else { Timestamp };
            call(
                builtin!("age", |_, a| Ok(datetime::age(instant(&a[0]), instant(&a[1])))),
                as_types(&[ty.clone(), ty])?,
                Interval,
            )
        }
        ("to_timestamp", 1) => call(
            builtin!("to_timestamp", |_, a| Ok(Value::TimestampTz((float(&a[0]) * 1e6).round() as i64))),
            as_types(&[Float8])?,
            TimestampTz,
        ),
        ("make_date", 3) => call(
            builtin!("make_date", |_, a| {
                let written = format!("{:04}-{:02}-{:02}", int(&a[0]), int(&a[1]), int(&a[2]));
                datetime::parse_date(&written).map(|days| Value::Date(days as i32)).map_err(|_| {
                    error(
                        "22008",
                        format!("date field value out of range: {}-{:02}-{:02}", int(&a[0]), int(&a[1]), int(&a[2])),
                    )
                })
            }),
            as_types(&[Int4, Int4, Int4])?,
            Date,
        ),

        ("nextval", 1) => call(
            builtin!(
                "nextval",
                |c, a| {
                    let sequence = c.engine.catalog.sequence(string(&a[0]))?.clone();
                    let value = sequence.next()?;
                    c.engine.remember_sequence(c.session, &sequence.name, value);
                    Ok(Value::Int(value))
                },
                volatile
            ),
            as_types(&[Text])?,
            Int8,
        ),
        ("currval", 1) => call(
            builtin!(
                "currval",
                |c, a| {
                    let name = c.engine.catalog.sequence(string(&a[0]))?.name.clone();
                    c.engine.remembered_sequence(c.session, Some(&name)).map(Value::Int).ok_or_else(|| {
                        error("55000", format!("currval of sequence \"{name}\" is not yet defined in this session"))
                    })
                },
                volatile
            ),
            as_types(&[Text])?,
            Int8,
        ),
        ("lastval", 0) => call(
            builtin!(
                "lastval",
                |c, _| {
                    c.engine
                        .remembered_sequence(c.session, None)
                        .map(Value::Int)
                        .ok_or_else(|| error("55000", "lastval is not yet defined in this session"))
                },
                volatile
            ),
            Vec::new(),
            Int8,
        ),
        ("setval", 2 | 3) => call(
            builtin!(
                "setval",
                |c, a| {
                    let sequence = c.engine.catalog.sequence(string(&a[0]))?.clone();
                    let value = int(&a[1]);
                    if !(sequence.min..=sequence.max).contains(&value) {
                        return fail(
                            "22003",
                            format!(
                                "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                                sequence.name, sequence.min, sequence.max
                            ),
                        );
                    }
                    sequence.last.set(value);
                    sequence.called.set(a.get(2) != Some(&Value::Bool(false)));
                    Ok(Value::Int(value))
                },
                volatile
            ),
            as_types(&[Text, Int8, Bool])?,
            Int8,
        ),

        ("pg_backend_pid", 0) => {
            call(builtin!("pg_backend_pid", |c, _| Ok(Value::Int(i64::from(c.session.0) + 1))), Vec::new(), Int4)
        }
        ("txid_current" | "pg_current_xact_id", 0) => call(
            builtin!(
                "txid_current",
                |c, _| Ok(Value::Int(i64::from(c.engine.store.assign_xid(c.session).0))),
                volatile
            ),
            Vec::new(),
            Int8,
        ),
        ("pg_is_in_recovery", 0) => call(
            builtin!("pg_is_in_recovery", |c, _| Ok(Value::Bool(c.engine.store.follows(c.session)))),
            Vec::new(),
            Bool,
        ),
        ("pg_current_wal_lsn", 0) => call(
            builtin!(
                "pg_current_wal_lsn",
                |c, _| {
                    if c.engine.store.follows(c.session) {
                        return fail("55000", "recovery is in progress");
                    }
                    Ok(text(&lsn(c.engine.store.newest())))
                },
                volatile
            ),
            Vec::new(),
            Text,
        ),
        ("pg_last_wal_replay_lsn", 0) => call(
            builtin!(
                "pg_last_wal_replay_lsn",
                |c, _| {
                    let store = &c.engine.store;
                    Ok(if store.follows(c.session) { text(&lsn(store.replayed())) } else { Value::Null })
                },
                volatile
            ),
            Vec::new(),
            Text,
        ),
        ("pg_wal_lsn_diff", 2) => call(
            builtin!("pg_wal_lsn_diff", |_, a| {
                Ok(Value::Numeric((lsn_bytes(string(&a[0]))? - lsn_bytes(string(&a[1]))?).into()))
            }),
            as_types(&[Text, Text])?,
            Type::Numeric(None),
        ),
        ("version", 0) => {
            call(builtin!("version", |_, _| Ok(text("PostgreSQL 15 (2 AM playground)"))), Vec::new(), Text)
        }
        ("current_database" | "current_catalog", 0) => {
            call(builtin!("current_database", |_, _| Ok(text("app"))), Vec::new(), Text)
        }
        ("current_schema", 0) => call(builtin!("current_schema", |_, _| Ok(text("public"))), Vec::new(), Text),
        ("current_user" | "session_user" | "user", 0) => {
            call(builtin!("current_user", |_, _| Ok(text("app"))), Vec::new(), Text)
        }
        ("array_length", 2) => {
            let source = kinds[0].clone();
            if !matches!(source, Type::Array(_)) {
                return Ok(None);
            }
            call(
                builtin!("array_length", |_, a| {
                    Ok(match &a[0] {
                        Value::Array(elements) if int(&a[1]) == 1 && !elements.is_empty() => {
                            Value::Int(elements.len() as i64)
                        }
                        _ => Value::Null,
                    })
                }),
                as_types(&[source, Int4])?,
                Int4,
            )
        }
        ("cardinality", 1) => {
            let source = kinds[0].clone();
            if !matches!(source, Type::Array(_)) {
                return Ok(None);
            }
            call(
                builtin!("cardinality", |_, a| Ok(if let Value::Array(elements) = &a[0] {
                    Value::Int(elements.len() as i64)
                } else {
                    Value::Null
                })),
                as_types(&[source])?,
                Int4,
            )
        }
        ("pg_typeof", 1) => {
            let name = arguments[0].ty.name();
            Ok(Some(Typed { expr: Expr::Const(text(&name)), ty: Text }))
        }
        (name, 1 | 2) if name.starts_with("pg_advisory_") || name.starts_with("pg_try_advisory_") => {
            let wanted = if count == 1 { vec![Int8] } else { vec![Int4, Int4] };
            let ty = if name.starts_with("pg_try_") || name.contains("unlock") { Bool } else { Type::Void };
            let Some(function) = advisory(name) else { return Ok(None) };
            call(function, as_types(&wanted)?, ty)
        }
        ("pg_advisory_unlock_all", 0) => call(
            builtin!(
                "pg_advisory_unlock_all",
                |c, _| {
                    c.engine.unlock_advisory(c.session);
                    Ok(Value::Null)
                },
                volatile
            ),
            Vec::new(),
            Type::Void,
        ),
        (known, _) if REFUSED.contains(&known) => refuse(format!("the function {known}()")),
        _ => Ok(None),
    }
}

/// Functions PostgreSQL has that people may well try here.
const REFUSED: &[&str] = &[
    "to_char",
    "to_date",
    "to_number",
    "md5",
    "sha256",
    "encode",
    "decode",
    "format",
    "regexp_replace",
    "regexp_match",
    "regexp_matches",
    "regexp_split_to_array",
    "string_to_array",
    "array_to_string",
    "array_append",
    "array_position",
    "translate",
    "overlay",
    "pg_sleep",
    "pg_notify",
    "log",
    "log10",
    "cbrt",
    "degrees",
    "radians",
    "sin",
    "cos",
    "tan",
    "pi",
    "width_bucket",
    "trim_array",
    "array_remove",
    "array_cat",
    "array_prepend",
    "jsonb_build_object",
    "json_build_object",
    "jsonb_agg",
    "json_agg",
    "to_jsonb",
    "to_json",
    "jsonb_set",
    "row_to_json",
    "jsonb_array_elements",
    "jsonb_array_length",
    "percentile_cont",
    "percentile_disc",
    "mode",
    "stddev",
    "variance",
    "stddev_pop",
    "stddev_samp",
    "var_pop",
    "var_samp",
    "corr",
    "bit_and",
    "bit_or",
    "ntile",
    "percent_rank",
    "cume_dist",
    "nth_value",
    "make_interval",
    "make_timestamp",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "date_bin",
    "timezone",
    "quote_literal",
    "quote_ident",
    "factorial",
    "gcd",
    "lcm",
    "div",
    "setseed",
    "pg_sleep_for",
    "isfinite",
    "json_object_agg",
    "jsonb_object_agg",
    "every_row",
];

fn advisory(name: &str) -> Option<&'static Builtin> {
    const EXCLUSIVE: Mode = Mode::Exclusive;
    const SHARED: Mode = Mode::Share;
    fn key(a: &[Value]) -> AdvisoryKey {
        match a {
            [one] => AdvisoryKey::One(int(one)),
            _ => AdvisoryKey::Two(int(&a[0]) as i32, int(&a[1]) as i32),
        }
    }
    macro_rules! take {
        ($name:literal, $mode:expr, $transaction:expr, wait) => {
            builtin!($name, |c, a| c.advisory_lock(key(a), $mode, $transaction, true).map(|_| text("")), volatile)
        };
        ($name:literal, $mode:expr, $transaction:expr, try) => {
            builtin!($name, |c, a| c.advisory_lock(key(a), $mode, $transaction, false).map(Value::Bool), volatile)
        };
    }
    fn unlock(c: &mut Context, key: AdvisoryKey, mode: Mode) -> Result<Value> {
        let held = c.engine.unlock_one_advisory(c.session, key, mode);
        if !held {
            let kind = if mode == EXCLUSIVE { "ExclusiveLock" } else { "ShareLock" };
            c.notice("WARNING", "01000", format!("you don't own a lock of type {kind}"));
        }
        Ok(Value::Bool(held))
    }
    Some(match name {
        "pg_advisory_lock" => take!("pg_advisory_lock", EXCLUSIVE, false, wait),
        "pg_advisory_lock_shared" => take!("pg_advisory_lock_shared", SHARED, false, wait),
        "pg_advisory_xact_lock" => take!("pg_advisory_xact_lock", EXCLUSIVE, true, wait),
        "pg_advisory_xact_lock_shared" => take!("pg_advisory_xact_lock_shared", SHARED, true, wait),
        "pg_try_advisory_lock" => take!("pg_try_advisory_lock", EXCLUSIVE, false, try),
        "pg_try_advisory_lock_shared" => take!("pg_try_advisory_lock_shared", SHARED, false, try),
        "pg_try_advisory_xact_lock" => take!("pg_try_advisory_xact_lock", EXCLUSIVE, true, try),
        "pg_try_advisory_xact_lock_shared" => take!("pg_try_advisory_xact_lock_shared", SHARED, true, try),
        "pg_advisory_unlock" => builtin!("pg_advisory_unlock", |c, a| unlock(c, key(a), EXCLUSIVE), volatile),
        "pg_advisory_unlock_shared" => {
            builtin!("pg_advisory_unlock_shared", |c, a| unlock(c, key(a), SHARED), volatile)
        }
        _ => return None,
    })
}

/// As `coerce`, but a function that does not take the argument's type does not exist.
fn for_function(name: &str, argument: Typed, ty: &Type) -> Result<Expr> {
    let from = argument.ty.clone();
    coerce(argument, ty).map_err(|_| error("42883", format!("function {name}({}) does not exist", from.name())))
}

fn printed(argument: Typed) -> Expr {
    // concat() shows booleans as t and f, a cast to text as true and false.
    argument.expr
}

fn finite(value: f64) -> Result<Value> {
    if value.is_infinite() { fail("22003", "value out of range: overflow") } else { Ok(Value::Float(value)) }
}

fn one_number(name: &str, argument: Typed) -> Result<Option<Typed>> {
    let argument = if argument.ty == Type::Unknown {
        Typed { expr: coerce(argument, &Type::Float8)?, ty: Type::Float8 }
    } else {
        argument
    };
    if !argument.ty.is_number() {
        return Ok(None);
    }
    let keeps_integer = name == "abs";
    let ty = match &argument.ty {
        integer if integer.is_integer() && keeps_integer => integer.clone(),
        integer if integer.is_integer() => Type::Float8,
        Type::Numeric(_) => Type::Numeric(None),
        other => other.clone(),
    };
    let function = match name {
        "abs" => builtin!("abs", |_, a| Ok(match &a[0] {
            Value::Int(value) => Value::Int(value.checked_abs().ok_or_else(|| error("22003", "bigint out of range"))?),
            Value::Numeric(value) => Value::Numeric(value.abs()),
            Value::Float(value) => Value::Float(value.abs()),
            other => other.clone(),
        })),
        "sign" => builtin!("sign", |_, a| Ok(match &a[0] {
            Value::Numeric(value) => Value::Numeric(rust_decimal::Decimal::from(value.mantissa().signum() as i64)),
            Value::Float(value) => Value::Float(if *value == 0.0 { 0.0 } else { value.signum() }),
            other => other.clone(),
        })),
        "ceil" | "ceiling" => builtin!("ceil", |_, a| Ok(match &a[0] {
            Value::Numeric(value) => Value::Numeric(numeric::ceil(value)?),
            Value::Float(value) => Value::Float(value.ceil()),
            other => other.clone(),
        })),
        "floor" => builtin!("floor", |_, a| Ok(match &a[0] {
            Value::Numeric(value) => Value::Numeric(numeric::floor(value)?),
            Value::Float(value) => Value::Float(value.floor()),
            other => other.clone(),
        })),
        "round" => builtin!("round", |_, a| Ok(match &a[0] {
            Value::Numeric(value) => Value::Numeric(numeric::round(value, 0)?),
            Value::Float(value) => Value::Float(value.round_ties_even()),
            other => other.clone(),
        })),
        _ => builtin!("trunc", |_, a| Ok(match &a[0] {
            Value::Numeric(value) => Value::Numeric(numeric::truncate(value, 0)?),
            Value::Float(value) => Value::Float(value.trunc()),
            other => other.clone(),
        })),
    };
    let range_checked = argument.ty == Type::Int4 || argument.ty == Type::Int2;
    let from = argument.ty.clone();
    let expr = Expr::Call { function, arguments: vec![coerce(argument, &ty)?] };
    let expr = if keeps_integer && range_checked {
        Expr::Cast { of: Box::new(expr), from: Type::Int8, to: from, explicit: true }
    } else {
        expr
    };
    Ok(Some(Typed { expr, ty }))
}

fn to_scale(a: &[Value], change: fn(&rust_decimal::Decimal, i32) -> Result<rust_decimal::Decimal>) -> Result<Value> {
    match &a[0] {
        Value::Numeric(value) => {
            let scale = int(&a[1]).clamp(-2000, 2000) as i32;
            // A scale beyond the digits there are only adds zeros, which PostgreSQL shows.
            Ok(Value::Numeric(change(value, scale)?))
        }
        other => Ok(other.clone()),
    }
}

fn substring(value: &str, from: i64, length: Option<i64>) -> Result<Value> {
    if length.is_some_and(|length| length < 0) {
        return fail("22011", "negative substring length not allowed");
    }
    let end = length.map(|length| from.saturating_add(length));
    let start = from.max(1);
    let take = end.map_or(usize::MAX, |end| (end - start).max(0) as usize);
    Ok(text(&value.chars().skip(start as usize - 1).take(take).collect::<String>()))
}

fn pad(a: &[Value], left: bool) -> Result<Value> {
    let value: Vec<char> = string(&a[0]).chars().collect();
    let length = int(&a[1]).max(0) as usize;
    checked_length(length)?;
    let fill: Vec<char> = a.get(2).map_or(vec![' '], |fill| string(fill).chars().collect());
    if length <= value.len() || fill.is_empty() {
        return Ok(text(&value.into_iter().take(length).collect::<String>()));
    }
    let padding = fill.iter().copied().cycle().take(length - value.len());
    Ok(text(&if left {
        padding.chain(value).collect::<String>()
    } else {
        value.iter().copied().chain(padding).collect()
    }))
}

fn instant(value: &Value) -> i64 {
    match value {
        Value::Timestamp(at) | Value::TimestampTz(at) => *at,
        _ => 0,
    }
}

fn extract(a: &[Value]) -> Result<Value> {
    let unit = string(&a[0]).to_ascii_lowercase();
    let found = match &a[1] {
        Value::Timestamp(at) | Value::TimestampTz(at) => datetime::extract(&unit, *at),
        Value::Date(days) => {
            if ["hour", "minute", "second", "milliseconds", "microseconds"].contains(&unit.as_str()) {
                return fail("0A000", format!("unit \"{unit}\" not supported for type date"));
            }
            datetime::extract(&unit, i64::from(*days) * datetime::DAY_US)
                .map(|(value, scale)| if unit == "epoch" { (value / 1_000_000, 0) } else { (value, scale) })
        }
        Value::Time(micros) => match unit.as_str() {
            "hour" | "minute" | "second" | "milliseconds" | "microseconds" | "epoch" => {
                datetime::extract(&unit, *micros)
            }
            _ => return fail("0A000", format!("unit \"{unit}\" not supported for type time without time zone")),
        },
        Value::Interval { months, days, micros } => {
            let whole = |value: i64| Some((i128::from(value), 0u32));
            match unit.as_str() {
                "year" => whole(i64::from(months / 12)),
                "month" => whole(i64::from(months % 12)),
                "day" => whole(i64::from(*days)),
                "hour" => whole(micros / 3_600_000_000),
                "minute" => whole(micros / 60_000_000 % 60),
                "second" => Some((i128::from(micros % 60_000_000), 6)),
                "epoch" => {
                    // A year counts 365.25 days, a month 30.
                    let day_us = i128::from(datetime::DAY_US);
                    let years = i128::from(months / 12) * day_us * 1461 / 4;
                    let rest = (i128::from(months % 12) * 30 + i128::from(*days)) * day_us;
                    Some((years + rest + i128::from(*micros), 6))
                }
                _ => return refuse(format!("extract({unit}) from an interval")),
            }
        }
        _ => None,
    };
    match found {
        Some((value, scale)) => Ok(Value::Numeric(numeric::build(value, scale)?)),
        None => fail("22023", format!("unit \"{unit}\" not recognized for type {}", kind_name(&a[1]))),
    }
}

fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Timestamp(_) => "timestamp without time zone",
        Value::TimestampTz(_) => "timestamp with time zone",
        Value::Date(_) => "date",
        Value::Time(_) => "time without time zone",
        _ => "interval",
    }
}

/// PostgreSQL's `hash_any` (Bob Jenkins' lookup3), for `hashtext`, which people lock advisory keys with.
fn hash_bytes(bytes: &[u8]) -> u32 {
    let mut a: u32 = 0x9e37_79b9u32.wrapping_add(bytes.len() as u32).wrapping_add(3_923_095);
    let (mut b, mut c) = (a, a);
    let word = |part: &[u8]| {
        part.iter().enumerate().fold(0u32, |sum, (at, byte)| sum.wrapping_add(u32::from(*byte) << (8 * at)))
    };
    let mut rest = bytes;
    while rest.len() >= 12 {
        a = a.wrapping_add(word(&rest[..4]));
        b = b.wrapping_add(word(&rest[4..8]));
        c = c.wrapping_add(word(&rest[8..12]));
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
        rest = &rest[12..];
    }
    // The lowest byte of c is kept for the length.
    let part = |from: usize, to: usize| if rest.len() > from { &rest[from..rest.len().min(to)] } else { &[] };
    a = a.wrapping_add(word(part(0, 4)));
    b = b.wrapping_add(word(part(4, 8)));
    c = c.wrapping_add(word(part(8, 12)) << 8);
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// `->` and `->>`: a member or element of a JSON document, as JSON or as text.
pub fn json_member(document: Typed, key: Typed, as_text: bool) -> Result<Typed> {
    fn member(a: &[Value]) -> Option<serde_json::Value> {
        let document: serde_json::Value = serde_json::from_str(string(&a[0])).ok()?;
        match &a[1] {
            Value::Int(place) => {
                let elements = document.as_array()?;
                let at = if *place < 0 { elements.len() as i64 + place } else { *place };
                elements.get(usize::try_from(at).ok()?).cloned()
            }
            key => document.as_object()?.get(string(key)).cloned(),
        }
    }
    let jsonb = document.ty == Type::Jsonb;
    let key_type = if key.ty.is_integer() { Type::Int4 } else { Type::Text };
    let arguments = vec![document.expr.clone(), coerce(key, &key_type)?];
    let (function, ty): (&'static Builtin, Type) = if as_text {
        let function = builtin!("->>", |_, a| Ok(match member(a) {
            None | Some(serde_json::Value::Null) => Value::Null,
            Some(serde_json::Value::String(content)) => text(&content),
            Some(other) => text(&types::print_json(&other)),
        }));
        (function, Type::Text)
    } else {
        let function = builtin!("->", |_, a| Ok(match member(a) {
            None => Value::Null,
            Some(found) => Value::Json(Rc::from(types::print_json(&found))),
        }));
        (function, if jsonb { Type::Jsonb } else { Type::Json })
    };
    Ok(Typed { expr: Expr::Call { function, arguments }, ty })
}

pub fn concatenation(left: Typed, right: Typed) -> Result<Typed> {
    let both_arrays = matches!((&left.ty, &right.ty), (Type::Array(_), Type::Array(_)));
    if both_arrays
        || matches!(left.ty, Type::Array(_) | Type::Json | Type::Jsonb)
        || matches!(right.ty, Type::Array(_) | Type::Jsonb)
    {
        return refuse("|| of arrays and JSON documents");
    }
    if !left.ty.is_text() && !right.ty.is_text() && left.ty != Type::Unknown && right.ty != Type::Unknown {
        return fail("42883", format!("operator does not exist: {} || {}", left.ty.name(), right.ty.name()));
    }
    let as_text = |part: Typed| -> Expr {
        match part.ty {
            Type::Unknown | Type::Text | Type::Varchar(_) => part.expr,
            from => Expr::Cast { of: Box::new(part.expr), from, to: Type::Text, explicit: true },
        }
    };
    let function: &'static Builtin = builtin!("||", |_, a| {
        checked_length(a.iter().map(text_length).sum())?;
        Ok(text(&a.iter().map(string).collect::<String>()))
    });
    let right = as_text(right);
    // Operators in a row are one call: each by itself would copy what those before it made.
    let arguments = match as_text(left) {
        Expr::Call { function: before, mut arguments } if before == function => {
            arguments.push(right);
            arguments
        }
        left => vec![left, right],
    };
    Ok(Typed { expr: Expr::Call { function, arguments }, ty: Type::Text })
}

/// `timestamp AT TIME ZONE zone`, for zones of fixed offset.
pub fn at_time_zone(of: Typed, zone: Typed) -> Result<Typed> {
    fn offset(zone: &Value) -> Result<i64> {
        match datetime::zone_offset(string(zone)) {
            Some(offset) => Ok(offset),
            None => refuse(format!("the time zone \"{}\" (only UTC and fixed offsets)", string(zone))),
        }
    }
    let zone = coerce(zone, &Type::Text)?;
    match of.ty {
        Type::Timestamp => {
            let function = builtin!("timezone", |_, a| Ok(Value::TimestampTz(instant(&a[0]) - offset(&a[1])?)));
            Ok(Typed { expr: Expr::Call { function, arguments: vec![of.expr, zone] }, ty: Type::TimestampTz })
        }
        Type::TimestampTz | Type::Date | Type::Unknown => {
            let function = builtin!("timezone", |_, a| Ok(Value::Timestamp(instant(&a[0]) + offset(&a[1])?)));
            let of = coerce(of, &Type::TimestampTz)?;
            Ok(Typed { expr: Expr::Call { function, arguments: vec![of, zone] }, ty: Type::Timestamp })
        }
        other => fail("42883", format!("function timezone(unknown, {}) does not exist", other.name())),
    }
}

pub fn nextval_of(sequence: &str) -> Expr {
    let function = builtin!(
        "nextval",
        |c, a| {
            let sequence = c.engine.catalog.sequence(string(&a[0]))?.clone();
            let value = sequence.next()?;
            c.engine.remember_sequence(c.session, &sequence.name, value);
            Ok(Value::Int(value))
        },
        volatile
    );
    Expr::Call { function, arguments: vec![Expr::Const(text(sequence))] }
}

/// The type all arguments of a construct take.
pub fn unify(construct: &str, parts: Vec<Typed>) -> Result<(Vec<Expr>, Type)> {
    let ty = common_type(construct, parts.iter().map(|part| &part.ty))?;
    let exprs: Result<Vec<Expr>> = parts.into_iter().map(|part| coerce(part, &ty)).collect();
    Ok((exprs?, ty))
}
