//! Everything random in a run, from its seed. Each use has a stream of its own, so that one more fault does not shift who arrives when:
//! two variants meet the same load.
//!
//! Logarithms and cosines come from `libm`, whose results are the same natively and in a browser.

use std::collections::BTreeMap;

use rand::{Rng as _, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::trace::{ClientId, Micros};

pub struct RngStreams {
    /// Rows there are before the first request.
    pub rows: ChaCha8Rng,
    /// Who arrives when, and with what, where clients do not wait for each other.
    pub load: ChaCha8Rng,
    pub network: ChaCha8Rng,
    pub services: ChaCha8Rng,
    pub faults: ChaCha8Rng,
    pub replication: ChaCha8Rng,
    clients: BTreeMap<ClientId, ChaCha8Rng>,
    seed: u32,
}

impl RngStreams {
    pub fn new(seed: u32) -> RngStreams {
        let stream = |number| stream(seed, number);
        RngStreams {
            rows: stream(1),
            load: stream(2),
            network: stream(3),
            services: stream(4),
            faults: stream(5),
            replication: stream(6),
            clients: BTreeMap::new(),
            seed,
        }
    }

    /// What a client that waits for its answers asks for, and how long it thinks: its own stream, so that its next request is
    /// the same however soon others are answered.
    pub fn of_client(&mut self, client: ClientId) -> &mut ChaCha8Rng {
        let seed = self.seed;
        self.clients.entry(client).or_insert_with(|| stream(seed, FIRST_CLIENT + u64::from(client.0)))
    }
}

/// Streams below this number have a name.
const FIRST_CLIENT: u64 = 1 << 16;

fn stream(seed: u32, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(seed));
    rng.set_stream(number);
    rng
}

/// Exponentially distributed, in microseconds: the time to the next of events that know nothing of each other.
pub fn exponential_us(rng: &mut impl RngCore, mean_us: f64) -> Micros {
    let uniform = 1.0 - rng.random::<f64>();
    (-libm::log(uniform) * mean_us).round() as Micros
}

/// Normally distributed, never below a fifth of the mean: light and switches take their time.
pub fn normal_us(rng: &mut impl RngCore, mean_us: f64, sd_us: f64) -> Micros {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - rng.random::<f64>()));
    let angle = 2.0 * std::f64::consts::PI * rng.random::<f64>();
    let drawn = mean_us + sd_us * radius * libm::cos(angle);
    drawn.max(mean_us / 5.0).round() as Micros
}
