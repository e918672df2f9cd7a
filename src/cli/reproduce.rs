//! `twoam reproduce`: the fewest statements that break an invariant, for PostgreSQL's isolation tester, for pytest, for a real server.

use std::path::PathBuf;
use std::rc::Rc;

use twoam::reproduce::{self, Answer, Cell, Reproduction};

use super::{Failure, fs, postgres, request, terminal};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    corner: request::Corner,
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
    for path in arguments.spec.iter().chain(&arguments.pytest) {
        terminal::expect_writable(path)?;
    }
    let (document, request) = arguments.corner.request()?;
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
    let mut table = terminal::table(["step", "session", "statement", "gives"]);
    for (place, step) in found.steps.iter().enumerate() {
        let gives = match &step.answer {
            Answer::Done { rows: Some(found), .. } => in_words(found),
            Answer::Done { rows: None, count } => {
                count.map_or(String::new(), |count| terminal::counted(count as u32, "row"))
            }
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
