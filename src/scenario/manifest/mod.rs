//! Reads a scenario's folder. Nothing stops at the first mistake: an author sees them all, each with file, line and remedy.

mod beats;
mod draws;
mod load;
mod section;
mod shown;
mod teaching;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml::de::DeTable;

use super::*;
use section::Section;

pub const MANIFEST: &str = "scenario.toml";
const THEMES: [&str; 5] = ["races", "performance", "distributed", "security", "business"];
const SYMPTOMS: [&str; 5] = ["numbers are wrong", "money is missing", "it was slow", "it hung", "someone got in"];
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
            beats: self.beats(&root, &names, &metrics),
            scenes: Vec::new(),
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
