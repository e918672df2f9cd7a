//! Text nobody would write: whatever comes, the engine answers or refuses, within bounds of stack, memory and time.
//!
//! `cargo test --workspace --test fuzz` runs every input that ever failed and some thousand new ones. For as long as you like:
//! `TWOAM_FUZZ_SECONDS=3600 cargo test --workspace --test fuzz -- --ignored --nocapture long`, from the seed
//! `TWOAM_FUZZ_SEED` on. What it finds, it names by a seed, and `TWOAM_FUZZ_REPLAY=SEED` runs that one script again.

mod allocator;
mod corpus;
mod grammar;
mod long;
mod mutate;
mod script;

use twoam::isolation;

use mutate::mutated;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use script::{Script, run_script};

#[global_allocator]
static ALLOCATOR: allocator::Counted = allocator::Counted;

/// A number the environment may give.
fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Err(_) => otherwise,
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text}: a number is wanted")),
    }
}

#[test]
fn what_failed_once_ends_in_an_answer() {
    let failures: Vec<String> = corpus::scripts().into_iter().filter_map(|script| run_script(&script).err()).collect();
    assert!(failures.is_empty(), "{} scripts failed\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn generated_statements_end_in_an_answer() {
    let first = number("TWOAM_FUZZ_SEED", 1);
    let seeds = first..first + number("TWOAM_FUZZ_SCRIPTS", 60);
    let failures: Vec<String> = seeds.filter_map(|seed| run_script(&Script::generated(seed)).err()).collect();
    assert!(failures.is_empty(), "{} scripts failed\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn no_spec_panics_its_parser() {
    let sound = "setup { CREATE TABLE t (a int); }\nteardown { DROP TABLE t; }\n# note\nsession \"s \"\"1\"\nsetup { BEGIN; }\n\
                 step a { SELECT 1; }\nstep b { }\nteardown { COMMIT; }\nsession s2\nstep c { SELECT 2; }\npermutation a(*, c notices 2) c(b) b\n";
    let mut rng = ChaCha8Rng::seed_from_u64(number("TWOAM_FUZZ_SEED", 1));
    for _ in 0..3000 {
        let text = mutated(sound, &mut rng);
        let read = std::panic::catch_unwind(|| {
            isolation::parse(&text).map(|spec| (isolation::parse(&spec.to_source()), spec))
        });
        match read.unwrap_or_else(|_| panic!("the parser panics on {text:?}")) {
            Err(error) => assert!(error.line >= 1 && !error.reason.is_empty(), "{text:?}"),
            Ok((again, spec)) => assert_eq!(again.as_ref(), Ok(&spec), "{text:?}"),
        }
    }
}
