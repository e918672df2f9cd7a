//! `twoam export`: what the page fetches. Documents when a scenario is picked, recordings to paint before the engine is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use twoam::api::{Reality, Recording};
use twoam::scenario::ScenarioDocument;
use twoam::scenario::manifest::MANIFEST;
use twoam::talk;

use super::worker::Wanted;
use super::worker_pool::{Job, run_all};
use super::{Failure, catalog, compare, fs, terminal};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    dir: PathBuf,
    /// What `twoam reality --into` has written
    #[arg(long, value_name = "FILE", default_value = "reality/observed.json")]
    observed: PathBuf,
    /// Writes only these scenarios; what is there of the others is kept
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    only: Vec<String>,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let path = &arguments.observed;
    let observed = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let observed: Reality = serde_json::from_str(&observed)
        .map_err(|error| Failure::Result(format!("error: {}: {error}; make it anew", path.display())))?;
    let mut documents = catalog::all()?;
    for document in &mut documents {
        document.summary.seen_on = seen_on(&observed, &document.summary.id);
        let staged = talk::stage(document);
        staged.map_err(|mistake| Failure::Result(format!("error: {}/{MANIFEST}: {mistake}", document.summary.id)))?;
    }
    let summaries = documents.iter().map(|document| &document.summary).collect::<Vec<_>>();
    write(&arguments.dir.join("scenarios/index.json"), &summaries)?;
    write(&arguments.dir.join("reality.json"), &observed)?;
    if !arguments.only.is_empty() {
        documents.retain(|document| arguments.only.contains(&document.summary.id));
    }
    let jobs = documents.iter().flat_map(recorded).collect::<Vec<_>>();
    let progress = terminal::progress(jobs.len(), "recordings");
    let mut recordings = BTreeMap::<&str, BTreeMap<String, Recording>>::new();
    for (job, done) in jobs.iter().zip(run_all(&jobs, || progress.inc(1))) {
        let corner = format!("{}.{}", job.request.variant, job.request.environment);
        recordings.entry(&job.document.summary.id).or_default().insert(corner, done?.recording());
    }
    progress.finish_and_clear();
    for document in &documents {
        let id = document.summary.id.as_str();
        let file = format!("{id}.json");
        write(&arguments.dir.join("scenarios").join(&file), document)?;
        write(&arguments.dir.join("recordings").join(&file), &recordings[id])?;
    }
    Ok(())
}

/// `PostgreSQL 15.18`, if all variants did there what they do here.
fn seen_on(observed: &Reality, id: &str) -> Option<String> {
    let scenario = observed.scenarios.iter().find(|scenario| scenario.id == id && scenario.agrees)?;
    scenario.observed_on.split(',').next().map(str::to_owned)
}

/// Naive and the first hardened variant in both environments.
fn recorded(document: &ScenarioDocument) -> impl Iterator<Item = Job<'_>> {
    let shown = &document.summary.variants[..2];
    let corners = compare::corners(document, 1, None).into_iter();
    let corners = corners.filter(|request| shown.contains(&request.variant));
    corners.map(move |request| Job { document, request, wanted: Wanted::Recording })
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let folder = path.parent().expect("every file of the page lies in a folder");
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    let text = serde_json::to_string(value).expect("the page's data are plain");
    fs::write(path, text).map_err(|error| Failure::file(path, &error))
}
