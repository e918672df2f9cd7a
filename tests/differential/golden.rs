//! Specs kept with the output PostgreSQL gave: each anomaly at each level, each rule of locks.

use std::fs;
use std::path::{Path, PathBuf};

use twoam::isolation::{self, Spec};

use crate::postgres::RealServer;

fn specs() -> Vec<(PathBuf, Spec)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/isolation");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the folder of specs")
        .map(|it| it.expect("a file").path())
        .filter(|it| it.extension().is_some_and(|it| it == "spec"))
        .collect();
    paths.sort();
    let parsed = paths.into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("a spec is text");
        let spec = isolation::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, spec)
    });
    parsed.collect()
}

/// The first line in which two texts differ, for a message.
fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let mut permutation = "";
    let mut lines = found.lines();
    for (number, line) in expected.lines().enumerate() {
        if line.starts_with("starting permutation") {
            permutation = line;
        }
        let other = lines.next().unwrap_or("<end>");
        if other != line {
            return Some(format!("{permutation}\n  line {}: expected {line:?}\n  found {other:?}", number + 1));
        }
    }
    Some(format!("found more lines, from {:?}", lines.next().unwrap_or_default()))
}

#[test]
fn our_output_is_the_recorded_one() {
    let mut wrong = Vec::new();
    for (path, spec) in specs() {
        let expected = fs::read_to_string(path.with_extension("out")).expect("a recorded output; UPDATE=1 records it");
        let found = isolation::run(&spec).to_text();
        wrong.extend(difference(&expected, &found).map(|it| format!("{}: {it}", path.display())));
    }
    assert!(wrong.is_empty(), "{} specs differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Where one commit wakes two waiters PostgreSQL lets them race, so an output may need another try.
const TRIES: usize = 5;

/// With `UPDATE=1` records anew.
#[test]
fn the_recorded_output_is_postgresqls() {
    let mut server = RealServer::new();
    let mut wrong = Vec::new();
    for (path, spec) in specs() {
        let recorded = path.with_extension("out");
        if std::env::var_os("UPDATE").is_some() {
            let found = isolation::run_on(&spec, &mut server).to_text();
            fs::write(&recorded, &found).expect("the folder can be written");
        }
        let expected = fs::read_to_string(&recorded).unwrap_or_default();
        let differences: Vec<_> =
            (0..TRIES).map_while(|_| difference(&expected, &isolation::run_on(&spec, &mut server).to_text())).collect();
        if differences.len() == TRIES {
            wrong.push(format!("{}: {}", path.display(), differences[0]));
        }
    }
    assert!(wrong.is_empty(), "{} specs differ\n{}", wrong.len(), wrong.join("\n"));
}
