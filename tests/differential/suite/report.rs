//! What the suite prints: a line for each file, totals, and the kinds of other answers.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub statements: usize,
    pub equal: usize,
    pub failed_alike: usize,
    /// PostgreSQL itself answers so when it reads in another order or wakes another session.
    pub varies: usize,
    pub refused: usize,
    pub other: usize,
    pub not_judged: usize,
    /// Why, with how often.
    pub refusals: BTreeMap<String, usize>,
}

impl Tally {
    pub fn refuse(&mut self, message: &str) {
        *self.refusals.entry(message.to_owned()).or_default() += 1;
    }

    fn add(&mut self, other: &Tally) {
        self.statements += other.statements;
        self.equal += other.equal;
        self.failed_alike += other.failed_alike;
        self.varies += other.varies;
        self.refused += other.refused;
        self.other += other.other;
        self.not_judged += other.not_judged;
        for (message, count) in &other.refusals {
            *self.refusals.entry(message.clone()).or_default() += count;
        }
    }
}

/// One other answer.
pub struct Found {
    pub file: String,
    pub line: usize,
    pub kind: String,
    pub sql: String,
    pub ours: String,
    pub theirs: String,
}

pub fn head(title: &str) {
    println!(
        "\n{title:<34} {:>6} {:>6} {:>6} {:>6} {:>7} {:>6} {:>10}",
        "asked", "equal", "failed", "varies", "refused", "other", "not judged"
    );
}

pub fn line(name: &str, tally: &Tally) {
    let Tally { statements, equal, failed_alike, varies, refused, other, not_judged, .. } = tally;
    println!(
        "{name:<34} {statements:>6} {equal:>6} {failed_alike:>6} {varies:>6} {refused:>7} {other:>6} {not_judged:>10}"
    );
}

pub fn totals(title: &str, tallies: &[Tally]) -> Tally {
    let mut sum = Tally::default();
    tallies.iter().for_each(|it| sum.add(it));
    line(title, &sum);
    sum
}

/// The kinds of other answers, the most frequent first: one example each, or all.
pub fn kinds(found: &[Found], all: bool) {
    let mut by_kind: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for one in found {
        by_kind.entry(&one.kind).or_default().push(one);
    }
    let mut by_kind: Vec<_> = by_kind.into_iter().collect();
    by_kind.sort_by_key(|(_, of_kind)| std::cmp::Reverse(of_kind.len()));
    println!("\n{} other answers of {} kinds", found.len(), by_kind.len());
    for (kind, of_kind) in by_kind {
        println!("\n{:>5} {kind}", of_kind.len());
        for one in of_kind.iter().take(if all { usize::MAX } else { 1 }) {
            println!("      {}:{}  {}", one.file, one.line, clipped(&one.sql, all));
            for (side, answer) in [("ours", &one.ours), ("PostgreSQL", &one.theirs)] {
                println!("        {side}:\n{}", indented(&clipped(answer, all)));
            }
        }
    }
}

/// What was refused, the most frequent first.
pub fn refusals(tally: &Tally) {
    let mut refusals: Vec<_> = tally.refusals.iter().collect();
    refusals.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    println!("\nrefused, by name");
    for (message, count) in refusals {
        println!("{count:>5} {message}");
    }
}

/// An example is to be read at a glance.
fn clipped(text: &str, all: bool) -> String {
    let most = if all { 3000 } else { 400 };
    let text = text.trim_end();
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("          {line}")).collect::<Vec<_>>().join("\n")
}
