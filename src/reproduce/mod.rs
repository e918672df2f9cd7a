//! The fewest statements of a run that break an invariant, as steps of sessions that any PostgreSQL can go through.
//!
//! A run's SQL is stepped through again, from a shorter and shorter past: the rows there were, then the statements of the requests that
//! matter. A request stays only if it sees what it saw in the run, so that it would have sent the same. It knows no server and no
//! Python but what it writes.

mod literal;
mod pytest;
mod stepper;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::isolation::{Permutation, PermutationStep, Spec, SpecSession};
use crate::scenario::{InvariantRule, ScenarioDocument};
use crate::sim::{Run, RunRequest, Sender, Sent};
use crate::trace::{EventKind, Keep, Micros, QueryResult, RequestId, SessionId, Trace, Value};

pub use stepper::Answer;
use stepper::{Stepper, cells};

/// How many statements a request may have sent before the run broke and still be looked at.
const WINDOW_MAX: usize = 256;
/// How much is simulated between two looks for a break.
const PIECE_US: Micros = 250_000;
/// A break is told at a look, which comes some time after what caused it.
const LOOK_US: Micros = 3_000_000;

/// Steps that break an invariant on a database that begins with `setup`.
#[derive(Debug, Clone)]
pub struct Reproduction {
    pub title: String,
    pub sentence: String,
    /// The run it was found in.
    pub schedule: String,
    /// One statement each, or a script of several.
    pub setup: Vec<String>,
    pub tables: Vec<String>,
    /// Names by number.
    pub sessions: Vec<String>,
    pub steps: Vec<Step>,
    /// Returns the rows that must not be.
    pub invariant: String,
    pub broken: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone)]
pub struct Step {
    /// Index in `Reproduction::sessions`.
    pub session: usize,
    pub sql: String,
    /// It has to wait for another session before it comes to its answer.
    pub waits: bool,
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    /// As PostgreSQL writes it.
    Text(String),
    /// A time or something random: another one each time.
    Any,
}

/// What one session of a reproduction was in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor {
    by: Sender,
    session: SessionId,
}

/// Why there is no reproduction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoReproduction(pub String);

impl std::fmt::Display for NoReproduction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs `request` until an invariant in SQL is broken, and finds what broke it.
pub fn find(document: &Rc<ScenarioDocument>, request: RunRequest) -> Result<Reproduction, NoReproduction> {
    let mut run = Run::new(document.clone(), request, Keep::All).map_err(|error| NoReproduction(error.to_string()))?;
    let breaks = first_breaks(document, &mut run)?;
    // What broke first may be told last.
    let pasts = breaks.into_iter().map(|broken| Past::new(run.statement_log(), broken)).collect::<Vec<_>>();
    let found = pasts.into_iter().reduce(|one, other| match (&one, &other) {
        (Ok(first), Ok(second)) if first.ends <= second.ends => one,
        (Ok(_), Err(_)) => one,
        _ => other,
    });
    let past = found.expect("there is a break")?;
    let (start, kept) = past.shortest()?;
    let reproduction = past.smallest(start, kept);
    Ok(Reproduction {
        title: document.summary.title.clone(),
        sentence: past.broken.sentence.clone(),
        schedule: run.request().schedule(),
        ..reproduction
    })
}

struct Break {
    at: Micros,
    settle: Micros,
    /// The row's first column.
    case: String,
    sentence: String,
    sql: String,
}

/// Of each invariant the first that is told.
fn first_breaks(document: &ScenarioDocument, run: &mut Run) -> Result<Vec<Break>, NoReproduction> {
    let mut seen = 0;
    while !run.ended() {
        run.advance(run.now() + PIECE_US, usize::MAX);
        let mut breaks = breaks_in(document, run.trace(), seen);
        breaks.dedup_by(|one, other| one.sentence == other.sentence);
        if !breaks.is_empty() {
            return Ok(breaks);
        }
        seen = run.trace().len();
    }
    let sentence = "no invariant about the database broke in this run, so there is nothing to reproduce";
    Err(NoReproduction(sentence.into()))
}

fn breaks_in(document: &ScenarioDocument, trace: &Trace, seen: u32) -> Vec<Break> {
    let breaks = trace.since(seen).filter_map(|event| {
        let EventKind::InvariantBroken { invariant, case, .. } = &event.kind else { return None };
        let id = trace.strings.text(*invariant);
        let invariant = document.invariants.iter().find(|invariant| invariant.id == id)?;
        let InvariantRule::Sql { sql } = &invariant.rule else { return None };
        Some(Break {
            at: event.at,
            settle: (invariant.settle_ms * 1e3) as Micros,
            case: trace.strings.text(*case).to_owned(),
            sentence: invariant.sentence.clone(),
            sql: sql.trim().to_owned(),
        })
    });
    breaks.collect()
}

/// A run's SQL up to the break.
struct Past<'a> {
    schema: Vec<&'a Sent>,
    rows: Vec<&'a Sent>,
    sent: Vec<&'a Sent>,
    /// What each of `sent` gave in the run.
    answers: Vec<Answer>,
    tables: Vec<String>,
    broken: Break,
    /// The request with which the forbidden row came.
    culprit: RequestId,
    /// The statement with which it came.
    ends: usize,
}

/// The rows a reproduction begins with, each with its statement, and where sequences stand.
#[derive(Clone, Default)]
struct Base {
    rows: Vec<(Rc<str>, Vec<Value>)>,
    sequences: Vec<String>,
}

/// What came of going through the kept requests.
struct Trial {
    steps: Vec<(usize, Step)>,
    actors: Vec<Actor>,
    broken: Vec<Vec<Cell>>,
}

impl<'a> Past<'a> {
    fn new(log: &'a [Sent], broken: Break) -> Result<Past<'a>, NoReproduction> {
        let by = |wanted: fn(&Sender) -> bool| log.iter().filter(move |sent| wanted(&sent.by)).collect::<Vec<_>>();
        let schema = by(|by| *by == Sender::Schema);
        let tables = schema.iter().flat_map(|sent| tables_made(&sent.sql)).collect();
        let mut past = Past {
            schema,
            rows: by(|by| *by == Sender::Rows),
            sent: by(|by| matches!(by, Sender::Handler(_) | Sender::Service(_))),
            answers: vec![],
            tables,
            broken,
            culprit: RequestId(0),
            ends: 0,
        };
        (past.answers, past.ends) = past.follow()?;
        past.culprit = request_of(past.sent[past.ends]);
        Ok(past)
    }

    /// Goes through everything, and sees which statement brought the row.
    fn follow(&self) -> Result<(Vec<Answer>, usize), NoReproduction> {
        let mut stepper = self.at_start();
        let from = self.broken.at.saturating_sub(self.broken.settle + LOOK_US);
        let (mut there, mut ends) = (false, None);
        for (number, sent) in self.sent.iter().enumerate() {
            stepper.launch(number, actor(sent), sent.at, &sent.sql, &sent.parameters);
            if sent.at >= from && (ends_transaction(&sent.sql) || matches!(sent.by, Sender::Service(_))) {
                let now = self.is_broken(&mut stepper);
                if now && !there {
                    ends = Some(number);
                }
                there = now;
            }
        }
        let answers = stepper.finish(self.sent.len());
        let lost = "the statement that broke the invariant is not among those of the run's requests";
        Ok((answers, ends.filter(|_| there).ok_or_else(|| NoReproduction(lost.into()))?))
    }

    /// The latest statement to begin with, and the requests from there on that are needed and see what they saw.
    fn shortest(&self) -> Result<(usize, BTreeSet<RequestId>), NoReproduction> {
        let mut first = BTreeMap::new();
        let mut last = 0;
        for (number, sent) in self.sent.iter().enumerate() {
            first.entry(request_of(sent)).or_insert(number);
            last = if request_of(sent) == self.culprit { number } else { last };
        }
        let own = first[&self.culprit];
        let mut starts = first.values().copied().filter(|start| *start <= own).collect::<Vec<_>>();
        starts.sort_unstable();
        let mut window = 1;
        while window <= WINDOW_MAX {
            let start = starts[starts.len().saturating_sub(window)];
            let base = self.base(start);
            let mut kept = first
                .iter()
                .filter(|(_, at)| (start..=last).contains(*at))
                .map(|(request, _)| *request)
                .collect::<BTreeSet<_>>();
            while kept.contains(&self.culprit) {
                let trial = self.attempt(&base, start, &kept);
                let other = self.unlike(&trial);
                if other.is_empty() {
                    if !trial.broken.is_empty() {
                        return Ok((start, kept));
                    }
                    break;
                }
                kept.retain(|request| !other.contains(request));
            }
            if window >= starts.len() {
                break;
            }
            window *= 2;
        }
        let sentence = "the run breaks, but no short part of its SQL does alone: its bug is not in the database";
        Err(NoReproduction(sentence.into()))
    }

    /// Leaves out every request and every row that is not needed.
    fn smallest(&self, start: usize, mut kept: BTreeSet<RequestId>) -> Reproduction {
        let mut base = self.base(start);
        let holds = |base: &Base, kept: &BTreeSet<RequestId>| {
            let trial = self.attempt(base, start, kept);
            !trial.broken.is_empty() && self.unlike(&trial).is_empty()
        };
        // The latest first: nobody sees less because of them.
        for request in kept.clone().into_iter().rev().filter(|request| *request != self.culprit) {
            let mut fewer = kept.clone();
            fewer.remove(&request);
            if holds(&base, &fewer) {
                kept = fewer;
            }
        }
        let mut piece = base.rows.len().div_ceil(2).max(1);
        loop {
            let mut at = 0;
            while at < base.rows.len() {
                let mut fewer = base.clone();
                fewer.rows.drain(at..(at + piece).min(base.rows.len()));
                if holds(&fewer, &kept) { base = fewer } else { at += piece }
            }
            if piece == 1 {
                break;
            }
            piece = piece.div_ceil(2);
        }
        let trial = self.attempt(&base, start, &kept);
        let schema = self.schema.iter().map(|sent| sent.sql.trim().to_owned());
        let rows = base.rows.iter().map(|(sql, values)| literal::written(sql, values));
        Reproduction {
            title: String::new(),
            sentence: String::new(),
            schedule: String::new(),
            setup: schema.chain(rows).chain(base.sequences).collect(),
            tables: self.tables.clone(),
            sessions: names(&trial.actors),
            steps: trial.steps.into_iter().map(|(_, step)| step).collect(),
            invariant: self.broken.sql.clone(),
            broken: trial.broken,
        }
    }

    /// Requests that did not see what they saw in the run, or did not come to an end.
    fn unlike(&self, trial: &Trial) -> BTreeSet<RequestId> {
        let unlike = |(number, step): &&(usize, Step)| !step.answer.is_like(&self.answers[*number], &step.sql);
        let mut requests = trial
            .steps
            .iter()
            .filter(unlike)
            .map(|(number, _)| request_of(self.sent[*number]))
            .collect::<BTreeSet<_>>();
        let mut open = BTreeMap::new();
        for (number, step) in &trial.steps {
            open.insert(step.session, *number);
        }
        let unended = open
            .into_values()
            .map(|number| self.sent[number])
            .filter(|sent| matches!(sent.by, Sender::Handler(_)) && !ends_transaction(&sent.sql));
        requests.extend(unended.map(request_of));
        requests
    }

    fn attempt(&self, base: &Base, start: usize, kept: &BTreeSet<RequestId>) -> Trial {
        let mut stepper = Stepper::new(self.schema.iter().copied());
        for (sql, values) in &base.rows {
            stepper.run(sql, values);
        }
        for sql in &base.sequences {
            stepper.run(sql, &[]);
        }
        let broken_before = self.is_broken(&mut stepper);
        let mut actors = vec![];
        let mut chosen = vec![];
        for (number, sent) in self.sent.iter().enumerate().skip(start) {
            if !kept.contains(&request_of(sent)) {
                continue;
            }
            let actor = actor(sent);
            if !actors.contains(&actor) {
                actors.push(actor);
            }
            let sql = literal::written(&sent.sql, &sent.parameters);
            stepper.launch(chosen.len(), actor, sent.at, &sql, &[]);
            chosen.push((number, actor, sql));
        }
        let answers = stepper.finish(chosen.len());
        let waited = stepper.waited().clone();
        let broken = if broken_before { vec![] } else { self.broken_rows(&mut stepper) };
        let steps = chosen.into_iter().zip(answers).enumerate().map(|(place, ((number, actor, sql), answer))| {
            let session = actors.iter().position(|known| *known == actor).expect("it was added above");
            (number, Step { session, sql, waits: waited.contains(&place), answer })
        });
        Trial { steps: steps.collect(), actors, broken }
    }

    /// What was committed when statement number `start` came.
    fn base(&self, start: usize) -> Base {
        let mut stepper = self.at_start();
        for (number, sent) in self.sent.iter().enumerate().take(start) {
            stepper.launch(number, actor(sent), sent.at, &sent.sql, &sent.parameters);
        }
        let mut base = Base::default();
        for table in &self.tables {
            let Some(result) = stepper.look(&format!("SELECT * FROM {table} ORDER BY 1")) else { continue };
            let columns = names_of(&result);
            let values = (1..=columns.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
            let sql = Rc::<str>::from(format!("INSERT INTO {table} ({}) VALUES ({values})", columns.join(", ")));
            base.rows.extend(result.rows.into_iter().map(|row| (sql.clone(), row)));
            for sequence in columns.iter().map(|column| format!("{table}_{column}_seq")) {
                if let Some(next) = stepper.look(&format!("SELECT nextval('{sequence}')")) {
                    let next = cells(&next)[0][0].clone();
                    if let Cell::Text(next) = next {
                        base.sequences.push(format!("SELECT setval('{sequence}', {next}, false)"));
                    }
                }
            }
        }
        base
    }

    fn at_start(&self) -> Stepper {
        let mut stepper = Stepper::new(self.schema.iter().chain(&self.rows).copied());
        stepper.settle();
        stepper
    }

    fn is_broken(&self, stepper: &mut Stepper) -> bool {
        let rows = stepper.look(&self.broken.sql).map(|result| cells(&result)).unwrap_or_default();
        rows.iter().any(|row| self.is_case(row))
    }

    /// All rows that must not be, if the case is one of them.
    fn broken_rows(&self, stepper: &mut Stepper) -> Vec<Vec<Cell>> {
        let rows = stepper.look(&self.broken.sql).map(|result| cells(&result)).unwrap_or_default();
        if rows.iter().any(|row| self.is_case(row)) { rows } else { vec![] }
    }

    fn is_case(&self, row: &[Cell]) -> bool {
        row.first().is_some_and(|cell| *cell == Cell::Text(self.broken.case.clone()))
    }
}

impl Reproduction {
    /// As PostgreSQL's isolation tester reads it.
    pub fn to_spec(&self) -> Result<String, NoReproduction> {
        let texts = self.setup.iter().chain(self.steps.iter().map(|step| &step.sql)).chain([&self.invariant]);
        if let Some(text) = texts.into_iter().find(|text| text.contains('}')) {
            let sentence = format!("a .spec file has no way to write a closing brace, and one is in: {text}");
            return Err(NoReproduction(sentence));
        }
        let session = |name: &String| SpecSession { name: name.clone(), setup: None, teardown: None };
        let mut steps = self.steps.iter().enumerate();
        let mut spec = Spec {
            setups: self.setup.iter().map(|sql| format!("{};", sql.trim_end_matches(';'))).collect(),
            teardown: Some(format!("DROP TABLE {} CASCADE;", self.tables.join(", "))),
            sessions: self.sessions.iter().map(session).collect(),
            steps: vec![],
            permutations: vec![],
        };
        let mut order = Permutation::default();
        let named = steps.by_ref().map(|(place, step)| (format!("s{}", place + 1), step.session, &step.sql));
        let named = named.collect::<Vec<_>>();
        spec.sessions.push(session(&"check".to_owned()));
        let check = [("broken".to_owned(), self.sessions.len(), &self.invariant)];
        for (name, session, sql) in named.into_iter().chain(check) {
            order.steps.push(PermutationStep { step: spec.steps.len(), markers: vec![] });
            let sql = format!("{};", sql.trim_end_matches(';'));
            spec.steps.push(crate::isolation::SpecStep { name, session, sql });
        }
        spec.permutations.push(order);
        let header = format!(
            "# {}: {}\n# Found by: twoam reproduce --replay '{}'\n\n",
            self.title, self.sentence, self.schedule
        );
        Ok(header + &spec.to_source())
    }

    /// A test that stands alone: pytest and psycopg are all it needs.
    pub fn to_pytest(&self) -> String {
        pytest::written(self)
    }
}

fn actor(sent: &Sent) -> Actor {
    match sent.by {
        // A service writes each entry by itself.
        Sender::Service(_) => Actor { by: Sender::Service(RequestId(0)), session: sent.session },
        by => Actor { by, session: sent.session },
    }
}

fn request_of(sent: &Sent) -> RequestId {
    match sent.by {
        Sender::Handler(request) | Sender::Service(request) => request,
        Sender::Schema | Sender::Rows => unreachable!("these come before all requests"),
    }
}

fn names(actors: &[Actor]) -> Vec<String> {
    let mut names = Vec::<String>::new();
    for actor in actors {
        let name = match actor.by {
            Sender::Handler(request) => format!("request_{request}"),
            Sender::Service(_) | Sender::Schema | Sender::Rows => "service".to_owned(),
        };
        let again = names.iter().filter(|known| known.split("_again").next() == Some(&name)).count();
        names.push(if again == 0 { name } else { format!("{name}_again{again}") });
    }
    names
}

fn names_of(result: &QueryResult) -> Vec<String> {
    result.columns.iter().flat_map(|columns| columns.iter()).map(|column| column.name.to_string()).collect()
}

fn ends_transaction(sql: &str) -> bool {
    let word = sql.trim_start().split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
    ["commit", "end", "rollback"].iter().any(|end| word.eq_ignore_ascii_case(end))
}

/// Names after CREATE TABLE, in order.
fn tables_made(sql: &str) -> Vec<String> {
    let words = sql.split_whitespace().collect::<Vec<_>>();
    let mut names = vec![];
    for at in 0..words.len() {
        if words[at].eq_ignore_ascii_case("CREATE")
            && words.get(at + 1).is_some_and(|it| it.eq_ignore_ascii_case("TABLE"))
        {
            let mut after =
                words[at + 2..].iter().filter(|it| !["IF", "NOT", "EXISTS"].contains(&&*it.to_ascii_uppercase()));
            names.extend(after.next().map(|name| name.split('(').next().unwrap_or(name).to_owned()));
        }
    }
    names
}
