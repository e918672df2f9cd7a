//! The machine measurements are made on, in words: no number of a run depends on it.

use std::fs;
use std::thread;

/// `Intel Xeon, 2 cores, 8 GB of memory`, as far as the system tells.
pub fn class() -> String {
    let processor =
        line_of("/proc/cpuinfo", "model name").map_or_else(|| std::env::consts::ARCH.into(), |name| plain(&name));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let memory = line_of("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let memory = memory.map_or(String::new(), |kb| format!(", {:.0} GB of memory", kb / 1e6));
    format!("{processor}, {cores} cores{memory}")
}

fn line_of(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

fn plain(name: &str) -> String {
    name.replace("(R)", "").replace("(TM)", "").split_whitespace().collect::<Vec<_>>().join(" ")
}
