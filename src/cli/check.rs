//! `twoam check`: whether scenario folders keep their promise. Naive code must pass alone and break under load, hardened code must hold.

use std::collections::BTreeMap;
use std::path::PathBuf;

use twoam::api::{RunRequest, RunSummary};
use twoam::report::measured;
use twoam::scenario::ScenarioDocument;
use twoam::scenario::manifest::{self, Folder, MANIFEST};
use twoam::talk;
use twoam::trace::Micros;

use super::spread::{Job, spread};
use super::work::{Done, Wanted};
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
        None => shelf::built_in()?,
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
        complaints.extend(documents.iter_mut().filter_map(broken_talk));
    }
    if complaints.is_empty() {
        println!("{}", praise(&folders, arguments));
        return Ok(());
    }
    Err(Failure::Result(complaints.join("\n")))
}

fn broken_talk(document: &mut ScenarioDocument) -> Option<String> {
    let mistake = talk::stage(document).err()?;
    Some(format!("{}/{MANIFEST}: {mistake}", document.summary.id))
}

/// A naive run in production ends when it has broken, every other one when its time is over.
fn broken_promises(documents: &[ScenarioDocument], arguments: &Arguments) -> Vec<String> {
    let seeded = documents.iter().flat_map(|document| (1..=arguments.seeds).map(move |seed| (document, seed)));
    let jobs = seeded.flat_map(|(document, seed)| {
        let corners = compare::corners(document, seed, arguments.until).into_iter();
        corners.map(move |request| {
            let wanted = if must_break(&request) { Wanted::TotalsWhenBroken } else { Wanted::Totals };
            Job { document, request, wanted }
        })
    });
    let jobs = jobs.collect::<Vec<_>>();
    let progress = screen::progress(jobs.len(), "runs");
    let outcomes = spread(&jobs, || progress.inc(1));
    progress.finish_and_clear();
    let mut findings: BTreeMap<Finding, Vec<Sighting>> = BTreeMap::new();
    for (job, outcome) in jobs.iter().zip(outcomes) {
        if let Some((finding, sighting)) = judged(job, outcome.map(Done::totals)) {
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

fn must_break(request: &RunRequest) -> bool {
    request.variant == manifest::NAIVE && request.environment == manifest::PRODUCTION
}

fn judged(job: &Job<'_>, outcome: Result<RunSummary, Failure>) -> Option<(Finding, Sighting)> {
    let request = &job.request;
    let variant = job.document.variant(&request.variant).expect("corners are made of the document's variants");
    let (mut cases, mut schedule) = (0, String::new());
    let what = match outcome {
        Err(failure) => What::DoesNotRun(failure.to_string()),
        Ok(summary) => {
            schedule = summary.schedule;
            let broken = summary.invariants.into_iter().find(|invariant| invariant.broken > 0);
            let lost = summary.metrics.get("lost-updates").copied().unwrap_or_default();
            match broken {
                _ if summary.requests.ok == 0 => What::AnswersNothing,
                None if must_break(request) => What::BreaksNothing,
                Some(invariant) if !must_break(request) => {
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
