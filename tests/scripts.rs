//! Golden scripts of the SQL engine and of its store: what is asked, by which session, and what comes of it.
//!
//! What the optimizer and the planner rewrite must not change any answer, so each script of `sql` also runs with each of their
//! rewrites left out.
//!
//! A script is a file of `tests/scripts/sql` or `tests/scripts/store`, and a test of its own: `cargo test --workspace --test scripts
//! sql::joins`. `UPDATE_GOLDENFILES=1` writes what comes now into it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use goldenscript::{Command, Context, Runner};
use test_each_file::test_each_path;
use twoam::sql::{Database, DeadlockCheck, Outcome, Progress, Settings};
use twoam::store::{CommitSeq, LockOutcome, RowId, Savepoint, Store, TableId};
use twoam::trace::{Isolation, LockStrength, Micros, SessionId, Value};

test_each_path! { in "./tests/scripts/sql" as sql => |path: &Path| goldenscript::run(&mut Sql::new(), path).expect("the script") }

test_each_path! { in "./tests/scripts/sql" as without_a_rewrite => |path: &Path| agrees_without_any_rewrite(path) }

test_each_path! { in "./tests/scripts/store" as store => |path: &Path| goldenscript::run(&mut Rows::new(), path).expect("the script") }

/// `session: > SQL`. After each statement the sessions it woke go on. `pass 5s` lets virtual time pass. `> plan SQL` shows how the
/// statement becomes its plan.
struct Sql {
    database: Database,
    sessions: BTreeMap<String, SessionId>,
    now: Micros,
}

impl Sql {
    fn new() -> Sql {
        let database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 1, epoch_us: 0 });
        Sql { database, sessions: BTreeMap::new(), now: 0 }
    }

    fn name_of(&self, session: SessionId) -> &str {
        self.sessions.iter().find(|(_, known)| **known == session).map_or("?", |(name, _)| name)
    }

    fn shown(&self, outcome: &Outcome, with_reads: bool) -> String {
        let mut text = String::new();
        let mut line = |content: std::fmt::Arguments| writeln!(text, "{content}").expect("a text takes all");
        for notice in &outcome.notices {
            line(format_args!("{} {}: {}", notice.severity, notice.sqlstate, notice.message));
        }
        let results = match &outcome.progress {
            Progress::Done(results) => results,
            _ => &outcome.completed,
        };
        for result in results {
            if let Some(columns) = &result.columns {
                let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
                line(format_args!("{}", names.join(" | ")));
            }
            for row in &result.rows {
                let values: Vec<String> = row
                    .iter()
                    .map(|it| if *it == Value::Null { "NULL".into() } else { it.to_text().to_string() })
                    .collect();
                line(format_args!("{}", values.join(" | ")));
            }
            line(format_args!("{}", result.tag));
        }
        match &outcome.progress {
            Progress::Done(_) => {}
            Progress::Wait(wait) => {
                line(format_args!("waits for {}, {} is before it", wait.on, self.name_of(wait.holder)))
            }
            Progress::Failed(error) => {
                line(format_args!("{}: {}", error.sqlstate, error.message));
                for more in [&error.detail, &error.hint].into_iter().flatten() {
                    line(format_args!("  {more}"));
                }
            }
        }
        if with_reads {
            line(format_args!("rows read {}, by scanning {}", outcome.rows_read, outcome.rows_scanned));
        }
        text
    }

    fn steps(&mut self, sql: &str) -> String {
        let mut text = String::new();
        let mut line = |content: std::fmt::Arguments| writeln!(text, "{content}").expect("a text takes all");
        match self.database.plan_steps(sql) {
            Err(error) => line(format_args!("{}: {}", error.sqlstate, error.message)),
            Ok(steps) => {
                for step in steps {
                    line(format_args!("{}:", step.name));
                    step.lines.iter().for_each(|it| line(format_args!("  {it}")));
                }
            }
        }
        text
    }

    fn go_on(&mut self, text: &mut String) {
        loop {
            let woken = self.database.take_woken();
            if woken.is_empty() {
                return;
            }
            for session in woken {
                let outcome = self.database.resume(session, self.now);
                for line in self.shown(&outcome, false).lines() {
                    writeln!(text, "{} goes on: {line}", self.name_of(session)).expect("a text takes all");
                }
            }
        }
    }
}

impl Runner for Sql {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
        let mut text = String::new();
        if let Some(time) = command.name.strip_prefix("pass") {
            let seconds = command.args.first().map_or(time.to_owned(), ToString::to_string);
            self.now += seconds.trim_end_matches('s').parse::<Micros>()? * 1_000_000;
            self.database.fire_timers(self.now);
            self.go_on(&mut text);
            return Ok(text);
        }
        if let Some(sql) = command.name.strip_prefix("plan ") {
            return Ok(self.steps(sql));
        }
        let name = context.prefix.clone().unwrap_or_default();
        let session = *self.sessions.entry(name).or_insert_with(|| self.database.connect());
        let outcome = self.database.execute(session, self.now, &command.name, &[]);
        text = self.shown(&outcome, context.tags.contains("reads"));
        self.go_on(&mut text);
        Ok(text)
    }
}

fn agrees_without_any_rewrite(path: &Path) {
    for name in twoam::sql::rewrites() {
        let mut pair = Pair { whole: Sql::new(), less: Sql::new(), left_out: name, differ: false };
        pair.less.database.skip_rewrite(name);
        let script = fs::read_to_string(path).expect("the script");
        goldenscript::generate(&mut pair, &script).expect("the script");
    }
}

/// Otherwise to leave it out would say nothing.
#[test]
fn every_rewrite_shows_in_some_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/sql/plans");
    let scripts = ["access", "passes"].map(|name| fs::read_to_string(folder.join(name)).expect("the script"));
    for name in twoam::sql::rewrites() {
        let shows = scripts.iter().any(|script| {
            let (mut whole, mut less) = (Sql::new(), Sql::new());
            less.database.skip_rewrite(name);
            let run = |sql: &mut Sql| goldenscript::generate(sql, script).expect("the script");
            run(&mut whole) != run(&mut less)
        });
        assert!(shows, "no plan of tests/scripts/sql/plans changes without {name}");
    }
}

/// A script on two databases at once, one of which leaves out a rewrite.
struct Pair {
    whole: Sql,
    less: Sql,
    left_out: &'static str,
    /// A statement has failed on one side only, so that both hold other rows.
    differ: bool,
}

impl Runner for Pair {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
        // A rewrite may well read fewer rows.
        let mut untagged = context.clone();
        untagged.tags.clear();
        let (whole, less) = (self.whole.run(command, &untagged)?, self.less.run(command, &untagged)?);
        let is_plan = ["plan ", "EXPLAIN "].iter().any(|word| command.name.starts_with(word));
        if self.differ || is_plan || sorted(&whole) == sorted(&less) {
            return Ok(whole);
        }
        // A constant that cannot be computed, or is too large, fails at once, and otherwise where a row asks for it.
        let fails = |text: &str| ["22", "53", "54"].iter().any(|class| text.starts_with(class));
        assert!(fails(&whole) || fails(&less), "{}\n\n{whole}\nwithout {}:\n{less}", command.name, self.left_out);
        self.differ = fails(&whole) != fails(&less);
        Ok(whole)
    }
}

/// Lines in an order of their own: rows come as the plan gives them.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// One table of rows of one number each. Commands: `begin [level]`, `insert N`, `lock ROW STRENGTH [nowait]`, `write ROW N`,
/// `delete ROW`, `see`, `copy` (inserts once more what it sees), `savepoint`, `back`, `commit`, `rollback`, `replica` (the session is
/// one of the replica's); of no session `chain ROW` and `replay`.
struct Rows {
    store: Store,
    table: TableId,
    sessions: BTreeMap<String, SessionId>,
    savepoints: BTreeMap<SessionId, Savepoint>,
}

impl Rows {
    fn new() -> Rows {
        let mut store = Store::default();
        let session = SessionId(0);
        store.begin(session, Isolation::ReadCommitted, false);
        let table = store.create_table(session);
        store.commit(session).expect("nobody is in its way");
        Rows { store, table, sessions: BTreeMap::new(), savepoints: BTreeMap::new() }
    }

    fn chain(&self, row: RowId) -> String {
        let versions = self.store.table(self.table).chain(row).versions().map(|version| {
            let content = version.row.as_ref().map_or("deleted".into(), |row| row[0].to_text().to_string());
            let state = if version.commit_seq == CommitSeq::RUNNING { "running" } else { "committed" };
            format!("[{content} by {}, {state}]", version.xid.0)
        });
        versions.collect::<Vec<_>>().join(" -> ")
    }

    fn woken(&mut self) -> String {
        let woken = self.store.take_woken();
        let name = |session: &SessionId| {
            self.sessions.iter().find(|(_, known)| *known == session).map_or("?", |(name, _)| name.as_str())
        };
        woken.iter().map(|session| format!("{} is woken\n", name(session))).collect()
    }
}

impl Runner for Rows {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
        let words: Vec<String> = command.args.iter().map(ToString::to_string).collect();
        let word = |place: usize| words.get(place).map_or("", String::as_str);
        let row = || word(0).parse().map(RowId);
        let of = |number: &str| -> Result<Rc<[Value]>, Box<dyn Error>> { Ok(Rc::from([Value::Int(number.parse()?)])) };
        match command.name.as_str() {
            "chain" => return Ok(self.chain(row()?) + "\n"),
            "replay" => {
                self.store.replay(self.store.newest());
                return Ok(String::new());
            }
            _ => {}
        }
        let next = SessionId(self.sessions.len() as u32 + 1);
        let session = *self.sessions.entry(context.prefix.clone().unwrap_or_default()).or_insert(next);
        let mut text = String::new();
        match command.name.as_str() {
            "begin" => {
                let isolation = match word(0) {
                    "repeatable" => Isolation::RepeatableRead,
                    "serializable" => Isolation::Serializable,
                    _ => Isolation::ReadCommitted,
                };
                self.store.begin(session, isolation, false);
            }
            "insert" => {
                let id = self.store.insert(session, self.table, of(word(0))?);
                writeln!(text, "row {}", id.0)?;
            }
            "write" => self.store.write(session, self.table, row()?, Some(of(word(1))?)),
            "delete" => self.store.write(session, self.table, row()?, None),
            "lock" => {
                let strength = match word(1) {
                    "key-share" => LockStrength::KeyShare,
                    "share" => LockStrength::Share,
                    "no-key-update" => LockStrength::NoKeyUpdate,
                    "update" => LockStrength::Update,
                    other => return Err(format!("no lock is called {other}").into()),
                };
                match self.store.lock_row(session, self.table, row()?, strength, word(2) != "nowait", None) {
                    LockOutcome::Locked { .. } => writeln!(text, "has it")?,
                    LockOutcome::Unavailable => writeln!(text, "does not get it")?,
                    LockOutcome::Waits => {
                        writeln!(text, "waits")?;
                        if let Some(cycle) = self.store.check_deadlock(session) {
                            writeln!(text, "deadlock of {}", cycle.len())?;
                        }
                    }
                }
            }
            "see" => {
                let snapshot = self.store.statement_snapshot(session);
                let table = self.store.table(self.table);
                let seen =
                    (0..table.row_end()).filter_map(|row| table.chain(RowId(row)).visible(&snapshot)?.row.clone());
                let seen: Vec<String> = seen.map(|row| row[0].to_text().to_string()).collect();
                writeln!(text, "{}", if seen.is_empty() { "nothing".to_owned() } else { seen.join(" ") })?;
            }
            "copy" => {
                let snapshot = self.store.statement_snapshot(session);
                let mut row = 0;
                while row < self.store.table(self.table).row_end() {
                    let seen = self.store.table(self.table).chain(RowId(row)).visible(&snapshot);
                    if let Some(content) = seen.and_then(|version| version.row.clone()) {
                        let id = self.store.insert(session, self.table, content);
                        writeln!(text, "row {}", id.0)?;
                    }
                    row += 1;
                }
            }
            "replica" => self.store.attach_replica(session),
            "savepoint" => {
                let savepoint = self.store.savepoint(session);
                self.savepoints.insert(session, savepoint);
            }
            "back" => self.store.rollback_to(session, self.savepoints[&session]),
            "commit" => {
                self.store.commit(session).map_err(|_| "could not serialize")?;
            }
            "rollback" => {
                self.store.rollback(session);
            }
            other => return Err(format!("no command is called {other}").into()),
        }
        Ok(text + &self.woken())
    }
}
