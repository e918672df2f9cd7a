//! `twoam check`: whether scenario folders keep their promise. Naive code must pass alone and break under load, hardened code must hold.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use twoam::api::{RunRequest, RunSummary};
use twoam::report::measured;
use twoam::scenario::manifest::{self, Folder};
use twoam::scenario::{ScenarioDocument, bundle};
use twoam::trace::Micros;

use super::spread::spread;
use super::{Failure, compare, request, screen, shelf};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A scenario's folder, a folder of them, or the id of a built-in scenario; all built-in scenarios if not given
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
        Some(dir) => shelf::folders_at(dir)?,
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
    match &documents[..] {
        _ if arguments.static_only => {}
        [document] => complaints.extend(broken_promises(document, arguments)),
        several => complaints.extend(apart(several, arguments)?),
    }
    if complaints.is_empty() {
        println!("{}", praise(&folders, arguments));
        return Ok(());
    }
    Err(Failure::Result(complaints.join("\n")))
}

/// Each scenario in a process of its own: an interpreter leaves some megabytes behind when it ends, and here are thousands.
fn apart(documents: &[ScenarioDocument], arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let program = env::current_exe().map_err(|error| Failure::Result(format!("error: {error}")))?;
    let progress = screen::progress(documents.len(), "scenarios");
    let mut complaints = Vec::new();
    for document in documents {
        let id = &document.summary.id;
        let scenario = arguments.dir.as_ref().map_or_else(|| PathBuf::from(id), |dir| dir.join(id));
        let mut command = Command::new(&program);
        command.arg("check").arg(scenario).args(["--seeds", &arguments.seeds.to_string()]);
        if let Some(until_us) = arguments.until {
            command.args(["--until", &format!("{until_us}us")]);
        }
        let output = command.output().map_err(|error| Failure::Result(format!("error: {error}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said =
                if said.trim().is_empty() { format!("{id}: {}", output.status) } else { said.trim().to_string() };
            complaints.push(said);
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(complaints)
}

/// How often a run that must break is asked whether it has.
const LOOK_US: Micros = 1_000_000;

/// A corner of a scenario with one seed.
struct Trial<'a> {
    document: &'a ScenarioDocument,
    request: RunRequest,
}

impl Trial<'_> {
    fn must_break(&self) -> bool {
        self.request.variant == "naive" && self.request.environment == "production"
    }

    /// To the end; where something must break, until it has.
    fn run(&self) -> Result<RunSummary, Failure> {
        if !self.must_break() {
            return compare::run(self.document, self.request.clone());
        }
        let mut run = compare::prepare(self.document, self.request.clone())?;
        loop {
            run.advance(run.now() + LOOK_US);
            let summary = run.summary();
            let broken = summary.invariants.iter().any(|invariant| invariant.broken > 0);
            if run.ended() || (broken && summary.requests.ok > 0) {
                return Ok(summary);
            }
        }
    }
}

fn broken_promises(document: &ScenarioDocument, arguments: &Arguments) -> Vec<String> {
    let corners = (1..=arguments.seeds).flat_map(|seed| compare::corners(document, seed, arguments.until));
    let trials = corners.map(|request| Trial { document, request }).collect::<Vec<_>>();
    let progress = screen::progress(trials.len(), "runs");
    let outcomes = spread(&trials, Trial::run, || progress.inc(1));
    progress.finish_and_clear();
    let mut findings: BTreeMap<Finding, Vec<Sighting>> = BTreeMap::new();
    for (trial, outcome) in trials.iter().zip(outcomes) {
        if let Some((finding, sighting)) = judged(trial, outcome) {
            findings.entry(finding).or_default().push(sighting);
        }
    }
    // Chance may spare naive code now and then, not more often than this.
    findings.retain(|finding, seen| {
        finding.what != What::BreaksNothing || seen.len() * SEEDS_FOR_ONE_MISS > arguments.seeds as usize
    });
    findings.iter().map(|(finding, seen)| finding.told(seen, arguments.seeds)).collect()
}

const SEEDS_FOR_ONE_MISS: usize = 20;

/// What is wrong with a corner, whatever the seed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    place: String,
    variant: String,
    environment: String,
    what: What,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    DoesNotRun(String),
    AnswersNothing,
    Breaks { invariant: String, sentence: String },
    BreaksNothing,
    LosesUpdates,
}

/// One seed with which it was so.
struct Sighting {
    seed: u32,
    cases: u32,
    schedule: String,
}

impl Finding {
    fn told(&self, seen: &[Sighting], seeds: u32) -> String {
        let Finding { place, variant, environment, what } = self;
        let corner = format!("{place}: `{variant}` in `{environment}`");
        let (count, first) = (seen.len(), &seen[0]);
        let fewest = seen.iter().map(|sighting| sighting.cases).min().unwrap_or_default();
        let most = seen.iter().map(|sighting| sighting.cases).max().unwrap_or_default();
        let cases = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
        let look = format!("with {count} of {seeds} seeds; look at twoam run --replay '{}'", first.schedule);
        match what {
            What::DoesNotRun(failure) => {
                format!("{corner} does not run with {count} of {seeds} seeds: {failure}; mend the file it names")
            }
            What::AnswersNothing => format!("{corner} answers no request {look}"),
            What::Breaks { invariant, sentence } => {
                format!("{corner} breaks `{invariant}` ({sentence}: {cases} cases) {look}")
            }
            What::BreaksNothing => {
                let spared = seen.iter().map(|sighting| sighting.seed.to_string()).collect::<Vec<_>>().join(", ");
                format!(
                    "{corner} breaks nothing with {count} of {seeds} seeds ({spared}); raise the load or the faults \
                     of the environment until its bug shows"
                )
            }
            What::LosesUpdates => format!("{corner} loses updates ({cases}) {look}"),
        }
    }
}

fn judged(trial: &Trial<'_>, outcome: Result<RunSummary, Failure>) -> Option<(Finding, Sighting)> {
    let request = &trial.request;
    let variant = trial.document.variant(&request.variant).expect("corners are made of the document's variants");
    let (mut cases, mut schedule) = (0, String::new());
    let what = match outcome {
        Err(failure) => What::DoesNotRun(failure.to_string()),
        Ok(summary) => {
            schedule = summary.schedule;
            let broken = summary.invariants.into_iter().find(|invariant| invariant.broken > 0);
            let lost = summary.metrics.get("lost-updates").copied().unwrap_or_default();
            match broken {
                _ if summary.requests.ok == 0 => What::AnswersNothing,
                None if trial.must_break() => What::BreaksNothing,
                Some(invariant) if !trial.must_break() => {
                    cases = invariant.broken;
                    What::Breaks { invariant: invariant.id, sentence: invariant.sentence }
                }
                None if lost > 0.0 => {
                    cases = lost as u32;
                    What::LosesUpdates
                }
                _ => return None,
            }
        }
    };
    let finding = Finding {
        place: format!("{}/{}", request.scenario, variant.file),
        variant: request.variant.clone(),
        environment: request.environment.clone(),
        what,
    };
    Some((finding, Sighting { seed: request.seed, cases, schedule }))
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
