//! Files: the system's natively, and under Node what its program gives.

use std::io;
use std::path::Path;

#[cfg(target_arch = "wasm32")]
pub use super::node::{canonicalize, create_dir_all, entries, exists, is_dir, is_file, read_to_string, write};
#[cfg(not(target_arch = "wasm32"))]
pub use native::{entries, exists, is_dir, is_file};
#[cfg(not(target_arch = "wasm32"))]
pub use std::fs::{canonicalize, create_dir_all, read_to_string, write};

/// A file that somebody wrote. Some editors begin it with a byte order mark, which is no part of the text.
pub fn text(path: impl AsRef<Path>) -> io::Result<String> {
    let text = read_to_string(path)?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::io;
    use std::path::{Path, PathBuf};

    pub fn exists(path: &Path) -> bool {
        path.exists()
    }

    pub fn is_file(path: &Path) -> bool {
        path.is_file()
    }

    pub fn is_dir(path: &Path) -> bool {
        path.is_dir()
    }

    /// What a folder holds, in alphabetical order.
    pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = folder.read_dir()?.map(|entry| Ok(entry?.path()));
        let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        Ok(entries)
    }
}
