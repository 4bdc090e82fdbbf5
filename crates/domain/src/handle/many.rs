//! Commands for many entries. Each item is decided after the changes of those before it.

use super::Context;
use super::apply::apply;
use super::delete::delete;
use super::edit::edit;
use super::log::log;
use super::references::check_patch;
use crate::access::Caller;
use crate::command::{
    ChangeMany, DeleteTimeEntry, EachChange, EditTimeEntry, IfMatch, LogMany, LogTimeEntry,
    Selection,
};
use crate::ids::TimeEntryId;
use crate::ledger::Ledger;
use crate::outcome::{Changed, ItemOutcome, Refusal};
use crate::query::Filter;
use crate::time_entry::TimeEntry;

pub(super) fn log_many(
    command: &LogMany,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Vec<ItemOutcome>, Refusal> {
    context.caller.check_scope(command.project_id)?;
    let project = ledger.project(context.caller.organization_id, command.project_id);
    if project.ok_or(Refusal::ProjectNotFound)?.archived {
        return Err(Refusal::ProjectArchived);
    }
    let mut log_item = |item: &LogTimeEntry| {
        // The command is for one project, and so is its stored answer.
        if item.project_id != command.project_id {
            return Err(Refusal::ProjectNotFound);
        }
        log(item, context, ledger).map(ItemOutcome::from)
    };
    let outcomes = command
        .items
        .iter()
        .map(|item| item.as_ref().map_or(ItemOutcome::Invalid, |item| outcome(log_item(item))));
    all_or_each(outcomes.collect(), command.atomic).map_err(Refusal::BatchFailed)
}

pub(super) fn change_many(
    command: &ChangeMany,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Vec<Changed>, Refusal> {
    let ChangeMany { entries, change, atomic } = command;
    if let Selection::Filter(filter) = entries {
        check_reach(filter, context.caller)?;
    }
    if let EachChange::Edit(patch) = change {
        patch.project_id.map_or(Ok(()), |project| context.caller.check_scope(project))?;
        check_patch(patch, context.caller.organization_id, ledger)?;
    }
    let ids = match entries {
        Selection::Ids(ids) => ids.clone(),
        Selection::Filter(filter) => found(filter, context, ledger)?,
    };
    let outcomes = ids.iter().map(|id| outcome(change_one(*id, change, context, ledger)));
    let with_ids = |outcomes: Vec<ItemOutcome>| ids.iter().copied().zip(outcomes).collect();
    all_or_each(outcomes.collect(), *atomic)
        .map(with_ids)
        .map_err(|failed| Refusal::ChangesFailed(with_ids(failed)))
}

/// A key that is limited to a project has to name that: a filter without one reaches for all.
fn check_reach(filter: &Filter, caller: &Caller) -> Result<(), Refusal> {
    match filter.project_id {
        Some(project) => caller.check_scope(project),
        None if caller.project_id.is_some() => Err(Refusal::ConcernsAllProjects),
        None => Ok(()),
    }
}

/// What the filter finds of what the caller sees.
fn found(
    filter: &Filter,
    context: Context<'_>,
    ledger: &Ledger,
) -> Result<Vec<TimeEntryId>, Refusal> {
    let found = ledger.find(context.caller.organization_id, filter)?.into_iter();
    Ok(found.filter(|entry| context.caller.sees(entry)).map(TimeEntry::id).collect())
}

fn change_one(
    id: TimeEntryId,
    change: &EachChange,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<ItemOutcome, Refusal> {
    let if_match = IfMatch::Any;
    match change {
        EachChange::Apply(transition) => {
            apply(id, transition, &if_match, context, ledger).map(ItemOutcome::from)
        }
        EachChange::Edit(patch) => {
            let command = EditTimeEntry { id, patch: patch.clone(), if_match };
            edit(&command, context, ledger).map(ItemOutcome::from)
        }
        EachChange::Delete => {
            let command = DeleteTimeEntry { id, if_match };
            delete(&command, context, ledger).map(|()| ItemOutcome::Deleted)
        }
    }
}

/// A refused item has changed nothing, because each decision makes all its checks before its
/// change.
fn outcome(decided: Result<ItemOutcome, Refusal>) -> ItemOutcome {
    decided.unwrap_or_else(ItemOutcome::Refused)
}

/// Fails where all or none are to succeed and an item failed; the refusal rolls its changes back.
/// All items that did not fail become not applied. That includes unchanged ones, because they may
/// have been compared with a change that was rolled back.
fn all_or_each(
    outcomes: Vec<ItemOutcome>,
    atomic: bool,
) -> Result<Vec<ItemOutcome>, Vec<ItemOutcome>> {
    if !atomic || !outcomes.iter().any(ItemOutcome::is_failure) {
        return Ok(outcomes);
    }
    let not_applied =
        |outcome: ItemOutcome| if outcome.is_failure() { outcome } else { ItemOutcome::NotApplied };
    Err(outcomes.into_iter().map(not_applied).collect())
}
