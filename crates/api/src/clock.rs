//! The time of the machine.

use time::OffsetDateTime;
use timelog_domain::Timestamp;
use timelog_domain::ports::Clock;

/// Tells the machine's time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        OffsetDateTime::now_utc().into()
    }
}
