//! `twoam run`

use std::path::PathBuf;
use std::rc::Rc;

use twoam::api::{Run, RunRequest, RunSummary};
use twoam::scenario::ScenarioDocument;
use twoam::trace::{Keep, Micros};

use super::{Failure, fs, postgres, print_json, request, screen};

/// A schedule holds all that these arguments say.
const REPLAY: &str = "replay";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    corner: request::Corner,
    /// Number of clients
    #[arg(long, conflicts_with = REPLAY)]
    clients: Option<u32>,
    /// Sets a knob; may be given several times
    #[arg(long = "set", conflicts_with = REPLAY, value_name = "KNOB=VALUE")]
    settings: Vec<String>,
    /// Changes the run while it is going: 20s:variant=hardened, 20s:fault=NAME:off, 20s:KNOB=VALUE
    #[arg(long = "at", conflicts_with = REPLAY, value_name = "TIME:CHANGE")]
    changes: Vec<String>,
    /// Virtual time at which the run ends; the environment's own length if not given
    #[arg(long, conflicts_with = REPLAY, value_name = "TIME", value_parser = request::duration)]
    until: Option<Micros>,
    /// Runs this file in place of the variant's own
    #[arg(long, conflicts_with = REPLAY, value_name = "FILE.py")]
    handler: Option<PathBuf>,
    /// Writes the trace as JSON
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Runs the same files on a real server: `postgres` starts a private one, postgres://… names another
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let (document, request) = asked(arguments)?;
    let (summary, text) = match &arguments.engine {
        None => simulated(&document, request, arguments.trace.is_some())?,
        Some(address) => {
            let real = postgres::run(&document, &request, &postgres::Server::open(address)?, 0)?;
            eprintln!("{}", real.versions);
            if !real.versions.of_postgresql() {
                eprintln!("What differs on other servers, by their documentation: {}", document.elsewhere);
            }
            let text = if arguments.trace.is_some() { real.trace() } else { String::new() };
            (real.summary, text)
        }
    };
    if let Some(path) = &arguments.trace {
        fs::write(path, text).map_err(|error| Failure::file(path, &error))?;
    }
    if arguments.json {
        print_json(&summary);
    } else {
        print(&document, &summary);
        if arguments.engine.is_none() {
            println!("\nagain: twoam run --replay '{}'", summary.schedule);
        }
    }
    Ok(())
}

/// The summary, and the trace as JSON if it is wanted.
fn simulated(document: &ScenarioDocument, request: RunRequest, traced: bool) -> Result<(RunSummary, String), Failure> {
    let keep = if traced { Keep::All } else { Keep::UntilSeen };
    let mut run = Run::new(Rc::new(document.clone()), request, keep)
        .map_err(|error| Failure::Result(format!("error: {error}")))?;
    let progress = screen::progress((run.end() / PROGRESS_US) as usize, "half seconds of virtual time");
    while !run.ended() {
        run.advance(run.now() + PROGRESS_US);
        progress.set_position(run.now() / PROGRESS_US);
    }
    progress.finish_and_clear();
    let text = if traced { serde_json::to_string(run.trace()).expect("a trace is plain data") } else { String::new() };
    Ok((run.summary(), text))
}

/// Virtual time between two movements of the progress bar.
const PROGRESS_US: Micros = 500_000;

fn asked(arguments: &Arguments) -> Result<(ScenarioDocument, RunRequest), Failure> {
    let (document, mut request) = arguments.corner.request()?;
    if arguments.until.is_some() {
        request.until_us = arguments.until;
    }
    if let Some(count) = arguments.clients {
        request.knobs.extend([request::clients(&document, count)?]);
    }
    for setting in &arguments.settings {
        request.knobs.extend([request::setting(&document, setting)?]);
    }
    for change in &arguments.changes {
        request.changes.push(request::timed_change(&document, change)?);
    }
    request.changes.sort_by_key(|change| change.at_us);
    if let Some(path) = &arguments.handler {
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        let variant = document.variant(&request.variant).expect("the variant was found above");
        request.sources.insert(variant.file.clone(), text);
    }
    Ok((document, request))
}

fn print(document: &ScenarioDocument, summary: &RunSummary) {
    println!(
        "{} · {} · {} · seed {} · {} s\n",
        document.summary.title,
        summary.variant,
        summary.environment,
        summary.seed,
        summary.virtual_us as f64 / 1e6
    );
    let mut table = screen::table(["", "", ""]);
    table.set_header(Vec::<String>::new());
    let requests = &summary.requests;
    let counts = [("requests", requests.started), ("answered", requests.ok), ("failed", requests.failed)];
    for (label, count) in counts {
        table.add_row([label.into(), screen::number(screen::grouped(count.into()))]);
    }
    for metric in &document.metrics {
        let Some(value) = summary.metrics.get(&metric.id).copied() else { continue };
        table.add_row([comfy_table::Cell::new(&metric.label), screen::number(screen::value(metric, Some(value)))]);
    }
    println!("{table}\n");
    for invariant in &summary.invariants {
        match invariant.broken {
            0 => println!("  held    {}", invariant.sentence),
            cases => println!("  BROKEN  {}: {cases} cases", invariant.sentence),
        }
    }
}
