//! PostgreSQL's isolation specs, each of their permutations by itself.

use std::path::Path;

use twoam::isolation::{self, Ending};

use crate::schedule_grammar::Levels;
use crate::schedules::{Servers, Verdict, compare, refusal};

use super::report::{Found, Tally};

/// A spec that names no permutations means all: so many of them are run, spread evenly.
const PERMUTATIONS: usize = 60;

/// Runs a spec; its other answers go into `found`.
pub fn run(path: &Path, servers: &mut Servers, found: &mut Vec<Found>) -> Tally {
    let file = path.file_name().expect("a file").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut tally = Tally::default();
    let spec = match isolation::parse(&text) {
        Ok(spec) => spec,
        Err(error) => {
            found.push(Found {
                file,
                line: error.line,
                kind: "the spec cannot be read".to_owned(),
                sql: String::new(),
                ours: error.reason,
                theirs: String::new(),
            });
            tally.other += 1;
            return tally;
        }
    };
    let permutations: Vec<_> = spec.each_permutation().collect();
    let step = permutations.len().div_ceil(PERMUTATIONS).max(1);
    for permutation in permutations.into_iter().step_by(step) {
        let line = line_of(&text, &spec, &permutation);
        let single = isolation::Spec { permutations: vec![permutation], ..spec.clone() };
        tally.statements += 1;
        // PostgreSQL is not asked: some of these specs wait for what only its own tester brings about.
        if let Some(refused) = refusal(&isolation::run(&single)) {
            tally.refused += 1;
            tally.refuse(&refused);
            continue;
        }
        let comparison = compare(&single, Levels::Mixed, servers);
        match comparison.verdict {
            Verdict::Same => tally.equal += 1,
            Verdict::Refused => tally.refused += 1,
            Verdict::PostgresVaries | Verdict::OtherAborts | Verdict::OtherVictim | Verdict::OtherWinner => {
                tally.varies += 1;
            }
            Verdict::Diverges => {
                tally.other += 1;
                let ours = &comparison.ours.permutations[0];
                let (kind, text) = match &ours.ending {
                    Ending::SetupFailed(failure) => (format!("setup of {file}: {failure}"), String::new()),
                    _ => (format!("a permutation of {file}"), comparison.ours.to_text()),
                };
                found.push(Found {
                    file: file.clone(),
                    line,
                    kind,
                    sql: ours.steps.join(" "),
                    ours: text,
                    theirs: comparison.theirs.to_text(),
                });
            }
        }
    }
    tally
}

/// Where the file names the permutation; the first line when it names none.
fn line_of(text: &str, spec: &isolation::Spec, permutation: &isolation::Permutation) -> usize {
    let Some(index) = spec.permutations.iter().position(|it| it == permutation) else { return 1 };
    let named = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("permutation"));
    named.map(|(at, _)| at + 1).nth(index).unwrap_or(1)
}
