//! How a manifest's values are drawn: what each form gives, that a seed gives it again, and what an author is told who errs.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use twoam::report::measured;
use twoam::scenario::manifest::{self, MANIFEST, Mistake};
use twoam::scenario::{ScenarioDocument, bundle};
use twoam::trace::Value;

/// A scenario that adds rows of these columns.
fn read(columns: &str) -> Result<ScenarioDocument, Vec<Mistake>> {
    let mut folder = bundle::folders().into_iter().find(|folder| folder.id == "oversell").expect("it is built in");
    let text = folder.files.get_mut(MANIFEST).expect("every scenario has one");
    *text += &format!("\n[[rows]]\ntable = \"things\"\ncount = 4\n\n[rows.columns]\n{columns}\n");
    manifest::read(&folder, &measured())
}

/// The rows that a seed gives, columns in alphabetical order.
fn rows(columns: &str, seed: u64) -> Vec<Vec<String>> {
    let document = read(columns).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let rows = document.simulation.rows.last().expect("they were added");
    let inserts = rows.inserts(&mut ChaCha8Rng::seed_from_u64(seed), &document.environments[0].knobs);
    let values = inserts.iter().flat_map(|insert| &insert.parameters).map(Value::to_text).collect::<Vec<_>>();
    values.chunks(rows.columns.len()).map(<[String]>::to_vec).collect()
}

fn column(columns: &str, seed: u64) -> Vec<String> {
    rows(columns, seed).into_iter().map(|row| row.into_iter().next().expect("one column")).collect()
}

#[test]
fn a_number_in_a_text_is_filled_with_zeros() {
    assert_eq!(column(r#"code = "order-{n:05}""#, 1), ["order-00001", "order-00002", "order-00003", "order-00004"]);
    let negative = column(r#"code = { text = "{x:04}", x = { sequence = -2 } }"#, 1);
    assert_eq!(negative, ["-002", "-001", "0000", "0001"]);
}

#[test]
fn a_text_uses_what_is_drawn_beside_it_whichever_comes_first() {
    let rows = rows(
        "a = \"{id:03}/{z}\"\nid = { sequence = 42 }\nsame = { same_as = \"z\" }\nz = { uniform = [1, 1000000] }",
        7,
    );
    for (place, row) in rows.iter().enumerate() {
        let [a, id, same, z] = &row[..] else { panic!("four columns: {row:?}") };
        assert_eq!(*id, (42 + place).to_string());
        assert_eq!(*a, format!("0{id}/{z}"));
        assert_eq!(same, z);
    }
    assert_ne!(rows[0][3], rows[1][3], "each row has a draw of its own");
}

#[test]
fn what_uses_nothing_is_drawn_as_if_nothing_were_used() {
    let plain = rows("b = { uniform = [1, 1000000] }\nc = { uniform = [1, 1000000] }", 3);
    let used = rows("b = { uniform = [1, 1000000] }\nc = { uniform = [1, 1000000] }\nd = \"{b}-{c}\"", 3);
    assert_eq!(plain, used.iter().map(|row| row[..2].to_vec()).collect::<Vec<_>>());
}

#[test]
fn a_text_has_parts_of_its_own() {
    let draw = r#"sku = { text = "{region}-{number:04}", region = { one_of = ["eu", "us"] }, number = { uniform = [1, 99] } }"#;
    for sku in column(draw, 5) {
        let (region, number) = sku.split_once('-').expect("a hyphen");
        assert!(["eu", "us"].contains(&region), "{sku}");
        assert!(number.len() == 4 && number.starts_with("00"), "{sku}");
    }
}

#[test]
fn a_choice_is_drawn_too() {
    let chosen = column(r#"amount = { one_of = [{ uniform = [100, 199] }, "n{n}"] }"#, 1);
    for (place, amount) in chosen.iter().enumerate() {
        let drawn = amount.parse::<u32>().is_ok_and(|amount| (100..200).contains(&amount));
        assert!(drawn || *amount == format!("n{}", place + 1), "{amount}");
    }
}

#[test]
fn uuids_are_random_and_come_again_with_the_seed() {
    let ids = column("id = { uuid = true }", 1);
    for id in &ids {
        let parts = id.split('-').map(str::len).collect::<Vec<_>>();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert!(id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id} is of version 4");
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids, column("id = { uuid = true }", 1));
    assert_ne!(ids, column("id = { uuid = true }", 2));
}

#[test]
fn lists_and_fields_are_drawn_inside() {
    let item = "{ fields = { sku = \"sku-{number}\", number = { uniform = [1, 9] }, row = { same_as = \"n\" } } }";
    let baskets = column(&format!("basket = {{ list = {item}, count = {{ uniform = [2, 3] }} }}"), 1);
    for (place, basket) in baskets.iter().enumerate() {
        let items: Vec<serde_json::Value> = serde_json::from_str(basket).expect("JSON");
        assert!((2..=3).contains(&items.len()), "{basket}");
        for item in items {
            assert_eq!(item["sku"], format!("sku-{}", item["number"]), "{basket}");
            assert_eq!(item["row"], place as u64 + 1, "{basket}");
        }
    }
}

#[test]
fn braces_that_name_nothing_are_text() {
    let json = r#"{"a": {"b": []}}"#;
    assert_eq!(column(&format!("settings = '{json}'"), 1)[0], json);
    assert_eq!(column(r#"path = "/users/{{id}}/{n}""#, 1)[0], "/users/{id}/1");
}

#[test]
fn what_is_written_as_it_is_meant_is_taken_as_it_is() {
    assert_eq!(column("a = 0x1F", 1)[0], "31");
    assert_eq!(column("a = 1_000", 1)[0], "1000");
    assert_eq!(column(r#"a = [{ list = "shopping", open = true }]"#, 1)[0], r#"[{"list":"shopping","open":true}]"#);
}

#[test]
fn a_draw_that_cannot_be_made_is_told_with_a_way_out() {
    for (columns, what, remedy) in [
        (r#"a = "{b}""#, "`rows.columns.a`: there is no `b` beside it", "`{{b}}` stands for the text itself"),
        ("a = { same_as = \"b\" }\nc = 1", "there is no `b` beside it", "`n`, `client`, `c`"),
        (r#"a = { fields = { x = "{y}" } }"#, "there is no `y` beside it", "`n`"),
        ("a = \"{b}\"\nb = \"{a}\"", "`a`, `b` use each other", "none of the others"),
        ("a = \"{b}\"\nb = \"{c}{d}\"\nc = 1\nd = \"{a}\"", "`a`, `b`, `d` use each other", "none of the others"),
        (r#"a = "{a}""#, "`a` uses itself", "none of the others"),
        ("a = { fields = { x = \"{y}\", y = \"{x}\" } }", "`x`, `y` use each other", "none of the others"),
        (r#"a = "{n:5}""#, "`{n:5}` is not filled in", "`{name:05}`"),
        (r#"a = "{n:099}""#, "`{n:099}` is not filled in", "`{name:05}`"),
        ("a = { uuid = false }", "`rows.columns.a.uuid`: it is not true", "uuid = true"),
        ("a = { uuid = 4 }", "it is of type integer", "true or false"),
        ("a = { uuid = true, sequence = 1 }", "in several ways", "keep one"),
        ("a = { }", "it says nothing of how to draw", "`same_as`"),
        ("a = { one_of = [] }", "the list is empty", "at least one"),
        ("a = { one_of = 3 }", "it is not a list", "one_of = [1, 2]"),
        ("a = { uniform = [9, 1] }", "9 to 1 are no whole numbers in order", "[1, 10]"),
        ("a = { uniform = [1] }", "it is not a pair", "uniform = [1, 10]"),
        ("a = { list = 1 }", "`rows.columns.a.count`: it is missing", "a number or a knob's id"),
        ("a = { list = 1, count = -1 }", "-1 is below 0", "from 0 up"),
        ("a = { list = 1, count = 2.5 }", "2.5 is no length of a list", "from 0 to 1000"),
        (
            "a = [{ uniform = [1, 9] }, 3]",
            "`rows.columns.a`: nothing is drawn in a plain list",
            "{ list = …, count = 2 }",
        ),
        ("a = nan", "`rows.columns.a`: it is no number", "a number of 64 bits"),
        ("a = [1, { b = inf }]", "it is no number", "a number of 64 bits"),
        ("a = { rolling = 1, every_s = 0 }", "0 is out of range", "stay between 0.001 and 3600"),
        ("a = { sequence = 1, stepp = 2 }", "`rows.columns.a.stepp`: unknown key", "remove it"),
        ("a = { text = \"{b}\", b = { sequenze = 1 } }", "it says nothing of how to draw", "`sequence`"),
    ] {
        let mistakes = read(columns).expect_err(columns);
        let found = mistakes.iter().any(|mistake| mistake.what.contains(what) && mistake.remedy.contains(remedy));
        assert!(found, "{columns}: {mistakes:?}");
        assert!(mistakes.iter().all(|mistake| mistake.line.is_some()), "{mistakes:?}");
    }
}
