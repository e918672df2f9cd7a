//! Advisory locks.

use crate::sql::error::{Result, Stop};
use crate::store::{AdvisoryKey, LockOutcome, Mode};
use crate::trace::SqlError;

use super::{Context, WaitTarget};

/// As many locks as PostgreSQL's shared memory has room for as it is delivered.
const LOCKS_AT_MOST: usize = 12_800;

impl Context<'_> {
    pub fn advisory_lock(&mut self, key: AdvisoryKey, mode: Mode, transaction: bool, may_wait: bool) -> Result<bool> {
        let place = self.run.advisory_at;
        self.run.advisory_at += 1;
        if self.run.advisory.len() > place {
            return Ok(true);
        }
        if self.pending_advisory == Some((key, mode)) {
            // It was given while the session slept.
            self.pending_advisory = None;
            if transaction {
                self.engine.store.lock_granted(self.session, crate::store::Tag::Advisory(key), mode);
            } else {
                self.engine.hold_advisory(self.session, key, mode);
            }
            self.run.advisory.push((key, mode));
            return Ok(true);
        }
        let tag = crate::store::Tag::Advisory(key);
        if self.engine.store.locks_held(self.session) >= LOCKS_AT_MOST {
            let mut full = SqlError::new("53200", "out of shared memory");
            full.hint = Some("You might need to increase max_locks_per_transaction.".to_owned());
            return Err(full.into());
        }
        let taken = if transaction {
            self.engine.store.lock(self.session, tag, mode, may_wait)
        } else {
            self.engine.store.lock_for_session(self.session, tag, mode, may_wait)
        };
        match taken {
            LockOutcome::Locked { .. } => {
                if !transaction {
                    self.engine.hold_advisory(self.session, key, mode);
                }
                self.run.advisory.push((key, mode));
                Ok(true)
            }
            LockOutcome::Waits => {
                self.run.advisory_at = place;
                self.run.waits_on = WaitTarget::Other(match key {
                    AdvisoryKey::One(key) => format!("advisory lock {key}"),
                    AdvisoryKey::Two(a, b) => format!("advisory lock ({a}, {b})"),
                });
                Err(Stop::Waits)
            }
            LockOutcome::Unavailable => {
                self.run.advisory_at = place;
                Ok(false)
            }
        }
    }
}
