//! What examples are made of: each thing once, and how it differs from that.

use serde_json::{Value, json};
use timelog_domain::{Details, Source, TimeEntry, Timestamp, WorkDuration};

use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::wire::Violation;
use crate::wire::time_entry::TimeEntryBody;

/// What to log, in minutes.
pub(crate) fn to_log() -> Value {
    json!({
        "userId": "9a8b7c6d-0000-0000-0000-000000000002",
        "workDate": "2025-01-15",
        "minutes": 150,
        "description": "Paired on the login form",
    })
}

/// A time entry, with those members otherwise.
pub(crate) fn entry(otherwise: Value) -> Value {
    // Everything in it is valid, so there is an entry.
    let entry = logged().map(|entry| serde_json::to_value(TimeEntryBody::from(&entry)));
    with(entry.and_then(Result::ok).unwrap_or_default(), otherwise)
}

/// A time entry that is on an invoice.
pub(crate) fn invoiced() -> Value {
    entry(json!({
        "entryId": "0194683a-2c3b-7d4e-8a5f-6b7c8d9e0f10",
        "releaseId": "0194683a-2c3b-7a01-9b02-0c3d4e5f6071",
        "source": "import",
        "status": "invoiced",
        "invoiced": true,
        "updatedAt": "2025-02-03T09:00:00.120Z",
    }))
}

fn logged() -> Option<TimeEntry> {
    let id = "9a8b7c6d-0000-0000-0000-000000000002";
    let duration = WorkDuration::from_minutes(150).ok()?;
    let details = Details::new(id.parse().ok()?, "2025-01-15".parse().ok()?, duration);
    let description = Some("Paired on the login form".parse().ok()?);
    Some(TimeEntry::log(
        "01946900-56c0-7c3e-9d24-51f6a7b8c9d0".parse().ok()?,
        "7b1e2c3d-0000-0000-0000-000000000001".parse().ok()?,
        id.parse().ok()?,
        Details { description, ..details },
        None,
        Source::Api,
        Timestamp::from_unix_millis(1_736_928_417_472).ok()?,
    ))
}

/// A problem, with the values that were refused.
pub(crate) fn problem(
    code: Code,
    detail: &str,
    violations: &[(&str, &'static str, &str)],
) -> Value {
    let id = "01946900-56bf-7f21-b0c4-2d3e4f506172";
    made(code, detail, violations).shown(Some(id))
}

/// The problem of one item of many.
pub(crate) fn item_problem(
    code: Code,
    detail: &str,
    violations: &[(&str, &'static str, &str)],
) -> Value {
    made(code, detail, violations).shown(None)
}

fn made(code: Code, detail: &str, violations: &[(&str, &'static str, &str)]) -> Problem {
    violations.iter().fold(Problem::new(code, detail), |problem, (place, code, message)| {
        problem.with_violation(if place.is_empty() || place.starts_with('/') {
            Violation::at(*place, code, *message)
        } else {
            Violation::in_parameter(place, code, *message)
        })
    })
}

/// An object, with those members otherwise.
pub(crate) fn with(mut object: Value, otherwise: Value) -> Value {
    if let (Value::Object(object), Value::Object(otherwise)) = (&mut object, otherwise) {
        object.extend(otherwise);
    }
    object
}
