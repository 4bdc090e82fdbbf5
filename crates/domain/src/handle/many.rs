//! Many at once: each item is decided by itself, on what the ones before it left.

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
        // The whole is about one project, and so is the answer that is kept of it.
        if item.project_id != command.project_id {
            return Err(Refusal::ProjectNotFound);
        }
        log(item, context, ledger)
    };
    let outcomes = command
        .items
        .iter()
        .map(|item| item.as_ref().map_or(ItemOutcome::Invalid, |item| settle(log_item(item))));
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
        .map(|id| settle(apply(*id, &command.transition, &IfMatch::Any, context, ledger)));
    all_or_each(outcomes.collect(), command.atomic)
}

/// An item that is refused has changed nothing: every decision makes all its checks before its one
/// change.
fn settle(decided: Result<Written, Refusal>) -> ItemOutcome {
    decided.map_or_else(ItemOutcome::Refused, ItemOutcome::from)
}

/// Where one failure is to keep all from taking effect, turns it into the refusal of the whole,
/// which takes the changes back. Every item that did not fail is then not applied, also one that
/// was unchanged: what it was compared with may have been the work of an item before it, which
/// never was.
fn all_or_each(outcomes: Vec<ItemOutcome>, atomic: bool) -> Result<Vec<ItemOutcome>, Refusal> {
    if !atomic || !outcomes.iter().any(ItemOutcome::is_failure) {
        return Ok(outcomes);
    }
    let not_applied =
        |outcome: ItemOutcome| if outcome.is_failure() { outcome } else { ItemOutcome::NotApplied };
    Err(Refusal::BatchFailed(outcomes.into_iter().map(not_applied).collect()))
}
