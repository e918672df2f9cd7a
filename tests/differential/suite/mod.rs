//! PostgreSQL's own isolation specs and regress files, on our engine and on a real PostgreSQL: what is equal, what is refused by
//! name, what is answered otherwise. `cargo xtask postgres-suite` fetches the files and runs this; nothing of theirs is kept here.
//!
//! `TWOAM_SUITE_SOURCE` is the unpacked source of PostgreSQL, `TWOAM_SUITE_ONLY` a part of the names of the files to run
//! (`isolation/…`, `regress/…`), and `TWOAM_SUITE_KINDS` prints every other answer instead of one of each kind.

mod judge;
mod regress;
mod report;
mod specs;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::postgres::{Cluster, RealServer};
use crate::schedules::Servers;
use crate::statements::shown;

use judge::{Sides, Verdict};
use regress::{PieceKind, inserts, pieces, words};
use report::{Found, Tally};

/// Of the regress files those about what handlers use: types, queries, writing, tables, transactions and sessions. Left out is what
/// no handler of ours meets: storage and planner, roles and privileges, replication, extensions, geometry, networks, full text, XML,
/// ranges, locales, psql itself, and files that only look into the system's tables.
const FILES: &[&str] = &[
    "boolean",
    "char",
    "name",
    "varchar",
    "text",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "numeric",
    "numerology",
    "uuid",
    "enum",
    "domain",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "horology",
    "strings",
    "regex",
    "json",
    "jsonb",
    "json_encoding",
    "arrays",
    "rowtypes",
    "select",
    "select_distinct",
    "select_distinct_on",
    "select_having",
    "select_implicit",
    "select_into",
    "subselect",
    "union",
    "case",
    "expressions",
    "join",
    "join_hash",
    "aggregates",
    "groupingsets",
    "window",
    "with",
    "limit",
    "incremental_sort",
    "tsrf",
    "rangefuncs",
    "random",
    "insert",
    "insert_conflict",
    "update",
    "delete",
    "returning",
    "merge",
    "truncate",
    "copydml",
    "create_table",
    "create_table_like",
    "create_schema",
    "create_index",
    "create_view",
    "index_including",
    "namespace",
    "temp",
    "sequence",
    "constraints",
    "foreign_key",
    "generated",
    "identity",
    "alter_table",
    "fast_default",
    "inherit",
    "drop_if_exists",
    "comments",
    "transactions",
    "txid",
    "xid",
    "mvcc",
    "combocid",
    "advisory_lock",
    "lock",
    "prepared_xacts",
    "portals",
    "portals_p2",
    "prepare",
    "plancache",
    "explain",
    "errors",
    "guc",
    "tid",
    "tidscan",
    "tidrangescan",
    "plpgsql",
    "triggers",
];

/// What test_setup.sql makes for all files, as far as these need it. A file gets the tables it mentions.
const TABLES: &[&str] = &[
    "char_tbl",
    "float8_tbl",
    "int2_tbl",
    "int4_tbl",
    "int8_tbl",
    "text_tbl",
    "varchar_tbl",
    "onek",
    "onek2",
    "tenk1",
    "tenk2",
];

/// Longer takes no file that makes progress.
const FILE_LIMIT: Duration = Duration::from_secs(240);

#[test]
#[ignore = "wants PostgreSQL's source: `cargo xtask postgres-suite`"]
fn postgres_suite() {
    let source = std::env::var_os("TWOAM_SUITE_SOURCE").expect("TWOAM_SUITE_SOURCE names PostgreSQL's source");
    let source = PathBuf::from(source).join("src/test");
    let only = std::env::var("TWOAM_SUITE_ONLY").unwrap_or_default();
    let all_kinds = std::env::var_os("TWOAM_SUITE_KINDS").is_some();
    // As deep as PostgreSQL's own limit lets a statement nest, in a build that is not optimised.
    let run = move || run(&source, &only, all_kinds);
    let runner = std::thread::Builder::new().stack_size(512 << 20).spawn(run).expect("a thread");
    runner.join().expect("the suite runs to its end");
}

fn run(source: &Path, only: &str, all_kinds: bool) {
    let mut found = Vec::new();
    let mut all = Vec::new();
    let specs = sorted_files(&source.join("isolation/specs"), "spec");
    let specs: Vec<_> = specs.iter().filter(|it| format!("isolation/{}", stem(it)).contains(only)).collect();
    if !specs.is_empty() {
        report::head("permutations of isolation specs");
        let mut servers = Servers { by_key: RealServer::in_key_order(), by_place: RealServer::new() };
        let mut tallies = Vec::new();
        for path in specs {
            let tally = specs::run(path, &mut servers, &mut found);
            report::line(&stem(path), &tally);
            tallies.push(tally);
        }
        all.push(report::totals("all specs", &tallies));
    }
    let files: Vec<_> = FILES.iter().filter(|it| format!("regress/{it}").contains(only)).collect();
    if !files.is_empty() {
        report::head("statements of regress files");
        let cluster = Cluster::shared();
        let mut tallies = Vec::new();
        for name in files {
            let tally = run_file(&source.join("regress"), name, &cluster, &mut found);
            report::line(name, &tally);
            tallies.push(tally);
        }
        all.push(report::totals("all regress files", &tallies));
    }
    report::kinds(&found, all_kinds);
    for tally in &all {
        report::refusals(tally);
    }
}

fn sorted_files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|it| Some(it.ok()?.path()))
        .filter(|it| it.extension().is_some_and(|it| it == extension))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a file").to_string_lossy().into_owned()
}

fn run_file(regress: &Path, name: &str, cluster: &Cluster, found: &mut Vec<Found>) -> Tally {
    let begun = Instant::now();
    let read = |name: &str| {
        let path = regress.join("sql").join(format!("{name}.sql"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let data = regress.join("data");
    let text = read(name);
    let mut sides = Sides::new(cluster);
    prepare(&mut sides, &text, &read("test_setup"), &data);
    let mut tally = Tally::default();
    for piece in pieces(&text, &data) {
        tally.statements += 1;
        let sql = match piece.is {
            PieceKind::Statement(sql) if begun.elapsed() < FILE_LIMIT => sql,
            PieceKind::Copy { target, lines } => {
                inserts(&target, &lines).iter().for_each(|it| sides.prepare(it));
                tally.not_judged += 1;
                continue;
            }
            _ => {
                tally.not_judged += 1;
                continue;
            }
        };
        let mut other = |kind: String, ours: String, theirs: String| {
            found.push(Found { file: format!("{name}.sql"), line: piece.line, kind, sql: sql.clone(), ours, theirs });
        };
        let Some(judged) = sides.judge(&sql) else {
            tally.other += 1;
            other("our engine panics".to_owned(), "a panic".to_owned(), String::new());
            break;
        };
        match judged.verdict {
            Verdict::Equal => tally.equal += 1,
            Verdict::FailedAlike => tally.failed_alike += 1,
            Verdict::Follows => tally.not_judged += 1,
            Verdict::Refused => {
                tally.refused += 1;
                tally.refuse(judged.ours.failure.as_ref().map_or("", |it| &it.message));
            }
            Verdict::Other => {
                tally.other += 1;
                let kind = judge::kind(&sql, &judged.ours, &judged.theirs);
                other(kind, shown(&judged.ours), shown(&judged.theirs));
            }
        }
    }
    tally
}

/// Makes the tables of test_setup.sql that a file mentions.
fn prepare(sides: &mut Sides, text: &str, setup: &str, data: &Path) {
    let mentioned: Vec<String> = words(text).into_iter().map(|it| it.0).collect();
    let needs = |name: &str| {
        mentioned.iter().any(|it| it == name || (it == "onek2" && name == "onek") || (it == "tenk2" && name == "tenk1"))
    };
    for piece in pieces(setup, data) {
        match piece.is {
            PieceKind::Statement(sql) => {
                let words = words(&sql);
                let makes = matches!(words[0].0.as_str(), "create" | "insert");
                if makes && words.get(2).is_some_and(|it| TABLES.contains(&it.0.as_str()) && needs(&it.0)) {
                    sides.prepare(&sql);
                }
            }
            PieceKind::Copy { target, lines } if TABLES.contains(&target.as_str()) && needs(&target) => {
                inserts(&target, &lines).iter().for_each(|it| sides.prepare(it));
            }
            _ => {}
        }
    }
}
