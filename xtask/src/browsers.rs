//! Browsers beside Chromium, from the system's packages. Where one cannot be had, the tests go on without it and say so.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::tools::{install_system_packages, named, on_path, say};

/// What the journeys are walked in.
pub struct Browsers {
    firefox: Option<PathBuf>,
    webkit: Option<Webkit>,
}

/// WebKitGTK is driven by one program and shown by another, on a display that nobody sees.
struct Webkit {
    driver: PathBuf,
    browser: PathBuf,
}

impl Browsers {
    /// Installs what is missing, if that is possible. A path that an environment variable names has to be there.
    pub fn ensure() -> Result<Browsers> {
        Ok(Browsers {
            firefox: found_or_installed(find_firefox, "Firefox", &["firefox-esr"])?,
            webkit: found_or_installed(
                find_webkit,
                "WebKitGTK with a driver and Xvfb",
                &["webkit2gtk-driver", "xvfb"],
            )?,
        })
    }

    /// Tells the specs which browsers there are, and whoever reads along which there are not.
    pub fn name_to(&self, specs: &mut Command) {
        match &self.firefox {
            Some(path) => drop(specs.env("FIREFOX", path)),
            None => {
                say("left out, the journeys in Firefox: it could not be installed. FIREFOX=/path/to/firefox names one.")
            }
        }
        match &self.webkit {
            Some(Webkit { driver, browser }) => drop(specs.env("WEBKIT_DRIVER", driver).env("WEBKIT", browser)),
            None => say(
                "left out, the journeys in WebKit: WebKitWebDriver, MiniBrowser or Xvfb could not be installed. WEBKIT_DRIVER and WEBKIT name the first two.",
            ),
        }
    }
}

fn found_or_installed<T>(find: fn() -> Result<Option<T>>, what: &str, packages: &[&str]) -> Result<Option<T>> {
    if let Some(found) = find()? {
        return Ok(Some(found));
    }
    say(&format!("no {what} found: installing it"));
    install_system_packages(packages);
    find()
}

fn find_firefox() -> Result<Option<PathBuf>> {
    Ok(named("FIREFOX")?.or_else(|| on_path("firefox-esr")).or_else(|| on_path("firefox")))
}

fn find_webkit() -> Result<Option<Webkit>> {
    let driver = named("WEBKIT_DRIVER")?.or_else(|| on_path("WebKitWebDriver"));
    let browser = named("WEBKIT")?.or_else(mini_browser);
    Ok(on_path("Xvfb").and(driver).zip(browser).map(|(driver, browser)| Webkit { driver, browser }))
}

/// It is no program for users, so it lies beside the library: in a folder for the machine, or in one for all.
fn mini_browser() -> Option<PathBuf> {
    let machine = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let folders = [machine.as_str(), "/usr/lib64", "/usr/lib", "/usr/libexec"];
    let versions = ["webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0"];
    let paths = folders.iter().flat_map(|folder| versions.map(|version| format!("{folder}/{version}/MiniBrowser")));
    paths.map(PathBuf::from).find(|path| path.is_file())
}
