//! `twoam compare`

use std::rc::Rc;

use twoam::api::{Run, RunRequest, RunSummary, Verdict};
use twoam::scenario::ScenarioDocument;
use twoam::trace::{Keep, Micros};

use super::worker::{Done, Wanted};
use super::worker_pool::{Job, run_all};
use super::{Failure, catalog, print_json, request, terminal, verdict};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id of a scenario, or path of a scenario's folder
    scenario: String,
    /// Whole number; another seed is another run
    #[arg(long, default_value_t = 1, value_parser = request::whole_number, allow_hyphen_values = true)]
    seed: u32,
    /// Virtual time at which each run ends; the environment's own length if not given
    #[arg(long, value_name = "TIME", value_parser = request::length, allow_hyphen_values = true)]
    until: Option<Micros>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let document = catalog::find(&arguments.scenario)?;
    let corners = corners(&document, arguments.seed, arguments.until);
    let progress = terminal::progress(corners.len(), "runs");
    let jobs = corners.into_iter().map(|request| Job { document: &document, request, wanted: Wanted::Totals });
    let outcomes = run_all(&jobs.collect::<Vec<_>>(), || progress.inc(1));
    progress.finish_and_clear();
    let summaries = outcomes.into_iter().map(|done| done.map(Done::totals)).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        print_json(&serde_json::json!({ "scenario": document.summary.id, "runs": summaries }));
    } else {
        print(&document, &summaries);
    }
    Ok(())
}

/// Every variant in every environment.
pub fn corners(document: &ScenarioDocument, seed: u32, until_us: Option<Micros>) -> Vec<RunRequest> {
    let summary = &document.summary;
    let pairs = summary.variants.iter().flat_map(|variant| summary.environments.iter().map(move |env| (variant, env)));
    pairs
        .map(|(variant, environment)| RunRequest {
            scenario: summary.id.clone(),
            variant: variant.clone(),
            environment: environment.clone(),
            seed,
            until_us,
            knobs: Default::default(),
            sources: Default::default(),
            changes: Vec::new(),
        })
        .collect()
}

/// One whole run, from nothing to its end.
pub fn run(document: &ScenarioDocument, request: RunRequest) -> Result<RunSummary, Failure> {
    let mut run = prepare(document, request)?;
    run.advance(Micros::MAX);
    Ok(run.summary())
}

/// A run that is asked for its totals.
pub fn prepare(document: &ScenarioDocument, request: RunRequest) -> Result<Run, Failure> {
    Run::new(Rc::new(document.clone()), request, Keep::UntilSeen)
        .map_err(|error| Failure::Result(format!("error: {error}")))
}

fn print(document: &ScenarioDocument, summaries: &[RunSummary]) {
    let headlines = document.metrics.iter().filter(|metric| metric.headline).collect::<Vec<_>>();
    let titles = headlines.iter().map(|metric| metric.label.as_str());
    let mut table =
        terminal::table(["variant", "environment", "verdict"].into_iter().chain(titles).chain(["answered", "failed"]));
    for summary in summaries {
        let said = verdict::short(document, summary);
        let said = match summary.verdict {
            Verdict::Holds if verdict::useless(summary).is_none() => terminal::good(said),
            _ => terminal::bad(comfy_table::Cell::new(said)),
        };
        let mut row =
            vec![comfy_table::Cell::new(&summary.variant), comfy_table::Cell::new(&summary.environment), said];
        for metric in &headlines {
            let value = summary.metrics.get(&metric.id).copied();
            row.push(terminal::number(terminal::value(metric, value)));
        }
        row.push(terminal::number(terminal::grouped(summary.requests.ok.into())));
        row.push(terminal::number(terminal::grouped(summary.requests.failed.into())));
        table.add_row(row);
    }
    let (title, hook) = (&document.summary.title, &document.summary.hook);
    println!("{title}{}{hook}\n\n{table}", if hook.is_empty() { "" } else { ": " });
    for summary in summaries.iter().filter(|summary| verdict::useless(summary).is_some()) {
        let Some(error) = summary.errors.first() else { continue };
        println!("\n{} in {}: {}", summary.variant, summary.environment, terminal::placed(error));
    }
}
