//! Moving an entry through its life.

use super::{Context, check_version, record};
use crate::access::Permission;
use crate::command::ApplyAction;
use crate::history::{Event, HistoryRecord};
use crate::ledger::Ledger;
use crate::outcome::Written;
use crate::refusal::Refusal;

pub(super) fn apply(
    command: &ApplyAction,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    let ApplyAction { id, action, reason, invoice_ref, if_match } = command;
    let entry = context.find(*id, ledger)?;
    let owner = entry.details().user_id;
    if action.is_judgement() && context.caller.user_id == Some(owner) {
        return Err(Refusal::OwnEntry);
    }
    if action.permission() == Permission::Write {
        context.check_owners([owner])?;
    }
    check_version(if_match, entry)?;
    let mut entry = entry.clone();
    let from = entry.status();
    entry.apply(*action, context.now)?;
    let history = record(&entry, Event::Action(*action), Some(from), Vec::new(), context.caller);
    let history =
        HistoryRecord { reason: reason.clone(), invoice_ref: invoice_ref.clone(), ..history };
    ledger.put_time_entry(entry.clone(), history);
    Ok(Written::Updated(entry))
}
