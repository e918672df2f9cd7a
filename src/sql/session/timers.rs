//! What happens to a session at a time: its wait is searched for a deadlock, its statement or its transaction takes too long.

use std::collections::BTreeSet;

use crate::sql::outcome::{DeadlockCheck, EngineEvent};
use crate::trace::{Micros, SessionId, SqlError, Sqlstate};

use super::RunningSession;

/// Of all sessions.
pub struct Timers {
    pub deadlocks: DeadlockCheck,
    by_time: BTreeSet<(Micros, SessionId, Timer)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    Deadlock,
    Lock,
    Statement,
    Idle,
}

impl Timers {
    pub fn new(deadlocks: DeadlockCheck) -> Timers {
        Timers { deadlocks, by_time: BTreeSet::new() }
    }

    pub fn next(&self) -> Option<Micros> {
        self.by_time.first().map(|(at, _, _)| *at)
    }

    /// Takes out the first that is due at `now`.
    pub fn take_due(&mut self, now: Micros) -> Option<(Micros, SessionId, Timer)> {
        self.by_time.first().filter(|(at, _, _)| *at <= now)?;
        self.by_time.pop_first()
    }
}

impl RunningSession<'_> {
    pub fn set_timer(&mut self, at: Micros, timer: Timer) {
        self.timers.by_time.insert((at, self.id, timer));
        self.session.timers.push((at, timer));
    }

    pub fn drop_timers(&mut self) {
        for (at, timer) in self.session.timers.drain(..) {
            self.timers.by_time.remove(&(at, self.id, timer));
        }
    }

    /// For a wait that begins now, of a text that began then.
    pub fn set_timeouts(&mut self, text_began: Micros) {
        let (lock, statement) = (self.session.settings.lock_timeout_us, self.session.settings.statement_timeout_us);
        if lock > 0 {
            self.set_timer(self.now + lock, Timer::Lock);
        }
        if statement > 0 {
            self.set_timer((text_began + statement).max(self.now), Timer::Statement);
        }
    }

    /// A timer that `take_due` gave.
    pub fn fire(mut self, at: Micros, timer: Timer) {
        self.session.timers.retain(|known| *known != (at, timer));
        let waits = self.engine.store.waiting(self.id).is_some();
        match timer {
            Timer::Deadlock if waits => {
                if let Some(cycle) = self.engine.store.check_deadlock(self.id) {
                    let error = deadlock_error(&cycle);
                    self.session.events.push(EngineEvent::Deadlock { cycle });
                    self.interrupt(error);
                }
            }
            Timer::Lock if waits => {
                self.interrupt(SqlError::new("55P03", "canceling statement due to lock timeout"));
            }
            Timer::Statement if waits => {
                self.interrupt(SqlError::new("57014", "canceling statement due to statement timeout"));
            }
            Timer::Idle => self.end_idle_session(),
            Timer::Deadlock | Timer::Lock | Timer::Statement => {}
        }
    }

    fn end_idle_session(&mut self) {
        self.roll_back(Some(Sqlstate::new("25P03")));
        self.forget_belongings();
        self.session.events.append(&mut self.output.events);
        let why = "terminating connection due to idle-in-transaction timeout";
        self.session.ended = Some(SqlError::new("25P03", why));
    }
}

pub fn deadlock_error(cycle: &[SessionId]) -> SqlError {
    let mut error = SqlError::new("40P01", "deadlock detected");
    let lines: Vec<String> = cycle
        .iter()
        .zip(cycle.iter().cycle().skip(1))
        .map(|(waiter, holder)| format!("Process {} waits for process {}.", waiter.0 + 1, holder.0 + 1))
        .collect();
    error.detail = Some(lines.join("\n"));
    error.hint = Some("See server log for query details.".to_owned());
    error
}
