//! The rate limit for requests without a valid key, by address. The operator may set it.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use actix_web::HttpRequest;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

use super::problem::Problem;
use super::proxies::Proxies;
use super::rate_limit::rate_limited;

/// How many counters there are. A hash with a random seed maps addresses to counters, so memory
/// stays bounded, and two addresses hardly ever share a counter.
const COUNTERS: u64 = 1 << 18;

/// The network part of an IPv6 address. One client can use every address of its network.
const NETWORK: u128 = !0 << 64;

/// Counts the requests without a valid key, by address.
pub(crate) struct Anonymous {
    limiter: Option<DefaultKeyedRateLimiter<u64>>,
    hash: RandomState,
    proxies: Proxies,
}

impl Anonymous {
    /// At most `per_second` requests a second from one address, which may all come at once.
    pub(crate) fn new(per_second: Option<NonZeroU32>, proxies: &[IpNet]) -> Self {
        let limiter = per_second.map(|limit| RateLimiter::keyed(Quota::per_second(limit)));
        Self { limiter, hash: RandomState::new(), proxies: Proxies::new(proxies) }
    }

    pub(crate) const fn is_limited(&self) -> bool {
        self.limiter.is_some()
    }

    /// Counts one request of the address it comes from.
    pub(crate) fn count(&self, request: &HttpRequest) -> Result<(), Problem> {
        let peer = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip());
        self.count_for(self.proxies.sender(peer, request.headers()))
    }

    fn count_for(&self, address: IpAddr) -> Result<(), Problem> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let detail =
            "Too many requests without a valid key came from this address. Try again shortly.";
        limiter.check_key(&self.counter(address)).map_err(|until| rate_limited(&until, detail))
    }

    fn counter(&self, address: IpAddr) -> u64 {
        let network = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        };
        self.hash.hash_one(network) % COUNTERS
    }

    /// Removes the counters that are back at their initial state.
    pub(crate) fn forget_idle(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(per_second: u32) -> Anonymous {
        Anonymous::new(NonZeroU32::new(per_second), &[])
    }

    fn is_allowed(limit: &Anonymous, address: &str) -> bool {
        limit.count_for(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn an_ipv6_network_is_counted_as_one_address() {
        let limit = limit(1);
        let counter = |address: &str| limit.counter(address.parse().unwrap());
        assert_eq!(counter("2001:db8::1"), counter("2001:db8::ffff:1"));
        assert_ne!(counter("2001:db8::1"), counter("2001:db8:0:1::1"));
        assert_ne!(counter("203.0.113.1"), counter("203.0.113.2"));
        // A slow test may take a second, after which one more request is allowed.
        let asked: Vec<_> = (0..3).map(|_| is_allowed(&limit, "203.0.113.1")).collect();
        assert!(asked[0] && !(asked[1] && asked[2]), "{asked:?}");
    }

    #[test]
    fn memory_is_bounded_however_many_addresses_there_are() {
        let limit = limit(1_000_000);
        for number in 0..1_000_000_u128 {
            let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (number << 64));
            limit.count_for(address.into()).unwrap();
        }
        let held = || limit.limiter.as_ref().unwrap().len();
        assert!(held() as u64 <= COUNTERS, "{}", held());
        // A microsecond later each counter is at its initial state again.
        for _ in 0..1000 {
            limit.forget_idle();
            if held() == 0 {
                return;
            }
        }
        panic!("idle counters are not removed");
    }
}
