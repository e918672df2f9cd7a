//! The project's commands: build the playground, serve it, test everything, measure it.

mod bench;
mod browsers;
mod build;
mod serve;
mod test;
mod tools;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, serves, tests and measures 2 AM", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and serve the playground on a local address
    Serve(serve::Options),
    /// Build the static site into dist/
    Build(build::Options),
    /// Run every test: Rust, the page's units, and the built site in a real browser
    Test(test::Options),
    /// Measure size, speed and start-up of what a reader gets
    Bench(bench::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Serve(options) => serve::run(&options),
        Command::Build(options) => build::run(&options).map(|_| ()),
        Command::Test(options) => test::run(&options),
        Command::Bench(options) => bench::run(&options),
    }
}
