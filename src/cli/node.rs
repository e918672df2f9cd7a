//! The command line's door under Node: its program passes in the arguments and, as `Host`, what only it can do.

use std::cell::RefCell;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::path::{Path, PathBuf};

use clap::Parser;
use wasm_bindgen::prelude::*;

use super::{Arguments, Failure, ended, worker};

#[wasm_bindgen]
extern "C" {
    pub type Host;

    /// To stdout.
    #[wasm_bindgen(method)]
    fn print(this: &Host, text: &str);
    /// To stderr.
    #[wasm_bindgen(method)]
    fn complain(this: &Host, text: &str);
    /// Width of the terminal, if stdout is one.
    #[wasm_bindgen(method)]
    fn columns(this: &Host) -> Option<u16>;
    /// Nothing to do, `0` of `0`, takes the bar away.
    #[wasm_bindgen(method)]
    fn progress(this: &Host, what: &str, done: f64, steps: f64);

    /// The folder of what comes with the program.
    #[wasm_bindgen(method)]
    fn home(this: &Host) -> String;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Host, path: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn write(this: &Host, path: &str, text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = makeFolder)]
    fn make_folder(this: &Host, path: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = realPath)]
    fn real_path(this: &Host, path: &str) -> Result<String, JsValue>;
    /// Paths, in alphabetical order.
    #[wasm_bindgen(method, catch)]
    fn entries(this: &Host, folder: &str) -> Result<Vec<String>, JsValue>;
    /// `file`, `folder`, or nothing.
    #[wasm_bindgen(method, js_name = kindOf)]
    fn kind_of(this: &Host, path: &str) -> Option<String>;

    /// Of the jobs that follow.
    #[wasm_bindgen(method)]
    fn document(this: &Host, line: &str);
    #[wasm_bindgen(method)]
    fn job(this: &Host, index: usize, line: &str);
    /// Waits for the next outcome of any job.
    #[wasm_bindgen(method)]
    fn outcome(this: &Host) -> Outcome;

    #[wasm_bindgen(method)]
    fn serve(this: &Host, port: u16);

    type Outcome;
    #[wasm_bindgen(method, getter)]
    fn index(this: &Outcome) -> usize;
    /// What the job printed.
    #[wasm_bindgen(method, getter)]
    fn line(this: &Outcome) -> Option<String>;
    /// Why it printed nothing.
    #[wasm_bindgen(method, getter)]
    fn error(this: &Outcome) -> Option<String>;
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
    static WORKER: RefCell<worker::Worker> = RefCell::default();
}

/// Carries out what the arguments say, and gives the exit code.
#[wasm_bindgen]
pub fn command_line(arguments: Vec<String>, host: Host) -> u8 {
    HOST.set(Some(host));
    match Arguments::try_parse_from(std::iter::once("twoam".to_owned()).chain(arguments)) {
        Ok(arguments) => ended(arguments.command),
        Err(refusal) => {
            let text = refusal.render().to_string();
            if refusal.use_stderr() {
                complain(&text)
            } else {
                print(&text)
            }
            refusal.exit_code() as u8
        }
    }
}

/// A thread that runs jobs: a line in, and for a run a line out.
#[wasm_bindgen]
pub fn work(line: &str) -> Result<Option<String>, JsValue> {
    let told = WORKER.with_borrow_mut(|worker| worker.told(line));
    told.map_err(|failure| js_sys::Error::new(&failure.to_string()).into())
}

#[derive(Debug, clap::Args)]
pub struct ServeArguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 2002)]
    port: u16,
}

pub fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    ask(|host| host.serve(arguments.port));
    Ok(())
}

fn ask<T>(what: impl FnOnce(&Host) -> T) -> T {
    HOST.with_borrow(|host| what(host.as_ref().expect("a command has a host")))
}

pub fn print(text: &str) {
    ask(|host| host.print(text));
}

pub fn complain(text: &str) {
    ask(|host| host.complain(text));
}

pub fn columns() -> Option<u16> {
    ask(Host::columns)
}

pub fn progress(what: &str, done: f64, steps: f64) {
    ask(|host| host.progress(what, done, steps));
}

pub fn document(line: &str) {
    ask(|host| host.document(line));
}

pub fn job(index: usize, line: &str) {
    ask(|host| host.job(index, line));
}

pub fn outcome() -> (usize, Result<String, String>) {
    let outcome = ask(Host::outcome);
    (outcome.index(), outcome.line().ok_or_else(|| outcome.error().unwrap_or_default()))
}

pub fn home() -> PathBuf {
    ask(Host::home).into()
}

pub fn read_to_string(path: impl AsRef<Path>) -> IoResult<String> {
    ask(|host| host.read(&text(path.as_ref()))).map_err(io_error)
}

pub fn write(path: impl AsRef<Path>, contents: impl AsRef<str>) -> IoResult<()> {
    ask(|host| host.write(&text(path.as_ref()), contents.as_ref())).map_err(io_error)
}

pub fn create_dir_all(path: impl AsRef<Path>) -> IoResult<()> {
    ask(|host| host.make_folder(&text(path.as_ref()))).map_err(io_error)
}

pub fn canonicalize(path: impl AsRef<Path>) -> IoResult<PathBuf> {
    ask(|host| host.real_path(&text(path.as_ref()))).map(PathBuf::from).map_err(io_error)
}

pub fn entries(folder: &Path) -> IoResult<Vec<PathBuf>> {
    let paths = ask(|host| host.entries(&text(folder))).map_err(io_error)?;
    Ok(paths.into_iter().map(PathBuf::from).collect())
}

pub fn exists(path: &Path) -> bool {
    ask(|host| host.kind_of(&text(path))).is_some()
}

pub fn is_file(path: &Path) -> bool {
    ask(|host| host.kind_of(&text(path))).as_deref() == Some("file")
}

pub fn is_dir(path: &Path) -> bool {
    ask(|host| host.kind_of(&text(path))).as_deref() == Some("folder")
}

/// Every path came in as text.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// In the words of the native program, where it has its own.
fn io_error(thrown: JsValue) -> Error {
    let field = |name: &str| js_sys::Reflect::get(&thrown, &name.into()).ok().and_then(|it| it.as_string());
    match field("code").as_deref() {
        Some("ENOENT") => Error::new(ErrorKind::NotFound, "No such file or directory (os error 2)"),
        Some("EACCES") => Error::new(ErrorKind::PermissionDenied, "Permission denied (os error 13)"),
        Some("ENOTDIR") => Error::new(ErrorKind::NotADirectory, "Not a directory (os error 20)"),
        Some("EISDIR") => Error::new(ErrorKind::IsADirectory, "Is a directory (os error 21)"),
        Some("ERR_ENCODING_INVALID_ENCODED_DATA") => {
            Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8")
        }
        _ => Error::other(field("message").unwrap_or_else(|| "it cannot be used".to_owned())),
    }
}
