//! Commands for many entries. Each item is decided after the changes of those before it.

use super::Context;
use super::apply::apply;
use super::log::log;
use crate::command::{ApplyMany, IfMatch, LogMany, LogTimeEntry};
use crate::ledger::Ledger;
use crate::outcome::{ItemOutcome, Refusal, Written};

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
        log(item, context, ledger)
    };
    let outcomes = command
        .items
        .iter()
        .map(|item| item.as_ref().map_or(ItemOutcome::Invalid, |item| outcome(log_item(item))));
    all_or_each(outcomes.collect(), command.atomic)
}

pub(super) fn apply_many(
    command: &ApplyMany,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Vec<ItemOutcome>, Refusal> {
    let outcomes = command
        .ids
        .iter()
        .map(|id| outcome(apply(*id, &command.transition, &IfMatch::Any, context, ledger)));
    all_or_each(outcomes.collect(), command.atomic)
}

/// A refused item has changed nothing, because each decision makes all its checks before its
/// change.
fn outcome(decided: Result<Written, Refusal>) -> ItemOutcome {
    decided.map_or_else(ItemOutcome::Refused, ItemOutcome::from)
}

/// Refuses an atomic command of which an item failed; the refusal rolls its changes back. All items
/// that did not fail become not applied. That includes unchanged ones, because they may have been
/// compared with a change that was rolled back.
fn all_or_each(outcomes: Vec<ItemOutcome>, atomic: bool) -> Result<Vec<ItemOutcome>, Refusal> {
    if !atomic || !outcomes.iter().any(ItemOutcome::is_failure) {
        return Ok(outcomes);
    }
    let not_applied =
        |outcome: ItemOutcome| if outcome.is_failure() { outcome } else { ItemOutcome::NotApplied };
    Err(Refusal::BatchFailed(outcomes.into_iter().map(not_applied).collect()))
}
