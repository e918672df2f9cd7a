//! The orders that an execution stands for: those in which each step stays behind those before it that it depends on.

use std::collections::BTreeMap;

use super::footprint::Footprint;
use crate::trace::RequestId;

/// One step of an execution.
pub struct Taken<'a> {
    pub request: RequestId,
    pub footprint: &'a Footprint,
    /// Nobody could step after it, until a timer fired.
    pub timer_fired: bool,
}

pub struct Orders {
    /// By request: its steps, each with how many steps of each request come before it.
    steps: Vec<Vec<Vec<usize>>>,
    count: usize,
}

impl Orders {
    pub fn of(taken: &[Taken<'_>], requests: usize) -> Orders {
        let mut own: Vec<Vec<usize>> = vec![vec![]; requests];
        let mut steps = vec![vec![]; requests];
        let mut before_timer = 0;
        for (place, step) in taken.iter().enumerate() {
            // Its own request's, those that have something in common with it, and those that ended its request's wait.
            let follows = |other: usize| {
                let earlier = &taken[other];
                other < before_timer
                    || earlier.request == step.request
                    || earlier.footprint.depends_on(step.footprint)
                    || earlier.footprint.wakes.contains(&step.request)
            };
            let first =
                |others: &Vec<usize>| others.iter().rposition(|other| follows(*other)).map_or(0, |last| last + 1);
            steps[step.request.0 as usize].push(own.iter().map(first).collect());
            own[step.request.0 as usize].push(place);
            if step.timer_fired {
                before_timer = place + 1;
            }
        }
        Orders { steps, count: taken.len() }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        // How far each request has come, and in how many orders that can be so.
        let mut front: BTreeMap<Vec<usize>, u64> = BTreeMap::from([(vec![0; self.steps.len()], 1)]);
        for _ in 0..self.count {
            let mut next: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
            for (come, ways) in front {
                for request in self.ready(&come) {
                    let count = next.entry(further(&come, request)).or_default();
                    *count = count.saturating_add(ways);
                }
            }
            front = next;
        }
        front.into_values().sum()
    }

    /// The one that changes least often from one request to another.
    pub fn tidiest(&self) -> Vec<RequestId> {
        // How far each request has come and which stepped last: the fewest changes, and which stepped before that.
        type Front = BTreeMap<(Vec<usize>, usize), (usize, usize)>;
        let nobody = self.steps.len();
        let mut fronts: Vec<Front> = vec![BTreeMap::from([((vec![0; nobody], nobody), (0, nobody))])];
        for at in 0..self.count {
            let mut next = Front::new();
            for ((come, last), (changes, _)) in &fronts[at] {
                for request in self.ready(come) {
                    let changes = changes + usize::from(request != *last);
                    let fewest = next.entry((further(come, request), request)).or_insert((usize::MAX, nobody));
                    *fewest = (*fewest).min((changes, *last));
                }
            }
            fronts.push(next);
        }
        let end = fronts.last().expect("there is a first").iter().min_by_key(|(_, (changes, _))| *changes);
        let Some(((mut come, mut last), _)) = end.map(|(state, fewest)| (state.clone(), *fewest)) else {
            return vec![];
        };
        let mut order = vec![];
        for front in fronts.iter().skip(1).rev() {
            let (_, before) = front[&(come.clone(), last)];
            order.push(RequestId(last as u32));
            come[last] -= 1;
            last = before;
        }
        order.reverse();
        order
    }

    /// The requests that may step next.
    fn ready(&self, come: &[usize]) -> Vec<usize> {
        let may = |request: &usize| {
            let next = self.steps[*request].get(come[*request]);
            next.is_some_and(|first| first.iter().zip(come).all(|(first, come)| first <= come))
        };
        (0..self.steps.len()).filter(may).collect()
    }
}

fn further(come: &[usize], request: usize) -> Vec<usize> {
    let mut further = come.to_vec();
    further[request] += 1;
    further
}
