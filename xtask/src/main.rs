//! The project's commands: build the playground, serve it, test everything, measure it, pack it.

mod bench;
mod browsers;
mod build;
mod pack;
mod serve;
mod suite;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use lexopt::prelude::*;

use crate::build::Engine;

const HELP: &str = "\
Builds, serves, tests and measures 2 AM

Usage: cargo xtask COMMAND [OPTIONS]

Commands:
  serve   Build everything and serve the playground on a local address
            --port N       Port to listen on; 0 takes a free one [default: 2002]
            --release      The engine as it is published: faster and smaller, takes far longer to build
            --no-build     Serve dist/ as it is
  build   Build the static site into dist/
            --release      The engine as it is published
  pack    Build the npm package: the site, and the command line as WebAssembly
            --release      The engine as it is published
  test    Run every test: Rust, the page's units, and the built site in a real browser
            --no-browser   Leave out what needs the built site and a browser
  bench   Measure size, speed and start-up of what a reader gets
            --quick        Of the engine that `serve` builds
            --no-build     Measure dist/ as it is
  postgres-suite  Run PostgreSQL's own isolation specs and regress files on our engine and on a real PostgreSQL, and compare
            --source DIR   An unpacked source of PostgreSQL; else it is fetched by apt into target/
            --only NAME    Files whose names contain this, as in regress/join or isolation/
            --kinds        Print every other answer, not one of each kind";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Options {
    port: Option<u16>,
    release: bool,
    quick: bool,
    no_build: bool,
    no_browser: bool,
    suite: suite::Wanted,
}

fn run() -> Result<()> {
    let mut arguments = lexopt::Parser::from_env();
    let command = match arguments.next()? {
        Some(Value(name)) => name.string()?,
        Some(Short('h') | Long("help")) | None => String::from("help"),
        Some(other) => return Err(other.unexpected().into()),
    };
    let allowed: &[&str] = match command.as_str() {
        "serve" => &["port", "release", "no-build"],
        "build" | "pack" => &["release"],
        "test" => &["no-browser"],
        "bench" => &["quick", "no-build"],
        "postgres-suite" => &["source", "only", "kinds"],
        "help" => &[],
        other => return Err(anyhow!("there is no command `{other}`; `cargo xtask help` lists them")),
    };
    let mut options = Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return help(),
            Long(name) if !allowed.contains(&name) => {
                return Err(anyhow!("`{command}` has no option --{name}; `cargo xtask help` lists them"));
            }
            Long("port") => options.port = Some(arguments.value()?.parse()?),
            Long("release") => options.release = true,
            Long("quick") => options.quick = true,
            Long("no-build") => options.no_build = true,
            Long("no-browser") => options.no_browser = true,
            Long("source") => options.suite.source = Some(arguments.value()?.into()),
            Long("only") => options.suite.only = Some(arguments.value()?.string()?),
            Long("kinds") => options.suite.kinds = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let engine = if options.release { Engine::Published } else { Engine::Quick };
    match command.as_str() {
        "serve" => serve::run(options.port.unwrap_or(2002), (!options.no_build).then_some(engine)),
        "build" => build::run(engine).map(drop),
        "pack" => pack::run(engine).map(drop),
        "test" => test::run(!options.no_browser),
        "postgres-suite" => suite::run(&options.suite),
        "bench" => {
            let engine = if options.quick { Engine::Quick } else { Engine::Published };
            bench::run((!options.no_build).then_some(engine))
        }
        _ => help(),
    }
}

fn help() -> Result<()> {
    println!("{HELP}");
    Ok(())
}
