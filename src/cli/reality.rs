//! `twoam reality`: what the simulation predicts beside what a real server does, with the same files under the same load.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use twoam::api::{
    EVENTS_KEPT, Reality, RealityInvariant, RealityMetric, RealityRun, RealityScenario, Run, RunRequest, RunSummary,
};
use twoam::scenario::{InvariantRule, Machine, ScenarioDocument};
use twoam::trace::{Keep, Micros};

use super::{Failure, compare, machine, postgres, print_json, request, screen, shelf};

const PRODUCTION: &str = "production";
const NAIVE: &str = "naive";
/// In the simulation nothing that is still to settle at the end of the load takes longer than its own time and this.
const AFTER_SETTLING_US: Micros = 2_000_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Ids of scenarios or paths of their folders; all that are built in if none is given
    scenarios: Vec<String>,
    /// `postgres` starts a private server, postgres://… names another
    #[arg(long, default_value = "postgres")]
    engine: String,
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// How long the load of each run lasts; the environment's own length if not given
    #[arg(long, value_name = "TIME", value_parser = request::duration)]
    until: Option<Micros>,
    /// Print a Markdown table
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let documents = match &arguments.scenarios[..] {
        [] => shelf::all()?.into_iter().filter(|document| unobservable(document).is_none()).collect(),
        names => names.iter().map(|name| shelf::find(name)).collect::<Result<Vec<_>, _>>()?,
    };
    if let Some((document, reason)) = documents.iter().find_map(|it| Some((it, unobservable(it)?))) {
        let id = &document.summary.id;
        return Err(Failure::Usage(format!("error: {id} cannot be observed on a real server: {reason}")));
    }
    let server = postgres::Server::open(&arguments.engine)?;
    let mut versions = None;
    let mut scenarios = Vec::new();
    let mut unfinished = Vec::new();
    for document in documents.into_iter().map(Rc::new) {
        let mut runs = Vec::new();
        let corners = compare::corners(&document, arguments.seed, arguments.until);
        for request in corners.into_iter().filter(|request| request.environment == PRODUCTION) {
            let name = format!("{}, {}", document.summary.id, request.variant);
            let predicted = predicted(&document, &request)?;
            match postgres::run(&document, &request, &server) {
                Ok(observed) => {
                    let run = beside(&document, &predicted, &observed.summary);
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
        scenarios.push(RealityScenario {
            id: document.summary.id.clone(),
            title: document.summary.title.clone(),
            agrees: runs.iter().all(|run| run.agrees),
            runs,
        });
    }
    let observed_on = versions.map_or(String::new(), |versions| versions.to_string());
    let reality = Reality { observed_on, date: today(), machine: machine::class(), scenarios };
    if arguments.json {
        print_json(&reality);
    } else if arguments.markdown {
        println!("{}", markdown(&reality));
    } else {
        print(&reality);
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

/// Why a scenario cannot be seen on a real server as it is seen here.
fn unobservable(document: &ScenarioDocument) -> Option<&'static str> {
    let world = &document.world;
    let collects_logs = world.services.iter().any(|service| service.kind == "logs");
    match world.machine {
        Machine { memory_mb: Some(_), .. } => {
            Some("it is about the memory of a process, and CPython's is not the interpreter's")
        }
        Machine { replica_lag_ms: Some(_), .. } => {
            Some("it needs a replica with a lag that can be set, and the real run has one server")
        }
        _ if collects_logs => Some("what it judges are the collected log lines, and the real run collects none"),
        _ => None,
    }
}

/// Metrics at the end of the load, invariants after they had their time to settle: as a real run is taken.
fn predicted(document: &Rc<ScenarioDocument>, request: &RunRequest) -> Result<RunSummary, Failure> {
    let environment =
        document.environment(&request.environment).expect("a corner names an environment of its scenario");
    let until_us = request.until_us.unwrap_or((environment.length_s * 1e6) as Micros);
    let settle_ms = document.invariants.iter().map(|invariant| invariant.settle_ms).fold(0.0, f64::max);
    let longer =
        RunRequest { until_us: Some(until_us + (settle_ms * 1e3) as Micros + AFTER_SETTLING_US), ..request.clone() };
    let mut run = Run::new(document.clone(), longer, Keep::Latest(EVENTS_KEPT))
        .map_err(|error| Failure::Result(format!("error: {error}")))?;
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
            predicted: screen::value(metric, predicted.metrics.get(&metric.id).copied()),
            observed: screen::value(metric, Some(value)),
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

/// What is compared, with both values in words.
fn rows(run: &RealityRun) -> Vec<(&str, String, String)> {
    let verdict = |broken: u32| match broken {
        0 => "held".to_string(),
        cases => format!("broken, {} cases", screen::grouped(cases.into())),
    };
    let count = |requests: u32| screen::grouped(requests.into());
    let requests = ("requests", count(run.predicted_requests), count(run.observed_requests));
    let metrics = run.metrics.iter().map(|it| (it.label.as_str(), it.predicted.clone(), it.observed.clone()));
    let invariants =
        run.invariants.iter().map(|it| (it.sentence.as_str(), verdict(it.predicted), verdict(it.observed)));
    std::iter::once(requests).chain(metrics).chain(invariants).collect()
}

fn print(reality: &Reality) {
    let mut table = screen::table(["scenario", "variant", "", "predicted", "observed"]);
    for scenario in &reality.scenarios {
        for run in &scenario.runs {
            for (index, (what, predicted, observed)) in rows(run).into_iter().enumerate() {
                let (id, variant) = if index == 0 { (scenario.id.as_str(), run.variant.as_str()) } else { ("", "") };
                table.add_row([id, variant, what, &predicted, &observed]);
            }
        }
    }
    println!("{table}\n\n{}", made_with(reality));
}

/// One line a variant: what breaks and what holds, and the first headline number.
fn markdown(reality: &Reality) -> String {
    let mut text =
        String::from("| scenario | variant | requests | predicted | observed |\n| --- | --- | ---: | --- | --- |\n");
    for scenario in &reality.scenarios {
        for (place, run) in scenario.runs.iter().enumerate() {
            let headline = run.metrics.first();
            let cell = |broken: &dyn Fn(&RealityInvariant) -> u32, value: &dyn Fn(&RealityMetric) -> String| {
                let verdict = if run.invariants.iter().all(|it| broken(it) == 0) { "holds" } else { "**breaks**" };
                let number = headline.map(|metric| format!("; {}: {}", metric.label, value(metric)));
                format!("{verdict}{}", number.unwrap_or_default())
            };
            let predicted = cell(&|it| it.predicted, &|it| it.predicted.clone());
            let observed = cell(&|it| it.observed, &|it| it.observed.clone());
            let title = if place == 0 { scenario.title.as_str() } else { "" };
            let requests = screen::grouped(run.observed_requests.into());
            text.push_str(&format!("| {title} | {} | {requests} | {predicted} | {observed} |\n", run.label));
        }
    }
    text.push_str(&format!("\n{}.", made_with(reality)));
    text
}

fn made_with(reality: &Reality) -> String {
    format!("Observed on {}, {}, on {}", reality.observed_on, reality.machine, reality.date)
}

pub fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    chrono::DateTime::from_timestamp(since as i64, 0).map_or(String::new(), |now| now.format("%Y-%m-%d").to_string())
}
