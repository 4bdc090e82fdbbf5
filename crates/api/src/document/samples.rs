//! What examples are made of: each thing once, and how it differs from that.

use serde_json::{Value, json};

use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::wire::Violation;

/// A time entry, with those members otherwise.
pub(crate) fn entry(otherwise: Value) -> Value {
    let entry = json!({
        "id": "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
        "organizationId": "7b1e2c3d-0000-0000-0000-000000000001",
        "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
        "userId": "9a8b7c6d-0000-0000-0000-000000000002",
        "entryId": null,
        "releaseId": null,
        "workDate": "2025-01-15",
        "hours": "2.5",
        "minutes": 150,
        "description": "Paired on the login form",
        "billable": true,
        "source": "api",
        "status": "draft",
        "invoiced": false,
        "createdAt": "2025-01-15T08:06:57.472Z",
        "updatedAt": "2025-01-15T08:06:57.472Z",
    });
    with(entry, otherwise)
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
