//! A shared cache, as in a proxy or a content network.

use std::time::SystemTime;

use http::header::{CACHE_CONTROL, EXPIRES, HeaderValue};
use http_cache_semantics::{BeforeRequest, CachePolicy};

use super::answer::Answer;
use super::api::Call;

/// Stores what RFC 9111 lets a shared cache store; and for two minutes what has no `Cache-Control`,
/// as such caches do by default.
#[derive(Default)]
pub(crate) struct SharedCache(Vec<(CachePolicy, Answer)>);

impl SharedCache {
    /// Asks through the cache. Says whether it answered by itself.
    pub(crate) async fn ask(&mut self, call: Call) -> (Answer, bool) {
        let (request, now) = (call.as_request(), SystemTime::now());
        for (policy, kept) in &self.0 {
            if let BeforeRequest::Fresh(_) = policy.before_request(&request, now) {
                return (kept.clone(), true);
            }
        }
        let answer = call.send().await;
        let mut response =
            http::Response::builder().status(answer.status).body(()).expect("it is a response");
        *response.headers_mut() = answer.headers.clone();
        let headers = response.headers_mut();
        if !headers.contains_key(CACHE_CONTROL) && !headers.contains_key(EXPIRES) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=120"));
        }
        let policy = CachePolicy::new(&request, &response);
        if policy.is_storable() {
            self.0.push((policy, answer.clone()));
        }
        (answer, false)
    }
}
