//! Which of the messages on their way comes next. The simulation executes, it never chooses.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::message::Message;
use crate::trace::Micros;

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
