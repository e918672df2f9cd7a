//! `twoam explore`: an exam of a scenario in every order.

use std::time::Duration;

use twoam::explore::{self, Exploration, Schedule};
use twoam::scenario::{Exam, ScenarioDocument};

use super::{Failure, catalog, print_json, request, terminal};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id of a scenario, or path of a scenario's folder
    scenario: String,
    /// Id of the variant; every variant if not given
    #[arg(long)]
    variant: Option<String>,
    /// Id of the exam; the scenario's first if not given
    #[arg(long)]
    exam: Option<String>,
    /// So many of the load's first requests in place of an exam
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4), conflicts_with = "exam")]
    requests: Option<u8>,
    /// Real time for each variant
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = request::length)]
    budget: u64,
    /// Shows one order step by step, as the result names it: A5B5
    #[arg(long, value_name = "SCHEDULE", requires = "variant")]
    replay: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let document = catalog::find(&arguments.scenario)?;
    let exam = exam(&document, arguments)?;
    let variants = match &arguments.variant {
        Some(variant) => {
            request::variant(&document, variant)?;
            vec![variant.clone()]
        }
        None => document.summary.variants.clone(),
    };
    if let Some(schedule) = &arguments.replay {
        let schedule = Schedule::parse(schedule, exam.requests.len())
            .map_err(|mistake| Failure::Usage(format!("error: --replay: {}", mistake.0)))?;
        return replay(&document, &exam, &variants[0], &schedule, arguments.json);
    }
    let mut explorations = vec![];
    for variant in &variants {
        let progress = terminal::progress(arguments.budget as usize / 1_000_000, "seconds at the most");
        let began = terminal::Stopwatch::start();
        let budget = Duration::from_micros(arguments.budget);
        let explored = explore::explore(&document, &exam, variant, |executions| {
            if executions % 64 == 0 {
                progress.set_position(began.elapsed().as_secs());
            }
            began.elapsed() < budget
        });
        progress.finish_and_clear();
        let explored = explored.map_err(|error| Failure::Result(format!("error: {variant}: {error}")))?;
        if !arguments.json {
            print(&exam, &explored, began.elapsed());
        }
        explorations.push(explored);
    }
    if arguments.json {
        print_json(&serde_json::json!({ "exam": exam, "variants": explorations }));
    }
    match explorations.iter().filter(|it| it.has_findings()).map(|it| it.variant.as_str()).collect::<Vec<_>>() {
        none if none.is_empty() => Ok(()),
        found => Err(Failure::Result(format!("found something wrong: {}", found.join(", ")))),
    }
}

fn exam(document: &ScenarioDocument, arguments: &Arguments) -> Result<Exam, Failure> {
    let derived = |requests| {
        let derived = explore::derived_exam(document, requests);
        derived.map_err(|error| Failure::Usage(format!("error: {error}")))
    };
    if let Some(requests) = arguments.requests {
        return derived(requests.into());
    }
    match &arguments.exam {
        None => document.exams.first().cloned().map_or_else(|| derived(2), Ok),
        Some(id) => document.exams.iter().find(|exam| exam.id == *id).cloned().ok_or_else(|| {
            let known = document.exams.iter().map(|exam| exam.id.as_str()).collect::<Vec<_>>();
            let known =
                if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
            Failure::Usage(format!("error: {} has no exam {id:?}; {known}", document.summary.id))
        }),
    }
}

fn print(exam: &Exam, explored: &Exploration, took: Duration) {
    let orders = terminal::counted(explored.orders, "order");
    let all = if explored.exhaustive { "all " } else { "the first " };
    let executions = terminal::counted(explored.executions, "execution");
    println!("{} · {}: {all}{orders} in {executions}, {:.1} s", explored.variant, exam.title, took.as_secs_f64());
    for outcome in &explored.outcomes {
        let statuses = outcome.statuses.iter().map(|status| status.map_or("none".to_owned(), |it| it.to_string()));
        let statuses = statuses.collect::<Vec<_>>().join(" ");
        println!("  {:>10} of them: {statuses}   {}", terminal::grouped(outcome.orders as f64), outcome.schedule);
        for finding in &outcome.findings {
            println!("         {}", finding.sentence());
        }
    }
    if !explored.exhaustive {
        println!("  The budget ended before the orders did: of those left nothing is known.");
    }
    println!("");
}

fn replay(
    document: &ScenarioDocument,
    exam: &Exam,
    variant: &str,
    schedule: &Schedule,
    json: bool,
) -> Result<(), Failure> {
    let (steps, outcome) = explore::replay(document, exam, variant, schedule)
        .map_err(|error| Failure::Result(format!("error: {variant}: {error}")))?;
    if json {
        print_json(&serde_json::json!({ "steps": steps, "outcome": outcome }));
        return Ok(());
    }
    println!("{}", outcome.schedule);
    for step in &steps {
        println!("  {}  {}", step.request.map_or('·', explore::name), step.text);
    }
    for finding in &outcome.findings {
        println!("  {}", finding.sentence());
    }
    Ok(())
}
