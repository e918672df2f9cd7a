//! Commands: read arguments, call the core, print. No rule of a run is decided here. The same files are the native program and, as
//! WebAssembly under Node, the one of the npm package.

// What is printed goes through `terminal`: a module of WebAssembly has no terminal of its own, and natively the standard macros panic
// when nobody reads on, as in `twoam list | head -1`. The macros come before the modules that use them.
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::terminal::print(format_args!($($text)*)) };
}
macro_rules! println {
    ($($text:tt)*) => { $crate::cli::terminal::print(format_args!("{}\n", format_args!($($text)*))) };
}
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::terminal::complain(format_args!("{}\n", format_args!($($text)*))) };
}

#[cfg(unix)]
mod calibrate;
mod catalog;
mod check;
mod compare;
mod explore;
mod export;
mod fs;
mod isolation;
mod list;
#[cfg(unix)]
mod machine;
mod new;
#[cfg(target_arch = "wasm32")]
mod node;
#[cfg(unix)]
mod postgres;
#[cfg(not(unix))]
#[path = "no_server.rs"]
mod postgres;
#[cfg(unix)]
mod reality;
mod replay;
mod reproduce;
mod request;
mod run;
mod terminal;
mod verdict;
mod worker;
mod worker_pool;

use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Why backend code that works on your machine breaks in production.
#[derive(Debug, Parser)]
#[command(name = "twoam", version, after_help = after_help())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  The command did what it was asked. A run whose code breaks an invariant ends with 0, too: the break is its result
  1  What was asked for came out bad: a run that did nothing useful or cannot begin, a check that found something
  2  The command cannot be carried out as it was given: an unknown name, a file that cannot be read";

fn after_help() -> String {
    #[cfg(not(unix))]
    return format!("{EXIT_CODES}\n\n{}", postgres::ELSEWHERE);
    #[cfg(unix)]
    EXIT_CODES.to_owned()
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the scenarios with their variants
    List(list::Arguments),
    /// Runs one variant in one environment and tells what happened
    Run(run::Arguments),
    /// Runs every variant in every environment and puts the results in one table
    Compare(compare::Arguments),
    /// Puts what the simulation predicts beside what a real PostgreSQL does
    #[cfg(unix)]
    Reality(reality::Arguments),
    /// Finds the fewest statements that break an invariant, and writes them for PostgreSQL
    Reproduce(reproduce::Arguments),
    /// Measures what statements cost on a real PostgreSQL of this machine and fits the cost model to it
    #[cfg(unix)]
    Calibrate(calibrate::Arguments),
    /// Checks scenario folders: manifest, files, texts, and that naive breaks where it should and hardened nowhere
    Check(check::Arguments),
    /// Runs a few requests of a scenario in every order and tells what can come of it
    Explore(explore::Arguments),
    /// Verifies a result code of the page: whether an edit of naive holds in production over all seeds
    Replay(replay::Arguments),
    /// Makes the folder of a new scenario from a template
    New(new::Arguments),
    /// Steps a .spec file through sessions of the engine, as PostgreSQL's isolation tester does
    Isolation(isolation::Arguments),
    /// Writes the page's data: documents and recorded runs of all scenarios
    #[command(hide = true)]
    Export(export::Arguments),
    /// Serves the playground on a local address; so does the program without any argument
    #[cfg(target_arch = "wasm32")]
    Serve(node::ServeArguments),
    /// Runs what another twoam tells it
    #[cfg(not(target_arch = "wasm32"))]
    #[command(hide = true)]
    Worker,
}

#[cfg(not(target_arch = "wasm32"))]
pub fn main() -> ExitCode {
    ExitCode::from(ended(Arguments::parse().command))
}

/// Carries a command out, and gives the exit code.
fn ended(command: Command) -> u8 {
    let outcome = match command {
        Command::List(arguments) => list::main(&arguments),
        Command::Run(arguments) => run::main(&arguments),
        Command::Compare(arguments) => compare::main(&arguments),
        #[cfg(unix)]
        Command::Reality(arguments) => reality::main(&arguments),
        Command::Reproduce(arguments) => reproduce::main(&arguments),
        #[cfg(unix)]
        Command::Calibrate(arguments) => calibrate::main(&arguments),
        Command::Check(arguments) => check::main(&arguments),
        Command::Explore(arguments) => explore::main(&arguments),
        Command::Replay(arguments) => replay::main(&arguments),
        Command::New(arguments) => new::main(&arguments),
        Command::Isolation(arguments) => isolation::main(&arguments),
        Command::Export(arguments) => export::main(&arguments),
        #[cfg(target_arch = "wasm32")]
        Command::Serve(arguments) => node::serve(&arguments),
        #[cfg(not(target_arch = "wasm32"))]
        Command::Worker => worker::main(),
    };
    match outcome {
        Ok(()) => 0,
        Err(Failure::Told) => Failure::Told.code(),
        Err(failure) => {
            eprintln!("{failure}");
            failure.code()
        }
    }
}

/// Why a command ends with an exit code other than 0.
#[derive(Debug)]
enum Failure {
    /// The arguments name something that is not there: 2.
    Usage(String),
    /// The work was done or begun, and the result is bad: 1.
    Result(String),
    /// The same, and what was printed says why: 1.
    Told,
}

impl Failure {
    /// ``error: there is no variant `x`; use one of: …``, with the one that was probably meant in front.
    fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Failure {
        let known = known.into_iter().collect::<Vec<_>>();
        let distance = |known: &&str| strsim::damerau_levenshtein(known, name);
        let meant = known.iter().copied().min_by_key(distance).filter(|known| distance(known) <= known.len() / 3);
        Failure::Usage(match (meant, &known[..]) {
            (_, []) => format!("error: there is no {what} `{name}`; there are none here"),
            (Some(meant), all) => {
                format!("error: there is no {what} `{name}`; did you mean `{meant}`? There are: {}", all.join(", "))
            }
            (None, all) => format!("error: there is no {what} `{name}`; use one of: {}", all.join(", ")),
        })
    }

    /// A file that cannot be read or written.
    fn file(path: &std::path::Path, error: &std::io::Error) -> Failure {
        let text = match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string(),
        };
        // The number that follows says the same once more.
        let text = text.split(" (os error").next().unwrap_or_default();
        Failure::Usage(format!("error: {}: {text}", path.display()))
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Result(_) | Failure::Told => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) | Failure::Result(text) => f.write_str(text),
            Failure::Told => Ok(()),
        }
    }
}

fn print_json(value: &impl serde::Serialize) {
    println!("{}", serde_json::to_string_pretty(value).expect("results are plain data"));
}
