//! Runs what another `twoam` tells it, a JSON object a line in and one out: natively `twoam worker`, under Node a thread. `worker_pool` starts it.

use std::borrow::Cow;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use twoam::api::{self, Recording, RunRequest, RunSummary};
use twoam::scenario::ScenarioDocument;
use twoam::trace::Micros;

use super::{Failure, compare};

/// How often a run that must break is asked whether it has.
const LOOK_US: Micros = 1_000_000;

/// Long enough to see the naive code break and the charts move.
const RECORDED_US: Micros = 12_000_000;
/// The timeline shows the last moments of a recording: enough to see requests overlap.
const TIMELINE_US: Micros = 200_000;

#[derive(Serialize, Deserialize)]
pub enum Message<'a> {
    /// Of the runs that follow.
    Document(Cow<'a, ScenarioDocument>),
    Run {
        request: RunRequest,
        wanted: Wanted,
    },
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum Wanted {
    Totals,
    /// Totals; the run ends as soon as an invariant is broken and a request answered.
    TotalsWhenBroken,
    /// What the page paints before its engine is there.
    Recording,
}

#[derive(Serialize, Deserialize)]
pub enum Done {
    Totals(RunSummary),
    Recording(Box<Recording>),
}

impl Done {
    pub fn totals(self) -> RunSummary {
        match self {
            Done::Totals(summary) => summary,
            Done::Recording(_) => unreachable!("totals were wanted"),
        }
    }

    pub fn recording(self) -> Recording {
        match self {
            Done::Recording(recording) => *recording,
            Done::Totals(_) => unreachable!("a recording was wanted"),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub fn main() -> Result<(), Failure> {
    use std::io::{self, BufRead, Write};
    use std::thread;

    /// Python's frames live on the stack of the thread that runs it.
    const STACK_BYTES: usize = 64 << 20;

    let work = || {
        let mut worker = Worker::default();
        for line in io::stdin().lock().lines() {
            let line = line.map_err(|error| misused(&error))?;
            if let Some(outcome) = worker.told(&line)? {
                writeln!(io::stdout(), "{outcome}").map_err(|error| misused(&error))?;
            }
        }
        Ok(())
    };
    let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    let worker = worker.map_err(|error| Failure::Result(format!("error: no thread for the runs: {error}")))?;
    worker.join().unwrap_or_else(|_| Err(Failure::Result("error: the runs ended early".into())))
}

/// Keeps the document of the runs that follow.
#[derive(Default)]
pub struct Worker {
    document: Option<Rc<ScenarioDocument>>,
}

impl Worker {
    /// Does what a line says. What came of a run is a line too.
    pub fn told(&mut self, line: &str) -> Result<Option<String>, Failure> {
        match serde_json::from_str(line).map_err(|error| misused(&error))? {
            Message::Document(told) => {
                self.document = Some(Rc::new(told.into_owned()));
                Ok(None)
            }
            Message::Run { request, wanted } => {
                let document = self.document.as_ref().ok_or_else(|| misused(&"a run comes after its document"))?;
                let outcome = run(document, request, wanted).map_err(|failure| failure.to_string());
                Ok(Some(serde_json::to_string(&outcome).expect("results are plain data")))
            }
        }
    }
}

fn misused(error: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("error: `work` is for twoam itself: {error}"))
}

fn run(document: &Rc<ScenarioDocument>, request: RunRequest, wanted: Wanted) -> Result<Done, Failure> {
    match wanted {
        Wanted::Totals => Ok(Done::Totals(compare::run(document, request)?)),
        Wanted::TotalsWhenBroken => {
            let mut run = compare::prepare(document, request)?;
            loop {
                run.advance(run.now() + LOOK_US);
                let summary = run.summary();
                let broken = summary.invariants.iter().any(|invariant| invariant.broken > 0);
                if run.ended() || (broken && summary.requests.ok > 0) {
                    return Ok(Done::Totals(summary));
                }
            }
        }
        Wanted::Recording => api::record(document.clone(), request, RECORDED_US, TIMELINE_US)
            .map(|recording| Done::Recording(Box::new(recording)))
            .map_err(|error| Failure::Result(format!("error: {error}"))),
    }
}
