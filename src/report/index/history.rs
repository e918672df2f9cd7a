//! What is over, in the order in which it ended, so that a moment or a window is a search and a filter, and the oldest is let go first.

use std::collections::VecDeque;

use crate::trace::Micros;

/// A stretch of time in which something was so: from its first moment up to, not including, its last.
pub trait Interval {
    fn began(&self) -> Micros;

    /// `None`: it goes on.
    fn ended(&self) -> Option<Micros>;

    fn is_at(&self, at: Micros) -> bool {
        self.began() <= at && self.ended().is_none_or(|ended| ended > at)
    }

    /// It was so at some moment from `from` to `to`, or ended just then.
    fn meets(&self, from: Micros, to: Micros) -> bool {
        self.began() <= to && self.ended().is_none_or(|ended| ended >= from)
    }
}

#[derive(Debug)]
pub struct History<T> {
    ended: VecDeque<T>,
}

impl<T> Default for History<T> {
    fn default() -> History<T> {
        History { ended: VecDeque::new() }
    }
}

impl<T: Interval> History<T> {
    /// It has just ended.
    pub fn push(&mut self, over: T) {
        debug_assert!(over.ended().is_some() && self.ended.back().is_none_or(|last| last.ended() <= over.ended()));
        self.ended.push_back(over);
    }

    /// What ended at that moment or later.
    pub fn ended_from(&self, at: Micros) -> impl DoubleEndedIterator<Item = &T> {
        self.ended.range(self.ended.partition_point(|over| over.ended() < Some(at))..)
    }

    pub fn all(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.ended.iter()
    }

    /// Lets go of what ended before that moment.
    pub fn forget(&mut self, before: Micros) {
        let over = self.ended.partition_point(|over| over.ended() < Some(before));
        self.ended.drain(..over);
    }
}
