use std::collections::{BTreeMap, BTreeSet};

use super::RngStreams;
use crate::scenario::{Amount, FaultRule};
use crate::trace::Micros;

/// What is set at the moment: where the knobs stand, and which faults are on.
pub struct Conditions {
    knobs: BTreeMap<String, f64>,
    faults: BTreeSet<String>,
}

/// When something is asked, what is set then, and the run's chance.
pub struct Circumstances<'a> {
    pub now: Micros,
    pub conditions: &'a Conditions,
    pub rng: &'a mut RngStreams,
}

impl Conditions {
    pub fn new(knobs: BTreeMap<String, f64>, faults: BTreeSet<String>) -> Conditions {
        Conditions { knobs, faults }
    }

    pub fn knobs(&self) -> &BTreeMap<String, f64> {
        &self.knobs
    }

    pub fn set_knob(&mut self, knob: &str, value: f64) {
        self.knobs.insert(knob.to_owned(), value);
    }

    pub fn set_fault(&mut self, fault: &str, on: bool) {
        if on {
            self.faults.insert(fault.to_owned());
        } else {
            self.faults.remove(fault);
        }
    }

    pub fn amount(&self, amount: &Amount) -> f64 {
        amount.at(&self.knobs)
    }

    /// The same in microseconds, for an amount in milliseconds.
    pub fn amount_us(&self, amount: &Amount) -> f64 {
        self.amount(amount) * 1e3
    }

    /// Whether the rule is on and acts at this time of the run.
    pub fn acts(&self, rule: &FaultRule, now: Micros) -> bool {
        let from = self.amount(&rule.from_s) * 1e6;
        let until = rule.for_s.as_ref().map_or(f64::INFINITY, |for_s| from + self.amount(for_s) * 1e6);
        self.faults.contains(&rule.id) && (from..until).contains(&(now as f64))
    }
}
