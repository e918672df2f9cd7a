//! The result in words: for a terminal, and in Markdown.

use std::collections::BTreeSet;

use twoam::api::{Reality, RealityCurve, RealityInvariant, RealityMetric, RealityRun, RealityScenario};

use crate::cli::terminal;

/// What is compared, with both values in words.
fn rows(run: &RealityRun) -> Vec<(&str, String, String)> {
    let verdict = |broken: u32, timed: bool| match (broken, timed) {
        (0, _) => "held".to_string(),
        (times, true) => in_times(times),
        (1, false) => "broken, 1 case".to_string(),
        (cases, false) => format!("broken, {} cases", terminal::grouped(cases.into())),
    };
    let count = |requests: u32| terminal::grouped(requests.into());
    let requests = ("requests", count(run.predicted_requests), count(run.observed_requests));
    let metrics = run.metrics.iter().map(|it| (it.label.as_str(), it.predicted.clone(), it.observed.clone()));
    let invariants = run
        .invariants
        .iter()
        .map(|it| (it.sentence.as_str(), verdict(it.predicted, it.timed), verdict(it.observed, it.timed)));
    std::iter::once(requests).chain(metrics).chain(invariants).collect()
}

pub fn terminal(reality: &Reality) -> String {
    let mut table = terminal::table(["scenario", "variant", "", "predicted", "observed"]);
    for scenario in &reality.scenarios {
        for run in &scenario.runs {
            for (index, (what, predicted, observed)) in rows(run).into_iter().enumerate() {
                let (id, variant) = if index == 0 { (scenario.id.as_str(), run.variant.as_str()) } else { ("", "") };
                table.add_row([id, variant, what, &predicted, &observed]);
            }
        }
    }
    let mut text = table.to_string();
    for (scenario, curve) in curves(reality) {
        let header = speed_header(curve);
        let mut table = terminal::table(header.iter().map(String::as_str));
        for row in speed_rows(curve) {
            table.add_row(row);
        }
        text.push_str(&format!("\n\n{}\n{table}", scenario.id));
    }
    text.push_str(&format!("\n\n{}", made_with(reality)));
    text
}

/// One line a variant: what breaks and what holds, and the first headline number.
pub fn markdown(reality: &Reality) -> String {
    let mut text =
        String::from("| scenario | variant | requests | predicted | observed |\n| --- | --- | ---: | --- | --- |\n");
    for scenario in &reality.scenarios {
        for (place, run) in scenario.runs.iter().enumerate() {
            let headline = run.metrics.first();
            let cell = |broken: &dyn Fn(&RealityInvariant) -> u32, value: &dyn Fn(&RealityMetric) -> String| {
                let times = run.invariants.iter().filter(|it| it.timed).map(broken).sum::<u32>();
                let verdict = if run.invariants.iter().any(|it| !it.timed && broken(it) > 0) {
                    "**breaks**".to_string()
                } else if times > 0 {
                    format!("**slow** {}", in_times(times))
                } else {
                    "holds".to_string()
                };
                let number = headline.map(|metric| format!("; {}: {}", metric.label, value(metric)));
                format!("{verdict}{}", number.unwrap_or_default())
            };
            let predicted = cell(&|it| it.predicted, &|it| it.predicted.clone());
            let observed = cell(&|it| it.observed, &|it| it.observed.clone());
            let title = if place == 0 { scenario.title.as_str() } else { "" };
            let requests = terminal::grouped(run.observed_requests.into());
            text.push_str(&format!("| {title} | {} | {requests} | {predicted} | {observed} |\n", run.label));
        }
    }
    for (scenario, curve) in curves(reality) {
        text.push_str(&format!("\n{}\n\n| {} |\n", scenario.title, speed_header(curve).join(" | ")));
        text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        for row in speed_rows(curve) {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
        }
    }
    text.push_str(&format!("\n{}", made_with(reality)));
    text
}

fn in_times(times: u32) -> String {
    if times == 1 { "1 time".to_string() } else { format!("{} times", terminal::grouped(times.into())) }
}

fn curves(reality: &Reality) -> impl Iterator<Item = (&RealityScenario, &RealityCurve)> {
    reality.scenarios.iter().filter_map(|scenario| Some((scenario, scenario.curve.as_ref()?)))
}

fn speed_header(curve: &RealityCurve) -> Vec<String> {
    let load = if curve.unit.is_empty() { curve.knob.clone() } else { format!("{} {}", curve.knob, curve.unit) };
    let columns =
        ["answered a second, predicted", "observed", "median, predicted", "observed", "p99, predicted", "observed"];
    ["variant".to_string(), load].into_iter().chain(columns.map(String::from)).collect()
}

fn speed_rows(curve: &RealityCurve) -> impl Iterator<Item = Vec<String>> {
    curve.points.iter().enumerate().map(|(place, point)| {
        let first = place == 0 || curve.points[place - 1].variant != point.variant;
        let (here, there) = (&point.predicted, &point.observed);
        let per_s = |per_s: f64| format!("{per_s:.1}");
        vec![
            if first { point.label.clone() } else { String::new() },
            point.load.to_string(),
            per_s(here.per_s),
            per_s(there.per_s),
            terminal::ms(here.p50_ms),
            terminal::ms(there.p50_ms),
            terminal::ms(here.p99_ms),
            terminal::ms(there.p99_ms),
        ]
    })
}

/// Mostly it is one machine and one day.
fn made_with(reality: &Reality) -> String {
    let made = reality.scenarios.iter().filter(|scenario| !scenario.observed_on.is_empty());
    let made = made.map(|it| format!("Observed on {}, {}, on {}.", it.observed_on, it.machine, it.date));
    made.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("\n")
}
