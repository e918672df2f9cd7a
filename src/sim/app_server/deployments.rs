//! The code that runs: variants that have been deployed, and their workers.

use std::rc::Rc;

use serde_json::Value as Json;

use super::requests::InFlight;
use super::{AppServer, Process};
use crate::python::{HandlerId, Raised, SourceFile};
use crate::scenario::Clients;
use crate::sim::cost;
use crate::sim::kernel::Kernel;
use crate::sim::message::{AppMessage, Turn};
use crate::trace::{ClientId, EventKind, Micros, ProcessId};

/// A variant that has been deployed: what to call in each process.
pub struct Deployment {
    file: String,
    source: Rc<str>,
    /// The scenario's request kinds in order, then the variant's workers.
    entries: Vec<String>,
    pub handlers: Vec<Vec<HandlerId>>,
}

/// A function that runs again and again beside the requests, in the first process.
pub struct Worker {
    variant: String,
    /// Its place among the deployment's entries.
    entry: usize,
    name: String,
    pub every_us: Micros,
    /// A later deployment has a worker of the same name: that one has taken over.
    retired: bool,
}

impl AppServer {
    /// Loads the variant's code into every process. Requests on their way go on with what they were started with.
    pub fn load(&mut self, variant: &str, source: &str) -> Result<(), Raised> {
        let document = self.document.clone();
        let of = document.variant(variant).expect("the variant was looked up before");
        let kinds = document.simulation.requests.iter().map(|kind| kind.entry.clone());
        let entries: Vec<String> = kinds.chain(of.workers.iter().map(|worker| worker.entry.clone())).collect();
        let mut deployment = Deployment { file: of.file.clone(), source: source.into(), entries, handlers: vec![] };
        for process in 0..self.servers {
            let handlers = self.load_into(process, &deployment)?;
            deployment.handlers.push(handlers);
        }
        self.deployments.insert(variant.to_owned(), deployment);
        Ok(())
    }

    pub fn has_loaded(&self, variant: &str) -> bool {
        self.deployments.contains_key(variant)
    }

    /// Requests that come from now on are served by the variant's code.
    pub fn serve(&mut self, variant: &str) {
        self.variant = variant.to_owned();
    }

    /// Workers of a variant go on once they have been deployed: what the old code has begun has to be brought to its end.
    /// Only where the new code has a worker of the same name that one takes the place of the old.
    pub fn start_workers(&mut self, variant: &str, kernel: &mut Kernel) {
        let document = self.document.clone();
        let of = document.variant(variant).expect("the variant was looked up before");
        for worker in self.workers.iter_mut().filter(|worker| worker.variant != variant) {
            worker.retired |= of.workers.iter().any(|new| new.entry == worker.name);
        }
        if self.workers.iter().any(|worker| worker.variant == variant && !worker.retired) {
            return;
        }
        let kinds = document.simulation.requests.len();
        for (place, worker) in of.workers.iter().enumerate() {
            let every_us = (worker.every_ms * 1e3).max(1_000.0) as Micros;
            kernel.schedule(kernel.now() + every_us, AppMessage::WorkerDue(self.workers.len()));
            self.workers.push(Worker {
                variant: variant.to_owned(),
                entry: kinds + place,
                name: worker.entry.clone(),
                every_us,
                retired: false,
            });
        }
    }

    /// The code of scripted clients runs in a place of its own, whose core is never busy. An exception names the file.
    pub fn start_scripts(&mut self, kernel: &mut Kernel) -> Result<(), Raised> {
        let document = self.document.clone();
        let Clients::Scripted { file, source, scripts } = &document.simulation.clients else { return Ok(()) };
        let place = self.processes.len();
        self.processes.push(Process::default());
        let entries = scripts.iter().map(|script| script.entry.as_str()).collect::<Vec<_>>();
        let handlers = self.python.load(ProcessId(place as u32), SourceFile { file, text: source }, &entries)?;
        let mut clients = (0..).map(ClientId);
        for (script, handler) in scripts.iter().zip(handlers) {
            let (variant, arguments) = (kernel.symbol(file), kernel.symbol(&script.entry));
            for client in clients.by_ref().take(kernel.amount(&script.count).max(0.0) as usize) {
                let request = kernel.new_request();
                let process = ProcessId(place as u32);
                let kind = EventKind::RequestStarted { client: None, process, variant, arguments };
                kernel.record(kind, Some(request), None, None);
                let in_flight = InFlight { script: Some(client), ..InFlight::new(place, kernel.now()) };
                self.requests.insert(request, in_flight);
                let arguments = serde_json::json!({ "id": client.0 + 1 });
                self.take_turn(place, 0, request, Turn::Start { handler, arguments }, kernel);
            }
        }
        Ok(())
    }

    pub(super) fn load_again(&mut self, process: usize, kernel: &mut Kernel) {
        let mut deployments = std::mem::take(&mut self.deployments);
        for deployment in deployments.values_mut() {
            match self.load_into(process, deployment) {
                Ok(handlers) => deployment.handlers[process] = handlers,
                Err(raised) => {
                    kernel.limit_reached(&format!("process {process} does not start again: {}", raised.message));
                }
            }
        }
        self.deployments = deployments;
    }

    pub(super) fn worker_due(&mut self, worker: usize, kernel: &mut Kernel) {
        let state = &self.workers[worker];
        if state.retired {
            return;
        }
        if !self.processes[0].up {
            return kernel.schedule(kernel.now() + state.every_us, AppMessage::WorkerDue(worker));
        }
        let handler = self.deployments[&state.variant].handlers[0][state.entry];
        let (variant, arguments) = (kernel.symbol(&state.variant), kernel.symbol(&state.name));
        let request = kernel.new_request();
        let kind = EventKind::RequestStarted { client: None, process: ProcessId(0), variant, arguments };
        kernel.record(kind, Some(request), None, None);
        self.requests.insert(request, InFlight { worker: Some(worker), ..InFlight::new(0, kernel.now()) });
        let turn = Turn::Start { handler, arguments: Json::Object(Default::default()) };
        self.take_turn(0, cost::TURN_CPU_US, request, turn, kernel);
    }

    fn load_into(&mut self, process: usize, deployment: &Deployment) -> Result<Vec<HandlerId>, Raised> {
        let entries = deployment.entries.iter().map(String::as_str).collect::<Vec<_>>();
        let source = SourceFile { file: &deployment.file, text: &deployment.source };
        self.python.load(ProcessId(process as u32), source, &entries)
    }
}
