//! What all sessions of a database share: the store, the catalog, randomness and the clock's zero.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::sql::catalog::Catalog;
use crate::store::{AdvisoryKey, Mode, Store, Tag};
use crate::trace::{Micros, SessionId, Xid};

use super::sequences::KnownSequences;

pub struct Engine {
    pub store: Store,
    pub catalog: Catalog,
    rng: ChaCha8Rng,
    epoch_us: i64,
    /// Transactions up to this one count as there before the run.
    pub settled_xid: Xid,
    /// Whether reads are told as events.
    pub tells_reads: bool,
    /// For each session.
    sequences: Vec<KnownSequences>,
    /// For each session the advisory locks it holds beyond its transactions, each as often as it took it.
    advisory: Vec<Vec<(AdvisoryKey, Mode)>>,
}

impl Engine {
    pub fn new(seed: u64, epoch_us: i64) -> Engine {
        Engine {
            store: Store::default(),
            catalog: Catalog::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            epoch_us,
            settled_xid: Xid(0),
            tells_reads: true,
            sequences: Vec::new(),
            advisory: Vec::new(),
        }
    }

    /// Microseconds since 1970 at a virtual time.
    pub fn wall(&self, at: Micros) -> i64 {
        self.epoch_us + at as i64
    }

    pub fn random(&mut self) -> f64 {
        // 53 bits, as a double holds.
        (self.rng.random::<u64>() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn random_uuid(&mut self) -> u128 {
        let bits: u128 = self.rng.random();
        (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62)
    }

    pub fn sequences_of(&mut self, session: SessionId) -> &mut KnownSequences {
        let slot = session.0 as usize;
        if self.sequences.len() <= slot {
            self.sequences.resize_with(slot + 1, KnownSequences::default);
        }
        &mut self.sequences[slot]
    }

    /// Besides what its transactions hold, which they give back themselves.
    pub fn hold_advisory(&mut self, session: SessionId, key: AdvisoryKey, mode: Mode) {
        let slot = session.0 as usize;
        if self.advisory.len() <= slot {
            self.advisory.resize_with(slot + 1, Vec::new);
        }
        self.advisory[slot].push((key, mode));
    }

    pub fn unlock_one_advisory(&mut self, session: SessionId, key: AdvisoryKey, mode: Mode) -> bool {
        let held = self.advisory.get_mut(session.0 as usize);
        let place = held.as_ref().and_then(|held| held.iter().rposition(|hold| *hold == (key, mode)));
        let (Some(held), Some(place)) = (held, place) else { return false };
        held.remove(place);
        self.store.unlock_for_session(session, Tag::Advisory(key), mode)
    }

    pub fn unlock_advisory(&mut self, session: SessionId) {
        let held = self.advisory.get_mut(session.0 as usize).map(std::mem::take);
        for (key, mode) in held.unwrap_or_default() {
            self.store.unlock_for_session(session, Tag::Advisory(key), mode);
        }
    }
}
