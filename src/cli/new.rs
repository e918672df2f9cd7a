//! `twoam new`: a draft that runs and breaks from the first minute, with every text still to be written.

use std::path::{Path, PathBuf};

use super::{Failure, fs};

const TEMPLATE: [(&str, &str); 3] = [
    ("scenario.toml", include_str!("template/scenario.toml")),
    ("schema.sql", include_str!("template/schema.sql")),
    ("naive.py", include_str!("template/naive.py")),
];

/// The project's own scenarios lie in a folder of this name.
const SCENARIOS: &str = "scenarios";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Lower-case letters, digits and hyphens, a letter first
    name: String,
    /// Folder that the scenario's folder is made in; `scenarios` if there is one here, else the current one
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.name;
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(right) {
        let remedy = "use lower-case letters, digits and hyphens, a letter first";
        return Err(Failure::Usage(format!("error: `{name}` cannot be a scenario's name; {remedy}")));
    }
    let here = if fs::is_dir(Path::new(SCENARIOS)) { SCENARIOS } else { "." };
    let folder = arguments.dir.as_deref().unwrap_or(Path::new(here)).join(name);
    if fs::exists(&folder) {
        return Err(Failure::Usage(format!("error: {}: it is there already; choose another name", folder.display())));
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    for (file, text) in TEMPLATE {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
    }
    let folder = folder.display();
    println!(
        "{folder} is made: a draft with naive code only, which runs. Next:
  twoam run {folder} --env my-machine   one user: it holds
  twoam run {folder}                    production: it breaks
  twoam check {folder} --draft          whether it does both, with five seeds
  twoam check {folder}                  what is missing before it may be published"
    );
    Ok(())
}
