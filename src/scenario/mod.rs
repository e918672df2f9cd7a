//! A scenario's folder as data: read, checked, every mistake told with file, line and remedy. It runs nothing.

#[cfg(all(feature = "command-line", not(target_arch = "wasm32")))]
pub mod bundle;
mod change;
mod draw;
mod exam;
#[cfg(feature = "command-line")]
pub mod manifest;
mod simulation_spec;
mod talk;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use change::{Change, TimedChange};
pub use draw::{Draw, InsertStatement, Place, RowSet, draw_all};
pub use exam::{Exam, ExamRequest};
pub use simulation_spec::{
    Amount, Clients, FaultRule, FaultVerdict, Gauge, Machine, RequestKind, Script, ServiceSettings, SimulationSpec,
};
pub use talk::{Beat, BeatAction, CodeLines, Moment, NamedMoment, Picture, Scene, TalkMistake, View, scenes};

/// What the page and `twoam list` show of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ScenarioSummary {
    pub id: String,
    pub title: String,
    /// One line that makes one want to try it.
    pub hook: String,
    /// The page begins with it. Known while the list is put in order, not later.
    #[serde(skip)]
    pub opens: bool,
    pub variants: Vec<String>,
    pub environments: Vec<String>,
    /// `races`, `performance`, `distributed`, `security` or `business`.
    pub theme: String,
    /// What the reader feels: `money is missing`, `it was slow` …
    pub symptom: String,
    pub difficulty: u32,
    pub tags: Vec<String>,
    /// The real server on which it did as it does here; the page's documents say so.
    pub seen_on: Option<String>,
}

/// A whole scenario: one JSON, fetched when it is picked, read by the page and run by the simulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ScenarioDocument {
    pub summary: ScenarioSummary,
    /// What somebody asked an assistant for.
    pub prompt: String,
    /// What it is good at showing.
    pub shows: String,
    /// What differs on CockroachDB and YugabyteDB, by their documentation.
    pub elsewhere: String,
    /// `naive` first.
    pub variants: Vec<VariantDocument>,
    pub environments: Vec<EnvironmentDocument>,
    pub knobs: Vec<Knob>,
    pub faults: Vec<FaultDocument>,
    pub metrics: Vec<Metric>,
    pub invariants: Vec<Invariant>,
    /// What went wrong as one number and its sentence. Every scenario that is shown has it; a draft need not.
    pub damage: Option<Damage>,
    pub schema: String,
    /// Markdown.
    pub story: String,
    /// Markdown, one section of level 2 for each framework.
    pub frameworks: String,
    pub beats: Vec<Beat>,
    /// What stands on the screen at each beat. Empty until the runs of the talk are known: the page's documents say it.
    #[serde(default)]
    pub scenes: Vec<Scene>,
    pub question: Question,
    /// Three, each telling more than the one before.
    pub hints: Vec<String>,
    pub reading: Vec<Reading>,
    /// For whoever compares with a real server how both behave under more and more load.
    pub curve: Option<Curve>,
    /// What is run in every order.
    #[serde(default)]
    pub exams: Vec<Exam>,
    /// What a simulation builds; nothing of it is on the screen.
    pub simulation: SimulationSpec,
}

impl ScenarioDocument {
    /// The metric that counts the damage; `None` also where an invariant's cases do.
    pub fn damage_metric(&self) -> Option<usize> {
        let damage = self.damage.as_ref()?;
        self.metrics.iter().position(|metric| metric.id == damage.of)
    }

    pub fn variant(&self, id: &str) -> Option<&VariantDocument> {
        self.variants.iter().find(|variant| variant.id == id)
    }

    pub fn environment(&self, id: &str) -> Option<&EnvironmentDocument> {
        self.environments.iter().find(|environment| environment.id == id)
    }

    pub fn knob(&self, id: &str) -> Option<&Knob> {
        self.knobs.iter().find(|knob| knob.id == id)
    }
}

/// SQL or code that the author of a scenario wrote, for what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Schema,
    /// By place in `SimulationSpec::rows`.
    Rows(usize),
    /// Of the variant of this id.
    Migration(String),
    Invariant(String),
    Metric(String),
    /// By name.
    Code(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct VariantDocument {
    pub id: String,
    pub label: String,
    pub file: String,
    pub source: String,
    /// What it costs, in one line.
    pub price: String,
    /// When it is the wrong choice.
    pub tradeoff: String,
    /// SQL run once before the variant takes requests for the first time: its tables and indexes.
    pub migration: Option<String>,
    /// What runs beside the requests while this variant is deployed.
    pub workers: Vec<Worker>,
}

/// A function of the variant's file that is run again and again: a relay, a reconciler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Worker {
    pub entry: String,
    /// From one end to the next start.
    pub every_ms: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EnvironmentDocument {
    pub id: String,
    pub label: String,
    /// `1 client, 10 rows, no faults`.
    pub summary: String,
    /// Every knob's value here.
    pub knobs: BTreeMap<String, f64>,
    /// Faults that are on from the start.
    pub faults: Vec<String>,
    /// Virtual seconds until the run ends.
    pub length_s: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Knob {
    pub id: String,
    pub label: String,
    pub unit: String,
    pub min: f64,
    pub max: f64,
    pub step: f64,
    /// It can be moved while the run is going; else moving it starts a new run.
    pub live: bool,
}

/// Production, with one knob at several values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Curve {
    pub knob: String,
    pub values: Vec<f64>,
    /// Other knobs that stand otherwise than in production.
    pub knobs: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FaultDocument {
    pub id: String,
    pub label: String,
}

/// A number the scenario's screen shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Metric {
    pub id: String,
    pub label: String,
    pub unit: Unit,
    pub kind: MetricKind,
    /// One of the large numbers.
    pub headline: bool,
    pub better: Better,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Count,
    Ms,
    Cents,
    /// 0 to 1.
    Ratio,
    Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum MetricKind {
    /// Only grows; shown with its rate a second.
    Counter,
    /// A value now.
    Gauge,
    /// A quantile or mean over requests.
    Distribution,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Anything above zero is a fault: red.
    Zero,
    Lower,
    Higher,
    Neither,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Invariant {
    pub id: String,
    /// What a row of the query means, for people: `a card was charged and no order exists`.
    pub sentence: String,
    pub rule: InvariantRule,
    /// How long a row may stand before it counts, after the requests it may belong to have ended.
    pub settle_ms: f64,
    /// Nothing counts before this second of the run: a fault's own damage, when the question is what it leaves behind.
    pub from_s: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum InvariantRule {
    /// Must return no rows; each row is a case.
    Sql { sql: String },
    /// Each request that took longer is a case.
    SlowerThan {
        ms: f64,
        /// Only requests of this kind.
        entry: Option<String>,
    },
    /// Each request that ended with status 500 or above is a case.
    Failed { entry: Option<String> },
}

/// The number the headline counts, and what it is a number of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Damage {
    /// A metric that has to be zero, or an invariant: then its cases are counted.
    pub of: String,
    /// `{n} units sold that do not exist`.
    pub sentence: String,
    /// The same for one; `None`: an amount of money, which has no singular.
    pub one: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Question {
    pub text: String,
    pub answers: Vec<QuestionAnswer>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct QuestionAnswer {
    pub text: String,
    pub right: bool,
    /// Shown after the choice.
    pub because: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Reading {
    pub title: String,
    pub url: String,
}
