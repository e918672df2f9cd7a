//! Texts and bytes. Letters have two cases as in locale "C", whose order texts have too: those of ASCII.

use crate::sql::budget::{checked_length, text_length};
use crate::sql::error::{Result, fail};
use crate::sql::types::{self, text};
use crate::trace::Value;

use super::signature::{BOOL, BYTEA, INT4, Kind, TEXT};
use super::{FunctionSpec, bytes, int, pure, string};

/// Takes any number of texts: operators in a row are one call, for each by itself would copy what those before it made.
pub static CONCATENATION: FunctionSpec = pure("||", &[TEXT, TEXT], TEXT, |a| {
    checked_length(a.iter().map(text_length).sum())?;
    Ok(text(&a.iter().map(string).collect::<String>()))
})
.variadic();

pub static BYTES_CONCATENATION: FunctionSpec = pure("||", &[BYTEA, BYTEA], BYTEA, |a| {
    checked_length(bytes(&a[0]).len() + bytes(&a[1]).len())?;
    Ok(Value::Bytes([bytes(&a[0]), bytes(&a[1])].concat().into()))
});

pub static FUNCTIONS: &[FunctionSpec] = &[
    pure("lower", &[TEXT], TEXT, |a| Ok(text(&string(&a[0]).to_ascii_lowercase()))),
    pure("upper", &[TEXT], TEXT, |a| Ok(text(&string(&a[0]).to_ascii_uppercase()))),
    pure("initcap", &[TEXT], TEXT, |a| Ok(text(&initcap(string(&a[0]))))),
    pure("length", &[TEXT], INT4, characters),
    pure("char_length", &[TEXT], INT4, characters),
    pure("character_length", &[TEXT], INT4, characters),
    pure("octet_length", &[TEXT], INT4, |a| Ok(Value::Int(string(&a[0]).len() as i64))),
    pure("length", &[BYTEA], INT4, |a| Ok(Value::Int(bytes(&a[0]).len() as i64))),
    pure("octet_length", &[BYTEA], INT4, |a| Ok(Value::Int(bytes(&a[0]).len() as i64))),
    pure("reverse", &[TEXT], TEXT, |a| Ok(text(&string(&a[0]).chars().rev().collect::<String>()))),
    pure("concat", &[Kind::Any], TEXT, concat).variadic().takes_nulls().by_settings(),
    pure("concat_ws", &[TEXT, Kind::Any], TEXT, concat_ws).variadic().takes_nulls().by_settings(),
    pure("substr", &[TEXT, INT4, INT4], TEXT, substring).optional(1),
    pure("substring", &[TEXT, INT4, INT4], TEXT, substring).optional(1),
    pure("left", &[TEXT, INT4], TEXT, left),
    pure("right", &[TEXT, INT4], TEXT, right),
    pure("btrim", &[TEXT, TEXT], TEXT, |a| Ok(text(string(&a[0]).trim_matches(|c| is_trimmed(a, c))))).optional(1),
    pure("ltrim", &[TEXT, TEXT], TEXT, |a| Ok(text(string(&a[0]).trim_start_matches(|c| is_trimmed(a, c)))))
        .optional(1),
    pure("rtrim", &[TEXT, TEXT], TEXT, |a| Ok(text(string(&a[0]).trim_end_matches(|c| is_trimmed(a, c))))).optional(1),
    pure("replace", &[TEXT, TEXT, TEXT], TEXT, replace),
    pure("strpos", &[TEXT, TEXT], INT4, position),
    pure("position", &[TEXT, TEXT], INT4, position),
    pure("starts_with", &[TEXT, TEXT], BOOL, |a| Ok(Value::Bool(string(&a[0]).starts_with(string(&a[1]))))),
    pure("repeat", &[TEXT, INT4], TEXT, repeat),
    pure("lpad", &[TEXT, INT4, TEXT], TEXT, |a| pad(a, true)).optional(1),
    pure("rpad", &[TEXT, INT4, TEXT], TEXT, |a| pad(a, false)).optional(1),
    pure("split_part", &[TEXT, TEXT, INT4], TEXT, split_part),
    pure("ascii", &[TEXT], INT4, |a| {
        Ok(Value::Int(string(&a[0]).chars().next().map_or(0, |c| i64::from(u32::from(c)))))
    }),
    pure("chr", &[INT4], TEXT, chr),
    pure("hashtext", &[TEXT], INT4, |a| Ok(Value::Int(i64::from(hash_bytes(string(&a[0]).as_bytes()) as i32)))),
];

fn initcap(of: &str) -> String {
    let mut inside = false;
    let change = |c: char| {
        let changed = if inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
        inside = c.is_ascii_alphanumeric();
        changed
    };
    of.chars().map(change).collect()
}

fn characters(a: &[Value]) -> Result<Value> {
    Ok(Value::Int(string(&a[0]).chars().count() as i64))
}

/// It shows booleans as t and f, a cast to text as true and false.
fn concat(a: &[Value]) -> Result<Value> {
    checked_length(a.iter().map(text_length).sum())?;
    Ok(text(&a.iter().map(types::print).collect::<String>()))
}

fn concat_ws(a: &[Value]) -> Result<Value> {
    if a[0] == Value::Null {
        return Ok(Value::Null);
    }
    let separators = (a.len() - 2) * text_length(&a[0]);
    checked_length(separators + a[1..].iter().map(text_length).sum::<usize>())?;
    let parts: Vec<String> = a[1..].iter().filter(|v| **v != Value::Null).map(types::print).collect();
    Ok(text(&parts.join(string(&a[0]))))
}

fn substring(a: &[Value]) -> Result<Value> {
    let (from, length) = (int(&a[1]), a.get(2).map(int));
    if length.is_some_and(|length| length < 0) {
        return fail("22011", "negative substring length not allowed");
    }
    let end = length.map(|length| from.saturating_add(length));
    let start = from.max(1);
    let take = end.map_or(usize::MAX, |end| (end - start).max(0) as usize);
    Ok(text(&string(&a[0]).chars().skip(start as usize - 1).take(take).collect::<String>()))
}

fn left(a: &[Value]) -> Result<Value> {
    let length = string(&a[0]).chars().count() as i64;
    let take = if int(&a[1]) < 0 { (length + int(&a[1])).max(0) } else { int(&a[1]) };
    Ok(text(&string(&a[0]).chars().take(take as usize).collect::<String>()))
}

fn right(a: &[Value]) -> Result<Value> {
    let length = string(&a[0]).chars().count() as i64;
    let skip = if int(&a[1]) < 0 { -int(&a[1]) } else { (length - int(&a[1])).max(0) };
    Ok(text(&string(&a[0]).chars().skip(skip as usize).collect::<String>()))
}

/// Of trim: blanks where nothing is said.
fn is_trimmed(a: &[Value], c: char) -> bool {
    a.get(1).map_or(" ", string).contains(c)
}

fn replace(a: &[Value]) -> Result<Value> {
    if string(&a[1]).is_empty() {
        return Ok(a[0].clone());
    }
    let found = string(&a[0]).matches(string(&a[1])).count();
    checked_length(string(&a[0]).len() + found * string(&a[2]).len())?;
    Ok(text(&string(&a[0]).replace(string(&a[1]), string(&a[2]))))
}

fn position(a: &[Value]) -> Result<Value> {
    let at = string(&a[0]).find(string(&a[1]));
    Ok(Value::Int(at.map_or(0, |at| string(&a[0])[..at].chars().count() as i64 + 1)))
}

fn repeat(a: &[Value]) -> Result<Value> {
    let times = int(&a[1]).max(0) as usize;
    checked_length(string(&a[0]).len().saturating_mul(times))?;
    Ok(text(&string(&a[0]).repeat(times)))
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

fn split_part(a: &[Value]) -> Result<Value> {
    let place = int(&a[2]);
    if place == 0 {
        return fail("22023", "field position must not be zero");
    }
    let parts: Vec<&str> =
        if string(&a[1]).is_empty() { vec![string(&a[0])] } else { string(&a[0]).split(string(&a[1])).collect() };
    let at = if place > 0 { place - 1 } else { parts.len() as i64 + place };
    Ok(text(usize::try_from(at).ok().and_then(|at| parts.get(at)).unwrap_or(&"")))
}

fn chr(a: &[Value]) -> Result<Value> {
    let code = int(&a[0]);
    match u32::try_from(code).map(char::from_u32) {
        Err(_) => fail("22023", "character number must be positive"),
        Ok(Some('\0')) => fail("54000", "null character not permitted"),
        Ok(Some(c)) => Ok(text(&c.to_string())),
        Ok(None) if code > i64::from(u32::from(char::MAX)) => {
            fail("54000", format!("requested character too large for encoding: {code}"))
        }
        Ok(None) => fail("54000", format!("requested character not valid for encoding: {code}")),
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
