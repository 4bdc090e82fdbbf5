//! The body that logs a time entry, alone or as one of many.

use timelog_domain::{Details, ExternalRef, InvalidDuration, WorkDuration};

use crate::http::problem::Problem;
use crate::json::{Json, Members, Raw, body};

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
    if body.minutes.is_none() && body.hours.is_none() {
        members.check::<(), _>("minutes", Err(InvalidDuration::Missing));
    }
    let duration = duration(&mut members, body.minutes, body.hours);
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

/// The duration, if there is one. Minutes win, but hours beside them must be well formed.
fn duration(members: &mut Members, minutes: Raw<'_>, hours: Raw<'_>) -> Option<WorkDuration> {
    let of_minutes = members.whole_number("minutes", minutes);
    let of_minutes =
        of_minutes.and_then(|number| members.check("minutes", WorkDuration::from_minutes(number)));
    let of_hours =
        members.text("hours", hours).and_then(|text| match WorkDuration::from_hours(&text) {
            Err(InvalidDuration::HoursOutOfRange) if minutes.is_some() => None,
            duration => members.check("hours", duration),
        });
    of_minutes.or(of_hours)
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
