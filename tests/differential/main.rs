//! What our engine answers is what a real PostgreSQL answers, or a refusal that says so.
//!
//! `TWOAM_DIFF_SEED`, `TWOAM_DIFF_STATEMENTS`, `TWOAM_DIFF_SCHEDULES` and `TWOAM_DIFF_FUZZ` give another seed and any number of cases.

mod golden;
mod postgres;
