//! What an author is told about a manifest: every mistake at once, each with its file, its line and a way out.

use twoam::report::measured;
use twoam::scenario::bundle;
use twoam::scenario::manifest::{self, Folder, Found, Mistake};

fn oversell() -> Folder {
    bundle::folders().into_iter().find(|folder| folder.id == "oversell").expect("oversell is built in")
}

/// The mistakes after `from` was replaced by `to`, wherever it stands in `file`.
fn after(changes: &[(&str, &str, &str)]) -> Vec<Mistake> {
    let mut folder = oversell();
    for (file, from, to) in changes {
        let text = folder.files.get_mut(*file).expect("the file is there");
        assert!(text.contains(from), "{from:?} is not in {file}");
        *text = text.replace(from, to);
    }
    manifest::read(&folder, &measured()).err().unwrap_or_default()
}

fn line_of(text: &str) -> Option<u32> {
    let manifest = &oversell().files[manifest::MANIFEST];
    manifest.lines().position(|line| line.contains(text)).map(|index| index as u32 + 1)
}

#[test]
fn a_complete_folder_has_no_mistakes() {
    assert_eq!(after(&[]), Vec::<Mistake>::new());
}

#[test]
fn all_mistakes_are_told_at_once_with_their_lines() {
    let mistakes = after(&[
        ("scenario.toml", "title = \"Flash sale\"", "titel = \"Flash sale\""),
        ("scenario.toml", "difficulty = 1", "difficulty = \"easy\""),
        ("scenario.toml", "pool = \"pool\"", "pool = \"poool\""),
        ("scenario.toml", "file = \"row_lock.py\"", "file = \"rowlock.py\""),
        ("scenario.toml", "id = \"lost-updates\"", "id = \"lost-update\""),
    ]);
    let found = mistakes.iter().map(|mistake| (mistake.line, mistake.what.as_str())).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            (None, "nothing uses this file"),
            (Some(1), "`title`: it is missing"),
            (line_of("title = \"Flash sale\""), "`titel`: unknown key"),
            (line_of("difficulty"), "`difficulty`: it is of type string"),
            (line_of("pool = \"pool\""), "`machine.pool`: there is no knob `poool`"),
            (line_of("id = \"lost-updates\""), "`metric.id`: `lost-update` is not known"),
            (line_of("row_lock.py"), "`variant.file`: there is no file `rowlock.py`"),
        ]
    );
    assert!(mistakes[2].to_string().ends_with("did you mean `title`?"), "{}", mistakes[2]);
    assert!(mistakes[4].remedy.contains("`pool`"), "{}", mistakes[4]);
}

#[test]
fn text_that_is_not_toml_is_located() {
    let mistakes = after(&[("scenario.toml", "theme = \"races\"", "theme = races\"")]);
    assert_eq!(mistakes[0].line, line_of("theme ="), "{mistakes:?}");
}

#[test]
fn a_value_out_of_its_knobs_range_is_refused() {
    let mistakes = after(&[("scenario.toml", "shoppers = 200", "shoppers = 2000")]);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(mistakes[0].remedy, "write a number from 1 to 500");
}

#[test]
fn rows_have_columns() {
    let first = "[[rows]]\ntable = \"products\"";
    let nothing = format!("[[rows]]\ntable = \"orders\"\ncount = 1\n\n[rows.columns]\n\n{first}");
    let mistakes = after(&[("scenario.toml", first, &nothing)]);
    let found = mistakes.iter().map(|mistake| mistake.what.as_str()).collect::<Vec<_>>();
    assert_eq!(found, ["`rows.columns`: it names no column"]);
}

#[test]
fn texts_must_be_complete() {
    let mistakes = after(&[
        ("story.md", "## How to find it", "## Finding it"),
        ("frameworks.md", "## Rails", "## Ruby"),
        ("version_column.py", &oversell().files["version_column.py"], "\n"),
    ]);
    let files = mistakes.iter().map(|mistake| mistake.file.as_str()).collect::<Vec<_>>();
    assert_eq!(files, ["oversell/frameworks.md", "oversell/story.md", "oversell/version_column.py"]);
}

#[test]
fn a_question_has_one_right_answer() {
    let mistakes = after(&[("scenario.toml", "right = false", "right = true")]);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].what.contains("one of them right"), "{mistakes:?}");
}

/// What is said of oversell when its author calls it a draft and has not written `file`, nor the lines that begin so.
fn drafted(file: &str, lines: &[&str]) -> Found {
    let mut folder = oversell();
    folder.files.remove(file);
    let manifest = folder.files.get_mut(manifest::MANIFEST).expect("every scenario has one");
    let kept = manifest.lines().filter(|line| !lines.iter().any(|begin| line.starts_with(begin)));
    *manifest = format!("draft = true\n{}", kept.collect::<Vec<_>>().join("\n"));
    manifest::examine(&folder, &measured())
}

#[test]
fn a_draft_may_lack_its_texts_and_is_not_finished() {
    let found = drafted("story.md", &["title = \"Flash", "hook = ", "symptom = ", "price = "]);
    assert!(found.draft && found.document.is_some(), "{:?}", found.mistakes);
    let missing = found.missing.iter().map(|mistake| mistake.what.as_str()).collect::<Vec<_>>();
    assert_eq!(missing.first(), Some(&"`draft`: the scenario is marked as a draft"));
    assert_eq!(missing.last(), Some(&"the file is missing"));
    assert_eq!(found.missing.last().map(|mistake| mistake.file.as_str()), Some("oversell/story.md"));
    for what in [
        "`title`: it is missing",
        "`hook`: it is missing",
        "`symptom`: it is missing",
        "`variant.price`: it is missing",
    ] {
        assert!(missing.contains(&what), "{what}: {missing:?}");
    }
    assert_eq!(found.document.expect("it runs").summary.title, "oversell");

    let mut folder = oversell();
    folder.files.entry(manifest::MANIFEST.into()).and_modify(|text| text.insert_str(0, "draft = true\n"));
    let mistakes = manifest::read(&folder, &measured()).expect_err("a draft is not finished");
    assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [Some(1)]);
}

#[test]
fn a_draft_may_not_be_wrong() {
    let found = drafted("schema.sql", &["hook = "]);
    assert!(found.document.is_none());
    let wrong = found.mistakes.iter().map(|mistake| (mistake.file.as_str(), mistake.what.as_str())).collect::<Vec<_>>();
    assert_eq!(wrong, [("oversell/schema.sql", "the file is missing")]);
}

#[test]
fn amounts_are_numbers_that_can_be() {
    for (from, to, what) in [
        ("network_sd_ms = 0.1", "network_sd_ms = -0.1", "`machine.network_sd_ms`: -0.1 is below 0"),
        ("network_sd_ms = 0.1", "network_sd_ms = nan", "`machine.network_sd_ms`: it is of type float"),
        ("network_sd_ms = 0.1", "network_sd_ms = inf", "`machine.network_sd_ms`: it is of type float"),
    ] {
        let mistakes = after(&[("scenario.toml", from, to)]);
        assert_eq!(mistakes.iter().map(|mistake| mistake.what.as_str()).collect::<Vec<_>>(), [what], "{to}");
    }
}

#[test]
fn damage_is_counted_by_something_that_is_there() {
    let of = "of = \"oversold-units\"";
    let mistakes = after(&[("scenario.toml", of, "of = \"oversold-unit\"")]);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(mistakes[0].line, line_of(of));
    assert_eq!(mistakes[0].what, "`damage.of`: `oversold-unit` is not known");
    assert!(mistakes[0].remedy.contains("`oversold-units`"), "{mistakes:?}");
    assert!(mistakes[0].remedy.contains("`stock-drift`"), "{mistakes:?}");

    let latency = after(&[("scenario.toml", of, "of = \"latency-p95\"")]);
    assert_eq!(latency[0].what, "`damage.of`: `latency-p95` does not count damage from zero");
}

#[test]
fn damage_says_where_its_number_stands_and_what_one_is() {
    let many = "{n} units sold that do not exist";
    let one = "one = \"1 unit sold that does not exist\"\n";
    let found =
        |changes: &[(&str, &str, &str)]| after(changes).iter().map(|mistake| mistake.what.clone()).collect::<Vec<_>>();
    assert_eq!(
        found(&[("scenario.toml", many, "Units sold that do not exist")]),
        ["`damage.sentence`: it does not say once where its number stands"]
    );
    assert_eq!(found(&[("scenario.toml", one, "")]), ["`damage.one`: it is missing"]);
    assert_eq!(
        found(&[("scenario.toml", "one = \"1 unit", "one = \"{n} unit")]),
        ["`damage.one`: `{n}` is always 1 here"]
    );
    assert_eq!(found(&[("scenario.toml", "[damage]", "[damages]")])[0], "`damage`: it is missing");
}

#[test]
fn money_has_no_singular() {
    let text = "label = \"Units sold that do not exist\"\nunit = \"count\"";
    let mistakes = after(&[("scenario.toml", text, &text.replace("count", "cents"))]);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(mistakes[0].what, "`damage.one`: an amount of money has no singular");
}

#[test]
fn a_beat_names_lines_by_text_that_is_on_one_line() {
    let lines = |text: &str| {
        let first = "until = 3\nlines = [\"SELECT price_cents, stock\", \"UPDATE products SET stock\"]";
        after(&[("scenario.toml", first, &format!("until = 3\nlines = [\"{text}\"]"))])
    };
    let told = |text: &str| lines(text).iter().map(|mistake| mistake.what.clone()).collect::<Vec<_>>();
    assert_eq!(told("SELECT price"), Vec::<String>::new());
    assert_eq!(told("SELECT price_cents … UPDATE products"), Vec::<String>::new());
    assert_eq!(told("SELECT prise"), ["`beat.lines`: `SELECT prise` is on no line in naive.py"]);
    assert_eq!(told("await conn.execute("), ["`beat.lines`: `await conn.execute(` is on several lines in naive.py"]);
    assert_eq!(
        told("UPDATE products … SELECT price_cents"),
        ["`beat.lines`: `UPDATE products … SELECT price_cents` ends above where it begins in naive.py"]
    );
}

#[test]
fn lines_are_those_of_the_code_that_is_deployed_at_the_beat() {
    let mistakes = after(&[("scenario.toml", "lines = [\"FOR UPDATE", "lines = [\"AND stock >= FOR UPDATE")]);
    assert_eq!(mistakes[0].what, "`beat.lines`: `AND stock >= FOR UPDATE\"` is on no line in row_lock.py");
    let mistakes = after(&[("scenario.toml", "until = 3\nlines", "until = 3\nfile = \"row_lock.py\"\nlines")]);
    assert_eq!(mistakes[0].what, "`beat.file`: `row_lock.py` is not known");
    assert_eq!(mistakes[0].remedy, "use one of `naive.py`, `schema.sql`");
}

#[test]
fn a_beat_does_one_thing_and_has_one_picture() {
    let found = |to: &str| {
        let mistakes = after(&[("scenario.toml", "knob = \"network-ms\"\nvalue = 8\nuntil = 24", to)]);
        mistakes.iter().map(|mistake| mistake.what.clone()).collect::<Vec<_>>()
    };
    let knob = "knob = \"network-ms\"\nvalue = 8\n";
    assert_eq!(found(&format!("{knob}variant = \"naive\"")), ["`beat`: it does several things at once"]);
    assert_eq!(found("environment = \"production\"\nvariant = \"row-lock\""), Vec::<String>::new());
    assert_eq!(found(&format!("{knob}chart = \"ok\"\nview = \"locks\"")), ["`beat`: it has several pictures"]);
    assert_eq!(found(&format!("{knob}view = \"lock\"")), ["`beat.view`: `lock` is not known"]);
    assert_eq!(found(&format!("{knob}until = \"later\"")), ["`beat.until`: it is no moment"]);
    assert_eq!(found("knob = \"network-ms\"\nvalue = 80"), ["`beat.value`: 80 is out of range"]);
}
