//! A limit on how often one key may ask, where the operator sets one.

use std::num::NonZeroU32;

use actix_web::http::header;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use timelog_domain::KeyId;

use super::code::Code;
use super::problem::Problem;

/// Counts the requests of each key.
pub(crate) struct RateLimit(Option<DefaultKeyedRateLimiter<KeyId>>);

impl RateLimit {
    /// At most so many requests a second for each key, as many at once; no limit where none is
    /// given.
    pub(crate) fn new(per_second: Option<NonZeroU32>) -> Self {
        Self(per_second.map(|limit| RateLimiter::keyed(Quota::per_second(limit))))
    }

    /// Counts one request of the key.
    pub(crate) fn count(&self, key: KeyId) -> Result<(), Problem> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let detail = "This key has made too many requests. Try again shortly.";
        limiter.check_key(&key).map_err(|until| come_again(&until, detail))
    }

    /// Forgets the keys that have not asked for so long that it is as if they never had.
    pub(crate) fn forget_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// Says how many seconds to wait.
pub(super) fn come_again(
    until: &NotUntil<<DefaultClock as Clock>::Instant>,
    detail: &str,
) -> Problem {
    let wait = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    Problem::new(Code::RateLimited, detail).with_header(header::RETRY_AFTER, wait.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_no_longer_ask_are_forgotten() {
        let limit = RateLimit::new(NonZeroU32::new(1_000_000));
        for _ in 0..1000 {
            limit.count(KeyId::new(uuid::Uuid::now_v7())).unwrap();
        }
        for _ in 0..1000 {
            limit.forget_idle();
            if limit.0.as_ref().unwrap().is_empty() {
                return;
            }
        }
        panic!("what is idle is kept");
    }
}
