//! Cycles among waiting sessions, and how a line can be changed so that there is none. PostgreSQL's rules, as functions over the
//! edges and lines that the lock table gives.
//!
//! Who waits for a holder waits *hard*. Who waits only because somebody stands before him in the line waits *softly*: a cycle with such
//! an edge goes away when he is let past, if no other cycle comes of it.

use std::collections::BTreeSet;

use crate::trace::SessionId;

use super::Tag;

/// One session waits for another.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    pub to: SessionId,
    /// The line in which the other one stands before it.
    pub soft: Option<Tag>,
}

/// Lines in another order than they stand now.
pub type Lines = Vec<(Tag, Vec<SessionId>)>;

pub trait WaitsForGraph {
    /// Whom a session waits for: holders first, then those before it in line.
    fn edges(&self, of: SessionId, lines: &Lines) -> Vec<Edge>;
    fn line(&self, tag: Tag) -> Vec<SessionId>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    Fine,
    /// Nobody waits in a circle any more once these lines stand so.
    Reordered(Lines),
    /// A cycle, in wait order and beginning with the session asked about.
    Deadlock(Vec<SessionId>),
}

/// The waiter is to stand before the blocker.
#[derive(Debug, Clone, Copy)]
struct Constraint {
    tag: Tag,
    waiter: SessionId,
    blocker: SessionId,
}

struct Cycle {
    path: Vec<SessionId>,
    /// Its soft edges, those that close it first.
    soft: Vec<Constraint>,
}

enum Tested {
    Fine(Lines),
    Soft(Vec<Constraint>),
    Hard,
}

pub fn check(start: SessionId, waits: &impl WaitsForGraph) -> Checked {
    let Some(cycle) = cycle_through(start, waits, &Vec::new()) else { return Checked::Fine };
    match search(start, waits, &mut Vec::new()) {
        Some(lines) => Checked::Reordered(lines),
        None => Checked::Deadlock(cycle.path),
    }
}

/// Lets one soft edge after the other be turned round until no cycle is left.
fn search(start: SessionId, waits: &impl WaitsForGraph, constraints: &mut Vec<Constraint>) -> Option<Lines> {
    let choices = match test(start, waits, constraints) {
        Tested::Fine(lines) => return Some(lines),
        Tested::Hard => return None,
        Tested::Soft(choices) => choices,
    };
    for choice in choices {
        constraints.push(choice);
        let found = search(start, waits, constraints);
        constraints.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

fn test(start: SessionId, waits: &impl WaitsForGraph, constraints: &[Constraint]) -> Tested {
    let Some(lines) = ordered(waits, constraints) else { return Tested::Hard };
    let mut soft = Vec::new();
    let moved = constraints.iter().flat_map(|constraint| [constraint.waiter, constraint.blocker]);
    for session in moved.chain([start]) {
        if let Some(cycle) = cycle_through(session, waits, &lines) {
            if cycle.soft.is_empty() {
                return Tested::Hard;
            }
            soft = cycle.soft;
        }
    }
    if soft.is_empty() { Tested::Fine(lines) } else { Tested::Soft(soft) }
}

/// The lines that meet all constraints, as near to their present order as can be; none if they contradict each other.
fn ordered(waits: &impl WaitsForGraph, constraints: &[Constraint]) -> Option<Lines> {
    let mut lines: Lines = Vec::new();
    for constraint in constraints.iter().rev() {
        if lines.iter().any(|(tag, _)| *tag == constraint.tag) {
            continue;
        }
        let of_line: Vec<&Constraint> = constraints.iter().filter(|other| other.tag == constraint.tag).collect();
        lines.push((constraint.tag, sorted(waits.line(constraint.tag), &of_line)?));
    }
    Some(lines)
}

/// Filled from the end, each time with the last one that has to stand before nobody who is left.
fn sorted(mut left: Vec<SessionId>, constraints: &[&Constraint]) -> Option<Vec<SessionId>> {
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let must_precede = |session: &SessionId| {
            constraints.iter().any(|constraint| constraint.waiter == *session && left.contains(&constraint.blocker))
        };
        let place = left.iter().rposition(|session| !must_precede(session))?;
        order.push(left.remove(place));
    }
    order.reverse();
    Some(order)
}

fn cycle_through(start: SessionId, waits: &impl WaitsForGraph, lines: &Lines) -> Option<Cycle> {
    let branches = |of: SessionId| {
        let mut edges = waits.edges(of, lines);
        edges.reverse();
        edges
    };
    let mut visited = BTreeSet::new();
    let mut path = vec![start];
    // The edge that led to each session of the path but the first.
    let mut taken: Vec<Edge> = Vec::new();
    let mut open = vec![branches(start)];
    while let Some(branch) = open.last_mut() {
        match branch.pop() {
            Some(edge) if edge.to == start => {
                taken.push(edge);
                return Some(Cycle { soft: soft_edges(&path, &taken), path });
            }
            Some(edge) => {
                if visited.insert(edge.to) {
                    path.push(edge.to);
                    taken.push(edge);
                    open.push(branches(edge.to));
                }
            }
            None => {
                open.pop();
                path.pop();
                taken.pop();
            }
        }
    }
    None
}

fn soft_edges(path: &[SessionId], taken: &[Edge]) -> Vec<Constraint> {
    let edges = path.iter().zip(taken).rev();
    edges.filter_map(|(waiter, edge)| Some(Constraint { tag: edge.soft?, waiter: *waiter, blocker: edge.to })).collect()
}
