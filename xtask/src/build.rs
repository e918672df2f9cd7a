//! From source to `dist/`: engine, scenarios with their recorded runs, page.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use wasm_bindgen_cli_support::Bindgen;

use crate::tools::{self, cargo, ensure_npm_packages, npm, root, say};

#[derive(Args, Clone, Default)]
pub struct Options {
    /// Skip link-time optimisation of the engine: builds sooner, runs slower, weighs more
    #[arg(long)]
    pub quick: bool,
    /// The tests have just built the command line: asked for alone, it would be built anew with fewer features.
    #[arg(skip)]
    pub tested: bool,
}

/// Builds the site and returns its folder.
pub fn run(options: &Options) -> Result<PathBuf> {
    ensure_npm_packages()?;
    engine(options)?;
    documents(options)?;
    page()
}

/// The engine as WebAssembly with its JavaScript glue, in `www/pkg`.
fn engine(options: &Options) -> Result<()> {
    say("building the engine for the browser");
    let mut command = cargo();
    // LTO is switched off silently when the library also has the crate type rlib, hence one type, named here.
    command.args(["rustc", "--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown"]);
    command.args(["--profile", "wasm"]);
    if options.quick {
        command.env("CARGO_PROFILE_WASM_LTO", "off").env("CARGO_PROFILE_WASM_CODEGEN_UNITS", "16");
    }
    run_quietly(&mut command)?;
    let wasm = target_folder().join("wasm32-unknown-unknown/wasm/twoam.wasm");
    let package = root().join("www/pkg");
    Bindgen::new()
        .input_path(&wasm)
        .web(true)?
        .omit_default_module_path(false)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&package)
        .with_context(|| format!("could not make the JavaScript glue for {}", wasm.display()))
}

/// Scenario documents and recorded runs, in `www/public`.
fn documents(options: &Options) -> Result<()> {
    if !options.tested {
        say("building the command line");
        run_quietly(cargo().args(["build", "--bin", "twoam"]))?;
    }
    say("recording the scenarios");
    tools::run(Command::new(command_line()).args(["export", "www/public"]).current_dir(root()))
}

fn page() -> Result<PathBuf> {
    say("building the page");
    tools::run(&mut npm(&["run", "--silent", "build"]))?;
    Ok(root().join("dist"))
}

/// The command line that wrote the documents of the latest build.
pub fn command_line() -> PathBuf {
    target_folder().join("debug").join(format!("twoam{}", std::env::consts::EXE_SUFFIX))
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(Path::new(&path)))
}

fn run_quietly(command: &mut Command) -> Result<()> {
    tools::run(command.arg("--quiet"))
}
