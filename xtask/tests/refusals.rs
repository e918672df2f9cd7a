//! What somebody is told whose machine lacks something: at once, before anything is built.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of programs, each of them a shell script.
struct Programs {
    folder: PathBuf,
}

impl Programs {
    fn new(name: &str, programs: &[(&str, &str)]) -> Programs {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        for (program, work) in programs {
            let file = folder.join(program);
            fs::write(&file, format!("#!/bin/sh\n{work}\n")).expect("it can be written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        Programs { folder }
    }

    /// What `cargo xtask` says where there are no programs but these. It fails.
    fn refusal(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).env("PATH", &self.folder).env_remove("CARGO");
        let output = command.output().expect("the program runs");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).expect("messages are UTF-8")
    }
}

const NODE: (&str, &str) = ("node", "echo v24.1.0");
const NPM: (&str, &str) = ("npm", "echo 11.0.0");

#[test]
fn no_node() {
    let told = Programs::new("no-node", &[]).refusal(&["build"]);
    assert!(told.contains("Node.js is not installed. Install Node.js 20.19 or newer"), "{told}");
}

#[test]
fn an_old_node() {
    let told = Programs::new("old-node", &[("node", "echo v18.20.4"), NPM]).refusal(&["build"]);
    assert!(told.contains("this is Node.js v18.20.4, which is too old"), "{told}");
}

#[test]
fn a_node_without_npm() {
    let told = Programs::new("no-npm", &[NODE]).refusal(&["build"]);
    assert!(told.contains("npm is not installed"), "{told}");
}

#[test]
fn a_toolchain_without_the_target() {
    let told = Programs::new("no-target", &[NODE, NPM, ("rustc", "exit 1")]).refusal(&["build"]);
    assert!(told.contains("`rustup target add wasm32-unknown-unknown`"), "{told}");
}

#[test]
fn a_port_that_is_taken() {
    let other = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = other.local_addr().expect("it has one").port().to_string();
    let told = Programs::new("taken-port", &[NODE, NPM]).refusal(&["serve", "--port", &port]);
    assert!(told.contains(&format!("could not listen on port {port}")) && told.contains("--port"), "{told}");
}

/// The server ends when its stdin does, so this must stay open as long as `serve` waits.
#[test]
fn a_server_that_ends() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ended-server");
    let number = folder.join("process");
    let work = format!(
        "[ \"$1\" = --version ] && {{ {}; exit; }}\necho $$ > '{}'\necho http://127.0.0.1:1\nread -r _\nexit 7",
        NODE.1,
        number.display()
    );
    let programs = Programs::new("ended-server", &[("node", &work), NPM]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["serve", "--no-build", "--port", "0"]).env("PATH", &programs.folder);
    let mut serve = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let mut told = String::new();
    BufReader::new(serve.stdout.take().expect("it was piped")).read_line(&mut told).expect("it is text");
    assert!(told.starts_with("2 AM is served at http://127.0.0.1:1 "), "{told}");
    let process = fs::read_to_string(&number).expect("the server wrote it");
    assert!(Command::new("kill").arg(process.trim()).status().expect("kill is there").success());
    let output = serve.wait_with_output().expect("it has ended");
    let told = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert!(told.contains("the server has ended (signal: 15"), "{told}");
}

#[test]
fn arguments_that_mean_nothing() {
    let programs = Programs::new("arguments", &[]);
    assert!(programs.refusal(&["biuld"]).contains("there is no command `biuld`"));
    assert!(programs.refusal(&["build", "--port", "1"]).contains("`build` has no option --port"));
    assert!(programs.refusal(&["serve", "--port", "many"]).contains("many"));
}
