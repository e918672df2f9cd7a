//! The command line through its binary: what programs and people get, and what they are told when they err.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn twoam(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_twoam")).args(arguments).output().expect("the binary runs")
}

fn json(arguments: &[&str]) -> Value {
    let output = twoam(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

/// What a wrong call prints on stderr. It exits with 2 and prints no result.
fn refusal(arguments: &[&str]) -> String {
    let output = twoam(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("messages are UTF-8")
}

#[test]
fn list_names_scenarios_variants_and_environments() {
    let list = json(&["list", "--json"]);
    let oversell = list.as_array().expect("a list").iter().find(|it| it["id"] == "oversell").expect("oversell");
    assert_eq!(oversell["variants"][0], "naive");
    assert_eq!(oversell["environments"], serde_json::json!(["my-machine", "production"]));
}

#[test]
fn run_gives_one_document_and_its_schedule_gives_it_again() {
    let first = json(&[
        "run",
        "oversell",
        "--seed",
        "7",
        "--set",
        "units=50",
        "--clients",
        "60",
        "--at",
        "1s:variant=hardened",
        "--at",
        "1500ms:network-ms=3",
        "--until",
        "2s",
        "--json",
    ]);
    assert_eq!(first["virtual_us"], 2_000_000);
    assert_eq!(first["environment"], "production");
    assert!(first["requests"]["started"].as_u64() > Some(20), "{first}");
    assert!(first["metrics"]["latency-p95"].as_f64() > Some(0.0), "{first}");
    let again = json(&["run", "--replay", first["schedule"].as_str().expect("a text"), "--json"]);
    assert_eq!(first, again);
}

#[test]
fn another_seed_is_another_run() {
    let hash = |seed| json(&["run", "oversell", "--seed", seed, "--until", "1s", "--json"])["trace_hash"].clone();
    assert_ne!(hash("1"), hash("2"));
}

#[test]
fn a_handler_of_ones_own_runs_in_place_of_the_variants() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("closed.py");
    std::fs::write(&file, "async def buy(conn, request):\n    return {\"status\": 503}\n")
        .expect("the file is written");
    let document = json(&["run", "oversell", "--handler", file.to_str().expect("UTF-8"), "--until", "1s", "--json"]);
    assert_eq!(document["requests"]["ok"], 0);
    assert!(document["requests"]["failed"].as_u64() > Some(0), "{document}");
}

#[test]
fn compare_covers_every_corner() {
    let document = json(&["compare", "n-plus-one", "--until", "5s", "--json"]);
    assert_eq!(document["runs"].as_array().map(Vec::len), Some(8));
    let table = String::from_utf8(twoam(&["compare", "n-plus-one", "--until", "5s"]).stdout).expect("UTF-8");
    assert!(table.contains("eager-loading") && table.contains("BROKEN"), "{table}");
}

// Those on a real server need PostgreSQL's programs and a Python with psycopg. `cargo xtask test` gets both and runs them.

#[test]
#[ignore = "run by cargo xtask test"]
fn the_same_files_break_and_hold_on_a_real_server() {
    let run =
        |variant| json(&["run", "oversell", "--variant", variant, "--engine", "postgres", "--until", "4s", "--json"]);
    let broken = |document: &Value| document["invariants"][0]["broken"].as_u64();
    assert!(broken(&run("naive")) > Some(0));
    assert_eq!(broken(&run("atomic-update")), Some(0));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn prediction_and_observation_stand_side_by_side() {
    let reality = json(&["reality", "deep-pages", "--until", "4s", "--requests", "250", "--json"]);
    let runs = reality["scenarios"][0]["runs"].as_array().expect("a run of each variant");
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert_eq!(run["agrees"], true, "{run}");
        let least = if run["variant"] == "naive" { 10 } else { 250 };
        assert!(run["observed_requests"].as_u64() >= Some(least), "{run}");
    }
    assert!(runs[0]["invariants"][0]["observed"].as_u64() > Some(0), "{}", runs[0]);
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_real_process_that_holds_too_much_is_killed() {
    let killed = |variant| {
        let many = ["--set", "pages-per-s=150", "--until", "8s", "--json"];
        let run = json(&[&["run", "memory-leak", "--variant", variant, "--engine", "postgres"][..], &many].concat());
        run["metrics"]["processes-killed"].as_f64()
    };
    assert!(killed("naive") > Some(0.0));
    assert_eq!(killed("bounded-lru"), Some(0.0));
}

#[test]
#[ignore = "run by cargo xtask test"]
fn constants_come_from_a_real_server() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fitted.rs");
    let output = twoam(&["calibrate", "--write", file.to_str().expect("UTF-8")]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.contains("a row by its key") && table.contains(" %"), "{table}");
    let written = std::fs::read_to_string(&file).expect("the file is written");
    for name in ["STATEMENT_US: f64", "FLUSH_US: Micros", "TURN_CPU_US: Micros"] {
        let value = written.split(&format!("{name} = ")).nth(1).and_then(|rest| rest.split(';').next());
        assert!(value.and_then(|value| value.parse::<f64>().ok()) > Some(0.0), "{name}: {written}");
    }
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_failing_schedule_goes_the_same_way_on_a_real_server() {
    let output = twoam(&["reproduce", "oversell", "--engine", "postgres"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("every row and every error as in the simulation"), "{said}");
}

#[test]
#[ignore = "run by cargo xtask test"]
fn a_server_that_is_not_there_is_told_in_one_sentence() {
    let output = twoam(&["run", "oversell", "--engine", "postgres://127.0.0.1:1/shop", "--until", "1s"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("127.0.0.1") && said.contains("refused"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    for (arguments, known) in [
        (&["run", "overselll"][..], "oversell"),
        (&["run", "oversell", "--variant", "lock"], "row-lock"),
        (&["run", "oversell", "--env", "staging"], "my-machine"),
        (&["run", "oversell", "--set", "shopper=3"], "shoppers"),
        (&["run", "oversell", "--set", "shoppers=many"], "from 1 to 500"),
        (&["run", "oversell", "--set", "shoppers=501"], "from 1 to 500"),
        (&["run", "order-payment", "--at", "1s:fault=rain:on"], "lost-answers"),
        (&["run", "order-payment", "--at", "1s:fault=restarts:maybe"], "on or off"),
        (&["run", "order-payment", "--clients", "3"], "--set rate=N"),
        (&["run", "oversell", "--at", "soon:variant=naive"], "20s"),
        (&["run", "oversell", "--until", "forever"], "20s"),
        (&["run", "--replay", "v1 oversell naive moon seed=1"], "my-machine"),
        (&["run", "--replay", "nonsense"], "v1"),
        (&["isolation", "no-such.spec"], "no-such.spec"),
        (&["run", "oversell", "--engine", "mysql"], "postgres://"),
        (&["run", "oversell", "--engine", "postgres", "--at", "1s:variant=hardened"], "simulation only"),
    ] {
        let text = refusal(arguments);
        assert!(text.contains(known), "{arguments:?}: {text}");
    }
}

#[test]
fn code_that_does_not_compile_is_located() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.py");
    std::fs::write(&file, "async def buy(conn, request):\n    return {\n").expect("the file is written");
    let output = twoam(&["run", "oversell", "--handler", file.to_str().expect("UTF-8"), "--until", "1s"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("naive.py:2"), "{text}");
}

#[test]
fn a_new_scenario_lacks_nothing_but_its_texts() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-scenarios");
    let _ = std::fs::remove_dir_all(&dir);
    let new = ["new", "page-views", "--dir", dir.to_str().expect("UTF-8")];
    assert!(twoam(&new).status.success());
    assert!(refusal(&new).contains("choose another name"));

    let folder = dir.join("page-views");
    let output = twoam(&["check", folder.to_str().expect("UTF-8")]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("page-views/story.md:3: this text is still the template's"), "{text}");

    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let path = entry.expect("the folder is there").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        std::fs::write(&path, text.replace("<write: ", "<written: ")).expect("the file is written");
    }
    let output = twoam(&["check", folder.to_str().expect("UTF-8"), "--seeds", "2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn check_tells_an_authors_mistakes_and_passes_the_built_in_scenarios() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty-scenario");
    std::fs::create_dir_all(&folder).expect("the folder is made");
    std::fs::write(folder.join("scenario.toml"), "title = 3\n").expect("the file is written");
    let output = twoam(&["check", folder.to_str().expect("UTF-8")]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("empty-scenario/scenario.toml:1: `title`: it is of type integer; write a text"), "{text}");
    assert!(text.contains("empty-scenario/story.md"), "{text}");

    let output = twoam(&["check", "--static-only"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
