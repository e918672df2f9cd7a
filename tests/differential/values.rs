//! Values at the borders of their types: text forms in and out, casts, operators, functions and aggregates of them, each a
//! statement of its own, side by side with PostgreSQL's.
//!
//! `TWOAM_DIFF_VALUES` says how many are drawn; `TWOAM_DIFF_FILE` names a file with one expression a line to be asked instead.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::number;
use crate::statements::{Theirs, answer_of, same, shown};

struct Kind {
    name: &'static str,
    /// Other names and forms of the type that casts are made to.
    forms: &'static [&'static str],
    inputs: &'static [&'static str],
    /// Expressions over two values of the type, `A` and `B`, and a small number `N`.
    uses: &'static [&'static str],
    /// Aggregates of a column `v`.
    aggregates: &'static [&'static str],
    ordered: bool,
}

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind {
        name: "jsonb",
        forms: &["jsonb", "json", "text"],
        inputs: &[
            "1", "2.50", "1.0", "1", "0.10", "-0", "1e3", "1.5e-3", "12345678901234567890.123456789", "1e400", "-7E+2",
            "null", "true", "false", r#""a""#, r#""""#, r#""ab""#, r#""é""#, r#""\u00e9\n""#, r#""\u0000""#, r#""\ud83d\ude00""#, r#""\ud800""#,
            r#""a\/b""#, "[]", "{}", "[1,2]", "[1, 2.0]", "[[1],[2,3]]", "[1,2,3]", r#"{"a":1}"#, r#"{"a":1.0}"#, r#"{"n":2.50}"#,
            r#"{"b":1,"a":2}"#, r#"{"aa":1,"b":2}"#, r#"{"a":1,"a":2}"#, r#"{"a":[1,2]}"#, r#"{"a": {"b" : [1, {"c":null}]}}"#,
            r#" { "a" : 1 } "#, r#"{"a":1,}"#, "01", "1.", ".5", "+1", "tru", "{a:1}", "'", "", "[1,]", r#"{"a":"x\ty"}"#, "[null]", "[false]", "NaN",
        ],
        uses: &[
            "A = B", "A < B", "A <= B", "A <> B", "A -> 'a'", "A ->> 'a'", "A -> N", "A ->> N", "A ->> 'n'", "A -> 'a' -> 'b'", "A -> 'a' ->> 0",
            "A::text", "A::json", "A::int", "A::numeric", "A::boolean", "A::float8", "A::bigint", "A IN (B)", "greatest(A, B)", "nullif(A, B)",
        ],
        aggregates: &["count(DISTINCT v)", "array_agg(v)", "array_agg(DISTINCT v)", "jsonb_agg(v) FILTER (WHERE true)", "min(v)"],
        ordered: true,
    },
    Kind {
        name: "json",
        forms: &["json", "jsonb", "text"],
        inputs: &[
            "1", "2.50", " [1,2]", r#"{"a":[1,2]}"#, r#"{"a" : {"b":  1.0}, "a":2}"#, r#"{"n":2.50}"#, r#"{"a":"\u0041\u0000"}"#, r#"["x", "\n"]"#,
            r#"{"a":null}"#, "nul", "{", r#""\ud800""#, r#"{"a":"b" }"#, "[ 1 , [ 2 ] ]", r#"{"":1}"#,
        ],
        uses: &[
            "A -> 'a'", "A ->> 'a'", "A -> N", "A ->> N", "A -> 'a' -> N", "A -> ''", "A::jsonb", "A = B", "A::int", "A IS NULL", "coalesce(A, B)",
        ],
        aggregates: &["count(v)", "count(DISTINCT v)", "array_agg(v)"],
        ordered: false,
    },
    Kind {
        name: "int[]",
        forms: &["int[]", "text", "bigint[]", "text[]", "numeric[]", "int"],
        inputs: &[
            "{}", "{1,2,3}", "{{1,2},{3,4}}", "{{1,2},{3}}", "{{{1},{2}},{{3},{4}}}", "{NULL}", "{1,NULL,3}", "{ 1 , 2 }", " {1} ", "{1,}", "{,}",
            "{{}}", "{{},{}}", "1", "", "{1", "1}", "{1}}", "{a}", r#"{"1"}"#, "{{1},2}", "{1,{2}}", "[1:2]={1,2}", "[0:1]={5,6}", "{2147483648}", "{{1,2},{NULL,4}}",
            "{1}{2}", "{1} x", "{3,1,2}", "{{1,2,3}}", "{{1},{2},{3}}",
        ],
        uses: &[
            "cardinality(A)", "array_length(A, N)", "array_length(A, 1)", "array_length(A, 2)", "array_ndims(A)", "array_dims(A)", "array_upper(A, N)", "array_lower(A, 1)",
            "A = B", "A < B", "A > B", "A <> B", "A::text", "ARRAY[A, B]", "N = ANY (A)", "N <> ALL (A)", "A::text[]", "A || B", "A || N",
            "A @> B", "ARRAY[[N, 2], [3, N]]", "ARRAY[[1], [N, 2]]", "(SELECT count(*) FROM unnest(A))",
        ],
        aggregates: &["count(DISTINCT v)", "array_agg(v)", "max(v)", "min(v)"],
        ordered: true,
    },
    Kind {
        name: "text[]",
        forms: &["text[]", "text", "varchar(2)[]", "int[]"],
        inputs: &[
            "{}", "{a,b}", r#"{"a b","c,d"}"#, r#"{"","null",NULL,null}"#, r#"{{"a\"b","c\\d"},{e,f}}"#, r"{a\,b}", r#"{a"b"}"#, "{ a b , c }", r#"{"a" b}"#, "{{a,b},{c,d}}",
            "{a,,b}", "{é}", "{abc}", r#"{"a}"#, "{a}b",
        ],
        uses: &["A = B", "A < B", "A::text", "cardinality(A)", "array_length(A, 2)", "'a' = ANY (A)", "A::varchar(1)[]", "ARRAY[A, B]"],
        aggregates: &["count(DISTINCT v)", "max(v)", "array_agg(v)"],
        ordered: true,
    },
    Kind {
        name: "date",
        forms: &["date", "text", "timestamp", "timestamptz"],
        inputs: &[
            "2024-02-29", "2023-02-29", "20240105", "240105", "Jan 5, 2024", "5 Jan 2024", "January 5 2024", "2024-Jan-05", "Jan-05-2024", "05-Jan-2024", "1/5/2024", "13/5/2024", "1-5-2024", "1.5.2024",
            "2024/01/05", "2024.005", "2024-005", "J2451187", "0001-01-01", "0001-01-01 BC", "4714-11-24 BC", "4714-11-23 BC", "5874897-12-31", "5874898-01-01", "infinity", "-infinity", "Infinity",
            "0000-01-01", "epoch", "99-01-01", "2024-1-5", "2024-00-10", "2024-13-01", "", "abc", "2024-01-05 10:00", "2024-01-05T10:00:00Z", "2024-01-05 25:00", "Fri Jan 5 2024", "Foo 5, 2024",
            "2024-01", "2024", "1970-01-01", "Jan 5, 24", "January 32, 2024", "5th Jan 2024", "24-01-05", "10000-01-01",
        ],
        uses: &[
            "A = B", "A < B", "A - B", "A + N", "A - N", "A + 2147483647", "A - 2147483647", "A + interval '1 month'", "A - interval '1 day'", "A::timestamp", "A::timestamptz", "A::text", "extract(year from A)", "extract(dow from A)", "extract(epoch from A)",
            "date_trunc('month', A)", "A + time '10:00'", "greatest(A, B)", "A IN (B)", "age(A, B)", "isfinite(A)", "extract(century from A)", "extract(decade from A)", "extract(isoyear from A)", "extract(julian from A)",
        ],
        aggregates: &["max(v)", "min(v)", "count(DISTINCT v)", "array_agg(v)"],
        ordered: true,
    },
    Kind {
        name: "timestamp",
        forms: &["timestamp", "text", "date", "time", "timestamptz"],
        inputs: &[
            "2024-02-29 12:30:00", "2024-01-05T10:00:00", "20240105T101112", "2024-01-05 10:00:00.1234567", "2024-01-05 24:00:00", "2024-01-05 24:00:01", "2024-01-05 23:59:60", "2024-01-05 10", "2024-01-05 10:00 PM", "2024-01-05 13:00 PM",
            "2024-01-05 12:00 AM", "294276-12-31 23:59:59.999999", "294277-01-01", "4713-01-01 00:00 BC", "4714-11-24 00:00:00 BC", "4714-11-23 23:59:59 BC", "infinity", "-infinity", "epoch", "2024-01-05 10:00+02", "2024-01-05 10:00:00 UTC",
            "Jan 5 10:00:00 2024", "Fri Jan 05 10:00:00 2024", "2024-01-05 1:2:3", "10:00", "", "2024-01-05 10:60", "1969-12-31 23:59:59.5", "0001-01-01 00:00:00 BC", "2024-01-05 10:00:00,5", "2024-01-05 101112", "2024-01-05 10:00:00.",
        ],
        uses: &[
            "A = B", "A < B", "A - B", "A + interval '1 month'", "A + interval '178000000 years'", "A - interval '1 day 2 hours'", "A::date", "A::time", "A::text", "A::timestamptz", "date_trunc('week', A)", "date_trunc('quarter', A)", "date_trunc('century', A)", "date_trunc('decade', A)",
            "extract(epoch from A)", "extract(second from A)", "extract(week from A)", "extract(doy from A)", "extract(milliseconds from A)", "age(A, B)", "A AT TIME ZONE 'UTC'", "A AT TIME ZONE '+02'", "A AT TIME ZONE '-05:30'", "A AT TIME ZONE interval '2 hours'", "extract(isodow from A)", "extract(millennium from A)",
            "date_part('year', A)", "isfinite(A)", "greatest(A, B)", "date_trunc('hour', A)", "extract(year from A)",
        ],
        aggregates: &["max(v)", "min(v)", "count(DISTINCT v)"],
        ordered: true,
    },
    Kind {
        name: "timestamptz",
        forms: &["timestamptz", "text", "date", "time", "timestamp"],
        inputs: &[
            "2024-07-01 12:00+00", "2024-07-01 12:00:00+02", "2024-07-01 12:00:00-05:30", "2024-07-01 12:00:00 +0530", "2024-07-01 12:00:00Z", "2024-07-01T12:00:00.5z", "2024-07-01 12:00 UTC", "2024-07-01 12:00 EST", "2024-07-01 12:00 America/New_York",
            "2024-07-01", "2024-07-01+02", "2024-07-01 12:00+16", "2024-07-01 12:00+15:59:59", "2024-07-01 12:00 Foo/Bar", "2024-07-01 12:00 foo", "infinity", "-infinity", "294276-12-31 23:59:59-15", "4714-11-24 00:00:00+00 BC", "4714-11-24 00:00:00+15 BC", "epoch", "now x", "20240701T120000+02", "2024-07-01 12:00 +02:00:01", "2024-07-01 12:00+2",
        ],
        uses: &[
            "A = B", "A < B", "A - B", "A + interval '1 month'", "A::date", "A::time", "A::text", "A::timestamp", "A AT TIME ZONE 'UTC'", "A AT TIME ZONE '+02'", "A AT TIME ZONE '-05:30'", "A AT TIME ZONE 'utc+3'", "A AT TIME ZONE 'Z'", "A AT TIME ZONE '+25'", "A AT TIME ZONE ''", "A AT TIME ZONE 'nowhere'",
            "A AT TIME ZONE interval '-03:00'", "date_trunc('day', A)", "extract(epoch from A)", "extract(timezone from A)", "extract(hour from A)", "age(A, B)", "A AT TIME ZONE 'EST'", "A AT TIME ZONE 'EST5EDT'", "A AT TIME ZONE '2'", "A AT TIME ZONE '+02:30'", "A AT TIME ZONE '+0230'", "A AT TIME ZONE '<+03>-3'",
        ],
        aggregates: &["max(v)", "count(DISTINCT v)"],
        ordered: true,
    },
    Kind {
        name: "time",
        forms: &["time", "text", "interval"],
        inputs: &["10:00", "10:00:00.5", "24:00:00", "24:00:01", "23:59:60", "101112", "10:11 PM", "12:00 AM", "1:2:3", "T10:00", "25:00", "10:60", "", "abc", "10", "1011", "10:00:00.1234567", "10:00+02", "23:59:59.9999999", "allballs"],
        uses: &["A = B", "A < B", "A - B", "A + interval '5 hours'", "A - interval '25 hours'", "A::interval", "A::text", "extract(hour from A)", "extract(second from A)", "extract(year from A)", "A + interval '1 day'", "extract(epoch from A)"],
        aggregates: &["max(v)", "min(v)"],
        ordered: true,
    },
    Kind {
        name: "interval",
        forms: &["interval", "text", "time"],
        inputs: &[
            "1 day", "P1DT2H", "P1Y2M3DT4H5M6.5S", "PT0S", "P0001-02-03T04:05:06", "P1W", "PT1.5H", "P-1DT-2H", "P", "PT", "P1S", "1-2", "-1-2", "1 2:03:04", "1-2 3 4:05:06", "1.5 months", "0.5 day", "1.5 weeks", "-1.5 years", "1 mon -1 day", "@ 1 minute", "@ 1 minute ago",
            "3 hours ago", "1 year 2 months ago", "1.234567890 seconds", "04:05", "04:05:06.789", "-04:05", "4:60", "100:00:00", "1 century", "1 millennium", "1 decade", "2147483647 months", "2147483648 months", "2147483647 days", "178956970 years", "178956971 years", "9223372036854775807 us", "9223372036854775808 us", "2562047788 hours",
            "2562047789 hours", "", "abc", "1 foo", "1", "1.5", "-1", "1 day 1", "5days", "1 d 2 h 3 m 4 s", "1y", "1 mon 2 months", "1 day 1 day", "infinity", "1e3 seconds", "00:00:00.0000005", "1 quarter", "1 day 25:00:00", ".5 day", "1 hour 1:00", "1 us", "3 msecs", "+1 day", "-0.5 mon", "P1Y1D", "P1.5Y", "P0.3M", "1 month 1.5",
        ],
        uses: &[
            "A = B", "A < B", "A + B", "A - B", "-A", "A * 1.2", "A * N", "A / 3", "A / 0", "A * 0.1", "A / 1.5", "A * -1.5", "1.5 * A", "A * 1e10", "A * 'NaN'::float8", "A::text", "A::time", "justify_hours(A)", "justify_days(A)", "justify_interval(A)", "extract(epoch from A)", "extract(month from A)",
            "extract(second from A)", "extract(day from A)", "extract(hour from A)", "extract(year from A)", "extract(quarter from A)", "extract(decade from A)", "extract(milliseconds from A)", "timestamp '2024-01-31' + A", "date '2024-01-31' - A", "time '10:00' + A", "greatest(A, B)", "date_trunc('hour', A)", "date_trunc('month', A)", "extract(minute from A)", "extract(microseconds from A)",
        ],
        aggregates: &["sum(v)", "avg(v)", "max(v)", "count(DISTINCT v)"],
        ordered: true,
    },
    Kind {
        name: "numeric",
        forms: &["numeric", "text", "int", "bigint", "float8", "numeric(5,2)", "numeric(3,0)", "smallint"],
        inputs: &[
            "0", "1", "-1", "0.10", "2.50", "1e3", "1E-5", "-0", "00012.300", ".5", "5.", ".", "", "-", "+1.5", " 7 ", "1e", "1e+2", "1 2", "abc", "1_000", "0x1F", "NaN", "Infinity", "-inf", "999999999999999999", "0.000000000000001", "123.45678901234567", "9223372036854775807", "9223372036854775808", "2147483647.5", "-2147483648.5",
            "99.995", "999.994", "999.995", "32767.5", "0.5", "1.5", "2.5", "-0.5", "1e10", "7", "3",
        ],
        uses: &[
            "A = B", "A < B", "A + B", "A - B", "A * B", "A / B", "A % B", "-A", "abs(A)", "sign(A)", "round(A)", "round(A, N)", "round(A, -1)", "trunc(A, N)", "ceil(A)", "floor(A)", "A::int", "A::bigint", "A::text", "A::float8", "A::numeric(4,1)", "A / 3", "A + 1", "A * 0.1", "mod(A, B)", "A::smallint", "A::int + B::int", "power(A, 2)", "sqrt(A)",
            "greatest(A, B)", "A IN (B, 1)", "div(A, B)",
        ],
        aggregates: &["sum(v)", "avg(v)", "max(v)", "min(v)", "count(DISTINCT v)", "array_agg(DISTINCT v)", "stddev(v)", "variance(v)"],
        ordered: true,
    },
    Kind {
        name: "bigint",
        forms: &["bigint", "int", "smallint", "text", "numeric", "float8", "boolean"],
        inputs: &["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "2147483647", "2147483648", "32768", "-32768", "-32769", "+5", " 5 ", "5.0", "5e1", "", "-", "0x10", "1_000", "12abc", "007", "- 5", "9223372036854775806", "3"],
        uses: &["A = B", "A + B", "A - B", "A * B", "A / B", "A % B", "-A", "abs(A)", "A::int", "A::smallint", "A::float8", "A::numeric", "A / 2", "A::text", "A::numeric / 7", "A::float8::bigint", "mod(A, B)", "sign(A)", "A::boolean", "A::int::boolean", "round(A)", "sqrt(A)"],
        aggregates: &["sum(v)", "avg(v)", "max(v)", "count(DISTINCT v)", "array_agg(DISTINCT v)", "avg(DISTINCT v)"],
        ordered: true,
    },
    Kind {
        name: "float8",
        forms: &["float8", "text", "int", "bigint", "numeric", "smallint"],
        inputs: &["0", "-0", "1", "1.5", "0.1", "1e15", "1e16", "123456789012345", "1e-4", "1e-5", "1e300", "1e308", "1e309", "1e-320", "1e-400", "NaN", "nan", "Infinity", "-inf", "+Infinity", ".5", "5.", "", "abc", "1e", "0x10", " 2 ", "2.5", "3.5", "-2.5", "2147483647.5", "9.3e18", "123456.789", "0.30000000000000004", "1 2", "3"],
        uses: &["A = B", "A < B", "A + B", "A - B", "A * B", "A / B", "-A", "abs(A)", "sign(A)", "round(A)", "ceil(A)", "floor(A)", "trunc(A)", "A::int", "A::bigint", "A::numeric", "A::text", "sqrt(A)", "power(A, B)", "exp(A)", "ln(A)", "A::smallint", "greatest(A, B)", "A IN (B)", "A::numeric(6,2)"],
        aggregates: &["sum(v)", "avg(v)", "max(v)", "min(v)", "count(DISTINCT v)"],
        ordered: true,
    },
    Kind {
        name: "uuid",
        forms: &["uuid", "text"],
        inputs: &[
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc9-99c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "", "{}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-", "+0eebc999c0b4ef8bb6d6bb9bd380a11",
            "00000000-0000-0000-0000-000000000000",
        ],
        uses: &["A = B", "A < B", "A::text", "A IN (B)", "greatest(A, B)"],
        aggregates: &["count(DISTINCT v)", "array_agg(DISTINCT v)", "max(v)"],
        ordered: true,
    },
    Kind {
        name: "bytea",
        forms: &["bytea", "text"],
        inputs: &[r"\x", r"\xff00", r"\xFF", r"\x0", r"\xg0", "abc", r"a\\b", r"a\101", r"\000", r"\400", r"a\b", r"\x f f", r"\xf f", "", "é", r"\X41", r" \x41"],
        uses: &["A = B", "A < B", "A::text", "length(A)", "octet_length(A)", "A || B", "encode(A, 'hex')", "md5(A)"],
        aggregates: &["count(DISTINCT v)", "min(v)"],
        ordered: true,
    },
    Kind {
        name: "boolean",
        forms: &["boolean", "text", "int", "bigint"],
        inputs: &["t", "true", "TRUE", "tr", "f", "fals", "y", "yes", "no", "n", "on", "off", "of", "o", "1", "0", "2", "", " true ", "truely", "yess", "T", "oN", "00"],
        uses: &["A = B", "A < B", "A AND B", "NOT A", "A::int", "A::text", "A IS TRUE", "A::text || 'x'", "concat(A, B)"],
        aggregates: &["bool_and(v)", "bool_or(v)", "count(DISTINCT v)", "max(v)"],
        ordered: true,
    },
    Kind {
        name: "varchar(3)",
        forms: &["varchar(3)", "varchar(1)", "text", "int", "boolean", "varchar"],
        inputs: &["", "a", "abc", "abcd", "ab ", "abc  ", "éàü", "éàüx", "12", "true", " 1"],
        uses: &["A = B", "A < B", "A || B", "length(A)", "A::text", "A::varchar(2)", "upper(A)", "A LIKE 'a%'", "A::int", "left(A, N)", "substring(A from N)", "A = 'abc'"],
        aggregates: &["max(v)", "string_agg(v, ',')", "count(DISTINCT v)", "array_agg(DISTINCT v)"],
        ordered: true,
    },
];

struct Drawer {
    rng: ChaCha8Rng,
}

impl Drawer {
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.rng).expect("never empty")
    }

    /// A text of the kind, now and then one that is almost one.
    fn input(&mut self, kind: &Kind) -> String {
        let text = self.pick(kind.inputs).to_owned();
        if self.rng.random_range(0..100) >= 12 || text.is_empty() {
            return text;
        }
        let mut chars: Vec<char> = text.chars().collect();
        let at = self.rng.random_range(0..chars.len());
        let other = self.pick(&['0', '1', '9', '-', '.', ':', ' ', ',', '{', '}', '"', 'a', 'e', '+', '/', 'T']);
        match self.rng.random_range(0..4) {
            0 => drop(chars.remove(at)),
            1 => chars.insert(at, other),
            2 => chars[at] = other,
            _ => chars.swap(at, 0),
        }
        chars.into_iter().collect()
    }

    fn value(&mut self, kind: &Kind) -> String {
        let text = self.input(kind).replace('\'', "''");
        match self.rng.random_range(0..12) {
            0 => format!("NULL::{}", kind.name),
            1 => format!("CAST('{text}' AS {})", kind.name),
            _ => format!("'{text}'::{}", kind.name),
        }
    }

    /// A value that PostgreSQL reads, most of the time.
    fn rows(&mut self, kind: &Kind) -> String {
        let count = self.rng.random_range(1..5);
        let rows: Vec<String> = (0..count).map(|_| format!("({})", self.value(kind))).collect();
        format!("(VALUES {}) AS t (v)", rows.join(", "))
    }

    fn statement(&mut self) -> String {
        let kind = KINDS.choose(&mut self.rng).expect("never empty");
        match self.rng.random_range(0..10) {
            0 => format!("SELECT {}", self.value(kind)),
            1 => format!("SELECT ({})::{}", self.value(kind), self.pick(kind.forms)),
            2 => format!("SELECT ('{}'::text)::{}", self.input(kind).replace('\'', "''"), kind.name),
            3 if kind.ordered => {
                let direction = self.pick(&["", " DESC"]);
                format!("SELECT v FROM {} ORDER BY v{direction}", self.rows(kind))
            }
            4 if kind.ordered => {
                let select = self.pick(&["SELECT DISTINCT v", "SELECT v, count(*)"]);
                let group = if select.contains("count") { " GROUP BY v" } else { "" };
                format!("{select} FROM {}{group} ORDER BY v", self.rows(kind))
            }
            5 => format!("SELECT {} FROM {}", self.pick(kind.aggregates), self.rows(kind)),
            _ => {
                let shape = self.pick(kind.uses);
                let (a, b) = (self.value(kind), self.value(kind));
                format!("SELECT {}", filled(shape, &a, &b, self.rng.random_range(0..4)))
            }
        }
    }
}

/// A shape with its letters replaced where they stand alone.
fn filled(shape: &str, a: &str, b: &str, n: u32) -> String {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let chars: Vec<char> = shape.chars().collect();
    let alone =
        |at: usize| !is_word(at.checked_sub(1).map(|before| chars[before])) && !is_word(chars.get(at + 1).copied());
    let mut quoted = false;
    let mut text = String::new();
    for (at, c) in chars.iter().enumerate() {
        quoted ^= *c == '\'';
        match c {
            'A' if !quoted && alone(at) => text += &format!("({a})"),
            'B' if !quoted && alone(at) => text += &format!("({b})"),
            'N' if !quoted && alone(at) => text += &n.to_string(),
            c => text.push(*c),
        }
    }
    text
}

fn statements() -> Vec<String> {
    if let Some(path) = std::env::var_os("TWOAM_DIFF_FILE") {
        let text = std::fs::read_to_string(path).expect("TWOAM_DIFF_FILE names a text");
        return text.lines().filter(|it| !it.trim().is_empty()).map(|it| format!("SELECT {it}")).collect();
    }
    let mut drawer = Drawer { rng: ChaCha8Rng::seed_from_u64(number("TWOAM_DIFF_SEED", 1)) };
    (0..number("TWOAM_DIFF_VALUES", 3000)).map(|_| drawer.statement()).collect()
}

#[test]
fn values_are_as_postgresql_keeps_them() {
    let mut theirs = Theirs::new();
    let (mut compared, mut failed_alike) = (0, 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for sql in statements() {
        let our_answer = answer_of(&sql);
        let their_answer = theirs.query(&sql);
        if let Some(failure) = our_answer.failure.as_ref().filter(|it| it.sqlstate.as_str() == "0A000") {
            *refused.entry(failure.message.clone()).or_default() += 1;
            continue;
        }
        compared += 1;
        failed_alike += usize::from(their_answer.failure.is_some());
        if !same(&sql, &our_answer, &their_answer) {
            found.push(format!("{sql}\nours:\n{}PostgreSQL's:\n{}", shown(&our_answer), shown(&their_answer)));
        }
    }
    println!("values: {compared} compared ({failed_alike} failed alike), {} refused", refused.values().sum::<usize>());
    for (message, count) in refused {
        println!("  refused {count:>5} {message}");
    }
    assert!(found.is_empty(), "{} divergences\n\n{}", found.len(), found.join("\n"));
}
