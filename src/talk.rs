//! The moments of a talk that are named by what happens there: found in its runs, so that the page knows them as numbers.

use std::rc::Rc;

use crate::api::Run;
use crate::scenario::{NamedMoment, ScenarioDocument, Scene, TalkMistake, scenes};
use crate::sim::RunRequest;
use crate::trace::{EventKind, Keep, Micros};

/// Every reader and every talk begins with this one.
const SEED: u32 = 1;
/// Between two looks at a run for what is to be found in it.
const STEP_US: Micros = 250_000;
/// Between two looks at where clients stand.
const GLANCE_US: Micros = 5_000;

/// Says in the document what stands on the screen at each beat.
pub fn stage(document: &mut ScenarioDocument) -> Result<(), TalkMistake> {
    let shared = Rc::new(document.clone());
    document.scenes = scenes(document, |scene, moment, played_us| find(&shared, scene, moment, played_us))?;
    Ok(())
}

fn find(
    document: &Rc<ScenarioDocument>,
    scene: &Scene,
    moment: NamedMoment,
    played_us: Micros,
) -> Result<Micros, String> {
    let request = RunRequest {
        scenario: document.summary.id.clone(),
        variant: scene.variant.clone(),
        environment: scene.environment.clone(),
        seed: SEED,
        until_us: None,
        knobs: scene.knobs.clone(),
        sources: Default::default(),
        changes: scene.changes.clone(),
    };
    let mut run = Run::new(document.clone(), request, Keep::All).map_err(|error| error.to_string())?;
    match moment {
        NamedMoment::FirstWait => {
            first(&mut run, "nobody waits for a lock", |kind| matches!(kind, EventKind::LockWaitBegan { .. }))
        }
        NamedMoment::FirstBreak => {
            first(&mut run, "no rule is broken", |kind| matches!(kind, EventKind::InvariantBroken { .. }))
        }
        NamedMoment::Deadlock => {
            let found = first(&mut run, "there is no deadlock", |kind| matches!(kind, EventKind::DeadlockFound { .. }));
            found.map(|at| at.saturating_sub(1))
        }
        NamedMoment::Busiest => busiest(&mut run, scene, played_us),
        NamedMoment::End => Ok(run.end()),
    }
}

fn first(run: &mut Run, never: &str, is: impl Fn(&EventKind) -> bool) -> Result<Micros, String> {
    let mut seen = 0;
    loop {
        let trace = run.trace();
        if let Some(event) = trace.since(seen).find(|event| is(&event.kind)) {
            return Ok(event.at);
        }
        seen = trace.len();
        if run.ended() {
            return Err(format!("{never} in its run"));
        }
        run.advance(run.now() + STEP_US);
    }
}

fn busiest(run: &mut Run, scene: &Scene, played_us: Micros) -> Result<Micros, String> {
    let lines = scene.lines.as_ref().ok_or("`busiest` is about lines, and it names none")?;
    let mut most = (0, 0);
    while run.now() < played_us && !run.ended() {
        run.advance((run.now() + GLANCE_US).min(played_us));
        let lit = run.frame().lit;
        let here = lit.iter().filter(|lit| lit.file == lines.file && lines.lines.contains(&lit.line));
        let clients = here.map(|lit| lit.clients).sum::<u32>();
        if clients > most.0 {
            most = (clients, run.now());
        }
    }
    match most {
        (0, _) => Err("nobody stands on its lines in what was played so far".into()),
        (_, at) => Ok(at),
    }
}
