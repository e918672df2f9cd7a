//! What our engine answers is what a real PostgreSQL answers, or a refusal that says so.
//!
//! `TWOAM_DIFF_SEED`, `TWOAM_DIFF_STATEMENTS`, `TWOAM_DIFF_VALUES` and `TWOAM_DIFF_SCHEDULES` give another seed and any number of cases.

mod golden;
mod grammar;
mod positions;
mod postgres;
mod rewrites;
mod schedule_grammar;
mod schedules;
mod statements;
mod suite;
mod values;

/// A number the environment may give.
fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Err(_) => otherwise,
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text}: a number is wanted")),
    }
}
