//! Who sends what against which machines: clients, requests, rows, services, faults.

use std::collections::BTreeMap;

use super::section::Section;
use super::*;
use crate::services::{self, SERVICES};

/// What a browser can still work through.
const CLIENTS_MOST: f64 = 10_000.0;
const ROWS_MOST: f64 = 1_000_000.0;
const PROCESSES_MOST: f64 = 100.0;
const CONNECTIONS_MOST: f64 = 1_000.0;
const CORES_MOST: f64 = 1_000.0;
/// Their orders are counted in factorials.
const EXAM_REQUESTS_MOST: usize = 4;
const EXAM_ROWS_MOST: f64 = 1_000.0;

impl<'a> ManifestReader<'a> {
    pub(super) fn clients(&self, root: &Section<'_, 'a>) -> Clients {
        let Some(section) = root.section("clients") else {
            return Clients::Open { rate_per_s: Amount::Number(0.0) };
        };
        if section.has("file") {
            let file = section.text("file");
            let source = section.file("file", &file);
            let scripts = section.sections("script");
            let scripts = scripts.iter().map(|script| Script {
                entry: script.text("entry"),
                count: script.amount_in("count", 0.0, CLIENTS_MOST),
            });
            Clients::Scripted { scripts: scripts.collect(), file, source }
        } else if section.has("rate_per_s") {
            Clients::Open { rate_per_s: section.amount_in("rate_per_s", 0.0, CLIENTS_MOST) }
        } else {
            Clients::Closed {
                count: section.amount_in("count", 0.0, CLIENTS_MOST),
                think_ms: section.amount_in("think_ms", 0.0, LONGEST_MS),
            }
        }
    }

    pub(super) fn request(&self, section: &Section<'_, 'a>) -> RequestKind {
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

    pub(super) fn exams(&self, root: &Section<'_, 'a>, requests: &[RequestKind]) -> Vec<Exam> {
        let kinds = requests.iter().map(|kind| kind.entry.as_str()).collect::<Vec<_>>();
        let sections = root.optional_sections("exam");
        let exams = sections.iter().map(|section| self.exam(section, &kinds)).collect::<Vec<_>>();
        self.expect_ids(root, "exam", exams.iter().map(|exam| exam.id.as_str()), &[]);
        exams
    }

    fn exam(&self, section: &Section<'_, 'a>, kinds: &[&str]) -> Exam {
        let sections = section.sections("request");
        if sections.len() > EXAM_REQUESTS_MOST {
            section.mistake(
                "request",
                format!("{} requests have more orders than can be run", sections.len()),
                format!("leave at most {EXAM_REQUESTS_MOST}"),
            );
        }
        let request = |request: &Section<'_, 'a>| ExamRequest {
            entry: request.word("entry", kinds),
            parameters: request.object("parameters"),
        };
        Exam {
            id: section.id(),
            title: section.text("title"),
            rows: section.has("rows").then(|| section.number_in("rows", 0.0, EXAM_ROWS_MOST) as u32),
            setup: section.optional_text("setup"),
            requests: sections.iter().map(request).collect(),
        }
    }

    pub(super) fn all_rows(&self, root: &Section<'_, 'a>) -> Vec<RowSet> {
        let sections = root.optional_sections("rows");
        for (place, section) in sections.iter().enumerate() {
            self.places.borrow_mut().insert(Part::Rows(place), (MANIFEST.into(), self.line(section.at)));
        }
        sections.iter().map(|section| self.rows(section)).collect()
    }

    fn rows(&self, section: &Section<'_, 'a>) -> RowSet {
        let columns = section.section("columns").map_or_else(BTreeMap::new, |columns| self.draws(&columns));
        if section.has("columns") && columns.is_empty() {
            section.mistake("columns", "it names no column", "name one at least, such as `id = { sequence = 1 }`");
        }
        RowSet { table: section.text("table"), count: section.amount_in("count", 0.0, ROWS_MOST), columns }
    }

    pub(super) fn machine(&self, root: &Section<'_, 'a>) -> Machine {
        let section = root.section("machine");
        let amount =
            |key, min, max| section.as_ref().map_or(Amount::Number(0.0), |section| section.amount_in(key, min, max));
        let ms = |key| amount(key, 0.0, LONGEST_MS);
        Machine {
            processes: amount("processes", 1.0, PROCESSES_MOST),
            pool: amount("pool", 1.0, CONNECTIONS_MOST),
            pool_timeout_ms: ms("pool_timeout_ms"),
            database_cores: amount("database_cores", 1.0, CORES_MOST),
            network_ms: ms("network_ms"),
            network_sd_ms: ms("network_sd_ms"),
            memory_mb: section.as_ref().and_then(|section| section.optional_amount("memory_mb")),
            replica_lag_ms: section.as_ref().and_then(|section| section.optional_amount("replica_lag_ms")),
        }
    }

    pub(super) fn service(&self, section: &Section<'_, 'a>) -> ServiceSettings {
        let kinds = SERVICES.iter().map(|kind| kind.name).collect::<Vec<_>>();
        let named = section.has("kind");
        let kind = section.word(if named { "kind" } else { "name" }, &kinds);
        ServiceSettings {
            name: if named { section.text("name") } else { kind.clone() },
            kind,
            capacity: section.optional_amount("capacity"),
            latency_ms: section.amount_in("latency_ms", 0.0, LONGEST_MS),
            latency_sd_ms: section.amount_in("latency_sd_ms", 0.0, LONGEST_MS),
            timeout_ms: section.amount_in("timeout_ms", 0.0, LONGEST_MS),
        }
    }

    pub(super) fn fault(&self, section: &Section<'_, 'a>, services: &[ServiceSettings]) -> (FaultDocument, FaultRule) {
        let places = services.iter().map(|service| service.name.as_str()).chain(["database", "processes", "clients"]);
        let verdict = match section
            .word("verdict", &["decline", "fail", "refuse", "delay", "lose-answer", "duplicate", "resend", "kill"])
            .as_str()
        {
            "decline" => FaultVerdict::Decline,
            "refuse" => FaultVerdict::Refuse,
            "delay" => FaultVerdict::Delay { ms: section.amount_in("delay_ms", 0.0, LONGEST_MS) },
            "lose-answer" => FaultVerdict::LoseAnswer,
            "duplicate" => FaultVerdict::Duplicate,
            "resend" => FaultVerdict::Resend { after_ms: section.amount_in("after_ms", 0.0, LONGEST_MS) },
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
            every_s: kill.then(|| section.amount_in("every_s", SHORTEST_S, LONGEST_S)),
            from_s: section.optional_amount("from_s").unwrap_or(Amount::Number(0.0)),
            for_s: section.optional_amount("for_s"),
            verdict,
        };
        if (rule.on == "clients") != matches!(rule.verdict, FaultVerdict::Resend { .. }) {
            section.mistake("on", "clients resend, and nobody else does", "use `resend` with `on = \"clients\"`");
        }
        let label = section.shown("label", &rule.id, "`label = \"…\"`, two to five words");
        (FaultDocument { id: rule.id.clone(), label }, rule)
    }
}
