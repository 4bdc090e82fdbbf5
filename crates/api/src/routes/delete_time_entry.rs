//! `DELETE /time-entries/{timeEntryId}`: deletes an entry. Its history stays.

use actix_web::HttpResponse;
use timelog_domain::{Command, DeleteTimeEntry, IfMatch};

use super::admission::{ToTimeEntry, Write};
use super::asked::Asked;
use super::change::Change;
use crate::document::{About, Answer, Tag, problem_sets};
use crate::http::problem::Problem;

pub(super) async fn delete_time_entry(
    asked: Asked<ToTimeEntry<Write>, IfMatch>,
) -> Result<HttpResponse, Problem> {
    let command = DeleteTimeEntry { id: asked.by.id, if_match: asked.input };
    Change::without_key(asked.state, &asked.by).carry_out(Command::Delete(command)).await
}

pub(super) fn about() -> About {
    About::new(
        "deleteTimeEntry",
        Tag::TimeEntries,
        "Delete a time entry",
        "Deletes a draft or rejected entry. Its history stays, and its external reference is \
         free again. A second delete is 404. The key needs the permission `write`; one that is \
         bound to a user deletes that user's entries alone.",
    )
    .answer(Answer::empty(204, "It is gone. There is no body."))
    .problems(&problem_sets::NOT_EDITABLE)
}
