//! A limit on how often one key may ask, where the operator sets one.

use std::num::NonZeroU32;

use actix_web::http::header;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use timelog_domain::KeyId;

use super::code::Code;
use super::problem::Problem;

/// Counts the requests of each key.
pub(crate) struct RateLimit(Option<DefaultKeyedRateLimiter<KeyId>>);

impl RateLimit {
    /// At most so many requests a second for each key, as many at once; no limit where none is given.
    pub(crate) fn new(per_second: Option<NonZeroU32>) -> Self {
        Self(per_second.map(|limit| RateLimiter::keyed(Quota::per_second(limit))))
    }

    /// Counts one request of the key.
    pub(crate) fn count(&self, key: KeyId) -> Result<(), Problem> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&key).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            Problem::new(Code::RateLimited, "This key has made too many requests. Try again shortly.")
                .with_header(header::RETRY_AFTER, wait.to_string())
        })
    }
}
