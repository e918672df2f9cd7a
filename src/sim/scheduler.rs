//! Which of the messages on their way comes next. The simulation executes, it never chooses.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::message::{AppMessage, DatabaseMessage, Message, Turn};
use crate::trace::{Answer, Micros, RequestId};

pub trait Scheduler {
    fn add(&mut self, at: Micros, message: Message);

    /// The time of the message that comes next.
    fn next_at(&self) -> Option<Micros>;

    fn next(&mut self) -> Option<(Micros, Message)>;
}

/// In order of virtual time; those of the same time in the order in which they were added.
#[derive(Default)]
pub struct ByTime {
    queue: BinaryHeap<Reverse<Due>>,
    /// What `queue` orders by place: messages are large and would be moved about.
    messages: Vec<Option<Message>>,
    free_places: Vec<u32>,
    added: u64,
}

/// A message's time, its rank among those of that time, and its place in `ByTime::messages`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Micros,
    order: u64,
    place: u32,
}

impl Scheduler for ByTime {
    fn add(&mut self, at: Micros, message: Message) {
        let order = self.added;
        self.added += 1;
        let place = match self.free_places.pop() {
            Some(place) => {
                self.messages[place as usize] = Some(message);
                place
            }
            None => {
                self.messages.push(Some(message));
                self.messages.len() as u32 - 1
            }
        };
        self.queue.push(Reverse(Due { at, order, place }));
    }

    fn next_at(&self) -> Option<Micros> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    fn next(&mut self) -> Option<(Micros, Message)> {
        let Reverse(due) = self.queue.pop()?;
        self.free_places.push(due.place);
        Some((due.at, self.messages[due.place as usize].take().expect("a queued message is there")))
    }
}

/// As somebody chooses: requests that may step wait for it, everything else happens at once. Time plays no part, but for timers, which
/// come in order of their times when nobody may step.
pub struct Choices {
    /// Requests below this number step when they are chosen; those of workers go on by themselves.
    requests: u32,
    at_once: ByTime,
    steps: Vec<(RequestId, Micros, Message)>,
    timers: ByTime,
}

impl Choices {
    pub fn new(requests: u32) -> Choices {
        Choices { requests, at_once: ByTime::default(), steps: vec![], timers: ByTime::default() }
    }

    /// The requests that may step, each as often as it has a step.
    pub fn enabled(&self) -> impl Iterator<Item = RequestId> {
        self.steps.iter().map(|(request, ..)| *request)
    }

    /// The step of this place happens next.
    pub fn choose(&mut self, place: usize) {
        let (_, at, message) = self.steps.remove(place);
        self.at_once.add(at, message);
    }

    /// Whether there was a timer.
    pub fn let_a_timer_fire(&mut self) -> bool {
        let timer = self.timers.next();
        let there_is_one = timer.is_some();
        if let Some((at, message)) = timer {
            self.at_once.add(at, message);
        }
        there_is_one
    }
}

/// The scheduler's half of choices that somebody else makes.
pub struct ByChoice(pub Rc<RefCell<Choices>>);

impl Scheduler for ByChoice {
    fn add(&mut self, at: Micros, message: Message) {
        let mut choices = self.0.borrow_mut();
        match kind(&message) {
            Kind::AtOnce => choices.at_once.add(at, message),
            Kind::Timer => choices.timers.add(at, message),
            Kind::Step(request) if request.0 >= choices.requests => choices.at_once.add(at, message),
            Kind::Step(request) => {
                let place = choices.steps.partition_point(|(other, ..)| *other <= request);
                choices.steps.insert(place, (request, at, message));
            }
        }
    }

    fn next_at(&self) -> Option<Micros> {
        self.0.borrow().at_once.next_at()
    }

    fn next(&mut self) -> Option<(Micros, Message)> {
        self.0.borrow_mut().at_once.next()
    }
}

enum Kind {
    Step(RequestId),
    Timer,
    AtOnce,
}

/// A request steps from an answer to its next call, with that call. Connections and timers are no answers others could have changed.
fn kind(message: &Message) -> Kind {
    match message {
        Message::App(AppMessage::Turn { turn: Turn::Answer(_, Answer::Session(_) | Answer::Done), .. }) => Kind::AtOnce,
        Message::App(AppMessage::Turn { request, .. }) => Kind::Step(*request),
        Message::App(AppMessage::Rung(_) | AppMessage::PoolTimeout(_) | AppMessage::WorkerDue(_))
        | Message::Database(DatabaseMessage::Timer) => Kind::Timer,
        _ => Kind::AtOnce,
    }
}
