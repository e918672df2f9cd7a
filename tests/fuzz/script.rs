//! Statements of a few sessions of one new database, and what must hold whatever they are.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twoam::sql::{Database, DeadlockCheck, Progress, Settings};
use twoam::trace::SessionId;

use crate::allocator;
use crate::grammar::{Grammar, SCHEMA};
use crate::mutate::{mutated, overgrown, swapped};

/// What a thread of the tests has. Frames are larger here than in the page's engine, which has half of it.
const STACK: usize = 2 << 20;

/// What one statement may take beyond what stands in tables.
pub const MEMORY: usize = 512 << 20;

const SESSIONS: usize = 3;

const STATEMENTS: usize = 40;

pub struct Script {
    pub name: String,
    /// Each with the session it comes from.
    pub statements: Vec<(usize, String)>,
}

impl Script {
    /// The same for the same seed, always.
    pub fn generated(seed: u64) -> Script {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut statements = Vec::new();
        for _ in 0..STATEMENTS {
            let session = if rng.random_range(0..10) < 7 { 0 } else { rng.random_range(0..SESSIONS) };
            let sound = Grammar::new(&mut rng).statement();
            let text = match rng.random_range(0..100) {
                0..=49 => sound,
                50..=79 => swapped(&sound, &mut rng),
                80..=97 => mutated(&sound, &mut rng),
                _ => overgrown(&mut rng),
            };
            statements.push((session, text));
        }
        Script { name: format!("seed {seed}"), statements }
    }
}

/// What went wrong, if anything.
pub fn run_script(script: &Script) -> Result<(), String> {
    let told = |number: usize, what: &str| {
        let statements: Vec<String> = script.statements[..=number]
            .iter()
            .map(|(session, sql)| format!("  {session}: {}", shortened(sql)))
            .collect();
        format!("{}, statement {}: {what}\n{}", script.name, number + 1, statements.join("\n"))
    };
    std::thread::scope(|scope| {
        let run = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || run_statements(script));
        run.expect("a thread").join().expect("the script's thread ends")
    })
    .map_err(|(number, what)| told(number, &what))
}

fn shortened(sql: &str) -> String {
    if sql.chars().count() <= 600 {
        format!("{sql:?}")
    } else {
        format!("{:?}…", sql.chars().take(600).collect::<String>())
    }
}

fn run_statements(script: &Script) -> Result<(), (usize, String)> {
    let mut database = Database::new(Settings { deadlocks: DeadlockCheck::AtOnce, seed: 0, epoch_us: 0 });
    let sessions: Vec<SessionId> = (0..SESSIONS).map(|_| database.connect()).collect();
    for sql in SCHEMA {
        assert!(matches!(database.execute(sessions[0], 0, sql, &[]).progress, Progress::Done(_)), "{sql}");
    }
    let mut waiting = [false; SESSIONS];
    for (number, (session, sql)) in script.statements.iter().enumerate() {
        if waiting[*session] {
            database.cancel(sessions[*session]);
            waiting[*session] = false;
            go_on(&mut database, &sessions, &mut waiting);
        }
        let failed = |what: String| (number, what);
        crate::long::note(&script.name, number, sql);
        let before = allocator::begin();
        let answer = catch_unwind(AssertUnwindSafe(|| database.execute(sessions[*session], 0, sql, &[])));
        let Ok(outcome) = answer else { return Err(failed("a panic".to_owned())) };
        match &outcome.progress {
            Progress::Wait(_) => waiting[*session] = true,
            Progress::Failed(error) if error.sqlstate.as_str() == "XX000" => return Err(failed(error.message.clone())),
            Progress::Failed(_) | Progress::Done(_) => {}
        }
        let taken = allocator::peak().saturating_sub(before);
        if taken > MEMORY {
            return Err(failed(format!("takes {} MB", taken >> 20)));
        }
        go_on(&mut database, &sessions, &mut waiting);
    }
    Ok(())
}

fn go_on(database: &mut Database, sessions: &[SessionId], waiting: &mut [bool]) {
    loop {
        let woken = database.take_woken();
        if woken.is_empty() {
            return;
        }
        for session in woken {
            let outcome = database.resume(session, 0);
            let place = sessions.iter().position(|known| *known == session).expect("one of ours");
            waiting[place] = matches!(outcome.progress, Progress::Wait(_));
        }
    }
}
