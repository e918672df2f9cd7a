//! A real PostgreSQL of our own: started in a temporary folder, spoken to on a socket in it, gone at the end.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{ErrorFields, Message};
use postgres_protocol::message::frontend;
use tempfile::TempDir;
use twoam::isolation::{Arrival, ErrorResponse, QueryResponse, ServerUnderTest, StatementResult};
use twoam::trace::{Notice, Sqlstate};

/// A running server. Tests share one, each in a database of its own.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    user: Option<u32>,
    postmaster: Child,
    databases: AtomicU32,
}

static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

impl Cluster {
    /// The server of this test process, started by whoever needs it first.
    pub fn shared() -> Arc<Cluster> {
        let mut shared = SHARED.lock().unwrap_or_else(|it| it.into_inner());
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Cluster::start());
        *shared = Arc::downgrade(&cluster);
        cluster
    }

    fn start() -> Cluster {
        let programs = programs();
        let user = unprivileged_user();
        let folder = tempfile::Builder::new().prefix("twoam-pg-").tempdir().expect("a temporary folder");
        if let Some(user) = user {
            chown(folder.path(), Some(user), None).expect("root may give a folder away");
        }
        let data = folder.path().join("data");
        let made = command(&programs, "initdb", user)
            .args(["--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8", "--username=postgres", "-D"])
            .arg(&data)
            .output()
            .expect("initdb can be started");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let postmaster = command(&programs, "postgres", user)
            .args(SETTINGS.iter().flat_map(|it| ["-c", it]))
            .arg("-k")
            .arg(folder.path())
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).expect("the folder is ours"))
            .spawn()
            .expect("postgres can be started");
        let cluster = Cluster { folder, programs, user, postmaster, databases: AtomicU32::new(0) };
        cluster.wait_until_ready();
        cluster
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        while Connection::try_open(self, "postgres", "").is_none() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(30), "PostgreSQL does not come up:\n{}", log());
            sleep(Duration::from_millis(20));
        }
    }

    /// A new empty database, by name.
    pub fn new_database(&self) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let answer =
            Connection::open(self, "postgres", "").query(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        assert_eq!(answer.failure, None);
        name
    }

    /// Who is still connected to it loses the connection.
    pub fn drop_database(&self, name: &str) {
        Connection::open(self, "postgres", "").query(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = command(&self.programs, "pg_ctl", self.user)
            .args(["stop", "--mode=immediate", "--silent", "-D"])
            .arg(self.folder.path().join("data"))
            .status();
        if !stopped.is_ok_and(|it| it.success()) {
            let _ = self.postmaster.kill();
        }
        let _ = self.postmaster.wait();
    }
}

/// How long PostgreSQL lets a wait be before it looks for a deadlock. Every new wait is held that long before the next
/// step, so the session whose wait closes a cycle is the one that finds it.
const SETTINGS: &[&str] = &[
    "deadlock_timeout=4ms",
    // Told to the client as well: it is how we learn that a wait was searched for a deadlock.
    "log_lock_waits=on",
    "listen_addresses=",
    "autovacuum=off",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=60",
    "shared_buffers=32MB",
    "timezone=UTC",
    "lc_messages=C",
    "datestyle=ISO, MDY",
    "jit=off",
    "max_parallel_workers_per_gather=0",
];

fn programs() -> PathBuf {
    let given = std::env::var_os("TWOAM_PG_BIN").map(PathBuf::from);
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|it| Some(it.ok()?.path().join("bin")))
        .filter(|it| it.join("initdb").exists())
        .collect();
    found.sort();
    given.or_else(|| found.pop()).unwrap_or_else(|| {
        panic!(
            "this test compares with a real PostgreSQL and there is none here: install the package postgresql-15 \
             (`cargo xtask test` does), or name the folder of initdb and postgres in TWOAM_PG_BIN"
        )
    })
}

/// PostgreSQL refuses to run as root: then a user to run it as.
fn unprivileged_user() -> Option<u32> {
    let id = Command::new("id").arg("-u").output().expect("id can be started");
    if id.stdout.trim_ascii() != b"0" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number_of = |name: &str| {
        let line = users.lines().find(|it| it.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    };
    Some(number_of("postgres").or_else(|| number_of("nobody")).unwrap_or(65534))
}

fn command(programs: &Path, program: &str, user: Option<u32>) -> Command {
    let mut command = Command::new(programs.join(program));
    command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command
}

/// One connection; a query is sent, and its answer collected as it comes.
pub struct Connection {
    stream: UnixStream,
    received: BytesMut,
    process: i32,
    /// `I`, `T` or `E` as in ReadyForQuery; `None` while a query runs.
    state: Option<u8>,
    answer: QueryResponse,
    /// Columns and rows of the statement that is being answered.
    columns: Option<Vec<String>>,
    rows: Vec<Vec<Option<String>>>,
    notices: VecDeque<Notice>,
    /// The character of its text that the last failed query's error points to.
    position: Option<u32>,
    /// The server said that it looked for a deadlock since the present wait began.
    searched: bool,
    closed: bool,
}

impl Connection {
    /// `options` as on the server's command line.
    pub fn open(cluster: &Cluster, database: &str, options: &str) -> Connection {
        Connection::try_open(cluster, database, options).expect("the server takes connections")
    }

    fn try_open(cluster: &Cluster, database: &str, options: &str) -> Option<Connection> {
        let stream = UnixStream::connect(cluster.folder.path().join(".s.PGSQL.5432")).ok()?;
        let mut connection = Connection {
            stream,
            received: BytesMut::new(),
            process: 0,
            state: None,
            answer: QueryResponse::default(),
            columns: None,
            rows: Vec::new(),
            notices: VecDeque::new(),
            position: None,
            searched: false,
            closed: false,
        };
        let mut message = BytesMut::new();
        let options = format!("-c client_min_messages=log {options}");
        let parameters = [("user", "postgres"), ("database", database), ("options", options.as_str())];
        frontend::startup_message(parameters, &mut message).ok()?;
        connection.stream.write_all(&message).ok()?;
        connection.wait();
        (!connection.closed && connection.answer.failure.is_none()).then_some(connection)
    }

    /// Sends a query and waits for all of its answer.
    pub fn query(&mut self, sql: &str) -> QueryResponse {
        self.send(sql);
        self.wait();
        std::mem::take(&mut self.answer)
    }

    /// `I`, `T` or `E` as in ReadyForQuery; `None` while a query runs.
    pub fn state(&self) -> Option<u8> {
        self.state
    }

    pub fn position(&self) -> Option<u32> {
        self.position
    }

    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.drain(..).collect()
    }

    fn send(&mut self, sql: &str) {
        let mut message = BytesMut::new();
        frontend::query(sql, &mut message).expect("a query has no zero byte");
        self.answer = QueryResponse::default();
        self.position = None;
        self.searched = false;
        self.state = None;
        self.stream.set_nonblocking(false).expect("a socket");
        if self.stream.write_all(&message).is_err() {
            self.close();
        }
    }

    fn wait(&mut self) {
        self.stream.set_nonblocking(false).expect("a socket");
        while self.state.is_none() {
            self.receive();
        }
    }

    /// Takes what has come, without waiting.
    fn poll(&mut self) {
        self.stream.set_nonblocking(true).expect("a socket");
        self.receive();
    }

    fn receive(&mut self) {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => return self.close(),
            Ok(length) => self.received.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => return self.close(),
        }
        while let Some(message) = Message::parse(&mut self.received).expect("the server keeps to the protocol") {
            self.take(message);
        }
    }

    /// Nobody here has rows to send: the server answers with an error.
    fn refuse_copy(&mut self) {
        let mut message = BytesMut::new();
        frontend::copy_fail("no rows", &mut message).expect("a text has no zero byte");
        if self.stream.write_all(&message).is_err() {
            self.close();
        }
    }

    /// The server ended the connection: what it sent before stays the answer.
    fn close(&mut self) {
        self.closed = true;
        self.state = Some(b'I');
        if self.answer.failure.is_none() {
            self.answer.failure = Some(ErrorResponse::new("08006", "the server closed the connection"));
        }
    }

    fn take(&mut self, message: Message) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match message {
            Message::BackendKeyData(body) => self.process = body.process_id(),
            Message::RowDescription(body) => {
                let names: Vec<String> = body.fields().map(|it| Ok(it.name().to_owned())).collect().expect("fields");
                self.columns = Some(names);
            }
            Message::DataRow(body) => {
                let ranges: Vec<_> = body.ranges().collect().expect("columns");
                self.rows.push(ranges.into_iter().map(|it| it.map(|it| text(&body.buffer()[it]))).collect());
            }
            Message::CommandComplete(body) => {
                let tag = body.tag().expect("a tag").to_owned();
                let (columns, rows) = (self.columns.take(), std::mem::take(&mut self.rows));
                self.answer.results.push(StatementResult { tag, columns, rows });
            }
            Message::ErrorResponse(body) => {
                let (severity, sqlstate, message, position) = fields(body.fields());
                self.position = position;
                self.columns = None;
                self.rows.clear();
                self.answer.failure = Some(ErrorResponse { severity, sqlstate, message });
            }
            Message::NoticeResponse(body) => {
                let (severity, sqlstate, message, _) = fields(body.fields());
                if severity == "LOG" {
                    self.searched = !message.contains("acquired");
                } else {
                    self.notices.push_back(Notice { severity, sqlstate, message });
                }
            }
            Message::CopyInResponse(_) => self.refuse_copy(),
            Message::ReadyForQuery(body) => self.state = Some(body.status()),
            _ => {}
        }
    }
}

fn fields(mut fields: ErrorFields<'_>) -> (String, Sqlstate, String, Option<u32>) {
    let (mut severity, mut sqlstate, mut message, mut position) = Default::default();
    while let Some(field) = fields.next().expect("error fields") {
        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'S' => severity = value,
            b'C' => sqlstate = value,
            b'M' => message = value,
            b'P' => position = value.parse().ok(),
            _ => {}
        }
    }
    (severity, Sqlstate::new(&sqlstate), message, position)
}

/// Sessions on a real PostgreSQL, for `isolation::run_on`.
pub struct RealServer {
    cluster: Arc<Cluster>,
    database: String,
    options: &'static str,
    connections: Vec<Connection>,
    /// Which connections have a query whose answer was not handed on.
    busy: Vec<bool>,
    /// Looks at the locks of the others.
    monitor: Connection,
}

/// With all waiting, so long without any change means that no timer is running.
const NO_TIMER: Duration = Duration::from_millis(1500);

/// A spec may set deadlock_timeout itself: then no search is told, and a wait this long counts as one.
const NOT_SEARCHED: Duration = Duration::from_millis(400);

impl RealServer {
    pub fn new() -> RealServer {
        RealServer::with_options("")
    }

    /// Reads tables in the order of their keys where a condition on the key lets it, as our engine does.
    pub fn in_key_order() -> RealServer {
        RealServer::with_options("-c enable_seqscan=off -c enable_bitmapscan=off")
    }

    fn with_options(options: &'static str) -> RealServer {
        let cluster = Cluster::shared();
        let database = cluster.new_database();
        let monitor = Connection::open(&cluster, "postgres", "");
        RealServer { cluster, database, options, connections: Vec::new(), busy: Vec::new(), monitor }
    }

    fn collect(&mut self, arrivals: &mut Vec<Arrival>) {
        for (index, (connection, busy)) in self.connections.iter_mut().zip(&mut self.busy).enumerate() {
            connection.poll();
            let notices = connection.notices.drain(..);
            arrivals.extend(notices.map(|notice| Arrival::Notice { connection: index, notice }));
            if *busy && connection.state.is_some() {
                *busy = false;
                arrivals.push(Arrival::Ended { connection: index, answer: std::mem::take(&mut connection.answer) });
            }
        }
    }

    /// Whether every busy connection waits for a lock.
    fn all_wait(&mut self) -> bool {
        let busy: Vec<i32> =
            self.connections.iter().zip(&self.busy).filter(|(_, busy)| **busy).map(|(it, _)| it.process).collect();
        if busy.is_empty() {
            return true;
        }
        let list: Vec<_> = busy.iter().map(i32::to_string).collect();
        let answer = self.monitor.query(&format!(
            "SELECT pid FROM pg_locks WHERE NOT granted AND pid IN ({0}) \
             UNION SELECT pid FROM pg_stat_activity WHERE wait_event = 'SafeSnapshot' AND pid IN ({0})",
            list.join(",")
        ));
        assert_eq!(answer.failure, None, "the monitor's query");
        answer.results[0].rows.len() == busy.len()
    }

    fn all_searched(&self) -> bool {
        self.connections.iter().zip(&self.busy).all(|(it, busy)| !busy || it.searched)
    }
}

impl ServerUnderTest for RealServer {
    fn begin(&mut self, connections: usize) {
        let reusable = self.connections.len() == connections
            && self.connections.iter().zip(&self.busy).all(|(it, busy)| !busy && !it.closed && it.state == Some(b'I'));
        if !reusable {
            let processes: Vec<_> = self.connections.drain(..).map(|it| it.process.to_string()).collect();
            let list = processes.join(",");
            self.monitor.query(&format!(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = ANY ('{{{list}}}')"
            ));
            self.connections =
                (0..connections).map(|_| Connection::open(&self.cluster, &self.database, self.options)).collect();
            self.busy = vec![false; connections];
        }
        for connection in &mut self.connections {
            let answer = connection.query("DISCARD ALL");
            assert_eq!(answer.failure, None);
            connection.take_notices();
        }
        let control = &mut self.connections[0];
        let answer = control.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        assert_eq!(answer.failure, None);
        control.take_notices();
    }

    fn launch(&mut self, connection: usize, sql: &str) {
        self.connections[connection].send(sql);
        self.busy[connection] = true;
    }

    fn settle(&mut self) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        let begun = Instant::now();
        loop {
            self.collect(&mut arrivals);
            let before = arrivals.len();
            if (self.all_searched() || begun.elapsed() > NOT_SEARCHED) && self.all_wait() {
                self.collect(&mut arrivals);
                if arrivals.len() == before && (self.all_searched() || begun.elapsed() > NOT_SEARCHED) {
                    return arrivals;
                }
            } else {
                sleep(Duration::from_micros(200));
            }
        }
    }

    fn pass_time(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < NO_TIMER {
            let mut changed = false;
            for (connection, busy) in self.connections.iter_mut().zip(&self.busy) {
                connection.poll();
                changed |= *busy && connection.state.is_some();
            }
            if changed {
                return true;
            }
            sleep(Duration::from_millis(1));
        }
        false
    }
}
