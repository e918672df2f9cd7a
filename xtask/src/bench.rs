//! Figures of what a reader gets: bytes over the wire, time to the first number, speed of the engine in the browser.

use anyhow::Result;

use crate::build::{self, Engine};
use crate::serve::{Sent, Site};
use crate::tools::{self, ensure_chromium, node, npm, root, say};

/// `engine` is built first, if there is one.
pub fn run(engine: Option<Engine>) -> Result<()> {
    let site = match engine {
        Some(engine) => build::run(engine)?,
        None => root().join("dist"),
    };
    let chromium = ensure_chromium()?;
    say("size over the wire (brotli 11)");
    let sent = build::target_folder().join("site-as-sent");
    tools::run(node("www/bench/compress.mjs").arg(&site).arg(&sent))?;
    say("speed and start-up in the browser");
    let page = Site::start(&sent, 0, Sent::Brotli)?;
    let package = Site::start(&root().join("www/pkg"), 0, Sent::AsItIs)?;
    let mut bench = npm(&["run", "--silent", "bench"]);
    bench.env("BASE_URL", &page.address).env("PACKAGE_URL", &package.address).env("CHROMIUM", chromium);
    tools::run(&mut bench)
}
