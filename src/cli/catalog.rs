//! Where scenarios come from: the program itself, or a folder that somebody is writing.

use std::path::Path;

use twoam::api::{Objection, examine};
use twoam::report::measured;
use twoam::scenario::manifest::{self, Folder, Found, MANIFEST, Mistake, Places, SCHEMA};
use twoam::scenario::{Part, ScenarioDocument};

use super::{Failure, fs};

/// A scenario's folder, and what it is called on the command line: an id, or a path.
pub struct Shelved {
    pub folder: Folder,
    pub name: String,
}

impl Shelved {
    /// `./my-shop/scenario.toml:3: …`
    pub fn told(&self, mistake: &Mistake) -> String {
        let file = mistake.file.strip_prefix(&self.folder.id).unwrap_or(&mistake.file);
        Mistake { file: format!("{}{file}", self.name), ..mistake.clone() }.to_string()
    }
}

/// The scenarios that come with the program.
#[cfg(not(target_arch = "wasm32"))]
pub fn built_in() -> Result<Vec<Shelved>, Failure> {
    let folders = twoam::scenario::bundle::folders().into_iter();
    Ok(folders.map(|folder| Shelved { name: folder.id.clone(), folder }).collect())
}

/// The scenarios that come with the program: not inside it, so that a change of them asks for no other engine.
#[cfg(target_arch = "wasm32")]
pub fn built_in() -> Result<Vec<Shelved>, Failure> {
    let mut folders = folders_in(&super::node::home().join("scenarios"))?;
    folders.iter_mut().for_each(|shelved| shelved.name = shelved.folder.id.clone());
    Ok(folders)
}

/// The scenarios that come with the program, in the order a newcomer should meet them. Drafts are not among them.
pub fn all() -> Result<Vec<ScenarioDocument>, Failure> {
    let mut documents = Vec::new();
    for shelved in built_in()? {
        let found = manifest::examine(&shelved.folder, &measured());
        if !found.draft {
            documents.push(opened(&shelved, found)?);
        }
    }
    documents.sort_by_key(|document| {
        let summary = &document.summary;
        (!summary.opens, manifest::theme_place(&summary.theme), summary.difficulty, summary.id.clone())
    });
    Ok(documents)
}

pub fn is_built_in(name: &str) -> bool {
    built_in().is_ok_and(|folders| folders.iter().any(|shelved| shelved.name == name))
}

/// By id, or by the path of a folder.
pub fn find(name: &str) -> Result<ScenarioDocument, Failure> {
    let folders = built_in()?;
    if let Some(shelved) = folders.iter().find(|shelved| shelved.name == name) {
        return opened(shelved, manifest::examine(&shelved.folder, &measured()));
    }
    let path = Path::new(name);
    if fs::is_dir(path) && !name.is_empty() {
        if !fs::is_file(&path.join(MANIFEST)) {
            return Err(no_manifest(path));
        }
        let shelved = shelved_at(path)?;
        return opened(&shelved, look(&shelved));
    }
    if fs::is_file(path) {
        return Err(Failure::Usage(format!("error: {name} is a file; name the folder of a scenario, or an id")));
    }
    Err(nothing_at(name, &folders))
}

fn nothing_at(name: &str, built_in: &[Shelved]) -> Failure {
    if name.contains(['/', '\\']) {
        return Failure::Usage(format!("error: {name}: there is no such folder"));
    }
    Failure::unknown("scenario", name, built_in.iter().map(|shelved| shelved.name.as_str()))
}

/// The scenario folders at `path`: itself, or those in it; or the one that is built in and has this id.
pub fn folders_at(path: &Path) -> Result<Vec<Shelved>, Failure> {
    if !fs::exists(path)
        && let Some(shelved) = built_in()?.into_iter().find(|shelved| path == Path::new(&shelved.name))
    {
        return Ok(vec![shelved]);
    }
    if fs::is_file(&path.join(MANIFEST)) {
        return Ok(vec![shelved_at(path)?]);
    }
    if !fs::exists(path) {
        return Err(nothing_at(&path.display().to_string(), &built_in()?));
    }
    let folders = folders_in(path)?;
    if folders.is_empty() {
        return Err(no_manifest(path));
    }
    Ok(folders)
}

fn folders_in(path: &Path) -> Result<Vec<Shelved>, Failure> {
    let entries = fs::entries(path).map_err(|error| Failure::file(path, &error))?;
    let folders = entries.iter().filter(|path| fs::is_dir(path) && !is_hidden(path));
    folders.map(|path| shelved_at(path)).collect()
}

fn no_manifest(path: &Path) -> Failure {
    let remedy = "`twoam new NAME` makes the folder of a scenario";
    Failure::Usage(format!("error: {}: there is no {MANIFEST} in it; {remedy}", path.display()))
}

fn shelved_at(path: &Path) -> Result<Shelved, Failure> {
    let name = path.display().to_string();
    let name = name.trim_end_matches('/').to_owned();
    let path = fs::canonicalize(path).map_err(|error| Failure::file(path, &error))?;
    let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut folder = Folder { id, files: Default::default() };
    for file in fs::entries(&path).map_err(|error| Failure::file(&path, &error))? {
        // Folders in it, and what editors and systems leave there, are none of the scenario's.
        if fs::is_file(&file) && !is_hidden(&file) {
            let text = fs::text(&file).map_err(|error| Failure::file(&file, &error))?;
            folder.files.insert(file.file_name().unwrap_or_default().to_string_lossy().into_owned(), text);
        }
    }
    Ok(Shelved { folder, name })
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// What can run of a folder. A draft runs without its texts.
fn opened(shelved: &Shelved, found: Found) -> Result<ScenarioDocument, Failure> {
    let told = |mistakes: &[Mistake]| mistakes.iter().map(|mistake| shelved.told(mistake)).collect::<Vec<_>>();
    match found.document {
        Some(document) if found.draft || found.missing.is_empty() => Ok(document),
        Some(_) => {
            let mut lines = told(&found.missing);
            lines.push(format!("With `draft = true` in {}/{MANIFEST} it runs without all this.", shelved.name));
            Err(Failure::Result(lines.join("\n")))
        }
        None => Err(Failure::Result(told(&found.mistakes).join("\n"))),
    }
}

/// All there is to say of a folder, what the engine and the interpreter object to included.
pub fn look(shelved: &Shelved) -> Found {
    let mut found = manifest::examine(&shelved.folder, &measured());
    let objections = found.document.as_ref().map(examine).unwrap_or_default();
    if !objections.is_empty() {
        found.document = None;
        let places = &found.places;
        found.mistakes = objections.into_iter().map(|of| located(&shelved.folder, places, of)).collect();
    }
    found
}

/// An objection to a part of a scenario, in its file.
fn located(folder: &Folder, places: &Places, objection: Objection) -> Mistake {
    let (file, first) = match &objection.part {
        Part::Schema => (SCHEMA.to_owned(), 1),
        Part::Code(file) => (file.clone(), 1),
        part => places.get(part).cloned().unwrap_or_else(|| (MANIFEST.to_owned(), 1)),
    };
    let whole_file = matches!(objection.part, Part::Schema | Part::Code(_) | Part::Migration(_));
    let line = match objection.line {
        Some(line) => Some(first + line - 1),
        None => (!whole_file).then_some(first),
    };
    let what = match &objection.part {
        Part::Invariant(id) => format!("invariant `{id}`: {}", objection.text),
        Part::Metric(id) => format!("metric `{id}`: {}", objection.text),
        Part::Rows(_) => format!("its rows cannot be added: {}", objection.text),
        Part::Schema | Part::Code(_) | Part::Migration(_) => objection.text,
    };
    Mistake { file: format!("{}/{file}", folder.id), line, what, remedy: String::new() }
}
