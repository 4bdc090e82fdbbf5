//! `POST /projects/{projectId}/time-entries`: the request this service exists for.

use actix_web::HttpResponse;
use serde_json::json;
use timelog_domain::{Command, LogTimeEntry, Source, TimeEntryId};
use uuid::Uuid;

use super::admission::{ToProject, Write};
use super::asked::{Asked, Asking, Sending, Showing};
use super::change::Change;
use crate::document::samples::{entry, to_log};
use crate::document::{About, Answer, Sample, Tag, headers, problem_sets};
use crate::http::problem::Problem;
use crate::wire::time_entry::{LogBody, Logged, TimeEntryBody};

pub(super) async fn log_time_entry(
    asked: Asked<ToProject<Write>, Sending<LogBody, (Change, Showing)>>,
) -> Result<HttpResponse, Problem> {
    let Sending { body, beside: (change, Asking(query)) } = asked.input;
    let Logged { details, external_ref } = body;
    let (id, project_id) = (TimeEntryId::new(Uuid::now_v7()), asked.by.id);
    let command = LogTimeEntry { id, project_id, details, external_ref, source: Source::Api };
    change.carry_out_showing(Command::Log(command), query.asked()).await
}

pub(super) fn about() -> About {
    About::new(
        "logTimeEntry",
        Tag::TimeEntries,
        "Log working time on a project",
        "Records that somebody worked on this project for some minutes of some day. The entry \
         starts out as a draft. The key needs the permission `write`; one that is bound to a \
         user logs for that user alone.\n\n**Duration.** Say it in `minutes`, in decimal \
         `hours`, or in both. When both are there, each has to be well formed and the minutes \
         decide. Hours become minutes by decimal arithmetic, with halves rounded \
         up.\n\n**Repeating safely.** An `Idempotency-Key` guards one request for a day: its \
         repeat gets the answer of the first, marked `Idempotent-Replayed: true`. An \
         `externalRef` guards one fact for good: whoever reports it again finds the same entry, \
         which is brought up to date where its status permits. Use both if you like; the key is \
         looked up before the reference.",
    )
    .sent("What to log.", sent())
    .answer(updated())
    .answer(created())
    .problems(&problem_sets::LOG_CONFLICT)
}

/// What may be sent.
fn sent() -> Vec<Sample> {
    vec![
        Sample::new("minutes", "In minutes", to_log())
            .about("The exact way: what is sent is what is kept."),
        Sample::new(
            "hours",
            "In decimal hours",
            json!({
                "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                "workDate": "2025-01-15",
                "hours": "1.666",
                "billable": false,
            }),
        )
        .about("99.96 minutes, so 100 are kept and the answer says \"1.67\"."),
        Sample::new(
            "both",
            "In both",
            json!({
                "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                "workDate": "2025-01-15",
                "minutes": 100,
                "hours": "2.0",
                "description": null,
                "entryId": "0194683a-2c3b-7d4e-8a5f-6b7c8d9e0f10",
                "releaseId": "0194683a-2c3b-7a01-9b02-0c3d4e5f6071",
            }),
        )
        .about("The minutes count: 100 are kept, and the answer's hours are \"1.67\"."),
        Sample::new(
            "externalRef",
            "With an external reference",
            json!({
                "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                "workDate": "2025-01-15",
                "minutes": 45,
                "description": "Sprint review",
                "externalRef": {
                    "provider": "jira",
                    "externalType": "worklog",
                    "externalId": "10042",
                },
            }),
        )
        .about("Sent again, it finds the entry it made the first time."),
        Sample::new(
            "minimal",
            "The least there can be",
            json!({
                "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                "workDate": "2025-01-15",
                "minutes": 1,
            }),
        ),
    ]
}

fn updated() -> Answer {
    Answer::json::<TimeEntryBody<'_>>(
        200,
        "The external reference was known in this project. The entry now says what the body \
         says.",
    )
    .sample(
        Sample::new(
            "unchanged",
            "Nothing to change",
            entry(json!({
                "hours": "0.75",
                "minutes": 45,
                "description": "Sprint review",
                "status": "approved",
                "updatedAt": "2025-01-16T17:20:03.005Z",
            })),
        )
        .about("The entry already says all this, so even an approved one is fine."),
    )
    .sample(
        Sample::new(
            "updated",
            "Brought up to date",
            entry(json!({
                "hours": "1",
                "minutes": 60,
                "description": "Sprint review and planning",
                "updatedAt": "2025-01-15T10:30:00.000Z",
            })),
        )
        .about("The entry was a draft or rejected. It keeps its id, and it is a draft now."),
    )
    .header(&headers::ETAG)
    .with_link()
}

fn created() -> Answer {
    Answer::json::<TimeEntryBody<'_>>(201, "The time is logged in an entry of its own.")
        .sample(Sample::new("minutes", "Logged in minutes", entry(json!({}))))
        .sample(Sample::new(
            "hours",
            "Logged in decimal hours",
            entry(json!({
                "id": "01946900-56c0-7e55-a1b2-c3d4e5f60718",
                "hours": "1.67",
                "minutes": 100,
                "description": null,
                "billable": false,
            })),
        ))
        .sample(Sample::new(
            "both",
            "Logged on a ticket and a release",
            entry(json!({
                "id": "01946900-56c0-7e55-a1b2-c3d4e5f60718",
                "entryId": "0194683a-2c3b-7d4e-8a5f-6b7c8d9e0f10",
                "releaseId": "0194683a-2c3b-7a01-9b02-0c3d4e5f6071",
                "hours": "1.67",
                "minutes": 100,
                "description": null,
            })),
        ))
        .header(&headers::LOCATION)
        .header(&headers::ETAG)
        .with_link()
}
