//! `twoam run`

use std::path::{Path, PathBuf};
use std::rc::Rc;

use twoam::api::{ErrorGroup, PageNotice, Run, RunError, RunRequest, RunSummary};
use twoam::scenario::ScenarioDocument;
use twoam::trace::{Keep, Micros};

use super::{Failure, fs, postgres, print_json, request, terminal, verdict};

/// A schedule holds all that these arguments say.
const REPLAY: &str = "replay";

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    corner: request::Corner,
    /// Number of clients
    #[arg(long, conflicts_with = REPLAY, value_parser = request::whole_number, allow_hyphen_values = true)]
    clients: Option<u32>,
    /// Sets a knob; may be given several times
    #[arg(long = "set", conflicts_with = REPLAY, value_name = "KNOB=VALUE", allow_hyphen_values = true)]
    settings: Vec<String>,
    /// Changes the run while it is going: 20s:variant=hardened, 20s:fault=NAME:off, 20s:KNOB=VALUE
    #[arg(long = "at", conflicts_with = REPLAY, value_name = "TIME:CHANGE", allow_hyphen_values = true)]
    changes: Vec<String>,
    /// Virtual time at which the run ends; the environment's own length if not given
    #[arg(long, conflicts_with = REPLAY, value_name = "TIME", value_parser = request::length, allow_hyphen_values = true)]
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
    /// Print one JSON document; `verdict` and `errors` are in it
    #[arg(long)]
    json: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  The run came to its end. Code that breaks an invariant is such a result, too; the verdict says so
  1  The code cannot begin, or it does nothing useful: no request was answered with a status from 200 to 399
  2  An argument names something that is not there";

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(path) = &arguments.trace {
        terminal::expect_writable(path)?;
    }
    let (document, request) = asked(arguments)?;
    let name = Named::new(arguments, &document, &request);
    let (mut summary, text, mut notices) = match &arguments.engine {
        None => simulated(&document, request, arguments.trace.is_some(), &name)?,
        Some(address) => {
            let real = postgres::run(&document, &request, &postgres::Server::open(address)?, 0)?;
            eprintln!("{}", real.versions);
            if !real.versions.of_postgresql() {
                eprintln!("What differs on other servers, by their documentation: {}", document.elsewhere);
            }
            let text = if arguments.trace.is_some() { real.trace() } else { String::new() };
            (real.summary, text, vec![])
        }
    };
    summary.errors.iter_mut().for_each(|group| name.give(group));
    notices.iter_mut().for_each(|notice| name.give_file(&mut notice.file));
    if let Some(path) = &arguments.trace {
        fs::write(path, text).map_err(|error| Failure::file(path, &error))?;
    }
    if arguments.json {
        print_json(&summary);
    } else {
        print(&document, &summary, &notices);
        if arguments.engine.is_none() {
            println!("\nagain: {} --replay '{}'", arguments.corner.command("run"), summary.schedule);
        }
    }
    match verdict::useless(&summary) {
        Some(why) if arguments.json => Err(Failure::Result(why)),
        Some(_) => Err(Failure::Told),
        None => Ok(()),
    }
}

/// The summary, the trace as JSON if it is wanted, and what the run had to say meanwhile.
fn simulated(
    document: &ScenarioDocument,
    request: RunRequest,
    traced: bool,
    name: &Named<'_>,
) -> Result<(RunSummary, String, Vec<PageNotice>), Failure> {
    let keep = if traced { Keep::All } else { Keep::UntilSeen };
    let mut run = Run::new(Rc::new(document.clone()), request, keep)
        .map_err(|error| Failure::Result(format!("error: {}", name.given(error))))?;
    let progress = terminal::progress((run.end() / PROGRESS_US) as usize, "half seconds of virtual time");
    while !run.ended() {
        run.advance(run.now() + PROGRESS_US);
        progress.set_position(run.now() / PROGRESS_US);
    }
    progress.finish_and_clear();
    let text = if traced { serde_json::to_string(run.trace()).expect("a trace is plain data") } else { String::new() };
    Ok((run.summary(), text, run.frame().notices))
}

/// Virtual time between two movements of the progress bar.
const PROGRESS_US: Micros = 500_000;

/// `--handler`: a run knows the variant's file, its user the one that was given in its place.
struct Named<'a> {
    known: String,
    given: Option<&'a Path>,
}

impl Named<'_> {
    fn new<'a>(arguments: &'a Arguments, document: &ScenarioDocument, request: &RunRequest) -> Named<'a> {
        let known = document.variant(&request.variant).map_or(String::new(), |variant| variant.file.clone());
        Named { known, given: arguments.handler.as_deref() }
    }

    fn given(&self, error: RunError) -> RunError {
        let Some(path) = self.given else { return error };
        let path = path.display().to_string();
        let others = error.others.into_iter().map(|other| self.given(other)).collect();
        match error.file {
            Some(file) if file == self.known => RunError { file: Some(path), others, ..error },
            None => RunError { file: None, text: error.text.replace(&self.known, &path), others, ..error },
            file => RunError { file, others, ..error },
        }
    }

    fn give(&self, group: &mut ErrorGroup) {
        let Some(path) = self.given else { return };
        let path = path.display().to_string();
        group.traceback = group.traceback.replace(&format!("File \"{}\"", self.known), &format!("File \"{path}\""));
        self.give_file(&mut group.file);
    }

    fn give_file(&self, file: &mut Option<String>) {
        if let Some(path) = self.given.filter(|_| file.as_ref() == Some(&self.known)) {
            *file = Some(path.display().to_string());
        }
    }
}

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
        request.changes.push(request::timed_change(&document, &request, change)?);
    }
    request.changes.sort_by_key(|change| change.at_us);
    if let Some(path) = &arguments.handler {
        let text = fs::text(path).map_err(|error| Failure::file(path, &error))?;
        let variant = document.variant(&request.variant).expect("the variant was found above");
        request.sources.insert(variant.file.clone(), text);
    }
    Ok((document, request))
}

fn print(document: &ScenarioDocument, summary: &RunSummary, notices: &[PageNotice]) {
    println!(
        "{} · {} · {} · seed {} · {} s\n",
        document.summary.title,
        summary.variant,
        summary.environment,
        summary.seed,
        summary.virtual_us as f64 / 1e6
    );
    let mut table = terminal::table(["", "", ""]);
    table.set_header(Vec::<String>::new());
    let requests = &summary.requests;
    let counts = [("requests", requests.started), ("answered", requests.ok), ("failed", requests.failed)];
    for (label, count) in counts {
        table.add_row([label.into(), terminal::number(terminal::grouped(count.into()))]);
    }
    for metric in &document.metrics {
        let Some(value) = summary.metrics.get(&metric.id).copied() else { continue };
        table.add_row([comfy_table::Cell::new(&metric.label), terminal::number(terminal::value(metric, Some(value)))]);
    }
    println!("{table}\n");
    for invariant in &summary.invariants {
        match invariant.broken {
            0 if verdict::has_held(summary) => println!("  held    {}", invariant.sentence),
            0 => println!("  –       {}", invariant.sentence),
            cases => println!("  BROKEN  {}: {}", invariant.sentence, terminal::counted(cases, "case")),
        }
    }
    print_errors(&summary.errors);
    for notice in notices {
        let place = match (&notice.file, notice.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            _ => String::new(),
        };
        println!("\nnote: {place}{}", notice.text);
    }
    println!("\n{}", verdict::sentence(document, summary));
}

/// Functions that call each other without end have a traceback of thousands of lines.
const TRACEBACK_LINES: usize = 40;

fn print_traceback(text: &str) {
    let lines = text.lines().collect::<Vec<_>>();
    let left_out = lines.len().saturating_sub(TRACEBACK_LINES);
    let (first, last) = lines.split_at(if left_out > 0 { TRACEBACK_LINES / 2 } else { lines.len() });
    for line in first {
        println!("    {line}");
    }
    if left_out > 0 {
        println!("    … {left_out} lines are left out; --json has them all");
    }
    for line in &last[left_out..] {
        println!("    {line}");
    }
}

/// How many kinds of error are told with their traceback.
const ERRORS_TOLD: usize = 5;

fn print_errors(errors: &[ErrorGroup]) {
    for group in errors.iter().take(ERRORS_TOLD) {
        println!("\n{}", terminal::placed(group));
        let (from, to) = (terminal::seconds(group.first_us), terminal::seconds(group.last_us));
        match group.count {
            1 => println!("  once, at {from}, in request {}", group.first_request),
            count => println!(
                "  {} times from {from} to {to}; first in request {}:",
                terminal::grouped(count.into()),
                group.first_request
            ),
        }
        print_traceback(group.traceback.trim_end());
    }
    let (kinds, rest) = (errors.len(), &errors[errors.len().min(ERRORS_TOLD)..]);
    if !rest.is_empty() {
        let failed = rest.iter().map(|group| group.count).sum::<u32>();
        println!("\n{} of {kinds} kinds of error are left out ({failed} requests); --json has them all", rest.len());
    }
}
