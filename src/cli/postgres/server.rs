//! A PostgreSQL to run against: one of our own in a temporary folder, or one that somebody names.

use std::cell::Cell;
use std::fmt;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::cli::Failure;

/// Folders of the private server, and the number in its socket's name.
const CLUSTER: &str = "cluster";
const REPLICA: &str = "replica";
const PORT: u16 = 5432;

pub struct Server {
    /// A URL: what psycopg connects to.
    address: String,
    private: Option<Private>,
    schemas: Cell<u32>,
}

/// A server of our own: it ends with the run and leaves nothing behind.
struct Private {
    programs: PathBuf,
    folder: TempDir,
    user: Option<User>,
    /// Stops the server and removes the folder when its stdin ends, however this process came to its end.
    guard: Option<Child>,
}

/// PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Server {
    /// `postgres` starts a private server; an address names another.
    pub fn open(address: &str) -> Result<Server, Failure> {
        if address == super::PRIVATE {
            return Private::start();
        }
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return Ok(Server { address: address.to_string(), private: None, schemas: Cell::new(0) });
        }
        let forms = "use `postgres` for a private server or an address such as postgres://user@host/database";
        Err(Failure::Usage(format!("error: there is no engine `{address}`; {forms}")))
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// A name for what one run makes.
    pub fn new_schema(&self) -> String {
        self.schemas.set(self.schemas.get() + 1);
        format!("twoam_{}_{}", std::process::id(), self.schemas.get())
    }

    /// Whoever connects with it finds the tables of this schema.
    pub fn dsn(&self, schema: &str) -> String {
        in_schema(&self.address, schema)
    }

    /// The same for a replica that replays each commit so much later. It is there until another one is asked for.
    pub fn replica_dsn(&self, schema: &str, lag_ms: f64) -> Result<String, Failure> {
        let Some(private) = &self.private else {
            return Err(Failure::Usage(
                "error: this scenario needs a replica with a lag that can be set: leave the address away (--engine postgres)"
                    .into(),
            ));
        };
        Ok(in_schema(&private.start_replica(lag_ms)?, schema))
    }
}

fn in_schema(address: &str, schema: &str) -> String {
    let join = if address.contains('?') { '&' } else { '?' };
    format!("{address}{join}options=-csearch_path%3D{schema}")
}

/// How errors speak of it.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.private {
            Some(_) => f.write_str("the private server cannot be used"),
            None => f.write_str("the server cannot be used; check the address after --engine"),
        }
    }
}

impl Private {
    fn start() -> Result<Server, Failure> {
        let programs = programs()?;
        let user = user_for_server()?;
        let folder = tempfile::tempdir().map_err(|error| Failure::file(&std::env::temp_dir(), &error))?;
        if let Some(user) = user {
            std::os::unix::fs::chown(folder.path(), Some(user.uid), Some(user.gid))
                .map_err(|error| Failure::file(folder.path(), &error))?;
        }
        let mut private = Private { programs, folder, user, guard: None };
        private.guard = Some(private.start_guard()?);
        private.run("initdb", &["-D", &private.inside(CLUSTER), "-U", "twoam", "-A", "trust", "--no-sync"])?;
        let address = private.serve(CLUSTER, PORT, "")?;
        Ok(Server { address, private: Some(private), schemas: Cell::new(0) })
    }

    /// A copy of the server that follows it.
    fn start_replica(&self, lag_ms: f64) -> Result<String, Failure> {
        let (source, copy) = (self.inside(""), self.inside(REPLICA));
        if Path::new(&copy).exists() {
            self.run("pg_ctl", &["-D", &copy, "-w", "-m", "fast", "stop"])?;
        } else {
            let follow = ["-h", &source, "-U", "twoam", "-D", &copy, "-R", "-c", "fast", "--no-sync"];
            self.run("pg_basebackup", &follow)?;
        }
        self.serve(REPLICA, PORT + 1, &format!("-c recovery_min_apply_delay={lag_ms}ms"))
    }

    /// Starts what lies in a folder. The socket's folder is private and nothing listens on a port. Durability stays on: commits must
    /// cost what they cost.
    fn serve(&self, cluster: &str, port: u16, more: &str) -> Result<String, Failure> {
        let (socket, log) = (self.inside(""), self.inside(&format!("{cluster}.log")));
        let options =
            format!("-k {socket} -p {port} -c listen_addresses= -c max_connections=400 -c deadlock_timeout=1s {more}");
        self.run("pg_ctl", &["-D", &self.inside(cluster), "-w", "-l", &log, "-o", &options, "start"])?;
        Ok(format!("postgresql://twoam@/postgres?host={}&port={port}", socket.replace('/', "%2F")))
    }

    fn start_guard(&self) -> Result<Child, Failure> {
        let work = r#"read -r _; for it in "$3" "$4"; do [ -d "$2/$it" ] && "$1" -D "$2/$it" -m immediate stop; done; cd /; rm -rf "$2""#;
        let mut command = Command::new("sh");
        command.args(["-c", work, "sh"]).arg(self.programs.join("pg_ctl")).arg(self.folder.path());
        command.args([REPLICA, CLUSTER]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C is for this process alone.
        self.as_user(&mut command).process_group(0);
        command.spawn().map_err(|error| Failure::file(Path::new("sh"), &error))
    }

    fn as_user<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match self.user {
            Some(User { uid, gid }) => command.uid(uid).gid(gid),
            None => command,
        }
    }

    fn inside(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string().trim_end_matches('/').to_owned()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<Output, Failure> {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).stdin(Stdio::null()).current_dir(self.folder.path());
        self.as_user(&mut command);
        // pg_ctl hands its output on to the server, so a pipe would never end.
        let report = self.folder.path().join(format!("{program}.txt"));
        let file = fs::File::create(&report).map_err(|error| Failure::file(&report, &error))?;
        let second = file.try_clone().map_err(|error| Failure::file(&report, &error))?;
        let output = command.stdout(file).stderr(second).output();
        match output {
            Ok(output) if output.status.success() => Ok(output),
            Ok(_) => {
                let said = fs::read_to_string(&report).unwrap_or_default();
                Err(Failure::Result(format!("error: {program} failed: {}", said.trim())))
            }
            Err(error) => Err(Failure::Result(format!("error: {program} cannot be started: {error}"))),
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(guard) = &mut self.guard {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// The folder with initdb and pg_ctl, of the newest version there is.
fn programs() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("TWOAM_PG_BIN").map(PathBuf::from);
    let packaged =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let mut packaged = packaged.collect::<Vec<_>>();
    packaged.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let mut places = named.into_iter().chain(packaged.into_iter().rev()).chain(on_path);
    places.find(|place| place.join("initdb").is_file() && place.join("pg_ctl").is_file()).ok_or_else(|| {
        let remedy = "install the package `postgresql`, set TWOAM_PG_BIN to the folder of initdb, or name a server: --engine postgres://user@host/database";
        Failure::Usage(format!("error: no PostgreSQL server was found; {remedy}"))
    })
}

/// Nobody if this is not root, else the system's own user for PostgreSQL.
fn user_for_server() -> Result<Option<User>, Failure> {
    use std::os::unix::fs::MetadataExt;
    let probe = tempfile::tempdir().map_err(|error| Failure::file(&std::env::temp_dir(), &error))?;
    let own = fs::metadata(probe.path()).map_err(|error| Failure::file(probe.path(), &error))?.uid();
    if own != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| Failure::file(Path::new("/etc/passwd"), &error))?;
    let find = |name: &str| {
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| match fields[..] {
            [user, _, uid, gid, ..] if user == name => Some(User { uid: uid.parse().ok()?, gid: gid.parse().ok()? }),
            _ => None,
        })
    };
    let user = find("postgres").or_else(|| find("nobody"));
    user.map(Some).ok_or_else(|| {
        Failure::Usage("error: PostgreSQL does not run as root; run twoam as another user, or name a server".into())
    })
}
