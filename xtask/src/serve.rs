//! A static server for the built site, and for the tests.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::build::{self, Engine};
use crate::tools::{self, node, root};

/// `engine` is built first, if there is one.
pub fn run(port: u16, engine: Option<Engine>) -> Result<()> {
    // Told before minutes of building, not after.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| anyhow!("could not listen on port {port}: {error}. Choose another with --port."))?;
    let folder = match engine {
        Some(engine) => build::run(engine)?,
        None => {
            tools::ensure_node()?;
            tools::ensure_npm_packages()?;
            root().join("dist")
        }
    };
    let mut site = Site::start(&folder, port, Sent::AsItIs)?;
    println!("2 AM is served at {}  (stop with Ctrl-C)", site.address);
    // Waiting would close what tells the server that this process is there.
    let _alive = site.server.stdin.take();
    let status = site.server.wait()?;
    bail!("the server has ended ({status})")
}

/// Whether files go out compressed, for whom the time on the wire matters.
#[derive(Clone, Copy, PartialEq)]
pub enum Sent {
    AsItIs,
    /// As the files `NAME.br` beside.
    Brotli,
}

/// A running server; it ends with this process, whatever that one's end.
pub struct Site {
    server: Child,
    pub address: String,
}

impl Site {
    pub fn start(folder: &Path, port: u16, sent: Sent) -> Result<Site> {
        let mut command = node("www/node/serve.js");
        command.arg(folder).arg(port.to_string());
        if sent == Sent::Brotli {
            command.arg("--brotli");
        }
        let mut server =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("could not start Node")?;
        let mut address = String::new();
        BufReader::new(server.stdout.take().expect("it was piped")).read_line(&mut address)?;
        if address.is_empty() {
            server.wait()?;
            bail!("{} is not served", folder.display());
        }
        Ok(Site { server, address: address.trim().to_owned() })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
