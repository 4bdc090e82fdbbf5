//! The body that changes a time entry: a JSON merge patch (RFC 7396).

use timelog_domain::{Patch, WorkDuration};

use crate::http::problem::Problem;
use crate::json::{Json, Members, Raw, body};

body! {
    /// The body, each member still as its text.
    Body { user_id, work_date, minutes, hours, description, billable, entry_id, release_id }
}

/// Reads a body, and says everything that is wrong with it. An absent member stays as it is.
pub(in crate::routes) fn parse(body: Json<'_>) -> Result<Patch, Problem> {
    let (mut members, body) = body.object::<Body<'_>>()?;
    let patch = Patch {
        user_id: members.parsed("userId", body.user_id),
        work_date: members.parsed("workDate", body.work_date),
        duration: duration(&mut members, body.minutes, body.hours),
        description: body.description.map(|_| members.nullable("description", body.description)),
        billable: members.boolean("billable", body.billable),
        ticket_id: body.entry_id.map(|_| members.nullable("entryId", body.entry_id)),
        release_id: body.release_id.map(|_| members.nullable("releaseId", body.release_id)),
    };
    members.finish(Some(patch))
}

/// The duration, if there is one. Minutes and hours that are both given must say the same.
fn duration(members: &mut Members, minutes: Raw<'_>, hours: Raw<'_>) -> Option<WorkDuration> {
    let of_minutes = members.whole_number("minutes", minutes);
    let of_minutes =
        of_minutes.and_then(|number| members.check("minutes", WorkDuration::from_minutes(number)));
    let of_hours = members.text("hours", hours);
    let of_hours =
        of_hours.and_then(|text| members.check("hours", WorkDuration::from_hours(&text)));
    match (of_minutes, of_hours) {
        (Some(minutes), Some(hours)) => members.check("hours", minutes.agreeing_with(hours)),
        (minutes, hours) => minutes.or(hours),
    }
}
