//! `twoam new`: a scenario that runs, breaks and holds from the first minute, with every text still to be written.

use std::path::PathBuf;

use super::{Failure, fs};

const TEMPLATE: [(&str, &str); 6] = [
    ("scenario.toml", include_str!("template/scenario.toml")),
    ("schema.sql", include_str!("template/schema.sql")),
    ("naive.py", include_str!("template/naive.py")),
    ("atomic_update.py", include_str!("template/atomic_update.py")),
    ("story.md", include_str!("template/story.md")),
    ("frameworks.md", include_str!("template/frameworks.md")),
];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Lower-case letters, digits and hyphens
    name: String,
    /// Folder that the scenario's folder is made in
    #[arg(long, default_value = "scenarios")]
    dir: PathBuf,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.name;
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(right) {
        let remedy = "use lower-case letters, digits and hyphens";
        return Err(Failure::Usage(format!("error: `{name}` cannot be a scenario's name; {remedy}")));
    }
    let folder = arguments.dir.join(name);
    if fs::exists(&folder) {
        return Err(Failure::Usage(format!("error: {}: it is there already; choose another name", folder.display())));
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
    for (file, text) in TEMPLATE {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
    }
    let folder = folder.display();
    println!("{folder} is made. Next:\n  twoam compare {folder}\n  twoam check {folder}");
    Ok(())
}
