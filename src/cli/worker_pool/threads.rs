//! Each core's runs in a thread of Node, with a module of its own. Node hands them out: a thread of WebAssembly can only wait.

use std::borrow::Cow;

use super::Job;
use crate::cli::worker::{Done, Message};
use crate::cli::{Failure, node};

pub fn run_all(jobs: &[Job<'_>], done: impl Fn()) -> Vec<Result<Done, Failure>> {
    let mut results = jobs.iter().map(|_| None).collect::<Vec<_>>();
    for (index, job) in jobs.iter().enumerate() {
        if index == 0 || !std::ptr::eq(jobs[index - 1].document, job.document) {
            node::document(&line(&Message::Document(Cow::Borrowed(job.document))));
        }
        node::job(index, &line(&Message::Run { request: job.request.clone(), wanted: job.wanted }));
    }
    for _ in jobs {
        let (index, outcome) = node::outcome();
        let told = outcome.map_err(ended).and_then(|line| serde_json::from_str(&line).map_err(ended));
        results[index] = Some(told.and_then(|outcome: Result<Done, String>| outcome.map_err(Failure::Result)));
        done();
    }
    results.into_iter().map(|result| result.expect("every job has one outcome")).collect()
}

fn line(message: &Message<'_>) -> String {
    serde_json::to_string(message).expect("messages are plain data")
}

fn ended(why: impl std::fmt::Display) -> Failure {
    Failure::Result(format!("error: the thread of the run ended ({why})"))
}
