//! Text nobody would write: whatever comes, the engine answers or refuses. It does not panic, hang or eat memory.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twoam::isolation;
use twoam::sql::{Database, DeadlockCheck, Settings};

use crate::grammar::Grammar;
use crate::number;

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

/// What asks for more than there is.
const EXCESSIVE: &[&str] = &[
    "SELECT repeat('x', 2147483647)",
    "SELECT length(repeat(repeat('x', 1000000), 1000000))",
    "SELECT lpad('x', 2147483647, 'y'), rpad('x', 2147483647)",
    "SELECT count(*) FROM generate_series(1, 9223372036854775807)",
    "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b, generate_series(1, 100000) c",
    "SELECT generate_series(-9223372036854775808, 9223372036854775807, 0)",
    "WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "SELECT 10::numeric ^ 100000, 9e999999::numeric, round(1.5, 2147483647), round(1.5, -2147483648)",
    "SELECT -9223372036854775808 / -1, -2147483648 / -1, abs(-2147483648), -(-9223372036854775808)",
    "SELECT -9223372036854775808 % -1, mod(-2147483648, -1)",
    "SELECT date '5874897-12-31' + 1, date '4713-01-01 BC' - 1, timestamp '294276-12-31' + interval '1 year'",
    "SELECT interval '2147483647 years', interval '1 day' * 1e300, interval '178956970 years' + interval '1 year'",
    "SELECT substring('é🦀x' from 2 for 1), substr('é🦀x', -5, 2147483647), left('é🦀', -1), right('é🦀', -2147483648)",
    "SELECT split_part('a,b', ',', -2147483648), position('' in 'é'), replace('aaa', '', 'b'), overlay('é' placing 'x' from 5)",
    "SELECT to_char(now(), repeat('YYYY', 10000)), extract(epoch from timestamp '0001-01-01 BC')",
    "SELECT 'é' LIKE '%\\', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' LIKE '%a%a%a%a%a%a%a%a%a%a%a%a%b'",
    "INSERT INTO items (id) SELECT * FROM generate_series(1, 1000000000)",
];

fn mutated(text: &str, rng: &mut ChaCha8Rng) -> String {
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
            2 => {
                characters.truncate(at);
            }
            3 if at < characters.len() => characters[at] = char::from(rng.random_range(1..127)),
            _ => {
                let shard = SHARDS.choose(rng).expect("never empty");
                characters.splice(at..at, format!(" {shard} ").chars());
            }
        }
    }
    characters.into_iter().collect()
}

/// Deep and long texts, by one rule each.
fn overgrown(rng: &mut ChaCha8Rng) -> String {
    let times = *[10, 200, 3000, 30_000].choose(rng).expect("never empty");
    match rng.random_range(0..7) {
        0 => format!("SELECT {}1{}", "(".repeat(times), ")".repeat(times)),
        1 => format!("SELECT 1{}", " + 1".repeat(times)),
        2 => format!("SELECT {}true", "NOT ".repeat(times)),
        3 => format!("SELECT 1 WHERE 1 IN (1{})", ", 1".repeat(times)),
        4 => format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(times), " END".repeat(times)),
        5 => format!("{}SELECT 1{}", "SELECT * FROM (".repeat(times), ") AS t".repeat(times)),
        _ => format!("SELECT '{}'{}", "é".repeat(times), "::text".repeat(times)),
    }
}

#[test]
fn no_text_panics_the_engine() {
    let wanted: u64 = number("TWOAM_DIFF_FUZZ", 3000);
    let mut rng = ChaCha8Rng::seed_from_u64(number("TWOAM_DIFF_SEED", 1));
    let mut panicked = Vec::new();
    let mut texts = 0;
    while texts < wanted {
        let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 0, epoch_us: 0 });
        let session = database.connect();
        let script = Grammar::new(&mut rng).script(40);
        for sql in script {
            let text = match rng.random_range(0..100) {
                0..=39 => sql,
                40..=95 => mutated(&sql, &mut rng),
                96..=98 => overgrown(&mut rng),
                _ => (*EXCESSIVE.choose(&mut rng).expect("never empty")).to_owned(),
            };
            texts += 1;
            if catch_unwind(AssertUnwindSafe(|| database.execute(session, 0, &text, &[]))).is_err() {
                panicked.push(text);
                break;
            }
        }
    }
    assert!(panicked.is_empty(), "{} of {texts} texts panicked\n{}", panicked.len(), panicked.join("\n\n"));
}

#[test]
fn no_spec_panics_its_parser() {
    let sound = "setup { CREATE TABLE t (a int); }\nteardown { DROP TABLE t; }\n# note\nsession \"s \"\"1\"\nsetup { BEGIN; }\n\
                 step a { SELECT 1; }\nstep b { }\nteardown { COMMIT; }\nsession s2\nstep c { SELECT 2; }\npermutation a(*, c notices 2) c(b) b\n";
    let mut rng = ChaCha8Rng::seed_from_u64(number("TWOAM_DIFF_SEED", 1));
    for _ in 0..number("TWOAM_DIFF_FUZZ", 3000) {
        let text = mutated(sound, &mut rng);
        let read = catch_unwind(|| isolation::parse(&text).map(|spec| (isolation::parse(&spec.to_source()), spec)));
        match read.unwrap_or_else(|_| panic!("the parser panics on {text:?}")) {
            Err(error) => assert!(error.line >= 1 && !error.reason.is_empty(), "{text:?}"),
            Ok((again, spec)) => assert_eq!(again.as_ref(), Ok(&spec), "{text:?}"),
        }
    }
}
