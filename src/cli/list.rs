//! `twoam list`

use super::{Failure, catalog, print_json, terminal};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let summaries = catalog::all()?.into_iter().map(|document| document.summary).collect::<Vec<_>>();
    if arguments.json {
        print_json(&summaries);
        return Ok(());
    }
    let mut table = terminal::table(["scenario", "title", "theme", "variants"]);
    for summary in summaries {
        table.add_row([summary.id, summary.title, summary.theme, summary.variants.join("\n")]);
    }
    println!("{table}");
    Ok(())
}
