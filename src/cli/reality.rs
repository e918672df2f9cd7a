//! `twoam reality`: what the simulation predicts beside what a real server does, with the same files under the same load.

use std::rc::Rc;

use serde::Serialize;
use twoam::api::{RunRequest, RunSummary};
use twoam::scenario::ScenarioDocument;
use twoam::trace::Micros;

use super::{Failure, compare, postgres, print_json, request, screen, shelf};

const PRODUCTION: &str = "production";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Ids of scenarios or paths of their folders; all that are built in if none is given
    scenarios: Vec<String>,
    /// `postgres` starts a private server, postgres://… names another
    #[arg(long, default_value = "postgres")]
    engine: String,
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Time at which each run ends; the environment's own length if not given
    #[arg(long, value_name = "TIME", value_parser = request::duration)]
    until: Option<Micros>,
    /// Print a Markdown table
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// One variant in production, on both engines.
#[derive(Serialize)]
struct Pair {
    #[serde(skip)]
    document: Rc<ScenarioDocument>,
    predicted: RunSummary,
    observed: RunSummary,
    /// Each invariant broke on both or held on both.
    agrees: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let documents = match &arguments.scenarios[..] {
        [] => shelf::all()?,
        names => names.iter().map(|name| shelf::find(name)).collect::<Result<Vec<_>, _>>()?,
    };
    let mut pairs = Vec::new();
    let mut versions = String::new();
    for document in documents.into_iter().map(Rc::new) {
        let corners = compare::corners(&document, arguments.seed, arguments.until);
        for request in corners.into_iter().filter(|request| request.environment == PRODUCTION) {
            let (pair, made_with) = pair(&document, request, &arguments.engine)?;
            versions = made_with;
            pairs.push(pair);
        }
    }
    if arguments.json {
        print_json(&serde_json::json!({ "versions": versions, "runs": pairs }));
    } else if arguments.markdown {
        println!("{}", markdown(&pairs, &versions));
    } else {
        print(&pairs, &versions);
    }
    let apart = pairs.iter().filter(|pair| !pair.agrees).collect::<Vec<_>>();
    if apart.is_empty() {
        return Ok(());
    }
    let names = apart.iter().map(|pair| format!("{}, {}", pair.observed.scenario, pair.observed.variant));
    let names = names.collect::<Vec<_>>().join("; ");
    Err(Failure::Result(format!("simulation and server disagree about what holds: {names}")))
}

fn pair(document: &Rc<ScenarioDocument>, request: RunRequest, engine: &str) -> Result<(Pair, String), Failure> {
    let predicted = compare::run(document, request.clone())?;
    let real = postgres::run(document, &request, engine)?;
    let verdicts = predicted.invariants.iter().zip(&real.summary.invariants);
    let agrees = verdicts.into_iter().all(|(one, other)| (one.broken > 0) == (other.broken > 0));
    let pair = Pair { document: document.clone(), predicted, observed: real.summary, agrees };
    Ok((pair, real.versions.to_string()))
}

/// What is compared, with both values in words: headline metrics that a client of a real server can see, then invariants.
fn rows(pair: &Pair) -> Vec<(String, String, String)> {
    let headlines = pair.document.metrics.iter().filter(|metric| metric.headline);
    let metrics = headlines.filter_map(|metric| {
        let observed = *pair.observed.metrics.get(&metric.id)?;
        let predicted = pair.predicted.metrics.get(&metric.id).copied();
        Some((metric.label.clone(), screen::value(metric, predicted), screen::value(metric, Some(observed))))
    });
    let verdict = |broken: u32| if broken == 0 { "held".to_string() } else { format!("broken, {broken} cases") };
    let invariants = pair.predicted.invariants.iter().zip(&pair.observed.invariants);
    let invariants = invariants
        .map(|(predicted, observed)| (predicted.sentence.clone(), verdict(predicted.broken), verdict(observed.broken)));
    let requests = |summary: &RunSummary| screen::grouped(summary.requests.started.into());
    let requests = ("requests".to_string(), requests(&pair.predicted), requests(&pair.observed));
    std::iter::once(requests).chain(metrics).chain(invariants).collect()
}

fn print(pairs: &[Pair], versions: &str) {
    let mut table = screen::table(["scenario", "variant", "", "predicted", "observed"]);
    for pair in pairs {
        for (index, (what, predicted, observed)) in rows(pair).into_iter().enumerate() {
            let first = index == 0;
            let scenario = if first { pair.observed.scenario.as_str() } else { "" };
            let variant = if first { pair.observed.variant.as_str() } else { "" };
            table.add_row([scenario, variant, &what, &predicted, &observed]);
        }
    }
    println!("{table}\n\nobserved on {versions}");
}

fn markdown(pairs: &[Pair], versions: &str) -> String {
    let mut text = String::from("| scenario | variant | | predicted | observed |\n| --- | --- | --- | ---: | ---: |\n");
    for pair in pairs {
        for (what, predicted, observed) in rows(pair) {
            let (scenario, variant) = (&pair.observed.scenario, &pair.observed.variant);
            text.push_str(&format!("| {scenario} | {variant} | {what} | {predicted} | {observed} |\n"));
        }
    }
    text.push_str(&format!("\nObserved on {versions}."));
    text
}
