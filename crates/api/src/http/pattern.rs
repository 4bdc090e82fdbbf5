//! The pattern of the route that a request matches. It is found once, because it takes a look at
//! every route.

use actix_web::{HttpMessage, HttpRequest};

/// Such as `/time-entries/{timeEntryId}`, with what stands before every path.
#[derive(Clone)]
pub(crate) struct Pattern(pub(crate) String);

impl Pattern {
    /// That of a request; empty where it matches no route.
    pub(crate) fn of(request: &HttpRequest) -> String {
        request.extensions().get::<Self>().map(|pattern| pattern.0.clone()).unwrap_or_default()
    }
}
