//! What goes wrong on purpose: which fault a service's call meets, and when processes die.

use std::rc::Rc;

use super::kernel::Kernel;
use super::message::{AppMessage, ServiceMessage};
use crate::scenario::{FaultVerdict, ScenarioDocument};
use crate::services::Verdict;
use crate::trace::{CallId, EventKind, Micros, RequestId};

pub struct FaultInjector {
    document: Rc<ScenarioDocument>,
}

impl FaultInjector {
    pub fn new(document: Rc<ScenarioDocument>) -> FaultInjector {
        FaultInjector { document }
    }

    pub fn start(&self, kernel: &mut Kernel) {
        for rule in 0..self.document.world.faults.len() {
            self.schedule_kill(rule, kernel);
        }
    }

    /// The first rule that is on and hits decides. Every rule that could meet the call is rolled for.
    pub fn verdict(
        &self,
        service: &str,
        method: &str,
        call: CallId,
        request: RequestId,
        kernel: &mut Kernel,
    ) -> Verdict {
        for rule in self.document.world.faults.iter().filter(|rule| rule.on == service) {
            if !rule.meets(method) || !kernel.acts(rule) || !kernel.roll_fault(rule) {
                continue;
            }
            let verdict = match &rule.verdict {
                FaultVerdict::Decline => Verdict::Decline,
                FaultVerdict::Fail => Verdict::Fail,
                FaultVerdict::Refuse => Verdict::Refuse,
                FaultVerdict::Delay { ms } => Verdict::Delay(kernel.amount_us(ms) as Micros),
                FaultVerdict::LoseAnswer => Verdict::LoseAnswer,
                FaultVerdict::Duplicate => Verdict::Duplicate,
                FaultVerdict::Resend { .. } | FaultVerdict::Kill => continue,
            };
            let (service, fault) = (kernel.symbol(service), kernel.symbol(&rule.id));
            kernel.record(EventKind::FaultApplied { call: Some(call), service, fault }, Some(request), None, None);
            return verdict;
        }
        Verdict::Pass
    }

    pub fn schedule_kill(&self, rule: usize, kernel: &mut Kernel) {
        let fault = &self.document.world.faults[rule];
        if fault.verdict == FaultVerdict::Kill
            && let Some(every_s) = &fault.every_s
        {
            let after = (kernel.amount(every_s) * 1e6).max(100_000.0) as Micros;
            kernel.schedule(kernel.now() + after, ServiceMessage::KillDue(rule));
        }
    }

    pub fn kill_due(&self, rule: usize, kernel: &mut Kernel) {
        let fault = &self.document.world.faults[rule];
        if kernel.acts(fault) {
            let (service, fault) = (kernel.symbol("processes"), kernel.symbol(&fault.id));
            kernel.record(EventKind::FaultApplied { call: None, service, fault }, None, None, None);
            kernel.post(AppMessage::KillNext);
        }
        kernel.post(ServiceMessage::NextKill(rule));
    }
}
