//! The API key of a request.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use moka::future::Cache;
use timelog_adapters::digest_key;
use timelog_domain::ApiKey;
use timelog_domain::ports::{ApiKeys, Clock, PortError};

use super::code::Code;
use super::problem::Problem;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The most keys in each cache.
const MAX_CACHED_KEYS: u64 = 10_000;

/// How long a key counts as known after it was last found valid. A known key still has to
/// authenticate.
const KNOWN_FOR: Duration = Duration::from_hours(1);

/// Looks up the keys that requests present, and caches them for a short time.
pub(crate) struct KeyRing {
    keys: Arc<dyn ApiKeys>,
    clock: Arc<dyn Clock>,
    cached: Cache<[u8; 32], Arc<ApiKey>>,
    /// The keys that were valid lately, by the digests of their texts.
    known: Cache<[u8; 32], ()>,
}

#[derive(Debug, Clone, thiserror::Error)]
enum Lookup {
    #[error("there is no such key")]
    Unknown,
    #[error(transparent)]
    Port(PortError),
}

impl KeyRing {
    /// Caches a key for `memory`, so a revocation takes effect after that time at most. Zero caches
    /// nothing.
    pub(crate) fn new(keys: Arc<dyn ApiKeys>, clock: Arc<dyn Clock>, memory: Duration) -> Self {
        let cached = Cache::builder().max_capacity(MAX_CACHED_KEYS).time_to_live(memory).build();
        let known = Cache::builder().max_capacity(MAX_CACHED_KEYS).time_to_live(KNOWN_FOR).build();
        Self { keys, clock, cached, known }
    }

    /// Whether the request presents a key that was valid lately. This looks only into the caches.
    pub(crate) async fn knows(&self, headers: &HeaderMap) -> bool {
        let Ok(text) = presented(headers) else { return false };
        let digest = digest_key(text);
        match self.cached.get(&digest).await {
            Some(key) => key.revoked_at.is_none(),
            None => self.known.contains_key(&digest),
        }
    }

    /// The key that the request is made with.
    pub(crate) async fn authenticate(&self, request: &HttpRequest) -> Result<Arc<ApiKey>, Problem> {
        let text = presented(request.headers())?;
        let digest = digest_key(text);
        // Simultaneous requests with one key share one look-up. Unknown keys are not cached.
        let found = self.cached.try_get_with(digest, async {
            let key = self.keys.find(text, self.clock.now()).await.map_err(Lookup::Port)?;
            match &key {
                Some(key) if key.revoked_at.is_none() => self.known.insert(digest, ()).await,
                _ => self.known.invalidate(&digest).await,
            }
            key.map(Arc::new).ok_or(Lookup::Unknown)
        });
        let key = found.await.map_err(|lookup| match &*lookup {
            Lookup::Unknown => unauthorized("The API key is not known."),
            Lookup::Port(error) => error.clone().into(),
        })?;
        if key.revoked_at.is_some() {
            return Err(challenge(Problem::new(
                Code::KeyRevoked,
                "This API key was revoked and cannot be used again.",
            )));
        }
        Ok(key)
    }
}

/// The text of the key in either header. Two different keys are an error.
fn presented(headers: &HeaderMap) -> Result<&str, Problem> {
    let bearer = single(headers, &header::AUTHORIZATION)?.and_then(bearer);
    let api_key = single(headers, &X_API_KEY)?;
    match (bearer, api_key) {
        (Some(bearer), Some(api_key)) if bearer != api_key => {
            Err(unauthorized("The Authorization and X-API-Key headers present different keys."))
        }
        (Some(text), _) | (None, Some(text)) => Ok(text),
        (None, None) => Err(unauthorized(
            "Send an API key as \"Authorization: Bearer <key>\" or as \"X-API-Key: <key>\".",
        )),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(unauthorized(&format!("The header {name} must be sent once.")));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| unauthorized(&format!("The header {name} must be visible ASCII.")))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim_start_matches(' '))
}

fn unauthorized(detail: &str) -> Problem {
    challenge(Problem::new(Code::Unauthorized, detail))
}

fn challenge(problem: Problem) -> Problem {
    problem.with_header(header::WWW_AUTHENTICATE, "Bearer")
}
