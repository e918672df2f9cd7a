//! Where the programs the project needs are, and how to get those that are missing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The project's top folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project").to_owned()
}

/// Says what is being done, so that a wait is never silent.
pub fn say(text: &str) {
    eprintln!("\x1b[1m==> {text}\x1b[0m");
}

/// Runs a program to its end, its output shown; a failure names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

fn show(command: &Command) -> String {
    let words: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// Cargo as rustup started it, so that the pinned toolchain is kept.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Cargo for what somebody else's build must not wait for.
pub fn cargo_aside() -> Command {
    let cargo = cargo();
    if !cfg!(unix) {
        return cargo;
    }
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(cargo.get_program()).current_dir(root());
    command
}

pub fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(arguments).current_dir(root().join("www"));
    command
}

/// Runs a file of the project under Node.
pub fn node(file: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(root().join(file)).current_dir(root());
    command
}

/// What Vite needs; Node's own versions between are past their end.
const NODE: (u32, u32) = (20, 19);

/// A Node that is new enough; it cannot be installed for everybody alike.
pub fn ensure_node() -> Result<()> {
    let remedy = "Install Node.js 20.19 or newer from your system's packages or https://nodejs.org.";
    let Some(version) = printed("node", &["--version"]) else { bail!("Node.js is not installed. {remedy}") };
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|number| number.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < NODE {
        bail!("this is Node.js {}, which is too old. {remedy}", version.trim());
    }
    if printed(if cfg!(windows) { "npm.cmd" } else { "npm" }, &["--version"]).is_none() {
        bail!("npm is not installed, though Node.js is. Install it from your system's packages.");
    }
    Ok(())
}

/// Rust's standard library for a target: there with rustup, or installed by it.
pub fn ensure_target(target: &str) -> Result<()> {
    let there = || {
        let folder = printed("rustc", &["--print", "target-libdir", "--target", target]);
        folder.is_some_and(|folder| Path::new(folder.trim()).is_dir())
    };
    if there() {
        return Ok(());
    }
    say(&format!("installing Rust's standard library for {target}"));
    let installed = run(Command::new("rustup").args(["target", "add", target]).current_dir(root()));
    if there() {
        return Ok(());
    }
    installed.and_then(|()| bail!("it is still missing")).with_context(|| {
        format!("Rust has no standard library for {target}. Install it by `rustup target add {target}`, or from your system's packages")
    })
}

/// Installs the page's packages if the lock file is newer than what is there.
pub fn ensure_npm_packages() -> Result<()> {
    ensure_node()?;
    let www = root().join("www");
    let modified = |path: &Path| path.metadata().and_then(|it| it.modified()).ok();
    let installed = modified(&www.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&www.join("package-lock.json")) {
        return Ok(());
    }
    say("installing the page's packages by their lock file");
    run(&mut npm(&["ci", "--no-audit", "--no-fund"])).context(
        "the page's packages could not be installed. Without a way to npm's registry, name another by `npm config set registry URL`",
    )
}

/// A Chromium to test in: named by CHROMIUM, installed, or fetched.
pub fn ensure_chromium() -> Result<PathBuf> {
    if let Some(path) = named("CHROMIUM")? {
        return Ok(path);
    }
    if let Some(path) = find_chromium() {
        return Ok(path);
    }
    say("no Chromium found: installing one");
    if !install_system_packages(&["chromium"]) {
        let _ = run(&mut npm(&["exec", "--", "playwright", "install", "chromium"]));
    }
    find_chromium().context(
        "Chromium could not be installed. Install it from your system's packages, or name a browser by CHROMIUM=/path/to/chromium.",
    )
}

/// What an environment variable names, if it is set.
pub fn named(variable: &str) -> Result<Option<PathBuf>> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if let Some(path) = path.as_ref().filter(|path| !path.is_file()) {
        bail!("{variable} names {}, which does not exist", path.display());
    }
    Ok(path)
}

fn find_chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    names.iter().find_map(|name| on_path(name)).or_else(playwright_chromium)
}

/// Where Playwright keeps the browser it fetched itself.
fn playwright_chromium() -> Option<PathBuf> {
    let script = "process.stdout.write(require('playwright-core').chromium.executablePath())";
    let output = Command::new("node").args(["-e", script]).current_dir(root().join("www")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?);
    path.is_file().then_some(path)
}

/// The folder with `initdb` and `postgres`: named by TWOAM_PG_BIN, installed, or fetched.
pub fn ensure_postgres() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("TWOAM_PG_BIN") {
        let path = PathBuf::from(path);
        if !path.join("initdb").exists() {
            bail!("TWOAM_PG_BIN names {}, where there is no initdb", path.display());
        }
        return Ok(path);
    }
    if let Some(path) = find_postgres() {
        return Ok(path);
    }
    say("no PostgreSQL server found: installing one");
    install_system_packages(&["postgresql"]);
    find_postgres().context(
        "PostgreSQL could not be installed. Install version 15 or newer from your system's packages, or name the folder of initdb by TWOAM_PG_BIN.",
    )
}

/// A Python with what handlers import: named by TWOAM_PYTHON, or made here with packages of the registry.
pub fn ensure_python() -> Result<PathBuf> {
    if let Some(path) = named("TWOAM_PYTHON")? {
        return Ok(path);
    }
    let requirements = root().join("src/cli/postgres/requirements.txt");
    let wanted = std::fs::read(&requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let folder = root().join("target/python");
    let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
    if std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    say("making a Python environment with psycopg");
    let make = || run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    if make().is_err() {
        install_system_packages(&["python3-venv"]);
        make()?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(install).arg(&requirements))?;
    std::fs::write(&installed, wanted).with_context(|| format!("writing {}", installed.display()))?;
    Ok(python)
}

fn find_postgres() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/pgsql-15"]
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    folders.sort();
    folders.pop().or_else(|| on_path("initdb").and_then(|path| Some(path.canonicalize().ok()?.parent()?.to_owned())))
}

/// Debian's and its kin's packages, where this user may install them.
pub fn install_system_packages(names: &[&str]) -> bool {
    if on_path("apt-get").is_none() {
        return false;
    }
    let sudo = !is_root();
    let apt = |arguments: &[&str]| {
        let mut command = if sudo { Command::new("sudo") } else { Command::new("apt-get") };
        if sudo {
            command.args(["-n", "apt-get"]);
        }
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let install: Vec<&str> = ["install", "-y", "--no-install-recommends"].iter().chain(names).copied().collect();
    apt(&install) || (apt(&["update"]) && apt(&install))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What a program prints, if it is there and succeeds.
fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}
