//! What the page and the command line say of a run is true at every moment: of the code that ran, of who waits for whom, of errors.

use std::collections::BTreeMap;
use std::rc::Rc;

use twoam::api::{
    Change, Frame, Keep, LockWait, Micros, Run, RunRequest, ScenarioDocument, StepKind, TimedChange, Verdict, measured,
};
use twoam::scenario::{bundle, manifest};
use twoam::trace::EventKind;

struct Start {
    request: RunRequest,
}

impl Start {
    fn of(scenario: &str, variant: &str) -> Start {
        Start {
            request: RunRequest {
                scenario: scenario.to_owned(),
                variant: variant.to_owned(),
                environment: "production".to_owned(),
                seed: 1,
                until_us: None,
                knobs: BTreeMap::new(),
                sources: BTreeMap::new(),
                changes: vec![],
            },
        }
    }

    fn deploys(mut self, at_us: Micros, variant: &str) -> Start {
        self.request.changes.push(TimedChange { at_us, change: Change::Variant { variant: variant.to_owned() } });
        self
    }

    fn edits(mut self, at_us: Micros, file: &str, text: &str) -> Start {
        let change = Change::Source { file: file.to_owned(), text: text.to_owned() };
        self.request.changes.push(TimedChange { at_us, change });
        self
    }

    fn with(mut self, file: &str, text: &str) -> Start {
        self.request.sources.insert(file.to_owned(), text.to_owned());
        self
    }

    fn run(self, until: Micros) -> Run {
        let folder = bundle::folders().into_iter().find(|folder| folder.id == self.request.scenario);
        let folder = folder.expect("the scenario is built in");
        let document: Rc<ScenarioDocument> = Rc::new(manifest::read(&folder, &measured()).expect("it is valid"));
        let mut run = Run::new(document, self.request, Keep::All).expect("the run starts");
        run.advance(until);
        run
    }
}

fn verdicts(frame: &Frame) -> Vec<(&str, Verdict)> {
    frame.stretches.iter().map(|stretch| (stretch.variant.as_str(), stretch.verdict)).collect()
}

#[test]
fn a_variant_that_broke_a_rule_before_it_was_replaced_shows_it() {
    for deployed in [1_000_000, 1_200_000, 1_500_000, 1_900_000, 2_300_000] {
        let mut run = Start::of("oversell", "naive").deploys(deployed, "atomic-update").run(15_000_000);
        let frame = run.frame();
        assert_eq!(
            verdicts(&frame),
            [("naive", Verdict::Broken), ("atomic-update", Verdict::Holds)],
            "deployed at {deployed}"
        );
        assert_eq!(run.summary().verdict, Verdict::Broken, "of the whole run");
    }
}

#[test]
fn a_glance_at_naive_code_is_not_laid_at_the_door_of_what_ran_before() {
    let run = Start::of("oversell", "atomic-update").deploys(4_000_000, "naive").deploys(5_200_000, "row-lock");
    let frame = run.run(20_000_000).frame();
    let holds = Verdict::Holds;
    assert_eq!(verdicts(&frame), [("atomic-update", holds), ("naive", Verdict::Broken), ("row-lock", holds)]);
}

/// Hardened code that somebody has spoiled has nobody to blame but itself.
#[test]
fn an_edit_that_breaks_a_rule_shows_it() {
    const SPOILED: &str = include_str!("../scenarios/oversell/naive.py");
    let run = Start::of("oversell", "atomic-update").edits(3_000_000, "atomic_update.py", SPOILED);
    let frame = run.run(10_000_000).frame();
    assert_eq!(verdicts(&frame), [("atomic-update", Verdict::Holds), ("atomic-update", Verdict::Broken)]);
    assert_eq!(frame.stretches.iter().map(|stretch| stretch.edited).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_break_is_dated_from_its_first_sighting() {
    let run = Start::of("oversell", "naive").run(4_000_000);
    let events = run.trace().events();
    let breaks = events.filter_map(|event| match &event.kind {
        EventKind::InvariantBroken { invariant, since, .. } if run.trace().strings.text(*invariant) == "oversold" => {
            Some((*since, event.at))
        }
        _ => None,
    });
    let (since, told) = breaks.min().expect("naive code oversells");
    assert!(
        since < told && told < since + 100_000,
        "seen at {since}, told at {told}: it waits for requests on their way"
    );
    assert!(since < 1_500_000, "the hundredth unit is sold in the first second, and was noticed at {since}");
    let moved = |at: Micros| run.moment(at).metrics[0].total;
    assert_eq!((moved(since - 1), moved(since) > 0.0), (0.0, true), "the counter moves when the rule is seen broken");
}

#[test]
fn a_deadlock_is_seen_while_it_lasts() {
    let run = Start::of("deadlock", "naive").run(6_000_000);
    let report = run.report(0, 6_000_000);
    let case = report.cases.iter().find(|case| case.of == "deadlocks").expect("naive transfers deadlock");
    assert!(case.since_us + 900_000 < case.at_us, "the ring is closed long before the database looks for it: {case:?}");
    for at in [case.since_us, case.since_us + 300_000, case.at_us - 1] {
        let locks = run.locks(at);
        let mut ring =
            locks.iter().filter(|wait| wait.deadlocked && case.requests.contains(&wait.request)).collect::<Vec<_>>();
        ring.sort_by_key(|wait| wait.request);
        let [one, other] = ring.as_slice() else { panic!("two wait for each other at {at}: {locks:#?}") };
        assert!(holds(one, other.request) && holds(other, one.request), "{one:#?} {other:#?}");
        assert_eq!((one.file.as_deref(), one.line), (Some("naive.py"), Some(6)));
        // The page asks for the last 400 ms: waits that began before are in it all the same.
        let timeline = run.report(at.saturating_sub(400_000), at).timeline;
        let lane = |label: &str| timeline.lanes.iter().position(|lane| lane.label == label).expect("a lane") as u32;
        let drawn = |from: &LockWait, to: &LockWait| {
            let (from, to) = (lane(&from.label), lane(&to.label));
            timeline.arrows.iter().any(|arrow| arrow.from_lane == from && arrow.to_lane == to)
        };
        assert!(drawn(one, other) && drawn(other, one), "at {at}");
    }
    let later = run.locks(case.at_us + 50_000);
    assert!(!later.iter().any(|wait| wait.deadlocked && case.requests.contains(&wait.request)), "the ring is resolved");
}

fn holds(wait: &LockWait, request: u32) -> bool {
    wait.holders.iter().any(|holder| holder.holds && holder.request == request)
}

#[test]
fn a_failure_says_its_own_error_however_long_ago_it_was() {
    let run = Start::of("deadlock", "naive").deploys(4_000_000, "ordered-locks");
    let mut run = run.run(12_000_000);
    let failure = run.frame().failure.expect("a transfer failed");
    assert!(failure.text.ends_with("DeadlockDetected: deadlock detected"), "{}", failure.text);
    assert_eq!((failure.file.as_deref(), failure.line), (Some("naive.py"), Some(6)));
    assert!(failure.at_us < 6_000_000, "ordered locks fail nobody: {failure:?}");
    let first = run.errors(12_000_000).iter().map(|group| group.first_us).min().expect("errors are grouped");
    assert_eq!(run.moment(first - 1).failure, None);
    assert_eq!(run.moment(first).failure.map(|failure| failure.at_us), Some(first));
}

#[test]
fn errors_come_in_groups_with_the_first_traceback() {
    let source = "async def buy(conn, request):\n    if request['quantity'] == 2:\n        raise ValueError(request['customer'])\n    return {'status': 200}['code']\n";
    let mut run = Start::of("oversell", "naive").with("naive.py", source).run(3_000_000);
    let (frame, errors) = (run.frame(), run.errors(3_000_000));
    let lines =
        errors.iter().map(|group| (group.text.split(':').next().unwrap_or_default(), group.line)).collect::<Vec<_>>();
    assert_eq!(lines, [("KeyError", Some(4)), ("ValueError", Some(3))]);
    assert_eq!(errors.iter().map(|group| group.count).sum::<u32>(), frame.requests.failed);
    assert!(errors[1].traceback.starts_with("Traceback") && errors[1].traceback.contains("ValueError: customer-"));
    assert_eq!(run.errors(0), []);
    assert_eq!(frame.stretches[0].verdict, Verdict::NothingUseful, "every request raises");
    assert_eq!(run.summary().errors, errors);
}

#[test]
fn code_that_no_rule_looks_at_is_not_measured() {
    let coupons = "
CREATE TABLE products (id BIGINT PRIMARY KEY, title TEXT, price_cents INT, units INT, stock INT);
CREATE TABLE orders (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id BIGINT, quantity INT);
CREATE TABLE coupons (id BIGINT PRIMARY KEY, left_over INT);
INSERT INTO coupons VALUES (1, 100);";
    let redeem = "
async def buy(conn, request):
    async with conn.transaction():
        cursor = await conn.execute('SELECT left_over FROM coupons WHERE id = 1')
        left, = await cursor.fetchone()
        if left == 0:
            return {'status': 409}
        await conn.execute('UPDATE coupons SET left_over = %s WHERE id = 1', (left - 1,))
    return {'status': 201}
";
    let mut run = Start::of("oversell", "naive").with("schema.sql", coupons).with("naive.py", redeem).run(3_000_000);
    let frame = run.frame();
    assert!(frame.stretches[0].useful > 100 && frame.stretches[0].edited, "{:?}", frame.stretches);
    assert_eq!(frame.stretches[0].verdict, Verdict::NotMeasured);
    assert_eq!(run.summary().verdict, Verdict::NotMeasured);
}

/// Reporters write into a table that no rule reads; the rule is about what the fans' pages told somebody else.
#[test]
fn code_is_measured_by_what_a_service_got_of_it() {
    let mut run = Start::of("polling", "naive").run(2_000_000);
    assert_eq!(run.frame().stretches[0].verdict, Verdict::Holds);
}

#[test]
fn answers_without_work_are_no_success() {
    for (answer, verdict) in [("{'status': 409}", Verdict::NothingUseful), ("{'status': 201}", Verdict::NotMeasured)] {
        let source = format!("async def buy(conn, request):\n    return {answer}\n");
        let mut run = Start::of("oversell", "naive").with("naive.py", &source).run(2_000_000);
        assert_eq!(run.frame().stretches[0].verdict, verdict, "{answer}");
    }
    assert_eq!(Start::of("oversell", "naive").run(1_000).frame().stretches[0].verdict, Verdict::Open);
}

#[test]
fn a_collision_tells_what_both_read_and_wrote() {
    let run = Start::of("oversell", "naive").run(1_000_000);
    let collision = run.collision(1_000_000).expect("two buyers meet");
    let [first, second] = collision.requests.as_slice() else { panic!("{collision:#?}") };
    assert!(first.from_us < second.from_us && second.from_us < first.to_us.expect("it was answered"), "they overlap");
    let stock = |request, kind| {
        let steps = collision.steps.iter().filter(|step| step.request == request && step.kind == kind);
        let cells = steps.filter(|step| step.table.as_deref() == Some("products")).flat_map(|step| &step.cells);
        let stock =
            cells.filter(|cell| cell.column == "stock").filter_map(|cell| cell.value.as_ref()?.parse::<i64>().ok());
        stock.collect::<Vec<_>>()
    };
    let read = stock(0, StepKind::Read);
    assert_eq!(read, stock(1, StepKind::Read), "both read the same");
    assert!(stock(0, StepKind::Write)[0] < read[0] && stock(1, StepKind::Write)[0] < read[0], "{:#?}", collision.steps);
    let kinds = collision.steps.iter().filter(|step| step.request == 1).map(|step| step.kind).collect::<Vec<_>>();
    let place = |kind| kinds.iter().position(|of| *of == kind).expect("each has all kinds of step");
    assert!(
        place(StepKind::Read) < place(StepKind::Wait) && place(StepKind::Wait) < place(StepKind::Write),
        "{kinds:?}"
    );
    assert!(place(StepKind::Write) < place(StepKind::Commit) && place(StepKind::Commit) < place(StepKind::Answer));
    assert_eq!(run.collision(first.from_us), None, "nothing had happened yet");
}

#[test]
fn what_collides_is_found_in_every_scenario() {
    let alone = ["order-payment", "money", "missing-index"];
    let together = ["oversell", "deadlock", "write-skew", "unique-race", "gift-card", "time-zones", "stale-replica"];
    for (scenario, requests) in alone.iter().map(|id| (*id, 1)).chain(together.iter().map(|id| (*id, 2))) {
        let mut run = Start::of(scenario, "naive").run(0);
        while !run.ended() && run.collision(run.now()).is_none() {
            run.advance(run.now() + 500_000);
        }
        let collision = run.collision(run.now()).unwrap_or_else(|| panic!("nothing collides in {scenario}"));
        assert_eq!(collision.requests.len(), requests, "{scenario}: {collision:#?}");
        for place in 0..requests as u32 {
            assert!(collision.steps.iter().any(|step| step.request == place), "{scenario}: {collision:#?}");
        }
    }
}
