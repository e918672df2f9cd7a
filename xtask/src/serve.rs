//! A static server for the built site: what any web host would do, on this machine.

use std::fs;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use tiny_http::{Header, Method, Request, Response, Server};

use crate::build;

#[derive(Args)]
pub struct Options {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 2002)]
    port: u16,
    #[command(flatten)]
    build: build::Options,
    /// Serve dist/ as it is
    #[arg(long)]
    no_build: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let folder = if options.no_build { crate::tools::root().join("dist") } else { build::run(&options.build)? };
    let site = Site::start(&folder, options.port)?;
    println!("2 AM is served at {}  (stop with Ctrl-C)", site.address());
    loop {
        thread::park();
    }
}

/// A running server; it ends with the process.
pub struct Site {
    address: SocketAddr,
}

impl Site {
    pub fn start(folder: &Path, port: u16) -> Result<Site> {
        let folder = folder.canonicalize().with_context(|| {
            format!("{} is not there: build the site first with `cargo xtask build`", folder.display())
        })?;
        let server = Server::http((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| anyhow!("could not listen on port {port}: {error}. Choose another with --port."))?;
        let address = server.server_addr().to_ip().context("the server has no address")?;
        thread::spawn(move || {
            for request in server.incoming_requests() {
                let folder = folder.clone();
                // A thread each: a browser may leave the engine's bytes unread for as long as it likes.
                // A reader who closed the page early is no concern of the server.
                thread::spawn(move || drop(answer(request, &folder)));
            }
        });
        Ok(Site { address })
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn answer(request: Request, folder: &Path) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::from_string("only GET and HEAD").with_status_code(405));
    }
    match find(folder, request.url()).and_then(|path| Some((fs::read(&path).ok()?, path))) {
        Some((body, path)) => respond(request, body, &path),
        None => request.respond(Response::from_string("not found").with_status_code(404)),
    }
}

/// The file a URL names, if it lies in the folder.
fn find(folder: &Path, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?;
    let relative = Path::new(path.trim_start_matches('/'));
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let mut file = folder.join(relative);
    if file.is_dir() {
        file.push("index.html");
    }
    file.is_file().then_some(file)
}

fn respond(request: Request, body: Vec<u8>, path: &Path) -> std::io::Result<()> {
    let kind = content_type(path);
    let gzip = kind.1
        && request
            .headers()
            .iter()
            .any(|header| header.field.equiv("Accept-Encoding") && header.value.as_str().contains("gzip"));
    let body = if gzip { compress(&body)? } else { body };
    let mut headers = vec![header("Content-Type", kind.0), header("Cache-Control", "no-cache")];
    if gzip {
        headers.push(header("Content-Encoding", "gzip"));
    }
    let length = body.len();
    request.respond(Response::new(200.into(), headers, Cursor::new(body), Some(length), None))
}

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, body)?;
    encoder.finish()
}

/// The type of a file, and whether sending it compressed pays on this machine.
fn content_type(path: &Path) -> (&'static str, bool) {
    match path.extension().and_then(|it| it.to_str()).unwrap_or_default() {
        "html" => ("text/html; charset=utf-8", true),
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "json" | "map" => ("application/json", true),
        "webmanifest" => ("application/manifest+json", true),
        "svg" => ("image/svg+xml", true),
        "txt" | "md" => ("text/plain; charset=utf-8", true),
        "wasm" => ("application/wasm", false),
        "png" => ("image/png", false),
        "ico" => ("image/x-icon", false),
        "woff2" => ("font/woff2", false),
        _ => ("application/octet-stream", false),
    }
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("names and values are written here, in ASCII")
}
