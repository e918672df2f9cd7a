//! Where scenarios come from: the binary itself, or a folder that somebody is writing.

use std::fs;
use std::path::Path;

use twoam::report::measured;
use twoam::scenario::manifest::{self, Folder, MANIFEST, Mistake};
use twoam::scenario::{ScenarioDocument, bundle};

use super::Failure;

/// The scenarios inside the binary, in the order a newcomer should meet them.
pub fn all() -> Result<Vec<ScenarioDocument>, Failure> {
    let mut documents = bundle::folders().iter().map(read).collect::<Result<Vec<_>, _>>()?;
    documents.sort_by_key(|document| {
        let summary = &document.summary;
        (!summary.opens, manifest::theme_place(&summary.theme), summary.difficulty, summary.id.clone())
    });
    Ok(documents)
}

/// By id, or by the path of a folder.
pub fn find(name: &str) -> Result<ScenarioDocument, Failure> {
    let folders = bundle::folders();
    if let Some(folder) = folders.iter().find(|folder| folder.id == name) {
        return read(folder);
    }
    let path = Path::new(name);
    if path.join(MANIFEST).is_file() {
        return read(&folder_at(path)?);
    }
    Err(Failure::unknown("scenario", name, folders.iter().map(|folder| folder.id.as_str())))
}

/// The scenario folders at `path`: itself, or those in it; or the one that is built in and has this id.
pub fn folders_at(path: &Path) -> Result<Vec<Folder>, Failure> {
    if !path.exists()
        && let Some(folder) = bundle::folders().into_iter().find(|folder| path == Path::new(&folder.id))
    {
        return Ok(vec![folder]);
    }
    if path.join(MANIFEST).is_file() {
        return Ok(vec![folder_at(path)?]);
    }
    let entries = fs::read_dir(path).map_err(|error| Failure::file(path, &error))?;
    let mut paths =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect::<Vec<_>>();
    paths.sort();
    if paths.is_empty() {
        return Err(Failure::Usage(format!("error: {}: there is no scenario folder in it", path.display())));
    }
    paths.iter().map(|path| folder_at(path)).collect()
}

fn folder_at(path: &Path) -> Result<Folder, Failure> {
    let path = path.canonicalize().map_err(|error| Failure::file(path, &error))?;
    let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut folder = Folder { id, files: Default::default() };
    for entry in fs::read_dir(&path).map_err(|error| Failure::file(&path, &error))? {
        let file = entry.map_err(|error| Failure::file(&path, &error))?.path();
        let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
        folder.files.insert(file.file_name().unwrap_or_default().to_string_lossy().into_owned(), text);
    }
    Ok(folder)
}

fn read(folder: &Folder) -> Result<ScenarioDocument, Failure> {
    manifest::read(folder, &measured()).map_err(|mistakes| Failure::Result(listed(&mistakes)))
}

fn listed(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
}
