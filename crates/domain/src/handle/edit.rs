//! Editing an entry, which may move it to another project.

use super::log::{amend, check_not_archived};
use super::references::{check_changed, check_moved};
use super::{Context, check_version, place, record};
use crate::command::EditTimeEntry;
use crate::details::Details;
use crate::history::{Event, HistoryRecord};
use crate::ids::ProjectId;
use crate::ledger::Ledger;
use crate::outcome::{Refusal, Written};
use crate::time_entry::TimeEntry;

pub(super) fn edit(
    command: &EditTimeEntry,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    let entry = context.find(command.id, ledger)?;
    let project = command.patch.project_id.unwrap_or(entry.project_id());
    context.caller.check_scope(project)?;
    // A key that is bound to a user may neither take over another user's entry nor give one away.
    context
        .caller
        .check_owners([entry.details().user_id].into_iter().chain(command.patch.user_id))?;
    check_version(&command.if_match, entry)?;
    let details = command.patch.applied_to(entry.details());
    if project != entry.project_id() {
        return move_to(project, entry.clone(), details, context, ledger);
    }
    check_changed(entry, &details, ledger)?;
    amend(entry.clone(), details, context, ledger)
}

/// What holds for logging on a project holds for both of them.
fn move_to(
    project: ProjectId,
    mut entry: TimeEntry,
    details: Details,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    check_moved(&entry, &details, project, ledger)?;
    let (from, left) = (entry.status(), entry.project_id());
    // Also where the entry stays the user's: it leaves what the user sees of the project.
    let left_user_id = Some(entry.details().user_id);
    for project in [left, project] {
        check_not_archived(entry.organization_id(), project, ledger)?;
    }
    let places = [place(&entry), (project, details.work_date)];
    let open = context.open(Event::Move, &places, ledger)?;
    let changes = entry.move_to(project, details, context.now)?;
    let history = record(&entry, Event::Move, Some(from), changes, context.caller);
    let history = HistoryRecord { left_project_id: Some(left), left_user_id, ..history };
    ledger.put_time_entry(entry.clone(), history, open);
    Ok(Written::Updated(entry))
}
