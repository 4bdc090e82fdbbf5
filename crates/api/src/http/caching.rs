//! What caches on the way may keep of an answer, and for whom.
//!
//! Whatever a route does not say otherwise about is taken to depend on who asks. A cache may keep
//! such an answer for that one client only, and has to ask again before each use; and should it
//! keep it for more, then for each key by itself.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Of an answer that is the same for everybody for a while. A new release shows after five minutes
/// at most.
pub(crate) const FOR_EVERYBODY: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// Of an answer that is true at this moment only. One with a secret in it has this as well.
pub(crate) const NEVER: (HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

/// Of every other.
const FOR_WHO_ASKS: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The headers that say who asks.
const WHO_ASKS: HeaderValue = HeaderValue::from_static("Authorization, X-API-Key, Cookie");

/// Completes an answer whose route said nothing of caches.
pub(crate) fn complete(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, FOR_WHO_ASKS);
        headers.insert(header::VARY, WHO_ASKS);
    }
}
