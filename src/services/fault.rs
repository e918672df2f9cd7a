//! What goes wrong with one call, already decided. Which rule hits is rolled by the simulation: services have no dice.

use crate::trace::Micros;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verdict {
    #[default]
    Pass,
    /// The service says no, as its contract allows.
    Decline,
    /// The service answers with an error and did nothing.
    Fail,
    /// No connection: nothing happened, and the caller knows.
    Refuse,
    Delay(Micros),
    /// The service does its work; the answer never comes.
    LoseAnswer,
    /// The service gets the call twice; the caller gets the first answer.
    Duplicate,
}

impl Verdict {
    pub fn reaches_the_service(self) -> bool {
        !matches!(self, Verdict::Fail | Verdict::Refuse)
    }
}
