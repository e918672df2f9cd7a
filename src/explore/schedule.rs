use std::fmt;

use serde::{Serialize, Serializer};

use super::name;
use crate::trace::RequestId;

/// Who steps, one letter a step: `AABB`, or `A2B2`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule(Vec<RequestId>);

/// What is wrong with a schedule's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleMistake(pub String);

impl Schedule {
    pub fn of(requests: impl Iterator<Item = RequestId>) -> Schedule {
        Schedule(requests.collect())
    }

    pub fn requests(&self) -> &[RequestId] {
        &self.0
    }

    /// How often another request goes on than the one that has just stepped.
    pub fn switches(&self) -> usize {
        self.0.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    /// Of an exam of so many requests.
    pub fn parse(text: &str, requests: usize) -> Result<Schedule, ScheduleMistake> {
        let last = name(requests - 1);
        let mut steps: Vec<RequestId> = vec![];
        let mut rest = text.chars().enumerate().peekable();
        while let Some((at, letter)) = rest.next() {
            if !('A'..=last).contains(&letter) {
                return Err(ScheduleMistake(format!(
                    "character {}: {letter:?} is no request; they are A to {last}, each with how often it steps behind it",
                    at + 1
                )));
            }
            let mut digits = String::new();
            while let Some((_, digit)) = rest.next_if(|(_, it)| it.is_ascii_digit()) {
                digits.push(digit);
            }
            let times = if digits.is_empty() { Ok(1) } else { digits.parse::<u16>() };
            let times = times.map_err(|_| ScheduleMistake(format!("{letter}{digits} are too many steps")))?;
            let request = RequestId(u32::from(letter) - u32::from('A'));
            steps.extend((0..times).map(|_| request));
        }
        Ok(Schedule(steps))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for same in self.0.chunk_by(|a, b| a == b) {
            write!(f, "{}", name(same[0].0 as usize))?;
            if same.len() > 1 {
                write!(f, "{}", same.len())?;
            }
        }
        Ok(())
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
