//! Sequences: what nextval and setval do.

use std::cell::Cell;
use std::rc::Rc;

use crate::sql::catalog::Sequence;
use crate::sql::error::{Result, fail};
use crate::sql::executor::Context;
use crate::trace::Value;

/// What a session knows of the sequences it has used.
#[derive(Default)]
pub struct KnownSequences {
    values: Vec<(Rc<str>, i64)>,
    /// The one `nextval` was asked of last.
    last: Option<Rc<str>>,
}

impl KnownSequences {
    fn remember(&mut self, name: &Rc<str>, value: i64) {
        self.values.retain(|(other, _)| other != name);
        self.values.push((name.clone(), value));
    }

    pub fn current(&self, name: &str) -> Option<i64> {
        self.values.iter().find(|(other, _)| &**other == name).map(|(_, value)| *value)
    }

    pub fn last(&self) -> Option<i64> {
        self.current(self.last.as_ref()?)
    }
}

impl Sequence {
    /// As it was when it was made, in the place of this one: a rollback brings this one back with its numbers.
    pub fn restarted(&self) -> Sequence {
        Sequence { last: Cell::new(self.start), called: Cell::new(false), ..self.clone() }
    }
}

impl Context<'_> {
    pub fn next_value(&mut self, name: &str) -> Result<Value> {
        let sequence = self.sequence_to_write(name, "nextval")?;
        let value = sequence.next()?;
        let known = self.engine.sequences_of(self.session);
        known.remember(&sequence.name, value);
        known.last = Some(sequence.name.clone());
        Ok(Value::Int(value))
    }

    pub fn set_value(&mut self, name: &str, value: i64, called: bool) -> Result<Value> {
        let sequence = self.sequence_to_write(name, "setval")?;
        if !(sequence.min..=sequence.max).contains(&value) {
            return fail(
                "22003",
                format!(
                    "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                    sequence.name, sequence.min, sequence.max
                ),
            );
        }
        sequence.last.set(value);
        sequence.called.set(called);
        if called {
            self.engine.sequences_of(self.session).remember(&sequence.name, value);
        }
        Ok(Value::Int(value))
    }

    fn sequence_to_write(&self, name: &str, function: &str) -> Result<Rc<Sequence>> {
        let sequence = self.engine.catalog.sequence_called(name)?;
        if self.read_only && sequence.temporary.is_none() {
            return fail("25006", format!("cannot execute {function}() in a read-only transaction"));
        }
        Ok(sequence.clone())
    }
}
