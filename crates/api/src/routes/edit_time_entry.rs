//! `PATCH /time-entries/{timeEntryId}`: changes what an entry says.

use actix_web::HttpResponse;
use serde_json::json;
use timelog_domain::{Command, EditTimeEntry, IfMatch};

use super::admission::{ToTimeEntry, Write};
use super::asked::{Asked, Asking, Sending, Showing};
use super::change::Change;
use crate::document::samples::entry;
use crate::document::{About, Answer, Sample, Tag, headers, problem_sets};
use crate::http::problem::Problem;
use crate::wire::time_entry::{EditBody, TimeEntryBody};

pub(super) async fn edit_time_entry(
    asked: Asked<ToTimeEntry<Write>, Sending<EditBody, (IfMatch, Showing)>>,
) -> Result<HttpResponse, Problem> {
    let Sending { body: patch, beside: (if_match, Asking(query)) } = asked.input;
    let command = EditTimeEntry { id: asked.by.id, patch, if_match };
    let change = Change::without_key(asked.state, &asked.by);
    change.carry_out_showing(Command::Edit(command), query.asked()).await
}

pub(super) fn about() -> About {
    About::new(
        "editTimeEntry",
        Tag::TimeEntries,
        "Edit a time entry",
        "Changes some members of a draft or rejected entry, which is a draft afterwards, and \
         answers with the whole entry. With another `projectId` the entry moves there, and its \
         external reference with it. An edit that changes nothing succeeds whatever the \
         status, and leaves version and `updatedAt` alone. The key needs the permission \
         `write`; one that is bound to a user edits that user's entries alone, and cannot hand \
         them over.\n\nSend the `ETag` you have read in `If-Match`, so that nobody's change is \
         overwritten unseen.",
    )
    .sent(
        "What to change.",
        vec![
            Sample::new("minutes", "Another duration", json!({ "minutes": 105 })),
            Sample::new(
                "project",
                "Another project",
                json!({
                    "projectId": "9a8b7c6d-0000-0000-0000-000000000003",
                    "entryId": null,
                    "releaseId": null,
                }),
            ),
            Sample::new(
                "several",
                "No description, and not billable",
                json!({ "description": null, "billable": false }),
            ),
        ],
    )
    .answer(
        Answer::json::<TimeEntryBody<'_>>(200, "The entry as it is now.")
            .sample(Sample::new("edited", "A draft", entry(json!({}))))
            .header(&headers::ETAG),
    )
    .problems(&problem_sets::EDIT_CONFLICT)
    .also_sent_as("application/merge-patch+json")
}
