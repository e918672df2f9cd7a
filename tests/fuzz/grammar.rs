//! Statements of every kind, function, operator and type there is, valid for PostgreSQL mostly, and typed only by half: what does not
//! fit together must be told as well as what does.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

pub const SCHEMA: [&str; 7] = [
    "CREATE TABLE items (id int PRIMARY KEY, a int, b bigint, n numeric(12,2), x double precision, s text, f boolean, d date, \
     t timestamp, z timestamptz, i interval, u uuid, j jsonb, l int[])",
    "CREATE TABLE lines (id serial PRIMARY KEY, item int REFERENCES items (id) ON DELETE CASCADE, \
     qty int NOT NULL DEFAULT 1 CHECK (qty >= 0), name varchar(12) UNIQUE, price numeric)",
    "CREATE TABLE pairs (k int, l int, v text NOT NULL DEFAULT 'none', PRIMARY KEY (k, l))",
    "CREATE INDEX items_a ON items (a, s)",
    "INSERT INTO items (id, a, b, n, x, s, f, d, t, z, i, j, l) SELECT g, g % 3, g * 1000000000000, g * 1.25, g / 3.0, 'row ' || g, \
     g % 2 = 0, date '2024-01-28' + g, timestamp '2024-02-28 12:00' + g * interval '7 hours', timestamptz '2024-03-30 23:30+00', \
     g * interval '1 month 3 days', '{\"a\": [1, {\"b\": null}], \"n\": 2.50}', ARRAY[g, NULL, 3] FROM generate_series(1, 9) g",
    "INSERT INTO lines (item, qty, name, price) SELECT g % 9 + 1, g, 'line ' || g, g * 0.5 FROM generate_series(1, 12) g",
    "INSERT INTO pairs SELECT g % 4, g, 'v' FROM generate_series(1, 8) g",
];

const COLUMNS: &[&str] = &[
    "id",
    "a",
    "b",
    "n",
    "x",
    "s",
    "f",
    "d",
    "t",
    "z",
    "i",
    "u",
    "j",
    "l",
    "qty",
    "name",
    "price",
    "k",
    "v",
    "item",
    "i1.id",
    "i1.a",
    "i1.s",
    "l1.qty",
    "l1.item",
    "p1.k",
    "p1.v",
    "q.c1",
    "c1",
    "c2",
    "g",
    "excluded.s",
    "items.a",
    "items.*",
    "*",
    "ctid",
    "missing",
];

const TYPES: &[&str] = &[
    "int",
    "bigint",
    "smallint",
    "numeric",
    "numeric(5,2)",
    "numeric(1000)",
    "double precision",
    "real",
    "text",
    "varchar(3)",
    "char(4)",
    "boolean",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "timestamp(3)",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "int[]",
    "text[][]",
    "regclass",
    "oid",
    "money",
    "point",
    "missing_type",
];

const LITERALS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "2147483647",
    "2147483648",
    "-2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "99999999999999999999999999999999999999",
    "0.1",
    "1.5",
    "-0.0",
    "1e10",
    "1e308",
    "1e-308",
    "1e400",
    "79228162514264337593543950335",
    "'NaN'::float8",
    "'Infinity'::float8",
    "'-Infinity'::numeric",
    "'NaN'::numeric",
    "NULL",
    "true",
    "false",
    "''",
    "'a'",
    "'A%'",
    "'é🦀'",
    "'1'",
    "'1.5'",
    "' 12 '",
    "'x' || NULL",
    "E'\\n'",
    "$$x$$",
    "B'101'",
    "X'1F'",
    "N'x'",
    "date '2024-02-29'",
    "date '0001-01-01'",
    "date '5874897-12-31'",
    "date '4713-01-01 BC'",
    "date 'infinity'",
    "date 'today'",
    "timestamp '294276-12-31 23:59:59.999999'",
    "timestamp '-infinity'",
    "timestamptz '2024-07-01 12:00+05:30'",
    "time '24:00:00'",
    "time '00:00:00.000001'",
    "interval '1 month -3 days 00:00:01'",
    "interval '178000000 years'",
    "interval '-2147483648 days'",
    "interval '9223372036854775807 microseconds'",
    "interval 'P1DT2H'",
    "now()",
    "current_date",
    "current_timestamp",
    "localtime",
    "'{\"a\": 1}'::jsonb",
    "'[1, 2, [3]]'::json",
    "'null'::jsonb",
    "'{}'::int[]",
    "'{1,NULL,3}'::int[]",
    "ARRAY[1, 2]",
    "ARRAY[[1, 2], [3, 4]]",
    "ARRAY[]::text[]",
    "ARRAY[NULL]",
    "ROW(1, 'a')",
    "'\\x00ff'::bytea",
    "'00000000-0000-0000-0000-000000000000'::uuid",
    "$1",
    "DEFAULT",
    "current_user",
    "repeat('x', 1000)",
    "interval '1' day",
];

/// Functions by the number of their arguments.
const FUNCTIONS: &[(&str, usize)] = &[
    ("lower", 1),
    ("upper", 1),
    ("initcap", 1),
    ("length", 1),
    ("char_length", 1),
    ("octet_length", 1),
    ("bit_length", 1),
    ("ascii", 1),
    ("chr", 1),
    ("reverse", 1),
    ("md5", 1),
    ("repeat", 2),
    ("lpad", 2),
    ("lpad", 3),
    ("rpad", 3),
    ("left", 2),
    ("right", 2),
    ("substr", 2),
    ("substr", 3),
    ("substring", 3),
    ("strpos", 2),
    ("replace", 3),
    ("translate", 3),
    ("split_part", 3),
    ("btrim", 1),
    ("btrim", 2),
    ("ltrim", 2),
    ("rtrim", 2),
    ("concat", 3),
    ("concat_ws", 3),
    ("format", 2),
    ("starts_with", 2),
    ("to_hex", 1),
    ("quote_literal", 1),
    ("string_to_array", 2),
    ("array_to_string", 2),
    ("regexp_replace", 3),
    ("regexp_match", 2),
    ("abs", 1),
    ("sign", 1),
    ("ceil", 1),
    ("ceiling", 1),
    ("floor", 1),
    ("round", 1),
    ("round", 2),
    ("trunc", 1),
    ("trunc", 2),
    ("mod", 2),
    ("div", 2),
    ("power", 2),
    ("sqrt", 1),
    ("exp", 1),
    ("ln", 1),
    ("log", 1),
    ("gcd", 2),
    ("lcm", 2),
    ("factorial", 1),
    ("random", 0),
    ("pi", 0),
    ("greatest", 3),
    ("least", 2),
    ("coalesce", 3),
    ("nullif", 2),
    ("now", 0),
    ("clock_timestamp", 0),
    ("date_trunc", 2),
    ("date_part", 2),
    ("age", 1),
    ("age", 2),
    ("to_char", 2),
    ("to_timestamp", 1),
    ("to_date", 2),
    ("make_date", 3),
    ("make_interval", 0),
    ("justify_days", 1),
    ("date_bin", 3),
    ("jsonb_array_length", 1),
    ("jsonb_typeof", 1),
    ("to_jsonb", 1),
    ("jsonb_build_object", 2),
    ("jsonb_build_array", 2),
    ("jsonb_set", 3),
    ("json_build_object", 2),
    ("row_to_json", 1),
    ("array_length", 2),
    ("cardinality", 1),
    ("array_append", 2),
    ("array_position", 2),
    ("array_remove", 2),
    ("array_cat", 2),
    ("unnest", 1),
    ("generate_series", 2),
    ("pg_typeof", 1),
    ("nextval", 1),
    ("currval", 1),
    ("setval", 2),
    ("lastval", 0),
    ("gen_random_uuid", 0),
    ("hashtext", 1),
    ("version", 0),
    ("current_schema", 0),
    ("pg_backend_pid", 0),
    ("txid_current", 0),
    ("pg_advisory_lock", 1),
    ("pg_try_advisory_lock", 1),
    ("pg_advisory_xact_lock", 2),
    ("pg_advisory_unlock", 1),
    ("pg_advisory_unlock_all", 0),
    ("current_setting", 1),
    ("set_config", 3),
    ("pg_sleep", 1),
    ("missing_function", 2),
    ("num_nulls", 2),
    ("isfinite", 1),
    ("bit_and", 1),
    ("pg_current_wal_lsn", 0),
    ("pg_wal_lsn_diff", 2),
];

const AGGREGATES: &[&str] = &[
    "count(*)",
    "count(",
    "count(DISTINCT ",
    "sum(",
    "avg(",
    "min(",
    "max(",
    "bool_and(",
    "bool_or(",
    "every(",
    "array_agg(",
    "array_agg(DISTINCT ",
    "jsonb_agg(",
    "json_agg(",
    "stddev(",
    "bit_or(",
    "sum(DISTINCT ",
];

const WINDOWS: &[&str] = &["row_number()", "rank()", "dense_rank()", "ntile(2)", "percent_rank()", "cume_dist()"];

const OPERATORS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "||",
    "AND",
    "OR",
    "IS DISTINCT FROM",
    "LIKE",
    "NOT ILIKE",
    "~",
    "!~*",
    "->",
    "->>",
    "#>",
    "#>>",
    "@>",
    "<@",
    "?",
    "&&",
    "&",
    "|",
    "#",
    "<<",
    ">>",
    "SIMILAR TO",
    "AT TIME ZONE",
    "OVERLAPS",
    "!=",
];

pub struct Grammar<'a> {
    rng: &'a mut ChaCha8Rng,
    depth: usize,
}

impl<'a> Grammar<'a> {
    pub fn new(rng: &'a mut ChaCha8Rng) -> Grammar<'a> {
        Grammar { rng, depth: 0 }
    }

    pub fn statement(&mut self) -> String {
        match self.below(100) {
            0..=47 => self.query(),
            48..=57 => self.insert(),
            58..=66 => self.update(),
            67..=71 => self.delete(),
            72..=74 => self.merge(),
            75..=82 => self.transaction(),
            83..=93 => self.definition(),
            94..=96 => format!("EXPLAIN {}{}", self.one(&["", "ANALYZE ", "(COSTS OFF) ", "VERBOSE "]), self.query()),
            97 => format!("{}; {}", self.query(), self.insert()),
            _ => self.session(),
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of.choose(self.rng).expect("never empty")
    }

    fn list(&mut self, most: usize, separator: &str, mut make: impl FnMut(&mut Self) -> String) -> String {
        let count = self.below(most) + 1;
        (0..count).map(|_| make(self)).collect::<Vec<_>>().join(separator)
    }

    fn maybe(&mut self, percent: u32, make: impl FnOnce(&mut Self) -> String) -> String {
        if self.chance(percent) { make(self) } else { String::new() }
    }

    // Queries

    fn query(&mut self) -> String {
        self.depth += 1;
        let with = self.maybe(12, Self::with);
        let body = match self.below(if self.depth > 3 { 6 } else { 20 }) {
            0..=13 => self.select(),
            14..=15 => {
                let operation = self.one(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"]);
                format!("{} {operation} {}", self.select(), self.select())
            }
            16 => format!("({}) UNION ALL ({})", self.query(), self.query()),
            17 => format!("VALUES {}", self.list(3, ", ", |it| format!("({}, {})", it.expression(), it.expression()))),
            18 => "TABLE items".to_owned(),
            _ => format!("SELECT {}", self.list(4, ", ", Self::expression)),
        };
        let order = self.maybe(35, |it| {
            let by = it.list(3, ", ", |it| {
                format!(
                    "{}{}",
                    it.expression(),
                    it.one(&["", "", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST", " USING <"])
                )
            });
            format!(" ORDER BY {by}")
        });
        let limit = self.maybe(20, |it| {
            format!(" LIMIT {}", it.one(&["1", "3", "0", "ALL", "NULL", "-1", "1 + 1", "'2'", "(SELECT 1)", "id"]))
        });
        let offset =
            self.maybe(8, |it| format!(" OFFSET {}", it.one(&["0", "2", "-1", "NULL", "9223372036854775807"])));
        let lock = self.maybe(10, |it| {
            let strength = it.one(&["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"]);
            format!(
                " FOR {strength}{}{}",
                it.one(&["", "", " OF i1", " OF items"]),
                it.one(&["", "", " NOWAIT", " SKIP LOCKED"])
            )
        });
        self.depth -= 1;
        format!("{with}{body}{order}{limit}{offset}{lock}")
    }

    fn with(&mut self) -> String {
        let recursive = self.one(&["", "", "", "RECURSIVE "]);
        let ctes = self.list(3, ", ", |it| {
            let name = it.one(&["q", "r", "items"]);
            let columns = it.one(&["", "(c1)", "(c1, c2)"]);
            let how = it.one(&["", "", "MATERIALIZED ", "NOT MATERIALIZED "]);
            let body = match it.below(8) {
                0 => it.update(),
                1 => it.delete(),
                2 => "SELECT 1 UNION ALL SELECT c1 + 1 FROM q WHERE c1 < 5".to_owned(),
                _ => it.query(),
            };
            format!("{name}{columns} AS {how}({body})")
        });
        format!("WITH {recursive}{ctes} ")
    }

    fn select(&mut self) -> String {
        self.depth += 1;
        let distinct = self.maybe(12, |it| match it.below(3) {
            0 => format!("DISTINCT ON ({}) ", it.expression()),
            _ => "DISTINCT ".to_owned(),
        });
        let output = self.list(4, ", ", |it| {
            let value = match it.below(10) {
                0 => "*".to_owned(),
                1..=2 => it.aggregate(),
                3 => it.window(),
                _ => it.expression(),
            };
            format!("{value}{}", it.one(&["", "", "", " AS c1", " AS c2", " AS a"]))
        });
        let from = self.list(2, ", ", Self::joined);
        let condition = self.maybe(50, |it| format!(" WHERE {}", it.condition()));
        let group = self.maybe(22, |it| {
            let keys = it.one(&[
                "1",
                "2",
                "a",
                "1, 2",
                "ROLLUP (a, id)",
                "GROUPING SETS ((a), ())",
                "()",
                "i1.id",
                "s, f",
                "a + 1",
                "count(*)",
            ]);
            format!(" GROUP BY {keys}")
        });
        let having = self.maybe(10, |it| format!(" HAVING {}", it.condition()));
        let windows = self.maybe(4, |_| " WINDOW w AS (PARTITION BY a ORDER BY id)".to_owned());
        self.depth -= 1;
        format!("SELECT {distinct}{output} FROM {from}{condition}{group}{having}{windows}")
    }

    fn joined(&mut self) -> String {
        let mut text = self.factor();
        while self.chance(30) && self.depth < 6 {
            let kind = self.one(&[
                "JOIN",
                "LEFT JOIN",
                "LEFT JOIN",
                "RIGHT JOIN",
                "FULL JOIN",
                "CROSS JOIN",
                "NATURAL JOIN",
                "NATURAL LEFT JOIN",
            ]);
            let right = if self.chance(12) { format!("({})", self.joined()) } else { self.factor() };
            let constraint = match kind {
                "CROSS JOIN" | "NATURAL JOIN" | "NATURAL LEFT JOIN" => String::new(),
                _ => match self.below(6) {
                    0 => " USING (id)".to_owned(),
                    1 => " ON true".to_owned(),
                    2 => " ON i1.id = l1.item".to_owned(),
                    _ => format!(" ON {}", self.condition()),
                },
            };
            text = format!("{text} {kind} {right}{constraint}");
        }
        text
    }

    fn factor(&mut self) -> String {
        let shallow = self.depth > 4;
        match self.below(if shallow { 8 } else { 16 }) {
            0..=2 => "items i1".to_owned(),
            3..=4 => "lines l1".to_owned(),
            5 => "pairs p1".to_owned(),
            6 => self.one(&["items", "lines", "pairs AS q(c1, c2)", "ONLY items", "q", "missing"]).to_owned(),
            7 => {
                let call = self.one(&[
                    "generate_series(1, 3) g",
                    "generate_series(1, i1.a) g",
                    "unnest(ARRAY[1, 2]) g",
                    "unnest(i1.l) AS q(c1)",
                ]);
                format!("{}{call}", self.one(&["", "", "LATERAL "]))
            }
            8..=10 => format!("LATERAL ({}) {}", self.query(), self.one(&["q", "r", "l", "AS q(c1)"])),
            11..=13 => format!("({}) {}", self.query(), self.one(&["q", "r", "AS q(c1, c2)", "i1"])),
            14 => format!(
                "LATERAL (SELECT {} AS c1 FROM lines WHERE item = i1.id ORDER BY 1 LIMIT 1) q",
                self.expression()
            ),
            _ => self
                .one(&[
                    "information_schema.tables",
                    "pg_catalog.pg_class",
                    "pg_tables",
                    "items TABLESAMPLE SYSTEM (10)",
                ])
                .to_owned(),
        }
    }

    // Expressions

    fn condition(&mut self) -> String {
        self.depth += 1;
        let value = match self.below(if self.depth > 5 { 3 } else { 12 }) {
            0 => "f".to_owned(),
            1 => format!("{} = {}", self.atom(), self.atom()),
            2 => format!("{} < {}", self.atom(), self.atom()),
            3 => format!("({}) {} ({})", self.condition(), self.one(&["AND", "OR"]), self.condition()),
            4 => format!("NOT {}", self.condition()),
            5 => format!("{} IS {}NULL", self.expression(), self.one(&["", "NOT "])),
            6 => format!("{}EXISTS ({})", self.one(&["", "NOT "]), self.query()),
            7 => format!("{} {}IN ({})", self.expression(), self.one(&["", "NOT "]), self.query()),
            8 => format!("{} IN ({})", self.expression(), self.list(3, ", ", Self::expression)),
            9 => format!("{} BETWEEN {} AND {}", self.expression(), self.atom(), self.atom()),
            10 => format!("{} = {} ({})", self.expression(), self.one(&["ANY", "ALL", "SOME"]), self.query()),
            _ => self.expression(),
        };
        self.depth -= 1;
        value
    }

    fn atom(&mut self) -> String {
        if self.chance(55) { self.one(COLUMNS).to_owned() } else { self.one(LITERALS).to_owned() }
    }

    fn expression(&mut self) -> String {
        self.depth += 1;
        let value = match self.below(if self.depth > 5 { 3 } else { 24 }) {
            0..=4 => self.atom(),
            5..=8 => format!("{} {} {}", self.expression(), self.one(OPERATORS), self.expression()),
            9..=12 => self.call(),
            13 => format!("({})", self.query()),
            14 => format!("{}::{}", self.atom(), self.one(TYPES)),
            15 => format!("CAST({} AS {})", self.expression(), self.one(TYPES)),
            16 => format!("CASE WHEN {} THEN {} ELSE {} END", self.condition(), self.expression(), self.expression()),
            17 => format!("CASE {} WHEN {} THEN {} END", self.expression(), self.atom(), self.expression()),
            18 => format!("ARRAY[{}]", self.list(3, ", ", Self::expression)),
            19 => format!(
                "extract({} FROM {})",
                self.one(&["year", "epoch", "dow", "microseconds", "week", "century", "x"]),
                self.expression()
            ),
            20 => self.odd(),
            21 => self.aggregate(),
            22 => self.window(),
            _ => format!("({}, {}) = ({}, {})", self.atom(), self.atom(), self.atom(), self.atom()),
        };
        self.depth -= 1;
        value
    }

    fn call(&mut self) -> String {
        let (name, count) = *FUNCTIONS.choose(self.rng).expect("never empty");
        let count = if self.chance(5) { self.below(4) } else { count };
        let arguments: Vec<String> = (0..count).map(|_| self.expression()).collect();
        format!("{name}({})", arguments.join(", "))
    }

    fn odd(&mut self) -> String {
        let value = self.expression();
        match self.below(14) {
            0 => format!("- {value}"),
            1 => format!("@ {value}"),
            2 => format!("{value} IS NOT TRUE"),
            3 => format!("{value} IS UNKNOWN"),
            4 => format!("substring({value} FROM 2 FOR {})", self.atom()),
            5 => format!("trim(BOTH {} FROM {value})", self.atom()),
            6 => format!("position({} IN {value})", self.atom()),
            7 => format!("overlay({value} PLACING 'x' FROM 2)"),
            8 => format!("({value})[{}]", self.one(&["1", "0", "-1", "1:2", "NULL", "2147483648"])),
            9 => format!("{value} COLLATE \"C\""),
            10 => format!("ARRAY({})", self.query()),
            11 => format!("ROW({value}, {})", self.atom()),
            12 => format!("{value} LIKE {} ESCAPE {}", self.atom(), self.one(&["'!'", "''", "'ab'", "NULL"])),
            _ => format!("{value} = ANY (ARRAY[{}])", self.atom()),
        }
    }

    fn aggregate(&mut self) -> String {
        let head = self.one(AGGREGATES);
        let call = match self.below(8) {
            0 => format!(
                "string_agg({}, {}{})",
                self.expression(),
                self.atom(),
                self.one(&["", " ORDER BY id", " ORDER BY s DESC"])
            ),
            _ if head.ends_with(')') => head.to_owned(),
            _ => format!("{head}{}{})", self.expression(), self.one(&["", "", " ORDER BY a", " ORDER BY 1"])),
        };
        let filter = self.maybe(10, |it| format!(" FILTER (WHERE {})", it.condition()));
        format!("{call}{filter}")
    }

    fn window(&mut self) -> String {
        let call = match self.below(6) {
            0..=1 => self.one(WINDOWS).to_owned(),
            2 => format!("{}({})", self.one(&["lag", "lead", "first_value", "last_value"]), self.expression()),
            3 => format!("lag({}, {}, {})", self.expression(), self.atom(), self.atom()),
            4 => format!("nth_value({}, 2)", self.expression()),
            _ => self.aggregate(),
        };
        let partition = self.maybe(40, |it| format!("PARTITION BY {} ", it.expression()));
        let order =
            self.maybe(60, |it| format!("ORDER BY {}{}", it.expression(), it.one(&["", " DESC", " NULLS FIRST"])));
        let frame = self.maybe(10, |it| {
            it.one(&[" ROWS BETWEEN 1 PRECEDING AND CURRENT ROW", " RANGE UNBOUNDED PRECEDING", " GROUPS 2 PRECEDING"])
                .to_owned()
        });
        format!("{call} OVER ({partition}{order}{frame})")
    }

    // Writing

    fn insert(&mut self) -> String {
        let (table, columns) = *[
            ("items", "(id, a, s)"),
            ("items", "(id, b, n, x)"),
            ("lines", "(item, qty, name)"),
            ("pairs", "(k, l, v)"),
            ("pairs", ""),
            ("items AS i1", "(id, d, t, j)"),
            ("missing", "(a)"),
        ]
        .choose(self.rng)
        .expect("never empty");
        let width = columns.matches(',').count() + 1;
        let row = |it: &mut Self| format!("({})", (0..width).map(|_| it.expression()).collect::<Vec<_>>().join(", "));
        let rows = match self.below(6) {
            0 => self.query(),
            1 => "DEFAULT VALUES".to_owned(),
            2 => format!("SELECT {} FROM generate_series(100, 110) g", vec!["g"; width].join(", ")),
            _ => format!("VALUES {}", self.list(3, ", ", row)),
        };
        let conflict = self.maybe(35, |it| {
            let target = it.one(&[
                "",
                " (id)",
                " (k, l)",
                " (name)",
                " ON CONSTRAINT items_pkey",
                " (lower(s))",
                " (id) WHERE a > 1",
            ]);
            match it.below(2) {
                0 => format!(" ON CONFLICT{target} DO NOTHING"),
                _ => format!(" ON CONFLICT{target} DO UPDATE SET {} WHERE {}", it.assignments(), it.condition()),
            }
        });
        format!("{}INSERT INTO {table} {columns} {rows}{conflict}{}", self.maybe(6, Self::with), self.returning())
    }

    fn assignments(&mut self) -> String {
        self.list(2, ", ", |it| {
            let column =
                it.one(&["a", "b", "n", "x", "s", "f", "d", "t", "i", "j", "l", "id", "qty", "v", "k", "missing"]);
            match it.below(8) {
                0 => format!("({column}, s) = ({}, {})", it.expression(), it.expression()),
                1 => format!("{column} = DEFAULT"),
                2 => format!("{column} = ({})", it.query()),
                _ => format!("{column} = {}", it.expression()),
            }
        })
    }

    fn update(&mut self) -> String {
        let table = self.one(&["items", "items i1", "lines l1", "pairs p1", "pairs", "missing"]);
        let set = self.assignments();
        let from = self.maybe(25, |it| format!(" FROM {}", it.joined()));
        let condition = self.maybe(75, |it| format!(" WHERE {}", it.condition()));
        format!("UPDATE {table} SET {set}{from}{condition}{}", self.returning())
    }

    fn delete(&mut self) -> String {
        let table = self.one(&["items", "items i1", "lines l1", "pairs p1"]);
        let using = self.maybe(25, |it| format!(" USING {}", it.joined()));
        let condition = self.maybe(85, |it| format!(" WHERE {}", it.condition()));
        format!("DELETE FROM {table}{using}{condition}{}", self.returning())
    }

    fn merge(&mut self) -> String {
        let source = self.factor();
        let set = self.assignments();
        format!(
            "MERGE INTO items i1 USING {source} ON {} WHEN MATCHED THEN UPDATE SET {set} WHEN NOT MATCHED THEN DO NOTHING",
            self.condition()
        )
    }

    fn returning(&mut self) -> String {
        self.maybe(25, |it| format!(" RETURNING {}", it.list(2, ", ", Self::expression)))
    }

    // The rest

    fn transaction(&mut self) -> String {
        self.one(&[
            "BEGIN",
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "COMMIT",
            "COMMIT",
            "ROLLBACK",
            "COMMIT AND CHAIN",
            "SAVEPOINT s1",
            "ROLLBACK TO s1",
            "RELEASE s1",
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "LOCK TABLE items IN SHARE MODE",
            "LOCK TABLE lines NOWAIT",
            "PREPARE TRANSACTION 'x'",
        ])
        .to_owned()
    }

    fn definition(&mut self) -> String {
        let table = self.one(&["items", "lines", "pairs", "made", "other"]);
        let column = self.one(&["a", "s", "id", "n", "fresh", "qty", "v"]);
        let ty = self.one(TYPES);
        match self.below(26) {
            0..=2 => {
                let rest = self.list(3, ", ", |it| {
                    let name = it.one(&["a", "b", "c", "d"]);
                    let constraint = it.one(&[
                        "",
                        "",
                        " NOT NULL",
                        " UNIQUE",
                        " PRIMARY KEY",
                        " REFERENCES items",
                        " REFERENCES items (a)",
                    ]);
                    let default = it.maybe(25, |it| format!(" DEFAULT {}", it.kept()));
                    let check = it.maybe(15, |it| format!(" CHECK ({})", it.condition()));
                    let generated = it.maybe(8, |it| format!(" GENERATED ALWAYS AS ({}) STORED", it.kept()));
                    let identity = it.maybe(5, |_| " GENERATED BY DEFAULT AS IDENTITY".to_owned());
                    format!("{name} {}{constraint}{default}{check}{generated}{identity}", it.one(TYPES))
                });
                let key = self.maybe(20, |it| {
                    let columns = it.list(3, ", ", |it| it.one(&["a", "b", "c"]).to_owned());
                    format!(", {} ({columns})", it.one(&["UNIQUE", "PRIMARY KEY", "CONSTRAINT c1 UNIQUE"]))
                });
                format!(
                    "CREATE {}TABLE {}made ({rest}{key})",
                    self.one(&["", "", "TEMP "]),
                    self.one(&["", "IF NOT EXISTS "])
                )
            }
            3 => format!(
                "CREATE TABLE other (id int GENERATED ALWAYS AS IDENTITY, g int GENERATED ALWAYS AS ({}) STORED)",
                self.kept()
            ),
            4 => format!("CREATE TABLE other AS {}", self.query()),
            5 => format!(
                "DROP TABLE {}{table}{}",
                self.one(&["", "IF EXISTS "]),
                self.one(&["", " CASCADE", " RESTRICT"])
            ),
            6 => format!("ALTER TABLE {table} ADD COLUMN {column} {ty} DEFAULT {}", self.kept()),
            7 => format!("ALTER TABLE {table} DROP COLUMN {column}{}", self.one(&["", " CASCADE"])),
            8 => format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {ty} USING {}", self.expression()),
            9 => format!(
                "ALTER TABLE {table} ALTER {column} {}",
                self.one(&["SET NOT NULL", "DROP NOT NULL", "DROP DEFAULT"])
            ),
            10 => format!("ALTER TABLE {table} ALTER {column} SET DEFAULT {}", self.kept()),
            11 => format!("ALTER TABLE {table} ADD CONSTRAINT c1 CHECK ({})", self.condition()),
            12 => format!(
                "ALTER TABLE {table} ADD {}",
                self.one(&[
                    "UNIQUE (a)",
                    "UNIQUE (a, a)",
                    "CONSTRAINT c1 UNIQUE (id, a)",
                    "PRIMARY KEY (id)",
                    "CONSTRAINT c1 FOREIGN KEY (a) REFERENCES items ON DELETE SET DEFAULT ON UPDATE SET DEFAULT",
                    "FOREIGN KEY (a) REFERENCES items",
                    "EXCLUDE USING gist (a WITH =)"
                ])
            ),
            13 => format!(
                "ALTER TABLE {table} RENAME {}",
                self.one(&["TO made", "a TO fresh", "COLUMN s TO a", "CONSTRAINT c1 TO c2"])
            ),
            14..=15 | 22..=24 => {
                let keys = self.list(3, ", ", |it| match it.below(4) {
                    0 => format!("({})", it.kept()),
                    1 => it.one(&["lower(s)", "d", "j"]).to_owned(),
                    // Few, so that one stands there twice.
                    _ => it.one(&["a", "a", "s", "id DESC", "k", "qty", "(a % 2)"]).to_owned(),
                });
                let condition = self.maybe(25, |it| format!(" WHERE {}", it.kept_condition()));
                format!(
                    "CREATE {}INDEX {}ON {table} ({keys}){condition}",
                    self.one(&["", "UNIQUE "]),
                    self.one(&["x1 ", "", "IF NOT EXISTS x1 "])
                )
            }
            16 => format!("DROP INDEX {}", self.one(&["x1", "items_a", "items_pkey", "IF EXISTS x9"])),
            17 => format!("TRUNCATE {table}{}", self.one(&["", " CASCADE", " RESTART IDENTITY", ", lines"])),
            18 => format!(
                "CREATE SEQUENCE {}",
                self.one(&["q1", "q1 START 5 INCREMENT -2", "q1 MAXVALUE 3 CYCLE", "q1 MINVALUE 9 MAXVALUE 1"])
            ),
            19 => format!("CREATE VIEW v1 AS {}", self.query()),
            20 => "CREATE FUNCTION f1() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$".to_owned(),
            _ => self
                .one(&[
                    "DROP SEQUENCE q1",
                    "CREATE TYPE mood AS ENUM ('a', 'b')",
                    "COMMENT ON TABLE items IS 'x'",
                    "ANALYZE",
                    "VACUUM items",
                ])
                .to_owned(),
        }
    }

    /// What a definition keeps: little more than what is accepted, for only that is asked for again.
    fn kept(&mut self) -> String {
        match self.below(10) {
            0 => format!("({})", self.query()),
            1 => self.one(&["(SELECT 1)", "(a IN (SELECT 1))", "ARRAY(SELECT 1)", "EXISTS (SELECT 1)"]).to_owned(),
            2 => self.one(&["count(*)", "max(a)", "rank() OVER ()", "sum(a) OVER ()"]).to_owned(),
            3 => {
                self.one(&["a + 1", "coalesce((SELECT 1), a)", "a % 2", "lower(s)", "a / 0", "k / (k - l)"]).to_owned()
            }
            4..=6 => self.one(LITERALS).to_owned(),
            _ => self.expression(),
        }
    }

    fn kept_condition(&mut self) -> String {
        match self.below(4) {
            0 => self.one(&["a > 1", "a IS NOT NULL", "1 / a > 0", "s = 'row 1'", "k = l"]).to_owned(),
            1 => self.one(&["(SELECT true)", "a IN (SELECT 1)", "count(*) > 1", "rank() OVER () > 1"]).to_owned(),
            _ => self.condition(),
        }
    }

    fn session(&mut self) -> String {
        self.one(&[
            "SET lock_timeout = '1s'",
            "SET LOCAL statement_timeout = 100",
            "SET search_path TO public",
            "SET TIME ZONE 'UTC'",
            "SHOW transaction_isolation",
            "SHOW ALL",
            "RESET ALL",
            "DISCARD ALL",
            "PREPARE p AS SELECT $1",
            "EXECUTE p (1)",
            "DEALLOCATE ALL",
            "DECLARE c CURSOR FOR SELECT 1",
            "FETCH 1 FROM c",
            "LISTEN x",
            "NOTIFY x, 'y'",
            "COPY items TO STDOUT",
            "DO $$ BEGIN NULL; END $$",
            "CALL p()",
            "",
            ";",
        ])
        .to_owned()
    }
}
