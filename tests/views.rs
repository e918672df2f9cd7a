//! What the page's views of the tables and of two runs side by side are given.

use std::collections::BTreeMap;
use std::rc::Rc;

use twoam::api::{Keep, Run, RunRequest, ScenarioDocument, measured};
use twoam::scenario::{bundle, manifest};

fn start(variant: &str) -> Run {
    start_with(variant, BTreeMap::new())
}

fn start_with(variant: &str, sources: BTreeMap<String, String>) -> Run {
    let folder = bundle::folders().into_iter().find(|folder| folder.id == "oversell").expect("oversell is there");
    let document: Rc<ScenarioDocument> = Rc::new(manifest::read(&folder, &measured()).expect("it is valid"));
    let request = RunRequest {
        scenario: "oversell".to_owned(),
        variant: variant.to_owned(),
        environment: "production".to_owned(),
        seed: 1,
        until_us: None,
        knobs: Default::default(),
        sources,
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
fn what_a_savepoint_took_back_never_was() {
    let handler = r#"
import psycopg

async def buy(conn, request):
    async with conn.transaction():
        await conn.execute("SELECT stock FROM products WHERE id = %s FOR KEY SHARE", (request["product_id"],))
        async with conn.transaction() as second_thoughts:
            await conn.execute("UPDATE products SET stock = 0 WHERE id = %s", (request["product_id"],))
            raise psycopg.Rollback(second_thoughts)
        try:
            async with conn.transaction():
                await conn.execute("DELETE FROM products WHERE id = %s", (request["product_id"] + 1,))
                await conn.execute("SELECT 1 / 0")
        except psycopg.errors.DivisionByZero:
            pass
        await conn.execute(
            "INSERT INTO orders (product_id, customer, quantity, amount_cents) VALUES (%s, 'kept', 1, 1)",
            (request["product_id"],),
        )
    return {"status": 201}
"#;
    let mut run = start_with("row-lock", BTreeMap::from([("row_lock.py".to_owned(), handler.to_owned())]));
    let mut held = 0;
    for at in (50_000..2_000_000).step_by(50_000) {
        run.advance(at);
        for table in run.tables(at) {
            for row in table.rows.iter().filter(|_| table.name == "products") {
                assert!(row.versions.iter().all(|version| version.committed_us.is_none()), "at {at}: {row:?}");
                held += row.locks.iter().filter(|lock| lock.strength == "FOR KEY SHARE").count();
            }
        }
    }
    assert!(held > 0, "the lock from before the savepoint stays");
    let orders = run.tables(2_000_000).into_iter().find(|table| table.name == "orders").expect("orders were written");
    assert!(orders.rows.iter().any(|row| row.versions.iter().any(|version| version.committed_us.is_some())));
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
