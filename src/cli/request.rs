//! Names and values from the command line, checked against the scenario before anything runs.

use twoam::api::{Change, RunRequest, TimedChange};
use twoam::scenario::manifest::SCHEMA;
use twoam::scenario::{Amount, Clients, ScenarioDocument};
use twoam::trace::Micros;

use super::{Failure, catalog, terminal};

/// Stands for the first variant that is not `naive`.
const HARDENED: &str = "hardened";

/// Which run is meant.
#[derive(Debug, clap::Args)]
pub struct Corner {
    /// Id of a scenario, or path of a scenario's folder
    #[arg(required_unless_present = "replay")]
    scenario: Option<String>,
    /// Variant of the code; `hardened` is the first hardened one
    #[arg(long, default_value = "naive")]
    variant: String,
    /// Environment: my-machine or production
    #[arg(long, default_value = "production")]
    env: String,
    /// Whole number; another seed is another run
    #[arg(long, default_value_t = 1, value_parser = whole_number, allow_hyphen_values = true)]
    seed: u32,
    /// The run of a schedule that an earlier run printed
    #[arg(long, value_name = "SCHEDULE", conflicts_with_all = ["variant", "env", "seed"])]
    replay: Option<String>,
}

impl Corner {
    /// Its scenario, and what it asks for; a schedule says more than the other arguments can.
    pub fn request(&self) -> Result<(ScenarioDocument, RunRequest), Failure> {
        if let Some(schedule) = &self.replay {
            let request =
                RunRequest::from_schedule(schedule).map_err(|error| Failure::Usage(format!("error: {error}")))?;
            let document = catalog::find(self.scenario.as_deref().unwrap_or(&request.scenario))?;
            if document.summary.id != request.scenario {
                let (of, given) = (&request.scenario, &document.summary.id);
                return Err(Failure::Usage(format!("error: the schedule is of `{of}`, not of `{given}`")));
            }
            check(&document, &request)?;
            return Ok((document, request));
        }
        let document = catalog::find(self.scenario.as_deref().unwrap_or_default())?;
        let request = RunRequest {
            scenario: document.summary.id.clone(),
            variant: variant(&document, &self.variant)?,
            environment: environment(&document, &self.env)?,
            seed: self.seed,
            until_us: None,
            knobs: Default::default(),
            sources: Default::default(),
            changes: Vec::new(),
        };
        Ok((document, request))
    }

    /// `twoam run`, and the scenario's folder where a schedule does not find it.
    pub fn command(&self, verb: &str) -> String {
        match self.scenario.as_deref().filter(|name| !catalog::is_built_in(name)) {
            Some(folder) => format!("twoam {verb} {folder}"),
            None => format!("twoam {verb}"),
        }
    }
}

pub fn variant(document: &ScenarioDocument, name: &str) -> Result<String, Failure> {
    let known = &document.summary.variants;
    match known.iter().find(|id| *id == name) {
        Some(id) => Ok(id.clone()),
        None if name == HARDENED => known.get(1).cloned().ok_or_else(|| {
            let id = &document.summary.id;
            Failure::Usage(format!("error: `{id}` has no hardened variant yet; add [[variant]] to its scenario.toml"))
        }),
        None => {
            let hardened = (known.len() > 1).then_some(HARDENED);
            Err(Failure::unknown("variant", name, known.iter().map(String::as_str).chain(hardened)))
        }
    }
}

pub fn environment(document: &ScenarioDocument, name: &str) -> Result<String, Failure> {
    let known = &document.summary.environments;
    let found = known.iter().find(|id| *id == name).cloned();
    found.ok_or_else(|| Failure::unknown("environment", name, known.iter().map(String::as_str)))
}

/// `name=value` of a knob.
pub fn setting(document: &ScenarioDocument, text: &str) -> Result<(String, f64), Failure> {
    let (name, value) = halves(text, '=', "KNOB=VALUE, as in clients=50")?;
    knob(document, name, value)
}

pub fn knob(document: &ScenarioDocument, name: &str, value: &str) -> Result<(String, f64), Failure> {
    let known = document.knobs.iter().map(|knob| knob.id.as_str());
    let knob = document.knob(name).ok_or_else(|| Failure::unknown("knob", name, known))?;
    let whole = knob.step.fract() == 0.0 && knob.min.fract() == 0.0;
    let number = value.parse().ok().filter(|number: &f64| (knob.min..=knob.max).contains(number));
    number.filter(|number| !whole || number.fract() == 0.0).map(|number| (knob.id.clone(), number)).ok_or_else(|| {
        let unit = if knob.unit.is_empty() { String::new() } else { format!(" ({})", knob.unit) };
        let kind = if whole { "whole number" } else { "number" };
        Failure::Usage(format!(
            "error: knob `{name}` cannot be `{value}`; it is a {kind} from {} to {}{unit}",
            knob.min, knob.max
        ))
    })
}

/// `--clients N`: the knob that says how many clients there are.
pub fn clients(document: &ScenarioDocument, count: u32) -> Result<(String, f64), Failure> {
    match &document.simulation.clients {
        Clients::Closed { count: Amount::Knob(name), .. } => knob(document, name, &count.to_string()),
        Clients::Open { rate_per_s: Amount::Knob(name) } => Err(Failure::Usage(format!(
            "error: the clients of `{}` arrive at a rate, whatever the answers; use --set {name}=N (a second)",
            document.summary.id
        ))),
        Clients::Closed { .. } | Clients::Open { .. } | Clients::Scripted { .. } => {
            Err(Failure::Usage(format!("error: `{}` has a fixed number of clients", document.summary.id)))
        }
    }
}

/// `20s:variant=row-lock`, `20s:fault=lost-answers:off`, `20s:clients=50`.
pub fn timed_change(document: &ScenarioDocument, request: &RunRequest, text: &str) -> Result<TimedChange, Failure> {
    let (at, change) = halves(text, ':', "TIME:CHANGE, as in 20s:variant=hardened")?;
    let at_us = duration(at).map_err(|error| Failure::Usage(format!("error: {error}")))?;
    let environment = document.environment(&request.environment);
    let end_us = request.until_us.or(environment.map(|environment| (environment.length_s * 1e6) as Micros));
    if let Some(end_us) = end_us.filter(|end_us| at_us > *end_us) {
        let end = terminal::seconds(end_us);
        return Err(Failure::Usage(format!(
            "error: `{text}` comes after the run's end at {end}; give a longer --until"
        )));
    }
    let forms = "TIME:variant=NAME, TIME:fault=NAME:on, TIME:fault=NAME:off or TIME:KNOB=NUMBER";
    let (name, value) = change.split_once('=').ok_or_else(|| not_of_the_form(text, forms))?;
    let change = match name {
        "variant" => Change::Variant { variant: variant(document, value)? },
        "fault" => fault(document, value)?,
        _ => {
            let (knob, value) = knob(document, name, value)?;
            if document.knob(&knob).is_some_and(|knob| !knob.live) {
                return Err(Failure::Usage(format!(
                    "error: knob `{knob}` counts from the start of a run; use --set {knob}={value}"
                )));
            }
            Change::Knob { knob, value }
        }
    };
    Ok(TimedChange { at_us, change })
}

fn fault(document: &ScenarioDocument, text: &str) -> Result<Change, Failure> {
    let (name, state) = halves(text, ':', "fault=NAME:on or fault=NAME:off")?;
    if !document.faults.iter().any(|fault| fault.id == name) {
        return Err(Failure::unknown("fault", name, document.faults.iter().map(|fault| fault.id.as_str())));
    }
    match state {
        "on" | "off" => Ok(Change::Fault { fault: name.to_string(), on: state == "on" }),
        _ => Err(Failure::Usage(format!("error: fault `{name}` cannot be `{state}`; it is on or off"))),
    }
}

/// Everything a pasted schedule names is checked like arguments are.
pub fn check(document: &ScenarioDocument, request: &RunRequest) -> Result<(), Failure> {
    variant(document, &request.variant)?;
    environment(document, &request.environment)?;
    for (name, value) in &request.knobs {
        knob(document, name, &value.to_string())?;
    }
    for file in request.sources.keys() {
        source(document, file)?;
    }
    for timed in &request.changes {
        match &timed.change {
            Change::Variant { variant: name } => _ = variant(document, name)?,
            Change::Knob { knob: name, value } => _ = knob(document, name, &value.to_string())?,
            Change::Fault { fault: name, on } => {
                _ = fault(document, &format!("{name}:{}", if *on { "on" } else { "off" }))?
            }
            Change::Source { file, .. } => source(document, file)?,
        }
    }
    Ok(())
}

/// A file whose text can be edited.
fn source(document: &ScenarioDocument, name: &str) -> Result<(), Failure> {
    let code = document.variants.iter().map(|variant| variant.file.as_str());
    let known = code.chain([SCHEMA]).collect::<Vec<_>>();
    if known.contains(&name) { Ok(()) } else { Err(Failure::unknown("file", name, known)) }
}

/// No run is longer: an hour of virtual time.
const LONGEST_US: Micros = 3_600_000_000;

/// `90`, `90s`, `1500ms`, `2m`: seconds without a unit.
pub fn duration(text: &str) -> Result<Micros, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_us = match &text[digits.len()..] {
        "us" => Some(1.0),
        "ms" => Some(1e3),
        "s" | "" => Some(1e6),
        "m" => Some(60e6),
        _ => None,
    };
    let number = digits.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let Some(us) = number.zip(unit_us).map(|(number, unit_us)| number * unit_us) else {
        return Err(format!("`{text}` is not a time; write it like 500ms, 20s or 2m"));
    };
    if us > LONGEST_US as f64 {
        return Err(format!("`{text}` is too long; a run has an hour at most"));
    }
    Ok(us.round() as Micros)
}

/// The time a run takes.
pub fn length(text: &str) -> Result<Micros, String> {
    match duration(text)? {
        0 => Err(format!("`{text}` is no time at all; write it like 500ms, 20s or 2m")),
        length => Ok(length),
    }
}

/// Of seeds and clients.
pub fn whole_number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number from 0 to {}", u32::MAX))
}

fn halves<'a>(text: &'a str, at: char, form: &str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once(at).ok_or_else(|| not_of_the_form(text, form))
}

fn not_of_the_form(text: &str, form: &str) -> Failure {
    Failure::Usage(format!("error: `{text}` is not of the form {form}"))
}
