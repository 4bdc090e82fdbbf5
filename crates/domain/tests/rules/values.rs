//! Short ways to write values, for the tests of this crate and of its adapters.

use std::str::FromStr;

use timelog_domain::*;

/// The id of that number, of any kind.
pub(crate) fn id<T: FromStr<Err = InvalidId>>(number: u128) -> T {
    format!("00000000-0000-0000-0000-{number:012x}").parse().unwrap()
}

pub(crate) fn text<T: FromStr<Err = InvalidText>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn reference(external_id: &str) -> ExternalRef {
    ExternalRef {
        provider: text("jira"),
        external_type: text("worklog"),
        external_id: text(external_id),
    }
}

/// An action with a reason and an invoice if it needs them.
pub(crate) fn transition(action: Action) -> Transition {
    let reason = action.needs_reason().then(|| "because".to_owned());
    let invoice_ref = action.needs_invoice_ref().then(|| "2025-001".to_owned());
    Transition::new(action, reason.into(), invoice_ref.into()).unwrap()
}

/// The actions that move a draft to that status.
pub(crate) const fn way_to(status: Status) -> &'static [Action] {
    match status {
        Status::Draft => &[],
        Status::Submitted => &[Action::Submit],
        Status::Approved => &[Action::Submit, Action::Approve],
        Status::Rejected => &[Action::Submit, Action::Reject],
        Status::Locked => &[Action::Submit, Action::Approve, Action::Lock],
        Status::Invoiced => &[Action::Submit, Action::Approve, Action::Invoice],
    }
}
