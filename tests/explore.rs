//! Every order of a few requests: what is wrong is found, what holds is proved, and each finding can be shown again.

use std::collections::BTreeMap;

use twoam::explore::{Dependence, Exploration, Finding, Reduction, Schedule, explore, explore_by, replay};
use twoam::report::measured;
use twoam::scenario::manifest::{self, MANIFEST};
use twoam::scenario::{Exam, ExamRequest, ScenarioDocument, bundle};

fn scenario(id: &str) -> ScenarioDocument {
    let folder = bundle::folders().into_iter().find(|folder| folder.id == id).expect("the scenario is built in");
    manifest::read(&folder, &measured()).expect("the project's own scenarios are valid")
}

fn all_orders(document: &ScenarioDocument, variant: &str) -> Exploration {
    explore(document, &document.exams[0], variant, |_| true).expect("it can be explored")
}

/// The variant with another text.
fn edited(mut document: ScenarioDocument, variant: &str, edit: impl FnOnce(&str) -> String) -> ScenarioDocument {
    let of = document.variants.iter_mut().find(|of| of.id == variant).expect("the variant is there");
    let text = edit(&of.source);
    assert_ne!(text, of.source, "the edit changes something");
    of.source = text;
    document
}

fn kinds(explored: &Exploration) -> BTreeMap<&'static str, u64> {
    let mut kinds = BTreeMap::new();
    for outcome in &explored.outcomes {
        for finding in &outcome.findings {
            let kind = match finding {
                Finding::RuleBroken { .. } => "rule broken",
                Finding::Failed { .. } => "failed",
                Finding::NeverEnds { .. } => "never ends",
                Finding::Deadlock { .. } => "deadlock",
            };
            *kinds.entry(kind).or_default() += outcome.orders;
        }
    }
    kinds
}

/// Ways to go through two rows of steps.
fn interleavings(first: u64, second: u64) -> u64 {
    (1..=second).fold(1, |ways, step| ways * (first + step) / step)
}

#[test]
fn naive_oversells_and_what_is_hardened_never_does() {
    let document = scenario("oversell");
    for variant in &document.summary.variants {
        let explored = all_orders(&document, variant);
        assert!(explored.exhaustive);
        assert_eq!(explored.has_findings(), variant == "naive", "{variant}: {explored:?}");
        if variant != "naive" {
            let statuses = explored.outcomes.iter().map(|outcome| outcome.statuses.clone()).collect::<Vec<_>>();
            assert!(statuses.iter().all(|of| of.contains(&Some(201)) && of.contains(&Some(409))), "{variant}");
        }
    }
}

#[test]
fn a_lock_that_is_left_out_is_found() {
    let document = edited(scenario("oversell"), "row-lock", |text| text.replace(" FOR UPDATE", ""));
    assert!(kinds(&all_orders(&document, "row-lock")).contains_key("rule broken"));
    let document = edited(scenario("oversell"), "atomic-update", |text| text.replace(" AND stock >= %(quantity)s", ""));
    assert!(all_orders(&document, "atomic-update").has_findings());
}

#[test]
fn a_deadlock_is_found_and_its_order_shown() {
    let document = scenario("deadlock");
    let explored = all_orders(&document, "naive");
    assert_eq!(kinds(&explored).keys().collect::<Vec<_>>(), [&"deadlock"]);
    assert!(!all_orders(&document, "ordered-locks").has_findings());

    let worst = explored.outcomes.iter().find(|outcome| !outcome.findings.is_empty()).expect("it has one");
    let (steps, _) = replay(&document, &document.exams[0], "naive", &worst.schedule).expect("it can be shown");
    let waits = steps.iter().filter(|step| step.text.contains("waits for")).count();
    assert!(waits >= 2, "{steps:?}");
    assert!(steps.iter().any(|step| step.text.contains("40P01")), "{steps:?}");
}

#[test]
fn no_order_is_left_out_where_nobody_waits() {
    let document = scenario("deadlock");
    let reads = "async def transfer(conn, request):\n    for _ in range(3):\n        await conn.execute('SELECT 1')\n    return {}\n";
    let document = edited(document, "naive", |_| reads.to_owned());
    let explored = all_orders(&document, "naive");
    let [outcome] = &explored.outcomes[..] else { panic!("one outcome, not {:?}", explored.outcomes) };
    let steps = outcome.schedule.requests().len() as u64;
    assert_eq!(explored.orders, interleavings(steps / 2, steps / 2));
}

/// Small exams, by name: the code of both requests, which see themselves as `request["id"]` 1 and 2. The answers' statuses tell what they saw.
/// Tables are those of the scenario deadlock: two accounts.
const EXAMS: &[(&str, &str)] = &[
    ("lost update", "
    cur = await conn.execute('SELECT balance_cents FROM accounts WHERE id = 1')
    (cents,) = await cur.fetchone()
    await conn.execute('UPDATE accounts SET balance_cents = %s WHERE id = 1', (cents + 1,))
    return {'status': 200 + cents - 1000000}
"),
    ("row lock", "
    async with conn.transaction():
        cur = await conn.execute('SELECT balance_cents FROM accounts WHERE id = 1 FOR UPDATE')
        (cents,) = await cur.fetchone()
        await conn.execute('UPDATE accounts SET balance_cents = %s WHERE id = 1', (cents + 1,))
    return {'status': 200 + cents - 1000000}
"),
    ("atomic update", "
    cur = await conn.execute('UPDATE accounts SET balance_cents = balance_cents + 1 WHERE id = 1 RETURNING balance_cents')
    (cents,) = await cur.fetchone()
    return {'status': 200 + cents - 1000000}
"),
    ("locks in different order", "
    async with conn.transaction():
        for place in (request['id'], 3 - request['id']):
            await conn.execute('SELECT 1 FROM accounts WHERE id = %s FOR UPDATE', (place,))
    return {'status': 200}
"),
    ("locks alone", "
    async with conn.transaction():
        await conn.execute('SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE')
        cur = await conn.execute('SELECT count(*) FROM transfers')
        (count,) = await cur.fetchone()
    await conn.execute('INSERT INTO transfers (from_account, to_account, amount_cents) VALUES (1, 2, 1)')
    return {'status': 200 + count}
"),
    ("phantom", "
    async with conn.transaction():
        cur = await conn.execute('SELECT count(*) FROM transfers')
        (count,) = await cur.fetchone()
        if count == 0:
            await conn.execute('INSERT INTO transfers (from_account, to_account, amount_cents) VALUES (1, 2, 1)')
    return {'status': 200 + count}
"),
    ("one reads, one writes", "
    if request['id'] == 1:
        async with conn.transaction():
            await conn.execute('UPDATE accounts SET balance_cents = 5 WHERE id = 1')
            await conn.execute('UPDATE accounts SET balance_cents = 6 WHERE id = 2')
        return {'status': 200}
    cur = await conn.execute('SELECT balance_cents FROM accounts WHERE id = 1')
    (one,) = await cur.fetchone()
    cur = await conn.execute('SELECT balance_cents FROM accounts WHERE id = 2')
    (two,) = await cur.fetchone()
    return {'status': 200 + (one == 5) + 2 * (two == 6)}
"),
    ("rolled back", "
    if request['id'] == 1:
        try:
            async with conn.transaction():
                await conn.execute('UPDATE accounts SET balance_cents = 5 WHERE id = 1')
                raise ValueError
        except ValueError:
            return {'status': 409}
    cur = await conn.execute('UPDATE accounts SET balance_cents = balance_cents + 1 WHERE id = 1 RETURNING balance_cents')
    (cents,) = await cur.fetchone()
    return {'status': 200 + (cents < 1000)}
"),
    ("parent and child", "
    if request['id'] == 1:
        await conn.execute(\"INSERT INTO accounts VALUES (9, 'nine', 0)\")
        return {'status': 201}
    await conn.execute('INSERT INTO transfers (from_account, to_account, amount_cents) VALUES (9, 1, 1)')
    return {'status': 201}
"),
    ("child and its parent", "
    if request['id'] == 1:
        await conn.execute('DELETE FROM accounts WHERE id = 2')
        return {'status': 204}
    async with conn.transaction():
        await conn.execute('INSERT INTO transfers (from_account, to_account, amount_cents) VALUES (2, 1, 1)')
    return {'status': 201}
"),
    ("same key", "
    await conn.execute(\"INSERT INTO accounts VALUES (9, 'nine', 0)\")
    return {'status': 201}
"),
    ("same key, nothing done", "
    cur = await conn.execute(\"INSERT INTO accounts VALUES (9, 'nine', 0) ON CONFLICT DO NOTHING\")
    return {'status': 200 + cur.rowcount}
"),
    ("write skew", "
    async with conn.transaction():
        cur = await conn.execute('SELECT sum(balance_cents) FROM accounts')
        (total,) = await cur.fetchone()
        if total >= 2000000:
            await conn.execute('UPDATE accounts SET balance_cents = 0 WHERE id = %s', (request['id'],))
    return {'status': 200 + (total >= 2000000)}
"),
    ("serializable", "
    from psycopg import IsolationLevel
    await conn.set_isolation_level(IsolationLevel.SERIALIZABLE)
    async with conn.transaction():
        cur = await conn.execute('SELECT sum(balance_cents) FROM accounts')
        (total,) = await cur.fetchone()
        await conn.execute('UPDATE accounts SET balance_cents = 0 WHERE id = %s', (request['id'],))
    return {'status': 200 + (total >= 2000000)}
"),
    ("repeatable read", "
    from psycopg import IsolationLevel
    await conn.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    async with conn.transaction():
        cur = await conn.execute('SELECT count(*) FROM transfers')
        cur = await conn.execute('SELECT balance_cents FROM accounts WHERE id = 1')
        (cents,) = await cur.fetchone()
        await conn.execute('UPDATE accounts SET balance_cents = %s WHERE id = %s', (cents + 1, request['id']))
    return {'status': 200 + cents - 1000000}
"),
    ("advisory lock", "
    async with conn.transaction():
        await conn.execute('SELECT pg_advisory_xact_lock(7)')
        cur = await conn.execute('SELECT count(*) FROM transfers')
        (count,) = await cur.fetchone()
        await conn.execute('INSERT INTO transfers (from_account, to_account, amount_cents) VALUES (1, 2, 1)')
    return {'status': 200 + count}
"),
    ("sequence", "
    cur = await conn.execute(\"SELECT nextval('transfers_id_seq')\")
    (number,) = await cur.fetchone()
    return {'status': 200 + number}
"),
    ("skips what is locked", "
    async with conn.transaction():
        cur = await conn.execute('SELECT id FROM accounts ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED')
        row = await cur.fetchone()
        await conn.execute('SELECT 1')
    return {'status': 200 + (row[0] if row else 0)}
"),
    ("does not wait", "
    async with conn.transaction():
        await conn.execute('SELECT id FROM accounts WHERE id = 1 FOR UPDATE NOWAIT')
    return {'status': 200}
"),
    ("back to a savepoint", "
    async with conn.transaction():
        try:
            async with conn.transaction():
                await conn.execute('UPDATE accounts SET balance_cents = 1 WHERE id = %s', (request['id'],))
                raise ValueError
        except ValueError:
            pass
        await conn.execute('UPDATE accounts SET balance_cents = 2 WHERE id = %s', (3 - request['id'],))
    return {'status': 200}
"),
    ("sleeps", "
    import asyncio
    await asyncio.sleep(0.1)
    cur = await conn.execute('UPDATE accounts SET balance_cents = balance_cents + 1 WHERE id = 1 RETURNING balance_cents')
    (cents,) = await cur.fetchone()
    return {'status': 200 + cents - 1000000}
"),
    ("waits in two places", "
    async with conn.transaction():
        if request['id'] == 1:
            await conn.execute('SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE')
            await conn.execute('LOCK TABLE transfers IN EXCLUSIVE MODE')
        else:
            await conn.execute('LOCK TABLE transfers IN EXCLUSIVE MODE')
            await conn.execute('SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE')
    return {'status': 200}
"),
];

fn small_exam(code: &str) -> (ScenarioDocument, Exam) {
    let mut document = scenario("deadlock");
    document.variants[0].source = format!("async def transfer(conn, request):{code}");
    let request = |id: u32| {
        let parameters = serde_json::json!({ "id": id });
        ExamRequest { entry: "transfer".to_owned(), parameters: parameters.as_object().expect("it is one").clone() }
    };
    let exam = Exam { requests: vec![request(1), request(2)], ..document.exams[0].clone() };
    (document, exam)
}

/// A cache that two processes share, beside the database.
fn exam_with_a_service() -> (ScenarioDocument, Exam) {
    let mut document = scenario("cache-stampede");
    let entry = document.simulation.requests[0].entry.clone();
    document.variants[0].source = format!(
        "async def {entry}(request, cache):
    seen = await cache.get('seen')
    await cache.set('seen', str(int(seen or 0) + 1))
    return {{'status': 200 + int(seen or 0)}}
"
    );
    let request = ExamRequest { entry, parameters: Default::default() };
    let exam = Exam {
        id: "shared".to_owned(),
        title: "Two who count".to_owned(),
        rows: Some(1),
        setup: None,
        requests: vec![request.clone(), request],
    };
    (document, exam)
}

/// What tells two explorations apart, whatever they executed.
fn outcomes(explored: &Exploration) -> BTreeMap<(Vec<Option<u16>>, Vec<Finding>), u64> {
    let outcomes = explored.outcomes.iter();
    outcomes.map(|of| ((of.statuses.clone(), of.findings.clone()), of.orders)).collect()
}

fn by(document: &ScenarioDocument, exam: &Exam, reduction: Reduction) -> Exploration {
    explore_by(document, exam, "naive", reduction, |_| true).expect("it can be explored")
}

/// Every order, executed: what the reduced search must find, outcome by outcome, with as many orders each. And whatever a dependence is made
/// of, to leave it out must show in some exam.
#[test]
fn the_reduction_loses_nothing_and_would_without_any_part_of_it() {
    let mut noticed: Vec<Dependence> = vec![];
    let exams = EXAMS.iter().map(|(name, code)| (*name, small_exam(code)));
    let (mut executed, mut orders) = (0, 0);
    for (name, (document, exam)) in exams.chain([("service", exam_with_a_service())]) {
        let all = by(&document, &exam, Reduction::None);
        let reduced = by(&document, &exam, Reduction::SleepSets { without: None });
        assert_eq!(outcomes(&reduced), outcomes(&all), "{name}");
        executed += reduced.executions;
        orders += all.executions;
        for part in Dependence::ALL.into_iter().filter(|part| !noticed.contains(part)).collect::<Vec<_>>() {
            let without = by(&document, &exam, Reduction::SleepSets { without: Some(part) });
            if outcomes(&without) != outcomes(&all) {
                noticed.push(part);
            }
        }
    }
    assert!(executed * 2 < orders, "{executed} executions for {orders} orders are hardly fewer");
    let missed = Dependence::ALL.iter().filter(|part| !noticed.contains(part)).collect::<Vec<_>>();
    assert!(missed.is_empty(), "no exam needs {missed:?}");
}

#[test]
fn three_buyers_are_explored_to_the_end() {
    let document = scenario("oversell");
    let exam = document.exams.iter().find(|exam| exam.id == "three-buyers").expect("the scenario has it");
    for variant in ["naive", "row-lock", "atomic-update"] {
        let explored = explore(&document, exam, variant, |_| true).expect("it can be explored");
        assert!(explored.exhaustive);
        assert_eq!(explored.has_findings(), variant == "naive", "{variant}");
    }
}

#[test]
fn what_was_found_comes_again_in_an_interpreter_of_its_own() {
    for id in ["oversell", "deadlock"] {
        let document = scenario(id);
        let exam = &document.exams[0];
        for outcome in all_orders(&document, "naive").outcomes {
            let (steps, again) = replay(&document, exam, "naive", &outcome.schedule).expect("it can be shown");
            assert_eq!((&again.statuses, &again.findings), (&outcome.statuses, &outcome.findings));
            assert_eq!(again.schedule, outcome.schedule);
            assert!(!steps.is_empty());
        }
    }
}

#[test]
fn what_a_module_keeps_is_gone_with_the_execution() {
    let counts = "seen = []\n\nasync def transfer(conn, request):\n    seen.append(1)\n    await conn.execute('SELECT 1')\n    return {'status': 200 if len(seen) == 1 else 500}\n";
    let document = edited(scenario("deadlock"), "naive", |_| counts.to_owned());
    let exam = Exam { requests: document.exams[0].requests[..1].to_vec(), ..document.exams[0].clone() };
    let explored = explore(&document, &exam, "naive", |_| true).expect("it can be explored");
    assert!(!explored.has_findings(), "{explored:?}");
}

#[test]
fn code_that_does_not_end_is_told_and_ends_nothing() {
    let sleeps =
        "import asyncio\n\nasync def transfer(conn, request):\n    while True:\n        await asyncio.sleep(1)\n";
    let asks = "async def transfer(conn, request):\n    while True:\n        await conn.execute('SELECT 1')\n";
    let spins = "async def transfer(conn, request):\n    while True:\n        pass\n";
    for (text, kind) in [(sleeps, "never ends"), (asks, "never ends"), (spins, "failed")] {
        let document = edited(scenario("deadlock"), "naive", |_| text.to_owned());
        let explored =
            explore(&document, &document.exams[0], "naive", |orders| orders < 2).expect("it can be explored");
        assert_eq!(kinds(&explored).keys().collect::<Vec<_>>(), [&kind], "{text}");
    }
}

#[test]
fn what_cannot_be_examined_is_told() {
    let mut document = scenario("oversell");
    let mut exam = document.exams[0].clone();
    exam.setup = Some("UPDATE product SET stock = 1".to_owned());
    let error = explore(&document, &exam, "naive", |_| true).expect_err("there is no such table");
    assert_eq!(error.text, "setup of the exam last-unit: relation \"product\" does not exist (42P01)");

    exam = document.exams[0].clone();
    exam.requests.push(ExamRequest { entry: "sell".to_owned(), parameters: Default::default() });
    let error = explore(&document, &exam, "naive", |_| true).expect_err("there is no such request");
    assert_eq!(error.text, "the exam last-unit asks for sell, which is no request");

    document.variants[0].source = "async def buy(conn, request):\n    retrun 1\n".to_owned();
    let error = explore(&document, &document.exams[0], "naive", |_| true).expect_err("it is no Python");
    assert_eq!((error.file.as_deref(), error.line), (Some("naive.py"), Some(2)));
}

#[test]
fn a_schedule_is_read_as_it_is_written() {
    let schedule = Schedule::parse("AAB2AB", 2).expect("it is one");
    assert_eq!(schedule.to_string(), "A2B2AB");
    assert_eq!(schedule.switches(), 3);
    let mistake = Schedule::parse("A2C", 2).expect_err("there are two requests");
    assert!(mistake.0.starts_with("character 3: 'C' is no request"), "{}", mistake.0);
    assert!(Schedule::parse("A99999999", 2).is_err());

    let document = scenario("oversell");
    let late = Schedule::parse("A9", 2).expect("it is one");
    let error = replay(&document, &document.exams[0], "naive", &late).expect_err("A has ended by then");
    assert_eq!(error.text, "step 7: A cannot step; B can");
}

#[test]
fn a_faulty_exam_is_told_with_its_line() {
    let mut folder = bundle::folders().into_iter().find(|folder| folder.id == "oversell").expect("it is built in");
    let text = folder.files.get_mut(MANIFEST).expect("the manifest is there");
    let line = text.lines().position(|line| line == "[[exam.request]]").expect("it has an exam") as u32 + 2;
    *text = text.replacen("[[exam.request]]\nentry = \"buy\"", "[[exam.request]]\nentry = \"bye\"", 1);
    let mistakes = manifest::read(&folder, &measured()).expect_err("there is no such request");
    let told = mistakes.iter().map(|mistake| (mistake.line, mistake.what.as_str())).collect::<Vec<_>>();
    assert_eq!(told, [(Some(line), "`exam.request.entry`: `bye` is not known")]);
}
