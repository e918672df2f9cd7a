//! Every variant of a scenario under more and more load, here and on a real server.

use twoam::api::{RealityCurve, RealityPoint, RealitySpeed, RunRequest, RunSummary};
use twoam::report;
use twoam::scenario::{Curve, ScenarioDocument};
use twoam::trace::Micros;

use super::{in_production, postgres};
use crate::cli::{Failure, compare};

/// How long the load of a point lasts: a whole number of the rounds in which some clients come.
const POINT_US: Micros = 16_000_000;

const P50: &str = "latency-p50";
const P99: &str = "latency-p99";
const STATEMENTS: &str = "statements-per-request";

pub fn measured(
    document: &ScenarioDocument,
    curve: &Curve,
    seed: u32,
    server: &postgres::Server,
) -> Result<RealityCurve, Failure> {
    // Nobody asks what broke, and whatever the scenario shows, its speed is asked for too.
    let mut document = document.clone();
    document.invariants.clear();
    document.simulation.gauges.clear();
    for metric in report::measured().into_iter().filter(|metric| [P50, P99, STATEMENTS].contains(&metric.id.as_str())) {
        if !document.metrics.iter().any(|shown| shown.id == metric.id) {
            document.metrics.push(metric);
        }
    }
    let mut points = Vec::new();
    for corner in in_production(&document, seed, Some(POINT_US)) {
        let variant = document.variant(&corner.variant).expect("corners are made of the document's variants");
        for &load in &curve.values {
            let mut knobs = curve.knobs.clone();
            knobs.insert(curve.knob.clone(), load);
            let request = RunRequest { knobs, ..corner.clone() };
            let observed = speed(&postgres::run(&document, &request, server, 0)?.summary);
            let predicted = speed(&compare::run(&document, request)?);
            eprintln!(
                "{}, {}, {} {load}: {:.1} a second here, {:.1} there; p99 {:.1} ms here, {:.1} there",
                document.summary.id,
                variant.id,
                curve.knob,
                predicted.per_s,
                observed.per_s,
                predicted.p99_ms,
                observed.p99_ms
            );
            let (variant, label) = (variant.id.clone(), variant.label.clone());
            points.push(RealityPoint { variant, label, load, predicted, observed });
        }
    }
    let knob = document.knob(&curve.knob).expect("the manifest names a knob it has");
    Ok(RealityCurve { knob: knob.label.clone(), unit: knob.unit.clone(), points })
}

fn speed(summary: &RunSummary) -> RealitySpeed {
    let metric = |id: &str| summary.metrics.get(id).copied().unwrap_or_default();
    RealitySpeed {
        per_s: f64::from(summary.requests.ok) / (summary.virtual_us as f64 / 1e6),
        p50_ms: metric(P50),
        p99_ms: metric(P99),
        statements_per_request: metric(STATEMENTS),
    }
}
