//! What is told: beats, a question, hints, the texts of the folder.

use super::section::{Section, listed};
use super::*;

const STORY_SECTIONS: [&str; 4] = ["What happens", "Why nobody saw it", "How to find it", "The fixes"];
/// Each must begin a section's title; of the pairs one is enough.
const SECTIONS_OF_FRAMEWORKS: [&[&str]; 8] = [
    &["Django"],
    &["SQLAlchemy"],
    &["Laravel Eloquent"],
    &["Entity Framework Core"],
    &["Prisma", "Sequelize"],
    &["Rails"],
    &["Spring"],
    &["Go"],
];
/// Begins every text of the template of a new scenario.
const UNWRITTEN: &str = "<write: ";

impl<'a> ManifestReader<'a> {
    pub(super) fn question(&self, root: &Section<'_, 'a>) -> Question {
        let Some(section) = root.optional_section("question") else {
            if !root.has("question") {
                root.missing(
                    "question",
                    "[question] with `text`, and [[question.answer]] three times, one of them right",
                );
            }
            return Question { text: String::new(), answers: Vec::new() };
        };
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

    pub(super) fn hints(&self, root: &Section<'_, 'a>) -> Vec<String> {
        if !root.has("hints") {
            root.missing("hints", "`hints = [\"…\", \"…\", \"…\"]`, each telling more than the one before");
            return Vec::new();
        }
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

    pub(super) fn reading(&self, root: &Section<'_, 'a>) -> Vec<Reading> {
        if !root.has("reading") {
            root.missing("reading", "[[reading]] with `title` and `url`");
        }
        let sections = root.optional_sections("reading");
        sections.iter().map(|section| Reading { title: section.text("title"), url: section.text("url") }).collect()
    }

    /// One of `words`, by which scenarios are found.
    pub(super) fn classed(&self, root: &Section<'_, 'a>, key: &str, words: &[&str]) -> String {
        if !root.has(key) {
            root.missing(key, &format!("`{key} = \"…\"`, one of {}", listed(words)));
            return words[0].to_string();
        }
        root.word(key, words)
    }

    pub(super) fn difficulty(&self, root: &Section<'_, 'a>) -> u32 {
        if !root.has("difficulty") {
            root.missing("difficulty", "`difficulty = 1`, 2 or 3");
            return 1;
        }
        root.number_in("difficulty", 1.0, 3.0) as u32
    }

    pub(super) fn tags(&self, root: &Section<'_, 'a>) -> Vec<String> {
        if !root.has("tags") {
            root.missing("tags", "`tags = [\"sql\"]`");
            return Vec::new();
        }
        root.texts("tags", 1)
    }

    pub(super) fn check_files(&self, document: &ScenarioDocument) {
        let mut missing = Vec::new();
        let used = self.used.borrow();
        for name in self.folder.files.keys().filter(|name| !used.contains(*name)) {
            missing.push(self.in_file(name, None, "nothing uses this file", "name it in scenario.toml or delete it"));
        }
        for name in used.iter() {
            let what = match self.folder.files.get(name) {
                None => "the file is missing",
                Some(text) if text.trim().is_empty() => "the file is empty",
                Some(_) => continue,
            };
            let told = |remedy: &str| self.in_file(name, None, what, remedy);
            match name.as_str() {
                STORY => missing.push(told(&format!("write it, with the sections {}", titles(&STORY_SECTIONS)))),
                FRAMEWORKS => {
                    let names = SECTIONS_OF_FRAMEWORKS.map(|names| names[0]);
                    missing.push(told(&format!("write it, the same fix in {}", titles(&names))));
                }
                _ => self.mistakes.borrow_mut().push(told("write it")),
            }
        }
        for (name, text) in &self.folder.files {
            let is_comment = |line: &str| name == MANIFEST && line.starts_with('#');
            let unwritten = |line: &str| line.contains(UNWRITTEN) && !is_comment(line);
            for (index, _) in text.lines().enumerate().filter(|(_, line)| unwritten(line)) {
                let line = Some(index as u32 + 1);
                missing.push(self.in_file(name, line, "this text is still the template's", "write it"));
            }
        }
        if !document.story.trim().is_empty() {
            for title in STORY_SECTIONS.iter().filter(|title| !has_section(&document.story, &[title])) {
                let what = format!("the section `{title}` is missing");
                missing.push(self.in_file(STORY, None, &what, &format!("add `## {title}`")));
            }
        }
        if !document.frameworks.trim().is_empty() {
            for names in SECTIONS_OF_FRAMEWORKS.iter().filter(|names| !has_section(&document.frameworks, names)) {
                let what = format!("there is no section for {}", names.join(" or "));
                missing.push(self.in_file(FRAMEWORKS, None, &what, &format!("add `## {}`", names[0])));
            }
        }
        self.missing.borrow_mut().extend(missing);
    }
}

fn titles(titles: &[&str]) -> String {
    titles.iter().map(|title| format!("`## {title}`")).collect::<Vec<_>>().join(", ")
}

fn has_section(markdown: &str, titles: &[&str]) -> bool {
    let mut found = markdown.lines().filter_map(|line| line.strip_prefix("## "));
    found.any(|title| titles.iter().any(|wanted| title.starts_with(wanted)))
}
