//! `twoam reproduce`: the fewest statements that break an invariant, for PostgreSQL's isolation tester, for pytest, for a real server.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use twoam::api::RunRequest;
use twoam::reproduce::{self, Answer, Cell, Reproduction};

use super::{Failure, postgres, request, screen, shelf};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id of a scenario, or path of a scenario's folder
    #[arg(required_unless_present = "replay")]
    scenario: Option<String>,
    #[arg(long, default_value = "naive")]
    variant: String,
    #[arg(long, default_value = "production")]
    env: String,
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Looks for the break in the run of this schedule
    #[arg(long, value_name = "SCHEDULE", conflicts_with_all = ["variant", "env", "seed"])]
    replay: Option<String>,
    /// Writes the steps for PostgreSQL's isolation tester
    #[arg(long, value_name = "FILE.spec")]
    spec: Option<PathBuf>,
    /// Writes the steps as a test with pytest and psycopg that needs nothing else
    #[arg(long, value_name = "FILE.py")]
    pytest: Option<PathBuf>,
    /// Goes through the steps on a real server and compares: `postgres` starts a private one, postgres://… names another
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let (document, request) = match &arguments.replay {
        Some(schedule) => {
            let request =
                RunRequest::from_schedule(schedule).map_err(|error| Failure::Usage(format!("error: {error}")))?;
            let document = shelf::find(arguments.scenario.as_deref().unwrap_or(&request.scenario))?;
            request::check(&document, &request)?;
            (document, request)
        }
        None => {
            let document = shelf::find(arguments.scenario.as_deref().unwrap_or_default())?;
            let request = RunRequest {
                scenario: document.summary.id.clone(),
                variant: request::variant(&document, &arguments.variant)?,
                environment: request::environment(&document, &arguments.env)?,
                seed: arguments.seed,
                until_us: None,
                knobs: Default::default(),
                sources: Default::default(),
                changes: vec![],
            };
            (document, request)
        }
    };
    let failed = |error: reproduce::NoReproduction| Failure::Result(format!("error: {error}"));
    let found = reproduce::find(&Rc::new(document), request).map_err(failed)?;
    print(&found);
    if let Some(path) = &arguments.spec {
        fs::write(path, found.to_spec().map_err(failed)?).map_err(|error| Failure::file(path, &error))?;
    }
    let test = found.to_pytest();
    if let Some(path) = &arguments.pytest {
        fs::write(path, &test).map_err(|error| Failure::file(path, &error))?;
    }
    match &arguments.engine {
        None => Ok(()),
        Some(address) => {
            let said = postgres::step(&postgres::Server::open(address)?, &test)?;
            println!("\non the server: {said}");
            Ok(())
        }
    }
}

fn print(found: &Reproduction) {
    println!("{}: {}\n", found.title, found.sentence);
    let mut table = screen::table(["step", "session", "statement", "gives"]);
    for (place, step) in found.steps.iter().enumerate() {
        let gives = match &step.answer {
            Answer::Done { rows: Some(found), .. } => in_words(found),
            Answer::Done { rows: None, count } => count.map_or(String::new(), |count| format!("{count} rows")),
            Answer::Failed(sqlstate) => format!("error {sqlstate}"),
            Answer::Pending => String::new(),
        };
        let gives = if step.waits { format!("waits; {gives}") } else { gives };
        let sql = step.sql.split_whitespace().collect::<Vec<_>>().join(" ");
        table.add_row([(place + 1).to_string(), found.sessions[step.session].clone(), sql, gives]);
    }
    println!("{table}\n\nforbidden rows: {}", in_words(&found.broken));
}

fn in_words(rows: &[Vec<Cell>]) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Any => "…".to_owned(),
    };
    let row = |row: &Vec<Cell>| format!("({})", row.iter().map(cell).collect::<Vec<_>>().join(", "));
    rows.iter().map(row).collect::<Vec<_>>().join(" ")
}
