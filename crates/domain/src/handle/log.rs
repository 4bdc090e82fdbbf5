//! Logging a time entry, or updating the one that has the same external reference.

use super::references::check_all;
use super::{Context, place, record};
use crate::command::LogTimeEntry;
use crate::details::Details;
use crate::history::{Event, HistoryRecord};
use crate::ids::{OrganizationId, ProjectId, UserId};
use crate::ledger::Ledger;
use crate::outcome::{Refusal, Written};
use crate::time_entry::TimeEntry;

pub(super) fn log(
    command: &LogTimeEntry,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    let organization = context.caller.organization_id;
    context.caller.check_scope(command.project_id)?;
    ledger.project(organization, command.project_id).ok_or(Refusal::ProjectNotFound)?;
    let existing = command
        .external_ref
        .as_ref()
        .and_then(|reference| ledger.time_entry_by_ref(organization, reference));
    context.caller.check_owners(
        existing.map(|entry| entry.details().user_id).into_iter().chain([command.details.user_id]),
    )?;
    // An unchanged repeat succeeds even if the user or the project is no longer active.
    if let Some(entry) = existing
        && entry.project_id() == command.project_id
        && *entry.details() == command.details
    {
        return Ok(Written::Unchanged(entry.clone()));
    }
    check_all(&command.details, organization, command.project_id, ledger)?;
    check_not_archived(organization, command.project_id, ledger)?;
    match existing.cloned() {
        Some(entry) if entry.project_id() != command.project_id => {
            Err(Refusal::ExternalRefConflict)
        }
        Some(entry) => amend(entry, command.details.clone(), context, ledger),
        None => create(command, context, ledger),
    }
}

/// An archived project takes no more time, and gives none away.
pub(super) fn check_not_archived(
    organization: OrganizationId,
    project: ProjectId,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    match ledger.project(organization, project) {
        Some(project) if project.archived => Err(Refusal::ProjectArchived),
        _ => Ok(()),
    }
}

fn create(
    command: &LogTimeEntry,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    let place = (command.project_id, command.details.work_date);
    let open = context.open(Event::Log, &[place], ledger)?;
    let entry = TimeEntry::log(
        command.id,
        context.caller.organization_id,
        command.project_id,
        command.details.clone(),
        command.external_ref.clone(),
        command.source,
        context.now,
    );
    let history = record(&entry, Event::Log, None, Vec::new(), context.caller);
    ledger.put_time_entry(entry.clone(), history, open);
    Ok(Written::Created(entry))
}

/// The user who loses the entry, if it gets these details.
fn lost_by(entry: &TimeEntry, details: &Details) -> Option<UserId> {
    Some(entry.details().user_id).filter(|user| *user != details.user_id)
}

/// Replaces the details of an entry, if they differ and its status allows it.
pub(super) fn amend(
    mut entry: TimeEntry,
    details: Details,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    if *entry.details() == details {
        return Ok(Written::Unchanged(entry));
    }
    let places = [place(&entry), (entry.project_id(), details.work_date)];
    let open = context.open(Event::Edit, &places, ledger)?;
    let (from, left_user_id) = (entry.status(), lost_by(&entry, &details));
    let changes = entry.amend(details, context.now)?;
    let history = record(&entry, Event::Edit, Some(from), changes, context.caller);
    let history = HistoryRecord { left_user_id, ..history };
    ledger.put_time_entry(entry.clone(), history, open);
    Ok(Written::Updated(entry))
}
