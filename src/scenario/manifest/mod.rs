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
/// The key that marks a folder as unfinished.
pub const DRAFT: &str = "draft";
pub const SCHEMA: &str = "schema.sql";
const STORY: &str = "story.md";
const FRAMEWORKS: &str = "frameworks.md";
const THEMES: [&str; 5] = ["races", "performance", "distributed", "security", "business"];
const SYMPTOMS: [&str; 5] = ["numbers are wrong", "money is missing", "it was slow", "it hung", "someone got in"];
const MY_MACHINE: &str = "my-machine";
/// Every scenario has an environment and a variant of these names.
pub const PRODUCTION: &str = "production";
pub const NAIVE: &str = "naive";

/// As long as any run.
const LONGEST_S: f64 = 3_600.0;
const LONGEST_MS: f64 = LONGEST_S * 1e3;
/// Of what happens again and again.
const SHORTEST_S: f64 = 0.001;

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
    /// May be empty where `what` says it all.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map_or(String::new(), |line| format!(":{line}"));
        write!(f, "{}{line}: {}", self.file, self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

/// What a folder holds, finished or not.
#[derive(Debug)]
pub struct Found {
    /// `None`: its mistakes keep it from running.
    pub document: Option<ScenarioDocument>,
    pub mistakes: Vec<Mistake>,
    /// What it has to get before it is shown to readers.
    pub missing: Vec<Mistake>,
    /// Its author says that it is not finished.
    pub draft: bool,
    pub places: Places,
}

/// Where the parts of a document stand in their folder: the file, and the line of their text's first line.
pub type Places = BTreeMap<Part, (String, u32)>;

/// A finished folder. `measured` are the metrics every run has: a manifest names them by id.
pub fn read(folder: &Folder, measured: &[Metric]) -> Result<ScenarioDocument, Vec<Mistake>> {
    let found = examine(folder, measured);
    match found.document {
        Some(document) if found.missing.is_empty() => Ok(document),
        // What is missing in a line may be what an unknown key there was meant to be: it is told first.
        _ => Err(sorted(found.missing.into_iter().chain(found.mistakes).collect())),
    }
}

/// Any folder, with all there is to say about it.
pub fn examine(folder: &Folder, measured: &[Metric]) -> Found {
    let Some(text) = folder.files.get(MANIFEST) else {
        let mistake = Mistake {
            file: format!("{}/{MANIFEST}", folder.id),
            line: None,
            what: "the file is missing".into(),
            remedy: "every scenario has one; `twoam new NAME` makes a folder with a small one".into(),
        };
        let (missing, places) = (vec![], Places::new());
        return Found { document: None, mistakes: vec![mistake], missing, draft: false, places };
    };
    let reader = ManifestReader::new(folder, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let no_toml = errors.iter().map(|error| {
        let at = error.span().map_or(0, |span| span.start);
        reader.in_manifest(at, error.message().to_string(), "see https://toml.io/en/v1.0.0".into())
    });
    let no_toml = no_toml.collect::<Vec<_>>();
    let root = Section::new(&reader, table.get_ref(), 0, String::new());
    let draft = root.flag(DRAFT);
    if draft {
        let at = table.get_ref()[DRAFT].span().start;
        reader.missing(
            at,
            "`draft`: the scenario is marked as a draft".into(),
            "remove the line once nothing else is missing".into(),
        );
    }
    let document = reader.document(root, measured);
    reader.check_files(&document);
    let mut mistakes = reader.mistakes.into_inner();
    let mut missing = reader.missing.into_inner();
    if !no_toml.is_empty() {
        // What is read from a line that is no TOML says nothing, and what is missing may stand behind it.
        mistakes
            .retain(|mistake| no_toml.iter().all(|wrong| (&wrong.file, wrong.line) != (&mistake.file, mistake.line)));
        mistakes.extend(no_toml);
        missing.clear();
    }
    let (mistakes, missing) = (sorted(mistakes), sorted(missing));
    let document = mistakes.is_empty().then_some(document);
    Found { document, mistakes, missing, draft, places: reader.places.into_inner() }
}

fn sorted(mut mistakes: Vec<Mistake>) -> Vec<Mistake> {
    mistakes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    mistakes
}

/// Where a theme stands among the themes.
pub fn theme_place(theme: &str) -> usize {
    THEMES.iter().position(|known| *known == theme).unwrap_or(THEMES.len())
}

struct ManifestReader<'a> {
    folder: &'a Folder,
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
    missing: RefCell<Vec<Mistake>>,
    places: RefCell<Places>,
    /// From where to where each goes.
    knobs: RefCell<BTreeMap<String, (f64, f64)>>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> ManifestReader<'a> {
    fn new(folder: &'a Folder, text: &'a str) -> ManifestReader<'a> {
        let used = [MANIFEST, SCHEMA, STORY, FRAMEWORKS].map(String::from);
        ManifestReader {
            folder,
            text,
            mistakes: RefCell::default(),
            missing: RefCell::default(),
            places: RefCell::default(),
            knobs: RefCell::default(),
            used: RefCell::new(used.into()),
        }
    }

    fn document(&self, root: Section<'_, 'a>, measured: &[Metric]) -> ScenarioDocument {
        let knobs = root.sections("knob").iter().map(|section| self.knob(section)).collect::<Vec<_>>();
        self.knobs.replace(knobs.iter().map(|knob| (knob.id.clone(), (knob.min, knob.max))).collect());
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
        if variants.len() == 1 {
            let at = root.table["variant"].span().start;
            self.missing(
                at,
                "`variant`: there is no hardened one".into(),
                "add [[variant]] with its own `file`".into(),
            );
        } else if variants.first().is_some_and(|variant| variant.id != NAIVE) {
            root.mistake("variant", "the first variant is not `naive`", "put the naive one first");
        }
        let requests = root.sections("request").iter().map(|section| self.request(section)).collect::<Vec<_>>();
        let (metrics, gauges) = self.metrics(&root, measured);
        let invariants = root.sections("invariant").iter().map(|section| self.invariant(section)).collect::<Vec<_>>();
        let damage = root.optional_section("damage");
        let damage = damage.map(|section| self.damage(&section, &metrics, &invariants));
        if !root.has("damage") {
            root.missing("damage", "[damage] with `of`, `sentence` and `one`, what went wrong as one number");
        }
        let names = Names { knobs: &knobs, faults: &faults, environments: &environments, variants: &variants };
        ScenarioDocument {
            summary: ScenarioSummary {
                id: self.folder.id.clone(),
                title: root.shown("title", &self.folder.id, "`title = \"…\"`, two or three words"),
                hook: root.shown("hook", "", "`hook = \"…\"`, one line that makes one want to try it"),
                opens: root.flag("opens"),
                variants: variants.iter().map(|variant| variant.id.clone()).collect(),
                environments: environments.iter().map(|environment| environment.id.clone()).collect(),
                theme: self.classed(&root, "theme", &THEMES),
                symptom: self.classed(&root, "symptom", &SYMPTOMS),
                difficulty: self.difficulty(&root),
                tags: self.tags(&root),
                seen_on: None,
            },
            prompt: root.shown("prompt", "", "`prompt = \"…\"`, what an assistant was asked for"),
            shows: root.shown("shows", "", "`shows = \"…\"`, what one understands afterwards, in a sentence"),
            elsewhere: root.shown("elsewhere", "", "`elsewhere = \"…\"`, what differs on CockroachDB and YugabyteDB"),
            beats: self.beats(&root, &names, &metrics, &invariants),
            invariants,
            damage,
            scenes: Vec::new(),
            question: self.question(&root),
            hints: self.hints(&root),
            reading: self.reading(&root),
            curve: root.optional_section("curve").map(|section| self.curve(&section, &knobs)),
            exams: self.exams(&root, &requests),
            simulation: SimulationSpec {
                clients: self.clients(&root),
                requests,
                rows: self.all_rows(&root),
                machine: self.machine(&root),
                services,
                faults: faults.iter().map(|(_, rule)| rule.clone()).collect(),
                gauges,
            },
            faults: faults.into_iter().map(|(document, _)| document).collect(),
            schema: self.file(SCHEMA),
            story: self.file(STORY),
            frameworks: self.file(FRAMEWORKS),
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
                root.mistake(key, format!("the id `{id}` is there twice"), "give each an id of its own");
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
        self.mistakes.borrow_mut().push(self.in_manifest(at, what.into(), remedy.into()));
    }

    fn missing(&self, at: usize, what: String, remedy: String) {
        self.missing.borrow_mut().push(self.in_manifest(at, what, remedy));
    }

    fn in_manifest(&self, at: usize, what: String, remedy: String) -> Mistake {
        Mistake { file: format!("{}/{MANIFEST}", self.folder.id), line: Some(self.line(at)), what, remedy }
    }

    /// Where the SQL of `key` begins.
    fn place(&self, part: Part, section: &Section<'_, 'a>, key: &str) {
        let Some(value) = section.table.get(key) else { return };
        let raw = &self.text[value.span().start..];
        let raw = raw.trim_start_matches(['"', '\'']);
        let blank = raw.len() - raw.trim_start().len();
        let line = self.line(self.text.len() - raw.len() + blank);
        self.places.borrow_mut().insert(part, (MANIFEST.into(), line));
    }

    fn line(&self, at: usize) -> u32 {
        self.text[..at.min(self.text.len())].matches('\n').count() as u32 + 1
    }

    fn in_file(&self, name: &str, line: Option<u32>, what: &str, remedy: &str) -> Mistake {
        let file = format!("{}/{name}", self.folder.id);
        Mistake { file, line, what: what.into(), remedy: remedy.into() }
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
