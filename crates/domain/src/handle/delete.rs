//! Deleting an entry. Its history stays.

use super::{Context, check_version, place, record};
use crate::command::DeleteTimeEntry;
use crate::history::{Event, HistoryRecord};
use crate::ledger::Ledger;
use crate::outcome::Refusal;

pub(super) fn delete(
    command: &DeleteTimeEntry,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<(), Refusal> {
    let entry = context.find(command.id, ledger)?;
    context.caller.check_owners([entry.details().user_id])?;
    check_version(&command.if_match, entry)?;
    let open = context.open(Event::Delete, &[place(entry)], ledger)?;
    let left_user_id = Some(entry.details().user_id);
    let mut entry = entry.clone();
    let gone = entry.delete(context.now)?;
    let history = record(&entry, Event::Delete, Some(entry.status()), gone, context.caller);
    ledger.delete_time_entry(
        (entry.organization_id(), entry.id()),
        HistoryRecord { to: None, left_user_id, ..history },
        open,
    );
    Ok(())
}
