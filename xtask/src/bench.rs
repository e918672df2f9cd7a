//! Figures of what a reader gets: bytes over the wire, time to the first number, speed of the engine in the browser.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::build;
use crate::serve::Site;
use crate::tools::{self, ensure_chromium, npm, root, say};

#[derive(Args)]
pub struct Options {
    /// Measure dist/ as it is
    #[arg(long)]
    no_build: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let site = if options.no_build { root().join("dist") } else { build::run(&build::Options::default())? };
    let chromium = ensure_chromium()?;
    sizes(&site)?;
    say("speed and start-up in the browser");
    let page = Site::start(&site, 0)?;
    let package = Site::start(&root().join("www/pkg"), 0)?;
    let mut bench = npm(&["run", "--silent", "bench"]);
    bench.env("BASE_URL", page.address()).env("PACKAGE_URL", package.address()).env("CHROMIUM", chromium);
    tools::run(&mut bench)
}

/// What travels, by brotli at its highest level, as a careful web host sends it.
fn sizes(site: &Path) -> Result<()> {
    say("size over the wire (brotli 11)");
    let mut files = Vec::new();
    collect(site, &mut files)?;
    files.sort();
    let mut total = 0;
    for file in files {
        let bytes = brotli_size(&fs::read(&file)?)?;
        total += bytes;
        println!("{:>10}  {}", bytes, file.strip_prefix(site).unwrap_or(&file).display());
    }
    println!("{total:>10}  in all");
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn brotli_size(bytes: &[u8]) -> Result<usize> {
    let mut compressor = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 24);
    compressor.write_all(bytes)?;
    compressor.flush()?;
    Ok(compressor.into_inner().len())
}
