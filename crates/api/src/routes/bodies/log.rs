//! The body that logs a time entry, alone or as one of many.

use timelog_domain::{Details, ExternalRef, InvalidDuration, WorkDuration};

use super::given;
use crate::http::problem::Problem;
use crate::json::{Json, Members, body};

body! {
    /// The body, each member still as its text.
    Body { user_id, work_date, minutes, hours, description, billable, entry_id, release_id, external_ref }
}

body!(ExternalRefBody { provider, external_type, external_id });

/// What a body asks to log.
pub(crate) struct Logged {
    pub(crate) details: Details,
    pub(crate) external_ref: Option<ExternalRef>,
}

/// Reads a body, and says everything that is wrong with it.
pub(crate) fn parse(body: Json<'_>) -> Result<Logged, Problem> {
    let (mut members, body) = body.object::<Body<'_>>()?;
    members.require(&[("userId", body.user_id), ("workDate", body.work_date)]);
    let user_id = members.parsed("userId", body.user_id);
    let work_date = members.parsed("workDate", body.work_date);
    let minutes = given(body.minutes, members.whole_number("minutes", body.minutes));
    let hours = given(body.hours, members.text("hours", body.hours));
    let duration = WorkDuration::to_log(minutes, hours.as_deref());
    let duration = members.check_all(InvalidDuration::member, duration);
    let description = members.nullable("description", body.description);
    let billable = members.boolean("billable", body.billable).unwrap_or(true);
    let ticket_id = members.nullable("entryId", body.entry_id);
    let release_id = members.nullable("releaseId", body.release_id);
    let external_ref = members
        .object("externalRef", body.external_ref, |members, body| external_ref(members, &body));
    let details = || {
        Some(Details {
            user_id: user_id?,
            work_date: work_date?,
            duration: duration?,
            description,
            billable,
            ticket_id,
            release_id,
        })
    };
    Ok(Logged { details: members.finish(details())?, external_ref })
}

fn external_ref(members: &mut Members, body: &ExternalRefBody<'_>) -> Option<ExternalRef> {
    members.require(&[
        ("provider", body.provider),
        ("externalType", body.external_type),
        ("externalId", body.external_id),
    ]);
    let provider = members.parsed("provider", body.provider);
    let external_type = members.parsed("externalType", body.external_type);
    let external_id = members.parsed("externalId", body.external_id);
    Some(ExternalRef {
        provider: provider?,
        external_type: external_type?,
        external_id: external_id?,
    })
}
