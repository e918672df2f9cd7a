//! The project's own scenarios, inside the native binary. The page fetches each as one JSON instead.

use include_dir::{Dir, include_dir};

use super::manifest::Folder;

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// In alphabetical order.
pub fn folders() -> Vec<Folder> {
    let mut folders = SCENARIOS.dirs().map(folder).collect::<Vec<_>>();
    folders.sort_by(|a, b| a.id.cmp(&b.id));
    folders
}

fn folder(dir: &Dir<'_>) -> Folder {
    let files = dir.files().map(|file| {
        let text = file.contents_utf8().expect("scenarios are checked to be UTF-8 before they are built in");
        (file_name(file.path()), text.to_string())
    });
    Folder { id: file_name(dir.path()), files: files.collect() }
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().expect("an entry of a folder has a name").to_string_lossy().into_owned()
}
