//! What goes wrong on purpose: which fault a service's call meets, which requests come again, when processes die.

use std::rc::Rc;

use rand::Rng as _;

use super::{Circumstances, Conditions};
use crate::scenario::{FaultRule, FaultVerdict, ScenarioDocument};
use crate::services::Verdict;
use crate::trace::Micros;

pub struct FaultRules {
    document: Rc<ScenarioDocument>,
}

impl FaultRules {
    pub fn new(document: Rc<ScenarioDocument>) -> FaultRules {
        FaultRules { document }
    }

    /// What becomes of a call to a service, and the rule that says so: the first that is on and hits. Every rule that could meet the
    /// call is rolled for.
    pub fn verdict(&self, service: &str, method: &str, at: &mut Circumstances) -> Option<(&FaultRule, Verdict)> {
        for rule in self.document.simulation.faults.iter().filter(|rule| rule.on == service && rule.meets(method)) {
            if !hits(rule, at) {
                continue;
            }
            let verdict = match &rule.verdict {
                FaultVerdict::Decline => Verdict::Decline,
                FaultVerdict::Fail => Verdict::Fail,
                FaultVerdict::Refuse => Verdict::Refuse,
                FaultVerdict::Delay { ms } => Verdict::Delay(at.conditions.amount_us(ms) as Micros),
                FaultVerdict::LoseAnswer => Verdict::LoseAnswer,
                FaultVerdict::Duplicate => Verdict::Duplicate,
                FaultVerdict::Resend { .. } | FaultVerdict::Kill => continue,
            };
            return Some((rule, verdict));
        }
        None
    }

    /// After how long a request of this kind comes once more, if it has no answer by then.
    pub fn resends(&self, entry: &str, at: &mut Circumstances) -> Vec<Micros> {
        let mut resends = vec![];
        for rule in self.document.simulation.faults.iter().filter(|rule| rule.meets(entry)) {
            if let FaultVerdict::Resend { after_ms } = &rule.verdict
                && hits(rule, at)
            {
                resends.push(at.conditions.amount_us(after_ms) as Micros);
            }
        }
        resends
    }

    /// The rules by which processes die, with the time until each is due for the first time.
    pub fn kills(&self, conditions: &Conditions) -> Vec<(usize, Micros)> {
        let rules = 0..self.document.simulation.faults.len();
        rules.filter_map(|rule| Some((rule, self.next_kill(rule, conditions)?))).collect()
    }

    /// Until this rule is due again.
    pub fn next_kill(&self, rule: usize, conditions: &Conditions) -> Option<Micros> {
        let rule = &self.document.simulation.faults[rule];
        let every_s = rule.every_s.as_ref().filter(|_| rule.verdict == FaultVerdict::Kill)?;
        Some((conditions.amount(every_s) * 1e6).max(100_000.0) as Micros)
    }

    /// The rule, where a process dies by it now.
    pub fn kills_now(&self, rule: usize, now: Micros, conditions: &Conditions) -> Option<&FaultRule> {
        Some(&self.document.simulation.faults[rule]).filter(|rule| conditions.acts(rule, now))
    }
}

fn hits(rule: &FaultRule, at: &mut Circumstances) -> bool {
    at.conditions.acts(rule, at.now) && at.rng.faults.random::<f64>() < at.conditions.amount(&rule.share)
}
