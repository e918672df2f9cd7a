//! Where scenarios come from: the program itself, or a folder that somebody is writing.

use std::path::Path;

use twoam::report::measured;
use twoam::scenario::ScenarioDocument;
use twoam::scenario::manifest::{self, Folder, MANIFEST, Mistake};

use super::{Failure, fs};

/// The scenarios that come with the program.
#[cfg(not(target_arch = "wasm32"))]
pub fn built_in() -> Result<Vec<Folder>, Failure> {
    Ok(twoam::scenario::bundle::folders())
}

/// The scenarios that come with the program: not inside it, so that a change of them asks for no other engine.
#[cfg(target_arch = "wasm32")]
pub fn built_in() -> Result<Vec<Folder>, Failure> {
    folders_in(&super::node::home().join("scenarios"))
}

/// The scenarios that come with the program, in the order a newcomer should meet them.
pub fn all() -> Result<Vec<ScenarioDocument>, Failure> {
    let mut documents = built_in()?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    documents.sort_by_key(|document| {
        let summary = &document.summary;
        (!summary.opens, manifest::theme_place(&summary.theme), summary.difficulty, summary.id.clone())
    });
    Ok(documents)
}

/// By id, or by the path of a folder.
pub fn find(name: &str) -> Result<ScenarioDocument, Failure> {
    let folders = built_in()?;
    if let Some(folder) = folders.iter().find(|folder| folder.id == name) {
        return read(folder);
    }
    let path = Path::new(name);
    if fs::is_file(&path.join(MANIFEST)) {
        return read(&folder_at(path)?);
    }
    Err(Failure::unknown("scenario", name, folders.iter().map(|folder| folder.id.as_str())))
}

/// The scenario folders at `path`: itself, or those in it; or the one that is built in and has this id.
pub fn folders_at(path: &Path) -> Result<Vec<Folder>, Failure> {
    if !fs::exists(path)
        && let Some(folder) = built_in()?.into_iter().find(|folder| path == Path::new(&folder.id))
    {
        return Ok(vec![folder]);
    }
    if fs::is_file(&path.join(MANIFEST)) {
        return Ok(vec![folder_at(path)?]);
    }
    let folders = folders_in(path)?;
    if folders.is_empty() {
        return Err(Failure::Usage(format!("error: {}: there is no scenario folder in it", path.display())));
    }
    Ok(folders)
}

fn folders_in(path: &Path) -> Result<Vec<Folder>, Failure> {
    let entries = fs::entries(path).map_err(|error| Failure::file(path, &error))?;
    entries.iter().filter(|path| fs::is_dir(path)).map(|path| folder_at(path)).collect()
}

fn folder_at(path: &Path) -> Result<Folder, Failure> {
    let path = fs::canonicalize(path).map_err(|error| Failure::file(path, &error))?;
    let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut folder = Folder { id, files: Default::default() };
    for file in fs::entries(&path).map_err(|error| Failure::file(&path, &error))? {
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
