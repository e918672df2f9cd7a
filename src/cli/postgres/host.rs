//! One CPython process that hosts handlers: started, spoken to in lines of JSON, killed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use include_dir::{Dir, include_dir};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use twoam::python::library::CLIENTS;

use crate::cli::Failure;

const DRIVER: &str = include_str!("driver.py");
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/python/lib");

/// Of the interpreter's library, what CPython and the packages of the environment have themselves.
const REAL: [&str; 5] = ["asyncio.py", "jwt.py", "logging.py", "traceback.py", "_start.py"];

const PACKAGES: &str = include_str!("requirements.txt");

/// A line of a host, or its end.
pub struct Told {
    pub host: u32,
    pub message: Option<Json>,
}

pub struct Host {
    child: Child,
    stdin: ChildStdin,
}

/// Python with psycopg, and the files handlers need beside themselves.
pub struct Python {
    program: PathBuf,
    folder: TempDir,
}

impl Python {
    /// With the scenario's own files in reach.
    pub fn prepare(files: &[(&str, &str)]) -> Result<Python, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::file(&std::env::temp_dir(), &error))?;
        let modules = LIBRARY.files().filter(|file| {
            let name = file.path().to_string_lossy();
            !name.starts_with("psycopg") && !REAL.contains(&&*name)
        });
        let library = modules.map(|file| (file.path().to_string_lossy().into_owned(), file.contents().to_vec()));
        let own = [("driver.py", DRIVER)].into_iter().chain(files.iter().copied());
        let own = own.map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()));
        for (name, text) in library.chain(own) {
            let path = folder.path().join(name);
            fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
        }
        Ok(Python { program: interpreter()?, folder })
    }

    /// Runs one of the prepared files as a program: what it says last if it succeeds, else all that it says.
    pub fn output(&self, file: &str, database: &str) -> Result<Result<String, String>, Failure> {
        let mut command = Command::new(&self.program);
        command.arg("-I").arg(self.folder.path().join(file)).env("DATABASE_URL", database).stdin(Stdio::null());
        let output = command.output().map_err(|error| Failure::file(&self.program, &error))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let last = said.lines().next_back().unwrap_or_default().to_owned();
        let all = || format!("{said}{}", String::from_utf8_lossy(&output.stderr)).trim().to_owned();
        Ok(if output.status.success() { Ok(last) } else { Err(all()) })
    }

    /// Runs one of the prepared files: JSON in, JSON out.
    pub fn answer(&self, file: &str, job: &Json) -> Result<Json, Failure> {
        let mut command = Command::new(&self.program);
        command.args(["-u", "-I"]).arg(self.folder.path().join(file));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = command.spawn().and_then(|mut child| {
            // Dropped at once: the script reads to the end.
            write!(child.stdin.take().expect("stdin was asked for"), "{job}")?;
            child.wait_with_output()
        });
        let output = started.map_err(|error| Failure::file(&self.program, &error))?;
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            Failure::Result(format!("error: {last}"))
        })
    }

    /// Starts a host. `settings` lack only what all hosts share.
    pub fn start(
        &self,
        host: u32,
        handler: Option<&str>,
        mut settings: Json,
        told: Sender<Told>,
    ) -> Result<Host, Failure> {
        let folder = self.folder.path();
        settings["modules"] = json!(folder);
        settings["path"] = handler.map_or_else(|| json!(""), |name| json!(folder.join(name)));
        let clients = CLIENTS.iter().map(|client| {
            (client.parameter.to_string(), json!({ "module": client.module, "attribute": client.attribute }))
        });
        settings["clients"] = Json::Object(clients.collect());
        // A file, not a pipe: nobody reads it while the host lives.
        let errors = folder.join(format!("host-{host}.txt"));
        let stderr = fs::File::create(&errors).map_err(|error| Failure::file(&errors, &error))?;
        let mut child = Command::new(&self.program)
            .args(["-u", "-I"])
            .arg(folder.join("driver.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|error| Failure::file(&self.program, &error))?;
        let stdin = child.stdin.take().expect("stdin was asked for");
        let stdout = BufReader::new(child.stdout.take().expect("stdout was asked for"));
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let message = serde_json::from_str(&line).ok();
                if told.send(Told { host, message }).is_err() {
                    return;
                }
            }
            let said = fs::read_to_string(&errors).unwrap_or_default();
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let _ = told.send(Told { host, message: Some(json!({ "did": "ended", "error": last })) });
        });
        let mut host = Host { child, stdin };
        host.tell(&settings);
        Ok(host)
    }
}

impl Host {
    /// A host that has died hears nothing; its end comes as a message of its own.
    pub fn tell(&mut self, message: &Json) {
        // In one piece: each write wakes the host.
        let _ = self.stdin.write_all(format!("{message}\n").as_bytes());
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A virtual environment with psycopg, made on first use.
fn interpreter() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os("TWOAM_PYTHON") {
        return Ok(PathBuf::from(named));
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let folder = cache.unwrap_or_else(std::env::temp_dir).join("twoam").join("python");
    let program = folder.join("bin/python");
    let ready = folder.join("ready");
    if ready.is_file() {
        return Ok(program);
    }
    eprintln!("making a Python environment with psycopg in {} …", folder.display());
    step(
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder),
        "python3 with its venv module is needed (Debian: apt-get install python3-venv)",
    )?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    step(
        Command::new(&program).args(install).args(PACKAGES.lines().filter(|line| !line.starts_with('#'))),
        "psycopg could not be installed; set TWOAM_PYTHON to a Python that has psycopg[binary,pool] and pyjwt[crypto]",
    )?;
    fs::write(&ready, "").map_err(|error| Failure::file(&ready, &error))?;
    Ok(program)
}

fn step(command: &mut Command, remedy: &str) -> Result<(), Failure> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
            Err(Failure::Result(format!("error: {remedy} ({last})")))
        }
        Err(error) => {
            Err(Failure::Result(format!("error: {remedy} ({}: {error})", Path::new(command.get_program()).display())))
        }
    }
}
