//! What is told: beats, a question, hints, the texts of the folder.

use super::section::Section;
use super::*;

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
/// Begins every text of the template of a new scenario.
const UNWRITTEN: &str = "<write: ";

impl<'a> Reader<'a> {
    pub(super) fn question(&self, section: &Section<'_, 'a>) -> Question {
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

    pub(super) fn check_files(&self, document: &ScenarioDocument) {
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
}

fn has_section(markdown: &str, titles: &[&str]) -> bool {
    let mut found = markdown.lines().filter_map(|line| line.strip_prefix("## "));
    found.any(|title| titles.iter().any(|wanted| title.starts_with(wanted)))
}
