//! Moving an entry to another status.

use super::{Context, check_version, place, record};
use crate::command::IfMatch;
use crate::history::{Event, HistoryRecord};
use crate::ids::TimeEntryId;
use crate::ledger::Ledger;
use crate::outcome::{Refusal, Written};
use crate::permission::Permission;
use crate::transition::Transition;

pub(super) fn apply(
    id: TimeEntryId,
    transition: &Transition,
    if_match: &IfMatch,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    let action = transition.action();
    let entry = context.find(id, ledger)?;
    let owner = entry.details().user_id;
    if action.is_judgement() && context.caller.user_id == Some(owner) {
        return Err(Refusal::OwnEntry);
    }
    if action.permission() == Permission::Write {
        context.caller.check_owners([owner])?;
    }
    check_version(if_match, entry)?;
    let open = context.open(Event::Action(action), &[place(entry)], ledger)?;
    let mut entry = entry.clone();
    let from = entry.status();
    entry.apply(transition, context.now)?;
    let history = HistoryRecord {
        reason: transition.reason().cloned(),
        invoice_ref: transition.invoice_ref().cloned(),
        ..record(&entry, Event::Action(action), Some(from), Vec::new(), context.caller)
    };
    ledger.put_time_entry(entry.clone(), history, open);
    Ok(Written::Updated(entry))
}
