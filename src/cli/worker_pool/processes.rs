//! Each core's runs in a process of its own: interpreters of two threads would share a cache of the types' attributes whose reference
//! counts are not made for that.

use std::borrow::Cow;
use std::env;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;
use twoam::scenario::ScenarioDocument;

use super::Job;
use crate::cli::Failure;
use crate::cli::worker::{Done, Message};

/// An interpreter leaves some megabytes behind when it ends.
const RUNS_OF_A_PROCESS: usize = 40;

pub fn run_all(jobs: &[Job<'_>], done: impl Fn() + Sync) -> Vec<Result<Done, Failure>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(jobs.iter().map(|_| None).collect::<Vec<Option<Result<Done, Failure>>>>());
    let cores = thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    let take = || {
        let mut worker: Option<Worker<'_>> = None;
        while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < jobs.len()) {
            let ready = worker.take().filter(|worker| worker.runs < RUNS_OF_A_PROCESS);
            let result = ready.map_or_else(Worker::start, Ok).and_then(|mut ready| {
                let result = ready.run(&jobs[index]);
                // One that has ended is not asked again.
                worker = result.is_ok().then_some(ready);
                result?.map_err(Failure::Result)
            });
            results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
            done();
        }
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(take);
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|result| result.expect("every job was taken by one worker")).collect()
}

/// A process that runs what it is told, one after the other.
struct Worker<'a> {
    process: Child,
    into: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// The document it has.
    document: Option<&'a ScenarioDocument>,
    runs: usize,
}

impl<'a> Worker<'a> {
    fn start() -> Result<Worker<'a>, Failure> {
        let started = env::current_exe().and_then(|program| {
            Command::new(program).arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
        });
        let mut process =
            started.map_err(|error| Failure::Result(format!("error: no process for the runs: {error}")))?;
        let into = BufWriter::new(process.stdin.take().expect("it was piped"));
        let from = BufReader::new(process.stdout.take().expect("it was piped"));
        Ok(Worker { process, into, from, document: None, runs: 0 })
    }

    /// What came of the run, unless the process ended before it.
    fn run(&mut self, job: &Job<'a>) -> Result<Result<Done, String>, Failure> {
        self.runs += 1;
        if !self.document.is_some_and(|document| std::ptr::eq(document, job.document)) {
            self.tell(&Message::Document(Cow::Borrowed(job.document)));
            self.document = Some(job.document);
        }
        self.tell(&Message::Run { request: job.request.clone(), wanted: job.wanted });
        let mut line = String::new();
        let answered = self.into.flush().and_then(|()| self.from.read_line(&mut line));
        if let (Ok(1..), Ok(outcome)) = (answered, serde_json::from_str(&line)) {
            return Ok(outcome);
        }
        let status = self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        Err(Failure::Result(format!("error: the process of the run ended ({status})")))
    }

    /// What is not taken in is told by what is not answered.
    fn tell(&mut self, message: &impl Serialize) {
        let text = serde_json::to_string(message).expect("messages are plain data");
        let _ = writeln!(self.into, "{text}");
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
