//! `twoam replay`: runs a solution again under production load, seed after seed, and says whether it holds.

use twoam::api::{RunRequest, RunSummary, Verdict};
use twoam::scenario::ScenarioDocument;

use super::worker::Wanted;
use super::worker_pool::{Job, run_all};
use super::{Failure, catalog, print_json, request, terminal, verdict};

/// As many as the page asks for.
const SEEDS: u32 = 20;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The result code that the page shows for a solved scenario: a schedule whose words are joined by `+`
    code: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Proof {
    scenario: String,
    holds: bool,
    seeds: u32,
    /// The first seed with which it did not hold.
    broken_by: Option<RunSummary>,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let solution = RunRequest::from_schedule(&arguments.code.replace('+', " "))
        .map_err(|error| Failure::Usage(format!("error: this is no result code: {error}")))?;
    let document = catalog::find(&solution.scenario)?;
    request::check(&document, &solution)?;
    refuse_shortcuts(&document, &solution)?;

    let jobs = (1..=SEEDS).map(|seed| Job {
        document: &document,
        request: RunRequest { seed, ..solution.clone() },
        wanted: Wanted::Totals,
    });
    let progress = terminal::progress(SEEDS as usize, "seeds");
    let outcomes = run_all(&jobs.collect::<Vec<_>>(), || progress.inc(1));
    progress.finish_and_clear();
    let mut broken_by = None;
    for done in outcomes {
        let summary = done?.totals();
        if broken_by.is_none() && summary.verdict != Verdict::Holds {
            broken_by = Some(summary);
        }
    }

    let proof = Proof { scenario: solution.scenario, holds: broken_by.is_none(), seeds: SEEDS, broken_by };
    if arguments.json {
        print_json(&proof);
    } else if proof.holds {
        println!("{} is solved: it holds for all {SEEDS} seeds in production.", proof.scenario);
    }
    match proof.broken_by {
        None => Ok(()),
        Some(summary) => Err(Failure::Result(why(&document, &summary))),
    }
}

/// A solution is naive's file and the schema, rewritten, under production's own load; everything else would make the task easier.
fn refuse_shortcuts(document: &ScenarioDocument, solution: &RunRequest) -> Result<(), Failure> {
    let naive = &document.variants[0];
    let production = document.summary.environments.last();
    let only_its_files = solution.sources.keys().all(|file| *file == naive.file || file == "schema.sql");
    let as_asked = solution.variant == naive.id
        && Some(&solution.environment) == production
        && solution.knobs.is_empty()
        && solution.changes.is_empty()
        && solution.until_us.is_none();
    if only_its_files && as_asked {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "error: a result code holds edits of {} and schema.sql in production and nothing else; use `twoam run --replay` for other runs",
        naive.file
    )))
}

fn why(document: &ScenarioDocument, summary: &RunSummary) -> String {
    let broken = summary.invariants.iter().filter(|invariant| invariant.broken > 0);
    let cases =
        broken.map(|invariant| format!("{} ({})", invariant.sentence, terminal::counted(invariant.broken, "case")));
    let cases = cases.collect::<Vec<_>>().join("; ");
    let seed = summary.seed;
    match verdict::damage(document, summary) {
        _ if !cases.is_empty() => format!("seed {seed} breaks it: {cases}"),
        Some(damage) => format!("seed {seed} breaks it: {damage}"),
        None => format!("seed {seed} does not prove it: {}", verdict::sentence(document, summary)),
    }
}
