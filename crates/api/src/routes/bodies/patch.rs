//! The body that changes a time entry: a JSON merge patch (RFC 7396).

use timelog_domain::{InvalidDuration, Patch, WorkDuration};

use super::given;
use crate::http::problem::Problem;
use crate::json::{Json, body};

body! {
    /// The body, each member still as its text.
    Body { user_id, work_date, minutes, hours, description, billable, entry_id, release_id }
}

/// Reads a body, and says everything that is wrong with it. An absent member stays as it is.
pub(in crate::routes) fn parse(body: Json<'_>) -> Result<Patch, Problem> {
    let (mut members, body) = body.object::<Body<'_>>()?;
    let minutes = given(body.minutes, members.whole_number("minutes", body.minutes));
    let hours = given(body.hours, members.text("hours", body.hours));
    let duration = WorkDuration::to_edit(minutes, hours.as_deref());
    let patch = Patch {
        user_id: members.parsed("userId", body.user_id),
        work_date: members.parsed("workDate", body.work_date),
        duration: members.check_all(InvalidDuration::member, duration).flatten(),
        description: body.description.map(|_| members.nullable("description", body.description)),
        billable: members.boolean("billable", body.billable),
        ticket_id: body.entry_id.map(|_| members.nullable("entryId", body.entry_id)),
        release_id: body.release_id.map(|_| members.nullable("releaseId", body.release_id)),
    };
    members.finish(Some(patch))
}
