use crate::sql::error::Stop;
use crate::trace::SqlError;

use super::ast::Statement;
use super::{number_placeholders, parse, statements};

fn parsed(sql: &str) -> Vec<Statement> {
    match parse(sql) {
        Ok(all) => all.into_iter().map(|one| one.statement).collect(),
        Err(stop) => panic!("{sql}: {stop:?}"),
    }
}

fn failure(sql: &str) -> SqlError {
    match parse(sql) {
        Err(Stop::Failed(error)) => *error,
        Err(Stop::Waits) => panic!("{sql}: parsing does not wait"),
        Ok(all) => panic!("{sql}: taken as {:?}", all.first().map(|one| &one.statement)),
    }
}

/// Parentheses leave nothing in the AST: what is grouped as these say is equal.
fn same(groups: &[(&str, &str)]) {
    for (one, other) in groups {
        assert_eq!(parsed(one), parsed(other), "{one}\n{other}");
    }
}

#[test]
fn operators_group_as_in_postgresql() {
    same(&[
        ("SELECT a -> 'b' ->> 'c'", "SELECT (a -> 'b') ->> 'c'"),
        ("SELECT a || b || c", "SELECT (a || b) || c"),
        ("SELECT a - b - c * d ^ e ^ f", "SELECT (a - b) - (c * ((d ^ e) ^ f))"),
        ("SELECT -a ^ b", "SELECT (-a) ^ b"),
        ("SELECT - a::int", "SELECT - (a::int)"),
        ("SELECT @ a || b", "SELECT (@ a) || b"),
        ("SELECT @ a + b", "SELECT @ (a + b)"),
        ("SELECT a + b BETWEEN c AND d + e", "SELECT (a + b) BETWEEN c AND (d + e)"),
        ("SELECT a::int BETWEEN 1 AND 2 AND b", "SELECT ((a::int) BETWEEN 1 AND 2) AND b"),
        ("SELECT a BETWEEN 1 AND 2 = b", "SELECT (a BETWEEN 1 AND 2) = b"),
        ("SELECT a + b ISNULL", "SELECT (a + b) IS NULL"),
        ("SELECT a IS NULL = b", "SELECT (a IS NULL) = b"),
        ("SELECT a = b IS NOT NULL", "SELECT (a = b) IS NOT NULL"),
        ("SELECT NOT a = b OR c", "SELECT (NOT (a = b)) OR c"),
        ("SELECT NOT a IS NULL AND b", "SELECT (NOT (a IS NULL)) AND b"),
        ("SELECT a = NOT b = c", "SELECT a = (NOT (b = c))"),
        ("SELECT a LIKE b || c ESCAPE '!'", "SELECT a LIKE (b || c) ESCAPE '!'"),
        ("SELECT a || b LIKE c", "SELECT (a || b) LIKE c"),
        ("SELECT a IN (1) IN (true)", "SELECT (a IN (1)) IN (true)"),
        ("SELECT a = ANY (b) = c", "SELECT (a = ANY (b)) = c"),
        ("SELECT a AT TIME ZONE 'x' AT TIME ZONE 'y'", "SELECT (a AT TIME ZONE 'x') AT TIME ZONE 'y'"),
        ("SELECT a OR b AND c OR d", "SELECT (a OR (b AND c)) OR d"),
        ("SELECT a<-1, a ->-1", "SELECT a < (-1), a ->- 1"),
    ]);
}

#[test]
fn joins_and_set_operations_group_as_in_postgresql() {
    same(&[
        ("SELECT 1 FROM a CROSS JOIN b JOIN c ON x", "SELECT 1 FROM (a CROSS JOIN b) JOIN c ON x"),
        ("SELECT 1 FROM a NATURAL JOIN b NATURAL LEFT JOIN c", "SELECT 1 FROM (a NATURAL JOIN b) NATURAL LEFT JOIN c"),
        ("SELECT 1 FROM a JOIN b JOIN c ON x ON y", "SELECT 1 FROM a JOIN (b JOIN c ON x) ON y"),
        ("SELECT 1 FROM a JOIN b CROSS JOIN c ON x", "SELECT 1 FROM a JOIN (b CROSS JOIN c) ON x"),
        ("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)"),
        ("SELECT 1 EXCEPT SELECT 2 UNION SELECT 3", "(SELECT 1 EXCEPT SELECT 2) UNION SELECT 3"),
        ("(SELECT 1 ORDER BY 1) LIMIT 2", "SELECT 1 ORDER BY 1 LIMIT 2"),
        ("TABLE t", "SELECT * FROM t"),
        ("SELECT a FROM t FOR UPDATE LIMIT 1", "SELECT a FROM t LIMIT 1 FOR UPDATE"),
        ("SELECT a FROM t OFFSET 1 ROW FETCH NEXT ROW ONLY", "SELECT a FROM t LIMIT 1 OFFSET 1"),
        ("SELECT a FROM t LIMIT ALL", "SELECT a FROM t"),
    ]);
}

#[test]
fn spellings_of_one_thing_are_one_thing() {
    same(&[
        ("SELECT A.\"b\", \"c\"\"d\", U&\"\\0061\"", "select a.B, \"c\"\"d\", a"),
        (
            "SELECT 'a'\n  'b', E'a\\x62', $x$ab$x$, N'ab', U&'a\\0062', U&'a!0062' UESCAPE '!'",
            "SELECT 'ab','ab','ab','ab','ab','ab'",
        ),
        ("SELECT a ~~ b, a !~~ b, a ~~* b, a !~~* b", "SELECT a LIKE b, a NOT LIKE b, a ILIKE b, a NOT ILIKE b"),
        ("SELECT E'\\u00e9\\uD83D\\uDE00', E'\\xc3\\251'", "SELECT 'é😀', 'é'"),
        ("SELECT trim(a), trim(BOTH b FROM a), trim(b FROM a)", "SELECT btrim(a), btrim(a, b), btrim(a, b)"),
        ("SELECT trim(LEADING FROM a), trim(TRAILING b FROM a)", "SELECT ltrim(a), rtrim(a, b)"),
        (
            "SELECT substring(a FROM b FOR c), substring(a FOR c FROM b)",
            "SELECT substring(a, b, c), substring(a, b, c)",
        ),
        ("SELECT substring(a FOR c), extract(YEAR FROM a)", "SELECT substring(a, 1, c), extract('year' FROM a)"),
        ("SELECT a = SOME (b), a <> b", "SELECT a = ANY (b), a != b"),
        ("INSERT INTO t (a) (VALUES (1))", "INSERT INTO t (a) VALUES (1)"),
        ("START TRANSACTION; BEGIN WORK; END; ABORT", "START TRANSACTION; BEGIN; COMMIT; ROLLBACK"),
        ("SET TIME ZONE 'UTC'; SET NAMEX = Ab", "SET timezone TO 'UTC'; SET namex TO ab"),
    ]);
}

#[test]
fn types_have_the_name_postgresql_has_for_them() {
    let name = |written: &str| match parsed(&format!("SELECT a::{written}")).remove(0) {
        Statement::Query(query) => format!("{query:?}"),
        other => panic!("{other:?}"),
    };
    for (written, known, modifiers, dimensions) in [
        ("INT", "int4", "[]", 0),
        ("smallint[]", "int2", "[]", 1),
        ("bigint[3][]", "int8", "[]", 2),
        ("int ARRAY[4]", "int4", "[]", 1),
        ("float(24)", "float4", "[]", 0),
        ("double precision", "float8", "[]", 0),
        ("dec(10, 2)", "numeric", "[10, 2]", 0),
        ("character varying(3)", "varchar", "[3]", 0),
        ("char", "bpchar", "[1]", 0),
        ("timestamp(3) with time zone", "timestamptz", "[3]", 0),
        ("time without time zone", "time", "[]", 0),
        ("Serial", "serial", "[]", 0),
        ("\"Mine\"", "Mine", "[]", 0),
    ] {
        let found = name(written);
        assert!(
            found.contains(&format!("DataType {{ name: ObjectName([Ident {{ name: {known:?}")),
            "{written}: {found}"
        );
        let rest = format!("modifiers: {modifiers}, dimensions: {dimensions}, fields: None, text: {written:?}");
        assert!(found.contains(&rest), "{written}: {found}");
    }
}

#[test]
fn what_is_not_offered_fails_only_its_own_statement_and_says_its_name() {
    for (sql, name) in [
        ("MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE", "MERGE"),
        ("CREATE VIEW v AS SELECT 1", "CREATE VIEW"),
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE AS and LIKE"),
        ("LISTEN x", "LISTEN"),
        ("DISCARD PLANS", "DISCARD PLANS"),
        ("SELECT sum(a) OVER (ORDER BY b ROWS UNBOUNDED PRECEDING) FROM t", "a window frame"),
        ("SELECT sum(a) OVER w FROM t WINDOW w AS ()", "the WINDOW clause"),
        ("SELECT a FROM t FETCH FIRST 2 ROWS WITH TIES", "FETCH … WITH TIES"),
        ("SELECT a FROM t GROUP BY ROLLUP (a)", "GROUPING SETS, CUBE and ROLLUP"),
        ("SELECT a COLLATE \"C\" FROM t", "COLLATE"),
        ("SELECT a[1] FROM t", "an array subscript"),
        ("SELECT overlay(a PLACING b FROM 1)", "overlay()"),
        ("SELECT a SIMILAR TO b", "SIMILAR TO"),
        ("SELECT B'1'", "a bit string"),
        ("WITH d AS (DELETE FROM t RETURNING a) SELECT * FROM d", "a data-modifying statement in WITH"),
        ("SELECT * FROM t TABLESAMPLE system (1)", "TABLESAMPLE"),
        ("SELECT f(a => 1)", "this form of the arguments of f()"),
        ("UPDATE t SET (a, b) = (SELECT 1, 2)", "SET (…) = (SELECT …)"),
        ("EXPLAIN (FORMAT json) SELECT 1", "the EXPLAIN option format"),
    ] {
        let mut all = parsed(&format!("SELECT 1; {sql}; COMMIT"));
        assert_eq!(all.remove(1), Statement::Refused(name.to_owned()), "{sql}");
        assert_eq!(all.pop(), Some(Statement::Commit { chain: false }));
    }
}

#[test]
fn errors_have_postgresql_s_words_and_place() {
    for (sql, message, position) in [
        ("SELECT 1 +", "syntax error at end of input", 11),
        ("SELEC 1", "syntax error at or near \"SELEC\"", 1),
        ("SELECT a, FROM t", "syntax error at or near \"FROM\"", 11),
        ("SELECT a FROM t WHERE a <= b <= c", "syntax error at or near \"<=\"", 30),
        ("SELECT a = b = c", "syntax error at or near \"=\"", 14),
        ("SELECT a LIKE b IN (c)", "syntax error at or near \"IN\"", 17),
        ("SELECT a IS b", "syntax error at or near \"b\"", 13),
        ("SELECT a IS JSON", "syntax error at or near \"JSON\"", 13),
        ("SELECT 'é', 'abc", "unterminated quoted string at or near \"'abc\"", 13),
        ("SELECT \"a", "unterminated quoted identifier at or near \"\"a\"", 8),
        ("SELECT \"\"", "zero-length delimited identifier at or near \"\"\"\"", 8),
        ("SELECT 1 /* x", "unterminated /* comment at or near \"/* x\"", 10),
        ("SELECT $a$ x", "unterminated dollar-quoted string at or near \"$a$ x\"", 8),
        ("SELECT 123abc", "trailing junk after numeric literal at or near \"123abc\"", 8),
        ("SELECT 1_000", "trailing junk after numeric literal at or near \"1_000\"", 8),
        ("SELECT 0x1F", "trailing junk after numeric literal at or near \"0x1F\"", 8),
        ("SELECT $1a", "trailing junk after parameter at or near \"$1a\"", 8),
        ("FROM t SELECT 1", "syntax error at or near \"FROM\"", 1),
        ("SELECT a FROM t LIMIT 1, 2", "LIMIT #,# syntax is not supported", 17),
        ("(SELECT 1 LIMIT 1) LIMIT 2", "multiple LIMIT clauses not allowed", 26),
        ("CREATE orders (id int)", "syntax error at or near \"orders\"", 8),
        ("DROP TABLE", "syntax error at end of input", 11),
        ("CREATE TABLE t (a int CHECK (>= 0))", "syntax error at or near \">=\"", 30),
        ("CREATE TABLE t (a int DEFAULT 1 + NOT NULL)", "syntax error at or near \"NOT\"", 35),
        ("CREATE INDEX ON t (a + 1)", "syntax error at or near \"+\"", 22),
        ("UPDATE is SET a = 1", "syntax error at or near \"is\"", 8),
        ("SELECT U&'\\00'", "invalid Unicode escape", 11),
        ("SELECT E'\\uD83D'", "invalid Unicode surrogate pair at or near \"'\"", 16),
        ("SELECT 1; SELECT 2 2", "syntax error at or near \"2\"", 20),
    ] {
        let error = failure(sql);
        assert_eq!((error.message.as_str(), error.position), (message, Some(position)), "{sql}");
        assert_eq!(error.sqlstate.as_str(), "42601", "{sql}");
    }
}

#[test]
fn escapes_that_mean_nothing_fail() {
    for (sql, sqlstate, message) in [
        ("SELECT E'\\377'", "22021", "invalid byte sequence for encoding \"UTF8\": 0xff"),
        ("SELECT E'\\000'", "22021", "invalid byte sequence for encoding \"UTF8\": 0x00"),
        ("SELECT E'\\u12'", "22025", "invalid Unicode escape"),
    ] {
        let error = failure(sql);
        assert_eq!((error.sqlstate.as_str(), error.message.as_str()), (sqlstate, message), "{sql}");
    }
}

#[test]
fn depth_has_a_limit_and_length_has_none() {
    let nested =
        |open: &str, close: &str, times: usize| format!("SELECT {}1{}", open.repeat(times), close.repeat(times));
    for (open, close, taken) in [
        ("(", ")", 200),
        ("f(", ")", 200),
        ("(SELECT ", ")", 100),
        ("CASE WHEN a THEN ", " END", 200),
        ("ARRAY[", "]", 200),
        ("NOT ", "", 1500),
        ("- ", "", 1500),
        ("'a' || ", "", 1500),
        ("a AND ", "", 5000),
        ("a = 1 OR ", "", 5000),
    ] {
        parsed(&nested(open, close, taken));
        for times in [taken * 4, 100_000] {
            let error = failure(&nested(open, close, times));
            let expected = if open.len() * times > 1_000_000 { "54000" } else { "54001" };
            assert_eq!(error.sqlstate.as_str(), expected, "{open} {times} times");
        }
    }
    let rows = vec!["(1)"; 100_000].join(",");
    parsed(&format!("INSERT INTO t VALUES {rows}"));
    let list = vec!["-1"; 30_000].join(",");
    parsed(&format!("SELECT a IN ({list})"));
}

/// Words that are no keywords where they stand, or close what is not open, hide no depth.
#[test]
fn depth_is_found_behind_any_words() {
    for repeated in [
        "- - set",
        "- a.from",
        "|| a.and",
        "(END",
        "(CASE)",
        "[1]",
        "()",
        "IS DISTINCT FROM - b",
        "BETWEEN (b) AND - a",
        "+ : a",
    ] {
        assert!(parse(&format!("SELECT a {}", format!("{repeated} ").repeat(30_000))).is_err(), "{repeated}");
    }
    for repeated in ["WITH a AS ", "CREATE TABLE a AS ", "EXPLAIN ", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC "] {
        assert!(parse(&format!("{}SELECT 1", repeated.repeat(20_000))).is_err(), "{repeated}");
    }
    let body = "(".repeat(100_000);
    assert!(parse(&format!("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT {body} $$")).is_err());
}

#[test]
fn a_text_is_split_where_its_statements_end() {
    let text = "SELECT 'a;b'; ;\n-- c; d\nDO $$ x; y $$;CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; END; é";
    let split = statements(text).expect("only tokens are looked at");
    let pieces: Vec<(u32, &str)> = split.iter().map(|(at, piece)| (*at, *piece)).collect();
    assert_eq!(
        pieces,
        [
            (1, "SELECT 'a;b'"),
            (25, "DO $$ x; y $$"),
            (39, "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; END"),
            (122, "é"),
        ]
    );
    let all = parse("SELECT 1 ; COMMIT").expect("two statements");
    assert_eq!(all.iter().map(|one| &*one.text).collect::<Vec<_>>(), ["SELECT 1 ", "COMMIT"]);
    assert_eq!(number_placeholders("a %s '%%' %s"), "a $1 '%' $2");
}

#[test]
fn every_cut_of_a_statement_is_answered() {
    let long = "WITH q (a) AS (SELECT 1) SELECT DISTINCT ON (a) a::int[], CASE b WHEN 1 THEN 'é' ELSE E'\\u0041' END, f(DISTINCT x \
                ORDER BY y) FILTER (WHERE z) OVER (PARTITION BY w), U&'\\0041', $1, b NOT BETWEEN 1 AND 2 FROM t AS u (c) LEFT JOIN \
                LATERAL (VALUES (1)) v ON a = ANY ('{}'), g(1) WHERE a IN (SELECT 1 UNION TABLE t) FOR UPDATE OF t SKIP LOCKED";
    let create = "CREATE TEMP TABLE t (a int GENERATED ALWAYS AS IDENTITY (START 1), b text REFERENCES u (x) ON DELETE SET NULL, \
                  CONSTRAINT c UNIQUE (a)) ON COMMIT DROP";
    for text in [long, create] {
        assert!(parse(text).is_ok(), "{text}");
        for (end, _) in text.char_indices() {
            let _ = parse(&text[..end]);
            let _ = parse(&text[end..]);
        }
    }
}
