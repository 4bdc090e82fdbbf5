//! The bodies that move time entries through their lives, one or many.

use timelog_domain::{Action, InvalidRemark, MOST_ITEMS, TimeEntryId, Transition};

use super::given;
use crate::http::problem::Problem;
use crate::json::{Json, Members, Raw, body};

body!(Body { reason, invoice_ref });

body!(ManyBody { action, ids, reason, invoice_ref, atomic });

/// An action on many entries.
pub(in crate::routes) struct Many {
    pub(in crate::routes) transition: Transition,
    pub(in crate::routes) ids: Vec<TimeEntryId>,
    pub(in crate::routes) atomic: bool,
}

/// Reads the body of an action on one entry. No body at all says as much as an empty object.
pub(in crate::routes) fn parse(action: Action, body: Json<'_>) -> Result<Transition, Problem> {
    let (mut members, body) = body.or_empty().object::<Body<'_>>()?;
    let transition = transition(&mut members, Some(action), body.reason, body.invoice_ref);
    members.finish(transition)
}

/// Reads the body of an action on many entries.
pub(in crate::routes) fn parse_many(body: Json<'_>) -> Result<Many, Problem> {
    let (mut members, body) = body.object::<ManyBody<'_>>()?;
    members.require(&[("action", body.action), ("ids", body.ids)]);
    let action = members.parsed::<Action>("action", body.action);
    let ids = members.list("ids", body.ids, MOST_ITEMS);
    let ids: Option<Vec<_>> = ids.map(|ids| {
        let ids = ids
            .iter()
            .enumerate()
            .map(|(index, raw)| members.parsed(&format!("ids/{index}"), Some(raw)));
        ids.collect::<Vec<_>>().into_iter().flatten().collect()
    });
    let transition = transition(&mut members, action, body.reason, body.invoice_ref);
    let atomic = members.boolean("atomic", body.atomic).unwrap_or(false);
    let many = || Some(Many { transition: transition?, ids: ids?, atomic });
    members.finish(many())
}

/// The action with its reason and its invoice, which are checked even if it could not be read.
fn transition(
    members: &mut Members,
    action: Option<Action>,
    reason: Raw<'_>,
    invoice_ref: Raw<'_>,
) -> Option<Transition> {
    let reason = given(reason, members.text("reason", reason));
    let invoice_ref = given(invoice_ref, members.text("invoiceRef", invoice_ref));
    let transition = match action {
        Some(action) => Transition::new(action, reason, invoice_ref).map(Some),
        None => Transition::check_without_action(reason, invoice_ref).map(|()| None),
    };
    members.check_all(InvalidRemark::member, transition).flatten()
}
