//! `twoam check`: whether scenario folders keep their promise. Naive code must pass alone and break under load, hardened code must hold.

use std::collections::BTreeMap;
use std::path::PathBuf;

use twoam::api::{RunRequest, RunSummary, Verdict};
use twoam::explore;
use twoam::scenario::ScenarioDocument;
use twoam::scenario::manifest::{self, MANIFEST};
use twoam::talk;
use twoam::trace::Micros;

use super::worker::{Done, Wanted};
use super::worker_pool::{Job, run_all};
use super::{Failure, catalog, compare, request, terminal, verdict};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A scenario's folder, a folder of them, or the id of a built-in scenario; all built-in scenarios if not given
    dir: Option<PathBuf>,
    /// How many seeds each corner is run with
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), allow_negative_numbers = true)]
    seeds: u32,
    /// Virtual time at which each run ends; the environment's own length if not given
    #[arg(long, value_name = "TIME", value_parser = request::length, allow_hyphen_values = true)]
    until: Option<Micros>,
    /// Reads and validates the folders, runs nothing
    #[arg(long)]
    static_only: bool,
    /// Asks for no more than a draft has: texts, hardened variants, hints, beats and the question may be missing
    #[arg(long)]
    draft: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let folders = match &arguments.dir {
        Some(dir) => catalog::folders_at(dir)?,
        None => catalog::built_in()?,
    };
    let mut complaints = Vec::new();
    let mut documents = Vec::new();
    let mut drafts = Vec::new();
    for shelved in &folders {
        let found = catalog::look(shelved);
        let missing = if arguments.draft { &[][..] } else { &found.missing };
        complaints.extend(found.mistakes.iter().chain(missing).map(|mistake| shelved.told(mistake)));
        if found.draft || !found.missing.is_empty() {
            drafts.push((shelved.name.as_str(), found.missing.len()));
        }
        documents.extend(found.document.map(|document| (shelved.name.as_str(), document)));
    }
    if !arguments.static_only {
        complaints.extend(broken_promises(&documents, arguments));
        complaints.extend(documents.iter().flat_map(|(name, document)| failed_exams(name, document)));
        complaints.extend(documents.iter_mut().filter_map(broken_talk));
    }
    if complaints.is_empty() {
        println!("{}", praise(&documents, &drafts, arguments));
        return Ok(());
    }
    if !arguments.draft {
        complaints.extend(drafts.iter().map(|(name, _)| {
            format!("{name} is not finished; `twoam check {name} --draft` asks only whether it runs as it should")
        }));
    }
    Err(Failure::Result(complaints.join("\n")))
}

fn broken_talk((name, document): &mut (&str, ScenarioDocument)) -> Option<String> {
    let mistake = talk::stage(document).err()?;
    Some(format!("{name}/{MANIFEST}: {mistake}"))
}

/// In every order, or as far as so many executions go: naive must fail, every other variant pass.
const EXECUTIONS_MOST: u64 = 1_000;

fn failed_exams(name: &str, document: &ScenarioDocument) -> Vec<String> {
    let mut complaints = vec![];
    for (exam, variant) in document.exams.iter().flat_map(|exam| document.variants.iter().map(move |of| (exam, of))) {
        let place = format!("{name}/{MANIFEST}: exam `{}`: `{}`", exam.id, variant.id);
        let explored = match explore::explore(document, exam, &variant.id, |executions| executions < EXECUTIONS_MOST) {
            Ok(explored) => explored,
            Err(error) => {
                complaints.push(format!("{place} cannot be examined: {error}"));
                continue;
            }
        };
        let wrong = explored.outcomes.iter().find_map(|outcome| Some((outcome, outcome.findings.first()?)));
        match wrong {
            None if variant.id == manifest::NAIVE => complaints.push(format!(
                "{place} passes {}; ask for what its bug needs: rows that are few, requests that meet",
                terminal::counted(explored.orders, "order")
            )),
            Some((outcome, finding)) if variant.id != manifest::NAIVE => complaints.push(format!(
                "{place} fails: {}; look at twoam explore {name} --exam {} --variant {} --replay {}",
                finding.sentence(),
                exam.id,
                variant.id,
                outcome.schedule
            )),
            _ => {}
        }
    }
    complaints
}

/// A naive run in production ends when it has broken, every other one when its time is over.
fn broken_promises(documents: &[(&str, ScenarioDocument)], arguments: &Arguments) -> Vec<String> {
    let names = documents.iter().map(|(name, document)| (document.summary.id.as_str(), *name));
    let names = names.collect::<BTreeMap<_, _>>();
    let seeded = documents.iter().flat_map(|(_, document)| (1..=arguments.seeds).map(move |seed| (document, seed)));
    let jobs = seeded.flat_map(|(document, seed)| {
        let corners = compare::corners(document, seed, arguments.until).into_iter();
        corners.map(move |request| {
            let wanted = if must_break(&request) { Wanted::TotalsWhenBroken } else { Wanted::Totals };
            Job { document, request, wanted }
        })
    });
    let jobs = jobs.collect::<Vec<_>>();
    let progress = terminal::progress(jobs.len(), "runs");
    let outcomes = run_all(&jobs, || progress.inc(1));
    progress.finish_and_clear();
    let mut findings: BTreeMap<Finding, Vec<Sighting>> = BTreeMap::new();
    for (job, outcome) in jobs.iter().zip(outcomes) {
        let name = names[job.request.scenario.as_str()];
        if let Some((finding, sighting)) = judged(name, job, outcome.map(Done::totals)) {
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
    Useless,
    NotMeasured,
    Breaks {
        invariant: String,
        sentence: String,
    },
    /// No invariant is broken, and yet there is damage.
    Damages,
    BreaksNothing,
    LosesUpdates,
}

/// One seed with which it was so.
struct Sighting {
    seed: u32,
    cases: u32,
    /// Of a run that did nothing useful, or damage.
    why: String,
    /// What runs it again, with the schedule.
    command: String,
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
        let in_words = |what: &str| format!("{cases} {what}{}", if most == 1 { "" } else { "s" });
        let seeds = terminal::counted(seeds, "seed");
        let look = format!("with {count} of {seeds}; look at {} --replay '{}'", first.command, first.schedule);
        match what {
            What::DoesNotRun(failure) => {
                format!("{corner} does not run with {count} of {seeds}: {failure}; mend the file it names")
            }
            What::Useless => format!("{corner} {} {look}", first.why),
            What::NotMeasured => format!("{corner} is not measured: no invariant reads what it writes, {look}"),
            What::Breaks { invariant, sentence } => {
                format!("{corner} breaks `{invariant}` ({sentence}: {}) {look}", in_words("case"))
            }
            What::Damages => {
                format!("{corner} breaks no invariant, and yet `[damage]` counts {} {look}", first.why)
            }
            What::BreaksNothing => {
                let spared = seen.iter().map(|sighting| sighting.seed.to_string()).collect::<Vec<_>>().join(", ");
                format!(
                    "{corner} breaks nothing with {count} of {seeds} ({spared}); raise the load or the faults \
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

fn judged(name: &str, job: &Job<'_>, outcome: Result<RunSummary, Failure>) -> Option<(Finding, Sighting)> {
    let request = &job.request;
    let variant = job.document.variant(&request.variant).expect("corners are made of the document's variants");
    let (mut cases, mut why, mut schedule) = (0, String::new(), String::new());
    let what = match outcome {
        Err(failure) => What::DoesNotRun(failure.to_string()),
        Ok(summary) => {
            why = useless(&summary).unwrap_or_default();
            schedule = summary.schedule.clone();
            let broken = summary.invariants.iter().find(|invariant| invariant.broken > 0);
            let lost = summary.metrics.get("lost-updates").copied().unwrap_or_default();
            match broken {
                _ if !why.is_empty() => What::Useless,
                None if summary.verdict == Verdict::NotMeasured => What::NotMeasured,
                None if must_break(request) => What::BreaksNothing,
                None if summary.verdict == Verdict::Broken => {
                    why = verdict::damage(job.document, &summary).unwrap_or_default();
                    What::Damages
                }
                Some(invariant) if !must_break(request) => {
                    cases = invariant.broken;
                    What::Breaks { invariant: invariant.id.clone(), sentence: invariant.sentence.clone() }
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
        place: format!("{name}/{}", variant.file),
        variant: request.variant.clone(),
        environment: request.environment.clone(),
        what,
    };
    let command = if name == request.scenario { "twoam run".to_owned() } else { format!("twoam run {name}") };
    Some((finding, Sighting { seed: request.seed, cases, why, command, schedule }))
}

/// Why nothing useful came of the run, with the commonest error.
fn useless(summary: &RunSummary) -> Option<String> {
    let why = verdict::useless(summary)?;
    let error = summary.errors.first().map_or(String::new(), |error| format!(" ({})", terminal::placed(error)));
    Some(why + &error)
}

fn praise(documents: &[(&str, ScenarioDocument)], drafts: &[(&str, usize)], arguments: &Arguments) -> String {
    let names = documents.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = if drafts.is_empty() { "complete" } else { "nothing is wrong" };
    let mut text = format!("{names}: {found}");
    if !arguments.static_only {
        let hardened = documents.iter().any(|(_, document)| document.variants.len() > 1);
        let also = if hardened { ", hardened holds in both" } else { "" };
        text += &format!(
            "; naive passes alone and breaks in production{also}, over {}",
            terminal::counted(arguments.seeds, "seed")
        );
    }
    for (name, missing) in drafts {
        let missing = terminal::counted(*missing as u32, "thing");
        text += &format!(
            "\n{name} is a draft: {missing} to do before it may be published; `twoam check {name}` lists them"
        );
    }
    text
}
