//! Cycles among waiting sessions. Pure functions over the edges the lock table gives.

use std::collections::BTreeSet;

use crate::trace::SessionId;

/// A cycle of waits through `start`, in wait order and beginning with it.
pub fn cycle_through(
    start: SessionId,
    mut waits_for: impl FnMut(SessionId) -> Vec<SessionId>,
) -> Option<Vec<SessionId>> {
    let mut visited = BTreeSet::new();
    let mut path = vec![start];
    let mut branches = vec![waits_for(start)];
    while let Some(branch) = branches.last_mut() {
        match branch.pop() {
            Some(next) if next == start => return Some(path),
            Some(next) => {
                if visited.insert(next) {
                    path.push(next);
                    branches.push(waits_for(next));
                }
            }
            None => {
                branches.pop();
                path.pop();
            }
        }
    }
    None
}
