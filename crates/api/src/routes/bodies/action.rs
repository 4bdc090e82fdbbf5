//! The bodies that move time entries through their lives, one or many.

use timelog_domain::{Action, InvalidText, InvoiceRef, Reason, TimeEntryId};

use crate::http::problem::Problem;
use crate::json::{Json, Members, Raw, body};

/// The most entries that one request moves.
pub(in crate::routes) const MOST_IDS: usize = 500;

body!(Body { reason, invoice_ref });

body!(ManyBody { action, ids, reason, invoice_ref, atomic });

/// Why an action is taken, and on which invoice.
pub(in crate::routes) struct Circumstances {
    pub(in crate::routes) reason: Option<Reason>,
    pub(in crate::routes) invoice_ref: Option<InvoiceRef>,
}

/// An action on many entries.
pub(in crate::routes) struct Many {
    pub(in crate::routes) action: Action,
    pub(in crate::routes) ids: Vec<TimeEntryId>,
    pub(in crate::routes) circumstances: Circumstances,
    pub(in crate::routes) atomic: bool,
}

/// Reads the body of an action on one entry. No body at all says as much as an empty object.
pub(in crate::routes) fn parse(action: Action, body: Json<'_>) -> Result<Circumstances, Problem> {
    let (mut members, body) = body.or_empty().object::<Body<'_>>()?;
    let circumstances = circumstances(&mut members, Some(action), body.reason, body.invoice_ref);
    members.finish(Some(circumstances))
}

/// Reads the body of an action on many entries.
pub(in crate::routes) fn parse_many(body: Json<'_>) -> Result<Many, Problem> {
    let (mut members, body) = body.object::<ManyBody<'_>>()?;
    members.require(&[("action", body.action), ("ids", body.ids)]);
    let action = members.parsed::<Action>("action", body.action);
    let ids = members.list("ids", body.ids, MOST_IDS);
    let ids: Option<Vec<_>> = ids.map(|ids| {
        let ids = ids
            .iter()
            .enumerate()
            .map(|(index, raw)| members.parsed(&format!("ids/{index}"), Some(raw)));
        ids.collect::<Vec<_>>().into_iter().flatten().collect()
    });
    let circumstances = circumstances(&mut members, action, body.reason, body.invoice_ref);
    let atomic = members.boolean("atomic", body.atomic).unwrap_or(false);
    let many = || Some(Many { action: action?, ids: ids?, circumstances, atomic });
    members.finish(many())
}

/// What the action needs must be there and say something; what it does not need may also be blank,
/// which says nothing.
fn circumstances(
    members: &mut Members,
    action: Option<Action>,
    reason: Raw<'_>,
    invoice_ref: Raw<'_>,
) -> Circumstances {
    let needs_reason = action.is_some_and(Action::needs_reason);
    let needs_invoice_ref = action.is_some_and(Action::needs_invoice_ref);
    Circumstances {
        reason: said(members, "reason", reason, needs_reason),
        invoice_ref: said(members, "invoiceRef", invoice_ref, needs_invoice_ref),
    }
}

fn said<T: TryFrom<String, Error = InvalidText>>(
    members: &mut Members,
    name: &str,
    raw: Raw<'_>,
    needed: bool,
) -> Option<T> {
    if needed {
        members.require(&[(name, raw)]);
    }
    match T::try_from(members.text(name, raw)?) {
        Err(InvalidText::Blank) if !needed => None,
        text => members.check(name, text),
    }
}
