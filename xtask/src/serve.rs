//! A static server for the built site: what any web host would do, on this machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::http::{HeaderValue, header::CACHE_CONTROL};
use clap::Args;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

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
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| anyhow!("could not listen on port {port}: {error}. Choose another with --port."))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                axum::serve(listener, files(&folder)).await
            })
        });
        Ok(Site { address })
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The folder's files. The engine is sent as it is: on one machine it takes longer to compress than to send.
fn files(folder: &Path) -> Router {
    let compressed = DefaultPredicate::new().and(NotForContentType::const_new("application/wasm"));
    let fresh = SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Router::new()
        .fallback_service(ServeDir::new(folder))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(compressed))
        .layer(fresh)
}
