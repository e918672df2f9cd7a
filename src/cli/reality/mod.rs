//! `twoam reality`: what the simulation predicts beside what a real server does, with the same files under the same load.

mod curve;
mod show;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use twoam::api::{Reality, RealityInvariant, RealityMetric, RealityRun, RealityScenario, RunRequest, RunSummary};
use twoam::scenario::manifest::{NAIVE, PRODUCTION};
use twoam::scenario::{InvariantRule, Machine, ScenarioDocument};
use twoam::trace::Micros;

use super::{Failure, catalog, compare, machine, postgres, print_json, request, terminal};

/// In the simulation nothing that is still to settle at the end of the load takes longer than its own time and this.
const AFTER_SETTLING_US: Micros = 2_000_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Ids of scenarios or paths of their folders; all that are built in if none is given
    scenarios: Vec<String>,
    /// `postgres` starts a private server, postgres://… names another
    #[arg(long, default_value = postgres::PRIVATE)]
    engine: String,
    #[arg(long, default_value_t = 1, value_parser = request::whole_number, allow_hyphen_values = true)]
    seed: u32,
    /// How long the load of each run lasts; the environment's own length if not given
    #[arg(long, value_name = "TIME", value_parser = request::duration)]
    until: Option<Micros>,
    /// The load of a hardened variant goes on after its time until so many requests have come, or for ten minutes
    #[arg(long, value_name = "NUMBER", default_value_t = 2_000)]
    requests: u32,
    /// Also how fast every variant is under more and more load, where a scenario names a curve
    #[arg(long)]
    curves: bool,
    /// A file to put the result into, scenario by scenario; what it says of others stays
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Runs nothing: shows what such a file says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["into", "curves", "requests", "until"])]
    read: Option<PathBuf>,
    /// Print a Markdown table
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let (reality, unfinished) = match &arguments.read {
        Some(path) => (chosen(read(path)?, &arguments.scenarios)?, Vec::new()),
        None => observe(arguments)?,
    };
    if arguments.json {
        print_json(&reality);
    } else if arguments.markdown {
        println!("{}", show::markdown(&reality));
    } else {
        println!("{}", show::terminal(&reality));
    }
    let runs = reality.scenarios.iter().flat_map(|scenario| scenario.runs.iter().map(move |run| (scenario, run)));
    let apart = runs.filter(|(_, run)| !run.agrees);
    let apart = apart.map(|(scenario, run)| format!("{}, {}", scenario.id, run.variant)).collect::<Vec<_>>();
    let complaints =
        [("simulation and server disagree about what holds", apart), ("did not come to an end", unfinished)];
    let complaints = complaints.iter().filter(|(_, names)| !names.is_empty());
    let complaints = complaints.map(|(what, names)| format!("{what}: {}", names.join("; "))).collect::<Vec<_>>();
    if complaints.is_empty() { Ok(()) } else { Err(Failure::Result(complaints.join("\n"))) }
}

/// What came out, and the runs that did not end.
fn observe(arguments: &Arguments) -> Result<(Reality, Vec<String>), Failure> {
    let documents = match &arguments.scenarios[..] {
        [] => catalog::all()?.into_iter().filter(|document| unobservable(document, arguments).is_none()).collect(),
        names => names.iter().map(|name| catalog::find(name)).collect::<Result<Vec<_>, _>>()?,
    };
    if let Some((document, reason)) = documents.iter().find_map(|it| Some((it, unobservable(it, arguments)?))) {
        let id = &document.summary.id;
        return Err(Failure::Usage(format!("error: {id} cannot be observed on a real server: {reason}")));
    }
    if let Some(path) = arguments.into.as_deref().filter(|path| path.exists()) {
        read(path)?;
    }
    let server = postgres::Server::open(&arguments.engine)?;
    let mut reality = Reality::default();
    let mut unfinished = Vec::new();
    for document in documents {
        let scenario = scenario(&document, arguments, &server, &mut unfinished)?;
        if let Some(path) = &arguments.into {
            put(path, &scenario)?;
        }
        reality.scenarios.push(scenario);
    }
    Ok((reality, unfinished))
}

fn scenario(
    document: &ScenarioDocument,
    arguments: &Arguments,
    server: &postgres::Server,
    unfinished: &mut Vec<String>,
) -> Result<RealityScenario, Failure> {
    let mut versions = None;
    let mut runs = Vec::new();
    for request in in_production(document, arguments.seed, arguments.until) {
        let name = format!("{}, {}", document.summary.id, request.variant);
        let at_least = if request.variant == NAIVE { 0 } else { arguments.requests };
        match postgres::run(document, &request, server, at_least) {
            Ok(observed) => {
                let predicted = predicted(document, &request, observed.summary.virtual_us)?;
                let run = beside(document, &predicted, &observed.summary);
                eprintln!("{name}: {}", if run.agrees { "as predicted" } else { "NOT as predicted" });
                versions = Some(observed.versions);
                runs.push(run);
            }
            // The others have taken minutes, or will.
            Err(failure) if arguments.scenarios.len() != 1 => {
                eprintln!("{name}: {failure}");
                unfinished.push(name);
            }
            Err(failure) => return Err(failure),
        }
    }
    let curve = document.curve.as_ref().filter(|_| arguments.curves);
    let curve = curve.map(|curve| curve::measured(document, curve, arguments.seed, server)).transpose()?;
    Ok(RealityScenario {
        id: document.summary.id.clone(),
        title: document.summary.title.clone(),
        agrees: runs.iter().all(|run| run.agrees),
        observed_on: versions.map_or(String::new(), |versions| versions.to_string()),
        date: today(),
        machine: machine::class(),
        runs,
        curve,
    })
}

/// Every variant.
fn in_production(
    document: &ScenarioDocument,
    seed: u32,
    until_us: Option<Micros>,
) -> impl Iterator<Item = RunRequest> + use<> {
    compare::corners(document, seed, until_us).into_iter().filter(|request| request.environment == PRODUCTION)
}

fn read(path: &Path) -> Result<Reality, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let path = path.display();
        Failure::Usage(format!("error: {path}: {error}; it is not a file that `twoam reality --into` has written"))
    })
}

/// Of what a file says, what is asked for.
fn chosen(reality: Reality, ids: &[String]) -> Result<Reality, Failure> {
    let scenarios = match ids {
        [] => reality.scenarios,
        ids => {
            let find = |id: &String| {
                let found = reality.scenarios.iter().find(|scenario| scenario.id == *id).cloned();
                found.ok_or_else(|| Failure::Usage(format!("error: the file says nothing of `{id}`")))
            };
            ids.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    Ok(Reality { scenarios })
}

/// In the place of what the file said of the scenario.
fn put(path: &Path, scenario: &RealityScenario) -> Result<(), Failure> {
    let mut reality = if path.exists() { read(path)? } else { Reality::default() };
    match reality.scenarios.iter_mut().find(|it| it.id == scenario.id) {
        Some(before) => {
            let curve = scenario.curve.clone().or_else(|| before.curve.take());
            *before = RealityScenario { curve, ..scenario.clone() };
        }
        None => reality.scenarios.push(scenario.clone()),
    }
    let text = serde_json::to_string_pretty(&reality).expect("the result is plain data");
    fs::write(path, text + "\n").map_err(|error| Failure::file(path, &error))
}

/// Why a scenario cannot be seen on a real server as it is seen here.
fn unobservable(document: &ScenarioDocument, arguments: &Arguments) -> Option<&'static str> {
    match document.simulation.machine {
        Machine { replica_lag_ms: Some(_), .. } if arguments.engine != postgres::PRIVATE => {
            Some("it needs a replica with a lag that can be set, which only the private server has")
        }
        _ => None,
    }
}

/// Metrics at the end of the load, invariants after they had their time to settle: as a real run is taken.
fn predicted(document: &ScenarioDocument, request: &RunRequest, until_us: Micros) -> Result<RunSummary, Failure> {
    let settle_ms = document.invariants.iter().map(|invariant| invariant.settle_ms).fold(0.0, f64::max);
    let longer =
        RunRequest { until_us: Some(until_us + (settle_ms * 1e3) as Micros + AFTER_SETTLING_US), ..request.clone() };
    let mut run = compare::prepare(document, longer)?;
    run.advance(until_us);
    let mut summary = run.summary();
    run.advance(Micros::MAX);
    summary.invariants = run.summary().invariants;
    Ok(summary)
}

fn beside(document: &ScenarioDocument, predicted: &RunSummary, observed: &RunSummary) -> RealityRun {
    let shown = document.metrics.iter().filter(|metric| metric.headline || metric.id == "statements-per-request");
    let metrics = shown.filter_map(|metric| {
        let value = *observed.metrics.get(&metric.id)?;
        Some(RealityMetric {
            id: metric.id.clone(),
            label: metric.label.clone(),
            predicted: terminal::value(metric, predicted.metrics.get(&metric.id).copied()),
            observed: terminal::value(metric, Some(value)),
        })
    });
    let invariants = document.invariants.iter().zip(predicted.invariants.iter().zip(&observed.invariants));
    let invariants = invariants.map(|(invariant, (predicted, observed))| RealityInvariant {
        sentence: predicted.sentence.clone(),
        timed: matches!(invariant.rule, InvariantRule::SlowerThan { .. }),
        predicted: predicted.broken,
        observed: observed.broken,
    });
    let invariants = invariants.collect::<Vec<_>>();
    let variant = document.variant(&observed.variant).expect("a run names a variant of its scenario");
    RealityRun {
        variant: variant.id.clone(),
        label: variant.label.clone(),
        predicted_requests: predicted.requests.started,
        observed_requests: observed.requests.started,
        agrees: invariants.iter().all(|it| agrees(it, variant.id == NAIVE)),
        metrics: metrics.collect(),
        invariants,
    }
}

/// A predicted break was observed, and what was predicted to hold held. A naive variant may break more than that: on a slower machine
/// it does. How long something takes is the machine's, so it is shown and not judged.
fn agrees(invariant: &RealityInvariant, naive: bool) -> bool {
    let (predicted, observed) = (invariant.predicted > 0, invariant.observed > 0);
    invariant.timed || predicted == observed || naive && observed
}

pub fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    chrono::DateTime::from_timestamp(since as i64, 0).map_or(String::new(), |now| now.format("%Y-%m-%d").to_string())
}
