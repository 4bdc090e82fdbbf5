//! Who is calling: the API key of a request.

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

/// The most keys that are remembered between requests.
const REMEMBERED_KEYS: u64 = 10_000;

/// How long it is remembered that a key was good when it was last looked up. It opens nothing.
const PROVEN: Duration = Duration::from_hours(1);

/// Finds the keys that requests present, and remembers them for a short while.
pub(crate) struct KeyRing {
    keys: Arc<dyn ApiKeys>,
    clock: Arc<dyn Clock>,
    remembered: Cache<[u8; 32], Arc<ApiKey>>,
    /// Those that were good lately, by the digests of their texts.
    proven: Cache<[u8; 32], ()>,
}

#[derive(Debug, Clone, thiserror::Error)]
enum Lookup {
    #[error("there is no such key")]
    Unknown,
    #[error(transparent)]
    Port(PortError),
}

impl KeyRing {
    /// Remembers a key for `memory`, which is how long a revocation may go unnoticed. Zero
    /// remembers nothing.
    pub(crate) fn new(keys: Arc<dyn ApiKeys>, clock: Arc<dyn Clock>, memory: Duration) -> Self {
        let remembered =
            Cache::builder().max_capacity(REMEMBERED_KEYS).time_to_live(memory).build();
        let proven = Cache::builder().max_capacity(REMEMBERED_KEYS).time_to_live(PROVEN).build();
        Self { keys, clock, remembered, proven }
    }

    /// Whether the request presents a key that was good when it was last looked up, not long ago.
    /// Nothing is looked up here.
    pub(crate) async fn knows(&self, headers: &HeaderMap) -> bool {
        let Ok(text) = presented(headers) else { return false };
        let digest = digest_key(text);
        match self.remembered.get(&digest).await {
            Some(key) => key.revoked_at.is_none(),
            None => self.proven.contains_key(&digest),
        }
    }

    /// The key that the request is made with.
    pub(crate) async fn authenticate(&self, request: &HttpRequest) -> Result<Arc<ApiKey>, Problem> {
        let text = presented(request.headers())?;
        let digest = digest_key(text);
        // Requests that present one key at the same time wait for one look-up. What is unknown is
        // not remembered.
        let found = self.remembered.try_get_with(digest, async {
            let key = self.keys.find(text, self.clock.now()).await.map_err(Lookup::Port)?;
            match &key {
                Some(key) if key.revoked_at.is_none() => self.proven.insert(digest, ()).await,
                _ => self.proven.invalidate(&digest).await,
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

/// The text of the key that a request presents, in either header. Two keys that differ are none.
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
