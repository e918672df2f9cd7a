//! Reads a scenario's folder. Nothing stops at the first mistake: an author sees them all, each with file, line and remedy.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::*;
use crate::services::{self, SERVICES};

pub const MANIFEST: &str = "scenario.toml";
const STORY_SECTIONS: [&str; 4] = ["What happens", "Why nobody saw it", "How to find it", "The fixes"];
/// Each must begin a section's title; of the pairs one is enough.
const FRAMEWORKS: [&[&str]; 8] = [
    &["Django"],
    &["SQLAlchemy"],
    &["Laravel Eloquent"],
    &["Entity Framework Core"],
    &["Prisma", "Sequelize"],
    &["Rails"],
    &["Spring"],
    &["Go"],
];
const THEMES: [&str; 5] = ["races", "performance", "distributed", "security", "business"];
const SYMPTOMS: [&str; 5] = ["numbers are wrong", "money is missing", "it was slow", "it hung", "someone got in"];
/// Begins every text of the template of a new scenario.
const UNWRITTEN: &str = "<write: ";
const MY_MACHINE: &str = "my-machine";
/// Every scenario has an environment and a variant of these names.
pub const PRODUCTION: &str = "production";
pub const NAIVE: &str = "naive";

/// A folder's text files by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub id: String,
    pub files: BTreeMap<String, String>,
}

/// Something an author has to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// `oversell/scenario.toml`
    pub file: String,
    pub line: Option<u32>,
    pub what: String,
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}; {}", self.file, self.what, self.remedy),
            None => write!(f, "{}: {}; {}", self.file, self.what, self.remedy),
        }
    }
}

/// `measured` are the metrics every run has: a manifest names them by id.
pub fn read(folder: &Folder, measured: &[Metric]) -> Result<ScenarioDocument, Vec<Mistake>> {
    let Some(text) = folder.files.get(MANIFEST) else {
        return Err(vec![Mistake {
            file: format!("{}/{MANIFEST}", folder.id),
            line: None,
            what: "the file is missing".into(),
            remedy: "every scenario starts with one; copy another scenario's and change it".into(),
        }]);
    };
    let reader = Reader::new(folder, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.mistake(at, error.message().to_string(), "see https://toml.io/en/v1.0.0");
    }
    let document = reader.document(Section::new(&reader, table.get_ref(), 0, String::new()), measured);
    reader.check_files(&document);
    let mut mistakes = reader.mistakes.into_inner();
    if mistakes.is_empty() {
        return Ok(document);
    }
    mistakes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    Err(mistakes)
}

/// Where a theme stands among the themes.
pub fn theme_place(theme: &str) -> usize {
    THEMES.iter().position(|known| *known == theme).unwrap_or(THEMES.len())
}

struct Reader<'a> {
    folder: &'a Folder,
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
    knobs: RefCell<BTreeSet<String>>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Reader<'a> {
    fn new(folder: &'a Folder, text: &'a str) -> Reader<'a> {
        let used = [MANIFEST, "schema.sql", "story.md", "frameworks.md"].map(String::from);
        Reader {
            folder,
            text,
            mistakes: RefCell::default(),
            knobs: RefCell::default(),
            used: RefCell::new(used.into()),
        }
    }

    fn document(&self, root: Section<'_, 'a>, measured: &[Metric]) -> ScenarioDocument {
        let knobs = root.sections("knob").iter().map(|section| self.knob(section)).collect::<Vec<_>>();
        self.knobs.replace(knobs.iter().map(|knob| knob.id.clone()).collect());
        let services = root.optional_sections("service");
        let services = services.iter().map(|section| self.service(section)).collect::<Vec<_>>();
        let faults = root.optional_sections("fault");
        let faults = faults.iter().map(|section| self.fault(section, &services)).collect::<Vec<_>>();
        let environments = root
            .sections("environment")
            .iter()
            .map(|section| self.environment(section, &knobs, &faults))
            .collect::<Vec<_>>();
        self.expect_ids(&root, "environment", environments.iter().map(|e| e.id.as_str()), &[MY_MACHINE, PRODUCTION]);
        let variants = root.sections("variant").iter().map(|section| self.variant(section)).collect::<Vec<_>>();
        self.expect_ids(&root, "variant", variants.iter().map(|v| v.id.as_str()), &[NAIVE]);
        if variants.len() < 2 {
            root.mistake("variant", "there is no hardened variant", "add one more [[variant]] with its file");
        } else if variants[0].id != NAIVE {
            root.mistake("variant", "the first variant is not `naive`", "put the naive one first");
        }
        let (metrics, gauges) = self.metrics(&root, measured);
        let names = Names { knobs: &knobs, faults: &faults, environments: &environments, variants: &variants };
        ScenarioDocument {
            summary: ScenarioSummary {
                id: self.folder.id.clone(),
                title: root.text("title"),
                hook: root.text("hook"),
                opens: root.flag("opens"),
                variants: variants.iter().map(|variant| variant.id.clone()).collect(),
                environments: environments.iter().map(|environment| environment.id.clone()).collect(),
                theme: root.word("theme", &THEMES),
                symptom: root.word("symptom", &SYMPTOMS),
                difficulty: root.number_in("difficulty", 1.0, 3.0) as u32,
                tags: root.texts("tags", 1),
                seen_on: None,
            },
            prompt: root.text("prompt"),
            shows: root.text("shows"),
            elsewhere: root.text("elsewhere"),
            invariants: root.sections("invariant").iter().map(|section| self.invariant(section)).collect(),
            beats: root.sections("beat").iter().map(|section| self.beat(section, &names)).collect(),
            question: root.section("question").map_or_else(
                || Question { text: String::new(), answers: Vec::new() },
                |section| self.question(&section),
            ),
            hints: self.hints(&root),
            reading: root
                .sections("reading")
                .iter()
                .map(|section| Reading { title: section.text("title"), url: section.text("url") })
                .collect(),
            curve: root.optional_section("curve").map(|section| self.curve(&section, &knobs)),
            world: World {
                clients: self.clients(&root),
                requests: root.sections("request").iter().map(|section| self.request(section)).collect(),
                rows: root.optional_sections("rows").iter().map(|section| self.rows(section)).collect(),
                machine: self.machine(&root),
                services,
                faults: faults.iter().map(|(_, rule)| rule.clone()).collect(),
                gauges,
            },
            faults: faults.into_iter().map(|(document, _)| document).collect(),
            schema: self.file("schema.sql"),
            story: self.file("story.md"),
            frameworks: self.file("frameworks.md"),
            metrics,
            knobs,
            environments,
            variants,
        }
    }

    fn knob(&self, section: &Section<'_, 'a>) -> Knob {
        let knob = Knob {
            id: section.id(),
            label: section.text("label"),
            unit: section.optional_text("unit").unwrap_or_default(),
            min: section.number("min"),
            max: section.number("max"),
            step: section.number("step"),
            live: section.flag("live"),
        };
        if knob.min >= knob.max {
            section.mistake("max", "it is not above `min`", "a knob needs room to move");
        }
        knob
    }

    fn service(&self, section: &Section<'_, 'a>) -> ServiceSettings {
        let kinds = SERVICES.iter().map(|kind| kind.name).collect::<Vec<_>>();
        let named = section.has("kind");
        let kind = section.word(if named { "kind" } else { "name" }, &kinds);
        ServiceSettings {
            name: if named { section.text("name") } else { kind.clone() },
            kind,
            capacity: section.optional_amount("capacity"),
            latency_ms: section.amount("latency_ms"),
            latency_sd_ms: section.amount("latency_sd_ms"),
            timeout_ms: section.amount("timeout_ms"),
        }
    }

    fn fault(&self, section: &Section<'_, 'a>, services: &[ServiceSettings]) -> (FaultDocument, FaultRule) {
        let places = services.iter().map(|service| service.name.as_str()).chain(["database", "processes", "clients"]);
        let verdict = match section
            .word("verdict", &["decline", "fail", "refuse", "delay", "lose-answer", "duplicate", "resend", "kill"])
            .as_str()
        {
            "decline" => FaultVerdict::Decline,
            "refuse" => FaultVerdict::Refuse,
            "delay" => FaultVerdict::Delay { ms: section.amount("delay_ms") },
            "lose-answer" => FaultVerdict::LoseAnswer,
            "duplicate" => FaultVerdict::Duplicate,
            "resend" => FaultVerdict::Resend { after_ms: section.amount("after_ms") },
            "kill" => FaultVerdict::Kill,
            _ => FaultVerdict::Fail,
        };
        let kill = verdict == FaultVerdict::Kill;
        let on = section.word("on", &places.collect::<Vec<_>>());
        let methods =
            services.iter().find(|service| service.name == on).and_then(|service| services::kind(&service.kind));
        let methods = methods.map_or(&[][..], |kind| kind.methods);
        let rule = FaultRule {
            id: section.id(),
            methods: match section.has("methods") {
                // Of clients: kinds of request, by entry.
                true if on == "clients" => section.texts("methods", 1),
                true => section.words("methods", methods),
                false => Vec::new(),
            },
            on,
            share: if kill { Amount::Number(1.0) } else { section.amount("share") },
            every_s: kill.then(|| section.amount("every_s")),
            from_s: section.optional_amount("from_s").unwrap_or(Amount::Number(0.0)),
            for_s: section.optional_amount("for_s"),
            verdict,
        };
        if (rule.on == "clients") != matches!(rule.verdict, FaultVerdict::Resend { .. }) {
            section.mistake("on", "clients resend, and nobody else does", "use `resend` with `on = \"clients\"`");
        }
        (FaultDocument { id: rule.id.clone(), label: section.text("label") }, rule)
    }

    fn environment(
        &self,
        section: &Section<'_, 'a>,
        knobs: &[Knob],
        faults: &[(FaultDocument, FaultRule)],
    ) -> EnvironmentDocument {
        let values = section.section("knobs").map(|values| {
            let each = knobs.iter().map(|knob| (knob.id.clone(), values.number_in(&knob.id, knob.min, knob.max)));
            each.collect()
        });
        let fault_ids = faults.iter().map(|(fault, _)| fault.id.as_str()).collect::<Vec<_>>();
        EnvironmentDocument {
            id: section.id(),
            label: section.text("label"),
            summary: section.text("summary"),
            knobs: values.unwrap_or_default(),
            faults: section.words("faults", &fault_ids),
            length_s: section.number_in("length_s", 1.0, 600.0),
        }
    }

    fn curve(&self, section: &Section<'_, 'a>, knobs: &[Knob]) -> Curve {
        let ids = ids(knobs, |knob| &knob.id);
        let knob = section.word("knob", &ids);
        let values = section.required("values", "a list of numbers", |value| {
            value.as_array()?.iter().map(|item| number_of(item.get_ref())).collect::<Option<Vec<_>>>()
        });
        let values = values.unwrap_or_default();
        let range = knobs.iter().find(|it| it.id == knob).map(|knob| knob.min..=knob.max);
        if let Some(range) = range.filter(|range| !values.iter().all(|value| range.contains(value))) {
            let (min, max) = (range.start(), range.end());
            section.mistake("values", "one is out of the knob's range", format!("write numbers from {min} to {max}"));
        }
        let others = section.optional_section("knobs").map(|others| {
            let there = knobs.iter().filter(|knob| others.has(&knob.id));
            there.map(|knob| (knob.id.clone(), others.number_in(&knob.id, knob.min, knob.max))).collect()
        });
        Curve { knob, values, knobs: others.unwrap_or_default() }
    }

    fn variant(&self, section: &Section<'_, 'a>) -> VariantDocument {
        let file = section.text("file");
        VariantDocument {
            id: section.id(),
            label: section.text("label"),
            source: section.file("file", &file),
            file,
            price: section.text("price"),
            tradeoff: section.text("tradeoff"),
            migration: section.optional_text("migration").map(|file| section.file("migration", &file)),
            workers: section
                .optional_sections("worker")
                .iter()
                .map(|worker| Worker { entry: worker.text("entry"), every_ms: worker.number("every_ms") })
                .collect(),
        }
    }

    fn metrics(&self, root: &Section<'_, 'a>, measured: &[Metric]) -> (Vec<Metric>, Vec<Gauge>) {
        let mut metrics = Vec::new();
        let mut gauges = Vec::new();
        for section in root.sections("metric") {
            let headline = section.flag("headline");
            let own = section.has("sql");
            let id = if own { section.id() } else { section.word("id", &ids(measured, |metric| &metric.id)) };
            if own {
                gauges.push(Gauge { metric: id.clone(), sql: section.text("sql") });
                metrics.push(Metric {
                    id,
                    label: section.text("label"),
                    unit: match section.word("unit", &["count", "ms", "cents", "ratio", "bytes"]).as_str() {
                        "ms" => Unit::Ms,
                        "cents" => Unit::Cents,
                        "ratio" => Unit::Ratio,
                        "bytes" => Unit::Bytes,
                        _ => Unit::Count,
                    },
                    kind: MetricKind::Gauge,
                    headline,
                    better: match section.word("better", &["zero", "lower", "higher", "neither"]).as_str() {
                        "zero" => Better::Zero,
                        "lower" => Better::Lower,
                        "higher" => Better::Higher,
                        _ => Better::Neither,
                    },
                });
            } else if let Some(metric) = measured.iter().find(|metric| metric.id == id) {
                let label = section.optional_text("label").unwrap_or_else(|| metric.label.clone());
                metrics.push(Metric { headline, label, ..metric.clone() });
            }
        }
        if !metrics.iter().any(|metric| metric.headline) {
            root.mistake(
                "metric",
                "no metric is a headline",
                "write `headline = true` on the two or three that matter",
            );
        }
        (metrics, gauges)
    }

    fn invariant(&self, section: &Section<'_, 'a>) -> Invariant {
        let rules = ["sql", "slower_than_ms", "failed"].into_iter().filter(|key| section.has(key)).collect::<Vec<_>>();
        let rule = match rules[..] {
            ["sql"] => InvariantRule::Sql { sql: section.text("sql") },
            ["slower_than_ms"] => InvariantRule::SlowerThan {
                ms: section.number("slower_than_ms"),
                entry: section.optional_text("entry"),
            },
            ["failed"] => {
                section.flag("failed");
                InvariantRule::Failed { entry: section.optional_text("entry") }
            }
            _ => {
                section.mistake(
                    "id",
                    "it needs exactly one rule",
                    "write one of `sql`, `slower_than_ms`, `failed = true`",
                );
                InvariantRule::Failed { entry: None }
            }
        };
        Invariant {
            id: section.id(),
            sentence: section.text("sentence"),
            rule,
            settle_ms: section.optional_number("settle_ms").unwrap_or(0.0),
            from_s: section.optional_number("from_s").unwrap_or(0.0),
        }
    }

    fn beat(&self, section: &Section<'_, 'a>, names: &Names<'_>) -> Beat {
        let action = if section.has("environment") {
            let environment = section.word("environment", &ids(names.environments, |e| &e.id));
            Some(BeatAction::Environment { environment })
        } else if section.has("variant") {
            Some(BeatAction::Variant { variant: section.word("variant", &ids(names.variants, |v| &v.id)) })
        } else if section.has("knob") {
            let knob = section.word("knob", &ids(names.knobs, |knob| &knob.id));
            Some(BeatAction::Knob { knob, value: section.number("value") })
        } else if section.has("fault") {
            let fault = section.word("fault", &ids(names.faults, |(fault, _)| &fault.id));
            Some(BeatAction::Fault { fault, on: section.flag("on") })
        } else if section.flag("play") {
            Some(BeatAction::Play)
        } else if section.flag("pause") {
            Some(BeatAction::Pause)
        } else {
            None
        };
        Beat { sentence: section.text("sentence"), note: section.optional_text("note"), action }
    }

    fn question(&self, section: &Section<'_, 'a>) -> Question {
        let answers = section
            .sections("answer")
            .iter()
            .map(|answer| QuestionAnswer {
                text: answer.text("text"),
                right: answer.flag("right"),
                because: answer.text("because"),
            })
            .collect::<Vec<_>>();
        if answers.len() < 3 || answers.iter().filter(|answer| answer.right).count() != 1 {
            section.mistake("answer", "a question has three answers or more, one of them right", "mend the answers");
        }
        Question { text: section.text("text"), answers }
    }

    fn hints(&self, root: &Section<'_, 'a>) -> Vec<String> {
        let hints = root.texts("hints", 3);
        if hints.len() > 3 {
            root.mistake(
                "hints",
                "there are more than three hints",
                "keep three, each telling more than the one before",
            );
        }
        hints
    }

    fn clients(&self, root: &Section<'_, 'a>) -> Clients {
        let Some(section) = root.section("clients") else {
            return Clients::Open { rate_per_s: Amount::Number(0.0) };
        };
        if section.has("file") {
            let file = section.text("file");
            let source = section.file("file", &file);
            let scripts = section.sections("script");
            let scripts =
                scripts.iter().map(|script| Script { entry: script.text("entry"), count: script.amount("count") });
            Clients::Scripted { scripts: scripts.collect(), file, source }
        } else if section.has("rate_per_s") {
            Clients::Open { rate_per_s: section.amount("rate_per_s") }
        } else {
            Clients::Closed { count: section.amount("count"), think_ms: section.amount("think_ms") }
        }
    }

    fn request(&self, section: &Section<'_, 'a>) -> RequestKind {
        RequestKind {
            entry: section.text("entry"),
            weight: section.optional_amount("weight").unwrap_or(Amount::Number(1.0)),
            // A script brings its own.
            parameters: match section.has("parameters") {
                true => section.section("parameters").map_or_else(BTreeMap::new, |draws| self.draws(&draws)),
                false => BTreeMap::new(),
            },
        }
    }

    fn rows(&self, section: &Section<'_, 'a>) -> RowSet {
        let columns = section.section("columns").map_or_else(BTreeMap::new, |columns| self.draws(&columns));
        if section.has("columns") && columns.is_empty() {
            section.mistake("columns", "it names no column", "name one at least, such as `id = { sequence = 1 }`");
        }
        RowSet { table: section.text("table"), count: section.amount("count"), columns }
    }

    fn draws(&self, section: &Section<'_, 'a>) -> BTreeMap<String, Draw> {
        section.table.keys().map(|key| (key.get_ref().to_string(), self.draw(section, key.get_ref()))).collect()
    }

    fn draw(&self, section: &Section<'_, 'a>, key: &str) -> Draw {
        let value = section.get(key).expect("the caller names a key of this section");
        let Some(table) = value.get_ref().as_table() else {
            return match json(value.get_ref()) {
                Value::String(pattern) => Draw::Text { pattern },
                value => Draw::Value { value },
            };
        };
        let section = Section::new(section.reader, table, value.span().start, section.path(key));
        if let Some(bounds) = section.list("uniform") {
            if let [from, to] = bounds {
                return Draw::Uniform {
                    from: section.amount_of(from, "uniform"),
                    to: section.amount_of(to, "uniform"),
                };
            }
            section.mistake("uniform", "it is not a pair", "write `{ uniform = [1, 10] }`");
        } else if let Some(values) = section.list("one_of") {
            if !values.is_empty() {
                return Draw::OneOf { values: values.iter().map(|value| json(value.get_ref())).collect() };
            }
            section.mistake("one_of", "the list is empty", "give at least one value");
        } else if section.has("sequence") {
            return Draw::Sequence { from: section.number("sequence") };
        } else if section.has("rolling") {
            return Draw::Rolling { from: section.number("rolling"), every_s: section.amount("every_s") };
        } else if let Some(knob) = section.optional_text("knob") {
            section.expect_knob("knob", &knob);
            return Draw::Knob { knob };
        } else {
            section.mistake_here(
                "it says nothing of how to draw the value",
                "write a value, a text, or one of `uniform`, `one_of`, `sequence`, `rolling`, `knob`",
            );
        }
        Draw::Value { value: Value::Null }
    }

    fn machine(&self, root: &Section<'_, 'a>) -> Machine {
        let section = root.section("machine");
        let amount = |key| section.as_ref().map_or(Amount::Number(0.0), |section| section.amount(key));
        Machine {
            processes: amount("processes"),
            pool: amount("pool"),
            pool_timeout_ms: amount("pool_timeout_ms"),
            database_cores: amount("database_cores"),
            network_ms: amount("network_ms"),
            network_sd_ms: amount("network_sd_ms"),
            memory_mb: section.as_ref().and_then(|section| section.optional_amount("memory_mb")),
            replica_lag_ms: section.as_ref().and_then(|section| section.optional_amount("replica_lag_ms")),
        }
    }

    fn expect_ids<'n>(
        &self,
        root: &Section<'_, 'a>,
        key: &'static str,
        found: impl Iterator<Item = &'n str>,
        expected: &[&str],
    ) {
        let mut seen = BTreeSet::new();
        for id in found {
            if !seen.insert(id) {
                root.mistake(key, format!("the id `{id}` is there twice"), "give each its own id");
            }
        }
        for id in expected.iter().filter(|id| !seen.contains(*id)) {
            root.mistake(key, format!("there is no {key} `{id}`"), format!("add [[{key}]] with `id = \"{id}\"`"));
        }
    }

    /// The text of a file of the folder; a missing one is told by `check_files`.
    fn file(&self, name: &str) -> String {
        self.used.borrow_mut().insert(name.to_string());
        self.folder.files.get(name).cloned().unwrap_or_default()
    }

    fn check_files(&self, document: &ScenarioDocument) {
        let used = self.used.borrow();
        for name in self.folder.files.keys().filter(|name| !used.contains(*name)) {
            self.mistake_in(name, "nothing uses this file", "name it in scenario.toml or delete it");
        }
        for name in used.iter() {
            match self.folder.files.get(name) {
                None => self.mistake_in(name, "the file is missing", "write it"),
                Some(text) if text.trim().is_empty() => self.mistake_in(name, "the file is empty", "write it"),
                Some(_) => {}
            }
        }
        for (name, text) in &self.folder.files {
            for (index, _) in text.lines().enumerate().filter(|(_, line)| line.contains(UNWRITTEN)) {
                self.mistakes.borrow_mut().push(Mistake {
                    file: format!("{}/{name}", self.folder.id),
                    line: Some(index as u32 + 1),
                    what: "this text is still the template's".into(),
                    remedy: "write it".into(),
                });
            }
        }
        for section in STORY_SECTIONS.iter().filter(|section| !has_section(&document.story, &[section])) {
            let remedy = format!("add `## {section}`");
            self.mistake_in("story.md", &format!("the section `{section}` is missing"), &remedy);
        }
        for names in FRAMEWORKS.iter().filter(|names| !has_section(&document.frameworks, names)) {
            let remedy = format!("add `## {}`", names[0]);
            self.mistake_in("frameworks.md", &format!("there is no section for {}", names.join(" or ")), &remedy);
        }
    }

    fn mistake(&self, at: usize, what: impl Into<String>, remedy: impl Into<String>) {
        let line = self.text[..at.min(self.text.len())].matches('\n').count() as u32 + 1;
        self.mistakes.borrow_mut().push(Mistake {
            file: format!("{}/{MANIFEST}", self.folder.id),
            line: Some(line),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    fn mistake_in(&self, file: &str, what: &str, remedy: &str) {
        self.mistakes.borrow_mut().push(Mistake {
            file: format!("{}/{file}", self.folder.id),
            line: None,
            what: what.into(),
            remedy: remedy.into(),
        });
    }
}

struct Names<'a> {
    knobs: &'a [Knob],
    faults: &'a [(FaultDocument, FaultRule)],
    environments: &'a [EnvironmentDocument],
    variants: &'a [VariantDocument],
}

fn ids<'a, T>(items: &'a [T], id: impl Fn(&'a T) -> &'a String) -> Vec<&'a str> {
    items.iter().map(|item| id(item).as_str()).collect()
}

fn has_section(markdown: &str, titles: &[&str]) -> bool {
    let mut found = markdown.lines().filter_map(|line| line.strip_prefix("## "));
    found.any(|title| titles.iter().any(|wanted| title.starts_with(wanted)))
}

/// One table of the manifest. When it goes, it reports the keys that nothing asked for.
struct Section<'r, 'a> {
    reader: &'r Reader<'a>,
    table: &'r DeTable<'a>,
    at: usize,
    name: String,
    known: RefCell<BTreeSet<String>>,
}

impl<'r, 'a> Section<'r, 'a> {
    fn new(reader: &'r Reader<'a>, table: &'r DeTable<'a>, at: usize, name: String) -> Section<'r, 'a> {
        Section { reader, table, at, name, known: RefCell::default() }
    }

    fn get(&self, key: &str) -> Option<&'r Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key.to_string());
        self.table.get(key)
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_string() } else { format!("{}.{key}", self.name) }
    }

    fn mistake(&self, key: &str, what: impl fmt::Display, remedy: impl Into<String>) {
        let at = self.table.get(key).map_or(self.at, |value| value.span().start);
        self.reader.mistake(at, format!("`{}`: {what}", self.path(key)), remedy);
    }

    fn mistake_here(&self, what: &str, remedy: &str) {
        self.reader.mistake(self.at, format!("`{}`: {what}", self.name), remedy);
    }

    /// What `key` holds as a `wanted`; a missing key or another type is a mistake.
    fn required<T>(&self, key: &str, wanted: &str, read: impl Fn(&'r DeValue<'a>) -> Option<T>) -> Option<T> {
        let Some(value) = self.get(key) else {
            self.mistake(key, "it is missing", format!("add it; it is {wanted}"));
            return None;
        };
        let read = read(value.get_ref());
        if read.is_none() {
            let found = value.get_ref().type_str();
            self.mistake(key, format!("it is of type {found}"), format!("write {wanted}"));
        }
        read
    }

    fn text(&self, key: &str) -> String {
        let text = self.required(key, "a text", |value| value.as_str()).unwrap_or("-").trim();
        if text.is_empty() {
            self.mistake(key, "it is empty", "write it");
        }
        text.to_string()
    }

    fn optional_text(&self, key: &str) -> Option<String> {
        self.has(key).then(|| self.text(key))
    }

    fn id(&self) -> String {
        let id = self.text("id");
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !id.chars().all(right) {
            self.mistake("id", format!("`{id}` cannot be an id"), "use lower-case letters, digits and hyphens");
        }
        id
    }

    /// One of `words`.
    fn word(&self, key: &str, words: &[&str]) -> String {
        let word = self.text(key);
        if self.has(key) {
            self.expect_word(key, &word, words);
        }
        word
    }

    fn words(&self, key: &str, words: &[&str]) -> Vec<String> {
        let found = self.texts(key, 0);
        for word in &found {
            self.expect_word(key, word, words);
        }
        found
    }

    fn expect_word(&self, key: &str, word: &str, words: &[&str]) {
        if !words.contains(&word) {
            self.mistake(key, format!("`{word}` is not known"), format!("use one of {}", listed(words)));
        }
    }

    fn texts(&self, key: &str, at_least: usize) -> Vec<String> {
        let texts = self.required(key, "a list of texts", |value| {
            value.as_array()?.iter().map(|text| text.get_ref().as_str().map(str::to_string)).collect::<Option<Vec<_>>>()
        });
        if texts.as_ref().is_some_and(|texts| texts.len() < at_least || texts.iter().any(|t| t.trim().is_empty())) {
            self.mistake(key, format!("fewer than {at_least}, or an empty one"), "write what is missing");
        }
        texts.unwrap_or_default()
    }

    fn flag(&self, key: &str) -> bool {
        self.has(key) && self.required(key, "true or false", |value| value.as_bool()).unwrap_or(false)
    }

    fn number(&self, key: &str) -> f64 {
        self.required(key, "a number", number_of).unwrap_or(0.0)
    }

    fn optional_number(&self, key: &str) -> Option<f64> {
        self.has(key).then(|| self.number(key))
    }

    fn number_in(&self, key: &str, min: f64, max: f64) -> f64 {
        let Some(number) = self.required(key, "a number", number_of) else { return min };
        if !(min..=max).contains(&number) {
            self.mistake(key, format!("{number} is out of range"), format!("write a number from {min} to {max}"));
        }
        number
    }

    fn amount(&self, key: &str) -> Amount {
        match self.get(key) {
            Some(value) => self.amount_of(value, key),
            None => {
                self.mistake(key, "it is missing", "add it; it is a number or a knob's id");
                Amount::Number(0.0)
            }
        }
    }

    fn optional_amount(&self, key: &str) -> Option<Amount> {
        self.has(key).then(|| self.amount(key))
    }

    fn amount_of(&self, value: &Spanned<DeValue<'a>>, key: &str) -> Amount {
        if let Some(number) = number_of(value.get_ref()) {
            return Amount::Number(number);
        }
        if let Some(knob) = value.get_ref().as_str() {
            self.expect_knob(key, knob);
            return Amount::Knob(knob.to_string());
        }
        self.mistake(key, format!("it is of type {}", value.get_ref().type_str()), "write a number or a knob's id");
        Amount::Number(0.0)
    }

    fn expect_knob(&self, key: &str, knob: &str) {
        let knobs = self.reader.knobs.borrow();
        if !knobs.contains(knob) {
            let names = knobs.iter().map(String::as_str).collect::<Vec<_>>();
            self.mistake(
                key,
                format!("there is no knob `{knob}`"),
                format!("use a number or one of {}", listed(&names)),
            );
        }
    }

    fn list(&self, key: &str) -> Option<&'r [Spanned<DeValue<'a>>]> {
        self.get(key)?.get_ref().as_array().map(|array| array.as_ref())
    }

    fn section(&self, key: &str) -> Option<Section<'r, 'a>> {
        let table = self.required(key, "a table", |value| value.as_table())?;
        Some(Section::new(self.reader, table, self.table[key].span().start, self.path(key)))
    }

    fn optional_section(&self, key: &str) -> Option<Section<'r, 'a>> {
        self.has(key).then(|| self.section(key)).flatten()
    }

    fn sections(&self, key: &str) -> Vec<Section<'r, 'a>> {
        if !self.has(key) {
            self.mistake(key, "there is none", format!("add [[{}]]", self.path(key)));
        }
        self.optional_sections(key)
    }

    fn optional_sections(&self, key: &str) -> Vec<Section<'r, 'a>> {
        if !self.has(key) {
            return Vec::new();
        }
        let items = self.required(key, "a list of tables", |value| {
            value.as_array()?.iter().map(|item| Some((item.get_ref().as_table()?, item.span().start))).collect()
        });
        let items: Vec<(&DeTable<'a>, usize)> = items.unwrap_or_default();
        items.into_iter().map(|(table, at)| Section::new(self.reader, table, at, self.path(key))).collect()
    }

    /// The text of the folder's file `name`, which `key` asks for.
    fn file(&self, key: &str, name: &str) -> String {
        if self.has(key) && !self.reader.folder.files.contains_key(name) {
            self.mistake(key, format!("there is no file `{name}`"), "write it or name another");
        }
        self.reader.folder.files.get(name).inspect(|_| _ = self.reader.used.borrow_mut().insert(name.into()));
        self.reader.folder.files.get(name).cloned().unwrap_or_default()
    }
}

impl Drop for Section<'_, '_> {
    fn drop(&mut self) {
        let known = self.known.borrow();
        for key in self.table.keys().filter(|key| !known.contains(key.get_ref().as_ref())) {
            let found = key.get_ref();
            let near = known.iter().map(|name| (strsim::damerau_levenshtein(name, found), name)).min();
            let remedy = match near {
                Some((distance, name)) if distance <= 2 => format!("did you mean `{name}`?"),
                _ => "remove it".into(),
            };
            self.reader.mistake(key.span().start, format!("`{}`: unknown key", self.path(found)), remedy);
        }
    }
}

fn number_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => integer.as_str().parse().ok(),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(integer) => integer.as_str().parse::<i64>().map_or(Value::Null, Value::from),
        DeValue::Float(float) => float.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Datetime(datetime) => datetime.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect()
        }
    }
}

fn listed(words: &[&str]) -> String {
    match words {
        [] => "none: there are none".into(),
        words => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
    }
}
