//! Generated statements of one session: ours and PostgreSQL's answers side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use twoam::isolation::{ErrorResponse, QueryResponse, StatementResult};
use twoam::sql::{Database, DeadlockCheck, Progress, Settings};
use twoam::trace::SessionId;

use crate::grammar::Grammar;
use crate::number;
use crate::postgres::{Cluster, Connection};

const PER_SCRIPT: usize = 20;

/// Our side: one session of a new database.
pub struct Ours {
    database: Database,
    session: SessionId,
    /// Where the error of the last query points to.
    pub position: Option<u32>,
}

impl Ours {
    pub fn new() -> Ours {
        let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 0, epoch_us: 0 });
        let session = database.connect();
        Ours { database, session, position: None }
    }

    pub fn in_transaction(&self) -> bool {
        self.database.in_transaction(self.session)
    }

    pub fn query(&mut self, sql: &str) -> QueryResponse {
        let outcome = self.database.execute(self.session, 0, sql, &[]);
        self.position = match &outcome.progress {
            Progress::Failed(error) => error.position,
            _ => None,
        };
        match outcome.progress {
            Progress::Done(results) => {
                QueryResponse { results: results.iter().map(StatementResult::from).collect(), failure: None }
            }
            Progress::Failed(error) => QueryResponse {
                results: outcome.completed.iter().map(StatementResult::from).collect(),
                failure: Some(ErrorResponse::from(&error)),
            },
            Progress::Wait(wait) => panic!("the only session waits for {}", wait.on),
        }
    }
}

/// What ours answers when nothing was asked before.
pub fn answer_of(sql: &str) -> QueryResponse {
    Ours::new().query(sql)
}

/// PostgreSQL's side: one session of an emptied database.
pub struct Theirs {
    connection: Connection,
    /// Runs as long as somebody holds it.
    _cluster: Arc<Cluster>,
}

impl Theirs {
    pub fn new() -> Theirs {
        let cluster = Cluster::shared();
        let database = cluster.new_database();
        Theirs { connection: Connection::open(&cluster, &database, ""), _cluster: cluster }
    }

    /// Whether PostgreSQL gives this answer to a query when it reads and joins in another way.
    fn may_answer(&mut self, sql: &str, answer: &QueryResponse) -> bool {
        (sql.starts_with("SELECT") || sql.starts_with("WITH"))
            && !sql.contains("nextval")
            && OTHER_PLANS.iter().any(|settings| {
                self.connection.query(settings);
                let other = self.connection.query(sql);
                self.connection.query(USUAL_PLANS);
                same(sql, answer, &other)
            })
    }

    pub fn query(&mut self, sql: &str) -> QueryResponse {
        self.connection.query(sql)
    }

    /// Where the error of the last query points to.
    pub fn position(&self) -> Option<u32> {
        self.connection.position()
    }

    fn empty(&mut self) {
        self.connection.query("ROLLBACK");
        // Its temporary tables and settings go, too.
        self.connection.query("DISCARD ALL");
        let answer = self.connection.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        assert_eq!(answer.failure, None);
    }
}

/// What goes back to the usual plans, and leaves alone what a script has set.
const USUAL_PLANS: &str = "RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material; RESET enable_nestloop; \
    RESET enable_seqscan; RESET enable_bitmapscan";

/// Settings by which PostgreSQL joins in other ways.
const OTHER_PLANS: &[&str] = &[
    "SET enable_hashjoin = off; SET enable_mergejoin = off",
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off",
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off",
    "SET enable_nestloop = off",
    "SET enable_nestloop = off; SET enable_hashjoin = off",
    "SET enable_seqscan = off; SET enable_bitmapscan = off",
];

struct Divergence {
    sql: String,
    ours: QueryResponse,
    theirs: QueryResponse,
}

#[derive(Default)]
struct Tally {
    compared: usize,
    failed_alike: usize,
    other_value: usize,
    other_plan: usize,
    refused: BTreeMap<String, usize>,
}

/// Runs a script on both sides up to the first different answer. What ours refuses PostgreSQL is not asked.
fn compare(script: &[String], theirs: &mut Theirs, tally: &mut Tally) -> Option<(usize, Divergence)> {
    let mut ours = Ours::new();
    theirs.empty();
    for (index, sql) in script.iter().enumerate() {
        let our_answer = ours.query(sql);
        if let Some(failure) = our_answer.failure.as_ref().filter(|it| it.sqlstate.as_str() == "0A000") {
            *tally.refused.entry(failure.message.clone()).or_default() += 1;
            if ours.in_transaction() {
                theirs.query("SELECT 1 / 0");
            }
            continue;
        }
        let their_answer = theirs.connection.query(sql);
        tally.compared += 1;
        tally.failed_alike += usize::from(their_answer.failure.is_some());
        if fail_in_rows(sql, &our_answer, &their_answer) {
            tally.other_value += 1;
            return None;
        }
        if one_fails_in_a_value(&our_answer, &their_answer) && theirs.may_answer(sql, &our_answer) {
            tally.other_plan += 1;
            return None;
        }
        if !same(sql, &our_answer, &their_answer) {
            return Some((index, Divergence { sql: sql.clone(), ours: our_answer, theirs: their_answer }));
        }
    }
    None
}

pub fn same(sql: &str, ours: &QueryResponse, theirs: &QueryResponse) -> bool {
    match (&ours.failure, &theirs.failure) {
        (Some(our), Some(their)) if our.sqlstate == their.sqlstate => {
            our.message == their.message || message_is_free(our)
        }
        (None, None) => {
            let is_ordered = sql.contains("ORDER BY");
            ours.results.len() == theirs.results.len()
                && ours.results.iter().zip(&theirs.results).all(|(our, their)| {
                    our.tag == their.tag
                        && our.columns == their.columns
                        && same_rows(&our.rows, &their.rows, is_ordered)
                })
        }
        _ => false,
    }
}

/// Several values of a statement cannot be computed, or rows not be written. Which of them is met first goes by the order in which
/// rows are read and joined, and that is open.
fn fail_in_rows(sql: &str, ours: &QueryResponse, theirs: &QueryResponse) -> bool {
    let code = |it: &QueryResponse| it.failure.as_ref().map(|it| it.sqlstate.as_str().to_owned());
    match (code(ours), code(theirs)) {
        (Some(our), Some(their)) if sql.starts_with("UPDATE") => {
            our != their && [our, their].iter().all(|it| it.starts_with("22") || it.starts_with("23"))
        }
        (Some(our), Some(their)) => our != their && our.starts_with("22") && their.starts_with("22"),
        // A row may take the key of one that is written after it, and not of one that has been.
        (Some(one), None) | (None, Some(one)) if sql.starts_with("UPDATE") => one == "23505",
        _ => false,
    }
}

/// A value that one side computed and the other did not.
fn one_fails_in_a_value(ours: &QueryResponse, theirs: &QueryResponse) -> bool {
    let fails = |it: &QueryResponse| it.failure.as_ref().is_some_and(|it| it.sqlstate.as_str().starts_with("22"));
    fails(ours) != fails(theirs) && (ours.failure.is_none() || theirs.failure.is_none())
}

type Row = Vec<Option<String>>;

/// The same rows, in the same order where one is asked for. That leaves open how rows come whose numbers are equal but written
/// with other scales, or signs of zero.
pub fn same_rows(ours: &[Row], theirs: &[Row], is_ordered: bool) -> bool {
    let sorted = |rows: &[Row]| {
        let mut rows = rows.to_vec();
        rows.sort();
        rows
    };
    let unscaled = |value: &Option<String>| {
        value.as_ref().map(|text| match text.split_once('.') {
            Some((_, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) => {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            _ if text == "-0" => "0".to_owned(),
            _ => text.clone(),
        })
    };
    let by_value = |rows: &[Row]| rows.iter().map(|row| row.iter().map(unscaled).collect()).collect::<Vec<Row>>();
    sorted(ours) == sorted(theirs) && (!is_ordered || by_value(ours) == by_value(theirs))
}

/// Where the text of the message says how PostgreSQL is made, the code alone is compared.
fn message_is_free(failure: &ErrorResponse) -> bool {
    matches!(failure.sqlstate.as_str(), "42601" | "42883" | "42804" | "42P18" | "42725" | "42803" | "22007" | "22008")
}

impl Divergence {
    /// Two divergences alike in this are taken for the same one.
    fn kind(&self) -> [Option<String>; 2] {
        [&self.ours, &self.theirs].map(|it| it.failure.as_ref().map(|it| it.sqlstate.to_string()))
    }
}

/// Leaves out statements as long as the last one still diverges in the same way.
fn shrink(mut script: Vec<String>, first: &Divergence, theirs: &mut Theirs) -> (Vec<String>, Divergence) {
    let diverges = |script: &[String], theirs: &mut Theirs| {
        compare(script, theirs, &mut Tally::default())
            .filter(|(index, found)| *index + 1 == script.len() && found.kind() == first.kind())
    };
    let mut at = script.len() - 1;
    while at > 0 {
        at -= 1;
        let mut fewer = script.clone();
        fewer.remove(at);
        if diverges(&fewer, theirs).is_some() {
            script = fewer;
        }
    }
    let (_, divergence) = diverges(&script, theirs).expect("it did with more statements");
    (script, divergence)
}

pub fn shown(answer: &QueryResponse) -> String {
    let mut text = String::new();
    for result in &answer.results {
        text += &format!("  {}", result.tag);
        if let Some(columns) = &result.columns {
            text += &format!(" {columns:?}");
        }
        for row in &result.rows {
            let row: Vec<_> = row.iter().map(|it| it.as_deref().unwrap_or("NULL")).collect();
            text += &format!("\n    {}", row.join(" | "));
        }
        text += "\n";
    }
    if let Some(failure) = &answer.failure {
        text += &format!("  {} {}\n", failure.sqlstate, failure.message);
    }
    text
}

#[test]
fn statements_answer_as_postgresql_does() {
    let wanted = number("TWOAM_DIFF_STATEMENTS", 600);
    let seed = number("TWOAM_DIFF_SEED", 1);
    let mut theirs = Theirs::new();
    let mut tally = Tally::default();
    let mut found = Vec::new();
    let mut script_number = 0;
    while tally.compared + tally.refused.values().sum::<usize>() < wanted {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(script_number);
        script_number += 1;
        let script = Grammar::new(&mut rng).script(PER_SCRIPT);
        if let Some((index, divergence)) = compare(&script, &mut theirs, &mut tally) {
            let (script, divergence) = shrink(script[..=index].to_vec(), &divergence, &mut theirs);
            let before = &script[..script.len() - 1];
            found.push(format!(
                "seed {seed}, script {script_number}\n{};\n{}\nours:\n{}PostgreSQL's:\n{}",
                before.join(";\n"),
                divergence.sql,
                shown(&divergence.ours),
                shown(&divergence.theirs)
            ));
        }
    }
    let refused: usize = tally.refused.values().sum();
    println!(
        "statements: {} compared ({} failed alike, {} failed in another value, {} as PostgreSQL by another plan), {refused} refused",
        tally.compared, tally.failed_alike, tally.other_value, tally.other_plan
    );
    let mut table: Vec<_> = tally.refused.into_iter().collect();
    table.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (message, count) in table {
        println!("  refused {count:>5} {message}");
    }
    assert!(found.is_empty(), "{} divergences\n\n{}", found.len(), found.join("\n\n"));
}
