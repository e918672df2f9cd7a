//! What keeps the shape of the code true: who may import whom, names that must not appear, generated types that are fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ts_rs::{Config, TS, TypeVisitor};
use twoam::{api, scenario};

/// What each module may import of this crate; see ARCHITECTURE.md.
const IMPORTS: &[(&str, &[&str])] = &[
    ("trace", &[]),
    ("store", &["trace"]),
    ("sql", &["store", "trace"]),
    ("isolation", &["trace", "sql"]),
    ("console", &["trace", "sql"]),
    ("python", &["trace"]),
    ("services", &["trace"]),
    ("scenario", &["trace", "services"]),
    ("workload", &["trace", "services", "scenario"]),
    ("sim", &["trace", "sql", "python", "services", "scenario", "workload"]),
    ("explore", &["trace", "scenario", "sim", "workload"]),
    ("report", &["trace", "scenario"]),
    ("reproduce", &["trace", "sql", "isolation", "scenario", "sim"]),
    ("api", &["trace", "scenario", "sim", "explore", "report", "console"]),
    ("talk", &["trace", "scenario", "sim", "api"]),
    ("wasm", &["api"]),
];

/// The same for the rooms of `sql`: each imports only what stands above it in this list.
const SQL_ROOMS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("outcome", &[]),
    ("budget", &["error"]),
    ("parser", &["error"]),
    ("types", &["budget", "error"]),
    ("functions", &["budget", "error", "types"]),
    ("expr", &["budget", "error", "functions", "types"]),
    ("catalog", &["error", "expr", "parser", "types"]),
    ("plan", &["catalog", "expr", "functions", "types"]),
    ("settings", &["catalog", "error", "types"]),
    ("system", &["catalog", "error", "parser", "types"]),
    ("explain", &["expr", "functions", "plan", "types"]),
    ("optimizer", &["budget", "error", "expr", "functions", "plan", "types"]),
    ("planner", &["catalog", "expr", "functions", "optimizer", "plan"]),
    ("binder", &["catalog", "error", "expr", "functions", "optimizer", "parser", "plan", "planner", "types"]),
    (
        "executor",
        &[
            "binder",
            "budget",
            "catalog",
            "error",
            "expr",
            "functions",
            "outcome",
            "parser",
            "plan",
            "settings",
            "types",
        ],
    ),
    (
        "session",
        &[
            "binder",
            "catalog",
            "error",
            "executor",
            "explain",
            "optimizer",
            "outcome",
            "parser",
            "plan",
            "planner",
            "settings",
            "system",
            "types",
        ],
    ),
    (
        "database",
        &[
            "catalog",
            "error",
            "executor",
            "explain",
            "expr",
            "optimizer",
            "outcome",
            "parser",
            "plan",
            "planner",
            "session",
        ],
    ),
    ("bench", &["database", "outcome"]),
];

/// And for those of `sim`: what its parts say to each other are messages, and only the monitor looks into another part.
const SIM_ROOMS: &[(&str, &[&str])] = &[
    ("calibrated", &[]),
    ("cost", &["calibrated"]),
    ("run_request", &[]),
    ("statement", &[]),
    ("statement_log", &[]),
    ("message", &["statement"]),
    ("scheduler", &["message"]),
    ("kernel", &["message", "scheduler"]),
    ("load_generator", &["kernel", "message"]),
    ("services", &["kernel", "message"]),
    ("database", &["cost", "kernel", "message", "statement", "statement_log"]),
    ("app_server", &["cost", "kernel", "message"]),
    ("monitor", &["database", "kernel", "message"]),
    (
        "simulation",
        &[
            "app_server",
            "database",
            "kernel",
            "load_generator",
            "message",
            "monitor",
            "scheduler",
            "services",
            "statement_log",
        ],
    ),
    ("examine", &["cost"]),
    ("execution", &["message", "scheduler", "simulation"]),
    ("deployment", &["examine", "simulation", "statement_log"]),
];

/// Types of the syntax tree whose name another type of `sql` has, too. Outside of the parser they are written `ast::X`.
const AST_TWINS: &[&str] =
    &["Assignment", "ConflictUpdate", "Distinct", "Expr", "Join", "OnConflict", "Query", "Statement", "WindowSpec"];

/// Names that would bring the host's time, order or chance into a run, and why.
const BANNED: &[(&str, &str)] = &[
    ("Instant::now", "time in a run is virtual"),
    ("SystemTime::now", "time in a run is virtual"),
    ("Utc::now", "time in a run is virtual"),
    ("Local::now", "time in a run is virtual"),
    ("thread_rng", "chance in a run comes from its seed"),
    ("rand::rng()", "chance in a run comes from its seed"),
    ("from_os_rng", "chance in a run comes from its seed"),
    ("from_entropy", "chance in a run comes from its seed"),
    ("RandomState", "hash order differs between hosts"),
];

/// The command line may ask the host's clock: for progress, not for results. What is lighter are packages of their own.
const OUTSIDE_THE_CORE: &[&str] = &["main", "cli", "lighter"];

struct File {
    path: PathBuf,
    module: String,
    text: String,
}

fn sources() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&src, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&src).expect("it was found there");
            let first = relative.components().next().expect("a file has a name").as_os_str().to_string_lossy();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).expect("source is UTF-8");
            File { path, module, text }
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|it| it == "rs") {
            paths.push(path);
        }
    }
}

/// Modules named by `crate::x` or `crate::{x, y::z}`, or the same below another module.
fn imports(text: &str, below: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(below) {
        if text[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_' || it == '$') {
            continue;
        }
        let rest = &text[at + below.len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(first_names(list)),
            None => found.extend(first_name(rest)),
        }
    }
    found
}

fn first_name(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The first names of a braced list, up to its closing brace.
fn first_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut expects_name = true;
    for (at, character) in list.char_indices() {
        match character {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_name = true,
            it if expects_name && !it.is_whitespace() => {
                names.extend(first_name(&list[at..]));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let table: BTreeMap<&str, &[&str]> = IMPORTS.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in sources() {
        if file.module == "lib" || OUTSIDE_THE_CORE.contains(&file.module.as_str()) {
            continue;
        }
        let Some(allowed) = table.get(file.module.as_str()) else {
            wrong.push(format!("{}: module {} is missing in the table", file.path.display(), file.module));
            continue;
        };
        for name in imports(&file.text, "crate::") {
            let is_module = table.contains_key(name.as_str());
            if is_module && name != file.module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{}: {} must not import {name}", file.path.display(), file.module));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_import_only_what_stands_above_them() {
    let mut wrong = broken_imports("sql", SQL_ROOMS);
    wrong.extend(broken_imports("sim", SIM_ROOMS));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Imports of a module's rooms from each other that its table does not have.
fn broken_imports(module: &str, rooms: &[(&str, &[&str])]) -> Vec<String> {
    let table: BTreeMap<&str, &[&str]> = rooms.iter().copied().collect();
    let mut wrong = Vec::new();
    for (place, (room, allowed)) in rooms.iter().enumerate() {
        let above = &rooms[..place];
        let below = allowed.iter().filter(|name| above.iter().all(|(other, _)| other != *name));
        wrong.extend(below.map(|name| format!("the table lets {room} import {name}, which does not stand above it")));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module);
    for file in sources().into_iter().filter(|file| file.module == module) {
        let inside = file.path.strip_prefix(&folder).expect("it is of the module");
        let room = inside.iter().next().expect("a file has a name").to_string_lossy();
        let room = room.trim_end_matches(".rs");
        if room == "mod" {
            continue;
        }
        let Some(allowed) = table.get(room) else {
            wrong.push(format!("{}: the room {room} is missing in the table", file.path.display()));
            continue;
        };
        // A unit test may stand where it does and use the whole.
        let text = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut names = imports(text, &format!("crate::{module}::"));
        let top = inside.iter().count() == 1 || (inside.iter().count() == 2 && inside.ends_with("mod.rs"));
        if top {
            names.extend(imports(text, "super::").into_iter().filter(|name| table.contains_key(name.as_str())));
        }
        for name in names {
            if name != room && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{}: {room} must not import {name}", file.path.display()));
            }
        }
    }
    wrong
}

/// What a line declares: a type, a trait or an alias, and not the associated type of an impl.
fn declared_type(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub") || word.ends_with(')'));
    let declares = match words.next()? {
        "struct" | "enum" | "trait" | "union" => true,
        "type" => !line.starts_with(' '),
        _ => false,
    };
    if declares { first_name(words.next()?) } else { None }
}

#[test]
fn a_type_of_sql_or_of_the_store_shares_its_name_with_no_other() {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in sources().into_iter().filter(|file| ["sql", "store"].contains(&file.module.as_str())) {
        let path = file.path.display().to_string();
        let is_ast = path.ends_with("sql/parser/ast.rs");
        for name in file.text.lines().filter_map(declared_type) {
            let is_twin = is_ast && AST_TWINS.contains(&name.as_str());
            // Each error type may have its own `Result`.
            if !is_twin && name != "Result" {
                declared.entry(name).or_default().push(path.clone());
            }
        }
        if !path.contains("sql/parser/") {
            let bare =
                imports(&file.text, "sql::parser::ast::").into_iter().filter(|name| AST_TWINS.contains(&&**name));
            wrong.extend(bare.map(|name| format!("{path}: {name} must be written ast::{name}")));
        }
    }
    declared.retain(|_, places| places.len() > 1);
    wrong.extend(declared.iter().map(|(name, places)| format!("{name} stands in {}", places.join(", "))));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_of_the_host_gets_into_a_run() {
    let mut wrong = Vec::new();
    for file in sources() {
        if OUTSIDE_THE_CORE.contains(&file.module.as_str()) {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for (name, reason) in BANNED {
                if line.contains(name) {
                    wrong.push(format!("{}:{}: {name}: {reason}", file.path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every type a value of the boundary is made of, by name.
struct Declarations {
    config: Config,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(&self.config);
        if self.by_name.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let declaration = T::decl(&self.config);
        self.by_name.insert(name, format!("{docs}export {declaration}\n"));
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

#[test]
fn the_types_of_the_page_are_those_of_the_core() {
    let mut declarations = Declarations { config: Config::default(), by_name: BTreeMap::new() };
    declarations.visit::<api::RunRequest>();
    declarations.visit::<api::Frame>();
    declarations.visit::<api::Report>();
    declarations.visit::<api::TableNow>();
    declarations.visit::<api::LockWait>();
    declarations.visit::<api::ErrorGroup>();
    declarations.visit::<api::Answered>();
    declarations.visit::<api::ConsoleReply>();
    declarations.visit::<api::ConsoleSession>();
    declarations.visit::<api::Recording>();
    declarations.visit::<api::Reality>();
    declarations.visit::<scenario::ScenarioSummary>();
    declarations.visit::<scenario::ScenarioDocument>();
    let body: Vec<_> = declarations.by_name.into_values().collect();
    let fresh = format!(
        "// Generated from the Rust types by `UPDATE=1 cargo test --test architecture`. Not edited by hand.\n\n{}",
        body.join("\n")
    );

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/src/core/types.ts");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("www can be written");
        fs::write(&path, &fresh).expect("www can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "www/src/core/types.ts is not what the Rust types say. Run `UPDATE=1 cargo test --test architecture`."
    );
}
