//! `twoam isolation`

use std::path::PathBuf;

use twoam::isolation;

use super::{Failure, fs};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A spec in the format of PostgreSQL's isolation tester
    file: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let path = &arguments.file;
    let text = fs::text(path).map_err(|error| Failure::file(path, &error))?;
    let spec = isolation::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let report = isolation::run(&spec);
    for complaint in &report.complaints {
        eprintln!("{complaint}");
    }
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        print!("{}", report.to_text());
    }
    Ok(())
}
