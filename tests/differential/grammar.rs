//! Statements over a small fixed schema, drawn from a grammar: typed, so that most of them mean something.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Int,
    Bigint,
    Numeric,
    Float,
    Text,
    Bool,
    Date,
    Timestamp,
    Interval,
    Document,
    Numbers,
}

use Type::{Bigint, Bool, Date, Document, Float, Int, Interval, Numbers, Numeric, Text, Timestamp};

const TYPES: [Type; 11] = [Int, Bigint, Numeric, Float, Text, Bool, Date, Timestamp, Interval, Document, Numbers];

struct Table {
    name: &'static str,
    key: &'static str,
    columns: &'static [(&'static str, Type)],
}

const TABLES: [Table; 3] = [
    Table {
        name: "items",
        key: "id",
        columns: &[
            ("id", Int),
            ("a", Int),
            ("b", Bigint),
            ("n", Numeric),
            ("x", Float),
            ("s", Text),
            ("f", Bool),
            ("d", Date),
            ("t", Timestamp),
        ],
    },
    Table {
        name: "lines",
        key: "id",
        columns: &[
            ("id", Int),
            ("item", Int),
            ("qty", Int),
            ("name", Text),
            ("price", Numeric),
            ("i", Interval),
            ("doc", Document),
            ("tags", Numbers),
        ],
    },
    Table { name: "pairs", key: "k, l", columns: &[("k", Int), ("l", Int), ("v", Text)] },
];

/// Creates the schema of `TABLES`; what follows is drawn.
const SCHEMA: [&str; 4] = [
    "CREATE TABLE items (id int PRIMARY KEY, a int, b bigint, n numeric(12,2), x double precision, s text, f boolean, d date, t timestamp)",
    "CREATE TABLE lines (id serial PRIMARY KEY, item int REFERENCES items (id) ON DELETE CASCADE ON UPDATE CASCADE, \
     qty int NOT NULL DEFAULT 1 CHECK (qty >= 0), name varchar(12) UNIQUE, price numeric, i interval, doc jsonb, tags int[])",
    "CREATE TABLE pairs (k int, l int, v text NOT NULL DEFAULT 'none', PRIMARY KEY (k, l), CONSTRAINT small CHECK (length(v) < 20))",
    "CREATE INDEX items_a ON items (a)",
];

/// What an expression may name.
type Scope = Vec<(String, Type)>;

pub struct Grammar<'a> {
    rng: &'a mut ChaCha8Rng,
}

impl<'a> Grammar<'a> {
    pub fn new(rng: &'a mut ChaCha8Rng) -> Grammar<'a> {
        Grammar { rng }
    }

    /// A schema with rows, and then statements over it.
    pub fn script(&mut self, statements: usize) -> Vec<String> {
        let mut script: Vec<String> = SCHEMA.iter().map(|it| (*it).to_owned()).collect();
        for id in 1..=self.below(7) + 2 {
            script.push(self.insert_item(&id.to_string()));
        }
        for _ in 0..self.below(5) + 1 {
            script.push(self.insert_line());
        }
        for _ in 0..self.below(5) {
            script.push(self.insert_pair());
        }
        for _ in 0..statements {
            script.push(self.statement());
        }
        script
    }

    pub fn statement(&mut self) -> String {
        match self.below(100) {
            0..=54 => self.query(),
            55..=64 => self.insert(),
            65..=76 => self.update(),
            77..=82 => self.delete(),
            83..=90 => self.transaction_word(),
            91..=95 => self.definition(),
            _ => self.mistake(),
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(self.rng).expect("never empty")
    }

    fn list<T>(&mut self, count: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..count).map(|_| make(self)).collect()
    }

    // Queries. Every one has an order that leaves only equal rows unordered.

    fn query(&mut self) -> String {
        match self.below(25) {
            21..=22 => self.lateral(),
            23 => self.nested_calls(),
            24 => self.chain(),
            0..=7 => self.plain_select(),
            8..=10 => self.join(),
            11..=13 => self.grouped(),
            14 => self.union(),
            15 => self.with(),
            16 => self.window(),
            17 => self.bare_expressions(),
            18 => self.derived(),
            19 => self.system(),
            _ => self.values(),
        }
    }

    fn ordinals(count: usize) -> String {
        (1..=count).map(|it| it.to_string()).collect::<Vec<_>>().join(", ")
    }

    fn ordered(&mut self, select: &str, columns: usize) -> String {
        let direction = self.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST", ""]);
        let first = self.below(columns) + 1;
        let limit = self.limit();
        format!("{select} ORDER BY {first}{direction}, {}{limit}", Self::ordinals(columns))
    }

    fn limit(&mut self) -> String {
        match self.below(8) {
            0 => format!(" LIMIT {}", self.below(4)),
            1 => format!(" LIMIT {} OFFSET {}", self.below(4), self.below(3)),
            2 => format!(" OFFSET {}", self.below(4)),
            _ => String::new(),
        }
    }

    fn typed(&mut self, scope: &Scope, depth: usize) -> String {
        let kind = self.pick(&TYPES);
        self.expression(kind, scope, depth)
    }

    fn projection(&mut self, scope: &Scope, count: usize) -> String {
        let items: Vec<_> = (0..count)
            .map(|index| {
                let expression = self.typed(scope, 2);
                if self.chance(25) { format!("{expression} AS c{index}") } else { expression }
            })
            .collect();
        items.join(", ")
    }

    fn table_scope(&mut self, table: usize, alias: Option<&str>) -> Scope {
        let columns = TABLES[table].columns.iter();
        columns.map(|(name, kind)| (alias.map_or(name.to_string(), |it| format!("{it}.{name}")), *kind)).collect()
    }

    fn plain_select(&mut self) -> String {
        let table = self.below(3);
        let scope = self.table_scope(table, None);
        let filter = self.filter(&scope);
        if self.chance(25) {
            let order = TABLES[table].key;
            let limit = self.limit();
            return format!("SELECT * FROM {}{filter} ORDER BY {order}{limit}", TABLES[table].name);
        }
        let count = self.below(3) + 1;
        let distinct = if self.chance(12) { "DISTINCT " } else { "" };
        let projection = self.projection(&scope, count);
        self.ordered(&format!("SELECT {distinct}{projection} FROM {}{filter}", TABLES[table].name), count)
    }

    fn filter(&mut self, scope: &Scope) -> String {
        if self.chance(25) { String::new() } else { format!(" WHERE {}", self.expression(Bool, scope, 2)) }
    }

    fn join(&mut self) -> String {
        let kind = self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", ",", "JOIN"]);
        let (first, second) = (self.pick(&[(0, 1), (1, 0), (0, 2), (0, 0)]).0, self.pick(&[1, 2, 0]));
        let mut scope = self.table_scope(first, Some("p"));
        scope.extend(self.table_scope(second, Some("q")));
        let on = match kind {
            "CROSS JOIN" | "," => String::new(),
            _ if first == 0 && second == 1 => " ON q.item = p.id".to_owned(),
            "FULL JOIN" => " ON p.id = q.id"
                .replace("q.id", if second == 2 { "q.k" } else { "q.id" })
                .replace("p.id", if first == 2 { "p.k" } else { "p.id" }),
            _ => format!(" ON {}", self.expression(Bool, &scope, 1)),
        };
        let filter = self.filter(&scope);
        let count = self.below(3) + 1;
        let projection = self.projection(&scope, count);
        let (first, second) = (TABLES[first].name, TABLES[second].name);
        self.ordered(&format!("SELECT {projection} FROM {first} p {kind} {second} q{on}{filter}"), count)
    }

    fn aggregate(&mut self, scope: &Scope) -> String {
        let kind = self.pick(&[Int, Bigint, Numeric]);
        let number = self.expression(kind, scope, 1);
        let call = match self.below(9) {
            0 => "count(*)".to_owned(),
            1 => format!("count({})", self.typed(scope, 1)),
            2 => format!("sum({number})"),
            3 => format!("avg({number})"),
            4 => format!("min({})", self.typed_but(scope, Bool)),
            5 => format!("max({})", self.typed_but(scope, Bool)),
            6 => format!("count(DISTINCT {number})"),
            7 => format!("bool_and({})", self.expression(Bool, scope, 1)),
            _ => {
                let text = self.expression(Text, scope, 1);
                format!("string_agg({text}, ',' ORDER BY {text})")
            }
        };
        if self.chance(12) { format!("{call} FILTER (WHERE {})", self.expression(Bool, scope, 1)) } else { call }
    }

    fn typed_but(&mut self, scope: &Scope, other: Type) -> String {
        let kind = self.pick(&TYPES);
        if kind == other { self.expression(Int, scope, 1) } else { self.expression(kind, scope, 1) }
    }

    fn grouped(&mut self) -> String {
        let table = self.below(3);
        let scope = self.table_scope(table, None);
        let filter = self.filter(&scope);
        let from = TABLES[table].name;
        if self.chance(35) {
            let aggregates = self.list(2, |it| it.aggregate(&scope)).join(", ");
            return format!("SELECT {aggregates} FROM {from}{filter}");
        }
        let key = if self.chance(60) {
            self.pick(TABLES[table].columns).0.to_owned()
        } else {
            let kind = self.pick(&[Int, Text, Bool]);
            self.expression(kind, &scope, 1)
        };
        let aggregates = self.list(2, |it| it.aggregate(&scope)).join(", ");
        let having = if self.chance(25) { " HAVING count(*) > 1" } else { "" };
        let by = if self.chance(30) { "1".to_owned() } else { key.clone() };
        self.ordered(&format!("SELECT {key}, {aggregates} FROM {from}{filter} GROUP BY {by}{having}"), 3)
    }

    fn union(&mut self) -> String {
        let kinds = self.list(2, |it| it.pick(&TYPES));
        let operator = self.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "UNION"]);
        let sides = self.list(2, |it| {
            let table = it.below(3);
            let scope = it.table_scope(table, None);
            let items: Vec<_> = kinds.iter().map(|kind| it.expression(*kind, &scope, 1)).collect();
            let filter = it.filter(&scope);
            format!("SELECT {} FROM {}{filter}", items.join(", "), TABLES[table].name)
        });
        format!("{} ORDER BY 1, 2", sides.join(&format!(" {operator} ")))
    }

    fn with(&mut self) -> String {
        let table = self.below(3);
        let inner = self.table_scope(table, None);
        let kinds = self.list(2, |it| it.pick(&TYPES));
        let items: Vec<_> = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| format!("{} AS w{index}", self.expression(*kind, &inner, 1)))
            .collect();
        let filter = self.filter(&inner);
        let scope: Scope = kinds.iter().enumerate().map(|(index, kind)| (format!("w{index}"), *kind)).collect();
        let projection = self.projection(&scope, 2);
        // Which of two conditions, here and within, is tested first is open.
        let outer = if filter.is_empty() { self.filter(&scope) } else { String::new() };
        let from = TABLES[table].name;
        let with = format!("WITH w AS (SELECT {} FROM {from}{filter})", items.join(", "));
        self.ordered(&format!("{with} SELECT {projection} FROM w{outer}"), 2)
    }

    fn derived(&mut self) -> String {
        let table = self.below(3);
        let inner = self.table_scope(table, None);
        let kind = self.pick(&TYPES);
        let expression = self.expression(kind, &inner, 1);
        let scope: Scope = vec![("z.c".to_owned(), kind)];
        let projection = self.projection(&scope, 2);
        let from = TABLES[table].name;
        self.ordered(&format!("SELECT {projection} FROM (SELECT {expression} AS c FROM {from}) AS z"), 2)
    }

    fn window(&mut self) -> String {
        let call = self.pick(&[
            "row_number() OVER (ORDER BY id)",
            "rank() OVER (ORDER BY a)",
            "dense_rank() OVER (ORDER BY a DESC)",
            "sum(a) OVER (PARTITION BY f ORDER BY id)",
            "count(*) OVER (PARTITION BY f)",
            "lag(s) OVER (ORDER BY id)",
            "lead(a, 1, 0) OVER (ORDER BY id)",
        ]);
        format!("SELECT id, {call} FROM items ORDER BY id")
    }

    /// A derived table that is computed anew for each row beside it.
    fn lateral(&mut self) -> String {
        let kind = self.pick(&["LEFT JOIN", "LEFT JOIN", "JOIN", ","]);
        let scope = self.table_scope(0, Some("p"));
        let inner = self.table_scope(1, Some("q"));
        let value = self.expression(Int, &[scope.clone(), inner].concat(), 1);
        let rows = match self.below(9) {
            0 => format!("SELECT {value} AS v FROM lines q WHERE q.item = p.id ORDER BY q.id LIMIT 1"),
            1 => format!("SELECT count(*) AS v, sum({value}) AS w FROM lines q WHERE q.item = p.id"),
            2 => format!("SELECT {value} AS v FROM lines q WHERE q.item >= p.id AND q.qty > p.a"),
            3 => "SELECT q.id + r.qty AS v FROM lines q LEFT JOIN LATERAL (SELECT qty FROM lines r WHERE r.item = p.id AND r.id = q.id) r ON true".to_owned(),
            4 => "SELECT max(x) AS v FROM (WITH c AS (SELECT p.a AS x UNION ALL SELECT p.id) SELECT x FROM c) c".to_owned(),
            5 => "VALUES (p.a), (p.id + 1)".to_owned(),
            6 => "SELECT DISTINCT q.qty % 2 AS v FROM lines q WHERE q.item = p.id UNION SELECT p.id".to_owned(),
            7 => "SELECT rank() OVER (ORDER BY q.qty) AS v FROM lines q WHERE q.id <= p.id".to_owned(),
            _ => "SELECT g AS v FROM generate_series(1, p.id % 4) g".to_owned(),
        };
        let on = match kind {
            "," => "",
            _ => self.pick(&[" ON true", " ON true", " ON l.c > p.id", " ON p.f"]),
        };
        let filter = self.filter(&scope);
        let from = format!("items p {kind} LATERAL ({rows}) l(c){on}");
        if self.below(3) == 0 {
            // Nothing but a neighbour, or a subquery, reads what the first one gives.
            let reader = self.pick(&[
                "m.d FROM {} LEFT JOIN LATERAL (SELECT l.c AS d) m ON true",
                "m.d FROM {}, LATERAL (SELECT count(*) AS d FROM lines r WHERE r.qty > l.c) m",
                "(SELECT max(r.id) FROM lines r WHERE r.qty < l.c) FROM {}",
            ]);
            return format!("SELECT p.id, {}{filter} ORDER BY 1, 2", reader.replace("{}", &from));
        }
        format!("SELECT p.id, l.c FROM {from}{filter} ORDER BY 1, 2")
    }

    /// Aggregates and window functions in each other: most of it is wrong.
    fn nested_calls(&mut self) -> String {
        let calls =
            ["sum(a)", "count(*)", "a", "rank() OVER (ORDER BY a)", "sum(a) OVER ()", "sum(sum(a)) OVER ()", "1"];
        let (first, second) = (self.pick(&calls), self.pick(&calls));
        match self.below(8) {
            0 => format!("SELECT max({first}) FROM items"),
            1 => format!("SELECT max({first}) OVER (ORDER BY {second}) FROM items ORDER BY 1"),
            2 => format!("SELECT {first}, {second} FROM items GROUP BY 1 ORDER BY 1, 2"),
            3 => format!("SELECT a, {first} FROM items GROUP BY a HAVING {second} > 1 ORDER BY 1, 2"),
            4 => format!("SELECT a FROM items GROUP BY a ORDER BY {first}, a"),
            5 => format!("SELECT count(*) FILTER (WHERE {first} > 1) FROM items"),
            6 => {
                format!("SELECT lag({first}) OVER (PARTITION BY {second} ORDER BY a) FROM items GROUP BY a ORDER BY 1")
            }
            _ => format!("SELECT id FROM items WHERE {first} > 1 ORDER BY id"),
        }
    }

    /// Many of one thing in a row.
    fn chain(&mut self) -> String {
        let times = self.pick(&[3, 30, 300]);
        match self.below(6) {
            0 => format!("SELECT id FROM items WHERE id = 1{} ORDER BY id", " OR a = 2".repeat(times)),
            1 => format!("SELECT id FROM items WHERE id > 1{} ORDER BY id", " AND a < 9".repeat(times)),
            2 => format!("SELECT id{} FROM items ORDER BY id", " + a".repeat(times)),
            3 => format!("SELECT id{} FROM items ORDER BY id", " || s || f".repeat(times / 3)),
            4 => format!("SELECT id FROM items{} ORDER BY 1", " UNION SELECT qty FROM lines".repeat(times.min(30))),
            _ => {
                let operation = self.pick(&["EXCEPT", "INTERSECT", "EXCEPT ALL", "UNION ALL"]);
                let more = format!(" {operation} SELECT qty FROM lines").repeat(times.min(30));
                format!("SELECT a FROM items{more} UNION SELECT 1.5 ORDER BY 1")
            }
        }
    }

    fn bare_expressions(&mut self) -> String {
        let count = self.below(3) + 1;
        format!("SELECT {}", self.projection(&Vec::new(), count))
    }

    /// What the system says of the tables there are.
    fn system(&mut self) -> String {
        let table = self.pick(&["items", "lines", "pairs", "Items", "nothing"]);
        let wanted = match self.below(4) {
            0 => format!("table_name = '{table}'"),
            1 => "is_nullable <> 'NO' AND NOT data_type = 'text'".to_owned(),
            2 => "(column_name LIKE '%i_e%' OR ordinal_position > 5)".to_owned(),
            _ => "data_type IN ('integer', 'bigint', 'numeric')".to_owned(),
        };
        match self.below(5) {
            0 => "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name".to_owned(),
            1 => format!("SELECT column_name, ordinal_position, is_nullable AS optional, data_type FROM information_schema.columns WHERE table_schema = 'public' AND {wanted} ORDER BY table_name DESC, ordinal_position"),
            2 => format!("SELECT table_name, count(*) FROM information_schema.columns c WHERE c.table_schema = 'public' AND {wanted} GROUP BY table_name ORDER BY table_name LIMIT 2"),
            3 => "SELECT i.indexname FROM pg_indexes i JOIN pg_catalog.pg_tables t ON t.tablename = i.tablename WHERE i.schemaname = 'public' AND t.schemaname = 'public' ORDER BY i.indexname OFFSET 1".to_owned(),
            _ => format!("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND tablename = '{table}'"),
        }
    }

    fn values(&mut self) -> String {
        if self.chance(50) {
            return "SELECT g FROM generate_series(1, 5) AS g WHERE g % 2 = 1 ORDER BY g".to_owned();
        }
        let scope = Vec::new();
        let rows =
            self.list(2, |it| format!("({}, {})", it.expression(Int, &scope, 1), it.expression(Text, &scope, 1)));
        format!("SELECT * FROM (VALUES {}) AS v (p, q) ORDER BY 1, 2", rows.join(", "))
    }

    // Changes.

    fn literal_or_null(&mut self, kind: Type) -> String {
        if self.chance(15) { "NULL".to_owned() } else { self.literal(kind) }
    }

    fn insert_item(&mut self, id: &str) -> String {
        let values: Vec<_> = TABLES[0].columns[1..].iter().map(|(_, kind)| self.literal_or_null(*kind)).collect();
        format!("INSERT INTO items VALUES ({id}, {})", values.join(", "))
    }

    fn insert_line(&mut self) -> String {
        let item = if self.chance(20) { "NULL".to_owned() } else { (self.below(9) + 1).to_string() };
        let name = if self.chance(50) { format!("'line {}'", self.below(6)) } else { self.literal_or_null(Text) };
        let (price, interval) = (self.literal_or_null(Numeric), self.literal_or_null(Interval));
        let quantity = if self.chance(20) { "DEFAULT".to_owned() } else { self.small() };
        let (document, numbers) = (self.literal_or_null(Document), self.literal_or_null(Numbers));
        format!(
            "INSERT INTO lines (item, qty, name, price, i, doc, tags) \
             VALUES ({item}, {quantity}, {name}, {price}, {interval}, {document}, {numbers})"
        )
    }

    fn insert_pair(&mut self) -> String {
        let (k, l) = (self.below(4), self.below(3));
        if self.chance(20) {
            return format!("INSERT INTO pairs (k, l) VALUES ({k}, {l})");
        }
        format!("INSERT INTO pairs VALUES ({k}, {l}, {})", self.literal_or_null(Text))
    }

    fn small(&mut self) -> String {
        self.rng.random_range(-1..9).to_string()
    }

    fn returning(&mut self, scope: &Scope) -> String {
        match self.below(4) {
            0 => " RETURNING *".to_owned(),
            1 => format!(" RETURNING {}", self.projection(scope, 2)),
            _ => String::new(),
        }
    }

    fn insert(&mut self) -> String {
        let id = (self.below(14) + 1).to_string();
        let (table, insert) = match self.below(4) {
            0 => (0, self.insert_item(&id)),
            1 => (1, self.insert_line()),
            2 => (2, self.insert_pair()),
            _ => {
                let scope = self.table_scope(0, None);
                let text = self.expression(Text, &scope, 1);
                (2, format!("INSERT INTO pairs SELECT id, {}, {text} FROM items WHERE id < 5", self.below(9) + 3))
            }
        };
        let scope = self.table_scope(table, None);
        let key = ["id", "id", "k, l"][table];
        let conflict = match self.below(6) {
            0 => " ON CONFLICT DO NOTHING".to_owned(),
            1 => format!(" ON CONFLICT ({key}) DO NOTHING"),
            2 => match table {
                0 => format!(
                    " ON CONFLICT (id) DO UPDATE SET a = excluded.a, s = items.s || {}",
                    self.expression(Text, &Vec::new(), 1)
                ),
                1 => " ON CONFLICT (name) DO UPDATE SET qty = lines.qty + excluded.qty WHERE lines.qty < 5".to_owned(),
                _ => " ON CONFLICT (k, l) DO UPDATE SET v = excluded.v".to_owned(),
            },
            _ => String::new(),
        };
        let returning = self.returning(&scope);
        format!("{insert}{conflict}{returning}")
    }

    fn assignments(&mut self, table: usize, scope: &Scope) -> String {
        let count = self.below(2) + 1;
        let mut columns: Vec<_> = TABLES[table].columns.iter().skip(usize::from(self.chance(85))).collect();
        let chosen: Vec<_> = (0..count)
            .map(|_| {
                let (name, kind) = columns.remove(self.below(columns.len()));
                let value = if self.chance(10) { "NULL".to_owned() } else { self.expression(*kind, scope, 2) };
                format!("{name} = {value}")
            })
            .collect();
        chosen.join(", ")
    }

    fn update(&mut self) -> String {
        if self.chance(12) {
            let mut scope = self.table_scope(1, Some("lines"));
            scope.extend(self.table_scope(0, Some("i")));
            let value = self.expression(Int, &scope, 1);
            return format!("UPDATE lines SET qty = {value} FROM items i WHERE i.id = lines.item");
        }
        let table = self.below(3);
        let scope = self.table_scope(table, None);
        let assignments = self.assignments(table, &scope);
        let filter = self.filter(&scope);
        let returning = self.returning(&scope);
        format!("UPDATE {} SET {assignments}{filter}{returning}", TABLES[table].name)
    }

    fn delete(&mut self) -> String {
        if self.chance(12) {
            return "DELETE FROM lines USING items i WHERE i.id = lines.item AND i.f".to_owned();
        }
        let table = self.below(3);
        let scope = self.table_scope(table, None);
        let filter = self.expression(Bool, &scope, 2);
        let returning = self.returning(&scope);
        format!("DELETE FROM {} WHERE {filter}{returning}", TABLES[table].name)
    }

    fn transaction_word(&mut self) -> String {
        self.pick(&[
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT one",
            "SAVEPOINT two",
            "ROLLBACK TO SAVEPOINT one",
            "RELEASE SAVEPOINT one",
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "START TRANSACTION READ ONLY",
            "END",
            "ABORT",
            "SHOW transaction_isolation",
            "SET LOCAL work_mem = '8MB'",
            "SET LOCAL work_mem = '16MB'",
            "SHOW work_mem",
        ])
        .to_owned()
    }

    fn definition(&mut self) -> String {
        let kind = self.pick(&["int", "bigint", "numeric(6,3)", "text", "varchar(5)", "boolean", "date", "smallint"]);
        let rule = self.pick(&["", " NOT NULL", " UNIQUE", " DEFAULT NULL", " CHECK (c IS NOT NULL)"]);
        match self.below(16) {
            7 => format!("CREATE TEMP TABLE pairs (k int, l int, v {kind})"),
            8 => format!("CREATE TEMP TABLE brief (k int, c {kind}){}", self.pick(&["", " ON COMMIT DROP", " ON COMMIT DELETE ROWS"])),
            9 => "INSERT INTO brief VALUES (1, NULL), (2, NULL) RETURNING k".to_owned(),
            10 => "SELECT * FROM brief ORDER BY k".to_owned(),
            11 => self.pick(&["DROP TABLE brief", "COMMENT ON TABLE brief IS 'short'", "COMMENT ON COLUMN lines.nothing IS NULL", "COMMENT ON INDEX pairs_v IS 'v'", "DROP TABLE pairs", "DROP SEQUENCE lines_id_seq", "ALTER TABLE lines ALTER id DROP NOT NULL"]).to_owned(),
            12 => self.pick(&["TRUNCATE lines RESTART IDENTITY", "TRUNCATE pairs RESTART IDENTITY", "TRUNCATE lines"]).to_owned(),
            13 => "SELECT id, nextval('lines_id_seq') FROM lines ORDER BY id DESC LIMIT 1".to_owned(),
            // Which row gets which number is open.
            14 => "SELECT nextval('lines_id_seq') + 1 FROM lines ORDER BY 1 LIMIT 2".to_owned(),
            15 => self.pick(&["UPDATE items SET id = id + 50 WHERE id < 3", "UPDATE boss SET id = id + 20", "INSERT INTO boss VALUES (1, NULL), (2, 1), (3, 1)", "CREATE TABLE boss (id int PRIMARY KEY, of int REFERENCES boss ON UPDATE CASCADE ON DELETE SET NULL)", "DELETE FROM boss WHERE id = 21"]).to_owned(),
            0 => format!("CREATE TABLE extra (id int PRIMARY KEY, c {kind}{rule})"),
            1 => format!("CREATE TABLE IF NOT EXISTS extra (id serial PRIMARY KEY, c {kind}{rule})"),
            2 => "DROP TABLE IF EXISTS extra".to_owned(),
            3 => "INSERT INTO extra (id, c) VALUES (1, '12')".to_owned(),
            4 => "CREATE UNIQUE INDEX pairs_v ON pairs (v)".to_owned(),
            5 => "DROP INDEX pairs_v".to_owned(),
            _ => "TRUNCATE pairs".to_owned(),
        }
    }

    fn mistake(&mut self) -> String {
        self.pick(&[
            "SELECT nothing FROM items",
            "SELECT * FROM nowhere",
            "SELECT a FROM items GROUP BY s",
            "SELECT sum(s) FROM items",
            "SELECT 'x'::int",
            "SELECT '2024-02-30'::date",
            "SELECT CAST('maybe' AS boolean)",
            "SELECT 1 + 'two'",
            "SELECT (SELECT id FROM items)",
            "SELECT nosuch(1)",
            "SELECT * FROM items WHERE a",
            "INSERT INTO items (id, id) VALUES (1, 2)",
            "INSERT INTO items (id) VALUES (1, 2)",
            "INSERT INTO pairs VALUES (1)",
            "UPDATE items SET nothing = 1",
            "INSERT INTO lines (item, name) VALUES (1, 'far too long a name')",
            "INSERT INTO items (id, n) VALUES (90, 12345678901234)",
            "SELECT 1 FROM items p, items q WHERE id = 1",
            "SELECT items.id FROM items p",
            "SELECT 2147483647 + 1",
            "SELECT 9223372036854775807 + 1",
            "SELECT id FROM items ORDER BY 2",
            "SELECT count(*) FROM items WHERE count(*) > 1",
            "DROP TABLE nowhere",
            "SELECT 1 UNION SELECT 'a'",
            "SELECT 1, 2 UNION SELECT 1",
            "SELECT case when a > 1 then 1 else 'x' end from items",
            "SELEC 1",
            "SELECT (1",
            "SELECT 'open",
        ])
        .to_owned()
    }

    // Expressions.

    pub fn literal(&mut self, kind: Type) -> String {
        match kind {
            Int => {
                self.pick(&["0", "1", "2", "-1", "3", "7", "10", "100", "-25", "2147483647", "-2147483648"]).to_owned()
            }
            Bigint => {
                let text = self.pick(&["0", "1", "-3", "5000000000", "9223372036854775807", "42", "-7"]);
                if self.chance(50) { format!("{text}::bigint") } else { format!("CAST({text} AS bigint)") }
            }
            Numeric => self
                .pick(&[
                    "0.0",
                    "1.5",
                    "-2.25",
                    "0.1",
                    "19.99",
                    "100.00",
                    "3.14159",
                    "-0.005",
                    "12345.678",
                    "1e3",
                    "7.0",
                ])
                .to_owned(),
            Float => {
                let text = self.pick(&["0", "1.5", "-2.25", "0.1", "1e10", "3.0", "-0.5", "1e-7"]);
                format!("{text}::double precision")
            }
            Text => self
                .pick(&[
                    "''",
                    "'a'",
                    "'Ann'",
                    "'bob'",
                    "'  pad '",
                    "'O''Hara'",
                    "'a%b_c'",
                    "'12'",
                    "'été'",
                    "'x,y,z'",
                    "'Z'",
                ])
                .to_owned(),
            Bool => self.pick(&["true", "false"]).to_owned(),
            Date => self
                .pick(&[
                    "date '2024-02-29'",
                    "date '2023-12-31'",
                    "'2024-01-01'::date",
                    "date '1999-07-04'",
                    "'20240105'::date",
                    "'Jan 5, 2024'::date",
                    "'5874897-12-31'::date",
                    "'infinity'::date",
                    "date '0044-03-15 BC'",
                ])
                .to_owned(),
            Timestamp => self
                .pick(&[
                    "timestamp '2024-02-29 12:30:00'",
                    "timestamp '2023-12-31 23:59:59.5'",
                    "'2024-01-01'::timestamp",
                    "timestamp '2024-03-31 01:02:03.000004'",
                    "timestamp '9999-12-31 23:59:59.999999'",
                    "'-infinity'::timestamp",
                    "timestamp '0001-01-01 BC'",
                    "'20240105T101112.5'::timestamp",
                ])
                .to_owned(),
            Interval => self
                .pick(&[
                    "interval '1 day'",
                    "interval '2 hours 30 minutes'",
                    "interval '1 month'",
                    "interval '-3 days'",
                    "interval '1 year 2 months 3 days 04:05:06'",
                    "'90 minutes'::interval",
                    "interval 'P1DT2H'",
                    "interval '1.5 months'",
                    "interval '-1 years +1 day'",
                    "interval '178956970 years'",
                    "interval '2147483647 days'",
                ])
                .to_owned(),
            Document => self
                .pick(&[
                    "'{\"a\": 1.0}'::jsonb",
                    "'{\"a\": 1}'::jsonb",
                    "'{\"bb\": [1, 2.50], \"a\": \"x\", \"a\": null}'::jsonb",
                    "'1.50'::jsonb",
                    "'12345678901234567890.123456789'::jsonb",
                    "'[1, 2]'::jsonb",
                    "'[]'::jsonb",
                    "'null'::jsonb",
                    "'\"x\"'::jsonb",
                    "'true'::jsonb",
                ])
                .to_owned(),
            Numbers => self
                .pick(&[
                    "'{}'::int[]",
                    "'{1,2}'::int[]",
                    "ARRAY[3, NULL, 1]",
                    "ARRAY[[1,2],[3,4]]",
                    "'{{1},{2}}'::int[]",
                    "'{1,2,3,4}'::int[]",
                    "ARRAY[]::int[]",
                ])
                .to_owned(),
        }
    }

    fn leaf(&mut self, kind: Type, scope: &Scope) -> String {
        let named: Vec<_> = scope.iter().filter(|(_, it)| *it == kind).map(|(name, _)| name.clone()).collect();
        if !named.is_empty() && self.chance(75) {
            return named.choose(self.rng).expect("not empty").clone();
        }
        if self.chance(5) { self.null(kind) } else { self.literal(kind) }
    }

    fn null(&mut self, kind: Type) -> String {
        let name = match kind {
            Int => "int",
            Bigint => "bigint",
            Numeric => "numeric",
            Float => "double precision",
            Text => "text",
            Bool => "boolean",
            Date => "date",
            Timestamp => "timestamp",
            Interval => "interval",
            Document => "jsonb",
            Numbers => "int[]",
        };
        format!("NULL::{name}")
    }

    /// An expression of the type; with parentheses more often than needed, not always.
    pub fn expression(&mut self, kind: Type, scope: &Scope, depth: usize) -> String {
        if depth == 0 || self.chance(30) {
            return self.leaf(kind, scope);
        }
        let deeper = depth - 1;
        if self.chance(12) {
            return self.conditional(kind, scope, deeper);
        }
        match kind {
            Int => self.int(scope, deeper),
            Bigint => self.bigint(scope, deeper),
            Numeric => self.numeric(scope, deeper),
            Float => self.float(scope, deeper),
            Text => self.text(scope, deeper),
            Bool => self.bool(scope, deeper),
            Date => self.date(scope, deeper),
            Timestamp => self.timestamp(scope, deeper),
            Interval => self.interval(scope, deeper),
            Document => self.document(scope, deeper),
            Numbers => self.numbers(scope, deeper),
        }
    }

    fn conditional(&mut self, kind: Type, scope: &Scope, depth: usize) -> String {
        let (a, b) = (self.expression(kind, scope, depth), self.expression(kind, scope, depth));
        match self.below(5) {
            0 => format!("coalesce({a}, {b})"),
            1 => format!("nullif({a}, {b})"),
            2 if kind != Bool => format!("greatest({a}, {b})"),
            3 => format!("CASE WHEN {} THEN {a} ELSE {b} END", self.expression(Bool, scope, depth)),
            _ => format!("CASE {} WHEN 1 THEN {a} WHEN 2 THEN {b} END", self.expression(Int, scope, depth)),
        }
    }

    fn arithmetic(&mut self, kind: Type, operators: &[&str], scope: &Scope, depth: usize) -> String {
        let operator = self.pick(operators);
        let (a, b) = (self.expression(kind, scope, depth), self.expression(kind, scope, depth));
        if self.chance(60) { format!("({a} {operator} {b})") } else { format!("{a} {operator} {b}") }
    }

    fn int(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(16) {
            14 => format!("cardinality({})", self.expression(Numbers, scope, depth)),
            15 => format!("array_length({}, {})", self.expression(Numbers, scope, depth), self.below(3)),
            0..=5 => self.arithmetic(Int, &["+", "-", "*", "/", "%"], scope, depth),
            6 => format!("abs({})", self.expression(Int, scope, depth)),
            7 => format!("length({})", self.expression(Text, scope, depth)),
            8 => format!("({})::int", self.expression(Numeric, scope, depth)),
            9 => format!("(-{})", self.expression(Int, scope, depth)),
            10 => format!("position({} in {})", self.literal(Text), self.expression(Text, scope, depth)),
            11 => format!("mod({}, {})", self.expression(Int, scope, depth), self.expression(Int, scope, depth)),
            12 => format!("({} - {})", self.expression(Date, scope, depth), self.expression(Date, scope, depth)),
            _ => {
                let table = self.below(3);
                let from = TABLES[table].name;
                let inner = self.table_scope(table, Some("sub"));
                format!("(SELECT max({}) FROM {from} sub)", self.expression(Int, &inner, 1))
            }
        }
    }

    fn bigint(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(6) {
            0..=2 => self.arithmetic(Bigint, &["+", "-", "*", "/", "%"], scope, depth),
            3 => format!("({} + {})", self.expression(Int, scope, depth), self.expression(Bigint, scope, depth)),
            4 => format!("({})::bigint", self.expression(Numeric, scope, depth)),
            _ => {
                let from = self.pick(&["items", "lines", "pairs"]);
                format!("(SELECT count(*) FROM {from})")
            }
        }
    }

    fn numeric(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(12) {
            0..=3 => self.arithmetic(Numeric, &["+", "-", "*", "/"], scope, depth),
            4 => format!("round({}, {})", self.expression(Numeric, scope, depth), self.below(4)),
            5 => format!("trunc({}, {})", self.expression(Numeric, scope, depth), self.below(3)),
            6 => {
                let function = self.pick(&["floor", "ceil", "abs", "round", "sign"]);
                format!("{function}({})", self.expression(Numeric, scope, depth))
            }
            7 => format!("({} * {})", self.expression(Int, scope, depth), self.expression(Numeric, scope, depth)),
            8 => format!("({})::numeric(10,2)", self.expression(Numeric, scope, depth)),
            9 => format!("({})::numeric", self.expression(Int, scope, depth)),
            10 => format!("({} % {})", self.expression(Numeric, scope, depth), self.expression(Numeric, scope, depth)),
            _ => {
                let field = self.pick(&["year", "month", "day", "hour", "second", "dow", "epoch"]);
                format!("extract({field} from {})", self.expression(Timestamp, scope, depth))
            }
        }
    }

    fn float(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(5) {
            0..=1 => self.arithmetic(Float, &["+", "-", "*", "/"], scope, depth),
            2 => format!("({})::double precision", self.expression(Int, scope, depth)),
            3 => format!("({})::float8", self.expression(Numeric, scope, depth)),
            _ => {
                let function = self.pick(&["abs", "floor", "ceil", "round", "sqrt"]);
                format!("{function}({})", self.expression(Float, scope, depth))
            }
        }
    }

    fn text(&mut self, scope: &Scope, depth: usize) -> String {
        let text = self.expression(Text, scope, depth);
        match self.below(17) {
            16 => format!("({} ->> 'a')", self.expression(Document, scope, depth)),
            0..=2 => format!("({text} || {})", self.expression(Text, scope, depth)),
            3 => {
                let function = self.pick(&["upper", "lower", "trim", "ltrim", "rtrim", "initcap", "reverse"]);
                format!("{function}({text})")
            }
            4 => format!("substring({text} from {} for {})", self.below(4), self.below(4)),
            5 => format!("substr({text}, {})", self.small()),
            6 => format!("replace({text}, {}, {})", self.literal(Text), self.literal(Text)),
            7 => format!("left({text}, {})", self.small()),
            8 => format!("right({text}, {})", self.small()),
            9 => format!("lpad({text}, {}, {})", self.small(), self.literal(Text)),
            10 => format!("rpad({text}, {})", self.small()),
            11 => format!("repeat({text}, {})", self.below(3)),
            12 => format!("concat({text}, {}, {})", self.typed(scope, depth), self.typed(scope, depth)),
            13 => format!("split_part({text}, ',', {})", self.below(3) + 1),
            14 => format!("({text} || {})", self.expression(Int, scope, depth)),
            _ => {
                let kind = self.pick(&TYPES);
                format!("({})::text", self.expression(kind, scope, depth))
            }
        }
    }

    fn comparable(&mut self) -> Type {
        self.pick(&[Int, Int, Bigint, Numeric, Text, Text, Date, Timestamp, Float, Bool, Interval, Document, Numbers])
    }

    fn bool(&mut self, scope: &Scope, depth: usize) -> String {
        let kind = self.comparable();
        match self.below(22) {
            21 => {
                let operator = self.pick(&["=", "<>", "<", ">=", "IS DISTINCT FROM"]);
                let (date, timestamp) = (self.expression(Date, scope, depth), self.expression(Timestamp, scope, depth));
                let (a, b) = if self.chance(50) { (date, timestamp) } else { (timestamp, date) };
                format!("({a}) {operator} ({b})")
            }
            20 => {
                let operator = self.pick(&["= ANY", "<> ALL", "< ANY"]);
                let (number, numbers) = (self.expression(Int, scope, depth), self.expression(Numbers, scope, depth));
                format!("(({number}) {operator} ({numbers}))")
            }
            0..=5 => {
                let operator = self.pick(&["=", "<>", "<", "<=", ">", ">=", "!="]);
                format!("{} {operator} {}", self.expression(kind, scope, depth), self.expression(kind, scope, depth))
            }
            6 => format!("({} AND {})", self.expression(Bool, scope, depth), self.expression(Bool, scope, depth)),
            7 => format!("({} OR {})", self.expression(Bool, scope, depth), self.expression(Bool, scope, depth)),
            8 => format!("NOT ({})", self.expression(Bool, scope, depth)),
            9 => {
                let test = self.pick(&["IS NULL", "IS NOT NULL"]);
                format!("({}) {test}", self.expression(kind, scope, depth))
            }
            10 => {
                let not = self.pick(&["", "NOT "]);
                let bounds = self.list(3, |it| it.expression(kind, scope, depth.min(1)));
                format!("(({}) {not}BETWEEN ({}) AND ({}))", bounds[0], bounds[1], bounds[2])
            }
            11..=12 => {
                let not = self.pick(&["", "NOT "]);
                let mut items = self.list(2, |it| it.literal(kind));
                if self.chance(20) {
                    items.push("NULL".to_owned());
                }
                format!("{} {not}IN ({})", self.expression(kind, scope, depth), items.join(", "))
            }
            13..=14 => {
                let operator = self.pick(&["LIKE", "NOT LIKE", "ILIKE"]);
                let pattern = self.pick(&["'a%'", "'%b%'", "'_'", "'%n'", "''", "'A__'", "'%\\%%'"]);
                format!("{} {operator} {pattern}", self.expression(Text, scope, depth))
            }
            15 => {
                let not = self.pick(&["", "NOT "]);
                let (a, b) = (self.expression(kind, scope, depth), self.expression(kind, scope, depth));
                format!("{a} IS {not}DISTINCT FROM {b}")
            }
            16 => {
                let test = self.pick(&["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS UNKNOWN"]);
                format!("({}) {test}", self.expression(Bool, scope, depth))
            }
            17 => {
                let table = self.below(3);
                let mut inner = self.table_scope(table, Some("sub"));
                inner.extend(scope.iter().cloned());
                let from = TABLES[table].name;
                format!("EXISTS (SELECT 1 FROM {from} sub WHERE {})", self.expression(Bool, &inner, 1))
            }
            18 => {
                let not = self.pick(&["", "NOT "]);
                let inner = self.table_scope(0, Some("sub"));
                let value = self.expression(Int, scope, depth);
                // Compared with what is the same in all rows, the value need not be computed.
                let row = Some(self.expression(Int, &inner, 1));
                let row = row.filter(|it| it.contains("sub.") && !it.contains("NULL") && !it.contains("CASE"));
                format!("{value} {not}IN (SELECT {} FROM items sub)", row.as_deref().unwrap_or("sub.a"))
            }
            _ => format!("{} = {}", self.expression(Int, scope, depth), self.expression(Numeric, scope, depth)),
        }
    }

    fn date(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(4) {
            0 => format!("({} + {})", self.expression(Date, scope, depth), self.below(400)),
            1 => format!("({} - {})", self.expression(Date, scope, depth), self.below(40)),
            2 => format!("({})::date", self.expression(Timestamp, scope, depth)),
            _ => self.leaf(Date, scope),
        }
    }

    fn timestamp(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(5) {
            0 => {
                format!("({} + {})", self.expression(Timestamp, scope, depth), self.expression(Interval, scope, depth))
            }
            1 => {
                format!("({} - {})", self.expression(Timestamp, scope, depth), self.expression(Interval, scope, depth))
            }
            2 => {
                let unit = self.pick(&["year", "month", "day", "hour", "week", "minute"]);
                format!("date_trunc('{unit}', {})", self.expression(Timestamp, scope, depth))
            }
            3 => format!("({})::timestamp", self.expression(Date, scope, depth)),
            _ => format!("({} + {})", self.expression(Date, scope, depth), self.expression(Interval, scope, depth)),
        }
    }

    fn interval(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(4) {
            0 => {
                format!("({} - {})", self.expression(Timestamp, scope, depth), self.expression(Timestamp, scope, depth))
            }
            1 => format!("({} + {})", self.expression(Interval, scope, depth), self.expression(Interval, scope, depth)),
            2 => {
                let factor = self.pick(&["* 2", "* 0", "* 1.2", "* -0.5", "/ 3", "/ 7.5"]);
                format!("({} {factor})", self.expression(Interval, scope, depth))
            }
            _ => self.leaf(Interval, scope),
        }
    }

    fn document(&mut self, scope: &Scope, depth: usize) -> String {
        let key = self.pick(&["'a'", "'bb'", "0", "-1"]);
        format!("({} -> {key})", self.expression(Document, scope, depth))
    }

    fn numbers(&mut self, scope: &Scope, depth: usize) -> String {
        if self.chance(40) {
            return self.leaf(Numbers, scope);
        }
        let kind = self.pick(&[Int, Int, Numbers]);
        format!("ARRAY[{}, {}]", self.expression(kind, scope, depth), self.expression(kind, scope, depth))
    }
}
