//! Scripts for as long as one likes: another process runs them, so that one that overflows its stack or does not end is told too.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use twoam::sql::{Database, DeadlockCheck, Progress, Settings};

use crate::grammar::SCHEMA;
use crate::number;
use crate::script::{Script, run_script};

/// How long a script may be silent.
const PATIENCE: Duration = Duration::from_secs(40);

const FIRST: &str = "TWOAM_FUZZ_FIRST";
const NOTE: &str = "TWOAM_FUZZ_NOTE";

/// Writes down what is run now, for whoever outlives this process.
pub fn note(script: &str, number: usize, sql: &str) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os(NOTE).and_then(|path| File::create(path).ok()).map(Mutex::new));
    if let Some(file) = file {
        let mut file = file.lock().expect("one writer");
        let shown: String = sql.chars().take(2000).collect();
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| write!(file, "{script}, statement {}: {shown:?}", number + 1))
            .expect("the note is written");
    }
}

#[test]
#[ignore = "runs as long as TWOAM_FUZZ_SECONDS says"]
fn long() {
    let until = Instant::now() + Duration::from_secs(number("TWOAM_FUZZ_SECONDS", 60));
    let folder = tempfile::tempdir().expect("a folder for the note");
    let path = folder.path().join("note");
    let first = number("TWOAM_FUZZ_SEED", 1);
    let mut next = first;
    let mut failures = 0;
    while Instant::now() < until {
        let (mut child, lines) = start(next, &path);
        let ended = follow(&lines, until, &mut next, &mut failures);
        let _ = child.kill();
        child.wait().expect("the process ends");
        if let Some(how) = ended {
            let note = std::fs::read_to_string(&path).unwrap_or_default();
            println!("{how}: {note}\n");
            failures += 1;
            next += 1;
        }
    }
    let scripts = next - first;
    println!("{scripts} scripts, {} statements, {failures} failed; the next seed is {next}", scripts * 40);
    assert_eq!(failures, 0);
}

fn start(first: u64, note: &PathBuf) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--ignored", "--exact", "--nocapture", "long::one_process_of_it"])
        .env(FIRST, first.to_string())
        .env(NOTE, note)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test once more");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let (sender, receiver) = channel();
    std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    (child, receiver)
}

/// How the process ended, if it did before its time.
fn follow(lines: &Receiver<String>, until: Instant, next: &mut u64, failures: &mut u64) -> Option<&'static str> {
    while Instant::now() < until {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => match line.strip_prefix("done ") {
                Some(seed) => *next = seed.parse::<u64>().expect("a seed") + 1,
                None if line.starts_with("seed ") => {
                    *failures += 1;
                    println!("{line}");
                }
                None => println!("{line}"),
            },
            Err(RecvTimeoutError::Timeout) => return Some("does not end"),
            Err(RecvTimeoutError::Disconnected) => return Some("the process died"),
        }
    }
    None
}

#[test]
#[ignore = "`long` starts it"]
fn one_process_of_it() {
    let Ok(first) = std::env::var(FIRST) else { return };
    let mut seed = first.parse::<u64>().expect("a seed");
    loop {
        if let Err(failure) = run_script(&Script::generated(seed)) {
            println!("{failure}\n");
        }
        println!("done {seed}");
        seed += 1;
    }
}

/// Writes scripts to the file `TWOAM_FUZZ_WRITE` names, one a line, for `page.mjs`, which runs them in the page's engine.
#[test]
#[ignore = "writes the file that TWOAM_FUZZ_WRITE names"]
fn write() {
    let Ok(path) = std::env::var("TWOAM_FUZZ_WRITE") else { return };
    let first = number("TWOAM_FUZZ_SEED", 1);
    let mut file = std::io::BufWriter::new(File::create(&path).expect("the file can be written"));
    let schema: String = SCHEMA.iter().map(|sql| format!("{sql};\n")).collect();
    writeln!(file, "{}", serde_json::json!(schema)).expect("the file can be written");
    for seed in first..first + number("TWOAM_FUZZ_SCRIPTS", 60) {
        let statements = Script::generated(seed).statements;
        writeln!(file, "{}", serde_json::json!({ "seed": seed, "statements": statements }))
            .expect("the file can be written");
    }
}

/// `TWOAM_FUZZ_REPLAY` is a seed, or a file with a statement a line: runs it and shows each answer.
#[test]
#[ignore = "shows what TWOAM_FUZZ_REPLAY names"]
fn replay() {
    let Ok(wanted) = std::env::var("TWOAM_FUZZ_REPLAY") else { return };
    let statements: Vec<(usize, String)> = match wanted.parse() {
        Ok(seed) => Script::generated(seed).statements,
        Err(_) => {
            let text = std::fs::read_to_string(Path::new(&wanted)).expect("the file of statements");
            text.lines().map(|line| (0, line.to_owned())).collect()
        }
    };
    let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 0, epoch_us: 0 });
    let sessions: Vec<_> = (0..3).map(|_| database.connect()).collect();
    for (session, sql) in statements {
        println!("{session}: {sql}");
        let began = Instant::now();
        crate::allocator::begin();
        let outcome = database.execute(sessions[session], 0, &sql, &[]);
        let (took, peak) = (began.elapsed(), crate::allocator::peak() >> 20);
        match outcome.progress {
            Progress::Done(results) => results.iter().for_each(|result| {
                for row in result.rows.iter().take(20) {
                    let shown = row.iter().map(|value| value.to_text().chars().take(80).collect::<String>());
                    println!("  {}", shown.collect::<Vec<_>>().join("|"));
                }
                println!("  {} ({took:.0?}, {peak} MB)", result.tag);
            }),
            Progress::Failed(error) => println!("  {}: {} ({took:.0?}, {peak} MB)", error.sqlstate, error.message),
            Progress::Wait(wait) => println!("  waits for {}", wait.on),
        }
    }
}
