//! Checks the references of an entry to the directory.

use crate::details::{Details, Patch};
use crate::ids::{OrganizationId, ProjectId, ReleaseId, TicketId, UserId};
use crate::ledger::Ledger;
use crate::outcome::{InvalidReference, Refusal};
use crate::time_entry::TimeEntry;

/// Checks all references of a new entry or an upsert.
pub(super) fn check_all(
    details: &Details,
    organization: OrganizationId,
    project: ProjectId,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    check(
        Some(details.user_id),
        details.ticket_id,
        details.release_id,
        organization,
        project,
        ledger,
    )
}

/// Checks only the references that an edit changes. An unchanged user may be inactive by now, which
/// must not prevent a correction of the rest.
pub(super) fn check_changed(
    entry: &TimeEntry,
    details: &Details,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    let before = entry.details();
    let user = Some(details.user_id).filter(|id| *id != before.user_id);
    let ticket = details.ticket_id.filter(|_| details.ticket_id != before.ticket_id);
    let release = details.release_id.filter(|_| details.release_id != before.release_id);
    check(user, ticket, release, entry.organization_id(), entry.project_id(), ledger)
}

/// Checks the references of an entry that moves to another project: its ticket and its release must
/// be of that one.
pub(super) fn check_moved(
    entry: &TimeEntry,
    details: &Details,
    project: ProjectId,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    let organization = entry.organization_id();
    if ledger.project(organization, project).is_none() {
        return Err(Refusal::References(vec![InvalidReference::UnknownProject]));
    }
    let user = Some(details.user_id).filter(|id| *id != entry.details().user_id);
    check(user, details.ticket_id, details.release_id, organization, project, ledger)
}

/// Checks what a patch of many entries refers to, as far as it is wrong for each of them: a user or
/// a project that nobody knows.
pub(super) fn check_patch(
    patch: &Patch,
    organization: OrganizationId,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    let user = patch.user_id.filter(|id| ledger.user(organization, *id).is_none());
    let project = patch.project_id.filter(|id| ledger.project(organization, *id).is_none());
    let invalid = [
        project.map(|_| InvalidReference::UnknownProject),
        user.map(|_| InvalidReference::UnknownUser),
    ];
    let invalid: Vec<_> = invalid.into_iter().flatten().collect();
    if invalid.is_empty() { Ok(()) } else { Err(Refusal::PatchReferences(invalid)) }
}

fn check(
    user: Option<UserId>,
    ticket: Option<TicketId>,
    release: Option<ReleaseId>,
    organization: OrganizationId,
    project: ProjectId,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    let user = user.and_then(|id| match ledger.user(organization, id) {
        None => Some(InvalidReference::UnknownUser),
        Some(user) if !user.active => Some(InvalidReference::InactiveUser),
        Some(_) => None,
    });
    let ticket = ticket.filter(|id| !ledger.has_ticket(organization, project, *id));
    let release = release.filter(|id| !ledger.has_release(organization, project, *id));
    let invalid = [
        user,
        ticket.map(|_| InvalidReference::UnknownTicket),
        release.map(|_| InvalidReference::UnknownRelease),
    ];
    let invalid: Vec<_> = invalid.into_iter().flatten().collect();
    if invalid.is_empty() { Ok(()) } else { Err(Refusal::References(invalid)) }
}
