//! Answers to a change of one entry: new, stored or replayed.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use timelog_domain::idempotency::Render;
use timelog_domain::{Outcome, StoredAnswer, TimeEntry};

use super::idempotency_key::IDEMPOTENT_REPLAYED;
use crate::wire::include::Include;
use crate::wire::time_entry;

/// The entity tag of a time entry: its version.
fn etag(entry: &TimeEntry) -> String {
    format!("\"{}\"", entry.version())
}

/// The answer to a change of one entry, as it is sent and, with an idempotency key, stored.
fn render(outcome: &Outcome, base_path: &str, include: Include) -> StoredAnswer {
    let (status, location) = match outcome {
        Outcome::Created(entry) => {
            (StatusCode::CREATED, Some(format!("{base_path}/time-entries/{}", entry.id())))
        }
        Outcome::Updated(_)
        | Outcome::Unchanged(_)
        | Outcome::Many(_)
        | Outcome::Changed(_)
        | Outcome::Books(_)
        | Outcome::Webhook(_)
        | Outcome::Noted => (StatusCode::OK, None),
        Outcome::Deleted => (StatusCode::NO_CONTENT, None),
    };
    let entry = outcome.time_entry();
    StoredAnswer {
        status: status.as_u16(),
        location,
        etag: entry.map(etag),
        body: entry.map(|entry| time_entry::bytes(entry, include)).unwrap_or_default(),
    }
}

/// [`render`] as a function that the domain calls.
pub(crate) fn renderer(base_path: &Arc<str>, include: Include) -> Render {
    let base_path = base_path.clone();
    Arc::new(move |outcome| render(outcome, &base_path, include))
}

/// Sends an answer.
pub(crate) fn response(answer: StoredAnswer) -> HttpResponse {
    builder(&answer).body(answer.body)
}

/// Sends a stored answer again, marked as a replay.
pub(crate) fn replay(answer: StoredAnswer, same_body: bool) -> HttpResponse {
    metrics::counter!("timelog_idempotency_replays_total").increment(1);
    if !same_body {
        note_mismatch();
    }
    builder(&answer).insert_header((IDEMPOTENT_REPLAYED, "true")).body(answer.body)
}

/// Logs and counts a repeat with another body. The client probably makes its keys wrong.
pub(crate) fn note_mismatch() {
    metrics::counter!("timelog_idempotency_mismatches_total").increment(1);
    tracing::warn!("an idempotency key was repeated with another body");
}

fn builder(answer: &StoredAnswer) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponseBuilder::new(status);
    if !answer.body.is_empty() {
        response.content_type(mime::APPLICATION_JSON);
    }
    if let Some(location) = &answer.location {
        response.insert_header((header::LOCATION, location.as_str()));
    }
    if let Some(etag) = &answer.etag {
        response.insert_header((header::ETAG, etag.as_str()));
    }
    response
}
