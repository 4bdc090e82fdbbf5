//! Editing an entry.

use super::log::amend;
use super::references::check_changed;
use super::{Context, check_version};
use crate::command::EditTimeEntry;
use crate::ledger::Ledger;
use crate::outcome::{Refusal, Written};

pub(super) fn edit(
    command: &EditTimeEntry,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Written, Refusal> {
    let entry = context.find(command.id, ledger)?;
    // A key that is bound to a user may neither take over another user's entry nor give one away.
    context
        .caller
        .check_owners([entry.details().user_id].into_iter().chain(command.patch.user_id))?;
    check_version(&command.if_match, entry)?;
    let details = command.patch.applied_to(entry.details());
    check_changed(entry, &details, ledger)?;
    amend(entry.clone(), details, context, ledger)
}
