//! The command line through its binary: what programs and people get, and what they are told when they err.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

/// The path of a file with this text.
fn written(name: &str, text: &str) -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).expect("the file is written");
    file.to_str().expect("UTF-8").to_owned()
}

/// The folder that `twoam new` makes.
fn new_scenario(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-scenarios");
    let _ = std::fs::remove_dir_all(dir.join(name));
    let output = twoam(&["new", name, "--dir", dir.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    dir.join(name)
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
    let reads = "async def buy(conn, request):\n    await conn.execute(\"SELECT 1\")\n    return {\"status\": 201}\n";
    let file = written("reads.py", reads);
    let document = json(&["run", "oversell", "--handler", &file, "--until", "1s", "--json"]);
    assert_eq!(document["requests"]["failed"], 0);
    assert_eq!(document["verdict"], "holds");
    assert_eq!(document["metrics"]["statements-per-request"], 1.0, "{document}");
}

#[test]
fn a_run_that_does_nothing_useful_says_so_and_fails() {
    for (name, body, why) in [
        ("raises.py", "raise ValueError(\"no stock today\")", "requests failed"),
        ("closed.py", "return {\"status\": 503}", "requests failed"),
        ("always_sold_out.py", "return {\"status\": 409}", "has a status from 200 to 399"),
    ] {
        let file = written(name, &format!("async def buy(conn, request):\n    {body}\n"));
        let output = twoam(&["run", "oversell", "--handler", &file, "--until", "1s"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("does nothing useful") && text.contains(why), "{text}");
        assert!(!text.contains("held"), "nothing was held: {text}");

        let output = twoam(&["run", "oversell", "--handler", &file, "--until", "1s", "--json"]);
        assert_eq!(output.status.code(), Some(1));
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        assert_eq!(document["verdict"], "nothing-useful", "{name}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("does nothing useful"), "{name}");
    }
}

#[test]
fn a_break_is_a_result_and_code_that_no_rule_reads_is_not_measured() {
    let output = twoam(&["run", "oversell", "--until", "2s"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("BROKEN  ") && text.contains("\nbroken: "), "{text}");

    let elsewhere = "async def buy(conn, request):\n    await conn.execute(\"CREATE TABLE IF NOT EXISTS notes (id INTEGER)\")\n    \
                     await conn.execute(\"INSERT INTO notes VALUES (1)\")\n    return {\"status\": 201}\n";
    let file = written("elsewhere.py", elsewhere);
    let output = twoam(&["run", "oversell", "--env", "my-machine", "--handler", &file, "--until", "5s"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("\nnot measured: "), "{text}");
    assert!(!text.contains("held"), "{text}");
}

/// The damage is there, and requests that are still on their way keep the invariant from telling.
#[test]
fn damage_is_told_in_the_scenarios_words_before_any_invariant_is_broken() {
    let output = twoam(&["run", "double-submit", "--until", "2s"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !text.contains("BROKEN"), "{text}");
    assert!(text.contains("\nbroken: 1,937.39 charged for carts that were already paid"), "{text}");
    assert!(text.contains("\n  –       A card was charged twice") && !text.contains("held"), "{text}");
    let table = String::from_utf8(twoam(&["compare", "double-submit", "--until", "2s"]).stdout).expect("UTF-8");
    assert!(table.contains("BROKEN 1,937.39 charged for carts that were already paid"), "{table}");

    let text = String::from_utf8(twoam(&["run", "oversell", "--until", "2s"]).stdout).expect("UTF-8");
    assert!(text.contains("\nbroken: 2 of 2 invariants; ") && text.contains(" units sold that do not exist"), "{text}");
}

#[test]
fn errors_are_grouped_with_their_place_count_and_first_traceback() {
    let source = "async def buy(conn, request):\n    if request[\"quantity\"] == 2:\n        raise KeyError(\"two\")\n    \
                  await conn.execute(\"SELECT nothing\")\n";
    let file = written("two_errors.py", source);
    let output = twoam(&["run", "oversell", "--handler", &file, "--until", "1s"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for told in [
        &format!("{file}:3: KeyError: 'two'"),
        &format!("{file}:4: psycopg.errors.UndefinedColumn: "),
        &format!("File \"{file}\", line 4, in buy"),
        "times from 0",
        "first in request ",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(text.matches("Traceback (most recent call last)").count(), 2, "{text}");
}

#[test]
fn a_forgotten_await_is_told_once_with_its_place() {
    let file = written(
        "forgets.py",
        "async def buy(conn, request):\n    conn.execute(\"SELECT 1\")\n    return {\"status\": 200}\n",
    );
    let output = twoam(&["run", "oversell", "--handler", &file, "--until", "1s"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let told = format!("note: {file}:2: RuntimeWarning: coroutine 'AsyncCursor.execute' was never awaited");
    assert_eq!(text.matches(&told).count(), 1, "{text}");
}

#[test]
fn code_that_takes_too_much_has_a_short_traceback() {
    let run = |name: &str, source: &str| {
        let output = twoam(&["run", "oversell", "--handler", &written(name, source), "--until", "100ms"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let itself = run("itself.py", "async def buy(conn, request):\n    return await buy(conn, request)\n");
    assert!(itself.contains("itself.py:2: RecursionError: maximum recursion depth exceeded"), "{itself}");
    assert!(itself.contains("  [Previous line repeated ") && itself.lines().count() < 50, "{itself}");
    let others = "def even(n):\n    return odd(n)\n\ndef odd(n):\n    return even(n)\n\nasync def buy(conn, request):\n    even(1)\n";
    let each_other = run("each_other.py", others);
    assert!(each_other.contains(" lines are left out; --json has them all"), "{each_other}");
    assert!(each_other.lines().count() < 80 && each_other.contains("in even\n"), "{each_other}");
    let greedy = run("greedy.py", "async def buy(conn, request):\n    return {\"stock\": \"a\" * 10**12}\n");
    assert!(greedy.contains("greedy.py:2: MemoryError"), "{greedy}");
}

#[test]
fn a_service_that_the_scenario_does_not_have_is_named() {
    let body = "async def buy(conn, request, cache):\n    return await cache.get(\"price\")\n";
    let output = twoam(&["run", "oversell", "--handler", &written("cached.py", body), "--until", "200ms"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("cached.py:2: LookupError: this scenario has no service `cache`; it has none"), "{text}");
}

#[test]
fn every_refused_statement_of_a_schema_is_told_with_its_line() {
    let folder = new_scenario("refused-schema");
    let schema = "CREATE EXTENSION hstore;\n\nCREATE TABLE counters (\n    id INTEGER PRIMARY KEY,\n    hits INTEGER NOT NULL\n);\n\
                  CREATE TABLE hits (id SERIAL PRIMARY KEY, counter_id INTEGER REFERENCES counters (id), tags HSTORE);\n\
                  CREATE INDEX hits_tags ON hits USING gin (tags);\nCREATE TABEL odd (id INTEGER);\n\
                  SELECT 1;\nCREATE TABLE more (\n    id INTEGER,\n    note TXET\n);\n";
    std::fs::write(folder.join("schema.sql"), schema).expect("the file is written");
    for command in ["run", "check", "compare"] {
        let output = twoam(&[command, folder.to_str().expect("UTF-8")]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        for line in [1, 9, 13] {
            assert!(text.contains(&format!("refused-schema/schema.sql:{line}: ")), "{command}, line {line}: {text}");
        }
        assert!(
            !text.contains("schema.sql:8:"),
            "an index of a table that is not there follows from the table: {text}"
        );
    }
}

#[test]
fn a_schema_in_a_schedule_tells_every_refusal_too() {
    let schedule = "v1 oversell naive production seed=1 until=1000000 \
                    source:schema.sql=CREATE%20TABEL%20a%20(id%20INT);%0ASELECT%201;%0ACREATE%20EXTENSION%20x;";
    let output = twoam(&["run", "--replay", schedule]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("schema.sql:1: ") && text.contains("\nschema.sql:3: "), "{text}");
}

#[test]
fn a_text_without_a_statement_has_no_result_and_no_error() {
    let source = "import psycopg\n\nasync def buy(conn, request):\n    for text in (\"\", \";\", \"-- only a comment\", \";;\"):\n        \
                  cur = await conn.execute(text)\n        \
                  assert (cur.rowcount, cur.statusmessage, cur.description) == (-1, None, None), text\n        \
                  try:\n            await cur.fetchone()\n        except psycopg.ProgrammingError as error:\n            \
                  assert \"didn't produce records (result status: EMPTY_QUERY)\" in str(error), error\n        \
                  else:\n            raise AssertionError(text)\n    return {\"status\": 200}\n";
    let file = written("empty_texts.py", source);
    let document = json(&["run", "oversell", "--handler", &file, "--until", "1s", "--json"]);
    assert_eq!(document["errors"], serde_json::json!([]));
    assert!(document["requests"]["ok"].as_u64() > Some(0), "{document}");
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let commands = [&["list"][..], &["list", "--json"], &["run", "oversell", "--until", "200ms"], &["check", "--help"]];
    for arguments in commands {
        let mut child = Command::new(env!("CARGO_BIN_EXE_twoam"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_told() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = Command::new(env!("CARGO_BIN_EXE_twoam")).arg("list").stdout(full).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: the result cannot be written"));
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
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("calibrated.rs");
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
        (&["run", "oversell", "--at", "-1s:variant=naive"], "20s"),
        (&["run", "oversell", "--at", "1s:units=50"], "--set units=50"),
        (&["run", "oversell", "--at", "90s:variant=naive", "--until", "60s"], "longer --until"),
        (&["run", "oversell", "--set", "shoppers=2.5"], "a whole number from 1 to 500"),
        (&["run", "oversell", "--set", "shoppers=nan"], "a whole number from 1 to 500"),
        (&["run", "oversell", "--seed", "-1"], "`-1` is not a whole number from 0 to 4294967295"),
        (&["run", "oversell", "--clients", "many"], "`many` is not a whole number"),
        (&["run", "oversell", "--set", "shoppers"], "as in clients=50"),
        (&["run", "oversell", "--at", "1s:"], "`1s:` is not of the form TIME:variant=NAME"),
        (&["check", "overselll"], "did you mean `oversell`?"),
        (&["run", "oversell", "--until", "forever"], "20s"),
        (&["run", "oversell", "--until", "-1s"], "20s"),
        (&["run", "oversell", "--until", "0"], "no time at all"),
        (&["compare", "oversell", "--until", "0s"], "no time at all"),
        (&["run", "oversell", "--until", "1e30s"], "an hour at most"),
        (&["run", "oversel"], "did you mean `oversell`?"),
        (&["run", ""], "oversell"),
        (&["run", "./no-such-folder"], "no such folder"),
        (&["run", env!("CARGO_TARGET_TMPDIR")], "twoam new NAME"),
        (&["check", env!("CARGO_TARGET_TMPDIR"), "--seeds", "-1"], "1..=1000"),
        (&["run", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], "is a file"),
        (&["run", "oversell", "--handler", "no-such.py"], "no-such.py: No such file"),
        (&["run", "oversell", "--handler", env!("CARGO_TARGET_TMPDIR")], "directory"),
        (&["run", "oversell", "--handler", env!("CARGO_BIN_EXE_twoam")], "not UTF-8"),
        (&["run", "oversell", "--trace", env!("CARGO_TARGET_TMPDIR")], "name a file"),
        (&["run", "oversell", "--trace", "no-such-folder/trace.json"], "its folder is not there"),
        (&["run", "deadlock", "--replay", "v1 oversell naive production seed=1"], "of `oversell`, not of `deadlock`"),
        (&["run", "--replay", "v1 oversell naive production seed=1 source:other.py=x"], "schema.sql"),
        (&["new", "Shop"], "a letter first"),
        (&["new", "--", "-shop"], "a letter first"),
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
    let file = written("broken.py", "async def buy(conn, request):\n    return {\n");
    let output = twoam(&["run", "oversell", "--handler", &file, "--until", "1s"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(&format!("{file}:2: SyntaxError")), "{text}");
}

#[test]
fn a_new_scenario_runs_at_once_with_one_variant_and_no_texts() {
    let folder = new_scenario("page-views");
    let path = folder.to_str().expect("UTF-8");
    let again = refusal(&["new", "page-views", "--dir", folder.parent().and_then(Path::to_str).expect("UTF-8")]);
    assert!(again.contains("choose another name"), "{again}");

    let alone = json(&["run", path, "--env", "my-machine", "--until", "5s", "--json"]);
    assert_eq!(alone["verdict"], "holds", "{alone}");
    let production = twoam(&["run", path]);
    let text = String::from_utf8_lossy(&production.stdout);
    assert!(production.status.success() && text.contains("\nbroken: 1 of 1 invariant"), "{text}");
    assert!(text.contains(&format!("again: twoam run {path} --replay 'v1 page-views ")), "{text}");
    assert_eq!(json(&["compare", path, "--until", "2s", "--json"])["runs"].as_array().map(Vec::len), Some(2));
    assert!(refusal(&["run", path, "--variant", "hardened"]).contains("no hardened variant yet"));

    let checked = twoam(&["check", path, "--draft", "--seeds", "2"]);
    let text = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert!(text.contains("naive passes alone and breaks in production, over 2 seeds"), "{text}");
    assert!(text.contains("is a draft"), "{text}");
}

#[test]
fn files_of_other_systems_are_read_as_they_are_meant() {
    let folder = new_scenario("from-elsewhere");
    let path = folder.to_str().expect("UTF-8");
    let run = || json(&["run", path, "--until", "1s", "--json"])["trace_hash"].clone();
    let meant = run();
    for file in ["scenario.toml", "schema.sql", "naive.py"] {
        let text = std::fs::read_to_string(folder.join(file)).expect("UTF-8");
        let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        std::fs::write(folder.join(file), marked).expect("the file is written");
    }
    assert_eq!(run(), meant);
}

#[test]
fn check_lists_what_a_draft_lacks_with_file_and_remedy() {
    let folder = new_scenario("bare-draft");
    let path = folder.to_str().expect("UTF-8");
    let output = twoam(&["check", path, "--static-only"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for told in [
        "scenario.toml:2: `draft`: the scenario is marked as a draft; remove the line",
        "scenario.toml:5: `hook`: it is missing; add `hook = \"…\"`",
        "scenario.toml:6: `theme`: it is missing; add `theme = \"…\"`, one of `races`",
        "`variant`: there is no hardened one; add [[variant]]",
        "`variant.price`: it is missing; add `price = ",
        "`hints`: it is missing; add `hints = [",
        "`beat`: it is missing; add [[beat]]",
        "`question`: it is missing; add [question]",
        "bare-draft/story.md: the file is missing; write it, with the sections `## What happens`",
        "bare-draft/frameworks.md: the file is missing; write it, the same fix in `## Django`",
        "--draft` asks only whether it runs as it should",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

/// What the template has in comments, with its texts written.
fn finished(folder: &Path) {
    let manifest = folder.join("scenario.toml");
    let text = std::fs::read_to_string(&manifest).expect("UTF-8").replace("draft = true\n", "");
    let is_key =
        |rest: &str| rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line));
    std::fs::write(manifest, lines.collect::<Vec<_>>().join("\n")).expect("the file is written");
    let update = "async def hit(conn, request):\n    counter_id = request[\"counter_id\"]\n    \
                  async with conn.transaction():\n        \
                  await conn.execute(\"UPDATE counters SET hits = hits + 1 WHERE id = %s\", (counter_id,))\n        \
                  await conn.execute(\"INSERT INTO hits (counter_id) VALUES (%s)\", (counter_id,))\n    \
                  return {\"status\": 200}\n";
    let story = ["What happens", "Why nobody saw it", "How to find it", "The fixes"];
    let frameworks = [
        "Django",
        "SQLAlchemy",
        "Laravel Eloquent",
        "Entity Framework Core",
        "Prisma",
        "Rails",
        "Spring Data JPA",
        "Go",
    ];
    let sections = |titles: &[&str]| titles.iter().map(|title| format!("## {title}\n\nText.\n\n")).collect::<String>();
    for (file, text) in [
        ("atomic_update.py", update.to_owned()),
        ("story.md", sections(&story)),
        ("frameworks.md", sections(&frameworks)),
    ] {
        std::fs::write(folder.join(file), text).expect("the file is written");
    }
}

#[test]
fn what_the_template_has_in_comments_makes_it_complete() {
    let folder = new_scenario("whole-scenario");
    let path = folder.to_str().expect("UTF-8");
    finished(&folder);
    let output = twoam(&["check", path, "--static-only"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("whole-scenario/scenario.toml:4: this text is still the template's; write it"), "{text}");

    let manifest = folder.join("scenario.toml");
    let text = std::fs::read_to_string(&manifest).expect("UTF-8").replace("<write: ", "<written: ");
    std::fs::write(manifest, text).expect("the file is written");
    let output = twoam(&["check", path, "--seeds", "2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("complete; naive passes alone and breaks in production, hardened")
    );
}

#[test]
fn hardened_code_that_breaks_no_invariant_and_does_damage_fails_the_check() {
    let folder = new_scenario("counts-all");
    finished(&folder);
    let manifest = folder.join("scenario.toml");
    let text = std::fs::read_to_string(&manifest).expect("UTF-8").replace("<write: ", "<written: ");
    let counts_all =
        text.replace("(SELECT COUNT(*) FROM hits) - (SELECT SUM(hits) FROM counters)", "COUNT(*) FROM hits");
    assert_ne!(text, counts_all);
    std::fs::write(manifest, counts_all).expect("the file is written");
    let output = twoam(&["check", folder.to_str().expect("UTF-8"), "--seeds", "1"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("`atomic-update` in `production` breaks no invariant, and yet `[damage]` counts "), "{text}");
    assert!(text.contains(" with 1 of 1 seed; look at twoam run "), "{text}");
}

#[test]
fn what_an_author_breaks_is_told_with_file_and_line() {
    for (name, file, from, to, told) in [
        (
            "toml",
            "scenario.toml",
            "min = 1\nmax = 200",
            "min = 1\nmax = ",
            "scenario.toml:53: string values must be quoted",
        ),
        (
            "knob",
            "scenario.toml",
            "count = \"clients\"",
            "count = \"client\"",
            "scenario.toml:20: `clients.count`: there is no knob `client`",
        ),
        ("typo", "scenario.toml", "think_ms = ", "thinkms = ", "did you mean `think_ms`?"),
        (
            "entry",
            "scenario.toml",
            "entry = \"hit\"",
            "entry = \"hits\"",
            "naive.py: AttributeError: naive.py has no handler `hits`",
        ),
        ("syntax", "naive.py", "(hits,) = await", "(hits,) await", "naive.py:9: SyntaxError"),
        (
            "import",
            "naive.py",
            "\"\"\"Counts hits.\"\"\"",
            "import requests",
            "naive.py:1: ModuleNotFoundError: No module named 'requests' here. Use httpx",
        ),
        (
            "schema",
            "schema.sql",
            "hits INTEGER NOT NULL",
            "hits INTEGR NOT NULL",
            "schema.sql:3: type \"integr\" does not exist (42704)",
        ),
        (
            "rows",
            "scenario.toml",
            "hits = 0",
            "hits = \"many\"",
            "scenario.toml:31: its rows cannot be added: invalid input syntax",
        ),
        (
            "invariant",
            "scenario.toml",
            "HAVING c.hits <>",
            "HAVING c.hit <>",
            "scenario.toml:119: invariant `lost-hits`: column c.hit does not exist",
        ),
        (
            "metric",
            "scenario.toml",
            "SUM(hits) FROM counters",
            "SUM(hits) FROM counter",
            "scenario.toml:127: metric `lost-hits`: relation \"counter\" does not exist",
        ),
        ("file", "scenario.toml", "file = \"naive.py\"", "file = \"nave.py\"", "there is no file `nave.py`"),
        (
            "crowd",
            "scenario.toml",
            "pool = 10",
            "pool = 1e12",
            "scenario.toml:41: `machine.pool`: 1000000000000 is out of range; stay between 1 and 1000",
        ),
        (
            "crowded-knob",
            "scenario.toml",
            "max = 200",
            "max = 2000000",
            "`clients.count`: knob `clients` goes from 1 to 2000000, which is out of range; stay between 0 and 10000",
        ),
    ] {
        let folder = new_scenario(&format!("breaks-{name}"));
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        assert!(text.contains(from), "{name}: {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("the file is written");
        for command in [&["run"][..], &["check", "--draft"]] {
            let output = twoam(&[command, &[folder.to_str().expect("UTF-8")]].concat());
            let text = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{name}: {text}");
            assert!(text.contains(told), "{name}: {told}: {text}");
        }
    }
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
