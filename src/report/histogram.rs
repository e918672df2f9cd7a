//! How long things took, in classes, so that a quantile of a million requests takes little room.

use crate::trace::Micros;

/// Microseconds in classes whose width is at most 1/32 of their value, so a quantile is right to about 3 %.
#[derive(Clone, Default)]
pub struct Histogram {
    classes: Vec<u32>,
    count: u32,
}

const CLASSES_PER_OCTAVE_BITS: u32 = 5;

impl Histogram {
    pub fn add(&mut self, value: Micros) {
        let class = class_of(value);
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] += 1;
        self.count += 1;
    }

    pub fn merge(&mut self, other: &Histogram) {
        if self.classes.len() < other.classes.len() {
            self.classes.resize(other.classes.len(), 0);
        }
        for (mine, theirs) in self.classes.iter_mut().zip(&other.classes) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    pub fn quantile_ms(&self, thousandths: u32) -> Option<f64> {
        // The smallest value that at least so many thousandths do not exceed.
        let rank = (u64::from(self.count) * u64::from(thousandths)).div_ceil(1_000).max(1);
        let mut below = 0;
        let class = self.classes.iter().position(|count| {
            below += u64::from(*count);
            below >= rank
        })?;
        Some(middle_of(class) / 1e3)
    }
}

fn class_of(value: Micros) -> usize {
    let octave = (value >> CLASSES_PER_OCTAVE_BITS).checked_ilog2().map_or(0, |log| log + 1);
    let shift = octave.saturating_sub(1);
    ((u64::from(octave.saturating_sub(1)) << CLASSES_PER_OCTAVE_BITS) + (value >> shift)) as usize
}

fn middle_of(class: usize) -> f64 {
    let per_octave = 1 << CLASSES_PER_OCTAVE_BITS;
    let shift = (class / per_octave).saturating_sub(1) as u32;
    let base = (class - shift as usize * per_octave) as u64;
    let width = (1u64 << shift) as f64;
    (base << shift) as f64 + (width - 1.0) / 2.0
}
