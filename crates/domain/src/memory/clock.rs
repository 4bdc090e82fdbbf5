//! A clock for tests.

use std::sync::{Arc, Mutex, PoisonError};

use crate::ports::Clock;
use crate::timestamp::Timestamp;

/// A clock that only moves when it is set. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl Default for ManualClock {
    /// Starts at 1970-01-01T00:00:00.000Z.
    fn default() -> Self {
        Self::at(Timestamp::from_unix_millis(0).unwrap_or(Timestamp::MIN))
    }
}

impl ManualClock {
    /// Starts at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Sets the time, forwards or back.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the time forwards.
    pub fn advance(&self, by: std::time::Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
