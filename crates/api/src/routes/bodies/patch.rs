//! The body that changes a time entry: a JSON merge patch (RFC 7396).

use timelog_domain::Patch;

use super::log::duration;
use crate::http::problem::Problem;
use crate::json::{self, Members, body};

body! {
    /// The body, each member still as its text.
    Body { user_id, work_date, minutes, hours, description, billable, entry_id, release_id }
}

/// Reads a body, and says everything that is wrong with it. An absent member stays as it is.
pub(in crate::routes) fn parse(body: &[u8]) -> Result<Patch, Problem> {
    let body: Body<'_> = json::object(body)?;
    let mut members = Members::default();
    let patch = Patch {
        user_id: members.parsed("userId", body.user_id),
        work_date: members.parsed("workDate", body.work_date),
        duration: duration(&mut members, body.minutes, body.hours),
        description: body.description.map(|_| members.nullable("description", body.description)),
        billable: members.boolean("billable", body.billable),
        entry_id: body.entry_id.map(|_| members.nullable("entryId", body.entry_id)),
        release_id: body.release_id.map(|_| members.nullable("releaseId", body.release_id)),
    };
    members.finish(Some(patch))
}
