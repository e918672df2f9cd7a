//! The functions one may call. What is not in this list is refused or unknown, never guessed. Letters have two cases as in locale
//! "C", whose order texts have too: those of ASCII.

pub mod aggregate;
pub mod json;

use crate::sql::binder::{Typed, coerce, common_type, common_type_of};
use crate::sql::budget::{checked_length, text_length};
use crate::sql::error::{Result, Stop, error, fail, refuse};
use crate::sql::executor::Context;
use crate::sql::plan::Expr;
use crate::sql::types::interval::Span;
use crate::sql::types::timezone::{self, Zone};
use crate::sql::types::{self, CastContext, Type, arrays, datetime, numeric, text};
use crate::store::{AdvisoryKey, Mode, Stamp, compare};
use crate::trace::{Value, days_from_civil};

/// A function of the allow-list.
pub struct Builtin {
    pub name: &'static str,
    /// NULL for any NULL argument, without being called.
    pub strict: bool,
    /// Its answer may change from row to row.
    pub volatile: bool,
    pub call: fn(&mut Context, &[Value]) -> Result<Value>,
}

impl PartialEq for Builtin {
    fn eq(&self, other: &Builtin) -> bool {
        std::ptr::eq(self, other)
    }
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

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

fn bytes(value: &Value) -> &[u8] {
    if let Value::Bytes(bytes) = value { bytes } else { &[] }
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
    check_overload(name, &kinds)?;
    let mut as_types = |wanted: &[Type]| -> Result<Vec<Expr>> {
        let taken = std::mem::take(&mut arguments);
        for (argument, ty) in taken.iter().zip(wanted) {
            if !types::castable(&argument.ty, ty, CastContext::Implicit) {
                return fail("42883", format!("function {name}({}) does not exist", argument.ty.name()));
            }
        }
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
        ("length" | "octet_length", 1) if kinds[0] == Type::Bytea => {
            let function = builtin!("length", |_, a| Ok(Value::Int(bytes(&a[0]).len() as i64)));
            call(function, as_types(&[Type::Bytea])?, Int4)
        }
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
            let separator = for_function(name, arguments.remove(0), &Text)?;
            let arguments = std::iter::once(separator).chain(arguments.into_iter().map(printed)).collect();
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
            crate::sql::binder::arithmetic(crate::sql::plan::Arithmetic::Remainder, left, right).map(Some)
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
                    let power = base.powf(exponent);
                    if base.is_infinite() || exponent.is_infinite() {
                        return Ok(Value::Float(power));
                    }
                    if power == 0.0 && base != 0.0 {
                        return fail("22003", "value out of range: underflow");
                    }
                    finite(power)
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
                "exp" => builtin!("exp", |_, a| match (float(&a[0]), float(&a[0]).exp()) {
                    (of, power) if of.is_infinite() => Ok(Value::Float(power)),
                    (_, 0.0) => fail("22003", "value out of range: underflow"),
                    (_, power) => finite(power),
                }),
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
            let [left, right] = [arguments[0].clone(), arguments[1].clone()];
            crate::sql::binder::compare_exprs(crate::sql::plan::Comparison::Equal, left, right)?;
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
            let cast = cast?;
            if ty.check_order().is_err() {
                return fail("42883", format!("could not identify a comparison function for type {}", ty.name()));
            }
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
            call(function, cast, ty)
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
                        Value::Timestamp(at) => {
                            Value::Timestamp(datetime::truncate(string(&a[0]), *at, kind_name(&a[1]))?)
                        }
                        Value::TimestampTz(at) => {
                            Value::TimestampTz(datetime::truncate(string(&a[0]), *at, kind_name(&a[1]))?)
                        }
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
                Date if name == "date_part" => Timestamp,
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
                builtin!("age", |_, a| datetime::age(instant(&a[0]), instant(&a[1]))),
                as_types(&[ty.clone(), ty])?,
                Interval,
            )
        }
        ("to_timestamp", 1) => call(
            builtin!("to_timestamp", |_, a| Ok(Value::TimestampTz((float(&a[0]) * 1e6).round() as i64))),
            as_types(&[Float8])?,
            TimestampTz,
        ),
        ("make_date", 3) => call(builtin!("make_date", |_, a| make_date(a)), as_types(&[Int4, Int4, Int4])?, Date),
        ("justify_hours" | "justify_days" | "justify_interval", 1) => {
            let function = match name {
                "justify_hours" => builtin!("justify_hours", |_, a| Ok(span(&a[0]).justify_hours()?.into())),
                "justify_days" => builtin!("justify_days", |_, a| Ok(span(&a[0]).justify_days()?.into())),
                _ => builtin!("justify_interval", |_, a| Ok(span(&a[0]).justify()?.into())),
            };
            call(function, as_types(&[Interval])?, Interval)
        }
        ("isfinite", 1) if matches!(kinds[0], Date | Timestamp | TimestampTz | Interval) => {
            let source = kinds[0].clone();
            call(builtin!("isfinite", |_, a| Ok(Value::Bool(is_finite(&a[0])))), as_types(&[source])?, Bool)
        }

        ("nextval", 1) => {
            call(builtin!("nextval", |c, a| c.next_value(string(&a[0])), volatile), as_types(&[Text])?, Int8)
        }
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
                |c, a| c.set_value(string(&a[0]), int(&a[1]), a.get(2) != Some(&Value::Bool(false))),
                volatile
            ),
            as_types(&[Text, Int8, Bool])?,
            Int8,
        ),

        ("pg_backend_pid", 0) => {
            call(builtin!("pg_backend_pid", |c, _| Ok(Value::Int(i64::from(c.session.0) + 1))), Vec::new(), Int4)
        }
        ("current_setting", 1 | 2) => call(
            builtin!("current_setting", |c, a| c.current_setting(string(&a[0]), a.get(1) == Some(&Value::Bool(true)))),
            as_types(&[Text, Bool])?,
            Text,
        ),
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
        ("array_length" | "array_upper" | "array_lower", 2) | ("array_ndims" | "array_dims" | "cardinality", 1) => {
            let source = kinds[0].clone();
            if !matches!(source, Type::Array(_)) {
                return Ok(None);
            }
            let function = match name {
                "array_length" => builtin!("array_length", |_, a| arrays::array_length(a)),
                "array_upper" => builtin!("array_upper", |_, a| arrays::array_length(a)),
                "array_lower" => builtin!("array_lower", |_, a| arrays::array_lower(a)),
                "array_ndims" => builtin!("array_ndims", |_, a| arrays::array_ndims(a)),
                "array_dims" => builtin!("array_dims", |_, a| arrays::array_dims(a)),
                _ => builtin!("cardinality", |_, a| arrays::cardinality(a)),
            };
            let ty = if name == "array_dims" { Text } else { Int4 };
            call(function, as_types(&[source, Int4])?, ty)
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

/// Of a function that is offered, the arguments PostgreSQL takes beside those it is offered for; and the places of which one has to
/// be of a known type to say so, none where the number of arguments does.
const OTHER_OVERLOADS: &[(&str, &[Type], &[usize])] = &[
    ("age", &[Type::Timestamp], &[0]),
    ("age", &[Type::TimestampTz], &[0]),
    ("age", &[Type::Date], &[0]),
    ("date_trunc", &[Type::Text, Type::Time], &[1]),
    ("date_trunc", &[Type::Text, Type::TimestampTz, Type::Text], &[]),
    ("isfinite", &[Type::Time], &[0]),
    ("length", &[Type::Bytea, Type::Text], &[]),
    ("to_timestamp", &[Type::Text, Type::Text], &[]),
    ("substr", &[Type::Text, Type::Text], &[1]),
    ("substr", &[Type::Text, Type::Text, Type::Text], &[1, 2]),
    ("btrim", &[Type::Bytea, Type::Bytea], &[0, 1]),
    ("ltrim", &[Type::Bytea, Type::Bytea], &[0, 1]),
    ("rtrim", &[Type::Bytea, Type::Bytea], &[0, 1]),
    ("strpos", &[Type::Bytea, Type::Bytea], &[0, 1]),
    ("substr", &[Type::Bytea, Type::Int4], &[0]),
    ("substr", &[Type::Bytea, Type::Int4, Type::Int4], &[0]),
    ("string_agg", &[Type::Bytea, Type::Bytea], &[0, 1]),
    ("sum", &[Type::Time], &[0]),
    ("avg", &[Type::Time], &[0]),
];

/// Functions of so many arguments that one of them, by its place, says by its type which is meant.
const NEEDS_A_TYPE: &[(&str, usize, usize, &str)] = &[
    ("array_length", 2, 0, "42804"),
    ("array_lower", 2, 0, "42804"),
    ("array_upper", 2, 0, "42804"),
    ("array_dims", 1, 0, "42804"),
    ("array_ndims", 1, 0, "42804"),
    ("cardinality", 1, 0, "42804"),
    ("json_agg", 1, 0, "42804"),
    ("jsonb_agg", 1, 0, "42804"),
    ("age", 1, 0, "42725"),
    ("isfinite", 1, 0, "42725"),
    ("trunc", 1, 0, "42725"),
    ("sum", 1, 0, "42725"),
    ("avg", 1, 0, "42725"),
    ("array_agg", 1, 0, "42725"),
    ("date_trunc", 2, 1, "42725"),
];

/// Fails for arguments with which PostgreSQL has another function of the name, or does not know which is meant.
pub fn check_overload(name: &str, kinds: &[Type]) -> Result<()> {
    let names = || kinds.iter().map(Type::name).collect::<Vec<_>>().join(", ");
    let untyped = |(other, count, place, _): &&(&str, usize, usize, &str)| {
        *other == name
            && *count == kinds.len()
            && kinds[*place] == Type::Unknown
            && (*place == 1 || kinds.get(1).is_none_or(|it| types::castable(it, &Type::Int4, CastContext::Implicit)))
    };
    match NEEDS_A_TYPE.iter().find(untyped) {
        Some((.., "42804")) => {
            return fail("42804", "could not determine polymorphic type because input has type unknown");
        }
        Some(_) => return fail("42725", format!("function {name}({}) is not unique", names())),
        None => {}
    }
    let takes = |wanted: &Type, given: &Type| match given {
        Type::Unknown => true,
        Type::Varchar(_) => *wanted == Type::Text,
        Type::Int2 => *wanted == Type::Int4,
        given => given == wanted,
    };
    let is_other = |(other, wanted, places): &(&str, &[Type], &[usize])| {
        *other == name
            && wanted.len() == kinds.len()
            && wanted.iter().zip(kinds).all(|(wanted, given)| takes(wanted, given))
            && (places.is_empty() || places.iter().any(|place| kinds[*place] != Type::Unknown))
    };
    if OTHER_OVERLOADS.iter().any(is_other) {
        return refuse(format!("the function {name}({})", names()));
    }
    Ok(())
}

/// Fails for what PostgreSQL has and this engine has not.
pub fn check_offered(name: &str) -> Result<()> {
    if REFUSED.contains(&name) { refuse(format!("the function {name}()")) } else { Ok(()) }
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
    coerce(argument, ty).map_err(|stop| match stop {
        Stop::Failed(fault) if fault.sqlstate.as_str() == "42804" => {
            error("42883", format!("function {name}({}) does not exist", from.name()))
        }
        // A literal that is no value of the type.
        other => other,
    })
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
            Value::Float(value) => Value::Float(f64::from(i8::from(*value > 0.0) - i8::from(*value < 0.0))),
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
    let written = string(&a[0]);
    let kind = kind_name(&a[1]);
    let Some(unit) = datetime::unit_of(written) else { return Err(datetime::unknown_unit(written, kind)) };
    let unsupported = || Err(datetime::unit_not_supported(written, kind));
    let found = match &a[1] {
        Value::Timestamp(at) | Value::TimestampTz(at) if datetime::is_infinite(*at) => return of_infinity(unit),
        Value::Date(days) if datetime::is_infinite_date(*days) => return of_infinity(unit),
        Value::TimestampTz(_) if unit.starts_with("timezone") => Some((0, 0)),
        Value::Timestamp(at) | Value::TimestampTz(at) if unit == "julian" => return julian(*at),
        Value::Timestamp(at) | Value::TimestampTz(at) => datetime::extract(unit, *at),
        Value::Date(days) => match unit {
            "hour" | "minute" | "second" | "milliseconds" | "microseconds" => return unsupported(),
            "julian" => Some((i128::from(*days) + i128::from(datetime::JULIAN_EPOCH), 0)),
            "epoch" => Some((i128::from(*days) * 86_400, 0)),
            unit => datetime::extract_day(unit, i64::from(*days)),
        },
        Value::Time(micros) => match unit {
            "hour" if *micros == datetime::DAY_US => Some((24, 0)),
            "hour" | "minute" | "second" | "milliseconds" | "microseconds" | "epoch" => {
                datetime::extract(unit, *micros)
            }
            _ => return unsupported(),
        },
        value => span(value).extract(unit),
    };
    match found {
        Some((value, scale)) => Ok(Value::Numeric(numeric::build(value, scale)?)),
        None => unsupported(),
    }
}

/// What is asked of an infinite date or timestamp.
fn of_infinity(unit: &str) -> Result<Value> {
    if datetime::grows_for_ever(unit) { refuse("a numeric NaN or infinity") } else { Ok(Value::Null) }
}

/// The Julian day with the part of the day that has gone.
fn julian(at: i64) -> Result<Value> {
    let day = numeric::build(i128::from(at.div_euclid(datetime::DAY_US) + datetime::JULIAN_EPOCH), 0)?;
    let time = numeric::build(i128::from(at.rem_euclid(datetime::DAY_US)), 0)?;
    let part = numeric::divide(&time, &numeric::build(i128::from(datetime::DAY_US), 0)?)?;
    Ok(Value::Numeric(numeric::add(&day, &part)?))
}

fn span(value: &Value) -> Span {
    match value {
        Value::Interval { months, days, micros } => Span { months: *months, days: *days, micros: *micros },
        _ => Span::default(),
    }
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Date(days) => !datetime::is_infinite_date(*days),
        Value::Timestamp(at) | Value::TimestampTz(at) => !datetime::is_infinite(*at),
        _ => true,
    }
}

/// A negative year is one before Christ.
fn make_date(a: &[Value]) -> Result<Value> {
    let (year, month, day) = (int(&a[0]), int(&a[1]), int(&a[2]));
    let civil_year = if year < 0 { year + 1 } else { year };
    let valid = year != 0
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && day <= datetime::month_length(civil_year, month);
    if !valid {
        return fail("22008", format!("date field value out of range: {year}-{month:02}-{day:02}"));
    }
    match datetime::checked_date(days_from_civil(civil_year, month, day)) {
        Some(days) => Ok(Value::Date(days)),
        None => fail("22008", format!("date out of range: {year}-{month:02}-{day:02}")),
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

pub fn concatenation(left: Typed, right: Typed) -> Result<Typed> {
    let both_arrays = matches!((&left.ty, &right.ty), (Type::Array(_), Type::Array(_)));
    if both_arrays
        || matches!(left.ty, Type::Array(_) | Type::Json | Type::Jsonb)
        || matches!(right.ty, Type::Array(_) | Type::Jsonb)
    {
        return refuse("|| of arrays and JSON documents");
    }
    if matches!((&left.ty, &right.ty), (Type::Bytea, Type::Bytea | Type::Unknown) | (Type::Unknown, Type::Bytea)) {
        let function = builtin!("||", |_, a| {
            checked_length(bytes(&a[0]).len() + bytes(&a[1]).len())?;
            Ok(Value::Bytes([bytes(&a[0]), bytes(&a[1])].concat().into()))
        });
        let arguments = vec![coerce(left, &Type::Bytea)?, coerce(right, &Type::Bytea)?];
        return Ok(Typed { expr: Expr::Call { function, arguments }, ty: Type::Bytea });
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
    /// Microseconds that the zone is ahead of UTC.
    fn offset(zone: &Value) -> Result<i64> {
        match zone {
            Value::Interval { months: 0, days: 0, micros } => Ok(*micros),
            Value::Interval { .. } => {
                fail("22023", format!("interval time zone \"{}\" must not include months or days", types::print(zone)))
            }
            zone => match timezone::named(string(zone)) {
                Zone::Fixed(offset) => Ok(offset),
                Zone::NotOffered => refuse(format!("the time zone \"{}\" (only UTC and fixed offsets)", string(zone))),
                Zone::Unknown => fail("22023", format!("time zone \"{}\" not recognized", string(zone))),
            },
        }
    }
    /// An infinite moment is the same in every zone, even in one that is none.
    fn moved(at: &Value, zone: &Value, sign: i64) -> Result<i64> {
        let at = instant(at);
        if datetime::is_infinite(at) {
            return Ok(at);
        }
        datetime::add_interval(at, Span { months: 0, days: 0, micros: sign * offset(zone)? })
    }
    let zone_type = if zone.ty == Type::Interval { Type::Interval } else { Type::Text };
    let zone = coerce(zone, &zone_type)?;
    match of.ty {
        Type::Timestamp => {
            let function = builtin!("timezone", |_, a| Ok(Value::TimestampTz(moved(&a[0], &a[1], -1)?)));
            Ok(Typed { expr: Expr::Call { function, arguments: vec![of.expr, zone] }, ty: Type::TimestampTz })
        }
        Type::TimestampTz | Type::Date | Type::Unknown => {
            let function = builtin!("timezone", |_, a| Ok(Value::Timestamp(moved(&a[0], &a[1], 1)?)));
            let of = coerce(of, &Type::TimestampTz)?;
            Ok(Typed { expr: Expr::Call { function, arguments: vec![of, zone] }, ty: Type::Timestamp })
        }
        other => fail("42883", format!("function timezone(unknown, {}) does not exist", other.name())),
    }
}

pub fn nextval_of(sequence: &str) -> Expr {
    let function = builtin!("nextval", |c, a| c.next_value(string(&a[0])), volatile);
    Expr::Call { function, arguments: vec![Expr::Const(text(sequence))] }
}

/// ARRAY[…]: of arrays it has one dimension more than they have.
pub fn array_of(parts: Vec<Typed>) -> Result<Typed> {
    let (parts, ty) = unify("ARRAY", parts)?;
    let expr = match ty {
        Type::Array(_) => {
            let function = builtin!("array", |_, a| arrays::nest(a), nulls);
            Expr::Call { function, arguments: parts }
        }
        _ => Expr::Array(parts),
    };
    Ok(Typed { expr, ty: ty.array() })
}

/// The type all arguments of a construct take.
pub fn unify(construct: &str, parts: Vec<Typed>) -> Result<(Vec<Expr>, Type)> {
    let ty = common_type(construct, parts.iter().map(|part| &part.ty))?;
    let exprs: Result<Vec<Expr>> = parts.into_iter().map(|part| coerce(part, &ty)).collect();
    Ok((exprs?, ty))
}
