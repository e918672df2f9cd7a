//! What stands on the screen at each beat of a talk: found for every scenario, and told where a talk cannot be given.

use twoam::report::measured;
use twoam::scenario::manifest::{self, Folder};
use twoam::scenario::{Moment, NamedMoment, Picture, ScenarioDocument, Scene, View, bundle};
use twoam::{api, talk};

fn document(folder: &Folder) -> ScenarioDocument {
    manifest::read(folder, &measured()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn scenario(id: &str) -> ScenarioDocument {
    document(&bundle::folders().into_iter().find(|folder| folder.id == id).expect("it is built in"))
}

fn staged(id: &str) -> ScenarioDocument {
    let mut document = scenario(id);
    talk::stage(&mut document).unwrap_or_else(|mistake| panic!("{id}: {mistake}"));
    document
}

/// What is wrong with the talk of oversell after a change.
fn refused(change: impl Fn(&mut ScenarioDocument)) -> String {
    let mut document = scenario("oversell");
    change(&mut document);
    talk::stage(&mut document).expect_err("the talk can be given").to_string()
}

#[test]
fn every_talk_can_be_given() {
    for folder in bundle::folders() {
        let document = staged(&folder.id);
        assert_eq!(document.scenes.len(), document.beats.len(), "{}", folder.id);
        let mut before: Option<&Scene> = None;
        for (place, scene) in document.scenes.iter().enumerate() {
            let at = format!("{}, beat {}", folder.id, place + 1);
            let end = document.environment(&scene.environment).expect("it is known").length_s * 1e6;
            assert!(scene.from_us <= scene.until_us && scene.until_us as f64 <= end, "{at}: {scene:?}");
            assert!(scene.changes.iter().all(|change| change.at_us <= scene.from_us), "{at}: {scene:?}");
            let wait_s = (scene.until_us - scene.from_us) as f64 / 1e6 / scene.speed;
            assert!(wait_s <= 10.0, "{at} plays for {wait_s} s");
            if let Some(lines) = &scene.lines {
                let code = document.variant(&scene.deployed).expect("it is known");
                assert!(lines.file == "schema.sql" || lines.file == code.file, "{at}: {lines:?}");
            }
            if let Some(before) = before.filter(|before| before.environment == scene.environment) {
                let kept = before.changes.len().min(scene.changes.len());
                assert_eq!(before.changes[..kept], scene.changes[..kept], "{at}");
            }
            before = Some(scene);
        }
    }
}

#[test]
fn a_deadlock_is_shown_while_it_stands() {
    let document = staged("deadlock");
    let ring = document.scenes.iter().find(|scene| scene.picture == Picture::View { view: View::Locks });
    let ring = ring.expect("the talk shows the locks");
    let request = api::RunRequest {
        scenario: "deadlock".into(),
        variant: ring.variant.clone(),
        environment: ring.environment.clone(),
        seed: 1,
        until_us: None,
        knobs: ring.knobs.clone(),
        sources: Default::default(),
        changes: ring.changes.clone(),
    };
    let mut run = api::Run::new(document.clone().into(), request, api::Keep::All).expect("it runs");
    run.advance(ring.from_us);
    let waiting = run.frame().lit.iter().map(|line| line.lock_waits).sum::<u32>();
    let failed = run.frame().requests.failed;
    assert!(waiting >= 2 && failed == 0, "{waiting} wait, {failed} have failed");
    run.advance(ring.from_us + 100_000);
    assert_eq!(run.frame().requests.failed, 1, "the database has found it");
}

#[test]
fn many_stand_on_the_lines_of_a_busy_moment() {
    let mut document = scenario("oversell");
    let place = document.beats.iter().position(|beat| beat.at == Some(Moment::Named(NamedMoment::Busiest)));
    let place = place.expect("the talk shows where requests meet");
    let lines = document.beats[place].lines.clone().expect("it names lines");
    talk::stage(&mut document).expect("the talk can be given");
    let Scene { from_us, until_us, .. } = document.scenes[place];
    assert!(from_us == until_us && from_us < document.scenes[place - 1].until_us, "it looks back and stands");
    assert!(lines.lines.len() > 2);
}

#[test]
fn what_follows_a_look_back_goes_on_where_the_run_had_come_to() {
    let document = staged("oversell");
    let moments = document.scenes.iter().map(|scene| (scene.from_us, scene.until_us)).collect::<Vec<_>>();
    let (busy, _) = moments[3];
    let second = 1_000_000;
    assert_eq!(moments[2], (0, 6 * second));
    assert_eq!(moments[3], (busy, busy));
    assert_eq!(moments[4], (6 * second, 12 * second));
    assert_eq!(moments[5], (12 * second, 12 * second), "a beat that neither plays nor changes anything stays");
}

#[test]
fn a_talk_that_cannot_be_given_is_told_by_its_beat() {
    let far = |second| Some(Moment::Second(second));
    assert_eq!(
        refused(|document| document.beats[4].at = far(3.0)),
        "beat 5: it changes the run at 3 s, which has come to 6 s; let it be later, or let the beats before it play less far"
    );
    assert_eq!(
        refused(|document| document.beats[4].until = far(100.0)),
        "beat 5: 100 s is not in its run; write a number from 0 to 40"
    );
    assert_eq!(
        refused(|document| document.beats[6].until = far(11.0)),
        "beat 7: it plays from 12 s back to 11 s; let `until` be after `at`"
    );
    let named = |moment| Some(Moment::Named(moment));
    assert_eq!(
        refused(|document| document.beats[2].until = named(NamedMoment::Deadlock)),
        "beat 3: there is no deadlock in its run; name another moment, or a second of the run"
    );
    assert_eq!(
        refused(|document| document.beats[1].until = named(NamedMoment::FirstWait)),
        "beat 2: nobody waits for a lock in its run; name another moment, or a second of the run"
    );
    assert_eq!(
        refused(|document| document.beats[2].until = None),
        "beat 4: nobody stands on its lines in what was played so far; name another moment, or a second of the run"
    );
}
