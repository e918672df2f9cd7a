//! One statement on our engine and on PostgreSQL, and what is to be said of the two answers. Both are kept alike: what only
//! one of them carries out is undone there, and what ours refuses PostgreSQL is asked only aside.

use std::panic::{AssertUnwindSafe, catch_unwind};

use twoam::isolation::{ErrorResponse, QueryResponse};

use crate::postgres::{Cluster, Connection};
use crate::statements::{Ours, same_rows};

use super::regress::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Equal,
    /// The same SQLSTATE.
    FailedAlike,
    /// Ours says by name that it does not offer this.
    Refused,
    Other,
    /// It hangs on something that was refused before.
    Follows,
}

pub struct Judged {
    pub verdict: Verdict,
    pub ours: QueryResponse,
    pub theirs: QueryResponse,
}

/// The session of a file on each side.
pub struct Sides<'a> {
    cluster: &'a Cluster,
    databases: [String; 2],
    ours: Ours,
    theirs: Connection,
    /// PostgreSQL again, where nothing is undone: what succeeds here and not there hangs on something that was refused.
    untouched: Connection,
}

/// A statement of the suite takes less, and one that hangs ends.
const OPTIONS: &str = "-c statement_timeout=20s -c lock_timeout=5s";

const SAVEPOINT: &str = "suite_statement";

impl Drop for Sides<'_> {
    fn drop(&mut self) {
        self.databases.iter().for_each(|it| self.cluster.drop_database(it));
    }
}

impl Sides<'_> {
    pub fn new(cluster: &Cluster) -> Sides<'_> {
        let databases = [cluster.new_database(), cluster.new_database()];
        let [theirs, untouched] = [0, 1].map(|it| Connection::open(cluster, &databases[it], OPTIONS));
        Sides { cluster, databases, ours: Ours::new(), theirs, untouched }
    }

    /// What the file finds there when it begins; the same on all sides, or on none.
    pub fn prepare(&mut self, sql: &str) {
        self.judge(sql);
    }

    /// `None` when our engine broke down: what it would say from then on means nothing.
    pub fn judge(&mut self, sql: &str) -> Option<Judged> {
        let natural = self.untouched.query(sql);
        let (ours, theirs) = match self.standing() {
            _ if runs_as_it_is(sql) => self.plainly(sql)?,
            Standing::Idle => self.in_transaction(sql)?,
            Standing::Open => self.in_savepoint(sql)?,
            Standing::Failed => self.plainly(sql)?,
        };
        for connection in [&mut self.theirs, &mut self.untouched] {
            connection.take_notices();
        }
        let (verdict, theirs) = match theirs {
            None if same_failure(&ours, &natural) => (Verdict::FailedAlike, natural),
            None => (Verdict::Refused, natural),
            Some(theirs) if theirs.failure.is_some() && natural.failure.is_none() => (Verdict::Follows, theirs),
            Some(theirs) => (verdict(sql, &ours, &theirs), theirs),
        };
        Some(Judged { verdict, ours, theirs })
    }

    fn standing(&self) -> Standing {
        match self.theirs.state() {
            Some(b'T') => Standing::Open,
            Some(b'E') => Standing::Failed,
            _ => Standing::Idle,
        }
    }

    /// What opens and ends transactions, and what may not stand in one.
    fn plainly(&mut self, sql: &str) -> Option<(QueryResponse, Option<QueryResponse>)> {
        let ours = self.our_answer(sql)?;
        if is_refusal(&ours) {
            if self.standing() == Standing::Open {
                self.both("ROLLBACK")?;
            }
            return Some((ours, None));
        }
        let theirs = self.theirs.query(sql);
        let differ = ours.failure.is_some() != theirs.failure.is_some()
            || self.ours.in_transaction() != (self.standing() != Standing::Idle);
        if differ {
            self.both("ROLLBACK")?;
        }
        Some((ours, Some(theirs)))
    }

    /// Alone: committed if both carry it out, constraints that wait for that included.
    fn in_transaction(&mut self, sql: &str) -> Option<(QueryResponse, Option<QueryResponse>)> {
        self.our_answer("BEGIN")?;
        let mut ours = self.our_answer(sql)?;
        if is_refusal(&ours) {
            self.our_answer("ROLLBACK")?;
            return Some((ours, None));
        }
        self.theirs.query("BEGIN");
        let mut theirs = self.theirs.query(sql);
        let both_succeeded = ours.failure.is_none() && theirs.failure.is_none();
        let (our, their) = self.both(if both_succeeded { "COMMIT" } else { "ROLLBACK" })?;
        if both_succeeded {
            (ours.failure, theirs.failure) = (our.failure, their.failure);
        }
        self.forget_prepared(sql, &ours, &theirs)?;
        Some((ours, Some(theirs)))
    }

    /// In a transaction of the file's: what fails on both sides fails it, as it would alone.
    fn in_savepoint(&mut self, sql: &str) -> Option<(QueryResponse, Option<QueryResponse>)> {
        let back = format!("ROLLBACK TO {SAVEPOINT}");
        let release = format!("RELEASE {SAVEPOINT}");
        self.our_answer(&format!("SAVEPOINT {SAVEPOINT}"))?;
        let ours = self.our_answer(sql)?;
        if is_refusal(&ours) {
            self.our_answer(&back)?;
            self.our_answer(&release)?;
            return Some((ours, None));
        }
        self.theirs.query(&format!("SAVEPOINT {SAVEPOINT}"));
        let theirs = self.theirs.query(sql);
        if ours.failure.is_some() != theirs.failure.is_some() {
            self.both(&back)?;
        }
        if ours.failure.is_none() || theirs.failure.is_none() {
            self.both(&release)?;
        }
        self.forget_prepared(sql, &ours, &theirs)?;
        Some((ours, Some(theirs)))
    }

    /// No ROLLBACK undoes a PREPARE.
    fn forget_prepared(&mut self, sql: &str, ours: &QueryResponse, theirs: &QueryResponse) -> Option<()> {
        let words = words(sql);
        if let [(first, _), (name, _), ..] = words.as_slice()
            && first == "prepare"
            && ours.failure.is_some() != theirs.failure.is_some()
        {
            self.both(&format!("DEALLOCATE {name}"))?;
        }
        Some(())
    }

    fn both(&mut self, sql: &str) -> Option<(QueryResponse, QueryResponse)> {
        Some((self.our_answer(sql)?, self.theirs.query(sql)))
    }

    fn our_answer(&mut self, sql: &str) -> Option<QueryResponse> {
        catch_unwind(AssertUnwindSafe(|| self.ours.query(sql))).ok()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Idle,
    Open,
    Failed,
}

fn runs_as_it_is(sql: &str) -> bool {
    let words: Vec<String> = words(sql).into_iter().take(4).map(|it| it.0).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release", ..]
            | ["prepare", "transaction", ..]
            | ["set", "transaction" | "local" | "constraints" | "session", ..]
            | ["lock" | "declare" | "vacuum" | "discard" | "cluster" | "reindex", ..]
            | ["create" | "drop" | "alter", "database" | "tablespace" | "system", ..]
            | ["create" | "drop", "index", "concurrently", ..]
            | ["create", "unique", "index", "concurrently"]
    ) || sql.contains("; ")
        && words.first().is_some_and(|it| *it != "create" && *it != "do")
        && !sql.contains('$')
        && twoam::sql::statements(sql).is_ok_and(|it| it.len() > 1)
}

fn is_refusal(answer: &QueryResponse) -> bool {
    answer.failure.as_ref().is_some_and(|it| it.sqlstate.as_str() == "0A000")
}

fn same_failure(ours: &QueryResponse, theirs: &QueryResponse) -> bool {
    let code = |it: &QueryResponse| it.failure.as_ref().map(|it| it.sqlstate);
    code(ours).is_some() && code(ours) == code(theirs)
}

fn verdict(sql: &str, ours: &QueryResponse, theirs: &QueryResponse) -> Verdict {
    if same_failure(ours, theirs) {
        Verdict::FailedAlike
    } else if ours.failure.is_none() && theirs.failure.is_none() && same_results(sql, ours, theirs) {
        Verdict::Equal
    } else {
        Verdict::Other
    }
}

fn same_results(sql: &str, ours: &QueryResponse, theirs: &QueryResponse) -> bool {
    let words = words(sql);
    let is_plan = words.first().is_some_and(|it| it.0 == "explain");
    let is_ordered = words.windows(2).any(|it| it[0] == ("order".to_owned(), 0) && it[1].0 == "by");
    let is_free = words.iter().any(|it| FREE.contains(&it.0.as_str()));
    ours.results.len() == theirs.results.len()
        && ours.results.iter().zip(&theirs.results).all(|(our, their)| {
            let same_rows = if is_free {
                our.rows.len() == their.rows.len()
            } else {
                same_rows(&our.rows, &their.rows, is_ordered)
            };
            // How a plan is chosen and printed is ours to say.
            is_plan || (our.tag == their.tag && our.columns == their.columns && same_rows)
        })
}

/// What gives each server, session or moment another value.
const FREE: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "random",
    "gen_random_uuid",
    "pg_backend_pid",
    "txid_current",
    "txid_current_snapshot",
    "pg_current_xact_id",
    "pg_current_snapshot",
    "ctid",
    "xmin",
    "xmax",
    "cmin",
    "tableoid",
    "version",
];

/// Answers alike in this are of one kind: what each side did, and the words of our error without its names and numbers.
pub fn kind(sql: &str, ours: &QueryResponse, theirs: &QueryResponse) -> String {
    match (&ours.failure, &theirs.failure) {
        (Some(our), Some(their)) => format!("ours {}, PostgreSQL {}", short(our), their.sqlstate),
        (Some(our), None) => format!("ours {}, PostgreSQL answers", short(our)),
        (None, Some(their)) => format!("ours answers, PostgreSQL {}", short(their)),
        (None, None) => format!("both answer: {}", difference(sql, ours, theirs)),
    }
}

fn difference(sql: &str, ours: &QueryResponse, theirs: &QueryResponse) -> String {
    let first = words(sql).into_iter().next().map(|it| it.0).unwrap_or_default();
    let differing = ours.results.iter().zip(&theirs.results).find(|(our, their)| our != their);
    let Some((our, their)) = differing else { return format!("another number of results ({first})") };
    if our.rows.len() != their.rows.len() {
        return format!("another number of rows ({first})");
    }
    if our.columns != their.columns {
        return format!("other names of columns ({first})");
    }
    if our.tag != their.tag {
        return format!("another tag ({first})");
    }
    if same_rows(&our.rows, &their.rows, false) {
        return format!("another order ({first})");
    }
    format!("other values ({first})")
}

fn short(failure: &ErrorResponse) -> String {
    let mut text = String::new();
    let mut quoted = false;
    for character in failure.message.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                text += if quoted { "\"…" } else { "\"" };
            }
            _ if quoted => {}
            it if it.is_ascii_digit() => {
                if !text.ends_with('N') {
                    text.push('N');
                }
            }
            it => text.push(it),
        }
    }
    format!("{} {text}", failure.sqlstate)
}
