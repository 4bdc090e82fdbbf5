//! What a server can be told.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use timelog_domain::MismatchPolicy;
use validator::{Validate, ValidationError};

/// The longest that a revoked key may go on working.
const MAX_KEY_MEMORY: Duration = Duration::from_secs(5);

/// The most threads that serve connections. Each needs four open files, of which many systems give
/// a program 1024.
const MAX_WORKERS: usize = 128;

/// The most connections that are of any use to one program.
const MAX_CONNECTIONS: usize = 65_536;

/// Enough for sixty bodies of the largest batches.
const IN_FLIGHT_MIB: NonZeroU32 = NonZeroU32::new(256).unwrap();

/// What can stand before every path.
pub(crate) const BASE_PATH: &str = "must be empty or like /api/v1";

/// How a server behaves.
#[derive(Debug, Clone, Validate)]
pub struct Settings {
    /// Where it listens. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What stands before every path: empty, or like `/api/v1`.
    #[validate(custom(function = "check_base_path"))]
    pub base_path: String,
    /// What to do with a repeat of an idempotency key that has another body.
    pub on_mismatch: MismatchPolicy,
    /// How many threads serve connections.
    #[validate(range(min = 1, max = MAX_WORKERS, message = "must be 1 to 128"))]
    pub workers: usize,
    /// How long a key is remembered after it was looked up, and so how long a revocation may go
    /// unnoticed.
    #[validate(custom(function = "is_key_memory"))]
    pub key_memory: Duration,
    /// How many requests a second one key may make.
    pub rate_limit: Option<NonZeroU32>,
    /// Where metrics, health and documentation are served, and then nowhere else; beside everything
    /// else if not given.
    pub admin_listen: Option<SocketAddr>,
    /// How many connections there may be at a time.
    #[validate(range(min = 1, max = MAX_CONNECTIONS, message = "must be 1 to 65536"))]
    pub max_connections: usize,
    /// How much memory, in MiB, bodies that arrive and answers that are taken may hold together.
    pub in_flight_mib: NonZeroU32,
    /// How many requests a second one address may make without a valid key.
    pub anonymous_rate: Option<NonZeroU32>,
    /// The proxies that are believed when they tell the address of a client.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
    /// How long the head of a request may take to arrive, once it has begun.
    pub head_timeout: Duration,
    /// How long the body of a request may take to arrive, once its head has.
    pub request_timeout: Duration,
    /// How long a client may take for each piece of an answer.
    pub answer_timeout: Duration,
    /// How long requests that have begun may take once the server is told to stop.
    pub shutdown_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_path: String::new(),
            on_mismatch: MismatchPolicy::Replay,
            workers: std::thread::available_parallelism().map_or(2, usize::from).min(MAX_WORKERS),
            key_memory: Duration::from_secs(2),
            rate_limit: None,
            admin_listen: None,
            max_connections: 2048,
            in_flight_mib: IN_FLIGHT_MIB,
            anonymous_rate: None,
            trusted_proxies: Vec::new(),
            keep_alive: Duration::from_secs(75),
            head_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// Whether a text can stand before every path.
pub(crate) fn is_base_path(path: &str) -> bool {
    // Clients resolve dots before they send a path, so one with them would never be asked for.
    let segment = |text: &str| {
        !["", ".", ".."].contains(&text)
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    path.is_empty() || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment))
}

fn check_base_path(path: &str) -> Result<(), ValidationError> {
    if is_base_path(path) {
        return Ok(());
    }
    Err(ValidationError::new("base_path").with_message(BASE_PATH.into()))
}

fn is_key_memory(memory: &Duration) -> Result<(), ValidationError> {
    if *memory <= MAX_KEY_MEMORY {
        return Ok(());
    }
    Err(ValidationError::new("key_memory")
        .with_message("must be at most 5s, so that a revoked key stops in time".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid(change: impl FnOnce(&mut Settings)) -> bool {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.validate().is_ok()
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(is_valid(|_| ()));
        assert!(is_valid(|settings| settings.base_path = "/api/v1".to_owned()));
        for path in ["/", "api", "/api/", "//", "/a b", "/{id}", "/api/..", "/."] {
            assert!(!is_valid(|settings| settings.base_path = path.to_owned()), "{path}");
        }
        assert!(!is_valid(|settings| settings.key_memory = Duration::from_millis(5001)));
        assert!(!is_valid(|settings| settings.workers = 0));
        assert!(!is_valid(|settings| settings.workers = 129));
        assert!(!is_valid(|settings| settings.max_connections = 0));
        assert!(!is_valid(|settings| settings.max_connections = 65_537));
    }
}
