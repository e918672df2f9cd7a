//! Statements made wrong.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

const SHARDS: &[&str] = &[
    "'",
    "\"",
    "(",
    ")",
    ",",
    ";",
    "$1",
    "%s",
    "$$",
    "--",
    "/*",
    "*/",
    "::int",
    "::text",
    "NULL",
    "-",
    "*",
    "1e309",
    "é",
    "\u{0}",
    "\u{1F980}",
    "99999999999999999999999999",
    "0x",
    "E'\\",
    "SELECT",
    "FROM",
    "WHERE",
    "NOT",
    "AND",
    "CASE",
    "WHEN",
    "END",
    "IN",
    "BETWEEN",
    "INTERVAL '",
    "date '",
    "ARRAY[",
    "]",
    "OVER (",
    "GROUP BY",
    "ORDER BY",
    "LIMIT -1",
    "UNION",
    "WITH RECURSIVE",
    "FOR UPDATE",
    "ON CONFLICT",
    "RETURNING",
    "VALUES",
    ".",
    "..",
    "||",
    "->>",
    "@>",
    "~",
    "!",
    ":",
    "\\",
    "\r\n",
    "\t",
];

/// Characters dropped, doubled, cut off or put in.
pub fn mutated(text: &str, rng: &mut ChaCha8Rng) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=characters.len());
        let end = (at + rng.random_range(0..12)).min(characters.len());
        match rng.random_range(0..6) {
            0 => drop(characters.drain(at..end)),
            1 => {
                let piece = characters[at..end].to_vec();
                for _ in 0..rng.random_range(1..40) {
                    characters.splice(at..at, piece.iter().copied());
                }
            }
            2 => characters.truncate(at),
            3 if at < characters.len() => characters[at] = char::from(rng.random_range(1..127)),
            _ => {
                let shard = SHARDS.choose(rng).expect("never empty");
                characters.splice(at..at, format!(" {shard} ").chars());
            }
        }
    }
    characters.into_iter().collect()
}

/// Words, numbers, quoted texts and signs.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut token = String::from(c);
        if c == '\'' || c == '"' {
            for next in chars.by_ref() {
                token.push(next);
                if next == c {
                    break;
                }
            }
        } else if c.is_alphanumeric() || c == '_' {
            while let Some(next) = chars.next_if(|next| next.is_alphanumeric() || *next == '_' || *next == '.') {
                token.push(next);
            }
        } else if c.is_whitespace() {
            continue;
        } else if "<>=|:!-".contains(c) {
            while let Some(next) = chars.next_if(|next| "<>=|:!".contains(*next)) {
                token.push(next);
            }
        }
        tokens.push(token);
    }
    tokens
}

/// Whole words exchanged, dropped, doubled, or what stands in parentheses put into itself.
pub fn swapped(text: &str, rng: &mut ChaCha8Rng) -> String {
    let mut tokens = tokens(text);
    for _ in 0..rng.random_range(1..5) {
        if tokens.is_empty() {
            break;
        }
        let at = rng.random_range(0..tokens.len());
        let other = rng.random_range(0..tokens.len());
        match rng.random_range(0..6) {
            0 => tokens.swap(at, other),
            1 => drop(tokens.remove(at)),
            2 => tokens.insert(at, tokens[other].clone()),
            3 => {
                let end = (at + rng.random_range(1..8)).min(tokens.len());
                let piece = tokens[at..end].to_vec();
                let place = other.min(tokens.len());
                tokens.splice(place..place, piece);
            }
            4 => tokens[at] = (*SHARDS.choose(rng).expect("never empty")).to_owned(),
            _ => nest(&mut tokens, at, rng),
        }
        tokens.truncate(4000);
    }
    tokens.join(" ")
}

/// Puts a piece that stands in parentheses in place of another, or into itself.
fn nest(tokens: &mut Vec<String>, at: usize, rng: &mut ChaCha8Rng) {
    let Some(open) = tokens[at..].iter().position(|token| token == "(").map(|found| at + found) else { return };
    let mut depth = 0;
    let close = tokens[open..].iter().position(|token| {
        depth += i32::from(token == "(") - i32::from(token == ")");
        depth == 0
    });
    let Some(close) = close.map(|found| open + found) else { return };
    let piece = tokens[open..=close].to_vec();
    let place = rng.random_range(open..=close);
    tokens.splice(place..=place, piece);
}

/// Deep and long texts, by one rule each.
pub fn overgrown(rng: &mut ChaCha8Rng) -> String {
    let times = *[10, 47, 200, 800, 3000, 30_000].choose(rng).expect("never empty");
    let some = |text: &str| text.repeat(times);
    match rng.random_range(0..24) {
        0 => format!("SELECT {}1{}", some("("), some(")")),
        1 => format!("SELECT 1{}", some(" + 1")),
        2 => format!("SELECT {}true", some("NOT ")),
        3 => format!("SELECT 1 WHERE 1 IN (1{})", some(", 1")),
        4 => format!("SELECT {}1{}", some("CASE WHEN true THEN "), some(" END")),
        5 => format!("{}SELECT 1{}", some("SELECT * FROM ("), some(") AS t")),
        6 => format!("SELECT '{}'{}", some("é"), some("::text")),
        7 => format!("SELECT 1{}", " UNION ALL SELECT 2".repeat(times.min(3000))),
        8 => format!("SELECT id FROM items WHERE id = 1{}", some(" OR a = 2")),
        9 => format!("SELECT id FROM items WHERE id = 1{}", some(" AND a = 2")),
        10 => format!("SELECT {}1{}", some("(SELECT "), some(")")),
        11 => format!("SELECT {}1{}", some("coalesce("), some(")")),
        12 => format!("SELECT {}id FROM items", some("- ")),
        13 => format!("SELECT 'a'{} FROM items", some(" || s")),
        14 => format!("INSERT INTO pairs VALUES (1, 1, 'x'){}", some(", (2, 2, 'y')")),
        15 => format!("SELECT 1{} FROM items", some(", a")),
        16 => format!("SELECT a{} FROM items GROUP BY a ORDER BY a{}", some(", a"), some(", a")),
        17 => format!("SELECT string_agg(s, s){} FROM items", some(" || max(s)")),
        18 => format!("SELECT 1 FROM items{}", some(" NATURAL JOIN items")),
        19 => format!("SELECT * FROM items a{}", some(" LEFT JOIN lines USING (id)")),
        20 => format!("SELECT {}ARRAY[1]{}", some("ARRAY["), some("]")),
        21 => format!("SELECT {}'1 day'", some("interval ")),
        22 => {
            let chain: String = (1..times).map(|it| format!(", w{it} AS (SELECT * FROM w{})", it - 1)).collect();
            format!("WITH w0 AS (SELECT 1){chain} SELECT * FROM w{}", times - 1)
        }
        _ => format!("WITH a0 AS (SELECT 1){} SELECT 1", some(", b AS (SELECT * FROM a0)")),
    }
}
