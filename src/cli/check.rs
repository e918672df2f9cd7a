//! `twoam check`: whether scenario folders keep their promise. Naive code must pass alone and break under load, hardened code must hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use twoam::api::{RunRequest, RunSummary};
use twoam::report::measured;
use twoam::scenario::manifest::{self, Folder};
use twoam::scenario::{ScenarioDocument, bundle};
use twoam::trace::Micros;

use super::spread::spread;
use super::{Failure, compare, request, screen, shelf};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A scenario's folder or a folder of them; the built-in scenarios if not given
    dir: Option<PathBuf>,
    /// How many seeds each corner is run with
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// Virtual time at which each run ends; the environment's own length if not given
    #[arg(long, value_name = "TIME", value_parser = request::duration)]
    until: Option<Micros>,
    /// Reads and validates the folders, runs nothing
    #[arg(long)]
    static_only: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let folders = match &arguments.dir {
        Some(dir) => shelf::folders_at(Path::new(dir))?,
        None => bundle::folders(),
    };
    let mut complaints = Vec::new();
    let mut documents = Vec::new();
    for folder in &folders {
        match manifest::read(folder, &measured()) {
            Ok(document) => documents.push(document),
            Err(mistakes) => complaints.extend(mistakes.iter().map(ToString::to_string)),
        }
    }
    if !arguments.static_only {
        complaints.extend(broken_promises(&documents, arguments));
    }
    if complaints.is_empty() {
        println!("{}", praise(&folders, arguments));
        return Ok(());
    }
    Err(Failure::Result(complaints.join("\n")))
}

/// A corner of a scenario with one seed.
struct Trial<'a> {
    document: &'a ScenarioDocument,
    request: RunRequest,
}

impl Trial<'_> {
    fn must_break(&self) -> bool {
        self.request.variant == "naive" && self.request.environment == "production"
    }
}

fn broken_promises(documents: &[ScenarioDocument], arguments: &Arguments) -> Vec<String> {
    let mut trials = Vec::new();
    for document in documents {
        for seed in 1..=arguments.seeds {
            let corners = compare::corners(document, seed, arguments.until);
            trials.extend(corners.into_iter().map(|request| Trial { document, request }));
        }
    }
    let progress = screen::progress(trials.len(), "runs");
    let outcomes = spread(&trials, |trial| compare::run(trial.document, trial.request.clone()), || progress.inc(1));
    progress.finish_and_clear();
    let mut complaints = Vec::new();
    let mut unbroken: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (trial, outcome) in trials.iter().zip(outcomes) {
        match judged(trial, outcome) {
            Judgement::Kept => {}
            Judgement::Unbroken(complaint) => unbroken.entry(&trial.request.scenario).or_default().push(complaint),
            Judgement::Broken(complaint) => complaints.push(complaint),
        }
    }
    // Chance may spare naive code now and then, not more often than this.
    let spared = |misses: &Vec<String>| misses.len() * SEEDS_FOR_ONE_MISS <= arguments.seeds as usize;
    complaints.extend(unbroken.into_values().filter(|misses| !spared(misses)).flatten());
    complaints
}

const SEEDS_FOR_ONE_MISS: usize = 20;

enum Judgement {
    Kept,
    /// Naive code came through production.
    Unbroken(String),
    Broken(String),
}

fn judged(trial: &Trial<'_>, outcome: Result<RunSummary, Failure>) -> Judgement {
    let request = &trial.request;
    let variant = trial.document.variant(&request.variant).expect("corners are made of the document's variants");
    let place = format!("{}/{}", request.scenario, variant.file);
    let corner = format!("`{}` in `{}` with seed {}", request.variant, request.environment, request.seed);
    let summary = match outcome {
        Ok(summary) => summary,
        Err(failure) => {
            return Judgement::Broken(format!("{place}: {corner} does not run: {failure}; mend the file it names"));
        }
    };
    if summary.requests.ok == 0 {
        let remedy = format!("see twoam run --replay '{}'", summary.schedule);
        return Judgement::Broken(format!("{place}: {corner} answers no request; {remedy}"));
    }
    let broken = summary.invariants.iter().find(|invariant| invariant.broken > 0);
    match (broken, trial.must_break()) {
        (Some(_), true) | (None, false) => Judgement::Kept,
        (None, true) => Judgement::Unbroken(format!(
            "{place}: {corner} breaks nothing; raise the load or the faults of the environment until its bug shows"
        )),
        (Some(invariant), false) => Judgement::Broken(format!(
            "{place}: {corner} breaks `{}` ({} cases); see twoam run --replay '{}'",
            invariant.id, invariant.broken, summary.schedule
        )),
    }
}

fn praise(folders: &[Folder], arguments: &Arguments) -> String {
    let names = folders.iter().map(|folder| folder.id.as_str()).collect::<Vec<_>>().join(", ");
    if arguments.static_only {
        return format!("{names}: complete");
    }
    format!(
        "{names}: complete; naive passes alone and breaks in production, hardened holds in both, over {} seeds",
        arguments.seeds
    )
}
