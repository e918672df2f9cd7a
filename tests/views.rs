//! What the page's views of the tables and of two runs side by side are given.

use std::collections::BTreeMap;
use std::rc::Rc;

use twoam::api::{Keep, Run, RunRequest, ScenarioDocument, measured};
use twoam::scenario::{bundle, manifest};

fn start(variant: &str) -> Run {
    let folder = bundle::folders().into_iter().find(|folder| folder.id == "oversell").expect("oversell is there");
    let document: Rc<ScenarioDocument> = Rc::new(manifest::read(&folder, &measured()).expect("it is valid"));
    let request = RunRequest {
        scenario: "oversell".to_owned(),
        variant: variant.to_owned(),
        environment: "production".to_owned(),
        seed: 1,
        until_us: None,
        knobs: Default::default(),
        sources: Default::default(),
        changes: vec![],
    };
    Run::new(document, request, Keep::All).expect("the run starts")
}

#[test]
fn tables_of_the_past_are_as_they_were() {
    let mut run = start("row-lock");
    let mut seen = vec![];
    for at in (50_000..1_000_000).step_by(50_000) {
        run.advance(at);
        seen.push((at, run.tables(at)));
    }
    let mut held = 0;
    for (at, tables) in seen {
        assert_eq!(run.tables(at), tables, "at {at}");
        for row in tables.iter().flat_map(|table| &table.rows) {
            let pending = row.versions.iter().filter(|version| version.committed_us.is_none()).count();
            assert!(pending <= 1, "two transactions cannot both have written {row:?}");
            assert!(row.versions.is_sorted_by_key(|version| std::cmp::Reverse(version.at_us)), "{row:?}");
            held += row.locks.len();
            assert!(
                row.waiting.is_empty() || pending + row.locks.len() > 0,
                "nobody holds what is waited for: {row:?}"
            );
        }
    }
    assert!(held > 0, "SELECT … FOR UPDATE holds rows");
}

#[test]
fn two_runs_share_their_clients_requests() {
    let asked = |variant| {
        let mut run = start(variant);
        run.advance(1_000_000);
        let answers = run.answers(1_000_000);
        answers.into_iter().map(|it| ((it.client, it.turn), (it.arguments, it.status))).collect::<BTreeMap<_, _>>()
    };
    let (naive, hardened) = (asked("naive"), asked("atomic-update"));
    let both = naive.iter().filter_map(|(whose, answer)| Some((answer, hardened.get(whose)?))).collect::<Vec<_>>();
    assert!(both.len() > 50);
    let same_request = both.iter().filter(|(one, other)| one.0 == other.0).count();
    assert!(same_request * 10 > both.len() * 9, "{same_request} of {} ask for the same", both.len());
    assert!(
        both.iter().any(|(one, other)| one.0 == other.0 && one.1 != other.1),
        "one was sold what the other was not"
    );
}
