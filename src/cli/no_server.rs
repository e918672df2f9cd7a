//! In place of a real server where none can be driven: under Node and on Windows.

use std::fmt;

use twoam::api::{RunRequest, RunSummary};
use twoam::scenario::ScenarioDocument;

use super::Failure;

pub const ELSEWHERE: &str =
    "`reality`, `calibrate` and `--engine` need a real PostgreSQL: they are in the program for Linux and macOS.";

/// There is none.
pub enum Server {}

impl Server {
    pub fn open(_address: &str) -> Result<Server, Failure> {
        let remedy = "leave --engine away, or use the program for Linux or macOS";
        Err(Failure::Usage(format!("error: this program cannot drive a real server; {remedy}")))
    }
}

pub struct Outcome {
    pub summary: RunSummary,
    pub versions: Versions,
}

impl Outcome {
    pub fn trace(&self) -> String {
        match self.versions {}
    }
}

pub enum Versions {}

impl Versions {
    pub fn of_postgresql(&self) -> bool {
        match *self {}
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

pub fn run(_: &ScenarioDocument, _: &RunRequest, server: &Server, _: u32) -> Result<Outcome, Failure> {
    match *server {}
}

pub fn step(server: &Server, _: &str) -> Result<String, Failure> {
    match *server {}
}
