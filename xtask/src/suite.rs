//! PostgreSQL's own tests against our engine: gets them from the system's source package and has the differential test run them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools::{self, cargo, ensure_postgres, on_path, root, say};

/// The source package: of the release that the engine answers as.
const PACKAGE: &str = "postgresql-15";

#[derive(Default)]
pub struct Wanted {
    /// An unpacked source of PostgreSQL.
    pub source: Option<PathBuf>,
    /// A part of the names of the files to run.
    pub only: Option<String>,
    /// Every other answer, not one of each kind.
    pub kinds: bool,
}

pub fn run(wanted: &Wanted) -> Result<()> {
    let postgres = ensure_postgres()?;
    let source = match &wanted.source {
        Some(given) => given.canonicalize().with_context(|| format!("--source {}", given.display()))?,
        None => fetched()?,
    };
    if !has_tests(&source) {
        bail!("{} has no src/test/regress/sql: it is not a source of PostgreSQL", source.display());
    }
    let mut suite = cargo();
    suite.args(["test", "--workspace", "--quiet", "--test", "differential", "--"]);
    suite.args(["--ignored", "--nocapture", "postgres_suite"]);
    suite.env("TWOAM_PG_BIN", postgres).env("TWOAM_SUITE_SOURCE", source);
    if let Some(only) = &wanted.only {
        suite.env("TWOAM_SUITE_ONLY", only);
    }
    if wanted.kinds {
        suite.env("TWOAM_SUITE_KINDS", "1");
    }
    tools::run(&mut suite)
}

fn has_tests(source: &Path) -> bool {
    source.join("src/test/regress/sql").is_dir() && source.join("src/test/isolation/specs").is_dir()
}

/// The source under `target/`, got there the first time.
fn fetched() -> Result<PathBuf> {
    let folder = root().join("target/postgres-source");
    if let Some(source) = unpacked(&folder) {
        return Ok(source);
    }
    let remedy = format!(
        "PostgreSQL's source could not be got by apt. Get it as you like, by `apt-get source {PACKAGE}` or from \
         https://www.postgresql.org/ftp/source, unpack it, and say where it is: `cargo xtask postgres-suite --source DIR`"
    );
    if on_path("apt-get").is_none() {
        bail!(remedy);
    }
    say(&format!("getting the source package {PACKAGE} into {}", folder.display()));
    fetch(&folder).context(remedy)?;
    unpacked(&folder).with_context(|| format!("the package {PACKAGE} has no tests of PostgreSQL in it"))
}

fn unpacked(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.filter_map(|it| Some(it.ok()?.path())).find(|it| has_tests(it))
}

fn fetch(folder: &Path) -> Result<()> {
    let apt = Apt::new(folder)?;
    // Some other source of the system may not answer, or have no source packages.
    let updated = apt.run("apt-get", &["update", "-qq"]);
    let versions = apt.versions()?;
    if versions.is_empty() {
        updated?;
    }
    let got = versions.iter().any(|version| {
        let package = format!("{PACKAGE}={version}");
        apt.run("apt-get", &["source", "-qq", "--download-only", "--tar-only", "--only-source", &package]).is_ok()
    });
    let archive = archive(folder);
    let Some(archive) = archive.filter(|_| got) else { bail!("no mirror of the system has {PACKAGE}") };
    let tests = ["*/src/test/isolation", "*/src/test/regress"];
    tools::run(Command::new("tar").current_dir(folder).arg("-xf").arg(archive).arg("--wildcards").args(tests))
}

fn archive(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut files = entries.filter_map(|it| Some(it.ok()?.path()));
    files.find(|it| it.file_name().is_some_and(|it| it.to_string_lossy().contains(".orig.tar.")))
}

/// apt with lists of its own: the system's sources, asked for source packages as well. What the system has is left alone, so no
/// rights are needed.
struct Apt {
    folder: PathBuf,
    options: Vec<OsString>,
}

impl Apt {
    fn new(folder: &Path) -> Result<Apt> {
        let state = folder.join("apt");
        for part in ["state/lists/partial", "cache/archives/partial", "sources"] {
            let part = state.join(part);
            std::fs::create_dir_all(&part).with_context(|| format!("making {}", part.display()))?;
        }
        copy_sources(&state.join("sources"))?;
        let option = |name: &str, value: &Path| {
            let mut option = OsString::from(format!("{name}="));
            option.push(value);
            [OsString::from("-o"), option]
        };
        let options = [
            option("Dir::Etc::sourcelist", Path::new("-")),
            option("Dir::Etc::sourceparts", &state.join("sources")),
            option("Dir::State", &state.join("state")),
            option("Dir::Cache", &state.join("cache")),
            // Run by root, it would give downloads to a user who may not write under target/.
            option("APT::Sandbox::User", Path::new("root")),
        ];
        Ok(Apt { folder: folder.to_owned(), options: options.concat() })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        tools::run(self.command(program).args(arguments))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).args(&self.options).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// The newest first. A mirror may name one that it no longer has, or not yet.
    fn versions(&self) -> Result<Vec<String>> {
        let output = self.command("apt-cache").args(["showsrc", "--only-source", PACKAGE]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut versions: Vec<String> =
            text.lines().filter_map(|it| Some(it.strip_prefix("Version: ")?.to_owned())).collect();
        versions.sort();
        versions.dedup();
        versions.reverse();
        Ok(versions)
    }
}

/// The system's sources with `deb` said as `deb-src`, in both of apt's formats.
fn copy_sources(into: &Path) -> Result<()> {
    let listed = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten();
    let files = listed.filter_map(|it| Some(it.ok()?.path())).chain([PathBuf::from("/etc/apt/sources.list")]);
    for file in files {
        let Some(name) = file.file_name() else { continue };
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let lines = text.lines().map(|line| match line.strip_prefix("deb ") {
            Some(rest) => format!("deb-src {rest}\n"),
            None if line.starts_with("Types:") => "Types: deb-src\n".to_owned(),
            None => format!("{line}\n"),
        });
        let copy = into.join(name);
        std::fs::write(&copy, lines.collect::<String>()).with_context(|| format!("writing {}", copy.display()))?;
    }
    Ok(())
}
