//! `twoam export`: what the page fetches. Documents when a scenario is picked, recordings to paint before the engine is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::Serialize;
use twoam::api::{self, Reality, Recording, RunRequest};
use twoam::scenario::ScenarioDocument;
use twoam::trace::Micros;

use super::spread::spread;
use super::{Failure, compare, screen, shelf};

/// Long enough to see the naive code break and the charts move.
const RECORDED_US: Micros = 12_000_000;
/// The timeline shows the last moments of a recording: enough to see requests overlap.
const TIMELINE_US: Micros = 200_000;

/// Written by `twoam reality --json`.
const OBSERVED: &str = include_str!("../../reality/observed.json");

#[derive(Debug, clap::Args)]
pub struct Arguments {
    dir: PathBuf,
}

pub fn main(arguments: &Arguments) -> Result<(), Failure> {
    let documents = shelf::all()?;
    let summaries = documents.iter().map(|document| &document.summary).collect::<Vec<_>>();
    write(&arguments.dir.join("scenarios/index.json"), &summaries)?;
    let observed: Reality = serde_json::from_str(OBSERVED)
        .map_err(|error| Failure::Result(format!("error: reality/observed.json: {error}; make it anew")))?;
    write(&arguments.dir.join("reality.json"), &observed)?;
    let progress = screen::progress(documents.len(), "scenarios");
    let recordings = spread(&documents, recordings, || progress.inc(1));
    progress.finish_and_clear();
    for (document, recordings) in documents.iter().zip(recordings) {
        let file = format!("{}.json", document.summary.id);
        write(&arguments.dir.join("scenarios").join(&file), document)?;
        write(&arguments.dir.join("recordings").join(&file), &recordings?)?;
    }
    Ok(())
}

/// Naive and the first hardened variant in both environments, by `variant.environment`.
fn recordings(document: &ScenarioDocument) -> Result<BTreeMap<String, Recording>, Failure> {
    let shown = &document.summary.variants[..2];
    let corners = compare::corners(document, 1, None).into_iter();
    corners
        .filter(|request| shown.contains(&request.variant))
        .map(|request| Ok((format!("{}.{}", request.variant, request.environment), record(document, request)?)))
        .collect()
}

fn record(document: &ScenarioDocument, request: RunRequest) -> Result<Recording, Failure> {
    api::record(Rc::new(document.clone()), request, RECORDED_US, TIMELINE_US)
        .map_err(|error| Failure::Result(format!("error: {error}")))
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let folder = path.parent().expect("every file of the page lies in a folder");
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    let text = serde_json::to_string(value).expect("the page's data are plain");
    fs::write(path, text).map_err(|error| Failure::file(path, &error))
}
