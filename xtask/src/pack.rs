//! The npm package: the site, and the command line as WebAssembly.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::build::{self, Engine};
use crate::tools::{self, node, say};

pub fn run(engine: Engine) -> Result<PathBuf> {
    build::run(engine)?;
    packed()
}

/// Packs what lies there; returns the tarball.
pub fn packed() -> Result<PathBuf> {
    say("packing");
    let folder = build::target_folder().join("npm");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    tools::run(node("www/node/pack.js").arg(&folder))?;
    let tarball = folder.join(format!("twoam-{}.tgz", env!("CARGO_PKG_VERSION")));
    let bytes = tarball.metadata().with_context(|| tarball.display().to_string())?.len();
    // npx takes an absolute path for a program's.
    let shown = tarball.strip_prefix(tools::root()).unwrap_or(&tarball).display();
    println!("{shown} ({:.1} MB): try `npx ./{shown}`", bytes as f64 / 1e6);
    Ok(tarball)
}
