//! Answers that show time entries, fresh, stored or replayed.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use timelog_domain::idempotency::Render;
use timelog_domain::{Outcome, StoredAnswer, TimeEntry};

use crate::http::idempotency_key::IDEMPOTENT_REPLAYED;
use crate::json::bytes;

/// A time entry on the wire: these sixteen members, all of them always.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryBody<'a> {
    id: String,
    organization_id: String,
    project_id: String,
    user_id: String,
    entry_id: Option<String>,
    release_id: Option<String>,
    work_date: String,
    hours: String,
    minutes: u16,
    description: Option<&'a str>,
    billable: bool,
    source: &'a str,
    status: &'a str,
    invoiced: bool,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a TimeEntry> for EntryBody<'a> {
    fn from(entry: &'a TimeEntry) -> Self {
        let details = entry.details();
        Self {
            id: entry.id().to_string(),
            organization_id: entry.organization_id().to_string(),
            project_id: entry.project_id().to_string(),
            user_id: details.user_id.to_string(),
            entry_id: details.ticket_id.map(|id| id.to_string()),
            release_id: details.release_id.map(|id| id.to_string()),
            work_date: details.work_date.to_string(),
            hours: details.duration.hours(),
            minutes: details.duration.minutes(),
            description: details.description.as_ref().map(timelog_domain::Description::as_str),
            billable: details.billable,
            source: entry.source().as_str(),
            status: entry.status().as_str(),
            invoiced: entry.invoiced(),
            created_at: entry.created_at().to_string(),
            updated_at: entry.updated_at().to_string(),
        }
    }
}

/// The bytes of a time entry. Every answer that shows one uses them, so that a create and a later
/// read agree to the byte.
pub(crate) fn body(entry: &TimeEntry) -> Vec<u8> {
    bytes(&EntryBody::from(entry))
}

/// The entity tag of a time entry: its version.
pub(crate) fn etag(entry: &TimeEntry) -> String {
    format!("\"{}\"", entry.version())
}

/// The answer to what became of one entry, as it is sent and, under an idempotency key, kept.
pub(crate) fn render(outcome: &Outcome, base_path: &str) -> StoredAnswer {
    let (status, location) = match outcome {
        Outcome::Created(entry) => {
            (StatusCode::CREATED, Some(format!("{base_path}/time-entries/{}", entry.id())))
        }
        Outcome::Updated(_) | Outcome::Unchanged(_) | Outcome::Many(_) => (StatusCode::OK, None),
        Outcome::Deleted => (StatusCode::NO_CONTENT, None),
    };
    let entry = outcome.time_entry();
    StoredAnswer {
        status: status.as_u16(),
        location,
        etag: entry.map(etag),
        body: entry.map(body).unwrap_or_default(),
    }
}

/// [`render`], for the domain to call.
pub(crate) fn renderer(base_path: &Arc<str>) -> Render {
    let base_path = base_path.clone();
    Arc::new(move |outcome| render(outcome, &base_path))
}

/// Sends an answer.
pub(crate) fn response(answer: StoredAnswer) -> HttpResponse {
    builder(&answer).body(answer.body)
}

/// Sends an answer again, marked as such.
pub(crate) fn replay(answer: StoredAnswer, same_body: bool) -> HttpResponse {
    metrics::counter!("timelog_idempotency_replays_total").increment(1);
    if !same_body {
        mismatch();
    }
    builder(&answer).insert_header((IDEMPOTENT_REPLAYED, "true")).body(answer.body)
}

/// Notes that an idempotency key came again with another body, which hints at a client that makes
/// its keys wrong.
pub(crate) fn mismatch() {
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
