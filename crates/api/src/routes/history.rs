//! `GET /time-entries/{timeEntryId}/history`: every change of an entry, also after it was deleted.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::admission::{HasKey, Read, ToTimeEntry};
use super::answer::answer_json;
use super::asked::Asked;
use crate::document::samples::with;
use crate::document::{About, Answer, Sample, Tag};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::wire::history::HistoryBody;

pub(super) async fn history(asked: Asked<ToTimeEntry<Read>>) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    let missing = || Problem::new(Code::NotFound, "There never was such a time entry.");
    let organization = by.key().organization_id;
    let records = state.ports.queries.history(organization, by.id).await?;
    let last = records.last().ok_or_else(missing)?;
    if let Some(own) = by.key().reads_only() {
        // Whose it is, the entry tells, or the record of its end.
        let entry = state.ports.time_entries.find(organization, by.id).await?;
        let owner = entry.map(|entry| entry.details().user_id);
        let owner = owner.or_else(|| last.left_user_id.filter(|_| last.to.is_none()));
        owner.filter(|owner| *owner == own).ok_or_else(missing)?;
    }
    by.key().check_scope(last.project_id)?;
    Ok(answer_json(&HistoryBody::from(&*records)))
}

pub(super) fn about() -> About {
    About::new(
        "getTimeEntryHistory",
        Tag::TimeEntries,
        "Read what happened to a time entry",
        "Lists every change of the entry, oldest first: who did what, when and why. It can be \
         read after the entry was deleted, too. The key needs the permission `read`.",
    )
    .answer(
        Answer::json::<HistoryBody<'_>>(200, "The changes.").sample(approved()).sample(deleted()),
    )
}

/// The record of a draft that was logged, with those members otherwise.
fn record(otherwise: Value) -> Value {
    with(
        json!({
            "version": 1,
            "action": "log",
            "at": "2025-01-15T08:06:57.472Z",
            "by": { "keyId": "01943f00-1122-7334-8455-66778899aabb", "userId": null },
            "reason": null,
            "invoiceRef": null,
            "from": null,
            "to": "draft",
            "changes": {},
        }),
        otherwise,
    )
}

fn approved() -> Sample {
    Sample::new(
        "approved",
        "Logged, edited, submitted, approved",
        json!({ "data": [
            record(json!({})),
            record(json!({
                "version": 2,
                "action": "edit",
                "at": "2025-01-15T10:30:00.000Z",
                "from": "draft",
                "changes": { "minutes": { "old": 90, "new": 105 } },
            })),
            record(json!({
                "version": 3,
                "action": "submit",
                "at": "2025-01-17T16:00:00.310Z",
                "from": "draft",
                "to": "submitted",
            })),
            record(json!({
                "version": 4,
                "action": "approve",
                "at": "2025-01-20T08:02:11.918Z",
                "by": {
                    "keyId": "01943f00-1122-7334-8455-66778899aabb",
                    "userId": "0194683a-2c3b-7c11-8e21-7a6b5c4d3e2f",
                },
                "from": "submitted",
                "to": "approved",
            })),
        ] }),
    )
}

fn deleted() -> Sample {
    Sample::new(
        "deleted",
        "Logged and deleted",
        json!({ "data": [
            record(json!({})),
            record(json!({
                "version": 2,
                "action": "delete",
                "at": "2025-01-15T08:09:12.640Z",
                "from": "draft",
                "to": null,
                "changes": {
                    "userId": { "old": "9a8b7c6d-0000-0000-0000-000000000002", "new": null },
                    "workDate": { "old": "2025-01-15", "new": null },
                    "minutes": { "old": 150, "new": null },
                    "description": { "old": "Paired on the login form", "new": null },
                    "billable": { "old": true, "new": null },
                    "entryId": { "old": null, "new": null },
                    "releaseId": { "old": null, "new": null },
                },
            })),
        ] }),
    )
}
