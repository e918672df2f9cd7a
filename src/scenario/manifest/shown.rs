//! What a reader moves, compares and reads off: knobs, environments, variants, metrics, invariants.

use super::section::{Section, listed, number_of};
use super::*;

const LABEL: &str = "`label = \"…\"`, two to five words";

impl<'a> ManifestReader<'a> {
    pub(super) fn knob(&self, section: &Section<'_, 'a>) -> Knob {
        let id = section.id();
        let knob = Knob {
            label: section.shown("label", &id, LABEL),
            id,
            unit: section.optional_text("unit").unwrap_or_default(),
            min: section.number("min"),
            max: section.number("max"),
            step: section.number("step"),
            live: section.flag("live"),
        };
        if knob.min >= knob.max {
            section.mistake("max", "it is not above `min`", "a knob needs room to move");
        }
        if knob.step <= 0.0 && section.has("step") {
            section.mistake("step", format!("{} is no step", knob.step), "write a number above 0");
        }
        knob
    }

    pub(super) fn environment(
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
        let id = section.id();
        EnvironmentDocument {
            label: section.shown("label", &id, LABEL),
            summary: section.shown("summary", "", "`summary = \"…\"`, such as \"1 client, database on localhost\""),
            id,
            knobs: values.unwrap_or_default(),
            faults: section.words("faults", &fault_ids),
            length_s: section.number_in("length_s", 1.0, 600.0),
        }
    }

    pub(super) fn curve(&self, section: &Section<'_, 'a>, knobs: &[Knob]) -> Curve {
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

    pub(super) fn variant(&self, section: &Section<'_, 'a>) -> VariantDocument {
        let (id, file) = (section.id(), section.text("file"));
        let migration = section.optional_text("migration");
        if let Some(file) = &migration {
            self.places.borrow_mut().insert(Part::Migration(id.clone()), (file.clone(), 1));
        }
        VariantDocument {
            label: section.shown("label", &id, LABEL),
            source: section.file("file", &file),
            file,
            price: section.shown("price", "", "`price = \"…\"`, what it costs, in a line"),
            tradeoff: section.shown("tradeoff", "", "`tradeoff = \"…\"`, when it is the wrong choice"),
            migration: migration.map(|file| section.file("migration", &file)),
            id,
            workers: section
                .optional_sections("worker")
                .iter()
                .map(|worker| Worker { entry: worker.text("entry"), every_ms: worker.number("every_ms") })
                .collect(),
        }
    }

    pub(super) fn metrics(&self, root: &Section<'_, 'a>, measured: &[Metric]) -> (Vec<Metric>, Vec<Gauge>) {
        let mut metrics = Vec::new();
        let mut gauges = Vec::new();
        for section in root.sections("metric") {
            let headline = section.flag("headline");
            let own = section.has("sql");
            let id = if own { section.id() } else { section.word("id", &ids(measured, |metric| &metric.id)) };
            if own {
                self.place(Part::Metric(id.clone()), &section, "sql");
                gauges.push(Gauge { metric: id.clone(), sql: section.text("sql") });
                metrics.push(Metric {
                    label: section.shown("label", &id, LABEL),
                    id,
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
            root.missing("metric.headline", "`headline = true` to the two or three metrics that matter");
        }
        (metrics, gauges)
    }

    pub(super) fn invariant(&self, section: &Section<'_, 'a>) -> Invariant {
        let id = section.id();
        if section.has("sql") {
            self.place(Part::Invariant(id.clone()), section, "sql");
        }
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
            sentence: section.shown("sentence", &id, "`sentence = \"…\"`, what a row of the query means, for people"),
            id,
            rule,
            settle_ms: section.optional_number("settle_ms").unwrap_or(0.0),
            from_s: section.optional_number("from_s").unwrap_or(0.0),
        }
    }

    pub(super) fn damage(&self, section: &Section<'_, 'a>, metrics: &[Metric], invariants: &[Invariant]) -> Damage {
        let of = section.text("of");
        let metric = metrics.iter().find(|metric| metric.id == of);
        let counted = |metric: &Metric| {
            metric.better == Better::Zero
                && metric.kind != MetricKind::Distribution
                && matches!(metric.unit, Unit::Count | Unit::Cents)
        };
        let known = metrics.iter().filter(|metric| counted(metric)).map(|metric| metric.id.as_str());
        let known = known.chain(invariants.iter().map(|invariant| invariant.id.as_str())).collect::<Vec<_>>();
        if metric.is_some_and(|metric| !counted(metric)) {
            let remedy =
                format!("use a metric in `count` or `cents` with `better = \"zero\"`, or one of {}", listed(&known));
            section.mistake("of", format!("`{of}` does not count damage from zero"), remedy);
        } else if section.has("of") {
            section.expect_word("of", &of, &known);
        }
        let sentence = section.text("sentence");
        if section.has("sentence") && sentence.matches("{n}").count() != 1 {
            section.mistake("sentence", "it does not say once where its number stands", "write `{n}` there");
        }
        let money = metric.is_some_and(|metric| metric.unit == Unit::Cents);
        if money && section.has("one") {
            section.mistake("one", "an amount of money has no singular", "remove it");
        }
        let one = (!money).then(|| section.text("one"));
        if one.as_ref().is_some_and(|one| one.contains("{n}")) {
            section.mistake("one", "`{n}` is always 1 here", "write the sentence with the number, as it is for one");
        }
        Damage { of, sentence, one }
    }
}
