//! The beats of a talk. What each shows is told as an author thinks of it: lines by their text, moments by what happens there.

use super::section::{Section, listed, number_of};
use super::*;

const SCHEMA: &str = "schema.sql";
/// Between the first and the last of several lines.
const TO: &str = " … ";

impl<'a> ManifestReader<'a> {
    pub(super) fn beats(
        &self,
        root: &Section<'_, 'a>,
        names: &Names<'_>,
        metrics: &[Metric],
        invariants: &[Invariant],
    ) -> Vec<Beat> {
        if !root.has("beat") {
            root.missing(
                "beat",
                "[[beat]] for each step of a talk, with `sentence` and what it does: `environment`, `variant` …",
            );
        }
        let mut deployed = NAIVE.to_string();
        let beats = root.optional_sections("beat");
        let beats = beats.iter().map(|section| {
            let action = self.action(section, names);
            if let Some(BeatAction::Variant { variant } | BeatAction::Environment { variant: Some(variant), .. }) =
                &action
            {
                deployed.clone_from(variant);
            }
            Beat {
                sentence: section.text("sentence"),
                note: section.optional_text("note"),
                action,
                at: self.moment(section, "at"),
                until: self.moment(section, "until"),
                speed: section.has("speed").then(|| section.number_in("speed", 0.001, 100.0)),
                picture: self.picture(section, metrics, invariants),
                lines: self.lines(section, names, &deployed),
            }
        });
        beats.collect()
    }

    fn action(&self, section: &Section<'_, 'a>, names: &Names<'_>) -> Option<BeatAction> {
        let variant = section.has("variant").then(|| section.word("variant", &ids(names.variants, |v| &v.id)));
        let environment =
            section.has("environment").then(|| section.word("environment", &ids(names.environments, |e| &e.id)));
        let knob = section.has("knob").then(|| {
            let knob = section.word("knob", &ids(names.knobs, |knob| &knob.id));
            let (min, max) = names.knobs.iter().find(|known| known.id == knob).map_or((0.0, 0.0), |k| (k.min, k.max));
            (knob, section.number_in("value", min, max))
        });
        let fault = section.has("fault").then(|| {
            let fault = section.word("fault", &ids(names.faults, |(fault, _)| &fault.id));
            (fault, section.flag("on"))
        });
        match (environment, variant, knob, fault) {
            (Some(environment), variant, None, None) => Some(BeatAction::Environment { environment, variant }),
            (None, Some(variant), None, None) => Some(BeatAction::Variant { variant }),
            (None, None, Some((knob, value)), None) => Some(BeatAction::Knob { knob, value }),
            (None, None, None, Some((fault, on))) => Some(BeatAction::Fault { fault, on }),
            (None, None, None, None) => None,
            _ => {
                section.mistake_here(
                    "it does several things at once",
                    "keep one of `environment`, `variant`, `knob` and `fault`; only an environment takes a variant beside it",
                );
                None
            }
        }
    }

    fn moment(&self, section: &Section<'_, 'a>, key: &str) -> Option<Moment> {
        let value = section.get(key)?.get_ref();
        if let Some(second) = number_of(value) {
            return Some(Moment::Second(second));
        }
        let named = value.as_str().and_then(|name| NamedMoment::ALL.iter().find(|(known, _)| *known == name));
        if named.is_none() {
            let names = NamedMoment::ALL.map(|(name, _)| name);
            section.mistake(key, "it is no moment", format!("write a second of the run or one of {}", listed(&names)));
        }
        named.map(|(_, named)| Moment::Named(*named))
    }

    fn picture(&self, section: &Section<'_, 'a>, metrics: &[Metric], invariants: &[Invariant]) -> Option<Picture> {
        let metrics = ids(metrics, |metric| &metric.id);
        let kinds = ids(invariants, |invariant| &invariant.id).into_iter().chain(metrics.clone()).collect::<Vec<_>>();
        let chart = section.has("chart").then(|| Picture::Chart { metric: section.word("chart", &metrics) });
        let cases = section.has("cases").then(|| Picture::Cases { of: section.word("cases", &kinds) });
        let view = section.has("view").then(|| section.word("view", &View::ALL.map(|(name, _)| name)));
        let view = view.and_then(|wanted| View::ALL.iter().find(|(name, _)| *name == wanted));
        let mut pictures = [chart, cases, view.map(|(_, view)| Picture::View { view: *view })].into_iter().flatten();
        let picture = pictures.next();
        if pictures.next().is_some() {
            section.mistake_here("it has several pictures", "keep one of `chart`, `cases` and `view`");
        }
        picture
    }

    /// Lines are named by their text, so that an edit above them moves nothing.
    fn lines(&self, section: &Section<'_, 'a>, names: &Names<'_>, deployed: &str) -> Option<CodeLines> {
        if !section.has("lines") {
            if section.has("file") {
                section.mistake("file", "there are no `lines` of it", "name them, or remove it");
            }
            return None;
        }
        let of_variant = names.variants.iter().find(|variant| variant.id == deployed).map(|variant| &variant.file);
        let file = match (section.has("file"), of_variant) {
            (true, Some(code)) => section.word("file", &[code, SCHEMA]),
            (true, None) => section.text("file"),
            (false, code) => code.cloned().unwrap_or_default(),
        };
        let source = self.folder.files.get(&file)?;
        let mut lines = BTreeSet::new();
        for text in section.texts("lines", 1) {
            match lines_of(source, &text) {
                Ok(found) => lines.extend(found),
                Err((what, remedy)) => section.mistake("lines", format!("{what} in {file}"), remedy),
            }
        }
        Some(CodeLines { file, lines: lines.into_iter().collect() })
    }
}

/// `stock = row["stock"]`: the one line that has it. `def buy … commit`: from the one line to the other.
fn lines_of(source: &str, text: &str) -> Result<std::ops::RangeInclusive<u32>, (String, &'static str)> {
    let (first, last) = text.split_once(TO).unwrap_or((text, text));
    let (first, last) = (statement_of(source, line_of(source, first)?), line_of(source, last)?);
    if last < first {
        return Err((format!("`{text}` ends above where it begins"), "name the upper line first"));
    }
    Ok(first..=last)
}

/// Of a line inside brackets, the one on which they are opened: that is where a client stands.
fn statement_of(source: &str, line: u32) -> u32 {
    let lines = source.lines().take(line as usize).collect::<Vec<_>>();
    let mut closed = 0;
    for (index, text) in lines.iter().enumerate().rev() {
        let opened = text.matches(['(', '[', '{']).count() as i32 - text.matches([')', ']', '}']).count() as i32;
        if index as u32 + 1 == line {
            // What the line itself leaves open is closed further down.
            closed = (-opened).max(0);
        } else if text.trim().is_empty() {
            break;
        } else if opened > closed {
            return index as u32 + 1;
        } else {
            closed -= opened;
        }
    }
    line
}

fn line_of(source: &str, text: &str) -> Result<u32, (String, &'static str)> {
    let mut found = source.lines().enumerate().filter(|(_, line)| line.contains(text.trim()));
    let first =
        found.next().ok_or((format!("`{text}` is on no line"), "write a part of one line as it stands there"))?;
    match found.next() {
        None => Ok(first.0 as u32 + 1),
        Some(_) => Err((format!("`{text}` is on several lines"), "write more of the one that is meant")),
    }
}
