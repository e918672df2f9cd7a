//! Every test of the project, in the order in which a failure is cheapest to learn of.

use anyhow::Result;

use crate::browsers::Browsers;
use crate::build::{self, Engine};
use crate::pack;
use crate::serve::{Sent, Site};
use crate::tools::{self, cargo, ensure_chromium, ensure_npm_packages, ensure_postgres, ensure_python, npm, say};

pub fn run(browser: bool) -> Result<()> {
    // What is missing is told before an hour of building, not after.
    let postgres = ensure_postgres()?;
    let python = ensure_python();
    ensure_npm_packages()?;
    let browsers = if browser { Some((ensure_chromium()?, Browsers::ensure()?)) } else { None };

    say("style");
    tools::run(cargo().args(["fmt", "--all", "--check"]))?;

    let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    tools::run(cargo().args(lints))?;

    say("Rust tests");
    tools::run(cargo().args(["test", "--workspace"]).env("TWOAM_PG_BIN", &postgres))?;

    match python {
        Ok(python) => {
            say("scenarios on a real server");
            let ignored = ["test", "--workspace", "--test", "cli", "--", "--ignored"];
            tools::run(cargo().args(ignored).env("TWOAM_PG_BIN", &postgres).env("TWOAM_PYTHON", python))?;
        }
        Err(missing) => {
            say(&format!("left out, scenarios on a real server: there is no Python with psycopg ({missing:#})"))
        }
    }

    say("the page's units");
    tools::run(&mut npm(&["test", "--silent"]))?;

    let Some((chromium, others)) = browsers else { return Ok(()) };
    let site = build::tested()?;
    tools::run(&mut npm(&["run", "--silent", "check"]))?;

    build::engines(Engine::Quick)?;
    let tarball = pack::packed()?;
    say("the npm package");
    let mut package = npm(&["run", "--silent", "test-package"]);
    tools::run(package.env("TARBALL", tarball).env("TWOAM", build::command_line()))?;

    say("the built site in real browsers");
    let site = Site::start(&site, 0, Sent::AsItIs)?;
    let mut specs = npm(&["run", "--silent", "e2e"]);
    specs.env("BASE_URL", &site.address).env("CHROMIUM", chromium).env("TWOAM", build::command_line());
    others.name_to(&mut specs);
    tools::run(&mut specs)
}
