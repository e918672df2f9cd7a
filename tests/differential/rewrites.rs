//! Generated statements answer the same whichever rewrite of the optimizer or the planner is left out.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use twoam::isolation::{ErrorResponse, QueryResponse, StatementResult};
use twoam::sql::{Database, DeadlockCheck, Progress, Settings, rewrites};
use twoam::trace::SessionId;

use crate::grammar::Grammar;
use crate::number;

const PER_SCRIPT: usize = 20;

struct Side {
    database: Database,
    session: SessionId,
}

impl Side {
    fn new(left_out: Option<&str>) -> Side {
        let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 0, epoch_us: 0 });
        left_out.iter().for_each(|name| database.skip_rewrite(name));
        let session = database.connect();
        Side { database, session }
    }

    /// Rows in an order of their own: where a query asks for none they come as the plan gives them.
    fn query(&mut self, sql: &str) -> QueryResponse {
        let outcome = self.database.execute(self.session, 0, sql, &[]);
        let (results, failure) = match &outcome.progress {
            Progress::Done(results) => (results, None),
            Progress::Failed(error) => (&outcome.completed, Some(ErrorResponse::from(error))),
            Progress::Wait(wait) => panic!("the only session waits for {}", wait.on),
        };
        let mut results: Vec<StatementResult> = results.iter().map(StatementResult::from).collect();
        results.iter_mut().for_each(|result| result.rows.sort_by_key(|row| format!("{row:?}")));
        QueryResponse { results, failure }
    }
}

#[test]
fn no_rewrite_changes_an_answer() {
    let scripts = number("TWOAM_DIFF_STATEMENTS", 4000) / PER_SCRIPT;
    let seed: u64 = number("TWOAM_DIFF_SEED", 1);
    for script in 0..scripts as u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(script));
        let script = Grammar::new(&mut rng).script(PER_SCRIPT);
        for name in rewrites() {
            compare(&script, name);
        }
    }
}

/// Up to the first statement that fails on one side only. A constant that cannot be computed fails at once, and otherwise where a
/// row asks for it; which of several values that cannot be computed is met goes by the plan.
fn compare(script: &[String], left_out: &str) {
    let (mut whole, mut less) = (Side::new(None), Side::new(Some(left_out)));
    for sql in script {
        let (with, without) = (whole.query(sql), less.query(sql));
        let fails_in_a_value = |answer: &QueryResponse| {
            answer.failure.as_ref().is_some_and(|failure| {
                failure.sqlstate.as_str().starts_with("22") || failure.message.starts_with("a numeric NaN or infinity")
            })
        };
        if fails_in_a_value(&with) || fails_in_a_value(&without) {
            if with.failure.is_some() && without.failure.is_some() {
                continue;
            }
            return;
        }
        assert_eq!(with, without, "{sql}\nwithout {left_out}, after\n{}", script.join(";\n"));
    }
}
