//! The rate limit for each key. The operator may set it.

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
    /// At most `per_second` requests a second for each key, which may all come at once.
    pub(crate) fn new(per_second: Option<NonZeroU32>) -> Self {
        Self(per_second.map(|limit| RateLimiter::keyed(Quota::per_second(limit))))
    }

    /// Counts one request of the key.
    pub(crate) fn count(&self, key: KeyId) -> Result<(), Problem> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let detail = "This key has made too many requests. Try again shortly.";
        limiter.check_key(&key).map_err(|until| rate_limited(&until, detail))
    }

    /// Removes the counters that are back at their initial state.
    pub(crate) fn forget_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// The problem of a request that is refused, with the seconds to wait.
pub(super) fn rate_limited(
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
    fn idle_keys_are_removed() {
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
        panic!("idle keys are not removed");
    }
}
