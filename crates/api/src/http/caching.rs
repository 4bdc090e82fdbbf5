//! The headers that tell caches whether they may store an answer.
//!
//! An answer depends on its caller unless its route says otherwise. Only the caller's own cache may
//! store it, and must revalidate it before each use. A shared cache that stores it nevertheless
//! must store one for each key.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// For an answer that is the same for every caller. It may be five minutes old.
pub(crate) const FOR_EVERYBODY: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// For an answer that is true only now, and for one that has a secret.
pub(crate) const NEVER: (HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

/// For every other answer.
const FOR_CALLER: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The headers that identify the caller.
const CALLER_HEADERS: HeaderValue = HeaderValue::from_static("Authorization, X-API-Key, Cookie");

/// Adds the headers where the route did not set them.
pub(crate) fn complete(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, FOR_CALLER);
        headers.insert(header::VARY, CALLER_HEADERS);
    }
}
