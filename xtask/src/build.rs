//! From source to `dist/`: engine, scenarios with their recorded runs, page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};

use crate::tools::{self, cargo, cargo_aside, ensure_npm_packages, node, npm, root, say};

#[derive(Clone, Copy, PartialEq)]
pub enum Engine {
    /// Built in minutes, and fast enough to work with. The command line is in it.
    Quick,
    /// As it is published: linked as one crate.
    Published,
}

/// A page's engine has no command line in it where bytes count.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Page,
    CommandLine,
}

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the site and returns its folder.
pub fn run(engine: Engine) -> Result<PathBuf> {
    tools::ensure_node()?;
    tools::ensure_target(TARGET)?;
    engines(engine)?;
    say("recording the scenarios: some 40 seconds when the engine has changed, else only those that have");
    tools::run(node("www/node/documents.js").arg("www/public").arg(target_folder().join("documents.json")))?;
    page()
}

/// The published site, its documents written by the native command line that the tests have just built: whoever compares a browser's run
/// with its recording compares it with a native one.
pub fn tested() -> Result<PathBuf> {
    engine_and_rest(Engine::Published, Holds::Page)?;
    glue(Engine::Published, "www/pkg")?;
    say("recording the scenarios");
    tools::run(Command::new(command_line()).args(["export", "www/public"]).current_dir(root()))?;
    page()
}

/// The engine with its JavaScript, for the page in `www/pkg` and for Node in `www/node/engine`.
pub fn engines(engine: Engine) -> Result<()> {
    if engine == Engine::Published {
        engine_and_rest(engine, Holds::Page)?;
        glue(engine, "www/pkg")?;
        engine_and_rest(engine, Holds::CommandLine)?;
        return glue(engine, "www/node/engine");
    }
    engine_and_rest(engine, Holds::CommandLine)?;
    glue(engine, "www/pkg")?;
    copy(&root().join("www/pkg"), &root().join("www/node/engine"))
}

/// The engine is what takes long: everything that does not need it is made beside it.
fn engine_and_rest(engine: Engine, holds: Holds) -> Result<()> {
    let (for_whom, how_long) = match (holds, engine) {
        (Holds::Page, _) => ("the page", "about ten minutes on two cores"),
        (Holds::CommandLine, Engine::Published) => ("the command line", "about five minutes"),
        (Holds::CommandLine, Engine::Quick) => ("page and command line", "about four minutes on two cores"),
    };
    let first = if module(engine).exists() { "" } else { ", the first time" };
    say(&format!("building the engine for {for_whom}: {how_long}{first}, then only when Rust code has changed"));
    let mut building = start_engine(engine, holds)?;
    let rest = ensure_npm_packages().and_then(|()| tools::run(&mut glue_maker()));
    if rest.is_err() {
        let _ = building.kill();
    }
    let status = building.wait()?;
    rest?;
    if !status.success() {
        bail!("the engine was not built ({status})");
    }
    Ok(())
}

fn start_engine(engine: Engine, holds: Holds) -> Result<Child> {
    let mut command = cargo();
    // LTO is switched off silently when the library also has the crate type rlib, hence one type, named here.
    command.args(["rustc", "--lib", "--crate-type", "cdylib", "--target", TARGET, "--profile", profile(engine)]);
    if holds == Holds::Page {
        command.arg("--no-default-features");
    }
    command.spawn().context("could not start cargo")
}

fn profile(engine: Engine) -> &'static str {
    match engine {
        Engine::Quick => "quick",
        Engine::Published => "wasm",
    }
}

fn module(engine: Engine) -> PathBuf {
    target_folder().join(TARGET).join(profile(engine)).join("twoam.wasm")
}

fn glue_maker() -> Command {
    // The engine's longest crates stand one after the other: they get both cores when they want them.
    let mut command = cargo_aside();
    command.args(["build", "--quiet", "--package", "glue", "--profile", "tool"]);
    command
}

/// The engine's JavaScript, unless it was made from this very module.
fn glue(engine: Engine, folder: &str) -> Result<()> {
    let (module, folder) = (module(engine), root().join(folder));
    let made_from = folder.join("made-from.txt");
    let written = module.metadata().and_then(|it| it.modified()).with_context(|| module.display().to_string())?;
    let this = format!("{} {written:?}", module.display());
    if fs::read_to_string(&made_from).is_ok_and(|text| text == this) {
        return Ok(());
    }
    let maker = target_folder().join("tool").join(format!("glue{}", std::env::consts::EXE_SUFFIX));
    tools::run(Command::new(maker).arg(&module).arg(&folder))?;
    fs::write(&made_from, this).with_context(|| made_from.display().to_string())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            continue;
        }
        let copy = to.join(path.file_name().expect("an entry has a name"));
        fs::copy(&path, &copy).with_context(|| copy.display().to_string())?;
    }
    Ok(())
}

fn page() -> Result<PathBuf> {
    say("building the page: some ten seconds");
    tools::run(&mut npm(&["run", "--silent", "build"]))?;
    Ok(root().join("dist"))
}

/// The native command line that the tests have built.
pub fn command_line() -> PathBuf {
    target_folder().join("debug").join(format!("twoam{}", std::env::consts::EXE_SUFFIX))
}

pub fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(Path::new(&path)))
}
